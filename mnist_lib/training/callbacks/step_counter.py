"""Counts epochs, batches and the seconds of an epoch."""

from __future__ import annotations

from typing import Any

from mnist_lib.training.callbacks.training_callback import TrainingCallback


class StepCounter(TrainingCallback):
    """Counts epochs, batches and the seconds of an epoch, before the other callbacks use them.

    Args:
        state: Its ``epoch``, ``step``, ``epoch_began_s`` and ``epoch_seconds`` are updated.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Begin the next epoch."""
        self.state.epoch = epoch + 1
        self.state.epoch_began_s = self.state.elapsed_s

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Count the batches that were done since the last call."""
        # Keras counts the last call of an epoch as full, even if fewer batches were left.
        steps_per_epoch = self.state.config.steps_per_epoch
        self.state.step = (self.state.epoch - 1) * steps_per_epoch + min(batch + 1, steps_per_epoch)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Record the time of the epoch, before it is evaluated."""
        self.state.epoch_seconds = self.state.elapsed_s - self.state.epoch_began_s
