"""What a data set is, and MNIST, loaded from the bundled file and checked. Nothing is downloaded."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from msgspec import Meta, Struct

from mnist_lib.config import TrainingData
from mnist_lib.escaping import one_line
from mnist_lib.paths import ASSETS_PATH
from mnist_lib.wording import a_digit

MNIST_PATH = ASSETS_PATH / "mnist.npz"

# Width and height of every image.
IMAGE_SIZE_PX = 28

# SHA-256 of each array's raw bytes. The arrays were made from the four original
# IDX files, whose published MD5 sums are listed in assets/README.md.
ARRAY_SHA256 = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}


# Of all four arrays together, as ``arrays_sha256`` computes it.
MNIST_SHA256 = "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16"

MNIST = "MNIST"
DIGIT_NAMES = tuple("0123456789")

# What a data set may have.
MIN_CLASSES, MAX_CLASSES = 2, 62
MAX_IMAGES = 500_000
DATASET_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}"  # it is a file's name, too
# No Markdown, no HTML, no path: a class's name stands on screens, in tables and in file names.
CLASS_NAME = r"(?!.*\.\.)[^\W_]([\w .,'&()+/-]{0,38}[\w.)+])?"

MAX_TEXT = 500  # of the origin and of the licence

# How a drawing or a picture is brought to 28 x 28 pixels, before the network sees it: cropped to its ink, fitted into
# 20 x 20 and placed by its centre of mass, as MNIST was made; or whole.
Fitting = Literal["centred", "whole"]


class DatasetError(Exception):
    """A data set cannot be used. The message is one line and says what to do."""


class DatasetDescription(Struct, frozen=True, kw_only=True):
    """What is known of a data set without its images. A run records it. The defaults are MNIST's.

    Attributes:
        name: Its name, also of its files.
        class_names: Of each class, in the order of the labels, 2 to 62 of them.
        training_images: How many.
        test_images: How many.
        sha256: Of its arrays, as ``arrays_sha256`` computes it.
        fitting: How a drawing or a picture is brought to 28 x 28 pixels.
        origin: Where it comes from, in a line.
        licence: Under what terms, in a line.
        split_seed: With which seed the test images were chosen among all; None if they came as such.
    """

    name: Annotated[str, Meta(pattern=rf"^{DATASET_NAME}\Z")] = MNIST
    class_names: Annotated[
        tuple[Annotated[str, Meta(pattern=rf"^{CLASS_NAME}\Z")], ...],
        Meta(min_length=MIN_CLASSES, max_length=MAX_CLASSES),
    ] = DIGIT_NAMES
    training_images: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] = 60_000
    test_images: Annotated[int, Meta(ge=1, le=MAX_IMAGES)] = 10_000
    sha256: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] = MNIST_SHA256
    fitting: Fitting = "centred"
    origin: Annotated[str, Meta(max_length=MAX_TEXT)] = "Yann LeCun and Corinna Cortes"
    licence: Annotated[str, Meta(max_length=MAX_TEXT)] = "CC BY-SA 3.0"
    split_seed: int | None = None

    @property
    def is_mnist(self) -> bool:
        """Whether it is MNIST itself, of which more is known: label votes, the paper's figures."""
        return self.name == MNIST

    @property
    def classes(self) -> int:
        """How many classes it has."""
        return len(self.class_names)

    @property
    def has_strokes(self) -> bool:
        """Whether its images are made of strokes, as digits are: then a solid shape is none of them."""
        return self.fitting == "centred"

    def is_same(self, other: DatasetDescription) -> bool:
        """Tell whether it has the same images, labels and classes as another, whatever else is said of them."""
        return (self.sha256, self.class_names) == (other.sha256, other.class_names)

    @property
    def training_data(self) -> TrainingData:
        """What the settings of a training depend on."""
        return TrainingData(self.name, self.classes, self.training_images)

    @property
    def noun(self) -> str:
        """What one of its images shows, in a sentence: ``digit`` or ``image``."""
        return "digit" if self.is_mnist else "image"

    @property
    def kind(self) -> str:
        """What a label names, in a sentence: ``digit`` or ``class``."""
        return "digit" if self.is_mnist else "class"

    def a_class(self, label: int) -> str:
        """Return a class as it stands in a sentence: ``a 3``, ``an 8``; ``Shirt`` elsewhere than in MNIST.

        Args:
            label: 0 to the number of classes - 1.
        """
        return a_digit(label) if self.is_mnist else self.class_names[label]

    @property
    def has_long_names(self) -> bool:
        """Whether there is no room for two of its classes in one line below a picture."""
        return max(map(len, self.class_names)) > 2

    @property
    def arrow(self) -> str:
        """What stands between two of its classes, below a picture."""
        return "\n→ " if self.has_long_names else " → "

    def read_as(self, label: int, answer: int) -> str:
        """Return a class and what it was read as, below a picture: ``4 → 9``; of longer names, each on its line.

        Args:
            label: 0 to the number of classes - 1.
            answer: The same.
        """
        return f"{self.class_names[label]}{self.arrow}{self.class_names[answer]}"


