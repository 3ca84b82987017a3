"""The precision that a training computes in: as set, or the fastest one on this machine."""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.network.backend import has_gpu
from mnist_lib.network.layers import layer_table

# Keras's names. Weights stay in float32 in all of them; "mixed" is the arithmetic.
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}

# Half the bits must be clearly faster, because not every operation of a step gains.
NEEDED_SPEEDUP = 1.3

REPEATS = 5


def choose_policy(config: TrainingConfig) -> str:
    """Return the Keras dtype policy that a run's settings ask for.

    ``auto`` takes the policy with which this machine computes the second convolution,
    most of the network's work, fastest. Finding out takes a tenth of a second.
    """
    if config.precision != "auto":
        return POLICIES[config.precision]
    seconds = {name: _time_convolution(config, name) for name in _candidates()}
    fastest = min(seconds, key=lambda name: seconds[name])
    return POLICIES[fastest if seconds[fastest] * NEEDED_SPEEDUP < seconds["float32"] else "float32"]


def _candidates() -> list[str]:
    """Return the precisions worth trying on this machine.

    float16 is not tried on a CPU: where its forward step is merely slow, its backward
    step was seen to take a hundred times as long.
    """
    return ["float32", "bfloat16", "float16"] if has_gpu() else ["float32", "bfloat16"]


def _time_convolution(config: TrainingConfig, dtype: str) -> float:
    """Return the seconds that the second convolution takes for one batch, the best of a few tries."""
    rows = {row.name: row for row in layer_table(config)}
    random = np.random.default_rng(0)
    shape = (config.batch_size, *rows["max_pooling2d"].output_shape)
    kernel_shape = (config.kernel_size, config.kernel_size, config.filters_1, config.filters_2)
    images = keras.ops.cast(random.random(shape, dtype=np.float32), dtype)
    kernel = keras.ops.cast(random.random(kernel_shape, dtype=np.float32), dtype)
    best = float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        outputs: Any = keras.ops.conv(images, kernel)
        # Reading one value back waits for a GPU, whose call would otherwise return before it is done.
        keras.ops.convert_to_numpy(keras.ops.cast(outputs[0, 0, 0, 0], "float32"))
        best = min(best, time.perf_counter() - began)
    return best
