"""A button that takes a picture from the clipboard; Ctrl+V anywhere on the page does the same."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Callable

import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text

_component = component(
    "paste_button",
    css=read_text("components/paste_button/paste_button.css"),
    js=read_text("components/paste_button/paste_button.js"),
)


def paste_button(key: str, largest_mb: int, on_picture: Callable[[], None]) -> None:
    """Show the button.

    Args:
        key: The component's key.
        largest_mb: The largest file in millions of bytes; a larger one is refused in the browser.
        on_picture: Called when a picture was pasted, which ``pasted_picture`` returns.
    """
    _component(key=key, data={"largest_bytes": largest_mb * 1_000_000}, on_picture_change=on_picture)


def pasted_picture(key: str) -> io.BytesIO:
    """Return the file that was just pasted; an empty one if the browser sent something else."""
    try:
        content = base64.b64decode(st.session_state[key]["picture"].partition(",")[2])
    except (KeyError, AttributeError, binascii.Error):
        content = b""
    return io.BytesIO(content)
