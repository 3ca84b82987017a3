"""The dashboard's router. Start it with: streamlit run app.py"""

from mnist_lib.ui.entrance import render_visitor, require_visitor
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import choose_page
from mnist_lib.ui.rerun_ends import send_ends_of_reruns
from mnist_lib.ui.sidebar import render_sidebar
from mnist_lib.ui.uploads import limit_uploads

page = choose_page()
with errors_as_messages():
    limit_uploads()
    send_ends_of_reruns()
    require_visitor()
    render_sidebar()
    render_visitor()
    page.run()
