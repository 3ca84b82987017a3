"""The network's settings, and the resulting Table I."""

from __future__ import annotations

import streamlit as st

from mnist_lib.config import NETWORK_SETTINGS, PRESETS, TrainingConfig
from mnist_lib.network.layers import NOT_THE_PAPERS, count_parameters, layer_columns
from mnist_lib.ui.assets import style
from mnist_lib.ui.shared.settings_fields import draft_config, fill_fields, render_number, render_slider, render_switch


def render_network_form() -> None:
    """Show the fields of the network, its layers and parameters, and a button back to the paper's network."""
    render_number("filters_1")
    render_number("filters_2")
    render_slider("kernel_size", 1, "%d")
    render_switch("second_pooling")
    render_number("dense_units")
    render_slider("dropout", 0.05, "percent")
    config = draft_config(NETWORK_SETTINGS)
    if config:
        _render_layers(config)
    else:
        st.caption("The layers show here when every number is within its range.")
    st.button(
        "Back to the paper's network",
        icon=":material/undo:",
        type="tertiary",
        on_click=fill_fields,
        args=(PRESETS["paper"], NETWORK_SETTINGS),
        disabled=config is not None and config.has_paper_network,
    )


def _render_layers(config: TrainingConfig) -> None:
    verdict = ":green-badge[the paper's network]" if config.has_paper_network else f":orange-badge[{NOT_THE_PAPERS}]"
    st.markdown(f"**{count_parameters(config):,} parameters** {verdict}")
    # Narrower than Streamlit's table and without the arithmetic, to fit beside the fields; the total is above it.
    columns = layer_columns(config)
    *layers, _ = zip(*columns.values(), strict=True)
    heads = "".join(f"<th>{heading}</th>" for heading in list(columns)[:3])
    body = "".join(
        f"<tr><td>{kind.split(',')[0]}</td><td>{shape}</td><td>{parameters}</td></tr>"
        for kind, shape, parameters, _ in layers
    )
    table = f'<table class="layers"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'
    st.html(style("train/network_form.css") + table)
