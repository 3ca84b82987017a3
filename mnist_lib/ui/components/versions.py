"""Tells the newest data of a component from older data.

A browser calls a component's script once for each change of its data, and does not keep
their order while the script still loads: of two calls, the older one may come last.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st


def with_version(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a component's data with ``version``, which is greater after every change.

    The script leaves alone what is older than what it shows.

    Args:
        key: The component's key.
        data: What to show, as JSON takes it.
    """
    state_key = f"{key}_version"
    content = hash(json.dumps(data))
    known, version = st.session_state.get(state_key, (None, 0.0))
    if content != known:
        version = time.time()  # goes on growing when the server starts anew and the browser page stays
        st.session_state[state_key] = content, version
    return {**data, "version": version}
