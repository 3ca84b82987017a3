"""The paper's network, against a NumPy network written in the simplest way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.config import SETTINGS, TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import cross_entropy
from mnist_lib.network.layers import layer_table
from mnist_lib.runs.paper import PARAMETERS
from tests.support.runs import NETWORKS, Trained, load_keras_model

pytestmark = [
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


@pytest.fixture(scope="module")
def network(trained: Trained) -> Any:
    """The model of the tiny run: its weights are learnt, and no bias is zero."""
    return load_keras_model(trained.run)


def slow_probabilities(weights: list[np.ndarray], image: np.ndarray) -> np.ndarray:
    """Return the ten probabilities of one image, float64, computed pixel by pixel."""
    kernels_1, bias_1, kernels_2, bias_2, dense_1, dense_bias_1, dense_2, dense_bias_2 = (
        array.astype(np.float64) for array in weights
    )
    pixels = np.zeros((28, 28, 1))
    pixels[:, :, 0] = image / 255

    def convolve(field: np.ndarray, kernels: np.ndarray, bias: np.ndarray) -> np.ndarray:
        size = field.shape[0] - 2
        output = np.zeros((size, size, kernels.shape[3]))
        for y in range(size):
            for x in range(size):
                for filter_number in range(kernels.shape[3]):
                    seen = field[y : y + 3, x : x + 3] * kernels[:, :, :, filter_number]
                    output[y, x, filter_number] = max(seen.sum() + bias[filter_number], 0)
        return output

    field = convolve(pixels, kernels_1, bias_1)
    pooled = np.zeros((13, 13, 32))
    for y in range(13):
        for x in range(13):
            pooled[y, x] = field[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].max(axis=(0, 1))
    flat = convolve(pooled, kernels_2, bias_2).reshape(-1)
    hidden = np.maximum(flat @ dense_1 + dense_bias_1, 0)  # dropout does nothing after training
    scores = np.exp(hidden @ dense_2 + dense_bias_2)
    return scores / scores.sum()


def test_network_has_the_parameters_of_the_paper() -> None:
    from mnist_lib.network.model import build_model

    model = build_model(TrainingConfig())
    assert model.count_params() == PARAMETERS == 515_146
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 515_146
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_keras_builds_the_layers_of_the_table(config: TrainingConfig) -> None:
    import keras

    from mnist_lib.network.model import build_model

    model = build_model(config)
    table = layer_table(config)
    assert [layer.name for layer in model.layers] == [row.name for row in table]
    assert [layer.output.shape[1:] for layer in model.layers] == [row.output_shape for row in table]
    assert [layer.count_params() for layer in model.layers] == [row.parameters for row in table]
    assert [type(layer).__name__ for layer in model.layers] == [row.kind.split(",")[0] for row in table]
    (dropout,) = (layer for layer in model.layers if isinstance(layer, keras.layers.Dropout))
    assert dropout.rate == config.dropout
    assert all(weight.dtype == "float32" for weight in model.weights)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_network_of_fewer_bits_keeps_its_weights_and_answers_in_float32(policy: str) -> None:
    from mnist_lib.network.model import build_model

    model = build_model(TrainingConfig(), policy)
    assert {layer.compute_dtype for layer in model.layers[:-1]} == {policy.removeprefix("mixed_")}
    assert all(weight.dtype == "float32" for weight in model.weights)
    assert model.layers[-1].compute_dtype == "float32"


def test_probabilities_agree_with_a_slow_network_in_numpy(network: Any, dataset: Dataset) -> None:
    from mnist_lib.network.model import predict_probabilities

    images = dataset.test_images[[0, 8, 247]]
    probabilities = predict_probabilities(network, images)
    assert probabilities.shape == (3, 10)
    assert probabilities.dtype == np.float32
    expected = [slow_probabilities(network.get_weights(), image) for image in images]
    np.testing.assert_allclose(probabilities, expected, rtol=1e-4, atol=1e-6)


def test_many_images_get_the_same_probabilities_as_few(network: Any, dataset: Dataset) -> None:
    from mnist_lib.network.model import predict_probabilities

    images = dataset.test_images[:1001]
    together = predict_probabilities(network, images)
    assert together.shape == (1001, 10)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    for piece in ([0], [499, 500, 501], [1000]):
        np.testing.assert_allclose(together[piece], predict_probabilities(network, images[piece]), atol=1e-5)


def test_cross_entropy_is_the_loss_that_keras_reports(network: Any, dataset: Dataset) -> None:
    import keras

    from mnist_lib.network.model import predict_probabilities

    images, labels = dataset.test_images[:400], dataset.test_labels[:400]
    probabilities = predict_probabilities(network, images)
    loss: Any = keras.losses.SparseCategoricalCrossentropy()
    assert cross_entropy(probabilities, labels) == pytest.approx(float(loss(labels, probabilities)), rel=1e-4)
    certain, wrong_labels = np.eye(10, dtype=np.float32), np.arange(10)[::-1]
    assert cross_entropy(certain, wrong_labels) == pytest.approx(float(loss(wrong_labels, certain)), rel=1e-4)


def test_cross_entropy_is_the_loss_of_keras_s_own_evaluation(network: Any, dataset: Dataset) -> None:
    from mnist_lib.data.dataset import scale_pixels
    from mnist_lib.network.model import predict_probabilities

    network.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    images, labels = dataset.test_images[:600], dataset.test_labels[:600]
    loss, share = network.evaluate(scale_pixels(images), labels, verbose=0)
    probabilities = predict_probabilities(network, images)
    assert cross_entropy(probabilities, labels) == pytest.approx(loss, rel=1e-4)
    assert np.mean(probabilities.argmax(axis=1) == labels) == pytest.approx(share, abs=1e-6)


# The middle of the images.

MIDDLE_NETWORKS = [
    TrainingConfig(kernel_size=size, second_pooling=pooling, filters_1=3, filters_2=4, dense_units=5, middle_epochs=1)
    for size in range(1, 8)
    for pooling in (False, True)
    if not (pooling and size == 7)
]


def kernel_and_pooling(config: TrainingConfig) -> str:
    return f"{config.kernel_size}{', second pooling' * config.second_pooling}"


def outer_places(config: TrainingConfig) -> np.ndarray:
    """Tell which of the flattened values see pixels outside the middle: bool, (height, width)."""
    kernel, pooling = config.kernel_size, 2 if config.second_pooling else 1
    side = ((28 - kernel + 1) // 2 - kernel + 1) // pooling
    # The first pixel that a value sees, and the last one.
    first = np.arange(side) * 2 * pooling
    last = first + 2 * (pooling - 1 + kernel - 1) + 1 + kernel - 1
    outside = (first < 4) | (last > 23)
    return outside[:, np.newaxis] | outside


@pytest.mark.parametrize("config", MIDDLE_NETWORKS, ids=kernel_and_pooling)
def test_middle_view_answers_as_the_network_whose_values_around_the_middle_are_zero(
    config: TrainingConfig, dataset: Dataset
) -> None:
    import keras

    from mnist_lib.data.dataset import scale_pixels
    from mnist_lib.network.model import build_middle_view, build_model

    model = build_model(config)
    random = np.random.default_rng(1)
    weights = [random.normal(0, 0.3, weight.shape).astype(np.float32) for weight in model.get_weights()]
    model.set_weights(weights)
    images = scale_pixels(dataset.test_images[:5])
    values: Any = keras.Model(model.inputs[0], model.get_layer("flatten").input)
    flat = np.array(values(images))
    flat[:, outer_places(config)] = 0
    kernel_1, bias_1, kernel_2, bias_2 = weights[4:]
    scores = np.exp(np.maximum(flat.reshape(5, -1) @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2)

    view: Any = build_middle_view(model, config)
    assert view.input_shape == (None, 20, 20, 1)
    np.testing.assert_allclose(view(images[:, 4:24, 4:24]), scores / scores.sum(1, keepdims=True), rtol=1e-4, atol=1e-6)
    kernel = model.get_weights()[4].reshape(*flat.shape[1:], -1)
    assert not kernel[outer_places(config)].any()
    # The weights of the middle are as they were.
    before = kernel_1.reshape(kernel.shape)
    np.testing.assert_array_equal(kernel[~outer_places(config)], before[~outer_places(config)])


@pytest.mark.parametrize("optimizer", SETTINGS["optimizer"].allowed)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_training_the_middle_trains_the_whole_network_but_for_the_weights_around_the_middle(
    optimizer: str, policy: str, dataset: Dataset
) -> None:
    import keras

    from mnist_lib.data.dataset import scale_pixels
    from mnist_lib.network.model import build_middle_view, build_model
    from mnist_lib.training.optimizers import make_optimizer

    keras.utils.set_random_seed(1)
    config = TrainingConfig(filters_1=3, filters_2=4, optimizer=optimizer, learning_rate=0.05, middle_epochs=1)
    model = build_model(config, policy)
    view: Any = build_middle_view(model, config, policy)
    before = model.get_weights()
    view.compile(optimizer=make_optimizer(config, policy), loss="sparse_categorical_crossentropy")
    view.fit(scale_pixels(dataset.train_images[:64])[:, 4:24, 4:24], dataset.train_labels[:64], verbose=0)
    after = model.get_weights()
    assert all((new != old).any() for new, old in zip(after, before, strict=True))
    kernel = after[4].reshape(11, 11, 4, -1)
    assert not kernel[outer_places(config)].any()
    assert kernel[~outer_places(config)].any(axis=(1, 2)).all()
    assert np.isfinite(kernel).all()
