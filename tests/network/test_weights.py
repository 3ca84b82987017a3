"""The file of a training's newest weights."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.network.weights import WeightsError, read_live_network, weight_shapes, write_live_network
from tests.support.runs import NETWORKS, random_network


def weights_of(config: TrainingConfig) -> list[np.ndarray]:
    layers = random_network(config)[:4]
    return [array for layer in layers for array in layer]


@pytest.mark.parametrize("config", NETWORKS.values(), ids=NETWORKS)
def test_live_network_is_read_as_it_was_written(config: TrainingConfig, tmp_path: Path) -> None:
    write_live_network(tmp_path / "live.npz", 1_234, weights_of(config))
    step, network = read_live_network(tmp_path / "live.npz", config)
    assert step == 1_234
    assert network.second_pooling == config.second_pooling
    for layer, expected in zip(network[:4], random_network(config)[:4], strict=True):
        np.testing.assert_array_equal(layer.kernel, expected.kernel)
        np.testing.assert_array_equal(layer.bias, expected.bias)


def replace_first(weights: list[np.ndarray], array: np.ndarray) -> list[np.ndarray]:
    return [array, *weights[1:]]


@pytest.mark.parametrize(
    "damage",
    [
        lambda weights: weights[:-1],
        lambda weights: [*weights, weights[0]],
        lambda weights: [],
        lambda weights: replace_first(weights, weights[0][0]),
        lambda weights: replace_first(weights, np.full_like(weights[0], np.nan)),
        lambda weights: replace_first(weights, np.full(weights[0].shape, "text")),
        lambda weights: replace_first(weights, np.full(weights[0].shape, None)),  # NumPy would have to unpickle it
    ],
    ids=["too few", "too many", "none", "another shape", "not a number", "text", "objects"],
)
def test_other_arrays_are_refused(damage: Callable[[list[np.ndarray]], list[np.ndarray]], tmp_path: Path) -> None:
    config = NETWORKS["smallest"]
    np.savez(tmp_path / "live.npz", np.array(1), *damage(weights_of(config)))
    with pytest.raises(WeightsError):
        read_live_network(tmp_path / "live.npz", config)


def test_half_a_file_and_no_file_are_refused(tmp_path: Path) -> None:
    config = NETWORKS["smallest"]
    path = tmp_path / "live.npz"
    with pytest.raises(WeightsError):
        read_live_network(path, config)
    write_live_network(path, 1, weights_of(config))
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(WeightsError):
        read_live_network(path, config)


def test_arrays_are_listed_in_the_order_in_which_keras_returns_them() -> None:
    config = NETWORKS["odd sizes"]
    assert [array.shape for array in weights_of(config)] == list(weight_shapes(config).values())
