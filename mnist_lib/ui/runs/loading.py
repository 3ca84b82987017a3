"""Loads a run from a zip that was downloaded here or elsewhere."""

from __future__ import annotations

import streamlit as st

from mnist_lib.runs.archive import MAX_ARCHIVE_MB, load_archive
from mnist_lib.runs.run import RunStoreError
from mnist_lib.ui.messages import show_done, show_error
from mnist_lib.ui.session import choose_run, run_store, title_of
from mnist_lib.ui.uploads import largest_upload_mb

_NUMBER_KEY = "run_zip_number"
_DONE_KEY = "run_zip_done"


def render_run_loading() -> None:
    """Show the field for a run's zip, and the result of the last one."""
    if not run_store().access.may_add:
        return
    state = st.session_state
    show_done(_DONE_KEY)
    largest_mb = largest_upload_mb(MAX_ARCHIVE_MB)
    number = state.get(_NUMBER_KEY, 0)
    with st.popover("Load a run", icon=":material/upload_file:", key=f"load_run_{number}"):
        st.caption(f"A zip made with *Download*, here or elsewhere, of at most {largest_mb} MB.")
        key = f"run_zip_{number}"
        st.file_uploader("Zip of a run", type="zip", key=key, max_upload_size=largest_mb, label_visibility="collapsed")
        # Not on the upload itself: checking the model may take a few seconds, and needs a spinner.
        if st.button("Load it", disabled=state.get(key) is None):
            try:
                with st.spinner("Checking the run…"):
                    _load(key)
            except RunStoreError as error:
                show_error(str(error))
            else:
                st.rerun()


def _load(key: str) -> None:
    state = st.session_state
    run = load_archive(state[key], run_store())
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    state[_DONE_KEY] = f"{title_of(run.run_id)} is loaded."
    st.query_params["runs"] = run.run_id
    choose_run(run.run_id)
