"""Dataset: samples, class counts, and one image down to its pixel values."""

import streamlit as st

from mnist_lib.data.dataset import count_classes, scale_pixels, select_indices
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.predictions import DIGITS
from mnist_lib.figures.digits import class_counts_figure
from mnist_lib.ui.cache import mnist
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.gallery import Tile, digit_gallery
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.components.pixel_grid import pixel_grid
from mnist_lib.ui.navigation import require_router
from mnist_lib.ui.session import selected_run, title_of
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import digit_address, model_link
from mnist_lib.ui.shared.paging import choose_page
from mnist_lib.wording import a_digit

require_router()

IMAGES_PER_PAGE = 60

st.title("Dataset")
st.markdown(
    "MNIST: 60,000 digits to train with and 10,000 to test with, each 28 × 28 pixels of grey, "
    "written by employees of the US Census Bureau and by high school students."
)


def shuffle() -> None:
    """Use another random order, and begin at its first page."""
    st.session_state["dataset_shuffle"] = st.session_state.get("dataset_shuffle", 0) + 1
    st.session_state["dataset_page"] = 1


def first_page() -> None:
    """Go back to the first page when the choice of images changes."""
    st.session_state["dataset_page"] = 1


controls = st.container(horizontal=True, vertical_alignment="bottom")
split = controls.segmented_control(
    "Images", ["train", "test"], default="train", required=True, key="split", bind="query-params", on_change=first_page
)
digit = controls.pills(
    "Digit", DIGITS, key="digit", bind="query-params", on_change=first_page, help="Choose none to see all."
)
controls.button("Shuffle", icon=":material/shuffle:", on_click=shuffle)

split = split or "train"  # Streamlit passes on what is empty in the address
images, labels = mnist().split(split)
indices = select_indices(labels, digit, st.session_state.get("dataset_shuffle"))
shown = choose_page(indices, IMAGES_PER_PAGE, key="dataset_page", persist_state="session")
st.caption(f"{len(indices):,} images{'' if digit is None else f' of {a_digit(digit)}'}, {len(shown)} on this page.")

left, right = wrapping_columns([1, 1], [240, 240], key="dataset_columns", gap="large", last_on_top=True)
with left:
    tiles = [Tile(int(index), str(labels[index]), f"#{index}", f"A {labels[index]}, number {index}") for index in shown]
    chosen = digit_gallery(f"Digits of the {split} set", images[shown], tiles, key="dataset_gallery")
    st.header("Images of each digit")
    live_figure(class_counts_figure(count_classes(labels), digit), key="class_counts")
with right:
    st.header(f"Number {chosen:,}: {a_digit(labels[chosen])}")
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
    model_link(digit_address(split, chosen))

run = selected_run()
if run is not None and run.has_model():
    closer = st.expander(
        "A closer look at the chosen digit",  # another text would make another expander, which is closed
        icon=":material/search:",
        on_change="rerun",
        key="sample_closer",
    )
    if closer.open:
        with closer:
            st.caption(f"Read by **{plain_text(title_of(run.run_id))}**.")
            render_closer_look(run, images[chosen], "sample", digit_address(split, chosen), int(labels[chosen]))