MNIST_DESCRIPTION = DatasetDescription()


def check_name(name: str) -> None:
    """Raise DatasetError if a data set cannot be added under a name."""
    if not re.fullmatch(DATASET_NAME, name) or name.upper() == MNIST:
        raise DatasetError(
            "The name of a data set must begin with a letter or digit and have at most 40 letters, digits, dots, "
            "dashes and underscores. MNIST is taken."
        )


def check_description(description: DatasetDescription) -> None:
    """Check what a person has said of a data set to add.

    Raises:
        DatasetError: The name or a class's name is not possible, or a text is too long.
    """
    check_name(description.name)
    names = description.class_names
    if not MIN_CLASSES <= len(names) <= MAX_CLASSES:
        raise DatasetError(f"A data set has {MIN_CLASSES} to {MAX_CLASSES} classes, not {len(names):,}.")
    if wrong := next((name for name in names if not re.fullmatch(CLASS_NAME, name)), None):
        raise DatasetError(
            f"{one_line(wrong[:60])!r} cannot name a class: a name begins with a letter or digit and has at most "
            "40 letters, digits, spaces and signs such as . , - + ( ) /"
        )
    if len(set(names)) < len(names):
        raise DatasetError("Two classes have the same name.")
    if max(len(description.origin), len(description.licence)) > MAX_TEXT:
        raise DatasetError(f"Origin and licence have at most {MAX_TEXT} characters each.")


@dataclass(frozen=True)
class Dataset:
    """A data set in its original order: MNIST, or one of the same form.

    Attributes:
        train_images: uint8, (n, 28, 28), 0 (paper) to 255 (ink); of MNIST 60,000.
        train_labels: uint8, (n,), the class, from 0; of MNIST the digit.
        test_images: uint8, (m, 28, 28), 0 to 255; of MNIST 10,000.
        test_labels: uint8, (m,).
        description: Its name, its classes, its origin.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray
    description: DatasetDescription = MNIST_DESCRIPTION

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of one split, ``train`` or ``test``."""
        if name == "train":
            return self.train_images, self.train_labels
        return self.test_images, self.test_labels


def arrays_sha256(arrays: Iterable[np.ndarray]) -> str:
    """Return the SHA-256 of the bytes of training images, training labels, test images and test labels, in this order.

    Args:
        arrays: uint8, contiguous.
    """
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.data)
    return digest.hexdigest()


@functools.cache
def load_mnist(path: Path = MNIST_PATH) -> Dataset:
    """Load MNIST from a NumPy archive and check every array, once in a process.

    Args:
        path: A ``.npz`` file with x_train, y_train, x_test and y_test.

    Raises:
        DatasetError: The file is missing, unreadable or not the original data.
    """
    cure = f"Restore it with: git checkout -- mnist_lib/assets/{path.name}"
    if not path.is_file():
        raise DatasetError(f"The data file {path} is missing. {cure}")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: np.ascontiguousarray(archive[name]) for name in ARRAY_SHA256}
    except Exception as error:  # NumPy and zipfile raise many types for a bad file
        raise DatasetError(f"The data file {path} cannot be read ({error}). {cure}") from error
    for name, sha256 in ARRAY_SHA256.items():
        # The hash is the same for (60000, 28, 28) and (60000, 784).
        expected_shape = (IMAGE_SIZE_PX, IMAGE_SIZE_PX) if name.startswith("x") else ()
        laid_out = arrays[name].dtype == np.uint8 and arrays[name].shape[1:] == expected_shape
        if not laid_out or hashlib.sha256(arrays[name].data).hexdigest() != sha256:
            raise DatasetError(f"The data file {path} is damaged: {name} is not the original. {cure}")
        arrays[name].flags.writeable = False  # one copy is shared by all of the process
    return Dataset(arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"])


def scale_pixels(images: np.ndarray) -> np.ndarray:
    """Prepare images for the network as the paper does: divide by 255, add a channel.

    Args:
        images: uint8, (n, 28, 28), 0 to 255.

    Returns:
        float32, (n, 28, 28, 1), 0 to 1. float32 because Keras computes in it;
        dividing to float64 doubles the memory and is converted back anyway.
    """
    return images.astype(np.float32)[..., np.newaxis] / np.float32(255)


def select_indices(labels: np.ndarray, digit: int | None = None, shuffle_seed: int | None = None) -> np.ndarray:
    """Return the positions of the images to look at, in the order to show them.

    Args:
        labels: integer, (n,), from 0.
        digit: Only this class; None for all.
        shuffle_seed: Shuffle with this seed; None keeps the dataset's order.

    Returns:
        int64, (m,).
    """
    indices = np.arange(len(labels)) if digit is None else np.flatnonzero(labels == digit)
    return indices if shuffle_seed is None else np.random.default_rng(shuffle_seed).permutation(indices)


def count_classes(labels: np.ndarray, classes: int = len(DIGIT_NAMES)) -> np.ndarray:
    """Count the images of each class: int64, (classes,)."""
    return np.bincount(labels, minlength=classes)
