"""The data sets of this machine: MNIST, which comes with the project, and those that a person has added.

An added one is ``NAME.npz``, with the arrays of ``Dataset`` by their names, and ``NAME.json`` beside it, its
``DatasetDescription``. The arrays are written first: a data set is there when its description is.
"""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np

from mnist_lib.access import Access, read_access
from mnist_lib.data.dataset import (
    DATASET_NAME,
    IMAGE_SIZE_PX,
    MNIST,
    MNIST_DESCRIPTION,
    Dataset,
    DatasetDescription,
    DatasetError,
    arrays_sha256,
    check_description,
    check_name,
    load_mnist,
)
from mnist_lib.escaping import one_line
from mnist_lib.storage.files import file_stamp, read_file, require_file, write_whole

ARRAYS = ("train_images", "train_labels", "test_images", "test_labels")

# What NumPy writes before the values of an array.
_HEADER_BYTES = 10_000


class DatasetLibrary:
    """The data sets of this machine.

    Args:
        root: The folder of those that were added.
        access: What the visitor may do; by default it is the owner, as at the command line.

    Raises:
        AccessError: The environment names no mode, or a limit that is not a number.
    """

    def __init__(self, root: Path, access: Access | None = None) -> None:
        self.root = root
        self.access = access or read_access()

    @classmethod
    def beside(cls, runs_root: Path, access: Access | None = None) -> DatasetLibrary:
        """Return the library at MNIST_DATA_DIR, else in the folder ``datasets`` beside the runs."""
        return cls(Path(os.environ.get("MNIST_DATA_DIR") or runs_root.parent / "datasets").absolute(), access)

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
        known = self._require_same(description)
        shapes = _shapes(description)
        try:
            arrays = {array: self._read_array(name, array, shape) for array, shape in shapes.items()}
        except Exception as error:  # NumPy and zipfile raise many types for a bad file
            raise DatasetError(f"The data set {name} is damaged. Remove it and add it again.") from error
        if arrays_sha256(arrays.values()) != description.sha256:
            raise DatasetError(f"The data set {name} is damaged: its sum is wrong. Remove it and add it again.")
        return Dataset(**arrays, description=known)

    def add(self, dataset: Dataset, replace: bool = False) -> None:
        """Keep a data set.

        Args:
            dataset: The data set.
            replace: Whether it may take the place of one of the same name.

        Raises:
            DatasetError: The visitor may not, the description is not possible, there is one of this name,
                or the folder cannot be written.
        """
        arrays = {array: getattr(dataset, array) for array in ARRAYS}
        self._keep(dataset.description, lambda temporary: np.savez_compressed(temporary, **arrays), replace)

    def move_from(
        self, other: DatasetLibrary, found: DatasetDescription, description: DatasetDescription, replace: bool = False
    ) -> None:
        """Keep a data set of another library under the name and with the texts of another description.

        Args:
            other: Where it is now; it is removed there.
            found: Its description there.
            description: The same, but for what a person has said of it.
            replace: Whether it may take the place of one of the same name.

        Raises:
            DatasetError: As for ``add``.
        """
        self._keep(description, lambda temporary: shutil.copyfile(other._arrays_path(found.name), temporary), replace)
        other.remove(found.name)

    def require_name(self, name: str, replace: bool = False) -> None:
        """Raise DatasetError unless the visitor may add a data set of this name."""
        self._require_all()
        check_name(name)
        if not replace and self._is_taken(name):
            raise DatasetError(f"There is a data set {name} already. Choose another name, or replace it.")

    def remove(self, name: str) -> None:
        """Remove a data set that was added, even a damaged one. Its runs stay.

        Raises:
            DatasetError: The visitor may not, there is none, or the folder cannot be written.
        """
        self._require_all()
        if not re.fullmatch(DATASET_NAME, name) or not self._is_taken(name):
            raise DatasetError(f"There is no data set {one_line(name)!r} that could be removed.")
        try:
            for path in (self._description_path(name), self._arrays_path(name)):
                path.unlink(missing_ok=True)
        except OSError as error:
            raise DatasetError(f"The data set {name} cannot be removed: {error.strerror}.") from error

    def _keep(self, description: DatasetDescription, write: Callable[[Path], object], replace: bool) -> None:
        name = description.name
        self.require_name(name, replace)
        check_description(description)
        content = msgspec.json.format(msgspec.json.encode(description), indent=1)
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            # Between the two steps the old description does not fit the new arrays, and says so where they are read.
            write_whole(self._arrays_path(name), write)
            write_whole(self._description_path(name), lambda temporary: temporary.write_bytes(content + b"\n"))
        except OSError as error:
            raise DatasetError(f"The data set {name} cannot be kept: {error.strerror or error}.") from error

    def _require_same(self, description: DatasetDescription) -> DatasetDescription:
        name = description.name
        known = self.find(name)
        if known is None:
            raise DatasetError(f"The data set {name} is not here. Add it on the Dataset screen.")
        if not known.is_same(description):
            raise DatasetError(f"The data set {name} here is not the one that is needed: its images or classes differ.")
        return known

    def _is_taken(self, name: str) -> bool:
        return self._description_path(name).exists() or self._arrays_path(name).exists()

    def _require_all(self) -> None:
        if not self.access.may_do_all:
            raise DatasetError(self.access.refusal)

    def files(self, description: DatasetDescription) -> tuple[Path, Path]:
        """Return where the arrays and the description of a data set that was added are, to copy them.

        Raises:
            DatasetError: It is not here, or another one by now.
        """
        self._require_same(description)
        return self._arrays_path(description.name), self._description_path(description.name)

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
