"""Plotly figures of digits and their probabilities, one function per figure.

Text and grid colours are left to the theme. The colours that carry meaning have a
middle brightness, readable on white and on black.

Each figure is made in one call, from dictionaries: Plotly then checks every value once,
which takes a fraction of the time of adding and updating.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.explain.occlusion import STEP_PX, Occlusion
from mnist_lib.training.schedule import learning_rates
from mnist_lib.wording import percent_text

TRAIN_COLOR = "#3b82f6"
RIGHT_COLOR = "#16a34a"
WRONG_COLOR = "#ef4444"
NEUTRAL_COLOR = "#94a3b8"
POSITIVE_COLOR = "#f97316"

# Blue below zero, orange above, distinguishable without seeing red or green. Zero is transparent;
# small values are emphasized, or a single large one would hide them.
_STRENGTHS = (1, 0.5, 0.25, 0.1, 0.02, 0)
SIGNED_COLORSCALE = [
    *([0.5 - 0.5 * strength, f"rgba(59,130,246,{strength**0.5:.2f})"] for strength in _STRENGTHS),
    *([0.5 + 0.5 * strength, f"rgba(249,115,22,{strength**0.5:.2f})"] for strength in reversed(_STRENGTHS)),
]

# Dark ink on white paper looks wrong on a dark page; MNIST itself is light on dark.
INK_COLORSCALE = "gray"

# In the place of ten digits.
_MOST_BARS = 10

# An axis that already shows everything: no zoom, and room for its numbers.
STILL_AXIS = {"fixedrange": True, "automargin": True}

# Longer names of classes would leave no room for what is drawn.
_LONGEST_NAME = 12
_MOST_NAMES = 24


def class_axis(names: Sequence[str]) -> dict[str, Any]:
    """Return an axis of classes: of long names it shows the beginning, and of many of them not each.

    Args:
        names: Those of the classes, which are its values.
    """
    axis: dict[str, Any] = {"type": "category"}
    if max(map(len, names)) > _LONGEST_NAME:
        shown = names[:: -(-len(names) // _MOST_NAMES)]
        short = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in shown]
        axis |= {"tickvals": list(shown), "ticktext": short}
    return axis


def class_counts_figure(
    counts: np.ndarray, highlighted: int | None = None, dataset: DatasetDescription = MNIST_DESCRIPTION
) -> go.Figure:
    """Draw how many images there are of each class.

    Args:
        counts: integer, (classes,).
        highlighted: A class to highlight, or None.
        dataset: Whose classes they are.
    """
    colors = [NEUTRAL_COLOR if highlighted not in (None, label) else TRAIN_COLOR for label in range(dataset.classes)]
    noun = dataset.kind
    bars = {
        "type": "bar",
        "name": f"Images of each {noun}",
        "x": list(dataset.class_names),
        "y": counts,
        "text": [f"{count:,}" for count in counts],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": colors},
        "hovertemplate": "%{y:,} images of %{x}<extra></extra>",
    }
    return go.Figure(
        [bars],
        {
            "height": 260,
            "margin": {"l": 10, "r": 10, "t": 20, "b": 10},
            "xaxis": STILL_AXIS | class_axis(dataset.class_names) | {"title": noun},
            "yaxis": {"visible": False, "fixedrange": True},
        },
    )


def image_figure(image: np.ndarray) -> go.Figure:
    """Draw one image with its pixel values on hover.

    Args:
        image: uint8, (28, 28), 0 to 255.
    """
    ink = _ink(image) | {"hovertemplate": "row %{y}, column %{x}: %{z}<extra></extra>"}
    return go.Figure([ink], _image_layout())


def _ink(image: np.ndarray) -> dict[str, Any]:
    return {
        "type": "heatmap",
        "name": "The image",
        "z": image,
        "colorscale": INK_COLORSCALE,
        "zmin": 0,
        "zmax": 255,
        "showscale": False,
    }


def _image_layout() -> dict[str, Any]:
    axis = {"visible": False, "constrain": "domain"}
    return {
        "height": 280,
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "xaxis": axis,
        "yaxis": axis | {"autorange": "reversed", "scaleanchor": "x"},  # row 0 on top, square pixels
    }


def probabilities_figure(
    probabilities: np.ndarray, true_label: int | None = None, dataset: DatasetDescription = MNIST_DESCRIPTION
) -> go.Figure:
    """Draw the probabilities of one image; of more than ten classes, the ten most probable and the true one.

    Args:
        probabilities: floating, (classes,), 0 to 1.
        true_label: The label, if known: its bar is green, a wrong answer's red.
        dataset: Whose classes they are.
    """
    answer = int(probabilities.argmax())
    colors = {answer: TRAIN_COLOR} if true_label is None else {answer: WRONG_COLOR, true_label: RIGHT_COLOR}
    shown = sorted({*probabilities.argsort()[-_MOST_BARS:].tolist(), *colors})
    names = [dataset.class_names[label] for label in shown]
    bars = {
        "type": "bar",
        "name": f"Probability of each {dataset.kind}",
        "x": probabilities[shown],
        "y": names,
        "orientation": "h",
        "text": [percent_text(probabilities[label]) for label in shown],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": [colors.get(label, NEUTRAL_COLOR) for label in shown]},
        "hovertemplate": "%{y}: %{x:.3%}<extra></extra>",
    }
    return go.Figure(
        [bars],
        {
            "height": 280,
            "minreducedwidth": 20,  # or long names would be cut off
            # To the right there is always room for the longest number, however narrow the figure.
            "margin": {"l": 20, "r": 60, "t": 0, "b": 0},
            "bargap": 0.25,
            "xaxis": {"range": [0, 1], "visible": False},
            "yaxis": class_axis(names)
            | {"autorange": "reversed", "tickfont": {"size": 14}, "ticklabelstandoff": 6, "automargin": True},
        },
    )


def schedule_figure(config: TrainingConfig) -> go.Figure:
    """Draw the scheduled learning rate over the epochs of a training, and which of them see the middle of the images.

    Args:
        config: The settings; of possibly millions of steps, the figure shows a few hundred.
    """
    rates = learning_rates(config)
    steps = np.unique(np.linspace(0, len(rates) - 1, 200).round().astype(int))
    ticks = {"dtick": 1} if config.epochs <= 6 else {"nticks": 6}  # only whole epochs
    curve = {
        "type": "scatter",
        "name": "Learning rate",
        "x": steps / config.steps_per_epoch,
        "y": rates[steps],
        "mode": "lines",
        "line": {"color": TRAIN_COLOR, "width": 2},
        "hovertemplate": "after %{x:.1f} epochs: %{y:.2g}<extra></extra>",
    }
    return go.Figure(
        [curve],
        {
            "height": 150,
            "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
            "showlegend": False,
            "xaxis": STILL_AXIS | {"title": "epoch", "range": [0, config.epochs], "tickformat": "d", **ticks},
            "yaxis": STILL_AXIS | {"range": [0, config.learning_rate * 1.1], "nticks": 4},
            "shapes": [_shaded(config.middle_epochs)] if config.middle_epochs else [],
        },
    )


def _shaded(end: float) -> dict[str, Any]:
    """Return the shaded part of a schedule that sees the middle of the images, from the left to ``end``."""
    place = {"x0": 0, "x1": end, "yref": "y domain", "y0": 0, "y1": 1}
    label = {"text": "middle", "textposition": "bottom center", "font": {"size": 12}}
    return {"type": "rect", "fillcolor": "rgba(148,163,184,0.25)", "line": {"width": 0}, "label": label} | place


def epochs_figure(
    epochs: Sequence[int],
    probabilities: np.ndarray,
    true_label: int | None = None,
    marked: int | None = None,
    dataset: DatasetDescription = MNIST_DESCRIPTION,
) -> go.Figure:
    """Draw how the probabilities of one image changed while the network learned.

    Args:
        epochs: The epochs, in order.
        probabilities: floating, (epochs, classes), 0 to 1.
        true_label: The label, if known: its line is green, a wrong answer's red.
        marked: An epoch to mark with a thin line, or None. Its answer is highlighted, else the last one.
        dataset: Whose classes they are.
    """
    place = epochs.index(marked) if marked in epochs else -1
    answer = int(probabilities[place].argmax())
    colors = {answer: TRAIN_COLOR if true_label is None else WRONG_COLOR}
    names = dict(enumerate(dataset.class_names)) | {answer: f"{dataset.class_names[answer]}, what it reads"}
    if true_label is not None:
        colors[true_label] = RIGHT_COLOR
        names[true_label] = f"{dataset.class_names[true_label]}, the true {dataset.kind}"
    lines = [
        {
            "type": "scatter",
            "x": list(epochs),
            "y": probabilities[:, label],
            "name": names[label],
            "mode": "lines+markers",
            "line": {"color": colors.get(label, NEUTRAL_COLOR), "width": 3 if label in colors else 1},
            "marker": {"size": 7 if label in colors else 4},
            "opacity": 1 if label in colors else 0.45,
            "showlegend": label in colors,
            "hovertemplate": f"{dataset.a_class(label)} after epoch %{{x}}: %{{y:.2%}}<extra></extra>",
        }
        for label in sorted(names, key=lambda label: label in colors)  # highlighted lines on top
    ]
    layout: dict[str, Any] = {
        "height": 320,
        "margin": {"l": 10, "r": 10, "t": 10, "b": 10},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "traceorder": "reversed"},
        "xaxis": STILL_AXIS | {"title": "epoch", "tickformat": "d"} | _epoch_ticks(epochs),
        "yaxis": STILL_AXIS | {"range": [-0.04, 1.04], "tickformat": ".0%", "nticks": 6},
    }
    if marked is not None:
        layout["shapes"] = [vertical_line(marked)]
    return go.Figure(lines, layout)


def vertical_line(x: float) -> dict[str, Any]:
    """Return a thin line from the bottom to the top of a figure, as one of its layout's shapes."""
    line = {"color": NEUTRAL_COLOR, "width": 1, "dash": "dot"}
    return {"type": "line", "x0": x, "x1": x, "yref": "y domain", "y0": 0, "y1": 1, "line": line}


