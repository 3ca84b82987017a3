"""What all callbacks of a training have: they know where it stands."""

from __future__ import annotations

import keras

from mnist_lib.training.state import TrainingState


class TrainingCallback(keras.callbacks.Callback):
    """A callback that knows where the training stands.

    Args:
        state: Shared by all callbacks of the training.

    Attributes:
        model: The network being trained, from the call of ``fit`` on. Keras sets it.
    """

    model: keras.Model

    def __init__(self, state: TrainingState) -> None:
        super().__init__()
        self.state = state
