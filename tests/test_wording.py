"""Numbers as text."""

from __future__ import annotations

import pytest

from mnist_lib.wording import (
    a_digit,
    count_text,
    duration_text,
    first_line,
    learning_rate_text,
    percent_text,
    rough_duration_text,
    setting_text,
    time_over_text,
)


def test_only_the_eight_begins_with_a_vowel() -> None:
    assert [a_digit(digit) for digit in (0, 1, 8)] == ["a 0", "a 1", "an 8"]


def test_one_is_counted_in_the_singular() -> None:
    assert [count_text(count, "run") for count in (0, 1, 2_000)] == ["0 runs", "1 run", "2,000 runs"]
    assert [count_text(count, "run waits", "runs wait") for count in (1, 2)] == ["1 run waits", "2 runs wait"]


def test_time_of_a_training_is_in_the_singular_where_it_is_one() -> None:
    said = [time_over_text(minutes) for minutes in (1, 0.5, 90)]
    assert said == [f"its time of {time} was over" for time in ("1 minute", "0.5 minutes", "90 minutes")]


@pytest.mark.parametrize(
    ("probability", "decimals", "text"),
    [
        (0.973, 0, "97%"),
        (0.973, 1, "97.3%"),
        (0.994, 0, "99%"),
        (0.996, 0, ">99%"),
        (0.9994, 1, "99.9%"),
        (0.9996, 1, ">99.9%"),
        (1, 1, ">99.9%"),
        (0.0004, 1, "<0.1%"),
        (0.0006, 1, "0.1%"),
        (0, 0, "<1%"),
    ],
)
def test_no_probability_is_rounded_to_0_or_100_percent(probability: float, decimals: int, text: str) -> None:
    assert percent_text(probability, decimals) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(0.001, "0.001"), (0.000463955, "0.000464"), (0.0005, "0.0005"), (0.1, "0.1"), (1e-05, "1e-05")]
)
def test_learning_rate_has_three_significant_digits_at_most(rate: float, text: str) -> None:
    assert learning_rate_text(rate) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "on"),
        (False, "off"),
        (0, "0"),
        (60_000, "60,000"),
        (0.0, "0"),
        (0.001, "0.001"),
        (1.0, "1"),
        ("one-cycle", "one-cycle"),
    ],
)
def test_value_of_a_setting_is_written_as_a_person_writes_it(value: bool | float | str, text: str) -> None:
    assert setting_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0 s"),
        (0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (75, "1 min 15 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 00 min"),
        (7530, "2 h 05 min"),
    ],
)
def test_duration_is_written_in_its_largest_units(seconds: float, expected: str) -> None:
    assert duration_text(seconds) == expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("\n no room \non the disk"), "no room "),
        (ValueError("one line"), "one line"),
        (KeyError(), "KeyError"),
        (RuntimeError(" \n"), "RuntimeError"),
    ],
)
def test_an_error_is_said_by_its_first_line_or_its_type(error: Exception, expected: str) -> None:
    assert first_line(error) == expected


@pytest.mark.parametrize(
    ("least_s", "most_s", "text"),
    [
        (15.7, 44.0, "15 to 45 s"),
        (13.0, 17.0, "15 s"),
        (34.0, 34.0, "35 s"),
        (0.4, 1.0, "5 s"),
        (50.0, 140.0, "1 to 2 min"),
        (116.0, 116.0, "2 min"),
        (3000.0, 9000.0, "50 to 150 min"),
    ],
)
def test_rough_duration_is_a_range_of_round_numbers(least_s: float, most_s: float, text: str) -> None:
    assert rough_duration_text(least_s, most_s) == text
