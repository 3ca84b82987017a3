"""The figures show the numbers they are given."""

from __future__ import annotations

from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from mnist_lib.dataset import Dataset
from mnist_lib.figures import (
    NEUTRAL_COLOR,
    RIGHT_COLOR,
    TRAIN_COLOR,
    WRONG_COLOR,
    class_counts_figure,
    confusion_figure,
    image_figure,
    probabilities_figure,
)


def test_class_counts_are_bars_in_the_order_of_the_digits() -> None:
    counts = np.arange(1000, 11_000, 1000)
    figure: Any = class_counts_figure(counts)
    (bars,) = figure.data
    assert list(bars.x) == list(range(10))
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
    ("true_digit", "colors"),
    [(None, {6: TRAIN_COLOR}), (6, {6: RIGHT_COLOR}), (0, {6: WRONG_COLOR, 0: RIGHT_COLOR})],
)
def test_probabilities_are_bars_coloured_by_what_is_right(true_digit: int | None, colors: dict[int, str]) -> None:
    probabilities = np.array([0.2, 0.01, 0.01, 0.01, 0.01, 0.01, 0.7, 0.02, 0.02, 0.01], np.float32)
    figure: Any = probabilities_figure(probabilities, true_digit)
    (bars,) = figure.data
    np.testing.assert_array_equal(np.array(bars.x, np.float32), probabilities)
    assert list(bars.y) == list("0123456789")
    assert bars.text[6] == "70.0%"
    assert list(bars.marker.color) == [colors.get(digit, NEUTRAL_COLOR) for digit in range(10)]


def test_confusion_colours_errors_only_and_writes_every_count() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[4, 9] = 12
    matrix[9, 4] = 3
    np.fill_diagonal(matrix, 1005)
    figure: Any = confusion_figure(matrix)
    heatmap, counts = figure.data
    colored = np.array(heatmap.z)
    assert np.isnan(np.diag(colored)).all()  # a thousand right ones would drown the errors
    assert colored[4, 9] == 12
    assert colored[9, 4] == 3
    written = dict(zip(zip(counts.y, counts.x, strict=True), counts.text, strict=True))
    assert written == {("4", "9"): "12", ("9", "4"): "3", **{(str(i), str(i)): "1,005" for i in range(10)}}
    np.testing.assert_array_equal(np.array(heatmap.customdata), matrix)
    assert figure.layout.yaxis.title.text == "true digit"
    assert figure.layout.xaxis.title.text == "predicted digit"
    assert figure.layout.yaxis.autorange == "reversed"


def test_every_figure_survives_json(dataset: Dataset) -> None:
    # Plotly sends figures as JSON; a type that it cannot write would fail only on the screen.
    figures = [
        class_counts_figure(np.arange(10)),
        image_figure(dataset.test_images[0]),
        probabilities_figure(np.full(10, 0.1, np.float32)),
        confusion_figure(np.eye(10, dtype=np.int64)),
    ]
    for figure in figures:
        assert isinstance(figure, go.Figure)
        assert figure.to_json()
