"""The own test set on the screen: keep, correct, delete, undo, load, and how runs read it."""

from __future__ import annotations

import io
import re
import shutil
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import LIST_NAME, OwnDigits, identify_drawing
from mnist_lib.runs.store import RunStore
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, copy_bundled_run, title_of
from tests.support.screens import all_text, button


def draw_room() -> None:
    """The part of the Draw screen that is tested, as the screen's fragment."""
    import streamlit as st

    from mnist_lib.ui.draw.own_test_set import render_keep_form, render_own_digits
    from mnist_lib.ui.session import run_store

    @st.fragment
    def room() -> None:
        render_keep_form(st.session_state["ink"], "canvas")
        render_own_digits(run_store().bundled_runs()[0])

    room()


@pytest.fixture
def own(store: RunStore) -> OwnDigits:
    """The set beside the test's runs."""
    return OwnDigits.beside(store.root)


@pytest.fixture
def inks(dataset: Dataset) -> list[np.ndarray]:
    """The first five test digits, easy ones: 7, 2, 1, 0 and 4."""
    pictures = [
        Image.fromarray(image).resize((140, 140), Image.Resampling.BICUBIC) for image in dataset.test_images[:5]
    ]
    return [np.asarray(picture, dtype=np.float32) / 255 for picture in pictures]


def open_room(ink: np.ndarray) -> AppTest:
    app = AppTest.from_function(draw_room, default_timeout=60)
    app.session_state["ink"] = ink
    return app.run()


def keep_all(own: OwnDigits, inks: list[np.ndarray], labels: tuple[int, ...] = (7, 2, 1, 0, 4)) -> None:
    for ink, label in zip(inks, labels, strict=True):
        own.add(ink, label, "canvas")


KEEP, TRUE_DIGIT = "keep_", "own_digit_label_"


def row(app: AppTest, name: str) -> list[Button]:
    """The ten digits of a row."""
    buttons = [button for button in app.button if button.key and re.match(rf"{name}[0-9a-f]{{16}}_\d$", button.key)]
    assert [button.label for button in buttons] == list("0123456789")
    return buttons


def tap(app: AppTest, name: str, digit: int) -> None:
    row(app, name)[digit].click().run()


def marked(app: AppTest, name: str) -> list[int]:
    """The digits of a row that are drawn as chosen."""
    return [digit for digit, button in enumerate(row(app, name)) if button.proto.type == "primary"]


def what_a_browser_says(app: AppTest) -> WidgetStates:
    """What comes with each request: the state of the widgets, but no button; a click is sent once."""
    states = app._tree.get_widget_states().widgets
    return WidgetStates(widgets=[state for state in states if state.WhichOneof("value") != "trigger_value"])


def labels_of(own: OwnDigits) -> list[int]:
    return [digit.label for digit in own.read().digits]


def toasts(app: AppTest) -> list[str]:
    return [toast.value for toast in app.toast]


def test_empty_set_says_what_to_do(own: OwnDigits, inks: list[np.ndarray]) -> None:
    app = open_room(inks[0])
    assert not app.exception
    assert "tap its true digit" in app.info[0].value
    assert marked(app, KEEP) == []
    assert app.get("download_button")[0].proto.disabled
    assert button(app, "Remove it").disabled
    assert button(app, "Undo delete").disabled
    assert not own.path.exists()


def test_tap_keeps_the_drawing_and_another_tap_corrects_it(own: OwnDigits, inks: list[np.ndarray]) -> None:
    app = open_room(inks[0])
    tap(app, KEEP, 1)
    assert labels_of(own) == [1]
    assert toasts(app) == ["Kept as 1."]
    assert "Kept as 1 in your test set." in all_text(app)
    assert "reads your only drawing **incorrectly**" in all_text(app)
    tap(app, KEEP, 7)
    assert labels_of(own) == [7]
    assert "reads your only drawing **correctly**" in all_text(app)
    assert marked(app, TRUE_DIGIT) == [7]
    app.run()
    assert toasts(app) == []


def test_another_drawing_is_not_kept_until_it_is_tapped(own: OwnDigits, inks: list[np.ndarray]) -> None:
    app = open_room(inks[0])
    tap(app, KEEP, 7)
    app.session_state["ink"] = inks[1]
    app.run()
    assert marked(app, KEEP) == []
    assert "Tap its true digit" in all_text(app)
    app.session_state["ink"] = inks[0]
    app.run()
    assert marked(app, KEEP) == [7]
    assert len(own.read().digits) == 1


def test_late_request_about_another_drawing_does_not_change_this_one(
    own: OwnDigits,
    inks: list[np.ndarray],
) -> None:
    # The sidebar asks every two seconds, and may ask before the browser has shown what is new.
    app = open_room(inks[0])
    tap(app, KEEP, 7)
    said = what_a_browser_says(app)
    app.session_state["ink"] = inks[1]
    app.run()
    app._run(said)
    assert labels_of(own) == [7]
    app.run()
    tap(app, KEEP, 2)
    app._run(said)
    assert labels_of(own) == [7, 2]
    button(app, "Remove it").click().run()
    said = what_a_browser_says(app)
    button(app, "Undo delete").click().run()
    app._run(said)
    assert labels_of(own) == [7, 2]


