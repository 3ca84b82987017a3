"""The data sets of a machine: kept whole, refused to visitors, and checked when they are loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from mnist_lib.access import Visitor, read_access
from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.data.library import DatasetLibrary
from tests.support.datasets import make_turned_digits


@pytest.fixture
def library(tmp_path: Path) -> DatasetLibrary:
    return DatasetLibrary(tmp_path / "datasets")


@pytest.fixture(scope="module")
def turned(dataset: Dataset) -> Dataset:
    return make_turned_digits(dataset)


def described(dataset: Dataset, **changes: object) -> Dataset:
    return replace(dataset, description=msgspec.structs.replace(dataset.description, **changes))


def test_data_set_is_loaded_as_it_was_added(library: DatasetLibrary, turned: Dataset) -> None:
    library.add(turned)
    loaded = library.load(turned.description)
    np.testing.assert_array_equal(loaded.train_images, turned.train_images)
    np.testing.assert_array_equal(loaded.test_labels, turned.test_labels)
    assert [each.name for each in library.descriptions()] == ["MNIST", "Turned"]


def test_name_that_is_taken_is_refused_unless_it_is_replaced(library: DatasetLibrary, turned: Dataset) -> None:
    library.add(turned)
    other = described(turned, licence="MIT")
    with pytest.raises(DatasetError, match=r"^There is a data set Turned already"):
        library.add(other)
    library.add(other, replace=True)
    assert library.load(turned.description).description.licence == "MIT"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "MNIST"}, "MNIST is taken"),
        ({"name": "mnist"}, "MNIST is taken"),
        ({"name": "../a"}, "The name of a data set"),
        ({"class_names": ("<b>", "b", "c")}, "'<b>' cannot name a class"),
        ({"class_names": ("a", "../..", "c")}, "cannot name a class"),
        ({"class_names": ("a", "a", "c")}, "same name"),
        ({"class_names": ("a",)}, "2 to 62 classes, not 1"),
        ({"class_names": tuple(map(str, range(63)))}, "not 63"),
        ({"origin": "x" * 501}, "at most 500"),
    ],
)
def test_description_that_is_not_possible_is_refused_and_nothing_is_kept(
    changes: dict, said: str, library: DatasetLibrary, turned: Dataset
) -> None:
    with pytest.raises(DatasetError, match=said.replace("'", ".")):
        library.add(described(turned, **changes))
    assert not library.root.exists()


def test_removed_data_set_is_said_to_be_missing(library: DatasetLibrary, turned: Dataset) -> None:
    library.add(turned)
    library.remove("Turned")
    with pytest.raises(DatasetError, match="is not here"):
        library.load(turned.description)
    assert list(library.root.iterdir()) == []
    for name in ("Turned", "MNIST", "../Turned"):
        with pytest.raises(DatasetError, match="could be removed"):
            library.remove(name)


def test_visitor_may_neither_add_nor_remove(
    library: DatasetLibrary, turned: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(turned)
    monkeypatch.setenv("MNIST_MODE", "class")
    visited = DatasetLibrary(library.root, read_access(Visitor("1", "Ada")))
    with pytest.raises(DatasetError, match="owner or a teacher"):
        visited.add(described(turned, name="Other"))
    with pytest.raises(DatasetError, match="owner or a teacher"):
        visited.remove("Turned")
    assert visited.load(turned.description).description.name == "Turned"


def test_damaged_data_set_says_so_and_can_be_removed(library: DatasetLibrary, turned: Dataset) -> None:
    library.add(turned)
    path = library.root / "Turned.npz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DatasetError, match="damaged"):
        library.load(turned.description)
    library.remove("Turned")


def test_full_disk_keeps_the_data_set_that_was_there(
    library: DatasetLibrary, turned: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    library.add(turned)

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", fail)
    with pytest.raises(DatasetError, match="No space left on device"):
        library.add(turned, replace=True)
    library.load(turned.description)
