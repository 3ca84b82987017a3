"""Draw at once: the canvas, the answer, and the digit on its way through the layers."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.drawing.normalization import DrawingError, fit_drawing
from mnist_lib.figures.digits import probabilities_figure
from mnist_lib.network.forward import forward
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import run_dataset, run_network
from mnist_lib.ui.components.columns import wrapping_columns
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.messages import errors_as_messages, show_error
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.overview.layer_strip import render_layer_strip
from mnist_lib.ui.shared.answer import DIVERGED, answer_text, answer_threshold
from mnist_lib.ui.shared.drawing import SMALL_CANVAS_PX, ask_for_drawing, given_digit
from mnist_lib.ui.shared.model_link import OWN_DIGIT, digit_address

# The test digit that is shown before anything is drawn: the first one.
SHOWN_FIRST = 0


@st.fragment
@errors_as_messages()
def render_drawing(run: Run) -> None:
    """Show the canvas, the answer, and the digit on its way through the layers.

    As a fragment, only this runs after a stroke.

    Args:
        run: A run that has a model.
    """
    if not run.has_model():
        st.rerun()  # deleted or renamed meanwhile: the whole screen says so
    network = run_network(run)
    canvas_column, answer_column = wrapping_columns(
        [1, 2], [SMALL_CANVAS_PX, 240], key="overview_drawing", gap="medium"
    )
    with canvas_column:
        ask_for_drawing("overview", choose_pen=False, small=True)
    classes = run.dataset()
    image, drawn = _drawn_image(run)
    activations = forward(network, image[np.newaxis])
    read = activations.dense_2[0]
    if not np.isfinite(read).all():
        show_error(DIVERGED)
        return
    heading, reason = answer_text(image, read, answer_threshold(), classes)
    with answer_column.container():
        st.header(heading)
        st.markdown(reason if drawn else f"This is a test {classes.noun}. **Draw your own on the black field.**")
        live_figure(probabilities_figure(read, dataset=classes).update_layout(height=230), key="overview_probabilities")
        with st.container(horizontal=True):
            screen_link("draw", "See every step")
            address = OWN_DIGIT if drawn else digit_address("test", SHOWN_FIRST)
            screen_link("model", "Follow it number by number", address)
    render_layer_strip(image, activations, classes)


def _drawn_image(run: Run) -> tuple[np.ndarray, bool]:
    """Return what the network sees of the given drawing, or a test image, and whether it was given."""
    given = given_digit()
    if given is not None:
        try:
            return fit_drawing(given.ink, run.dataset().fitting), True
        except DrawingError:  # no ink in it
            pass
    return run_dataset(run).test_images[SHOWN_FIRST], False
