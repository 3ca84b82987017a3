"""The network with one image in it: a picture of all layers, and the calculation of any place of it.

The server sends the values once for each image. Everything after that is answered in the browser;
the two components share what is chosen there, through ``network.js``.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from streamlit.components.v2 import component

from mnist_lib.config import TrainingConfig
from mnist_lib.data.dataset import scale_pixels
from mnist_lib.network.forward import Activations, Layer, Network, max_pool
from mnist_lib.network.layers import IMAGE_SHAPE, layer_table
from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

# A browser gets the weights of the first dense layer up to this many: 32 MB.
MOST_DENSE_WEIGHTS = 8_000_000

LAYER_TITLES = {
    "input": "Image",
    "conv2d_1": "Convolution 1",
    "max_pooling2d": "Pooling",
    "conv2d_2": "Convolution 2",
    "max_pooling2d_2": "Pooling 2",
    "flatten": "Flatten",
    "dense_1": "Dense",
    "dropout": "Dropout",
    "dense_2": "Softmax",
}
# How a layer is drawn and calculated.
_KINDS = {
    "input": "image",
    "conv2d_1": "convolution",
    "max_pooling2d": "pooling",
    "conv2d_2": "convolution",
    "max_pooling2d_2": "pooling",
    "flatten": "flatten",
    "dense_1": "dense",
    "dropout": "dropout",
    "dense_2": "answer",
}


def _script(*parts: str) -> str:
    return "".join(read_text(f"components/network_view/{part}.js") for part in ("network", "drawing", *parts))


_picture = component("network_picture", css=read_text("components/network_view/picture.css"), js=_script("picture"))
_calculation = component(
    "network_calculation",
    css=read_text("components/network_view/calculation.css"),
    js=_script("equations", "calculation"),
)


def network_picture(
    config: TrainingConfig,
    network: Network,
    activations: Activations,
    image: np.ndarray,
    title: str,
    network_id: str,
    class_names: Sequence[str],
    stage: str,
    stage_number: int,
    key: str,
    on_stage: Callable[[], None],
) -> None:
    """Show all layers of a network side by side, with their values for one image.

    Args:
        config: The settings of the network.
        network: The network.
        activations: Its values for this image alone, as ``forward`` returns them.
        image: uint8, (28, 28), 0 to 255.
        title: What the image is.
        network_id: 64 characters of ASCII, another one for each network.
        class_names: What the outputs stand for.
        stage: The name of the layer to choose.
        stage_number: Another one each time that the server, and not the person in the picture, chose the layer.
        key: The component's key.
        on_stage: Called when a person chooses a layer in the picture, ``st.session_state[key]["stage"]``.
    """
    shapes = {"input": IMAGE_SHAPE} | {row.name: row.output_shape for row in layer_table(config)}
    layers: dict[str, dict[str, Any]] = {
        name: {
            "name": name,
            "kind": _KINDS[name],
            "title": LAYER_TITLES[name],
            "shape": shape,
            "shape_text": " × ".join(f"{size:,}" for size in shape),
        }
        for name, shape in shapes.items()
    }
    layers["input"]["values"] = _pack(scale_pixels(image))
    layers["conv2d_1"] |= _weights(network.convolution_1) | {"side": config.kernel_size}
    layers["conv2d_2"] |= _weights(network.convolution_2) | {"side": config.kernel_size}
    layers["dense_1"] |= {"bias": _pack(network.dense.bias)}
    layers["dense_2"] |= _weights(network.output) | {"names": class_names}
    layers["dropout"] |= {"rate": config.dropout}
    for name in ("conv2d_1", "max_pooling2d", "conv2d_2", "dense_1", "dense_2"):
        layers[name]["values"] = _pack(getattr(activations, name))
    if network.second_pooling:
        layers["max_pooling2d_2"]["values"] = _pack(max_pool(activations.conv2d_2))
    data = {
        # One image in one network.
        "id": sha256(f"{network_id} {title}".encode() + image.tobytes()).hexdigest(),
        "title": title,
        "layers": list(layers.values()),
        "dense_id": network_id,
        "dense_sent": _is_sent(network),
        "stage": stage,
        "stage_number": stage_number,
    }
    _picture(key=key, data=with_version(key, data), on_stage_change=on_stage)


def network_calculation(network: Network, network_id: str, key: str) -> None:
    """Show the calculation of the place that is chosen in the picture.

    Args:
        network: The network that the picture shows.
        network_id: As for the picture.
        key: The component's key.
    """
    # Bytes: as JSON, two megabytes would take longer than everything else on the screen. The script keeps
    # them by their network, so their order does not matter and they need no version.
    weights = network.dense.kernel.astype("<f4").tobytes() if _is_sent(network) else b""
    _calculation(key=key, data=network_id.encode() + weights)


def _weights(layer: Layer) -> dict[str, str]:
    return {"kernel": _pack(layer.kernel), "bias": _pack(layer.bias)}


def _is_sent(network: Network) -> bool:
    return network.dense.kernel.size <= MOST_DENSE_WEIGHTS


def _pack(values: np.ndarray) -> str:
    return base64.b64encode(values.astype("<f4").tobytes()).decode()
