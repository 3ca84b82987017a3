"""The trained network is evaluated after an epoch, and the same network is saved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.network.weights import read_network
from mnist_lib.runs.store import RunStore
from mnist_lib.training.state import TrainingState
from tests.support.training import SMALL, few_test_images, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


@pytest.mark.parametrize("validation_split", [0.0, 0.2])
def test_metrics_are_those_of_the_kept_weights(validation_split: float, store: RunStore, dataset: Dataset) -> None:
    import keras

    from mnist_lib.training.callbacks import EpochEvaluation, StepCounter

    config = TrainingConfig.from_dict(SMALL.to_dict() | {"validation_split": validation_split})
    logged: list[dict[str, Any]] = []
    look = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logged.append(dict(logs)))
    few = few_test_images(dataset)
    with store.training(config) as run:
        state = TrainingState(run, config)
        state.begin()
        network = small_network()
        fit(network, state, dataset, [StepCounter(state), EpochEvaluation(state, network, few), look])
        assert run.read_status().phase == "evaluating"
    for epoch, logs in enumerate(logged, start=1):
        kept = read_network(run.weights_path(epoch), config)
        probabilities = predict_probabilities(kept, few.test_images)
        with np.load(run.probabilities_path(epoch)) as stored:
            np.testing.assert_allclose(stored["probabilities"], probabilities, atol=1e-3)
        assert logs["test_loss"] == pytest.approx(cross_entropy(probabilities, few.test_labels), rel=1e-4)
        assert logs["test_accuracy"] == accuracy(probabilities, few.test_labels)
        assert logs["misclassified"] == (probabilities.argmax(axis=1) != few.test_labels).sum()
        if validation_split:
            aside = slice(80, 100)
            probabilities = predict_probabilities(kept, dataset.train_images[aside])
            labels = dataset.train_labels[aside]
            assert logs["validation_loss"] == pytest.approx(cross_entropy(probabilities, labels), rel=1e-4)
            assert logs["validation_accuracy"] == accuracy(probabilities, labels)
        else:
            assert "validation_loss" not in logs
    assert len(logged) == 2
    assert logged[0]["test_loss"] != logged[1]["test_loss"]
