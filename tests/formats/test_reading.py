"""Every format gives the data set that was written in it; what is hostile gives one line."""

from __future__ import annotations

import gzip
import io
import os
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.formats.preparation import Choices, Inspection
from mnist_lib.formats.reading import read_dataset
from mnist_lib.formats.source import MAX_FILES
from tests.support.datasets import CLASS_NAMES, IDX_NAMES, idx_bytes, make_turned_digits, write_idx_files

HEADER = ",".join(["label", *(f"pixel{number}" for number in range(784))])


@pytest.fixture(scope="module")
def turned(dataset: Dataset) -> Dataset:
    """Digits that lie on their side, in mixed order."""
    return make_turned_digits(dataset)


def read(path: Path, **choices: object) -> tuple[Dataset, Inspection]:
    return read_dataset(path, "found", Choices(**choices))  # pyright: ignore[reportArgumentType]


def require_same(found: Dataset, written: Dataset) -> None:
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))


def refusal(path: Path, **choices: object) -> str:
    """Return the one line that says why a file is not read."""
    with pytest.raises(DatasetError) as caught:
        read(path, **choices)
    (line,) = str(caught.value).splitlines()
    return line


def arrays_of(dataset: Dataset) -> tuple[np.ndarray, ...]:
    return dataset.train_images, dataset.train_labels, dataset.test_images, dataset.test_labels


def table_lines(images: np.ndarray, labels: np.ndarray) -> list[str]:
    return [",".join(map(str, (label, *image.ravel()))) for image, label in zip(images, labels, strict=True)]


