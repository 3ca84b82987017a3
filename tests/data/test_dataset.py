"""MNIST from its file: the right data, or a message that tells how to restore it."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from mnist_lib.data.dataset import (
    MNIST_PATH,
    Dataset,
    DatasetError,
    count_classes,
    load_mnist,
    scale_pixels,
    select_indices,
)

# The counts that everybody finds in MNIST.
TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def load_error(path: Path) -> str:
    """Return the message of a file that cannot be used, after what every message has."""
    with pytest.raises(DatasetError) as caught:
        load_mnist(path)
    message = str(caught.value)
    assert str(path) in message
    assert f"git checkout -- mnist_lib/assets/{path.name}" in message
    assert "\n" not in message
    return message


def test_arrays_have_the_shapes_and_types_of_mnist(dataset: Dataset) -> None:
    assert dataset.train_images.shape == (60_000, 28, 28)
    assert dataset.train_labels.shape == (60_000,)
    assert dataset.test_images.shape == (10_000, 28, 28)
    assert dataset.test_labels.shape == (10_000,)
    for array in (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels):
        assert array.dtype == np.uint8


def test_labels_are_those_of_mnist(dataset: Dataset) -> None:
    assert [int((dataset.train_labels == digit).sum()) for digit in range(10)] == TRAIN_COUNTS
    assert [int((dataset.test_labels == digit).sum()) for digit in range(10)] == TEST_COUNTS
    assert dataset.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert dataset.test_labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]


def test_pixels_have_the_mean_and_deviation_known_of_mnist(dataset: Dataset) -> None:
    # The constants with which half the world normalizes MNIST.
    assert dataset.train_images.mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert dataset.train_images[::7].std() / 255 == pytest.approx(0.3081, abs=5e-4)
    assert dataset.train_images.min() == 0
    assert dataset.train_images.max() == 255


def test_arrays_cannot_be_written_to(dataset: Dataset) -> None:
    for array in (dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_split_returns_the_images_with_their_labels(dataset: Dataset) -> None:
    train_images, train_labels = dataset.split("train")
    assert train_images is dataset.train_images
    assert train_labels is dataset.train_labels
    test_images, test_labels = dataset.split("test")
    assert test_images is dataset.test_images
    assert test_labels is dataset.test_labels


def test_missing_file_is_named_with_the_cure(tmp_path: Path) -> None:
    assert "is missing" in load_error(tmp_path / "mnist.npz")


def test_folder_in_place_of_the_file_is_named_with_the_cure(tmp_path: Path) -> None:
    load_error(tmp_path)


@pytest.mark.parametrize("kept_bytes", [0, 3, 1000, 5_000_000])
def test_truncated_file_is_an_error(kept_bytes: int, tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    path.write_bytes(MNIST_PATH.read_bytes()[:kept_bytes])
    assert "cannot be read" in load_error(path)


def test_flipped_byte_is_an_error(tmp_path: Path) -> None:
    content = bytearray(MNIST_PATH.read_bytes())
    content[len(content) // 2] ^= 1
    path = tmp_path / "mnist.npz"
    path.write_bytes(content)
    load_error(path)


def test_flipped_byte_anywhere_in_an_archive_is_an_error_and_no_crash(tmp_path: Path) -> None:
    # A small archive, so that every byte of its headers gets its turn.
    file = io.BytesIO()
    arrays = {name: np.zeros((2, 2), np.uint8) for name in ("x_train", "y_train", "x_test", "y_test")}
    np.savez_compressed(file, **arrays)  # pyright: ignore[reportArgumentType]
    path = tmp_path / "mnist.npz"
    for position in range(len(file.getvalue())):
        content = bytearray(file.getvalue())
        content[position] ^= 0b1001
        path.write_bytes(content)
        with pytest.raises(DatasetError):
            load_mnist(path)


def test_changed_pixel_in_a_sound_archive_is_an_error(dataset: Dataset, tmp_path: Path) -> None:
    test_images = dataset.test_images.copy()
    test_images[9_999, 27, 27] ^= 1
    path = tmp_path / "mnist.npz"
    np.savez(
        path,
        x_train=dataset.train_images,
        y_train=dataset.train_labels,
        x_test=test_images,
        y_test=dataset.test_labels,
    )
    assert "x_test is not the original" in load_error(path)


def test_images_laid_out_otherwise_are_an_error(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(
        path,
        x_train=dataset.train_images.reshape(60_000, 784),
        y_train=dataset.train_labels,
        x_test=dataset.test_images,
        y_test=dataset.test_labels,
    )
    assert "x_train is not the original" in load_error(path)


def test_archive_without_one_of_the_arrays_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=np.zeros(1, np.uint8))
    assert "y_train" in load_error(path)


def test_pickled_object_is_never_loaded(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return Path.touch, (tmp_path / "sprung",)

    path = tmp_path / "mnist.npz"
    np.savez(path, x_train=np.array([Trap()], dtype=object))
    load_error(path)
    assert not (tmp_path / "sprung").exists()


def test_bare_array_in_place_of_the_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    with path.open("wb") as file:
        np.save(file, np.zeros((2, 28, 28), np.uint8))
    load_error(path)


def test_scale_pixels_divides_by_255_and_adds_a_channel() -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[0, 0, :4] = [51, 255, 128, 1]
    images[1, 27, 27] = 102
    scaled = scale_pixels(images)
    assert scaled.shape == (2, 28, 28, 1)
    assert scaled.dtype == np.float32
    expected = np.array([0.2, 1.0, 128 / 255, 1 / 255, 0.0], np.float32)
    np.testing.assert_array_equal(scaled[0, 0, :5, 0], expected)
    assert scaled[1, 27, 27, 0] == np.float32(0.4)
    assert np.count_nonzero(scaled) == 5


def test_select_indices_keeps_the_order_of_the_dataset() -> None:
    labels = np.array([3, 1, 3, 0, 3], np.uint8)
    assert select_indices(labels).tolist() == [0, 1, 2, 3, 4]
    assert select_indices(labels, digit=3).tolist() == [0, 2, 4]
    assert select_indices(labels, digit=0).tolist() == [3]
    assert select_indices(labels, digit=9).tolist() == []


def test_select_indices_shuffles_by_its_seed(dataset: Dataset) -> None:
    labels = dataset.test_labels
    once = select_indices(labels, digit=4, shuffle_seed=1)
    assert once.tolist() == select_indices(labels, digit=4, shuffle_seed=1).tolist()
    assert once.tolist() != select_indices(labels, digit=4, shuffle_seed=2).tolist()
    in_order = select_indices(labels, digit=4).tolist()
    assert once.tolist() != in_order
    assert sorted(once.tolist()) == in_order


def test_count_classes_counts_absent_digits_as_zero(dataset: Dataset) -> None:
    assert count_classes(dataset.test_labels).tolist() == TEST_COUNTS
    assert count_classes(np.array([2, 2, 5], np.uint8)).tolist() == [0, 0, 2, 0, 0, 1, 0, 0, 0, 0]
