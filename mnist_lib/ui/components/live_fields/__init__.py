"""Fields that answer while they are typed into or moved.

Streamlit takes a number when Enter is pressed or the field is left, and a slider's
value when it is let go. This presses Enter as soon as the typing rests, and tells
where a slider stands while it is held. Without it, the fields work as usual.
"""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text

# Not isolated: it has to find the form that it stands in.
_component = component("live_fields", js=read_text("components/live_fields/live_fields.js"), isolate_styles=False)


def answer_at_once(form_key: str) -> None:
    """Let the whole-number fields and the sliders of a container answer while they change.

    Args:
        form_key: The key of the container. Call this inside it.
    """
    _component(key=_component_key(form_key), data={"form": form_key}, on_moved_change=lambda: None)


def field_value(form_key: str, key: str) -> Any:
    """Return what a field holds: a slider that is being moved, where it stands just now.

    Args:
        form_key: The key of the container.
        key: The field's.
    """
    value = st.session_state[key]
    moved = st.session_state.get(_component_key(form_key), {}).get("moved") or {}
    # Once it is let go, its value is another than at the start, and counts.
    return moved["value"] if moved.get("key") == key and moved["start"] == value else value


def _component_key(form_key: str) -> str:
    return f"{form_key}_live"
