"""Writes the metrics of the latest batches to metrics.jsonl, a few times per second."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mnist_lib.runs.records import BatchRow
from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.state import TrainingState

# Several rows per second make a smooth curve; one per batch would be 9,375 rows for
# the paper's run, which costs more than it shows.
SECONDS_PER_ROW = 0.25

# However slow the machine, an epoch's rows stay below a tenth of a megabyte.
ROWS_PER_EPOCH = 300


class DivergedError(Exception):
    """The loss is not a number any more. The message says where, in one line."""


class BatchLogger(TrainingCallback):
    """Writes the metrics of the latest batches to metrics.jsonl, a few times per second.

    Keras reports the mean over the epoch so far. The metrics of the latest batches
    are computed from the difference of two such sums.

    Args:
        state: The state of the training.
    """

    def __init__(self, state: TrainingState) -> None:
        super().__init__(state)
        self._sums = np.zeros(3)  # images, loss and hits of this epoch up to the last row
        self._row_step = 0
        self._row_s = state.elapsed_s

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Reset the epoch's sums."""
        self._sums = np.zeros(3)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write a row if it is time for one.

        Raises:
            DivergedError: The loss is not a number any more. The row was written.
        """
        enough_seconds = self.state.elapsed_s - self._row_s >= SECONDS_PER_ROW
        enough_batches = (self.state.step - self._row_step) * ROWS_PER_EPOCH >= self.state.config.steps_per_epoch
        if self.state.epoch_is_complete or (enough_seconds and enough_batches):
            self.write_pending_row(logs or {})

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Exclude the evaluation, which is over by now, from the next row's time."""
        self._row_s = self.state.elapsed_s

    def write_pending_row(self, logs: dict[str, Any]) -> None:
        """Write a row for the batches since the last one, if there are any.

        Args:
            logs: Keras's means over the epoch so far, ``loss`` and ``accuracy``: numbers, or tensors of the backend.

        Raises:
            DivergedError: The loss is not a number any more. The row was written.
        """
        state = self.state
        if self._row_step == state.step:
            return
        now_s = state.elapsed_s
        seen = state.images_of_epoch
        sums = np.array([seen, float(logs["loss"]) * seen, float(logs["accuracy"]) * seen])
        images, loss, hits = sums - self._sums
        state.run.append_metrics(
            BatchRow(
                epoch=state.epoch,
                step=state.step,
                elapsed_s=round(state.elapsed_s, 3),
                loss=float(max(loss / images, 0.0)) if math.isfinite(loss) else math.nan,
                accuracy=float(hits / images),
                learning_rate=state.learning_rate,
                images_per_s=round(float(images) / (now_s - self._row_s), 1),
            )
        )
        self._sums, self._row_s, self._row_step = sums, now_s, state.step
        if not math.isfinite(loss):
            raise DivergedError(
                f"the loss is not a number any more in epoch {state.epoch}, at learning rate {state.learning_rate:.2g}"
            )
