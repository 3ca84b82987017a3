"""The paper's results, and a run's results beside them.

Source: Charlie Wilkin, "Classification of Handwritten Digits using Convolutional
Neural Networks in Tensorflow 2.0". Its machine had a GTX 1060 6GB.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from mnist_lib.network.layers import count_parameters
from mnist_lib.runs.records import EpochRow, RunSnapshot
from mnist_lib.wording import duration_text


class PaperEpoch(NamedTuple):
    """A row of Table II: the mean loss and the accuracy (0 to 1) on the training images."""

    loss: float
    accuracy: float


TABLE_II = (
    PaperEpoch(0.1559, 0.9524),
    PaperEpoch(0.0564, 0.9833),
    PaperEpoch(0.0393, 0.9871),
    PaperEpoch(0.0293, 0.9905),
    PaperEpoch(0.0243, 0.9922),
)
TEST_LOSS = 0.0265
TEST_ACCURACY = 0.9921
PARAMETERS = 515_146

NOT_MEASURED = "–"


class Claims(NamedTuple):
    """The results of a training as text, in the order of the Overview's table."""

    test_accuracy: str
    misclassified: str
    seconds_per_epoch: str
    total: str
    parameters: str
    device: str


CLAIM_LABELS = Claims(
    "Test accuracy",
    "Misread of 10,000",
    "Time per epoch",
    "Total training time",
    "Parameters",
    "Trained on",
)
PAPER_CLAIMS = Claims("over 99% (99.21%)", "fewer than 80", "15 s", "1 min 15 s", f"{PARAMETERS:,}", "GTX 1060 6GB")

# The paper's final results, by the headings of Table II, for the row below it.
PAPER_RESULT = {
    "Epoch": f"The paper, after {len(TABLE_II)}",
    "Test loss": f"{TEST_LOSS:.4f}",
    "Test accuracy": f"{TEST_ACCURACY:.4f}",
    "Misread": PAPER_CLAIMS.misclassified,
    "Paper: loss": f"{TABLE_II[-1].loss:.4f}",
    "Paper: accuracy": f"{TABLE_II[-1].accuracy:.4f}",
}


def epoch_columns(epochs: Sequence[EpochRow], beside_paper: bool = True) -> dict[str, list[str]]:
    """Return Table II as text, its columns by heading.

    Args:
        epochs: "epoch" rows, beginning with the first epoch.
        beside_paper: Whether the paper's values stand beside them, for as many epochs as it has, and its final
            results in a row below: for runs on MNIST.
    """
    columns = {
        "Epoch": [row.name for row in epochs],
        "Time": [f"{row.seconds:.1f}\N{NO-BREAK SPACE}s" for row in epochs],
        "Loss": [_mean_text(row.train_loss) for row in epochs],
        "Accuracy": [_mean_text(row.train_accuracy) for row in epochs],
    }
    if any(row.validation_accuracy is not None for row in epochs):
        columns["Validation loss"] = [_mean_text(row.validation_loss) for row in epochs]
        columns["Validation accuracy"] = [_mean_text(row.validation_accuracy) for row in epochs]
    columns["Test loss"] = [_mean_text(row.test_loss) for row in epochs]
    columns["Test accuracy"] = [_mean_text(row.test_accuracy) for row in epochs]
    columns["Misread"] = [f"{row.misclassified:,}" for row in epochs]
    if not beside_paper:
        return columns
    of_paper = TABLE_II[: len(epochs)]
    beyond = [""] * (len(epochs) - len(of_paper))
    columns["Paper: loss"] = [_mean_text(row.loss) for row in of_paper] + beyond
    columns["Paper: accuracy"] = [_mean_text(row.accuracy) for row in of_paper] + beyond
    return {heading: [*cells, PAPER_RESULT.get(heading, "")] for heading, cells in columns.items()}


def run_claims(snapshot: RunSnapshot) -> Claims:
    """Return a run's results in the paper's terms; a dash for what it has not reached yet."""
    complete = [row.seconds for row in snapshot.epochs if row.complete and row.seconds]
    last = snapshot.last_epoch
    total_s = snapshot.result.train_seconds if snapshot.result else 0.0
    return Claims(
        test_accuracy=f"{last.test_accuracy:.2%}" if last else NOT_MEASURED,
        misclassified=f"{last.misclassified:,}" if last else NOT_MEASURED,
        seconds_per_epoch=f"{sum(complete) / len(complete):.1f} s" if complete else NOT_MEASURED,
        total=duration_text(total_s) if total_s else NOT_MEASURED,
        parameters=f"{count_parameters(snapshot.config):,}" if snapshot.config else NOT_MEASURED,
        device=snapshot.record.device or NOT_MEASURED,
    )


def _mean_text(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.4f}"
