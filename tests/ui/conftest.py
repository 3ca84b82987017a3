"""Fixtures for every test of a screen: a store, and the screens' modules imported again."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mnist_lib.runs.store import RunStore
from tests.support.screens import forget_screens


@pytest.fixture(autouse=True)
def no_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every import of Keras and TensorFlow fail: no screen, in any state, may need them."""
    for name in ("keras", "tensorflow"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.fixture(autouse=True)
def fresh_ui() -> None:
    """Let each test's app import the screens' modules anew."""
    forget_screens()


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    """Give each test an empty store of its own."""
    monkeypatch.setenv("MNIST_RUNS_DIR", str(tmp_path / "runs"))
    return RunStore(tmp_path / "runs")
