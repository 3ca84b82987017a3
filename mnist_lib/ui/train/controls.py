"""The controls of a running training: pause, stop, change the learning rate."""

from __future__ import annotations

import streamlit as st

from mnist_lib.config import SETTINGS
from mnist_lib.runs.progress import multiplied_learning_rate, present_learning_rate
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.ui.messages import show_error
from mnist_lib.ui.session import run_store

_PROBLEM_KEY = "learning_rate_problem"


def render_controls(run: Run, snapshot: RunSnapshot) -> None:
    """Show the buttons of a running training, if the visitor may press them.

    They may be redrawn every second: what is being typed is kept, and so is the keyboard
    focus, because no button except the one just clicked disappears or is disabled.

    Args:
        run: The run.
        snapshot: The same run as it is now.
    """
    if not run_store().may_change(run):
        return
    controls = run.read_controls()
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall")
    row.button(
        "Resume" if controls.paused else "Pause",
        key="pause",
        icon=":material/play_arrow:" if controls.paused else ":material/pause:",
        help="A paused training uses no processor and resumes where it was.",
        on_click=_pause,
        args=(run,),
        disabled=controls.stop,
    )
    row.button(
        "Stop",
        key="stop",
        icon=":material/stop_circle:",
        help="Ends the training between two batches and keeps the model.",
        on_click=_stop,
        args=(run,),
        disabled=controls.stop,
    )
    with row:
        _render_learning_rate(run, present_learning_rate(snapshot), disabled=controls.stop)
    problem_of, problem = st.session_state.get(_PROBLEM_KEY, ("", ""))
    if problem_of == run.run_id:
        show_error(problem)


def _render_learning_rate(run: Run, now: float | None, disabled: bool) -> None:
    # A form submits on Enter, and keeps what is being typed until then.
    with st.form(f"learning_rate_{run.run_id}", border=False, width="content"):
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall")
        row.number_input(
            "New learning rate",
            # Empty, with the current rate as a hint: a value would change while a person types.
            value=None,
            # No minimum and maximum here: an error message tells the range.
            step=0.0001,
            format="%0.6g",
            placeholder="" if now is None else f"now {now:.4g}",
            key=_field_key(run),
            help="Takes effect with the next batches and is marked on the curves. A schedule continues from "
            f"there, in proportion. Allowed: {SETTINGS['learning_rate'].text}.",
            disabled=disabled,
            width=158,
        )
        row.form_submit_button("Set", on_click=_apply_typed_rate, args=(run,), disabled=disabled)
        for label, factor in (("Half", 0.5), ("Double", 2.0)):
            row.form_submit_button(label, on_click=_multiply_rate, args=(run, factor), disabled=disabled)


def _pause(run: Run) -> None:
    _request(run, paused=not run.read_controls().paused)


def _stop(run: Run) -> None:
    _request(run, stop=True)


def _apply_typed_rate(run: Run) -> None:
    rate = st.session_state.get(_field_key(run))
    if rate is None:
        st.session_state[_PROBLEM_KEY] = (run.run_id, "Type the new learning rate first.")
    elif _request(run, learning_rate=rate):
        st.session_state[_field_key(run)] = None


def _multiply_rate(run: Run, factor: float) -> None:
    rate = multiplied_learning_rate(run.read(), run.read_controls(), factor)
    if rate is None:
        st.session_state[_PROBLEM_KEY] = (run.run_id, "The learning rate is not known before the first batches.")
    else:
        _request(run, learning_rate=rate)


def _request(run: Run, **controls: bool | float) -> bool:
    """Send a request to the trainer, or keep the error for the screen until the next request."""
    st.session_state.pop(_PROBLEM_KEY, None)
    try:
        run_store().request(run, **controls)  # pyright: ignore[reportArgumentType]  # named above, each with its type
    except RunStoreError as error:
        st.session_state[_PROBLEM_KEY] = (run.run_id, str(error))
        return False
    return True


def _field_key(run: Run) -> str:
    return f"new_learning_rate_{run.run_id}"
