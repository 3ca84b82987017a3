"""Digits moved, turned and resized, for the training as for the screen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.augmentation import augment, random_transforms, transform_images
from mnist_lib.data.dataset import Dataset

ALL = TrainingConfig(shift_px=3.0, rotation_deg=20.0, zoom=0.2)
FORMS_TOO = replace(ALL, continental_forms=1.0)
WHOLE_PIXELS = TrainingConfig(shift_px=3.0)


def cubic_weights(share: float) -> list[float]:
    """Return how much each of four pixels in a row counts for a point between the two in the middle.

    Source: Keys, "Cubic Convolution Interpolation for Digital Image Processing" (1981), with a = -1.
    """

    def weight(distance: float) -> float:
        if distance <= 1:
            return distance**3 - 2 * distance**2 + 1
        return -(distance**3) + 5 * distance**2 - 8 * distance + 4

    return [weight(distance) for distance in (1 + share, share, 1 - share, 2 - share)]


def sample_slowly(image: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Apply a transform pixel by pixel, blending the sixteen pixels around each point; paper is outside."""
    a, b, c, d, e, f = transform.tolist()
    framed = np.pad(image.astype(float), 30)
    output = np.zeros((28, 28))
    for y in range(28):
        for x in range(28):
            from_x, from_y = a * x + b * y + c, d * x + e * y + f
            left, top = int(np.floor(from_x)), int(np.floor(from_y))
            around = framed[top + 29 : top + 33, left + 29 : left + 33]
            output[y, x] = cubic_weights(from_y - top) @ around @ cubic_weights(from_x - left)
    return output.clip(0, 255)


@pytest.fixture(scope="module")
def transforms() -> np.ndarray:
    """Eight transforms that use all three settings."""
    return random_transforms(ALL, 8, np.random.default_rng(3))


def test_transforms_are_those_of_a_slow_reference(dataset: Dataset, transforms: np.ndarray) -> None:
    moved = transform_images(dataset.train_images[:8], transforms)
    assert moved.dtype == np.uint8
    for image, transform, result in zip(dataset.train_images[:8], transforms, moved, strict=True):
        np.testing.assert_allclose(result, sample_slowly(image, transform), atol=1.5)


@pytest.mark.parametrize("config", [WHOLE_PIXELS, ALL, FORMS_TOO], ids=["whole pixels", "all", "forms too"])
def test_images_without_their_margin_are_the_middle_of_those_with_it(config: TrainingConfig, dataset: Dataset) -> None:
    images, labels = dataset.train_images[:200], dataset.train_labels[:200]
    whole = augment(images, labels, config, np.random.default_rng(3))
    middle = augment(images, labels, config, np.random.default_rng(3), margin_px=4)
    assert (whole.shape, whole.dtype) == ((200, 28, 28), np.uint8)
    assert (middle.shape, middle.dtype) == ((200, 20, 20), np.uint8)
    assert (whole != images).any(axis=(1, 2)).mean() > 0.9
    np.testing.assert_array_equal(middle, whole[:, 4:24, 4:24])


def test_preview_shows_what_the_training_gets_for_the_same_random_numbers(dataset: Dataset) -> None:
    from mnist_lib.ui.train.augmentation_preview import SAMPLE_DIGITS, augmented_samples

    places = [int((dataset.train_labels == digit).argmax()) for digit in SAMPLE_DIGITS]
    images = dataset.train_images[places]
    trained = augment(images, dataset.train_labels[places], FORMS_TOO, np.random.default_rng(0))
    shown = augmented_samples(FORMS_TOO, dataset)[::4, ::4]  # two rows of four, each pixel four times as large
    np.testing.assert_array_equal(shown.reshape(2, 28, 4, 28).swapaxes(1, 2).reshape(8, 28, 28), trained)
    assert (np.abs(trained.astype(int) - images).max(axis=(1, 2)) > 128).all()


