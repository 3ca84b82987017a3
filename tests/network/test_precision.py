"""Precision: as set, and with auto the faster one on this machine."""

from __future__ import annotations

import pytest

from mnist_lib.config import TrainingConfig

pytestmark = pytest.mark.usefixtures("keras_loaded")


@pytest.mark.parametrize(
    ("asked", "policy"), [("float32", "float32"), ("bfloat16", "mixed_bfloat16"), ("float16", "mixed_float16")]
)
def test_precision_asked_for_is_the_policy(asked: str, policy: str) -> None:
    from mnist_lib.network.precision import choose_policy

    assert choose_policy(TrainingConfig(precision=asked)) == policy


@pytest.mark.parametrize(
    ("bfloat16_s", "policy"), [(0.9, "float32"), (0.8, "float32"), (0.7, "mixed_bfloat16"), (9.0, "float32")]
)
def test_auto_takes_fewer_bits_only_where_they_are_clearly_faster(
    bfloat16_s: float, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mnist_lib.network import precision

    seconds = {"float32": 1.0, "bfloat16": bfloat16_s, "float16": 99.0}
    monkeypatch.setattr(precision, "_time_convolution", lambda config, dtype: seconds[dtype])
    assert precision.choose_policy(TrainingConfig(precision="auto")) == policy


def test_auto_really_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    from mnist_lib.network import precision

    seen = []
    convolve = keras.ops.conv
    monkeypatch.setattr(keras.ops, "conv", lambda *args: (seen.append(args[0].dtype), convolve(*args))[1])
    assert precision.choose_policy(TrainingConfig(precision="auto", batch_size=8)) in precision.POLICIES.values()
    assert {str(getattr(dtype, "name", dtype)) for dtype in seen} == {"float32", "bfloat16"}
    assert len(seen) == 2 * precision.REPEATS
