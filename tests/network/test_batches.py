"""Batches: those of the arrays, in their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.network.batches import batch_arguments


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.parametrize(("batch_size", "sizes"), [(4, [4, 4, 2]), (5, [5, 5]), (4096, [10]), (1, [1] * 10)])
def test_batches_are_those_of_the_arrays_in_their_order(batch_size: int, sizes: list[int]) -> None:
    images = np.random.default_rng(0).random((10, 28, 28, 1), dtype=np.float32)
    labels = np.arange(10, dtype=np.uint8)
    for arrays in ((images, labels), (images, np.eye(10, dtype=np.float32)), (images,)):
        arguments = batch_arguments(batch_size, *arrays)
        assert len(arguments["x"]) == len(sizes)
        for _ in range(2):  # it can be read again
            batches = [[np.asarray(part) for part in batch] for batch in arguments["x"]]
            assert [len(batch[0]) for batch in batches] == sizes
            for array, parts in zip(arrays, zip(*batches, strict=True), strict=True):
                assert {part.dtype for part in parts} == {array.dtype}
                np.testing.assert_array_equal(np.concatenate(parts), array)


@pytest.mark.usefixtures("keras_loaded")
def test_another_backend_gets_the_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    images, labels = np.zeros((10, 28, 28, 1), np.float32), np.zeros(10, np.uint8)
    expected: dict[str, Any] = {"x": images, "y": labels, "batch_size": 4}
    assert batch_arguments(4, images, labels) == expected
    assert batch_arguments(4, images) == {"x": images, "batch_size": 4}
