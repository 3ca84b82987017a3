"""The stored filters against what Keras itself loads, and what is said of a bad file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import Trained

from mnist_lib.config import TrainingConfig
from mnist_lib.inspection import first_layer_filters
from mnist_lib.records import DamagedRunError
from mnist_lib.runs import Run, RunStore

BUNDLED_RUN = RunStore(Path("nowhere")).bundled_runs()[0]


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.parametrize("epoch", [1, 2])
def test_filters_are_those_that_keras_loads(epoch: int, trained: Trained) -> None:
    from mnist_lib.model import build_model

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
def test_filters_of_another_network_are_read_too(tmp_path: Path) -> None:
    from mnist_lib.model import build_model

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
