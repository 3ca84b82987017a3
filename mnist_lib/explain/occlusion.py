"""Finds the parts of an image that an answer depends on, by covering one after the other."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Takes images, uint8, (n, 28, 28), and returns the probabilities of the digits, (n, 10).
Predict = Callable[[np.ndarray], np.ndarray]

PAPER, INK = 0, 255

# Every second pixel takes a quarter of the work of every pixel, and is fine enough to see a stroke.
STEP_PX = 2
_SQUARE_PX = 4


class Occlusion(NamedTuple):
    """The effect of covering the surroundings of each pixel.

    Attributes:
        evidence_loss: float32, (28, 28), how far the log odds of the digit fall; negative where they rise.
        answers: int64, (28, 28), the digit that is then predicted.
    """

    evidence_loss: np.ndarray
    answers: np.ndarray


def occlude(predict: Predict, image: np.ndarray, digit: int, cover: int = PAPER) -> Occlusion:
    """Cover squares of 4 x 4 pixels, one after the other, and measure the effect on a digit.

    Args:
        predict: The network's predictions.
        image: uint8, (28, 28), 0 to 255.
        digit: The digit whose odds are measured, 0 to 9.
        cover: What the squares are covered with, ``PAPER`` or ``INK``. Empty places matter as
            much as strokes: a 4 whose top is closed is a 9.

    Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks",
    2014, section 4.2; log odds, because probabilities close to 1 hardly change.
    """
    centres = range(0, len(image), STEP_PX)
    margin = (_SQUARE_PX - STEP_PX) // 2
    covered = np.repeat(image[np.newaxis], len(centres) ** 2 + 1, axis=0)  # the last one is not covered
    for number, (row, column) in enumerate((row, column) for row in centres for column in centres):
        rows, columns = (slice(max(first - margin, 0), first + STEP_PX + margin) for first in (row, column))
        covered[number, rows, columns] = cover
    probabilities = predict(covered)
    evidence = log_odds(probabilities, digit)
    loss = (evidence[-1] - evidence[:-1]).astype(np.float32)
    return Occlusion(_spread(loss), _spread(probabilities[:-1].argmax(axis=1)))


def log_odds(probabilities: np.ndarray, digit: int) -> np.ndarray:
    """Return the natural logarithm of the probability of a digit divided by that of all others together.

    The others are added up instead of subtracting from 1: a probability of 0.99999999 is 1 in
    float32, but the small ones are exact.

    Args:
        probabilities: floating, (n, 10), rows sum to 1.
        digit: 0 to 9.

    Returns:
        float64, (n,), within -70 and 70.
    """
    exact = probabilities.astype(np.float64)
    others = np.delete(exact, digit, axis=1).sum(axis=1)
    # Below 1e-30, float32 reaches its limit.
    return np.log(exact[:, digit].clip(1e-30)) - np.log(others.clip(1e-30))


def _spread(values: np.ndarray) -> np.ndarray:
    """Return an image with the value of each pixel's square."""
    side = math.isqrt(len(values))
    return values.reshape(side, side).repeat(STEP_PX, 0).repeat(STEP_PX, 1)
