"""The own test set: kept drawings, and zips of them, including hostile ones."""

from __future__ import annotations

import io
import json
import stat
import struct
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_lib.access import DEFAULT_LIMITS, Access, Visitor
from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing import own_test_set as own_digits
from mnist_lib.drawing.normalization import normalize_drawing
from mnist_lib.drawing.own_test_set import (
    LIST_NAME,
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_SIDE_PX,
    OwnDigit,
    OwnDigits,
    OwnDigitsError,
    identify_drawing,
)
from tests.support.disks import mounted_disk
from tests.support.processes import Python


@pytest.fixture
def own(tmp_path: Path) -> OwnDigits:
    """A set without drawings."""
    return OwnDigits(tmp_path / "drawings")


@pytest.fixture
def inks(dataset: Dataset) -> list[np.ndarray]:
    """Three test digits, a 7, a 2 and a 1, as if drawn on a canvas: float32, (280, 280)."""
    return [enlarge(image) for image in dataset.test_images[:3]]


def enlarge(image: np.ndarray, side_px: int = 280) -> np.ndarray:
    picture = Image.fromarray(image).resize((side_px, side_px), Image.Resampling.BILINEAR)
    return np.asarray(picture, dtype=np.float32) / 255


def files(own: OwnDigits) -> dict[str, bytes]:
    """Return everything in the folder but the lock."""
    paths = own.path.iterdir() if own.path.exists() else []
    return {path.name: path.read_bytes() for path in paths if path.name != ".lock"}


def labels_by_id(own: OwnDigits) -> dict[str, int]:
    return {digit.digit_id: digit.label for digit in own.read().digits}


