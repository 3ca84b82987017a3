"""A current or past training: progress, curves and Table II."""

from __future__ import annotations

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.runs.paper import epoch_columns
from mnist_lib.runs.progress import Progress, machines_text, measure_progress, pending_control
from mnist_lib.runs.records import Phase, RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.ui.refreshing import refresh_interval_s
from mnist_lib.ui.session import run_store, title_of
from mnist_lib.ui.shared.learning_curves import render_learning_curves
from mnist_lib.ui.sidebar import look_at, state_badges
from mnist_lib.ui.train.controls import render_controls
from mnist_lib.ui.train.outcome import render_outcome
from mnist_lib.ui.train.queue import render_place
from mnist_lib.ui.train.watch_it_learn import render_live_digits, render_watched_digits
from mnist_lib.wording import duration_text

REFRESH_EVERY_S = 1.0

# A longer Table II scrolls, in a box of this height.
ROWS_IN_TABLE_HEIGHT = 12
TABLE_HEIGHT_PX = 400

# The phases of a trainer until its first batches are done.
STARTING_STEPS = {"loading": "loading Keras", "tracing": "tracing the network", "training": "first batches"}


def render_training(run: Run, active: Run | None) -> None:
    """Show a run, redrawn every second while it is being trained.

    Args:
        run: The run to show.
        active: The run that is being trained, this one or another, if there is one.
    """
    if _is_trained_now(run):
        interval_s = refresh_interval_s(REFRESH_EVERY_S)
        st.fragment(_render_live, run_every=interval_s)(run, interval_s)
        return
    if active:
        line = st.container(horizontal=True, vertical_alignment="center")
        name = plain_text(title_of(active.run_id))
        line.markdown(f":material/model_training: **{name}** is being trained now.", width="content")
        line.button("Look at it", key="look_at_active", on_click=look_at, args=(active,))
    snapshot = run.read()
    _render_heading(snapshot)
    if snapshot.state == "queued":
        render_place(run)
    render_outcome(run, snapshot)
    if snapshot.batches or snapshot.epochs:
        st.fragment(_render_figures)(run, snapshot)


def _render_live(run: Run, interval_s: float) -> None:
    if not _is_trained_now(run):
        st.rerun()  # the whole screen: its form is enabled again, and the refreshing stops
    if refresh_interval_s(REFRESH_EVERY_S) != interval_s:
        st.rerun()  # more or fewer people look than before
    snapshot = run.read()
    _render_heading(snapshot)
    _render_progress(run, snapshot)
    render_controls(run, snapshot)
    render_live_digits(run, snapshot)
    render_learning_curves(snapshot, key="curves")
    _render_table_ii(snapshot)


def _render_heading(snapshot: RunSnapshot) -> None:
    line = st.container(horizontal=True, vertical_alignment="center")
    line.header(plain_text(title_of(snapshot.run_id)), width="content")
    line.markdown(state_badges(snapshot), width="content")


def _render_figures(run: Run, snapshot: RunSnapshot) -> None:
    # In the order in which they stood while it was trained.
    if snapshot.epochs:  # a run that ended before its first epoch has none
        render_watched_digits(run, snapshot)
    render_learning_curves(snapshot, key="curves")
    if snapshot.epochs:
        _render_table_ii(snapshot)


def _is_trained_now(run: Run) -> bool:
    """Tell whether this machine or a worker of a cluster trains the run."""
    active = run_store().active_run()  # a damaged run may still be trained, so the store decides
    if active is not None and active.path == run.path:
        return True
    record = run.read_queue_record()
    return record is not None and bool(record.cluster) and run.read().is_active


def _render_progress(run: Run, snapshot: RunSnapshot) -> None:
    progress = measure_progress(snapshot)
    # Always one short line, so that nothing below it moves.
    st.progress(progress.fraction, text=_progress_text(run, snapshot, progress))


def _progress_text(run: Run, snapshot: RunSnapshot, progress: Progress) -> str:
    pending = pending_control(snapshot, run.read_controls())
    status, config = snapshot.status, snapshot.config
    if snapshot.state == "starting":
        parts = [_starting_text(status.phase if status else "loading"), pending]
    else:
        parts = [f"Epoch {max(status.epoch, 1)} of {config.epochs}" if status and config else ""]
        parts.append(f"{progress.fraction:.0%} done")
        if snapshot.state == "paused":
            parts.append("paused")
        if pending:
            parts.append(pending)
        elif snapshot.state != "paused":
            parts += _pace(snapshot, progress)
    return " · ".join(filter(None, parts))


def _pace(snapshot: RunSnapshot, progress: Progress) -> list[str]:
    speed = "" if progress.images_per_s is None else f"{progress.images_per_s:,.0f} images/s"
    left = "" if progress.seconds_left is None else f"{duration_text(progress.seconds_left)} left"
    return ["evaluating…" if snapshot.status and snapshot.status.phase == "evaluating" else speed, left]


def _starting_text(phase: Phase) -> str:
    """Return the steps of a start in one line: those done, the current one, those to come."""
    texts = list(STARTING_STEPS.values())
    present = list(STARTING_STEPS).index(phase) if phase in STARTING_STEPS else 0
    steps = [f":material/check: {text}" for text in texts[:present]]
    steps.append(f"**{texts[present]}…**")
    steps += [f":gray[{text}]" for text in texts[present + 1 :]]
    return "Starting: " + " → ".join(steps)


def _render_table_ii(snapshot: RunSnapshot) -> None:
    beside_paper = snapshot.record.dataset.is_mnist
    st.markdown("**Table II**, row by row, with the paper's values beside it" if beside_paper else "**Epoch by epoch**")
    if snapshot.epochs:
        columns = epoch_columns(snapshot.epochs, beside_paper)
        # A table breaks long headers into two lines; a dataframe cuts them off.
        height = TABLE_HEIGHT_PX if len(snapshot.epochs) > ROWS_IN_TABLE_HEIGHT else "content"
        st.table(columns, hide_index=True, height=height)
        if machines := machines_text(snapshot.epochs):
            st.caption(plain_text(machines))
    else:
        st.caption("The first row appears after the first epoch.")
