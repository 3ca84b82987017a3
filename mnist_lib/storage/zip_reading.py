"""Reads a zip that a stranger may have made: everything is checked before anything is unpacked."""

from __future__ import annotations

import os
import re
import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

# An entry takes 46 bytes of a zip's directory, its name and what some programs add.
_DIRECTORY_BYTES_PER_ENTRY = 200

_CHUNK_BYTES = 1_000_000


class ZipError(Exception):
    """A zip is not one that is read here. The message is one line."""


class EntryError(Exception):
    """An entry has no place in a zip. The message goes on from its name: ``is a path``."""


class ZipLimits(NamedTuple):
    """What a zip may hold at most. Deflate makes up to a thousand bytes of one: only what comes out counts.

    Attributes:
        contents: What it should hold, for the messages: ``drawings``.
        entries: Their number.
        total_bytes: All of them unpacked.
    """

    contents: str
    entries: int
    total_bytes: int


class CheckedZip:
    """The entries of a zip whose names and declared sizes are checked, to be unpacked one at a time."""

    def __init__(self, archive: zipfile.ZipFile, entries: dict[str, zipfile.ZipInfo]) -> None:
        self._archive = archive
        self._entries = entries

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each entry unpacked, by its name; no more than these ever come out."""
        return {name: entry.file_size for name, entry in self._entries.items()}

    def chunks(self, name: str) -> Iterator[bytes]:
        """Unpack an entry piece by piece, a megabyte at a time.

        Raises:
            ZipError: It is cut off or not what its checksum says.
        """
        try:
            with self._archive.open(self._entries[name]) as file:
                # Without a number, zipfile unpacks up to 2 GB before it looks at the declared size.
                while chunk := file.read(_CHUNK_BYTES):
                    yield chunk
        except Exception as error:  # zipfile raises many types for a bad file
            raise ZipError("The zip is damaged.") from error

    def read(self, name: str) -> bytes:
        """Unpack an entry.

        Raises:
            ZipError: It is cut off or not what its checksum says.
        """
        return b"".join(self.chunks(name))


@contextmanager
def open_zip(file: BinaryIO, limits: ZipLimits, size_limit: Callable[[str], int]) -> Iterator[CheckedZip]:
    """Open a zip and check all of its entries, without unpacking one.

    Refused are links, encrypted entries, names that come twice, and rare ways of packing.

    Args:
        file: The zip, or what somebody says is one.
        limits: What it may hold at most.
        size_limit: Returns how many bytes an entry of this name may have, or raises EntryError where
            there may be none. Whatever it lets pass is a name that was thought of: no path leads outside.

    Raises:
        ZipError: It is not a zip, it is damaged, or it holds what it may not.
    """
    _require_short_directory(file, limits)
    try:
        archive = zipfile.ZipFile(file)
    except Exception as error:  # zipfile raises many types for a bad file
        raise ZipError("The zip is damaged.") from error
    with archive:
        yield CheckedZip(archive, _check_entries(archive.infolist(), limits, size_limit))


def shown(name: str) -> str:
    """Return a foreign file's name in letters that mean nothing to Markdown, and short."""
    return re.sub(r"[^A-Za-z0-9./\\-]", "?", name[:60])


def _require_short_directory(file: BinaryIO, limits: ZipLimits) -> None:
    """Look at a zip's last bytes before zipfile does: it reads the whole directory, however long.

    Source: PKWARE, APPNOTE.TXT, 4.3.15 and 4.3.16: the last record is 22 bytes long and
    says how many entries and bytes the directory has. Only a zip of more than 65,535
    entries or 4 GB needs the other record that may stand before it.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 42))
    tail = file.read(42)
    last = tail[-22:]
    # A comment may follow, but then there is more than one place where the record could begin.
    if len(last) < 22 or not last.startswith(b"PK\x05\x06") or not last.endswith(b"\x00\x00"):
        raise ZipError(f"This is not a zip file of {limits.contents}.")
    entries, directory_bytes = struct.unpack("<HL", last[10:16])
    if (
        tail.startswith(b"PK\x06\x07")
        or entries > limits.entries
        or directory_bytes > limits.entries * _DIRECTORY_BYTES_PER_ENTRY
    ):
        raise _too_many_entries(limits)


def _check_entries(
    entries: list[zipfile.ZipInfo], limits: ZipLimits, size_limit: Callable[[str], int]
) -> dict[str, zipfile.ZipInfo]:
    """Return the entries by name, or raise ZipError for the first that has no place in the zip."""
    if len(entries) > limits.entries:  # the record at the end may lie
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
    # zipfile unpacks the other ways at once, however much comes out.
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise EntryError("is packed in a way that is not read here")
    if entry.file_size > max_bytes:
        size = f"{max_bytes // 1_000_000} MB" if max_bytes >= 1_000_000 else f"{max_bytes:,} bytes"
        raise EntryError(f"has more than {size}")


def _too_many_entries(limits: ZipLimits) -> ZipError:
    return ZipError(f"The zip has too many entries; at most {limits.entries:,} are read.")
