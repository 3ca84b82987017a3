"""Files that are written whole or not at all, and how a cache notices that one has changed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

# A process that was killed while writing leaves a file with this prefix behind.
UNFINISHED = "unfinished-"


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


def file_stamp(path: Path) -> int:
    """Return a number that changes when the file does; 0 where there is none."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
