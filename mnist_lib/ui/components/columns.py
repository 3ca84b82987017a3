"""Columns that wrap below each other if there is no room for them side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def wrapping_columns(
    weights: Sequence[int],
    least_widths_px: Sequence[int],
    key: str,
    gap: Literal["medium", "large"],
    last_on_top: bool = False,
) -> list[DeltaGenerator]:
    """Return columns that share the width, and wrap if one would get less than it needs.

    Streamlit's own columns wrap only on screens below 640 px, whatever is in them, and the sidebar
    takes 300 px of a wider screen.

    Args:
        weights: How the columns share the width.
        least_widths_px: The width that each of them needs.
        key: The key of the container around them.
        gap: The space between them, as Streamlit names it.
        last_on_top: Whether the last column comes first where they wrap.
    """
    rules = [
        f".st-key-{key} > * > .stHorizontalBlock > .stColumn:nth-child({number}) "
        f"{{ flex: {weight} 1 0; min-width: min(100%, {least_width_px}px); }}"
        for number, (weight, least_width_px) in enumerate(zip(weights, least_widths_px, strict=True), start=1)
    ]
    if last_on_top:
        rules.append(f".st-key-{key} > * > .stHorizontalBlock {{ flex-wrap: wrap-reverse; }}")
    with st.container(key=key):
        st.html(f"<style>{' '.join(rules)}</style>")
        return st.columns(list(weights), gap=gap)