def test_digits_written_another_way_are_centred_again(dataset: Dataset) -> None:
    places = np.flatnonzero(dataset.train_labels == 9)[:50]
    images = dataset.train_images[places]
    config = TrainingConfig(continental_forms=1.0)
    written = augment(images, dataset.train_labels[places], config, np.random.default_rng(3))
    assert not np.allclose(written, images, atol=128)

    def centres(digits: np.ndarray) -> np.ndarray:
        masses = digits.sum(axis=(1, 2))
        return np.stack([(digits.sum(axis=axis) @ np.arange(28)) / masses for axis in (1, 2)], axis=1)

    # A tail that reaches the border loses its end; that shifts the rest by less than a pixel.
    np.testing.assert_allclose(centres(written), centres(images), atol=0.8)


def test_ranges_are_kept_and_used(transforms: np.ndarray) -> None:
    many = random_transforms(ALL, 5_000, np.random.default_rng(0))
    scales = np.hypot(many[:, 0], many[:, 3])
    angles = np.degrees(np.arctan2(many[:, 3], many[:, 0]))
    assert 0.8 <= scales.min() < 0.81
    assert 1.19 < scales.max() <= 1.2 + 1e-6
    assert -20 - 1e-4 <= angles.min() < -19.9
    assert 19.9 < angles.max() <= 20 + 1e-4
    # The picture's centre moves by the shift alone.
    centres = many[:, [2, 5]] + 13.5 * (many[:, [0, 3]] + many[:, [1, 4]]) - 13.5
    assert np.abs(centres).max() <= 3 + 1e-4
    assert np.abs(centres).max() > 2.99


@pytest.mark.parametrize("shift_px", [1.0, 3.0])
def test_shifts_are_by_each_whole_number_of_pixels_alike(shift_px: float) -> None:
    transforms = random_transforms(TrainingConfig(shift_px=shift_px), 10_000, np.random.default_rng(0))
    np.testing.assert_array_equal(transforms[:, [0, 1, 3, 4]], np.tile([1, 0, 0, 1], (10_000, 1)))
    allowed = np.arange(-shift_px, shift_px + 1)
    for offsets in transforms[:, [2, 5]].T:
        values, counts = np.unique(offsets, return_counts=True)
        np.testing.assert_array_equal(values, allowed)
        np.testing.assert_allclose(counts / 10_000, 1 / len(allowed), atol=0.02)


@pytest.mark.parametrize("settings", [{"shift_px": 1.5}, {"rotation_deg": 5.0}, {"zoom": 0.1}], ids=str)
def test_shifts_are_by_parts_of_pixels_where_images_are_interpolated_anyway(settings: dict[str, float]) -> None:
    config = replace(TrainingConfig(shift_px=2.0), **settings)
    transforms = random_transforms(config, 1_000, np.random.default_rng(0))
    centres = transforms[:, [2, 5]] + 13.5 * (transforms[:, [0, 3]] + transforms[:, [1, 4]]) - 13.5
    assert np.abs(centres).max() <= config.shift_px + 1e-4
    assert np.abs(centres).max() > config.shift_px - 0.02
    assert len(np.unique(np.round(centres, 2))) > 200


@pytest.mark.parametrize("margin_px", [0, 4])
def test_no_augmentation_leaves_images_untouched(margin_px: int, dataset: Dataset) -> None:
    images, labels = dataset.train_images[:3], dataset.train_labels[:3]
    transforms = random_transforms(TrainingConfig(), 3, np.random.default_rng(0))
    expected = images[:, margin_px : 28 - margin_px, margin_px : 28 - margin_px]
    np.testing.assert_array_equal(transform_images(images, transforms, margin_px), expected)
    same = augment(images, labels, TrainingConfig(), np.random.default_rng(0), margin_px)
    np.testing.assert_array_equal(same, expected)


@pytest.mark.parametrize(("x", "y"), [(2, -1), (4, 4), (-4, 3), (0, -9)])
def test_shift_by_whole_pixels_moves_the_pixels(x: int, y: int, dataset: Dataset) -> None:
    image = dataset.train_images[0]
    transforms = np.array([[1, 0, x, 0, 1, y], [1, 0, x + 0.5, 0, 1, y]], dtype=np.float32)
    moved, between = transform_images(np.stack([image, image]), transforms)
    # The output takes from x to the right and y below: the ink goes to the left and up.
    expected = np.pad(image, 9)[9 + y : 37 + y, 9 + x : 37 + x]
    np.testing.assert_array_equal(moved, expected)
    np.testing.assert_allclose(between, sample_slowly(image, transforms[1]), atol=1.5)  # each has its own
