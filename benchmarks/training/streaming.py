"""The cost of streaming, the callbacks' work between batches.

    python -m benchmarks.training.streaming BATCH_SIZE

It prints one JSON object.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.training.results import Streaming
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import load_mnist
from mnist_lib.network.backend import choose_backend, choose_onednn, load_keras
from mnist_lib.runs.store import RunStore

# Images of one training: a few seconds each, with more rows per second for small batches.
IMAGES = {1: 3_000, 8: 10_000, 32: 30_000, 256: 60_000, 4096: 60_000}


def measure_streaming(batch_size: int) -> Streaming:
    """Train two epochs and measure the share of their time that the callbacks' work between batches took.

    Args:
        batch_size: One of ``IMAGES``.
    """
    load_keras(backend=choose_backend(), onednn=choose_onednn("auto"))
    from mnist_lib.training import callbacks
    from mnist_lib.training.train import train

    spent_s = 0.0

    def timed(method: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> None:
            nonlocal spent_s
            began = time.perf_counter()
            method(*arguments, **options)
            spent_s += time.perf_counter() - began

        return call

    for callback in (
        callbacks.StepCounter, callbacks.ScheduledLearningRate, callbacks.BatchLogger, callbacks.LiveWeights,
        callbacks.RunControl,
    ):  # fmt: skip
        for name in {"on_train_batch_begin", "on_train_batch_end"} & vars(callback).keys():
            setattr(callback, name, timed(getattr(callback, name)))
    config = TrainingConfig(
        "custom", epochs=2, batch_size=batch_size, training_images=IMAGES[batch_size], schedule="one-cycle"
    )
    with tempfile.TemporaryDirectory() as folder, RunStore(Path(folder)).training(config) as run:
        seconds = train(config, load_mnist(), run).train_seconds
        rows = len(run.read().batches)
    return Streaming(batch_size=batch_size, share=spent_s / seconds, rows=rows, seconds=seconds)


if __name__ == "__main__":
    print(msgspec.json.encode(measure_streaming(int(sys.argv[1]))).decode())
