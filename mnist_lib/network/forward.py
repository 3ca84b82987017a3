"""The forward pass of the network in NumPy: how it reads a digit, step by step.

This is the network of ``model.py`` without Keras, for reading digits without training.
The tests check that the two agree, layer by layer.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from threadpoolctl import ThreadpoolController

from mnist_lib.data.dataset import scale_pixels
from mnist_lib.machine import core_count

# The windows of the second convolution take 0.14 MB per image: few enough for a processor's cache.
IMAGES_PER_PART = 20

_Result = TypeVar("_Result")


class Layer(NamedTuple):
    """The weights of one layer.

    Attributes:
        kernel: float32, (side, side, channels, filters) of a convolution, (inputs, units) of a dense layer.
        bias: float32, (filters,) or (units,).
    """

    kernel: np.ndarray
    bias: np.ndarray


class Network(NamedTuple):
    """The weights of a network, and whether it pools a second time."""

    convolution_1: Layer
    convolution_2: Layer
    dense: Layer
    output: Layer
    second_pooling: bool = False


class Activations(NamedTuple):
    """The output of each layer for n images, float32. The sizes are those of the paper's network.

    Attributes:
        conv2d_1: (n, 26, 26, 32), 0 or more.
        max_pooling2d: (n, 13, 13, 32), 0 or more.
        conv2d_2: (n, 11, 11, 64), 0 or more.
        flatten: (n, 7744), the values of ``conv2d_2``, pooled if the network pools twice, in a row.
        dense_1: (n, 64), 0 or more.
        dense_2: (n, 10), the probability of each digit; rows sum to 1.
    """

    conv2d_1: np.ndarray
    max_pooling2d: np.ndarray
    conv2d_2: np.ndarray
    flatten: np.ndarray
    dense_1: np.ndarray
    dense_2: np.ndarray


def forward(network: Network, images: np.ndarray) -> Activations:
    """Run the network on images and return the output of each layer.

    Dropout does nothing after training.

    Args:
        network: As ``weights.read_network`` returns it.
        images: uint8, (n, 28, 28), 0 to 255.

    Source: Charlie Wilkin, "Classification of Handwritten Digits using
    Convolutional Neural Networks in Tensorflow 2.0", Table I.
    """
    _use_one_blas_thread()
    conv2d_1 = relu(convolve(scale_pixels(images), network.convolution_1))
    max_pooling2d = max_pool(conv2d_1)
    conv2d_2 = relu(convolve(max_pooling2d, network.convolution_2))
    pooled = max_pool(conv2d_2) if network.second_pooling else conv2d_2
    flatten = pooled.reshape(len(images), -1)
    dense_1 = relu(flatten @ network.dense.kernel + network.dense.bias)
    dense_2 = softmax(dense_1 @ network.output.kernel + network.output.bias)
    return Activations(conv2d_1, max_pooling2d, conv2d_2, flatten, dense_1, dense_2)


def convolve(inputs: np.ndarray, layer: Layer) -> np.ndarray:
    """Slide filters over the inputs, without padding.

    Args:
        inputs: float32, (n, height, width, channels).
        layer: Its kernel is (side, side, channels, filters).

    Returns:
        float32, (n, height - side + 1, width - side + 1, filters).
    """
    side, _, _, filters = layer.kernel.shape
    windows = sliding_window_view(inputs, (side, side), axis=(1, 2)).transpose(0, 1, 2, 4, 5, 3)  # type: ignore[call-overload]
    n, height, width = windows.shape[:3]
    # With one row per window and one column per filter, all positions are a single matrix product.
    products = windows.reshape(n * height * width, -1) @ layer.kernel.reshape(-1, filters)
    return products.reshape(n, height, width, filters) + layer.bias


def max_pool(inputs: np.ndarray) -> np.ndarray:
    """Return the largest of each 2 x 2 values; an odd last row or column is left out.

    Args:
        inputs: float32, (n, height, width, channels).

    Returns:
        float32, (n, height // 2, width // 2, channels).
    """
    height, width = (side // 2 * 2 for side in inputs.shape[1:3])
    rows = np.maximum(inputs[:, 0:height:2], inputs[:, 1:height:2])
    return np.maximum(rows[:, :, 0:width:2], rows[:, :, 1:width:2])


def relu(values: np.ndarray) -> np.ndarray:
    """Return the values, with 0 in place of negative ones."""
    return np.maximum(values, 0)


def softmax(values: np.ndarray) -> np.ndarray:
    """Return probabilities, (n, 10), from values of any size, (n, 10)."""
    # Subtract the largest first: the exponential of a large value overflows.
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def predict_probabilities(network: Network, images: np.ndarray) -> np.ndarray:
    """Return the probability of each digit for each image.

    Args:
        network: As ``weights.read_network`` returns it.
        images: uint8, (n, 28, 28), 0 to 255, n at least 1.

    Returns:
        float32, (n, 10), rows sum to 1.
    """
    return forward_in_parts(network, images, "dense_2")


def forward_in_parts(
    network: Network, images: np.ndarray, layer: str, on_part: Callable[[float], object] = lambda share: None
) -> np.ndarray:
    """Return the output of one layer for many images.

    Args:
        network: As ``weights.read_network`` returns it.
        images: uint8, (n, 28, 28), 0 to 255, n at least 1.
        layer: The name of an attribute of ``Activations``.
        on_part: Called after each part with the share that is done, up to 1.

    Returns:
        float32, as that attribute of ``Activations``.
    """
    return np.concatenate(read_in_parts(lambda part: getattr(forward(network, part), layer), images, on_part))


def read_in_parts(
    read: Callable[[np.ndarray], _Result],
    images: np.ndarray,
    on_part: Callable[[float], object] = lambda share: None,
) -> list[_Result]:
    """Read many images, twenty at a time on each core to keep memory small, and return what was read of each part.

    Args:
        read: Takes a part of the images and returns anything.
        images: uint8, (n, 28, 28), 0 to 255, n at least 1.
        on_part: Called after each part with the share that is done, up to 1.
    """
    parts = [images[start : start + IMAGES_PER_PART] for start in range(0, len(images), IMAGES_PER_PART)]
    if len(parts) == 1:  # a few images are read before a thread has started
        return [read(images)]
    results = []
    pool = ThreadPoolExecutor(core_count())
    try:
        for number, result in enumerate(pool.map(read, parts), start=1):
            results.append(result)
            on_part(number / len(parts))
    finally:
        pool.shutdown(cancel_futures=True)  # on_part raises when a person leaves the screen
    return results


@functools.cache
def _use_one_blas_thread() -> None:
    """Let NumPy compute a matrix product in the thread that asks for it, from now on in this process.

    The threads of its BLAS library would share each single product and wait for each other, busily: a digit took
    twice the processor time, and many images were read slower, by far where other processes keep cores busy.
    """
    ThreadpoolController().limit(limits=1, user_api="blas")
