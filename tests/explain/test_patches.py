"""The patches of each map, against Keras and a loop over places, and their size against single pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.explain.patches import PATCHES_PER_MAP, Patches, find_patches
from mnist_lib.network.forward import Network, forward
from tests.support.runs import NETWORKS, random_network


def keras_maps(config: TrainingConfig, network: Network, images: np.ndarray) -> list[np.ndarray]:
    """Return the maps of both convolutions, (n, height, width, filters), as Keras computes them."""
    import keras

    from mnist_lib.network.model import build_model

    model: Any = build_model(config)
    layers = (network.convolution_1, network.convolution_2, network.dense, network.output)
    model.set_weights([array for layer in layers for array in layer])
    outputs = [model.get_layer(name).output for name in ("conv2d_1", "conv2d_2")]
    return [np.asarray(maps) for maps in keras.Model(model.inputs[0], outputs)(scale_pixels(images), training=False)]


def strongest_slowly(maps: np.ndarray, number: int) -> list[tuple[float, int, int, int]]:
    """Return (activation, image, row, column) of the strongest place of each image, the nine strongest first."""
    found = []
    for image, values in enumerate(maps[..., number]):
        best = max((float(value), -row, -column) for (row, column), value in np.ndenumerate(values))
        found.append((best[0], image, -best[1], -best[2]))
    return sorted(found, key=lambda each: (-each[0], each[1]))[:PATCHES_PER_MAP]


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_patches_are_those_of_a_slow_search(config: TrainingConfig, dataset: Dataset) -> None:
    network, images = random_network(config), dataset.test_images[:45]
    maps = keras_maps(config, network, images)
    for patches, layer, stride in zip(find_patches(network, images), maps, (1, 2), strict=True):
        filters = layer.shape[-1]
        assert patches.images.shape == patches.activations.shape == (filters, PATCHES_PER_MAP)
        for number in range(filters):
            expected = strongest_slowly(layer, number)
            np.testing.assert_allclose(patches.activations[number], [each[0] for each in expected], atol=1e-4)
            # Where two places answer alike up to rounding, either may come first: so look the value up.
            assert len(set(patches.images[number].tolist())) == PATCHES_PER_MAP
            rows, columns = patches.corners[number].T // stride
            found = layer[patches.images[number], rows, columns, number]
            np.testing.assert_allclose(found, [each[0] for each in expected], atol=1e-4)


@pytest.mark.parametrize(("config", "side_px"), [(TrainingConfig(), 8), (NETWORKS["largest kernel"], 20)])
def test_patch_is_all_that_the_value_depends_on(config: TrainingConfig, side_px: int) -> None:
    # With positive weights and no bias, one pixel of ink counts wherever it stands in the patch.
    network = random_network(config)
    positive = network._replace(
        **{
            name: layer._replace(kernel=np.abs(layer.kernel), bias=np.zeros_like(layer.bias))
            for name, layer in network._asdict().items()
            if name != "second_pooling"
        }
    )
    images = np.random.default_rng(0).integers(0, 256, (9, 28, 28)).astype(np.uint8)
    first, second = find_patches(positive, images)
    assert (first.side_px, second.side_px) == (config.kernel_size, side_px)
    for layer, patches, stride in (("conv2d_1", first, 1), ("conv2d_2", second, 2)):
        top, left = patches.corners[0, 0].tolist()
        for row in range(28):
            for column in range(28):
                dot = np.zeros((1, 28, 28), np.uint8)
                dot[0, row, column] = 255
                value = getattr(forward(positive, dot), layer)[0, top // stride, left // stride, 0]
                inside = top <= row < top + patches.side_px and left <= column < left + patches.side_px
                assert (value > 0) == inside


def test_few_images_give_few_patches_and_a_silent_map_answers_with_zero(dataset: Dataset) -> None:
    network = random_network(TrainingConfig())
    silent = network.convolution_1._replace(
        kernel=np.zeros_like(network.convolution_1.kernel), bias=np.full_like(network.convolution_1.bias, -1)
    )
    first, _ = find_patches(network._replace(convolution_1=silent), dataset.test_images[:3])
    assert isinstance(first, Patches)
    assert first.images.shape == (32, 3)
    assert not first.activations.any()
