"""From a picture file to ink: a drawing, a scan or a photo of one digit.

A drawing made on a screen has paper of one brightness, so each pixel's difference from it is
exactly the ink. On a photo the light is uneven: the paper's brightness is estimated for every
place, and what is clearly darker than the paper there is ink.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from mnist_lib.drawing.normalization import DrawingError

# What cameras, scanners and drawing programs write. Pillow reads more formats, some by starting other programs.
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "AVIF")
# The usual suffixes of their files, without the dot.
PICTURE_ENDINGS = ("png", "jpg", "jpeg", "webp", "avif", "gif", "bmp", "tif", "tiff", "pbm", "pgm", "ppm")

MAX_PICTURE_PIXELS = 20_000_000
# To decode a WebP, Pillow needs 20 bytes per pixel, several times as many as for the others.
MAX_WEBP_PIXELS = 12_000_000
# A picture of 1 x 20 million pixels takes many times the memory of one of 5,000 x 4,000.
MAX_PICTURE_SIDE_PX = 20_000

# More pixels do not improve a digit of 28 x 28 pixels and only take longer.
MAX_SIDE_PX = 1000

# Ink stands out from the paper by at least this much, as a share of full brightness.
MIN_CONTRAST = 0.1

# On a photo, ink stands out by at least this many standard deviations of the noise. On synthetic
# photos, digits stand out by 11 or more, shadows on blank paper by 7 or less.
MIN_CONTRAST_TO_NOISE = 8

# The paper's brightness changes slowly, so it is estimated on a copy of this size.
PAPER_SIDE_PX = 100

# A stroke is narrower than this share of the picture; anything wider is a shadow or a table.
MAX_STROKE_WIDTH = 1 / 3

# A connected part of the ink with less than this share of the largest part's area is a speck.
MIN_PART_AREA = 0.06

NO_INK = "It is empty: no ink stands out from the paper."
TOO_MUCH = "It takes too long or too much memory to read. Save it again as a PNG or JPEG."

# A problem with a file is reported once, as a DrawingError, and not also by Pillow on stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())


def read_picture(source: Path | BinaryIO) -> np.ndarray:
    """Read a picture of one digit, dark on light or light on dark.

    A large picture is reduced. Of an animation only the first frame is read.

    Args:
        source: A file, or its content as a binary stream.

    Returns:
        float32, (height, width), the longer side at most 1,000: 0 (paper) to 1 (darkest ink)
        in steps of 1/255, which an 8-bit grey picture stores exactly.

    Raises:
        DrawingError: The file is missing, not a picture, empty, too large, or stored in a way that
            Pillow decodes slowly.
    """
    return find_ink(read_brightness(source))


def read_brightness(source: Path | BinaryIO) -> np.ndarray:
    """Read a picture in grey, whatever it shows.

    A large picture is reduced. Of an animation only the first frame is read.

    Args:
        source: A file, or its content as a binary stream.

    Returns:
        float32, (height, width), the longer side at most 1,000: 0 (black) to 1 (white).

    Raises:
        DrawingError: The file is missing, not a picture, too large, or stored in a way that Pillow decodes slowly.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _to_brightness(_read_grey(source))
    except Image.DecompressionBombError as error:
        raise DrawingError(
            f"It has far too many pixels; at most {MAX_PICTURE_PIXELS // 1_000_000} million are read."
        ) from error
    except FileNotFoundError as error:
        raise DrawingError("There is no such file.") from error
    except MemoryError as error:
        raise DrawingError(TOO_MUCH) from error
    except DrawingError:
        raise
    except Exception as error:  # Pillow raises many types for a bad file
        raise DrawingError("It cannot be read as a picture.") from error


def _read_grey(source: Path | BinaryIO) -> Image.Image:
    """Return a picture in grey: ``L``, 0 to 255, or ``F``, any numbers, if it has more than 8 bits."""
    with Image.open(source, formats=PICTURE_FORMATS) as picture:
        _require_quick_decoding(picture)
        picture.draft("L", (MAX_SIDE_PX, MAX_SIDE_PX))  # decodes a JPEG at about the size that is needed
        ImageOps.exif_transpose(picture, in_place=True)
        if picture.mode.startswith(("I", "F")):
            return picture.convert("F")
        return _lay_on_paper(picture) if picture.has_transparency_data else picture.convert("L")


