"""Killed trainers, killed servers, full disks: a continued run ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import psutil
import pytest

from mnist_lib.machine import is_same_process, process_start_time
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore, TrainingRefusedError
from tests.support.disks import mounted_disk
from tests.support.processes import Copy, Python, wait_until
from tests.support.sharing import make_once

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")

# Everything that has a memory: a schedule, momentum, augmentation, dropout, labels that get sharper, and the change
# from the middle of the images to all of them. Long enough to be hit on the way; the network is small.
SETTINGS = (
    "--epochs=3", "--batch-size=32", "--limit=1600", "--seed=11", "--schedule=one-cycle", "--optimizer=muon",
    "--shift-px=1.5", "--rotation-deg=8", "--zoom=0.05", "--validation-split=0.1", "--middle-epochs=1",
    "--label-smoothing=0.1", "--filters-1=8", "--filters-2=16", "--dense-units=32",
)  # fmt: skip
FIGURES = (
    "step", "train_loss", "train_accuracy", "validation_loss", "test_loss", "test_accuracy", "misclassified",
)  # fmt: skip


def start(python: Python, store: RunStore, *arguments: str) -> Copy:
    """Start ``train``; the run is found in the store."""
    return python.train("--runs-dir", store.root, "--json", *arguments)


def only_run(store: RunStore) -> Run:
    """Wait for the run of a store and return it."""
    return wait_until(store.own_runs)[0]


def finish(python: Python, store: RunStore, run: Run) -> dict[str, Any]:
    """Go on with a run to its end and return its result."""
    process = start(python, store, f"--continue={run.run_id}")
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return json.loads(stdout.splitlines()[-1])


def kill(process: subprocess.Popen[str] | Copy | psutil.Process) -> None:
    """End a process as a power cut would."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run that nobody interrupted."""

    def train(folder: Path) -> None:
        process = start(Python(), RunStore(folder), *SETTINGS)
        _, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stderr

    return only_run(RunStore(make_once(tmp_path_factory, "undisturbed", train)))


@pytest.fixture(scope="module")
def killed_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was killed in its second epoch. Nobody may change it; ``killed`` is for that."""

    def train(folder: Path) -> None:
        process = start(Python(), RunStore(folder), *SETTINGS)
        run = only_run(RunStore(folder))
        wait_until(lambda: run.read_status().step > 50)  # of 45 an epoch
        kill(process)

    return only_run(RunStore(make_once(tmp_path_factory, "killed", train)))


@pytest.fixture
def killed(killed_run: Run, store: RunStore) -> Run:
    """A copy of the run that was killed in its second epoch, alone in ``store``."""
    return Run(Path(shutil.copytree(killed_run.path, store.root / killed_run.run_id)))


def assert_same_end(run: Run, undisturbed: Run) -> None:
    """Compare every epoch's metrics and probabilities, to the last bit."""
    ended, expected = run.read(), undisturbed.read()
    assert ended.state == "finished", ended.message
    assert [[getattr(row, name) for name in FIGURES] for row in ended.epochs] == [
        [getattr(row, name) for name in FIGURES] for row in expected.epochs
    ]
    for epoch in range(1, 4):
        np.testing.assert_array_equal(run.probabilities(epoch), undisturbed.probabilities(epoch))
    # No gap and nothing twice.
    steps = [row.step for row in ended.batches]
    assert steps == sorted(set(steps))
    assert steps[-1] == ended.config.total_steps if ended.config else False
    times = [row.elapsed_s for row in ended.batches]
    assert times == sorted(times)


def test_trainer_killed_while_it_loads_continues_to_the_end_of_an_undisturbed_run(
    store: RunStore, python: Python, undisturbed: Run
) -> None:
    process = start(python, store, *SETTINGS)
    run = only_run(store)
    wait_until(lambda: run.read_status().state == "starting")
    kill(process)
    check_that_it_continues(run, store, python, undisturbed)


def test_trainer_killed_in_its_second_epoch_continues_to_the_end_of_an_undisturbed_run(
    killed: Run, store: RunStore, python: Python, undisturbed: Run
) -> None:
    check_that_it_continues(killed, store, python, undisturbed)


