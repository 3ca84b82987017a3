"""Pictures in a folder per class, with or without ``train`` and ``test`` above.

Source of the layout: https://docs.pytorch.org/vision/stable/generated/torchvision.datasets.ImageFolder.html.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections import Counter
from typing import NamedTuple

import numpy as np

from mnist_lib.data.dataset import CLASS_NAME, IMAGE_SIZE_PX, MAX_CLASSES, DatasetError, Fitting
from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.drawing.picture_files import PICTURE_ENDINGS, read_brightness
from mnist_lib.formats.found import Found, OnPart, Part, fit_picture, require_size
from mnist_lib.formats.source import MAX_UNPACKED_BYTES, TOO_LARGE, Source, file_name

# What folders of a split are called. Validation images are trained with, as no setting is chosen by them here.
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "train",
    "valid": "train",
    "validation": "train",
    "test": "test",
    "testing": "test",
}


class _Picture(NamedTuple):
    """A file in a class folder."""

    name: str
    split: str
    class_name: str


def has_pictures(source: Source) -> bool:
    """Tell whether there is a file that is called like a picture."""
    return any(map(_is_picture, source.sizes))


def _is_picture(name: str) -> bool:
    return name.lower().endswith(tuple(f".{ending}" for ending in PICTURE_ENDINGS))


def read_class_folders(source: Source, fitting: Fitting, on_part: OnPart) -> Found:
    """Read the pictures of class folders. What cannot be read is left out and named.

    Args:
        source: Where they are.
        fitting: How pictures of other sizes are brought to 28 x 28.
        on_part: Called with the share that is done.

    Raises:
        DatasetError: The folders are not those of classes, or there are too many pictures.
    """
    pictures, unreadable = _find_pictures(source)
    class_names = _class_names(source, pictures)
    require_size(len(pictures))
    if sum(source.sizes[picture.name] for picture in pictures) > MAX_UNPACKED_BYTES:
        raise DatasetError(TOO_LARGE)
    images = np.empty((len(pictures), IMAGE_SIZE_PX, IMAGE_SIZE_PX), np.uint8)
    by_ink = np.zeros(len(pictures), dtype=bool)
    labels = np.empty(len(pictures), np.int64)
    is_test = np.zeros(len(pictures), dtype=bool)
    sizes: Counter[tuple[int, int]] = Counter()
    count = 0
    for number, picture in enumerate(pictures, start=1):
        try:
            grey = _read_grey(source, picture.name)
            images[count], by_ink[count] = fit_picture(grey, fitting)
        except (DatasetError, DrawingError) as error:
            unreadable.append(f"{file_name(picture.name)}: {error}")
            continue
        sizes[grey.shape[1], grey.shape[0]] += 1
        labels[count] = class_names.index(picture.class_name)
        is_test[count] = picture.split == "test"
        count += 1
        if number % 100 == 0:
            on_part(number / len(pictures))
    on_part(1.0)
    require_size(count)
    images, labels, by_ink, is_test = images[:count], labels[:count], by_ink[:count], is_test[:count]
    if is_test.all():
        raise DatasetError("There are test pictures, but none to train with.")
    if not is_test.any():
        return Found("class folders", Part(images, labels, by_ink), None, sizes, fitting, class_names, unreadable)
    training, test = (Part(images[chosen], labels[chosen], by_ink[chosen]) for chosen in (~is_test, is_test))
    return Found("class folders", training, test, sizes, fitting, class_names, unreadable)


def _read_grey(source: Source, name: str) -> np.ndarray:
    """Return uint8, (height, width), 0 to 255."""
    with source.open(name) as file:
        return np.round(read_brightness(io.BytesIO(file.read())) * 255).astype(np.uint8)


def _find_pictures(source: Source) -> tuple[list[_Picture], list[str]]:
    """Return the pictures in class folders, sorted, and what lies elsewhere, each with the reason."""
    names = sorted(filter(_is_picture, source.sizes))
    unreadable = [f"{file_name(name)}: it is no picture." for name in source.sizes if not _is_picture(name)]
    # A data set is often packed with the folder around it.
    around = os.path.commonpath([os.path.dirname(name) for name in names])
    pictures = []
    for name in names:
        folders = os.path.relpath(os.path.dirname(name) or ".", around or ".").split("/")
        split = _SPLITS.get(folders[0].lower()) if len(folders) == 2 else "train"
        if split is None or folders == ["."] or len(folders) > 2:
            unreadable.append(f"{file_name(name)}: it lies in no class folder.")
        else:
            # Macs write an accent as a character of its own.
            pictures.append(_Picture(name, split, unicodedata.normalize("NFC", folders[-1])))
    return pictures, unreadable


def _class_names(source: Source, pictures: list[_Picture]) -> tuple[str, ...]:
    """Return the classes: by number where a name has numbers, otherwise by letter."""
    names = {picture.class_name for picture in pictures}
    if len(names) < 2:
        raise DatasetError("There must be a folder of pictures for each of two classes or more.")
    if len(names) > MAX_CLASSES:
        raise DatasetError(f"There are {len(names):,} class folders; at most {MAX_CLASSES} classes are possible.")
    for name in names:
        if not re.fullmatch(CLASS_NAME, name):
            raise DatasetError(
                f"The folder {file_name(name)} cannot name a class: letters, digits and a few signs can."
            )
    used = {os.path.dirname(picture.name) for picture in pictures}
    beside = {os.path.dirname(folder) for folder in used}
    for folder in sorted(source.folders - used):
        if os.path.dirname(folder) in beside and not any(name.startswith(f"{folder}/") for name in used):
            raise DatasetError(f"The class folder {file_name(folder)} has no pictures.")
    return tuple(sorted(names, key=_natural_order))


def _natural_order(name: str) -> list[tuple[bool, int, str]]:
    parts = filter(None, re.split(r"(\d+)", name))
    return [(False, int(part), "") if part.isdecimal() else (True, 0, part.lower()) for part in parts]
