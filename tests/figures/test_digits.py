"""The figures show the numbers they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.occlusion import Occlusion
from mnist_lib.figures.digits import (
    NEUTRAL_COLOR,
    RIGHT_COLOR,
    SIGNED_COLORSCALE,
    TRAIN_COLOR,
    WRONG_COLOR,
    class_axis,
    class_counts_figure,
    epochs_figure,
    image_figure,
    probabilities_figure,
    saliency_figure,
    shift_map_figure,
)


def test_class_counts_are_bars_in_the_order_of_the_digits() -> None:
    counts = np.arange(1000, 11_000, 1000)
    figure: Any = class_counts_figure(counts)
    (bars,) = figure.data
    assert list(bars.x) == list("0123456789")
    assert list(bars.y) == counts.tolist()
    assert bars.text[9] == "10,000"


@pytest.mark.parametrize(("highlighted", "colored"), [(None, set(range(10))), (0, {0}), (9, {9})])
def test_class_counts_bring_out_the_digit_asked_for(highlighted: int | None, colored: set[int]) -> None:
    figure: Any = class_counts_figure(np.arange(10), highlighted)
    colors = figure.data[0].marker.color
    assert list(colors) == [TRAIN_COLOR if digit in colored else NEUTRAL_COLOR for digit in range(10)]


def test_image_is_drawn_upright_over_the_whole_range_of_grey(dataset: Dataset) -> None:
    image = dataset.test_images[0]
    figure: Any = image_figure(image)
    (heatmap,) = figure.data
    np.testing.assert_array_equal(np.array(heatmap.z), image)
    assert (heatmap.zmin, heatmap.zmax) == (0, 255)
    assert figure.layout.yaxis.autorange == "reversed"  # row 0 on top
    assert figure.layout.yaxis.scaleanchor == "x"  # square pixels


@pytest.mark.parametrize(
    ("true_label", "colors"),
    [(None, {6: TRAIN_COLOR}), (6, {6: RIGHT_COLOR}), (0, {6: WRONG_COLOR, 0: RIGHT_COLOR})],
)
def test_probabilities_are_bars_coloured_by_what_is_right(true_label: int | None, colors: dict[int, str]) -> None:
    probabilities = np.array([0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.7, 0.02, 0.02, 0.01], np.float32)
    figure: Any = probabilities_figure(probabilities, true_label)
    (bars,) = figure.data
    np.testing.assert_array_equal(np.array(bars.x, np.float32), probabilities)
    assert list(bars.y) == list("0123456789")
    assert bars.text[6] == "70.0%"
    assert list(bars.marker.color) == [colors.get(digit, NEUTRAL_COLOR) for digit in range(10)]


def test_long_names_of_classes_leave_room_for_the_figure() -> None:
    names = ("Shirt", *(f"Something with a long name {number}" for number in range(61)))
    axis = class_axis(names)
    assert axis["tickvals"] == list(names[::3])
    assert axis["ticktext"][:2] == ["Shirt", "Something w…"]
    assert class_axis(names[:1]) == {"type": "category"}  # Plotly sees to it


@pytest.fixture
def occlusion() -> Occlusion:
    """A 7 that one place makes and one place speaks against; without the first it is a 1."""
    loss = np.zeros((28, 28), np.float32)
    answers = np.full((28, 28), 7)
    loss[4:6, 8:10] = np.log(12)
    answers[4:6, 8:10] = 1
    loss[20:22, 2:4] = -np.log(3)
    return Occlusion(loss, answers)


def test_saliency_lies_over_the_digit_and_says_what_it_is(dataset: Dataset, occlusion: Occlusion) -> None:
    figure: Any = saliency_figure(dataset.test_images[0], occlusion, 7, 3.0)
    image, overlay, digits = figure.data
    np.testing.assert_array_equal(np.array(image.z), dataset.test_images[0])
    np.testing.assert_array_equal(np.array(overlay.z), occlusion.evidence_loss)
    assert (overlay.zmin, overlay.zmax) == (-3, 3)  # so that zero is without colour
    assert overlay.customdata[5][9] == "divided by 12<br>then it reads a 1"
    assert overlay.customdata[20][2] == "times 3.00"
    assert overlay.customdata[0][0] == "unchanged"
    assert (figure.layout.xaxis.range, figure.layout.yaxis.range) == ((-0.5, 27.5), (27.5, -0.5))  # whole, upright
    # One 1, in the middle of the four pixels.
    assert (list(digits.x), list(digits.y), list(digits.text)) == ([8.5], [4.5], ["1"])


def test_colours_of_saliency_are_clear_at_zero_and_strongest_at_the_ends() -> None:
    places = [place for place, _ in SIGNED_COLORSCALE]
    assert places == sorted(places)
    assert (places[0], places[-1]) == (0, 1)
    opacities = {place: float(color.rstrip(")").split(",")[-1]) for place, color in SIGNED_COLORSCALE}
    assert opacities == {place: opacities[round(1 - place, 9)] for place in opacities}
    assert (opacities[0], opacities[0.5], opacities[1]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("true_label", "colors"),
    [(None, {7: TRAIN_COLOR}), (7, {7: RIGHT_COLOR}), (1, {7: WRONG_COLOR, 1: RIGHT_COLOR})],
)
def test_lines_over_the_epochs_bring_out_the_answer_and_the_true_label(
    true_label: int | None, colors: dict[int, str]
) -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), 3).astype(np.float32)
    probabilities[2] = 0.01
    probabilities[2, 7] = 0.91
    figure: Any = epochs_figure([1, 3, 5], probabilities, true_label)
    assert len(figure.data) == 10
    lines = {int(trace.name[0]): trace for trace in figure.data}
    for digit, line in lines.items():
        assert list(line.x) == [1, 3, 5]
        np.testing.assert_array_equal(np.array(line.y, np.float32), probabilities[:, digit])
        assert line.line.color == colors.get(digit, NEUTRAL_COLOR)
        assert bool(line.showlegend) == (digit in colors)
        assert (line.opacity == 1) == (digit in colors)
    assert {int(trace.name[0]) for trace in figure.data[-len(colors) :]} == set(colors)  # on top
    assert figure.layout.yaxis.tickformat == ".0%"


def test_marked_epoch_has_a_line_and_its_own_answer() -> None:
    probabilities = np.full((3, 10), 0.01, np.float32)
    probabilities[[0, 1, 2], [7, 8, 3]] = 0.91
    figure: Any = epochs_figure([1, 3, 5], probabilities, 3, marked=3)
    assert [shape.x0 for shape in figure.layout.shapes] == [3]
    named = {trace.name: trace.line.color for trace in figure.data if trace.showlegend}
    assert named == {"8, what it reads": WRONG_COLOR, "3, the true digit": RIGHT_COLOR}
    figure = epochs_figure([1, 3, 5], probabilities, 3, marked=4)  # one that is not among those shown
    assert [trace.name for trace in figure.data if trace.showlegend] == ["3, the true digit"]


def test_single_epoch_has_room_around_it() -> None:
    figure: Any = epochs_figure([4], np.full((1, 10), 0.1, np.float32))
    low, high = figure.layout.xaxis.range
    assert low < 4 < high


def test_shift_map_is_upright_and_marks_its_middle() -> None:
    probabilities = np.linspace(0, 1, 81).reshape(9, 9)
    figure: Any = shift_map_figure(probabilities, 3)
    (heatmap,) = figure.data
    np.testing.assert_array_equal(np.array(heatmap.z), probabilities)
    assert list(heatmap.x) == list(heatmap.y) == list(range(-4, 5))
    assert (heatmap.zmin, heatmap.zmax) == (0, 1)
    assert figure.layout.yaxis.autorange == "reversed"
    (mark,) = figure.layout.shapes
    assert (mark.x0, mark.x1, mark.y0, mark.y1) == (-0.5, 0.5, -0.5, 0.5)


def test_every_figure_survives_json(dataset: Dataset, occlusion: Occlusion) -> None:
    # Plotly sends figures as JSON; a type that it cannot write would fail only on the screen.
    figures = [
        class_counts_figure(np.arange(10)),
        image_figure(dataset.test_images[0]),
        probabilities_figure(np.full(10, 0.1, np.float32)),
        saliency_figure(dataset.test_images[0], occlusion, 7, 3.0),
        epochs_figure([1, 2], np.full((2, 10), 0.1, np.float32), 3),
        shift_map_figure(np.zeros((9, 9), np.float32), 3),
    ]
    for figure in figures:
        assert isinstance(figure, go.Figure)
        assert figure.to_json()
