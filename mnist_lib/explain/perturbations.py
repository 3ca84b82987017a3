"""Small changes to an image, which show what a network's answer depends on."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from mnist_lib.data.augmentation import transform_images

REACH_PX = 4


def alter_image(
    image: np.ndarray,
    shift_right_px: float = 0.0,
    shift_down_px: float = 0.0,
    rotation_deg: float = 0.0,
    scale: float = 1.0,
    thickness_px: float = 0.0,
    noise: float = 0.0,
    seed: int = 0,
) -> np.ndarray:
    """Thicken an image, resize, turn and move it, and then add noise.

    Args:
        image: uint8, (28, 28), 0 to 255.
        shift_right_px: Negative moves to the left.
        shift_down_px: Negative moves up.
        rotation_deg: Clockwise, around the image's centre.
        scale: Scale factor, above 0.
        thickness_px: See ``change_thickness``.
        noise: Standard deviation of the noise in a pixel; 1 is the difference between paper and ink.
        seed: Seed of the noise.

    Returns:
        uint8, (28, 28), 0 to 255.
    """
    altered = change_thickness(image, thickness_px)
    angle = np.deg2rad(rotation_deg)
    # The inverse transform: where each output pixel is taken from.
    turned_back = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
    centre = (len(image) - 1) / 2  # pixels are counted from 0
    origin = centre - turned_back @ np.array([centre + shift_right_px, centre + shift_down_px])
    transform = np.column_stack([turned_back, origin]).reshape(1, 6)
    altered = transform_images(altered[np.newaxis], transform)[0]
    noisy = altered + np.random.default_rng(seed).normal(0.0, 255 * noise, altered.shape)
    return noisy.clip(0, 255).round().astype(np.uint8)


def change_thickness(image: np.ndarray, thickness_px: float) -> np.ndarray:
    """Make the strokes thicker, or thinner if the number is negative.

    For each whole pixel, the maximum or minimum of each pixel and its eight neighbours
    is taken; a fraction blends the images of the two nearest whole numbers.

    Args:
        image: uint8, (28, 28), 0 to 255.
        thickness_px: Pixels added on each side of a stroke.

    Returns:
        uint8, (28, 28), 0 to 255.

    Source: greyscale dilation and erosion.
    """
    whole_px, fraction = divmod(abs(thickness_px), 1)
    step = ImageFilter.MaxFilter(3) if thickness_px > 0 else ImageFilter.MinFilter(3)
    picture = Image.fromarray(image)
    for _ in range(int(whole_px)):
        picture = picture.filter(step)
    return np.asarray(Image.blend(picture, picture.filter(step), fraction))


def shifted_images(image: np.ndarray, reach_px: int = REACH_PX) -> np.ndarray:
    """Return the image moved by every whole number of pixels within reach.

    Args:
        image: uint8, (28, 28), 0 to 255.
        reach_px: The largest shift in each direction.

    Returns:
        uint8, ((2 reach_px + 1)², 28, 28): row by row from the top, each from left to right.
    """
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(image, reach_px), image.shape)
    # In the first window, which begins above and left of the image, it is furthest down and to the right.
    return windows[::-1, ::-1].reshape(-1, *image.shape)
