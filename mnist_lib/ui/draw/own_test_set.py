"""The own test set: keeps drawings with their true digits, and shows how runs read them."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

import numpy as np
import streamlit as st

from mnist_lib.drawing.limited_process import LimitError, call_in_limited_process
from mnist_lib.drawing.own_test_set import (
    MAX_TOTAL_BYTES,
    OwnDigit,
    OwnDigits,
    OwnDigitsError,
    OwnDigitsSnapshot,
    identify_drawing,
    read_zip,
)
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.predictions import DIGITS
from mnist_lib.figures.digits import image_figure, probabilities_figure
from mnist_lib.runs.records import DamagedRunError
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import network_stamp, read_digits
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.draw.handwriting import render_learning
from mnist_lib.ui.messages import show_done, show_error, show_problem
from mnist_lib.ui.session import make_titles, own_digits, run_store, title_of
from mnist_lib.ui.shared.drawing import clear_drawing
from mnist_lib.ui.shared.paging import choose_page
from mnist_lib.ui.uploads import largest_upload_mb
from mnist_lib.wording import count_text, percent_text

TILES_PER_PAGE = 200
MAX_OTHER_RUNS = 5
# A zip with the maximum number of drawings takes four seconds.
LONGEST_READING_S = 12.0

_SOURCES_IN_WORDS = {"canvas": "Drawn on the canvas", "picture": "From a picture"}

_SHOWN_KEY = "own_digits_shown"
_GALLERY_KEY = "own_digits_gallery"
# The two rows of digits: for the current drawing, and for the chosen drawing of the set.
_KEEP_KEY = "keep"
_LABEL_KEY = "own_digit_label"
_OTHERS_KEY = "own_digits_others"
# Counts the actions done in popovers: a new key closes them and empties the file's field.
_POPOVER_NUMBER_KEY = "own_digits_popover_number"
# The outcome of the last click, shown when the screen is drawn: a fragment's callbacks may draw nothing.
_DONE_KEY = "own_digits_done"
_PROBLEM_KEY = "own_digits_problem"
_KEEP_PROBLEM_KEY = "keep_problem"
# Whether keeping clears the canvas, and the ink that was kept last.
_CLEAR_KEY = "clear_after_keeping"
_LAST_KEPT_KEY = "last_kept"
# What was last deleted, as a zip.
_DELETED_KEY = "own_digits_deleted"


def render_keep_form(ink: np.ndarray, source: str) -> None:
    """Show the ten digits; a tap on one keeps the drawing as that digit.

    Args:
        ink: float32, (height, width), 0 (paper) to 1 (ink).
        source: Where it comes from, one of ``drawing.own_test_set.SOURCES``.
    """
    own = own_digits()
    try:
        kept = own.find(ink)
    except OwnDigitsError as error:
        show_error(str(error))
        return
    _render_digits(
        f"{_kept_as(kept)} Another digit corrects it." if kept else "Tap its true digit to keep it in your test set.",
        kept.label if kept else None,
        key=f"{_KEEP_KEY}_{identify_drawing(ink)}",
        on_tap=lambda label: _keep(own, ink, source, label),
    )
    show_problem(_KEEP_PROBLEM_KEY)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if source == "canvas":
            st.toggle("Clear after keeping", True, key=_CLEAR_KEY, persist_state="session")
        _render_removal(own, kept)


def render_last_kept() -> None:
    """Say what was kept last, if it is still in the set, and offer to remove it: the canvas is empty by now."""
    own = own_digits()
    last = st.session_state.get(_LAST_KEPT_KEY)
    with suppress(OwnDigitsError):  # the set itself, further below, says what is wrong
        kept = own.find(last) if last is not None else None
        if kept:
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.caption(_kept_as(kept), width="content")
                _render_removal(own, kept)


def _kept_as(kept: OwnDigit) -> str:
    return f"Kept as {kept.label} in your test set."


def _render_removal(own: OwnDigits, kept: OwnDigit | None) -> None:
    st.button(
        "Remove it",
        icon=":material/undo:",
        type="tertiary",
        key="take_out",
        on_click=_delete,
        args=(own, [kept]),
        disabled=kept is None,
    )


def render_own_digits(run: Run) -> None:
    """Show the own test set: how well a run reads it, each drawing, and the set as a zip.

    Args:
        run: A run that has a model.
    """
    own = own_digits()
    show_done(_DONE_KEY)
    st.header("Your own test set")
    try:
        snapshot = own.read()
    except OwnDigitsError as error:
        show_error(str(error))
        return
    answers = _render_verdict(run, snapshot)
    _render_actions(run, own, snapshot)
    show_problem(_PROBLEM_KEY)
    if snapshot.damaged:
        st.warning(
            f"Left out: {count_text(snapshot.damaged, 'entry', 'entries')} of {plain_text(str(own.path))} that cannot "
            "be read. *Delete all* removes that, too.",
            icon=":material/warning:",
        )
    if answers is not None:
        _render_drawings(own, snapshot, answers)
        _render_other_runs(run, snapshot, answers)


def _render_verdict(run: Run, snapshot: OwnDigitsSnapshot) -> np.ndarray | None:
    """Say how well a run reads the drawings, and return its probabilities if there are any."""
    count = len(snapshot.digits)
    if not count:
        st.info(
            "Nothing is kept yet. Draw a digit above, then tap its true digit: the drawing is added here, and you can "
            "test every run on it.",
            icon=":material/draw:",
        )
        return None
    try:
        answers = _read_drawings(run, snapshot)
    except DamagedRunError as error:
        show_error(str(error))
        return None
    right = _count_right(snapshot, answers)
    name = plain_text(title_of(run.run_id))
    if count == 1:
        st.markdown(f"**{name}** reads your only drawing **{'correctly' if right else 'incorrectly'}**.")
    else:
        learned = " It may have learned some of them." if run.read_config()[1].handwriting else ""
        st.markdown(
            f"**{name}** reads **{right:,} of your {count:,}** drawings correctly ({right / count:.1%}).{learned}"
        )
    return answers


def _render_actions(run: Run, own: OwnDigits, snapshot: OwnDigitsSnapshot) -> None:
    count = len(snapshot.digits)
    number = st.session_state.get(_POPOVER_NUMBER_KEY, 0)
    with st.container(horizontal=True, vertical_alignment="center"):
        render_learning(run, own, snapshot, _PROBLEM_KEY)
        st.download_button(
            "Download",
            own.to_zip,  # made when the button is clicked
            "drawings.zip",
            mime="application/zip",
            icon=":material/download:",
            on_click="ignore",
            disabled=not count,
            help="All drawings with their digits in one zip file, for another machine or another person.",
        )
        with st.popover("Load a zip", icon=":material/upload_file:", key=f"own_digits_load_{number}"):
            upload_key = f"own_digits_upload_{number}"
            st.file_uploader(
                "A zip of drawings, downloaded here or elsewhere",
                type="zip",
                key=upload_key,
                max_upload_size=largest_upload_mb(MAX_TOTAL_BYTES // 1_000_000),
                on_change=_load_zip,
                args=(own, upload_key),
            )
            st.caption("Its drawings are added to yours. What you have stays as it is.")
        with st.popover(
            "Delete all",
            icon=":material/delete:",
            disabled=not count and not snapshot.damaged,
            key=f"own_digits_delete_{number}",
        ):
            st.markdown(f"Delete {'your only drawing' if count == 1 else f'all {count:,} drawings'}?")
            st.button("Yes, delete", key="own_digits_clear", on_click=_clear, args=(own,))
        st.button(
            "Undo delete",
            icon=":material/undo:",
            type="tertiary",
            on_click=_undo_delete,
            args=(own,),
            disabled=_DELETED_KEY not in st.session_state,
        )


def _render_drawings(own: OwnDigits, snapshot: OwnDigitsSnapshot, answers: np.ndarray) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        position = _render_gallery(snapshot, answers)
    if position is not None:
        with right:
            _render_chosen(own, snapshot.digits[position], snapshot.images[position], answers[position])


def _render_gallery(snapshot: OwnDigitsSnapshot, answers: np.ndarray) -> int | None:
    """Show the drawings, the newest first, and return the position of the chosen one."""
    shown = st.segmented_control(
        "Show",
        ["all", "misread"],
        default="all",
        required=True,
        key=_SHOWN_KEY,
        persist_state="session",
        label_visibility="collapsed",
    )
    read_as = answers.argmax(axis=1)
    wanted = read_as != snapshot.labels if shown == "misread" else np.ones(len(read_as), dtype=bool)
    positions = np.flatnonzero(wanted)[::-1]
    if len(positions) == 0:
        st.info("None of your drawings is misread.", icon=":material/check:")
        return None
    positions = choose_page(positions, TILES_PER_PAGE, key=f"own_digits_page_{shown}")
    by_id = {_tile_id(snapshot.digits[position]): int(position) for position in positions}
    tiles = [
        _make_tile(snapshot.digits[position], int(read_as[position]), float(answers[position].max()))
        for position in positions
    ]
    return by_id[digit_gallery("Your drawings", snapshot.images[positions], tiles, key=_GALLERY_KEY)]


def _make_tile(digit: OwnDigit, read_as: int, confidence: float) -> Tile:
    sure = percent_text(confidence, 0)
    return Tile(
        _tile_id(digit),
        f"{digit.label} ✓" if read_as == digit.label else f"{digit.label} → {read_as}",
        sure,
        f"Your {digit.label}, read as {read_as} with {sure} confidence",
    )


def _tile_id(digit: OwnDigit) -> int:
    # JavaScript represents whole numbers exactly only up to 53 bits.
    return int(digit.digit_id[:13], 16)


def _render_chosen(own: OwnDigits, digit: OwnDigit, image: np.ndarray, probabilities: np.ndarray) -> None:
    st.markdown(f"### Your {digit.label}, read as {probabilities.argmax()}")
    picture, bars = st.columns(2)
    with picture:
        live_figure(image_figure(image), key="own_digit_image")
    with bars:
        live_figure(probabilities_figure(probabilities, digit.label), key="own_digit_probabilities")
    st.caption("Green: the true digit. Red: what the network read.")
    _render_digits(
        "True digit",
        digit.label,
        key=f"{_LABEL_KEY}_{digit.digit_id}",
        on_tap=lambda label: _relabel(own, digit, label),
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Delete", icon=":material/delete:", key="own_digit_delete", on_click=_delete, args=(own, [digit]))
        kept_on = datetime.fromtimestamp(digit.created_at)
        st.caption(f"{_SOURCES_IN_WORDS[digit.source]}, {kept_on:%Y-%m-%d}.")


def _render_other_runs(run: Run, snapshot: OwnDigitsSnapshot, answers: np.ndarray) -> None:
    """Show how well other runs read the drawings; only chosen ones, because each has a model to load."""
    others = {other.run_id: other for other in run_store().runs() if other.run_id != run.run_id and other.has_model()}
    names = st.multiselect(
        "Compare with other runs",
        list(others),
        format_func=make_titles(),
        max_selections=MAX_OTHER_RUNS,
        key=_OTHERS_KEY,
        persist_state="session",
        placeholder="Choose runs" if others else "There is no other run with a model yet",
        disabled=not others,
        width=620,
    )
    right = {run.run_id: _count_right(snapshot, answers)}
    problems = []
    for name in names:
        try:
            with st.spinner(f"{plain_text(title_of(name))} reads your drawings…"):
                right[name] = _count_right(snapshot, _read_drawings(others[name], snapshot))
        except DamagedRunError as error:
            problems.append(str(error))
    if len(right) > 1:
        count = len(snapshot.digits)
        st.table(
            {
                "Run": [plain_text(title) for title in map(make_titles(), right)],
                "Read correctly": [f"{number:,} of {count:,}" for number in right.values()],
                "Accuracy": [f"{number / count:.1%}" for number in right.values()],
            },
            hide_index=True,
            width="content",
        )
    for problem in problems:
        show_error(problem)


def _count_right(snapshot: OwnDigitsSnapshot, answers: np.ndarray) -> int:
    return int((answers.argmax(axis=1) == snapshot.labels).sum())


def _read_drawings(run: Run, snapshot: OwnDigitsSnapshot) -> np.ndarray:
    """Return a run's probabilities for the drawings: float32, (n, 10)."""
    return _read_images(run, network_stamp(run), tuple(digit.digit_id for digit in snapshot.digits), snapshot.images)


