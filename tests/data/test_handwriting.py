"""A person's drawings: which are learned from, and how they are mixed with MNIST."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.config import HANDWRITING, handwriting_config
from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.data.handwriting import Handwriting, mix_in, require_enough, set_aside


@pytest.fixture
def handwriting(dataset: Dataset) -> Handwriting:
    """The first twenty test digits, as if a person had drawn them."""
    return set_aside(dataset.test_images[:20], dataset.test_labels[:20], seed=3)


def test_half_of_each_digit_is_set_aside_and_of_an_odd_number_the_smaller_part() -> None:
    labels = np.array([0] * 5 + [1] * 4 + [2], np.uint8)
    images = np.zeros((10, 28, 28), np.uint8)
    chosen = [set_aside(images, labels, seed).learned for seed in range(8)]
    for learned in chosen:
        assert np.bincount(labels[learned]).tolist() == [3, 2, 1]
    assert len({tuple(learned) for learned in chosen}) > 1
    np.testing.assert_array_equal(chosen[5], set_aside(images, labels, 5).learned)


@pytest.mark.parametrize("labels", [[], [3] * 50, [3, 3, 3, 4, 4, 5, 5], [1, 2, 3, 4, 5, 6]])
def test_too_few_drawings_are_refused_in_a_line(labels: list[int]) -> None:
    require_enough(np.array([3, 3, 3, 4, 4, 4]))
    with pytest.raises(DatasetError, match=r"^At least 3 drawings of at least 2 digits are needed\.$"):
        require_enough(np.array(labels, dtype=np.int64))


def test_drawings_set_aside_are_never_learned_from(dataset: Dataset, handwriting: Handwriting) -> None:
    mixed = mix_in(dataset, handwriting, HANDWRITING)
    assert mixed.train_images.shape == (HANDWRITING.training_images, 28, 28)
    assert mixed.test_images is dataset.test_images
    times = [int((mixed.train_images == image).all(axis=(1, 2)).sum()) for image in handwriting.images]
    learned = handwriting.learned.tolist()
    assert [count > 0 for count in times] == learned
    assert len({count for count, is_learned in zip(times, learned, strict=True) if is_learned}) == 1
    assert len(np.unique(mixed.train_images, axis=0)) == HANDWRITING.training_images - sum(times) + sum(learned)


def test_images_of_mnist_keep_their_labels_and_follow_from_the_seed(dataset: Dataset, handwriting: Handwriting) -> None:
    config = handwriting_config(HANDWRITING, training_images=100, validation_split=0.5)
    mixed, again = mix_in(dataset, handwriting, config), mix_in(dataset, handwriting, config)
    other = mix_in(dataset, handwriting, handwriting_config(HANDWRITING, training_images=100, seed=1))
    np.testing.assert_array_equal(mixed.train_images, again.train_images)
    assert not np.array_equal(mixed.train_images[50:], other.train_images[50:])
    # The validation images, the last half, are all MNIST's.
    by_image = {image.tobytes(): label for image, label in zip(dataset.train_images, dataset.train_labels, strict=True)}
    for image, label in zip(mixed.train_images[50:], mixed.train_labels[50:], strict=True):
        assert by_image[image.tobytes()] == label
