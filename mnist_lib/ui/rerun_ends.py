"""Lets the end of each rerun reach the browser."""

from __future__ import annotations

import functools
import time

import streamlit as st
from streamlit import runtime

# For the thread that sends; longer where many scripts want the processor, too.
SENDING_S = 0.01


@st.cache_resource(show_spinner=False)
def send_ends_of_reruns() -> None:
    """Let a rerun be sent to its end before the next one of the same tab begins, once for all visitors.

    A rerun that waits, such as that of a timer, begins at once when the one before has ended. Streamlit marks an end
    that is not sent by then as overtaken, and the browser keeps on the screen what that rerun had taken away.
    """
    if not runtime.exists():  # a test runs a screen without a server
        return
    media = runtime.get_instance().media_file_mgr
    tidy_up = media.remove_orphaned_files  # what Streamlit does between an end and the next begin

    @functools.wraps(tidy_up)
    def tidy_up_after_a_moment() -> None:
        time.sleep(SENDING_S)
        tidy_up()

    media.remove_orphaned_files = tidy_up_after_a_moment
