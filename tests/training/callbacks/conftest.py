"""Fixtures for the callbacks: a run claimed for this process, and two epochs that change nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset, scale_pixels
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.training.state import TrainingState
from tests.support.training import SMALL, Recorded, few_test_images, small_network


@pytest.fixture
def recorded(
    store: RunStore, dataset: Dataset, keras_loaded: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[[float], Recorded]:
    """Return a function that records two epochs without learning, shuffling or dropout."""
    from mnist_lib.training.callbacks import batch_logger, make_callbacks, run_control, scheduled_learning_rate

    def record(seconds_per_row: float) -> Recorded:
        monkeypatch.setattr(batch_logger, "SECONDS_PER_ROW", seconds_per_row)
        monkeypatch.setattr(run_control, "SECONDS_PER_READ", seconds_per_row)
        monkeypatch.setattr(scheduled_learning_rate, "learning_rates", lambda config: np.zeros(config.total_steps))
        network = small_network()
        images, labels = dataset.train_images[:100], dataset.train_labels[:100]
        fit: Any = network.fit  # Keras documents 0 for silence and does not type it
        with store.training(SMALL) as run:
            state = TrainingState(run, SMALL)
            callbacks = make_callbacks(state, network, few_test_images(dataset))
            state.begin()
            history = fit(
                scale_pixels(images), labels, batch_size=30, epochs=2, shuffle=False, verbose=0, callbacks=callbacks
            ).history
        # Nothing was learnt: each batch can be evaluated alone, afterwards.
        probabilities = np.asarray(network(scale_pixels(images)))
        batches = [slice(0, 30), slice(30, 60), slice(60, 90), slice(90, 100)]
        losses = [cross_entropy(probabilities[batch], labels[batch]) for batch in batches]
        shares = [accuracy(probabilities[batch], labels[batch]) for batch in batches]
        return Recorded(run, history, losses, shares)

    return record


@pytest.fixture
def run(store: RunStore, keras_loaded: None) -> Iterator[Run]:
    """A new run of SMALL, claimed for this process."""
    with store.training(SMALL) as run:
        yield run


@pytest.fixture
def state(run: Run) -> TrainingState:
    """The state of that run as its training begins."""
    state = TrainingState(run, SMALL)
    state.begin()
    return state