def png(image: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG", compress_level=1)
    return file.getvalue()


def write_class_folders(folder: Path, images: np.ndarray, labels: np.ndarray, names: tuple[str, ...]) -> None:
    for name in names:
        (folder / name).mkdir(parents=True)
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        (folder / names[label] / f"{number:04}.png").write_bytes(png(image))


def zip_folder(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, Path("wrapped") / file.relative_to(folder))
    return path


# What is read.


@pytest.mark.parametrize("packed", [True, False])
def test_idx_files_are_read_as_they_are(packed: bool, turned: Dataset, tmp_path: Path) -> None:
    write_idx_files(turned, tmp_path / "idx", packed)
    for path in (tmp_path / "idx", zip_folder(tmp_path / "idx", tmp_path / "idx.zip")):
        found, inspection = read(path, class_names=CLASS_NAMES)
        require_same(found, turned)
        assert found.description.class_names == CLASS_NAMES
        assert (inspection.split, inspection.shuffled, inspection.turned) == (False, False, False)
        assert inspection.training_counts == tuple(np.bincount(turned.train_labels))


@pytest.mark.parametrize("scale", [1, 255])
def test_archive_like_that_of_keras_is_read(scale: int, turned: Dataset, tmp_path: Path) -> None:
    images, labels, test_images, test_labels = arrays_of(turned)
    path = tmp_path / "keras.npz"
    arrays = {"x_train": images, "x_test": test_images}
    if scale == 255:  # brightness from 0 to 1
        arrays = {name: (array / np.float32(255)).astype(np.float32) for name, array in arrays.items()}
    np.savez(path, **arrays, y_train=labels.astype(np.int64), y_test=test_labels.astype(np.int64))
    require_same(read(path)[0], turned)


def test_archive_of_medmnist_in_colour_is_made_grey_and_small(turned: Dataset, tmp_path: Path) -> None:
    images, labels, test_images, test_labels = arrays_of(turned)
    large = np.repeat(np.repeat(images, 2, axis=1), 2, axis=2)
    in_colour = np.repeat(large[..., np.newaxis], 3, axis=-1)
    path = tmp_path / "medical.npz"
    np.savez_compressed(
        path,
        train_images=in_colour[:400],
        train_labels=labels[:400, np.newaxis],
        val_images=in_colour[400:],
        val_labels=labels[400:, np.newaxis],
        test_images=np.repeat(test_images[..., np.newaxis], 3, axis=-1),
        test_labels=test_labels[:, np.newaxis],
    )
    found, inspection = read(path)
    np.testing.assert_array_equal(found.train_labels, labels)
    assert np.abs(found.train_images.astype(int) - images).mean() < 4  # the filter blurs a little
    np.testing.assert_array_equal(found.test_images, test_images)
    assert inspection.sizes == ((56, 56, 600), (28, 28, 90))


@pytest.mark.parametrize("header", [True, False])
def test_table_is_read_and_a_seventh_is_set_aside(header: bool, turned: Dataset, tmp_path: Path) -> None:
    lines = table_lines(turned.train_images[:140], turned.train_labels[:140] + 3)
    (tmp_path / "train.csv").write_text("\n".join([HEADER, *lines] if header else lines) + "\n")
    (tmp_path / "test.csv").write_text("\n".join(line.split(",", 1)[1] for line in lines[:3]))  # without labels
    found, inspection = read(tmp_path)
    assert found.description.class_names == ("3", "4", "5")  # labels with a gap before them
    assert found.description.split_seed == 0
    counts = np.bincount(turned.train_labels[:140])
    assert inspection.test_counts == tuple(round(count / 7) for count in counts)
    every = [*found.train_images, *found.test_images]
    assert sorted(map(np.ndarray.tobytes, every)) == sorted(map(np.ndarray.tobytes, turned.train_images[:140]))
    assert read(tmp_path, seed=1)[0].description.sha256 != found.description.sha256
    assert read(tmp_path)[0].description.sha256 == found.description.sha256


def test_class_folders_are_read_from_a_folder_and_a_zip(turned: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    names = ("2", "10", "one")  # by number, then by letter
    write_class_folders(folder / "train", turned.train_images[:60], turned.train_labels[:60], names)
    write_class_folders(folder / "test", turned.test_images[:30], turned.test_labels[:30], names)
    (folder / "train" / "10" / "notes.txt").write_text("not a picture")
    (folder / "train" / "10" / "cut.png").write_bytes(png(turned.train_images[0])[:50])
    for junk in ("__MACOSX/._a.png", ".DS_Store", "train/2/Thumbs.db"):
        (folder / junk).parent.mkdir(exist_ok=True)
        (folder / junk).write_bytes(b"junk")
    for path in (folder, zip_folder(folder, tmp_path / "pictures.zip")):
        found, inspection = read(path)
        assert found.description.class_names == names
        assert inspection.test_counts == tuple(np.bincount(turned.test_labels[:30]))
        assert inspection.shuffled
        assert [line.split("/")[-1] for line in inspection.unreadable] == [
            "notes.txt: it is no picture.",
            "cut.png: It cannot be read as a picture.",
        ]
        at = found.test_labels.argsort(kind="stable")
        assert set(map(bytes, found.test_images[at][: inspection.test_counts[0]])) == set(
            map(bytes, turned.test_images[:30][turned.test_labels[:30] == 0])
        )
        assert len(set(found.train_labels[:20])) == 3  # a training on the first images sees every class


def test_dark_on_light_is_turned_round_unless_it_shall_stay(turned: Dataset, tmp_path: Path) -> None:
    np.savez(tmp_path / "dark.npz", x_train=255 - turned.train_images, y_train=turned.train_labels)
    found, inspection = read(tmp_path / "dark.npz")
    as_it_is, _ = read(tmp_path / "dark.npz", as_is=True)
    assert inspection.dark_on_light
    assert inspection.turned
    np.testing.assert_array_equal(found.train_images, 255 - as_it_is.train_images)
    assert np.median(found.train_images) == 0


def test_large_pictures_are_fitted_whole_or_as_mnist_was(dataset: Dataset, tmp_path: Path) -> None:
    small = dataset.train_images[:40]
    around = np.pad(small, ((0, 0), (0, 84), (0, 84)))  # in a corner
    write_class_folders(tmp_path, 255 - around, (np.arange(40) % 2).astype(np.uint8), ("a", "b"))
    whole, _ = read(tmp_path)
    centred, inspection = read(tmp_path, fitting="centred")
    assert centred.description.fitting == "centred"
    assert inspection.cropped
    assert inspection.sizes == ((112, 112, 40),)
    assert whole.train_images[:, 8:].max() == 0  # still in the corner
    rows = np.arange(28) + 0.5
    masses = centred.train_images.sum(axis=2)
    assert np.abs((masses * rows).sum(axis=1) / masses.sum(axis=1) - 14.5).max() < 1.2


def test_own_drawings_are_read_from_their_folder_and_their_zip(dataset: Dataset, tmp_path: Path) -> None:
    own = OwnDigits(tmp_path / "drawings")
    for image, label in zip(dataset.train_images[:12], dataset.train_labels[:12], strict=True):
        own.add(image / np.float32(255), int(label), "canvas")
    (tmp_path / "own.zip").write_bytes(own.to_zip())
    for path in (own.path, tmp_path / "own.zip"):
        found, inspection = read(path)
        assert found.description.class_names == tuple(map(str, np.unique(dataset.train_labels[:12])))
        assert sum(inspection.training_counts) + sum(inspection.test_counts) == 12
        assert found.description.fitting == "centred"


def test_repeated_and_leaked_images_and_small_classes_are_said(turned: Dataset, tmp_path: Path) -> None:
    images, labels, test_images, test_labels = arrays_of(turned)
    few = np.concatenate([np.flatnonzero(labels == 0)[:4], np.flatnonzero(labels != 0)])
    images, labels = images[few], labels[few]
    images, labels = np.concatenate([images, images[-2:]]), np.concatenate([labels, labels[-2:]])
    leaked = np.concatenate([test_images, images[:3]]), np.concatenate([test_labels, labels[:3]])
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, x_test=leaked[0], y_test=leaked[1])
    _, inspection = read(tmp_path / "a.npz", class_names=CLASS_NAMES)
    assert (inspection.leaked, inspection.repeated_training, inspection.repeated_test) == (3, 2, 0)
    assert "3 test images are also in the training set: the accuracy will look better than it is." in (
        inspection.warnings
    )
    assert "Fewer than 10 training images: Zero (4)." in inspection.warnings


def test_progress_ends_at_the_whole(turned: Dataset, tmp_path: Path) -> None:
    write_idx_files(turned, tmp_path)
    shares: list[float] = []
    read_dataset(tmp_path, "found", Choices(), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1


# What is refused.


def write_table(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines))
    return path


def wrong_tables() -> dict[str, tuple[Callable[[list[str]], list[str]], str]]:
    def changed(line: str, place: int, value: str) -> str:
        values = line.split(",")
        values[place] = value
        return ",".join(values)

    return {
        "text": (lambda lines: [*lines, changed(lines[0], 5, "ink")], "Line 21 "),
        "nan": (lambda lines: [*lines, changed(lines[0], 5, "nan")], "Line 21 "),
        "fraction": (lambda lines: [*lines, changed(lines[0], 5, "0.5")], "Line 21 "),
        "256": (lambda lines: [*lines, changed(lines[0], 784, "256")], "Line 21 "),
        "negative pixel": (lambda lines: [*lines, changed(lines[0], 1, "-1")], "Line 21 "),
        "ragged": (lambda lines: [*lines[:7], lines[7] + ",0", *lines[8:]], "Line 8 "),
        "float label": (lambda lines: [changed(lines[0], 0, "1.5"), *lines[1:]], "Line 1 "),
        "negative label": (lambda lines: [HEADER, changed(lines[0], 0, "-1"), *lines[1:]], "label -1"),
        "other names": (lambda lines: [HEADER.replace("pixel7,", "seven,"), *lines], "785 columns"),
        "label last": (lambda lines: [",".join([*HEADER.split(",")[1:], "label"]), *lines], "785 columns"),
        "a line without end": (lambda lines: ["0," * 100_000], "far too long"),
        "only a header": (lambda lines: [HEADER], "no images"),
        "empty": (lambda lines: [], "785 columns"),
        "one class": (lambda lines: [changed(line, 0, "4") for line in lines], "only one class"),
        "63 classes": (lambda lines: [changed(lines[0], 0, str(label)) for label in range(63)], "63 classes"),
    }


@pytest.mark.parametrize("kind", wrong_tables())
def test_wrong_table_is_one_line(kind: str, turned: Dataset, tmp_path: Path) -> None:
    change, said = wrong_tables()[kind]
    lines = change(table_lines(turned.train_images[:20], turned.train_labels[:20]))
    assert said in refusal(write_table(tmp_path / "a.csv", lines))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (0, lambda content: content[:-1], "ends before"),
        (0, lambda content: content + b"\0", "more than its header"),
        (0, lambda content: b"\0\0\x08\x01" + content[4:], "not an IDX file"),
        (0, lambda content: b"\0\0\x0d\x03" + content[4:], "not an IDX file"),
        (0, lambda content: content[:4] + struct.pack(">I", 4_000_000_000) + content[8:], "at most 500,000"),
        (0, lambda content: content[:8] + struct.pack(">II", 60_000, 60_000) + content[16:], "60,000 x 60,000"),
        (0, lambda content: content[:8] + struct.pack(">II", 1_000, 1_000) + content[16:], "ends before"),
        (0, lambda content: content[:4] + struct.pack(">III", 499_999, 999, 999), "more than 1 GB"),
        (0, lambda content: content[:4] + struct.pack(">III", 0, 28, 28), "no images"),
        (0, lambda content: b"", "not an IDX file"),
        (1, lambda content: content[:4] + struct.pack(">I", 599) + content[8:-1], "600 train images, but 599 labels"),
    ],
)
def test_idx_header_that_lies_is_one_line(
    name: int, content: Callable[[bytes], bytes], said: str, turned: Dataset, tmp_path: Path
) -> None:
    write_idx_files(turned, tmp_path, packed=False)
    path = tmp_path / IDX_NAMES[name]
    path.write_bytes(content(path.read_bytes()))
    assert said in refusal(tmp_path)


