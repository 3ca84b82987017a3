"""A small data set that is not MNIST: three of its digits, lying on their side."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from mnist_lib.data.dataset import Dataset, DatasetDescription, arrays_sha256

CLASS_NAMES = ("Zero", "One", "Two")
IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def make_turned_digits(mnist: Dataset, train: int = 600, test: int = 90, name: str = "Turned") -> Dataset:
    """Return the first zeros, ones and twos of MNIST, turned by 90 degrees.

    Args:
        mnist: MNIST.
        train: How many training images.
        test: How many test images.
        name: Of the data set.
    """
    arrays = []
    for split, count in (("train", train), ("test", test)):
        images, labels = mnist.split(split)
        chosen = np.flatnonzero(labels < len(CLASS_NAMES))[:count]
        arrays += [np.ascontiguousarray(np.rot90(images[chosen], axes=(1, 2))), labels[chosen]]
    description = DatasetDescription(
        name=name,
        class_names=CLASS_NAMES,
        training_images=train,
        test_images=test,
        sha256=arrays_sha256(arrays),
        fitting="whole",
        origin="MNIST, turned",
    )
    return Dataset(*arrays, description=description)


def write_idx_files(dataset: Dataset, folder: Path, packed: bool = True) -> None:
    """Write a data set as the four IDX files of MNIST, packed with gzip or not."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels)
    for name, array in zip(IDX_NAMES, arrays, strict=True):
        content = idx_bytes(array)
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(content, 1) if packed else content)


def idx_bytes(array: np.ndarray) -> bytes:
    """Return an array of uint8 as an IDX file."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()
