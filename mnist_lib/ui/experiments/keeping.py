"""An experiment beside another one, its note, and its end."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.repeated import errors_compared
from mnist_lib.experiments.library import Experiment, ExperimentError
from mnist_lib.experiments.plan import combination_text
from mnist_lib.experiments.results import read_results
from mnist_lib.runs.run import MAX_NOTE_LENGTH, RunStoreError
from mnist_lib.ui.experiments.choice import EXPERIMENT_KEY
from mnist_lib.ui.messages import show_done, show_problem
from mnist_lib.ui.session import chosen_run_id, experiment_library, forget_run, run_store

_DONE_KEY = "experiment_done"
_NOTE_PROBLEM_KEY = "experiment_note_problem"
_REMOVAL_PROBLEM_KEY = "experiment_removal_problem"


def show_what_was_done() -> None:
    """Show what was last done with an experiment, which may be gone."""
    show_done(_DONE_KEY)


def render_comparison(experiment: Experiment, experiments: Sequence[Experiment]) -> None:
    """Let a person choose another experiment, and say whether the two differ.

    Args:
        experiment: The one shown.
        experiments: All of this machine.
    """
    others = {
        other.name: other
        for other in experiments
        if other.name != experiment.name and other.dataset.is_same(experiment.dataset)
    }
    if not others:
        return
    st.header("Compared")
    name = st.selectbox(
        "Compare with",
        list(others),
        index=None,
        format_func=plain_text,
        placeholder="Another experiment",
        key=f"experiment_compared_{experiment.name}",
        help="By Welch's test, over the seeds of each; of an experiment that varies settings, its best combination.",
    )
    if name not in others:
        return
    names, errors = zip(*map(_recipe, (experiment, others[name])), strict=True)
    st.markdown(plain_text(errors_compared(names, *errors)))


def _recipe(experiment: Experiment) -> tuple[str, list[int]]:
    """Return what an experiment is called in a comparison, and the misread test images of each finished run."""
    results = read_results(run_store(), experiment)
    name, combination = experiment.name, results.whole
    if experiment.plan.vary:
        combination = results.best
        name = f"{name} ({combination_text(combination.settings)})" if combination else name
    runs = combination.runs if combination else []
    return name, [run.misclassified for run in runs if run.is_finished and run.misclassified is not None]


def render_keeping(experiment: Experiment, has_ended: bool) -> None:
    """Show the note of an experiment, and the button that deletes it.

    Args:
        experiment: The experiment.
        has_ended: Whether nothing of it is trained any more.
    """
    if not experiment_library().may_change(experiment):
        if experiment.note:
            st.text(experiment.note)
        return
    key = f"note_of_{experiment.name}"
    st.text_area(
        "Note",
        experiment.note,
        key=key,
        max_chars=MAX_NOTE_LENGTH,
        height=80,
        placeholder="What you wanted to know, what you saw. Kept with the experiment.",
        on_change=_keep_note,
        args=(experiment, key),
    )
    show_problem(_NOTE_PROBLEM_KEY)
    with st.popover(
        "Delete",
        icon=":material/delete:",
        key=f"delete_experiment_{experiment.name}",
        disabled=not has_ended,
        help=None if has_ended else "When its runs have ended, or were taken back.",
    ):
        st.markdown(f"Delete **{plain_text(experiment.name)}** for good? This cannot be undone.")
        with st.container(horizontal=True):
            st.button("Delete it, keep its runs", on_click=_delete, args=(experiment, False))
            st.button("Delete it and its runs", on_click=_delete, args=(experiment, True))
        show_problem(_REMOVAL_PROBLEM_KEY)


def render_removal(name: str) -> None:
    """Show the button that removes a damaged experiment.

    Args:
        name: Its name.
    """
    st.button(
        "Remove it, keep its runs", icon=":material/delete:", key=f"remove_{name}", on_click=_remove, args=(name,)
    )
    show_problem(_REMOVAL_PROBLEM_KEY)


def _keep_note(experiment: Experiment, key: str) -> None:
    try:
        experiment_library().write_note(experiment, st.session_state[key])
    except ExperimentError as error:
        st.session_state[_NOTE_PROBLEM_KEY] = str(error)
    else:
        st.session_state[_DONE_KEY] = "The note is saved."


def _delete(experiment: Experiment, with_runs: bool) -> None:
    store = run_store()
    try:
        if with_runs:
            for each in read_results(store, experiment).runs:
                store.delete(each.run)
                if each.run.run_id == chosen_run_id():
                    forget_run()
    except RunStoreError as error:
        st.session_state[_REMOVAL_PROBLEM_KEY] = str(error)
        return
    _remove(experiment.name)


def _remove(name: str) -> None:
    try:
        experiment_library().remove(name)
    except ExperimentError as error:
        st.session_state[_REMOVAL_PROBLEM_KEY] = str(error)
    else:
        st.session_state[_DONE_KEY] = f"{name} is deleted."
        st.session_state.pop(EXPERIMENT_KEY, None)
        st.query_params.pop(EXPERIMENT_KEY, None)
