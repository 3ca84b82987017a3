"""The Mistakes screen: an epoch of the run, its images, one of them, and the metrics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import Dataset, DatasetError
from mnist_lib.data.label_votes import load_label_votes
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.metrics import wilson_interval
from mnist_lib.evaluation.predictions import confusion_matrix
from mnist_lib.evaluation.selection import select_images
from mnist_lib.runs.paper import epoch_columns
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import probabilities, run_dataset
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.play_button import play_button
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.mistakes.confusion import render_confusion_matrix
from mnist_lib.ui.mistakes.filters import FILTER_KEYS, OUTCOME_KEY, PAGE_KEY, ask_for_filters, clear_filters, show_only
from mnist_lib.ui.mistakes.image import render_biography, render_image, render_image_closely
from mnist_lib.ui.mistakes.metrics import render_metrics
from mnist_lib.ui.session import title_of
from mnist_lib.ui.shared.downloads import render_downloads
from mnist_lib.ui.shared.paging import choose_page
from mnist_lib.wording import count_text, percent_text

TILES_PER_PAGE = 200

# Of the confusion matrix or the image, and of what is beside it.
_LEAST_WIDTHS_PX = (340, 320)

_EPOCH_KEY = "epoch"
_PLAY_KEY = "play_epochs"
_GALLERY_KEY = "mistakes_gallery"
# The chosen image's name in the URL.
_IMAGE_KEY = "image"
_FOLLOWED_KEY = "followed_image"


class Moment(NamedTuple):
    """A run as it was after one epoch.

    Attributes:
        run: The run.
        dataset: Its data set.
        epoch: The epoch.
        probabilities: float32, (test images, classes), after this epoch.
        before: The same after the previous kept epoch, or None.
    """

    run: Run
    dataset: Dataset
    epoch: int
    probabilities: np.ndarray
    before: np.ndarray | None


@errors_as_messages()
def render_mistakes_screen(run: Run) -> None:
    """Show the whole screen for a run that finished an epoch. As a fragment, only this runs after a click."""
    if not run.epochs_with_probabilities():
        st.rerun()  # deleted or renamed meanwhile: the whole screen says so
    try:
        dataset = run_dataset(run)
    except DatasetError:
        _render_recorded(run)
        return
    labels = dataset.test_labels
    _follow_link()
    moment = _ask_for_moment(run, dataset)
    _render_headline(moment, labels)
    images_tab, figures_tab, download_tab = st.tabs(
        ["Images", "Figures", "Download"], key="mistakes_tab", on_change="rerun", bind="query-params"
    )
    if images_tab.open:
        with images_tab:
            _render_images(moment, labels)
    if figures_tab.open:
        with figures_tab:
            render_metrics(moment.probabilities, dataset)
    if download_tab.open:
        with download_tab:
            render_downloads(run, moment.epoch)


def _render_recorded(run: Run) -> None:
    """Say that the images are missing, and show what is known of a run without them."""
    render_downloads(run)  # says what is missing
    st.markdown("**What it recorded**")
    st.table(epoch_columns(run.read().epochs, beside_paper=False), hide_index=True)


def _follow_link() -> None:
    """Forget what was chosen here before, if a link from another screen names an image that it might hide."""
    image = _image_in_address()
    if image is not None and image != st.session_state.get(_FOLLOWED_KEY):
        for key in (_EPOCH_KEY, *FILTER_KEYS):
            st.session_state.pop(key, None)
    st.session_state[_FOLLOWED_KEY] = image


def _ask_for_moment(run: Run, dataset: Dataset) -> Moment:
    """Show the time machine, if there is more than one epoch to choose from."""
    epochs = run.epochs_with_probabilities()
    if st.session_state.get(_EPOCH_KEY) not in epochs:  # of another run
        st.session_state.pop(_EPOCH_KEY, None)
    epoch = epochs[-1]
    if len(epochs) > 1:
        with st.container(horizontal=True, vertical_alignment="bottom"):
            play_place = st.container(width="content")
            epoch = st.select_slider(
                "Network after epoch",
                epochs,
                value=epochs[-1],
                key=_EPOCH_KEY,
                bind="query-params",
                persist_state="session",
                help="Everything below shows how the network read the test images after this epoch.",
            )
        with play_place:
            play_button(epoch, epoch == epochs[-1], _PLAY_KEY, lambda: _show_next(epochs))
    earlier = [other for other in epochs if other < epoch]
    before = probabilities(run, earlier[-1]) if earlier else None
    return Moment(run, dataset, epoch, probabilities(run, epoch), before)


def _show_next(epochs: list[int]) -> None:
    following = [epoch for epoch in epochs if epoch > st.session_state[_EPOCH_KEY]]
    st.session_state[_EPOCH_KEY] = (following or epochs)[0]


def _render_headline(moment: Moment, labels: np.ndarray) -> None:
    right = moment.probabilities.argmax(axis=1) == labels
    misread = int((~right).sum())
    low, high = wilson_interval(int(right.sum()), len(labels))
    st.markdown(
        f"**{misread:,}** of {len(labels):,} test images {'is' if misread == 1 else 'are'} misread by "
        f"**{plain_text(title_of(moment.run.run_id))}** after epoch {moment.epoch}: "
        f"{right.mean():.2%} are right (95% interval {low:.2%} to {high:.2%})."
    )
    if moment.before is None:
        return
    was_right = moment.before.argmax(axis=1) == labels
    counts = {
        "newly learned": int((right & ~was_right).sum()),
        "newly forgotten": int((was_right & ~right).sum()),
    }
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Epoch {moment.epoch}:", width="content")
        for outcome, count in counts.items():
            st.button(
                f"{count:,} {outcome}",
                key=f"show_{outcome}",
                type="tertiary",
                icon=":material/school:" if outcome == "newly learned" else ":material/psychology_alt:",
                help="Show them",
                on_click=show_only,
                args=(outcome,),
                disabled=not count,
            )


def _render_images(moment: Moment, labels: np.ndarray) -> None:
    classes = moment.dataset.description
    filters, order = ask_for_filters(classes, load_label_votes().indices if classes.is_mnist else None)
    shown = select_images(moment.probabilities, labels, filters, order, moment.before)
    # What a click changes is beside what is clicked.
    matrix_column, gallery_column = wrapping_columns([2, 3], _LEAST_WIDTHS_PX, key="matrix_and_gallery", gap="large")
    with gallery_column.container():  # drawn first, because a person waits for it
        chosen = _render_gallery(moment, labels, shown)
    with matrix_column:
        render_confusion_matrix(confusion_matrix(moment.probabilities, labels), classes)
    image_column, life_column = wrapping_columns([2, 3], _LEAST_WIDTHS_PX, key="image_and_biography", gap="large")
    if chosen is None:
        # In exactly the places of what disappears, as on the Draw screen.
        image_column.empty()
        life_column.empty()
        st.empty()
        return
    with image_column.container():
        render_image(moment.dataset, moment.probabilities[chosen], chosen, moment.epoch)
    with life_column.container():
        render_biography(moment.run, moment.dataset, chosen, moment.epoch)
    render_image_closely(moment.run, moment.dataset, chosen, moment.epoch)


def _render_gallery(moment: Moment, labels: np.ndarray, shown: np.ndarray) -> int | None:
    """Show a page of the images found, and return the one that is chosen."""
    if len(shown) == 0:
        outcome = st.session_state[OUTCOME_KEY]
        st.info(f"No image that is {outcome} matches these filters.", icon=":material/filter_alt:")
        st.button("Clear the filters", key="clear_filters_here", on_click=clear_filters)
        return None
    # The images first: the page choice below them can appear or disappear without moving anything.
    place, kind = st.container(), moment.dataset.description.kind
    part = choose_page(shown, TILES_PER_PAGE, PAGE_KEY, bind="query-params", persist_state="session")
    with place:
        count = count_text(len(shown), "image")
        if len(part) < len(shown):
            count += f", {len(part)} on this page"
        st.caption(f"{count}. Below each: the true {kind} → what the network read, and how sure it was.")
        tiles = [_tile(moment, int(index)) for index in part]
        images = moment.dataset.test_images[part]
        return digit_gallery(
            "Test images",
            images,
            tiles,
            _GALLERY_KEY,
            chosen_before=_image_in_address(),
            on_change=_put_image_in_address,
        )


def _put_image_in_address() -> None:
    # Streamlit cannot bind a component. In a callback, not while the screen is drawn: the server
    # sends the whole address as it was at the start, without what a person has changed since.
    selected = st.session_state[_GALLERY_KEY]["selected"]
    st.query_params[_IMAGE_KEY] = str(selected)
    st.session_state[_FOLLOWED_KEY] = selected  # chosen here


def _image_in_address() -> int | None:
    text = st.query_params.get(_IMAGE_KEY, "")
    # Of MNIST at most 9,999, of others at most 499,999: Python refuses numbers with thousands of digits.
    return int(text) if text.isdecimal() and len(text) <= 6 else None


def _tile(moment: Moment, index: int) -> Tile:
    classes, label = moment.dataset.description, int(moment.dataset.test_labels[index])
    answer = int(moment.probabilities[index].argmax())
    names = classes.a_class(label), classes.class_names[answer]
    confidence = percent_text(moment.probabilities[index, answer], 0)
    return Tile(
        index,
        classes.read_as(label, answer),
        confidence,
        f"Test image {index}, {names[0]} read as {names[1]} with {confidence} confidence",
        "right" if answer == label else "wrong",
    )