# A drawing's id is made from its pixels, so the images need not be hashed.
@st.cache_data(max_entries=32, show_spinner=False)
def _read_images(run: Run, stamp: int, digit_ids: tuple[str, ...], _images: np.ndarray) -> np.ndarray:
    return read_digits(run, _images)


def _render_digits(name: str, kept: int | None, key: str, on_tap: Callable[[int], None]) -> None:
    """Show the ten digits, with the set's digit marked; only a tap changes the set.

    They are buttons because a click is sent once. The value of a row of choices comes with every
    request from the browser, and a request sent before the browser knew of a change would undo it.
    """
    st.caption(name)
    with st.container(horizontal=True, gap="xxsmall"):
        for digit in DIGITS:
            st.button(
                str(digit),
                type="primary" if digit == kept else "secondary",
                key=f"{key}_{digit}",
                on_click=on_tap,
                args=(digit,),
            )


# Callbacks of the buttons.


def _keep(own: OwnDigits, ink: np.ndarray, source: str, label: int) -> None:
    if not _try(lambda: own.add(ink, label, source), f"Kept as {label}.", _KEEP_PROBLEM_KEY):
        return
    st.session_state[_LAST_KEPT_KEY] = ink
    if source == "canvas" and st.session_state.get(_CLEAR_KEY, True):
        clear_drawing()


