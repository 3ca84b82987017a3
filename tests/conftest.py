"""What all tests share: MNIST, one tiny run that the command line really trained, and processes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from mnist_lib.data.dataset import Dataset, load_mnist
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.network.backend import load_keras
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.datasets import make_turned_digits
from tests.support.drawings import keep_digits
from tests.support.processes import DEADLINE_S, Python
from tests.support.runs import PAPER_RUN, Trained
from tests.support.sharing import make_once

# Whoever uses one of these starts a process of the project: a trainer, a command, a server.
PROCESS_FIXTURES = {
    "python",
    "trained",
    "learned",
    "turned",
    "run_copy",
    "interrupted",
    "shared_server",
    "start_server",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start processes, which ``make check`` leaves out, and let those of Keras come first.

    Each worker takes its part of the list: so one of them loads Keras, and not all.
    """
    for item in items:
        if PROCESS_FIXTURES & set(fixtures_of(item)):
            item.add_marker("process")
    items.sort(key=lambda item: "keras_loaded" not in fixtures_of(item))


def fixtures_of(item: pytest.Item) -> list[str]:
    """Return the names of the fixtures that a test uses."""
    return getattr(item, "fixturenames", [])


@pytest.fixture
def python() -> Iterator[Python]:
    """Start Python processes that end with the test."""
    python = Python()
    yield python
    python.end_all()


@pytest.fixture(scope="session")
def dataset() -> Dataset:
    """MNIST, loaded once."""
    return load_mnist()


@pytest.fixture(scope="session")
def keras_loaded() -> None:
    """Keras in this process, without a GPU."""
    load_keras(use_gpu=False)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A tiny run, trained once for all tests and workers. Nobody may change it; ``run_copy`` is for that."""
    options = ["--limit", "640", "--epochs", "2", "--batch-size", "64", "--seed", "7"]
    command = ["-m", "mnist_lib", "train", "--json", *options, "--runs-dir"]

    def train(folder: Path) -> None:
        code, stdout, stderr = Python().run(*command, folder / "runs")
        assert code == 0, stderr
        (folder / "printed.json").write_text(json.dumps([stdout, stderr]))

    folder = make_once(tmp_path_factory, "trained", train)
    root = folder / "runs"
    stdout, stderr = json.loads((folder / "printed.json").read_text())
    result = json.loads(stdout.splitlines()[-1])
    return Trained(Run(root / result["run_id"]), [*command, str(root)], result, stdout, stderr)


@pytest.fixture(scope="session")
def learned(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Run:
    """A tiny run that learned twenty drawings on the command line, once for all tests. Nobody may change it."""

    def train(folder: Path) -> None:
        keep_digits(OwnDigits(folder / "drawings"), dataset, 20)
        options = ["--from", PAPER_RUN.run_id, "--limit", "128", "--epochs", "1", "--runs-dir", folder / "runs"]
        process = Python().train(*options)
        _, stderr = process.communicate(DEADLINE_S)
        assert process.returncode == 0, stderr

    return RunStore(make_once(tmp_path_factory, "learned", train) / "runs").own_runs()[0]


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """An empty store without the runs that ship with the project."""
    return RunStore(tmp_path / "runs", bundled_root=tmp_path / "no bundled runs")


@pytest.fixture
def run_copy(trained: Trained, store: RunStore) -> Run:
    """A copy of the tiny run to damage, alone in ``store``.

    The weights, most of its megabytes, are links: replace them, never write into them.
    """

    def copy(source: str, target: str) -> None:
        (os.link if source.endswith(".weights.h5") else shutil.copy)(source, target)

    return Run(Path(shutil.copytree(trained.run.path, store.root / trained.run.run_id, copy_function=copy)))


@pytest.fixture(scope="session")
def turned(tmp_path_factory: pytest.TempPathFactory, dataset: Dataset) -> Run:
    """A tiny run on another data set than MNIST, which is beside it. Nobody may change either."""

    def train(folder: Path) -> None:
        DatasetLibrary(folder / "datasets").add(make_turned_digits(dataset))
        options = ["--dataset", "Turned", "--epochs", "2", "--batch-size", "64", "--runs-dir", folder / "runs"]
        process = Python().train(*options)
        _, stderr = process.communicate(DEADLINE_S)
        assert process.returncode == 0, stderr

    return RunStore(make_once(tmp_path_factory, "turned", train) / "runs").own_runs()[0]
