"""NumPy archives: with the arrays of Keras's ``mnist.npz``, or with those of MedMNIST, and of the data sets here.

Sources: https://keras.io/api/datasets/mnist/ and https://github.com/MedMNIST/MedMNIST.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.lib import format as npy

from mnist_lib.data.dataset import IMAGE_SIZE_PX, DatasetError, Fitting
from mnist_lib.formats.found import PART_BYTES, Found, OnPart, Part, fit_images, is_cropped, require_size
from mnist_lib.formats.source import MAX_UNPACKED_BYTES, file_name
from mnist_lib.storage.zip_reading import CheckedZip, EntryError, ZipError, ZipLimits, open_zip

# Of each layout: the arrays to train with and to test with, each images and labels.
_LAYOUTS = (
    ([("x_train", "y_train")], [("x_test", "y_test")]),
    ([("train_images", "train_labels"), ("val_images", "val_labels")], [("test_images", "test_labels")]),
)

MAX_ARRAYS = 100
MAX_SIDE_PX = 1_000

# Shares of red, green and blue in brightness, as Pillow and ITU-R BT.601 have them.
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)


class _Header(NamedTuple):
    """What stands before the values of an array."""

    shape: tuple[int, ...]
    dtype: np.dtype


def read_npz(path: Path, fitting: Fitting, on_part: OnPart) -> Found:
    """Read a NumPy archive. Nothing in it is executed: arrays of Python objects are refused.

    Args:
        path: The file.
        fitting: How images of other sizes are brought to 28 x 28.
        on_part: Called with the share that is done.

    Raises:
        DatasetError: It has not the arrays of one of the two layouts, or they are wrong.
    """
    limits = ZipLimits("arrays", MAX_ARRAYS, MAX_UNPACKED_BYTES)
    try:
        with path.open("rb") as file, open_zip(file, limits, _size_limit) as archive:
            return _read_layout(archive, fitting, on_part)
    except ZipError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{file_name(path.name)} cannot be read: {error.strerror or error}.") from error


def _size_limit(name: str) -> int:
    if not name.endswith(".npy"):
        raise EntryError("is not an array")
    return MAX_UNPACKED_BYTES


def _read_layout(archive: CheckedZip, fitting: Fitting, on_part: OnPart) -> Found:
    arrays = {name.removesuffix(".npy") for name in archive.sizes}
    layout = next((layout for layout in _LAYOUTS if set(layout[0][0]) <= arrays), None)
    if layout is None:
        raise DatasetError("The archive must have the arrays x_train and y_train, or train_images and train_labels.")
    parts: list[list[Part]] = [[], []]
    sizes: Counter[tuple[int, int]] = Counter()
    pairs = [(part, pair) for part, pairs in zip(parts, layout, strict=True) for pair in pairs if set(pair) & arrays]
    for number, (part, (images_name, labels_name)) in enumerate(pairs):
        if missing := {images_name, labels_name} - arrays:
            raise DatasetError(f"The archive has no array {missing.pop()}.")

        def on_share(share: float, done: int = number) -> None:
            on_part((done + share) / len(pairs))

        images, size = _read_images(archive, images_name, fitting, on_share)
        labels = _read_labels(archive, labels_name, len(images))
        sizes[size] += len(images)
        part.append(Part(images, labels, np.full(len(images), is_cropped(size, fitting))))
    training, test = map(_join, parts)
    assert training is not None
    return Found("NumPy archive", training, test, sizes, fitting)


def _join(parts: list[Part]) -> Part | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    require_size(sum(len(part.images) for part in parts))
    return Part(*(np.concatenate([getattr(part, name) for part in parts]) for name in ("images", "labels", "by_ink")))


def _read_images(
    archive: CheckedZip, name: str, fitting: Fitting, on_part: OnPart
) -> tuple[np.ndarray, tuple[int, int]]:
    """Return uint8, (n, 28, 28), and the width and height that the images had."""
    with archive.open(f"{name}.npy") as file:
        shape, dtype = _read_header(file, name)
        if shape[1:] == (IMAGE_SIZE_PX**2,):
            shape = (shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX)
        shaped = len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
        if not shaped or not (min(shape[1:3]) > 0 and max(shape[1:3]) <= MAX_SIDE_PX):
            raise DatasetError(f"{name} must be of shape (n, height, width), and perhaps 1 or 3 colours, not {shape}.")
        image_bytes = dtype.itemsize * math.prod(shape[1:])
        require_size(shape[0], image_bytes)
        images = np.empty((shape[0], IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
        done = 0
        scale = None
        for values in _values_in_parts(file, name, dtype, shape):
            if scale is None:  # brightness is 0 to 1 in a fraction, else 0 to 255
                scale = 255 if dtype.kind in "fb" and values.max() <= 1 else 1
            part = fit_images(_to_grey(values, scale, name), fitting)
            images[done : done + len(part)] = part
            done += len(part)
            on_part(done / shape[0])
    return images, (shape[2], shape[1])


def _to_grey(values: np.ndarray, scale: int, name: str) -> np.ndarray:
    """Return brightness, uint8, (n, height, width)."""
    if values.dtype != np.uint8:
        values = values.astype(np.float32) * scale
        if not (values.min() >= 0 and values.max() <= 255):  # also false for nan
            raise DatasetError(f"The values of {name} must be from 0 to 255, or from 0 to 1.")
    if values.ndim == 4:
        values = values[..., 0] if values.shape[3] == 1 else values @ _BRIGHTNESS
    return values if values.dtype == np.uint8 else np.round(values).astype(np.uint8)


def _read_labels(archive: CheckedZip, name: str, images: int) -> np.ndarray:
    with archive.open(f"{name}.npy") as file:
        shape, dtype = _read_header(file, name)
        if shape not in ((images,), (images, 1)):
            raise DatasetError(f"{name} must have one label for each of the {images:,} images; its shape is {shape}.")
        if dtype.kind not in "iu":
            raise DatasetError(f"The labels in {name} must be whole numbers, not {dtype}.")
        labels = np.concatenate(list(_values_in_parts(file, name, dtype, shape)))
    if labels.max() > np.iinfo(np.int64).max:
        raise DatasetError(f"A label in {name} is far too large.")
    return labels.astype(np.int64).ravel()


def _read_header(file: IO[bytes], name: str) -> _Header:
    try:
        version = npy.read_magic(file)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran_order, dtype = read(file)
    except (ValueError, KeyError, SyntaxError, RecursionError, EOFError) as error:
        raise DatasetError(f"The array {name} has no header that can be read.") from error
    if dtype.kind not in "biuf":
        raise DatasetError(f"The array {name} must hold numbers, not {dtype}.")
    if fortran_order and len(shape) > 1:
        raise DatasetError(f"The array {name} is in Fortran order: save np.ascontiguousarray of it.")
    if not shape:
        raise DatasetError(f"The array {name} is a single number.")
    return _Header(shape, dtype)


def _values_in_parts(file: IO[bytes], name: str, dtype: np.dtype, shape: tuple[int, ...]) -> Iterator[np.ndarray]:
    row_bytes = dtype.itemsize * math.prod(shape[1:])
    per_part = max(1, PART_BYTES // row_bytes)
    for start in range(0, shape[0], per_part):
        number = min(per_part, shape[0] - start)
        content = file.read(number * row_bytes)
        if len(content) < number * row_bytes:
            raise DatasetError(f"The array {name} ends before it has all that its header says.")
        yield np.frombuffer(content, dtype).reshape(number, *shape[1:])