def encode(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


# Keeping, correcting, deleting.


def test_set_lies_beside_the_runs(tmp_path: Path) -> None:
    assert OwnDigits.beside(tmp_path / "runs").path == tmp_path / "drawings"


def test_set_without_a_folder_is_empty_and_makes_none(own: OwnDigits, inks: list[np.ndarray]) -> None:
    snapshot = own.read()
    assert (snapshot.digits, snapshot.damaged) == ([], 0)
    assert snapshot.images.shape == (0, 28, 28)
    assert own.find(inks[0]) is None
    assert not own.path.exists()


def test_kept_drawing_is_a_grey_picture_and_a_line(own: OwnDigits, inks: list[np.ndarray]) -> None:
    digit = own.add(inks[0], 7, "canvas")
    with Image.open(own.path / f"{digit.digit_id}.png") as picture:
        assert (picture.mode, picture.size) == ("L", (280, 280))
        np.testing.assert_array_equal(np.asarray(picture), np.round(inks[0] * 255))
    (line,) = (own.path / LIST_NAME).read_text().splitlines()
    assert json.loads(line) == {
        "file": f"{digit.digit_id}.png",
        "digit": 7,
        "created_at": digit.created_at,
        "source": "canvas",
    }
    assert len(files(own)) == 2


def test_another_reader_sees_what_the_network_saw(own: OwnDigits, inks: list[np.ndarray]) -> None:
    for ink, label in zip(inks, (7, 2, 1), strict=True):
        own.add(ink, label, "canvas")
    snapshot = OwnDigits(own.path).read()
    assert [digit.label for digit in snapshot.digits] == [7, 2, 1]
    np.testing.assert_array_equal(snapshot.labels, [7, 2, 1])
    np.testing.assert_array_equal(snapshot.images, [normalize_drawing(ink).image for ink in inks])
    for digit, ink in zip(snapshot.digits, inks, strict=True):
        np.testing.assert_array_equal(own.ink(digit), ink)


def test_same_drawing_is_kept_once_with_the_newest_digit(own: OwnDigits, inks: list[np.ndarray]) -> None:
    first = own.add(inks[0], 7, "canvas")
    own.add(inks[1], 2, "canvas")
    again = own.add(inks[0].copy(), 1, "picture")
    assert again == OwnDigit(first.digit_id, 1, first.created_at, "canvas")
    assert [digit.label for digit in own.read().digits] == [1, 2]
    assert own.find(inks[0]) == again


def test_one_pixel_or_another_shape_makes_another_drawing(inks: list[np.ndarray]) -> None:
    changed = inks[0].copy()
    changed[0, 0] = 1
    square = np.ones((4, 4), np.float32)
    ids = [identify_drawing(ink) for ink in (inks[0], changed, square, square.reshape(2, 8), square.reshape(8, 2))]
    assert len(set(ids)) == 5


def test_large_picture_is_made_smaller_in_proportion(own: OwnDigits, dataset: Dataset) -> None:
    large = np.zeros((1_500, 3_000), np.float32)
    large[:1_500, :1_500] = enlarge(dataset.test_images[0], 1_500)
    digit = own.add(large, 7, "picture")
    assert own.ink(digit).shape == (500, 1_000)
    assert own.find(large) == digit
    np.testing.assert_allclose(own.read().images[0], normalize_drawing(large).image, atol=25)


@pytest.mark.parametrize(("label", "source"), [(10, "canvas"), (-1, "canvas"), (7, "a friend")])
def test_foreign_label_or_source_is_a_mistake_of_the_caller(
    label: int, source: str, own: OwnDigits, inks: list[np.ndarray]
) -> None:
    with pytest.raises(ValueError, match="no label or source"):
        own.add(inks[0], label, source)
    assert files(own) == {}


def test_empty_paper_is_not_kept(own: OwnDigits) -> None:
    with pytest.raises(OwnDigitsError, match="There is no ink in it"):
        own.add(np.zeros((280, 280), np.float32), 0, "canvas")
    assert files(own) == {}


def test_delete_takes_picture_and_line_and_its_zip_brings_them_back(own: OwnDigits, inks: list[np.ndarray]) -> None:
    first, second, third = (own.add(ink, label, "canvas") for ink, label in zip(inks, (7, 2, 1), strict=True))
    before = own.read()
    undo = own.to_zip([first, third])
    own.delete([first.digit_id, third.digit_id])
    assert own.read().digits == [second]
    assert set(files(own)) == {LIST_NAME, f"{second.digit_id}.png"}
    assert own.load_zip(io.BytesIO(undo)) == (2, 0)
    assert own.read().digits == before.digits
    np.testing.assert_array_equal(own.read().images, before.images)


def test_delete_of_what_is_gone_leaves_the_rest(own: OwnDigits, inks: list[np.ndarray]) -> None:
    digit = own.add(inks[0], 7, "canvas")
    own.delete(["0" * 16, "../../etc/passwd"])
    assert own.read().digits == [digit]


def test_clear_deletes_all_of_the_set_and_nothing_else(own: OwnDigits, inks: list[np.ndarray]) -> None:
    own.add(inks[0], 7, "canvas")
    (own.path / LIST_NAME).write_bytes((own.path / LIST_NAME).read_bytes() + b"garbage\n")
    (own.path / "holiday.png").write_bytes(b"not ours")
    own.clear()
    assert own.read().damaged == 0
    assert files(own) == {"holiday.png": b"not ours"}
    own.clear()


# Damage.


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"\xff\xfe",
        b"[1, 2]",
        b"[" * 100_000,
        b'{"digit": 7, "created_at": 1.0, "source": "canvas"}',
        b'{"file": "NAME", "digit": 10, "created_at": 1.0, "source": "canvas"}',
        b'{"file": "NAME", "digit": true, "created_at": 1.0, "source": "canvas"}',
        b'{"file": "NAME", "digit": 7.0, "created_at": 1.0, "source": "canvas"}',
        b'{"file": "NAME", "digit": 7, "created_at": NaN, "source": "canvas"}',
        b'{"file": "NAME", "digit": 7, "created_at": 1e300, "source": "canvas"}',
        b'{"file": "NAME", "digit": 7, "created_at": 1.0, "source": ["canvas"]}',
        b'{"file": "../secret.png", "digit": 7, "created_at": 1.0, "source": "canvas"}',
    ],
)
def test_wrong_line_is_passed_over_counted_and_not_lost(line: bytes, own: OwnDigits, inks: list[np.ndarray]) -> None:
    digit = own.add(inks[0], 7, "canvas")
    (own.path.parent / "secret.png").write_bytes(encode(np.full((28, 28), 255, np.uint8)))
    wrong = line.replace(b"NAME", f"{digit.digit_id}.png".encode())
    path = own.path / LIST_NAME
    path.write_bytes(wrong + b"\n" + path.read_bytes())
    snapshot = own.read()
    assert (snapshot.digits, snapshot.damaged) == ([digit], 1)
    own.add(inks[1], 2, "canvas")
    assert own.read().damaged == 1
    assert wrong in path.read_bytes().splitlines()


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"no picture"),
        lambda path: path.write_bytes(path.read_bytes()[:-200]),
        lambda path: Image.new("RGB", (28, 28), "white").save(path),
        lambda path: Image.new("L", (28, 28)).save(path),
        lambda path: Image.new("L", (MAX_SIDE_PX + 1, 1), 255).save(path),
    ],
    ids=["missing", "garbage", "cut", "coloured", "blank", "too large"],
)
def test_wrong_picture_is_passed_over_and_counted_until_it_is_kept_again(
    damage: Callable[[Path], object], own: OwnDigits, inks: list[np.ndarray]
) -> None:
    first, second = own.add(inks[0], 7, "canvas"), own.add(inks[1], 2, "canvas")
    own.read()  # an image that was read before must not hide the damage
    damage(own.path / f"{first.digit_id}.png")
    snapshot = own.read()
    assert (snapshot.digits, snapshot.damaged) == ([second], 1)
    assert len(snapshot.images) == 1
    with zipfile.ZipFile(io.BytesIO(own.to_zip())) as archive:
        assert len(archive.namelist()) == 2
    own.add(inks[0], 7, "canvas")
    assert own.read().digits == [first, second]


