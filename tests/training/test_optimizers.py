"""The optimizers that the settings name."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
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
    assert isinstance(inner, getattr(keras.optimizers, kinds[name]))


def make_matrix(kind: str) -> np.ndarray:
    """Return a matrix like a gradient of the dense layer, float32."""
    random = np.random.default_rng(0)
    match kind:
        case "tall":
            matrix = random.normal(size=(300, 64))
        case "wide":
            matrix = random.normal(size=(64, 300))
        case "square":
            matrix = random.normal(size=(64, 64))
        case "nearly of rank 3":
            matrix = random.normal(size=(300, 3)) @ random.normal(size=(3, 64)) + random.normal(0, 1e-4, (300, 64))
        case "mostly zero":
            matrix = random.normal(size=(300, 64)) * (np.arange(300) % 50 == 0)[:, np.newaxis]
        case _:
            matrix = np.zeros((300, 64))
    return (1e-3 * matrix).astype(np.float32)


@pytest.mark.parametrize("kind", ["tall", "wide", "square", "nearly of rank 3", "mostly zero", "zero"])
def test_muon_on_the_gram_matrix_evens_out_a_matrix_as_keras_does(kind: str) -> None:
    import keras

    from mnist_lib.training.optimizers import Muon

    matrix = make_matrix(kind)
    optimizers: list[Any] = [keras.optimizers.Muon(0.1), Muon(0.1)]
    tensor: Any = keras.ops.convert_to_tensor(matrix)
    expected, evened = (np.asarray(each.zeropower_via_newtonschulz5(tensor, 5)) for each in optimizers)
    assert evened.dtype == np.float32
    np.testing.assert_allclose(evened, expected, atol=1e-3 * max(1e-6, np.abs(expected).max()))
    largest = np.linalg.svd(evened, compute_uv=False)[0]
    assert kind == "zero" or 0.6 < largest < 1.3


def test_updates_of_muon_are_those_of_keras() -> None:
    import keras

    from mnist_lib.training.optimizers import Muon

    random = np.random.default_rng(0)
    gradients = [random.normal(0, 1e-3, (200, 64)).astype(np.float32) for _ in range(3)]
    kernels = []
    for kind in (keras.optimizers.Muon, Muon):
        optimizer: Any = kind(0.1, weight_decay=1.0, adam_weight_decay=0)
        kernel: Any = keras.Variable(np.ones((200, 64), np.float32))
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [kernel])
        kernels.append(np.asarray(kernel))
    assert np.abs(kernels[0] - 1).min() > 0.01
    np.testing.assert_allclose(kernels[1], kernels[0], atol=1e-4)


def test_muon_takes_the_dense_layer_alone_and_lets_only_its_weights_fade() -> None:
    import keras

    from mnist_lib.network.model import build_model
    from mnist_lib.training.optimizers import make_optimizer

    config = TrainingConfig(optimizer="muon", learning_rate=0.125)
    model = build_model(config)
    optimizer: Any = make_optimizer(config, "float32")
    optimizer.build(model.trainable_variables)
    before = model.get_weights()
    optimizer.apply([keras.ops.zeros_like(variable) for variable in model.trainable_variables])
    faded = [0.875 if "dense_1/kernel" in variable.path else 1.0 for variable in model.trainable_variables]
    assert sum(share < 1 for share in faded) == 1
    for new, old, share in zip(model.get_weights(), before, faded, strict=True):
        np.testing.assert_allclose(new, share * old, rtol=1e-6)


def test_formula_of_adam_on_the_model_screen_is_that_of_keras() -> None:
    import keras

    from mnist_lib.training.optimizers import make_optimizer

    # m <- 0.9 m + 0.1 g, and so on: Keras's defaults, with which every run with Adam was trained.
    adam: Any = make_optimizer(TrainingConfig(), "float32")
    weight: Any = keras.Variable([1.0])
    adam.build([weight])
    m = v = 0.0
    expected = 1.0
    for step, gradient in enumerate([0.5, -0.25, 1.0], start=1):
        adam.apply([keras.ops.convert_to_tensor([gradient])])
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        expected -= 0.001 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step) * m / (v**0.5 + 1e-7)
        assert float(np.asarray(weight)[0]) == pytest.approx(expected, abs=1e-7)
