"""Makes fields respond while a person types or drags.

Streamlit takes a number when Enter is pressed or the field is left, and a slider's
value when it is released. This presses Enter as soon as typing pauses, and reports
the value of a slider while it is dragged. Without it, the fields work as usual.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text

# Not isolated: it must find the form around it.
_component = component("live_fields", js=read_text("components/live_fields/live_fields.js"), isolate_styles=False)


def answer_at_once(form_key: str) -> None:
    """Let the whole-number fields and the sliders of a container respond while they change.

    Args:
        form_key: The key of the container. Call this inside it.
    """
    _component(key=_component_key(form_key), data={"form": form_key}, on_moved_change=lambda: None)


def field_value(form_key: str, key: str) -> Any:
    """Return a field's value; of a slider that is being dragged, its value at this moment.

    Args:
        form_key: The key of the container.
        key: The field's key.
    """
    value = st.session_state[key]
    moved = st.session_state.get(_component_key(form_key), {}).get("moved") or {}
    # Once it is released, its value differs from that at the start, and counts.
    return moved["value"] if moved.get("key") == key and moved["start"] == value else value


def _component_key(form_key: str) -> str:
    return f"{form_key}_live"
