"""Files that are written whole or not at all, and how a cache notices that one has changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

# A process that was killed in the middle of writing leaves such a file behind.
UNFINISHED = "unfinished-"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Replace a file in one step: a reader sees the old one or the new one, never half of it.

    Args:
        path: The file.
        write: Writes the file at the path that it is given: beside ``path``, with the same ending,
            by which some libraries choose the format.

    Raises:
        OSError: The folder cannot be written. Whatever ``write`` raises comes through as well. The
            file is as it was then.
    """
    # A name of its own for each writer: two threads of one server may write the same file.
    temporary = path.with_name(f"{UNFINISHED}{secrets.token_hex(4)}-{path.name}")
    try:
        write(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)  # half a file on a full disk
        raise


def file_stamp(path: Path) -> int:
    """Return a number that changes when the file does; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
