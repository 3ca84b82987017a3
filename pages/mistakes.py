"""Mistakes: the test images that the selected run misreads, after any of its epochs, and why."""

import streamlit as st

from mnist_lib.ui.mistakes.screen import render_mistakes_screen
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.session import selected_run

require_router()

st.title("Mistakes")
run = selected_run()
if run is None or not run.epochs_with_probabilities():
    st.info(
        "This run has not finished an epoch, so there is nothing to look at yet. "
        "Choose another run in the sidebar, or train one.",
        icon=":material/info:",
    )
    screen_link("train", "Go to Train")
    st.stop()

st.fragment(render_mistakes_screen)(run)
