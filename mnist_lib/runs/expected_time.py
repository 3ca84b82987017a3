"""How long a training will take on this machine: as long as it took here before, or a rough estimate."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from itertools import islice
from typing import NamedTuple

import numpy as np

from mnist_lib.config import PRESETS, SETTINGS, TrainingConfig
from mnist_lib.data.dataset import IMAGE_SIZE_PX
from mnist_lib.machine import device_name
from mnist_lib.network.forward import Network, predict_probabilities
from mnist_lib.runs.comparison import run_result
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import BUNDLED_RUNS_PATH, RunStore

# On the machine of the README, seconds of training of each preset, and of reading the 10,000 test
# images with NumPy. How the two go together on other processors is known only roughly, so the
# estimate is a range: from its low to its high factor.
REFERENCE_TRAINING_S = {"paper": 70.4, "fast": 14.7, "accurate": 118.0}
REFERENCE_READING_S = 0.92
RANGE = (0.7, 2.0)

# From the start of a trainer to its first batch there: Keras loads and the network is traced.
START_S = 6.0

# The newest runs of this machine that are looked at.
MOST_RUNS = 30

# Of a training that is so many times smaller, most of the time was its start and its evaluation.
_MOST_TIMES_LARGER = 10

# Whose network is timed.
_PAPER_RUN = "pretrained-paper"

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
    for config, took in _finished_here(store):
        # With another seed it takes as long, with other settings its preset is "custom".
        if config.preset in PRESETS and config.trains_on_mnist:
            times.setdefault(config.preset, took)
    return times


def expected_time(store: RunStore, configs: Sequence[TrainingConfig]) -> ExpectedTime:
    """Return what trainings, one after the other, will take on this machine, as ``expected_times`` does.

    Args:
        store: The runs.
        configs: The settings of the trainings.
    """
    times = expected_times(store, configs)
    return ExpectedTime(sum(time.least_s for time in times), sum(time.most_s for time in times))


def expected_times(store: RunStore, configs: Sequence[TrainingConfig]) -> list[ExpectedTime]:
    """Return what each training will take on this machine, with its start.

    It is expected to take as long as the run of this machine that is most like it and not much smaller, the newest
    of these, in proportion to the images that are seen. Before there is one, it is estimated from the presets.

    Args:
        store: The runs.
        configs: The settings of the trainings.
    """
    known = _finished_here(store)
    presets: list[tuple[TrainingConfig, ExpectedTime]] = []
    times = []
    for config in configs:
        seen = _seen_images(config)
        like_it = [pair for pair in known if seen <= _MOST_TIMES_LARGER * _seen_images(pair[0])]
        if not (like_it or presets):
            presets = [(PRESETS[preset], took) for preset, took in estimated_times(_reading_s()).items()]
        like, took = min(like_it or presets, key=lambda pair: _differences(config, pair[0]))
        times.append(ExpectedTime(*(START_S + seen / _seen_images(like) * seconds for seconds in took)))
    return times


def _finished_here(store: RunStore) -> list[tuple[TrainingConfig, ExpectedTime]]:
    """Return what the newest finished trainings of this machine took, the newest first."""
    times = []
    ended = (run for run in store.own_runs() if not run.read_queue_record())  # hundreds of newer ones may wait
    for run in islice(ended, MOST_RUNS):
        result = run_result(run)
        if result is None or result.state != "finished" or result.device != device_name():
            continue
        with suppress(DamagedRunError):
            times.append((run.read_config()[0], ExpectedTime(result.train_seconds, result.train_seconds)))
    return times


# A screen asks every few seconds.
@cache
def _reading_s() -> float:
    return time_reading(load_network(Run(BUNDLED_RUNS_PATH / _PAPER_RUN, bundled=True)))


def _differences(config: TrainingConfig, other: TrainingConfig) -> int:
    return sum(getattr(config, name) != getattr(other, name) for name in SETTINGS if name != "seed")


def _seen_images(config: TrainingConfig) -> float:
    """Return how many images a training sees; those of which it sees the middle alone are half the work."""
    return config.fitted_images * (config.epochs - min(config.middle_epochs, config.epochs) / 2)


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
