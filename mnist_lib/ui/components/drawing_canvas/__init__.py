"""A black field to draw on in white, by mouse, pen or finger, with Undo and Clear."""

from __future__ import annotations

import base64
import binascii
import io
from typing import Any, NamedTuple

import numpy as np
from PIL import Image
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

# Of the coordinates and of the picture, however large the field is shown.
SIDE_PX = 280

_component = component(
    "drawing_canvas",
    css=read_text("components/drawing_canvas/drawing_canvas.css"),
    js=read_text("components/drawing_canvas/drawing_canvas.js"),
)


class Drawing(NamedTuple):
    """What is drawn on a field.

    Attributes:
        strokes: The strokes, as the field's script keeps them.
        cleared: The strokes that the last Clear took away, which Undo brings back.
        rgba: uint8, (280, 280, 4), white on black, or None if nothing is drawn.
    """

    strokes: list[dict[str, Any]] = []  # noqa: RUF012 (a tuple's defaults are never changed)
    cleared: list[dict[str, Any]] = []  # noqa: RUF012
    rgba: np.ndarray | None = None


def drawing_canvas(key: str, number: int, begins_with: Drawing, pen_width_px: int, largest_px: int) -> Drawing | None:
    """Show the field and return what a person has drawn on it, or None until they draw.

    Args:
        key: The component's key.
        number: Another number puts ``begins_with`` in the place of what is drawn.
        begins_with: What is on the field at first.
        pen_width_px: Of the next strokes, where the field's side is ``SIDE_PX``.
        largest_px: The field is as wide as there is room, and at most this.
    """
    data = {
        "number": number,
        "strokes": begins_with.strokes,
        "cleared": begins_with.cleared,
        "pen_width": pen_width_px,
        "side": SIDE_PX,
        "largest_px": largest_px,
    }
    sent = _component(
        key=key, data=with_version(key, data), default={"drawing": None}, on_drawing_change=lambda: None
    ).drawing
    if sent is None or sent["number"] != number:  # of what was there before
        return None
    return Drawing(sent["strokes"], sent["cleared"], _read_picture(sent["picture"]) if sent["strokes"] else None)


def _read_picture(url: str) -> np.ndarray | None:
    """Return the pixels of a PNG in a data URL; None if a browser sent something else."""
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])), formats=["PNG"])
        return np.asarray(picture.convert("RGBA")) if picture.size == (SIDE_PX, SIDE_PX) else None
    except (binascii.Error, OSError):
        return None
