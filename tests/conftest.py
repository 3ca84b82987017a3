"""What the tests share: MNIST, one tiny run that the command line really trained, and processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from mnist_lib.backend import load_keras
from mnist_lib.dataset import Dataset, load_mnist
from mnist_lib.run_store import RunStore
from mnist_lib.runs import Run

PROJECT_PATH = Path(__file__).parents[1]

# A loaded machine is slow, not wrong.
DEADLINE_S = 120.0


# What the last line of `train --json` holds, in its order.
RESULT_FIELDS = [
    "run_id",
    "state",
    "epochs",
    "test_accuracy",
    "test_loss",
    "misclassified",
    "train_seconds",
    "images_per_second",
    "device",
    "precision",
]


class Trained(NamedTuple):
    """A run of ``python -m mnist_lib train --json`` and what it printed."""

    run: Run
    arguments: list[str]
    result: dict[str, Any]
    stdout: str
    stderr: str


class Python:
    """Starts Python processes in the project, without a GPU, and ends what is left of them."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start ``python ARGUMENTS`` with pipes for its input and output."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=PROJECT_PATH,
            env=inherited | {"CUDA_VISIBLE_DEVICES": "-1"} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Where the tests themselves run in the background, Ctrl-C may be ignored, and children inherit that.
            preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if os.name == "posix" else None,
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        """Run ``python ARGUMENTS`` to its end and return its exit code, stdout and stderr."""
        process = self.start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
        return process.returncode, stdout, stderr

    def end_all(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()
            process.communicate()


@pytest.fixture
def python() -> Iterator[Python]:
    """Start Python processes that end with the test."""
    python = Python()
    yield python
    python.end_all()


def forget_screens() -> None:
    """Let the next AppTest import the screens' modules anew.

    Streamlit 1.65, the last for Python 3.10, registers a component only with the
    runtime that imports it, and each AppTest is a runtime.
    """
    for name in [name for name in sys.modules if name.startswith("mnist_lib.ui")]:
        del sys.modules[name]


def wait_until(condition: Callable[[], Any]) -> Any:
    """Return the first true value of a condition, or fail at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing happened within {DEADLINE_S:.0f} s")


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
    """A tiny run, trained once for all tests. Nobody may change it; ``run_copy`` is for that."""
    root = tmp_path_factory.mktemp("trained")
    options = ["--limit", "640", "--epochs", "2", "--batch-size", "64", "--seed", "7"]
    arguments = ["-m", "mnist_lib", "train", "--json", "--runs-dir", str(root), *options]
    code, stdout, stderr = Python().run(*arguments)
    assert code == 0, stderr
    result = json.loads(stdout.splitlines()[-1])
    return Trained(Run(root / result["run_id"]), arguments, result, stdout, stderr)


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
