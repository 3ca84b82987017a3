"""Predictions and metrics of a run as CSV: UTF-8, a header row, lines that end with a line feed.

Only numbers and names of classes are written. A name begins with a letter or a digit, so no cell can begin a
formula. Every number reads back exactly.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any

import numpy as np

from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.evaluation.predictions import find_mistakes, image_losses
from mnist_lib.runs.records import RunSnapshot

# The fields of "batch" and "epoch" rows; a row leaves the fields of the other kind empty.
METRICS = (
    "epoch", "step", "elapsed_s", "loss", "accuracy", "learning_rate", "images_per_s", "train_loss", "train_accuracy",
    "validation_loss", "validation_accuracy", "test_loss", "test_accuracy", "misclassified", "complete", "rate_factor",
    "seconds", "trained_on",
)  # fmt: skip


def mistakes_csv(probabilities: np.ndarray, labels: np.ndarray, dataset: DatasetDescription = MNIST_DESCRIPTION) -> str:
    """Return every misclassified image, in the test set's order.

    The loss is the image's cross-entropy, in nats.

    Args:
        probabilities: floating, (n, classes), rows sum to 1.
        labels: integer, (n,), from 0.
        dataset: Whose classes they are.
    """
    names, noun = dataset.class_names, dataset.kind
    mistakes = find_mistakes(probabilities, labels)
    losses = image_losses(probabilities[mistakes.indices], labels[mistakes.indices]).tolist()
    header = ("test_index", f"true_{noun}", f"predicted_{noun}", "confidence", "loss")
    rows = zip(*(column.tolist() for column in mistakes), losses, strict=True)
    return _write(header, ([index, names[label], names[answer], *rest] for index, label, answer, *rest in rows))


def predictions_csv(
    probabilities: np.ndarray, labels: np.ndarray, dataset: DatasetDescription = MNIST_DESCRIPTION
) -> str:
    """Return the predicted class of every image and the probability of each class, in the test set's order.

    Args:
        probabilities: floating, (n, classes), rows sum to 1.
        labels: integer, (n,), from 0.
        dataset: Whose classes they are.
    """
    names, noun = dataset.class_names, dataset.kind
    header = ("test_index", f"true_{noun}", f"predicted_{noun}", "confidence", *(f"p{name}" for name in names))
    predicted = probabilities.argmax(axis=1)
    rows = zip(labels.tolist(), predicted.tolist(), probabilities.tolist(), strict=True)
    return _write(
        header,
        ([index, names[label], names[answer], row[answer], *row] for index, (label, answer, row) in enumerate(rows)),
    )


def metrics_csv(snapshot: RunSnapshot) -> str:
    """Return the metrics of batches and epochs, in the order of the training.

    The first column is the kind of the row. A value that is not a finite number is an empty cell.
    """
    rows = [("batch", row) for row in snapshot.batches] + [("epoch", row) for row in snapshot.epochs]
    rows.sort(key=lambda kind_and_row: (kind_and_row[1].step, kind_and_row[0]))
    cells = ((kind, *(_cell(getattr(row, name, None)) for name in METRICS)) for kind, row in rows)
    return _write(("kind", *METRICS), cells)


def _cell(value: float | None) -> float | None:
    return int(value) if isinstance(value, bool) else value


def _write(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")  # writes floats as repr does, without losing digits
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()