def check_that_it_continues(run: Run, store: RunStore, python: Python, undisturbed: Run) -> None:
    snapshot = run.read()
    assert (snapshot.state, snapshot.message) == ("interrupted", "the trainer ended unexpectedly")
    kept = snapshot.epochs
    result = finish(python, store, run)
    assert result["state"] == "finished"
    assert run.read().epochs[: max(len(kept) - 1, 0)] == kept[: max(len(kept) - 1, 0)]
    assert_same_end(run, undisturbed)
    assert run.checkpoints() == []


def test_checkpoint_without_its_row_does_not_count(
    killed: Run, store: RunStore, python: Python, undisturbed: Run
) -> None:
    assert 1 in killed.checkpoints()
    # As if the power had gone a moment earlier, in the middle of the row, with the files before it written.
    metrics = killed.path / "metrics.jsonl"
    lines = metrics.read_bytes().split(b"\n")
    row = next(number for number, line in enumerate(lines) if json.loads(line)["kind"] == "epoch")
    metrics.write_bytes(b"\n".join(lines[:row]) + b"\n" + lines[row][:40])
    assert killed.checkpoints() == []
    finish(python, store, killed)
    assert_same_end(killed, undisturbed)


@pytest.mark.parametrize("epoch", [1, 2])
def test_epoch_whose_checkpoint_cannot_be_kept_is_trained_again(
    epoch: int, store: RunStore, python: Python, undisturbed: Run
) -> None:
    process = start(python, store, *SETTINGS)
    run = only_run(store)
    in_the_way = run.checkpoint_path(epoch)
    (in_the_way / "something").mkdir(parents=True)
    process.communicate(timeout=120)
    assert process.returncode == 2
    shutil.rmtree(in_the_way)
    kept = run.read().epochs
    # An epoch that is said to be finished can be gone on from.
    assert [row.epoch for row in kept] == list(range(1, epoch))
    assert run.checkpoints() == list(range(1, epoch))
    assert run.can_continue(run.read())
    finish(python, store, run)
    assert_same_end(run, undisturbed)
    assert run.read().epochs[: epoch - 1] == kept
    assert not list(run.path.rglob("unfinished*"))


def test_trained_network_is_kept_when_only_the_model_was_missing(
    store: RunStore, python: Python, undisturbed: Run
) -> None:
    process = start(python, store, *SETTINGS)
    run = only_run(store)
    (run.model_path / "something").mkdir(parents=True)
    process.communicate(timeout=120)
    shutil.rmtree(run.model_path)
    kept = run.read().epochs
    assert (run.read().state, len(kept)) == ("failed", 3)
    finish(python, store, run)
    assert run.read().epochs == kept
    assert_same_end(run, undisturbed)
    for layer, expected in zip(load_network(run)[:4], load_network(undisturbed)[:4], strict=True):
        np.testing.assert_array_equal(layer.kernel, expected.kernel)
        np.testing.assert_array_equal(layer.bias, expected.bias)


def test_stopped_run_continues_from_its_last_whole_epoch(store: RunStore, python: Python, undisturbed: Run) -> None:
    process = start(python, store, *SETTINGS)
    run = only_run(store)
    wait_until(lambda: run.read().epochs)
    run.request(stop=True)
    process.communicate(timeout=120)
    assert run.read().state == "stopped"
    assert run.model_path.is_file()
    finish(python, store, run)
    assert_same_end(run, undisturbed)
    assert [row.event for row in run.read().events] == ["continued"]


SERVER = """
import os, signal, sys
from pathlib import Path
from mnist_lib.config import TrainingConfig
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training
settings = {"epochs": 100, "batch_size": 32, "training_images": 1600, "filters_1": 8, "filters_2": 16}
print(start_training(RunStore(Path(sys.argv[1])), TrainingConfig("custom", **settings)).run_id, flush=True)
sys.stdin.read()
"""


def test_death_of_the_server_harms_no_training_and_that_of_both_no_finished_epoch(
    store: RunStore, python: Python
) -> None:
    server = python.start("-c", SERVER, store.root)
    assert server.stdout
    run = Run(store.root / server.stdout.readline().strip())
    wait_until(lambda: run.read().batches)
    trainer = psutil.Process(run.read_status().pid)
    kill(server)
    epochs = len(run.read().epochs)
    wait_until(lambda: len(run.read().epochs) > epochs + 1)
    kill(trainer)
    assert run.read().state == "interrupted"
    kept = max(run.checkpoints())
    assert kept > epochs
    process = start(python, store, f"--continue={run.run_id}")
    wait_until(lambda: len(run.read().epochs) > kept)
    kill(process)
    assert [row.epoch for row in run.read().epochs] == list(range(1, len(run.read().epochs) + 1))


