"""Changes digits slightly at random, as different hands would: one recipe for training and for the screen."""

from __future__ import annotations

import numpy as np
from PIL import Image

from mnist_lib.config import TrainingConfig
from mnist_lib.data.continental_forms import write_continental_forms
from mnist_lib.data.dataset import IMAGE_SIZE_PX

_CENTRE = (IMAGE_SIZE_PX - 1) / 2  # pixels are counted from 0

# As far as a setting shifts, and more than bicubic interpolation needs: it blends four pixels in each direction.
_FRAME_PX = 4

# A transform that leaves every image as it is.
_UNCHANGED = np.array([1, 0, 0, 0, 1, 0], dtype=np.float32)


def augment(
    images: np.ndarray,
    labels: np.ndarray,
    config: TrainingConfig,
    random: np.random.Generator,
    margin_px: int = 0,
) -> np.ndarray:
    """Rewrite, move, turn and resize each image at random, as far as the settings allow.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
        labels: integer, (n,), 0 to 9.
        config: The settings; without augmentation the images come back as they are.
        random: Random number generator. The same state gives the same images.
        margin_px: How much to leave out on each side of the result.

    Returns:
        uint8, (n, 28 - 2 margin_px, 28 - 2 margin_px), 0 to 255.
    """
    if not config.augments:
        return images[:, margin_px : IMAGE_SIZE_PX - margin_px, margin_px : IMAGE_SIZE_PX - margin_px]
    transforms = random_transforms(config, len(images), random)
    if config.continental_forms:
        images, offsets = write_continental_forms(images, labels, config.continental_forms, random)
        transforms[:, [2, 5]] += offsets  # centre each digit by its mass again
    return transform_images(images, transforms, margin_px)


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
    shifts = _random_shifts(config, count, random)
    cosines, sines = scales * np.cos(angles), scales * np.sin(angles)
    # Turn and resize around the image's centre, so that it stays in place.
    x = _CENTRE - cosines * _CENTRE + sines * _CENTRE + shifts[0]
    y = _CENTRE - sines * _CENTRE - cosines * _CENTRE + shifts[1]
    return np.stack([cosines, -sines, x, sines, cosines, y], axis=1).astype(np.float32)


def _random_shifts(config: TrainingConfig, count: int, random: np.random.Generator) -> np.ndarray:
    """Return how far to move each image, x and y in pixels, (2, count)."""
    shift_px = config.shift_px
    # Whole pixels keep a digit as sharp as the test images are. Turning and resizing interpolate anyway.
    if shift_px == int(shift_px) and not (config.rotation_deg or config.zoom):
        return random.integers(-int(shift_px), int(shift_px), (2, count), endpoint=True)
    return random.uniform(-shift_px, shift_px, (2, count))


def transform_images(images: np.ndarray, transforms: np.ndarray, margin_px: int = 0) -> np.ndarray:
    """Apply one transform to each image, with bicubic interpolation and paper around them.

    Bilinear interpolation would blur the strokes, and the test images are not blurred.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.
        transforms: As ``random_transforms`` returns them, (n, 6).
        margin_px: How much to leave out on each side of the result.

    Returns:
        uint8, (n, 28 - 2 margin_px, 28 - 2 margin_px).
    """
    # With a frame of paper, the pixels around an edge are paper as well.
    framed = np.pad(images, ((0, 0), (_FRAME_PX, _FRAME_PX), (_FRAME_PX, _FRAME_PX)))
    size_px = IMAGE_SIZE_PX - 2 * margin_px
    moved = np.empty((len(images), size_px, size_px), np.uint8)
    changes = transforms - _UNCHANGED
    offsets = changes[:, [2, 5]]
    is_shift = ~changes[:, [0, 1, 3, 4]].any(axis=1)
    is_shift &= ((offsets == np.round(offsets)) & (np.abs(offsets) <= _FRAME_PX)).all(axis=1)
    for x, y in np.unique(offsets[is_shift], axis=0).astype(int):
        top, left = _FRAME_PX + margin_px + y, _FRAME_PX + margin_px + x
        places = np.flatnonzero(is_shift & (offsets == (x, y)).all(axis=1))
        moved[places] = framed[places, top : top + size_px, left : left + size_px]
    (places,) = np.nonzero(~is_shift)
    for place, transform in zip(places.tolist(), _in_pillow(transforms[places], margin_px).tolist(), strict=True):
        picture = Image.fromarray(framed[place])
        turned = picture.transform((size_px, size_px), Image.Transform.AFFINE, transform, Image.Resampling.BICUBIC)
        moved[place] = np.frombuffer(turned.tobytes(), np.uint8).reshape(size_px, size_px)
    return moved


def _in_pillow(transforms: np.ndarray, margin_px: int) -> np.ndarray:
    """Return transforms as Pillow applies them to framed images, for a result that begins ``margin_px`` further in."""
    # Pillow counts from the corner of the first pixel, half a pixel before its centre.
    matrices = transforms.astype(float).reshape(-1, 2, 3)
    matrices[..., 2] += _FRAME_PX + 0.5 + (margin_px - 0.5) * matrices[..., :2].sum(axis=2)
    return matrices.reshape(-1, 6)
