"""Metrics, against values worked out by hand and loops that anybody can follow."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.metrics import (
    coverage_curve,
    digit_metrics,
    margins,
    measure_reliability,
    wilson_interval,
)
from mnist_lib.evaluation.predictions import confusion_matrix
from mnist_lib.runs.store import RunStore

RUN = RunStore(Path("nowhere")).bundled_runs()[0]


def answers_with(confidences: list[float], digits: list[int]) -> np.ndarray:
    """Return rows of ten probabilities that answer each digit with each confidence."""
    rows = np.empty((len(digits), 10))
    for row, digit, confidence in zip(rows, digits, confidences, strict=True):
        row[:] = (1 - confidence) / 9
        row[digit] = confidence
    return rows


@pytest.mark.parametrize(
    ("successes", "count", "expected"),
    [
        # By hand, for 8 of 10: (0.8 + 3.8415/20) / 1.38415 = 0.7168; 1.96/1.38415 * sqrt(0.016 + 3.8415/400) = 0.2265.
        (8, 10, (0.4902, 0.9433)),
        (10, 10, (0.7225, 1.0)),
        (0, 10, (0.0, 0.2775)),
        (9950, 10_000, (0.9934147, 0.9962051)),
    ],
)
def test_wilson_interval_is_that_of_the_books(successes: int, count: int, expected: tuple[float, float]) -> None:
    assert wilson_interval(successes, count) == pytest.approx(expected, abs=1e-4)


def test_wilson_interval_ends_where_the_share_is_just_rejected() -> None:
    # What defines it: at its ends the observed share lies 1.96 standard deviations away.
    for end in wilson_interval(37, 50):
        assert abs(37 / 50 - end) / math.sqrt(end * (1 - end) / 50) == pytest.approx(1.959964, abs=1e-5)


def test_nothing_tried_says_nothing() -> None:
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_digit_metrics_are_those_worked_out_by_hand() -> None:
    matrix = np.zeros((10, 10), np.int64)
    matrix[4, 4], matrix[4, 9] = 6, 2  # eight fours
    matrix[9, 4], matrix[9, 9] = 3, 9  # twelve nines
    matrix[7, 9] = 1  # a seven that is never read as one
    metrics = digit_metrics(matrix)
    assert metrics.precision[4] == pytest.approx(6 / 9)
    assert metrics.recall[4] == pytest.approx(6 / 8)
    assert metrics.f1[4] == pytest.approx(2 * (6 / 9) * (6 / 8) / (6 / 9 + 6 / 8))
    assert metrics.precision[9] == pytest.approx(9 / 12)
    assert metrics.support.tolist() == [0, 0, 0, 0, 8, 0, 0, 1, 0, 12]
    assert metrics.predicted.tolist() == [0, 0, 0, 0, 9, 0, 0, 0, 0, 12]
    assert metrics.recall[7] == 0
    assert metrics.f1[7] == 0
    assert np.isnan(metrics.precision[7])  # nothing was read as a seven
    assert np.isnan([metrics.precision[0], metrics.recall[0], metrics.f1[0]]).all()


def test_calibration_error_is_the_one_worked_out_by_hand() -> None:
    # Of five bins, 0.55 falls into (0.4, 0.6], 0.65 and 0.75 into (0.6, 0.8], 0.95 and 1 into the last.
    probabilities = answers_with([0.55, 0.65, 0.75, 0.95, 1.0], [1, 2, 3, 4, 5])
    labels = np.array([1, 2, 0, 4, 0])
    reliability = measure_reliability(probabilities, labels, bins=5)
    assert reliability.counts.tolist() == [0, 0, 1, 2, 2]
    assert reliability.confidences[2:].tolist() == pytest.approx([0.55, 0.7, 0.975])
    assert reliability.accuracies[2:].tolist() == pytest.approx([1, 0.5, 0.5])
    assert np.isnan(reliability.confidences[:2]).all()
    assert reliability.error == pytest.approx((1 * 0.45 + 2 * 0.2 + 2 * 0.475) / 5)


def test_upper_end_belongs_to_its_bin() -> None:
    reliability = measure_reliability(answers_with([0.5, 0.75], [1, 1]), np.array([1, 1]), bins=4)
    assert reliability.counts.tolist() == [0, 1, 1, 0]
    assert reliability.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_certainty_and_no_confidence_at_all_have_a_bin() -> None:
    reliability = measure_reliability(np.array([[0.0] * 10, [1.0] + [0.0] * 9]), np.array([1, 0]))
    assert reliability.counts.tolist() == [1, *[0] * 13, 1]
    assert reliability.accuracies[[0, 14]].tolist() == [0, 1]
    assert reliability.error == 0


def test_calibration_of_a_real_run_is_that_of_a_loop(dataset: Dataset) -> None:
    probabilities, labels = RUN.probabilities(), dataset.test_labels
    error = 0.0
    for low in np.linspace(0, 1, 16)[:-1]:
        inside = [i for i in range(10_000) if low < float(probabilities[i].max()) <= low + 1 / 15 + 1e-12]
        if inside:
            confidence = np.mean([float(probabilities[i].max()) for i in inside])
            right = np.mean([probabilities[i].argmax() == labels[i] for i in inside])
            error += len(inside) / 10_000 * abs(confidence - right)
    assert measure_reliability(probabilities, labels).error == pytest.approx(error, abs=1e-9)


def test_coverage_counts_what_reaches_the_threshold() -> None:
    probabilities = answers_with([0.5, 0.75, 0.9, 0.9], [1, 2, 3, 4])
    labels = np.array([1, 0, 3, 0])
    curve = coverage_curve(probabilities, labels, np.array([0.0, 0.6, 0.9, 0.95]))
    assert curve.answered.tolist() == [1, 0.75, 0.5, 0]
    assert curve.accuracies[:3].tolist() == pytest.approx([2 / 4, 1 / 3, 1 / 2])
    assert np.isnan(curve.accuracies[3])


def test_thresholds_may_come_in_any_order() -> None:
    probabilities, labels = answers_with([0.5, 0.75, 0.9, 0.9], [1, 2, 3, 4]), np.array([1, 0, 3, 0])
    curve = coverage_curve(probabilities, labels, np.array([0.9, 0.0]))
    assert (curve.answered.tolist(), curve.accuracies.tolist()) == ([0.5, 1], [0.5, 0.5])


def test_coverage_of_a_real_run_is_that_of_a_mask(dataset: Dataset) -> None:
    probabilities, labels = RUN.probabilities(), dataset.test_labels
    thresholds = np.array([0.3, 0.95, 0.999])
    curve = coverage_curve(probabilities, labels, thresholds)
    for place, threshold in enumerate(thresholds):
        answered = probabilities.max(axis=1) >= threshold
        assert curve.answered[place] == answered.mean()
        assert curve.accuracies[place] == (probabilities.argmax(axis=1) == labels)[answered].mean()


def test_margin_is_the_way_to_the_second_place() -> None:
    row = [0.1, 0.5, 0.3, 0.1, 0, 0, 0, 0, 0, 0]
    tie = [0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0]
    assert margins(np.array([row, row[::-1], tie], np.float32)) == pytest.approx([0.2, 0.2, 0])
    assert margins(np.array([row], np.float32)).dtype == np.float64


def test_real_digit_metrics_agree_with_loops(dataset: Dataset) -> None:
    answers, labels = RUN.probabilities().argmax(axis=1), dataset.test_labels
    metrics = digit_metrics(confusion_matrix(RUN.probabilities(), labels))
    for digit in range(10):
        right = sum(1 for answer, label in zip(answers, labels, strict=True) if answer == label == digit)
        assert metrics.precision[digit] == right / sum(answer == digit for answer in answers)
        assert metrics.recall[digit] == right / sum(label == digit for label in labels)
