"""Runs to read and to damage."""

from __future__ import annotations

import json
import os
import shutil
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.machine import process_start_time
from mnist_lib.network.forward import Layer, Network
from mnist_lib.network.weights import weight_shapes
from mnist_lib.runs.networks import network_path
from mnist_lib.runs.records import BatchRow, EpochRow, EventRow, RunResult, Status
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.runs.titles import run_title

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

# It would be a picture, links, a colour, icons, a formula, HTML, code and a heading if it were more than text.
HOSTILE_TEXT = (
    "![p](http://evil.example/p.png) [l](http://evil.example) http://evil.example www.evil.example a@evil.example "
    ":red[r] :blue-badge[b] :material/home: :smile: $x^2$ <b>bold</b> <img src='http://evil.example/q.png'> "
    "<a href='http://evil.example'>a</a> _e_ **s** ~~d~~ &amp; `c` -> x\n# h"
)
# The same as far as a folder may be called so: it has no slash and at most 255 letters.
HOSTILE_NAME = (
    "![p](http:&#47;&#47;evil.example&#47;p.png) [l](http:&#47;&#47;evil.example) www.evil.example a@evil.example "
    ":red[r] :smile: $x^2$ <b>bold <a href='http:&#47;&#47;evil.example'>a _e_ **s** `c`\n# h"
)


class Trained(NamedTuple):
    """A run of ``python -m mnist_lib train --json`` and what it printed."""

    run: Run
    arguments: list[str]
    result: dict[str, Any]
    stdout: str
    stderr: str


def batch_row(step: int, **values: Any) -> BatchRow:
    """Return a "batch" row that means nothing but what is given."""
    usual = {"epoch": 1, "elapsed_s": 0.0, "loss": 1.0, "accuracy": 0.5, "learning_rate": 0.001, "images_per_s": 1.0}
    return BatchRow(step=step, **usual | values)


def epoch_row(epoch: int, **values: Any) -> EpochRow:
    """Return an "epoch" row that means nothing but what is given."""
    usual = {"step": epoch, "elapsed_s": 0.0, "train_loss": 1.0, "train_accuracy": 0.5, "test_loss": 1.0}
    usual |= {"test_accuracy": 0.5, "misclassified": 5_000, "seconds": 1.0}
    return EpochRow(epoch=epoch, **usual | values)


def event_row(event: str, **values: Any) -> EventRow:
    """Return an "event" row that means nothing but what is given."""
    return EventRow(event=event, **{"epoch": 1, "step": 1, "elapsed_s": 0.0, "learning_rate": 0.001} | values)


def make_result(run_id: str, **values: Any) -> RunResult:
    """Return what a training reached, which means nothing but what is given."""
    usual: dict[str, Any] = {"state": "finished", "epochs": 1, "test_accuracy": 0.99, "test_loss": 0.5}
    usual |= {"misclassified": 100, "train_seconds": 60.0}
    return RunResult(run_id=run_id, **usual | values)


def result_of(run: Run) -> RunResult:
    """Return what a run reached; it has to have ended."""
    result = run.read().result
    assert result
    return result


def change_json(path: Path, **values: Any) -> None:
    """Change some entries of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def copy_bundled_run(store: RunStore, name: str = "20260101-000000-paper-seed9") -> Run:
    """Put a copy of the shipped paper's run into the store, as if it had been trained here."""
    shutil.copytree(PAPER_RUN.path, store.root / name)
    return Run(store.root / name)


def title_of(run: Run) -> str:
    """Return what the screens call a run today, if no other has the same title."""
    snapshot = run.read()
    images = snapshot.config.training_images if snapshot.config else None
    return run_title(run.run_id, images, date.today(), dataset=snapshot.record.dataset)


def let_it_train(run: Run, store: RunStore, **status: Any) -> None:
    """Let the run look as if this process were training it."""
    values = {"state": "running", "epoch": 2, "step": 15, "total_steps": 20, "message": "", **status}
    run.write_status(Status(pid=os.getpid(), pid_start_time=process_start_time(), **values))
    (store.root / ".training.json").write_text(json.dumps({"run_id": run.run_id}))


def diverge(run: Run) -> None:
    """Let the network that a run kept be one whose outputs are not numbers."""
    import h5py

    run.model_path.unlink()
    with h5py.File(network_path(run), "r+") as file:
        file["layers/dense_1/vars/1"][:] = np.nan  # type: ignore[index]


def make_hostile_run(store: RunStore) -> Run:
    """Put a failed run into the store whose name and files say what they should not."""
    run = copy_bundled_run(store, HOSTILE_NAME)
    change_json(run.path / "config.json", device=HOSTILE_TEXT, versions={HOSTILE_TEXT: HOSTILE_TEXT})
    change_json(run.path / "status.json", state="failed", message=HOSTILE_TEXT)
    metrics = run.path / "metrics.jsonl"
    row, *others = metrics.read_text().splitlines()
    event = json.dumps(json.loads(row) | {"kind": "event", "event": HOSTILE_TEXT})
    metrics.write_text("\n".join([row, event, *others]) + "\n")
    run.note_path.write_text(HOSTILE_TEXT)
    return run


def load_keras_model(run: Run) -> Any:
    """Return the network that a run kept as a ``keras.Model``. Keras has to be loaded."""
    from mnist_lib.network.model import build_model

    config = run.read().config
    assert config
    model = build_model(config)
    model.load_weights(network_path(run))
    return model


# Settings of networks that differ from the paper's in every way there is.
NETWORKS = {
    "the paper's": TrainingConfig(),
    "second pooling": TrainingConfig(second_pooling=True),
    "smallest": TrainingConfig(filters_1=1, filters_2=3, kernel_size=1, dense_units=1, dropout=0.0),
    "largest kernel": TrainingConfig(
        filters_1=5, filters_2=7, kernel_size=7, second_pooling=True, dense_units=9, dropout=0.5
    ),
    "odd sizes": TrainingConfig(filters_1=6, filters_2=4, kernel_size=4, second_pooling=True, dense_units=17),
    "odd pooling": TrainingConfig(kernel_size=4, second_pooling=True),
    "three classes": TrainingConfig(dataset="Turned", classes=3),
}


def random_network(config: TrainingConfig) -> Network:
    """Return a network of these settings whose weights and biases are random, the same ones each time."""
    random = np.random.default_rng(0)
    arrays = [random.normal(0, 0.2, shape).astype(np.float32) for shape in weight_shapes(config).values()]
    layers = [Layer(kernel, bias) for kernel, bias in zip(arrays[::2], arrays[1::2], strict=True)]
    return Network(*layers, second_pooling=config.second_pooling)
