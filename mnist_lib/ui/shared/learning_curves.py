"""The learning curves of a run, with controls for axes, smoothing and other runs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from mnist_lib.figures.learning_curves import MAX_OTHERS, X_AXES, learning_curve_figure
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import file_stamp
from mnist_lib.ui.components.live_figure import DrawnFigure, draw_figure, live_figure
from mnist_lib.ui.session import make_titles, run_store

# TensorBoard's default, too.
DEFAULT_SMOOTHING = 0.6

# Runs whose steps differ more than this are drawn over epochs, unless a person chooses otherwise.
MAX_LENGTH_RATIO = 3


def render_learning_curves(snapshot: RunSnapshot, key: str, others: Sequence[Run] | None = None) -> None:
    """Show the loss and the accuracy of a run, with the controls over them.

    It may be redrawn every second: zoom, hover and what is being typed or dragged are kept.

    Args:
        snapshot: The run.
        key: The prefix of the widgets' keys.
        others: Runs to lay over it, at most ``MAX_OTHERS``; if None, the person chooses them here.
    """
    label = "Axes, smoothing" + (", other runs" if others is None else "")
    with st.popover(label, icon=":material/tune:", key=f"{key}_options"):
        if others is None:
            others = _choose_others(snapshot.run_id, f"{key}_others")
        titles = make_titles()
        laid_over = [(titles(run.run_id), _read(run)) for run in others]
        x = _choose_axis([snapshot, *(other for _, other in laid_over)], key)
        loss_axis = st.segmented_control(
            "Loss axis",
            ["log", "linear"],
            default="log",
            required=True,
            key=f"{key}_loss_axis",
            persist_state="session",
            help="The loss falls a hundredfold: only a logarithm shows its end as well as its beginning. "
            "Accuracy is always linear.",
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.99,
            DEFAULT_SMOOTHING,
            0.01,
            key=f"{key}_smoothing",
            persist_state="session",
            help="How much of each point is the average of the points before it. The raw values stay faint behind.",
        )
    for column, quantity in zip(st.columns(2), ("loss", "accuracy"), strict=True):
        figure = _draw_curves(quantity, snapshot, x, quantity == "loss" and loss_axis == "log", smoothing, laid_over)
        with column:
            live_figure(figure, key=f"{key}_{quantity}")


def _choose_axis(snapshots: Sequence[RunSnapshot], key: str) -> str:
    """Ask for the x axis. Over steps, a run of many small batches would squeeze one of few large ones to a line."""
    lengths = [snapshot.status.total_steps for snapshot in snapshots if snapshot.status and snapshot.status.total_steps]
    differ = bool(lengths) and max(lengths) > MAX_LENGTH_RATIO * min(lengths)
    return st.segmented_control(
        "Over",
        X_AXES,
        default="epoch" if differ else "step",
        required=True,
        # Each case keeps its own choice.
        key=f"{key}_x_of_different_lengths" if differ else f"{key}_x",
        persist_state="session",
    )


def _choose_others(run_id: str, key: str) -> list[Run]:
    runs = {run.run_id: run for run in run_store().runs() if run.run_id != run_id}
    chosen = st.session_state.get(key, [])
    if not runs.keys() >= set(chosen):  # one was deleted, or is now the run itself
        st.session_state[key] = [name for name in chosen if name in runs]
    names = st.multiselect(
        "Compare with",
        list(runs),
        format_func=make_titles(),
        max_selections=MAX_OTHERS,
        key=key,
        persist_state="session",
        placeholder="None" if runs else "There is no other run yet",
        disabled=not runs,
    )
    return [runs[name] for name in names]


def _read(run: Run) -> RunSnapshot:
    """Read a run only if it has changed: reading five long ones every second would take a while."""
    return _read_as_of(run, file_stamp(run.path / "metrics.jsonl"))


# As a resource: a snapshot never changes, so it need not be copied for every reader.
@st.cache_resource(max_entries=2 * MAX_OTHERS, show_spinner=False)
def _read_as_of(run: Run, stamp: int) -> RunSnapshot:
    return run.read()


def _content(snapshot: RunSnapshot) -> tuple[object, ...]:
    """Return what tells curves of one run from its other curves: its rows are only ever added to."""
    status, rows = snapshot.status, (snapshot.batches, snapshot.epochs, snapshot.events)
    newest = [(len(kind), repr(kind[-1:])) for kind in rows]
    return snapshot.run_id, snapshot.record.created_at, status and status.total_steps, newest


# All who watch a training see the same curves. Some 100 kB each.
@st.cache_resource(max_entries=32, show_spinner=False, hash_funcs={RunSnapshot: _content})
def _draw_curves(
    quantity: str, snapshot: RunSnapshot, x: str, log: bool, smoothing: float, others: list[tuple[str, RunSnapshot]]
) -> DrawnFigure:
    return draw_figure(learning_curve_figure(quantity, snapshot, x, log=log, smoothing=smoothing, others=others))
