"""The files of an untrusted folder or zip, or a single one, each unpacked as it is read."""

from __future__ import annotations

import gzip
import io
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from mnist_lib.data.dataset import MAX_IMAGES, DatasetError
from mnist_lib.escaping import one_line
from mnist_lib.storage.files import require_file
from mnist_lib.storage.zip_reading import CheckedZip, EntryError, ZipError, ZipLimits, open_zip

MAX_UNPACKED_BYTES = 1_000_000_000
MAX_FILES = MAX_IMAGES + 1_000  # with lists, notes and what systems leave behind

TOO_LARGE = f"It unpacks to more than {MAX_UNPACKED_BYTES // 1_000_000_000} GB."

# What systems leave in folders and zips, beside names that begin with a dot.
_JUNK = {"__MACOSX", "Thumbs.db", "desktop.ini"}


class Source:
    """Files by name; of a folder or zip with their path in it, and ``/`` between its parts.

    Attributes:
        sizes: Bytes of each file, as its folder or zip says.
        folders: The paths of all folders.
    """

    def __init__(
        self,
        sizes: dict[str, int],
        folders: set[str],
        open_file: Callable[[str], AbstractContextManager[IO[bytes]]],
    ) -> None:
        self.sizes = {name: size for name, size in sizes.items() if not _is_junk(name)}
        self.folders = {name for name in folders if not _is_junk(name)}
        self._open_file = open_file
        self._read_bytes = 0

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open a file; one that gzip packed is unpacked while it is read.

        Raises:
            DatasetError: It cannot be opened or unpacked, or all that was read has more than ``MAX_UNPACKED_BYTES``.
        """
        try:
            with self._open_file(name) as file:
                content = gzip.GzipFile(fileobj=file) if name.lower().endswith(".gz") else file
                yield io.BufferedReader(_Counted(content, self._count))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DatasetError(f"{file_name(name)} is damaged or cut off.") from error
        except OSError as error:
            raise DatasetError(f"{file_name(name)} cannot be read: {error.strerror or error}.") from error

    def _count(self, count: int) -> None:
        self._read_bytes += count
        if self._read_bytes > MAX_UNPACKED_BYTES:
            raise DatasetError(TOO_LARGE)


class _Counted(io.RawIOBase):
    """A stream that tells how many bytes were read from it."""

    def __init__(self, stream: IO[bytes] | gzip.GzipFile, count: Callable[[int], None]) -> None:
        self._stream = stream
        self._count = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # pyright: ignore[reportIncompatibleMethodOverride]
        part = self._stream.read(len(buffer))
        self._count(len(part))
        buffer[: len(part)] = part
        return len(part)


@contextmanager
def open_source(path: Path) -> Iterator[Source]:
    """Open a folder, a zip or a single file.

    Args:
        path: Where it is. Links to folders are not followed.

    Raises:
        DatasetError: It cannot be read, or is too large.
    """
    try:
        if path.is_dir():
            sizes, folders = _walk(path)
            yield Source(sizes, folders, lambda name: (path / name).open("rb"))
            return
        require_file(path)
        with path.open("rb") as file:
            if file.read(2) != b"PK" or path.suffix.lower() == ".npz":
                yield Source({path.name: path.stat().st_size}, set(), lambda name: path.open("rb"))
                return
            with open_zip(file, ZipLimits("pictures", MAX_FILES, MAX_UNPACKED_BYTES), _size_limit) as archive:
                yield _source_of_zip(archive)
    except ZipError as error:
        raise DatasetError(str(error)) from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.") from error


def _source_of_zip(archive: CheckedZip) -> Source:
    folders = {name.rstrip("/") for name in archive.sizes if name.endswith("/")}
    files = {name: size for name, size in archive.sizes.items() if not name.endswith("/")}
    return Source(files, folders, archive.open)


def _walk(path: Path) -> tuple[dict[str, int], set[str]]:
    """Return the sizes of the files of a folder, and its folders."""
    sizes: dict[str, int] = {}
    folders: set[str] = set()
    for folder, _, names in os.walk(path):
        inside = Path(folder).relative_to(path)
        folders.add(inside.as_posix())
        for name in names:
            file = Path(folder, name)
            try:
                require_file(file)  # no pipe, no device
            except OSError:
                continue
            sizes[(inside / name).as_posix()] = file.stat().st_size
        if len(sizes) + len(folders) > MAX_FILES:
            raise DatasetError(f"The folder has too many files; at most {MAX_FILES:,} are read.")
    return sizes, folders - {"."}


def _size_limit(name: str) -> int:
    if any(part in ("", ".", "..") for part in name.removesuffix("/").split("/")) or set(name) & set("\\:\0"):
        raise EntryError("is not a plain path")
    return MAX_UNPACKED_BYTES


def _is_junk(name: str) -> bool:
    return any(part.startswith(".") or part in _JUNK for part in name.split("/"))


def file_name(name: str) -> str:
    """Return the name of an untrusted file for a message, in one line and not too long."""
    return one_line(name if len(name) <= 80 else f"…{name[-79:]}")