def test_gzip_bomb_is_read_no_further_than_its_header_says(turned: Dataset, tmp_path: Path) -> None:
    write_idx_files(turned, tmp_path)
    bomb = idx_bytes(turned.train_labels) + bytes(300_000_000)
    (tmp_path / f"{IDX_NAMES[1]}.gz").write_bytes(gzip.compress(bomb, 1))
    assert "more than its header" in refusal(tmp_path)


def test_damaged_gzip_and_missing_idx_file_are_one_line(turned: Dataset, tmp_path: Path) -> None:
    write_idx_files(turned, tmp_path)
    images = tmp_path / f"{IDX_NAMES[0]}.gz"
    images.write_bytes(images.read_bytes()[:-2_000])
    assert "damaged or cut off" in refusal(tmp_path)
    images.unlink()
    assert refusal(tmp_path) == "The IDX file of the train images is missing."


def test_wrong_arrays_are_one_line(turned: Dataset, tmp_path: Path) -> None:
    images, labels = turned.train_images[:50], turned.train_labels[:50]
    wrong = {
        "must hold numbers": (np.array([{}] * 50, dtype=object), labels),
        "one label for each": (images, labels[:-1]),
        "whole numbers": (images, labels.astype(np.float32)),
        "from 0 to 255": (np.where(images, np.float32("nan"), np.float32(0.5)), labels),
        "must be of shape": (images[..., np.newaxis, np.newaxis], labels),
        "no images": (images[:0], labels[:0]),
        "Fortran order": (np.asfortranarray(images), labels),
        "label -3": (images, labels.astype(np.int8) - 3),
        "only one class": (images, labels * 0),
    }
    for said, (x_train, y_train) in wrong.items():
        np.savez(tmp_path / "a.npz", x_train=x_train, y_train=y_train)
        assert said in refusal(tmp_path / "a.npz"), said
    np.savez(tmp_path / "a.npz", x=images)
    assert "x_train and y_train" in refusal(tmp_path / "a.npz")
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels)
    assert refusal(tmp_path / "a.npz", class_names=("a", "b")) == "There are 3 classes, but 2 names for them."
    header = npy_that_says((10**9, 28, 28))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("x_train.npy", header)
        archive.writestr("y_train.npy", header)
    assert "at most 500,000" in refusal(tmp_path / "a.npz")


