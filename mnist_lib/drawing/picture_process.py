"""A picture that a stranger gave, read in a process of its own that has little time and memory.

A file can be made so that looking for its pixels alone takes minutes or gigabytes: millions of empty
comments, of colour profiles, of strips. Each format has its own such ways. So the system ends the
process that takes too much, and the dashboard, which everybody shares, goes on meanwhile.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import numpy as np

from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.drawing.picture_files import TOO_MUCH, read_picture
from mnist_lib.paths import PROJECT_PATH

# Of the processor, once the libraries are loaded. A photo of 20 megapixels takes half a second.
MAX_PROCESSOR_S = 2.0
# A picture of 20 megapixels takes 254 MB at most.
MAX_MEMORY_BYTES = 300_000_000
# For a busy machine, and for systems that know no limits.
MAX_WAIT_S = 20.0

_NO_PICTURE = 2


def read_strange_picture(content: bytes) -> np.ndarray:
    """Read a picture as ``read_picture`` does, in a process of its own.

    Args:
        content: A picture file, or what somebody says is one.

    Returns:
        As ``read_picture``: float32, (height, width), 0 (paper) to 1 (darkest ink).

    Raises:
        DrawingError: As ``read_picture``, and where it takes over two seconds or 300 MB.
    """
    try:
        process = subprocess.run(
            [sys.executable, "-m", "mnist_lib.drawing.picture_process"],
            cwd=PROJECT_PATH,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would take memory
            input=content,
            capture_output=True,
            timeout=MAX_WAIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        process = None
    if process and process.returncode == 0:
        return np.load(io.BytesIO(process.stdout), allow_pickle=False)
    if process and process.returncode == _NO_PICTURE:
        raise DrawingError(process.stderr.decode())
    raise DrawingError(TOO_MUCH)


def _limit_itself() -> None:
    """Let the system end this process where it takes more than it may."""
    if os.name == "posix":
        import resource

        signal.setitimer(signal.ITIMER_PROF, MAX_PROCESSOR_S)  # its signal ends the process
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _main() -> int:
    content = io.BytesIO(sys.stdin.buffer.read())
    _limit_itself()
    try:
        ink = read_picture(content)
    except DrawingError as error:
        sys.stderr.buffer.write(str(error).encode())
        return _NO_PICTURE
    np.save(sys.stdout.buffer, ink)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
