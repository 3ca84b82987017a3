"""Makes a data set of what was found, and says what one should know before keeping it."""

from __future__ import annotations

import csv
import hashlib

import numpy as np
from msgspec import Struct

from mnist_lib.data.dataset import (
    IMAGE_SIZE_PX,
    MAX_CLASSES,
    MIN_CLASSES,
    Dataset,
    DatasetDescription,
    DatasetError,
    Fitting,
    arrays_sha256,
    count_classes,
)
from mnist_lib.formats.found import Found, Part
from mnist_lib.wording import count_text

# Of each class this share is set aside where there are no test images, as of MNIST's 70,000.
TEST_SHARE = 1 / 7

# With fewer training images than this, a class is hardly learned.
FEW_IMAGES = 10

MAX_NAMED = 20  # files, in what a person reads

# So many images tell whether they are dark on light.
_LOOKED_AT = 10_000


class Choices(Struct, frozen=True, kw_only=True):
    """What a person chooses before a data set is read.

    Attributes:
        fitting: How pictures that are not 28 x 28 are brought to that size, and drawings later.
        as_is: Whether dark on light stays dark on light.
        class_names: In the order of the labels; None for the names or numbers that were found.
        seed: Of the shuffling, and of the choice of test images where there are none.
    """

    fitting: Fitting = "whole"
    as_is: bool = False
    class_names: tuple[str, ...] | None = None
    seed: int = 0


