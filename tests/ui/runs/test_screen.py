"""The Runs screen through AppTest: the table, one run, two runs."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import load_mnist
from mnist_lib.evaluation.mcnemar import chance_text
from mnist_lib.runs.archive import MAX_ARCHIVE_MB, MAX_TOTAL_BYTES
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, change_json, copy_bundled_run, result_of, title_of
from tests.support.screens import all_text, component, open_screen

LABELS = load_mnist().test_labels


def open_runs(*chosen: str) -> AppTest:
    """Open the screen with runs chosen in its table, as a link does."""
    app = open_screen("overview")
    app.query_params["runs"] = ",".join(chosen)
    return app.switch_page("pages/runs.py").run()


def labelled(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label == label)


@pytest.fixture
def own_run(store: RunStore) -> Run:
    return copy_bundled_run(store, "20260101-000000-paper-seed9")


def test_table_shows_the_result_of_every_run(own_run: Run) -> None:
    own_run.write_note("my first")
    table = open_runs().dataframe[0].value
    assert table["Run"].tolist() == [title_of(own_run), BUNDLED_RUN.run_id, PAPER_RUN.run_id]
    for row, run in enumerate((own_run, BUNDLED_RUN, PAPER_RUN)):
        wrong = int((run.probabilities().argmax(axis=1) != LABELS).sum())
        assert table["Accuracy"][row] == pytest.approx(100 * (1 - wrong / 10_000))
        assert table["Time"][row] == result_of(run).train_seconds
        assert table["Epochs"][row] == len(run.epochs_with_probabilities())
    assert table["Note"].tolist() == ["my first", "", ""]
    # Only what differs, and what the preset sets only where the presets' runs differ; the choice of two shows all.
    assert table["Preset"].tolist() == ["paper", "accurate", "paper"]
    assert "Learning rate" not in table


def test_settings_that_differ_stand_before_the_date_and_the_note(own_run: Run) -> None:
    own_run.write_note("my first")
    settings = json.loads((own_run.path / "config.json").read_text())["settings"]
    change_json(own_run.path / "config.json", settings=settings | {"learning_rate": 0.002})
    table = open_runs().dataframe[0].value
    assert table["Learning rate"].tolist() == ["0.002", "0.003", "0.001"]
    assert list(table) == ["Run", "Accuracy", "Time", "Epochs", "Preset", "Learning rate", "Started", "Note"]


def test_state_is_shown_if_a_run_has_not_finished(own_run: Run) -> None:
    assert "State" not in open_runs().dataframe[0].value
    change_json(own_run.path / "status.json", state="failed")
    assert open_runs().dataframe[0].value["State"].tolist() == ["failed", "finished", "finished"]


def test_all_settings_in_which_two_runs_differ_are_shown() -> None:
    app = open_runs(BUNDLED_RUN.run_id, PAPER_RUN.run_id)
    shown = next(table.value for table in app.table if "Setting" in table.value)
    learning_rate = shown[shown["Setting"] == "Learning rate"].iloc[0]
    assert learning_rate.tolist() == ["Learning rate", "0.001", "0.003"]  # the older first
    assert "Dense units" not in shown["Setting"].tolist()


def test_settings_are_written_as_a_person_writes_them(own_run: Run) -> None:
    settings = json.loads((own_run.path / "config.json").read_text())["settings"]
    settings |= {"second_pooling": True, "training_images": 30_000}
    change_json(own_run.path / "config.json", settings=settings)
    table = open_runs().dataframe[0].value
    assert table["Second pooling"].tolist() == ["on", "off", "off"]
    assert table["Training images"].tolist() == ["30,000", "60,000", "60,000"]


def test_run_on_the_screens_is_chosen_at_first() -> None:
    app = open_screen("runs")
    assert app.header[0].value == BUNDLED_RUN.run_id
    assert "cannot be renamed or deleted" in all_text(app)


def test_run_is_renamed_and_stays_the_one_that_is_shown(own_run: Run, store: RunStore) -> None:
    app = open_runs(own_run.run_id)
    app.selectbox(key="run").set_value(own_run.run_id).run()
    assert app.header[0].value == title_of(own_run)
    assert all_text(app).count(own_run.run_id) == 1  # its folder's name, said once
    assert app.text_input(key=f"new_name_{own_run.run_id}").value == own_run.run_id
    app.text_input(key=f"new_name_{own_run.run_id}").set_value("my best")
    labelled(app.button, "Rename").click().run()
    assert "A name has 1 to 100 English letters" in app.error[0].value
    assert own_run.path.is_dir()
    app.text_input(key=f"new_name_{own_run.run_id}").set_value("my-best")
    labelled(app.button, "Rename").click().run()
    assert not app.exception
    assert [run.run_id for run in store.own_runs()] == ["my-best"]
    assert labelled(app.selectbox, "Run").value == "my-best"
    assert app.header[0].value == "my-best"
    assert "Folder:" not in all_text(app)  # it is the name


def test_note_is_kept(own_run: Run) -> None:
    app = open_runs(own_run.run_id)
    app.text_area(key=f"note_{own_run.run_id}").set_value("wider strokes").run()
    assert own_run.read_note() == "wider strokes"
    assert "wider strokes" in app.dataframe[0].value["Note"].tolist()


def test_run_is_deleted_only_after_the_question(own_run: Run, store: RunStore) -> None:
    app = open_runs(own_run.run_id)
    app.selectbox(key="run").set_value(own_run.run_id).run()
    assert f"Delete **{title_of(own_run)}** for good?" in all_text(app)
    assert own_run.path.is_dir()
    title = title_of(own_run)
    labelled(app.button, "Delete it").click().run()
    assert not app.exception
    assert not store.own_runs()
    assert [toast.value for toast in app.toast] == [f"{title} is deleted."]
    assert labelled(app.selectbox, "Run").value == BUNDLED_RUN.run_id
    assert not app.warning


def test_two_runs_are_compared_image_by_image() -> None:
    first, second = (run.probabilities().argmax(axis=1) == LABELS for run in (PAPER_RUN, BUNDLED_RUN))
    fixed, broken = np.flatnonzero(~first & second), np.flatnonzero(first & ~second)
    app = open_runs(BUNDLED_RUN.run_id, PAPER_RUN.run_id)
    assert not app.exception
    assert f"From {PAPER_RUN.run_id} to {BUNDLED_RUN.run_id}" in all_text(app)  # the older first
    text = all_text(app)
    assert f"**{PAPER_RUN.run_id}** misreads **{(~first).sum()}** of 10,000" in text
    assert f"reads **{len(fixed)}** correctly that the first misreads, and misreads **{len(broken)}** that" in text
    assert f"both misread **{(~first & ~second).sum()}**." in text
    assert chance_text(len(fixed), len(broken)) in text
    for key, expected in (("fixed", fixed), ("broken", broken)):
        assert [tile["id"] for tile in component(app, f"two_runs_{key}")["tiles"]] == expected.tolist()
    app.toggle(key="swap").set_value(True).run()
    assert [tile["id"] for tile in component(app, "two_runs_fixed")["tiles"]] == broken.tolist()


def test_interrupted_run_can_continue_and_a_damaged_one_be_deleted(own_run: Run, store: RunStore) -> None:
    status = json.loads((own_run.path / "status.json").read_text())
    (own_run.path / "status.json").write_text(json.dumps(status | {"state": "failed", "message": "no room"}))
    # As loaded from a zip: to go on from the start would throw its epochs away.
    assert not any(button.label.startswith("Continue") for button in open_runs(own_run.run_id).button)
    own_run.checkpoint_path(5).touch()
    assert "Continue from epoch 5" in [button.label for button in open_runs(own_run.run_id).button]
    (own_run.path / "config.json").write_text("{")
    app = open_runs(own_run.run_id)
    assert "Config.json is not JSON" in all_text(app)
    labelled(app.button, "Delete it").click().run()
    assert not store.own_runs()


def test_link_to_runs_that_are_gone_chooses_none() -> None:
    app = open_runs("gone", "../pretrained-paper")
    assert not app.exception
    assert "Choose a run in the table" in app.info[0].value


def test_largest_zip_is_said_before_it_is_chosen() -> None:
    app = open_screen("runs")
    assert f"of at most {MAX_ARCHIVE_MB} MB" in all_text(app)
    field: Any = app.get("file_uploader")[0]
    assert field.proto.max_upload_size_mb == MAX_ARCHIVE_MB


def labels_of_downloads(app: AppTest) -> list[str]:
    buttons: Any = app.get("download_button")
    return [button.proto.label for button in buttons]


def test_run_that_is_too_large_to_be_taken_away_whole_says_so_in_place_of_the_button(own_run: Run) -> None:
    app = open_runs(own_run.run_id)
    app.session_state["one_run_downloads"] = True
    app.run()
    assert "The whole run" in labels_of_downloads(app)
    with own_run.weights_path(1).open("ab") as file:
        file.truncate(MAX_TOTAL_BYTES - 1)
    app.run()
    assert not app.exception
    assert "Keras" in labels_of_downloads(app)
    assert "The whole run" not in labels_of_downloads(app)
    assert "The run has more than the 500 MB that can be loaded again." in all_text(app)
