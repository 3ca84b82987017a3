"""Trainings that differ in their seed alone: what they reach on average, how far they spread, and whether two recipes
differ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_lib.evaluation.mcnemar import chance_in_words, verdict_text

# Of each recipe, for a comparison: of two runs the spread is hardly known.
LEAST_RUNS = 3


class Summary(NamedTuple):
    """What several runs reached.

    Attributes:
        count: How many runs, 1 or more.
        mean: Their mean.
        deviation: Their sample standard deviation; None for one run.
        interval: The two ends of the 95% interval of the mean; None for one run. Of a hundred experiments like this
            one, some 95 have an interval that contains the mean of all possible seeds.
        worst: The worst of them.
        best: The best of them.
    """

    count: int
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None
    worst: float
    best: float


class Difference(NamedTuple):
    """How far the means of two recipes are apart, seen from the first.

    Attributes:
        mean: The mean of the second less that of the first.
        interval: The two ends of its 95% interval.
        p: How often chance alone makes two equally good recipes differ at least this much, 0 to 1.
    """

    mean: float
    interval: tuple[float, float]
    p: float


def summarize(values: Sequence[float], larger_is_better: bool = True) -> Summary:
    """Return mean, spread and extremes of what several runs reached.

    The interval is Student's: it holds for values that spread as a bell curve does, and hardly depends on that for
    ten runs or more.

    Args:
        values: One a run, 1 or more, finite.
        larger_is_better: True for accuracy, False for errors and losses.

    Source: Student, "The Probable Error of a Mean" (1908).
    """
    count, mean = len(values), float(np.mean(values))
    ends = float(min(values)), float(max(values))
    worst, best = ends if larger_is_better else ends[::-1]
    if count == 1:
        return Summary(count, mean, None, None, worst, best)
    deviation = float(np.std(values, ddof=1))
    half = _t_quantile(count - 1) * deviation / math.sqrt(count)
    return Summary(count, mean, deviation, (mean - half, mean + half), worst, best)


def welch_test(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare the means of two recipes, whose runs may spread differently.

    Args:
        first: One value a run of the first recipe, at least ``LEAST_RUNS``.
        second: The same of the second.

    Raises:
        ValueError: One of the two has fewer runs.

    Source: B. L. Welch, "The Generalization of 'Student's' Problem when Several Different Population Variances are
    Involved" (1947).
    """
    if min(len(first), len(second)) < LEAST_RUNS:
        raise ValueError(f"A comparison needs {LEAST_RUNS} runs of each.")
    mean = float(np.mean(second) - np.mean(first))
    parts = [float(np.var(values, ddof=1)) / len(values) for values in (first, second)]
    variance = sum(parts)
    if not variance:  # each repeated itself exactly
        return Difference(mean, (mean, mean), 0.0 if mean else 1.0)
    freedom = variance**2 / sum(
        part**2 / (len(values) - 1) for part, values in zip(parts, (first, second), strict=True)
    )
    # Not at the top of this file: SciPy takes a tenth of a second to load, and no other command needs it.
    from scipy.special import stdtr

    error = math.sqrt(variance)
    half = _t_quantile(freedom) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error))
    return Difference(mean, (mean - half, mean + half), min(p, 1.0))


def errors_compared(names: tuple[str, str], first: Sequence[int], second: Sequence[int]) -> str:
    """Say in words whether the runs of two recipes misread differently many test images, by Welch's test.

    Args:
        names: What the two are called.
        first: Misread test images, one number a run.
        second: The same of the second, on the same images.
    """
    for name, runs in zip(names, (first, second), strict=True):
        if len(runs) < LEAST_RUNS:
            return f"A comparison needs {LEAST_RUNS} finished runs of each; {name} has {len(runs)}."
    found = welch_test(first, second)
    if not found.mean:
        return f"{names[0]} and {names[1]} misread the same number of test images on average."
    # Of the two the better one is the subject.
    better, worse = names[::-1] if found.mean < 0 else names
    fewer = sorted(end if found.mean > 0 else -end for end in found.interval)
    return (
        f"{better} misreads {abs(found.mean):,.1f} fewer test images than {worse} on average (95% interval: "
        f"{_count_text(fewer[0])} to {_count_text(fewer[1])}). Between equally good recipes, chance alone would make "
        f"a difference at least as large in {chance_in_words(found.p)}. {verdict_text(found.p)}"
    )


def _count_text(fewer: float) -> str:
    return f"{fewer:,.1f} fewer" if fewer >= 0 else f"{-fewer:,.1f} more"


def _t_quantile(freedom: float) -> float:
    """Return the number of standard errors to each side of a mean that make a 95% interval."""
    from scipy.special import stdtrit  # here for the same reason as above

    return float(stdtrit(freedom, 0.975))
