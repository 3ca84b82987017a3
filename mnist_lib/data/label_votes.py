"""Votes of people who were asked about test labels that look wrong."""

from __future__ import annotations

import csv
import hashlib
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mnist_lib.data.dataset import DatasetError
from mnist_lib.paths import ASSETS_PATH
from mnist_lib.wording import count_text

LABEL_VOTES_PATH = ASSETS_PATH / "label_votes.csv"
LABEL_VOTES_SHA256 = "957c5b57b182a70e5b7c2d37ceffa409e6df01b7cc746aa9cbcb30bd258648a7"


class LabelVotes(NamedTuple):
    """Test images whose labels were put to a vote, one entry each.

    Attributes:
        indices: int64, (n,), position in the test set.
        given: int64, (n,), the label, 0 to 9.
        suggested: int64, (n,), the digit that an algorithm suggested, 0 to 9; sometimes the label itself.
        votes_given: int64, (n,), votes for the label.
        votes_suggested: int64, (n,), votes for the suggested digit; the same votes again
            where that is the label.
        votes_neither: int64, (n,), votes for neither.
    """

    indices: np.ndarray
    given: np.ndarray
    suggested: np.ndarray
    votes_given: np.ndarray
    votes_suggested: np.ndarray
    votes_neither: np.ndarray

    @property
    def total(self) -> np.ndarray:
        """People who were asked about each image: int64, (n,)."""
        for_another = np.where(self.suggested != self.given, self.votes_suggested, 0)
        return self.votes_given + for_another + self.votes_neither

    @property
    def upheld(self) -> np.ndarray:
        """Whether the label won more than half of its votes: bool, (n,)."""
        return 2 * self.votes_given > self.total

    def find(self, index: int) -> int | None:
        """Return the place of a test image among these, or None."""
        places = np.flatnonzero(self.indices == index)
        return int(places[0]) if len(places) else None


@lru_cache(maxsize=1)
def load_label_votes() -> LabelVotes:
    """Load the votes that ship with the project, once.

    Raises:
        DatasetError: The file is missing or not the original.

    Source: C. Northcutt, A. Athalye, J. Mueller, "Pervasive Label Errors in Test Sets
    Destabilize Machine Learning Benchmarks" (2021).
    """
    cure = f"Restore it with: git checkout -- mnist_lib/assets/{LABEL_VOTES_PATH.name}"
    try:
        content = LABEL_VOTES_PATH.read_bytes()
    except OSError as error:
        raise DatasetError(f"The data file {LABEL_VOTES_PATH} cannot be read ({error.strerror}). {cure}") from error
    # Git may check the file out with other line endings.
    text = content.decode("utf-8", errors="replace").replace("\r\n", "\n")
    if hashlib.sha256(text.encode()).hexdigest() != LABEL_VOTES_SHA256:
        raise DatasetError(f"The data file {LABEL_VOTES_PATH} is damaged. {cure}")
    rows = np.array(list(csv.reader(text.splitlines()))[1:], dtype=np.int64)
    columns = np.ascontiguousarray(rows.T)
    columns.flags.writeable = False  # one copy is shared by every screen
    return LabelVotes(*columns)


class VotedAccuracy(NamedTuple):
    """Right answers on all images, and with those set aside whose label won no majority of its votes.

    Attributes:
        as_labelled_right: Right answers on all images.
        as_labelled_count: Number of all images.
        set_aside_right: Right answers on the images that are left.
        set_aside_count: Number of images that are left.
    """

    as_labelled_right: int
    as_labelled_count: int
    set_aside_right: int
    set_aside_count: int


def measure_with_votes(answers: np.ndarray, labels: np.ndarray, votes: LabelVotes) -> VotedAccuracy:
    """Count right answers on all images, and with those set aside whose label won no majority of its votes.

    Args:
        answers: integer, (n,), 0 to 9, predicted digits of the whole test set.
        labels: integer, (n,), 0 to 9. They are never changed.
        votes: The votes on labels of the test set.
    """
    right = answers == labels
    stays = np.ones(len(labels), dtype=bool)
    stays[votes.indices[~votes.upheld]] = False
    return VotedAccuracy(int(right.sum()), len(labels), int(right[stays].sum()), int(stays.sum()))


def votes_text(votes: LabelVotes, position: int) -> str:
    """Say how the votes about one image went: ``5 people were asked: 1 says 4, as labelled, 3 say 6, and 1 neither.``

    Args:
        votes: The votes on labels of the test set.
        position: The image's place among them.
    """
    given, suggested = int(votes.given[position]), int(votes.suggested[position])
    total, of_label = int(votes.total[position]), int(votes.votes_given[position])
    asked = f"{count_text(total, 'person was', 'people were')} asked"
    if of_label == total:
        return f"{asked}: {'all say' if total > 1 else '1 says'} {given}, as labelled."
    said = [f"{_count_text(of_label)} {given}, as labelled"]
    if suggested != given:
        said.append(f"{_count_text(int(votes.votes_suggested[position]))} {suggested}")
    neither = int(votes.votes_neither[position])
    if neither:
        said.append(f"{neither} neither" if suggested != given else f"{neither} something else")
    return f"{asked}: {', '.join(said[:-1])}, and {said[-1]}."


def _count_text(count: int) -> str:
    return "nobody says" if count == 0 else "1 says" if count == 1 else f"{count} say"
