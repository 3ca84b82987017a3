"""The input of a digit: drawn on a canvas, or a picture that is uploaded or pasted."""

from __future__ import annotations

import io

import streamlit as st

from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.drawing.normalization import DrawingError
from mnist_lib.drawing.picture_files import PICTURE_ENDINGS, TOO_MUCH, read_picture
from mnist_lib.escaping import plain_text
from mnist_lib.ui.components.paste_button import paste_button, pasted_picture
from mnist_lib.ui.shared.drawing import PICTURE_INK_KEY, WAY_KEY, GivenDigit, ask_for_drawing, given_digit
from mnist_lib.ui.uploads import largest_upload_mb

# A picture of 20 megapixels has fewer bytes than this, unless nothing in it repeats.
LARGEST_FILE_MB = 40
# It comes as text, a third longer, in one message of at most 25 MB, as Streamlit allows.
LARGEST_PASTED_MB = 18
# A photo of 20 megapixels takes half a second.
LONGEST_READING_S = 2.0

WAYS = {"canvas": ":material/draw: Draw", "picture": ":material/image: Picture"}

_PICTURE_ERROR = "picture_error"
_UPLOAD_NUMBER = "upload_number"


def choose_way() -> str:
    """Show the choice between the canvas and a picture, and return ``canvas`` or ``picture``."""
    return st.segmented_control(
        "Where the digit comes from",
        list(WAYS),
        format_func=WAYS.__getitem__,
        default="canvas",
        required=True,
        key=WAY_KEY,
        persist_state="session",
        label_visibility="collapsed",
    )


def ask_for_digit(way: str) -> GivenDigit | None:
    """Show the canvas, or the fields for a picture, and return the given digit, or None until there is one.

    Both are kept while other screens are open.

    Args:
        way: ``canvas`` or ``picture``.
    """
    if way == "canvas":
        ask_for_drawing("draw", choose_pen=True)
    else:
        _ask_for_picture()
    return given_digit()


def _ask_for_picture() -> None:
    state = st.session_state
    st.caption("A photo or a scan, dark on light or light on dark.")
    upload_key = f"picture_upload_{state.get(_UPLOAD_NUMBER, 0)}"
    st.file_uploader(
        "Picture of a digit",
        type=PICTURE_ENDINGS,
        key=upload_key,
        on_change=_take_upload,
        args=(upload_key,),
        max_upload_size=largest_upload_mb(LARGEST_FILE_MB),
        label_visibility="collapsed",
    )
    paste_button("pasted", largest_upload_mb(LARGEST_PASTED_MB), _take_pasted)
    if error := state.get(_PICTURE_ERROR):
        st.error(plain_text(error), icon=":material/broken_image:")
    if state.get(PICTURE_INK_KEY) is not None:
        st.button("Remove the picture", icon=":material/delete:", on_click=_remove_picture)


def _take_upload(key: str) -> None:
    file = st.session_state[key]
    if file is not None:
        _take_picture(file)


def _take_pasted() -> None:
    _take_picture(pasted_picture("pasted"))


def _take_picture(file: io.BytesIO) -> None:
    """Read a picture and keep its ink; if it cannot be read, the previous picture stays."""
    try:
        st.session_state[PICTURE_INK_KEY] = call_in_limited_process(read_picture, file.getvalue(), LONGEST_READING_S)
        st.session_state[_PICTURE_ERROR] = None
    except DrawingError as error:
        st.session_state[_PICTURE_ERROR] = str(error)
    except LimitError:
        st.session_state[_PICTURE_ERROR] = TOO_MUCH


def _remove_picture() -> None:
    st.session_state[PICTURE_INK_KEY] = st.session_state[_PICTURE_ERROR] = None
    # A new key is a new field, without the file's name in it.
    st.session_state[_UPLOAD_NUMBER] = st.session_state.get(_UPLOAD_NUMBER, 0) + 1
