"""Compares two runs on the same images: what only one of them reads, and whether that may be chance."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np


class Differences(NamedTuple):
    """Where two runs differ, seen from the first.

    Attributes:
        fixed: int64, (n,), images that the first misreads and the second reads.
        broken: int64, (m,), images that the first reads and the second misreads.
        both_wrong: How many both misread.
    """

    fixed: np.ndarray
    broken: np.ndarray
    both_wrong: int


def find_differences(first_answers: np.ndarray, second_answers: np.ndarray, labels: np.ndarray) -> Differences:
    """Compare the answers of two runs, image by image.

    Args:
        first_answers: integer, (n,), 0 to 9.
        second_answers: integer, (n,), 0 to 9.
        labels: integer, (n,), 0 to 9.
    """
    first, second = first_answers == labels, second_answers == labels
    return Differences(np.flatnonzero(~first & second), np.flatnonzero(first & ~second), int((~first & ~second).sum()))


def mcnemar_exact(fixed: int, broken: int) -> float:
    """Return how often chance alone makes two equally good networks differ at least this much, 0 to 1.

    If they are equally good, each is as likely to be the right one on an image that only one of
    them reads. This is the two-sided binomial test.

    Args:
        fixed: Images that only the second reads, 0 or more.
        broken: Images that only the first reads, 0 or more.

    Source: Q. McNemar, "Note on the Sampling Error of the Difference between Correlated
    Proportions or Percentages" (1947), in its exact form.
    """
    count = fixed + broken
    tail, ways = 0, 1
    for successes in range(min(fixed, broken) + 1):
        tail += ways
        # The next binomial coefficient from this one: calling math.comb each time takes seconds for thousands.
        ways = ways * (count - successes) // (successes + 1)
    return min(1.0, 2 * tail / 2**count)  # integers of any size: exact until the division


def chance_text(fixed: int, broken: int) -> str:
    """Say in words how often chance alone makes such a difference, by the exact test.

    This is not the probability that the difference is chance, and no sentence here says so.

    Args:
        fixed: Images that only the second reads, 0 or more.
        broken: Images that only the first reads, 0 or more.
    """
    difference = abs(fixed - broken)
    if not fixed + broken:
        return "Both read the same images correctly."
    if not difference:
        return "Both make the same number of errors, on different images."
    p = mcnemar_exact(fixed, broken)
    errors = f"A difference of {difference:,} {'error' if difference == 1 else 'errors'}"
    return (
        f"{errors}: between equally good networks, chance alone would make one at least as large in "
        f"{chance_in_words(p)}. {verdict_text(p)}"
    )


def verdict_text(p: float) -> str:
    """Return what a p value, 0 to 1, says about chance, in a sentence."""
    if p >= 0.05:
        return "It may well be chance."
    return f"Chance alone {'rarely' if p >= 0.001 else 'hardly ever'} does that."


def chance_in_words(p: float) -> str:
    """Return a p value, 0 to 1, as a share of pairs: ``about one of 30 such pairs (p = 0.033)``."""
    return f"{_pairs(p)} ({_p_text(p)})"


def _pairs(p: float) -> str:
    if p == 1:
        return "every such pair"
    if p >= 0.95:
        return "nearly every such pair"
    if p < 1e-6:
        return "less than one of a million such pairs"
    if p > 0.37:
        part, whole = min(
            ((2, 5), (1, 2), (2, 3), (3, 4), (4, 5), (9, 10)), key=lambda pair: abs(pair[0] / pair[1] - p)
        )
        return f"about {part} of {whole} such pairs"
    # One significant digit is enough, two below 20: one of 2, 3, 13, 30, 200.
    one_of = 1 / p
    step = 10 ** math.floor(math.log10(one_of)) if one_of >= 20 else 1
    return f"about one of {round(one_of / step) * step:,} such pairs"


def _p_text(p: float) -> str:
    if p < 1e-6:
        return "p < 0.000001"
    # Two significant digits, but no 4.2e-06, and no 1.00 for anything below 1.
    decimals = max(2, 1 - math.floor(math.log10(p)))
    return f"p = {p:.{decimals}f}" if p == 1 or p < 0.995 else "p > 0.99"
