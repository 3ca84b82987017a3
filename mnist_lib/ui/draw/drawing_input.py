"""The input of a digit: drawn on a canvas, or a picture that is uploaded or pasted."""

from __future__ import annotations

import io
from typing import Any, NamedTuple

import numpy as np
import streamlit as st
from streamlit_drawable_canvas import CanvasResult, st_canvas

from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.drawing.normalization import DrawingError, canvas_to_ink
from mnist_lib.drawing.picture_files import PICTURE_ENDINGS, TOO_MUCH, read_picture
from mnist_lib.escaping import plain_text
from mnist_lib.ui.components.paste_button import paste_button, pasted_picture

CANVAS_SIZE_PX = 280
PEN_WIDTHS_PX = (8, 32)
USUAL_PEN_WIDTH_PX = 20

# Strokes that can be undone; each takes a third of a megabyte.
LONGEST_HISTORY = 50

# A picture of 20 megapixels has fewer bytes than this, unless nothing in it repeats.
LARGEST_FILE_MB = 40
# A photo of 20 megapixels takes half a second.
LONGEST_READING_S = 2.0

WAYS = {"canvas": ":material/draw: Draw", "picture": ":material/image: Picture"}

_CANVAS_NUMBER = "canvas_number"
_CANVAS_BEGINS_WITH = "canvas_begins_with"
_CANVAS_HISTORY = "canvas_history"
_CLEARED_HISTORY = "cleared_history"
_PICTURE_INK = "picture_ink"
_PICTURE_ERROR = "picture_error"
_UPLOAD_NUMBER = "upload_number"


class GivenDigit(NamedTuple):
    """A digit that a person gave to read.

    Attributes:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        source: ``canvas`` or ``picture``.
    """

    ink: np.ndarray
    source: str


class _CanvasState(NamedTuple):
    """The canvas after a stroke: its strokes as JSON, and its pixels, uint8, (280, 280, 4)."""

    drawing: dict[str, Any]
    rgba: np.ndarray


def ask_for_digit() -> GivenDigit | None:
    """Show the canvas, or the fields for a picture, and return the given digit, or None until there is one.

    Both are kept while other screens are open.
    """
    way = st.segmented_control(
        "Where the digit comes from",
        list(WAYS),
        format_func=WAYS.__getitem__,
        default="canvas",
        required=True,
        key="drawing_way",
        persist_state="session",
        label_visibility="collapsed",
    )
    ink = _ask_for_drawing() if way == "canvas" else _ask_for_picture()
    return None if ink is None else GivenDigit(ink, way)


def _ask_for_drawing() -> np.ndarray | None:
    state = st.session_state
    history: list[_CanvasState] = state.setdefault(_CANVAS_HISTORY, [])
    key = f"canvas_{state.setdefault(_CANVAS_NUMBER, 0)}"
    if key not in state:  # a new canvas, or the person is back from another screen
        state[_CANVAS_BEGINS_WITH] = history[-1].drawing if history else None
    st.space("small")  # for the canvas's own toolbar
    canvas_place = st.empty()
    buttons = st.container(horizontal=True)
    pen_width_px = st.slider(
        "Pen width", *PEN_WIDTHS_PX, USUAL_PEN_WIDTH_PX, key="pen_width", persist_state="session", width=CANVAS_SIZE_PX
    )
    with canvas_place:
        canvas = st_canvas(
            stroke_width=pen_width_px,
            stroke_color="#ffffff",
            background_color="#000000",
            height=CANVAS_SIZE_PX,
            width=CANVAS_SIZE_PX,
            initial_drawing=state[_CANVAS_BEGINS_WITH],
            return_image_data=True,
            key=key,
        )
    _remember(canvas)
    if history or not state.get(_CLEARED_HISTORY):
        buttons.button("Undo stroke", icon=":material/undo:", on_click=_undo_stroke, disabled=not history)
        buttons.button("Clear", icon=":material/delete:", on_click=_clear_canvas, disabled=not history)
    else:
        buttons.button("Undo clear", icon=":material/undo:", on_click=_undo_clear)
    return canvas_to_ink(history[-1].rgba) if history else None


def _remember(canvas: CanvasResult) -> None:
    """Add the canvas's state to its history; before the first stroke there is none."""
    history: list[_CanvasState] = st.session_state[_CANVAS_HISTORY]
    drawing, rgba = canvas.json_data, canvas.image_data
    if drawing is None or rgba is None or (history and history[-1].drawing == drawing):
        return
    if drawing["objects"]:
        history.append(_CanvasState(drawing, rgba))
        del history[:-LONGEST_HISTORY]
    elif history:  # emptied by the canvas's own toolbar
        st.session_state[_CLEARED_HISTORY] = history[:]
        history.clear()


def _undo_stroke() -> None:
    _begin_canvas(st.session_state[_CANVAS_HISTORY][:-1])


def _clear_canvas() -> None:
    st.session_state[_CLEARED_HISTORY] = st.session_state[_CANVAS_HISTORY]
    _begin_canvas([])


def _undo_clear() -> None:
    _begin_canvas(st.session_state.pop(_CLEARED_HISTORY))


def _begin_canvas(history: list[_CanvasState]) -> None:
    """Begin a new canvas that shows the last state of the history: a new key is a new canvas."""
    st.session_state[_CANVAS_NUMBER] += 1
    st.session_state[_CANVAS_HISTORY] = history


def _ask_for_picture() -> np.ndarray | None:
    state = st.session_state
    st.caption("A photo or a scan of one digit, dark on light or light on dark.")
    upload_key = f"picture_upload_{state.get(_UPLOAD_NUMBER, 0)}"
    st.file_uploader(
        "Picture of a digit",
        type=PICTURE_ENDINGS,
        key=upload_key,
        on_change=_take_upload,
        args=(upload_key,),
        max_upload_size=LARGEST_FILE_MB,
        label_visibility="collapsed",
    )
    paste_button("pasted", LARGEST_FILE_MB, _take_pasted)
    if error := state.get(_PICTURE_ERROR):
        st.error(plain_text(error), icon=":material/broken_image:")
    ink = state.get(_PICTURE_INK)
    if ink is not None:
        st.button("Remove the picture", icon=":material/delete:", on_click=_remove_picture)
    return ink


def _take_upload(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _take_picture(file)


def _take_pasted() -> None:
    _take_picture(pasted_picture("pasted"))


def _take_picture(file: io.BytesIO) -> None:
    """Read a picture and keep its ink; if it cannot be read, the previous picture stays."""
    try:
        st.session_state[_PICTURE_INK] = call_in_limited_process(read_picture, file.getvalue(), LONGEST_READING_S)
        st.session_state[_PICTURE_ERROR] = None
    except DrawingError as error:
        st.session_state[_PICTURE_ERROR] = str(error)
    except LimitError:
        st.session_state[_PICTURE_ERROR] = TOO_MUCH


def _remove_picture() -> None:
    st.session_state[_PICTURE_INK] = st.session_state[_PICTURE_ERROR] = None
    # A new key is a new field, without the file's name in it.
    st.session_state[_UPLOAD_NUMBER] = st.session_state.get(_UPLOAD_NUMBER, 0) + 1
