"""Draw: a person's own digit, what the network reads in it, and why."""

import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.ui.draw.screen import render_draw_screen, render_no_model
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import selected_run, title_of

require_router()

st.title("Draw")
run = selected_run()
if run is None or not run.has_model():
    render_no_model(run)
    st.stop()
st.markdown(
    f"Draw one digit, or upload a photo of one: **{plain_text(title_of(run.run_id))}** reads it. It knows only the "
    "ten digits, so a letter becomes a digit, too."
)
st.fragment(render_draw_screen)(run)
