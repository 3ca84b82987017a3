"""An untrusted data set is read in a process of its own, and lies in a library of its own until it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.formats import staging
from mnist_lib.formats.preparation import Choices
from tests.support.datasets import make_turned_digits, write_idx_files

pytestmark = pytest.mark.process


def test_staged_data_set_is_that_of_the_files_and_moves_when_it_is_kept(dataset: Dataset, tmp_path: Path) -> None:
    turned = make_turned_digits(dataset)
    write_idx_files(turned, tmp_path / "files")
    shares: list[float] = []
    staged = staging.stage_in_process(tmp_path / "files", tmp_path / "staged", Choices(), shares.append)
    assert staged.description.sha256 == turned.description.sha256
    assert shares[-1] == 1
    assert staged.sample_labels.tolist() == [0] * 6 + [1] * 6 + [2] * 6
    np.testing.assert_array_equal(staged.samples[0], turned.train_images[turned.train_labels == 0][0])
    library, other = DatasetLibrary(tmp_path / "kept"), DatasetLibrary(tmp_path / "staged")
    library.move_from(other, staged.description, turned.description)
    np.testing.assert_array_equal(library.load(turned.description).test_images, turned.test_images)
    assert list(other.root.iterdir()) == []


def test_what_is_wrong_is_said_and_nothing_is_staged(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, x_train=dataset.train_images[:10_000], y_train=dataset.train_labels[:10_000].astype(float))
    with pytest.raises(DatasetError, match=r"^The labels in y_train must be whole numbers, not float64\.$"):
        staging.stage_in_process(path, tmp_path / "staged", Choices(), print)
    np.savez(path, x_train=dataset.train_images, y_train=dataset.train_labels)
    monkeypatch.setattr(staging, "MAX_MEMORY_BYTES", 60_000_000)
    with pytest.raises(DatasetError, match=r"too much memory to read\.$"):
        staging.stage_in_process(path, tmp_path / "staged", Choices(), print)
    assert not (tmp_path / "staged").exists()
