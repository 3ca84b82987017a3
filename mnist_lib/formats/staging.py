"""Reads an untrusted data set in a limited process, into a library of its own, until somebody decides to keep it."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from mnist_lib.data.dataset import DatasetDescription, DatasetError
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.formats.found import OnPart
from mnist_lib.formats.preparation import Choices, Inspection, sample_images
from mnist_lib.formats.reading import read_dataset

# 500,000 images of 28 x 28 are 400 MB; while they are shuffled they are there twice, beside what is being read.
MAX_MEMORY_BYTES = 2_000_000_000
# Half a million small pictures take about five minutes.
MAX_PROCESSOR_S = 900.0

# In all classes together, and of one class.
_MOST_SAMPLES, _SAMPLES_PER_CLASS = 60, 6

_STAGED_NAME = "staged"


class _Request(Struct):
    """What the process is asked for: only paths and choices, nothing that is not trusted."""

    path: str
    folder: str
    choices: Choices


class Staged(NamedTuple):
    """A data set that was read and not kept yet.

    Attributes:
        description: With names of classes as they were found.
        inspection: What one should know before keeping it.
        samples: Of each class the first training images: uint8, (n, 28, 28).
        sample_labels: Their classes, uint8, (n,).
    """

    description: DatasetDescription
    inspection: Inspection
    samples: np.ndarray
    sample_labels: np.ndarray


def stage_in_process(path: Path, folder: Path, choices: Choices, on_part: OnPart) -> Staged:
    """Read a data set in a process of its own.

    Args:
        path: A file, a zip or a folder.
        folder: Of the library that then holds it.
        choices: What a person chose.
        on_part: Called with the share that is read, 0 to 1.

    Raises:
        DatasetError: It cannot be read, takes too much, or is no data set that can be used.
    """
    request = msgspec.json.encode(_Request(str(path), str(folder), choices))
    try:
        return call_in_limited_process(stage, request, MAX_PROCESSOR_S, MAX_MEMORY_BYTES, on_part)
    except LimitError as error:
        raise DatasetError(str(error)) from error


def stage(request: BinaryIO, on_part: OnPart) -> Staged:
    """Read a data set, within the process.

    Args:
        request: As ``stage_in_process`` writes it.
        on_part: Called with the share that is read.
    """
    asked = msgspec.json.decode(request.read(), type=_Request)
    dataset, inspection = read_dataset(Path(asked.path), _STAGED_NAME, asked.choices, on_part)
    DatasetLibrary(Path(asked.folder)).add(dataset, replace=True)
    per_class = max(1, min(_SAMPLES_PER_CLASS, _MOST_SAMPLES // dataset.description.classes))
    return Staged(dataset.description, inspection, *sample_images(dataset, per_class))
