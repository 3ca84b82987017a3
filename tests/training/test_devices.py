"""Training on several devices: two logical CPUs in place of two GPUs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes import Python
from tests.support.sharing import make_once

TRAIN_ON_TWO = """
import json, sys
import msgspec
from pathlib import Path
import tensorflow as tf
processor = tf.config.list_physical_devices("CPU")[0]
configuration = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[2])
tf.config.set_logical_device_configuration(processor, configuration)
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.store import RunStore
from mnist_lib.training.train import train
from mnist_lib.training import train as training
make = training.make_optimizer
def make_and_count(*arguments):
    replicas.append(tf.distribute.get_strategy().num_replicas_in_sync)
    return make(*arguments)
training.make_optimizer = make_and_count
settings = {"epochs": 2, "batch_size": 50, "training_images": 1010, "seed": 2, "dropout": 0.0}
settings |= {"filters_1": 8, "filters_2": 8, "dense_units": 32}
results = []
for changes in json.loads(sys.argv[3]):
    replicas = []
    config = TrainingConfig("custom", **settings, **changes)
    with RunStore(Path(sys.argv[1])).training(config) as run:
        result = train(config, load_mnist(), run)
    rows = [row.train_loss for row in run.read().epochs]
    results.append({"replicas": replicas, "rows": rows, **msgspec.structs.asdict(result)})
print(json.dumps(results))
"""

WAYS = {"whole": {}, "middle first": {"middle_epochs": 1, "label_smoothing": 0.1}}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What one device made of each of the ways to train, and what two made of it: one process each, by way."""

    def train(folder: Path) -> None:
        results = []
        for devices in ("1", "2"):
            ways = json.dumps([*WAYS.values()])
            code, stdout, stderr = Python().run("-c", TRAIN_ON_TWO, folder / devices, devices, ways)
            assert code == 0, stderr
            results.append(dict(zip(WAYS, json.loads(stdout.splitlines()[-1]), strict=True)))
        (folder / "results.json").write_text(json.dumps(results))

    return json.loads((make_once(tmp_path_factory, "devices", train) / "results.json").read_text())


@pytest.mark.process
@pytest.mark.parametrize("way", WAYS)
def test_two_devices_train_the_same_network_as_one(way: str, results: list[dict[str, Any]]) -> None:
    one, two = (result[way] for result in results)
    assert (one["replicas"], two["replicas"]) == ([1], [2])
    assert (two["state"], two["epochs"]) == ("finished", 2)
    # Half a batch each, added up: the same up to rounding.
    assert two["rows"] == pytest.approx(one["rows"], rel=1e-3)
    assert two["test_accuracy"] == pytest.approx(one["test_accuracy"], abs=0.002)
