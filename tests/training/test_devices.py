"""Training on several devices: two logical CPUs in place of two GPUs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes import Python

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
replicas = []
from mnist_lib.training import train as training
make = training.make_optimizer
def make_and_count(*arguments):
    replicas.append(tf.distribute.get_strategy().num_replicas_in_sync)
    return make(*arguments)
training.make_optimizer = make_and_count
settings = {"epochs": 2, "batch_size": 50, "training_images": 1010, "seed": 2, "dropout": 0.0}
config = TrainingConfig("custom", **settings, **json.loads(sys.argv[3]))
with RunStore(Path(sys.argv[1])).training(config) as run:
    result = train(config, load_mnist(), run)
rows = [row.train_loss for row in run.read().epochs]
print(json.dumps({"replicas": replicas, "rows": rows, **msgspec.structs.asdict(result)}))
"""


@pytest.mark.parametrize("settings", [{}, {"middle_epochs": 1, "label_smoothing": 0.1}], ids=["whole", "middle first"])
def test_two_devices_train_the_same_network_as_one(settings: dict[str, float], python: Python, tmp_path: Path) -> None:
    results = []
    for devices in ("1", "2"):
        code, stdout, stderr = python.run("-c", TRAIN_ON_TWO, tmp_path / devices, devices, json.dumps(settings))
        assert code == 0, stderr
        results.append(json.loads(stdout.splitlines()[-1]))
    one, two = results
    assert (one["replicas"], two["replicas"]) == ([1], [2])
    assert (two["state"], two["epochs"]) == ("finished", 2)
    # Half a batch each, added up: the same up to rounding.
    assert two["rows"] == pytest.approx(one["rows"], rel=1e-3)
    assert two["test_accuracy"] == pytest.approx(one["test_accuracy"], abs=0.002)
