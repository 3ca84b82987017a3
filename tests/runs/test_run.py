"""The run directory: written whole, read without trusting it."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.machine import process_start_time
from mnist_lib.runs.records import ACTIVE_STATES, DamagedRunError, RunRecord, Status
from mnist_lib.runs.run import HEARTBEAT_TIMEOUT_S, Controls, Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.processes import Python
from tests.support.runs import Trained, batch_row, change_json, epoch_row, event_row, make_result

CONFIG = TrainingConfig("custom", epochs=3, batch_size=50, training_images=100, seed=4)


@pytest.fixture
def new_run(store: RunStore) -> Run:
    """A run folder as it is before the first batch, of a training that this process pretends to be."""
    with store.training(CONFIG) as run:
        return run


def change_rows(run: Run, kind: str, /, **changes: Any) -> None:
    """Change some entries of every row of a kind in metrics.jsonl."""
    path = run.path / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row | changes if row["kind"] == kind else row) + "\n" for row in rows))


# What is written can be read.


def test_status_is_read_as_it_was_written(new_run: Run) -> None:
    status = Status(
        "paused",
        "wait",
        "evaluating",
        os.getpid(),
        process_start_time(),
        epoch=2,
        step=3,
        total_steps=6,
        result=make_result("a run", epochs=1),
    )
    before = time.time()
    new_run.write_status(status)
    read = new_run.read_status()
    assert before <= read.heartbeat <= time.time()
    assert msgspec.structs.replace(read, heartbeat=0.0) == status


def test_settings_and_record_are_read_as_they_were_written(new_run: Run) -> None:
    record = RunRecord(
        created_at=1234.5,
        device="CPU, 3 cores",
        precision="float32",
        versions={"keras": "3.15.1"},
    )
    new_run.write_config(CONFIG, record)
    snapshot = new_run.read()
    assert snapshot.config == CONFIG
    assert snapshot.record == record


def test_metrics_are_read_as_they_were_written(new_run: Run) -> None:
    batch = batch_row(2, loss=1.25, accuracy=0.5, images_per_s=99.5, elapsed_s=0.25, learning_rate=0.001)
    later = msgspec.structs.replace(batch, step=4)
    epoch = epoch_row(
        1, step=2, train_loss=1.5, train_accuracy=0.4, test_loss=1.1, test_accuracy=0.6, misclassified=4000,
        validation_loss=0.25, seconds=1.5, elapsed_s=2.0, complete=False, rate_factor=0.5,
    )  # fmt: skip
    event = event_row("paused", step=3, learning_rate=0.25)
    assert new_run.append_metrics(batch) == batch
    assert new_run.append_metrics(event) == event
    new_run.append_metrics(later)
    assert new_run.append_metrics(epoch) == epoch
    snapshot = new_run.read()
    assert snapshot.batches == [batch, later]
    assert snapshot.events == [event]
    assert snapshot.epochs == [epoch]
    assert snapshot.last_epoch == epoch


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_value_that_is_not_finite_becomes_null(value: float, new_run: Run) -> None:
    new_run.append_metrics(batch_row(1, loss=value))
    assert new_run.read().batches == [batch_row(1, loss=None)]
    assert "NaN" not in (new_run.path / "metrics.jsonl").read_text()


def test_probabilities_are_read_as_they_were_written(new_run: Run) -> None:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), 10_000).astype(np.float32)
    new_run.save_probabilities(2, probabilities)
    assert new_run.epochs_with_probabilities() == [2]
    read = new_run.probabilities(2)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, probabilities, atol=5e-4)
    np.testing.assert_array_equal(read.argmax(axis=1), probabilities.argmax(axis=1))


def test_newest_probabilities_are_the_default(new_run: Run) -> None:
    for epoch in (2, 10, 9):
        new_run.save_probabilities(epoch, np.eye(10, dtype=np.float32)[np.full(10_000, epoch % 10)])
    assert new_run.epochs_with_probabilities() == [2, 9, 10]
    assert set(new_run.probabilities().argmax(axis=1).tolist()) == {0}
    assert set(new_run.probabilities(9).argmax(axis=1).tolist()) == {9}


def test_writing_leaves_no_temporary_file(new_run: Run) -> None:
    new_run.write_status(new_run.read_status())
    new_run.save_probabilities(1, np.full((10_000, 10), 0.1, np.float32))
    new_run.request(stop=True)
    names = {path.name for path in new_run.path.rglob("*")}
    assert names == {"config.json", "status.json", "control.json", "epochs", "001.npz"}


def test_finished_run_reads_whole(trained: Trained) -> None:
    snapshot = trained.run.read()
    assert (snapshot.state, snapshot.message) == ("finished", "")
    assert not snapshot.is_active
    assert snapshot.config == TrainingConfig("custom", epochs=2, batch_size=64, seed=7, training_images=640)
    assert [row.epoch for row in snapshot.epochs] == [1, 2]
    assert snapshot.batches
    assert snapshot.result is not None
    assert msgspec.structs.asdict(snapshot.result) == trained.result
    assert snapshot.status is not None
    assert (snapshot.status.epoch, snapshot.status.step, snapshot.status.total_steps) == (2, 20, 20)
    assert trained.run.has_model()
    assert trained.run.epochs_with_weights() == trained.run.epochs_with_probabilities() == [1, 2]


def test_stop_is_requested_through_the_folder(new_run: Run) -> None:
    assert not new_run.read_controls().stop
    new_run.request(stop=True)
    assert Run(new_run.path).read_controls().stop


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"stop": false}',
        "\0\xff",
        "{}",
        '{"stop": 1, "paused": "yes", "learning_rate": "0.1"}',
        '{"learning_rate": 7.0}',
        '{"learning_rate": NaN}',
        '{"learning_rate": true, "asked_at": null}',
    ],
)
def test_control_file_that_asks_for_nothing_changes_nothing(content: str, new_run: Run) -> None:
    (new_run.path / "control.json").write_text(content)
    assert new_run.read_controls() == Controls()


def test_request_leaves_earlier_requests_as_they_are(new_run: Run) -> None:
    new_run.request(paused=True)
    new_run.request(learning_rate=0.25)
    asked = new_run.read_controls()
    assert (asked.paused, asked.stop, asked.learning_rate) == (True, False, 0.25)
    new_run.request(learning_rate=0.25)
    assert new_run.read_controls().asked_at > asked.asked_at
    new_run.request(paused=False, stop=True)
    assert new_run.read_controls()[:3] == (False, True, 0.25)


@pytest.mark.parametrize("rate", [0.0, -1.0, 1.5, float("nan"), float("inf")])
def test_learning_rate_out_of_its_range_is_refused_and_asks_for_nothing(rate: float, new_run: Run) -> None:
    with pytest.raises(RunStoreError, match=r"^Learning rate must be from 0\.000001 to 1, not "):
        new_run.request(learning_rate=rate)
    assert new_run.read_controls() == Controls()


def test_stop_of_a_run_whose_folder_is_gone_is_an_error_in_one_line(run_copy: Run) -> None:
    shutil.rmtree(run_copy.path)
    with pytest.raises(RunStoreError) as caught:
        run_copy.request(stop=True)
    assert str(caught.value) == f"Cannot write to {run_copy.path}: No such file or directory."


def test_fail_keeps_what_the_status_knew(new_run: Run) -> None:
    new_run.write_status(msgspec.structs.replace(new_run.read_status(), epoch=1, step=5))
    new_run.fail("the disk is full")
    snapshot = new_run.read()
    assert (snapshot.state, snapshot.message) == ("failed", "the disk is full")
    assert snapshot.status is not None
    assert snapshot.status.step == 5


def test_fail_of_a_run_that_is_gone_is_silent(run_copy: Run) -> None:
    shutil.rmtree(run_copy.path)
    run_copy.fail("the folder is gone")
    assert not run_copy.path.exists()


# What is damaged is said.


def remove(name: str) -> Callable[[Run], None]:
    return lambda run: (run.path / name).unlink()


def write(name: str, content: str | bytes) -> Callable[[Run], Any]:
    encoded = content.encode() if isinstance(content, str) else content
    return lambda run: (run.path / name).write_bytes(encoded)


def make_unreadable(name: str) -> Callable[[Run], None]:
    """Put a folder in the place of the file: not even root can read it."""

    def damage(run: Run) -> None:
        (run.path / name).unlink()
        (run.path / name).mkdir()

    return damage


def cut(name: str, share: float) -> Callable[[Run], None]:
    def damage(run: Run) -> None:
        content = (run.path / name).read_bytes()
        (run.path / name).write_bytes(content[: int(len(content) * share)])

    return damage


def status(**changes: Any) -> Callable[[Run], None]:
    return lambda run: change_json(run.path / "status.json", **changes)


def record(**changes: Any) -> Callable[[Run], None]:
    return lambda run: change_json(run.path / "config.json", **changes)


def rows(kind: str, /, **changes: Any) -> Callable[[Run], None]:
    return lambda run: change_rows(run, kind, **changes)


def drop_last_lines(count: int) -> Callable[[Run], None]:
    def damage(run: Run) -> None:
        path = run.path / "metrics.jsonl"
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-count]))

    return damage


DEEP = "[" * 100_000

DAMAGE = {
    "folder gone": (lambda run: shutil.rmtree(run.path), "the folder is gone"),
    "config missing": (remove("config.json"), "config.json is missing"),
    "config unreadable": (make_unreadable("config.json"), "config.json cannot be read"),
    "config empty": (write("config.json", ""), "config.json is not JSON"),
    "config garbage": (write("config.json", b"\xff\xfe\0garbage"), "config.json is not JSON"),
    "config cut": (cut("config.json", 0.5), "config.json is not JSON"),
    "config nested": (write("config.json", DEEP), "config.json is not JSON"),
    "config a list": (write("config.json", "[1, 2]"), "config.json is not a JSON object"),
    "config of others": (write("config.json", "{}"), "config.json holds no settings"),
    "settings a list": (record(settings=[5]), "config.json holds no settings"),
    "setting out of range": (record(settings={"epochs": 0}), "config.json: Epochs must be"),
    "setting of a wrong type": (record(settings={"seed": "0"}), "config.json: Seed must be"),
    "setting beyond numbers": (record(settings={"seed": 10**400}), "config.json: Seed must be"),
    "preset a list": (
        lambda run: change_json(run.path / "config.json", settings={**TrainingConfig().to_dict(), "preset": ["paper"]}),
        "config.json: Preset must be a name",
    ),
    "loss beyond float32": (rows("batch", loss=1e299), "is not a row of metrics"),
    "created at no time": (record(created_at="yesterday"), "config.json has a wrong value"),
    "created after all time": (record(created_at=10**400), "config.json has a wrong value"),
    "created before all time": (record(created_at=-1e12), "config.json has a wrong value, at created_at"),
    "created after every calendar": (record(created_at=1e18), "config.json has a wrong value, at created"),
    "versions a number": (record(versions=3), "config.json has a wrong value"),
    "status missing": (remove("status.json"), "status.json is missing"),
    "status unreadable": (make_unreadable("status.json"), "status.json cannot be read"),
    "status cut": (cut("status.json", 0.7), "status.json is not JSON"),
    "status nested": (write("status.json", DEEP), "status.json is not JSON"),
    "status null": (write("status.json", "null"), "status.json is not a JSON object"),
    "status without state": (write("status.json", "{}"), "status.json has no state"),
    "state unknown": (status(state="sleeping"), "status.json has a wrong value"),
    "state a list": (status(state=["finished"]), "status.json has a wrong value"),
    "state null": (status(state=None), "status.json has a wrong value"),
    "message a number": (status(message=5), "status.json has a wrong value"),
    "step a text": (status(step="20"), "status.json has a wrong value"),
    "step true": (status(step=True), "status.json has a wrong value"),
    "epoch a fraction": (status(epoch=2.0), "status.json has a wrong value"),
    "total steps null": (status(total_steps=None), "status.json has a wrong value"),
    "total steps infinite": (status(total_steps=float("inf")), "status.json has a wrong value"),
    "pid a text": (status(pid="1"), "status.json has a wrong value, at pid"),
    "pid null": (status(pid=None), "status.json has a wrong value, at pid"),
    "pid a fraction": (status(pid=2.5), "status.json has a wrong value, at pid"),
    "heartbeat null": (status(heartbeat=None), "status.json has a wrong value"),
    "heartbeat beyond numbers": (status(heartbeat=10**400), "status.json has a wrong value"),
    "heartbeat not a number": (status(heartbeat=float("nan")), "status.json has a wrong value"),
    "start time a text": (status(pid_start_time="1"), "status.json has a wrong value"),
    "result a list": (status(result=[1]), "status.json has a wrong value"),
    "result of a wrong type": (status(result={"train_seconds": "9"}), "status.json has a wrong value"),
    "result of countless epochs": (status(result={"epochs": 1e299}), "status.json has a wrong value, at ep"),
    "result of countless mistakes": (
        status(result={"misclassified": 10**30}),
        "has a wrong value, at miscl",
    ),
    "result of more than all": (
        status(result={"test_accuracy": 1.5}),
        "has a wrong value, at test_accuracy",
    ),
    "metrics missing": (remove("metrics.jsonl"), "metrics.jsonl cannot be read"),
    "metrics unreadable": (make_unreadable("metrics.jsonl"), "metrics.jsonl cannot be read"),
    "metrics empty": (write("metrics.jsonl", ""), "metrics.jsonl holds 0 of 2 epochs"),
    "metrics cut": (cut("metrics.jsonl", 0.98), "metrics.jsonl is cut off in its last line"),
    "metrics without the last epoch": (drop_last_lines(1), "metrics.jsonl holds 1 of 2 epochs"),
    "metrics garbage": (write("metrics.jsonl", b"\xff\xfe\n"), "metrics.jsonl, line 1, is not a row"),
    "metrics of numbers": (write("metrics.jsonl", "5\n"), "metrics.jsonl, line 1, is not a row"),
    "metrics nested": (write("metrics.jsonl", DEEP + "\n"), "metrics.jsonl, line 1, is not a row"),
    "row of an unknown kind": (rows("epoch", kind="era"), "is not a row of metrics"),
    "row without kind": (write("metrics.jsonl", "{}\n"), "metrics.jsonl, line 1, is not a row"),
    "metric as a text": (rows("batch", loss="0.5"), "metrics.jsonl, line 1, is not a row"),
    "metric as a list": (rows("epoch", test_accuracy=[0.5]), "is not a row of metrics"),
    "metric not a number": (rows("batch", loss=float("nan")), "metrics.jsonl, line 1, is not a row"),
    "epoch as a float": (rows("epoch", epoch=1.0), "is not a row of metrics"),
    "mistakes beyond the test set": (rows("epoch", misclassified=10_001), "more test images are misclassified"),
    "time before the start": (rows("batch", elapsed_s=-1.0), "metrics.jsonl, line 1, is not a row"),
    "rate factor a text": (rows("epoch", rate_factor="2"), "is not a row of metrics"),
    "step null": (rows("batch", step=None), "metrics.jsonl, line 1, is not a row"),
    "test accuracy null": (rows("epoch", test_accuracy=None), "is not a row of metrics"),
    "model missing": (remove("model.keras"), "model.keras is missing"),
    "model a folder": (make_unreadable("model.keras"), "model.keras is missing"),
    "model garbage": (write("model.keras", b"garbage" * 1000), "model.keras is not a Keras model"),
    "model empty": (write("model.keras", b""), "model.keras is not a Keras model"),
    "model cut": (cut("model.keras", 0.5), "model.keras is not a Keras model"),
    "probabilities missing": (remove("epochs/002.npz"), "epochs/002.npz is missing"),
    "epochs missing": (lambda run: shutil.rmtree(run.path / "epochs"), "epochs/002.npz is missing"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_said_in_one_line_that_names_the_file(name: str, run_copy: Run) -> None:
    damage, message = DAMAGE[name]
    damage(run_copy)
    snapshot = run_copy.read()
    assert snapshot.state == "damaged"
    assert message in snapshot.message
    assert "\n" not in snapshot.message
    assert not snapshot.is_active
    assert snapshot.run_id == run_copy.run_id


def test_what_is_sound_of_a_damaged_run_is_still_read(run_copy: Run) -> None:
    run_copy.model_path.unlink()
    snapshot = run_copy.read()
    assert snapshot.state == "damaged"
    assert snapshot.config is not None
    assert len(snapshot.epochs) == 2
    assert run_copy.probabilities().shape == (10_000, 10)


def test_loss_of_a_training_that_went_astray_is_no_damage(run_copy: Run) -> None:
    change_rows(run_copy, "batch", loss=None)
    change_rows(run_copy, "epoch", train_loss=None, test_loss=None)
    snapshot = run_copy.read()
    assert snapshot.state == "finished"
    assert [row.test_loss for row in snapshot.epochs] == [None, None]


def test_entries_of_a_later_version_are_no_damage(run_copy: Run) -> None:
    change_json(run_copy.path / "status.json", mood="good")
    change_json(run_copy.path / "config.json", weather="fine")
    change_rows(run_copy, "batch", momentum=0.9)
    assert run_copy.read().state == "finished"


def npz(array: Any, name: str = "probabilities") -> Callable[[Path], None]:
    return lambda path: np.savez(path, **{name: array})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (Path.unlink, "is missing or unreadable"),
        (lambda path: path.write_bytes(b""), "is missing or unreadable"),
        (lambda path: path.write_bytes(b"garbage"), "is missing or unreadable"),
        (lambda path: path.write_bytes(path.read_bytes()[:5000]), "is missing or unreadable"),
        (lambda path: path.write_bytes(path.read_bytes().replace(b"probab", b"probes")), "is missing or unreadable"),
        (lambda path: (path.unlink(), path.mkdir()), "is missing or unreadable"),
        (npz(np.zeros((10_000, 10), np.float16), "outputs"), "is missing or unreadable"),
        (npz(np.array([{}], dtype=object)), "is missing or unreadable"),
        (npz(np.zeros((9_999, 10), np.float16)), "does not hold 10,000 x 10 probabilities"),
        (npz(np.zeros((10_000, 10), np.float64)), "does not hold 10,000 x 10 probabilities"),
        (npz(np.full((10_000, 10), np.nan, np.float16)), "does not hold 10,000 x 10 probabilities"),
    ],
)
def test_damaged_probabilities_are_said(damage: Callable[[Path], Any], message: str, run_copy: Run) -> None:
    damage(run_copy.probabilities_path(2))
    with pytest.raises(DamagedRunError, match=rf"^epochs/002\.npz {message}$"):
        run_copy.probabilities(2)


def test_bare_array_in_place_of_the_probabilities_is_said(run_copy: Run) -> None:
    with run_copy.probabilities_path(2).open("wb") as file:
        np.save(file, np.zeros((10_000, 10), np.float16))
    with pytest.raises(DamagedRunError, match="unreadable"):
        run_copy.probabilities(2)


def test_flipped_byte_in_the_probabilities_is_said_and_no_crash(run_copy: Run) -> None:
    path = run_copy.probabilities_path(2)
    content = path.read_bytes()
    # The headers at both ends, and some of the contents.
    positions = [*range(150), *range(len(content) - 150, len(content)), *range(200, len(content), 10_000)]
    for position in positions:
        changed = bytearray(content)
        changed[position] ^= 0b1001
        path.write_bytes(changed)
        with suppress(DamagedRunError):
            assert run_copy.probabilities(2).shape == (10_000, 10)  # where the byte says nothing, such as a date


def test_run_without_an_epoch_has_no_probabilities(new_run: Run) -> None:
    with pytest.raises(DamagedRunError, match="has not finished an epoch"):
        new_run.probabilities()
    assert not new_run.has_model()


def test_foreign_files_among_the_epochs_are_not_counted(run_copy: Run) -> None:
    for name in ("notes.npz", "003.tmp", "unfinished-003.weights.h5", "-1.npz", ".npz", "1e3.npz"):
        (run_copy.path / "epochs" / name).touch()
    assert run_copy.epochs_with_probabilities() == [1, 2]
    assert run_copy.epochs_with_weights() == [1, 2]


def test_weights_of_an_epoch_are_a_model_too(run_copy: Run) -> None:
    run_copy.model_path.unlink()
    assert run_copy.has_model()
    for epoch in (1, 2):
        run_copy.weights_path(epoch).unlink()
    assert not run_copy.has_model()


# A running run, and one that no longer runs.


def pretend_running(run: Run, **changes: Any) -> None:
    """Make a run look as if this process trained it now."""
    alive = {"state": "running", "pid": os.getpid(), "pid_start_time": process_start_time(), "heartbeat": time.time()}
    change_json(run.path / "status.json", **(alive | {"result": None} | changes))


@pytest.mark.parametrize("state", ACTIVE_STATES)
def test_run_of_a_living_process_is_active(state: str, run_copy: Run) -> None:
    pretend_running(run_copy, state=state)
    snapshot = run_copy.read()
    assert snapshot.state == state
    assert snapshot.is_active
    assert snapshot.result is None


def test_half_written_last_line_of_a_running_run_is_left_for_later(run_copy: Run) -> None:
    pretend_running(run_copy)
    whole = run_copy.read()
    with (run_copy.path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "batch", "epoch": 3, "st')
    assert run_copy.read() == whole
    assert whole.state == "running"


def test_damaged_line_before_the_last_is_damage_even_while_running(run_copy: Run) -> None:
    pretend_running(run_copy)
    with (run_copy.path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "batch", "epo\n')
    assert run_copy.read().state == "damaged"


def test_running_run_without_metrics_yet_is_running(run_copy: Run) -> None:
    pretend_running(run_copy, state="starting")
    (run_copy.path / "metrics.jsonl").unlink()
    snapshot = run_copy.read()
    assert snapshot.state == "starting"
    assert (snapshot.batches, snapshot.epochs, snapshot.last_epoch) == ([], [], None)


def test_dead_trainer_means_interrupted(run_copy: Run, python: Python) -> None:
    process = python.start("-c", "input()")
    pretend_running(run_copy, pid=process.pid, pid_start_time=process_start_time(process.pid))
    assert run_copy.read().state == "running"
    process.kill()
    process.wait()
    snapshot = run_copy.read()
    assert (snapshot.state, snapshot.message) == ("interrupted", "the trainer ended unexpectedly")
    assert len(snapshot.epochs) == 2  # what it finished stays readable
    assert run_copy.probabilities().shape == (10_000, 10)


def test_pid_used_again_by_another_process_means_interrupted(run_copy: Run) -> None:
    pretend_running(run_copy, pid_start_time=process_start_time() + 1000)
    assert run_copy.read().state == "interrupted"


@pytest.mark.parametrize("pid", [0, -1, 2**100])
def test_impossible_pid_means_interrupted(pid: int, run_copy: Run) -> None:
    pretend_running(run_copy, pid=pid)
    assert run_copy.read().state == "interrupted"


def test_old_heartbeat_means_interrupted(run_copy: Run) -> None:
    pretend_running(run_copy, heartbeat=time.time() - HEARTBEAT_TIMEOUT_S - 5)
    snapshot = run_copy.read()
    assert snapshot.state == "interrupted"
    assert snapshot.message.startswith("the trainer has reported nothing for 12")


def test_heartbeat_of_a_slow_machine_is_still_alive(run_copy: Run) -> None:
    pretend_running(run_copy, heartbeat=time.time() - HEARTBEAT_TIMEOUT_S / 2)
    assert run_copy.read().state == "running"


def test_ended_run_needs_no_living_process(run_copy: Run) -> None:
    change_json(run_copy.path / "status.json", pid=0, heartbeat=0)
    assert run_copy.read().state == "finished"


def test_note_is_kept_with_the_run(run_copy: Run) -> None:
    assert run_copy.read_note() == ""
    run_copy.write_note("  learned äöü\nand 数字 ")
    assert run_copy.read_note() == "learned äöü\nand 数字"
    assert Run(run_copy.path).read().state == "finished"
    run_copy.write_note("")
    assert run_copy.read_note() == ""


def test_note_that_is_too_long_changes_nothing(run_copy: Run) -> None:
    run_copy.write_note("short")
    with pytest.raises(RunStoreError, match="at most 2,000 characters, not 2,001"):
        run_copy.write_note("x" * 2_001)
    assert run_copy.read_note() == "short"


def test_note_of_a_bundled_run_is_refused() -> None:
    run = RunStore(Path("nowhere")).bundled_runs()[0]
    with pytest.raises(RunStoreError, match="ships with the project"):
        run.write_note("mine")
