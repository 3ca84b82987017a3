"""Table I of the paper for any network of this project, by arithmetic alone.

The screens count parameters while a person types, without loading TensorFlow. A
test checks that Keras builds exactly these layers.
"""

from __future__ import annotations

from typing import NamedTuple

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import IMAGE_SIZE_PX
from mnist_lib.wording import count_text

IMAGE_SHAPE = (IMAGE_SIZE_PX, IMAGE_SIZE_PX, 1)

# The middle of an image, in which MNIST's digits stand, and the margin around it.
MIDDLE_MARGIN_PX = 4
MIDDLE_SHAPE = (IMAGE_SIZE_PX - 2 * MIDDLE_MARGIN_PX, IMAGE_SIZE_PX - 2 * MIDDLE_MARGIN_PX, 1)

# Shown beside every run that has another network.
NOT_THE_PAPERS = "not the paper's network"


class LayerRow(NamedTuple):
    """One row of Table I.

    Attributes:
        name: The layer's name in the model.
        kind: Its type and settings in words.
        output_shape: Without the batch dimension, for example (26, 26, 32).
        parameters: Number of trained values.
        arithmetic: How the output size or the parameter count is computed.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...]
    parameters: int
    arithmetic: str


def layer_table(config: TrainingConfig) -> list[LayerRow]:
    """Return Table I for the network of these settings.

    Source: Charlie Wilkin's paper, Table I; a convolution without padding gives
    n - k + 1 values along a side of n, and pooling by two gives half of them, rounded down.
    """
    kernel = config.kernel_size
    rows = [_convolution("conv2d_1", IMAGE_SHAPE, config.filters_1, kernel)]
    rows.append(_pooling("max_pooling2d", rows[-1].output_shape))
    rows.append(_convolution("conv2d_2", rows[-1].output_shape, config.filters_2, kernel))
    if config.second_pooling:
        rows.append(_pooling("max_pooling2d_2", rows[-1].output_shape))
    height, width, channels = rows[-1].output_shape
    values = height * width * channels
    flattening = f"{_times(height, width, channels)} = {values:,} values"
    rows.append(LayerRow("flatten", "Flatten", (values,), 0, flattening))
    rows.append(_dense("dense_1", values, config.dense_units, "ReLU"))
    dropping = f"drops {config.dropout:.0%} while training"
    rows.append(LayerRow("dropout", f"Dropout, {config.dropout:g}", (config.dense_units,), 0, dropping))
    rows.append(_dense("dense_2", config.dense_units, config.classes, "softmax"))
    return rows


def layer_columns(config: TrainingConfig) -> dict[str, list[str]]:
    """Return Table I as text, its columns by heading. The last row is the total."""
    rows = layer_table(config)
    return {
        "Layer": [*(row.kind for row in rows), "Total"],
        "Output": [*(_times(*row.output_shape) for row in rows), ""],
        "Parameters": [*(f"{row.parameters:,}" for row in rows), f"{count_parameters(config):,}"],
        "Calculation": [*(row.arithmetic for row in rows), ""],
    }


def count_parameters(config: TrainingConfig) -> int:
    """Return how many values the network of these settings learns."""
    return sum(row.parameters for row in layer_table(config))


def _convolution(name: str, inputs: tuple[int, ...], filters: int, kernel: int) -> LayerRow:
    height, width, channels = inputs
    parameters = kernel * kernel * channels * filters + filters
    return LayerRow(
        name,
        f"Conv2D, {count_text(filters, 'filter')} of {_times(kernel, kernel)}, ReLU",
        (height - kernel + 1, width - kernel + 1, filters),
        parameters,
        f"{_times(kernel, kernel, channels, filters)} + {filters:,} = {parameters:,}",
    )


def _pooling(name: str, inputs: tuple[int, ...]) -> LayerRow:
    height, width, channels = inputs
    shape = (height // 2, width // 2, channels)
    two = _times(2, 2)
    return LayerRow(name, f"MaxPooling2D, {two}", shape, 0, f"largest of each {two}")


def _dense(name: str, inputs: int, units: int, activation: str) -> LayerRow:
    parameters = inputs * units + units
    return LayerRow(
        name,
        f"Dense, {count_text(units, 'unit')}, {activation}",
        (units,),
        parameters,
        f"{_times(inputs, units)} + {units:,} = {parameters:,}",
    )


def _times(*factors: int) -> str:
    return " × ".join(f"{factor:,}" for factor in factors)