def test_status_left_as_running_by_a_machine_that_went_down_is_interrupted(run_copy: Run) -> None:
    status = json.loads((run_copy.path / "status.json").read_text())
    # The pid lives, but belongs to another process since the restart.
    status |= {"state": "running", "pid": os.getpid(), "pid_start_time": process_start_time() + 3600}
    (run_copy.path / "status.json").write_text(json.dumps(status))
    assert run_copy.read().state == "interrupted"
    assert run_copy.read().can_continue


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 2.1 MB: room for an epoch, not for all of them."""
    with mounted_disk(tmp_path / "disk", "2100k") as folder:
        yield folder


def test_full_disk_ends_the_run_with_that_reason_and_keeps_its_epochs(
    small_disk: Path, python: Python, undisturbed: Run
) -> None:
    store = RunStore(small_disk / "runs", bundled_root=small_disk / "none")
    process = start(python, store, *SETTINGS)
    _, stderr = process.communicate(timeout=120)
    run = only_run(store)
    assert process.returncode == 2
    assert stderr.splitlines()[-1].startswith(f"mnist_lib: {run.run_id} failed: the disk is full")
    snapshot = run.read()
    assert (snapshot.state, snapshot.message) == ("failed", "the disk is full")
    assert snapshot.can_continue
    kept = len(snapshot.epochs)
    assert kept >= 1
    np.testing.assert_array_equal(run.probabilities(1), undisturbed.probabilities(1))
    # With more room it goes on from there.
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    finish(python, store, run)
    assert_same_end(run, undisturbed)


def test_loss_that_is_no_number_ends_the_run_with_that_reason(killed: Run, store: RunStore, python: Python) -> None:
    run = killed
    assert run.checkpoints() == [1]
    # No setting within its range was found that overflows; a weight that did stands for one.
    with h5py.File(run.checkpoint_path(1), "r+") as file:
        file["layers/dense_1/vars/1"][0] = np.nan  # pyright: ignore[reportIndexIssue]
    process = start(python, store, f"--continue={run.run_id}")
    stdout, stderr = process.communicate(timeout=120)
    assert (process.returncode, stdout) == (2, "")
    reason = (
        f"the loss is not a number any more in epoch 2, at learning rate {run.read().batches[-1].learning_rate:.2g}"
    )
    assert stderr == f"mnist_lib: {run.run_id} failed: {reason} (see {run.log_path})\n"
    snapshot = run.read()
    assert (snapshot.state, snapshot.message) == ("failed", reason)
    assert snapshot.batches[-1].loss is None
    assert [row.epoch for row in snapshot.epochs] == run.epochs_with_weights() == [1]
    assert not snapshot.can_continue  # it would do so again


# Who may go on, and who not.


def test_finished_run_has_nothing_left_to_train(run_copy: Run, store: RunStore) -> None:
    before = sorted((path.name, path.stat().st_mtime_ns) for path in run_copy.path.rglob("*"))
    with (
        pytest.raises(RunStoreError, match=r"is finished and cannot be continued\.$"),
        store.continuing(run_copy.run_id),
    ):
        pass
    assert sorted((path.name, path.stat().st_mtime_ns) for path in run_copy.path.rglob("*")) == before


def test_unknown_run_cannot_go_on(store: RunStore) -> None:
    with pytest.raises(RunStoreError, match=r"^There is no run 'no such run' of this machine"):
        store.continuing("no such run").__enter__()


def test_run_cannot_go_on_while_another_trains(store: RunStore, run_copy: Run) -> None:
    from mnist_lib.config import TrainingConfig

    with (
        store.training(TrainingConfig()) as running,
        pytest.raises(TrainingRefusedError, match=running.run_id),
    ):
        store.continuing(run_copy.run_id).__enter__()


def test_continue_takes_no_other_settings(python: Python, store: RunStore) -> None:
    code, stdout, stderr = python.run(
        "-m", "mnist_lib", "train", "--continue=x", "--epochs=3", "--runs-dir", store.root
    )
    assert (code, stdout) == (2, "")
    assert stderr == "mnist_lib: --continue uses the run's own settings: leave out all other settings.\n"


def test_dead_trainer_is_not_taken_for_a_living_one(run_copy: Run) -> None:
    status = run_copy.read_status()
    assert not is_same_process(status.pid, status.pid_start_time)


def test_run_without_its_checkpoint_is_not_thrown_away_to_start_again(run_copy: Run, store: RunStore) -> None:
    status = json.loads((run_copy.path / "status.json").read_text())
    (run_copy.path / "status.json").write_text(json.dumps(status | {"state": "stopped"}))
    before = {path.name for path in run_copy.path.rglob("*")}
    with pytest.raises(RunStoreError, match="has epochs but no checkpoint"), store.continuing(run_copy.run_id):
        pass
    assert {path.name for path in run_copy.path.rglob("*")} == before


def cut_back(run: Run, state: str) -> None:
    """Let a finished run be one that ended in the middle of its second epoch, with a row for what there was of it."""
    lines = (run.path / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    rows[-1]["complete"] = False
    (run.path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (run.path / "status.json").write_text(
        json.dumps(json.loads((run.path / "status.json").read_text()) | {"state": state})
    )
    run.checkpoint_path(1).write_bytes(b"weights and optimizer")


def test_continued_run_deletes_everything_after_its_checkpoint(run_copy: Run, store: RunStore) -> None:
    cut_back(run_copy, "interrupted")
    leftovers = [
        run_copy.checkpoint_path(3),  # its row was never written
        run_copy.path / "unfinished-checkpoint-003.weights.h5",
        run_copy.path / "unfinished.keras",
        run_copy.live_path,
        run_copy.path / "status.123.tmp",
        run_copy.path / "config.123.tmp",
        run_copy.path / "epochs" / "unfinished-003.weights.h5",
        run_copy.path / "epochs" / "003.tmp",
    ]
    for path in leftovers:
        path.touch()
    with store.continuing(run_copy.run_id) as (run, _):
        assert [row.epoch for row in run.read().epochs] == [1]
        assert {str(path.relative_to(run.path)) for path in run.path.rglob("*") if path.is_file()} == {
            "config.json", "status.json", "metrics.jsonl", "trainer.log", "checkpoint-001.weights.h5",
            "epochs/001.npz", "epochs/001.weights.h5",
        }  # fmt: skip


def test_stopped_run_can_go_on_although_the_first_try_died_at_once(
    run_copy: Run, store: RunStore, python: Python
) -> None:
    cut_back(run_copy, "stopped")
    # The try ends after the row of the second epoch is gone and before anything else is.
    in_the_way = run_copy.weights_path(2)
    in_the_way.unlink()
    in_the_way.mkdir()
    code, _, stderr = python.run("-m", "mnist_lib", "train", f"--continue={run_copy.run_id}", "--runs-dir", store.root)
    assert (code, stderr.splitlines()[-1][:10]) == (2, "mnist_lib:")
    in_the_way.rmdir()
    snapshot = run_copy.read()
    assert (snapshot.state, [row.epoch for row in snapshot.epochs]) == ("interrupted", [1])
    with store.continuing(run_copy.run_id) as (run, _):
        assert run.checkpoints() == [1]


@pytest.mark.parametrize("state", ["stopped", "interrupted"])
def test_run_that_ended_in_its_first_epoch_can_begin_again(state: str, run_copy: Run, store: RunStore) -> None:
    status = json.loads((run_copy.path / "status.json").read_text())
    (run_copy.path / "status.json").write_text(json.dumps(status | {"state": state, "epoch": 1}))
    run_copy.weights_path(2).unlink()
    run_copy.probabilities_path(2).unlink()
    row = next(
        row for row in (run_copy.path / "metrics.jsonl").read_text().splitlines() if json.loads(row)["kind"] == "epoch"
    )
    (run_copy.path / "metrics.jsonl").write_text(json.dumps(json.loads(row) | {"complete": False}) + "\n")
    snapshot = run_copy.read()
    assert (snapshot.state, len(snapshot.epochs)) == (state, 1)
    assert run_copy.can_continue(snapshot)
    with store.continuing(run_copy.run_id) as (run, _):
        assert run.read().epochs == run.epochs_with_weights() == run.epochs_with_probabilities() == []
