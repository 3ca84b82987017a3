"""Measure what it would take to spread the batches of one training over machines, instead of whole runs.

    python -m benchmarks.data_parallel [--images 6400] [--json]

In data parallel training each machine computes the gradient of its part of every batch, and the gradients are added
up over the network before the weights change. Two logical devices of this processor stand for two machines without a
network between them; they share its cores, so what they cost more than one device is the splitting and adding alone.
The network is arithmetic: in a ring of n machines each sends 2 (n - 1) / n times the gradient for every update
(Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", 2009), here 4 bytes a
parameter at 1 Gbit/s, without any latency. At best the machines compute each batch in 1 / n of the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from typing import NamedTuple

from mnist_lib.config import PRESETS
from mnist_lib.network.layers import count_parameters
from mnist_lib.paths import PROJECT_PATH

BYTES_PER_PARAMETER = 4
NETWORK_BYTES_PER_S = 1e9 / 8
IMAGES = 60_000
BATCH_SIZES = (32, 256)

TRAIN = """
import sys, tempfile
from pathlib import Path
import tensorflow as tf
devices, batch_size, images = map(int, sys.argv[1:])
processor = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * devices)
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.store import RunStore
from mnist_lib.training.train import train
config = TrainingConfig("custom", epochs=3, batch_size=batch_size, training_images=images)
with tempfile.TemporaryDirectory() as folder, RunStore(Path(folder)).training(config) as run:
    train(config, load_mnist(), run)
    print(min(row.seconds for row in run.read().epochs[1:]) / config.steps_per_epoch)
"""


class Measured(NamedTuple):
    """What was measured and computed for one batch size and two machines.

    Attributes:
        batch_size: Images an update.
        one_ms: Milliseconds a batch on one device, measured.
        two_ms: On two logical devices of the same processor, measured.
        sent_mb: Megabytes that each of two machines sends for an update.
        network_ms: How long that takes at 1 Gbit/s.
        epoch_alone_s: An epoch of 60,000 images on one machine.
        epoch_shared_s: The same on two at best: half the computing, and the network.
    """

    batch_size: int
    one_ms: float
    two_ms: float
    sent_mb: float
    network_ms: float
    epoch_alone_s: float
    epoch_shared_s: float


def measure(batch_size: int, images: int, machines: int = 2) -> Measured:
    """Train on one device and on two, and compute what a network between them would add."""
    one_s, two_s = (_seconds_per_batch(devices, batch_size, images) for devices in (1, 2))
    sent = 2 * (machines - 1) / machines * BYTES_PER_PARAMETER * count_parameters(PRESETS["paper"])
    network_s, updates = sent / NETWORK_BYTES_PER_S, IMAGES / batch_size
    alone_s, shared_s = updates * one_s, updates * (one_s / machines + network_s)
    return Measured(batch_size, 1e3 * one_s, 1e3 * two_s, sent / 1e6, 1e3 * network_s, alone_s, shared_s)


def _seconds_per_batch(devices: int, batch_size: int, images: int) -> float:
    command = [sys.executable, "-c", TRAIN, str(devices), str(batch_size), str(images)]
    done = subprocess.run(command, cwd=PROJECT_PATH, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=6_400)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measure(batch_size, options.images) for batch_size in BATCH_SIZES]
    if options.json:
        print(json.dumps([row._asdict() for row in rows]))
        return
    print(
        f"{'batch':>6}{'one device':>12}{'two devices':>13}{'sent':>9}{'network':>10}{'epoch alone':>13}"
        f"{'on two, at best':>17}"
    )
    for row in rows:
        print(
            f"{row.batch_size:>6}{row.one_ms:>9.1f} ms{row.two_ms:>10.1f} ms{row.sent_mb:>6.2f} MB"
            f"{row.network_ms:>7.1f} ms{row.epoch_alone_s:>11.1f} s{row.epoch_shared_s:>15.1f} s"
        )


if __name__ == "__main__":
    main()
