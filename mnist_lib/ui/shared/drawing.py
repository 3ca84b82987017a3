"""The digit that a person gave: kept for all screens, and the canvas on which one is drawn."""

from __future__ import annotations

import io
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import CanvasResult, st_canvas

from mnist_lib.drawing.normalization import canvas_to_ink
from mnist_lib.ui.assets import style

CANVAS_SIZE_PX = 400
PEN_WIDTHS_PX = (12, 48)
USUAL_PEN_WIDTH_PX = 28
# The sizes at which canvas.css shows it where it may not, or need not, take that much room.
SMALL_CANVAS_PX = 280

# Strokes that can be undone.
LONGEST_HISTORY = 50

# ``canvas`` or ``picture``, and the ink of the picture.
WAY_KEY = "drawing_way"
PICTURE_INK_KEY = "picture_ink"

_PEN_WIDTH_KEY = "pen_width"
_CANVAS_NUMBER = "canvas_number"
_CANVAS_KEY = "canvas_key"
_CANVAS_BEGINS_WITH = "canvas_begins_with"
_CANVAS_HISTORY = "canvas_history"
_CLEARED_HISTORY = "cleared_history"


class GivenDigit(NamedTuple):
    """A digit that a person gave to read.

    Attributes:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        source: ``canvas`` or ``picture``.
    """

    ink: np.ndarray
    source: str


class _CanvasState(NamedTuple):
    """The canvas after a stroke: its strokes as JSON, and its pixels as a PNG of some kilobytes."""

    drawing: dict[str, Any]
    png: bytes


def given_digit() -> GivenDigit | None:
    """Return the digit that a person drew or gave as a picture, on whichever screen, or None."""
    state = st.session_state
    way = state.get(WAY_KEY) or "canvas"
    if way == "picture":
        ink = state.get(PICTURE_INK_KEY)
    else:
        history = state.get(_CANVAS_HISTORY)
        ink = _read_ink(history[-1].png) if history else None
    return None if ink is None else GivenDigit(ink, way)


def ask_for_drawing(screen: str, choose_pen: bool, small: bool = False) -> None:
    """Show the canvas with what is drawn on it so far; ``given_digit`` then returns it.

    The drawing is kept while other screens are open, and is the same on all of them.

    Args:
        screen: Where it is shown. Each screen needs a canvas of its own, which begins with the drawing.
        choose_pen: Whether to show a slider for the width of the pen.
        small: Whether it takes little room; else it is as large as there is room.
    """
    state = st.session_state
    history: list[_CanvasState] = state.setdefault(_CANVAS_HISTORY, [])
    key = f"{screen}_canvas_{state.setdefault(_CANVAS_NUMBER, 0)}"
    if key not in state:  # a new canvas, or the person is back from another screen
        state[_CANVAS_BEGINS_WITH] = history[-1].drawing if history else None
    state[_CANVAS_KEY] = key
    st.html(style("shared/canvas.css"))
    with st.container(key=f"{'small_' if small else ''}canvas"):
        # Emptied, or the old canvas would stay beside a new one. With a height, or what is below would jump meanwhile.
        canvas_place = st.container(key="canvas_place", height=CANVAS_SIZE_PX, border=False).empty()
    buttons = st.container(horizontal=True)
    pen_width_px = state.get(_PEN_WIDTH_KEY, USUAL_PEN_WIDTH_PX)
    if choose_pen:
        pen_width_px = st.slider(
            "Pen width",
            *PEN_WIDTHS_PX,
            USUAL_PEN_WIDTH_PX,
            key=_PEN_WIDTH_KEY,
            persist_state="session",
            width=CANVAS_SIZE_PX,
        )
    with canvas_place:
        st_canvas(
            stroke_width=pen_width_px,
            stroke_color="#ffffff",
            background_color="#000000",
            height=CANVAS_SIZE_PX,
            width=CANVAS_SIZE_PX,
            initial_drawing=state[_CANVAS_BEGINS_WITH],
            return_image_data=True,
            key=key,
        )
    _remember()
    cleared = bool(state.get(_CLEARED_HISTORY))
    buttons.button("Undo", icon=":material/undo:", on_click=_undo, disabled=not history and not cleared)
    buttons.button("Clear", icon=":material/delete:", on_click=clear_drawing, disabled=not history)


def _remember() -> None:
    """Add what is on the canvas to its history; before the first stroke there is nothing."""
    state = st.session_state
    # A callback runs before the canvas is shown again, but finds here what the canvas sent last.
    canvas = state.get(state[_CANVAS_KEY]) if _CANVAS_KEY in state else None
    if canvas is None:  # it is not on this screen
        return
    history: list[_CanvasState] = state[_CANVAS_HISTORY]
    sent = canvas["drawing"]
    drawing, png = sent["raw"], CanvasResult(None, sent["data"], return_image_data=True).image_bytes
    if drawing is None or png is None or (history and history[-1].drawing == drawing):
        return
    if drawing["objects"]:
        if state.get(WAY_KEY) == "picture":  # on another screen than Draw, which would set it itself
            state[WAY_KEY] = "canvas"
        history.append(_CanvasState(drawing, png))
        del history[:-LONGEST_HISTORY]
    elif history:  # emptied by the canvas's own toolbar
        state[_CLEARED_HISTORY] = history[:]
        history.clear()


def _read_ink(png: bytes) -> np.ndarray | None:
    """Return the canvas's pixels as ink, or None for a picture that no canvas sends."""
    with suppress(OSError, SyntaxError), Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        if picture.size == (CANVAS_SIZE_PX, CANVAS_SIZE_PX):  # before its pixels are unpacked
            return canvas_to_ink(np.asarray(picture.convert("RGBA")))
    return None


def clear_drawing() -> None:
    """Empty the canvas; its Undo brings the drawing back. For callbacks."""
    _remember()
    if history := st.session_state.get(_CANVAS_HISTORY):
        st.session_state[_CLEARED_HISTORY] = history
        _begin_canvas([])


def _undo() -> None:
    """Take back the last stroke, or the last clearing if there is no stroke."""
    _remember()  # on a busy server, the last stroke comes together with the click
    history = st.session_state[_CANVAS_HISTORY]
    _begin_canvas(history[:-1] if history else st.session_state.pop(_CLEARED_HISTORY))


def _begin_canvas(history: list[_CanvasState]) -> None:
    """Begin a new canvas that shows the last state of the history: a new key is a new canvas."""
    st.session_state[_CANVAS_NUMBER] += 1
    st.session_state[_CANVAS_HISTORY] = history
