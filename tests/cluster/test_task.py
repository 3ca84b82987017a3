"""What a worker does, without a cluster: a folder, and a trainer in it."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from mnist_lib.cluster import task
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.cluster.test_cluster import CONFIG
from tests.support.processes import wait_until


@pytest.fixture
def worker(tmp_path: Path) -> SimpleNamespace:
    """What Dask passes to a function on a worker, as far as it is used."""
    return SimpleNamespace(local_directory=str(tmp_path))


@pytest.mark.process
def test_a_training_that_its_dispatcher_left_is_given_up_when_the_next_asks(
    worker: SimpleNamespace, store: RunStore
) -> None:
    with store.training(replace(CONFIG, epochs=100)) as run:
        config = (run.path / "config.json").read_bytes()
    task.receive({"me-1/runs/left/config.json": config}, worker)
    folder = Path(worker.local_directory) / "me-1"
    caught: list[BaseException] = []

    def train() -> None:
        try:
            task._train(folder, Path(worker.local_directory) / "data", "here")
        except task.TrainingLostError as error:
            caught.append(error)

    training = threading.Thread(target=train)
    training.start()
    wait_until((folder / "wanted").exists)
    controls = Run(folder / "runs" / "left").read_controls()._replace(paused=True)
    news = wait_until(lambda: task.exchange("me-1", 0, 0, controls._asdict(), worker))
    assert (news.rows, news.epoch, news.status["state"]) == (b"", 0, news.status["state"])
    assert Run(folder / "runs" / "left").read_controls().paused
    task.describe("somebody else", worker)
    assert (folder / "wanted").exists()
    task.describe("me", worker)
    training.join(60)
    assert [str(error) for error in caught] == ["nobody has asked about the training any more"]
    assert task.exchange("me-1", 0, 0, controls._asdict(), worker) is None