def _epoch_ticks(epochs: Sequence[int]) -> dict[str, Any]:
    """Return ticks at whole epochs, and a range with room around a single one."""
    few = {"dtick": 1} if epochs[-1] - epochs[0] <= 10 else {"nticks": 8}
    margin = 0.03 * (epochs[-1] - epochs[0]) or 1
    return {**few, "range": [epochs[0] - margin, epochs[-1] + margin]}


def shift_map_figure(
    probabilities: np.ndarray, label: int, dataset: DatasetDescription = MNIST_DESCRIPTION
) -> go.Figure:
    """Draw the probability of a class for an image moved by a few pixels in all directions.

    Args:
        probabilities: floating, (n, n), 0 to 1, n odd: from top to bottom, and from left to right.
        label: The class.
        dataset: Whose class it is.
    """
    reach_px = len(probabilities) // 2
    shifts_px = list(range(-reach_px, reach_px + 1))
    cells = {
        "type": "heatmap",
        "name": f"Probability of {dataset.a_class(label)}",
        "x": shifts_px,
        "y": shifts_px,
        "z": probabilities,
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[0, "rgba(59,130,246,0.06)"], [1, "rgba(59,130,246,1)"]],
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"tickformat": ".0%", "thickness": 10, "nticks": 3, "outlinewidth": 0, "len": 0.9},
        "hovertemplate": f"%{{x:+d}} across, %{{y:+d}} down: %{{z:.1%}} {dataset.a_class(label)}<extra></extra>",
    }
    axis = STILL_AXIS | {"dtick": 2, "constrain": "domain", "showgrid": False, "zeroline": False}
    return go.Figure(
        [cells],
        {
            "height": 280,
            "margin": {"l": 10, "r": 0, "t": 10, "b": 10},
            "xaxis": axis,
            "yaxis": axis | {"autorange": "reversed", "scaleanchor": "x"},  # row 0 is the furthest up
            "shapes": [cell_frame(0, 0, POSITIVE_COLOR, 2)],
        },
    )


