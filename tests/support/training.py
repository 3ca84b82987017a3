"""Small trainings in this process, for tests of callbacks. Keras must be loaded."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState

# Two epochs of four batches, the last with 10 images instead of 30, of a network that is quick to train.
SMALL = TrainingConfig(
    "custom", epochs=2, batch_size=30, training_images=100, filters_1=2, filters_2=2, dense_units=8, dropout=0.0
)


class Recorded(NamedTuple):
    """What the callbacks wrote of a network that does not learn, and what there was to write."""

    run: Run
    history: dict[str, list[float]]
    batch_losses: list[float]
    batch_accuracies: list[float]


def few_test_images(dataset: Dataset) -> Dataset:
    """Return MNIST with twenty test images."""
    return replace(dataset, test_images=dataset.test_images[:20], test_labels=dataset.test_labels[:20])


def build_small_network(steps_per_execution: int = 1) -> Any:
    """Return a compiled ``keras.Model`` of SMALL, with the same weights each time."""
    import keras

    from mnist_lib.network.model import build_model

    keras.utils.set_random_seed(3)
    network = build_model(SMALL)
    network.compile(
        keras.optimizers.Adam(0.25),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    return network


def small_network(steps_per_execution: int = 1) -> Any:
    """Return the same as ``build_small_network``, but the one network of all tests, which is traced only once."""
    network, beginning = _network_and_beginning(steps_per_execution)
    for variable, value in zip(_variables(network), beginning, strict=True):
        variable.assign(value)
    return network


@functools.cache
def _network_and_beginning(steps_per_execution: int) -> tuple[Any, list[np.ndarray]]:
    network = build_small_network(steps_per_execution)
    network.optimizer.build(network.trainable_variables)
    return network, [np.array(variable) for variable in _variables(network)]


def _variables(network: Any) -> list[Any]:
    return [*network.variables, *network.optimizer.variables]


def fit(network: Any, state: TrainingState, dataset: Dataset, callbacks: Sequence[Any]) -> dict[str, list[float]]:
    """Train the epochs that are left, one a call of Keras's fit as ``train`` does; return the last history."""
    images = scale_pixels(dataset.train_images[: state.config.fitted_images])
    labels = dataset.train_labels[: state.config.fitted_images]
    history: dict[str, list[float]] = {}
    for epoch in range(state.epoch, state.config.epochs):
        history = network.fit(
            images,
            labels,
            batch_size=state.config.batch_size,
            shuffle=False,
            initial_epoch=epoch,
            epochs=epoch + 1,
            verbose=0,
            callbacks=list(callbacks),
        ).history
        if network.stop_training:
            break
    return history
