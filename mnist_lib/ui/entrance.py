"""Asks pupils and teachers who they are, where MNIST_MODE is ``class``."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from mnist_lib.access import Visitor, read_access
from mnist_lib.escaping import plain_text
from mnist_lib.identity import (
    MAX_NAME_LENGTH,
    IdentityError,
    check_password,
    make_visitor,
    read_secret,
    sign_visitor,
    verify_visitor,
    visitor_from_provider,
)
from mnist_lib.ui.components.visitor_cookie import COOKIE_NAME, keep_cookie
from mnist_lib.ui.messages import show_problem
from mnist_lib.ui.session import VISITOR_KEY, run_store, visitor

_NAME_KEY = "visitor_name"
_PASSWORD_KEY = "visitor_password"
_PROBLEM_KEY = "visitor_problem"
# The cookie that the browser is to keep, or an empty text: it is to forget it.
_COOKIE_KEY = "visitor_cookie_value"


def require_visitor() -> None:
    """In class, show nothing more until the visitor has said who they are.

    Raises:
        AccessError: The environment names no mode.
        IdentityError: The secret cannot be used.
    """
    if read_access().mode != "class":
        return
    if _signs_in():
        st.session_state[VISITOR_KEY] = _visitor_signed_in()
    elif visitor() is None and _COOKIE_KEY not in st.session_state:  # a new tab, or a reload
        st.session_state[VISITOR_KEY] = _visitor_of_cookie()
    if visitor() is None:
        _ask()
        st.stop()


def render_visitor() -> None:
    """Show in the sidebar who the visitor is, with a way to leave."""
    person = visitor()
    if person is None:
        return
    with st.sidebar.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        kind = ", teacher" if person.may_do_all else ""
        st.caption(f":material/person: {plain_text(person.name)}{kind}", width="content")
        st.button("Leave", type="tertiary", key="leave", on_click=st.logout if _signs_in() else _leave)
    _keep()


def _ask() -> None:
    st.title("Welcome")
    if _signs_in():
        if find_spec("authlib") is None:
            raise IdentityError("Signing in needs Authlib: pip install 'streamlit[auth]'")
        st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        return
    _keep()
    with st.form("entrance", border=False, width=360):
        st.text_input("Your name", key=_NAME_KEY, max_chars=MAX_NAME_LENGTH)
        st.caption("Your trainings and drawings are kept under it.")
        if _teacher_password():
            with st.expander("For teachers"):
                st.text_input("Password", type="password", key=_PASSWORD_KEY)
        st.form_submit_button("Enter", type="primary", on_click=_enter)
    show_problem(_PROBLEM_KEY)


def _enter() -> None:
    state = st.session_state
    try:
        password = state.get(_PASSWORD_KEY) or ""
        if password:
            check_password(password, _teacher_password())
        person = make_visitor(state[_NAME_KEY], may_do_all=bool(password))
        state[_COOKIE_KEY] = sign_visitor(person, read_secret(run_store().root), _teacher_password())
    except IdentityError as error:
        state[_PROBLEM_KEY] = str(error)
    else:
        state[VISITOR_KEY] = person


def _leave() -> None:
    st.session_state.clear()  # the next person at this browser gets nothing of it, such as deleted drawings
    st.session_state[_COOKIE_KEY] = ""


def _keep() -> None:
    """Tell the browser what to keep, if anything has changed since it connected."""
    if _COOKIE_KEY in st.session_state:
        keep_cookie(st.session_state[_COOKIE_KEY])


def _visitor_of_cookie() -> Visitor | None:
    cookie = st.context.cookies.get(COOKIE_NAME)
    return verify_visitor(cookie, read_secret(run_store().root), _teacher_password()) if cookie else None


def _signs_in() -> bool:
    """Tell whether a provider of identities is configured."""
    return bool(_secret("auth"))


def _visitor_signed_in() -> Visitor | None:
    user = st.user
    if not user.is_logged_in:
        return None
    name, email, subject = (str(user.get(claim) or "") for claim in ("name", "email", "sub"))
    # Some providers let people write any address into their profile: then only the number counts.
    names = {subject.lower(), email.lower()} if user.get("email_verified") is True else {subject.lower()}
    is_teacher = not names.isdisjoint(str(teacher).lower() for teacher in _secret("teachers") or [])
    return visitor_from_provider(str(user.get("iss")), subject, name or email, is_teacher)


def _teacher_password() -> str:
    return str(_secret("teacher_password") or "")


def _secret(name: str) -> Any:
    """Return a secret, or None if it is not there."""
    try:
        return st.secrets.get(name)
    except StreamlitSecretNotFoundError:
        return None
