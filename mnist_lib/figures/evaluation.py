"""Plotly figures of a run's evaluation: confusion, calibration and coverage.

As in ``digits``, text and grid colours are left to the theme.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.evaluation.metrics import CoverageCurve, Reliability
from mnist_lib.figures.digits import NEUTRAL_COLOR, POSITIVE_COLOR, STILL_AXIS, TRAIN_COLOR, cell_frame, class_axis
from mnist_lib.wording import count_text, percent_text

_AXIS = STILL_AXIS | {"zeroline": False}
_MARGIN = {"l": 10, "r": 10, "t": 10, "b": 10}
# Room for half of a "100%" at the end of an axis: Plotly omits labels that would be cut off.
_MARGIN_OF_SHARES = _MARGIN | {"r": 26}

# With more, a cell has no room for its number; it says it when pointed at.
_MOST_CLASSES_WITH_NUMBERS = 20

# With fewer images, the share of right answers in a bin is mostly chance.
_FEW_IMAGES = 10


def confusion_figure(
    matrix: np.ndarray,
    row_percent: bool = False,
    hide_diagonal: bool = True,
    selected: tuple[int, int] | None = None,
    dataset: DatasetDescription = MNIST_DESCRIPTION,
) -> go.Figure:
    """Draw the confusion matrix: true class down, predicted class across.

    The right answers outnumber the errors a thousand times. Without the diagonal, the
    colour scale is that of the errors, and the diagonal shows only faint numbers.

    Args:
        matrix: integer, (classes, classes), images by true (row) and predicted class (column).
        row_percent: Whether each cell shows its share of the images of the true class.
        hide_diagonal: Whether the diagonal has no colour.
        selected: True and predicted class of a cell to frame, or None.
        dataset: Whose classes they are.
    """
    names, noun = list(dataset.class_names), dataset.kind
    rows = np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    shares = matrix / rows
    values = shares if row_percent else matrix.astype(float)
    colored = values.copy()
    if hide_diagonal:
        np.fill_diagonal(colored, np.nan)
    cells = {
        "type": "heatmap",
        "name": "Images",
        "z": colored,
        "x": names,
        "y": names,
        "text": [[count_text(count, "image") for count in row] for row in matrix.tolist()],
        "customdata": np.dstack([matrix, shares]),
        # From 0, or a matrix with the same count everywhere would have a middle colour.
        "zmin": 0,
        "zmax": max(np.nanmax(colored), 1 if not row_percent else 1e-3),
        "colorscale": [[0, "rgba(239,68,68,0.04)"], [1, "rgba(239,68,68,0.95)"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverongaps": True,
        "hovertemplate": "%{text} of %{y} read as %{x}<br>%{customdata[1]:.2%} of all of %{y}<extra></extra>",
    }
    # As a separate trace, the text gets the theme's colour; a heatmap's own text gets a
    # colour for its cell as if the cell were opaque.
    faint = np.eye(len(names), dtype=bool) & hide_diagonal
    shown = (matrix > 0) & (len(names) <= _MOST_CLASSES_WITH_NUMBERS)
    texts = []
    for written, opacity in ((~faint, 1.0), (faint, 0.55)):
        true_labels, predicted_labels = np.nonzero(shown & written)
        texts.append(
            {
                "type": "scatter",
                "x": [names[label] for label in predicted_labels],
                "y": [names[label] for label in true_labels],
                "text": [_cell_text(value, row_percent) for value in values[true_labels, predicted_labels]],
                "mode": "text",
                "opacity": opacity,
                "textfont": {"size": 10 if row_percent else 11},  # 99.9% ten times side by side on a telephone
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    axis = _AXIS | class_axis(names) | {"showgrid": False}
    layout: dict[str, Any] = {
        "height": max(460, 12 * len(names)),
        "margin": _MARGIN,
        "uirevision": "confusion",
        "xaxis": axis | {"title": f"predicted {noun}", "side": "bottom"},
        "yaxis": axis | {"title": f"true {noun}", "autorange": "reversed"},
    }
    if selected is not None:
        true_label, predicted_label = selected
        layout["shapes"] = [cell_frame(predicted_label, true_label, TRAIN_COLOR, 3)]
    return go.Figure([cells, *texts], layout)


def _cell_text(value: float, row_percent: bool) -> str:
    if not row_percent:
        return f"{value:,.0f}"
    return "100%" if value == 1 else percent_text(value)


def _beside(title: str) -> dict[str, Any]:
    """Return the title of a vertical axis, at a distance from its numbers."""
    return {"text": title, "standoff": 8}


def reliability_figure(reliability: Reliability) -> go.Figure:
    """Draw the share of right answers in each bin of confidence, and below it how many answers the bin holds.

    A second bar spans the gap to the mean confidence of the bin: above the first if the
    network is too sure, in its upper part if it is not sure enough.

    Args:
        reliability: As ``measure_reliability`` returns it.
    """
    held = reliability.counts > 0
    counts, accuracies = reliability.counts[held], reliability.accuracies[held]
    confidences = reliability.confidences[held]
    low, high = reliability.edges[:-1][held], reliability.edges[1:][held]
    faded = np.where(counts < _FEW_IMAGES, 0.35, 1.0)
    said = "%{customdata[0]:.0%} to %{customdata[1]:.0%} sure: %{customdata[2]:,} answers"
    bars: dict[str, Any] = {
        "type": "bar",
        "x": (low + high) / 2,
        "width": 0.9 * (high - low),
        "customdata": np.column_stack([low, high, counts, accuracies, confidences]),
    }
    right = bars | {
        "y": accuracies,
        "name": "right",
        "marker": {"color": TRAIN_COLOR, "opacity": faded},
        "hovertemplate": f"{said}<br>%{{customdata[3]:.1%}} right, %{{customdata[4]:.1%}} sure on average"
        "<extra></extra>",
    }
    gap = bars | {
        "base": np.minimum(accuracies, confidences),
        "y": np.abs(accuracies - confidences),
        "name": "gap to its confidence",
        "marker": {
            "color": "rgba(249,115,22,0.3)",
            "line": {"color": POSITIVE_COLOR, "width": 1.5},
            "opacity": faded,
        },
        "hoverinfo": "skip",
    }
    diagonal = {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "line": {"color": NEUTRAL_COLOR, "dash": "dash", "width": 1.5},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    answers = bars | {
        "y": counts,
        "yaxis": "y2",
        "marker": {"color": NEUTRAL_COLOR},
        "hovertemplate": f"{said}<extra></extra>",
        "showlegend": False,
    }
    most = int(np.log10(max(counts.max(initial=1), 1))) + 1
    layout = {
        "height": 380,
        "margin": _MARGIN_OF_SHARES,
        "uirevision": "reliability",
        "barmode": "overlay",
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        "xaxis": _AXIS | {"title": "confidence", "range": [0, 1.01], "tickformat": ".0%", "dtick": 0.2, "anchor": "y2"},
        "yaxis": _AXIS
        | {"domain": [0.34, 1], "range": [0, 1.04], "tickformat": ".0%", "title": _beside("right"), "nticks": 6},
        # A thousand times as many answers are nearly sure: only a logarithm shows the others.
        # It begins below one, or a single answer would have no bar.
        "yaxis2": _AXIS
        | {
            "domain": [0, 0.22],
            "type": "log",
            "range": [-0.4, most],
            "tickvals": [1, 100, 10_000],
            "ticktext": ["1", "100", "10,000"],
            "title": _beside("answers"),
        },
    }
    return go.Figure([right, gap, diagonal, answers], layout)


def coverage_figure(curve: CoverageCurve, threshold: float | None = None) -> go.Figure:
    """Draw the accuracy of the answers against the share of images that are answered.

    Args:
        curve: As ``coverage_curve`` returns it, for many thresholds.
        threshold: A threshold to mark, at the nearest one of the curve, or None.
    """
    traces = [
        {
            "type": "scatter",
            "x": curve.answered,
            "y": curve.accuracies,
            "customdata": curve.thresholds,
            "mode": "lines",
            "line": {"color": TRAIN_COLOR, "width": 2},
            "hovertemplate": "from %{customdata:.2%} confidence on:<br>%{x:.2%} answered, %{y:.2%} of them right"
            "<extra></extra>",
            "showlegend": False,
        }
    ]
    if threshold is not None:
        place = int(np.abs(curve.thresholds - threshold).argmin())
        traces.append(
            {
                "type": "scatter",
                "x": curve.answered[[place]],
                "y": curve.accuracies[[place]],
                "mode": "markers",
                "marker": {"color": POSITIVE_COLOR, "size": 11},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    # Most of these curves stay just below 100%, so the axis begins where the curve does.
    lowest = float(np.min(curve.accuracies, initial=1.0, where=~np.isnan(curve.accuracies)))
    margin = 0.05 * (1 - lowest) or 0.01
    tick_format = ".2%" if 1 - lowest < 0.02 else ".1%" if 1 - lowest < 0.1 else ".0%"
    layout = {
        "height": 380,
        "margin": _MARGIN_OF_SHARES,
        "uirevision": "coverage",
        "xaxis": _AXIS | {"title": "answered", "tickformat": ".0%", "nticks": 6},
        "yaxis": _AXIS
        | {"title": _beside("right"), "tickformat": tick_format, "nticks": 6, "range": [lowest - margin, 1 + margin]},
    }
    return go.Figure(traces, layout)
