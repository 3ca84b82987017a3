"""One image, with the value of every pixel written into it, and a magnifier to read them."""

from __future__ import annotations

import numpy as np
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

_component = component(
    "pixel_grid",
    css=read_text("components/pixel_grid/pixel_grid.css"),
    js=read_text("components/pixel_grid/pixel_grid.js"),
)


def pixel_grid(image: np.ndarray, key: str) -> None:
    """Show an image as a grid of its values; a zero, the paper, stays empty.

    The values around the pixel that a person points at, touches, or goes to with the arrow keys are enlarged.

    Args:
        image: (28, 28), uint8 from 0 to 255 or float32 from 0 to 1.
        key: The component's key.
    """
    values = image.ravel()
    if image.dtype == np.uint8:
        greys, texts = values, [str(value) for value in values.tolist()]
    else:
        greys, texts = np.round(255 * values), [f"{value:.2f}".removeprefix("0") for value in values.tolist()]
    data = {
        "side": len(image),
        "greys": greys.astype(int).tolist(),
        "texts": [text if value else "" for text, value in zip(texts, values.tolist(), strict=True)],
    }
    _component(key=key, data=with_version(key, data))
