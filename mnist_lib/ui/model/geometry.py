"""Try the geometry: why 28 becomes 26."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.config import TrainingConfig
from mnist_lib.network.layers import IMAGE_SHAPE, layer_table
from mnist_lib.ui.components.convolution_geometry import Geometry, convolution_geometry


def render_geometry(config: TrainingConfig, image: np.ndarray) -> None:
    """Show a convolution whose sizes can be changed, beginning with the run's own.

    Args:
        config: The settings of the run, whose layers are the examples.
        image: uint8, (28, 28), 0 to 255, what the window slides over.
    """
    sizes = [IMAGE_SHAPE[0]] + [row.output_shape[0] for row in layer_table(config)]
    kernel = config.kernel_size
    kinds = {"First convolution": (kernel, 1), "As in pooling": (2, 2), "Second convolution": (kernel, 1)}
    examples = [
        Geometry(f"{name}: {before} → {after}", before, side, s=stride)
        for (name, (side, stride)), before, after in zip(kinds.items(), sizes, sizes[1:], strict=False)
    ]
    st.markdown(
        f"Why does {sizes[0]} become {sizes[1]}? A window of {kernel} fits into a row of {sizes[0]} at {sizes[1]} "
        "places; each gives one value. :orange[Orange] weights count ink for it, :blue[blue] ones against."
    )
    convolution_geometry(image, examples, key="geometry")
