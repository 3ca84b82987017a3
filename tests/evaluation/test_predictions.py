"""Accuracy, loss, confusion and mistakes, against loops that anybody can follow."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import (
    accuracy,
    compress_probabilities,
    confusion_matrix,
    cross_entropy,
    find_mistakes,
    image_losses,
)


def row(**of_digit: float) -> list[float]:
    """Return ten probabilities from those of some digits, named ``d0`` to ``d9``."""
    return [of_digit.get(f"d{digit}", 0.0) for digit in range(10)]


# Five images and their labels: images 1, 3 and 4 are misread.
PROBABILITIES = np.array(
    [
        row(d7=0.9, d1=0.1),
        row(d2=0.6, d3=0.4),
        row(d0=1.0),
        row(d9=0.75, d4=0.25),
        row(d2=0.6, d8=0.4),
    ],
    np.float32,
)
LABELS = np.array([7, 3, 0, 4, 8], np.uint8)


@pytest.fixture(scope="module")
def outputs(dataset: Dataset) -> np.ndarray:
    """Made-up probabilities for the first 500 test digits, right in about two of three."""
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(500, 10))
    scores[np.arange(500), dataset.test_labels[:500]] += 2
    exponentials = np.exp(scores)
    return (exponentials / exponentials.sum(axis=1, keepdims=True)).astype(np.float32)


def slow_answer(probabilities: np.ndarray) -> int:
    """Return the first digit that has the largest probability."""
    best = 0
    for digit in range(1, 10):
        if probabilities[digit] > probabilities[best]:
            best = digit
    return best


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert accuracy(PROBABILITIES, LABELS) == pytest.approx(2 / 5)
    assert accuracy(PROBABILITIES[[0, 2]], LABELS[[0, 2]]) == 1.0
    assert accuracy(PROBABILITIES[[1, 3]], LABELS[[1, 3]]) == 0.0


def test_accuracy_agrees_with_counting_one_by_one(outputs: np.ndarray, dataset: Dataset) -> None:
    right = sum(slow_answer(outputs[i]) == int(dataset.test_labels[i]) for i in range(500))
    assert 0 < right < 500
    assert accuracy(outputs, dataset.test_labels[:500]) == right / 500


def test_cross_entropy_of_hand_made_rows() -> None:
    # The labels have 0.9, 0.4, 1, 0.25 and 0.4.
    expected = -(math.log(0.9) + math.log(0.4) + math.log(1) + math.log(0.25) + math.log(0.4)) / 5
    assert cross_entropy(PROBABILITIES, LABELS) == pytest.approx(expected, rel=1e-6)


def test_cross_entropy_agrees_with_a_slow_loop(outputs: np.ndarray, dataset: Dataset) -> None:
    total = 0.0
    for i in range(500):
        total -= math.log(float(outputs[i][int(dataset.test_labels[i])]))
    assert cross_entropy(outputs, dataset.test_labels[:500]) == pytest.approx(total / 500, rel=1e-9)


def test_cross_entropy_of_an_impossible_label_is_finite() -> None:
    assert cross_entropy(np.array([row(d1=1.0)], np.float32), np.array([2])) == pytest.approx(-math.log(1e-7))
    assert cross_entropy(np.array([row(d1=1.0)], np.float32), np.array([1])) == pytest.approx(1e-7, rel=1e-3)


def test_loss_of_an_image_is_that_of_its_label_alone() -> None:
    certain = np.array([row(d3=1.0)])
    assert image_losses(certain, np.array([4])) == pytest.approx([-math.log(1e-7)])
    assert image_losses(certain, np.array([3])) == pytest.approx([1e-7])
    two = np.array([row(d3=0.8, d1=0.2), row(d4=0.55, d0=0.05, d1=0.4)], np.float32)
    assert image_losses(two, np.array([3, 0])) == pytest.approx([-math.log(0.8), -math.log(0.05)])
    assert image_losses(two, np.array([3, 0])).dtype == np.float64


def test_confusion_matrix_has_the_true_digit_in_its_row() -> None:
    expected = [[0] * 10 for _ in range(10)]
    for true_digit, predicted_digit in [(7, 7), (3, 2), (0, 0), (4, 9), (8, 2)]:
        expected[true_digit][predicted_digit] += 1
    assert confusion_matrix(PROBABILITIES, LABELS).tolist() == expected


def test_confusion_matrix_agrees_with_counting_one_by_one(outputs: np.ndarray, dataset: Dataset) -> None:
    expected = np.zeros((10, 10), int)
    for i in range(500):
        expected[int(dataset.test_labels[i]), slow_answer(outputs[i])] += 1
    matrix = confusion_matrix(outputs, dataset.test_labels[:500])
    assert matrix.tolist() == expected.tolist()
    assert np.trace(matrix) == round(500 * accuracy(outputs, dataset.test_labels[:500]))


def test_find_mistakes_returns_each_wrong_answer_once() -> None:
    mistakes = find_mistakes(PROBABILITIES, LABELS)
    assert mistakes.indices.tolist() == [1, 3, 4]
    assert mistakes.true_labels.tolist() == [3, 4, 8]
    assert mistakes.predicted_labels.tolist() == [2, 9, 2]
    np.testing.assert_array_equal(mistakes.confidences, np.array([0.6, 0.75, 0.6], np.float32))
    assert mistakes.true_labels.dtype == np.int64
    assert mistakes.confidences.dtype == np.float32


def test_find_mistakes_finds_none_where_there_is_none() -> None:
    mistakes = find_mistakes(PROBABILITIES[[0, 2]], LABELS[[0, 2]])
    assert [len(column) for column in mistakes] == [0, 0, 0, 0]


def test_columns_of_mistakes_stay_together() -> None:
    mistakes = find_mistakes(PROBABILITIES, LABELS)
    kept = mistakes.select(np.argsort(-mistakes.confidences, kind="stable"))
    assert kept.indices.tolist() == [3, 1, 4]
    assert kept.true_labels.tolist() == [4, 3, 8]
    assert kept.predicted_labels.tolist() == [9, 2, 2]
    np.testing.assert_array_equal(kept.confidences, np.array([0.75, 0.6, 0.6], np.float32))


def test_compressing_keeps_the_answer_where_rounding_makes_a_tie() -> None:
    # Both round to 0.5 in float16, and then the lower digit, 2, would win.
    probabilities = np.array([row(d2=0.49998, d7=0.50002), row(d2=0.50002, d7=0.49998)], np.float32)
    assert probabilities.astype(np.float16).argmax(axis=1).tolist() == [2, 2]
    compressed = compress_probabilities(probabilities)
    assert compressed.dtype == np.float16
    assert compressed.argmax(axis=1).tolist() == [7, 2]
    assert compressed[0, 7] == np.float16(0.5) + np.float16(2**-11)  # the next float16 after a half
    assert compressed[0, 2] == np.float16(0.5)
    assert compressed[1].tolist() == row(d2=0.5, d7=0.5)  # the right one wins anyway: left as it is


def test_compressing_keeps_every_answer_and_every_probability_to_three_places() -> None:
    rng = np.random.default_rng(8)
    close = 0.5 + rng.uniform(-2e-4, 2e-4, 2000)
    probabilities = np.zeros((2000, 10), np.float32)
    probabilities[:, 1] = close
    probabilities[:, 5] = 1 - close
    naive = probabilities.astype(np.float16)
    assert (naive.argmax(axis=1) != probabilities.argmax(axis=1)).any()
    compressed = compress_probabilities(probabilities)
    np.testing.assert_array_equal(compressed.argmax(axis=1), probabilities.argmax(axis=1))
    np.testing.assert_allclose(compressed.astype(np.float32), probabilities, atol=1e-3)
