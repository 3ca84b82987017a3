"""An image's biography: when it was learned and when it was forgotten."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.evaluation.biography import Turn, biography_text, find_turns


@pytest.mark.parametrize(
    ("right", "expected"),
    [
        ([True, True, True], [Turn(1, True)]),
        ([False, False, False], []),
        ([False, True, True], [Turn(3, True)]),
        ([True, False, True], [Turn(1, True), Turn(3, False), Turn(5, True)]),
        ([False, True, False], [Turn(3, True), Turn(5, False)]),
    ],
)
def test_turns_are_the_epochs_in_which_the_reading_changed(right: list[bool], expected: list[Turn]) -> None:
    assert find_turns([1, 3, 5], np.array(right)) == expected


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        ([], "Misread after every epoch."),
        ([Turn(2, True)], "Learned in epoch 2."),
        ([Turn(2, True), Turn(4, False)], "Learned in epoch 2, forgotten in epoch 4 and not learned again since."),
        (
            [Turn(1, True), Turn(4, False), Turn(6, True)],
            "Learned in epoch 1, forgotten in epoch 4, learned again in epoch 6.",
        ),
        (
            [Turn(1, True), Turn(2, False), Turn(3, True), Turn(4, False)],
            "Learned in epoch 1, forgotten in epoch 2, learned again in epoch 3, forgotten again in epoch 4 and not "
            "learned again since.",
        ),
    ],
)
def test_biography_is_told_in_one_sentence(turns: list[Turn], expected: str) -> None:
    assert biography_text(turns) == expected
