"""The dashboard's router. Start it with: streamlit run app.py"""

import streamlit as st

from mnist_lib.ui.errors import errors_as_messages
from mnist_lib.ui.navigation import choose_page
from mnist_lib.ui.sidebar import draw_sidebar

st.set_page_config(page_title="MNIST live", page_icon=":material/draw:", layout="wide")
page = choose_page()
with errors_as_messages():
    draw_sidebar()
    page.run()
