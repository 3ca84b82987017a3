"""Reads a data set in any of the formats that are known."""

from __future__ import annotations

from pathlib import Path

from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.formats.class_folders import has_pictures, read_class_folders
from mnist_lib.formats.drawings import has_drawings, read_drawings
from mnist_lib.formats.found import Found, OnPart
from mnist_lib.formats.idx import find_idx, read_idx
from mnist_lib.formats.kaggle_csv import find_tables, read_tables
from mnist_lib.formats.npz import read_npz
from mnist_lib.formats.preparation import Choices, Inspection, prepare
from mnist_lib.formats.source import Source, open_source


def read_dataset(
    path: Path, name: str, choices: Choices, on_part: OnPart = lambda share: None
) -> tuple[Dataset, Inspection]:
    """Read a data set and look at it. Nothing is kept.

    Args:
        path: A file, a zip or a folder.
        name: What it will be called.
        choices: What a person chose.
        on_part: Called with the share that is read, 0 to 1.

    Raises:
        DatasetError: It cannot be read, or is no data set that can be used.
    """
    try:
        with open_source(path) as source:
            found = _read(path, source, choices, on_part)
        return prepare(found, choices, name)
    except MemoryError as error:
        raise DatasetError("It takes too much memory to read.") from error


def _read(path: Path, source: Source, choices: Choices, on_part: OnPart) -> Found:
    fitting = choices.fitting
    archives = [name for name in source.sizes if name.lower().endswith(".npz")]
    if has_drawings(source):
        return read_drawings(path)
    if idx_files := find_idx(source):
        return read_idx(source, idx_files, fitting, on_part)
    if len(archives) == 1 and (path.is_dir() or path.suffix.lower() == ".npz"):
        return read_npz(path / archives[0] if path.is_dir() else path, fitting, on_part)
    if tables := find_tables(source):
        return read_tables(source, tables, fitting, on_part)
    if has_pictures(source):
        return read_class_folders(source, fitting, on_part)
    raise DatasetError(
        "No data set was found in it: IDX files, an npz, a CSV with a label and 784 pixels a line, or class folders."
    )
