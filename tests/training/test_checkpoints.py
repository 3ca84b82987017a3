"""Everything that a training needs to continue is saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import read_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.store import RunStore
from mnist_lib.training.state import TrainingState
from tests.support.training import SMALL, build_small_network, fit

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


def optimizer_values(network: Any) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in network.optimizer.variables]


def test_checkpoint_brings_back_weights_and_optimizer(store: RunStore, dataset: Dataset) -> None:
    from mnist_lib.training.checkpoints import load_checkpoint, remove_checkpoints, save_checkpoint

    with store.training(SMALL) as run:
        network = build_small_network()
        fit(network, TrainingState(run, SMALL), dataset, [])
        save_checkpoint(network, run, SMALL, 2)
        fresh = build_small_network()
        assert not np.array_equal(fresh.get_weights()[0], network.get_weights()[0])
        load_checkpoint(fresh, run, 2)
        for loaded, trained in zip(fresh.get_weights(), network.get_weights(), strict=True):
            np.testing.assert_array_equal(loaded, trained)
        for loaded, trained in zip(optimizer_values(fresh), optimizer_values(network), strict=True):
            np.testing.assert_array_equal(loaded, trained)

        run.checkpoint_path(2).write_bytes(b"not HDF5")
        with pytest.raises(DamagedRunError, match=r"^checkpoint-002\.weights\.h5 cannot be read$"):
            load_checkpoint(build_small_network(), run, 2)
        remove_checkpoints(run, 2)
        assert not run.checkpoint_path(2).exists()


def test_model_is_the_network_as_it_is_now_in_float32(store: RunStore, dataset: Dataset) -> None:
    import keras

    from mnist_lib.network.model import build_model
    from mnist_lib.training.checkpoints import save_model, save_weights

    with store.training(SMALL) as run:
        network = build_model(SMALL, "mixed_bfloat16")
        save_model(network, run, SMALL)
        kept: Any = keras.saving.load_model(run.model_path)
        assert {layer.compute_dtype for layer in kept.layers} == {"float32"}
        images = dataset.test_images[:20]
        from_model = predict_probabilities(read_network(run.model_path, SMALL), images)
        save_weights(network, run, SMALL, 1)
        from_weights = predict_probabilities(read_network(run.weights_path(1), SMALL), images)
        np.testing.assert_array_equal(from_model, from_weights)
        assert not list(run.path.rglob("unfinished*"))
