"""The Dataset screen: samples, class counts, and one image down to its pixel values."""

from __future__ import annotations

from functools import partial

import streamlit as st

from mnist_lib.data.dataset import (
    MNIST,
    Dataset,
    DatasetDescription,
    DatasetError,
    count_classes,
    scale_pixels,
    select_indices,
)
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.predictions import DIGITS
from mnist_lib.figures.digits import class_counts_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import load_dataset
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.components.pixel_grid import pixel_grid
from mnist_lib.ui.dataset.adding import DATA_KEY, render_adding, render_removal
from mnist_lib.ui.messages import show_error
from mnist_lib.ui.session import dataset_library, selected_dataset, selected_run, title_of
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import digit_address, model_link
from mnist_lib.ui.shared.paging import choose_page
from mnist_lib.wording import count_text

IMAGES_PER_PAGE = 60
# Names with more letters than a row of a telephone has are chosen from a list.
MOST_LETTERS = 24

# Of which run it is, unless a person chooses another.
_RUN_KEY = "dataset_of_run"
_SHUFFLE_KEY = "dataset_shuffle"
_PAGE_KEY = "dataset_page"


def render_dataset_screen() -> None:
    """Show a data set: that of the selected run, or another one of this machine."""
    library = dataset_library()
    run = selected_run()
    description = _choose_dataset(library.descriptions(), run)
    try:
        dataset = load_dataset(library, description)
    except DatasetError as error:
        show_error(str(error))
    else:
        _render_dataset(dataset, run)
    if not library.access.may_do_all:
        return
    if not description.is_mnist:
        render_removal(description)
    render_adding()


def _choose_dataset(descriptions: list[DatasetDescription], run: Run | None) -> DatasetDescription:
    """Return the chosen data set; the choice is only there if there are several."""
    by_name = {description.name: description for description in descriptions}
    recorded = selected_dataset()
    own = recorded.name if recorded.name in by_name else MNIST
    state = st.session_state
    run_id = run.run_id if run else None
    if state.setdefault(_RUN_KEY, run_id) != run_id:  # another run was selected
        state[_RUN_KEY], state[DATA_KEY] = run_id, own
    here = by_name.get(recorded.name)
    if here is None or not here.is_same(recorded):
        which = f"{'another' if here else 'the'} data set {plain_text(recorded.name)}"
        st.info(f"The selected run needs {which}, which is not here.", icon=":material/info:")
    if len(by_name) == 1:
        return descriptions[0]
    if state.get(DATA_KEY) not in by_name:  # removed meanwhile
        state.pop(DATA_KEY, None)
    name = st.selectbox(
        "Data set",
        list(by_name),
        index=list(by_name).index(own),
        key=DATA_KEY,
        bind="query-params",
        persist_state="session",
        on_change=_forget_choices,
        width=320,
    )
    return by_name.get(name or own, by_name[own])


def _forget_choices() -> None:
    """Begin at the first page of all images, in the data set's order."""
    for key in ("digit", "class", _PAGE_KEY, _SHUFFLE_KEY):
        st.session_state.pop(key, None)


