"""Writes a run's network in a format that other programs read: the process that ``models`` starts.

    python -m mnist_lib.export.write_model FORMAT RUN_FOLDER FILE

TensorFlow, whatever the run was trained on, and its memory stay in this process. ONNX is left out: for it, Keras needs
tf2onnx, a package that nothing else here needs.
"""

from __future__ import annotations

import io
import sys
import zipfile
from contextlib import redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mnist_lib.network.backend import load_keras
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.wording import first_line

if TYPE_CHECKING:
    import keras


def write_keras(run: Run, path: Path) -> None:
    """Write the network of a run as a .keras file.

    Raises:
        DamagedRunError: It cannot be read.
    """
    _load(run).save(path)


def write_saved_model(run: Run, path: Path) -> None:
    """Write a zip of a TensorFlow SavedModel: ``RUN/1/saved_model.pb`` and its variables.

    TensorFlow Serving expects this layout: the model's name, then its version. The model takes
    float32 (n, 28, 28, 1), 0 to 1, and returns probabilities, (n, 10).

    Raises:
        DamagedRunError: The network cannot be read.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        _load(run).export(str(folder / run.run_id / "1"), format="tf_saved_model", verbose=False)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder))


def write_litert(run: Run, path: Path) -> None:
    """Write the network as a LiteRT (TensorFlow Lite) file, for phones and small boards.

    The model takes float32 (n, 28, 28, 1), 0 to 1, and returns probabilities, (n, 10).

    Raises:
        DamagedRunError: The network cannot be read.
    """
    _load(run).export(str(path), format="litert", verbose=False)


WRITERS = {"keras": write_keras, "saved_model": write_saved_model, "litert": write_litert}


def _load(run: Run) -> keras.Model:
    network = load_network(run)  # its errors say what is wrong with a file
    config, _ = run.read_config()
    load_keras(use_gpu=False)
    from mnist_lib.network.model import build_model  # imports Keras

    model = build_model(config)
    layers = (network.convolution_1, network.convolution_2, network.dense, network.output)
    model.set_weights([values for layer in layers for values in layer])
    return model


def main() -> int:
    """Write one file; say in one line what went wrong."""
    form, folder, file = sys.argv[1:]
    try:
        # Keras 3.13 and 3.14 print what they wrote in any case.
        with redirect_stdout(io.StringIO()):
            WRITERS[form](Run(Path(folder)), Path(file))
    except DamagedRunError as error:
        print(error, file=sys.stderr)
        return 1
    except Exception as error:  # TensorFlow raises many types, for a full disk as well
        print(f"The network cannot be exported: {first_line(error)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
