"""The trainer's process: it is independent, alone in its store, and its end is noticed."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy
from mnist_lib.machine import is_same_process
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError
from mnist_lib.training.launch import start_training
from tests.support.processes import Python, wait_until

pytestmark = [pytest.mark.process, pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")]

# Long enough never to end by itself while the tests look at it.
ENDLESS = TrainingConfig(
    "custom", epochs=100, batch_size=64, learning_rate=0.00225, seed=123456789, training_images=704
)

START = """
import sys
from pathlib import Path
from mnist_lib.config import TrainingConfig
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training
settings = {"epochs": 100, "batch_size": 64, "learning_rate": 0.00225, "seed": 123456789, "training_images": 704}
run = start_training(RunStore(Path(sys.argv[1])), TrainingConfig("custom", **settings))
print(run.run_id)
"""


def kill(run: Run) -> None:
    """Kill a run's trainer if it lives, as a power cut would."""
    status = run.read_status()
    if is_same_process(status.pid, status.pid_start_time):
        os.kill(status.pid, signal.SIGKILL)
    wait_until(lambda: not is_same_process(status.pid, status.pid_start_time))


class Story(NamedTuple):
    """One trainer from its start to its violent end, and what was seen on the way.

    A trainer takes seconds to begin: one life is looked at by many tests.
    """

    store: RunStore
    run: Run
    at_start: RunSnapshot
    alive_without_its_starter: bool
    niceness: int
    process_group: int
    active: Run | None
    second_start: tuple[RunSnapshot, bool]  # how it reads, and whether it waits
    while_training: RunSnapshot
    after_kill: RunSnapshot


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """A trainer started by a process that ends at once, killed in its second epoch or later."""
    folder = tmp_path_factory.mktemp("trainer")
    store = RunStore(folder / "runs", bundled_root=folder / "none")
    code, stdout, stderr = Python().run("-c", START, store.root)
    assert code == 0, stderr
    run = Run(store.root / stdout.strip())
    try:
        at_start = run.read()
        status = run.read_status()
        process = psutil.Process(status.pid)
        alive, niceness, group = process.is_running(), process.nice(), os.getpgid(status.pid)
        second = start_training(store, TrainingConfig())
        queue = RunQueue(store)
        wait_until(queue.worker_is_alive)
        second_start = second.read(), [entry.run for entry in queue.waiting()] == [second]
        queue.take_back(second)
        wait_until(lambda: not queue.worker_is_alive())

        def second_epoch() -> RunSnapshot | None:
            snapshot = run.read()
            assert snapshot.is_active, snapshot.message
            return snapshot if snapshot.epochs and snapshot.batches[-1].epoch > 1 else None

        while_training = wait_until(second_epoch)
        active = store.active_run()
    finally:
        kill(run)
    return Story(store, run, at_start, alive, niceness, group, active, second_start, while_training, run.read())


def test_start_returns_a_run_that_is_readable_at_once(story: Story) -> None:
    assert story.at_start.state == "starting"
    assert story.at_start.run_id == story.run.run_id
    assert story.at_start.status is not None
    assert story.at_start.status.total_steps == 1100


def test_settings_reach_the_trainer_exactly(story: Story) -> None:
    assert story.at_start.config == ENDLESS
    assert story.while_training.config == ENDLESS


def test_trainer_outlives_the_process_that_started_it(story: Story) -> None:
    assert story.alive_without_its_starter
    assert story.while_training.state == "running"
    assert story.while_training.epochs


def test_trainer_gives_way_to_others_in_a_group_of_its_own(story: Story) -> None:
    assert story.niceness == min(psutil.Process().nice() + 10, 19)
    assert story.at_start.status is not None
    assert story.process_group == story.at_start.status.pid


def test_active_run_is_found_from_outside(story: Story) -> None:
    assert story.active is not None
    assert story.active.path == story.run.path


def test_second_start_waits_in_a_queue_that_somebody_works(story: Story) -> None:
    snapshot, waits = story.second_start
    assert (snapshot.state, waits) == ("queued", True)
    assert snapshot.config == TrainingConfig()
    assert [run.run_id for run in story.store.runs()] == [story.run.run_id]  # it was taken back


def test_killed_trainer_is_interrupted_and_no_longer_active(story: Story) -> None:
    assert (story.after_kill.state, story.after_kill.message) == ("interrupted", "the trainer ended unexpectedly")
    assert story.store.active_run() is None


def test_killed_trainer_leaves_its_finished_epochs(story: Story, dataset: Dataset) -> None:
    seen = story.while_training
    assert story.after_kill.epochs[: len(seen.epochs)] == seen.epochs
    assert story.after_kill.batches[: len(seen.batches)] == seen.batches
    for epoch in story.after_kill.epochs:
        assert epoch.test_accuracy == accuracy(story.run.probabilities(epoch.epoch), dataset.test_labels)
    assert not story.run.model_path.exists()
    load_network(story.run)  # the weights of its last epoch


def test_trainer_s_log_has_a_line_an_epoch(story: Story) -> None:
    lines = story.run.log_path.read_text().splitlines()
    assert sum(line.startswith("epoch ") for line in lines) >= len(story.while_training.epochs)
    assert any(line.startswith("epoch   1/100 ") for line in lines)


def start_at_the_same_time(store: RunStore, configs: list[TrainingConfig]) -> list[Run | RunStoreError]:
    """Start trainings from as many threads, and return what each got."""
    barrier = threading.Barrier(len(configs))
    outcomes: list[Run | RunStoreError] = []

    def start(config: TrainingConfig) -> None:
        barrier.wait()
        try:
            outcomes.append(start_training(store, config))
        except RunStoreError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=start, args=(config,)) for config in configs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


@pytest.mark.parametrize("seeds", [(1, 2), (1, 1)], ids=["two names", "one name"])
def test_of_two_starts_at_the_same_time_one_trains_and_one_waits(seeds: tuple[int, int], store: RunStore) -> None:
    # With one seed both choose the same name: the time, the preset and the seed.
    outcomes = start_at_the_same_time(store, [TrainingConfig("custom", epochs=9, seed=seed) for seed in seeds])
    queue = RunQueue(store)
    queue.pause()
    runs = store.runs()
    for run in runs:
        kill(run)
    wait_until(lambda: not queue.worker_is_alive())
    assert {run.run_id for run in runs} == {run.run_id for run in outcomes if isinstance(run, Run)}
    assert len(runs) == 2
    assert sorted(run.read().state for run in runs) == ["interrupted", "queued"]


def test_start_in_a_store_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunStoreError) as caught:
        start_training(RunStore(tmp_path / "file" / "runs"), TrainingConfig())
    assert not isinstance(caught.value, TrainingRefusedError)
    assert str(caught.value) == f"Cannot write to the runs folder {tmp_path}/file/runs: Not a directory."


def test_start_works_again_after_a_killed_trainer(store: RunStore) -> None:
    first = start_training(store, ENDLESS)
    kill(first)
    second = start_training(store, ENDLESS)
    kill(second)
    assert first.run_id != second.run_id
    assert [run.read().state for run in store.runs()] == ["interrupted", "interrupted"]
