"""Model: the network as boxes, and Table I with its arithmetic."""

import streamlit as st

from mnist_lib.paper import PARAMETERS
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.network_diagram import draw_network
from mnist_lib.ui.state import selected_run

require_router()

st.title("Model")
run = selected_run()
layers = run.read().record.layers if run else ()
if not layers:
    st.info(
        "This run has not recorded its network. Choose another run in the sidebar, or train one.",
        icon=":material/info:",
    )
    screen_link("train", "Train one now")
    st.stop()

total = sum(layer.parameters for layer in layers)
st.markdown(
    f"An image goes in on the left as 28 × 28 grey values; ten probabilities come out on the right. "
    f"The orange layers learn: **{total:,} parameters** in all"
    + (", exactly the paper's network." if total == PARAMETERS else ".")
)
draw_network(layers)

st.subheader("Table I: every parameter accounted for")
st.table(
    {
        "Layer": [layer.kind for layer in layers] + ["**Total**"],
        "Output": [" × ".join(f"{size:,}" for size in layer.output_shape) for layer in layers] + [""],
        "Parameters": [f"{layer.parameters:,}" for layer in layers] + [f"**{total:,}**"],
        "How it comes about": [layer.arithmetic for layer in layers] + ["all of them are trained"],
    },
    hide_index=True,
)
st.caption(
    "A 3 × 3 filter without padding loses one pixel on each side (28 becomes 26), and pooling keeps one value of each "
    "2 × 2 (26 becomes 13). Every filter and every unit has one bias, the number added at the end."
)
