"""From a canvas or a picture to 28 x 28 pixels, made as MNIST's own images were.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits":
the black and white digits were scaled into 20 x 20 pixels with their proportions
kept, grey from antialiasing, and placed in 28 x 28 by their centre of mass.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

IMAGE_SIZE_PX = 28
DIGIT_SIZE_PX = 20
CENTRE_OF_MASS_PX = 14.5
MAX_PICTURE_PIXELS = 20_000_000

# What is wrong with a file is said once, as a DrawingError, and not also by Pillow on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

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
    """Crop to the ink, scale into 20 x 20, place by the centre of mass in 28 x 28.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink), any size.

    Raises:
        DrawingError: There is no ink.
    """
    rows, columns = np.nonzero(ink > INK_THRESHOLD)
    if len(rows) == 0:
        raise DrawingError("There is no ink in it.")
    cropped = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1].astype(np.float32)
    scaled = _scale_to_fit(cropped, DIGIT_SIZE_PX)
    return NormalizedDrawing(cropped, scaled, _place_by_centre_of_mass(scaled))


def _scale_to_fit(cropped: np.ndarray, size_px: int) -> np.ndarray:
    height, width = cropped.shape
    factor = size_px / max(height, width)
    target = max(1, round(width * factor)), max(1, round(height * factor))
    # Pillow widens its filter when it shrinks, which is what antialiases.
    scaled = Image.fromarray(cropped).resize(target, Image.Resampling.BICUBIC)
    return np.clip(np.asarray(scaled), 0, 1)


def _place_by_centre_of_mass(scaled: np.ndarray) -> np.ndarray:
    height, width = scaled.shape
    mass = scaled.sum()
    # MNIST's own centres of mass all lie within pixel 14: from 14.0 to 15.0 when pixel i
    # covers i to i + 1, with a mean of 14.5 over the 60,000 training images. That is half
    # a pixel beyond the middle of the field.
    centre_y = ((np.arange(height) + 0.5) * scaled.sum(axis=1)).sum() / mass
    centre_x = ((np.arange(width) + 0.5) * scaled.sum(axis=0)).sum() / mass
    # An uneven digit stays whole rather than perfectly centred.
    top = int(np.clip(round(CENTRE_OF_MASS_PX - centre_y), 0, IMAGE_SIZE_PX - height))
    left = int(np.clip(round(CENTRE_OF_MASS_PX - centre_x), 0, IMAGE_SIZE_PX - width))
    image = np.zeros((IMAGE_SIZE_PX, IMAGE_SIZE_PX), dtype=np.uint8)
    image[top : top + height, left : left + width] = np.round(scaled * 255).astype(np.uint8)
    return image


def read_picture(path: Path) -> np.ndarray:
    """Read a picture file, dark on light or light on dark.

    Returns:
        float32, (height, width), 0 (paper) to 1 (darkest ink).

    Raises:
        DrawingError: The file is missing, no picture, empty, or over 20 megapixels.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path) as picture:
                if picture.width * picture.height > MAX_PICTURE_PIXELS:
                    raise DrawingError(
                        f"It has {picture.width:,} x {picture.height:,} pixels; "
                        f"at most {MAX_PICTURE_PIXELS // 1_000_000} million are read."
                    )
                grey = _to_grey(ImageOps.exif_transpose(picture))
    except Image.DecompressionBombError as error:
        raise DrawingError(
            f"It has far too many pixels; at most {MAX_PICTURE_PIXELS // 1_000_000} million are read."
        ) from error
    except FileNotFoundError as error:
        raise DrawingError("There is no such file.") from error
    except DrawingError:
        raise
    except Exception as error:  # Pillow raises many types for a bad file
        raise DrawingError("It cannot be read as a picture.") from error
    return _find_ink(grey)


def _to_grey(picture: Image.Image) -> np.ndarray:
    """Return brightness as float32, (height, width), 0 to 1."""
    if picture.mode.startswith(("I", "F")):  # 16 bits and more: by the range in use
        values = np.asarray(picture, dtype=np.float32)
        return values / max(float(values.max()), 1.0)
    rgba = picture.convert("RGBA")
    # A transparent picture lies on white, but white strokes would vanish there.
    opacity = np.asarray(rgba.getchannel("A"), dtype=np.float64)
    strokes = np.asarray(rgba.convert("L"), dtype=np.float64)
    dark_strokes = (strokes * opacity).sum() <= 127 * opacity.sum()
    paper = Image.new("RGBA", rgba.size, "white" if dark_strokes else "black")
    return np.asarray(Image.alpha_composite(paper, rgba).convert("L"), dtype=np.float32) / 255


def _find_ink(grey: np.ndarray) -> np.ndarray:
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = np.abs(grey - np.median(border))
    if ink.max() < INK_THRESHOLD:
        raise DrawingError("It is empty: no ink stands out from the paper.")
    return ink / ink.max()


def find_pictures(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the given files, and for a folder its pictures by name.

    Raises:
        DrawingError: A folder holds no picture or cannot be read.
    """
    endings = Image.registered_extensions()
    for path in paths:
        if not os.path.isdir(path):  # Path.is_dir raises for a name that is too long
            yield path
            continue
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise DrawingError(f"{path}: {error.strerror}.") from error
        pictures = [path / name for name in names if Path(name).suffix.lower() in endings]
        if not pictures:
            raise DrawingError(f"{path}: there is no picture in this folder.")
        yield from pictures
