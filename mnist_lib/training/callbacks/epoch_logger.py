"""Writes each epoch's row to metrics.jsonl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mnist_lib.runs.records import EpochRow
from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.state import TrainingState


class EpochLogger(TrainingCallback):
    """Writes each epoch's row to metrics.jsonl, after the files of the epoch are saved.

    Args:
        state: The state of the training.
        on_epoch: Called with each row, as it was written.
    """

    def __init__(self, state: TrainingState, on_epoch: Callable[[EpochRow], None] = lambda row: None) -> None:
        super().__init__(state)
        self.on_epoch = on_epoch

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the row, with the test metrics that ``EpochEvaluation`` put into the logs."""
        logs = logs or {}
        row = self.state.run.append_metrics(
            EpochRow(
                epoch=epoch + 1,
                step=self.state.step,
                elapsed_s=round(self.state.elapsed_s, 3),
                complete=self.state.epoch_is_complete,
                train_loss=logs.get("loss"),
                train_accuracy=logs.get("accuracy"),
                validation_loss=logs.get("validation_loss"),
                validation_accuracy=logs.get("validation_accuracy"),
                test_loss=logs["test_loss"],
                test_accuracy=logs["test_accuracy"],
                misclassified=logs["misclassified"],
                rate_factor=self.state.rate_factor,
                seconds=round(self.state.epoch_seconds, 3),
                trained_on=self.state.trained_on,
            )
        )
        self.state.write_status(phase="training")
        self.on_epoch(row)