def test_unreadable_list_says_so_and_is_not_written_over(own: OwnDigits, inks: list[np.ndarray]) -> None:
    (own.path / LIST_NAME).mkdir(parents=True)
    for use in (own.read, lambda: own.add(inks[0], 7, "canvas"), lambda: own.delete(["0" * 16]), own.clear):
        with pytest.raises(OwnDigitsError) as raised:
            use()
        assert "\n" not in str(raised.value)
    assert (own.path / LIST_NAME).is_dir()


# Two windows, full disks.


def test_two_windows_that_write_at_once_lose_nothing(own: OwnDigits, dataset: Dataset) -> None:
    inks = [enlarge(image, 56) for image in dataset.test_images[:24]]
    labels = dataset.test_labels[:24].tolist()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda ink, label: OwnDigits(own.path).add(ink, label, "canvas"), inks, labels))
    assert labels_by_id(own) == {identify_drawing(ink): label for ink, label in zip(inks, labels, strict=True)}


def test_window_that_another_keeps_waiting_says_so(
    own: OwnDigits, inks: list[np.ndarray], python: Python, monkeypatch: pytest.MonkeyPatch
) -> None:
    own.add(inks[0], 7, "canvas")
    monkeypatch.setattr(own_digits, "LOCK_TIMEOUT_S", 0.1)
    script = "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); print('held'); input()"
    other = python.start("-u", "-c", script, own.path / ".lock")
    assert other.stdout
    assert other.stdout.readline() == "held\n"
    with pytest.raises(OwnDigitsError, match="Another window is saving"):
        own.add(inks[1], 2, "canvas")
    assert len(own.read().digits) == 1


def test_folder_that_cannot_be_made_is_one_line(tmp_path: Path, inks: list[np.ndarray]) -> None:
    (tmp_path / "drawings").write_text("a file in its place")
    own = OwnDigits(tmp_path / "drawings")
    with pytest.raises(OwnDigitsError, match=r"Cannot write to .*drawings: File exists\."):
        own.add(inks[0], 7, "canvas")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    with mounted_disk(tmp_path / "disk", "64k") as folder:
        yield folder


