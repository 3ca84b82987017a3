"""Accuracy, loss, confusion matrix and mistakes from stored probabilities, in plain NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

DIGITS = tuple(range(10))


class Mistakes(NamedTuple):
    """The misclassified images of one run, one entry each, in the dataset's order.

    Attributes:
        indices: int64, (n,), position in the test set.
        true_labels: int64, (n,), the label, from 0.
        predicted_labels: int64, (n,), the network's answer, from 0.
        confidences: float32, (n,), probability of that answer, 0 to 1.
    """

    indices: np.ndarray
    true_labels: np.ndarray
    predicted_labels: np.ndarray
    confidences: np.ndarray

    def select(self, keep: np.ndarray | slice) -> Mistakes:
        """Return the entries that ``keep`` selects: a mask, an array of positions or a slice."""
        return Mistakes(*(column[keep] for column in self))


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose most probable class is the label, 0 to 1.

    Args:
        probabilities: floating, (n, classes), rows sum to 1.
        labels: integer, (n,), from 0.
    """
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def cross_entropy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean of ``image_losses``, Keras's sparse cross-entropy.

    Args:
        probabilities: floating, (n, classes), rows sum to 1.
        labels: integer, (n,), from 0.
    """
    return float(image_losses(probabilities, labels).mean())


def image_losses(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return -log(probability of the label) of each image, in nats.

    Args:
        probabilities: floating, (n, classes), rows sum to 1.
        labels: integer, (n,), from 0.

    Returns:
        float64, (n,), 0 to 16.1.

    Source: clipped at 1e-7 as Keras does (``keras.config.epsilon``), so that a
    probability of zero costs 16.1 instead of infinity.
    """
    of_label = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return -np.log(np.clip(of_label, 1e-7, 1 - 1e-7))


def confusion_matrix(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Count images by true class (row) and predicted class (column): int64, (classes, classes)."""
    classes = probabilities.shape[1]
    matrix = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(matrix, (labels, probabilities.argmax(axis=1)), 1)
    return matrix


def find_mistakes(probabilities: np.ndarray, labels: np.ndarray) -> Mistakes:
    """Return every image whose most probable class is not its label.

    Args:
        probabilities: floating, (n, classes).
        labels: integer, (n,), from 0.
    """
    predicted = probabilities.argmax(axis=1)
    indices = np.flatnonzero(predicted != labels)
    return Mistakes(
        indices,
        labels[indices].astype(np.int64),
        predicted[indices],
        probabilities[indices, predicted[indices]].astype(np.float32),
    )


def compress_probabilities(probabilities: np.ndarray) -> np.ndarray:
    """Round probabilities to float16 for storage, keeping every predicted class.

    Rounding can make the two largest probabilities of a row equal, and then the
    lower class would win. The winner of such a row is raised by one float16 step, so
    that the accuracy computed from the stored file is exactly the network's.

    Args:
        probabilities: float32, (n, classes), 0 to 1.

    Returns:
        float16, (n, classes).
    """
    compressed = probabilities.astype(np.float16)
    winners = probabilities.argmax(axis=1)
    (rows,) = np.nonzero(compressed.argmax(axis=1) != winners)
    compressed[rows, winners[rows]] = np.nextafter(compressed[rows].max(axis=1), np.float16(np.inf))
    return compressed
