"""The sidebar of every screen: which run is looked at, the device, a training's progress."""

from __future__ import annotations

import streamlit as st

from mnist_lib.machine import device_name
from mnist_lib.paper import duration_text
from mnist_lib.progress import measure_progress
from mnist_lib.runs import Run, RunSnapshot
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.state import RUN_KEY, run_store, selected_run

STATE_COLORS = {
    "starting": "blue",
    "running": "blue",
    "paused": "orange",
    "stopping": "orange",
    "finished": "green",
    "stopped": "gray",
    "failed": "red",
    "interrupted": "orange",
    "damaged": "red",
}

# How often an open screen looks for a training, one small file a look.
LOOK_EVERY_S = 2.0


def draw_sidebar() -> None:
    """Draw the sidebar; the screen then reads ``selected_run``."""
    runs = run_store().runs()
    with st.sidebar:
        if runs:
            _draw_selector(runs)
        else:
            st.caption("There is no run yet.")
            screen_link("train", "Start a training")
        st.caption(f":material/memory: This machine: {device_name()}")
        active = run_store().active_run()
        st.session_state["seen_training"] = active.run_id if active else None
        _draw_training()


def _draw_selector(runs: list[Run]) -> None:
    names = [run.run_id for run in runs]
    default = next((number for number, run in enumerate(runs) if run.bundled), 0)
    wanted = st.session_state.get(RUN_KEY)
    if wanted is not None and wanted not in names:  # deleted while it was looked at
        st.session_state[RUN_KEY] = names[default]
        st.warning(f"The run {wanted} is gone. Showing {names[default]} instead.", icon=":material/folder_off:")
    st.selectbox(
        "Run",
        names,
        index=default,
        key=RUN_KEY,
        bind="query-params",
        help="Every screen shows this run. The link in the address bar keeps it.",
    )
    run = selected_run()
    if run is not None:
        snapshot = run.read()
        st.markdown(state_badge(snapshot))
        if snapshot.state == "damaged":
            st.caption(f"This run is damaged: {snapshot.message}.")
        elif snapshot.message:
            st.caption(snapshot.message.capitalize())
        if snapshot.record.get("device"):
            st.caption(f":material/developer_board: Trained on: {snapshot.record['device']}")


def state_badge(snapshot: RunSnapshot) -> str:
    """Return a run's state, and its accuracy where there is one, as Markdown."""
    badge = f":{STATE_COLORS[snapshot.state]}-badge[{snapshot.state}]"
    last = snapshot.last_epoch
    return f"{badge} {last['test_accuracy']:.2%} on the test set" if last else badge


@st.fragment(run_every=LOOK_EVERY_S)
def _draw_training() -> None:
    """Show the running training, wherever it was started, and notice when one begins or ends."""
    run = run_store().active_run()
    if (run.run_id if run else None) != st.session_state.get("seen_training"):
        st.rerun()
    if run is None:
        return
    snapshot = run.read()
    progress = measure_progress(snapshot)
    left = f" · {duration_text(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    with st.container(border=True):
        st.progress(progress.fraction, text=f"Training {progress.fraction:.0%}{left}")
        if snapshot.message:
            st.caption(snapshot.message.capitalize())
        screen_link("train", "Watch it learn")
