"""What a training stored, made small enough to be played again in a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_lib.runs.records import RunSnapshot

# More would not be seen: a curve is a few hundred pixels wide.
MOST_POINTS = 300


class Curve(NamedTuple):
    """Points of a curve; x in epochs, so 1.5 is in the middle of the second one."""

    x: list[float]
    y: list[float]


class Replay(NamedTuple):
    """A training from its first batch to the end of its last epoch.

    Attributes:
        loss: Mean cross-entropy of training batches, in nats.
        accuracy: Accuracy on the same batches, 0 to 1.
        epochs: Numbers of the epochs that are shown, in order.
        ends: Where each of them ends, in epochs: its number, or less if it was stopped.
        seconds: Training time until then.
        test_accuracy: After each of them, 0 to 1.
        misclassified: After each of them, of the test images.
        answers: After each of them, what some test images were read as.
        confidences: The probability of each of these answers, 0 to 1.
    """

    loss: Curve
    accuracy: Curve
    epochs: list[int]
    ends: list[float]
    seconds: list[float]
    test_accuracy: list[float]
    misclassified: list[int]
    answers: list[list[int]]
    confidences: list[list[float]]


def make_replay(snapshot: RunSnapshot, epochs: Sequence[int], probabilities: np.ndarray) -> Replay | None:
    """Return the replay of a run, or None if it has no epoch to show.

    Args:
        snapshot: The run as it is now.
        epochs: The epochs to show, in order; those without a row of metrics are left out.
        probabilities: floating, (epochs, n, classes), 0 to 1: how n test images were read after each of them.
    """
    rows = {row.epoch: row for row in snapshot.epochs}
    kept = [place for place, epoch in enumerate(epochs) if epoch in rows]
    if snapshot.config is None or not kept:
        return None
    shown = [rows[epochs[place]] for place in kept]
    steps_per_epoch = snapshot.config.steps_per_epoch
    measured = [
        (batch.step / steps_per_epoch, batch.loss, batch.accuracy)
        for batch in snapshot.batches
        if batch.step <= shown[-1].step and batch.loss is not None and batch.accuracy is not None
    ]
    places = np.unique(np.linspace(0, len(measured) - 1, MOST_POINTS).round().astype(int)) if measured else []
    points = [measured[place] for place in places]
    read = probabilities[kept]
    return Replay(
        loss=Curve([round(x, 3) for x, _, _ in points], [round(loss, 4) for _, loss, _ in points]),
        accuracy=Curve([round(x, 3) for x, _, _ in points], [round(accuracy, 4) for _, _, accuracy in points]),
        epochs=[row.epoch for row in shown],
        ends=[round(row.step / steps_per_epoch, 3) for row in shown],
        seconds=[round(row.elapsed_s, 1) for row in shown],
        test_accuracy=[row.test_accuracy for row in shown],
        misclassified=[row.misclassified for row in shown],
        answers=read.argmax(axis=2).tolist(),
        confidences=read.max(axis=2).astype(float).tolist(),
    )
