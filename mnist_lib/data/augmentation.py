"""Moves, turns and resizes digits at random, a little, as different hands would."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mnist_lib.config import TrainingConfig

_CENTRE = 13.5  # of 28 pixels, counted from 0


def random_transforms(config: TrainingConfig, count: int, random: np.random.Generator) -> np.ndarray:
    """Draw one affine transform an image, within the settings' ranges.

    Args:
        config: Its ``shift_px``, ``rotation_deg`` and ``zoom`` are the largest changes.
        count: How many.
        random: Where the random numbers come from.

    Returns:
        float32, (count, 6), rows a, b, c, d, e, f: the output pixel (x, y) is taken from
        the input at (a x + b y + c, d x + e y + f), pixels counted from the centre of the first.
    """
    angles = np.deg2rad(random.uniform(-config.rotation_deg, config.rotation_deg, count))
    scales = 1 + random.uniform(-config.zoom, config.zoom, count)
    shifts = random.uniform(-config.shift_px, config.shift_px, (2, count))
    cosines, sines = scales * np.cos(angles), scales * np.sin(angles)
    # Around the picture's centre, which would otherwise wander off.
    x = _CENTRE - cosines * _CENTRE + sines * _CENTRE + shifts[0]
    y = _CENTRE - sines * _CENTRE - cosines * _CENTRE + shifts[1]
    return np.stack([cosines, -sines, x, sines, cosines, y], axis=1).astype(np.float32)


def transform_images(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Apply a transform to each of a few images, for a screen.

    Training does the same to tens of thousands through Keras.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
        transforms: As ``random_transforms`` returns them, (n, 6).

    Returns:
        uint8, (n, 28, 28).
    """
    return np.stack([_transform(image, *row) for image, row in zip(images, transforms.tolist(), strict=True)])


def _transform(image: np.ndarray, a: float, b: float, c: float, d: float, e: float, f: float) -> np.ndarray:
    # Pillow counts from the corner of the first pixel, half a pixel before its centre.
    corner = (a, b, c + 0.5 * (1 - a - b), d, e, f + 0.5 * (1 - d - e))
    # A frame of paper around it, so that Pillow blends the edge with paper too.
    framed = Image.fromarray(np.pad(image, 1))
    a, b, c, d, e, f = corner
    moved = framed.transform((28, 28), Image.Transform.AFFINE, (a, b, c + 1, d, e, f + 1), Image.Resampling.BILINEAR)
    return np.asarray(moved)
