"""How large uploaded files may be, one and all together: Streamlit holds them in memory."""

from __future__ import annotations

import functools

import streamlit as st
from starlette.exceptions import HTTPException
from streamlit import config, runtime
from streamlit.runtime.uploaded_file_manager import UploadedFileManager, UploadedFileRec

from mnist_lib.access import Limits, read_access


def largest_upload_mb(needed_mb: int) -> int:
    """Return the largest file of a field in MB: what it needs, if the installation allows so much.

    Args:
        needed_mb: The largest file that makes sense in this field.
    """
    return min(needed_mb, read_access().limits.upload_mb)


@st.cache_resource(show_spinner=False)
def limit_uploads() -> None:
    """Let the server refuse uploads beyond the installation's limits, whichever field they say they are for.

    Once for all visitors. Until then, .streamlit/config.toml allows as much as in public.
    """
    limits = read_access().limits
    config.set_option("server.maxUploadSize", limits.upload_mb)
    if runtime.exists():  # not where a test runs a screen without a server
        _limit_total(runtime.get_instance().uploaded_file_mgr, limits)


def _limit_total(manager: UploadedFileManager, limits: Limits) -> None:
    """Let a manager of uploaded files take no more than they may have together; Streamlit has no setting for that."""
    add_file = manager.add_file  # pyright: ignore[reportAttributeAccessIssue]  # of the one that holds them in memory

    @functools.wraps(add_file)
    def add_if_there_is_room(session_id: str, file: UploadedFileRec) -> None:
        sessions = list(manager.file_storage.values())  # pyright: ignore[reportAttributeAccessIssue]
        held = sum(len(held.data) for files in sessions for held in list(files.values()))
        if held + len(file.data) > limits.uploads_mb * 1024 * 1024:  # as Streamlit counts
            raise HTTPException(413, "The server holds too many uploaded files. Try again later.")
        add_file(session_id=session_id, file=file)

    manager.add_file = add_if_there_is_room  # pyright: ignore[reportAttributeAccessIssue]
