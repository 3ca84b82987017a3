"""Many small pictures as one PNG."""

from __future__ import annotations

import base64
import io

import numpy as np
from PIL import Image

# Each filter or map is large enough to see on a phone, and many do not make a long page.
_COLUMNS = 8
_MANY, _MANY_COLUMNS = 64, 16


def columns_of(count: int) -> int:
    """Return how many filters or feature maps to show side by side."""
    return min(count, _COLUMNS if count <= _MANY else _MANY_COLUMNS)


def picture_sheet(pictures: np.ndarray, columns: int, gap_px: int = 0) -> str:
    """Return the pictures side by side as one PNG in a data URL.

    Args:
        pictures: uint8, (n, height, width) of grey, or (n, height, width, 4) of red, green,
            blue and opacity.
        columns: How many per row; the last row is filled up with zeros.
        gap_px: Zeros below and to the right of each: black in grey, transparent with an opacity.
    """
    count, height_px, width_px = pictures.shape[:3]
    rows = -(-count // columns)
    gaps = [(0, rows * columns - count), (0, gap_px), (0, gap_px), (0, 0)]
    cells = np.pad(pictures, gaps[: pictures.ndim])
    cell_height_px, cell_width_px = height_px + gap_px, width_px + gap_px
    grid = cells.reshape(rows, columns, cell_height_px, cell_width_px, *pictures.shape[3:]).swapaxes(1, 2)
    sheet = grid.reshape(rows * cell_height_px, columns * cell_width_px, *pictures.shape[3:])
    file = io.BytesIO()
    Image.fromarray(sheet).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def maps_sheet(maps: np.ndarray, columns: int, strongest: float, scale: int = 1) -> str:
    """Return feature maps in grey, side by side, as one PNG in a data URL.

    Args:
        maps: float32, (n, height, width), 0 or more.
        columns: How many per row.
        strongest: The value that is white, at least the largest; 0 if all of them are.
        scale: The side of each value in pixels.
    """
    # The square root makes weak values visible, and an empty map is not quite black, so that it
    # shows on a dark page.
    grey = (45 + 210 * np.sqrt(maps / (strongest or 1.0))).round().astype(np.uint8)
    opaque = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=-1)
    return picture_sheet(opaque.repeat(scale, 1).repeat(scale, 2), columns, gap_px=1)