def _require_quick_decoding(picture: Image.Image) -> None:
    """Raise DrawingError for a picture, opened but not decoded, that would take long or much memory."""
    size = f"It has {picture.width:,} x {picture.height:,} pixels; at most"
    max_pixels = MAX_WEBP_PIXELS if picture.format == "WEBP" else MAX_PICTURE_PIXELS
    if picture.width * picture.height > max_pixels:
        raise DrawingError(f"{size} {max_pixels // 1_000_000} million are read.")
    if max(picture.size) > MAX_PICTURE_SIDE_PX:
        raise DrawingError(f"{size} {MAX_PICTURE_SIDE_PX:,} a side are read.")
    # Pillow decodes these in Python, pixel by pixel: plain PPM, run-length encoded BMP.
    if any(tile[0] in Image.DECODERS for tile in getattr(picture, "tile", ())):
        raise DrawingError(TOO_MUCH)


def _lay_on_paper(picture: Image.Image) -> Image.Image:
    """Return a transparent picture in grey on white, or on black where white strokes would vanish on white."""
    rgba = picture if picture.mode == "RGBA" else picture.convert("RGBA")
    rgba.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX), Image.Resampling.BOX)
    opacity = np.asarray(rgba.getchannel("A"), dtype=np.float64)
    strokes = np.asarray(rgba.convert("L"), dtype=np.float64)
    dark_strokes = (strokes * opacity).sum() <= 127 * opacity.sum()
    paper = Image.new("RGBA", rgba.size, "white" if dark_strokes else "black")
    return Image.alpha_composite(paper, rgba).convert("L")


def _to_brightness(grey: Image.Image) -> np.ndarray:
    """Return float32, (height, width), 0 to 1, the longer side at most MAX_SIDE_PX."""
    reduced = _reduce_picture(grey.convert("F"), MAX_SIDE_PX)
    if grey.mode == "L":
        return np.asarray(reduced) / 255
    # Scaled by the range in use; in 64 bits, because that may be the whole range of float32.
    values = np.asarray(reduced, dtype=np.float64)
    if not np.isfinite(values).all():
        raise ValueError("infinite brightness")
    values = values - min(values.min(), 0.0)
    return (values / max(values.max(), 1.0)).astype(np.float32)


def _reduce(values: np.ndarray, side_px: int) -> np.ndarray:
    """Return the values reduced to at most that longer side, float32, each the mean of those it replaces."""
    return np.asarray(_reduce_picture(Image.fromarray(values), side_px))


def _reduce_picture(picture: Image.Image, side_px: int) -> Image.Image:
    factor = side_px / max(picture.size)
    if factor >= 1:
        return picture
    width, height = (max(1, round(length * factor)) for length in picture.size)
    return picture.resize((width, height), Image.Resampling.BOX)


def find_ink(grey: np.ndarray) -> np.ndarray:
    """Return the ink of a picture, dark on light or light on dark.

    Args:
        grey: float32, (height, width), 0 (black) to 1 (white).

    Returns:
        float32, (height, width): 0 (paper) to 1 (darkest ink) in steps of 1/255, which an 8-bit grey
        picture stores exactly.

    Raises:
        DrawingError: There is none.
    """
    return np.round(_find_ink(grey) * 255).astype(np.float32) / np.float32(255)


def _find_ink(grey: np.ndarray) -> np.ndarray:
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = np.median(border)
    # Strokes may cross the border; only pixels nearly as bright as the paper are paper.
    differences = np.abs(border - paper)
    differences = differences[differences < 0.2]
    if len(differences) == 0 or np.mean(differences < 0.5 / 255) < 0.7:
        return _find_ink_in_uneven_light(grey)
    ink = np.abs(grey - paper)
    if ink.max() < MIN_CONTRAST:
        raise DrawingError(NO_INK)
    ink /= ink.max()
    return np.where(_near_large_parts(ink > 0.5 / 255), ink, 0)


