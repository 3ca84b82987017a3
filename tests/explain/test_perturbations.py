"""Changed images, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset
from mnist_lib.explain.perturbations import alter_image, change_thickness, shifted_images


def test_nothing_changed_leaves_the_image_as_it_is(dataset: Dataset) -> None:
    for image in dataset.test_images[:5]:
        altered = alter_image(image)
        assert altered.dtype == np.uint8
        np.testing.assert_array_equal(altered, image)


def test_shifts_go_where_they_say() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[10, 12] = 200
    moved = alter_image(image, shift_right_px=3, shift_down_px=-2)
    assert np.argwhere(moved).tolist() == [[8, 15]]
    assert moved[8, 15] == 200
    half = alter_image(image, shift_right_px=0.5)
    # Between two pixels, bicubic interpolation takes 5/8 of each, and -1/8 of those beyond, where there is no paper.
    assert half[10, 11:15].tolist() == [0, 125, 125, 0]


def test_shift_of_a_turned_image_is_along_the_screen(dataset: Dataset) -> None:
    image = dataset.test_images[0]
    turned = alter_image(image, rotation_deg=30, scale=0.9)
    np.testing.assert_array_equal(alter_image(image, 3, 0, 30, 0.9)[:, 3:], turned[:, :-3])


def test_quarter_turn_is_clockwise(dataset: Dataset) -> None:
    image = dataset.test_images[0]
    np.testing.assert_allclose(alter_image(image, rotation_deg=90).astype(int), np.rot90(image, -1), atol=1)


def test_scale_resizes_around_the_centre() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[10:18, 10:18] = 200
    larger = alter_image(image, scale=2)
    assert (larger[6:22, 6:22] > 100).all()
    assert (larger[9:19, 9:19] == 200).all()
    # Bicubic interpolation leaves a trace beside a corner.
    assert larger[:5].max() <= 3
    assert larger[:, -5:].max() <= 3
    smaller = alter_image(image, scale=0.5)
    assert np.argwhere(smaller > 100).tolist() == [[row, column] for row in range(12, 16) for column in range(12, 16)]


def test_thicker_and_thinner_by_whole_pixels_and_by_parts() -> None:
    dot = np.zeros((28, 28), np.uint8)
    dot[10, 12] = 200
    block = np.zeros((28, 28), np.uint8)
    block[9:12, 11:14] = 200
    np.testing.assert_array_equal(change_thickness(dot, 1), block)
    np.testing.assert_array_equal(change_thickness(block, -1), dot)
    np.testing.assert_array_equal(change_thickness(block, 0), block)
    half = change_thickness(dot, 0.5)
    assert half[10, 11:14].tolist() == [100, 200, 100]
    assert change_thickness(block, -0.25)[10, 10:15].tolist() == [0, 150, 200, 150, 0]
    thick = change_thickness(dot, 1.5)
    assert thick[10, 9:16].tolist() == [0, 100, 200, 200, 200, 100, 0]


def test_thicker_digits_have_more_ink_and_thinner_ones_less(dataset: Dataset) -> None:
    image = dataset.test_images[0]
    ink = [int(change_thickness(image, thickness_px).sum()) for thickness_px in (-1, -0.5, 0, 0.5, 1, 1.5, 2)]
    assert ink == sorted(set(ink))


def test_noise_is_as_strong_as_asked_for_and_the_same_every_time() -> None:
    grey = np.full((28, 28), 128, np.uint8)
    noisy = alter_image(grey, noise=0.1)
    assert np.std(noisy[2:-2, 2:-2].astype(float)) == pytest.approx(25.5, rel=0.1)
    np.testing.assert_array_equal(noisy, alter_image(grey, noise=0.1))
    assert (noisy != alter_image(grey, noise=0.1, seed=1)).any()
    # More of it is the same noise, stronger.
    weaker = alter_image(grey, noise=0.05).astype(int) - 128
    np.testing.assert_allclose(noisy.astype(int) - 128, 2 * weaker, atol=2)


def test_shifted_images_are_in_the_order_of_the_map(dataset: Dataset) -> None:
    image = dataset.test_images[3]
    images = shifted_images(image)
    assert images.shape == (81, 28, 28)
    number = 0
    for down_px in range(-4, 5):
        for right_px in range(-4, 5):
            np.testing.assert_array_equal(images[number], alter_image(image, right_px, down_px))
            number += 1
    np.testing.assert_array_equal(shifted_images(image, 0), image[np.newaxis])
