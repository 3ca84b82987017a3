"""Filters and feature maps, against arithmetic on the weights, and errors of bad files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.inspection import (
    feature_maps,
    first_layer_filters,
    read_over_epochs,
    settled_since,
    spread_epochs,
)
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from tests.support.runs import BUNDLED_RUN, Trained, random_network


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.parametrize("epoch", [1, 2])
def test_filters_are_those_that_keras_loads(epoch: int, trained: Trained) -> None:
    from mnist_lib.network.model import build_model

    config = trained.run.read().config
    assert config
    network = build_model(config)
    network.load_weights(trained.run.weights_path(epoch))
    kernels = network.get_layer("conv2d_1").get_weights()[0]  # (3, 3, 1, 32)
    filters = first_layer_filters(trained.run, epoch)
    assert filters.dtype == np.float32
    assert filters.shape == (32, 3, 3)
    for number in range(32):
        assert np.array_equal(filters[number], kernels[:, :, 0, number])


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_filters_of_another_network_are_read_too(tmp_path: Path) -> None:
    from mnist_lib.network.model import build_model

    network = build_model(TrainingConfig(filters_1=5, kernel_size=4, dense_units=8))
    run = Run(tmp_path)
    run.weights_path(1).parent.mkdir()
    network.save_weights(run.weights_path(1))
    filters = first_layer_filters(run, 1)
    assert filters.shape == (5, 4, 4)
    assert np.array_equal(filters[4], network.get_layer("conv2d_1").get_weights()[0][:, :, 0, 4])


def test_filters_of_the_shipped_run_are_its_models_rounded_to_half_precision() -> None:
    import h5py

    filters = first_layer_filters(BUNDLED_RUN, 5)
    with h5py.File(BUNDLED_RUN.weights_path(5)) as file:
        stored = np.asarray(file["layers/conv2d/vars/0"])
    assert stored.dtype == np.float16
    assert filters.dtype == np.float32
    assert np.array_equal(filters, stored[:, :, 0].transpose(2, 0, 1))


def test_missing_or_bad_weights_are_named(run_copy: Run) -> None:
    import h5py

    path = run_copy.weights_path(2)
    path.unlink()
    with pytest.raises(DamagedRunError, match=r"^epochs/002.weights.h5 is missing or unreadable$"):
        first_layer_filters(run_copy, 2)
    path.write_bytes(b"no weights")
    with pytest.raises(DamagedRunError, match=r"^epochs/002.weights.h5 is missing or unreadable$"):
        first_layer_filters(run_copy, 2)
    with h5py.File(path, "w") as file:
        file["layers/conv2d/vars/0"] = np.zeros((3, 3, 7, 32), np.float32)
    with pytest.raises(DamagedRunError, match=r"^epochs/002.weights.h5 does not hold the filters of a first layer$"):
        first_layer_filters(run_copy, 2)
    path.unlink()
    with h5py.File(path, "w") as file:
        file["layers/conv2d/vars/0"] = np.full((3, 3, 1, 32), np.nan, np.float32)
    with pytest.raises(DamagedRunError, match="does not hold the filters"):
        first_layer_filters(run_copy, 2)


def convolve_slowly(inputs: np.ndarray, kernels: np.ndarray, biases: np.ndarray) -> np.ndarray:
    """Slide every filter over (height, width, channels), place by place: ReLU, (filters, height, width)."""
    side = len(kernels)
    height, width = inputs.shape[0] - side + 1, inputs.shape[1] - side + 1
    outputs = np.zeros((kernels.shape[3], height, width))
    for row in range(height):
        for column in range(width):
            below = inputs[row : row + side, column : column + side, :, np.newaxis]
            outputs[:, row, column] = (below * kernels).sum(axis=(0, 1, 2)) + biases
    return outputs.clip(0)


@pytest.mark.parametrize(
    ("config", "shapes"),
    [
        (TrainingConfig(), [(32, 26, 26), (64, 11, 11)]),
        (
            TrainingConfig(filters_1=5, filters_2=3, kernel_size=4, second_pooling=True, dense_units=8),
            [(5, 25, 25), (3, 9, 9)],
        ),
    ],
)
def test_feature_maps_are_those_of_a_slow_convolution(
    config: TrainingConfig, shapes: list[tuple[int, ...]], dataset: Dataset
) -> None:
    image = dataset.test_images[0]
    network = random_network(config)
    first, second = feature_maps(network, image)
    assert [first.shape, second.shape] == shapes
    assert first.dtype == second.dtype == np.float32
    expected = convolve_slowly(image[..., np.newaxis] / 255, *network.convolution_1)
    np.testing.assert_allclose(first, expected, atol=1e-4)
    height, width = first.shape[1] // 2, first.shape[2] // 2
    whole = first[:, : 2 * height, : 2 * width]
    pooled = whole.reshape(-1, height, 2, width, 2).max(axis=(2, 4)).transpose(1, 2, 0)
    expected = convolve_slowly(pooled, *network.convolution_2)
    np.testing.assert_allclose(second, expected, atol=1e-4)


def test_reading_over_the_epochs_gives_what_the_run_itself_stored(trained: Trained, dataset: Dataset) -> None:
    networks = [load_network(trained.run, epoch) for epoch in (1, 2)]
    for index in (0, 8325):
        read = read_over_epochs(networks, dataset.test_images[index])
        assert read.dtype == np.float32
        stored = [trained.run.probabilities(epoch)[index] for epoch in (1, 2)]
        np.testing.assert_allclose(read, stored, atol=1e-3)  # stored as float16
    assert not np.allclose(read[0], read[1], atol=1e-3)


def test_few_epochs_are_all_shown_and_many_are_spread_evenly() -> None:
    assert spread_epochs([1, 2, 5], 20) == [1, 2, 5]
    assert spread_epochs(range(1, 21), 20) == list(range(1, 21))
    assert spread_epochs(range(1, 101), 4) == [1, 34, 67, 100]
    many = spread_epochs(range(1, 101), 20)
    assert len(set(many)) == 20
    assert (many[0], many[-1]) == (1, 100)
    assert set(np.diff(many)) <= {5, 6}


@pytest.mark.parametrize(
    ("answers", "epoch"), [([7], 2), ([7, 7, 7], 2), ([1, 7, 7], 4), ([7, 1, 7], 6), ([1, 1, 7], 6), ([7, 7, 1], 6)]
)
def test_answer_is_settled_after_the_last_other_one(answers: list[int], epoch: int) -> None:
    assert settled_since([2, 4, 6], np.array(answers)) == epoch