def _find_ink_in_uneven_light(grey: np.ndarray) -> np.ndarray:
    small = _reduce(grey, PAPER_SIDE_PX)
    light_on_dark = _is_light_on_dark(small)
    if light_on_dark:
        grey, small = 1 - grey, 1 - small
    height, width = grey.shape
    paper = np.asarray(Image.fromarray(_estimate_paper(small)).resize((width, height), Image.Resampling.BILINEAR))
    ink = paper - grey
    if not light_on_dark:  # in a shadow paper and ink are darker by the same factor
        ink /= np.maximum(paper, MIN_CONTRAST)
    if ink.max() < MIN_CONTRAST:
        raise DrawingError(NO_INK)
    threshold = _otsu_threshold(np.maximum(ink, 0))
    # On noisy paper, the brightest pixels were taken for the paper's brightness: the median corrects that.
    on_paper = ink[ink < threshold]
    offset = np.median(on_paper)
    noise = 1.4826 * np.median(np.abs(on_paper - offset))  # the standard deviation, for Gaussian noise
    ink = np.maximum(ink - offset, 0)
    threshold -= offset
    # Ruled lines are fainter than the digit, but may be so many that Otsu's method takes them for ink.
    threshold = max(threshold, np.percentile(ink[ink >= threshold], 90) / 2)
    near = _near_large_parts(ink >= threshold)
    full = np.median(ink[near & (ink >= threshold)])
    if full < max(MIN_CONTRAST, MIN_CONTRAST_TO_NOISE * noise):
        raise DrawingError(NO_INK)
    # Edges stay grey, and what is left of the paper's noise becomes 0.
    faint = threshold / 2
    return np.where(near, np.clip((ink - faint) / (full - faint), 0, 1), 0)


def _is_light_on_dark(grey: np.ndarray) -> bool:
    """Tell whether the strongest differences from the surrounding median are brighter than it."""
    grey = _reduce(grey, 40)
    size = max(1, min(grey.shape) // 4) * 2 + 1
    windows = sliding_window_view(np.pad(grey, size // 2, mode="edge"), (size, size))
    paper = np.median(windows, axis=(2, 3))
    return bool(((grey - paper) ** 3).sum() > 0)


def _estimate_paper(grey: np.ndarray) -> np.ndarray:
    """Return the paper's brightness under dark strokes, float32, (height, width).

    A morphological closing fills what is dark and narrow, and leaves what is dark and wide: shadows, and the
    table beyond the paper, which extends past the border. Its second window is larger by one pixel on each
    side, so that the blurred edge of a shadow is not taken for ink.

    Source: J. Serra, "Image Analysis and Mathematical Morphology", Academic Press, 1982.
    """
    size = max(1, round(min(grey.shape) * MAX_STROKE_WIDTH))
    paper = np.pad(grey, size, mode="edge")
    for axis in (0, 1):
        paper = sliding_window_view(paper, size, axis).max(axis=-1)
    for axis in (0, 1):
        paper = sliding_window_view(paper, size + 2, axis).min(axis=-1)
    return paper


def _otsu_threshold(values: np.ndarray) -> float:
    """Return the threshold that splits values into two classes with the largest variance between them.

    Source: N. Otsu, "A threshold selection method from gray-level histograms", IEEE Transactions on Systems,
    Man, and Cybernetics 9 (1), 1979.
    """
    counts, edges = np.histogram(values, bins=256)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)[:-1]
    sum_below = np.cumsum(counts * centres)[:-1]
    above = values.size - below
    mean_below = sum_below / np.maximum(below, 1)
    mean_above = ((counts * centres).sum() - sum_below) / np.maximum(above, 1)
    return float(edges[1 + np.argmax(below * above * (mean_above - mean_below) ** 2)])


def _near_large_parts(mask: np.ndarray) -> np.ndarray:
    """Return bool, (height, width): a mask's connected parts, except specks, and their surroundings."""
    small = _reduce(mask.astype(np.float32), PAPER_SIDE_PX) > 0
    parts = Image.fromarray(small.astype(np.int32))
    number = 1  # 0 is paper, 1 is ink that belongs to no part yet
    for y, x in np.argwhere(small).tolist():
        if parts.getpixel((x, y)) == 1:
            number += 1
            ImageDraw.floodfill(parts, (x, y), number)
    areas = np.bincount(np.asarray(parts).ravel())
    areas[0] = 0
    large = (areas > 0) & (areas >= MIN_PART_AREA * areas.max())
    near = Image.fromarray(large[np.asarray(parts)]).convert("L").filter(ImageFilter.MaxFilter(3))
    height, width = mask.shape
    return np.asarray(near.resize((width, height), Image.Resampling.NEAREST)) > 0


def find_pictures(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the given files, and the pictures of a given folder, sorted by name.

    Raises:
        DrawingError: A folder holds no picture or cannot be read.
    """
    endings = {ending for ending, name in Image.registered_extensions().items() if name in PICTURE_FORMATS}
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
            raise DrawingError(f"{path}: there are no pictures in this folder.")
        yield from pictures
