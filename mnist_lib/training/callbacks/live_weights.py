"""Writes the newest weights within an epoch, for the screens to read digits with."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import keras

from mnist_lib.network.weights import write_live_network
from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.state import TrainingState

# At least this long from one file to the next, and so long that writing takes at most this share of the time.
SECONDS_PER_FILE = 1.0
LARGEST_SHARE = 0.01


class LiveWeights(TrainingCallback):
    """Writes the newest weights about once per second, the untrained ones first.

    A file that cannot be written is left out: the training does not need it.

    Args:
        state: The state of the training.
        network: The whole network, of which an epoch may train the middle view.
    """

    def __init__(self, state: TrainingState, network: keras.Model) -> None:
        super().__init__(state)
        self.network = network
        self._due_s = state.elapsed_s

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the weights before the first batch, if it is time for it."""
        self._write_if_due()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Write the weights if it is time for it."""
        self._write_if_due()

    def _write_if_due(self) -> None:
        if self.state.elapsed_s < self._due_s:
            return
        _ = self.model  # Keras's JAX backend keeps the weights elsewhere within an epoch, until this is asked for
        began_s = time.thread_time()  # without the time that other processes take in between
        with suppress(OSError):
            write_live_network(self.state.run.live_path, self.state.step, self.network.get_weights())
        taken_s = time.thread_time() - began_s
        self._due_s = self.state.elapsed_s + max(SECONDS_PER_FILE, taken_s / LARGEST_SHARE)