def test_full_disk_keeps_what_was_there(small_disk: Path, own: OwnDigits, inks: list[np.ndarray]) -> None:
    noise = np.random.default_rng(0).random((200, 200), dtype=np.float32)  # 40 kB, whatever packs it
    small = OwnDigits(small_disk / "drawings")
    kept = small.add(inks[0], 7, "canvas")
    before = files(small)
    small.path.joinpath("filler.bin").write_bytes(bytes(8_000))
    before["filler.bin"] = bytes(8_000)
    own.add(inks[1], 2, "canvas")
    own.add(noise, 0, "picture")
    own.add(noise.T, 1, "picture")
    for use in (
        lambda: [small.add(noise, 0, "picture"), small.add(noise.T, 1, "picture")],
        lambda: small.load_zip(io.BytesIO(own.to_zip())),
    ):
        with pytest.raises(OwnDigitsError, match="No space left on device"):
            use()
        small.delete([digit.digit_id for digit in small.read().digits if digit != kept])
        assert files(small) == before


def test_set_that_is_full_takes_no_more(
    own: OwnDigits, inks: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    own.add(inks[0], 7, "canvas")
    own.add(inks[1], 2, "canvas")
    monkeypatch.setattr(own_digits, "MAX_DRAWINGS", 2)
    with pytest.raises(OwnDigitsError, match="That would be 3 drawings; at most 2 can be kept"):
        own.add(inks[2], 1, "canvas")
    own.add(inks[0], 1, "canvas")  # a correction takes no room
    monkeypatch.setattr(own_digits, "MAX_DRAWINGS", 3)
    monkeypatch.setattr(own_digits, "_BYTES_PER_DRAWING", 30)
    with pytest.raises(OwnDigitsError, match="There is no more room"):
        own.add(inks[2], 1, "canvas")
    assert len(own.read().digits) == 2
    assert len(files(own)) == 3


def test_each_pupil_has_a_set_in_a_folder_with_one_limit(tmp_path: Path, inks: list[np.ndarray]) -> None:
    def set_of(visitor_id: str) -> OwnDigits:
        limits = replace(DEFAULT_LIMITS["class"], drawings=2)
        return OwnDigits.beside(tmp_path / "runs", Access("class", limits, Visitor(visitor_id, "Anna")))

    anna, other_anna = set_of("../../a1"), set_of("a2")
    assert anna.path.parent == tmp_path / "drawings"
    anna.add(inks[0], 7, "canvas")
    other_anna.add(inks[1], 2, "canvas")
    assert [digit.label for digit in anna.read().digits] == [7]
    with pytest.raises(OwnDigitsError, match="no more room for drawings here"):
        anna.add(inks[2], 1, "canvas")
    other_anna.clear()
    assert len(anna.read().digits) == 1
    anna.add(inks[2], 1, "canvas")


def test_installation_may_allow_fewer_drawings(tmp_path: Path, inks: list[np.ndarray]) -> None:
    few = OwnDigits(tmp_path / "drawings", limit=1)
    few.add(inks[0], 7, "canvas")
    with pytest.raises(OwnDigitsError, match="at most 1 can be kept"):
        few.add(inks[1], 2, "canvas")


# Zips.


def make_zip(
    *entries: tuple[str | zipfile.ZipInfo, bytes], compression: int = zipfile.ZIP_STORED, comment: bytes = b""
) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, content in entries:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a name for the second time
                archive.writestr(name, content)
        archive.comment = comment
    return file.getvalue()


def make_line(name: str = "a.png", **changes: object) -> bytes:
    values = {"file": name, "digit": 7, "created_at": 1_700_000_000.5, "source": "canvas"}
    return json.dumps(values | changes).encode() + b"\n"


@pytest.fixture(scope="session")
def png(dataset: Dataset) -> bytes:
    """A seven as a picture of a test set."""
    return encode(np.round(enlarge(dataset.test_images[0]) * 255).astype(np.uint8))


def test_zip_of_a_set_fills_another_one(own: OwnDigits, inks: list[np.ndarray], tmp_path: Path) -> None:
    for ink, label in zip(inks, (7, 2, 1), strict=True):
        own.add(ink, label, "picture")
    other = OwnDigits(tmp_path / "other")
    assert other.load_zip(io.BytesIO(own.to_zip())) == (3, 0)
    assert other.read().digits == own.read().digits
    assert files(other) == files(own)


def test_empty_set_makes_a_zip_that_loads(own: OwnDigits) -> None:
    assert own.load_zip(io.BytesIO(own.to_zip())) == (0, 0)


def test_two_zips_merge_without_doubles_and_own_digits_stay(
    own: OwnDigits, inks: list[np.ndarray], tmp_path: Path
) -> None:
    other = OwnDigits(tmp_path / "other")
    other.add(inks[0], 4, "canvas")
    other.add(inks[1], 2, "canvas")
    mine = own.add(inks[0], 7, "canvas")
    assert own.load_zip(io.BytesIO(other.to_zip())) == (1, 1)
    assert own.load_zip(io.BytesIO(other.to_zip())) == (0, 2)
    assert labels_by_id(own) == {mine.digit_id: 7, identify_drawing(inks[1]): 2}


def test_hand_made_zip_may_use_any_picture_names(own: OwnDigits, inks: list[np.ndarray], png: bytes) -> None:
    own.load_zip(io.BytesIO(make_zip((LIST_NAME, make_line("My first 7.png")), ("My first 7.png", png))))
    assert labels_by_id(own) == {identify_drawing(inks[0]): 7}
    assert own.find(inks[0]) == OwnDigit(identify_drawing(inks[0]), 7, 1_700_000_000.5, "canvas")


def test_loaded_picture_is_encoded_again(own: OwnDigits, png: bytes) -> None:
    own.load_zip(io.BytesIO(make_zip((LIST_NAME, make_line()), ("a.png", png + b"<script>a passenger</script>"))))
    assert [content for name, content in files(own).items() if name.endswith(".png")] == [png]


def as_link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def encrypt(content: bytes) -> bytes:
    """Set the flag of an encrypted entry in every header of a zip."""
    changed = bytearray(content)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        position = changed.find(signature)
        while position >= 0:
            changed[position + offset] |= 1
            position = changed.find(signature, position + 4)
    return bytes(changed)


def understate(content: bytes, real_size: int, size: int) -> bytes:
    """Let every header of a zip declare a smaller size than an entry really has."""
    before, after = struct.pack("<L", real_size), struct.pack("<L", size)
    assert content.count(before) == 2
    return content.replace(before, after)


def line_and(png: bytes, **changes: object) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    return (LIST_NAME, make_line("a.png", **changes)), ("a.png", png)


HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "empty file": (lambda png: b"", "not a zip file"),
    "a picture": (lambda png: png, "not a zip file"),
    "cut": (lambda png: make_zip(*line_and(png))[:-5], "not a zip file"),
    "with a comment": (lambda png: make_zip(*line_and(png), comment=b"PK\x05\x06"), "not a zip file"),
    "garbled directory": (lambda png: make_zip(*line_and(png)).replace(b"PK\x01\x02", b"PK\x01\x09"), "damaged"),
    "garbled picture": (
        lambda png: make_zip(*line_and(png)).replace(b"IDAT", b"IDAX"),
        "damaged",  # the zip's own checksum
    ),
    "encrypted": (lambda png: encrypt(make_zip(*line_and(png))), "drawings.jsonl is encrypted"),
    "path above": (lambda png: make_zip(*line_and(png), ("../evil.png", png)), r"\.\./evil\.png is a path"),
    "absolute path": (lambda png: make_zip(*line_and(png), ("/etc/evil.png", png)), "is a path"),
    "path of Windows": (lambda png: make_zip(*line_and(png), ("..\\evil.png", png)), "is a path"),
    "drive of Windows": (lambda png: make_zip(*line_and(png), ("C:evil.png", png)), "C.evil.png is a path"),
    "folder": (lambda png: make_zip(*line_and(png), ("more/", b"")), "more/ is a path"),
    "file in a folder": (lambda png: make_zip((f"more/{LIST_NAME}", make_line())), "is a path"),
    "link": (lambda png: make_zip((LIST_NAME, make_line()), (as_link("a.png"), b"/etc/passwd")), "a.png is a link"),
    "linked list": (lambda png: make_zip((as_link(LIST_NAME), b"/etc/passwd")), "is a link"),
    "program": (lambda png: make_zip(*line_and(png), ("run.exe", b"MZ")), "run.exe is neither"),
    "markup in a name": (
        lambda png: make_zip(*line_and(png), ("![](x)<b>\n" * 20, b"")),
        r"loaded: [^!<\[\]()\n]{1,60} is neither",
    ),
    "same name twice": (lambda png: make_zip(*line_and(png), ("a.png", png)), "a.png is in it twice"),
    "bzip2": (lambda png: make_zip(*line_and(png), compression=zipfile.ZIP_BZIP2), "packed in an unsupported way"),
    "lzma": (lambda png: make_zip(*line_and(png), compression=zipfile.ZIP_LZMA), "packed in an unsupported way"),
    "large entry": (
        lambda png: make_zip(*line_and(bytes(MAX_ENTRY_BYTES + 1)), compression=zipfile.ZIP_DEFLATED),
        "a.png has more than 2 MB",
    ),
    "large in all": (
        lambda png: make_zip(
            (LIST_NAME, b""),
            *((f"{number}.png", bytes(MAX_ENTRY_BYTES)) for number in range(26)),
            compression=zipfile.ZIP_DEFLATED,
        ),
        "more than 50 MB",
    ),
    "bomb": (
        lambda png: understate(
            make_zip((LIST_NAME, make_line()), ("a.png", bytes(60_000_001)), compression=zipfile.ZIP_DEFLATED),
            60_000_001,
            100,
        ),
        "damaged",
    ),
    "too many entries": (
        lambda png: make_zip(*((f"{number}.png", b"") for number in range(MAX_ENTRIES + 1))),
        "too many entries; at most 2,001",
    ),
    "no list": (lambda png: make_zip(("a.png", png)), "holds no drawings.jsonl"),
    "empty zip": (lambda png: make_zip(), "holds no drawings.jsonl"),
    "line that is no JSON": (
        lambda png: make_zip((LIST_NAME, make_line() + b"nonsense"), ("a.png", png)),
        "Line 2 of drawings.jsonl in the zip is wrong: it is not JSON",
    ),
    "endless line": (lambda png: make_zip((LIST_NAME, b"[" * 1_000_000)), "Line 1 .* is not JSON"),
    "list of bytes": (lambda png: make_zip((LIST_NAME, b"\xff\xfe\x00")), "Line 1 .* is not JSON"),
    "number as a line": (lambda png: make_zip((LIST_NAME, b"7")), "Line 1 .* is not an object"),
    "digit ten": (lambda png: make_zip(*line_and(png, digit=10)), "whole number from 0 to 9"),
    "digit below nought": (lambda png: make_zip(*line_and(png, digit=-1)), "whole number from 0 to 9"),
    "digit as text": (lambda png: make_zip(*line_and(png, digit="7")), "whole number from 0 to 9"),
    "digit as truth": (lambda png: make_zip(*line_and(png, digit=True)), "whole number from 0 to 9"),
    "endless digit": (
        lambda png: make_zip((LIST_NAME, b'{"file": "a.png", "digit": ' + b"9" * 10_000 + b"}"), ("a.png", png)),
        "Line 1",
    ),
    "time as text": (lambda png: make_zip(*line_and(png, created_at="today")), "created_at must be"),
    "time without end": (lambda png: make_zip(*line_and(png, created_at=float("inf"))), "created_at must be"),
    "foreign source": (lambda png: make_zip(*line_and(png, source="web")), "source must be canvas or picture"),
    "line for no file": (lambda png: make_zip((LIST_NAME, make_line())), "names a file that is not in the zip"),
    "line for the list": (lambda png: make_zip((LIST_NAME, make_line(LIST_NAME))), "not in the zip"),
    "line twice": (lambda png: make_zip((LIST_NAME, make_line() * 2), ("a.png", png)), "Line 2 .* second time"),
    "file without a line": (lambda png: make_zip(*line_and(png), ("b.png", png)), "does not name b.png"),
    "text as a picture": (lambda png: make_zip(*line_and(b"a poem")), "a.png in the zip: It cannot be read as a PNG"),
    "cut picture": (lambda png: make_zip(*line_and(png[:-300])), "cannot be read as a PNG"),
    "JPEG as a picture": (lambda png: make_zip(*line_and(as_jpeg(png))), "cannot be read as a PNG"),
    "coloured picture": (
        lambda png: make_zip(*line_and(encode(np.full((28, 28, 3), 255, np.uint8)))),
        "not in 8-bit grey",
    ),
    "16-bit picture": (lambda png: make_zip(*line_and(encode(np.full((28, 28), 65_535, np.uint16)))), "8-bit grey"),
    "wide picture": (
        lambda png: make_zip(*line_and(encode(np.full((2, MAX_SIDE_PX + 1), 255, np.uint8)))),
        "more than 1,000 pixels a side",
    ),
    "picture bomb": (lambda png: make_zip(*line_and(make_picture_bomb())), "PNG|pixels a side"),
    "blank picture": (lambda png: make_zip(*line_and(encode(np.zeros((28, 28), np.uint8)))), "There is no ink"),
}  # fmt: skip


