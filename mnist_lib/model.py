"""The paper's network, 515,146 parameters, and Table I."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from mnist_lib.config import TrainingConfig
from mnist_lib.dataset import scale_pixels
from mnist_lib.runs import DamagedRunError, LayerRow, Run


def build_model(config: TrainingConfig) -> keras.Model:
    """Build the network with fresh random weights; ``training`` compiles it.

    Input float32 (n, 28, 28, 1), 0 to 1; output float32 (n, 10), probabilities.

    Args:
        config: The settings of the run. They leave the network as the paper has it.

    Source: Charlie Wilkin, "Classification of Handwritten Digits using
    Convolutional Neural Networks in Tensorflow 2.0", Table I.
    """
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu", name="conv2d_1"),
            layers.MaxPooling2D(2, name="max_pooling2d"),
            layers.Conv2D(64, 3, activation="relu", name="conv2d_2"),
            layers.Flatten(name="flatten"),
            layers.Dense(64, activation="relu", name="dense_1"),
            layers.Dropout(0.2, name="dropout"),
            layers.Dense(10, activation="softmax", name="dense_2"),
        ],
        name="mnist",
    )


def layer_table(model: keras.Model) -> list[LayerRow]:
    """Return Table I of the paper for a model that ``build_model`` made.

    Raises:
        TypeError: The model has a layer of a kind this project does not build.
    """
    return [
        LayerRow(
            layer.name,
            _describe_layer(layer),
            _sizes(layer.output),
            layer.count_params(),
            _explain_count(layer),
        )
        for layer in model.layers
    ]


def _describe_layer(layer: keras.Layer) -> str:
    match layer:
        case layers.Conv2D():
            return f"Conv2D, {layer.filters} filters of {_times(*layer.kernel_size)}, ReLU"
        case layers.MaxPooling2D():
            return f"MaxPooling2D, {_times(*layer.pool_size)}"
        case layers.Flatten():
            return "Flatten"
        case layers.Dropout():
            return f"Dropout, {layer.rate:g}"
        case layers.Dense():
            activation = {"relu": "ReLU"}.get(layer.activation.__name__, layer.activation.__name__)
            return f"Dense, {layer.units} units, {activation}"
    raise TypeError(f"{layer.name} is a {type(layer).__name__}, which this project does not build.")


def _explain_count(layer: keras.Layer) -> str:
    inputs = _sizes(layer.input)
    match layer:
        case layers.Conv2D():
            factors = (*layer.kernel_size, inputs[-1], layer.filters)
            return f"{_times(*factors)} + {layer.filters:,} = {layer.count_params():,}"
        case layers.Dense():
            return f"{_times(inputs[0], layer.units)} + {layer.units:,} = {layer.count_params():,}"
        case layers.Flatten():
            return f"{_times(*inputs)} = {int(np.prod(inputs)):,} values in a row, nothing to learn"
        case layers.MaxPooling2D():
            return f"largest of each {_times(*layer.pool_size)}, nothing to learn"
    return f"drops {layer.rate:.0%} while training, nothing to learn"


def _sizes(tensor: Any) -> tuple[int, ...]:
    return tuple(int(size) for size in tensor.shape[1:])


def _times(*factors: int) -> str:
    return " × ".join(f"{factor:,}" for factor in factors)


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
    # For a few images one direct call costs a tenth of model.predict.
    return np.asarray(keras.ops.convert_to_numpy(model(scale_pixels(images), training=False)))


def load_run_model(run: Run) -> keras.Model:
    """Load the network that a run kept, or that of its last epoch if it never ended.

    Only weights are read from the file. The network itself is built here, so a file
    can bring no code of its own, and another version of Keras can read it.

    Raises:
        DamagedRunError: Neither can be read. The message names the file.
    """
    snapshot = run.read()
    if snapshot.config is None:
        raise DamagedRunError(f"{run.run_id}: {snapshot.message}")
    path = run.model_path
    epochs = run.epochs_with_weights()
    if not path.is_file():
        if not epochs:
            raise DamagedRunError(f"{run.run_id} has no model: {path.name} is missing and no epoch was finished.")
        path = run.weights_path(epochs[-1])
    model = build_model(snapshot.config)
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises many types for a bad file
        raise DamagedRunError(f"{path.name} of {run.run_id} cannot be read: {_first_line(error)}") from error
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
