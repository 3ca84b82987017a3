"""Training on JAX: as on TensorFlow, and a run stays on the backend on which it began."""

from __future__ import annotations

import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import DEADLINE_S, Python, wait_until
from tests.support.sharing import make_once

# Everything that has a memory: a schedule, momentum, augmentation, dropout, the middle of the images first. On a busy
# machine, `auto` may choose another precision in one process than in the next. The network is small and every batch
# is whole: JAX computes slowly here, and takes seconds to compile a step for each size of a batch.
SETTINGS = (
    "--preset=fast", "--epochs=3", "--limit=5120", "--precision=float32",
    "--filters-1=8", "--filters-2=16",
)  # fmt: skip


class Start(Protocol):
    def __call__(self, python: Python, store: RunStore, *arguments: str, backend: str) -> subprocess.Popen[str]: ...


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Start:
    """Return a function that starts ``train`` with this KERAS_BACKEND; an empty one is none.

    What JAX compiles for one process, the next one takes from a folder.
    """
    keeping = {
        "JAX_COMPILATION_CACHE_DIR": str(make_once(tmp_path_factory, "compiled", lambda folder: None)),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }

    def start(python: Python, store: RunStore, *arguments: str, backend: str) -> subprocess.Popen[str]:
        command = ("-m", "mnist_lib", "train", "--runs-dir", store.root, *arguments)
        return python.start(*command, KERAS_BACKEND=backend, **keeping)

    return start


def assert_ends_well(process: subprocess.Popen[str]) -> None:
    """Wait for the end of a training; it may say nothing on stderr, where TensorFlow's messages would be."""
    _, stderr = process.communicate(timeout=2 * DEADLINE_S)
    assert (process.returncode, stderr) == (0, "")


@pytest.fixture(scope="module")
def undisturbed(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that nobody interrupted."""

    def train(folder: Path) -> None:
        assert_ends_well(start(Python(), RunStore(folder), *SETTINGS, backend="jax"))

    return RunStore(make_once(tmp_path_factory, "jax", train)).own_runs()[0]


@pytest.mark.process
def test_network_learns_on_jax(undisturbed: Run, dataset: Dataset) -> None:
    snapshot = undisturbed.read()
    assert snapshot.state == "finished"
    assert snapshot.record.versions["jax"] == version("jax")
    assert "tensorflow" not in snapshot.record.versions
    assert snapshot.record.onednn is None
    assert [row.step for row in snapshot.epochs] == [20, 40, 60]
    assert len(snapshot.batches) > len(snapshot.epochs)
    read = predict_probabilities(load_network(undisturbed), dataset.test_images[:1_000])
    assert accuracy(read, dataset.test_labels[:1_000]) > 0.9


def test_paused_stopped_and_continued_run_ends_as_if_nothing_had_happened(
    start: Start, undisturbed: Run, python: Python, store: RunStore
) -> None:
    process = start(python, store, *SETTINGS, backend="jax")
    (run,) = wait_until(store.own_runs)
    wait_until(lambda: run.read().batches)
    run.request(paused=True)
    wait_until(lambda: run.read().state == "paused")
    run.request(paused=False)
    wait_until(lambda: run.read().epochs)
    run.request(stop=True)
    assert_ends_well(process)
    assert (run.read().state, run.checkpoints()) == ("stopped", [1])
    # On JAX although nobody says so any more.
    assert_ends_well(start(python, store, f"--continue={run.run_id}", backend=""))
    assert run.read().record.versions == undisturbed.read().record.versions
    for epoch in (1, 2, 3):
        np.testing.assert_array_equal(run.probabilities(epoch), undisturbed.probabilities(epoch))
    for layer, expected in zip(load_network(run)[:4], load_network(undisturbed)[:4], strict=True):
        np.testing.assert_array_equal(layer.kernel, expected.kernel)
        np.testing.assert_array_equal(layer.bias, expected.bias)
