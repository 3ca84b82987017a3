"""Keeps a checkpoint of the last complete epoch."""

from __future__ import annotations

from typing import Any

import keras

from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.checkpoints import remove_checkpoints, save_checkpoint
from mnist_lib.training.state import TrainingState


class EpochCheckpoint(TrainingCallback):
    """Keeps a checkpoint of the last complete epoch, and no others: it is three times as large as the weights.

    The older checkpoint is removed after the epoch's row is written. Until then the new one
    does not count, and a run would continue from the older one.

    Args:
        state: The state of the training.
        network: The whole network, of which an epoch may train the middle view.
    """

    def __init__(self, state: TrainingState, network: keras.Model) -> None:
        super().__init__(state)
        self.network = network

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the weights and the optimizer's state, unless the epoch was stopped."""
        if self.state.epoch_is_complete:
            save_checkpoint(self.network, self.state.run, self.state.config, epoch + 1)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Remove the older checkpoints; Keras's fit is called once per epoch."""
        if self.state.epoch_is_complete:
            remove_checkpoints(self.state.run, self.state.epoch - 1)
