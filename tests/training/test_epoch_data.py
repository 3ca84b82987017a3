"""What an epoch learns from follows from the seed and its number alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import Dataset
from mnist_lib.training.epoch_data import EpochData, EpochPreparation, prepare_epoch, smooth_labels

# Seven batches an epoch, the last with 20 images instead of 30; 50 images are set aside.
CONFIG = TrainingConfig(
    "custom", epochs=3, batch_size=30, training_images=250, validation_split=0.2, seed=5, shift_px=1.0
)
ALL = replace(CONFIG, rotation_deg=10.0, zoom=0.1, continental_forms=0.5, middle_epochs=1, label_smoothing=0.2)


def same(data: EpochData, other: EpochData) -> list[bool]:
    return [np.array_equal(one, another) for one, another in zip(data, other, strict=True)]


@pytest.mark.parametrize("epoch", [0, 2])
def test_same_seed_and_epoch_give_the_same(epoch: int, dataset: Dataset) -> None:
    assert same(prepare_epoch(ALL, dataset, epoch), prepare_epoch(ALL, dataset, epoch)) == [True, True, True]


def test_another_epoch_and_another_seed_give_something_else(dataset: Dataset) -> None:
    data = prepare_epoch(ALL, dataset, 1)
    assert same(data, prepare_epoch(ALL, dataset, 2)) == [False, False, False]
    assert same(data, prepare_epoch(replace(ALL, seed=6), dataset, 1)) == [False, False, False]


@pytest.mark.parametrize("epoch", [0, 1])
def test_epoch_holds_each_image_once_with_its_label_and_none_that_is_set_aside(epoch: int, dataset: Dataset) -> None:
    data = prepare_epoch(replace(CONFIG, shift_px=0.0), dataset, epoch)
    assert (data.images.shape, data.images.dtype) == ((200, 28, 28, 1), np.float32)
    assert (data.labels.shape, data.labels.dtype) == ((200,), np.uint8)
    assert (data.dropout_seed.shape, data.dropout_seed.dtype) == ((2,), np.uint32)
    seen = [(image.tobytes(), label) for image, label in zip(data.images, data.labels, strict=True)]
    scaled = (dataset.train_images[:200] / np.float32(255)).astype(np.float32)
    expected = [(image.tobytes(), label) for image, label in zip(scaled, dataset.train_labels[:200], strict=True)]
    assert seen != expected  # shuffled
    assert sorted(seen) == sorted(expected)


def test_first_epochs_see_the_middle_alone_of_the_same_images(dataset: Dataset) -> None:
    config = replace(ALL, middle_epochs=2)
    for epoch, size_px in ((0, 20), (1, 20), (2, 28)):
        data = prepare_epoch(config, dataset, epoch)
        whole = prepare_epoch(replace(config, middle_epochs=0), dataset, epoch)
        assert data.images.shape == (200, size_px, size_px, 1)
        margin_px = (28 - size_px) // 2
        end_px = 28 - margin_px
        np.testing.assert_array_equal(data.images, whole.images[:, margin_px:end_px, margin_px:end_px])
        np.testing.assert_array_equal(data.labels, whole.labels)
        np.testing.assert_array_equal(data.dropout_seed, whole.dropout_seed)


def test_labels_are_smoothed_less_from_batch_to_batch() -> None:
    labels = np.full(200, 3)
    # 21 steps in all: of 0.2 at the first, 1/21 less at each of them. A tenth of the share goes to each digit.
    for epoch, image, share in (
        (0, 0, 0.2),
        (0, 29, 0.2),
        (0, 30, 0.2 * 20 / 21),
        (1, 0, 0.2 * 14 / 21),
        (2, 199, 0.2 / 21),
    ):
        smoothed = smooth_labels(labels, ALL, epoch)
        assert (smoothed.shape, smoothed.dtype) == ((200, 10), np.float32)
        expected = [share / 10] * 10
        expected[3] = 1 - 0.9 * share
        np.testing.assert_allclose(smoothed[image], expected, rtol=1e-5)
        np.testing.assert_allclose(smoothed.sum(axis=1), 1, rtol=1e-6)


def test_smoothed_labels_are_those_of_their_images(dataset: Dataset) -> None:
    smoothed, plain = (prepare_epoch(replace(ALL, label_smoothing=share), dataset, 1) for share in (0.2, 0.0))
    np.testing.assert_array_equal(smoothed.images, plain.images)
    np.testing.assert_array_equal(smoothed.labels, smooth_labels(plain.labels, ALL, 1))
    np.testing.assert_array_equal(smoothed.labels.argmax(axis=1), plain.labels)


@pytest.mark.parametrize("first_epoch", [0, 1, 2])
def test_preparation_gives_each_epoch_in_turn(first_epoch: int, dataset: Dataset) -> None:
    with EpochPreparation(ALL, dataset, first_epoch) as preparation:
        for epoch in range(first_epoch, 3):
            assert all(same(preparation.take(epoch), prepare_epoch(ALL, dataset, epoch)))


def test_error_while_an_epoch_is_prepared_is_that_of_the_training(dataset: Dataset) -> None:
    broken = replace(dataset, train_images=dataset.train_images[:10])
    with EpochPreparation(ALL, broken, 0) as preparation, pytest.raises(IndexError):
        preparation.take(0)
