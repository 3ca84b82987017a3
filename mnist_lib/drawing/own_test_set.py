"""A person's own test set: drawings kept with their true digit, in a folder beside the runs.

``drawings/`` holds one PNG per drawing and ``drawings.jsonl``, one object per line: file,
digit, created_at and source. A picture is named after its pixels, so the same drawing
is kept only once. Pictures are written first and the list last: a drawing is in the set
when the list names it.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import time
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from mnist_lib.access import Access
from mnist_lib.data.dataset import IMAGE_SIZE_PX
from mnist_lib.drawing.normalization import DrawingError, normalize_drawing
from mnist_lib.evaluation.predictions import DIGITS
from mnist_lib.storage.files import file_stamp, read_file, require_file, write_whole
from mnist_lib.storage.zip_reading import EntryError, ZipError, ZipLimits, open_zip, shown

LIST_NAME = "drawings.jsonl"
SOURCES = ("canvas", "picture")

# The limits of a zip, and so of a set: it can always be loaded again, in a few seconds.
# The canvas has 280 x 280 pixels: the maximum number of its drawings always fits.
MAX_DRAWINGS = 2_000
MAX_PIXELS = 200_000_000
MAX_SIDE_PX = 1_000
MAX_ENTRIES = MAX_DRAWINGS + 1  # the list is an entry as well
MAX_ENTRY_BYTES = 2_000_000
MAX_TOTAL_BYTES = 50_000_000

# The pictures of a folder, for each drawing that it may hold; a full set's zip also has the list.
_BYTES_PER_DRAWING = (MAX_TOTAL_BYTES - MAX_ENTRY_BYTES) // MAX_DRAWINGS

# How long a window waits while another one writes.
LOCK_TIMEOUT_S = 10.0


class OwnDigitsError(Exception):
    """The own test set cannot be used as requested. The message is one line."""


@dataclass(frozen=True)
class OwnDigit:
    """One kept drawing.

    Attributes:
        digit_id: 16 hexadecimal digits, made from the pixels.
        label: The true digit, 0 to 9.
        created_at: When it was first kept, seconds since the epoch.
        source: One of SOURCES.
    """

    digit_id: str
    label: int
    created_at: float
    source: str


class OwnDigitsSnapshot(NamedTuple):
    """The set at one moment.

    Attributes:
        digits: The drawings that can be read, oldest first.
        images: uint8, (n, 28, 28), 0 to 255: what a network sees of each.
        damaged: How many lines or pictures cannot be read and are skipped.
    """

    digits: list[OwnDigit]
    images: np.ndarray
    damaged: int

    @property
    def labels(self) -> np.ndarray:
        """The true digits: int64, (n,), 0 to 9."""
        return np.array([digit.label for digit in self.digits], dtype=np.int64)


class Loaded(NamedTuple):
    """The result of loading a zip.

    Attributes:
        added: Drawings that are new.
        known: Drawings that were in the set before; they keep their digit from the set.
    """

    added: int
    known: int


class OwnDigits:
    """The folder of a person's own drawings. It is created with the first one.

    Args:
        path: The folder.
        limit: How many drawings it may hold; a set has at most ``MAX_DRAWINGS`` anyway.
        shared: A folder of many persons' folders, to which the limit then applies.
    """

    def __init__(self, path: Path, limit: int = MAX_DRAWINGS, shared: Path | None = None) -> None:
        self.path = path
        self.limit = limit
        self.shared = shared

    @classmethod
    def beside(cls, runs_path: Path, access: Access | None = None) -> OwnDigits:
        """Return the set that belongs to a folder of runs.

        Args:
            runs_path: The folder of the runs.
            access: In class, each visitor has a folder of their own.
        """
        path = runs_path.parent / "drawings"
        if access is None or access.visitor is None:
            return cls(path)
        if access.mode == "private":
            return cls(path, access.limits.drawings)
        name = hashlib.sha256(access.visitor.visitor_id.encode()).hexdigest()[:16]
        return cls(path / name, access.limits.drawings, shared=path)

    # Reading.

    def read(self) -> OwnDigitsSnapshot:
        """Return the set as it is now; what is damaged is skipped and counted.

        Raises:
            OwnDigitsError: There is a list that cannot be read.
        """
        listed, damaged_lines = self._read_list()
        digits, images = [], []
        for digit in sorted(listed.values(), key=lambda digit: digit.created_at):
            path = self._picture_path(digit.digit_id)
            with suppress(OSError, OwnDigitsError):
                images.append(_read_image(path, file_stamp(path)))
                digits.append(digit)
        return OwnDigitsSnapshot(
            digits,
            np.stack(images) if images else np.zeros((0, IMAGE_SIZE_PX, IMAGE_SIZE_PX), dtype=np.uint8),
            len(listed) - len(digits) + len(damaged_lines),
        )

    def find(self, ink: np.ndarray) -> OwnDigit | None:
        """Return how this drawing is kept, or None.

        Args:
            ink: float32, (height, width), 0 (paper) to 1 (ink).

        Raises:
            OwnDigitsError: There is a list that cannot be read.
        """
        return self._read_list()[0].get(identify_drawing(ink))

    def ink(self, digit: OwnDigit) -> np.ndarray:
        """Return a drawing as it was kept.

        Returns:
            float32, (height, width), 0 (paper) to 1 (ink).

        Raises:
            OwnDigitsError: Its picture is missing or damaged.
        """
        return _pixels_to_ink(_decode_picture(self._read_picture(digit)))

    def to_zip(self, digits: Iterable[OwnDigit] | None = None) -> bytes:
        """Return drawings as a zip that ``load_zip`` can load, by default all that can be read.

        Raises:
            OwnDigitsError: A picture or the list cannot be read.
        """
        chosen = list(self.read().digits if digits is None else digits)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(LIST_NAME, b"".join(map(_make_line, chosen)), zipfile.ZIP_DEFLATED)
            for digit in chosen:
                archive.writestr(_picture_name(digit.digit_id), self._read_picture(digit))
        return file.getvalue()

    # Writing: under a lock, for a set can be open in two windows.

    def add(self, ink: np.ndarray, label: int, source: str) -> OwnDigit:
        """Keep a drawing with its true digit; a drawing that is already kept gets this digit.

        Args:
            ink: float32, (height, width), 0 (paper) to 1 (ink), reduced if a side exceeds 1,000 pixels.
            label: The true digit, 0 to 9.
            source: One of SOURCES.

        Raises:
            OwnDigitsError: There is no ink, the set is full, or the folder cannot be written.
            ValueError: The label or the source is not one of these.
        """
        if label not in DIGITS or source not in SOURCES:
            raise ValueError(f"no label or source of a drawing: {label!r}, {source!r}")
        pixels = _ink_to_pixels(ink)
        _normalize(pixels)  # raises if there is no ink
        digit = OwnDigit(_identify_pixels(pixels), int(label), time.time(), source)
        with self._writing():
            listed, damaged_lines = self._read_list()
            if known := listed.get(digit.digit_id):
                digit = replace(known, label=digit.label)
            self._save({digit.digit_id: _encode_picture(pixels)}, listed | {digit.digit_id: digit}, damaged_lines)
        return digit

    def delete(self, digit_ids: Collection[str]) -> None:
        """Delete drawings. A zip that ``to_zip`` made of them before can restore them.

        Raises:
            OwnDigitsError: The folder cannot be written. Nothing is deleted then.
        """
        with self._writing():
            listed, damaged_lines = self._read_list()
            left = {digit_id: digit for digit_id, digit in listed.items() if digit_id not in digit_ids}
            self._write_list(left.values(), damaged_lines)
            for digit_id in listed.keys() - left.keys():
                with suppress(OSError):  # the list does not name it any more
                    self._picture_path(digit_id).unlink()

    def clear(self) -> None:
        """Delete every drawing, and everything that is damaged.

        Raises:
            OwnDigitsError: The folder cannot be written.
        """
        with self._writing():
            (self.path / LIST_NAME).unlink(missing_ok=True)
            for path in self.path.glob("*.png"):
                if _ID.fullmatch(path.stem):
                    path.unlink(missing_ok=True)

    def load_zip(self, file: BinaryIO) -> Loaded:
        """Add the drawings of a zip: all of them, or none if anything in it is wrong.

        Args:
            file: A zip made by ``to_zip``, perhaps by somebody else.

        Raises:
            OwnDigitsError: The zip does not hold a test set, the set would be too large, or the folder
                cannot be written. Nothing is added then.
        """
        return self.add_all(read_zip(file))

    def add_all(self, brought: list[tuple[OwnDigit, bytes]]) -> Loaded:
        """Add drawings as ``read_zip`` returns them, all or none.

        Raises:
            OwnDigitsError: The set would be too large, or the folder cannot be written. Nothing is added then.
        """
        with self._writing():
            listed, damaged_lines = self._read_list()
            digits = {digit.digit_id: digit for digit, _ in brought}
            added = digits.keys() - listed.keys()
            pictures = {digit.digit_id: picture for digit, picture in brought}
            self._save(pictures, digits | listed, damaged_lines)
        return Loaded(len(added), len(digits) - len(added))

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Lock the folder, and say in one line why it cannot be written."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            with FileLock(self.path / ".lock", timeout=LOCK_TIMEOUT_S):
                yield
        except Timeout as error:
            raise OwnDigitsError("Another window is saving your drawings. Try again in a moment.") from error
        except OSError as error:
            raise OwnDigitsError(f"Cannot write to {self.path}: {error.strerror or error}.") from error

    def _save(self, pictures: dict[str, bytes], digits: dict[str, OwnDigit], damaged_lines: list[bytes]) -> None:
        """Write pictures and then the list that names them; if this fails, the folder is left as it was."""
        new = pictures.keys() - {path.stem for path in self.path.glob("*.png")}
        if new:
            self._require_room(len(digits), [pictures[digit_id] for digit_id in new])
        try:
            for digit_id, picture in pictures.items():
                self._replace(_picture_name(digit_id), picture)
            self._write_list(digits.values(), damaged_lines)
        except OSError:
            for digit_id in new:
                self._picture_path(digit_id).unlink(missing_ok=True)
            raise

    def _require_room(self, count: int, new: list[bytes]) -> None:
        """Raise OwnDigitsError if the set, with these new pictures and this many in all, would not fit in a zip."""
        limit = MAX_DRAWINGS if self.shared else min(self.limit, MAX_DRAWINGS)
        if count > limit:
            raise OwnDigitsError(f"That would be {count:,} drawings; at most {limit:,} can be kept.")
        present = [(path, path.stat()) for path in self.path.glob("*.png")]
        new_bytes = sum(map(len, new))
        if sum(stat.st_size for _, stat in present) + new_bytes > limit * _BYTES_PER_DRAWING:
            megabytes = limit * _BYTES_PER_DRAWING / 1_000_000
            raise OwnDigitsError(f"There is no more room: {megabytes:.3g} MB of drawings can be kept.")
        pixels_present = sum(_count_kept_pixels(path, stat.st_mtime_ns) for path, stat in present)
        if pixels_present + sum(_count_pixels(io.BytesIO(picture)) for picture in new) > MAX_PIXELS:
            raise OwnDigitsError(
                f"There is no more room: drawings of {MAX_PIXELS // 1_000_000} million pixels can be kept."
            )
        if self.shared:
            sizes = []
            for path in self.shared.glob("*/*.png"):
                with suppress(OSError):  # another person has just deleted it
                    sizes.append(path.stat().st_size)
            too_many = len(sizes) + len(new) > self.limit
            if too_many or sum(sizes) + new_bytes > self.limit * _BYTES_PER_DRAWING:
                raise OwnDigitsError("There is no more room for drawings here. Others have to delete some first.")

    def _write_list(self, digits: Iterable[OwnDigit], damaged_lines: list[bytes]) -> None:
        # A line that cannot be read may still be useful to a person.
        lines = [*map(_make_line, digits), *(line + b"\n" for line in damaged_lines)]
        self._replace(LIST_NAME, b"".join(lines))

    def _replace(self, name: str, content: bytes) -> None:
        write_whole(self.path / name, lambda temporary: temporary.write_bytes(content))

    def _read_list(self) -> tuple[dict[str, OwnDigit], list[bytes]]:
        """Return the drawings by id, and the lines that are damaged."""
        try:
            lines = read_file(self.path / LIST_NAME).splitlines()
        except FileNotFoundError:
            return {}, []
        except OSError as error:
            raise OwnDigitsError(f"{self.path / LIST_NAME} cannot be read: {error.strerror}.") from error
        digits: dict[str, OwnDigit] = {}
        damaged: list[bytes] = []
        for line in filter(None, lines):
            try:
                name, digit = _parse_line(line)
            except ValueError:
                damaged.append(line)
                continue
            if _ID.fullmatch(digit.digit_id) and name == _picture_name(digit.digit_id):
                digits[digit.digit_id] = digit
            else:
                damaged.append(line)
        return digits, damaged

    def _read_picture(self, digit: OwnDigit) -> bytes:
        path = self._picture_path(digit.digit_id)
        try:
            return read_file(path)
        except OSError as error:
            raise OwnDigitsError(f"{path} cannot be read: {error.strerror}.") from error

    def _picture_path(self, digit_id: str) -> Path:
        return self.path / _picture_name(digit_id)


def read_drawings(path: Path) -> OwnDigitsSnapshot:
    """Return the drawings of a folder, or of a zip that ``to_zip`` made.

    Raises:
        OwnDigitsError: There is no such folder or zip, or it cannot be read.
    """
    if not path.exists():
        raise OwnDigitsError(f"There are no drawings in {path}.")
    if path.is_dir():
        return OwnDigits(path).read()
    try:
        brought = read_zip(io.BytesIO(read_file(path)))
    except OSError as error:
        raise OwnDigitsError(f"{path} cannot be read: {error.strerror}.") from error
    images = [_normalize(_decode_picture(picture)) for _, picture in brought]
    return OwnDigitsSnapshot([digit for digit, _ in brought], np.array(images, np.uint8), 0)


# Pictures.


def identify_drawing(ink: np.ndarray) -> str:
    """Return the id that a drawing has in any set.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
    """
    return _identify_pixels(_ink_to_pixels(ink))


def _identify_pixels(pixels: np.ndarray) -> str:
    height, width = pixels.shape
    return hashlib.sha256(f"{height} x {width} ".encode() + pixels.tobytes()).hexdigest()[:16]


def _ink_to_pixels(ink: np.ndarray) -> np.ndarray:
    """Return uint8, (height, width), 0 to 255."""
    picture = Image.fromarray(np.round(np.clip(ink, 0, 1) * 255).astype(np.uint8))
    picture.thumbnail((MAX_SIDE_PX, MAX_SIDE_PX))  # leaves a smaller one as it is
    return np.asarray(picture)


def _pixels_to_ink(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.float32) / np.float32(255)


def _normalize(pixels: np.ndarray) -> np.ndarray:
    """Return what a network sees of a drawing: uint8, (28, 28)."""
    try:
        return normalize_drawing(_pixels_to_ink(pixels)).image
    except DrawingError as error:
        raise OwnDigitsError(str(error)) from error


@lru_cache(maxsize=MAX_DRAWINGS)
def _read_image(path: Path, modified_ns: int) -> np.ndarray:
    """Return what a network sees of a kept drawing, uint8, (28, 28); cached until its file changes."""
    image = _normalize(_decode_picture(read_file(path)))
    image.setflags(write=False)  # many readers share it
    return image


@lru_cache(maxsize=MAX_DRAWINGS)
def _count_kept_pixels(path: Path, modified_ns: int) -> int:
    """Return the number of pixels of a kept drawing, 0 if damaged; cached until its file changes."""
    try:
        require_file(path)
        return _count_pixels(path)
    except Exception:  # Pillow raises many types for a bad file
        return 0


def _count_pixels(file: Path | BinaryIO) -> int:
    with Image.open(file, formats=["PNG"]) as picture:
        return picture.width * picture.height


def _encode_picture(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)  # with higher levels a large zip takes twice as long
    return file.getvalue()


def _decode_picture(content: bytes) -> np.ndarray:
    """Return the pixels of a PNG of 8-bit grey, uint8, (height, width)."""
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as picture:
            if max(picture.size) > MAX_SIDE_PX:
                raise OwnDigitsError(f"It has more than {MAX_SIDE_PX:,} pixels a side.")
            if picture.mode != "L":
                raise OwnDigitsError("It is not in 8-bit grey.")
            picture.load()
            return np.asarray(picture)
    except OwnDigitsError:
        raise
    except Exception as error:  # Pillow raises many types for a bad file
        raise OwnDigitsError("It cannot be read as a PNG.") from error


# The list.

_ID = re.compile("[0-9a-f]{16}")


def _picture_name(digit_id: str) -> str:
    return f"{digit_id}.png"


def _make_line(digit: OwnDigit) -> bytes:
    values = {
        "file": _picture_name(digit.digit_id),
        "digit": digit.label,
        "created_at": digit.created_at,
        "source": digit.source,
    }
    return json.dumps(values).encode() + b"\n"


def _parse_line(line: bytes) -> tuple[str, OwnDigit]:
    """Check a line of the list and return the name of its file and the drawing.

    Raises:
        ValueError: The line is wrong. The message says why.
    """
    try:
        values = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
    if not isinstance(values, dict):
        raise ValueError("it is not an object")
    name, label, created_at, source = (values.get(key) for key in ("file", "digit", "created_at", "source"))
    if not isinstance(name, str):
        raise ValueError("it does not name a file")
    if not isinstance(label, int) or isinstance(label, bool) or label not in DIGITS:
        raise ValueError("the digit must be a whole number from 0 to 9")
    # Up to the year 2286. Python's JSON reader also takes NaN and Infinity.
    if not isinstance(created_at, (int, float)) or not 0 <= created_at < 1e10:
        raise ValueError("created_at must be in seconds since the epoch")
    if not isinstance(source, str) or source not in SOURCES:
        raise ValueError(f"the source must be {' or '.join(SOURCES)}")
    return name, OwnDigit(name.removesuffix(".png"), label, float(created_at), source)


# The zip.


def read_zip(file: BinaryIO) -> list[tuple[OwnDigit, bytes]]:
    """Return the drawings of a zip with their pictures, each encoded again as a PNG.

    Args:
        file: A zip made by ``to_zip``, perhaps by somebody else.

    Raises:
        OwnDigitsError: Anything in it is wrong.
    """
    limits = ZipLimits("drawings", MAX_ENTRIES, MAX_TOTAL_BYTES)
    try:
        with open_zip(file, limits, _size_limit) as archive:
            if LIST_NAME not in archive.sizes:
                raise OwnDigitsError(f"The zip holds no {LIST_NAME}, so it is not a zip of drawings.")
            contents = {name: archive.read(name) for name in archive.sizes}
    except ZipError as error:
        raise OwnDigitsError(str(error)) from error
    lines = contents.pop(LIST_NAME).splitlines()
    brought: dict[str, tuple[OwnDigit, bytes]] = {}
    pixels_in_all = 0
    for number, line in enumerate(lines, start=1):
        try:
            name, digit = _parse_line(line)
        except ValueError as error:
            raise OwnDigitsError(f"Line {number} of {LIST_NAME} in the zip is wrong: {error}.") from error
        if name not in contents:
            raise OwnDigitsError(f"Line {number} of {LIST_NAME} names a file that is not in the zip.")
        if name in brought:
            raise OwnDigitsError(f"Line {number} of {LIST_NAME} names a file for the second time.")
        try:
            pixels = _decode_picture(contents[name])
            _normalize(pixels)
        except OwnDigitsError as error:
            raise OwnDigitsError(f"{shown(name)} in the zip: {error}") from error
        pixels_in_all += pixels.size
        if pixels_in_all > MAX_PIXELS:
            raise OwnDigitsError(
                f"The drawings in the zip have more than {MAX_PIXELS // 1_000_000} million pixels in all."
            )
        # Whatever the file was called, here it is named after its pixels.
        brought[name] = replace(digit, digit_id=_identify_pixels(pixels)), _encode_picture(pixels)
    if unnamed := contents.keys() - brought.keys():
        raise OwnDigitsError(f"{LIST_NAME} in the zip does not name {shown(min(unnamed))}.")
    return list(brought.values())


def _size_limit(name: str) -> int:
    if re.search(r"[/\\:\0]", name):
        raise EntryError("is a path and not a plain file name")
    if name != LIST_NAME and not name.endswith(".png"):
        raise EntryError(f"is neither a PNG nor {LIST_NAME}")
    return MAX_ENTRY_BYTES
