"""The network in Keras: the paper's, with 515,146 parameters, or one that the settings change."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import scale_pixels
from mnist_lib.network.batches import batch_arguments
from mnist_lib.network.layers import IMAGE_SHAPE, MIDDLE_MARGIN_PX, MIDDLE_SHAPE


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
            layers.Dense(config.classes, activation="softmax", dtype="float32", name="dense_2"),
        ],
        name="mnist",
    )


def build_middle_view(model: keras.Model, config: TrainingConfig, policy: str = "float32") -> keras.Model:
    """Return the same network, with the same weights, for the middle of the images alone: half the work.

    Input float32 (n, 20, 20, 1), 0 to 1; output float32 (n, 10), probabilities. Behind the second
    convolution all values around the middle are zero. The weights of these values in the first
    dense layer are set to zero here, and stay so until the whole network is trained.

    Args:
        model: A fresh one from ``build_model``. What is trained here is trained there.
        config: The settings of the run.
        policy: Keras's dtype policy of the model.

    Source: progressive resizing (Howard, "Training Imagenet in 3 hours for 25 minutes", fast.ai 2018), with crops
    in place of smaller images: MNIST's digits were fitted into 20 x 20 pixels.
    """
    # Behind a pooling layer, the margin is half as wide; the convolutions leave it as it is.
    margin = MIDDLE_MARGIN_PX // (4 if config.second_pooling else 2)
    flatten, dense = model.get_layer("flatten"), model.get_layer("dense_1")
    height, width, channels = flatten.input.shape[1:]
    mask = np.zeros((height, width, channels, config.dense_units), np.float32)
    mask[margin:-margin, margin:-margin] = 1
    dense.kernel.assign(dense.kernel * mask.reshape(-1, config.dense_units))
    at = model.layers.index(flatten)
    padding = layers.ZeroPadding2D(margin, dtype=policy, name="margin")
    return keras.Sequential(
        [keras.Input(MIDDLE_SHAPE), *model.layers[:at], padding, *model.layers[at:]], name="mnist_middle"
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
        return np.asarray(model.predict(**batch_arguments(500, scale_pixels(images)), verbose=0))  # pyright: ignore[reportArgumentType]
    # For a few images, one direct call takes a tenth of the time of model.predict.
    return np.asarray(keras.ops.convert_to_numpy(model(scale_pixels(images), training=False)))
