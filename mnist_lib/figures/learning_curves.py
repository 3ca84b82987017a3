"""The learning curves of a run, with other runs laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from mnist_lib.config import TrainingConfig
from mnist_lib.escaping import plotly_text
from mnist_lib.figures.digits import NEUTRAL_COLOR, TRAIN_COLOR, vertical_line
from mnist_lib.runs.records import BatchRow, EpochRow, EventRow, RunSnapshot
from mnist_lib.wording import learning_rate_text

# The quantities on the x axis.
X_AXES = ("step", "epoch", "seconds")

# The ranges of the y axes before the first point; on a logarithmic axis in powers of ten.
EMPTY_RANGES = {"loss": [0, 2.5], "accuracy": [0, 1.002]}
EMPTY_LOG_LOSS = [-2, 0.5]

MAX_OTHERS = 5

# Middle brightness, readable on white and on black.
OTHER_COLORS = ("#0d9488", "#db2777", "#7c8b1a", "#b45309", "#64748b")

# Dashes and symbols distinguish the curves without colours, too.
_EPOCH_STYLES = {
    "test": {"color": "#f97316", "dash": "dash", "symbol": "diamond"},
    "validation": {"color": "#a855f7", "dash": "dot", "symbol": "square"},
}

# More would not be seen: the figure is a few hundred pixels wide.
_MOST_POINTS = 300

# Marks closer than this share of the axis are merged.
_CLOSE = 0.03


class Mark(NamedTuple):
    """Something that happened to a training.

    Attributes:
        x: Its position on the axis.
        text: What happened, in a word or two, escaped for Plotly.
    """

    x: float
    text: str


def learning_curve_figure(
    quantity: str,
    snapshot: RunSnapshot,
    x: str = "step",
    log: bool = False,
    smoothing: float = 0.0,
    others: Sequence[tuple[str, RunSnapshot]] = (),
) -> go.Figure:
    """Draw the loss or the accuracy of a training.

    The training curve, one point per row of a few batches, is smoothed, with the raw values
    faint behind. Test and validation values, one per epoch, are not smoothed. Events such as
    pauses and changes of the learning rate are marked.

    Args:
        quantity: ``loss`` or ``accuracy``.
        snapshot: The run.
        x: One of ``X_AXES``.
        log: Whether the y axis is logarithmic.
        smoothing: The weight for ``smooth``, 0 (none) to 0.99.
        others: Names and runs to lay over it, thinner; the first ``MAX_OTHERS`` are drawn.
    """
    others = others[:MAX_OTHERS]
    runs = [snapshot, *(other for _, other in others)]
    traces: list[dict[str, Any]] = []
    for color, (name, other) in zip(OTHER_COLORS, others, strict=False):
        traces += _other_curves(quantity, name, other, x, smoothing, color)
    traces += _run_curves(quantity, snapshot, x, smoothing)
    # A zoom is kept only as long as the axis is the same.
    x_axis: dict[str, Any] = {
        "title": {"text": x, "standoff": 8},
        "rangemode": "tozero",
        "hoverformat": _hover_format(x),
        "uirevision": f"{snapshot.run_id} {x}",
    }
    y_axis: dict[str, Any] = {"uirevision": f"{snapshot.run_id} {log}"}
    if log:
        y_axis |= {"type": "log", "tickformat": "~g", "nticks": _log_ticks(traces)}
    if quantity == "accuracy":
        floor = min(_accuracy_floor(run.batches) for run in runs)
        limits = {"clipmin": floor, "clipmax": 1.002}
        y_axis |= {"tickformat": ".3~%", "hoverformat": ".2%", "autorangeoptions": limits}
    else:
        y_axis |= {"hoverformat": ".4f"}
    if not any(run.batches or run.epochs for run in runs):
        # Without a point Plotly would invent an axis from -100% to 400%.
        x_axis["range"] = [0, 1]
        y_axis["range"] = EMPTY_LOG_LOSS if log else EMPTY_RANGES[quantity]
    marks = find_marks(snapshot, x)
    return go.Figure(
        traces,
        {
            "title": {"text": quantity.capitalize(), "x": 0, "xref": "paper", "y": 0.98, "yanchor": "top"},
            "height": 350 + 20 * len(others),  # room for the legend's lines
            "margin": {"l": 56, "r": 12, "t": 36, "b": 50},
            "legend": {"orientation": "h", "x": 0, "y": -0.2, "yanchor": "top", "tracegroupgap": 0},
            # One box with every curve's value; with many curves it would cover the figure.
            "hovermode": "closest" if others else "x unified",
            "hoverlabel": {"namelength": -1},
            "showlegend": True,
            "uirevision": "curves",
            "xaxis": x_axis,
            "yaxis": y_axis,
            "shapes": [vertical_line(mark.x) for mark in marks],
            "annotations": [_mark_sign(mark) for mark in marks],
        },
    )


def sample_errors_figure(errors: Mapping[int, int], config: TrainingConfig) -> go.Figure:
    """Draw how many images of a sample a network misreads while it is being trained, over the whole training.

    Args:
        errors: Misread images by step, in order.
        config: The settings of the run, which say how long it takes.
    """
    steps = np.fromiter(errors, int)
    counts = np.fromiter(errors.values(), int)
    shown = np.unique(np.linspace(0, len(steps) - 1, _MOST_POINTS).round().astype(int)) if len(steps) else []
    x = steps[shown] / config.steps_per_epoch
    y = np.maximum(counts[shown], 0.5)  # a logarithmic axis has no zero
    color = _EPOCH_STYLES["test"]["color"]
    line = {
        "type": "scatter",
        "x": x,
        "y": y,
        "customdata": counts[shown],
        "hovertemplate": "%{customdata:,} misread<extra></extra>",
        "name": "errors",
        "mode": "lines",
        "line": {"color": color, "width": 2},
    }
    newest = {
        "type": "scatter",
        "name": "newest",
        "x": x[-1:],
        "y": y[-1:],
        "hoverinfo": "skip",
        "mode": "markers",
        "marker": {"color": color, "size": 8},
    }
    return go.Figure(
        [line, newest],
        {
            "height": 170,
            "margin": {"l": 40, "r": 8, "t": 8, "b": 36},
            "hovermode": "x unified",
            "showlegend": False,
            "uirevision": "sample",
            "xaxis": {"title": {"text": "epoch", "standoff": 4}, "range": [0, config.epochs], "hoverformat": ".2f"},
            "yaxis": {"type": "log", "range": [0, 3.05], "tickvals": [1, 10, 100, 1000], "tickformat": ",d"},
        },
    )


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """Return the exponential moving average, corrected for its start at zero.

    Each value is ``weight`` times the average so far and ``1 - weight`` times the new
    one. Dividing by ``1 - weight**n`` keeps the first averages from being drawn towards zero.

    Args:
        values: floating, (n,). Values that are not finite become nan and are skipped.
        weight: 0 (the values themselves) to 0.99.

    Returns:
        float32, (n,).

    Source:
        TensorBoard, ``classicSmoothing`` in webapp/widgets/line_chart_v2/data_transformer.ts.
    """
    smoothed = np.full(len(values), np.nan, np.float32)
    average, left = 0.0, 1.0
    for number, value in enumerate(values.tolist()):
        if np.isfinite(value):
            average = weight * average + (1 - weight) * value
            left *= weight
            smoothed[number] = average / (1 - left)
    return smoothed


def x_positions(snapshot: RunSnapshot, rows: Sequence[BatchRow | EpochRow | EventRow], x: str) -> np.ndarray:
    """Return the positions of rows of a run on an axis, float32, (n,).

    Args:
        snapshot: The run.
        rows: Its "batch", "epoch" or "event" rows.
        x: One of ``X_AXES``. For ``epoch`` it is a fraction: the batches done, in epochs.
    """
    if x == "seconds":
        return np.array([row.elapsed_s for row in rows], dtype=np.float32)
    steps = np.array([row.step for row in rows], dtype=np.float32)
    if x == "epoch":
        return steps / (snapshot.config.steps_per_epoch if snapshot.config else 1)
    return steps


def find_marks(snapshot: RunSnapshot, x: str) -> list[Mark]:
    """Return the marks of a run's events and of the change to the whole image; those close together are merged.

    Args:
        snapshot: The run.
        x: One of ``X_AXES``.
    """
    rows: list[tuple[EpochRow | EventRow, str]] = [(row, _event_text(row)) for row in snapshot.events]
    rows += [(row, "whole image") for row in snapshot.epochs if _ends_the_middle(row, snapshot.config)]
    rows.sort(key=lambda pair: pair[0].step)
    positions = x_positions(snapshot, [row for row, _ in rows], x)
    last = max(positions.max(initial=0), x_positions(snapshot, snapshot.batches[-1:], x).max(initial=0))
    marks: list[Mark] = []
    for (_, text), position in zip(rows, positions.tolist(), strict=True):
        if marks and position - marks[-1].x < _CLOSE * last:
            marks[-1] = Mark(marks[-1].x, f"{marks[-1].text}, {text}")
        else:
            marks.append(Mark(position, text))
    return marks


def _event_text(row: EventRow) -> str:
    is_rate = row.event == "learning_rate"
    return f"rate {learning_rate_text(row.learning_rate)}" if is_rate else plotly_text(row.event)


def _ends_the_middle(row: EpochRow, config: TrainingConfig | None) -> bool:
    """Tell whether the network saw the middle of the images up to this epoch, and then all of them."""
    return config is not None and row.complete and row.epoch == config.middle_epochs < config.epochs


def _run_curves(quantity: str, snapshot: RunSnapshot, x: str, smoothing: float) -> list[dict[str, Any]]:
    positions, values = _train_curve(snapshot, quantity, x)
    train: dict[str, Any] = {
        "type": "scatter",
        "x": positions,
        "mode": "lines",
        "line": {"color": TRAIN_COLOR, "width": 2},
        "legendgroup": "train",
        "legendrank": 1,
    }
    raw = {"y": values, "name": "train, raw", "uid": "train raw", "opacity": 0.3, "showlegend": False}
    traces = [train | raw] if smoothing else []
    traces.append(train | {"y": smooth(values, smoothing), "name": "train", "uid": "train"})
    for split, style in _EPOCH_STYLES.items():
        values = _values(snapshot.epochs, f"{split}_{quantity}")
        if split == "test" or np.isfinite(values).any():
            traces.append(
                {
                    "type": "scatter",
                    "x": x_positions(snapshot, snapshot.epochs, x),
                    "y": values,
                    "name": split,
                    "uid": split,
                    "legendgroup": split,
                    "legendrank": 2,
                    "mode": "lines+markers",
                    "line": {"color": style["color"], "dash": style["dash"], "width": 2},
                    "marker": {"size": 8, "symbol": style["symbol"]},
                }
            )
    return traces


def _other_curves(
    quantity: str, name: str, snapshot: RunSnapshot, x: str, smoothing: float, color: str
) -> list[dict[str, Any]]:
    """Return the curves of another run: one colour, and one legend entry that shows or hides them all."""
    positions, values = _train_curve(snapshot, quantity, x)
    group: dict[str, Any] = {"type": "scatter", "legendgroup": f"other {name}"}
    traces = [
        group
        | {
            "x": positions,
            "y": smooth(values, smoothing),
            "name": plotly_text(name),
            "uid": f"{name} train",
            "mode": "lines",
            "line": {"color": color, "width": 1.25},
        }
    ]
    for split, style in _EPOCH_STYLES.items():
        values = _values(snapshot.epochs, f"{split}_{quantity}")
        if np.isfinite(values).any():
            traces.append(
                group
                | {
                    "x": x_positions(snapshot, snapshot.epochs, x),
                    "y": values,
                    "name": plotly_text(f"{name}, {split}"),
                    "uid": f"{name} {split}",
                    "mode": "lines+markers",
                    "line": {"color": color, "dash": style["dash"], "width": 1.25},
                    "marker": {"size": 5, "symbol": style["symbol"]},
                    "showlegend": False,
                }
            )
    return traces


def _mark_sign(mark: Mark) -> dict[str, Any]:
    """Return the sign at the top of a mark's line; its text, which may be longer than the axis, shows on hover."""
    return {
        "x": mark.x,
        "y": 1,
        "yref": "paper",
        "yanchor": "bottom",
        "text": "▼",
        "hovertext": mark.text,
        "showarrow": False,
        "font": {"size": 13, "color": NEUTRAL_COLOR},
    }