def as_jpeg(png: bytes) -> bytes:
    file = io.BytesIO()
    Image.open(io.BytesIO(png)).save(file, "JPEG")
    return file.getvalue()


def make_picture_bomb() -> bytes:
    """A PNG whose header promises 50,000 x 50,000 pixels."""
    content = encode(np.full((2, 2), 255, np.uint8))
    return content[:16] + struct.pack(">LL", 50_000, 50_000) + content[24:]


@pytest.mark.parametrize(("make", "line"), HOSTILE.values(), ids=HOSTILE.keys())
def test_zip_that_is_not_right_is_refused_in_one_line_and_nothing_is_written(
    make: Callable[[bytes], bytes], line: str, own: OwnDigits, png: bytes
) -> None:
    content = make(png)
    with pytest.raises(OwnDigitsError, match=line) as raised:
        own.load_zip(io.BytesIO(content))
    assert len(str(raised.value).splitlines()) == 1
    assert len(str(raised.value)) < 200
    assert not own.path.exists()


def test_refused_zip_leaves_the_set_as_it_was(own: OwnDigits, inks: list[np.ndarray], png: bytes) -> None:
    own.add(inks[1], 2, "canvas")
    before = files(own)
    # The first drawing of the zip is sound.
    content = make_zip((LIST_NAME, make_line() + make_line("b.png")), ("a.png", png), ("b.png", b"a poem"))
    with pytest.raises(OwnDigitsError):
        own.load_zip(io.BytesIO(content))
    assert files(own) == before


