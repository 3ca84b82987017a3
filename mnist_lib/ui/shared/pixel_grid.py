"""One image, enlarged, with the value of every pixel written into it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.ui.assets import style

# The text grows and shrinks with the grid's own width: readable on a wide screen,
# whole on a narrow one.


def render_pixel_values(image: np.ndarray) -> None:
    """Show an image as a grid of its values; a zero, the paper, stays empty.

    Args:
        image: (28, 28), uint8 from 0 to 255 or float32 from 0 to 1.
    """
    decimals, maximum = (0, 255) if image.dtype == np.uint8 else (2, 1)
    cells = "".join(_cell(float(value), maximum, decimals) for value in image.ravel())
    grid = f'<div class="pixel-grid" style="--side:{len(image)}" role="img" aria-label="The pixel values">{cells}</div>'
    st.html(f'{style("shared/pixel_grid.css")}<div class="pixel-frame">{grid}</div>')


def _cell(value: float, maximum: float, decimals: int) -> str:
    if value == 0:
        return "<span></span>"
    grey = round(255 * value / maximum)
    ink = ' class="ink"' if grey > 117 else ""
    text = f"{value:.{decimals}f}"
    short = text.removeprefix("0") if decimals else text
    return f'<span{ink} style="background:rgb({grey},{grey},{grey})">{short}</span>'
