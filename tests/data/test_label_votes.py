"""The votes on labels: read and counted correctly, and no label is changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data import label_votes
from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.data.label_votes import LABEL_VOTES_PATH, LabelVotes, load_label_votes, measure_with_votes, votes_text
from mnist_lib.runs.store import RunStore

RUN = RunStore(Path("nowhere")).bundled_runs()[0]


def make_votes(*rows: tuple[int, int, int, int, int, int]) -> LabelVotes:
    return LabelVotes(*np.array(rows).T)


def test_votes_are_about_the_labels_of_the_test_set(dataset: Dataset) -> None:
    votes = load_label_votes()
    assert len(votes.indices) == len(set(votes.indices.tolist())) == 100
    np.testing.assert_array_equal(votes.given, dataset.test_labels[votes.indices])


def test_five_people_were_asked_about_each() -> None:
    # Where the suggested digit is the label itself, its votes stand in the file twice.
    assert load_label_votes().total.tolist() == [5] * 100


def test_label_is_upheld_by_more_than_half_of_its_votes() -> None:
    votes = make_votes(
        (10, 4, 9, 3, 2, 0),
        (20, 4, 9, 2, 2, 1),
        (30, 4, 4, 4, 4, 1),  # suggested is the label itself
        (40, 4, 4, 2, 2, 3),
        (50, 4, 9, 0, 5, 0),
    )
    assert votes.upheld.tolist() == [True, False, True, False, False]
    assert votes.find(30) == 2
    assert votes.find(31) is None


def test_images_whose_label_lost_are_set_aside_and_no_label_changes() -> None:
    labels = np.array([4, 4, 4, 7, 7, 7])
    answers = np.array([4, 9, 4, 7, 7, 1])
    before = labels.copy()
    votes = make_votes((1, 4, 9, 0, 5, 0), (2, 4, 9, 1, 4, 0), (5, 7, 1, 5, 0, 0))
    voted = measure_with_votes(answers, labels, votes)
    assert (voted.as_labelled_right, voted.as_labelled_count) == (4, 6)
    assert (voted.set_aside_right, voted.set_aside_count) == (3, 4)  # without 1, wrong, and 2, right
    np.testing.assert_array_equal(labels, before)


def test_fifteen_labels_won_no_majority() -> None:
    # As many as the paper's Table 1 counts for MNIST.
    assert int((~load_label_votes().upheld).sum()) == 15


def test_votes_are_read_row_by_row() -> None:
    votes = load_label_votes()
    row = [int(column[votes.find(5937) or 0]) for column in votes]
    assert row == [5937, 5, 3, 1, 3, 1]  # as in the file
    assert load_label_votes() is votes
    for column in votes:
        assert column.dtype == np.int64
        assert not column.flags.writeable  # one copy is shared by every screen


def test_shipped_run_is_counted_both_ways(dataset: Dataset) -> None:
    answers, labels = RUN.probabilities().argmax(axis=1), dataset.test_labels
    votes = load_label_votes()
    lost = {int(i) for i, upheld in zip(votes.indices, votes.upheld, strict=True) if not upheld}
    right = sum(answers[i] == labels[i] for i in range(10_000) if i not in lost)
    voted = measure_with_votes(answers, labels, votes)
    assert tuple(voted) == (int((answers == labels).sum()), 10_000, right, 9985)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ((1, 4, 9, 5, 0, 0), "5 people were asked: all say 4, as labelled."),
        ((1, 4, 9, 0, 5, 0), "5 people were asked: nobody says 4, as labelled, and 5 say 9."),
        ((1, 4, 9, 0, 4, 1), "5 people were asked: nobody says 4, as labelled, 4 say 9, and 1 neither."),
        ((1, 4, 9, 3, 2, 0), "5 people were asked: 3 say 4, as labelled, and 2 say 9."),
        ((1, 4, 9, 1, 3, 1), "5 people were asked: 1 says 4, as labelled, 3 say 9, and 1 neither."),
        ((1, 4, 9, 3, 0, 2), "5 people were asked: 3 say 4, as labelled, nobody says 9, and 2 neither."),
        ((1, 9, 9, 4, 4, 1), "5 people were asked: 4 say 9, as labelled, and 1 something else."),
        ((1, 9, 9, 5, 5, 0), "5 people were asked: all say 9, as labelled."),
        ((1, 4, 9, 1, 0, 0), "1 person was asked: 1 says 4, as labelled."),
    ],
)
def test_votes_are_told_in_one_sentence(row: tuple[int, int, int, int, int, int], expected: str) -> None:
    assert votes_text(make_votes(row), 0) == expected


@pytest.mark.parametrize("content", [None, b"", b"test_index,given_label\n1,2\n"])
def test_damaged_file_is_said_with_the_cure(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "label_votes.csv"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr(label_votes, "LABEL_VOTES_PATH", path)
    with pytest.raises(DatasetError, match="Restore it with"):
        load_label_votes.__wrapped__()


def test_changed_vote_is_damage_and_other_line_ends_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = LABEL_VOTES_PATH.read_bytes()
    path = tmp_path / "label_votes.csv"
    monkeypatch.setattr(label_votes, "LABEL_VOTES_PATH", path)
    path.write_bytes(original.replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(np.array(load_label_votes.__wrapped__()), np.array(load_label_votes()))
    path.write_bytes(original.replace(b"247,4,6,5,0,0", b"247,4,6,0,5,0"))
    with pytest.raises(DatasetError, match="damaged"):
        load_label_votes.__wrapped__()
