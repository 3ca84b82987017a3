"""A button that plays a row of steps: the next one a second after the screen shows the one before."""

from __future__ import annotations

from collections.abc import Callable

from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

_component = component(
    "play_button",
    css=read_text("components/play_button/play_button.css"),
    js=read_text("components/play_button/play_button.js"),
)


def play_button(step: int, at_end: bool, key: str, on_next: Callable[[], None]) -> None:
    """Show the button. It plays until the last step or until a person pauses; until then it asks nothing.

    Args:
        step: What the screen shows now.
        at_end: Whether this is the last step, after which Play begins with the first.
        key: The component's key.
        on_next: Called when the next step is due; it changes what the screen shows.
    """
    data = {"step": step, "at_end": at_end}
    _component(key=key, data=with_version(key, data), on_next_change=on_next)
