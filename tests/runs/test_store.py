"""The folder of all runs: listed, claimed by one training at a time, renamed and deleted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.machine import process_start_time
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import HEARTBEAT_TIMEOUT_S, Controls, Run, RunStoreError
from mnist_lib.runs.store import BUNDLED_RUNS_PATH, RunStore, TrainingRefusedError
from tests.support.processes import Python

CONFIG = TrainingConfig("custom", epochs=3, batch_size=50, training_images=100, seed=4)


# The store.


def test_store_of_a_missing_folder_is_empty(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "missing", bundled_root=tmp_path / "missing too")
    assert store.runs() == []
    assert store.active_run() is None
    assert store.find("a") is None
    assert not store.root.exists()


def test_default_store_is_the_folder_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MNIST_RUNS_DIR", str(tmp_path / "elsewhere"))
    assert RunStore.default().root == tmp_path / "elsewhere"
    monkeypatch.setenv("MNIST_RUNS_DIR", "relative")
    assert RunStore.default().root == tmp_path / "relative"
    for nothing in (lambda: monkeypatch.setenv("MNIST_RUNS_DIR", ""), lambda: monkeypatch.delenv("MNIST_RUNS_DIR")):
        nothing()
        assert RunStore.default().root == tmp_path / "runs"
    assert RunStore.default().bundled_root == BUNDLED_RUNS_PATH


def test_runs_are_listed_newest_first_and_the_bundled_last(tmp_path: Path) -> None:
    store = RunStore(tmp_path / "own", bundled_root=tmp_path / "bundled")
    for name in ("own/20260101-000000-a", "own/20260302-000000-a", "own/20260215-000000-a", "bundled/zero"):
        (tmp_path / name).mkdir(parents=True)
    names = [run.run_id for run in store.runs()]
    assert names == ["20260302-000000-a", "20260215-000000-a", "20260101-000000-a", "zero"]
    assert [run.bundled for run in store.runs()] == [False, False, False, True]
    assert [run.run_id for run in store.bundled_runs()] == ["zero"]
    found = store.find("zero")
    assert found is not None
    assert found.path == tmp_path / "bundled" / "zero"


def test_stray_file_and_hidden_folder_are_no_runs(run_copy: Run, store: RunStore) -> None:
    (store.root / "notes.txt").write_text("not a run")
    (store.root / ".20260101-000000-half-made").mkdir()
    assert [run.run_id for run in store.runs()] == [run_copy.run_id]
    assert store.find("notes.txt") is None


def test_foreign_folder_is_a_damaged_run(store: RunStore) -> None:
    (store.root / "holiday").mkdir(parents=True)
    (store.root / "holiday" / "photo.jpg").touch()
    (run,) = store.runs()
    snapshot = run.read()
    assert (snapshot.run_id, snapshot.state, snapshot.message) == ("holiday", "damaged", "config.json is missing")
    assert not run.has_model()


def test_run_deleted_after_listing_is_a_damaged_run(run_copy: Run, store: RunStore) -> None:
    (run,) = store.runs()
    shutil.rmtree(run_copy.path)
    assert run.read().message == "the folder is gone"
    assert run.epochs_with_probabilities() == []
    assert run.read_controls() == Controls()
    with pytest.raises(DamagedRunError):
        run.probabilities()


def test_file_in_place_of_the_store_is_an_empty_store(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    store = RunStore(tmp_path / "runs", bundled_root=tmp_path / "none")
    assert store.runs() == []
    assert store.active_run() is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run_id": 5}', '{"run_id": "gone"}', '{"run_id": "a\\u0000b"}'])
def test_broken_note_of_the_active_run_means_none(content: str, store: RunStore) -> None:
    store.root.mkdir()
    (store.root / ".training.json").write_text(content)
    assert store.active_run() is None


# The claim.


def test_training_makes_a_run_that_reads_at_once(store: RunStore) -> None:
    with store.training(CONFIG) as run:
        snapshot = run.read()
        assert snapshot.state == "starting"
        assert snapshot.config == CONFIG
        assert snapshot.status is not None
        assert (snapshot.status.pid, snapshot.status.total_steps) == (os.getpid(), 6)
        assert snapshot.record.created_at <= time.time()
        active = store.active_run()
        assert active is not None
        assert active.path == run.path
        assert run.path.parent == store.root
        assert (run.path / "epochs").is_dir()


def test_training_takes_the_name_chosen_before(store: RunStore) -> None:
    with store.training(CONFIG, "my_run") as run:
        assert run.path == store.root / "my_run"


def test_claim_is_free_again_after_the_training_and_after_its_failure(store: RunStore) -> None:
    with store.training(CONFIG) as first:
        pass
    with pytest.raises(ZeroDivisionError), store.training(CONFIG) as second:
        _ = 1 / 0
    with store.training(CONFIG) as third:
        assert len({first.run_id, second.run_id, third.run_id}) == 3


def test_existing_run_is_never_written_over(run_copy: Run, store: RunStore) -> None:
    before = sorted(path.name for path in run_copy.path.rglob("*"))
    with pytest.raises(RunStoreError, match="Cannot write to the runs folder"), store.training(CONFIG, run_copy.run_id):
        raise AssertionError("the name was taken")
    assert sorted(path.name for path in run_copy.path.rglob("*")) == before
    assert run_copy.read().state == "finished"


def test_new_names_are_all_different(store: RunStore) -> None:
    names = []
    for _ in range(12):  # in one second, or two
        name = store.new_run_id(CONFIG)
        assert name[8] == "-"
        assert "-custom-seed4" in name
        (store.root / name).mkdir(parents=True)
        names.append(name)
    assert len(set(names)) == 12


HOLD_CLAIM = """
import sys
from pathlib import Path
from mnist_lib.config import TrainingConfig
from mnist_lib.runs.store import RunStore
with RunStore(Path(sys.argv[1])).training(TrainingConfig()) as run:
    print(run.run_id, flush=True)
    input()
