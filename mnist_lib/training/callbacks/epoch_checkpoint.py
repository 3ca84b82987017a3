"""Keeps what it takes to go on from the last whole epoch."""

from __future__ import annotations

from typing import Any

from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.checkpoints import remove_checkpoints, save_checkpoint


class EpochCheckpoint(TrainingCallback):
    """Keeps what it takes to go on from the last whole epoch, and only that: it is three times the weights.

    The older checkpoint goes after the epoch's row is written: a checkpoint without its row
    does not count, and the run goes on from the one before.

    Args:
        state: Where the training stands.
    """

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep the weights and the optimizer's state, unless the epoch was broken off."""
        if self.state.epoch_is_complete:
            save_checkpoint(self.model, self.state.run, self.state.config, epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the older checkpoints; Keras's fit is called once an epoch."""
        if self.state.epoch_is_complete:
            remove_checkpoints(self.state.run, self.state.epoch - 1)
