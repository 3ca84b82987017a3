"""Two runs on the same images: which reads which correctly, and how much of it may be chance."""

from __future__ import annotations

import itertools
import math
import re
from fractions import Fraction
from statistics import NormalDist

import numpy as np
import pytest

from mnist_lib.evaluation.mcnemar import chance_text, find_differences, mcnemar_exact


def test_differences_are_seen_from_the_first() -> None:
    labels = np.array([1, 2, 3, 4, 5, 6])
    first = np.array([1, 0, 3, 0, 0, 6])
    second = np.array([1, 2, 0, 4, 7, 6])
    found = find_differences(first, second, labels)
    assert found.fixed.tolist() == [1, 3]
    assert found.broken.tolist() == [2]
    assert found.both_wrong == 1


@pytest.mark.parametrize("count", range(1, 13))
def test_chance_is_counted_over_all_ways_to_fall(count: int) -> None:
    # Each image on which the two differ falls to either, as coins do: count all rows of coins.
    heads = [sum(coins) for coins in itertools.product((0, 1), repeat=count)]
    for fixed in range(count + 1):
        broken = count - fixed
        as_uneven = sum(abs(2 * head - count) >= abs(fixed - broken) for head in heads)
        assert mcnemar_exact(fixed, broken) == pytest.approx(as_uneven / 2**count)


def test_known_value_and_large_counts() -> None:
    # 2 * (1 + 13 + 78 + 286) / 8192
    assert mcnemar_exact(10, 3) == mcnemar_exact(3, 10) == pytest.approx(756 / 8192)
    assert mcnemar_exact(0, 0) == 1
    assert 0 <= mcnemar_exact(10_000, 0) < 1e-300
    assert mcnemar_exact(5_000, 5_000) == 1


def test_thousands_of_differences_agree_with_fractions() -> None:
    # A third way to the same number: the chance of each count from the one before, in exact fractions.
    chance = total = Fraction(1, 2**3000)
    for successes in range(1, 1451):
        chance *= Fraction(3000 - successes + 1, successes)
        total += chance
    assert mcnemar_exact(1450, 1550) == mcnemar_exact(1550, 1450) == float(2 * total)
    # A normal distribution comes close: 99 steps of a half away, of standard deviation sqrt(3000) / 2.
    assert mcnemar_exact(1450, 1550) == pytest.approx(2 * NormalDist().cdf(-99 / math.sqrt(3000)), rel=0.01)


@pytest.mark.parametrize(
    ("fixed", "broken", "words"),
    [
        (0, 0, "Both read the same images correctly."),
        (5, 5, "Both make the same number of errors"),
        (1, 0, "A difference of 1 error: between equally good networks, chance alone would make one at least as large"),
        (2, 1, "in every such pair (p = 1.00). It may well be chance."),
        (1001, 999, "in nearly every such pair (p = 0.98)."),
        (9, 7, "in about 4 of 5 such pairs (p = 0.80)."),
        (12, 7, "in about one of 3 such pairs (p = 0.36). It may well be chance."),
        (12, 5, "A difference of 7 errors"),
        (10, 3, "in about one of 11 such pairs (p = 0.092). It may well be chance."),
        (8, 1, "in about one of 30 such pairs (p = 0.039). Chance alone rarely does that."),
        (11, 0, "in about one of 1,000 such pairs (p = 0.00098). Chance alone hardly ever does that."),
        (60, 19, "in about one of 200,000 such pairs (p = 0.0000042). Chance alone hardly ever does that."),
        (200, 20, "in less than one of a million such pairs (p < 0.000001). Chance alone hardly ever does that."),
        (10_000, 0, "in less than one of a million such pairs (p < 0.000001)."),
    ],
)
def test_chance_is_said_in_words(fixed: int, broken: int, words: str) -> None:
    assert words in chance_text(fixed, broken)
    assert chance_text(fixed, broken) == chance_text(broken, fixed)


def test_words_for_chance_are_near_the_number() -> None:
    for fixed, broken in itertools.combinations(range(25), 2):
        found = re.search(r"about (one|\d) of ([\d,]+) such", chance_text(fixed, broken))
        if found:
            said = (1 if found[1] == "one" else int(found[1])) / int(found[2].replace(",", ""))
            assert 0.7 < said / mcnemar_exact(fixed, broken) < 1.45
