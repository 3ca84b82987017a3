"""The optimizers that the settings name."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from mnist_lib.config import SETTINGS, TrainingConfig

pytestmark = [
    pytest.mark.usefixtures("keras_loaded"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras's own
]


@pytest.mark.parametrize("name", SETTINGS["optimizer"].allowed)
@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_optimizer_is_the_one_that_is_named_at_the_rate_of_the_settings(name: str, policy: str) -> None:
    import keras

    from mnist_lib.training.optimizers import make_optimizer

    if name == "muon" and "rms_rate" not in inspect.signature(keras.optimizers.Muon).parameters:
        pytest.skip("the Muon of Keras 3.12 fails on TensorFlow")
    optimizer = make_optimizer(TrainingConfig(optimizer=name, learning_rate=0.25), policy)
    rate: Any = optimizer.learning_rate
    assert float(rate) == 0.25
    # Small gradients would be nothing in float16.
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer) == (policy == "mixed_float16")
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    kinds = {"adam": "Adam", "adamw": "AdamW", "sgd": "SGD", "muon": "Muon"}
    assert type(inner).__name__ == kinds[name]
