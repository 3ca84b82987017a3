"""Python processes of the project, as a person starts them, and what they do after a while."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT_PATH = Path(__file__).parents[2]

# A loaded machine is slow, not wrong.
DEADLINE_S = 120.0


class Python:
    """Starts Python processes in the project, without a GPU, and ends what is left of them."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []

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
