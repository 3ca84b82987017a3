"""The network in Keras: the paper's, with 515,146 parameters, or one that the settings change."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import scale_pixels
from mnist_lib.network.layers import CLASSES, IMAGE_SHAPE


def build_model(config: TrainingConfig, policy: str = "float32") -> keras.Model:
    """Build the network with fresh random weights; ``training`` compiles it.

    Input float32 (n, 28, 28, 1), 0 to 1; output float32 (n, 10), probabilities.

    Args:
        config: The settings of the run; those of the network are the paper's by default.
        policy: Keras's dtype policy, in which the layers compute. The weights and the
            probabilities are always float32.

    Source: Charlie Wilkin, "Classification of Handwritten Digits using
    Convolutional Neural Networks in Tensorflow 2.0", Table I.
    """
    kernel = config.kernel_size
    second_pooling = [layers.MaxPooling2D(2, dtype=policy, name="max_pooling2d_2")] if config.second_pooling else []
    return keras.Sequential(
        [
            keras.Input(IMAGE_SHAPE),
            layers.Conv2D(config.filters_1, kernel, activation="relu", dtype=policy, name="conv2d_1"),
            layers.MaxPooling2D(2, dtype=policy, name="max_pooling2d"),
            layers.Conv2D(config.filters_2, kernel, activation="relu", dtype=policy, name="conv2d_2"),
            *second_pooling,
            layers.Flatten(dtype=policy, name="flatten"),
            layers.Dense(config.dense_units, activation="relu", dtype=policy, name="dense_1"),
            layers.Dropout(config.dropout, dtype=policy, name="dropout"),
            # 16 bits are too few to tell 99.9% from 99.99%.
            layers.Dense(CLASSES, activation="softmax", dtype="float32", name="dense_2"),
        ],
        name="mnist",
    )


def predict_probabilities(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return the probability of each digit for each image.

    Args:
        model: A model that ``build_model`` made.
        images: uint8, (n, 28, 28), 0 to 255, n at least 1.

    Returns:
        float32, (n, 10), rows sum to 1.
    """
    if len(images) > 500:
        return np.asarray(model.predict(scale_pixels(images), batch_size=500, verbose=0))  # pyright: ignore[reportArgumentType]
    # For a few images, one direct call takes a tenth of the time of model.predict.
    return np.asarray(keras.ops.convert_to_numpy(model(scale_pixels(images), training=False)))