def _train_curve(snapshot: RunSnapshot, quantity: str, x: str) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y of the raw training curve, float32, (n,) each."""
    rows = _rows_of_enough_batches(snapshot.batches)
    return x_positions(snapshot, rows, x), _values(rows, quantity)


def _values(rows: Sequence[BatchRow | EpochRow], name: str) -> np.ndarray:
    """Return one metric of each row, float32, (n,); nan for None."""
    return np.array([getattr(row, name) for row in rows], dtype=np.float32)


def _rows_of_enough_batches(batches: Sequence[BatchRow]) -> list[BatchRow]:
    """Leave out rows of few batches, such as an epoch's last: one batch of 32 is all noise."""
    covered = np.diff([0, *(row.step for row in batches)])
    enough = covered * 2 >= np.median(covered) if batches else covered
    return [row for number, row in enumerate(batches) if number == 0 or enough[number]]


def _log_ticks(traces: Sequence[dict[str, Any]]) -> int:
    """Return how many ticks to ask for, so that Plotly labels 1, 2 and 5 of each power of ten, not 1 to 9."""
    values = np.concatenate([trace["y"] for trace in traces])
    values = values[values > 0]
    return 5 if len(values) and values.max() > 500 * values.min() else 4


def _accuracy_floor(batches: Sequence[BatchRow]) -> float:
    """Return where an accuracy axis begins: below all values except the first steep rise."""
    known = [row.accuracy for row in batches if row.accuracy is not None]
    if len(known) < 20:
        return 0.0
    return float(np.floor(np.percentile(known, 4) * 20) / 20)


def _hover_format(x: str) -> str:
    return {"step": ",d", "epoch": ".2f", "seconds": ".1f"}[x]
