"""The list of screens, and how to reach them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import streamlit as st

from mnist_lib.paths import ASSETS_PATH, PROJECT_PATH
from mnist_lib.ui.assets import style
from mnist_lib.ui.session import RUN_KEY, chosen_run_id

PAGES_PATH = PROJECT_PATH / "pages"
ICON_PATH = ASSETS_PATH / "icon.png"
LOGO_PATH = ASSETS_PATH / "logo.svg"

_ROUTED_KEY = "routed_by_app"
_SHOWN_KEY = "shown_screen"


class Screen(NamedTuple):
    """One screen: the name of its file in pages/ and how the menu shows it."""

    name: str
    title: str
    icon: str


SCREENS = (
    Screen("overview", "Overview", ":material/home:"),
    Screen("dataset", "Dataset", ":material/grid_view:"),
    Screen("model", "Model", ":material/schema:"),
    Screen("train", "Train", ":material/play_circle:"),
    Screen("mistakes", "Mistakes", ":material/search:"),
    Screen("runs", "Runs", ":material/table_rows:"),
    Screen("experiments", "Experiments", ":material/science:"),
    Screen("draw", "Draw", ":material/draw:"),
)


def choose_page() -> st.Page:
    """Show the menu and return the page that the URL names. Only app.py calls this."""
    # A menu's link does not name the run. Before the menu, or the browser's history would get a step for it.
    if (run_id := chosen_run_id()) and RUN_KEY not in st.query_params:
        st.query_params[RUN_KEY] = run_id
    page = _show_menu()
    state = st.session_state
    if state.get(_SHOWN_KEY) != page.url_path:
        state[_SHOWN_KEY] = page.url_path
        # Streamlit keeps what was chosen on a screen before, but a link says what it is to show now.
        for key in st.query_params:
            state.pop(key, None)
    state[_ROUTED_KEY] = True
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
    st.logo(str(LOGO_PATH), size="large", icon_image=str(ICON_PATH))
    st.html(style("theme.css"))
    return st.navigation([_page(screen) for screen in SCREENS])


def screen_link(name: str, label: str | None = None, address: Mapping[str, str] | None = None) -> None:
    """Show a link to a screen.

    Args:
        name: The screen.
        label: What the link says instead of the screen's title.
        address: What the screen's URL says behind the question mark.
    """
    screen = _find(name)
    st.page_link(_page(screen), label=label or screen.title, icon=screen.icon, query_params=address)


def plain_link(name: str, label: str, address: Mapping[str, str], help: str) -> None:
    """Show a link to a part of a screen, without the screen's icon.

    Args:
        name: The screen.
        label: The link's text.
        address: What the URL says behind the question mark.
        help: What it leads to, in a sentence.
    """
    st.page_link(_page(_find(name)), label=label, icon="", help=help, query_params=address)


def _find(name: str) -> Screen:
    return next(screen for screen in SCREENS if screen.name == name)


def _page(screen: Screen) -> st.Page:
    return st.Page(
        PAGES_PATH / f"{screen.name}.py",
        title=screen.title,
        icon=screen.icon,
        url_path=screen.name,
        default=screen is SCREENS[0],
    )