def npy_that_says(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"shape": shape, "fortran_order": False, "descr": "|u1"})
    return file.getvalue()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["../../a/1.png", "b/2.png"], "is not a plain path"),
        (["/a/1.png", "b/2.png"], "is not a plain path"),
        (["a\\1.png", "b/2.png"], "is not a plain path"),
        (["<b>/1.png", "b/2.png"], "cannot name a class"),
        (["a/1.png", "b/2.png", "c/"], "The class folder c has no pictures."),
        (["a/1.png", "a/2.png"], "two classes or more"),
        (["1.png", "2.png"], "two classes or more"),
        (["x/y/a/1.png", "x/z/b/2.png"], "two classes or more"),
        ([f"{number}/1.png" for number in range(63)], "63 class folders"),
        (["a/1.txt"], "No data set was found"),
        ([], "No data set was found"),
    ],
)
def test_wrong_class_folders_are_one_line(names: list[str], said: str, dataset: Dataset, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(name, b"" if name.endswith("/") else png(dataset.train_images[number]))
    assert said in refusal(tmp_path / "a.zip")


def test_zip_of_a_million_entries_is_not_even_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", b"")
    content = (tmp_path / "a.zip").read_bytes()
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    count = 1_000_000
    directory_bytes = (end - start) * count
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, directory_bytes, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, start + directory_bytes, 1)
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, end - start, start, 0)  # as if there were one
    (tmp_path / "a.zip").write_bytes(content[:start] + content[start:end] * count + record + locator + last)
    monkeypatch.setattr(zipfile, "ZipFile", lambda file: pytest.fail("all entries are read"))
    assert refusal(tmp_path / "a.zip") == f"The zip has too many entries; at most {MAX_FILES:,} are read."


def test_zip_of_more_entries_than_the_old_format_can_count_is_read(dataset: Dataset, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(40):
            archive.writestr(f"{number % 2}/{number}.png", png(dataset.train_images[number]))
        for number in range(66_000):
            archive.writestr(f"0/._{number}", b"")
    _, inspection = read(tmp_path / "a.zip")
    assert sum(inspection.training_counts) + sum(inspection.test_counts) == 40


def test_pipe_in_a_folder_is_not_waited_for(turned: Dataset, tmp_path: Path) -> None:
    write_idx_files(turned, tmp_path)
    os.mkfifo(tmp_path / "emnist-train-images-idx3-ubyte")
    read(tmp_path)
    assert "cannot be read" in refusal(tmp_path / "emnist-train-images-idx3-ubyte")
    assert "cannot be read" in refusal(tmp_path / "nowhere")
