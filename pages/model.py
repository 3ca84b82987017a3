"""Model: the network, with one digit in it."""

import streamlit as st

from mnist_lib.ui.model.screen import render_model_screen
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.session import selected_run

require_router()

st.title("Model")
run = selected_run()
config = run.read().config if run else None
if run is None or config is None:
    st.info(
        "The settings of this run cannot be read. Choose another run in the sidebar, or train one.",
        icon=":material/info:",
    )
    screen_link("train", "Go to Train")
    st.stop()
st.fragment(render_model_screen)(run, config)
