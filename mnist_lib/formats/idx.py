"""The IDX files of MNIST, Fashion-MNIST and their relatives.

Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits": two zero bytes, the type of
the values, the number of dimensions, each dimension as four bytes, the largest first, and then the values.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import IO

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX, DatasetError, Fitting
from mnist_lib.formats.found import PART_BYTES, Found, OnPart, Part, fit_images, is_cropped, require_size
from mnist_lib.formats.source import Source, file_name

_NAME = re.compile(r"(images|labels)[-._]idx[13][-._]ubyte(\.gz)?\Z", re.IGNORECASE)
_UNSIGNED_BYTES = 8

MAX_SIDE_PX = 1_000


def find_idx(source: Source) -> dict[tuple[str, str], str]:
    """Return the IDX files by split, ``train`` or ``test``, and content, ``images`` or ``labels``.

    Raises:
        DatasetError: There are two of one kind.
    """
    found: dict[tuple[str, str], str] = {}
    for name in source.sizes:
        if match := _NAME.search(name):
            split = "test" if re.search("t10k|test", name.rsplit("/", 1)[-1], re.IGNORECASE) else "train"
            kind = split, match[1].lower()
            if kind in found:
                raise DatasetError(f"There are two IDX files of {split} {kind[1]}: choose a folder with one data set.")
            found[kind] = name
    return found


def read_idx(source: Source, files: dict[tuple[str, str], str], fitting: Fitting, on_part: OnPart) -> Found:
    """Read two or four IDX files.

    Args:
        source: Where they are.
        files: As ``find_idx`` returns them.
        fitting: How images of other sizes are brought to 28 x 28.
        on_part: Called with the share that is done.

    Raises:
        DatasetError: One is missing, or is not what its header says.
    """
    sizes: Counter[tuple[int, int]] = Counter()
    splits = ["train", "test"] if ("test", "images") in files or ("test", "labels") in files else ["train"]
    parts = []
    for number, split in enumerate(splits):
        names = [files.get((split, content)) for content in ("images", "labels")]
        if names[0] is None or names[1] is None:
            missing = "images" if names[0] is None else "labels"
            raise DatasetError(f"The IDX file of the {split} {missing} is missing.")

        def on_share(share: float, done: int = number) -> None:
            on_part((done + share) / len(splits))

        images, size = _read_images(source, names[0], fitting, on_share)
        labels = _read_labels(source, names[1])
        if len(images) != len(labels):
            raise DatasetError(f"There are {len(images):,} {split} images, but {len(labels):,} labels.")
        sizes[size] += len(images)
        parts.append(Part(images, labels, np.full(len(images), is_cropped(size, fitting))))
    return Found("IDX files", parts[0], parts[1] if len(parts) == 2 else None, sizes, fitting)


def _read_images(source: Source, name: str, fitting: Fitting, on_part: OnPart) -> tuple[np.ndarray, tuple[int, int]]:
    """Return uint8, (n, 28, 28), and the width and height that the images had."""
    with source.open(name) as file:
        count, height, width = _read_header(file, name, 3)
        if not (0 < height <= MAX_SIDE_PX and 0 < width <= MAX_SIDE_PX):
            raise DatasetError(f"{file_name(name)} says that its images have {width:,} x {height:,} pixels.")
        require_size(count, height * width)
        images = np.empty((count, IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
        per_part = max(1, PART_BYTES // (height * width))
        for start in range(0, count, per_part):
            number = min(per_part, count - start)
            values = _read_exactly(file, name, number * height * width)
            images[start : start + number] = fit_images(values.reshape(number, height, width), fitting)
            on_part((start + number) / count)
        _require_end(file, name)
    return images, (width, height)


def _read_labels(source: Source, name: str) -> np.ndarray:
    with source.open(name) as file:
        (count,) = _read_header(file, name, 1)
        require_size(count, 1)
        labels = _read_exactly(file, name, count)
        _require_end(file, name)
    return labels.astype(np.int64)


def _read_header(file: IO[bytes], name: str, dimensions: int) -> tuple[int, ...]:
    begin = file.read(4)
    if begin != bytes([0, 0, _UNSIGNED_BYTES, dimensions]):
        raise DatasetError(
            f"{file_name(name)} is not an IDX file of bytes with {dimensions} dimension{'s'[: dimensions - 1]}."
        )
    return tuple(_read_exactly(file, name, 4 * dimensions).view(">u4").tolist())


def _read_exactly(file: IO[bytes], name: str, count: int) -> np.ndarray:
    values = np.frombuffer(file.read(count), np.uint8)
    if len(values) < count:
        raise DatasetError(f"{file_name(name)} ends before it has all that its header says.")
    return values


def _require_end(file: IO[bytes], name: str) -> None:
    if file.read(1):
        raise DatasetError(f"{file_name(name)} has more than its header says.")
