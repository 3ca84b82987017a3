"""Reads an untrusted file in a separate process that has little time and memory.

A file can be made so that merely finding its pixels takes minutes or gigabytes, with millions of empty
comments, colour profiles or strips; each format has its own ways. So the system ends the process if it
takes too much, and the dashboard, which everybody shares, keeps running.
"""

from __future__ import annotations

import importlib
import io
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from mnist_lib.paths import PROJECT_PATH

MAX_MEMORY_BYTES = 300_000_000

# On a busy machine, a process may wait this many times as long as it works.
_WAIT_FACTOR = 10

_Result = TypeVar("_Result")


class LimitError(Exception):
    """Reading something takes too much. The message is one line."""


def call_in_limited_process(read: Callable[[BinaryIO], _Result], content: bytes, max_processor_s: float) -> _Result:
    """Call a function with a file's content, in a process with at most 300 MB of memory.

    On a system without such limits, such as Windows, only the time is limited.

    Args:
        read: A function of a module of this project.
        content: The content of an untrusted file.
        max_processor_s: Seconds of processor time, once the function's module is loaded.

    Returns:
        What the function returns.

    Raises:
        LimitError: It takes more than that, or no process can be started.
        Exception: Whatever the function raises.
    """
    try:
        process = subprocess.run(
            [
                sys.executable,
                "-m",
                "mnist_lib.drawing.limited_process",
                read.__module__,
                read.__name__,
                str(max_processor_s),
            ],
            cwd=PROJECT_PATH,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would take memory
            input=content,
            capture_output=True,
            timeout=_WAIT_FACTOR * max_processor_s,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise LimitError("It takes too long or too much memory to read.") from error
    result, problem = pickle.loads(process.stdout)
    if problem is not None:
        raise problem
    return result


def _limit_itself(max_processor_s: float) -> None:
    """Let the system end this process if it exceeds its limits."""
    if os.name == "posix":
        import resource

        signal.setitimer(signal.ITIMER_PROF, max_processor_s)  # its signal ends the process
        resource.setrlimit(resource.RLIMIT_DATA, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _main(module: str, name: str, max_processor_s: str) -> None:
    read = getattr(importlib.import_module(module), name)
    content = io.BytesIO(sys.stdin.buffer.read())
    _limit_itself(float(max_processor_s))
    result, problem = None, None
    try:
        result = read(content)
    except MemoryError:
        raise
    except Exception as error:
        problem = error
    pickle.dump((result, problem), sys.stdout.buffer)


if __name__ == "__main__":
    _main(*sys.argv[1:])
