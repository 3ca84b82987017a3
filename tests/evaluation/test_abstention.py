"""When an answer is withheld, and how that affects digits whose labels are known."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.normalization import normalize_drawing
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD, is_answered, is_solid, measure_coverage


def probabilities(*highest: float) -> np.ndarray:
    """Return rows whose digit 3 has the given probability, the rest shared by the others."""
    rows = np.array([[(1 - value) / 9] * 10 for value in highest])
    rows[:, 3] = highest
    return rows


def square(side: int) -> np.ndarray:
    image = np.zeros((28, 28), np.uint8)
    image[3 : 3 + side, 5 : 5 + side] = 255
    return image


def test_an_answer_needs_the_threshold() -> None:
    images = np.stack([square(3)] * 3)
    assert is_answered(probabilities(0.89, 0.9, 0.91), images, 0.9).tolist() == [False, True, True]


def test_a_solid_square_of_nine_pixels_is_no_stroke() -> None:
    assert is_solid(np.stack([square(8), square(9), square(20)])).tolist() == [False, True, True]
    assert is_answered(probabilities(1.0, 1.0), np.stack([square(8), square(9)])).tolist() == [True, False]


def test_where_images_are_not_made_of_strokes_the_threshold_alone_counts() -> None:
    assert is_answered(probabilities(1.0, 0.5), None).tolist() == [True, False]


def test_a_square_must_be_whole() -> None:
    pierced = square(9)
    pierced[7, 9] = 127
    long = np.zeros((28, 28), np.uint8)
    long[:, 4:12] = 255  # eight wide and as long as there is room
    assert is_solid(np.stack([pierced, long])).tolist() == [False, False]


@pytest.mark.parametrize("pen_width_px", [10, 16, 20, 26])
def test_a_dot_of_any_pen_is_solid(pen_width_px: int) -> None:
    canvas = Image.new("L", (280, 280))
    ImageDraw.Draw(canvas).ellipse((100, 100, 100 + pen_width_px, 100 + pen_width_px), fill=255)
    image = normalize_drawing(np.asarray(canvas, np.float32) / 255).image
    assert is_solid(image[np.newaxis]).all()


def test_hardly_any_digit_is_solid(dataset: Dataset) -> None:
    assert is_solid(dataset.train_images[:10_000]).mean() < 0.003


def test_coverage_counts_answers_and_those_that_are_right() -> None:
    outputs = probabilities(0.99, 0.99, 0.6, 0.99)
    images = np.stack([square(3), square(3), square(3), square(10)])
    coverage = measure_coverage(outputs, images, np.array([3, 4, 3, 3]), 0.9)
    # Two of four are answered, one of them rightly; the last is solid.
    assert coverage == (0.5, 0.5)


def test_coverage_of_nothing_has_no_accuracy() -> None:
    coverage = measure_coverage(probabilities(0.5), square(3)[np.newaxis], np.array([3]), USUAL_THRESHOLD)
    assert coverage.answered == 0
    assert np.isnan(coverage.accuracy)
