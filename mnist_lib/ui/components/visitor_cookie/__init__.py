"""Keeps in the browser who somebody is, so that a reload need not ask again."""

from __future__ import annotations

from streamlit import config
from streamlit.components.v2 import component

from mnist_lib.ui.assets import read_text

COOKIE_NAME = "mnist_visitor"
DAYS = 30

_component = component("visitor_cookie", js=read_text("components/visitor_cookie/visitor_cookie.js"))


def keep_cookie(value: str) -> None:
    """Let the browser keep the cookie, or forget it if the value is empty.

    Args:
        value: As ``sign_visitor`` returns it.
    """
    path = f"/{config.get_option('server.baseUrlPath').strip('/')}"
    age_s = DAYS * 24 * 3600 if value else 0
    _component(key="visitor_cookie", data={"cookie": f"{COOKIE_NAME}={value}; path={path}; max-age={age_s}"})
