"""The button that continues a run that ended too early."""

from __future__ import annotations

import streamlit as st

from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.training.launch import continue_training
from mnist_lib.ui.messages import show_problem
from mnist_lib.ui.session import choose_run, run_store

_PROBLEM_KEY = "continue_problem"


def render_continue(run: Run, snapshot: RunSnapshot) -> None:
    """Show the button that continues a run that ended too early, if the visitor may and it does not wait already.

    Args:
        run: The run.
        snapshot: The same run as it is now; it can be continued.
    """
    if not run_store().may_change(run):
        return
    if run.read_queue_record():
        st.markdown(":material/hourglass: It is continued from the queue.", width="content")
        return
    epoch = max(run.checkpoints(snapshot), default=0)
    st.button(
        f"Continue from epoch {epoch}" if epoch else "Continue from the start",
        icon=":material/resume:",
        help="Continues as if it had never ended. Anything after its last whole epoch is trained again. While another "
        "training runs, it waits.",
        on_click=_continue,
        args=(run,),
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
