"""The network that a run kept."""

from __future__ import annotations

import keras

from mnist_lib.network.model import build_model
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run


def load_run_model(run: Run, epoch: int | None = None) -> keras.Model:
    """Load the network that a run kept, or that of its last epoch if it never ended.

    Only weights are read from the file. The network itself is built here, so a file
    can bring no code of its own, and another version of Keras can read it.

    Args:
        run: The run.
        epoch: The network as it was after this epoch, one of ``run.epochs_with_weights()``.

    Raises:
        DamagedRunError: It cannot be read. The message names the file.
    """
    snapshot = run.read()
    if snapshot.config is None:
        raise DamagedRunError(f"{run.run_id}: {snapshot.message}")
    path = run.model_path if epoch is None else run.weights_path(epoch)
    if epoch is None and not path.is_file():
        epochs = run.epochs_with_weights()
        if not epochs:
            raise DamagedRunError(f"{run.run_id} has no model: {path.name} is missing and no epoch was finished.")
        path = run.weights_path(epochs[-1])
    model = build_model(snapshot.config)
    try:
        model.load_weights(path)
    except Exception as error:  # Keras raises many types for a bad file
        raise DamagedRunError(f"{path.name} of {run.run_id} cannot be read: {_first_line(error)}") from error
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
