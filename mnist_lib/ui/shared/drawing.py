"""The digit that a person gave: kept for all screens, and the canvas on which one is drawn."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.drawing.normalization import canvas_to_ink
from mnist_lib.ui.components.drawing_canvas import Drawing, drawing_canvas

PEN_WIDTHS_PX = (8, 32)
USUAL_PEN_WIDTH_PX = 20

# ``canvas`` or ``picture``, and the ink of the picture.
WAY_KEY = "drawing_way"
PICTURE_INK_KEY = "picture_ink"
# What is drawn.
DRAWING_KEY = "drawing"

_PEN_WIDTH_KEY = "pen_width"
# What the canvas began with, and its number: another number is another beginning.
_BEGINS_WITH_KEY = "canvas_begins_with"
_NUMBER_KEY = "canvas_number"


class GivenDigit(NamedTuple):
    """A digit that a person gave to read.

    Attributes:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        source: ``canvas`` or ``picture``.
    """

    ink: np.ndarray
    source: str


def given_digit() -> GivenDigit | None:
    """Return the digit that a person drew or gave as a picture, on whichever screen, or None."""
    state = st.session_state
    way = state.get(WAY_KEY) or "canvas"
    if way == "picture":
        ink = state.get(PICTURE_INK_KEY)
    else:
        rgba = _drawing().rgba
        ink = None if rgba is None else canvas_to_ink(rgba)
    return None if ink is None else GivenDigit(ink, way)


def ask_for_drawing(screen: str, largest_px: int, choose_pen: bool) -> None:
    """Show the canvas with what is drawn on it so far; ``given_digit`` then returns it.

    The drawing is kept while other screens are open, and is the same on all of them.

    Args:
        screen: Where it is shown. Each screen needs a canvas of its own, which begins with the drawing.
        largest_px: The canvas is as wide as there is room, and at most this.
        choose_pen: Whether to show a slider for the width of the pen.
    """
    state = st.session_state
    key = f"{screen}_canvas"
    if key not in state:  # a new canvas, or the person is back from another screen
        _begin_canvas(_drawing())
    canvas_place = st.empty()
    pen_width_px = state.get(_PEN_WIDTH_KEY, USUAL_PEN_WIDTH_PX)
    if choose_pen:
        pen_width_px = st.slider(
            "Pen width",
            *PEN_WIDTHS_PX,
            USUAL_PEN_WIDTH_PX,
            key=_PEN_WIDTH_KEY,
            persist_state="session",
            width=largest_px,
        )
    with canvas_place:
        drawing = drawing_canvas(key, state[_NUMBER_KEY], state[_BEGINS_WITH_KEY], pen_width_px, largest_px)
    if drawing is not None:
        if state.get(WAY_KEY) == "picture" and drawing.strokes != _drawing().strokes:
            state[WAY_KEY] = "canvas"  # drawn on another screen than Draw, which would set it itself
        state[DRAWING_KEY] = drawing


def clear_drawing() -> None:
    """Empty the canvas; its Undo brings the drawing back. For callbacks."""
    _begin_canvas(Drawing(cleared=_drawing().strokes))


def _begin_canvas(drawing: Drawing) -> None:
    state = st.session_state
    state[DRAWING_KEY] = state[_BEGINS_WITH_KEY] = drawing
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1


def _drawing() -> Drawing:
    return st.session_state.get(DRAWING_KEY, Drawing())
