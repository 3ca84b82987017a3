"""Which settings mattered: the share of the variance between groups, by hand and against a slow reference."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.evaluation.importance import importance_warning, measure_importance, omega_squared


def test_share_is_the_hand_computed_one() -> None:
    # Means 2 and 6, of all 4: between 4 * 4 + ... = 24, within 2 + 2 = 4, over 4 degrees of freedom 1.
    assert omega_squared(np.array([0, 0, 0, 1, 1, 1]), np.array([1.0, 2, 3, 5, 6, 7])) == pytest.approx(23 / 29)


def test_share_agrees_with_a_slow_reference() -> None:
    random = np.random.default_rng(1)
    groups, results = random.integers(0, 4, 40), random.normal(0, 1, 40)
    results += groups
    mean = sum(results) / 40
    between = within = 0.0
    for group in range(4):
        own = [value for number, value in zip(groups, results, strict=True) if number == group]
        own_mean = sum(own) / len(own)
        between += sum((own_mean - mean) ** 2 for _ in own)
        within += sum((value - own_mean) ** 2 for value in own)
    expected = (between - 3 * within / 36) / (between + within + within / 36)
    assert omega_squared(groups, results) == pytest.approx(expected)


def test_best_value_in_the_middle_is_seen_and_what_does_nothing_comes_last() -> None:
    random = np.random.default_rng(2)
    rates = random.uniform(0, 1, 60)
    settings = {
        "dropout": random.uniform(0, 1, 60).tolist(),
        "learning_rate": rates.tolist(),
        "optimizer": random.choice(["adam", "sgd"], 60).tolist(),
    }
    results = 1 - (rates - 0.5) ** 2
    assert abs(np.corrcoef(rates, results)[0, 1]) < 0.2
    found = measure_importance(settings, results.tolist())
    assert found[0].name == "learning_rate"
    assert found[0].share is not None
    assert found[0].share > 0.35
    assert all(each.share is not None and each.share < 0.1 for each in found[1:])


def test_numbers_are_compared_in_thirds_and_equal_ones_stay_together() -> None:
    # Ranks: 1 to 3 the lowest third, the four sevens are the second.
    values = [1, 2, 3, 7, 7, 7, 7, 8, 9, 10]
    results = [0.0, 0, 0, 1, 1, 1, 1, 2, 2, 2]
    ((_, share),) = measure_importance({"epochs": values}, results)
    assert share == pytest.approx(1)


def test_nothing_to_compare_has_no_share() -> None:
    assert measure_importance({"zoom": [0.1, 0.1]}, [1, 2])[0].share is None
    assert measure_importance({"zoom": [0.1, 0.2]}, [1, 2])[0].share is None
    assert measure_importance({"zoom": [0.1, 0.1, 0.2]}, [1, 1, 1])[0].share is None
    assert measure_importance({"zoom": []}, []) == [("zoom", None)]


def test_too_few_runs_are_warned_of() -> None:
    assert importance_warning(2, 19) == "Too few runs to trust this: 19 for 2 varied settings; 20 would be enough."
    assert importance_warning(2, 20) == ""
