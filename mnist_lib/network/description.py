"""The description of the network that Keras writes into a .keras file, made without Keras.

When an untrusted .keras file is loaded, its description is compared with this one. A test
checks that Keras writes exactly this.
"""

from __future__ import annotations

import re
from typing import Any

from mnist_lib.config import TrainingConfig
from mnist_lib.network.layers import IMAGE_SHAPE, layer_table


def describe_network(config: TrainingConfig) -> dict[str, Any]:
    """Return config.json of a .keras file that holds the network of these settings.

    Every network is saved in float32 and not compiled.
    """
    kernel = [config.kernel_size] * 2
    settings: dict[str, tuple[str, dict[str, Any]]] = {
        "conv2d_1": ("Conv2D", _convolution(config.filters_1, kernel)),
        "max_pooling2d": ("MaxPooling2D", _POOLING),
        "conv2d_2": ("Conv2D", _convolution(config.filters_2, kernel)),
        "max_pooling2d_2": ("MaxPooling2D", _POOLING),
        "flatten": ("Flatten", {"data_format": "channels_last"}),
        "dense_1": ("Dense", _dense(config.dense_units, "relu")),
        "dropout": ("Dropout", {"rate": config.dropout, "seed": None, "noise_shape": None}),
        "dense_2": ("Dense", _dense(config.classes, "softmax")),
    }
    input_layer = {
        "batch_shape": [None, *IMAGE_SHAPE],
        "dtype": "float32",
        "sparse": False,
        "ragged": False,
        "name": "input_layer",
        "optional": False,
    }
    layers = [_object("keras.layers", "InputLayer", input_layer)]
    inputs: tuple[int, ...] = IMAGE_SHAPE
    for row in layer_table(config):
        kind, values = settings[row.name]
        layer = _object("keras.layers", kind, {"name": row.name, "trainable": True, "dtype": _FLOAT32, **values})
        if kind in ("Conv2D", "Flatten", "Dense"):
            layer["build_config"] = {"input_shape": [None, *inputs]}
        layers.append(layer)
        inputs = row.output_shape
    network = {"name": "mnist", "trainable": True, "dtype": _FLOAT32, "layers": layers}
    network["build_input_shape"] = [None, *IMAGE_SHAPE]
    return {
        **_object("keras", "Sequential", network),
        "build_config": {"input_shape": [None, *IMAGE_SHAPE]},
    }


def agree(found: Any, expected: Any) -> bool:
    """Compare descriptions of a network by two versions of Keras.

    A key that only one version knows must be empty there: no regularizer, no quantization. Keras
    numbers the inputs that a process creates: ``input_layer_1``.
    """
    if isinstance(found, dict) and isinstance(expected, dict):
        return all(
            agree(found[key], expected[key]) if key in found and key in expected else not (found | expected)[key]
            for key in found.keys() | expected.keys()
        )
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(agree, found, expected))
    if isinstance(found, str) and isinstance(expected, str) and expected.startswith("input_layer"):
        return re.fullmatch(r"input_layer(_[0-9]{1,9})?", found) is not None
    return found == expected


def _object(module: str, class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    return {"module": module, "class_name": class_name, "config": config, "registered_name": None}


_FLOAT32 = _object("keras", "DTypePolicy", {"name": "float32"})
_ZEROS = _object("keras.initializers", "Zeros", {})
_GLOROT = _object("keras.initializers", "GlorotUniform", {"seed": None, "input_axes": None, "output_axes": None})
_POOLING = {"pool_size": [2, 2], "padding": "valid", "strides": [2, 2], "data_format": "channels_last"}


def _convolution(filters: int, kernel: list[int]) -> dict[str, Any]:
    return {
        "filters": filters,
        "kernel_size": kernel,
        "strides": [1, 1],
        "padding": "valid",
        "data_format": "channels_last",
        "dilation_rate": [1, 1],
        "groups": 1,
        "activity_regularizer": None,
        **_trained("relu"),
    }


def _dense(units: int, activation: str) -> dict[str, Any]:
    return {"units": units, "quantization_config": None, **_trained(activation)}


def _trained(activation: str) -> dict[str, Any]:
    return {
        "activation": activation,
        "use_bias": True,
        "kernel_initializer": _GLOROT,
        "bias_initializer": _ZEROS,
        "kernel_regularizer": None,
        "bias_regularizer": None,
        "kernel_constraint": None,
        "bias_constraint": None,
    }
