"""Runs to look at and to damage."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, NamedTuple

from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore

# The one looked at first, of 20 epochs, and the paper's, of 5.
BUNDLED_RUN, PAPER_RUN = RunStore(Path("nowhere")).bundled_runs()

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


def change_json(path: Path, **values: Any) -> None:
    """Change some entries of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def copy_bundled_run(store: RunStore, name: str = "20260101-000000-paper-seed9") -> Run:
    """Put a copy of the shipped paper's run into the store, as if it had been trained here."""
    shutil.copytree(PAPER_RUN.path, store.root / name)
    return Run(store.root / name)
