"""Plotly figures: one function a figure, from arrays to ``go.Figure``.

Text and grid colours are left to the theme. The colours that carry meaning are of
middle brightness, readable on white and on black.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_lib.evaluation import DIGITS

TRAIN_COLOR = "#3b82f6"
TEST_COLOR = "#f97316"
RIGHT_COLOR = "#16a34a"
WRONG_COLOR = "#ef4444"
NEUTRAL_COLOR = "#94a3b8"

LOSS_TICKS = [digit * 10.0**power for power in range(-5, 2) for digit in (1, 2, 5)]

# White paper to dark ink reads wrongly on a dark page; MNIST itself is light on dark.
INK_COLORSCALE = "gray"


def learning_curve_figure(
    quantity: str, batches: Sequence[dict[str, Any]], epochs: Sequence[dict[str, Any]], by: str = "batch"
) -> go.Figure:
    """Draw the loss or the accuracy of a training.

    Args:
        quantity: ``loss`` or ``accuracy``.
        batches: "batch" rows of metrics.jsonl.
        epochs: "epoch" rows of metrics.jsonl.
        by: ``batch`` draws the rows over the batch number, with the test set's
            figure at each epoch's end; ``epoch`` draws one point an epoch.
    """
    figure = go.Figure()
    x_of_epoch = "step" if by == "batch" else "epoch"
    if by == "batch":
        drawn = _rows_of_enough_batches(batches)
        x, y = [row["step"] for row in drawn], [row[quantity] for row in drawn]
    else:
        x, y = [row["epoch"] for row in epochs], [row[f"train_{quantity}"] for row in epochs]
    figure.add_scatter(
        x=x,
        y=y,
        name="train",
        mode="lines" if by == "batch" else "lines+markers",
        line={"color": TRAIN_COLOR, "width": 1.5 if by == "batch" else 2.5},
    )
    figure.add_scatter(
        x=[row[x_of_epoch] for row in epochs],
        y=[row[f"test_{quantity}"] for row in epochs],
        name="test",
        mode="lines+markers",
        line={"color": TEST_COLOR, "width": 2.5},
        marker={"size": 9, "symbol": "diamond"},
    )
    figure.update_layout(
        title=quantity.capitalize(),
        height=300,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        legend={"orientation": "h", "x": 1, "xanchor": "right", "y": 1.18},
        hovermode="x unified",
        showlegend=True,
    )
    figure.update_xaxes(title=by, rangemode="tozero")
    if by == "epoch" and len(epochs) <= 12:
        figure.update_xaxes(dtick=1)
    if quantity == "accuracy":
        figure.update_yaxes(tickformat=".3~%", hoverformat=".2%", range=[_accuracy_floor(y), 1.002])
    else:
        # The loss falls a hundredfold; only a logarithm shows its end as well as its beginning.
        figure.update_yaxes(type="log", tickvals=LOSS_TICKS, ticktext=[f"{tick:g}" for tick in LOSS_TICKS])
        figure.update_yaxes(hoverformat=".4f")
    return figure


def _rows_of_enough_batches(batches: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out rows of a few batches, such as an epoch's last: one batch of 32 is all noise."""
    covered = np.diff([0, *(row["step"] for row in batches)])
    enough = covered * 2 >= np.median(covered) if batches else covered
    return [row for number, row in enumerate(batches) if number == 0 or enough[number]]


def _accuracy_floor(values: Sequence[float | None]) -> float:
    """Return where an accuracy axis begins: below all but the very first steep rise."""
    known = [value for value in values if value is not None]
    if len(known) < 20:
        return 0.0
    return float(np.floor(np.percentile(known, 4) * 20) / 20)


