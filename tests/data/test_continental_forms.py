"""Continental forms of ones, fours, sevens and nines."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.data.continental_forms import write_continental_forms
from mnist_lib.data.dataset import Dataset

WRITTEN_ANOTHER_WAY = (1, 4, 7, 9)
INK = 128


class Written:
    """The first 2,000 training digits, each of them written another way where there is one."""

    def __init__(self, dataset: Dataset) -> None:
        self.labels = dataset.train_labels[:2_000]
        self.before = dataset.train_images[:2_000]
        self.after, self.offsets = write_continental_forms(self.before, self.labels, 1.0, np.random.default_rng(5))

    def added(self, digit: int) -> np.ndarray:
        """Return the ink that was added to each image of a digit, integer, (n, 28, 28)."""
        return (self.after.astype(int) - self.before)[self.labels == digit]

    def of(self, digit: int) -> np.ndarray:
        return self.before[self.labels == digit]

    def drawn_anew(self, digit: int) -> np.ndarray:
        """Tell which images of a digit lost ink: bool, (n,)."""
        return self.added(digit).min(axis=(1, 2)) < 0


@pytest.fixture(scope="module")
def written(dataset: Dataset) -> Written:
    return Written(dataset)


def columns_of(ink: np.ndarray) -> float:
    """Return the mean column of some ink."""
    return float((ink.sum(axis=0) * np.arange(28)).sum() / ink.sum())


def rows_of(ink: np.ndarray) -> float:
    """Return the mean row of some ink."""
    return columns_of(ink.T)


def rows_with_ink(image: np.ndarray) -> np.ndarray:
    return np.flatnonzero((image > INK).any(axis=1))


def test_only_ones_fours_sevens_and_nines_change(written: Written) -> None:
    changed = (written.after != written.before).any(axis=(1, 2))
    assert not changed[~np.isin(written.labels, WRITTEN_ANOTHER_WAY)].any()
    assert changed[np.isin(written.labels, WRITTEN_ANOTHER_WAY)].all()
    assert written.after.dtype == np.uint8


def test_ones_and_sevens_get_a_stroke_and_fours_and_some_nines_are_drawn_anew(written: Written) -> None:
    assert not written.drawn_anew(1).any()
    assert not written.drawn_anew(7).any()
    assert written.drawn_anew(4).all()
    assert 0.4 < written.drawn_anew(9).mean() < 0.6
    for digit in WRITTEN_ANOTHER_WAY:
        assert (written.added(digit) > INK).any(axis=(1, 2)).mean() > 0.9


@pytest.mark.parametrize("digit", [4, 9])
def test_digits_drawn_anew_fill_the_middle_as_those_of_mnist_do(digit: int, written: Written) -> None:
    anew = written.after[written.labels == digit][written.drawn_anew(digit)]
    for image in anew:
        places = np.argwhere(image > INK / 2)
        assert places.min() >= 4
        assert places.max() <= 23
        assert 19 <= np.ptp(places, axis=0).max() + 1 <= 20


def test_ones_get_an_upstroke_from_the_left_to_their_top(written: Written) -> None:
    lengths, rises = [], []
    for before, added in zip(written.of(1), written.added(1), strict=True):
        top, *_, foot = rows_with_ink(before)
        places = np.argwhere(added > INK)
        if len(places) == 0:
            continue  # the upstroke of a slanted one may lie upon it
        assert top - 3 <= places[:, 0].min()
        assert places[:, 0].max() <= foot + 2
        assert columns_of(added) < columns_of(before[top : top + 2]) + 1
        lengths.append(np.hypot(*np.ptp(places, axis=0)))
        rises.append(places[places[:, 1].argmin(), 0] - top)
    # From a short one to one as long as the digit, and each comes from below, unlike the top of a seven.
    assert np.percentile(lengths, 5) < 8
    assert np.percentile(lengths, 95) > 16
    assert min(rises) >= 0
    assert np.median(rises) > 2


def test_sevens_get_a_bar_through_their_stem(written: Written) -> None:
    unlifted = []
    for before, added in zip(written.of(7), written.added(7), strict=True):
        rows = rows_with_ink(before)
        assert rows[0] + 0.2 * np.ptp(rows) < rows_of(added) < rows[0] + np.ptp(rows)
        # Where the pen is not lifted, there is a line from the foot as well.
        unlifted.append((added[rows[-1] - 1 : rows[-1] + 2] > INK).any())
    assert 0.15 < np.mean(unlifted) < 0.4


def test_bars_are_on_both_sides_of_the_stem(written: Written) -> None:
    sides = []
    for before, added in zip(written.of(7), written.added(7), strict=True):
        row = round(rows_of(added))
        stem = columns_of(before[row : row + 1]) if before[row].any() else 14.0
        columns = np.flatnonzero((added > INK).any(axis=0))
        sides.append((columns.min() < stem, columns.max() > stem))
    assert np.mean(sides, axis=0).min() > 0.9


def test_tails_begin_at_the_foot_of_a_nine_and_go_to_the_left(written: Written) -> None:
    has_tail = ~written.drawn_anew(9)
    for before, added in zip(written.of(9)[has_tail], written.added(9)[has_tail], strict=True):
        foot = rows_with_ink(before).max()
        assert rows_of(added) > foot - 8
        assert columns_of(added) < columns_of(before[foot : foot + 1]) + 1


def test_most_tails_end_before_the_border(written: Written) -> None:
    tails = written.added(9)[~written.drawn_anew(9)] > INK
    assert tails[:, :, 0].any(axis=1).mean() < 0.4
    assert tails[:, -1].any(axis=1).mean() < 0.6  # a low nine's just reaches the last row


def test_nines_drawn_anew_are_a_loop_and_a_tail_that_turns_back_under_it(written: Written) -> None:
    nines = written.after[written.labels == 9][written.drawn_anew(9)]
    # The ink of the lowest rows reaches further to the left than the foot of the stem above it.
    reach = []
    for nine in nines:
        rows = rows_with_ink(nine)
        lowest = np.flatnonzero((nine[rows[-4] :] > INK).any(axis=0))
        reach.append(columns_of(nine[rows[-8:-5]]) - lowest.min())
    assert np.mean([columns > 2 for columns in reach]) > 0.8


def first_row_with_two_strokes(image: np.ndarray) -> int:
    """Return in which row, from the first one with ink, two strokes stand side by side; 28 if in none."""
    begins = np.count_nonzero(np.diff(np.pad((image > INK).astype(int), ((0, 0), (1, 0))), axis=1) == 1, axis=1)
    rows = np.flatnonzero(begins == 2)
    return int(rows[0] - rows_with_ink(image)[0]) if len(rows) else 28


def test_fours_are_drawn_anew_with_a_stem_that_begins_below_the_top_of_the_arm(written: Written) -> None:
    before, after = written.of(4), written.after[written.labels == 4]
    kept = [(new > INK)[old > INK].mean() for old, new in zip(before, after, strict=True)]
    assert max(kept) < 0.9
    assert np.mean(kept) < 0.6
    begins = [first_row_with_two_strokes(image) for image in after]
    assert np.mean([begin > 0 for begin in begins]) > 0.98
    assert np.median(begins) > 2 * np.median([first_row_with_two_strokes(image) for image in before])


def test_offsets_say_how_far_the_centre_of_mass_moved(written: Written) -> None:
    for before, after, offset in zip(written.before[:60], written.after[:60], written.offsets[:60], strict=True):
        moved = [0.0, 0.0]
        for sign, image in ((-1, before), (1, after)):
            mass = sum(float(image[y, x]) for y in range(28) for x in range(28))
            moved[0] += sign * sum(x * float(image[y, x]) for y in range(28) for x in range(28)) / mass
            moved[1] += sign * sum(y * float(image[y, x]) for y in range(28) for x in range(28)) / mass
        np.testing.assert_allclose(offset, moved, atol=0.01)  # of 255 greys


def test_the_share_is_that_of_the_digits_that_change(dataset: Dataset) -> None:
    labels = dataset.train_labels[:6_000]
    before = dataset.train_images[:6_000]
    after, offsets = write_continental_forms(before, labels, 0.3, np.random.default_rng(0))
    changed = (after != before).any(axis=(1, 2))
    for digit in WRITTEN_ANOTHER_WAY:
        assert changed[labels == digit].mean() == pytest.approx(0.3, abs=0.06)
    assert (offsets[~changed] == 0).all()


def test_nothing_changes_at_a_share_of_zero(dataset: Dataset) -> None:
    before = dataset.train_images[:100]
    after, offsets = write_continental_forms(before, dataset.train_labels[:100], 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(after, before)
    assert not offsets.any()


def test_the_images_given_are_left_as_they_are_and_the_same_random_numbers_write_the_same(dataset: Dataset) -> None:
    before, labels = dataset.train_images[:100].copy(), dataset.train_labels[:100]
    once, again = (write_continental_forms(before, labels, 0.5, np.random.default_rng(7))[0] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    np.testing.assert_array_equal(before, dataset.train_images[:100])
