"""Runs of several seeds: their mean and its interval, and whether two recipes differ."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mnist_lib.evaluation.repeated import errors_compared, summarize, welch_test


def t_tail(t: float, freedom: float) -> float:
    """Integrate the density of Student's t above a value, slowly, by Simpson's rule."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)
    x = np.linspace(0, t, 20_001)
    density = scale * (1 + x**2 / freedom) ** (-(freedom + 1) / 2)
    weights = np.where(np.arange(len(x)) % 2, 4, 2).astype(float)
    weights[[0, -1]] = 1
    return 0.5 - float((weights * density).sum() * (x[1] - x[0]) / 3)


def test_mean_spread_and_interval_are_the_hand_computed_ones() -> None:
    # The squares about 5 are 9, 1, 1 and 9: 20 / 3. Tables give 3.182 for three degrees of freedom.
    summary = summarize([2, 4, 6, 8])
    assert (summary.count, summary.mean, summary.worst, summary.best) == (4, 5, 2, 8)
    assert summary.deviation == pytest.approx(math.sqrt(20 / 3))
    assert summary.interval == pytest.approx((5 - 3.182446 * math.sqrt(5 / 3), 5 + 3.182446 * math.sqrt(5 / 3)))
    assert summarize([2, 4, 6, 8], larger_is_better=False)[-2:] == (8, 2)


def test_one_run_has_no_spread() -> None:
    assert summarize([0.99]) == (1, 0.99, None, None, 0.99, 0.99)


def test_interval_contains_the_mean_of_all_seeds_in_95_of_100_experiments() -> None:
    random = np.random.default_rng(0)
    intervals = [summarize(random.normal(3, 2, 5).tolist()).interval for _ in range(2_000)]
    held = [interval is not None and interval[0] <= 3 <= interval[1] for interval in intervals]
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.015)


def test_welch_agrees_with_a_slow_reference() -> None:
    first, second = [71.0, 78, 69, 80, 75], [66.0, 64, 67, 65]
    found = welch_test(first, second)
    parts = [np.var(values, ddof=1) / len(values) for values in (first, second)]
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 3)
    t = (np.mean(first) - np.mean(second)) / math.sqrt(sum(parts))
    assert found.mean == pytest.approx(65.5 - 74.6)
    assert found.p == pytest.approx(2 * t_tail(t, freedom), rel=1e-6)
    half = found.interval[1] - found.mean
    assert t_tail(half / math.sqrt(sum(parts)), freedom) == pytest.approx(0.025, rel=1e-6)


def test_runs_that_repeat_themselves_exactly_are_compared_too() -> None:
    assert welch_test([5, 5, 5], [5, 5, 5]) == (0, (0, 0), 1)
    assert welch_test([5, 5, 5], [4, 4, 4]) == (-1, (-1, -1), 0)


def test_comparison_in_words_names_the_better_one_first() -> None:
    many, few = [71, 78, 69, 80, 75], [66, 64, 67, 65]
    said = errors_compared(("fast", "slow"), many, few)
    assert said == errors_compared(("slow", "fast"), few, many)
    assert said.startswith("slow misreads 9.1 fewer test images than fast on average (95% interval: 3.")
    assert said.endswith("Chance alone rarely does that.")
    unsure = errors_compared(("a", "b"), [70, 75, 80], [74, 79, 75])
    assert "a misreads 1.0 fewer" in unsure
    assert " more to " in unsure
    assert unsure.endswith("It may well be chance.")


def test_too_few_runs_are_not_compared() -> None:
    assert errors_compared(("a", "b"), [1, 2, 3], [1, 2]) == "A comparison needs 3 finished runs of each; b has 2."
    with pytest.raises(ValueError, match="3 runs"):
        welch_test([1, 2], [1, 2, 3])