def test_corrected_digit_stays_corrected_when_the_browser_speaks_of_the_one_before(
    own: OwnDigits, inks: list[np.ndarray]
) -> None:
    app = open_room(inks[0])
    tap(app, KEEP, 1)
    said = what_a_browser_says(app)
    tap(app, KEEP, 7)
    app._run(said)
    assert labels_of(own) == [7]
    assert marked(app, KEEP) == marked(app, TRUE_DIGIT) == [7]
    said = what_a_browser_says(app)
    tap(app, TRUE_DIGIT, 2)
    app._run(said)
    assert labels_of(own) == [2]
    assert marked(app, KEEP) == marked(app, TRUE_DIGIT) == [2]


def test_drawing_is_taken_out_and_comes_back(own: OwnDigits, inks: list[np.ndarray]) -> None:
    keep_all(own, inks)
    before = own.read().digits
    app = open_room(inks[2])
    button(app, "Remove it").click().run()
    assert labels_of(own) == [7, 2, 0, 4]
    assert marked(app, KEEP) == []
    assert "**4 of your 4** drawings correctly" in all_text(app)
    button(app, "Undo delete").click().run()
    assert own.read().digits == before
    assert marked(app, KEEP) == [1]
    assert button(app, "Undo delete").disabled


def test_verdict_counts_what_the_run_reads_right(own: OwnDigits, inks: list[np.ndarray]) -> None:
    keep_all(own, inks, labels=(7, 2, 8, 0, 9))  # a one and a four, called otherwise
    app = open_room(inks[0])
    assert f"**{BUNDLED_RUN.run_id}** reads **3 of your 5** drawings correctly (60.0%)." in all_text(app)
    assert app.markdown[-1].value == "### Your 9, read as 4"  # the newest is chosen
    app.segmented_control(key="own_digits_shown").set_value("misread").run()
    assert app.markdown[-1].value == "### Your 9, read as 4"
    tap(app, TRUE_DIGIT, 4)
    assert app.markdown[-1].value == "### Your 8, read as 1"
    tap(app, TRUE_DIGIT, 1)
    assert "**5 of your 5** drawings correctly (100.0%)" in all_text(app)
    assert "None of your drawings is misread." in all_text(app)
    assert labels_of(own) == [7, 2, 1, 0, 4]


def test_many_drawings_come_in_pages(own: OwnDigits, inks: list[np.ndarray], dataset: Dataset) -> None:
    for image, label in zip(dataset.test_images[:203], dataset.test_labels[:203].tolist(), strict=True):
        own.add(image.astype(np.float32) / 255, label, "picture")
    app = open_room(inks[0])
    assert "of your 203**" in all_text(app)
    newest, third = dataset.test_labels[202], dataset.test_labels[2]
    assert app.markdown[-1].value.startswith(f"### Your {newest}, read as")
    app.session_state["own_digits_page_all"] = 2
    app.run()
    assert app.markdown[-1].value.startswith(f"### Your {third}, read as")
    own.delete([digit.digit_id for digit in own.read().digits[:10]])
    app.run()
    assert not app.exception
    assert "of your 193**" in all_text(app)


def test_chosen_drawing_is_deleted_and_comes_back(own: OwnDigits, inks: list[np.ndarray]) -> None:
    keep_all(own, inks)
    app = open_room(inks[0])
    app.button(key="own_digit_delete").click().run()
    assert labels_of(own) == [7, 2, 1, 0]
    assert app.markdown[-1].value == "### Your 0, read as 0"
    button(app, "Undo delete").click().run()
    assert labels_of(own) == [7, 2, 1, 0, 4]


def test_delete_all_takes_damage_along_and_drawings_come_back(own: OwnDigits, inks: list[np.ndarray]) -> None:
    keep_all(own, inks)
    (own.path / f"{identify_drawing(inks[1])}.png").write_bytes(b"no picture")
    app = open_room(inks[0])
    assert "1 entry of" in app.warning[0].value
    assert "reads **4 of your 4**" in all_text(app)
    app.button(key="own_digits_clear").click().run()
    assert labels_of(own) == []
    assert not app.warning
    assert marked(app, KEEP) == []
    button(app, "Undo delete").click().run()
    assert labels_of(own) == [7, 1, 0, 4]
    assert not app.exception


