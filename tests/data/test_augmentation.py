"""Digits moved, turned and resized: by Pillow for the screen, by Keras for the training."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mnist_lib.config import TrainingConfig
from mnist_lib.data.augmentation import augment, random_transforms, transform_images
from mnist_lib.data.dataset import Dataset, scale_pixels

ALL = TrainingConfig(shift_px=3.0, rotation_deg=20.0, zoom=0.2)


def sample_slowly(image: np.ndarray, transform: np.ndarray) -> np.ndarray:
    """Apply a transform pixel by pixel, blending the four pixels around each point; paper is outside."""
    a, b, c, d, e, f = transform.tolist()
    framed = np.pad(image.astype(float), 30)
    output = np.zeros((28, 28))
    for y in range(28):
        for x in range(28):
            from_x, from_y = a * x + b * y + c, d * x + e * y + f
            left, top = int(np.floor(from_x)), int(np.floor(from_y))
            right, below = from_x - left, from_y - top
            corners = framed[top + 30 : top + 32, left + 30 : left + 32]
            weights = np.outer([1 - below, below], [1 - right, right])
            output[y, x] = (corners * weights).sum()
    return output


@pytest.fixture(scope="module")
def transforms() -> np.ndarray:
    """Eight transforms that use all three settings."""
    return random_transforms(ALL, 8, np.random.default_rng(3))


def test_transforms_for_the_screen_are_those_of_a_slow_reference(dataset: Dataset, transforms: np.ndarray) -> None:
    moved = transform_images(dataset.train_images[:8], transforms)
    assert moved.dtype == np.uint8
    for image, transform, result in zip(dataset.train_images[:8], transforms, moved, strict=True):
        np.testing.assert_allclose(result, sample_slowly(image, transform), atol=1.5)


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_training_transforms_as_the_screen_shows(dataset: Dataset) -> None:
    from mnist_lib.training.keras_transform import transform_with_keras

    images = dataset.train_images[:8]
    trained = augment(
        scale_pixels(images), dataset.train_labels[:8], ALL, np.random.default_rng(3), transform_with_keras
    )
    shown = transform_images(images, random_transforms(ALL, 8, np.random.default_rng(3)))
    assert trained.shape == (8, 28, 28, 1)
    assert trained.dtype == np.float32
    np.testing.assert_allclose(trained[..., 0] * 255, shown, atol=1.5)


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_preview_shows_what_the_training_gets_for_the_same_random_numbers(dataset: Dataset) -> None:
    from mnist_lib.training.keras_transform import transform_with_keras
    from mnist_lib.ui.train.augmentation_preview import SAMPLE_DIGITS, augmented_samples

    places = [int((dataset.train_labels == digit).argmax()) for digit in SAMPLE_DIGITS]
    images, labels = scale_pixels(dataset.train_images[places]), dataset.train_labels[places]
    config = replace(ALL, continental_forms=1.0)
    trained = augment(images, labels, config, np.random.default_rng(0), transform_with_keras)
    shown = augmented_samples(config)[::4, ::4]  # two rows of four, each pixel four times as large
    shown = shown.reshape(2, 28, 4, 28).swapaxes(1, 2).reshape(8, 28, 28)
    np.testing.assert_allclose(trained[..., 0] * 255, shown, atol=1.0)
    assert (np.abs(trained - images).max(axis=(1, 2, 3)) > 0.5).all()


@pytest.mark.usefixtures("keras_loaded")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_digits_written_another_way_are_centred_again(dataset: Dataset) -> None:
    from mnist_lib.training.keras_transform import transform_with_keras

    places = np.flatnonzero(dataset.train_labels == 9)[:50]
    images, labels = scale_pixels(dataset.train_images[places]), dataset.train_labels[places]
    config = TrainingConfig(continental_forms=1.0)
    written = augment(images, labels, config, np.random.default_rng(3), transform_with_keras)
    assert not np.allclose(written, images, atol=0.5)

    def centres(digits: np.ndarray) -> np.ndarray:
        masses = digits.sum(axis=(1, 2))
        return np.stack([(digits.sum(axis=axis) @ np.arange(28)) / masses for axis in (1, 2)], axis=1)

    # A tail that reaches the border loses its end; that shifts the rest by less than a pixel.
    np.testing.assert_allclose(centres(written[..., 0]), centres(images[..., 0]), atol=0.8)


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


def test_no_augmentation_leaves_images_untouched(dataset: Dataset) -> None:
    transforms = random_transforms(TrainingConfig(), 3, np.random.default_rng(0))
    np.testing.assert_array_equal(transform_images(dataset.train_images[:3], transforms), dataset.train_images[:3])


def test_shift_by_whole_pixels_moves_the_pixels() -> None:
    image = np.zeros((1, 28, 28), dtype=np.uint8)
    image[0, 10, 12] = 200
    # The output takes from two to the right and one above: the ink goes to the left and down.
    moved = transform_images(image, np.array([[1, 0, 2, 0, 1, -1]], dtype=np.float32))
    assert np.argwhere(moved[0]).tolist() == [[11, 10]]
    assert moved[0, 11, 10] == 200
