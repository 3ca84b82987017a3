"""Every screen with a run on another data set than MNIST: its classes by name, and nothing that is MNIST's alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.datasets import CLASS_NAMES
from tests.support.runs import PAPER_RUN, title_of
from tests.support.screens import APP_PATH, all_text, component, open_screen

SCREENS = ("overview", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")
# What is said of MNIST alone.
OF_MNIST = ("digit", "The paper", "US Census", "put to a vote", "10,000", "60,000", "continental")


@pytest.fixture
def here(turned: Run, store: RunStore) -> Run:
    """The run and its data set, where the screens look for them."""
    shutil.copytree(turned.path.parent.parent / "datasets", store.root.parent / "datasets")
    return Run(Path(shutil.copytree(turned.path, store.root / turned.run_id)))


@pytest.mark.parametrize("name", [name for name in SCREENS if name not in ("runs", "train")])
def test_screen_speaks_of_classes(here: Run, name: str) -> None:
    app = open_screen(name, here.run_id)
    assert not app.exception
    assert not app.error
    said = all_text(app)
    assert [text for text in OF_MNIST if text in said] == []
    assert app.selectbox(key="run").options[-1] == title_of(here)


def test_gallery_and_filters_name_the_classes(here: Run) -> None:
    app = open_screen("mistakes", here.run_id)
    app.selectbox(key="show").set_value("all").run()
    titles = {tile["title"] for tile in component(app, "mistakes_gallery")["tiles"]}
    assert titles
    assert titles <= {f"{label}\n→ {answer}" for label in CLASS_NAMES for answer in CLASS_NAMES}
    assert app.selectbox(key="true").options == list(CLASS_NAMES)
    app.selectbox(key="true").set_value(2).run()
    titles = [tile["title"] for tile in component(app, "mistakes_gallery")["tiles"]]
    assert all(title.startswith("Two") for title in titles)


def test_filter_for_a_class_that_another_run_has_not_is_dropped(here: Run) -> None:
    app = open_screen("mistakes", PAPER_RUN.run_id)
    app.selectbox(key="true").set_value(9).run()
    app.selectbox(key="run").set_value(here.run_id).run()
    assert not app.exception
    assert app.selectbox(key="true").value is None


def test_outcome_is_without_the_paper(here: Run) -> None:
    app = open_screen("train", here.run_id)
    assert not app.exception
    assert "test images read correctly" in all_text(app)
    assert "Misread of 90" in app.table[0].value.columns
    assert [table for table in app.table if "Paper: loss" in table.value.columns] == []


def test_form_offers_the_data_set_and_fills_in_its_images(here: Run) -> None:
    app = open_screen("train", PAPER_RUN.run_id)
    app.selectbox(key="settings_dataset").set_value("Turned").run()
    assert app.number_input(key="setting_training_images").value == 600
    assert "10 steps" not in all_text(app)
    assert "An epoch is 19 steps over 600 images" in all_text(app)
    app.number_input(key="setting_training_images").set_value(601).run()
    assert "Out of range: Training images" in all_text(app)


def test_form_has_no_choice_without_a_second_data_set() -> None:
    app = open_screen("train", PAPER_RUN.run_id)
    assert "settings_dataset" not in [box.key for box in app.selectbox]


def test_runs_on_different_data_are_not_compared_image_by_image(here: Run) -> None:
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.query_params["runs"] = f"{here.run_id},{PAPER_RUN.run_id}"
    app.run().switch_page("pages/runs.py").run()
    assert not app.exception
    assert "were not tested on the same images" in all_text(app)


@pytest.mark.parametrize("name", SCREENS)
def test_run_whose_data_set_is_missing_says_so_and_shows_what_it_recorded(
    here: Run, store: RunStore, name: str
) -> None:
    shutil.rmtree(store.root.parent / "datasets")
    app = open_screen(name, here.run_id)
    assert not app.exception
    said = all_text(app)
    if name in ("overview", "model", "train", "mistakes"):
        assert "The data set Turned is not here. Add it on the Dataset screen." in said
    if name == "dataset":
        assert "The selected run needs the data set Turned, which is not here." in said
    if name in ("overview", "mistakes"):
        assert said.count("is not here") == 1
    if name in ("train", "mistakes"):
        assert [table for table in app.table if "Test loss" in table.value.columns]
    if name == "draw":
        assert not app.error
        assert all(label in said for label in CLASS_NAMES)
    if name == "runs":
        assert title_of(here) in said


def test_downloads_without_the_data_set_are_those_that_need_no_image(here: Run, store: RunStore) -> None:
    shutil.rmtree(store.root.parent / "datasets")
    app = AppTest.from_file(APP_PATH)
    app.query_params["run"] = here.run_id
    app.session_state["one_run_downloads"] = True
    app.run().switch_page("pages/runs.py").run()
    offered: Any = app.get("download_button")
    offered = {button.proto.label for button in offered}
    assert {"Keras script", "Metrics", "The whole run"} <= offered
    assert not {"Report", "Mistakes", "Predictions"} & offered
    assert "The data set Turned is not here." in all_text(app)


def test_run_whose_data_set_has_changed_says_so(here: Run, store: RunStore) -> None:
    description = store.root.parent / "datasets" / "Turned.json"
    description.write_text(description.read_text().replace('"One"', '"Uno"'))
    app = open_screen("mistakes", here.run_id)
    assert "The data set Turned here is not the one that is needed" in all_text(app)
