"""Mistakes: every misclassified test image of the chosen run."""

import streamlit as st

from mnist_lib.evaluation import DIGITS, ORDERS, confusion_matrix, find_mistakes, select_mistakes
from mnist_lib.figures import confusion_figure
from mnist_lib.ui.closer_look import draw_closer_look
from mnist_lib.ui.digit_view import PLAIN, draw_digit, draw_probabilities
from mnist_lib.ui.gallery import Tile, digit_gallery
from mnist_lib.ui.navigation import require_router, screen_link
from mnist_lib.ui.state import mnist, probabilities, selected_run

require_router()

TILES_PER_PAGE = 200

st.title("Mistakes")
run = selected_run()
if run is None or not run.epochs_with_probabilities():
    st.info(
        "This run has not finished an epoch, so there is nothing to look at yet. "
        "Choose another run in the sidebar, or train one.",
        icon=":material/info:",
    )
    screen_link("train", "Go to Train")
    st.stop()

images, labels = mnist().split("test")
outputs = probabilities(run)
mistakes = find_mistakes(outputs, labels)
st.markdown(
    f"**{len(mistakes.indices):,}** of {len(labels):,} test images are misread by **{run.run_id}**. "
    "Below each: the true digit → what the network read, and how sure it was."
)


def clear_filters() -> None:
    """Show every mistake again."""
    st.session_state["true"] = st.session_state["read_as"] = None


controls = st.container(horizontal=True, vertical_alignment="bottom")
true_digit = controls.selectbox(
    "True digit", DIGITS, index=None, placeholder="any", key="true", bind="query-params", width=150
)
predicted_digit = controls.selectbox(
    "Read as", DIGITS, index=None, placeholder="any", key="read_as", bind="query-params", width=150
)
order = controls.selectbox("Order", ORDERS, key="order", bind="query-params", width=220)
shown = select_mistakes(mistakes, true_digit, predicted_digit, order or ORDERS[0])

left, right = st.columns([3, 2], gap="large")
with left:
    if len(shown.indices) == 0:
        st.info("No mistake is left under this filter.", icon=":material/filter_alt:")
        st.button("Clear the filters", on_click=clear_filters)
    else:
        pages = -(-len(shown.indices) // TILES_PER_PAGE)
        page = st.pagination(pages, key="mistakes_page") if pages > 1 else 1
        part = shown.select(slice((page - 1) * TILES_PER_PAGE, page * TILES_PER_PAGE))
        st.caption(f"{len(shown.indices):,} mistakes" + (f", {len(part.indices)} on this page" if pages > 1 else ""))
        tiles = [
            Tile(
                int(index),
                f"{true} → {predicted}",
                f"{confidence:.0%}",
                f"Test image {index}, a {true} read as {predicted} with {confidence:.0%} confidence",
            )
            for index, true, predicted, confidence in zip(*part, strict=True)
        ]
        chosen = digit_gallery("Misclassified digits", images[part.indices], tiles, key="mistakes_gallery")
with right:
    if len(shown.indices):
        st.subheader(f"Test image {chosen:,}: a {labels[chosen]}, read as {outputs[chosen].argmax()}")
        picture, bars = st.columns(2)
        with picture:
            draw_digit(images[chosen], key="mistake_image")
        with bars:
            draw_probabilities(outputs[chosen], key="mistake_probabilities", true_digit=int(labels[chosen]))
        st.caption("Green: the true digit. Red: what the network read.")
    st.subheader("Which digit is taken for which")
    st.plotly_chart(confusion_figure(confusion_matrix(outputs, labels)), config=PLAIN, key="confusion")
    st.caption("Rows are the true digits. The diagonal counts the right answers; colour marks the errors.")

if len(shown.indices) and run.has_model():
    closer = st.expander(
        "Why? A closer look at the chosen digit", icon=":material/search:", on_change="rerun", key="mistake_closer"
    )
    if closer.open:
        with closer:
            draw_closer_look(run, images[chosen], key="mistake", true_digit=int(labels[chosen]))
