"""Exports a trained network in formats that other programs read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import read_file

# The first Keras that writes LiteRT. The one before it is the last for Python 3.10.
LITERT_KERAS = (3, 13)

# Each export loads TensorFlow, with hundreds of megabytes: many visitors wait for each other.
_one_at_a_time = threading.Lock()


class ExportError(Exception):
    """The network cannot be written in that format. The message is one line."""


def export_keras(run: Run) -> bytes:
    """Return the network of a run as a .keras file: the final one, else that of its last epoch.

    Raises:
        ExportError: There is none, or it cannot be read.
    """
    try:
        return read_file(run.model_path)
    except OSError:
        return _export(run, "keras", ".keras")


def export_saved_model(run: Run) -> bytes:
    """Return a zip of a TensorFlow SavedModel, as ``write_saved_model`` makes it.

    Raises:
        ExportError: The run has no model that can be read, or there is no room.
    """
    return _export(run, "saved_model", ".zip")


def export_litert(run: Run) -> bytes:
    """Return the network as a LiteRT (TensorFlow Lite) file, as ``write_litert`` makes it.

    Raises:
        ExportError: This Keras is too old, the run has no model that can be read, or there is no room.
    """
    if not can_export_litert():
        needed = ".".join(map(str, LITERT_KERAS))
        raise ExportError(f"LiteRT needs Keras {needed} and so Python 3.11; this is Keras {version('keras')}.")
    return _export(run, "litert", ".tflite")


def can_export_litert() -> bool:
    """Tell whether the installed Keras writes LiteRT, without loading it."""
    return tuple(map(int, version("keras").split(".")[:2])) >= LITERT_KERAS


def _export(run: Run, form: str, ending: str) -> bytes:
    """Write the file in a separate process, which frees all memory when it ends."""
    try:
        with _one_at_a_time, TemporaryDirectory() as folder:
            path = Path(folder) / f"model{ending}"
            done = subprocess.run(
                [sys.executable, "-m", "mnist_lib.export.write_model", form, str(run.path.absolute()), str(path)],
                cwd=PROJECT_PATH,
                env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                check=False,
            )
            if done.returncode:
                lines = done.stderr.strip().splitlines()
                raise ExportError(lines[-1] if lines else "The network cannot be exported: the exporter ended early.")
            return path.read_bytes()
    except OSError as error:
        raise ExportError(f"The network cannot be exported: {error.strerror or error}") from error
