"""Python processes of the project, as a person starts them, and what they do after a while."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from mnist_lib.command_line import main

PROJECT_PATH = Path(__file__).parents[2]

# A loaded machine is slow, not wrong.
DEADLINE_S = 120.0


# Windows cannot fork; there, each process loads TensorFlow itself.
_COPIES = multiprocessing.get_context("forkserver" if os.name == "posix" else "spawn")
_COPIES.set_forkserver_preload(["tests.support.loaded"])


class Copy:
    """A process that calls a function and has loaded TensorFlow before: a copy of one that did.

    It has what the tests use of ``subprocess.Popen``. What it prints goes to files.

    Args:
        function: What it calls; it returns the exit code.
        arguments: What the function is given.
        folder: Where it prints to; by default where the system keeps temporary files.
    """

    def __init__(self, function: Callable[..., int | None], *arguments: Any, folder: Path | None = None) -> None:
        self._printed = [tempfile.NamedTemporaryFile("r", errors="replace", dir=folder) for _ in range(2)]  # noqa: SIM115
        names = [file.name for file in self._printed]
        self._process = _COPIES.Process(target=_call, args=(function, arguments, dict(os.environ), names), daemon=True)
        # It would run the main module of this process, and that of the last tested screen is left as such.
        with patch.dict(sys.modules, {"__main__": ModuleType("__main__")}):
            self._process.start()
        assert self._process.pid
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, or the number of the signal that ended it, below zero; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it has ended."""
        self._process.join(timeout)
        assert self.returncode is not None, f"nothing happened within {timeout} s"

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait until it has ended and return what it printed on stdout and stderr."""
        self.wait(timeout)
        stdout, stderr = (file.read() for file in self._printed)
        return stdout, stderr

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()


def _call(
    function: Callable[..., int | None], arguments: Sequence[Any], environment: Mapping[str, str], names: Sequence[str]
) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()  # the fork server's is that of the test that came first
    os.environ.update(environment, CUDA_VISIBLE_DEVICES="-1")
    for number, name in enumerate(names, start=1):
        with open(name, "ab") as file:
            os.dup2(file.fileno(), number)
    sys.exit(function(*arguments))


class Python:
    """Starts Python processes in the project, without a GPU, and ends what is left of them."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str] | Copy] = []

    def train(self, *arguments: str | Path) -> Copy:
        """Start ``python -m mnist_lib train ARGUMENTS`` in a process that has loaded TensorFlow before."""
        process = Copy(main, ["train", *map(str, arguments)])
        self.processes.append(process)
        return process

    def start(self, *arguments: str | Path, **environment: str) -> subprocess.Popen[str]:
        """Start ``python ARGUMENTS`` with pipes for its input and output."""
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
        process = subprocess.Popen(
            [sys.executable, *map(str, arguments)],
            cwd=PROJECT_PATH,
            env=inherited | {"CUDA_VISIBLE_DEVICES": "-1"} | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            # Where the tests themselves run in the background, Ctrl-C may be ignored, and children inherit that.
            preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if os.name == "posix" else None,
        )
        self.processes.append(process)
        return process

    def run(self, *arguments: str | Path, **environment: str) -> tuple[int, str, str]:
        """Run ``python ARGUMENTS`` to its end and return its exit code, stdout and stderr."""
        process = self.start(*arguments, **environment)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
        return process.returncode, stdout, stderr

    def end_all(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()
            process.communicate()


def wait_until(condition: Callable[[], Any]) -> Any:
    """Return the first true value of a condition, or fail at the deadline."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"nothing happened within {DEADLINE_S:.0f} s")