class Inspection(Struct, frozen=True, kw_only=True):
    """What one should know of a data set before keeping it.

    Attributes:
        format: What it was.
        class_names: Of each class.
        training_counts: Training images of each class.
        test_counts: Test images of each class.
        sizes: Width, height and number of images, the most frequent first.
        dark_on_light: Whether most of the border was light.
        turned: Whether that was turned round.
        cropped: Whether images were cropped to their ink, which made them light on dark.
        split: Whether the test images were set aside here.
        shuffled: Whether the images were sorted by class, and are no longer.
        seed: Of both.
        repeated_training: Training images that are there before.
        repeated_test: Test images that are there before.
        leaked: Test images that are also in the training set.
        unreadable: Files that were left out, each with the reason.
    """

    format: str
    class_names: tuple[str, ...]
    training_counts: tuple[int, ...]
    test_counts: tuple[int, ...]
    sizes: tuple[tuple[int, int, int], ...]
    dark_on_light: bool
    turned: bool
    cropped: bool
    split: bool
    shuffled: bool
    seed: int
    repeated_training: int
    repeated_test: int
    leaked: int
    unreadable: tuple[str, ...]

    @property
    def headline(self) -> str:
        """What was found, in a sentence."""
        return (
            f"{self.format[0].upper()}{self.format[1:]}: {sum(self.training_counts):,} training and "
            f"{sum(self.test_counts):,} test images in {len(self.class_names)} classes."
        )

    @property
    def notes(self) -> list[str]:
        """What happened to the images, a sentence each."""
        notes = [self._size_note(), self._brightness_note()]
        if self.split:
            notes.append(f"Without test images, a seventh of each class was set aside for testing (seed {self.seed}).")
        if self.shuffled:
            notes.append(f"Sorted by class, so they were shuffled (seed {self.seed}).")
        return notes

    @property
    def warnings(self) -> list[str]:
        """What makes it a worse data set, a sentence each."""
        warnings = []
        if self.leaked:
            warnings.append(
                f"{_images(self.leaked, 'test ')} also in the training set: the accuracy will look better than it is."
            )
        for count, split in ((self.repeated_training, "training"), (self.repeated_test, "test")):
            if count:
                warnings.append(f"{_images(count, f'{split} ')} there more than once.")
        counts = zip(self.class_names, self.training_counts, strict=True)
        if few := [f"{name} ({count})" for name, count in counts if count < FEW_IMAGES]:
            warnings.append(f"Fewer than {FEW_IMAGES} training images: {', '.join(few)}.")
        tested = zip(self.class_names, self.test_counts, strict=True)
        if untested := [name for name, count in tested if not count]:
            warnings.append(f"No test image: {', '.join(untested)}.")
        if self.unreadable:
            left_out = len(self.unreadable)
            warnings.append(f"{count_text(left_out, 'file was', 'files were')} left out:")
            warnings += self.unreadable[:MAX_NAMED]
            if left_out > MAX_NAMED:
                warnings.append(f"… and {left_out - MAX_NAMED:,} more.")
        return warnings

    def _size_note(self) -> str:
        first = [f"{width} x {height} ({count:,})" for width, height, count in self.sizes[:5]]
        if len(self.sizes) == 1:
            width, height, _ = self.sizes[0]
            own_size = (width, height) == (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
            return f"{width} x {height} pixels{'' if own_size else ', brought to 28 x 28'}."
        more = f" and {len(self.sizes) - 5:,} other sizes" if len(self.sizes) > 5 else ""
        return f"Brought to 28 x 28 from {', '.join(first)}{more}."

    def _brightness_note(self) -> str:
        if self.cropped and not self.dark_on_light:
            return "Cropped to the ink and centred, as MNIST's digits were."
        if not self.dark_on_light:
            return "Light on dark, as in MNIST."
        return "Dark on light: turned round to light on dark, as in MNIST." if self.turned else "Dark on light."


def split_class_names(text: str) -> tuple[str, ...]:
    """Return the names of classes in a text, divided by commas; a name with a comma stands in double quotes."""
    return tuple(name.strip() for name in next(csv.reader([text.strip()], skipinitialspace=True), []))


def _images(count: int, kind: str) -> str:
    return count_text(count, f"{kind}image is", f"{kind}images are")


def prepare(found: Found, choices: Choices, name: str) -> tuple[Dataset, Inspection]:
    """Make a data set of what was found.

    Args:
        found: As a format gives it. Its images are changed.
        choices: What a person chose.
        name: Of the data set.

    Raises:
        DatasetError: The labels or the class names are not possible, or too few images are left.
    """
    parts = [found.training] if found.test is None else [found.training, found.test]
    class_names = _number_classes(parts, found.class_names, choices.class_names)
    dark_on_light = _is_dark_on_light(found.training)
    turned = dark_on_light and not choices.as_is
    if turned:
        for part in parts:
            # Ink is light on dark already.
            np.subtract(255, part.images, out=part.images, where=~part.by_ink[:, np.newaxis, np.newaxis])
    random = np.random.default_rng(choices.seed)
    splits = [(part.images, part.labels.astype(np.uint8)) for part in parts]
    shuffled = any(_is_sorted(labels) for _, labels in splits)
    if found.test is None:
        splits = _set_aside(*splits[0], random)
    if shuffled:
        splits = [_shuffle(images, labels, random) for images, labels in splits]
    arrays = [np.ascontiguousarray(array) for split in splits for array in split]
    description = DatasetDescription(
        name=name,
        class_names=class_names,
        training_images=len(arrays[0]),
        test_images=len(arrays[2]),
        sha256=arrays_sha256(arrays),
        fitting=found.fitting,
        origin="",
        licence="",
        split_seed=choices.seed if found.test is None else None,
    )
    dataset = Dataset(*arrays, description=description)
    training_hashes, test_hashes = (list(map(_hash, images)) for images in (dataset.train_images, dataset.test_images))
    known = set(training_hashes)
    return dataset, Inspection(
        format=found.format,
        class_names=class_names,
        training_counts=tuple(count_classes(dataset.train_labels, len(class_names)).tolist()),
        test_counts=tuple(count_classes(dataset.test_labels, len(class_names)).tolist()),
        sizes=tuple((*size, count) for size, count in found.sizes.most_common()),
        dark_on_light=dark_on_light,
        turned=turned,
        cropped=bool(found.training.by_ink.any()),
        split=found.test is None,
        shuffled=shuffled,
        seed=choices.seed,
        repeated_training=len(training_hashes) - len(known),
        repeated_test=len(test_hashes) - len(set(test_hashes)),
        leaked=sum(one in known for one in test_hashes),
        unreadable=tuple(found.unreadable),
    )


def sample_images(dataset: Dataset, per_class: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first training images of each class, or what there is, and their labels."""
    labels = dataset.train_labels
    places = [np.flatnonzero(labels == label)[:per_class] for label in range(dataset.description.classes)]
    chosen = np.concatenate(places)
    return dataset.train_images[chosen], labels[chosen]


def _number_classes(
    parts: list[Part], found_names: tuple[str, ...] | None, given_names: tuple[str, ...] | None
) -> tuple[str, ...]:
    """Let labels count from 0 without gaps, and return the names of the classes."""
    labels = np.unique(np.concatenate([part.labels for part in parts]))
    if labels[0] < 0:
        raise DatasetError(f"There is a label {labels[0]}; labels must be whole numbers from 0.")
    if found_names is None and given_names is not None and labels[-1] < len(given_names):
        return given_names  # perhaps of a class without an image
    if len(labels) < MIN_CLASSES:
        raise DatasetError("There is only one class; a network needs two or more to tell apart.")
    if len(labels) > MAX_CLASSES:
        raise DatasetError(f"There are {len(labels):,} classes; at most {MAX_CLASSES} are possible.")
    names = found_names or tuple(map(str, labels.tolist()))
    if found_names is None:
        for part in parts:
            part.labels = np.searchsorted(labels, part.labels)
    if given_names is not None and len(given_names) != len(names):
        raise DatasetError(f"There are {len(names)} classes, but {len(given_names)} names for them.")
    return given_names or names


def _is_dark_on_light(part: Part) -> bool:
    """Tell whether the border is light in most of the images that were not cropped to their ink."""
    places = np.flatnonzero(~part.by_ink)
    if len(places) == 0:
        return False
    images = part.images[places[:: -(-len(places) // _LOOKED_AT)]]
    border = np.concatenate([images[:, 0], images[:, -1], images[:, :, 0], images[:, :, -1]], axis=1)
    return bool(np.median(border) > 127)


def _is_sorted(labels: np.ndarray) -> bool:
    """Tell whether the label changes less than half as often as in a random order."""
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    expected = (len(labels) - 1) * (1 - (shares**2).sum())
    return bool(np.count_nonzero(np.diff(labels)) < expected / 2)


def _set_aside(
    images: np.ndarray, labels: np.ndarray, random: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return training and test images; of each class with two images or more at least one for testing."""
    is_test = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        places = np.flatnonzero(labels == label)
        count = max(round(len(places) * TEST_SHARE), int(len(places) > 1))
        is_test[random.choice(places, count, replace=False)] = True
    if not is_test.any():
        raise DatasetError("There are too few images to set some aside for testing.")
    return [(images[chosen], labels[chosen]) for chosen in (~is_test, is_test)]


def _shuffle(images: np.ndarray, labels: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    order = random.permutation(len(labels))
    return images[order], labels[order]


def _hash(image: np.ndarray) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()
