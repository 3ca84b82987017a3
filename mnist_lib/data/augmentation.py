"""Changes digits slightly at random, as different hands would: one recipe for training and for the screen."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image

from mnist_lib.config import TrainingConfig
from mnist_lib.data.continental_forms import write_continental_forms
from mnist_lib.data.dataset import IMAGE_SIZE_PX

_CENTRE = (IMAGE_SIZE_PX - 1) / 2  # pixels are counted from 0


def augment(
    images: np.ndarray,
    labels: np.ndarray,
    config: TrainingConfig,
    random: np.random.Generator,
    transform: Callable[[np.ndarray, np.ndarray], np.ndarray],
) -> np.ndarray:
    """Rewrite, move, turn and resize each image at random, as far as the settings allow.

    Args:
        images: float32, (n, 28, 28, 1), 0 to 1.
        labels: integer, (n,), 0 to 9.
        config: The settings; without augmentation the images come back as they are.
        random: Random number generator. The same state gives the same images.
        transform: Applies one transform to each image: takes float32, (n, 28, 28), and (n, 6),
            and returns float32, (n, 28, 28). ``transform_images`` uses Pillow, for a few images;
            ``training.keras_transform`` uses Keras, for tens of thousands.

    Returns:
        float32, (n, 28, 28, 1), 0 to 1.
    """
    if not config.augments:
        return images
    digits = images[..., 0]
    transforms = random_transforms(config, len(digits), random)
    if config.continental_forms:
        digits, offsets = write_continental_forms(digits, labels, config.continental_forms, random)
        transforms[:, [2, 5]] += offsets  # centre each digit by its mass again
    return transform(digits, transforms)[..., np.newaxis]


def random_transforms(config: TrainingConfig, count: int, random: np.random.Generator) -> np.ndarray:
    """Draw one random affine transform per image, within the settings' ranges.

    Args:
        config: Its ``shift_px``, ``rotation_deg`` and ``zoom`` are the largest changes.
        count: How many.
        random: Random number generator.

    Returns:
        float32, (count, 6), rows a, b, c, d, e, f: the output pixel (x, y) is taken from
        the input at (a x + b y + c, d x + e y + f), pixels counted from the centre of the first.
    """
    angles = np.deg2rad(random.uniform(-config.rotation_deg, config.rotation_deg, count))
    scales = 1 + random.uniform(-config.zoom, config.zoom, count)
    shifts = random.uniform(-config.shift_px, config.shift_px, (2, count))
    cosines, sines = scales * np.cos(angles), scales * np.sin(angles)
    # Turn and resize around the image's centre, so that it stays in place.
    x = _CENTRE - cosines * _CENTRE + sines * _CENTRE + shifts[0]
    y = _CENTRE - sines * _CENTRE - cosines * _CENTRE + shifts[1]
    return np.stack([cosines, -sines, x, sines, cosines, y], axis=1).astype(np.float32)


def transform_images(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Apply one transform to each of a few images, with bilinear interpolation and paper around them.

    Args:
        images: uint8, (n, 28, 28), 0 to 255, or float32, 0 to 1.
        transforms: As ``random_transforms`` returns them, (n, 6).

    Returns:
        The same dtype as the images, (n, 28, 28).
    """
    return np.stack([_transform(image, *row) for image, row in zip(images, transforms.tolist(), strict=True)])


def _transform(image: np.ndarray, a: float, b: float, c: float, d: float, e: float, f: float) -> np.ndarray:
    # Pillow counts from the corner of the first pixel, half a pixel before its centre.
    corner = (a, b, c + 0.5 * (1 - a - b), d, e, f + 0.5 * (1 - d - e))
    # A frame of paper makes Pillow blend the edges with paper too.
    framed = Image.fromarray(np.pad(image, 1))
    a, b, c, d, e, f = corner
    size = image.shape[1], image.shape[0]
    moved = framed.transform(size, Image.Transform.AFFINE, (a, b, c + 1, d, e, f + 1), Image.Resampling.BILINEAR)
    return np.asarray(moved)