def _render_dataset(dataset: Dataset, run: Run | None) -> None:
    classes = dataset.description
    st.markdown(_introduction(classes))
    controls = st.container(horizontal=True, vertical_alignment="bottom")
    split = controls.segmented_control(
        "Images",
        ["train", "test"],
        default="train",
        required=True,
        key="split",
        bind="query-params",
        on_change=_first_page,
    )
    with controls:
        label = _choose_class(classes)
    controls.button("Shuffle", icon=":material/shuffle:", on_click=_shuffle)

    split = split or "train"  # Streamlit passes on what is empty in the address
    images, labels = dataset.split(split)
    indices = select_indices(labels, label, st.session_state.get(_SHUFFLE_KEY))
    if len(indices) == 0:
        st.info("There are no such images.", icon=":material/info:")
        return
    shown = choose_page(indices, IMAGES_PER_PAGE, key=_PAGE_KEY, persist_state="session")
    of_class = "" if label is None else f" of {plain_text(classes.a_class(label))}"
    st.caption(f"{count_text(len(indices), 'image')}{of_class}, {len(shown)} on this page.")

    left, right = wrapping_columns([1, 1], [240, 240], key="dataset_columns", gap="large", last_on_top=True)
    with left:
        tiles = [_tile(classes, int(index), int(labels[index])) for index in shown]
        noun = "Digits" if classes.is_mnist else "Images"
        chosen = digit_gallery(f"{noun} of the {split} set", images[shown], tiles, key="dataset_gallery")
        st.header(f"Images of each {classes.kind}")
        counts = count_classes(labels, classes.classes)
        live_figure(class_counts_figure(counts, label, classes), key="class_counts")
    with right:
        st.header(f"Number {chosen:,}: {plain_text(classes.a_class(int(labels[chosen])))}")
        scale = st.segmented_control(
            "Pixel values",
            ["0 to 255", "divided by 255"],
            default="0 to 255",
            required=True,
            help="The file holds whole numbers from 0 to 255. The network gets them divided by 255.",
        )
        shown_values = images[chosen] if scale == "0 to 255" else scale_pixels(images[[chosen]])[0, ..., 0]
        pixel_grid(shown_values, "dataset_pixels")
        st.caption("Empty cells are 0, the paper. The more ink, the larger the value.")
        is_of_run = run is not None and selected_dataset().sha256 == classes.sha256
        if run is None or is_of_run:
            model_link(digit_address(split, chosen))

    if run is not None and is_of_run and run.has_model():
        closer = st.expander(
            f"A closer look at the chosen {classes.noun}",  # another text would make another expander, which is closed
            icon=":material/search:",
            on_change="rerun",
            key="sample_closer",
        )
        if closer.open:
            with closer:
                st.caption(f"Read by **{plain_text(title_of(run.run_id))}**.")
                render_closer_look(run, images[chosen], "sample", digit_address(split, chosen), int(labels[chosen]))


def _introduction(classes: DatasetDescription) -> str:
    if classes.is_mnist:
        return (
            "MNIST: 60,000 digits to train with and 10,000 to test with, each 28 × 28 pixels of grey, "
            "written by employees of the US Census Bureau and by high school students."
        )
    sentences = [
        f"{plain_text(classes.name)}: {classes.training_images:,} images to train with and {classes.test_images:,} to "
        f"test with, each 28 × 28 pixels of grey, in {classes.classes} classes."
    ]
    if classes.origin:
        sentences.append(f"From: {plain_text(classes.origin)}.")
    if classes.licence:
        sentences.append(f"Licence: {plain_text(classes.licence)}.")
    return " ".join(sentences)


def _choose_class(classes: DatasetDescription) -> int | None:
    """Show the choice of one class and return it, or None for all."""
    if classes.is_mnist:
        return st.pills(
            "Digit", DIGITS, key="digit", bind="query-params", on_change=_first_page, help="Choose none to see all."
        )
    names = list(classes.class_names)
    choose = (
        st.pills
        if len("".join(names)) <= MOST_LETTERS
        else partial(st.selectbox, index=None, placeholder="All", width=240)
    )
    name = choose("Class", names, key="class", bind="query-params", on_change=_first_page)
    return names.index(name) if name in names else None


def _tile(classes: DatasetDescription, index: int, label: int) -> Tile:
    said = classes.a_class(label)
    return Tile(index, classes.class_names[label], f"#{index}", f"{said[0].upper()}{said[1:]}, number {index}")


def _shuffle() -> None:
    """Use another random order, and begin at its first page."""
    st.session_state[_SHUFFLE_KEY] = st.session_state.get(_SHUFFLE_KEY, 0) + 1
    _first_page()


def _first_page() -> None:
    """Go back to the first page when the choice of images changes."""
    st.session_state[_PAGE_KEY] = 1
