"""Text from addresses, files and names is shown literally."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import numpy as np
import pytest
from filelock import FileLock
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.escaping import plain_text
from mnist_lib.machine import process_start_time
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.records import QueueRecord, Status, write_json
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import (
    BUNDLED_RUN,
    HOSTILE_NAME,
    HOSTILE_TEXT,
    PAPER_RUN,
    change_json,
    copy_bundled_run,
    make_hostile_run,
)
from tests.support.screens import APP_PATH, all_text, button, forget_screens, open_screen

SCREENS = ("overview", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")
NAME, TEXT = plain_text(HOSTILE_NAME), plain_text(HOSTILE_TEXT)


def check_that_all_is_plain(app: AppTest) -> None:
    """Hold that no text which Streamlit reads as Markdown has the hostile one in it as it is."""
    assert not app.exception
    markdown = []
    for element in [*app.main, *app.sidebar, *app.toast]:
        proto: Any = getattr(element, "proto", None)
        markdown += [getattr(proto, field, "") for field in ("body", "label", "help", "text", "placeholder")]
    for table in app.table:
        markdown += [*table.value.columns, *table.value.to_numpy().ravel()]
    assert len(markdown) > 20
    for text in markdown:
        assert "[l](" not in str(text)
        assert ":red[" not in str(text) or ":red[Out of range" in str(text)


def open_runs(*chosen: str) -> AppTest:
    app = open_screen("overview")
    app.query_params["runs"] = ",".join(chosen)
    return app.switch_page("pages/runs.py").run()


@pytest.fixture
def hostile_run(store: RunStore) -> Run:
    return make_hostile_run(store)


@pytest.mark.parametrize("screen", SCREENS)
def test_address_is_text_on_every_screen(screen: str) -> None:
    app = AppTest.from_file(str(APP_PATH), default_timeout=60)
    for name in ("run", "runs", "image", "epoch", "show", "true", "read_as", "order", "sure", "page", "split", "digit"):
        app.query_params[name] = HOSTILE_TEXT
    app.run()
    assert app.warning[0].value == f"The run {TEXT} is gone. Showing {BUNDLED_RUN.run_id} instead."
    check_that_all_is_plain(app)
    app.switch_page(f"pages/{screen}.py").run()
    check_that_all_is_plain(app)


@pytest.mark.parametrize(
    ("screen", "said"),
    [
        ("overview", f"Newest here: {NAME}"),
        ("dataset", f"Read by **{NAME}**."),
        ("model", ""),
        ("train", f"This run is failed: {TEXT}."),
        ("mistakes", f"misread by **{NAME}** after"),
        ("runs", f"Delete **{NAME}** for good?"),
        ("draw", f"**{NAME}** reads it"),
    ],
)
def test_name_and_files_of_a_run_are_text_on_every_screen(screen: str, said: str, hostile_run: Run) -> None:
    app = open_screen(screen, hostile_run.run_id)
    app.session_state["sample_closer"] = True
    app.run()
    check_that_all_is_plain(app)
    tables = [str(cell) for table in app.table for cell in (*table.value.columns, *table.value.to_numpy().ravel())]
    assert said in "\n".join([all_text(app), *tables])
    captions = [caption.value for caption in app.sidebar.caption]
    assert f"{TEXT}." in captions
    assert f":material/developer_board: Trained on: {TEXT}" in captions
    if screen == "overview":
        assert TEXT in tables  # the device
    if screen in ("train", "runs"):
        assert app.header[0].value == NAME


@pytest.mark.parametrize("screen", SCREENS)
def test_setting_that_damages_a_run_is_text(screen: str, store: RunStore) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    settings = json.loads((run.path / "config.json").read_text())["settings"]
    change_json(run.path / "config.json", settings=settings | {"optimizer": HOSTILE_TEXT})
    app = open_screen(screen, run.run_id)
    check_that_all_is_plain(app)
    reason = plain_text(f"Optimizer must be one of adam, adamw, sgd, muon, not {HOSTILE_TEXT!r}.")
    assert f"Config.json: {reason}." in [caption.value for caption in app.sidebar.caption]


def test_error_that_names_a_run_is_text(store: RunStore) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    run.model_path.unlink()
    for path in (run.path / "epochs").glob("*.weights.h5"):
        path.write_bytes(b"no weights")
    change_json(run.path / "status.json", state="failed", message="it fell over")
    app = open_screen("dataset", run.run_id)
    app.session_state["sample_closer"] = True
    app.run()
    check_that_all_is_plain(app)
    assert f"of {NAME} cannot be read" in app.error[0].value


def test_two_runs_are_compared_by_names_that_are_text(hostile_run: Run) -> None:
    app = open_runs(hostile_run.run_id, PAPER_RUN.run_id)
    check_that_all_is_plain(app)
    text = all_text(app)
    assert f"From {PAPER_RUN.run_id} to {NAME}" in text
    assert f"Chosen: {NAME}; {PAPER_RUN.run_id}." in text
    assert f"those of {NAME}." in text


def test_runs_without_an_epoch_are_named_in_text(hostile_run: Run) -> None:
    for path in (hostile_run.path / "epochs").glob("*.npz"):
        path.unlink()
    app = open_runs(hostile_run.run_id, PAPER_RUN.run_id)
    check_that_all_is_plain(app)
    assert app.info[0].value.startswith(f"{NAME} has not finished an epoch")


def test_best_other_run_is_named_in_text(store: RunStore) -> None:
    best = copy_bundled_run(store, HOSTILE_NAME)
    result = json.loads((best.path / "status.json").read_text())["result"]
    change_json(best.path / "status.json", result=result | {"misclassified": 1})
    app = open_screen("train", PAPER_RUN.run_id)
    check_that_all_is_plain(app)
    assert f"The best run here, {NAME}, makes 90 fewer mistakes." in all_text(app)
    assert f"Best other run ({NAME})" in app.table[0].value.iloc[:, 0].tolist()


def test_running_training_is_named_in_text(store: RunStore) -> None:
    ended = copy_bundled_run(store)
    change_json(ended.path / "status.json", state="interrupted", result=None)
    ended.checkpoint_path(5).touch()
    run = copy_bundled_run(store, HOSTILE_NAME)
    run.write_status(
        Status("running", pid=os.getpid(), pid_start_time=process_start_time(), epoch=2, step=15, total_steps=20)
    )
    (store.root / ".training.json").write_text(json.dumps({"run_id": run.run_id}))
    app = open_screen("train", ended.run_id)
    check_that_all_is_plain(app)
    assert f"**{NAME}** is being trained now." in all_text(app)
    app.selectbox(key="run").set_value(run.run_id).run()
    check_that_all_is_plain(app)


def test_waiting_run_is_named_in_text(store: RunStore) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    change_json(run.path / "status.json", state="interrupted", result=None)
    write_json(run.queue_path, QueueRecord(rank=1.0, cluster="tcp://<b>[x](http://evil.example)"))
    RunQueue(store).pause()  # nobody begins to work it
    app = open_screen("train")
    check_that_all_is_plain(app)
    assert NAME in all_text(app)


def test_what_is_done_with_a_run_is_said_in_text(store: RunStore) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    app = open_runs(run.run_id)
    app.text_input(key=f"new_name_{run.run_id}").set_value("of-mine")
    button(app, "Rename").click().run()
    check_that_all_is_plain(app)
    assert [toast.value for toast in app.toast] == [f"{NAME} is now of-mine."]
    (store.root / "of-mine").rename(store.root / HOSTILE_NAME)
    app = open_runs(run.run_id)
    button(app, "Delete it").click().run()
    check_that_all_is_plain(app)
    assert [toast.value for toast in app.toast] == [f"{NAME} is deleted."]


def test_why_something_is_not_done_is_said_in_text(store: RunStore) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    app = open_runs(run.run_id)
    (store.root / ".training.json").write_text(json.dumps({"run_id": run.run_id}))
    with FileLock(store.root / ".training.lock"):
        button(app, "Delete it").click().run()
    check_that_all_is_plain(app)
    assert app.error[0].value == "The run is being trained and cannot be deleted now. Stop it first."


def test_readers_of_drawings_are_named_in_text(store: RunStore, dataset: Dataset) -> None:
    run = copy_bundled_run(store, HOSTILE_NAME)
    own = OwnDigits.beside(store.root)
    own.add(np.pad(dataset.test_images[0] / np.float32(255), 8), 7, "canvas")
    app = open_screen("draw", run.run_id)
    app.session_state["own_digits_others"] = [PAPER_RUN.run_id]
    app.run()
    check_that_all_is_plain(app)
    assert f"**{NAME}** reads your only drawing" in all_text(app)
    assert app.table[0].value["Run"].tolist() == [NAME, PAPER_RUN.run_id]


def test_half_a_character_in_a_file_breaks_no_screen(store: RunStore) -> None:
    run = copy_bundled_run(store)
    settings = json.loads((run.path / "config.json").read_text())["settings"]
    change_json(run.path / "config.json", settings=settings | {"preset": "mine\ud800"}, device="GPU\ud800")
    change_json(run.path / "status.json", state="failed", message="it fell over\ud800")
    app = open_screen("overview", run.run_id)
    for screen in SCREENS:
        app.switch_page(f"pages/{screen}.py").run()
        check_that_all_is_plain(app)
        assert "It fell over\ufffd." in [caption.value for caption in app.sidebar.caption]
        if screen == "runs":
            assert app.dataframe[0].value["Preset"].tolist() == ["mine\ufffd", "accurate", "paper"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no folder can be called so")
def test_folder_whose_name_is_no_text_breaks_no_screen(store: RunStore) -> None:
    copy_bundled_run(store, os.fsdecode(b"bytes\xff"))
    for screen in SCREENS:
        check_that_all_is_plain(open_screen(screen))
        forget_screens()
