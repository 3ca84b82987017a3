"""Looks inside a network: its filters, what they find in an image, and how it was after each epoch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mnist_lib.network.forward import Network, forward, predict_probabilities
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.storage.files import require_file

# Keras numbers the layers in such a file by their type, whatever their names are.
_FIRST_KERNELS = "layers/conv2d/vars/0"


def first_layer_filters(run: Run, epoch: int) -> np.ndarray:
    """Return the filters of the first convolution as they were after an epoch.

    Nothing else is read from the file.

    Args:
        run: The run.
        epoch: One of ``run.epochs_with_weights()``.

    Returns:
        float32, (filters, side, side): one weight per pixel of the digit below it.

    Raises:
        DamagedRunError: The file of the weights is missing or unreadable.
    """
    import h5py  # takes a tenth of a second, and many screens never need it

    path = run.weights_path(epoch)
    try:
        require_file(path)
        with h5py.File(path, "r") as file:
            kernels = np.asarray(file[_FIRST_KERNELS], dtype=np.float32)
    except Exception as error:  # h5py raises many types for a bad file
        raise DamagedRunError(f"epochs/{path.name} is missing or unreadable") from error
    if kernels.ndim != 4 or kernels.shape[2] != 1 or not kernels.size or not np.isfinite(kernels).all():
        raise DamagedRunError(f"epochs/{path.name} does not hold the filters of a first layer")
    return kernels[:, :, 0, :].transpose(2, 0, 1)


def feature_maps(network: Network, image: np.ndarray) -> list[np.ndarray]:
    """Return the feature maps of each convolution for an image.

    Args:
        network: As ``load_network`` returns it.
        image: uint8, (28, 28), 0 to 255.

    Returns:
        One array per convolution, float32, (filters, side, side), 0 or more.
    """
    activations = forward(network, image[np.newaxis])
    return [maps[0].transpose(2, 0, 1) for maps in (activations.conv2d_1, activations.conv2d_2)]


def read_over_epochs(networks: Sequence[Network], image: np.ndarray) -> np.ndarray:
    """Return the probability of each digit for one image, after each epoch.

    Args:
        networks: The network after each epoch, as ``load_network`` returns it.
        image: uint8, (28, 28), 0 to 255.

    Returns:
        float32, (networks, 10), rows sum to 1.
    """
    return np.concatenate([predict_probabilities(network, image[np.newaxis]) for network in networks])


def spread_epochs(epochs: Sequence[int], count: int) -> list[int]:
    """Return at most ``count`` of the epochs, evenly spread, including the first and the last.

    Args:
        epochs: Numbers of the epochs, in order.
        count: At least 2.
    """
    if len(epochs) <= count:
        return list(epochs)
    return [epochs[position] for position in np.linspace(0, len(epochs) - 1, count).round().astype(int)]


def settled_since(epochs: Sequence[int], answers: np.ndarray) -> int:
    """Return the first epoch from which the answer no longer changes.

    Args:
        epochs: Numbers of the epochs, in order, at least one.
        answers: integer, (n,), the predicted digit after each of them.
    """
    others = np.flatnonzero(answers != answers[-1])
    return epochs[others[-1] + 1] if len(others) else epochs[0]
