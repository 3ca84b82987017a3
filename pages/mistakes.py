"""Mistakes: the test images that the selected run misreads, after any of its epochs, and why."""

import streamlit as st

from mnist_lib.ui.mistakes.screen import render_mistakes_screen
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import selected_run
from mnist_lib.ui.shared.no_model import render_no_model

require_router()

st.title("Mistakes")
run = selected_run()
if run is None or not run.epochs_with_probabilities():
    render_no_model(run)
    st.stop()
st.fragment(render_mistakes_screen)(run)
