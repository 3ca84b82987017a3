"""Plotly figures: one function a figure, from arrays to ``go.Figure``.

Text and grid colours are left to the theme. The colours that carry meaning are of
middle brightness, readable on white and on black.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from mnist_lib.config import TrainingConfig
from mnist_lib.evaluation import DIGITS
from mnist_lib.schedule import learning_rates

TRAIN_COLOR = "#3b82f6"
RIGHT_COLOR = "#16a34a"
WRONG_COLOR = "#ef4444"
NEUTRAL_COLOR = "#94a3b8"

# White paper to dark ink reads wrongly on a dark page; MNIST itself is light on dark.
INK_COLORSCALE = "gray"


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


def schedule_figure(config: TrainingConfig) -> go.Figure:
    """Draw the learning rate over the epochs of a training, before it begins.

    Args:
        config: The settings; the steps may be millions, the figure takes a few hundred of them.
    """
    rates = learning_rates(config)
    steps = np.unique(np.linspace(0, len(rates) - 1, 200).round().astype(int))
    figure = go.Figure(
        go.Scatter(
            x=steps / config.steps_per_epoch,
            y=rates[steps],
            mode="lines",
            line={"color": TRAIN_COLOR, "width": 2},
            hovertemplate="after %{x:.1f} epochs: %{y:.2g}<extra></extra>",
        )
    )
    figure.update_layout(height=150, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=False)
    figure.update_xaxes(title="epoch", range=[0, config.epochs], nticks=6, tickformat="d")
    figure.update_yaxes(range=[0, config.learning_rate * 1.1], nticks=4)
    return figure
