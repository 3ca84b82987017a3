"""Loads the network that a run saved, or the newest one of a training."""

from __future__ import annotations

from pathlib import Path

from mnist_lib.network.forward import Network
from mnist_lib.network.weights import LiveNetwork, WeightsError, read_live_network, read_network
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run


def load_network(run: Run, epoch: int | None = None) -> Network:
    """Load the network that a run saved, or that of its last epoch if the run did not end.

    Args:
        run: The run.
        epoch: The network as it was after this epoch, one of ``run.epochs_with_weights()``.

    Raises:
        DamagedRunError: It cannot be read. The message names the file.
    """
    try:
        config, _ = run.read_config()
    except DamagedRunError as error:
        raise DamagedRunError(f"{run.run_id}: {error}") from error
    path = network_path(run, epoch)
    try:
        return read_network(path, config)
    except WeightsError as error:
        raise DamagedRunError(f"{path.name} of {run.run_id} cannot be read: {error}") from error


def load_live_network(run: Run) -> LiveNetwork | None:
    """Load the network of a training as it was about a second ago.

    Returns:
        The network, or None if the training has not begun or is over, or the file cannot be read.
    """
    try:
        config, _ = run.read_config()
        return read_live_network(run.live_path, config)
    except (DamagedRunError, WeightsError):
        return None


def network_path(run: Run, epoch: int | None = None) -> Path:
    """Return the file that holds the network, of an epoch or as ``load_network`` chooses it.

    Raises:
        DamagedRunError: The run saved none.
    """
    if epoch is not None:
        return run.weights_path(epoch)
    if run.model_path.is_file():
        return run.model_path
    epochs = run.epochs_with_weights()
    if not epochs:
        raise DamagedRunError(f"{run.run_id} has no model: {run.model_path.name} is missing and no epoch was finished.")
    return run.weights_path(epochs[-1])
