"""The list of screens, and how to reach them."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from mnist_lib.paths import ASSETS_PATH, PROJECT_PATH

PAGES_PATH = PROJECT_PATH / "pages"
ICON_PATH = ASSETS_PATH / "icon.png"

_ROUTED_KEY = "routed_by_app"


class Screen(NamedTuple):
    """One screen: the name of its file in pages/ and how the menu shows it."""

    name: str
    title: str
    icon: str
    purpose: str


SCREENS = (
    Screen("overview", "Overview", ":material/home:", "What this is, and its results."),
    Screen("dataset", "Dataset", ":material/grid_view:", "Look at the 70,000 digits, down to their pixels."),
    Screen("model", "Model", ":material/schema:", "The network, layer by layer, with its arithmetic."),
    Screen("train", "Train", ":material/play_circle:", "Start a training and watch it learn."),
    Screen("mistakes", "Mistakes", ":material/search:", "Every test digit that a run misreads, and why."),
    Screen("runs", "Runs", ":material/table_rows:", "Compare all runs, rename, annotate and take them away."),
    Screen("draw", "Draw", ":material/draw:", "Draw a digit and see what the network reads."),
)


def choose_page() -> st.Page:
    """Show the menu and return the page that the URL names. Only app.py calls this."""
    page = _show_menu()
    st.session_state[_ROUTED_KEY] = True
    return page


def require_router() -> None:
    """Hand over to app.py if Streamlit ran this page without it.

    If there is a folder named pages/, the first request after the server's start goes
    to the page's file itself when its URL is that of a page. Declaring the pages once
    ends that mode for good, and the rerun begins at app.py.
    """
    if not st.session_state.pop(_ROUTED_KEY, False):
        _show_menu()
        st.rerun()


def _show_menu() -> st.Page:
    # Our own picture: Streamlit's icons and emojis come from other servers, and without
    # a picture the menu would send the browser there.
    st.set_page_config(page_title="MNIST live", page_icon=str(ICON_PATH), layout="wide")
    return st.navigation([_page(screen) for screen in SCREENS])


def screen_link(name: str, label: str | None = None) -> None:
    """Show a link to a screen."""
    screen = next(screen for screen in SCREENS if screen.name == name)
    st.page_link(_page(screen), label=label or screen.title, icon=screen.icon)


def _page(screen: Screen) -> st.Page:
    return st.Page(
        PAGES_PATH / f"{screen.name}.py",
        title=screen.title,
        icon=screen.icon,
        url_path=screen.name,
        default=screen is SCREENS[0],
    )