class Reads(io.BytesIO):
    """A file that remembers how many bytes were asked of it at most."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.longest = 0

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.longest = max(self.longest, len(content))
        return content


@pytest.mark.parametrize(("count", "honest"), [(MAX_ENTRIES + 1, True), (1_000_000, True), (1_000_000, False)])
def test_directory_of_a_zip_with_too_many_entries_is_not_even_read(count: int, honest: bool, own: OwnDigits) -> None:
    # One entry's record again and again: to write a million of them, zipfile would take half a minute.
    content = make_zip(("a.png", b""))
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    directory = content[start:end] * count
    declared = min(count, 65_535) if honest else 1
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, declared, declared, len(directory), start, 0)
    file = Reads(content[:start] + directory + record)
    with pytest.raises(OwnDigitsError, match="too many entries"):
        own.load_zip(file)
    assert file.longest < 100


def test_zip_that_hides_a_few_entries_too_many_is_refused(own: OwnDigits) -> None:
    content = make_zip(("a.png", b""))
    start, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    directory = content[start:end] * (MAX_ENTRIES + 1)
    record = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(directory), start, 0)
    with pytest.raises(OwnDigitsError, match="too many entries"):
        own.load_zip(io.BytesIO(content[:start] + directory + record))


def test_bomb_is_never_unpacked(own: OwnDigits) -> None:
    content, _ = HOSTILE["bomb"]
    file = io.BytesIO(content(b""))
    tracemalloc.start()
    try:
        with pytest.raises(OwnDigitsError):
            own.load_zip(file)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak_bytes < 4 * MAX_ENTRY_BYTES


def test_large_form_of_a_zip_is_refused_before_it_is_read(own: OwnDigits) -> None:
    content = make_zip(("a.png", b""))
    end = content.index(b"PK\x05\x06")
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    with pytest.raises(OwnDigitsError, match="too many entries"):
        own.load_zip(io.BytesIO(content[:end] + locator + content[end:]))


def test_zip_of_the_largest_set_is_taken(own: OwnDigits, tmp_path: Path) -> None:
    """As many drawings as fit, as small as they can be: the record at its end stays within what is read."""
    lines, entries = [], []
    for number in range(MAX_ENTRIES - 1):
        name = f"{number:016x}.png"
        lines.append(make_line(name))
        entries.append((name, b""))
    content = make_zip((LIST_NAME, b"".join(lines)), *entries)
    with pytest.raises(OwnDigitsError, match="cannot be read as a PNG"):  # so all before that was passed
        own.load_zip(io.BytesIO(content))


def test_zip_of_small_files_with_too_many_pixels_is_refused(own: OwnDigits) -> None:
    # Each takes a few kilobytes and 20 ms: 2,000 of them would take the whole server 40 s.
    pixels = np.zeros((MAX_SIDE_PX, MAX_SIDE_PX), np.uint8)
    names = [f"{number}.png" for number in range(201)]
    entries = []
    for number, name in enumerate(names):
        pixels[number] = 255
        entries.append((name, encode(pixels)))
    with pytest.raises(OwnDigitsError, match=r"^The drawings in the zip have more than 200 million pixels in all\.$"):
        own.load_zip(io.BytesIO(make_zip((LIST_NAME, b"".join(map(make_line, names))), *entries)))
    assert not own.path.exists()


def test_set_holds_no_more_pixels_than_a_zip_may_bring(
    own: OwnDigits, inks: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own.add(inks[0], 7, "canvas")
    pixels = inks[0].size
    monkeypatch.setattr(own_digits, "MAX_PIXELS", 2 * pixels)
    own.add(inks[1], 2, "canvas")
    with pytest.raises(OwnDigitsError, match="no more room: drawings of"):
        own.add(inks[2], 1, "canvas")
    assert len(own.read().digits) == 2
    own.add(inks[1], 3, "canvas")  # is there already
    own.delete([first.digit_id])
    own.add(inks[2], 1, "canvas")
    own.load_zip(io.BytesIO(own.to_zip()))


def test_hand_drawn_stroke_round_trips_through_a_file(own: OwnDigits, tmp_path: Path) -> None:
    picture = Image.new("L", (280, 280))
    ImageDraw.Draw(picture).line([(60, 60), (220, 60), (120, 240)], fill=255, width=20)
    own.add(np.asarray(picture, dtype=np.float32) / 255, 7, "canvas")
    path = tmp_path / "drawings.zip"
    path.write_bytes(own.to_zip())
    own.clear()
    with path.open("rb") as file:
        assert own.load_zip(file) == (1, 0)
    np.testing.assert_array_equal(own.ink(own.read().digits[0]) * 255, np.asarray(picture))
