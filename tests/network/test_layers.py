"""Table I, by arithmetic alone. test_model.py checks that Keras builds these layers."""

from __future__ import annotations

import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.network.layers import count_parameters, layer_columns, layer_table

TABLE_I = [
    ("conv2d_1", "Conv2D, 32 filters of 3 × 3, ReLU", (26, 26, 32), 320),
    ("max_pooling2d", "MaxPooling2D, 2 × 2", (13, 13, 32), 0),
    ("conv2d_2", "Conv2D, 64 filters of 3 × 3, ReLU", (11, 11, 64), 18496),
    ("flatten", "Flatten", (7744,), 0),
    ("dense_1", "Dense, 64 units, ReLU", (64,), 495680),
    ("dropout", "Dropout, 0.2", (64,), 0),
    ("dense_2", "Dense, 10 units, softmax", (10,), 650),
]


def test_layer_table_is_table_i() -> None:
    assert [row[:4] for row in layer_table(TrainingConfig())] == TABLE_I
    assert count_parameters(TrainingConfig()) == 515_146


def test_table_i_as_text_ends_with_the_total() -> None:
    first, *_, last = zip(*layer_columns(TrainingConfig()).values(), strict=True)
    assert first == ("Conv2D, 32 filters of 3 × 3, ReLU", "26 × 26 × 32", "320", "3 × 3 × 1 × 32 + 32 = 320")
    assert last == ("Total", "", "515,146", "")
    assert layer_columns(TrainingConfig())["Output"][3] == "7,744"


def test_settings_of_the_training_leave_the_network_as_it_is() -> None:
    assert layer_table(TrainingConfig(batch_size=256, optimizer="sgd", zoom=0.1)) == layer_table(TrainingConfig())


def test_second_pooling_leaves_a_quarter_of_the_dense_layer() -> None:
    # 11 halved is 5: 5 x 5 x 64 = 1,600 values, times 64 units, plus 64.
    assert count_parameters(TrainingConfig(second_pooling=True)) == 320 + 18_496 + 102_464 + 650


def test_larger_kernels_leave_smaller_maps() -> None:
    # 28 - 6 = 22, halved 11, 11 - 6 = 5.
    shapes = [row.output_shape for row in layer_table(TrainingConfig(kernel_size=7))]
    assert shapes[:4] == [(22, 22, 32), (11, 11, 32), (5, 5, 64), (1600,)]


@pytest.mark.parametrize("config", [TrainingConfig(), TrainingConfig(second_pooling=True, filters_1=3, kernel_size=5)])
def test_arithmetic_of_the_layer_table_is_right(config: TrainingConfig) -> None:
    for row in layer_table(config):
        left, equals, right = row.arithmetic.partition(" = ")
        if not equals:
            assert row.parameters == 0
            continue
        value = eval(left.replace(",", "").replace("×", "*"), {"__builtins__": {}})
        assert value == int(right.split()[0].replace(",", ""))
        assert value == (row.parameters or row.output_shape[0])  # flatten counts its output
