"""How long a training will take on this machine: as long as it took here before, or a rough estimate."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from mnist_lib.config import PRESETS
from mnist_lib.data.dataset import IMAGE_SIZE_PX
from mnist_lib.machine import device_name
from mnist_lib.network.forward import Network, predict_probabilities
from mnist_lib.runs.comparison import run_result
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.store import RunStore

# On the machine of the README, seconds of training of each preset, and of reading the 10,000 test
# images with NumPy. How the two go together on other processors is known only roughly, so the
# estimate is a range: from its low to its high factor.
REFERENCE_TRAINING_S = {"paper": 70.4, "fast": 14.7, "accurate": 118.0}
REFERENCE_READING_S = 0.92
RANGE = (0.7, 2.0)

# The newest runs of this machine that are looked at.
MOST_RUNS = 30

_TIMED_IMAGES = 200
_TIMES = 3


class ExpectedTime(NamedTuple):
    """The seconds that a training will take, from the least to the most; the same if it was measured here."""

    least_s: float
    most_s: float


def measured_times(store: RunStore) -> dict[str, ExpectedTime]:
    """Return by preset what the newest finished training with it on MNIST took on this machine.

    Presets with which none was done are left out.
    """
    times: dict[str, ExpectedTime] = {}
    for run in store.own_runs()[:MOST_RUNS]:
        result = run_result(run)
        if result is None or result.state != "finished" or result.device != device_name():
            continue
        with suppress(DamagedRunError):
            config, _ = run.read_config()
            # With another seed it takes as long, with other settings its preset is "custom".
            if config.preset in PRESETS and config.trains_on_mnist:
                times.setdefault(config.preset, ExpectedTime(result.train_seconds, result.train_seconds))
    return times


def estimated_times(reading_s: float) -> dict[str, ExpectedTime]:
    """Return by preset what a training will take on a processor that was never measured.

    Args:
        reading_s: What ``time_reading`` returned.
    """
    speed = reading_s / REFERENCE_READING_S
    return {
        preset: ExpectedTime(*(seconds * speed * factor for factor in RANGE))
        for preset, seconds in REFERENCE_TRAINING_S.items()
    }


def time_reading(network: Network) -> float:
    """Return how long this machine takes to read 10,000 images with NumPy, in seconds; takes some 50 ms.

    Args:
        network: The paper's network.
    """
    images = np.zeros((_TIMED_IMAGES, IMAGE_SIZE_PX, IMAGE_SIZE_PX), dtype=np.uint8)
    fastest = math.inf
    for _ in range(_TIMES):
        began = time.perf_counter()
        predict_probabilities(network, images)
        fastest = min(fastest, time.perf_counter() - began)
    return fastest * 10_000 / _TIMED_IMAGES
