"""How the reading of one image came about, epoch by epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Turn(NamedTuple):
    """An epoch in which the reading of an image became right or wrong.

    Attributes:
        epoch: The first after which it was so.
        learned: Whether it became right; otherwise it was forgotten.
    """

    epoch: int
    learned: bool


def find_turns(epochs: Sequence[int], right: np.ndarray) -> list[Turn]:
    """Return when an image was learned and when it was forgotten, in order.

    Before the first epoch a network has learned nothing.

    Args:
        epochs: In order.
        right: bool, (n,), whether the image was read rightly after each of them.
    """
    was_right = np.concatenate([[False], right[:-1]])
    return [Turn(epochs[place], bool(right[place])) for place in np.flatnonzero(right != was_right).tolist()]


def biography_text(turns: Sequence[Turn]) -> str:
    """Say when an image was learned and forgotten, in one sentence.

    Args:
        turns: As ``find_turns`` returns them.
    """
    if not turns:
        return "Never read rightly in any epoch."
    parts = [
        f"{'learned' if turn.learned else 'forgotten'}{' again' if place > 1 else ''} in epoch {turn.epoch}"
        for place, turn in enumerate(turns)
    ]
    text = ", ".join(parts)
    end = "" if turns[-1].learned else " and not learned again since"
    return f"{text[0].upper()}{text[1:]}{end}."
