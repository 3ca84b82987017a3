"""Saves and loads checkpoints, weights and models, each file whole or not at all."""

from __future__ import annotations

from pathlib import Path

import keras

from mnist_lib.config import TrainingConfig
from mnist_lib.network.model import build_model
from mnist_lib.network.weights import weights_file_size
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import require_file, write_whole


def load_checkpoint(model: keras.Model, run: Run, epoch: int) -> None:
    """Load the weights and the optimizer's state as they were after an epoch.

    Args:
        model: Compiled.
        run: Has a checkpoint of this epoch.
        epoch: From 1.

    Raises:
        DamagedRunError: It cannot be read.
    """
    model.optimizer.build(model.trainable_variables)
    path = run.checkpoint_path(epoch)
    try:
        require_file(path)
        model.load_weights(path)
    except Exception as error:  # Keras and h5py raise many types for a bad file
        raise DamagedRunError(f"{path.name} cannot be read") from error


def save_checkpoint(model: keras.Model, run: Run, config: TrainingConfig, epoch: int) -> None:
    """Save what is needed to continue after an epoch: the weights and the optimizer's state.

    Args:
        model: As trained, with its optimizer.
        run: Where to save it.
        config: The settings of the run.
        epoch: From 1.

    Raises:
        OSError: The run directory cannot be written, or has not enough room.
    """
    # The optimizer keeps up to two more numbers for every weight.
    _save_weights(model, run, run.checkpoint_path(epoch), 3 * weights_file_size(config))


def remove_checkpoints(run: Run, up_to: int) -> None:
    """Remove the checkpoints of epochs 1 to ``up_to``."""
    for epoch in range(1, up_to + 1):
        run.checkpoint_path(epoch).unlink(missing_ok=True)


def save_weights(model: keras.Model, run: Run, config: TrainingConfig, epoch: int) -> None:
    """Save the weights after an epoch, to look back at.

    Args:
        model: In float32, without its optimizer.
        run: Where to save them.
        config: The settings of the run.
        epoch: From 1.

    Raises:
        OSError: The run directory cannot be written, or has not enough room.
    """
    _save_weights(model, run, run.weights_path(epoch), weights_file_size(config))


def save_model(model: keras.Model, run: Run, config: TrainingConfig) -> None:
    """Save the network as it is now, in float32 and without its optimizer, as ``model.keras``.

    Args:
        model: As trained, in any precision.
        run: Where to save it.
        config: The settings of the run.

    Raises:
        OSError: The run directory cannot be written, or has not enough room.
    """
    kept = build_model(config)
    kept.set_weights(model.get_weights())
    run.require_space(weights_file_size(config))
    write_whole(run.model_path, kept.save)


def _save_weights(model: keras.Model, run: Run, path: Path, size_bytes: int) -> None:
    run.require_space(size_bytes)
    write_whole(path, model.save_weights)
