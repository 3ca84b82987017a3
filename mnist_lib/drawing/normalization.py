"""From a canvas or a picture to 28 x 28 pixels, in the same way as MNIST's images were made.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits":
the black and white digits were scaled into 20 x 20 pixels with their proportions
kept, grey from antialiasing, and placed in 28 x 28 by their centre of mass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnist_lib.data.dataset import IMAGE_SIZE_PX, Fitting

DIGIT_SIZE_PX = 20
CENTRE_OF_MASS_PX = 14.5

# Fainter than this is paper: the outermost antialiasing, or a picture's noise.
INK_THRESHOLD = 0.1


class DrawingError(Exception):
    """A picture cannot be read as a digit. The message is one line."""


@dataclass(frozen=True)
class NormalizedDrawing:
    """A drawing on its way to the network, stage by stage.

    Attributes:
        cropped: float32, (height, width), 0 to 1: the ink's bounding box.
        scaled: float32, (h, w) with the longer side 20, 0 to 1.
        image: uint8, (28, 28), 0 to 255: what the network sees.
    """

    cropped: np.ndarray
    scaled: np.ndarray
    image: np.ndarray


def canvas_to_ink(rgba: np.ndarray) -> np.ndarray:
    """Return the ink of a canvas that is drawn in white on black.

    Args:
        rgba: uint8, (height, width, 4).

    Returns:
        float32, (height, width), 0 (paper) to 1 (ink).
    """
    return rgba[..., :3].mean(axis=-1, dtype=np.float32) / np.float32(255)


def normalize_drawing(ink: np.ndarray) -> NormalizedDrawing:
    """Crop to the ink, scale to fit 20 x 20, and place by the centre of mass in 28 x 28.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink), any size.

    Raises:
        DrawingError: There is no ink.
    """
    inked = ink > INK_THRESHOLD
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    if len(rows) == 0:
        raise DrawingError("There is no ink in it.")
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scaled = _scale_to_fit(cropped, DIGIT_SIZE_PX)
    return NormalizedDrawing(cropped, scaled, _place_by_centre_of_mass(scaled))


def fit_drawing(ink: np.ndarray, fitting: Fitting) -> np.ndarray:
    """Bring a drawing or a picture to 28 x 28 pixels as a data set asks for it.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink), any size.
        fitting: ``centred``, as ``normalize_drawing`` does it, or ``whole``: all of it, made smaller.

    Returns:
        uint8, (28, 28), 0 to 255.

    Raises:
        DrawingError: There is no ink.
    """
    if fitting == "centred":
        return normalize_drawing(ink).image
    if not (ink > INK_THRESHOLD).any():
        raise DrawingError("There is no ink in it.")
    return shrink_whole(ink)


def shrink_whole(picture: np.ndarray) -> np.ndarray:
    """Scale a picture whole to fit 28 x 28, with its proportions, in the middle of what its border shows most.

    Args:
        picture: float32, (height, width), 0 to 1, any size.

    Returns:
        uint8, (28, 28), 0 to 255.
    """
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    scaled = _scale_to_fit(picture.astype(np.float32), IMAGE_SIZE_PX)
    return _place_in_the_middle(scaled, round(float(np.median(border)) * 255))


def _scale_to_fit(cropped: np.ndarray, size_px: int) -> np.ndarray:
    height, width = cropped.shape
    factor = size_px / max(height, width)
    target = max(1, round(width * factor)), max(1, round(height * factor))
    # Pillow widens its filter when it shrinks an image, which antialiases it.
    scaled = Image.fromarray(cropped).resize(target, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(scaled), 0, 1)


def _place_by_centre_of_mass(scaled: np.ndarray) -> np.ndarray:
    mass = scaled.sum()
    # MNIST's own centres of mass all lie within pixel 14: from 14.0 to 15.0 when pixel i
    # covers i to i + 1, with a mean of 14.5 over the 60,000 training images. That is half
    # a pixel beyond the middle of the field.
    rows, columns = (np.arange(size) + 0.5 for size in scaled.shape)
    centre_y = (rows * scaled.sum(axis=1)).sum() / mass
    centre_x = (columns * scaled.sum(axis=0)).sum() / mass
    return _place(scaled, round(CENTRE_OF_MASS_PX - centre_y), round(CENTRE_OF_MASS_PX - centre_x))


def _place_in_the_middle(scaled: np.ndarray, around: int = 0) -> np.ndarray:
    height, width = scaled.shape
    return _place(scaled, (IMAGE_SIZE_PX - height) // 2, (IMAGE_SIZE_PX - width) // 2, around)


def _place(scaled: np.ndarray, top: int, left: int, around: int = 0) -> np.ndarray:
    """Return uint8, (28, 28), with the ink at a place, or as near to it as keeps the whole digit inside."""
    height, width = scaled.shape
    top = int(np.clip(top, 0, IMAGE_SIZE_PX - height))
    left = int(np.clip(left, 0, IMAGE_SIZE_PX - width))
    image = np.full((IMAGE_SIZE_PX, IMAGE_SIZE_PX), around, dtype=np.uint8)
    image[top : top + height, left : left + width] = np.round(scaled * 255).astype(np.uint8)
    return image


def make_stage_images(ink: np.ndarray, drawing: NormalizedDrawing) -> np.ndarray:
    """Return what the network would see if normalization stopped after each of its steps.

    The whole drawing; the cropped ink, as large as fits; the ink scaled to fit 20 x 20,
    in the middle; and placed by its centre of mass. The first is what a network gets
    from an application that only shrinks the canvas.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        drawing: The same, as ``normalize_drawing`` returns it.

    Returns:
        uint8, (4, 28, 28), 0 to 255.
    """
    return np.stack(
        [
            _place_in_the_middle(_scale_to_fit(ink.astype(np.float32), IMAGE_SIZE_PX)),
            _place_in_the_middle(_scale_to_fit(drawing.cropped, IMAGE_SIZE_PX)),
            _place_in_the_middle(drawing.scaled),
            drawing.image,
        ]
    )
