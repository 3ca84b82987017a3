"""Turns what can go wrong with files into a line on the screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from mnist_lib.dataset import DatasetError
from mnist_lib.records import DamagedRunError
from mnist_lib.runs import RunStoreError


@contextmanager
def errors_as_messages() -> Iterator[None]:
    """Show the project's own errors, each one clear line, instead of a traceback."""
    try:
        yield
    except (DatasetError, DamagedRunError, RunStoreError) as error:
        st.error(str(error), icon=":material/error:")
