"""The Model screen around its picture: which image, which network, which layer, and what is missing."""

from __future__ import annotations

import base64
import shutil

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.network.forward import forward
from mnist_lib.network.layers import layer_table
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.store import RunStore
from tests.support.runs import BUNDLED_RUN, change_json, copy_bundled_run, diverge
from tests.support.screens import APP_PATH, all_text, button, component, open_screen


def values_of(layer: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(layer["values"]), "<f4")


def test_picture_gets_the_values_of_the_chosen_image_and_epoch(dataset: Dataset) -> None:
    app = open_screen("model")
    app.number_input(key="image").set_value(321).run()
    app.select_slider(key="after_epoch").set_value(3).run()
    shown = component(app, "network_picture")
    expected = forward(load_network(BUNDLED_RUN, 3), dataset.test_images[321:322])
    layers = {layer["name"]: layer for layer in shown["layers"]}
    for name in ("conv2d_1", "max_pooling2d", "conv2d_2", "dense_1", "dense_2"):
        assert np.array_equal(values_of(layers[name]), getattr(expected, name).ravel())
    assert shown["title"] == f"Test image 321, a {dataset.test_labels[321]}"


@pytest.mark.parametrize("number", ["inf", "9" * 400, ["3", "-inf"]])
def test_number_in_the_address_that_is_infinite_is_the_first_one(number: str | list[str]) -> None:
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).switch_page("pages/model.py")
    app.query_params["image"] = number
    app.query_params["images"] = ""
    for _ in range(2):
        app.run()
        assert not app.exception
        assert component(app, "network_picture")["title"] == "Test image 0, a 7"
    app.number_input(key="image").set_value(5).run()
    assert component(app, "network_picture")["title"].startswith("Test image 5, ")


def test_number_beyond_the_test_digits_does_not_survive_a_change_to_them() -> None:
    app = open_screen("model")
    app.segmented_control(key="images").set_value("Training image").run()
    app.number_input(key="image").set_value(59_999).run()
    assert component(app, "network_picture")["title"].startswith("Training image 59,999, ")
    app.segmented_control(key="images").set_value("Test image").run()
    assert not app.exception
    assert component(app, "network_picture")["title"] == "Test image 0, a 7"


def test_own_digit_that_is_not_drawn_yet_leads_to_the_canvas() -> None:
    app = open_screen("model")
    app.segmented_control(key="images").set_value("Your own").run()
    assert "Nothing is drawn yet." in app.info[0].value
    assert not app.exception
    assert len(app.dataframe) == 1  # Table I stays


def test_way_on_leads_through_all_layers_to_how_it_learns() -> None:
    app = open_screen("model")
    titles = ["Pooling", "Convolution 2", "Flatten", "Dense", "Dropout", "Softmax", "How it learns"]
    for title in titles:
        button(app, title).click().run()
    assert "Training: Adam" in all_text(app)
    assert component(app, "network_picture")["stage"] == "dense_2"
    button(app, "Softmax").click().run()
    assert "## Softmax" in all_text(app)


def test_run_without_a_network_says_so_and_keeps_the_table(store: RunStore) -> None:
    run = copy_bundled_run(store)
    run.model_path.unlink()
    shutil.rmtree(run.path / "epochs")
    app = open_screen("model", run.run_id)
    assert "has nothing to show here" in app.info[0].value
    assert len(app.dataframe) == 1
    assert not app.exception


def test_network_that_cannot_be_read_is_one_line(store: RunStore) -> None:
    run = copy_bundled_run(store)
    run.model_path.write_bytes(b"not a model")
    app = open_screen("model", run.run_id)
    assert "model.keras" in app.error[0].value
    assert not app.exception


def test_diverged_network_is_one_line(store: RunStore) -> None:
    run = copy_bundled_run(store)
    diverge(run)
    app = open_screen("model", run.run_id)
    assert "its training diverged" in app.error[0].value
    assert not app.exception


def test_too_many_dense_weights_stay_in_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert component(open_screen("model"), "network_picture")["dense_sent"]
    monkeypatch.setattr("mnist_lib.ui.components.network_view.MOST_DENSE_WEIGHTS", 495_615)
    app = open_screen("model")
    assert not component(app, "network_picture")["dense_sent"]
    calculation = next(each for each in app.get("bidi_component") if each.proto.id.endswith("-network_calculation"))
    assert len(calculation.proto.bytes) == 64  # the name of the network alone


def test_layers_follow_the_settings_of_the_network(store: RunStore, dataset: Dataset) -> None:
    run = copy_bundled_run(store)
    change_json(run.path / "config.json", settings=TrainingConfig(second_pooling=True).to_dict())
    app = open_screen("model", run.run_id)
    names = [row.name for row in layer_table(TrainingConfig(second_pooling=True))]
    assert len(app.dataframe[0].value) == len(names) + 1
    # Its weights are those of another network.
    assert app.error
    assert not app.exception
