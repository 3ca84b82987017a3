"""The Dataset screen with data sets of one's own: chosen, added after a look, kept, removed; and for whom."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path

import msgspec
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.access import Visitor
from mnist_lib.data.dataset import Dataset
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.runs.store import RunStore
from tests.support.datasets import make_turned_digits
from tests.support.runs import PAPER_RUN, change_json, copy_bundled_run
from tests.support.screens import APP_PATH, all_text, button, component, open_screen

ADD = "Add your own data set"


@pytest.fixture
def turned(dataset: Dataset) -> Dataset:
    return make_turned_digits(dataset)


@pytest.fixture
def library(store: RunStore) -> DatasetLibrary:
    return DatasetLibrary.beside(store.root)


def expanders(app: AppTest) -> list[str]:
    return [each.label for each in app.expander]


def open_adding(app: AppTest) -> AppTest:
    """Open the part for a new data set, as a click on it does."""
    app.session_state["new_dataset"] = True
    return app.run()


def upload(app: AppTest, dataset: Dataset, labels: np.ndarray | None = None) -> AppTest:
    """Choose a data set as one NumPy archive, perhaps with other labels to train with."""
    file = io.BytesIO()
    y_train = dataset.train_labels if labels is None else labels
    x_train, x_test = dataset.train_images, dataset.test_images
    np.savez(file, x_train=x_train, y_train=y_train, x_test=x_test, y_test=dataset.test_labels)
    return app.file_uploader[0].set_value([("turned.npz", file.getvalue(), "application/zip")]).run()


def test_with_mnist_alone_there_is_nothing_to_choose() -> None:
    app = open_screen("dataset", PAPER_RUN.run_id)
    assert [box.label for box in app.selectbox] == ["Run"]
    assert expanders(app) == ["A closer look at the chosen digit", ADD]
    assert not app.file_uploader
    assert not app.exception


@pytest.mark.parametrize(("mode", "visitor"), [("class", Visitor("1", "Ada")), ("public", None)])
def test_visitors_can_look_but_neither_add_nor_remove(
    mode: str, visitor: Visitor | None, turned: Dataset, library: DatasetLibrary, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(turned)
    monkeypatch.setenv("MNIST_MODE", mode)
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.session_state["visitor"] = visitor
    app.query_params["data"] = "Turned"
    app.switch_page("pages/dataset.py").run()
    assert "Turned: 600 images to train with and 90 to test with" in all_text(app)
    assert ADD not in expanders(app)
    assert "Yes, remove" not in [each.label for each in app.button]


def test_another_data_set_is_shown_by_its_classes(turned: Dataset, library: DatasetLibrary) -> None:
    library.add(turned)
    app = open_screen("dataset", PAPER_RUN.run_id)
    app.selectbox(key="data").set_value("Turned").run()
    assert "in 3 classes. From: MNIST, turned." in all_text(app)
    assert "A closer look at the chosen image" not in expanders(app)  # the run knows only MNIST
    app.pills(key="class").set_value("Two").run()
    of_class = np.flatnonzero(turned.train_labels == 2)
    assert f"{len(of_class)} images of Two, 60 on this page." in all_text(app)
    assert app.header[-1].value == f"Number {of_class[0]}: Two"
    tiles = component(app, "dataset_gallery")["tiles"]
    assert {tile["title"] for tile in tiles} == {"Two"}
    app.selectbox(key="data").set_value("MNIST").run()
    assert "60,000 images, 60 on this page." in all_text(app)


def test_many_classes_are_chosen_from_a_list(turned: Dataset, library: DatasetLibrary) -> None:
    names = tuple(f"Class {number}" for number in range(62))
    description = msgspec.structs.replace(turned.description, class_names=names)
    library.add(Dataset(turned.train_images, turned.train_labels, turned.test_images, turned.test_labels, description))
    app = open_screen("dataset")
    app.selectbox(key="data").set_value("Turned").run()
    app.selectbox(key="class").set_value("Class 1").run()
    assert f"{(turned.train_labels == 1).sum()} images of Class 1" in all_text(app)
    app.selectbox(key="class").set_value("Class 61").run()
    assert "There are no such images." in all_text(app)
    assert not app.exception


def test_screen_begins_with_the_data_set_of_the_selected_run(
    turned: Dataset, library: DatasetLibrary, store: RunStore
) -> None:
    run = copy_bundled_run(store)
    settings = {"preset": "custom", "dataset": "Turned", "classes": 3, "training_images": 600}
    change_json(run.path / "config.json", settings=settings, dataset=msgspec.to_builtins(turned.description))
    app = open_screen("dataset", run.run_id)
    assert "The selected run needs the data set Turned, which is not here." in all_text(app)
    other = msgspec.structs.replace(turned.description, class_names=("A", "B", "C"))
    library.add(dataclasses.replace(turned, description=other))
    app = open_screen("dataset", run.run_id)
    assert "The selected run needs another data set Turned, which is not here." in all_text(app)
    library.add(turned, replace=True)
    app = open_screen("dataset", PAPER_RUN.run_id)
    assert app.selectbox(key="data").value == "MNIST"
    app.selectbox(key="run").set_value(run.run_id).run()
    assert app.selectbox(key="data").value == "Turned"
    assert "A closer look at the chosen image" in expanders(app)


@pytest.mark.process
def test_data_set_is_looked_at_kept_and_removed(turned: Dataset, library: DatasetLibrary) -> None:
    app = upload(open_adding(open_screen("dataset")), turned)
    assert "NumPy archive: 600 training and 90 test images in 3 classes." in all_text(app)
    assert len(component(app, "new_dataset_samples")["tiles"]) == 18
    assert len(library.descriptions()) == 1  # nothing is kept yet
    app.text_input(key="new_dataset_name_0").set_value("mnist")
    app.text_input(key="new_dataset_classes_0").set_value("Zero, One")
    button(app, "Keep").click().run()
    assert "There are 3 classes, but 2 names for them." in all_text(app)
    app.text_input(key="new_dataset_classes_0").set_value("Zero, One, Two")
    button(app, "Keep").click().run()
    assert "MNIST is taken." in all_text(app)
    app.text_input(key="new_dataset_name_0").set_value("Turned")
    app.text_input(key="new_dataset_licence_0").set_value("CC0")
    button(app, "Keep").click().run()
    assert [toast.value for toast in app.toast] == ["Turned is kept."]
    assert app.selectbox(key="data").value == "Turned"
    assert "Licence: CC0." in all_text(app)
    kept = library.find("Turned")
    assert kept
    assert (kept.sha256, kept.class_names) == (turned.description.sha256, ("Zero", "One", "Two"))
    button(app, "Yes, remove").click().run()
    assert len(library.descriptions()) == 1
    assert "MNIST: 60,000 digits" in all_text(app)
    assert not app.exception


@pytest.mark.process
def test_what_cannot_be_used_is_said_in_a_line(turned: Dataset, library: DatasetLibrary) -> None:
    app = upload(open_adding(open_screen("dataset")), turned, turned.train_labels[:-1])
    assert [error.value for error in app.error] == [
        "y_train must have one label for each of the 600 images; its shape is (599,)."
    ]
    assert "Keep" not in [each.label for each in app.button]
    name = "../" * 5 + "<b>x</b>.csv"
    app.file_uploader[0].set_value([(name, b"0,1,2\n", "text/csv"), ("b.txt", b"", "text/plain")]).run()
    assert [error.value for error in app.error] == ["Line 1 must have a label and 784 whole numbers from 0 to 255."]
    assert not Path(library.root).exists()
