"""Training on several devices: two logical CPUs in place of two GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.store import RunStore
from tests.support.processes import DEADLINE_S, Copy
from tests.support.sharing import make_once

SETTINGS: dict[str, Any] = {"epochs": 2, "batch_size": 50, "training_images": 1010, "seed": 2, "dropout": 0.0}
SETTINGS |= {"filters_1": 8, "filters_2": 8, "dense_units": 32}

WAYS = {"whole": {}, "middle first": {"middle_epochs": 1, "label_smoothing": 0.1}}


def train_on(devices: int, folder: Path) -> None:
    """Train in each of the ways on so many logical devices, in a process whose TensorFlow has none yet."""
    import tensorflow as tf

    processor = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * devices
    tf.config.set_logical_device_configuration(processor, configuration)
    from mnist_lib.training import train as training

    make = training.make_optimizer

    def make_and_count(*arguments: Any) -> Any:
        replicas.append(tf.distribute.get_strategy().num_replicas_in_sync)
        return make(*arguments)

    training.make_optimizer = make_and_count
    results = {}
    for way, changes in WAYS.items():
        replicas: list[int] = []
        config = TrainingConfig("custom", **SETTINGS | changes)
        with RunStore(folder / "runs").training(config) as run:
            result = training.train(config, load_mnist(), run)
        rows = [row.train_loss for row in run.read().epochs]
        results[way] = {"replicas": replicas, "rows": rows, **msgspec.structs.asdict(result)}
    (folder / f"{devices}.json").write_text(json.dumps(results))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What one device made of each of the ways to train, and what two made of it: one process each, by way."""

    def train(folder: Path) -> None:
        for devices in (1, 2):
            process = Copy(train_on, devices, folder)
            _, stderr = process.communicate(timeout=DEADLINE_S)
            assert process.returncode == 0, stderr

    folder = make_once(tmp_path_factory, "devices", train)
    return [json.loads((folder / f"{devices}.json").read_text()) for devices in (1, 2)]


@pytest.mark.process
@pytest.mark.parametrize("way", WAYS)
def test_two_devices_train_the_same_network_as_one(way: str, results: list[dict[str, Any]]) -> None:
    one, two = (result[way] for result in results)
    assert (one["replicas"], two["replicas"]) == ([1], [2])
    assert (two["state"], two["epochs"]) == ("finished", 2)
    # Half a batch each, added up: the same up to rounding.
    assert two["rows"] == pytest.approx(one["rows"], rel=1e-3)
    assert two["test_accuracy"] == pytest.approx(one["test_accuracy"], abs=0.002)
