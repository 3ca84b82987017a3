"""Evaluates the network after each epoch, and saves its weights and its test probabilities."""

from __future__ import annotations

from typing import Any

import keras

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.predictions import accuracy, cross_entropy
from mnist_lib.network.model import build_model, predict_probabilities
from mnist_lib.training.callbacks.training_callback import TrainingCallback
from mnist_lib.training.checkpoints import save_weights
from mnist_lib.training.state import TrainingState


class EpochEvaluation(TrainingCallback):
    """Evaluates the network after each epoch, and saves its weights and its test probabilities.

    It evaluates and saves a float32 copy of the trained network, without its optimizer. So the
    stored probabilities are those of the saved model, whatever precision the training uses.

    The metrics go into Keras's logs of the epoch: ``test_loss``, ``test_accuracy`` and
    ``misclassified``, and, if training images are set aside, ``validation_loss`` and
    ``validation_accuracy``.

    Args:
        state: The state of the training.
        network: The whole network, of which an epoch may train the middle view.
        dataset: The data set, whose test images are evaluated and whose last training images may be set aside.
    """

    def __init__(self, state: TrainingState, network: keras.Model, dataset: Dataset) -> None:
        super().__init__(state)
        self.network = network
        self.dataset = dataset
        self._twin = build_model(state.config)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Evaluate the test images and the training images set aside."""
        run, config = self.state.run, self.state.config
        self.state.write_status(phase="evaluating")
        self._twin.set_weights(self.network.get_weights())
        probabilities = predict_probabilities(self._twin, self.dataset.test_images)
        run.save_probabilities(epoch + 1, probabilities)
        save_weights(self._twin, run, config, epoch + 1)
        test_accuracy = accuracy(probabilities, self.dataset.test_labels)
        metrics = {
            "test_loss": cross_entropy(probabilities, self.dataset.test_labels),
            "test_accuracy": test_accuracy,
            "misclassified": round((1 - test_accuracy) * len(self.dataset.test_labels)),
        }
        if config.validation_images:
            aside = slice(config.fitted_images, config.training_images)
            labels = self.dataset.train_labels[aside]
            probabilities = predict_probabilities(self._twin, self.dataset.train_images[aside])
            metrics["validation_loss"] = cross_entropy(probabilities, labels)
            metrics["validation_accuracy"] = accuracy(probabilities, labels)
        if logs is not None:  # Keras passes one dictionary to all callbacks
            logs.update(metrics)
