"""Model: the network as boxes, and Table I with its arithmetic."""

import streamlit as st

from mnist_lib.network.layers import NOT_THE_PAPERS, count_parameters, layer_columns, layer_table
from mnist_lib.runs.paper import PARAMETERS
from mnist_lib.ui.model.network_diagram import render_network
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.session import selected_run

require_router()

st.title("Model")
run = selected_run()
config = run.read().config if run else None
if config is None:
    st.info(
        "This run does not say what it trained. Choose another run in the sidebar, or train one.",
        icon=":material/info:",
    )
    screen_link("train", "Train one now")
    st.stop()

verdict = "exactly the paper's network" if config.has_paper_network else f"{NOT_THE_PAPERS} with its {PARAMETERS:,}"
st.markdown(
    "An image goes in on the left as 28 × 28 grey values; ten probabilities come out on the right. "
    f"The orange layers learn: **{count_parameters(config):,} parameters** in all, {verdict}."
)
render_network(layer_table(config))

st.subheader("Table I: every parameter accounted for")
st.table(
    {heading: [*cells, f"**{total}**" if total else ""] for heading, (*cells, total) in layer_columns(config).items()},
    hide_index=True,
)
st.caption(
    "A 3 × 3 filter without padding loses one pixel on each side (28 becomes 26), and pooling keeps one value of each "
    "2 × 2 (26 becomes 13). Every filter and every unit has one bias, the number added at the end."
)
