"""The base class of all callbacks of a training."""

from __future__ import annotations

import keras

from mnist_lib.training.state import TrainingState


class TrainingCallback(keras.callbacks.Callback):
    """A callback that shares the state of the training.

    Args:
        state: Shared by all callbacks of the training.

    Attributes:
        model: The network being trained. Keras sets it when ``fit`` is called.
    """

    model: keras.Model

    def __init__(self, state: TrainingState) -> None:
        super().__init__()
        self.state = state
