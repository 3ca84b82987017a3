"""A run on another data set than MNIST: what it records, on the command line and in a zip."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_lib.data.dataset import Dataset
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.export.report import make_report
from mnist_lib.export.script import keras_script
from mnist_lib.export.tables import mistakes_csv, predictions_csv
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.archive import archive_run, load_archive
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run, RunStoreError
from mnist_lib.runs.store import RunStore
from tests.support.datasets import CLASS_NAMES
from tests.support.processes import Python
from tests.support.runs import change_json


@pytest.fixture
def data(turned: Run) -> Dataset:
    return DatasetLibrary.beside(turned.path.parent).load(turned.dataset())


def test_run_records_its_data_set_and_has_as_many_outputs(turned: Run, data: Dataset) -> None:
    config, record = turned.read_config()
    assert (config.dataset, config.classes, config.training_images) == ("Turned", 3, 600)
    assert record.dataset == data.description
    assert not config.has_paper_network
    assert turned.probabilities().shape == (90, 3)
    assert turned.read().last_epoch


def test_commands_evaluate_it_on_its_own_images(turned: Run, python: Python) -> None:
    folder = str(turned.path.parent)
    code, stdout, _ = python.run("-m", "mnist_lib", "evaluate", turned.run_id, "--runs-dir", folder, "--json")
    assert code == 0
    last = turned.read().last_epoch
    assert last
    assert json.loads(stdout)["misclassified"] == last.misclassified


def test_predict_reads_a_picture_as_the_data_set_asks_and_names_the_class(
    turned: Run, data: Dataset, python: Python, tmp_path: Path
) -> None:
    image = np.roll(data.test_images[0], (4, 4), axis=(0, 1))  # it is not moved to the middle
    Image.fromarray(image).resize((280, 280), Image.Resampling.NEAREST).save(tmp_path / "picture.png")
    asked = ["predict", tmp_path / "picture.png", "--run", turned.run_id, "--runs-dir", turned.path.parent, "--json"]
    code, stdout, _ = python.run("-m", "mnist_lib", *map(str, asked))
    assert code == 0
    row = json.loads(stdout)
    expected = predict_probabilities(load_network(turned), image[None])[0]
    np.testing.assert_allclose(row["probabilities"], expected, atol=0.02)
    assert row["class"] == CLASS_NAMES[expected.argmax()]


def test_data_set_that_is_not_there_is_one_line(turned: Run, python: Python, tmp_path: Path) -> None:
    folder = str(turned.path.parent)
    refused = python.run("-m", "mnist_lib", "train", "--dataset", "Nothing", "--runs-dir", folder)
    assert refused[0] == 2
    assert refused[2] == ("mnist_lib: There is no data set 'Nothing'. `python -m mnist_lib datasets` lists them.\n")
    code, _, stderr = python.run(
        "-m", "mnist_lib", "evaluate", turned.run_id, "--runs-dir", folder, MNIST_DATA_DIR=str(tmp_path)
    )
    assert (code, stderr) == (2, "mnist_lib: The data set Turned is not here. Add it on the Dataset screen.\n")


def test_zip_loads_again_even_without_the_data_set(turned: Run, store: RunStore) -> None:
    loaded = load_archive(io.BytesIO(archive_run(turned)), store)
    assert loaded.dataset() == turned.dataset()
    assert (loaded.probabilities() == turned.probabilities()).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "MNIST"}, "config.json describes MNIST wrongly"),
        ({"class_names": ["Zero", "<b>"]}, "config.json has a wrong value"),
        ({"class_names": ["Zero", "../.."]}, "config.json has a wrong value"),
        ({"class_names": ["Zero", "One"]}, "config.json names two data sets"),
        ({"name": "Other"}, "config.json names two data sets"),
        ({"training_images": 599}, "more training images than there are"),
        ({"test_images": 89}, "does not hold 89 x 3 probabilities"),
    ],
)
def test_zip_that_describes_its_data_wrongly_is_refused(
    turned: Run, store: RunStore, change: dict, message: str
) -> None:
    run = load_archive(io.BytesIO(archive_run(turned)), store)
    described = json.loads((run.path / "config.json").read_text())["dataset"]
    change_json(run.path / "config.json", dataset=described | change)
    with pytest.raises(RunStoreError, match=message):  # where it is made, or where it is loaded
        load_archive(io.BytesIO(archive_run(run)), store)


def test_report_and_tables_name_the_classes(turned: Run, data: Dataset) -> None:
    report = make_report(turned, data)
    assert "tells the 3 classes of Turned apart" in report
    assert all(f'<th scope="row">{name}</th>' in report for name in CLASS_NAMES)
    assert "Beside the paper" not in report
    assert "Paper: loss" not in report
    assert "Yann LeCun" not in report
    header, first, *_ = predictions_csv(turned.probabilities(), data.test_labels, data.description).splitlines()
    assert header == "test_index,true_class,predicted_class,confidence,pZero,pOne,pTwo"
    assert first.split(",")[1] == CLASS_NAMES[data.test_labels[0]]
    assert mistakes_csv(turned.probabilities(), data.test_labels, data.description).startswith("test_index,true_class,")


def test_script_reads_the_file_and_has_as_many_outputs(turned: Run) -> None:
    script = keras_script(turned.read_config()[0], turned.read())
    assert 'np.load("Turned.npz")' in script
    assert 'layers.Dense(3, activation="softmax"' in script
    assert "keras.datasets.mnist" not in script
    compile(script, "script.py", "exec")
