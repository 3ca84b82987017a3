"""The Keras callbacks of a training, one per file."""

from __future__ import annotations

from collections.abc import Callable

import keras

from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.records import EpochRow
from mnist_lib.training.callbacks.batch_logger import BatchLogger
from mnist_lib.training.callbacks.epoch_checkpoint import EpochCheckpoint
from mnist_lib.training.callbacks.epoch_evaluation import EpochEvaluation
from mnist_lib.training.callbacks.epoch_logger import EpochLogger
from mnist_lib.training.callbacks.live_weights import LiveWeights
from mnist_lib.training.callbacks.run_control import RunControl
from mnist_lib.training.callbacks.scheduled_learning_rate import ScheduledLearningRate
from mnist_lib.training.callbacks.step_counter import StepCounter
from mnist_lib.training.state import TrainingState


def make_callbacks(
    state: TrainingState,
    network: keras.Model,
    dataset: Dataset,
    on_epoch: Callable[[EpochRow], None] = lambda row: None,
) -> list[keras.callbacks.Callback]:
    """Return the callbacks of a training, in the order in which Keras calls them.

    After an epoch, its evaluation comes first, then its checkpoint, and its row last: a training
    can be continued from any epoch that has a row, whenever the process ends. Between batches the
    row comes before the requests of a screen, so all metrics are written when a pause begins.

    Args:
        state: The state of the training, shared by all callbacks.
        network: The whole network, of which an epoch may train the middle view.
        dataset: MNIST. The test images are evaluated after each epoch and influence nothing.
        on_epoch: Called with each "epoch" row, as it was written.
    """
    learning_rate, batch_logger = ScheduledLearningRate(state), BatchLogger(state)
    return [
        StepCounter(state),
        learning_rate,
        EpochEvaluation(state, network, dataset),
        EpochCheckpoint(state, network),
        EpochLogger(state, on_epoch),
        batch_logger,
        LiveWeights(state, network),
        RunControl(state, learning_rate, batch_logger),
    ]
