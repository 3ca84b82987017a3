"""Work on the queue: real trainers, one after the other, whatever ends them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.processes import Python, wait_until

pytestmark = [pytest.mark.process, pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")]

LONG = TrainingConfig(
    "custom", epochs=100, training_images=5_000, batch_size=8, filters_1=1, filters_2=1, dense_units=1
)


def add_without_data(queue: RunQueue) -> Run:
    """Add a run that fails before TensorFlow is loaded."""
    gone = DatasetDescription(
        name="gone", class_names=("a", "b"), training_images=64, test_images=10, sha256="0" * 64, fitting="whole"
    )
    return queue.add(replace(LONG, training_images=64, dataset="gone", classes=2), gone)


def is_training(run: Run) -> Callable[[], bool]:
    return lambda: run.read().state == "running"


def test_work_trains_all_that_waits_past_a_failure_and_a_killed_trainer(store: RunStore, python: Python) -> None:
    queue = RunQueue(store)
    failed = add_without_data(queue)
    killed = queue.add(replace(LONG, epochs=2))
    work = python.start("-m", "mnist_lib", "work", "--runs-dir", store.root)

    def first_epoch() -> bool:
        return bool(killed.checkpoints())

    wait_until(first_epoch)
    os.kill(killed.read_status().pid, signal.SIGKILL)
    stdout, stderr = work.communicate(timeout=120)
    assert (work.returncode, stderr) == (0, "")
    assert [line.split()[:2] for line in stdout.splitlines()] == [
        [failed.run_id, "failed"],
        [killed.run_id, "finished"],
    ]
    events = [event.event for event in killed.read().events]
    assert events == ["continued"]
    assert failed.read().message == "The data set gone is not here. Add it on the Dataset screen."
    assert queue.waiting() == []
    assert not any(run.queue_path.exists() for run in (killed, failed))


def test_work_that_is_ended_keeps_its_training_in_the_queue(store: RunStore, python: Python) -> None:
    queue = RunQueue(store)
    run = queue.add(LONG)
    work = python.start("-m", "mnist_lib", "work", "--runs-dir", store.root)
    wait_until(is_training(run))
    second = python.run("-m", "mnist_lib", "work", "--runs-dir", store.root)
    assert second == (3, "", "mnist_lib: Another process works the queue already.\n")
    work.terminate()
    work.wait(60)
    assert run.read().state == "stopped"
    assert run.has_model()
    assert [entry.run for entry in queue.waiting()] == [run]
    assert not queue.worker_is_alive()


def test_next_worker_waits_for_the_training_of_one_that_was_killed(store: RunStore, python: Python) -> None:
    queue = RunQueue(store)
    first, second = queue.add(LONG), add_without_data(queue)
    work = python.start("-m", "mnist_lib", "work", "--runs-dir", store.root)
    wait_until(is_training(first))
    work.kill()
    trainer = first.read_status().pid
    work = python.start("-m", "mnist_lib", "work", "--runs-dir", store.root)
    wait_until(queue.worker_is_alive)
    assert first.read_status().pid == trainer
    assert second.read().state == "queued"
    store.request(first, stop=True)
    assert work.wait(120) == 0
    assert [first.read().state, second.read().state] == ["stopped", "failed"]