def cell_frame(x: int, y: int, color: str, width_px: int) -> dict[str, Any]:
    """Return the frame of one cell of a heatmap, as one of its layout's shapes."""
    corners = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
    return {"type": "rect", **corners, "line": {"color": color, "width": width_px}, "layer": "above"}


def saliency_figure(
    image: np.ndarray,
    occlusion: Occlusion,
    label: int,
    strongest: float,
    dataset: DatasetDescription = MNIST_DESCRIPTION,
) -> go.Figure:
    """Draw an image and, over it, how much an answer depends on each place.

    Where covering changes the answer, the new one is written: a digit, or the first letters of a class's name.

    Args:
        image: uint8, (28, 28), 0 to 255.
        occlusion: The effect of covering each place.
        label: The answer.
        strongest: The loss or gain of evidence that gets the full colour.
        dataset: Whose classes they are.
    """
    other = occlusion.answers != label
    said = np.vectorize(_odds_text, otypes=[object])(occlusion.evidence_loss)
    said[other] += [f"<br>then it reads {dataset.a_class(answer)}" for answer in occlusion.answers[other]]
    overlay = {
        "type": "heatmap",
        "name": f"Evidence for {dataset.a_class(label)} that is lost",
        "z": occlusion.evidence_loss,
        "zmin": -strongest,
        "zmax": strongest,
        "colorscale": SIGNED_COLORSCALE,
        "showscale": False,
        "customdata": said,
        "hovertemplate": f"odds of {dataset.a_class(label)} %{{customdata}}<extra></extra>",
    }
    # One digit in the middle of each place, not one per pixel.
    rows, columns = np.nonzero(other[::STEP_PX, ::STEP_PX])
    middle = (STEP_PX - 1) / 2
    answers = {
        "type": "scatter",
        "x": STEP_PX * columns + middle,
        "y": STEP_PX * rows + middle,
        "text": [dataset.class_names[answer][:2] for answer in occlusion.answers[STEP_PX * rows, STEP_PX * columns]],
        "mode": "text",
        "textfont": {"color": "white", "size": 13, "shadow": "0 0 2px black, 0 0 3px black, 0 0 4px black"},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    ink = _ink(image) | {"hoverinfo": "skip"}
    layout: dict[str, Any] = _image_layout() | {"height": 300}
    # Fixed ranges: a digit at the edge would widen them.
    end = len(image) - 0.5
    layout["xaxis"] |= {"fixedrange": True, "range": [-0.5, end]}
    layout["yaxis"] |= {"fixedrange": True, "range": [end, -0.5], "autorange": False}
    return go.Figure([ink, overlay, answers], layout)


def _odds_text(evidence_loss: float) -> str:
    factor = float(np.exp(min(abs(evidence_loss), 20.0)))
    if factor < 1.005:
        return "unchanged"
    size = "over a million" if factor > 1e6 else f"{factor:,.0f}" if factor >= 10 else f"{factor:.2f}"
    return f"divided by {size}" if evidence_loss > 0 else f"times {size}"
