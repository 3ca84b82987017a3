"""Which settings mattered: how much of the spread of the results goes with the values of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

# Numbers of more different values than this are compared in thirds.
_MOST_VALUES = 5
_PARTS = 3

# For each setting that is varied. With fewer, some setting seems to matter by chance.
LEAST_RUNS_A_SETTING = 10


class Importance(NamedTuple):
    """How much a setting mattered.

    Attributes:
        name: The setting.
        share: Of the variance of the results, 0 to 1, that goes with the setting; None where it cannot be told.
    """

    name: str
    share: float | None


def measure_importance(settings: Mapping[str, Sequence[Any]], results: Sequence[float]) -> list[Importance]:
    """Return how much each setting mattered, the one that mattered most first.

    The runs are put into groups by the setting: by its values where it has few, else by thirds of its numbers.
    Omega squared estimates how much of the variance lies between the groups, and not within them. As it compares
    groups, it sees a best value in the middle, which a correlation does not. It does not see what only two settings
    together do.

    Args:
        settings: For each varied setting its value in each run: numbers, names, or booleans.
        results: What each run reached, finite.

    Source: W. L. Hays, "Statistics for Psychologists" (1963): the one-way analysis of variance.
    """
    found = [
        Importance(name, omega_squared(_groups(values), np.asarray(results, float)))
        for name, values in settings.items()
    ]
    return sorted(found, key=lambda each: -1.0 if each.share is None else each.share, reverse=True)


def importance_warning(varied: int, runs: int) -> str:
    """Return why it cannot be trusted which settings mattered, in a line; empty with enough runs.

    Args:
        varied: How many settings are varied.
        runs: How many runs have a result.
    """
    needed = LEAST_RUNS_A_SETTING * varied
    if runs >= needed:
        return ""
    settings = "setting" if varied == 1 else "settings"
    return f"Too few runs to trust this: {runs} for {varied} varied {settings}; {needed} would be enough."


def omega_squared(groups: np.ndarray, results: np.ndarray) -> float | None:
    """Return the share of the variance that lies between groups, 0 to 1; None where there is nothing to compare.

    Args:
        groups: integer, (n,), the group of each result.
        results: floating, (n,).
    """
    numbers, sizes = np.unique(groups, return_counts=True)
    within_freedom = len(results) - len(numbers)
    if len(numbers) < 2 or within_freedom < 1:
        return None
    means = np.array([results[groups == number].mean() for number in numbers])
    between = float((sizes * (means - results.mean()) ** 2).sum())
    total = float(((results - results.mean()) ** 2).sum())
    if not total:
        return None
    within_variance = max(total - between, 0.0) / within_freedom
    share = (between - (len(numbers) - 1) * within_variance) / (total + within_variance)
    return max(share, 0.0)  # chance can make the estimate a little less than nothing


def _groups(values: Sequence[Any]) -> np.ndarray:
    """Return the group of each run, int64, (n,), from 0."""
    # As text, names and booleans can be sorted; numbers stay numbers.
    are_numbers = all(isinstance(value, (int, float)) for value in values)
    different, groups = np.unique(np.asarray(values, float if are_numbers else str), return_inverse=True)
    if not are_numbers or len(different) <= _MOST_VALUES:
        return groups
    # By rank: equal values share their middle one, and so their third.
    ranks = np.sort(groups)
    middle = (np.searchsorted(ranks, groups, "left") + np.searchsorted(ranks, groups, "right")) / 2
    return (middle * _PARTS / len(groups)).astype(int)
