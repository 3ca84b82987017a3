"""Adds a data set of one's own: read in a process of its own, looked at, and kept with a name; and removes one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import msgspec
import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from mnist_lib.data.dataset import MAX_TEXT, DatasetDescription, DatasetError, Fitting
from mnist_lib.data.library import DatasetLibrary
from mnist_lib.escaping import one_line, plain_text
from mnist_lib.figures.digits import class_counts_figure
from mnist_lib.formats.preparation import Choices, split_class_names
from mnist_lib.formats.staging import Staged, stage_in_process
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.messages import show_done, show_error, show_problem
from mnist_lib.ui.session import dataset_library
from mnist_lib.ui.uploads import largest_upload_mb

# 1 GB is the most that is unpacked.
LARGEST_FILE_MB = 500

# The name in the address of the data set that is shown.
DATA_KEY = "data"

_FITTINGS: dict[Fitting, str] = {"whole": "whole", "centred": "cropped to the ink, as MNIST was"}

_STAGED_KEY = "staged_dataset"
# Counts what was kept: a new key empties the fields.
_NUMBER_KEY = "new_dataset_number"
_DONE_KEY = "new_dataset_done"
_PROBLEM_KEY = "new_dataset_problem"
_REMOVAL_PROBLEM_KEY = "remove_dataset_problem"


class _Reading(NamedTuple):
    """What was read last, and what came of it.

    Attributes:
        of: The files and choices.
        staged: The data set, or None if it cannot be used.
        problem: Why not, in one line.
    """

    of: tuple[Any, ...]
    staged: Staged | None
    problem: str


def render_adding() -> None:
    """Show the fields for a new data set, and what is found in its files before it is kept."""
    show_done(_DONE_KEY)
    expander = st.expander("Add your own data set", icon=":material/add:", on_change="rerun", key="new_dataset")
    if not expander.open:
        return
    with expander:
        number = st.session_state.get(_NUMBER_KEY, 0)
        files = st.file_uploader(
            "IDX files, an npz, a CSV table, or a zip of class folders or of your drawings",
            accept_multiple_files=True,
            key=f"new_dataset_files_{number}",
            max_upload_size=largest_upload_mb(LARGEST_FILE_MB),
        )
        with st.container(horizontal=True, vertical_alignment="bottom"):
            fitting: Fitting = st.segmented_control(
                "Other sizes, and drawings, become 28 × 28",
                list(_FITTINGS),
                format_func=_FITTINGS.__getitem__,
                default="whole",
                required=True,
                key=f"new_dataset_fitting_{number}",
            )
            turns = st.toggle("Turn dark on light round", True, key=f"new_dataset_turns_{number}")
        if not files:
            return
        reading = _read(files, Choices(fitting=fitting, as_is=not turns))
        if reading.staged is None:
            show_error(reading.problem)
            return
        _render_found(reading.staged)
        _render_fields(reading.staged, number)


def _read(files: Sequence[UploadedFile], choices: Choices) -> _Reading:
    """Read the files, unless that was done with the same choices."""
    of = (*(file.file_id for file in files), choices)
    before = st.session_state.get(_STAGED_KEY)
    if before and before.of == of:
        return before
    folder = _staging_path()
    text = "Reading the images…"
    bar = st.progress(0.0, text)
    try:
        path = _write_files(files, folder / "files")
        staged = stage_in_process(path, folder / "datasets", choices, lambda share: bar.progress(share, text))
        reading = _Reading(of, staged, "")
    except DatasetError as error:
        reading = _Reading(of, None, str(error))
    finally:
        shutil.rmtree(folder / "files", ignore_errors=True)
    bar.empty()
    st.session_state[_STAGED_KEY] = reading
    return reading


def _write_files(files: Sequence[UploadedFile], folder: Path) -> Path:
    """Write uploaded files into a folder and return it, or the path of the only one."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for file in files:
            # A browser sends a plain name; anybody can send another one.
            (folder / Path(one_line(file.name)).name[-100:]).write_bytes(file.getbuffer())
    except (OSError, ValueError) as error:
        raise DatasetError("The files cannot be written to this machine's disk.") from error
    paths = list(folder.iterdir())
    return paths[0] if len(paths) == 1 else folder


