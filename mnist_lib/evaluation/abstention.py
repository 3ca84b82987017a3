"""Decides when an answer is given, and when it is withheld because the network is not sure."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

USUAL_THRESHOLD = 0.95

# No stroke is this wide in 28 x 28 pixels: only 0.15% of the training digits contain such a
# square of ink, but every dot that was enlarged to 20 x 20 does.
SOLID_SQUARE_PX = 9
_INK = 128


def is_answered(probabilities: np.ndarray, images: np.ndarray | None, threshold: float = USUAL_THRESHOLD) -> np.ndarray:
    """Tell which images get an answer.

    The highest probability must reach the threshold, and there must be strokes: a network
    that knows nothing but digits is often quite sure about a dot.

    Args:
        probabilities: floating, (n, classes), 0 to 1.
        images: uint8, (n, 28, 28), 0 to 255; None where they are not made of strokes.
        threshold: 0 to 1.

    Returns:
        bool, (n,).

    Source: D. Hendrycks, K. Gimpel, "A Baseline for Detecting Misclassified and
    Out-of-Distribution Examples in Neural Networks" (2017), for the first rule.
    """
    sure = probabilities.max(axis=1) >= threshold
    return sure if images is None else sure & ~is_solid(images)


def is_solid(images: np.ndarray) -> np.ndarray:
    """Tell which images hold a solid square of ink, wider than any stroke.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.

    Returns:
        bool, (n,).
    """
    solid = images >= _INK
    for axis in (1, 2):  # lines of ink along one axis, then lines of such lines along the other
        windows = np.lib.stride_tricks.sliding_window_view(solid, SOLID_SQUARE_PX, axis=axis)
        solid = windows.all(axis=-1)
    return np.asarray(solid.reshape(len(images), -1).any(axis=1))


class Coverage(NamedTuple):
    """The effect of a threshold on digits whose labels are known.

    Attributes:
        answered: Share of the images that get an answer, 0 to 1.
        accuracy: Share of those answers that are right, 0 to 1; nan if there are none.
    """

    answered: float
    accuracy: float


def measure_coverage(
    probabilities: np.ndarray, images: np.ndarray | None, labels: np.ndarray, threshold: float = USUAL_THRESHOLD
) -> Coverage:
    """Return how many images are answered at a threshold, and how many of the answers are right.

    Args:
        probabilities: floating, (n, classes), 0 to 1.
        images: uint8, (n, 28, 28), 0 to 255; None where they are not made of strokes.
        labels: integer, (n,), from 0.
        threshold: 0 to 1.
    """
    answered = is_answered(probabilities, images, threshold)
    right = probabilities.argmax(axis=1)[answered] == labels[answered]
    return Coverage(float(answered.mean()), float(right.mean()) if len(right) else np.nan)
