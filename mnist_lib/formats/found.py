"""What a format gives: images of 28 x 28 pixels, their labels, and what was noticed while they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX, MAX_IMAGES, DatasetError, Fitting
from mnist_lib.drawing.normalization import DrawingError, normalize_drawing, shrink_whole
from mnist_lib.drawing.picture_files import find_ink
from mnist_lib.formats.source import MAX_UNPACKED_BYTES, TOO_LARGE

# Called now and then while images are read, with the share that is done, 0 to 1.
OnPart = Callable[[float], object]

# A part of a large array is read, made grey and fitted before the next one is read.
PART_BYTES = 16_000_000


@dataclass
class Part:
    """Training or test images, as they were found.

    Attributes:
        images: uint8, (n, 28, 28), 0 to 255, dark on light or light on dark.
        labels: int64, (n,), numbers as they were found, or positions in the class names of ``Found``.
        by_ink: bool, (n,): which of them were cropped to their ink, and so are light on dark.
    """

    images: np.ndarray
    labels: np.ndarray
    by_ink: np.ndarray


@dataclass
class Found:
    """A data set, as it was found.

    Attributes:
        format: What it was, in a few words.
        training: The training images.
        test: The test images, or None if they are to be split off.
        class_names: Those that the format itself has, or None.
        sizes: How many images there are of each width and height.
        unreadable: The files that were left out, each with the reason.
        fitting: How images of other sizes were brought to 28 x 28.
    """

    format: str
    training: Part
    test: Part | None
    sizes: Counter[tuple[int, int]]
    fitting: Fitting
    class_names: tuple[str, ...] | None = None
    unreadable: list[str] = field(default_factory=list)


def require_size(count: int, image_bytes: int = IMAGE_SIZE_PX**2) -> None:
    """Raise DatasetError if there are no images, too many, or too large ones: before memory is taken for them.

    Args:
        count: How many images a file says that it has.
        image_bytes: Of one of them.
    """
    if count < 1:
        raise DatasetError("There are no images in it.")
    if count > MAX_IMAGES:
        raise DatasetError(f"There are {count:,} images in it; at most {MAX_IMAGES:,} are read.")
    if count * image_bytes > MAX_UNPACKED_BYTES:
        raise DatasetError(TOO_LARGE)


def fit_picture(grey: np.ndarray, fitting: Fitting) -> tuple[np.ndarray, bool]:
    """Bring a picture to 28 x 28 pixels; one of that size stays as it is.

    Args:
        grey: uint8, (height, width), 0 to 255.
        fitting: How.

    Returns:
        uint8, (28, 28), and whether it was cropped to its ink.

    Raises:
        DrawingError: It was to be cropped to its ink and has none.
    """
    if grey.shape == (IMAGE_SIZE_PX, IMAGE_SIZE_PX):
        return grey, False
    values = grey.astype(np.float32) / np.float32(255)
    if fitting == "whole":
        return shrink_whole(values), False
    return normalize_drawing(find_ink(values)).image, True


def fit_images(grey: np.ndarray, fitting: Fitting) -> np.ndarray:
    """Bring images of one size to 28 x 28 pixels; an image without ink becomes empty.

    Args:
        grey: uint8, (n, height, width), 0 to 255.
        fitting: How.

    Returns:
        uint8, (n, 28, 28).
    """
    if grey.shape[1:] == (IMAGE_SIZE_PX, IMAGE_SIZE_PX):
        return grey
    fitted = np.zeros((len(grey), IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
    for place, image in enumerate(grey):
        try:
            fitted[place] = fit_picture(image, fitting)[0]
        except DrawingError:
            continue
    return fitted


def is_cropped(size: tuple[int, int], fitting: Fitting) -> bool:
    """Tell whether images of a size are cropped to their ink."""
    return fitting == "centred" and size != (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