"""


def test_second_training_is_refused_with_the_name_of_the_first(store: RunStore, python: Python) -> None:
    holder = python.start("-c", HOLD_CLAIM, store.root)
    assert holder.stdout is not None
    run_id = holder.stdout.readline().strip()
    with pytest.raises(TrainingRefusedError) as caught, store.training(CONFIG):
        raise AssertionError("two trainings at once")
    message = f"A training is already running: {run_id}. Wait for it to end, or stop it first."
    assert str(caught.value) == message
    code, _, errors = python.run("-c", HOLD_CLAIM, store.root)
    assert code == 1
    assert message in errors
    assert [run.run_id for run in store.runs()] == [run_id]  # nothing of the refused ones is left


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_claim_is_free_again_when_its_holder_is_killed(store: RunStore, python: Python) -> None:
    holder = python.start("-c", HOLD_CLAIM, store.root)
    assert holder.stdout is not None
    killed = Run(store.root / holder.stdout.readline().strip())
    active = store.active_run()
    assert active is not None
    assert active.run_id == killed.run_id
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert store.active_run() is None
    assert killed.read().state == "interrupted"
    with store.training(CONFIG) as run:
        assert run.read().state == "starting"


def unwritable_roots() -> list[str]:
    roots = ["FILE", "FILE/below", "FILE/far/below", "n" * 300]
    return roots + (["/sys", "/sys/below"] if sys.platform == "linux" else [])


@pytest.mark.parametrize("name", unwritable_roots())
def test_store_that_cannot_be_written_is_said_in_one_line(name: str, tmp_path: Path) -> None:
    (tmp_path / "FILE").touch()
    root = tmp_path / name  # an absolute name stays as it is
    with pytest.raises(RunStoreError) as caught, RunStore(root, tmp_path / "none").training(CONFIG):
        raise AssertionError("it could be written")
    assert not isinstance(caught.value, TrainingRefusedError)
    message = str(caught.value)
    assert message.startswith(f"Cannot write to the runs folder {root}: ")
    assert message.endswith(".")
    assert "\n" not in message
    assert "Errno" not in message


# In order.


def test_renamed_run_is_the_same_under_another_name(run_copy: Run, store: RunStore) -> None:
    before = run_copy.read()
    renamed = store.rename(run_copy, " my_best.run-1 ")
    assert [run.run_id for run in store.own_runs()] == ["my_best.run-1"]
    after = renamed.read()
    assert (after.state, after.epochs, after.config) == (before.state, before.epochs, before.config)
    assert store.rename(renamed, "my_best.run-1").path == renamed.path


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "..", "a b", "ä", "x" * 101, "a\n"[:-1] + "\nb", "-option"])
def test_name_that_no_folder_should_have_is_refused(name: str, run_copy: Run, store: RunStore) -> None:
    with pytest.raises(RunStoreError, match="A name has 1 to 100 English letters"):
        store.rename(run_copy, name)
    assert [run.run_id for run in store.own_runs()] == [run_copy.run_id]


def test_name_that_is_taken_is_refused(run_copy: Run, tmp_path: Path) -> None:
    store = RunStore(run_copy.path.parent)  # with the bundled ones
    shutil.copytree(run_copy.path, store.root / "Other")
    for name in ("Other", "other", "pretrained-paper"):
        with pytest.raises(RunStoreError, match=f"already a run named {name}"):
            store.rename(run_copy, name)
    assert run_copy.path.is_dir()


def test_deleted_run_leaves_nothing(run_copy: Run, store: RunStore) -> None:
    store.delete(run_copy)
    assert [path.name for path in store.root.iterdir()] == [".queue.lock"]
    with pytest.raises(RunStoreError):
        store.delete(run_copy)


def test_running_and_bundled_runs_are_neither_renamed_nor_deleted(store: RunStore) -> None:
    bundled = RunStore(Path("nowhere")).bundled_runs()[0]
    with store.training(CONFIG) as running:
        for run, reason in ((running, "The run is being trained"), (bundled, "ships with the project")):
            with pytest.raises(RunStoreError, match=reason):
                store.delete(run)
            with pytest.raises(RunStoreError, match=reason):
                store.rename(run, "other")
            assert run.path.is_dir()


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_run_whose_trainer_is_suspended_is_neither_renamed_nor_deleted(store: RunStore, python: Python) -> None:
    holder = python.start("-c", HOLD_CLAIM, store.root)
    assert holder.stdout is not None
    run = Run(store.root / holder.stdout.readline().strip())
    holder.send_signal(signal.SIGSTOP)
    status = json.loads((run.path / "status.json").read_text())
    long_ago = {"heartbeat": time.time() - HEARTBEAT_TIMEOUT_S - 1}
    (run.path / "status.json").write_text(json.dumps(status | long_ago))
    assert run.read().state == "interrupted"
    reason = r"^The run is being trained and cannot be (renamed|deleted) now"
    with pytest.raises(RunStoreError, match=reason):
        store.delete(run)
    with pytest.raises(RunStoreError, match=reason):
        store.rename(run, "other")
    assert [other.path for other in store.own_runs()] == [run.path]
    for claim in (store.training(CONFIG), store.continuing(run.run_id)):
        with pytest.raises(TrainingRefusedError, match=f"already running: {run.run_id}"):
            claim.__enter__()
    # Its end is the lock's, too.
    holder.kill()
    holder.wait()
    store.delete(store.rename(run, "other"))
    assert store.own_runs() == []


def test_other_runs_are_renamed_and_deleted_while_one_is_trained(run_copy: Run, store: RunStore) -> None:
    with store.training(CONFIG) as running:
        store.delete(store.rename(run_copy, "other"))
        assert [run.run_id for run in store.own_runs()] == [running.run_id]


def test_status_that_a_trainer_left_does_not_keep_a_run(run_copy: Run, store: RunStore) -> None:
    alive = {"state": "running", "pid": os.getpid(), "pid_start_time": process_start_time(), "heartbeat": time.time()}
    path = run_copy.path / "status.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | alive))
    assert run_copy.read().is_active
    store.delete(run_copy)
    assert store.own_runs() == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such name")
def test_folder_whose_name_is_no_text_is_passed_over(run_copy: Run, store: RunStore) -> None:
    os.mkdir(os.fsencode(store.root) + b"/\xff")
    assert [run.run_id for run in store.own_runs()] == [run_copy.run_id]
