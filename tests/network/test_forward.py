"""The forward pass in NumPy agrees with Keras, layer by layer, and with a loop over pixels."""

from __future__ import annotations

import io
import threading
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.network.forward import (
    IMAGES_PER_PART,
    Activations,
    Layer,
    Network,
    convolve,
    forward,
    forward_in_parts,
    max_pool,
    predict_probabilities,
    softmax,
)
from mnist_lib.network.weights import WeightsError, read_network, weight_shapes, weights_file_size
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.run import Run
from tests.support.runs import BUNDLED_RUN, NETWORKS, PAPER_RUN

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own


def write_weights(path: Path, arrays: dict[str, np.ndarray]) -> None:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values


def random_weights(config: TrainingConfig) -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    return {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in weight_shapes(config).items()}


@pytest.fixture(params=list(NETWORKS), scope="module")
def keras_and_numpy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keras_loaded: None
) -> Any:
    """A Keras model with biases that are not 0, and the same network as its file gives it to NumPy."""
    from mnist_lib.network.model import build_model

    config = NETWORKS[request.param]
    model = build_model(config)
    random = np.random.default_rng(5)
    model.set_weights([random.normal(0, 0.2, values.shape) for values in model.get_weights()])
    path = tmp_path_factory.mktemp("weights") / "some.weights.h5"
    model.save_weights(path)
    assert path.stat().st_size <= weights_file_size(config)
    return model, read_network(path, config)


def test_every_layer_is_that_of_keras(keras_and_numpy: Any, dataset: Dataset) -> None:
    import keras

    model, network = keras_and_numpy
    images = dataset.test_images[:12]
    activations = forward(network, images)
    for name in Activations._fields:
        layer = keras.Model(model.inputs[0], model.get_layer(name).output)
        expected = np.asarray(keras.ops.convert_to_numpy(layer(scale_pixels(images), training=False)))
        found = getattr(activations, name)
        assert found.dtype == np.float32
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-5)


@pytest.mark.parametrize("run", [BUNDLED_RUN, PAPER_RUN], ids=["accurate", "paper"])
@pytest.mark.usefixtures("keras_loaded")
def test_shipped_runs_answer_as_in_keras(run: Run, dataset: Dataset) -> None:
    from mnist_lib.network.model import build_model
    from mnist_lib.network.model import predict_probabilities as predict_with_keras

    config = run.read().config
    assert config
    model = build_model(config)
    model.load_weights(run.model_path)
    images = dataset.test_images[:400]
    np.testing.assert_allclose(
        predict_probabilities(load_network(run), images), predict_with_keras(model, images), atol=1e-5
    )
    model.load_weights(run.weights_path(1))
    np.testing.assert_allclose(
        predict_probabilities(load_network(run, 1), images), predict_with_keras(model, images), atol=1e-5
    )


def test_convolution_is_the_sum_under_each_window() -> None:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(2, 6, 5, 3)).astype(np.float32)
    layer = Layer(random.normal(size=(2, 2, 3, 4)).astype(np.float32), np.arange(4, dtype=np.float32))
    outputs = convolve(inputs, layer)
    assert outputs.shape == (2, 5, 4, 4)
    for image, row, column, number in np.ndindex(outputs.shape):
        seen = inputs[image, row : row + 2, column : column + 2].astype(float)
        expected = (seen * layer.kernel[..., number]).sum() + layer.bias[number]
        assert outputs[image, row, column, number] == pytest.approx(expected, abs=1e-5)


def test_pooling_leaves_an_odd_last_row_and_column_out() -> None:
    inputs = np.arange(25, dtype=np.float32).reshape(1, 5, 5, 1)
    assert max_pool(inputs)[0, :, :, 0].tolist() == [[6, 8], [16, 18]]
    assert max_pool(-inputs)[0, :, :, 0].tolist() == [[0, -2], [-10, -12]]


def test_softmax_of_large_values_stays_a_number() -> None:
    values = np.array([[1e4, 1e4, -1e4]], dtype=np.float32)
    assert softmax(values).tolist() == [[0.5, 0.5, 0.0]]


def test_parts_give_what_the_whole_gives_and_say_how_far_they_are(dataset: Dataset) -> None:
    network = load_network(PAPER_RUN)
    images = dataset.test_images[: 2 * IMAGES_PER_PART + 1]
    shares: list[float] = []
    parts = forward_in_parts(network, images, "dense_1", shares.append)
    np.testing.assert_allclose(parts, forward(network, images).dense_1, atol=1e-5)
    assert shares == sorted(shares)
    assert len(shares) == 3
    assert shares[-1] == 1.0


def test_parts_are_given_up_with_the_screen_that_waits_for_them(dataset: Dataset) -> None:
    class LeftError(Exception):
        pass

    def leave(share: float) -> None:
        raise LeftError

    threads = threading.active_count()
    blas = [library["num_threads"] for library in threadpool_info()]
    with pytest.raises(LeftError):
        forward_in_parts(load_network(PAPER_RUN), dataset.test_images, "dense_2", leave)
    assert threading.active_count() == threads
    assert [library["num_threads"] for library in threadpool_info()] == blas


# The files.


def test_weights_are_read_from_inside_a_keras_file(tmp_path: Path) -> None:
    config = TrainingConfig(dense_units=3)
    arrays = random_weights(config)
    inside = io.BytesIO()
    with h5py.File(inside, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model.weights.h5", inside.getvalue())
    network = read_network(path, config)
    assert isinstance(network, Network)
    np.testing.assert_array_equal(network.dense.kernel, arrays["layers/dense/vars/0"])
    np.testing.assert_array_equal(network.output.bias, arrays["layers/dense_1/vars/1"])


def test_weights_of_half_precision_are_read_as_float32(tmp_path: Path) -> None:
    config = TrainingConfig(dense_units=3)
    path = tmp_path / "half.weights.h5"
    write_weights(path, {name: values.astype(np.float16) for name, values in random_weights(config).items()})
    assert {array.dtype for layer in read_network(path, config)[:4] for array in layer} == {np.dtype(np.float32)}


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    write_weights(path, random_weights(TrainingConfig(dense_units=3)))
    with pytest.raises(WeightsError, match=r"layers/dense/vars/0 is \(7744, 3\), not \(7744, 64\)"):
        read_network(path, TrainingConfig())


def test_file_without_a_layer_is_refused(tmp_path: Path) -> None:
    arrays = random_weights(TrainingConfig())
    del arrays["layers/conv2d_1/vars/1"]
    path = tmp_path / "short.weights.h5"
    write_weights(path, arrays)
    with pytest.raises(WeightsError, match="layers/conv2d_1/vars/1 is missing"):
        read_network(path, TrainingConfig())


def test_keras_file_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(20_000_000))
    with pytest.raises(WeightsError, match="its weights have more than"):
        read_network(path, TrainingConfig())
