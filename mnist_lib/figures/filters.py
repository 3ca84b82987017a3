"""Pictures of filters: orange above zero, blue below, grey at zero."""

from __future__ import annotations

import numpy as np

from mnist_lib.figures.picture_sheet import columns_of, picture_sheet

_PIXEL_PX = 10
_GAP_PX = 10

# Readable on white and on black, and distinguishable without seeing red or green.
_POSITIVE_COLOR = (234, 88, 12)
_NEGATIVE_COLOR = (29, 78, 216)
_ZERO_COLOR = (226, 226, 230)


def filters_picture(filters: np.ndarray) -> str:
    """Return filters side by side as one PNG in a data URL.

    Args:
        filters: float32, (n, side, side). The largest of all weights has the full colour.
    """
    pictures = color_weights(filters).repeat(_PIXEL_PX, 1).repeat(_PIXEL_PX, 2)
    return picture_sheet(pictures, columns_of(len(filters)), _GAP_PX)


def color_weights(filters: np.ndarray) -> np.ndarray:
    """Return a colour for each weight.

    Args:
        filters: float32, (n, side, side). The largest of all weights has the full colour.

    Returns:
        uint8, (n, side, side, 4), red, green, blue and opacity, which is full.
    """
    strengths = (filters / (np.abs(filters).max() or 1.0))[..., np.newaxis]
    zero = np.array(_ZERO_COLOR)
    colors = np.where(
        strengths > 0,
        zero + strengths * (np.array(_POSITIVE_COLOR) - zero),
        zero - strengths * (np.array(_NEGATIVE_COLOR) - zero),
    )
    return np.insert(colors.round().astype(np.uint8), 3, 255, axis=3)
