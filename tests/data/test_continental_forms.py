"""Continental forms of ones, sevens and nines."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.data.continental_forms import write_continental_forms
from mnist_lib.data.dataset import Dataset, scale_pixels

WRITTEN_ANOTHER_WAY = (1, 7, 9)


class Written:
    """The first 500 training digits, each of them written another way where there is one."""

    def __init__(self, dataset: Dataset) -> None:
        self.labels = dataset.train_labels[:500]
        self.before = scale_pixels(dataset.train_images[:500])[..., 0]
        self.after, self.offsets = write_continental_forms(self.before, self.labels, 1.0, np.random.default_rng(5))

    def added(self, digit: int) -> np.ndarray:
        """Return the ink that was added to each image of a digit, (n, 28, 28)."""
        return (self.after - self.before)[self.labels == digit]

    def of(self, digit: int) -> np.ndarray:
        return self.before[self.labels == digit]


@pytest.fixture(scope="module")
def written(dataset: Dataset) -> Written:
    return Written(dataset)


def columns_of(ink: np.ndarray) -> float:
    """Return the mean column of some ink."""
    return float((ink.sum(axis=0) * np.arange(28)).sum() / ink.sum())


def test_only_ones_sevens_and_nines_change_and_no_ink_is_lost(written: Written) -> None:
    changed = (written.after != written.before).any(axis=(1, 2))
    assert not changed[~np.isin(written.labels, WRITTEN_ANOTHER_WAY)].any()
    assert changed[np.isin(written.labels, WRITTEN_ANOTHER_WAY)].all()
    assert (written.after >= written.before).all()
    assert written.after.dtype == np.float32
    assert written.after.max() <= 1


def test_ones_get_an_upstroke_from_the_left_to_their_top(written: Written) -> None:
    for before, added in zip(written.of(1), written.added(1), strict=True):
        top = int((before > 0.5).any(axis=1).argmax())
        if not (added > 0.5).any():
            continue  # the upstroke of a slanted one may lie upon it
        rows = np.flatnonzero((added > 0.5).any(axis=1))
        assert rows.min() >= top - 3
        assert columns_of(added) < columns_of(before[top : top + 2]) + 1


def test_sevens_get_a_bar_through_the_middle(written: Written) -> None:
    for before, added in zip(written.of(7), written.added(7), strict=True):
        rows = np.flatnonzero((before > 0.5).any(axis=1))
        middle = (added.sum(axis=1) * np.arange(28)).sum() / added.sum()
        assert rows[0] + 0.2 * np.ptp(rows) < middle < rows[0] + 0.8 * np.ptp(rows)


def test_nines_get_a_tail_to_the_left_of_their_foot(written: Written) -> None:
    for before, added in zip(written.of(9), written.added(9), strict=True):
        foot = int(np.flatnonzero((before > 0.5).any(axis=1)).max())
        rows = (added.sum(axis=1) * np.arange(28)).sum() / added.sum()
        assert rows > foot - 6
        assert columns_of(added) < columns_of(before[foot : foot + 1]) + 1


def test_offsets_say_how_far_the_centre_of_mass_moved(written: Written) -> None:
    for before, after, offset in zip(written.before[:60], written.after[:60], written.offsets[:60], strict=True):
        moved = [0.0, 0.0]
        for sign, image in ((-1, before), (1, after)):
            mass = sum(float(image[y, x]) for y in range(28) for x in range(28))
            moved[0] += sign * sum(x * float(image[y, x]) for y in range(28) for x in range(28)) / mass
            moved[1] += sign * sum(y * float(image[y, x]) for y in range(28) for x in range(28)) / mass
        np.testing.assert_allclose(offset, moved, atol=1e-3)


def test_the_share_is_that_of_the_digits_that_change(dataset: Dataset) -> None:
    labels = dataset.train_labels[:6_000]
    before = scale_pixels(dataset.train_images[:6_000])[..., 0]
    after, offsets = write_continental_forms(before, labels, 0.3, np.random.default_rng(0))
    changed = (after != before).any(axis=(1, 2))
    for digit in WRITTEN_ANOTHER_WAY:
        assert changed[labels == digit].mean() == pytest.approx(0.3, abs=0.06)
    assert (offsets[~changed] == 0).all()


def test_nothing_changes_at_a_share_of_zero(dataset: Dataset) -> None:
    before = scale_pixels(dataset.train_images[:100])[..., 0]
    after, offsets = write_continental_forms(before, dataset.train_labels[:100], 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(after, before)
    assert not offsets.any()


def test_the_same_random_numbers_write_the_same(dataset: Dataset) -> None:
    before = scale_pixels(dataset.train_images[:100])[..., 0]
    once, again = (
        write_continental_forms(before, dataset.train_labels[:100], 0.5, np.random.default_rng(7))[0] for _ in range(2)
    )
    np.testing.assert_array_equal(once, again)
