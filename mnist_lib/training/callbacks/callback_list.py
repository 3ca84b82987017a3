"""Calls the callbacks of a training, and leaves it to them when to read the metrics."""

from __future__ import annotations

from typing import Any

import keras


class CallbackList(keras.callbacks.CallbackList):
    """Calls the callbacks of a training, and leaves it to them when to read the metrics.

    Keras's own turns the metrics into numbers after every batch, and so waits each time until a
    GPU has computed it, instead of preparing the next batch meanwhile.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Pass on the logs as they are: tensors, which ``float`` turns into numbers."""
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)
