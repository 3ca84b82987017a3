"""What ReLU takes away: the values of a layer before it."""

from __future__ import annotations

import numpy as np

from mnist_lib.data.dataset import scale_pixels
from mnist_lib.network.forward import Activations, Network, convolve

# The layers that end with ReLU.
RELU_LAYERS = ("conv2d_1", "conv2d_2", "dense_1")


def values_before_relu(layer: str, network: Network, image: np.ndarray, activations: Activations) -> np.ndarray:
    """Return the weighted sums of a layer with their biases, before negative ones become 0.

    Args:
        layer: One of ``RELU_LAYERS``.
        network: As ``load_network`` returns it.
        image: uint8, (28, 28), 0 to 255.
        activations: What ``forward`` returns for this one image.

    Returns:
        float32, as that attribute of ``Activations``, of any sign.
    """
    if layer == "conv2d_1":
        return convolve(scale_pixels(image[np.newaxis]), network.convolution_1)
    if layer == "conv2d_2":
        return convolve(activations.max_pooling2d, network.convolution_2)
    return activations.flatten @ network.dense.kernel + network.dense.bias