def class_counts_figure(counts: np.ndarray, highlighted: int | None = None) -> go.Figure:
    """Draw how many images there are of each digit.

    Args:
        counts: integer, (10,).
        highlighted: A digit to bring out, or none.
    """
    figure = go.Figure(
        go.Bar(
            x=list(DIGITS),
            y=counts,
            text=[f"{count:,}" for count in counts],
            textposition="outside",
            cliponaxis=False,
            marker_color=[NEUTRAL_COLOR if highlighted not in (None, digit) else TRAIN_COLOR for digit in DIGITS],
            hovertemplate="%{y:,} images of a %{x}<extra></extra>",
        )
    )
    figure.update_layout(height=260, margin={"l": 10, "r": 10, "t": 20, "b": 10})
    figure.update_xaxes(dtick=1, title="digit")
    figure.update_yaxes(visible=False)
    return figure


def image_figure(image: np.ndarray) -> go.Figure:
    """Draw one image with its pixel values on hover.

    Args:
        image: uint8, (28, 28), 0 to 255.
    """
    figure = go.Figure(
        go.Heatmap(
            z=image,
            colorscale=INK_COLORSCALE,
            zmin=0,
            zmax=255,
            showscale=False,
            hovertemplate="row %{y}, column %{x}: %{z}<extra></extra>",
        )
    )
    figure.update_layout(height=280, margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", scaleanchor="x", constrain="domain")
    return figure


def probabilities_figure(probabilities: np.ndarray, true_digit: int | None = None) -> go.Figure:
    """Draw the ten probabilities of one image.

    Args:
        probabilities: floating, (10,), 0 to 1.
        true_digit: The label, where it is known: its bar is green, a wrong answer's red.
    """
    answer = int(probabilities.argmax())
    colors = [NEUTRAL_COLOR] * 10
    if true_digit is None:
        colors[answer] = TRAIN_COLOR
    else:
        colors[answer] = WRONG_COLOR
        colors[true_digit] = RIGHT_COLOR
    figure = go.Figure(
        go.Bar(
            x=probabilities,
            y=[str(digit) for digit in DIGITS],
            orientation="h",
            text=[f"{value:.1%}" for value in probabilities],
            textposition="outside",
            cliponaxis=False,
            marker_color=colors,
            hovertemplate="%{y}: %{x:.3%}<extra></extra>",
        )
    )
    figure.update_layout(height=280, margin={"l": 10, "r": 10, "t": 0, "b": 0}, bargap=0.25)
    figure.update_xaxes(range=[0, 1.4], visible=False)
    figure.update_yaxes(autorange="reversed", type="category", tickfont={"size": 14})
    return figure


def confusion_figure(matrix: np.ndarray) -> go.Figure:
    """Draw the confusion matrix: true digit down, predicted digit across.

    The right answers outnumber the errors a thousand times. The colour is that of
    the errors alone; the diagonal has its number only.

    Args:
        matrix: integer, (10, 10), images by true (row) and predicted digit (column).
    """
    errors = matrix.astype(float)
    np.fill_diagonal(errors, np.nan)
    figure = go.Figure(
        go.Heatmap(
            z=errors,
            x=[str(digit) for digit in DIGITS],
            y=[str(digit) for digit in DIGITS],
            customdata=matrix,
            colorscale=[[0, "rgba(239,68,68,0.04)"], [1, "rgba(239,68,68,0.95)"]],
            showscale=False,
            xgap=2,
            ygap=2,
            hoverongaps=True,
            hovertemplate="%{customdata:,} images of a %{y} read as %{x}<extra></extra>",
        )
    )
    # As a trace of its own the text takes the theme's colour; a heatmap's own text
    # takes it from the cell's, as if that were opaque.
    true_digits, predicted_digits = np.nonzero(matrix)
    figure.add_scatter(
        x=[str(digit) for digit in predicted_digits],
        y=[str(digit) for digit in true_digits],
        text=[f"{count:,}" for count in matrix[true_digits, predicted_digits]],
        mode="text",
        hoverinfo="skip",
        showlegend=False,
    )
    figure.update_layout(height=460, margin={"l": 10, "r": 10, "t": 10, "b": 10})
    figure.update_xaxes(title="predicted digit", type="category", side="bottom", showgrid=False)
    figure.update_yaxes(title="true digit", type="category", autorange="reversed", showgrid=False)
    return figure
