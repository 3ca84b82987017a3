"""Draw: a person's own digit, what the network reads in it, and why."""

import streamlit as st

from mnist_lib.ui.draw.screen import render_draw_screen, show_invitation
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import selected_run
from mnist_lib.ui.shared.no_model import render_no_model

require_router()

st.title("Draw")
run = selected_run()
if run is None or not run.has_model():
    render_no_model(run)
    st.stop()
show_invitation(run)
st.fragment(render_draw_screen)(run)
