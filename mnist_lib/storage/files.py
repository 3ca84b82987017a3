"""Writes files whole or not at all, reads what may be no file, and tells caches when a file has changed."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

# A process that was killed while writing leaves a file with this prefix behind.
UNFINISHED = "unfinished-"

# Of a file that is read in one piece: many times as many as the longest training writes.
MAX_BYTES = 100_000_000


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Replace a file in one step: a reader sees the old one or the new one, never half of it.

    Args:
        path: The file.
        write: Writes to the path that it is given, which is beside ``path`` and has the same suffix,
            because some libraries choose the format by it.

    Raises:
        OSError: The folder is not writable. Errors from ``write`` are passed on. Either way the
            old file is unchanged.
    """
    # Each writer uses its own name: two threads of one server may write the same file.
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(4)}-{path.name}")
    try:
        write(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # half a file on a full disk
        raise


def require_file(path: Path) -> None:
    """Raise OSError unless the path leads to a file: to read a pipe is to wait, and a device may have no end.

    Raises:
        OSError: There is none, or it is something else.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode):
        number = errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL
        raise OSError(number, os.strerror(number))


def read_file(path: Path) -> bytes:
    """Return the content of a file, whatever there may be in its place.

    Raises:
        OSError: There is none, it cannot be read, it has more than ``MAX_BYTES``, or it is something else.
    """
    require_file(path)
    if path.stat().st_size > MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return path.read_bytes()


def file_stamp(path: Path | str) -> int:
    """Return a number that changes when the file does; 0 if there is none."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0
