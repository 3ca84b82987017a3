"""The closer look through Streamlit's AppTest, on the screens that open it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.wording import a_digit
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, copy_bundled_run
from tests.support.screens import APP_PATH

VIEWS = ("Where it looked", "Feature maps", "Through the epochs", "What if", "Neighbours", "Pixel values")


@pytest.fixture
def run_of_its_own(store: RunStore) -> Run:
    """A copy of the shipped run, to damage."""
    return copy_bundled_run(store)


def look_closer(screen: str, key: str, view: str, run: Run = BUNDLED_RUN) -> AppTest:
    """Open a screen with the closer look at its first digit."""
    app = AppTest.from_file(str(APP_PATH), default_timeout=120).run()
    app.selectbox(key="run").set_value(run.run_id)
    app.switch_page(f"pages/{screen}.py").run()
    return look_again(app, key, view)


def look_again(app: AppTest, key: str, view: str) -> AppTest:
    """Draw the screen anew, the closer look open: the AppTest of Streamlit 1.65 forgets that it is."""
    app.session_state[f"{key}_closer"] = True
    app.session_state[f"{key}_view"] = view
    return app.run()


def closer_looks(app: AppTest) -> list[Any]:
    return [expander for expander in app.expander if "closer look" in expander.label]


def said_in(app: AppTest, kind: str) -> str:
    """Return the texts of the closer look."""
    elements: Any = app.expander[0].get(kind)
    return "\n".join(str(element.value) for element in elements)


def test_closed_it_computes_nothing() -> None:
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).run()
    for screen in ("mistakes", "dataset"):
        app.switch_page(f"pages/{screen}.py").run()
        assert len(closer_looks(app)) == 1
        assert not {tab.label for tab in app.tabs} & set(VIEWS)


@pytest.mark.parametrize(("screen", "key"), [("mistakes", "mistake"), ("dataset", "sample")])
@pytest.mark.parametrize("view", VIEWS[:4])  # reading all training digits takes too long here
def test_view_opens_for_any_digit(screen: str, key: str, view: str) -> None:
    app = look_closer(screen, key, view)
    assert not app.exception
    assert not app.error
    assert [tab.label for tab in app.expander[0].tabs] == list(VIEWS)
    # The open one alone is drawn.
    assert [bool(tab.children) for tab in app.expander[0].tabs] == [name == view for name in VIEWS]


def test_neighbours_are_counted_by_their_label_and_leave_the_digit_itself_out(
    run_of_its_own: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mnist_lib.explain.neighbours as neighbours

    # The first 500 training digits stand for all 60,000, which take ten seconds to read.
    embed_images = neighbours.embed_images
    monkeypatch.setattr(
        neighbours, "embed_images", lambda network, images, *on_part: embed_images(network, images[:500])
    )
    app = look_closer("dataset", "sample", "Neighbours", run_of_its_own)
    assert not app.exception
    line = said_in(app, "markdown")
    assert line.startswith("It reads **a 5**. Of the 20 training digits that it finds most alike, ")
    counts = [int(count) for count in re.findall(r"(\d+) (?:is|are)", line)]
    assert sum(counts) == 20
    tiles = re.findall(r"Training image (\d+), an? (\d)", said_in(app, "html"))
    numbers = [int(number) for number in tiles[::2] for number in number[:1]]
    assert len(set(numbers)) == 20
    assert 0 not in numbers  # the chosen digit is training image 0
    labels = np.array([int(label) for _, label in tiles])
    assert f"{(labels == 5).sum() // 2} are **5s**" in line


def test_sliders_change_the_answer_and_reset_brings_it_back() -> None:
    app = look_closer("dataset", "sample", "What if")
    before = said_in(app, "markdown")
    assert "It reads **a 5**" in before
    app.slider(key="sample_rotation_deg").set_value(90.0)
    look_again(app, "sample", "What if")
    assert "It now reads **a" in said_in(app, "markdown")
    app.slider(key="sample_rotation_deg").set_value(2.0)
    look_again(app, "sample", "What if")
    assert "It still reads **a 5**" in said_in(app, "markdown")
    app.slider(key="sample_noise").set_value(0.3)
    look_again(app, "sample", "What if")
    assert app.slider(key="sample_noise").value == 0.3
    app.button(key="sample_reset").click()
    look_again(app, "sample", "What if")
    assert app.slider(key="sample_rotation_deg").value == 0
    assert app.slider(key="sample_scale").value == 1
    assert app.slider(key="sample_noise").value == 0
    assert said_in(app, "markdown") == before


def look_at_the_first_epoch(app: AppTest) -> tuple[AppTest, int]:
    """Go back to the end of epoch 1, to a digit that was misread then and is read otherwise now."""
    first, last = PAPER_RUN.probabilities(1), PAPER_RUN.probabilities()
    changed = (first.argmax(axis=1) != load_mnist().test_labels) & (first.argmax(axis=1) != last.argmax(axis=1))
    image = int(np.flatnonzero(changed)[0])
    app.session_state["epoch"] = 1
    app.session_state["mistakes_gallery"] = {"selected": image}
    return look_again(app, "mistake", "What if"), image


def test_in_the_time_machine_the_network_of_that_epoch_looks() -> None:
    app = look_closer("mistakes", "mistake", "What if", PAPER_RUN)
    box: Any = app.expander[0].proto
    app, image = look_at_the_first_epoch(app)
    assert not app.exception
    same_box: Any = app.expander[0].proto
    assert same_box.id == box.id  # or it would close under the reader's eyes
    assert f"Image {image:,}, read by the network after epoch 1." in said_in(app, "caption")
    probabilities = PAPER_RUN.probabilities(1)[image]
    line = f"It reads **{a_digit(probabilities.argmax())}**, {probabilities.max():.0%} sure.".replace("100%", ">99%")
    assert line in said_in(app, "markdown")


def test_epoch_without_its_weights_is_looked_at_with_the_model(run_of_its_own: Run) -> None:
    run_of_its_own.weights_path(1).unlink()
    app, image = look_at_the_first_epoch(look_closer("mistakes", "mistake", "What if", run_of_its_own))
    assert not app.exception
    assert f"Image {image:,}, read by the network at the end of the run." in said_in(app, "caption")
    assert f"It reads **{a_digit(PAPER_RUN.probabilities()[image].argmax())}**" in said_in(app, "markdown")


def test_another_digit_keeps_the_view_and_the_sliders() -> None:
    app = look_closer("dataset", "sample", "What if")
    app.slider(key="sample_scale").set_value(0.8)
    app.segmented_control(key="split").set_value("test")
    look_again(app, "sample", "What if")
    assert app.slider(key="sample_scale").value == 0.8
    assert "reads **a 7**" in said_in(app, "markdown")  # the first of the test set


@pytest.mark.parametrize(
    ("answers", "true_digit", "text"),
    [
        ([3, 7, 7], None, "It has read **a 7** since epoch 2."),
        ([3, 7, 7], 7, "It has been **right** since epoch 2."),
        ([7, 7, 7], 7, "It has been **right** since epoch 1."),
        ([3, 7, 7], 3, "It has **misread** it as a 7 since epoch 2. It was last right after epoch 1."),
        ([7, 7, 7], 3, "It has **misread** it as a 7 since epoch 1. It was never right."),
    ],
)
def test_text_says_since_when(answers: list[int], true_digit: int | None, text: str) -> None:
    script = f"""
