"""Selects the test images that a gallery shows, and their order."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mnist_lib.evaluation.metrics import margins
from mnist_lib.evaluation.predictions import image_losses

# How an image was read; the last two compare with the previous epoch.
OUTCOMES = ("misread", "read correctly", "all", "newly learned", "newly forgotten")

ORDERS = ("most confident", "least confident", "highest loss", "smallest margin", "test set order")


class Filters(NamedTuple):
    """Conditions that an image must meet to be shown; by default every misread image is.

    Attributes:
        outcome: One of ``OUTCOMES``.
        true_label: Its label, or None for any.
        predicted_label: The network's answer, or None for any.
        confidence: Lowest and highest probability of the answer, 0 to 1, both included.
        among: integer, (n,), the only positions in the test set that may be shown, or None for all.
    """

    outcome: str = OUTCOMES[0]
    true_label: int | None = None
    predicted_label: int | None = None
    confidence: tuple[float, float] = (0.0, 1.0)
    among: np.ndarray | None = None


def select_images(
    probabilities: np.ndarray,
    labels: np.ndarray,
    filters: Filters = Filters(),  # noqa: B008, a tuple never changes
    order: str = ORDERS[0],
    before: np.ndarray | None = None,
) -> np.ndarray:
    """Return the positions of the images that pass all filters, in order.

    Args:
        probabilities: floating, (n, classes), 0 to 1.
        labels: integer, (n,), from 0.
        filters: Conditions that an image must meet.
        order: One of ``ORDERS``; among equals the order of the test set.
        before: floating, (n, classes), the probabilities one epoch earlier. None before the
            first epoch: every right answer is then newly learned.

    Returns:
        int64, (m,), positions in the test set.
    """
    answers = probabilities.argmax(axis=1)
    confidences = probabilities.max(axis=1)
    right = answers == labels
    was_right = np.zeros_like(right) if before is None else before.argmax(axis=1) == labels
    keep = {
        "misread": ~right,
        "read correctly": right,
        "all": np.ones_like(right),
        "newly learned": right & ~was_right,
        "newly forgotten": was_right & ~right,
    }[filters.outcome]
    if filters.true_label is not None:
        keep = keep & (labels == filters.true_label)
    if filters.predicted_label is not None:
        keep = keep & (answers == filters.predicted_label)
    lowest, highest = filters.confidence
    keep = keep & (confidences >= lowest) & (confidences <= highest)
    if filters.among is not None:
        keep = keep & np.isin(np.arange(len(labels)), filters.among)
    kept = np.flatnonzero(keep)
    if order == "test set order":
        return kept
    rank = {
        "most confident": -confidences,
        "least confident": confidences,
        "highest loss": -image_losses(probabilities, labels),
        "smallest margin": margins(probabilities),
    }[order]
    return kept[np.argsort(rank[kept], kind="stable")]
