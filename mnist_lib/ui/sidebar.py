"""The sidebar of every screen: the selected run, the device, a training's progress."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.machine import device_name
from mnist_lib.network.layers import NOT_THE_PAPERS
from mnist_lib.runs.progress import measure_progress
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.training.launch import ensure_worker
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.refreshing import refresh_interval_s
from mnist_lib.ui.session import (
    RUN_KEY,
    choose_run,
    chosen_run_id,
    make_titles,
    run_store,
    selected_run,
    selector_key,
    set_selection,
    take_selection,
    title_of,
)
from mnist_lib.wording import duration_text

STATE_COLORS = {
    "queued": "gray",
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

# How often an open screen looks for a training; it reads one small file each time.
LOOK_EVERY_S = 2.0

_SEEN_KEY = "seen_training"


def render_sidebar() -> None:
    """Show the sidebar; the screen then reads ``selected_run``."""
    store = run_store()
    # A run that waits has nothing to show: there may be hundreds.
    left_out = RunQueue(store).untrained() - {chosen_run_id(), st.query_params.get(RUN_KEY)}
    own = [run.run_id for run in store.own_runs() if run.run_id not in left_out]
    names = [run.run_id for run in store.bundled_runs()] + own
    active = store.active_run()
    with st.sidebar:
        if names:
            # The default is the active training, or else the first run that ships with the project.
            _render_selector(names, active.run_id if active else names[0])
        else:
            st.caption("There is no run yet.")
            screen_link("train", "Start a training")
        _tell_of_end(active)
        interval_s = refresh_interval_s(LOOK_EVERY_S)
        st.fragment(_render_state, run_every=interval_s)(chosen_run_id(), _has_model(), interval_s)
        st.caption(f":material/memory: This machine: {plain_text(device_name())}")


def _render_selector(names: list[str], default: str) -> None:
    wanted = chosen_run_id() or st.query_params.get(RUN_KEY)
    if wanted is not None and wanted not in names:  # deleted while it was looked at
        gone, shown = title_of(wanted), title_of(names[0])
        st.warning(plain_text(f"The run {gone} is gone. Showing {shown} instead."), icon=":material/folder_off:")
        wanted = names[0]
    set_selection(wanted or (default if default in names else names[0]))
    chosen = st.selectbox(
        "Run",
        names,
        format_func=make_titles(),
        key=selector_key(),
        on_change=take_selection,
        help="Every screen shows this run. The link in the address bar keeps it.",
    )
    # Not bound by Streamlit: a quick change of screens would sometimes empty the
    # address, and with it the choice.
    if chosen and st.query_params.get(RUN_KEY) != chosen:
        st.query_params[RUN_KEY] = chosen


def _tell_of_end(active: Run | None) -> None:
    """Say once that the training seen before has ended, whichever part of the screen noticed it first."""
    seen = st.session_state.get(_SEEN_KEY)
    st.session_state[_SEEN_KEY] = active.run_id if active else None
    if seen and seen != st.session_state[_SEEN_KEY]:
        way = "" if seen == chosen_run_id() else " Choose it under Run to look at it."
        st.toast(plain_text(f"The training {title_of(seen)} has ended.{way}"), icon=":material/flag:")


def _render_state(shown: str | None, had_model: bool, interval_s: float) -> None:
    """Show the chosen run's state and the running training, wherever it was started."""
    if chosen_run_id() != shown:
        st.rerun()  # another was chosen here: the whole screen must show it
    if refresh_interval_s(LOOK_EVERY_S) != interval_s:
        st.rerun()  # more or fewer people look than before
    active = run_store().active_run()
    if (active.run_id if active else None) != st.session_state.get(_SEEN_KEY):
        st.rerun()  # one began or ended: the whole screen must know
    if _has_model() and not had_model:
        st.rerun()  # its first epoch is finished: the screens have something to show
    run = selected_run()
    if run is not None:
        snapshot = run.read()
        st.markdown(state_badges(snapshot))
        if snapshot.message:
            st.caption(sentence(snapshot.message))
        if snapshot.record.device:
            st.caption(f":material/developer_board: Trained on: {plain_text(snapshot.record.device)}")
    if active is not None:
        _render_progress(active, active.read())
    _render_waiting()


def _has_model() -> bool:
    run = selected_run()
    return run is not None and run.has_model()


def _render_progress(run: Run, snapshot: RunSnapshot) -> None:
    progress = measure_progress(snapshot)
    left = f" · {duration_text(progress.seconds_left)} left" if progress.seconds_left is not None else ""
    if snapshot.state == "paused":
        left = " · paused"
    with st.container(border=True):
        st.progress(progress.fraction, text=f"Training {progress.fraction:.0%} done{left}")
        screen_link("train", "Watch it learn")
        if run.run_id != chosen_run_id():
            st.button("Look at this run", key="look_at_training", on_click=look_at, args=(run,))


def _render_waiting() -> None:
    """Say how many runs wait, and see to it that somebody works the queue."""
    store = run_store()
    waiting = len(RunQueue(store).waiting(None))
    if not waiting:
        return
    with suppress(OSError):  # no process can be started now
        ensure_worker(store)
    screen_link("train", f"{waiting:,} waiting in the queue")


def look_at(run: Run) -> None:
    """Let every screen show this run. For the callbacks of buttons: before the selector is drawn."""
    choose_run(run.run_id)


def state_badges(snapshot: RunSnapshot) -> str:
    """Return a run's state, its accuracy and whether its network is not the paper's, as Markdown."""
    text = f":{STATE_COLORS[snapshot.state]}-badge[{snapshot.state}]"
    if snapshot.last_epoch:
        text += f" {snapshot.last_epoch.test_accuracy:.2%} on the test set"
    if snapshot.config and not snapshot.config.has_paper_network:
        text += f" :violet-badge[{NOT_THE_PAPERS}]"
    return text


def sentence(message: str) -> str:
    """Return a state's message as a sentence, as Markdown."""
    return plain_text(f"{message[:1].upper()}{message[1:]}.")
