"""A cluster on this machine: a scheduler, workers and dispatchers, and one of each killed in the middle of the work."""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
import pytest

from mnist_lib.cluster.report import ClusterReport
from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import MNIST_DESCRIPTION
from mnist_lib.machine import processor_name
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import RunSnapshot
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.cluster import Cluster
from tests.support.processes import PROJECT_PATH, wait_until
from tests.torture.kills import figures_of, finish_training

pytestmark = [pytest.mark.process, pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")]

# Four seconds: time to pause it after its first epoch.
CONFIG = TrainingConfig(
    "custom", epochs=10, batch_size=32, training_images=2560, filters_1=4, filters_2=8, dense_units=16, shift_px=1.0
)
OPTIONS = (
    "--epochs=10", "--batch-size=32", "--limit=2560", "--filters-1=4", "--filters-2=8", "--dense-units=16",
    "--shift-px=1",
)  # fmt: skip

# Dask's command, with this project from another folder.
OTHER_PROJECT = "import sys; sys.path[0] = sys.argv.pop(1); from dask.cli import run_cli; run_cli()"


def pause_after(run: Run, epochs: int) -> RunSnapshot:
    """Pause a run, which its worker trains, as soon as it has so many epochs."""
    wait_until(lambda: run.read().is_active and len(run.read().epochs) >= epochs)
    run.request(paused=True)
    return wait_until(lambda: run.read() if run.read().state == "paused" else None)


class Story(NamedTuple):
    """What was seen of three runs on three workers, and of the same runs on this machine."""

    runs: list[Run]
    trained_here: list[Run]
    refused: list[str]
    waiting_for_workers: str
    paused: RunSnapshot
    without_worker: RunSnapshot
    trainer_outlived_worker: bool
    paused_again: RunSnapshot
    without_scheduler: RunSnapshot
    message: str
    end: ClusterReport


def test_runs_outlive_worker_scheduler_and_dispatcher(tmp_path: Path, subtests: pytest.Subtests) -> None:
    story = tell(tmp_path)
    for check in (
        check_each_run_ends_as_the_same_run_trained_here,
        check_a_worker_that_is_killed_leaves_its_epochs_and_another_goes_on,
        check_without_its_scheduler_a_run_waits_with_its_epochs_and_the_dispatcher_says_so,
        check_every_run_is_in_the_queue_until_it_has_ended,
        check_each_epoch_says_where_it_was_trained,
        check_a_worker_of_another_version_gets_no_run_and_both_are_named,
    ):
        with subtests.test(check.__name__):
            check(story)


def tell(folder: Path) -> Story:
    """Three runs: the worker of one is killed, then the scheduler and the dispatcher."""
    cluster = Cluster(folder)
    other = cluster.folder / "other"
    shutil.copytree(PROJECT_PATH / "mnist_lib", other / "mnist_lib", ignore=shutil.ignore_patterns("assets", "ui"))
    with (other / "mnist_lib" / "config.py").open("a") as file:
        file.write("# another version\n")
    try:
        scheduler = cluster.start_scheduler()
        configs = [replace(CONFIG, seed=seed) for seed in range(3)]
        runs = RunQueue(cluster.store).add_all(configs, MNIST_DESCRIPTION, "seeds", cluster.address)
        dispatcher = cluster.start_dispatcher()
        waiting_for_workers = wait_until(lambda: cluster.report().message)
        for _ in range(3):
            cluster.start_worker()
        cluster.start_worker("-c", OTHER_PROJECT, other)
        paused = pause_after(runs[0], 1)
        for run in runs[1:]:  # no worker is free for the one that loses its own, until that was seen
            pause_after(run, 0)
        refused = [worker.problem for worker in cluster.report().workers if worker.problem]

        worker = cluster.worker_of(runs[0])
        (trainer,) = psutil.Process(worker.pid).children()
        worker.send_signal(signal.SIGKILL)
        without_worker = wait_until(lambda: runs[0].read() if runs[0].read().state == "interrupted" else None)
        for run in runs[1:]:
            run.request(paused=False)
        outlived = bool(psutil.wait_procs([trainer], timeout=60)[1])

        paused_again = pause_after(runs[0], 0)
        scheduler.send_signal(signal.SIGKILL)
        without_scheduler = wait_until(lambda: runs[0].read() if runs[0].read().state == "queued" else None)
        message = wait_until(lambda: cluster.report().message)
        dispatcher.send_signal(signal.SIGKILL)
        dispatcher.wait()

        cluster.start_scheduler()
        cluster.start_worker()
        assert cluster.start_dispatcher().wait(120) == 0
        here = RunStore(cluster.folder / "here", bundled_root=cluster.folder / "none")
        for seed in range(3):
            said = finish_training(cluster.folder, here, *OPTIONS, f"--seed={seed}")
            assert said.endswith("exit code 0\n"), said
        return Story(
            runs, here.own_runs()[::-1], refused, waiting_for_workers, paused, without_worker, outlived, paused_again,
            without_scheduler, message, cluster.report(),
        )  # fmt: skip
    finally:
        cluster.python.end_all()


def check_each_run_ends_as_the_same_run_trained_here(story: Story) -> None:
    assert [run.read().state for run in story.runs] == ["finished"] * 3
    for run, here in zip(story.runs, story.trained_here, strict=True):
        assert run.read().config == here.read().config
        assert figures_of(run) == figures_of(here)
        for epoch in range(1, 11):
            np.testing.assert_array_equal(run.probabilities(epoch), here.probabilities(epoch))


def check_a_worker_that_is_killed_leaves_its_epochs_and_another_goes_on(story: Story) -> None:
    assert story.without_worker.message.endswith(": it is gone")
    assert story.without_worker.epochs == story.paused.epochs
    assert story.paused_again.epochs == story.paused.epochs != []
    assert "continued" in [row.event for row in story.paused_again.events]
    assert not story.trainer_outlived_worker


def check_without_its_scheduler_a_run_waits_with_its_epochs_and_the_dispatcher_says_so(story: Story) -> None:
    assert story.without_scheduler.epochs == story.paused_again.epochs
    assert " does not answer and is tried again (" in story.message


def check_every_run_is_in_the_queue_until_it_has_ended(story: Story) -> None:
    for run in story.runs:
        assert not run.queue_path.exists()
        assert not list(run.path.glob("checkpoint-*"))
    assert (story.end.message, [worker.run_id for worker in story.end.workers]) == ("", [""])


def check_each_epoch_says_where_it_was_trained(story: Story) -> None:
    for run in story.runs:
        assert {row.trained_on for row in run.read().epochs} == {f"{os.uname().nodename}, {processor_name()}"}
    assert {row.trained_on for run in story.trained_here for row in run.read().epochs} == {""}


def check_a_worker_of_another_version_gets_no_run_and_both_are_named(story: Story) -> None:
    (problem,) = story.refused
    assert problem.startswith("this project is ")
    assert " there and " in problem
    assert problem.endswith(" here")
    assert story.waiting_for_workers == "3 runs wait for a worker"
