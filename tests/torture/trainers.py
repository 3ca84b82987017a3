"""Trainers that begin at once: copies of a process that has loaded Keras, each of which runs one command line.

``python -m tests.torture.trainers`` reads a JSON object a line: the arguments, where the output goes, and a file that
says by how many seconds the clock is wrong. It prints the pid of each copy.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from mnist_lib.command_line import main
from mnist_lib.network.backend import choose_onednn


def serve() -> None:
    """Start a copy for each line of standard input."""
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "2"
    if choose_onednn("auto"):
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    # Imported and no more: threads, which TensorFlow starts when it looks for its devices, are not copied.
    import tensorflow  # noqa: F401

    import mnist_lib.training.train  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a killed copy is gone at once
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _train(order["arguments"], Path(order["output"]), Path(order["clock"]))
        print(pid, flush=True)


def _train(arguments: list[str], output: Path, clock: Path) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with output.open("w") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    os.close(0)
    if clock.exists():
        right = time.time
        time.time = lambda: right() + float(clock.read_text() or 0)
    code = 1
    try:
        code = main(arguments)
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.write(f"exit code {code}\n")
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
