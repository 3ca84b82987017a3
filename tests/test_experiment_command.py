"""The command ``experiment``: real trainings, one object at the end, and one line for what cannot be."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from mnist_lib.command_line import main
from mnist_lib.experiment_command import QUEUE_IS_PAUSED
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore
from tests.support.processes import Python, wait_until

TINY = ["experiment", "--limit", "320", "--epochs", "1", "--batch-size", "64"]


def test_experiment_is_trained_and_told_in_one_object(python: Python, tmp_path: Path) -> None:
    more = ["--name", "rates", "--vary", "learning_rate=0.001,0.000001", "--seed", "3", "--json"]
    more += ["--runs-dir", tmp_path / "runs"]
    code, stdout, stderr = python.run("-m", "mnist_lib", *TINY, *more)
    assert code == 0, stderr
    told = json.loads(stdout)
    first, second = told["runs"]
    assert [first["number"], first["state"], first["settings"]] == [1, "finished", {"learning_rate": 0.001}]
    assert second["settings"] == {"learning_rate": 0.000001}
    assert first["misclassified"] == round((1 - first["test_accuracy"]) * 10_000)
    assert told["summary"]["misclassified"]["worst"] == max(first["misclassified"], second["misclassified"])
    assert first["validation_accuracy"] > second["validation_accuracy"]
    assert told["best"] == {"learning_rate": 0.001}
    assert stderr.splitlines()[0].startswith("Experiment rates: 2 runs, about ")
    assert [line.strip()[:3] for line in stderr.splitlines() if "Seed 3" in line] == ["1/2", "2/2"]
    store = RunStore(tmp_path / "runs")
    assert [run.run_id for run in store.own_runs()[::-1]] == [run["run_id"] for run in told["runs"]]
    assert RunQueue(store).waiting() == []


def test_ctrl_c_keeps_everything_in_the_queue_and_says_how_to_go_on(python: Python, tmp_path: Path) -> None:
    store = RunStore(tmp_path / "runs")
    process = python.start("-m", "mnist_lib", *TINY, "--seeds", "3", "--epochs", "100", "--runs-dir", store.root)
    wait_until(store.active_run)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=100)
    assert (process.returncode, stderr) == (130, "")
    assert stdout.splitlines()[-1].endswith(f"python -m mnist_lib work --runs-dir {store.root}")
    assert store.active_run() is None
    assert len(RunQueue(store).waiting()) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--seeds", "0"], "1 to 100 seeds"),
        (["--vary", "speed=1,2"], "There is no setting 'speed'"),
        (["--vary", "dropout=0..0.5"], "say how many samples"),
        (["--halving"], "nothing to halve"),
        (["--name", "../a"], "A name has 1 to 100"),
        (["--name", "taken"], "There is an experiment taken already"),
        (["--note", "x" * 2_001], "at most 2,000 characters"),
        (["--dataset", "none"], "There is no data set 'none'"),
        (["--cluster", "teacher"], "The address of a Dask scheduler"),
        (["--seed", "-1"], "Seed must be a whole number"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    options: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments" / "taken").mkdir(parents=True)
    assert main([*TINY, *options, "--runs-dir", str(tmp_path / "runs")]) == 2
    stderr = capsys.readouterr().err
    assert said in stderr
    assert len(stderr.splitlines()) == 1
    assert [path.name for path in (tmp_path / "experiments").iterdir()] == ["taken"]
    assert ExperimentLibrary.beside(tmp_path / "runs").experiments() == []


def test_a_queue_that_is_paused_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    queue = RunQueue(RunStore(tmp_path / "runs"))
    queue.pause()
    assert main(["work", "--runs-dir", str(queue.store.root)]) == 0
    assert capsys.readouterr().err == f"mnist_lib: {QUEUE_IS_PAUSED}\n"
