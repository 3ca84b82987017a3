"""A trained network in the forms that other programs read.

ONNX is left out: Keras writes it by way of tf2onnx, a package that nothing else here needs.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mnist_lib.network.backend import load_keras
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run

if TYPE_CHECKING:
    import keras

# The first Keras that writes LiteRT. The one before it is the last for Python 3.10.
LITERT_KERAS = (3, 13)

_printing = threading.Lock()


class ExportError(Exception):
    """The network cannot be written in that form. The message is one line."""


def export_keras(run: Run) -> bytes:
    """Return the network of a run as a .keras file: the kept one, else that of its last epoch.

    Raises:
        ExportError: There is none, or it cannot be read.
    """
    with _exporting() as folder:
        path = run.model_path
        if not path.is_file():
            path = folder / "model.keras"
            _load(run).save(path)
        return path.read_bytes()


def export_saved_model(run: Run) -> bytes:
    """Return a zip of a TensorFlow SavedModel: ``RUN/1/saved_model.pb`` and its variables.

    So TensorFlow Serving wants it: the model's name, then its version. It takes float32
    (n, 28, 28, 1), 0 to 1, and returns probabilities, (n, 10).

    Raises:
        ExportError: The run has no model that can be read, or there is no room.
    """
    with _exporting() as folder:
        _load(run).export(str(folder / run.run_id / "1"), format="tf_saved_model", verbose=False)
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.rglob("*")):
                archive.write(path, path.relative_to(folder))
        return file.getvalue()


def export_litert(run: Run) -> bytes:
    """Return the network as a LiteRT (TensorFlow Lite) file, for phones and small boards.

    It takes float32 (n, 28, 28, 1), 0 to 1, and returns probabilities, (n, 10).

    Raises:
        ExportError: This Keras is too old, the run has no model that can be read, or there is no room.
    """
    with _exporting() as folder:
        model = _load(run)
        _require_litert()
        path = folder / "model.tflite"
        model.export(str(path), format="litert", verbose=False)
        return path.read_bytes()


def _load(run: Run) -> keras.Model:
    load_keras(use_gpu=False)
    from mnist_lib.runs.models import load_run_model  # imports Keras

    return load_run_model(run)


def can_export_litert() -> bool:
    """Tell whether the installed Keras writes LiteRT, without loading it."""
    return tuple(map(int, version("keras").split(".")[:2])) >= LITERT_KERAS


def _require_litert() -> None:
    if not can_export_litert():
        needed = ".".join(map(str, LITERT_KERAS))
        raise ExportError(f"LiteRT needs Keras {needed} and so Python 3.11; this is Keras {version('keras')}.")


@contextmanager
def _exporting() -> Iterator[Path]:
    """Yield a folder for the time of an export, and say in one line why it failed."""
    try:
        # Keras 3.13 and 3.14 print what they wrote, asked or not. Stdout belongs to all threads: one at a time.
        with _printing, redirect_stdout(io.StringIO()), TemporaryDirectory() as folder:
            yield Path(folder)
    except ExportError:
        raise
    except DamagedRunError as error:
        raise ExportError(str(error)) from error
    except Exception as error:  # TensorFlow raises many types, for a full disk as well
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise ExportError(f"The network cannot be exported: {reason}") from error
