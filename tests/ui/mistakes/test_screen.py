"""The Mistakes screen through AppTest: every number agrees with NumPy on the stored probabilities."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from mnist_lib.data.dataset import load_mnist
from mnist_lib.data.label_votes import load_label_votes, votes_text
from mnist_lib.evaluation.biography import biography_text, find_turns
from mnist_lib.evaluation.metrics import measure_reliability, wilson_interval
from mnist_lib.wording import a_digit
from tests.support.runs import BUNDLED_RUN, PAPER_RUN
from tests.support.screens import APP_PATH, all_text, component, open_screen

RUN = BUNDLED_RUN
EPOCHS = RUN.epochs_with_probabilities()
LABELS = load_mnist().test_labels


def figure(app: AppTest, key: str) -> dict[str, Any]:
    """Return a figure on the screen."""
    return json.loads(component(app, key)["figure"])


def array(values: Any) -> np.ndarray:
    """Return an array of a figure, which Plotly writes as a list or as its bytes."""
    if isinstance(values, dict):
        flat = np.frombuffer(base64.b64decode(values["bdata"]), dtype=values["dtype"])
        return flat.reshape([int(n) for n in values["shape"].split(",")]) if "shape" in values else flat
    return np.array(values)


def shown(app: AppTest) -> list[int]:
    """Return the test images in the gallery, in their order."""
    return [tile["id"] for tile in component(app, "mistakes_gallery")["tiles"]]


def expected_confusion(answers: np.ndarray) -> np.ndarray:
    return np.histogram2d(LABELS, answers, bins=[np.arange(11)] * 2)[0]


def test_the_room_writes_nothing_into_the_address_while_it_is_drawn() -> None:
    # It would take away what a person moved meanwhile.
    assert "image" not in open_screen("mistakes").query_params


@pytest.mark.parametrize("text", ["9" * 5_000, "99999", "-1", "\u00b2", "7.5", "nonsense"])
def test_invalid_image_in_the_address_is_ignored(text: str) -> None:
    app = AppTest.from_file(str(APP_PATH), default_timeout=30)
    app.query_params["image"] = text
    app.run().switch_page("pages/mistakes.py").run()
    assert not app.exception
    assert component(app, "mistakes_gallery")["selected"] == shown(app)[0]


def test_last_page_of_an_epoch_with_fewer_images_follows_the_one_that_is_gone() -> None:
    def sure_and_right(epoch: int) -> int:
        probabilities = RUN.probabilities(epoch)
        return int(((probabilities.argmax(axis=1) == LABELS) & (probabilities.max(axis=1) >= 0.9)).sum())

    after, before = divmod(sure_and_right(EPOCHS[-1]), 200), divmod(sure_and_right(1), 200)
    assert after[0] > before[0]
    app = open_screen("mistakes")
    app.selectbox(key="show").set_value("read correctly").run()
    app.slider(key="sure").set_value((90, 100)).run()
    app.session_state["page"] = after[0] + 1
    app.run()
    assert len(shown(app)) == after[1]
    app.select_slider(key="epoch").set_value(1).run()
    assert len(shown(app)) == before[1]
    assert app.session_state["page"] == before[0] + 1


@pytest.mark.parametrize("epoch", [EPOCHS[-1], 7, 1])
def test_every_number_of_a_moment_is_that_of_numpy(epoch: int) -> None:
    probabilities = RUN.probabilities(epoch)
    answers = probabilities.argmax(axis=1)
    right = answers == LABELS
    app = open_screen("mistakes")
    app.select_slider(key="epoch").set_value(epoch).run()
    low, high = wilson_interval(int(right.sum()), 10_000)
    text = all_text(app)
    assert f"**{(~right).sum():,}** of 10,000 test images are misread by **{RUN.run_id}** after epoch {epoch}:" in text
    assert f"{right.mean():.2%} are right (95% interval {low:.2%} to {high:.2%})." in text
    np.testing.assert_array_equal(
        array(figure(app, "confusion")["data"][0]["customdata"])[..., 0], expected_confusion(answers)
    )
    wrong = np.flatnonzero(~right)
    assert sorted(shown(app)) == wrong[np.isin(wrong, shown(app))].tolist()
    assert f"{len(wrong):,} images" in text
    for tile in component(app, "mistakes_gallery")["tiles"]:
        image = tile["id"]
        assert tile["title"] == f"{LABELS[image]} → {answers[image]}"
        assert tile["note"] == f"{probabilities[image].max():.0%}".replace("100%", ">99%")
    buttons = {button.label for button in app.button}
    if epoch == 1:
        assert not any("newly" in label for label in buttons)
    else:
        before = RUN.probabilities(epoch - 1).argmax(axis=1) == LABELS
        assert f"{(right & ~before).sum():,} newly learned" in buttons
        assert f"{(before & ~right).sum():,} newly forgotten" in buttons


def test_chosen_image_shows_its_probabilities_and_its_biography() -> None:
    app = open_screen("mistakes")
    image = shown(app)[0]
    every = np.stack([RUN.probabilities(epoch)[image] for epoch in EPOCHS])
    title = f"Image {image:,}: {a_digit(LABELS[image])}, read as {every[-1].argmax()}"
    assert title in [header.value for header in app.header]
    np.testing.assert_array_equal(array(figure(app, "mistake_probabilities")["data"][0]["x"]), every[-1])
    for trace in figure(app, "mistake_biography")["data"]:
        digit = int(trace["hovertemplate"].split()[1])
        np.testing.assert_array_equal(array(trace["y"]).astype(np.float32), every[:, digit])
    told = biography_text(find_turns(EPOCHS, every.argmax(axis=1) == LABELS[image]))
    assert told in all_text(app)


def test_filters_and_order_choose_the_images() -> None:
    probabilities = RUN.probabilities()
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    app = open_screen("mistakes")
    app.selectbox(key="true").set_value(9).run()
    assert set(shown(app)) == set(np.flatnonzero((answers != LABELS) & (LABELS == 9)))
    app.selectbox(key="read_as").set_value(4).run()
    assert set(shown(app)) == set(np.flatnonzero((LABELS == 9) & (answers == 4)))
    next(button for button in app.button if button.label == "Clear the filters").click().run()
    app.slider(key="sure").set_value((60, 90)).run()
    inside = np.flatnonzero((answers != LABELS) & (sure >= 0.6) & (sure <= 0.9))
    assert shown(app) == inside[np.argsort(-sure[inside], kind="stable")].tolist()
    app.selectbox(key="order").set_value("test set order").run()
    assert shown(app) == inside.tolist()
    app.selectbox(key="show").set_value("all").run()
    app.toggle(key="disputed").set_value(True).run()
    votes = load_label_votes().indices
    assert shown(app) == [index for index in sorted(votes) if 0.6 <= sure[index] <= 0.9]


def test_many_images_come_in_pages() -> None:
    app = open_screen("mistakes")
    app.selectbox(key="show").set_value("all").run()
    app.selectbox(key="order").set_value("test set order").run()
    assert shown(app) == list(range(200))
    assert "10,000 images, 200 on this page" in all_text(app)


def test_empty_filter_offers_the_way_back() -> None:
    app = open_screen("mistakes")
    app.selectbox(key="true").set_value(2).run()
    app.selectbox(key="read_as").set_value(2).run()
    assert "No image that is misread matches these filters." in app.info[0].value
    app.button(key="clear_filters_here").click().run()
    assert app.selectbox(key="true").value is None
    assert len(shown(app)) == int((RUN.probabilities().argmax(axis=1) != LABELS).sum())


def test_newly_forgotten_images_can_be_listed() -> None:
    before, after = (RUN.probabilities(epoch).argmax(axis=1) == LABELS for epoch in (11, 12))
    app = open_screen("mistakes")
    app.select_slider(key="epoch").set_value(12).run()
    app.button(key="show_newly forgotten").click().run()
    assert set(shown(app)) == set(np.flatnonzero(before & ~after))


def test_votes_are_shown_on_their_image() -> None:
    votes = load_label_votes()
    app = open_screen("mistakes")
    app.selectbox(key="show").set_value("all").run()
    app.toggle(key="disputed").set_value(True).run()
    image = shown(app)[0]
    text = votes_text(votes, votes.find(image) or 0)
    assert any(text in each.value for each in app.info)


def test_metrics_are_those_of_numpy() -> None:
    probabilities = RUN.probabilities()
    answers, sure = probabilities.argmax(axis=1), probabilities.max(axis=1)
    right = answers == LABELS
    app = open_screen("mistakes")
    app.session_state["mistakes_tab"] = "Figures"
    app.run()
    votes = load_label_votes()
    lost = 2 * votes.votes_given <= np.where(votes.given == votes.suggested, 0, votes.votes_suggested) + (
        votes.votes_given + votes.votes_neither
    )
    others = np.setdiff1d(np.arange(10_000), votes.indices[lost])
    table = app.table[0].value
    assert table["Right"].tolist() == [
        f"{right.sum():,} of 10,000",
        f"{right[others].sum():,} of {len(others):,}",
    ]
    assert table["Accuracy"].tolist() == [f"{right.mean():.2%}", f"{right[others].mean():.2%}"]
    digits = app.dataframe[0].value
    matrix = expected_confusion(answers)
    precision, recall = matrix.diagonal() / matrix.sum(axis=0), matrix.diagonal() / matrix.sum(axis=1)
    np.testing.assert_allclose(digits["Precision"], 100 * precision)
    np.testing.assert_allclose(digits["Recall"], 100 * recall)
    np.testing.assert_allclose(digits["F1"], 100 * 2 * precision * recall / (precision + recall))
    text = all_text(app)
    assert f"differ by **{measure_reliability(probabilities, LABELS).error:.2%}**" in text
    for threshold in (0.95, 0.999):
        app.slider(key="coverage_threshold").set_value(threshold).run()
        answered = sure >= threshold
        assert (
            f"It answers **{answered.mean():.2%}** of the images, and **{right[answered].mean():.2%}** of those"
            in all_text(app)
        )


def test_another_run_with_fewer_epochs_begins_at_its_last() -> None:
    app = open_screen("mistakes")
    app.select_slider(key="epoch").set_value(17).run()
    app.selectbox(key="run").set_value(PAPER_RUN.run_id).run()
    assert app.select_slider(key="epoch").value == 5
    wrong = (PAPER_RUN.probabilities().argmax(axis=1) != LABELS).sum()
    assert f"**{wrong}** of 10,000 test images are misread by **{PAPER_RUN.run_id}** after epoch 5" in all_text(app)
    assert not app.exception


def test_image_that_a_link_names_is_shown_whatever_was_chosen_before() -> None:
    answers = RUN.probabilities().argmax(axis=1)
    misread = int(np.flatnonzero((answers != LABELS) & (LABELS != 3))[0])
    app = open_screen("mistakes")
    app.selectbox(key="true").set_value(3)
    app.select_slider(key="epoch").set_value(4).run()
    assert misread not in shown(app)
    app.query_params["image"] = str(misread)
    app.run()
    assert component(app, "mistakes_gallery")["selected"] == misread
    assert len(shown(app)) == int((answers != LABELS).sum())
    # What is chosen from then on stays.
    app.selectbox(key="true").set_value(3).run()
    assert app.selectbox(key="true").value == 3
    assert misread not in shown(app)
