"""Which images the gallery shows, against a loop that anybody can follow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.evaluation.selection import ORDERS, OUTCOMES, Filters, select_images
from mnist_lib.runs.store import RunStore

RUN = RunStore(Path("nowhere")).bundled_runs()[0]


def row(answer: int, confidence: float, second: int, second_probability: float) -> list[float]:
    """Return ten probabilities: two that matter, the rest spread over the others."""
    values = [(1 - confidence - second_probability) / 8] * 10
    values[answer], values[second] = confidence, second_probability
    return values


LABELS = np.array([3, 4, 9, 9, 5])
PROBABILITIES = np.array(
    [
        row(3, 0.9, 5, 0.05),  # right
        row(9, 0.6, 4, 0.3),  # wrong, close to right
        row(4, 0.8, 9, 0.01),  # wrong, far from it
        row(4, 0.5, 9, 0.45),  # wrong, by a hair
        row(5, 0.7, 3, 0.2),  # right
    ]
)
BEFORE = np.array(
    [
        row(3, 0.5, 5, 0.4),  # right, still
        row(4, 0.5, 9, 0.4),  # right, then forgotten
        row(4, 0.5, 9, 0.4),
        row(4, 0.5, 9, 0.4),
        row(3, 0.5, 5, 0.4),  # wrong, then learned
    ]
)


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("misread", [1, 2, 3]),
        ("read correctly", [0, 4]),
        ("all", [0, 1, 2, 3, 4]),
        ("newly learned", [4]),
        ("newly forgotten", [1]),
    ],
)
def test_outcome_tells_how_the_image_was_read(outcome: str, expected: list[int]) -> None:
    assert outcome in OUTCOMES
    filters = Filters(outcome)
    assert select_images(PROBABILITIES, LABELS, filters, "test set order", BEFORE).tolist() == expected


def test_before_the_first_epoch_every_answer_counts_as_wrong() -> None:
    learned = select_images(PROBABILITIES, LABELS, Filters("newly learned"), "test set order")
    assert learned.tolist() == [0, 4]
    assert len(select_images(PROBABILITIES, LABELS, Filters("newly forgotten"))) == 0


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("most confident", [2, 1, 3]),
        ("least confident", [3, 1, 2]),
        ("highest loss", [2, 1, 3]),
        ("smallest margin", [3, 1, 2]),
        ("test set order", [1, 2, 3]),
    ],
)
def test_misread_images_are_put_in_the_order_asked_for(order: str, expected: list[int]) -> None:
    assert order in ORDERS
    assert select_images(PROBABILITIES, LABELS, order=order).tolist() == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters("all", true_label=9), [2, 3]),
        (Filters("all", predicted_label=4), [2, 3]),
        (Filters("all", true_label=4, predicted_label=9), [1]),
        (Filters("all", confidence=(0.6, 0.8)), [1, 2, 4]),  # both ends included
        (Filters("misread", confidence=(0.0, 0.5)), [3]),
        (Filters("all", among=np.array([4, 1])), [1, 4]),
        (Filters("read correctly", true_label=9), []),
    ],
)
def test_filters_keep_images_that_pass_all_of_them(filters: Filters, expected: list[int]) -> None:
    assert select_images(PROBABILITIES, LABELS, filters, "test set order").tolist() == expected


def test_equals_stay_in_the_order_of_the_test_set() -> None:
    same = np.repeat(PROBABILITIES[1:2], 4, axis=0)
    for order in ORDERS:
        assert select_images(same, np.array([0, 1, 2, 3]), order=order).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_real_run_is_selected_as_by_a_loop(outcome: str, dataset: Dataset) -> None:
    after, before = RUN.probabilities(), RUN.probabilities(3)
    labels = dataset.test_labels
    filters = Filters(outcome, true_label=9, confidence=(0.3, 0.95))
    expected = []
    for index in range(10_000):
        now, then = after[index].argmax() == labels[index], before[index].argmax() == labels[index]
        fits = {
            "misread": not now,
            "read correctly": now,
            "all": True,
            "newly learned": now and not then,
            "newly forgotten": then and not now,
        }[outcome]
        if fits and labels[index] == 9 and 0.3 <= after[index].max() <= 0.95:
            expected.append(index)
    assert select_images(after, labels, filters, "test set order", before).tolist() == expected
