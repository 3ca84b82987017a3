"""One run of the table: view, continue, rename, annotate, delete or download it."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.runs.run import MAX_NOTE_LENGTH, Run, RunStoreError
from mnist_lib.ui.messages import show_done, show_problem
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.session import choose_run, chosen_run_id, forget_run, run_store, title_of
from mnist_lib.ui.shared.continue_button import render_continue, show_continue_problem
from mnist_lib.ui.shared.downloads import render_downloads
from mnist_lib.ui.sidebar import look_at, sentence, state_badges
from mnist_lib.wording import count_text

# Errors show inside the popover, which stays open and covers what is below.
_RENAME_PROBLEM_KEY = "rename_problem"
_DELETE_PROBLEM_KEY = "delete_problem"
_NOTE_PROBLEM_KEY = "note_problem"
_DONE_KEY = "one_run_done"
# Counts the actions done in popovers: a new key closes them.
_NUMBER_KEY = "one_run_number"


def show_what_was_done() -> None:
    """Show what was last done with a run, which may be gone or no longer chosen."""
    show_done(_DONE_KEY)


def render_one_run(run: Run) -> None:
    """Show what can be done with a run.

    Args:
        run: Any run, even a damaged one.
    """
    snapshot = run.read()
    title = title_of(run.run_id)
    st.header(plain_text(title))
    st.markdown(state_badges(snapshot))
    if title != run.run_id:
        st.caption(f"Folder: {plain_text(run.run_id)}")
    if snapshot.message:
        st.caption(sentence(snapshot.message))
    if learned := snapshot.record.handwriting:
        st.caption(
            f"Began from {plain_text(title_of(learned.begun_from))} and learned "
            f"{count_text(learned.learned, 'drawing')}; {count_text(learned.set_aside, 'was', 'were')} set aside."
        )
    store = run_store()
    if store.access.sees_all and (owner := run.read_owner()):  # names of pupils are not for the public
        st.caption(f"By {plain_text(owner.name)}.")
    may_change = store.may_change(run)
    number = st.session_state.get(_NUMBER_KEY, 0)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if run.run_id == chosen_run_id():
            screen_link("mistakes", "Its mistakes")
            screen_link("draw", "Draw a digit for it" if snapshot.record.dataset.is_mnist else "Draw for it")
        else:
            st.button("Show it on every screen", icon=":material/visibility:", on_click=look_at, args=(run,))
        if run.can_continue(snapshot):
            render_continue(run, snapshot)
        if may_change:
            _render_rename(run, snapshot.is_active, number)
            _render_delete(run, snapshot.is_active, number)
    show_continue_problem()
    if run.bundled:
        if store.access.may_add:
            st.caption("It ships with the project and cannot be renamed or deleted.")
    elif may_change:
        _render_note(run)
    elif note := run.read_note():
        st.text(note)
    if store.access.may_do_all and not run.bundled:
        _render_publishing(run)
    with st.expander("Download", icon=":material/download:", on_change="rerun", key="one_run_downloads") as box:
        if box.open:
            render_downloads(run)


def _render_rename(run: Run, is_active: bool, number: int) -> None:
    name_key = f"new_name_{run.run_id}"
    with (
        st.popover("Rename", icon=":material/edit:", key=f"rename_{number}", disabled=is_active),
        st.form(f"rename_form_{run.run_id}", border=False),
    ):
        st.text_input("New name", run.run_id, key=name_key, max_chars=100)
        st.form_submit_button("Rename", on_click=_rename, args=(run, name_key))
        show_problem(_RENAME_PROBLEM_KEY)


def _rename(run: Run, name_key: str) -> None:
    state = st.session_state
    title = title_of(run.run_id)
    try:
        renamed = run_store().rename(run, state[name_key])
    except RunStoreError as error:
        state[_RENAME_PROBLEM_KEY] = str(error)
        return
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    if renamed.run_id == run.run_id:
        return
    state[_DONE_KEY] = f"{title} is now {title_of(renamed.run_id)}."
    st.query_params["runs"] = renamed.run_id
    if chosen_run_id() == run.run_id:
        choose_run(renamed.run_id)


def _render_delete(run: Run, is_active: bool, number: int) -> None:
    with st.popover("Delete", icon=":material/delete:", key=f"delete_{number}", disabled=is_active):
        name = plain_text(title_of(run.run_id))
        st.markdown(f"Delete **{name}** for good? This cannot be undone; *Download* it first to keep a copy.")
        st.button("Delete it", on_click=_delete, args=(run,), key=f"delete_it_{run.run_id}")
        show_problem(_DELETE_PROBLEM_KEY)


def _delete(run: Run) -> None:
    state = st.session_state
    title = title_of(run.run_id)
    try:
        run_store().delete(run)
    except RunStoreError as error:
        state[_DELETE_PROBLEM_KEY] = str(error)
        return
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    state[_DONE_KEY] = f"{title} is deleted."
    st.query_params["runs"] = ""
    if chosen_run_id() == run.run_id:
        forget_run()


def _render_note(run: Run) -> None:
    key = f"note_{run.run_id}"
    st.text_area(
        "Note",
        run.read_note(),
        key=key,
        max_chars=MAX_NOTE_LENGTH,
        height=80,
        placeholder="What you tried, what you saw. Kept with the run.",
        on_change=_keep_note,
        args=(run, key),
    )
    show_problem(_NOTE_PROBLEM_KEY)


def _render_publishing(run: Run) -> None:
    key = f"published_{run.run_id}"
    st.toggle(
        "Shown in public",
        run.is_published(),
        key=key,
        on_change=_publish,
        args=(run, key),
        help="Where MNIST_MODE is public, visitors see only these runs and those that ship with the project.",
    )


def _publish(run: Run, key: str) -> None:
    try:
        run_store().publish(run, st.session_state[key])
    except RunStoreError as error:
        st.session_state[_NOTE_PROBLEM_KEY] = str(error)


def _keep_note(run: Run, key: str) -> None:
    try:
        run_store().write_note(run, st.session_state[key])
    except RunStoreError as error:
        st.session_state[_NOTE_PROBLEM_KEY] = str(error)
    else:
        st.session_state[_DONE_KEY] = "The note is saved."
