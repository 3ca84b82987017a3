"""Reads the weights of a network from files, without Keras: those that Keras writes, and a training's newest ones."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mnist_lib.config import TrainingConfig
from mnist_lib.network.forward import Layer, Network
from mnist_lib.network.layers import IMAGE_SHAPE, count_parameters, layer_table
from mnist_lib.storage.files import read_file, require_file, write_whole
from mnist_lib.wording import first_line

# Keras numbers the layers in such a file by their type, whatever their names are.
_LAYERS = ("conv2d", "conv2d_1", "dense", "dense_1")

# The most that HDF5 adds to the values.
_OVERHEAD_BYTES = 200_000


class WeightsError(Exception):
    """A file of weights is missing, unreadable or from another network. The message is one line."""


class LiveNetwork(NamedTuple):
    """A network in training: its weights after this many batches, over all epochs."""

    step: int
    network: Network


def weights_file_size(config: TrainingConfig) -> int:
    """Return how many bytes a file of the weights takes at most."""
    return 4 * count_parameters(config) + _OVERHEAD_BYTES


def weight_shapes(config: TrainingConfig) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array in a file of weights, by its path in the file."""
    rows = {row.name: row for row in layer_table(config)}
    side, (values,) = config.kernel_size, rows["flatten"].output_shape
    kernels = (
        (side, side, IMAGE_SHAPE[-1], config.filters_1),
        (side, side, config.filters_1, config.filters_2),
        (values, config.dense_units),
        (config.dense_units, config.classes),
    )
    shapes: dict[str, tuple[int, ...]] = {}
    for layer, kernel in zip(_LAYERS, kernels, strict=True):
        shapes[f"layers/{layer}/vars/0"] = kernel
        shapes[f"layers/{layer}/vars/1"] = kernel[-1:]
    return shapes


def read_network(path: Path, config: TrainingConfig) -> Network:
    """Read a network from a ``.weights.h5`` file, or from the one inside a ``.keras`` file.

    Only arrays are read. What the file says about layers is not used, so it cannot bring
    any code.

    Args:
        path: The file.
        config: The settings of the run, which define the network.

    Raises:
        WeightsError: The file is missing, unreadable or from another network.
    """
    import h5py  # takes a tenth of a second, and many screens never need it

    try:
        with h5py.File(_open_weights(path, weights_file_size(config)), "r") as file:
            arrays = [_read_array(file, name, shape) for name, shape in weight_shapes(config).items()]
    except Exception as error:  # h5py and zipfile raise many types for a bad file
        raise WeightsError(first_line(error)) from error
    return _make_network(arrays, config)


def weights_of(network: Network) -> list[np.ndarray]:
    """Return the weights of a network, float32, in the order of ``weight_shapes``, which is Keras's."""
    layers = network.convolution_1, network.convolution_2, network.dense, network.output
    return [array for layer in layers for array in layer]


def write_live_network(path: Path, step: int, weights: Sequence[np.ndarray]) -> None:
    """Write the weights of a network in training, whole or not at all.

    NumPy's format takes half the time of Keras's, and a full disk is an error, not the end of the process.

    Args:
        path: The file, which ends with ``.npz``.
        step: Batches done, over all epochs.
        weights: float32, of the shapes that ``weight_shapes`` returns, in its order.

    Raises:
        OSError: The folder is not writable or the disk is full.
    """
    write_whole(path, lambda temporary: np.savez(temporary, np.array(step), *weights))


def read_live_network(path: Path, config: TrainingConfig) -> LiveNetwork:
    """Read what ``write_live_network`` wrote.

    Args:
        path: The file.
        config: The settings of the run, which define the network.

    Raises:
        WeightsError: The file is missing, unreadable or from another network.
    """
    try:
        with np.load(io.BytesIO(read_file(path)), allow_pickle=False) as file:
            step, *arrays = (file[name] for name in file.files)
        found, expected = [array.shape for array in arrays], list(weight_shapes(config).values())
        if found != expected or not all(array.dtype == np.float32 and np.isfinite(array).all() for array in arrays):
            raise WeightsError("it is from another network, or holds what is not a number")
        return LiveNetwork(int(step), _make_network(arrays, config))
    except Exception as error:  # NumPy and zipfile raise many types for a bad file
        raise WeightsError(first_line(error)) from error


def _make_network(arrays: Sequence[np.ndarray], config: TrainingConfig) -> Network:
    layers = [Layer(kernel, bias) for kernel, bias in zip(arrays[::2], arrays[1::2], strict=True)]
    return Network(*layers, second_pooling=config.second_pooling)


def _open_weights(path: Path, max_size: int) -> Path | io.BytesIO:
    require_file(path)
    if path.suffix != ".keras":
        return path
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as file:
        weights = file.read(max_size + 1)
    if len(weights) > max_size:
        raise WeightsError(f"its weights have more than {max_size:,} bytes")
    return io.BytesIO(weights)


def _read_array(file, name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in file:
        raise WeightsError(f"{name} is missing")
    if file[name].shape != shape:  # checked before any value is read
        raise WeightsError(f"{name} is {file[name].shape}, not {shape}")
    return np.ascontiguousarray(file[name], dtype=np.float32)
