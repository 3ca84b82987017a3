"""The figure of ReLU: its curve, and two histograms that count every value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mnist_lib.figures.relu import relu_figure


def test_curve_is_zero_and_then_the_value_itself() -> None:
    figure: Any = relu_figure(np.linspace(-3, 2, 50, dtype=np.float32))
    curve = figure.data[0]
    assert curve.x[0] <= -3
    assert curve.x[-1] >= 2
    np.testing.assert_allclose(curve.y, np.maximum(curve.x, 0))
    assert 0 in list(curve.x)  # where it bends


@pytest.mark.parametrize(
    "before",
    [
        np.random.default_rng(0).normal(-0.5, 1, (1, 26, 26, 32)).astype(np.float32),
        np.full((1, 64), -2, np.float32),  # nothing is left
        np.full((1, 64), 3, np.float32),  # everything is left
        np.zeros((1, 1), np.float32),
    ],
    ids=["a layer", "negative", "positive", "zero"],
)
def test_histograms_count_every_value_before_and_after(before: np.ndarray) -> None:
    figure: Any = relu_figure(before)
    bars = {trace.name: trace for trace in figure.data[1:]}
    counts = {name: np.array(trace.y) for name, trace in bars.items()}
    assert counts["before ReLU"].sum() == counts["after ReLU"].sum() == before.size
    positive = np.array(bars["before ReLU"].x) > 0
    assert counts["before ReLU"][~positive].sum() == (before < 0).sum()
    # What was negative is 0 now: nothing below, and as much more in the bar that begins at 0.
    assert not counts["after ReLU"][~positive].any()
    moved = (counts["after ReLU"] - counts["before ReLU"])[positive]
    assert moved[0] == (before < 0).sum()
    assert not moved[1:].any()
    assert figure.layout.uirevision
    assert figure.to_json()
