"""The values before ReLU are those that Keras computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.explain.rectification import RELU_LAYERS, values_before_relu
from mnist_lib.network.forward import forward, relu
from tests.support.runs import NETWORKS, random_network


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_values_before_relu_are_those_of_keras(config: TrainingConfig, dataset: Dataset) -> None:
    import keras

    from mnist_lib.network.model import build_model

    image = dataset.test_images[0]
    network = random_network(config)
    activations = forward(network, image[np.newaxis])
    model: Any = build_model(config)
    layers = (network.convolution_1, network.convolution_2, network.dense, network.output)
    model.set_weights([array for layer in layers for array in layer])
    for name in RELU_LAYERS:
        layer = model.get_layer(name)
        layer.activation = keras.activations.linear
        expected = np.asarray(keras.Model(model.inputs[0], layer.output)(scale_pixels(image[np.newaxis])))
        layer.activation = keras.activations.relu
        found = values_before_relu(name, network, image, activations)
        assert found.dtype == np.float32
        scale = max(1.0, float(np.abs(expected).max()))
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)
        np.testing.assert_array_equal(relu(found), getattr(activations, name))
