"""Messages about the outcome of a person's actions, each in one line on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mnist_lib.access import AccessError
from mnist_lib.data.dataset import DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.experiments.library import ExperimentError
from mnist_lib.identity import IdentityError
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import RunStoreError


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Show the project's own errors, each in one clear line, instead of a traceback."""
    try:
        yield
    except (AccessError, DatasetError, DamagedRunError, ExperimentError, IdentityError, RunStoreError) as error:
        show_error(str(error))


def show_error(message: str) -> None:
    """Show what went wrong. The message is plain text: it may contain a file's name or a library's message."""
    st.error(plain_text(message), icon=":material/error:")


def show_problem(key: str) -> None:
    """Show, once, the error that a callback left under a key of the session's state, if there is one."""
    if problem := st.session_state.pop(key, None):
        show_error(problem)


def show_done(key: str) -> None:
    """Show, once, the success that a callback left under a key of the session's state, if there is one."""
    if done := st.session_state.pop(key, None):
        st.toast(plain_text(done), icon=":material/check:")