def test_zip_is_loaded_and_the_result_is_shown(own: OwnDigits, inks: list[np.ndarray], tmp_path: Path) -> None:
    friend = OwnDigits(tmp_path / "friend")
    keep_all(friend, inks)
    own.add(inks[0], 7, "canvas")
    app = open_room(inks[0])
    key = app.file_uploader[0].key
    app.file_uploader[0].set_value(("drawings.zip", friend.to_zip(), "application/zip")).run()
    assert toasts(app) == ["4 drawings added. You already had 1."]
    assert sorted(labels_of(own)) == [0, 1, 2, 4, 7]
    assert "reads **5 of your 5**" in all_text(app)
    assert app.file_uploader[0].key != key  # empty again


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ([("../evil.png", b"")], "../evil.png is a path and not a plain file name."),
        ([("a.png", b"")], f"The zip holds no {LIST_NAME}, so it is not a zip of drawings."),
        ([(LIST_NAME, b"nonsense")], "Line 1 of drawings.jsonl in the zip is wrong: it is not JSON."),
    ],
)
def test_wrong_zip_is_one_line_and_changes_nothing(
    entries: list[tuple[str, bytes]], line: str, own: OwnDigits, inks: list[np.ndarray]
) -> None:
    own.add(inks[0], 7, "canvas")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries:
            archive.writestr(name, content)
    app = open_room(inks[0])
    app.file_uploader[0].set_value(("drawings.zip", file.getvalue(), "application/zip")).run()
    assert not app.exception
    assert [error.value.endswith(line) for error in app.error] == [True]
    assert labels_of(own) == [7]
    assert "reads your only drawing **correctly**" in all_text(app)


def test_zip_that_takes_too_long_is_one_line_and_changes_nothing(
    own: OwnDigits, inks: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten pictures, each with 1,500 colour profiles that unpack to a megabyte: half a minute of work."""
    own.add(inks[0], 7, "canvas")
    with zipfile.ZipFile(io.BytesIO(own.to_zip())) as archive:
        (line,) = archive.read(LIST_NAME).splitlines()
        name = next(name for name in archive.namelist() if name != LIST_NAME)
        picture = archive.read(name)
    profile = b"iCCP" + b"profile\0\0" + zlib.compress(bytes(1_000_000))
    chunk = struct.pack(">I", len(profile) - 4) + profile + struct.pack(">I", zlib.crc32(profile))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        names = [f"{number}.png" for number in range(10)]
        archive.writestr(LIST_NAME, b"\n".join(line.replace(name.encode(), other.encode()) for other in names))
        for other in names:
            archive.writestr(other, picture[:33] + chunk * 1_500 + picture[33:])
    app = open_room(inks[0])
    monkeypatch.setattr("mnist_lib.ui.draw.own_test_set.LONGEST_READING_S", 1.0)
    app.file_uploader[0].set_value(("drawings.zip", file.getvalue(), "application/zip")).run()
    assert not app.exception
    problem = "The zip was not loaded. It takes too long or too much memory to read."
    assert [error.value for error in app.error] == [problem]
    assert labels_of(own) == [7]


def test_other_runs_are_tested_when_a_person_asks(
    own: OwnDigits,
    inks: list[np.ndarray],
    store: RunStore,
) -> None:
    other = copy_bundled_run(store, "20260101-000000-paper-seed1")
    damaged = copy_bundled_run(store, "20260102-000000-paper-seed2")
    damaged.model_path.write_bytes(b"not a model")
    without_model = copy_bundled_run(store, "20260103-000000-paper-seed3")
    without_model.model_path.unlink()
    shutil.rmtree(without_model.path / "epochs")
    keep_all(own, inks, labels=(7, 2, 1, 0, 5))
    app = open_room(inks[0])
    assert not app.table
    others = app.multiselect(key="own_digits_others")
    assert set(others.options) == {title_of(other), title_of(damaged), PAPER_RUN.run_id}
    others.set_value([other.run_id, damaged.run_id]).run()
    assert app.table[0].value.to_numpy().tolist() == [
        [BUNDLED_RUN.run_id, "4 of 5", "80.0%"],
        [title_of(other), "4 of 5", "80.0%"],
    ]
    assert [error.value for error in app.error] == [
        f"model.keras of {damaged.run_id} cannot be read: File is not a zip file"
    ]
    shutil.rmtree(other.path)
    app.run()
    assert app.multiselect(key="own_digits_others").value == [damaged.run_id]
    assert not app.exception


def test_folder_that_cannot_be_written_is_one_line_beside_the_digits(own: OwnDigits, inks: list[np.ndarray]) -> None:
    (own.path / ".lock").mkdir(parents=True)
    app = open_room(inks[0])
    tap(app, KEEP, 7)
    assert not app.exception
    assert len(app.error) == 1
    assert app.error[0].value.startswith(f"Cannot write to {own.path}: ")
    assert marked(app, KEEP) == []
    assert labels_of(own) == []


def test_list_that_cannot_be_read_is_one_line(own: OwnDigits, inks: list[np.ndarray]) -> None:
    (own.path / LIST_NAME).mkdir(parents=True)
    app = open_room(inks[0])
    assert not app.exception
    assert {error.value for error in app.error} == {f"{own.path / LIST_NAME} cannot be read: Is a directory."}
