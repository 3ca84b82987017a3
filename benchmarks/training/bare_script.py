"""The paper's recipe as a bare Keras script.

    python -m benchmarks.training.bare_script SEED TRAINING_IMAGES

It prints one JSON object. The test images are evaluated after the training, with the weights that each
epoch ended with, so that its time is that of the training alone.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import keras
import numpy as np

from benchmarks.training.machine import uses_onednn
from mnist_lib.paths import PROJECT_PATH

EPOCHS = 5


class EpochWeights(keras.callbacks.Callback):
    """Keeps the weights after each epoch, which takes a few milliseconds, and when it ended."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []
        self.weights: list[list[np.ndarray]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Keep them."""
        self.times.append(time.perf_counter())
        self.weights.append(self.model.get_weights())  # pyright: ignore[reportOptionalMemberAccess]


def train(seed: int, training_images: int) -> dict[str, Any]:
    """Train as the paper's script does, and nothing else.

    Args:
        seed: The seed.
        training_images: How many of the 60,000 images to use, the first ones.

    Returns:
        The fields of ``Training`` that it knows.
    """
    with np.load(PROJECT_PATH / "mnist_lib" / "assets" / "mnist.npz", allow_pickle=False) as data:
        x_train, y_train, x_test, y_test = (data[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    # Dividing an array of bytes by 255.0 gives float64, as it did in the paper.
    x_train = (x_train[:training_images] / 255.0).reshape(-1, 28, 28, 1)
    x_test = (x_test / 255.0).reshape(-1, 28, 28, 1)
    y_train = y_train[:training_images]
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(32, (3, 3), activation="relu"),
            keras.layers.MaxPooling2D((2, 2)),
            keras.layers.Conv2D(64, (3, 3), activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    epochs = EpochWeights()
    began = time.perf_counter()
    model.fit(x_train, y_train, epochs=EPOCHS, callbacks=[epochs], verbose=0)  # pyright: ignore[reportArgumentType]
    seconds = time.perf_counter() - began

    curve = []
    for ended, weights in zip(epochs.times, epochs.weights, strict=True):
        model.set_weights(weights)
        accuracy = model.evaluate(x_test, y_test, verbose=0)[1]  # pyright: ignore[reportArgumentType]
        curve.append((ended - began, float(accuracy)))
    return {
        "seconds": seconds,
        "test_accuracy": curve[-1][1],
        "images_per_second": EPOCHS * len(x_train) / seconds,
        "precision": keras.config.dtype_policy().name,
        "onednn": uses_onednn(),
        "curve": curve,
    }


if __name__ == "__main__":
    print(json.dumps(train(int(sys.argv[1]), int(sys.argv[2]))))
