"""An exported network gives the same answers as here, to the last bits of a float."""

from __future__ import annotations

import io
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.export import models as model_export
from mnist_lib.export import write_model
from mnist_lib.export.models import ExportError, can_export_litert, export_keras, export_litert, export_saved_model
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from tests.support.processes import Python

HAS_LITERT = can_export_litert()

pytestmark = pytest.mark.usefixtures("keras_loaded")


@pytest.fixture
def images(dataset: Dataset) -> np.ndarray:
    """20 test digits: uint8, (20, 28, 28)."""
    return dataset.test_images[:20]


@pytest.fixture
def answers(run_copy: Run, images: np.ndarray) -> np.ndarray:
    """What the network says of them: float32, (20, 10)."""
    return predict_probabilities(load_network(run_copy), images)


def test_keras_file_is_the_kept_one(run_copy: Run) -> None:
    assert export_keras(run_copy) == run_copy.model_path.read_bytes()


def test_keras_file_of_a_run_that_never_ended_is_its_last_epoch(
    run_copy: Run, images: np.ndarray, answers: np.ndarray, tmp_path: Path
) -> None:
    import keras

    run_copy.model_path.unlink()
    path = tmp_path / "exported.keras"
    path.write_bytes(export_keras(run_copy))
    model: Any = keras.saving.load_model(path, compile=False, safe_mode=True)
    np.testing.assert_allclose(model(scale_pixels(images), training=False), answers, atol=1e-5)


def test_saved_model_gives_the_same_answers(
    run_copy: Run, images: np.ndarray, answers: np.ndarray, tmp_path: Path
) -> None:
    import tensorflow as tf

    content = export_saved_model(run_copy)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(tmp_path / "models")
    reloaded = tf.saved_model.load(tmp_path / "models" / run_copy.run_id / "1")
    (output,) = reloaded.signatures["serving_default"](tf.constant(scale_pixels(images))).values()
    np.testing.assert_allclose(output, answers, atol=1e-6)


@pytest.mark.skipif(not HAS_LITERT, reason="this Keras writes no LiteRT")
def test_litert_gives_the_same_answers(run_copy: Run, images: np.ndarray, answers: np.ndarray) -> None:
    import tensorflow as tf

    content = export_litert(run_copy)
    interpreter = tf.lite.Interpreter(model_content=content)
    (given,), (returned,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], (len(images), 28, 28, 1))
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], scale_pixels(images))
    interpreter.invoke()
    np.testing.assert_allclose(interpreter.get_tensor(returned["index"]), answers, atol=1e-5)


@pytest.mark.skipif(not HAS_LITERT, reason="this Keras writes no LiteRT")
def test_exports_print_nothing(run_copy: Run, python: Python) -> None:
    # In a process of its own: TensorFlow reads once how much it may say, and another test may have loaded it before.
    script = """
import pathlib, sys
from mnist_lib.export import models as model_export
from mnist_lib.runs.run import Run
run = Run(pathlib.Path(sys.argv[1]))
assert all((model_export.export_saved_model(run), model_export.export_litert(run)))
"""
    assert python.run("-c", script, run_copy.path) == (0, "", "")


def test_keras_that_is_too_old_for_litert_says_so(run_copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_export, "version", lambda name: "3.12.4")
    with pytest.raises(ExportError, match=r"LiteRT needs Keras 3\.13 and so Python 3\.11; this is Keras 3\.12\.4\."):
        export_litert(run_copy)


@pytest.mark.parametrize("export", [export_keras, export_saved_model, export_litert])
def test_run_without_a_model_is_one_line(export: Callable[[Run], bytes], run_copy: Run) -> None:
    run_copy.model_path.unlink()
    for epoch in run_copy.epochs_with_weights():
        run_copy.weights_path(epoch).unlink()
    with pytest.raises(ExportError, match="has no model") as raised:
        export(run_copy)
    assert len(str(raised.value).splitlines()) == 1


def test_disk_that_is_full_is_one_line(
    run_copy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import keras

    def fail(*args: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "export", fail)
    monkeypatch.setattr(sys, "argv", ["write_model", "saved_model", str(run_copy.path), str(tmp_path / "model.zip")])
    assert write_model.main() == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"The network cannot be exported: .*No space left on device.*", line)
