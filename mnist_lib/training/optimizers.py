"""Makes the Keras optimizer that the settings name."""

from __future__ import annotations

import inspect

import keras

from mnist_lib.config import TrainingConfig


def make_optimizer(config: TrainingConfig, policy: str) -> keras.optimizers.Optimizer:
    """Return the optimizer that the settings name.

    Source: Muon after Keller Jordan and others, "Muon: An optimizer for hidden layers
    in neural networks" (2024), without weight decay; in Keras it takes the dense layer,
    and Adam takes the convolutions and the last layer.
    """
    rate = config.learning_rate
    match config.optimizer:
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=0.01)
        case "sgd":
            optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
        case "muon":
            optimizer = _make_muon(rate)
        case _:
            optimizer = keras.optimizers.Adam(rate)
    # The smallest float16 is 6e-8: gradients are multiplied to stay above it, and divided again.
    return keras.optimizers.LossScaleOptimizer(optimizer) if policy == "mixed_float16" else optimizer


def _make_muon(rate: float) -> keras.optimizers.Optimizer:
    # Keras 3.12, the last for Python 3.10, has a different Muon that fails on TensorFlow:
    # there Adam takes its place, at a rate that suits it.
    if "rms_rate" not in inspect.signature(keras.optimizers.Muon).parameters:
        return keras.optimizers.Adam(rate / 2)
    return keras.optimizers.Muon(rate, exclude_layers=["dense_2"], weight_decay=0, adam_weight_decay=0)
