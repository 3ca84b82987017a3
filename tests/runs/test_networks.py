"""The network that a run saved: the right one, read from arrays alone, and errors of bad files."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from tests.support.runs import Trained


def same_model(run: Run, probabilities: np.ndarray, dataset: Dataset) -> bool:
    """Tell whether a run's model gives the first test digits the stored probabilities."""
    answers = predict_probabilities(load_network(run), dataset.test_images[:50])
    return np.allclose(answers, probabilities[:50], atol=1e-3)


def test_kept_model_gives_the_probabilities_of_the_last_epoch(trained: Trained, dataset: Dataset) -> None:
    assert same_model(trained.run, trained.run.probabilities(2), dataset)
    assert not same_model(trained.run, trained.run.probabilities(1), dataset)


def test_run_that_never_ended_has_the_model_of_its_last_epoch(run_copy: Run, dataset: Dataset) -> None:
    run_copy.model_path.unlink()
    assert same_model(run_copy, run_copy.probabilities(2), dataset)
    run_copy.weights_path(2).unlink()
    assert same_model(run_copy, run_copy.probabilities(1), dataset)
    run_copy.weights_path(1).unlink()
    assert load_error(run_copy).endswith("has no model: model.keras is missing and no epoch was finished.")


def load_error(run: Run) -> str:
    with pytest.raises(DamagedRunError) as caught:
        load_network(run)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def as_garbage(run: Run) -> None:
    run.model_path.write_bytes(b"garbage" * 10_000)


def as_empty(run: Run) -> None:
    run.model_path.write_bytes(b"")


def as_cut(run: Run) -> None:
    run.model_path.write_bytes(run.model_path.read_bytes()[:100_000])


def as_zip_of_others(run: Run) -> None:
    with zipfile.ZipFile(run.model_path, "w") as archive:
        archive.writestr("holiday.txt", "sun")


def without_weights(run: Run) -> None:
    content = io.BytesIO(run.model_path.read_bytes())
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(run.model_path, "w") as new:
        for name in ("metadata.json", "config.json"):
            new.writestr(name, old.read(name))


def with_more_units(run: Run) -> None:
    """Change the shape of a layer in the model's settings, but not its weights."""
    content = io.BytesIO(run.model_path.read_bytes())
    with zipfile.ZipFile(content) as old, zipfile.ZipFile(run.model_path, "w") as new:
        settings = json.loads(old.read("config.json"))
        next(layer for layer in settings["config"]["layers"] if layer["config"]["name"] == "dense_1")["config"][
            "units"
        ] = 65
        for name in old.namelist():
            new.writestr(name, json.dumps(settings) if name == "config.json" else old.read(name))


@pytest.mark.parametrize("damage", [as_garbage, as_empty, as_cut, as_zip_of_others, without_weights])
def test_model_that_cannot_be_read_is_said_with_its_name(damage: Callable[[Run], None], run_copy: Run) -> None:
    damage(run_copy)
    assert load_error(run_copy).startswith(f"model.keras of {run_copy.run_id} cannot be read: ")


def test_settings_in_a_model_file_are_not_used(run_copy: Run, dataset: Dataset) -> None:
    with_more_units(run_copy)
    assert same_model(run_copy, run_copy.probabilities(2), dataset)


@pytest.mark.parametrize("content", [b"", b"garbage" * 10_000])
def test_weights_that_cannot_be_read_are_said_with_their_name(content: bytes, run_copy: Run) -> None:
    run_copy.model_path.unlink()
    run_copy.weights_path(2).unlink()
    run_copy.weights_path(2).write_bytes(content)
    assert load_error(run_copy).startswith(f"002.weights.h5 of {run_copy.run_id} cannot be read: ")


def test_network_of_an_epoch_that_cannot_be_read_is_named(run_copy: Run) -> None:
    path = run_copy.weights_path(1)
    path.unlink()
    path.write_bytes(b"no weights")
    with pytest.raises(DamagedRunError, match=r"^001\.weights\.h5 of .* cannot be read"):
        load_network(run_copy, 1)
    assert load_network(run_copy, 2)
    (run_copy.path / "config.json").unlink()
    with pytest.raises(DamagedRunError, match=r"config\.json"):
        load_network(run_copy, 2)


@pytest.mark.usefixtures("keras_loaded")
def test_model_of_others_is_said(run_copy: Run) -> None:
    import keras

    networks = [
        keras.Sequential([keras.Input((28, 28, 1)), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)]),
        keras.Sequential([keras.Input((784,)), keras.layers.Dense(10, activation="softmax")]),
        keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]),
    ]
    for network in networks:
        network.save(run_copy.model_path)
        assert "model.keras" in load_error(run_copy)


@pytest.mark.usefixtures("keras_loaded")
def test_code_in_a_model_is_never_run(run_copy: Run, tmp_path: Path) -> None:
    import keras

    trace = str(tmp_path / "trace")
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Lambda(lambda pixels: (open(trace, "w").close(), pixels)[1]),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    network.save(run_copy.model_path)
    Path(trace).unlink()  # it was run when it was made
    assert "model.keras" in load_error(run_copy)
    assert not Path(trace).exists()


def test_loading_leaves_the_run_as_it_is(trained: Trained, run_copy: Run, dataset: Dataset) -> None:
    assert same_model(run_copy, run_copy.probabilities(2), dataset)
    names = sorted(path.relative_to(run_copy.path) for path in run_copy.path.rglob("*"))
    assert names == sorted(path.relative_to(trained.run.path) for path in trained.run.path.rglob("*"))
    shutil.rmtree(run_copy.path)  # no file is held open
