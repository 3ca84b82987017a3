"""The dashboard's router. Start it with: streamlit run app.py"""

from pathlib import Path

import streamlit as st

from mnist_lib.ui.errors import errors_as_messages
from mnist_lib.ui.navigation import choose_page
from mnist_lib.ui.sidebar import draw_sidebar
from mnist_lib.ui.state import spare_garbage_collection

# A picture of our own: Streamlit's icons and emojis come from other servers.
ICON_PATH = Path(__file__).parent / "mnist_lib" / "assets" / "icon.png"

st.set_page_config(page_title="MNIST live", page_icon=str(ICON_PATH), layout="wide")
page = choose_page()
with errors_as_messages():
    draw_sidebar()
    page.run()
spare_garbage_collection()
