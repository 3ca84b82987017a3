"""The data sets of this machine: MNIST, which comes with the project, and those that a person has added.

An added one is ``NAME.npz``, with the arrays of ``Dataset`` by their names, and ``NAME.json`` beside it, its
``DatasetDescription``. The arrays are written first: a data set is there when its description is.
"""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import msgspec
import numpy as np

from mnist_lib.data.dataset import (
    DATASET_NAME,
    IMAGE_SIZE_PX,
    MNIST,
    MNIST_DESCRIPTION,
    Dataset,
    DatasetDescription,
    DatasetError,
    arrays_sha256,
    load_mnist,
)
from mnist_lib.storage.files import file_stamp, read_file, require_file, write_whole

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

# What NumPy writes before the values of an array.
_HEADER_BYTES = 10_000


class DatasetLibrary:
    """The data sets of this machine.

    Args:
        root: The folder of those that were added.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def beside(cls, runs_root: Path) -> DatasetLibrary:
        """Return the library at MNIST_DATA_DIR, else in the folder ``datasets`` beside the runs."""
        return cls(Path(os.environ.get("MNIST_DATA_DIR") or runs_root.parent / "datasets").absolute())

    def descriptions(self) -> list[DatasetDescription]:
        """Return what is known of each data set: MNIST, then the others by name. Damaged ones are left out."""
        try:
            names = sorted(path.stem for path in self.root.glob("*.json"))
        except OSError:
            names = []
        found = (self.find(name) for name in names if name != MNIST)
        return [MNIST_DESCRIPTION, *(description for description in found if description)]

    def find(self, name: str) -> DatasetDescription | None:
        """Return what is known of a data set, or None if there is none of this name that can be read."""
        if name == MNIST:
            return MNIST_DESCRIPTION
        if not re.fullmatch(DATASET_NAME, name):
            return None
        try:
            description = msgspec.json.decode(read_file(self._description_path(name)), type=DatasetDescription)
        except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
            return None
        return description if description.name == name else None

    def load(self, description: DatasetDescription) -> Dataset:
        """Load a data set and check that it is the described one.

        Args:
            description: That of the library, or one that a run has recorded.

        Raises:
            DatasetError: It is not here, cannot be read, or is another one by now.
        """
        if description.is_mnist:
            return load_mnist()
        name = description.name
        known = self.find(name)
        if known is None:
            raise DatasetError(f"The data set {name} is not here. Add it on the Dataset screen.")
        if (known.sha256, known.class_names) != (description.sha256, description.class_names):
            raise DatasetError(f"The data set {name} here is not the one that is needed: its images or classes differ.")
        shapes = _shapes(description)
        try:
            arrays = {array: self._read_array(name, array, shape) for array, shape in shapes.items()}
        except Exception as error:  # NumPy and zipfile raise many types for a bad file
            raise DatasetError(f"The data set {name} is damaged. Remove it and add it again.") from error
        if arrays_sha256(arrays.values()) != description.sha256:
            raise DatasetError(f"The data set {name} is damaged: its sum is wrong. Remove it and add it again.")
        return Dataset(**arrays, description=known)

    def save(self, dataset: Dataset) -> None:
        """Keep a data set, in place of one of the same name.

        Raises:
            OSError: The folder cannot be written.
        """
        name = dataset.description.name
        self.root.mkdir(parents=True, exist_ok=True)
        arrays = {array: getattr(dataset, array) for array in ARRAYS}
        # Between the two steps the old description does not fit the new arrays, and says so where they are read.
        write_whole(self._arrays_path(name), lambda temporary: np.savez_compressed(temporary, **arrays))
        content = msgspec.json.format(msgspec.json.encode(dataset.description), indent=1)
        write_whole(self._description_path(name), lambda temporary: temporary.write_bytes(content + b"\n"))

    def stamp(self, name: str) -> int:
        """Return a number that changes when the data set of this name does, or is removed."""
        return hash((file_stamp(self._arrays_path(name)), file_stamp(self._description_path(name))))

    def _read_array(self, name: str, array: str, shape: tuple[int, ...]) -> np.ndarray:
        require_file(self._arrays_path(name))
        with zipfile.ZipFile(self._arrays_path(name)) as archive:
            if archive.getinfo(f"{array}.npy").file_size > np.prod(shape) + _HEADER_BYTES:
                raise ValueError("too large")
        with np.load(self._arrays_path(name), allow_pickle=False) as archive:
            values = np.ascontiguousarray(archive[array])
        if values.shape != shape or values.dtype != np.uint8:
            raise ValueError("of another shape")
        values.flags.writeable = False  # one copy is shared by every screen
        return values

    def _arrays_path(self, name: str) -> Path:
        return self.root / f"{name}.npz"

    def _description_path(self, name: str) -> Path:
        return self.root / f"{name}.json"


def _shapes(description: DatasetDescription) -> dict[str, tuple[int, ...]]:
    train, test, side = description.training_images, description.test_images, IMAGE_SIZE_PX
    return dict(zip(ARRAYS, ((train, side, side), (train,), (test, side, side), (test,)), strict=True))
