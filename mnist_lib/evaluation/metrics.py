"""Metrics beyond accuracy: its interval, precision and recall of each digit, calibration and coverage."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

# 95% of a normal distribution lies within this many standard deviations.
_Z_95 = NormalDist().inv_cdf(0.975)


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the 95% Wilson score interval of a share: its lower and upper end, 0 to 1.

    Args:
        successes: 0 to ``count``.
        count: Independent trials. With none, the interval is 0 to 1.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference" (1927).
    """
    if count == 0:
        return 0.0, 1.0
    share, z2 = successes / count, _Z_95**2
    center = (share + z2 / (2 * count)) / (1 + z2 / count)
    reach = _Z_95 / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return max(0.0, center - reach), min(1.0, center + reach)


class DigitMetrics(NamedTuple):
    """How well each digit is read.

    Attributes:
        precision: float64, (classes,), share of the images predicted as the digit that show it; nan if there are none.
        recall: float64, (classes,), share of the images of the digit that are predicted as it; nan if there are none.
        f1: float64, (classes,), their harmonic mean; nan if the digit neither occurs nor is predicted.
        support: int64, (classes,), images of the digit.
        predicted: int64, (classes,), images predicted as it.
    """

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray
    predicted: np.ndarray


def digit_metrics(matrix: np.ndarray) -> DigitMetrics:
    """Return precision, recall and F1 of each digit.

    Args:
        matrix: integer, (classes, classes), images by true (row) and predicted class (column).
    """
    right, support, predicted = matrix.diagonal(), matrix.sum(axis=1), matrix.sum(axis=0)

    def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
        return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)

    return DigitMetrics(
        share(right, predicted), share(right, support), share(2 * right, support + predicted), support, predicted
    )


class Reliability(NamedTuple):
    """How often answers of about the same confidence are right.

    Attributes:
        edges: float64, (bins + 1,), edges of the bins of confidence; each bin includes its upper edge.
        confidences: float64, (bins,), mean confidence in each; nan in an empty one.
        accuracies: float64, (bins,), share of right answers in each; nan in an empty one.
        counts: int64, (bins,), images in each.
        error: The expected calibration error, 0 to 1: the mean gap between the two, weighted by images.
    """

    edges: np.ndarray
    confidences: np.ndarray
    accuracies: np.ndarray
    counts: np.ndarray
    error: float


def measure_reliability(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> Reliability:
    """Compare confidence with accuracy in bins of equal width.

    Args:
        probabilities: floating, (n, classes), 0 to 1, n at least 1.
        labels: integer, (n,), from 0.
        bins: Number of bins between 0 and 1.

    Source: M. P. Naeini and others, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"
    (2015); C. Guo and others, "On Calibration of Modern Neural Networks" (2017), for the 15 bins.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)

    def means(values: np.ndarray) -> np.ndarray:
        sums = np.bincount(places, values, bins)
        return np.divide(sums, counts, out=np.full(bins, np.nan), where=counts > 0)

    confidences, accuracies = means(confidence), means(right)
    error = float(np.nansum(counts * np.abs(confidences - accuracies)) / counts.sum())
    return Reliability(edges, confidences, accuracies, counts, error)


class CoverageCurve(NamedTuple):
    """How many images are answered, and how well, at each confidence threshold.

    Attributes:
        thresholds: float64, (n,), 0 to 1.
        answered: float64, (n,), share of the images whose confidence reaches it.
        accuracies: float64, (n,), share of those answers that are right; nan where there are none.
    """

    thresholds: np.ndarray
    answered: np.ndarray
    accuracies: np.ndarray


def coverage_curve(probabilities: np.ndarray, labels: np.ndarray, thresholds: np.ndarray) -> CoverageCurve:
    """Return coverage and accuracy at each threshold.

    Args:
        probabilities: floating, (n, classes), 0 to 1, n at least 1.
        labels: integer, (n,), from 0.
        thresholds: floating, (m,), 0 to 1.
    """
    order = np.argsort(probabilities.max(axis=1))
    confidences = probabilities.max(axis=1)[order]
    right = (probabilities.argmax(axis=1) == labels)[order]
    # The number of right answers from each position on, up to the most confident one.
    right_from = np.concatenate([np.cumsum(right[::-1])[::-1], [0]])
    first = np.searchsorted(confidences, thresholds, side="left")
    count = len(labels) - first
    accuracies = np.divide(right_from[first], count, out=np.full(len(first), np.nan), where=count > 0)
    return CoverageCurve(np.asarray(thresholds, np.float64), count / len(labels), accuracies)


def margins(probabilities: np.ndarray) -> np.ndarray:
    """Return by how much the highest probability exceeds the second: float64, (n,), 0 to 1.

    Args:
        probabilities: floating, (n, classes), 0 to 1.
    """
    second, first = np.partition(probabilities.astype(np.float64), -2, axis=1)[:, -2:].T
    return first - second
