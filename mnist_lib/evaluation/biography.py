"""Finds when one image was learned and forgotten, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Turn(NamedTuple):
    """An epoch in which the answer for an image became right or wrong.

    Attributes:
        epoch: The first epoch after which it was so.
        learned: True if the answer became right, False if it became wrong.
    """

    epoch: int
    learned: bool


def find_turns(epochs: Sequence[int], right: np.ndarray) -> list[Turn]:
    """Return when an image was learned and when it was forgotten, in order.

    Before the first epoch every answer counts as wrong.

    Args:
        epochs: Numbers of the epochs, in order.
        right: bool, (n,), whether the answer was right after each of them.
    """
    was_right = np.concatenate([[False], right[:-1]])
    return [Turn(epochs[place], bool(right[place])) for place in np.flatnonzero(right != was_right).tolist()]


def biography_text(turns: Sequence[Turn]) -> str:
    """Say when an image was learned and forgotten, in one sentence.

    Args:
        turns: As ``find_turns`` returns them.
    """
    if not turns:
        return "Misread after every epoch."
    parts = [
        f"{'learned' if turn.learned else 'forgotten'}{' again' if place > 1 else ''} in epoch {turn.epoch}"
        for place, turn in enumerate(turns)
    ]
    text = ", ".join(parts)
    end = "" if turns[-1].learned else " and not learned again since"
    return f"{text[0].upper()}{text[1:]}{end}."
