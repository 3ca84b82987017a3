"""The dashboard's router. Start it with: streamlit run app.py"""

from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import choose_page
from mnist_lib.ui.sidebar import render_sidebar

page = choose_page()
with errors_as_messages():
    render_sidebar()
    page.run()
