"""Makes the Keras optimizer that the settings name."""

from __future__ import annotations

import inspect

import keras

from mnist_lib.config import TrainingConfig

# How fast unused weights fade, times the learning rate: for AdamW in all layers, for Muon in the dense layer.
ADAMW_WEIGHT_DECAY = 0.01
MUON_WEIGHT_DECAY = 1.0


def make_optimizer(config: TrainingConfig, policy: str) -> keras.optimizers.Optimizer:
    """Return the optimizer that the settings name.

    Source: Muon after Keller Jordan and others, "Muon: An optimizer for hidden layers
    in neural networks" (2024); in Keras it takes the dense layer, and Adam takes the
    convolutions and the last layer.
    """
    rate = config.learning_rate
    match config.optimizer:
        case "adamw":
            optimizer = keras.optimizers.AdamW(rate, weight_decay=ADAMW_WEIGHT_DECAY)
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
    return Muon(rate, exclude_layers=["dense_2"], weight_decay=MUON_WEIGHT_DECAY, adam_weight_decay=0)


class Muon(keras.optimizers.Muon):
    """Keras's Muon with the same updates, up to rounding, in a fifth of the arithmetic."""

    def zeropower_via_newtonschulz5(self, x, steps: int):
        """Even out the singular values of a matrix, as Keras does.

        Every Newton-Schulz step multiplies the matrix by a polynomial of its Gram matrix. Here the steps
        are taken with the Gram matrix, which is small, and the large matrix is multiplied once, at the end.

        Args:
            x: float32, (n, m).
            steps: How many.

        Returns:
            float32, (n, m), with singular values near 1.
        """
        is_tall = x.shape[0] > x.shape[1]
        x = x / (keras.ops.norm(x) + 1e-7)  # pyright: ignore[reportOptionalOperand]  # it returns a tensor
        gram = keras.ops.transpose(x) @ x if is_tall else x @ keras.ops.transpose(x)
        identity = product = keras.ops.eye(gram.shape[0], dtype=x.dtype)
        for _ in range(steps):
            polynomial = self.muon_a * identity + self.muon_b * gram + self.muon_c * gram @ gram
            gram = polynomial @ gram @ polynomial
            product = polynomial @ product
        return x @ product if is_tall else product @ x
