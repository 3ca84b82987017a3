"""Loads MNIST from the bundled file and checks it. Nothing is downloaded."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_lib.paths import ASSETS_PATH

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


class DatasetError(Exception):
    """The bundled data cannot be used. The message names the file and how to restore it."""


@dataclass(frozen=True)
class Dataset:
    """MNIST in its original order.

    Attributes:
        train_images: uint8, (60000, 28, 28), 0 (paper) to 255 (ink).
        train_labels: uint8, (60000,), the digit 0 to 9.
        test_images: uint8, (10000, 28, 28), 0 to 255.
        test_labels: uint8, (10000,), 0 to 9.
    """

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def split(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return images and labels of one split, ``train`` or ``test``."""
        if name == "train":
            return self.train_images, self.train_labels
        return self.test_images, self.test_labels


def load_mnist(path: Path = MNIST_PATH) -> Dataset:
    """Load MNIST from a NumPy archive and check every array.

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
        arrays[name].flags.writeable = False  # one copy is shared by every screen
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
        labels: integer, (n,), 0 to 9.
        digit: Only this digit; None for all.
        shuffle_seed: Shuffle with this seed; None keeps the dataset's order.

    Returns:
        int64, (m,).
    """
    indices = np.arange(len(labels)) if digit is None else np.flatnonzero(labels == digit)
    return indices if shuffle_seed is None else np.random.default_rng(shuffle_seed).permutation(indices)


def count_classes(labels: np.ndarray) -> np.ndarray:
    """Count the images of each digit: int64, (10,)."""
    return np.bincount(labels, minlength=10)
