"""The button that continues a run that ended too early."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.training.launch import continue_training
from mnist_lib.ui.messages import show_problem
from mnist_lib.ui.session import choose_run, run_store, title_of

_PROBLEM_KEY = "continue_problem"


def render_continue(run: Run, snapshot: RunSnapshot, active: Run | None) -> None:
    """Show the button that continues a run that ended too early, if the visitor may.

    Args:
        run: The run.
        snapshot: The same run as it is now; it can be continued.
        active: The run that is being trained now, if there is one.
    """
    if not run_store().may_change(run):
        return
    epoch = max(run.checkpoints(snapshot), default=0)
    st.button(
        f"Continue from epoch {epoch}" if epoch else "Continue from the start",
        icon=":material/resume:",
        help=f"{plain_text(title_of(active.run_id))} is being trained. One training runs at a time."
        if active
        else "Continues as if it had never ended. Anything after its last whole epoch is trained again.",
        on_click=_continue,
        args=(run,),
        disabled=active is not None,
    )


def show_continue_problem() -> None:
    """Say why the last attempt to continue a run failed, if it did."""
    show_problem(_PROBLEM_KEY)


def _continue(run: Run) -> None:
    """Start the trainer again, or keep the error for the screen."""
    try:
        continue_training(run_store(), run)
    except RunStoreError as error:
        st.session_state[_PROBLEM_KEY] = str(error)
    else:
        choose_run(run.run_id)