def _relabel(own: OwnDigits, digit: OwnDigit, label: int) -> None:
    # Adding the same drawing again replaces its digit.
    _try(lambda: own.add(own.ink(digit), label, digit.source), f"Kept as {label}.")


def _delete(own: OwnDigits, digits: list[OwnDigit]) -> None:
    def delete() -> None:
        deleted = own.to_zip(digits)
        own.delete([digit.digit_id for digit in digits])
        st.session_state[_DELETED_KEY] = deleted

    _try(delete, "Deleted. Undo delete brings it back.")


def _clear(own: OwnDigits) -> None:
    def clear() -> None:
        deleted = own.to_zip()
        own.clear()
        st.session_state[_DELETED_KEY] = deleted

    _close_popovers()
    _try(clear, "All deleted. Undo delete brings them back.")


def _undo_delete(own: OwnDigits) -> None:
    def undo() -> None:
        own.load_zip(io.BytesIO(st.session_state[_DELETED_KEY]))
        del st.session_state[_DELETED_KEY]

    _try(undo, "Everything is restored.")


def _load_zip(own: OwnDigits, key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return

    def load() -> str:
        try:
            brought = call_in_limited_process(read_zip, file.getvalue(), LONGEST_READING_S)
        except LimitError as error:
            raise OwnDigitsError(f"The zip was not loaded. {error}") from error
        loaded = own.add_all(brought)
        known = f" You already had {loaded.known:,}." if loaded.known else ""
        return f"{count_text(loaded.added, 'drawing')} added.{known}"

    _close_popovers()
    _try(load)


def _close_popovers() -> None:
    st.session_state[_POPOVER_NUMBER_KEY] = st.session_state.get(_POPOVER_NUMBER_KEY, 0) + 1


def _try(action: Callable[[], object], done: str = "", problem_key: str = _PROBLEM_KEY) -> bool:
    """Change the set, leave the outcome for the screen, and return whether it went well."""
    try:
        result = action()
    except OwnDigitsError as error:
        st.session_state[problem_key] = str(error)
        return False
    st.session_state[_DONE_KEY] = done or result
    return True
