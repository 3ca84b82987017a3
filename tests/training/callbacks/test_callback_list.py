"""The metrics of a batch are read by the callback that needs them, and not before."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("keras_loaded")


def test_metrics_nobody_needs_are_not_read() -> None:
    import keras

    from mnist_lib.training.callbacks.callback_list import CallbackList

    class Metric:
        reads = 0

        def __float__(self) -> float:
            Metric.reads += 1
            return 0.5

    class Reader(keras.callbacks.Callback):
        """Reads the loss of every third batch."""

        def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
            if logs and batch % 3 == 2:
                assert float(logs["loss"]) == 0.5

    callbacks = CallbackList([Reader()])
    for batch in range(6):
        callbacks.on_train_batch_end(batch, {"loss": Metric(), "accuracy": Metric()})
    assert Metric.reads == 2
