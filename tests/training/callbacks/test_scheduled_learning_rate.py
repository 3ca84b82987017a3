"""The learning rate of every step, as scheduled or requested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.run import Run
from mnist_lib.training.schedule import learning_rates
from mnist_lib.training.state import TrainingState
from tests.support.runs import epoch_row
from tests.support.training import SMALL, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]

FALLING = TrainingConfig.from_dict(SMALL.to_dict() | {"schedule": "cosine"})


def rates_used(
    state: TrainingState, dataset: Dataset, after_step: Callable[[int, Any], None] = lambda step, rate: None
) -> list[float]:
    """Train what is left and return the optimizer's learning rate at every step."""
    import keras

    from mnist_lib.training.callbacks import ScheduledLearningRate, StepCounter

    network = small_network()
    learning_rate = ScheduledLearningRate(state)
    rates: list[float] = []

    def look(batch: int, logs: Any) -> None:
        rates.append(float(network.optimizer.learning_rate))
        after_step(state.step, learning_rate)

    callbacks = [StepCounter(state), learning_rate, keras.callbacks.LambdaCallback(on_train_batch_end=look)]
    fit(network, state, dataset, callbacks)
    assert rates[-1] == pytest.approx(state.learning_rate, rel=1e-6)
    return rates


@pytest.mark.parametrize("config", [SMALL, FALLING], ids=["constant", "cosine"])
def test_every_step_has_the_rate_of_the_schedule(config: TrainingConfig, run: Run, dataset: Dataset) -> None:
    # The optimizer was made with another one.
    assert rates_used(TrainingState(run, config), dataset) == pytest.approx(learning_rates(config), rel=1e-6)


def test_schedule_continues_from_a_changed_rate_in_proportion(run: Run, dataset: Dataset) -> None:
    state = TrainingState(run, FALLING)
    scheduled = learning_rates(FALLING)

    def change(step: int, learning_rate: Any) -> None:
        if step == 3:
            learning_rate.change(2 * scheduled[3])
            assert state.learning_rate == 2 * scheduled[3]  # at once, for whoever looks in a pause

    rates = rates_used(state, dataset, change)
    assert rates == pytest.approx(scheduled * np.array([1, 1, 1, 2, 2, 2, 2, 2]), rel=1e-6)
    assert state.rate_factor == pytest.approx(2.0)


def test_continued_run_keeps_a_changed_learning_rate(run: Run, dataset: Dataset) -> None:
    state = TrainingState(run, FALLING, epoch_row(1, elapsed_s=5.0, rate_factor=0.5))
    assert rates_used(state, dataset) == pytest.approx(0.5 * learning_rates(FALLING)[4:], rel=1e-6)
