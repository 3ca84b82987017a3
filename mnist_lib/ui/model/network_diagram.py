"""The network drawn as boxes, each as large as its output."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from mnist_lib.network.layers import IMAGE_SHAPE, LayerRow
from mnist_lib.ui.assets import style


def render_network(rows: Sequence[LayerRow]) -> None:
    """Show the layers of a run from left to right, the input first.

    Args:
        rows: The rows of Table I.
    """
    cards = [_card("Input", IMAGE_SHAPE, 0)]
    cards += [_card(row.kind.split(",")[0], row.output_shape, row.parameters) for row in rows]
    arrow = '<span class="arrow" aria-hidden="true">→</span>'
    layers = [
        f'<div class="layer">{card}{arrow if number < len(cards) - 1 else ""}</div>'
        for number, card in enumerate(cards)
    ]
    diagram = f'<div class="net" role="img" aria-label="The network, layer by layer">{"".join(layers)}</div>'
    st.html(style("model/network_diagram.css") + diagram)


def _card(name: str, shape: tuple[int, ...], parameters: int) -> str:
    text = " × ".join(f"{size:,}" for size in shape)
    learned = f"{parameters:,} parameters" if parameters else "nothing to learn"
    return (
        f'<div class="card{" learns" if parameters else ""}"><div class="stage">{_box(shape)}</div>'
        f'<span class="name">{escape(name)}</span><span>{text}</span><span class="faint">{learned}</span></div>'
    )


def _box(shape: tuple[int, ...]) -> str:
    """Return a square as wide as the feature map with its channels behind it, or a column of units."""
    if len(shape) == 1:
        height_px = 24 if shape[0] <= 10 else 48 if shape[0] <= 1000 else 74
        return f'<div class="box" style="width:12px;height:{height_px}px"></div>'
    side_px = round(shape[0] * 1.7)
    sheets = 1 if shape[2] == 1 else shape[2] // 16
    shadows = ", ".join(
        f"{3 * sheet}px {-3 * sheet}px 0 -1px color-mix(in srgb, #94a3b8 {75 - 12 * sheet}%, transparent)"
        for sheet in range(1, sheets + 1)
    )
    return f'<div class="box" style="width:{side_px}px;height:{side_px}px;box-shadow:{shadows}"></div>'
