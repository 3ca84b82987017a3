"""Who is at the screens, with their runs and drawings, and the selected run: the same on every screen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from mnist_lib.access import Visitor, read_access
from mnist_lib.data.dataset import MNIST_DESCRIPTION, DatasetDescription
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.runs.titles import run_title, run_titles

# The chosen run's name in the URL, and the key of the sidebar's selector.
RUN_KEY = "run"

# Who they are, once they said so: a ``Visitor``. A browser cannot write it: it is no widget's key.
VISITOR_KEY = "visitor"

_CHOSEN_KEY = "chosen_run"
_SELECTOR_KEY = "run_selector"


def run_store() -> RunStore:
    """Return the store of this machine's runs, which allows what the visitor may do."""
    return RunStore.default(read_access(visitor()))


def visitor() -> Visitor | None:
    """Return who is at the screens, or None for somebody who has not said so."""
    return st.session_state.get(VISITOR_KEY)


def dataset_library() -> DatasetLibrary:
    """Return the data sets of this machine; the library allows what the visitor may do."""
    store = run_store()
    return DatasetLibrary.beside(store.root, store.access)


def experiment_library() -> ExperimentLibrary:
    """Return the experiments of this machine; the library allows what the visitor may do."""
    store = run_store()
    return ExperimentLibrary.beside(store.root, store.access)


def own_digits() -> OwnDigits:
    """Return the visitor's own test set; in public it ends with the session."""
    store = run_store()
    if store.access.mode != "public":
        return OwnDigits.beside(store.root, store.access)
    return OwnDigits(Path(_folder_of_session().name), store.access.limits.drawings)


@st.cache_resource(scope="session", on_release=TemporaryDirectory.cleanup, show_spinner=False)
def _folder_of_session() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="mnist-drawings-", ignore_cleanup_errors=True)


def selected_run() -> Run | None:
    """Return the run that the sidebar's selector names, or None if there is no run."""
    run_id = chosen_run_id()
    return run_store().find(run_id) if run_id else None


def selected_dataset() -> DatasetDescription:
    """Return what is known of the selected run's data set; MNIST if there is no run, or it does not say."""
    run = selected_run()
    return recorded_dataset(run) if run else MNIST_DESCRIPTION


def recorded_dataset(run: Run) -> DatasetDescription:
    """Return what is known of a run's data set; MNIST if its settings are damaged."""
    with suppress(DamagedRunError):
        return run.dataset()
    return MNIST_DESCRIPTION


def make_titles(beginning: str = "") -> Callable[[str], str]:
    """Return the function that gives what a run is called on the screens, for many runs at once.

    It takes the name of the run's folder, which may be gone. A title is not trusted.

    Args:
        beginning: That of the names for which it is asked.
    """
    today = date.today()
    titles = run_titles([run for run in run_store().runs() if run.run_id.startswith(beginning)], today)
    return lambda run_id: titles.get(run_id) or run_title(run_id, today=today)


def title_of(run_id: str) -> str:
    """Return what one run is called on the screens, as ``make_titles`` does."""
    # Only titles of the same minute could be the same: the first 13 characters, as in 20260101-1200.
    return make_titles(run_id[:13])(run_id)


def chosen_run_id() -> str | None:
    """Return the name of the run that every screen shows, or None before the sidebar was drawn."""
    return st.session_state.get(_CHOSEN_KEY)


def choose_run(run_id: str) -> None:
    """Let every screen show this run. For callbacks: the whole screen must be drawn afterwards.

    This makes the selector a new widget, so that a request already on its way from the
    browser with the old selector's value changes nothing.
    """
    st.session_state[_CHOSEN_KEY] = run_id
    st.session_state[_SELECTOR_KEY] = st.session_state.get(_SELECTOR_KEY, 0) + 1


def forget_run() -> None:
    """Let every screen show the first run of the list, because the selected one is gone. For callbacks."""
    st.session_state.pop(_CHOSEN_KEY, None)
    st.session_state[_SELECTOR_KEY] = st.session_state.get(_SELECTOR_KEY, 0) + 1
    st.query_params.pop(RUN_KEY, None)


def selector_key() -> str:
    """Return the current key of the selector."""
    number = st.session_state.get(_SELECTOR_KEY, 0)
    return f"{RUN_KEY}_{number}" if number else RUN_KEY


def take_selection() -> None:
    """Show the run that a person chose in the selector."""
    st.session_state[_CHOSEN_KEY] = st.session_state[selector_key()]


def set_selection(run_id: str) -> None:
    """Let the selector, about to be drawn, show this run."""
    st.session_state[_CHOSEN_KEY] = st.session_state[selector_key()] = run_id
