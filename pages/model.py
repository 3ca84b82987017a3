"""Model: the network, with one digit in it."""

import streamlit as st

from mnist_lib.ui.model.screen import render_model_screen
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import selected_run
from mnist_lib.ui.shared.no_model import render_no_model

require_router()

st.title("Model")
run = selected_run()
config = run.read().config if run else None
if run is None or config is None:
    render_no_model(run)
    st.stop()
st.fragment(render_model_screen)(run, config)
