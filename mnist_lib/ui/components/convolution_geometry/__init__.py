"""A small convolution to play with: its five sizes as sliders, and the window on its way over the image.

Everything happens in the browser; nothing comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

_component = component(
    "convolution_geometry",
    css=read_text("components/convolution_geometry/convolution_geometry.css"),
    js=read_text("components/convolution_geometry/convolution_geometry.js"),
)


class Geometry(NamedTuple):
    """The sizes of a convolution or pooling, each along one side.

    Attributes:
        label: What a button says that sets them.
        n: Values of the input, 1 to 32.
        k: Weights of the kernel, 1 to 7.
        p: Padding on each side, 0 to 6.
        s: Stride, 1 to 5.
        d: Dilation, 1 to 4.
    """

    label: str
    n: int
    k: int
    p: int = 0
    s: int = 1
    d: int = 1


def convolution_geometry(image: np.ndarray, examples: Sequence[Geometry], key: str) -> None:
    """Show the sliders, the image under its window, and the output with the formula of its size.

    Args:
        image: uint8, (28, 28), 0 to 255, what the window slides over.
        examples: Sizes to begin with, the first, and to return to, each by a button.
        key: The component's key.
    """
    data = {"image": image.tolist(), "examples": [example._asdict() for example in examples]}
    _component(key=key, data=with_version(key, data))