@st.cache_resource(scope="session", on_release=TemporaryDirectory.cleanup, show_spinner=False)
def _staging_folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="mnist-datasets-", ignore_cleanup_errors=True)


def _staging_path() -> Path:
    return Path(_staging_folder().name)


def _render_found(staged: Staged) -> None:
    found = staged.inspection
    st.markdown(f"**{plain_text(found.headline)}**")
    st.caption(plain_text(" ".join(found.notes)))
    if found.warnings:
        st.warning("  \n".join(map(plain_text, found.warnings)), icon=":material/warning:")
    left, right = st.columns(2, gap="large")
    with left:
        tiles = [
            Tile(place, name, "", f"An image of {name}")
            for place, name in enumerate(found.class_names[label] for label in staged.sample_labels)
        ]
        digit_gallery("Some images of each class", staged.samples, tiles, key="new_dataset_samples")
    with right:
        counts = class_counts_figure(np.array(found.training_counts), dataset=staged.description)
        live_figure(counts, key="new_dataset_counts")


def _render_fields(staged: Staged, number: int) -> None:
    keys = {name: f"new_dataset_{name}_{number}" for name in ("name", "classes", "origin", "licence", "replace")}
    with st.form(f"new_dataset_form_{number}", border=False):
        left, right = st.columns(2)
        left.text_input("Name", key=keys["name"], max_chars=40, placeholder="Fashion-MNIST")
        names = ", ".join(staged.description.class_names)
        right.text_input("Classes, in the order of their labels", names, key=keys["classes"])
        left.text_input("Origin", key=keys["origin"], max_chars=MAX_TEXT, placeholder="Who made it, and where it is")
        right.text_input("Licence", key=keys["licence"], max_chars=MAX_TEXT, placeholder="CC BY 4.0")
        if len(dataset_library().descriptions()) > 1:
            st.toggle("Replace the data set of this name", key=keys["replace"])
        st.form_submit_button("Keep", type="primary", on_click=_keep, args=(staged.description, keys))
    show_problem(_PROBLEM_KEY)


def _keep(found: DatasetDescription, keys: dict[str, str]) -> None:
    state = st.session_state
    names = split_class_names(state[keys["classes"]])
    try:
        if len(names) != found.classes:
            raise DatasetError(f"There are {found.classes} classes, but {len(names)} names for them.")
        description = msgspec.structs.replace(
            found,
            name=state[keys["name"]],
            class_names=names,
            origin=one_line(state[keys["origin"]]),
            licence=one_line(state[keys["licence"]]),
        )
        staged = DatasetLibrary(_staging_path() / "datasets")
        dataset_library().move_from(staged, found, description, replace=bool(state.get(keys["replace"])))
    except DatasetError as error:
        state[_PROBLEM_KEY] = str(error)
        return
    state[_DONE_KEY] = f"{description.name} is kept."
    state[_NUMBER_KEY] = state.get(_NUMBER_KEY, 0) + 1
    state[DATA_KEY] = st.query_params[DATA_KEY] = description.name
    state.pop(_STAGED_KEY, None)


def render_removal(description: DatasetDescription) -> None:
    """Show the button that removes a data set, with a question before.

    Args:
        description: One that was added.
    """
    name = plain_text(description.name)
    with st.popover("Remove this data set", icon=":material/delete:", key=f"remove_dataset_{description.name}"):
        st.markdown(f"Remove {name}? Its runs stay, but say that it is missing.")
        st.button("Yes, remove", key="remove_dataset", on_click=_remove, args=(description.name,))
    show_problem(_REMOVAL_PROBLEM_KEY)


def _remove(name: str) -> None:
    try:
        dataset_library().remove(name)
        st.session_state[_DONE_KEY] = f"{name} is removed."
    except DatasetError as error:
        st.session_state[_REMOVAL_PROBLEM_KEY] = str(error)
