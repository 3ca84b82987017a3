"""Moves, turns and resizes tens of thousands of images at once, on all cores or on a GPU."""

from __future__ import annotations

import keras
import numpy as np

# Images transformed at once: enough to keep all cores busy, few enough for little memory.
IMAGES_PER_CALL = 5_000


def transform_with_keras(images: np.ndarray, transforms: np.ndarray) -> np.ndarray:
    """Apply one transform to each image, with bilinear interpolation and paper around them.

    ``data.augmentation.transform_images`` does the same with Pillow, without Keras.

    Args:
        images: float32, (n, 28, 28), 0 to 1.
        transforms: float32, (n, 6), as ``data.augmentation.random_transforms`` returns them.

    Returns:
        float32, (n, 28, 28), 0 to 1.
    """
    # Keras expects projective transforms, which have two more numbers: zero here.
    transforms = np.pad(transforms, ((0, 0), (0, 2)))
    moved = np.empty_like(images)
    for start in range(0, len(images), IMAGES_PER_CALL):
        part = slice(start, start + IMAGES_PER_CALL)
        with_channel = images[part, ..., np.newaxis]
        moved[part, ..., np.newaxis] = keras.ops.convert_to_numpy(
            keras.ops.image.affine_transform(with_channel, transforms[part])
        )
    return moved
