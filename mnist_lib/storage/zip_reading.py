"""Reads zips from untrusted sources: everything is checked before anything is unpacked."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO, NamedTuple

# An entry takes 46 bytes of a zip's directory, plus its name and what some programs add.
_DIRECTORY_BYTES_PER_ENTRY = 200

_MOST_WITHOUT_ZIP64 = 65_535

_CHUNK_BYTES = 1_000_000

# What zipfile raises for an entry that it cannot unpack.
_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


class ZipError(Exception):
    """The file is not a zip that can be read. The message is one line."""


class EntryError(Exception):
    """An entry is not allowed in the zip. The message continues its name: ``is a path``."""


class ZipLimits(NamedTuple):
    """The most that a zip may hold. Deflate can expand one byte to a thousand, so only unpacked bytes count.

    Attributes:
        contents: What the zip should hold, for messages: ``drawings``.
        entries: Maximum number of entries.
        total_bytes: Maximum size of all entries, unpacked.
    """

    contents: str
    entries: int
    total_bytes: int


class CheckedZip:
    """A zip with checked names and declared sizes, whose entries are unpacked one at a time."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._entries = entries

    @property
    def sizes(self) -> dict[str, int]:
        """Unpacked bytes of each entry, by name; unpacking never yields more."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        """Open an entry to unpack it in parts.

        Raises:
            ZipError: The entry is truncated or does not match its checksum.
        """
        try:
            with self._archive.open(self._entries[name]) as file:
                yield file
        except _DAMAGES as error:
            raise ZipError("The zip is damaged.") from error

    def chunks(self, name: str) -> Iterator[bytes]:
        """Unpack an entry in chunks of one megabyte.

        Raises:
            ZipError: The entry is truncated or does not match its checksum.
        """
        try:
            with self._archive.open(self._entries[name]) as file:
                # Without a chunk size, zipfile unpacks up to 2 GB before it checks the declared size.
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except Exception as error:  # zipfile raises many types for a bad file
            raise ZipError("The zip is damaged.") from error

    def read(self, name: str) -> bytes:
        """Unpack an entry.

        Raises:
            ZipError: The entry is truncated or does not match its checksum.
        """
        return b"".join(self.chunks(name))


@contextmanager
def open_zip(file: BinaryIO, limits: ZipLimits, size_limit: Callable[[str], int]) -> Iterator[CheckedZip]:
    """Open a zip and check all of its entries, without unpacking any.

    Links, encrypted entries, duplicate names and rare compression methods are refused.

    Args:
        file: A file that should be a zip.
        limits: The most that it may hold.
        size_limit: Returns how many bytes an entry of this name may have, or raises EntryError for
            any name that is not expected. So no path can lead outside the folder.

    Raises:
        ZipError: It is not a zip, it is damaged, or it holds something that is not allowed.
    """
    _require_short_directory(file, limits)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile raises many types for a bad file
        raise ZipError("The zip is damaged.") from error
    with archive:
        yield CheckedZip(archive, _check_entries(archive.infolist(), limits, size_limit))


def shown(name: str) -> str:
    """Return an untrusted file name, shortened and without characters that mean something in Markdown."""
    return re.sub(r"[^A-Za-z0-9./\\-]", "?", name[:60])


def _require_short_directory(file: BinaryIO, limits: ZipLimits) -> None:
    """Check a zip's last bytes before zipfile opens it, which reads the whole directory, however long.

    Source: PKWARE, APPNOTE.TXT, 4.3.14 to 4.3.16: the last record is 22 bytes long and says how many entries
    and bytes the directory has. Of more than 65,535 entries or 4 GB, a Zip64 record of 56 bytes says that,
    and 20 bytes between the two say where it is.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 98))
    tail = file.read(98)
    last = tail[-22:]
    # The format allows a comment after it, but then the record could begin in more than one place.
    if len(last) < 22 or not last.startswith(b"PK\x05\x06") or not last.endswith(b"\x00\x00"):
        raise ZipError(f"This is not a zip file of {limits.contents}.")
    entries, directory_bytes = struct.unpack("<HL", last[10:16])
    if tail[-42:].startswith(b"PK\x06\x07"):
        if limits.entries <= _MOST_WITHOUT_ZIP64:
            raise _too_many_entries(limits)
        (place,) = struct.unpack("<Q", tail[-34:-26])
        if not tail.startswith(b"PK\x06\x06") or place != size - len(tail):  # zipfile looks here as well
            raise ZipError("The zip is damaged.")
        entries, directory_bytes = struct.unpack("<QQ", tail[32:48])
    if entries > limits.entries or directory_bytes > limits.entries * _DIRECTORY_BYTES_PER_ENTRY:
        raise _too_many_entries(limits)


def _check_entries(
    entries: list[zipfile.ZipInfo], limits: ZipLimits, size_limit: Callable[[str], int]
) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by name, or raise ZipError for the first that is not allowed."""
    if len(entries) > limits.entries:  # the record at the end may be wrong
        raise _too_many_entries(limits)
    by_name: dict[str, zipfile.ZipInfo] = {}
    for entry in entries:
        name = entry.orig_filename
        try:
            _check_entry(entry, size_limit(name))
            if name in by_name:
                raise EntryError("is in it twice")
        except EntryError as error:
            raise ZipError(f"The zip was not loaded: {shown(name)} {error}.") from error
        by_name[name] = entry
    if sum(entry.file_size for entry in entries) > limits.total_bytes:
        raise ZipError(f"The zip unpacks to more than {limits.total_bytes // 1_000_000:,} MB.")
    return by_name


def _check_entry(entry: zipfile.ZipInfo, max_bytes: int) -> None:
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise EntryError("is a link")
    if entry.flag_bits & 1:
        raise EntryError("is encrypted")
    # zipfile unpacks other methods in one go, however large the result.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EntryError("is packed in an unsupported way")
    if entry.file_size > max_bytes:
        size = f"{max_bytes // 1_000_000} MB" if max_bytes >= 1_000_000 else f"{max_bytes:,} bytes"
        raise EntryError(f"has more than {size}")


def _too_many_entries(limits: ZipLimits) -> ZipError:
    return ZipError(f"The zip has too many entries; at most {limits.entries:,} are read.")
