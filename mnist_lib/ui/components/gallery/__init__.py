"""A gallery of digits: one sprite sheet, and one real button per digit.

Two hundred separate images would be two hundred requests; a sheet is one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.figures.picture_sheet import picture_sheet
from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

SPRITE_COLUMNS = 20

_PICTURE_PX = 56


_component = component(
    "digit_gallery", css=read_text("components/gallery/gallery.css"), js=read_text("components/gallery/gallery.js")
)


class Tile(NamedTuple):
    """One digit of a gallery.

    Attributes:
        id: What a click returns, for example the position in the test set.
        title: A short text below the picture.
        note: A second one, fainter.
        description: The same in a sentence, for screen readers and under the pointer.
        tone: ``right`` or ``wrong`` for a green or red line below the picture, or nothing.
    """

    id: int
    title: str
    note: str
    description: str
    tone: str = ""


def digit_gallery(
    label: str,
    images: np.ndarray,
    tiles: Sequence[Tile],
    key: str,
    chosen_before: int | None = None,
    on_change: Callable[[], None] = lambda: None,
    picture_px: int = _PICTURE_PX,
) -> int:
    """Show a gallery and return the id of the chosen digit, the first until one is chosen.

    Args:
        label: What the gallery shows, for screen readers.
        images: One per tile, all of one size: uint8, (n, side, side) of grey, 28 x 28 for a digit, or
            (n, side, side, 4) of red, green, blue and opacity.
        tiles: Their texts, at least one.
        key: The widget's key.
        chosen_before: The id of the digit to begin with, if it is one of these, or None.
        on_change: Called when a person chooses another, ``st.session_state[key]["selected"]``.
        picture_px: Width and height of each picture on the screen.
    """
    ids = [tile.id for tile in tiles]
    chosen = st.session_state.get(key, {}).get("selected")
    if chosen is None:
        chosen = chosen_before
    selected = chosen if chosen in ids else ids[0]
    data = {
        "label": label,
        "sprite": sprite_sheet(images),
        "columns": SPRITE_COLUMNS,
        "picture_px": picture_px,
        "tiles": [tile._asdict() for tile in tiles],
        "selected": selected,
    }
    _component(key=key, data=with_version(key, data), on_selected_change=on_change)
    return selected


def sprite_sheet(images: np.ndarray) -> str:
    """Return the images as one PNG in a data URL, ``SPRITE_COLUMNS`` side by side.

    Args:
        images: uint8, (n, side, side) of grey, or (n, side, side, 4) of red, green, blue and opacity.
    """
    return picture_sheet(images, SPRITE_COLUMNS)
