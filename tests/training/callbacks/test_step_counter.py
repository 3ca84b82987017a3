"""Steps and epochs, as Keras calls them."""

from __future__ import annotations

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.run import Run
from mnist_lib.training.state import TrainingState
from tests.support.training import SMALL, fit, small_network

pytestmark = [
    pytest.mark.process,
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


@pytest.mark.parametrize(("batches_per_call", "steps"), [(1, [1, 2, 3, 4, 5, 6, 7, 8]), (3, [3, 4, 7, 8]), (4, [4, 8])])
def test_steps_are_the_batches_done_however_many_keras_takes_at_once(
    batches_per_call: int, steps: list[int], state: TrainingState, dataset: Dataset
) -> None:
    import keras

    from mnist_lib.training.callbacks import StepCounter

    seen: list[tuple[int, int, bool, int]] = []
    look = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(
            (state.epoch, state.step, state.epoch_is_complete, state.images_seen)
        )
    )
    fit(small_network(batches_per_call), state, dataset, [StepCounter(state), look])
    images = {1: 30, 2: 60, 3: 90, 4: 100, 5: 130, 6: 160, 7: 190, 8: 200}
    assert seen == [(1 if step <= 4 else 2, step, step in (4, 8), images[step]) for step in steps]


def test_time_of_an_epoch_is_that_of_its_batches_without_pauses(run: Run, dataset: Dataset) -> None:
    import keras

    from mnist_lib.training.callbacks import StepCounter

    config = TrainingConfig.from_dict(SMALL.to_dict() | {"epochs": 1})
    state = TrainingState(run, config)  # its stopwatch stands: all of it is one pause
    fit(small_network(), state, dataset, [StepCounter(state)])
    assert state.epoch_seconds == 0.0

    at_the_end = []
    state = TrainingState(run, config)
    state.begin()
    look = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: at_the_end.append(state.elapsed_s))
    fit(small_network(), state, dataset, [StepCounter(state), look])
    assert at_the_end[-1] - state.epoch_began_s <= state.epoch_seconds <= state.elapsed_s - state.epoch_began_s
