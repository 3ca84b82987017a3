"""Reads an untrusted file in a separate process that has little time and memory.

A file can be made so that merely finding its pixels takes minutes or gigabytes, with millions of empty
comments, colour profiles or strips; each format has its own ways. So the system ends the process if it
takes too much, and the dashboard, which everybody shares, keeps running.
"""

from __future__ import annotations

import functools
import importlib
import io
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from mnist_lib.paths import PROJECT_PATH

MAX_MEMORY_BYTES = 300_000_000

# On a busy machine, a process may wait this many times as long as it works.
_WAIT_FACTOR = 10

_Result = TypeVar("_Result")


class LimitError(Exception):
    """Reading something takes too much. The message is one line."""


def call_in_limited_process(
    read: Callable[..., _Result],
    content: bytes,
    max_processor_s: float,
    max_memory_bytes: int = MAX_MEMORY_BYTES,
    on_part: Callable[[float], object] | None = None,
) -> _Result:
    """Call a function with a file's content, in a process with little memory.

    On a system without such limits, such as Windows, only the time is limited.

    Args:
        read: A function of a module of this project. It is given the content as a binary stream.
        content: The content of an untrusted file.
        max_processor_s: Seconds of processor time, once the function's module is loaded.
        max_memory_bytes: Of the process, that content included.
        on_part: If given, the function is called with a second argument: what it tells that, 0 to 1, is told here.

    Returns:
        What the function returns.

    Raises:
        LimitError: It takes more than that, or no process can be started.
        Exception: Whatever the function raises.
    """
    command = [sys.executable, "-m", "mnist_lib.drawing.limited_process", read.__module__, read.__name__]
    limits = [str(max_processor_s), str(max_memory_bytes), "parts" if on_part else "whole"]
    try:
        with subprocess.Popen(
            [*command, *limits],
            cwd=PROJECT_PATH,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},  # each thread would take memory
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            timer = threading.Timer(_WAIT_FACTOR * max_processor_s, process.kill)
            timer.start()
            try:
                result, problem = _talk(process, content, on_part)
            finally:  # also if a visitor, who is told of the parts, has left
                timer.cancel()
                process.kill()
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise LimitError("It takes too long or too much memory to read.") from error
    if problem is not None:
        raise problem
    return result


def _talk(process: subprocess.Popen[bytes], content: bytes, on_part: Callable[[float], object] | None) -> Any:
    """Hand the content over, and return the answer, which comes after the shares that are done."""
    assert process.stdin
    assert process.stdout
    process.stdin.write(content)
    process.stdin.close()
    while isinstance(answer := pickle.load(process.stdout), float):
        if on_part:
            on_part(answer)
    return answer


def _limit_itself(max_processor_s: float, max_memory_bytes: int) -> None:
    """Let the system end this process if it exceeds its limits."""
    if os.name == "posix":
        import resource

        signal.setitimer(signal.ITIMER_PROF, max_processor_s)  # its signal ends the process
        resource.setrlimit(resource.RLIMIT_DATA, (max_memory_bytes, max_memory_bytes))


def _main(module: str, name: str, max_processor_s: str, max_memory_bytes: str, way: str) -> None:
    read = getattr(importlib.import_module(module), name)
    if way == "parts":
        read = functools.partial(read, on_part=lambda share: _answer(float(share)))
    content = io.BytesIO(sys.stdin.buffer.read())
    _limit_itself(float(max_processor_s), int(max_memory_bytes))
    result, problem = None, None
    try:
        result = read(content)
    except MemoryError:
        raise
    except Exception as error:
        problem = error
    _answer((result, problem))


def _answer(answer: object) -> None:
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    _main(*sys.argv[1:])
