"""Kaggle's tables: a line per image, its label first and then its 784 pixels.

Sources: https://www.kaggle.com/c/digit-recognizer/data names the columns label, pixel0 to pixel783, others of
MNIST's family pixel1 to pixel784, or 1x1 to 28x28.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import IO

import numpy as np

from mnist_lib.data.dataset import IMAGE_SIZE_PX, DatasetError, Fitting
from mnist_lib.formats.found import Found, OnPart, Part, require_size
from mnist_lib.formats.source import Source, file_name

_PIXELS = IMAGE_SIZE_PX**2
_SIDE = range(1, IMAGE_SIZE_PX + 1)
_COLUMNS = (
    [f"pixel{number}" for number in range(_PIXELS)],
    [f"pixel{number}" for number in range(1, _PIXELS + 1)],
    [f"{row}x{column}" for row in _SIDE for column in _SIDE],
)

# Many times as long as 785 numbers need.
MAX_LINE_BYTES = 20_000

_LINES_PER_PART = 5_000


def find_tables(source: Source) -> dict[str, str]:
    """Return the tables by split, ``train`` or ``test``. A table of test images without labels is left out.

    Raises:
        DatasetError: There are several, and their names do not tell which is which.
    """
    names = [name for name in source.sizes if name.lower().endswith((".csv", ".csv.gz"))]
    if len(names) == 1:
        return {"train": names[0]}
    by_split = {
        split: [name for name in names if split in name.rsplit("/", 1)[-1].lower()] for split in ("train", "test")
    }
    if names and not (len(by_split["train"]) == 1 and len(by_split["test"]) <= 1):
        raise DatasetError("There are several tables: choose one, or name two of them train.csv and test.csv.")
    found = {split: names[0] for split, names in by_split.items() if names}
    if "test" in found and not _has_labels(source, found["test"]):
        del found["test"]
    return found


def _has_labels(source: Source, name: str) -> bool:
    with source.open(name) as file:
        return file.readline(MAX_LINE_BYTES).count(b",") == _PIXELS


def read_tables(source: Source, tables: dict[str, str], fitting: Fitting, on_part: OnPart) -> Found:
    """Read one or two tables.

    Args:
        source: Where they are.
        tables: As ``find_tables`` returns them.
        fitting: Is told with the images; they are all of 28 x 28 pixels.
        on_part: Called with the share that is done.

    Raises:
        DatasetError: A line is wrong.
    """
    parts = []
    for number, name in enumerate(tables.values()):

        def on_share(share: float, done: int = number) -> None:
            on_part((done + share) / len(tables))

        parts.append(_read_table(source, name, on_share))
    count = sum(len(part.images) for part in parts)
    sizes = Counter({(IMAGE_SIZE_PX, IMAGE_SIZE_PX): count})
    return Found("CSV table", parts[0], parts[1] if len(parts) == 2 else None, sizes, fitting)


def _read_table(source: Source, name: str, on_part: OnPart) -> Part:
    images, labels = [], []
    count = read_bytes = 0
    with source.open(name) as file:
        lines = _lines(file, name)
        first = next(lines, "")
        has_header = not first[:1].isdigit()
        if has_header:
            _check_header(first)
        else:
            lines = _with_first(first, lines)
        while part := list(islice(lines, _LINES_PER_PART)):
            values = _parse(part, count + 1 + has_header)
            labels.append(values[:, 0])
            images.append(values[:, 1:].astype(np.uint8))
            count += len(part)
            require_size(count)
            read_bytes += sum(map(len, part))
            on_part(min(1.0, read_bytes / max(1, source.sizes[name])))
    require_size(count)
    shape = (count, IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    return Part(
        np.concatenate(images).reshape(shape), np.concatenate(labels).astype(np.int64), np.zeros(count, dtype=bool)
    )


def _lines(file: IO[bytes], name: str) -> Iterator[str]:
    while line := file.readline(MAX_LINE_BYTES):
        if len(line) == MAX_LINE_BYTES:
            raise DatasetError(f"{file_name(name)} has a line that is far too long for {_PIXELS + 1} columns.")
        if text := line.decode("utf-8-sig", errors="replace").strip():
            yield text


def _with_first(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _check_header(line: str) -> None:
    columns = [column.strip().strip('"') for column in line.split(",")]
    if columns[0] != "label" or columns[1:] not in _COLUMNS:
        raise DatasetError(
            f"The table must have {_PIXELS + 1} columns: label, then pixel0 to pixel{_PIXELS - 1}, or no line of names."
        )


def _parse(lines: list[str], first_number: int) -> np.ndarray:
    """Return the numbers of some lines: int16, (n, 785)."""
    values = _numbers(lines)
    if values is None:
        wrong = next((place for place, line in enumerate(lines) if _numbers([line]) is None), 0)
        raise DatasetError(
            f"Line {first_number + wrong:,} must have a label and {_PIXELS} whole numbers from 0 to 255."
        )
    return values


def _numbers(lines: list[str]) -> np.ndarray | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # NumPy only warns of 1.5 or nan
            values = np.loadtxt(lines, np.int16, delimiter=",", quotechar='"', comments=None, ndmin=2)
    except (ValueError, Warning):
        return None
    pixels = values[:, 1:]
    fits = values.shape[1] == _PIXELS + 1 and pixels.min() >= 0 and pixels.max() <= 255
    return values if fits else None