import numpy as np
import streamlit as st
from mnist_lib.ui.shared.closer_look import learning_text
st.markdown(learning_text([1, 2, 5], np.array({answers}), {true_digit}))
"""
    assert AppTest.from_string(script).run().markdown[0].value == text


def test_run_that_kept_few_or_no_epochs_says_so(run_of_its_own: Run) -> None:
    for epoch in (1, 2, 3, 4):
        run_of_its_own.weights_path(epoch).unlink()
    app = look_closer("dataset", "sample", "Through the epochs", run_of_its_own)
    assert "This run kept only one epoch." in said_in(app, "caption")
    run_of_its_own.weights_path(5).unlink()
    look_again(app, "sample", "Through the epochs")
    assert not app.exception
    assert "kept no weights of its epochs" in said_in(app, "info")


def test_unreadable_weights_are_named_and_the_other_views_go_on(run_of_its_own: Run) -> None:
    run_of_its_own.weights_path(3).write_bytes(b"no weights")
    app = look_closer("mistakes", "mistake", "Through the epochs", run_of_its_own)
    assert not app.exception
    assert said_in(app, "error").startswith("003.weights.h5 of 20260101-000000-paper-seed9 cannot be read")
    assert not look_again(app, "mistake", "Feature maps").error


def test_unreadable_model_is_named(run_of_its_own: Run) -> None:
    run_of_its_own.model_path.write_bytes(b"not a model")
    app = look_closer("mistakes", "mistake", "What if", run_of_its_own)
    assert not app.exception
    assert said_in(app, "error").startswith("model.keras of 20260101-000000-paper-seed9 cannot be read")


def test_run_without_a_model_has_no_closer_look(run_of_its_own: Run) -> None:
    run_of_its_own.model_path.unlink()
    for epoch in range(1, 6):
        run_of_its_own.weights_path(epoch).unlink()
    app = AppTest.from_file(str(APP_PATH), default_timeout=30).run()
    app.selectbox(key="run").set_value(run_of_its_own.run_id)
    for screen in ("mistakes", "dataset"):
        app.switch_page(f"pages/{screen}.py").run()
        assert not app.exception
        assert not closer_looks(app)
