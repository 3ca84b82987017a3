"""The queue: which runs wait for a trainer, when they will begin, and what can be done with them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.runs.expected_time import ExpectedTime, expected_times
from mnist_lib.runs.progress import measure_progress
from mnist_lib.runs.queue import QueueEntry, RunQueue
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import ensure_worker
from mnist_lib.ui.messages import show_done, show_problem
from mnist_lib.ui.refreshing import refresh_interval_s
from mnist_lib.ui.session import make_titles, run_store, title_of
from mnist_lib.ui.shared.paging import choose_page
from mnist_lib.ui.train.settings_form import use_settings
from mnist_lib.wording import duration_text

RUNS_PER_PAGE = 5
REFRESH_EVERY_S = 3.0

_PAGE_KEY = "queue_page"
_PROBLEM_KEY = "queue_problem"
_DONE_KEY = "queue_done"
_TAKEN_BACK_KEY = "queue_was_taken_back"


def render_queue() -> None:
    """Show the runs that wait, redrawn while there are any."""
    waits = bool(RunQueue(run_store()).waiting(None))
    interval_s = refresh_interval_s(REFRESH_EVERY_S) if waits else None
    st.fragment(_render_queue, run_every=interval_s)(waits)


def _render_queue(waited: bool) -> None:
    if st.session_state.pop(_TAKEN_BACK_KEY, False):
        st.rerun()  # the form must show its settings
    queue = RunQueue(run_store())
    waiting = queue.waiting(None)
    show_problem(_PROBLEM_KEY)
    show_done(_DONE_KEY)
    if bool(waiting) != waited:
        st.rerun()  # it begins or ends to be redrawn
    if not waiting:
        return
    with st.container(border=True, key="queue"):
        _render_heading(queue, len(waiting))
        shown = choose_page(np.arange(len(waiting)), RUNS_PER_PAGE, _PAGE_KEY, width="content").tolist()
        starts = _expected_starts(queue, waiting[: shown[-1] + 1])
        titles = make_titles()
        for place in shown:
            _render_entry(queue, waiting[place], place, titles(waiting[place].run.run_id), starts[place])


def _render_heading(queue: RunQueue, count: int) -> None:
    paused = queue.is_paused()
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(f"**{count:,} waiting**" + (" :orange-badge[queue paused]" if paused else ""), width="content")
        if queue.store.access.may_do_all:
            st.button(
                "Go on" if paused else "Pause the queue",
                key="pause_queue",
                icon=":material/play_arrow:" if paused else ":material/pause:",
                type="tertiary",
                help=None if paused else "What is being trained is trained to its end; then none begins.",
                on_click=_pause,
                args=(not paused,),
            )


def _render_entry(queue: RunQueue, entry: QueueEntry, place: int, title: str, start: str) -> None:
    run = entry.run
    again = "" if entry.is_untrained else ", continued"
    cluster = f", on {entry.record.cluster}" if entry.record.cluster else ""
    text = f"{place + 1:,}\\. {plain_text(title + again + cluster)}"
    box = st.container(gap="xsmall")
    box.markdown(f"{text}  \n:small[:gray[{start}]]" if start else text)
    if not queue.store.may_change(run):
        return
    with box.container(horizontal=True, gap="medium"):
        st.button(
            "Move up",
            key=f"move_up_{run.run_id}",
            icon=":material/arrow_upward:",
            type="tertiary",
            help="One place further to the front.",
            on_click=_move_up,
            args=(run,),
            disabled=place == 0,
        )
        st.button(
            "Take back",
            key=f"take_back_{run.run_id}",
            icon=":material/close:",
            type="tertiary",
            help="It will not be trained. Its settings come back into the form.",
            on_click=_take_back,
            args=(run,),
        )


def render_place(run: Run) -> None:
    """Say when a run that waits is expected to begin.

    Args:
        run: A run in the state ``queued``.
    """
    queue = RunQueue(run_store())
    waiting = queue.waiting(None)
    place = next((place for place, entry in enumerate(waiting) if entry.run.path == run.path), None)
    if place is None:
        return
    start = _expected_starts(queue, waiting[: place + 1])[place] or "the queue is paused"
    st.info(f"It waits in the queue, place {place + 1:,} of {len(waiting):,}: {start}.", icon=":material/hourglass:")


def _expected_starts(queue: RunQueue, waiting: list[QueueEntry]) -> list[str]:
    """Return when each of the first runs that wait is expected to begin, in words."""
    if queue.is_paused():
        return [""] * len(waiting)
    least_s, most_s = _seconds_left(queue.store)
    here = [entry for entry in waiting if not entry.record.cluster]
    configs = [entry.run.read().config for entry in here]
    times = expected_times(queue.store, [config for config in configs if config])
    starts = {}
    for entry, config in zip(here, configs, strict=True):
        about = duration_text(round((least_s + most_s) / 2, -1)) if most_s >= 10 else "a moment"
        starts[entry.run.path] = f"begins in about {about}" if most_s >= 10 else "begins in a moment"
        if config:
            took = times.pop(0)
            least_s, most_s = least_s + took.least_s, most_s + took.most_s
    return [starts.get(entry.run.path, "begins when a worker is free") for entry in waiting]


def _seconds_left(store: RunStore) -> ExpectedTime:
    """Return how long what is being trained will take, from the least to the most."""
    active = store.active_run()
    if active is None:
        return ExpectedTime(0.0, 0.0)
    snapshot = active.read()
    left_s = measure_progress(snapshot).seconds_left
    if left_s is None and snapshot.config:  # before its first batches
        return expected_times(store, [snapshot.config])[0]
    return ExpectedTime(left_s or 0.0, left_s or 0.0)


def _pause(paused: bool) -> None:
    _change(lambda queue: queue.pause(paused))
    ensure_worker(run_store())


def _move_up(run: Run) -> None:
    _change(lambda queue: queue.move_up(run))


def _take_back(run: Run) -> None:
    if not run.path.exists():  # it was taken back already, perhaps in another tab
        return
    title, config = title_of(run.run_id), run.read().config
    if _change(lambda queue: queue.take_back(run)):
        st.session_state[_DONE_KEY] = f"{title} is taken back."
        if config:
            use_settings(config)
        st.session_state[_TAKEN_BACK_KEY] = True


def _change(change: Callable[[RunQueue], None]) -> bool:
    """Change the queue, or keep the error for the screen."""
    try:
        change(RunQueue(run_store()))
    except RunStoreError as error:
        st.session_state[_PROBLEM_KEY] = str(error)
        return False
    return True
