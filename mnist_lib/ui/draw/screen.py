"""The Draw screen: a given digit, the answer, the steps to it, and the own test set."""

from __future__ import annotations

import streamlit as st

from mnist_lib.drawing.normalization import DrawingError, make_stage_images, normalize_drawing
from mnist_lib.escaping import plain_text
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import read_digits
from mnist_lib.ui.draw.answer import render_answer, render_probabilities
from mnist_lib.ui.draw.drawing_input import ask_for_digit, choose_way
from mnist_lib.ui.draw.handwriting import render_result
from mnist_lib.ui.draw.own_test_set import render_keep_form, render_last_kept, render_own_digits
from mnist_lib.ui.draw.stages import render_stages
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.navigation import screen_link
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import OWN_DIGIT, model_link

_NOTHING_YET = {
    "canvas": "Nothing is drawn yet. Draw one digit on the black field.",
    "picture": "There is no picture yet. Upload or paste one that shows a single digit.",
}


def render_no_model(run: Run | None) -> None:
    """Say why there is nothing to draw for, and where to go.

    Args:
        run: A run without a model, or None if there is no run.
    """
    if run is not None and run.read().is_active:
        st.info("It learns. As soon as it has a model, you can draw for it here.", icon=":material/model_training:")
        screen_link("train", "Watch it learn")
        return
    st.info("This run has no model yet. Choose another run in the sidebar, or train one.", icon=":material/info:")
    screen_link("train", "Go to Train")


@errors_as_messages()
def render_draw_screen(run: Run) -> None:
    """Show the whole screen for a run that has a model.

    As a fragment, only this runs after a stroke.
    """
    if not run.has_model():
        st.rerun()  # deleted or renamed meanwhile: the whole screen says so
    way = choose_way()
    st.html(style("draw/screen.css"))
    with st.container(key="draw_width"), st.container(key="draw_places"):
        answer_place, input_place, details_place = (
            st.container(key=f"draw_{name}") for name in ("answer", "input", "details")
        )
    with input_place:
        given = ask_for_digit(way)
    nothing = _NOTHING_YET[way]
    drawing = None
    if given is not None:
        try:
            drawing = normalize_drawing(given.ink)
        except DrawingError as error:
            nothing = plain_text(str(error))
    # One element in each place, with an answer and without: a replaced element changes at once, but
    # a removed one may stay visible until the next click if the sidebar refreshes in between
    # (Streamlit's issue 16708).
    if given is None or drawing is None:
        answer_place.info(nothing, icon=":material/draw:")
        with details_place.container():
            render_last_kept()
        st.empty()
    else:
        readings = read_digits(run, make_stage_images(given.ink, drawing))
        with answer_place.container():
            render_answer(drawing.image, readings[-1])
        with details_place.container():
            render_keep_form(given.ink, given.source)
            render_probabilities(run, readings[-1])
            model_link(OWN_DIGIT)
        with st.container():
            st.header("From your digit to what the network sees")
            render_stages(given.ink, drawing, readings)
            st.header("A closer look")
            render_closer_look(run, drawing.image, "drawn", OWN_DIGIT)
    st.divider()
    render_own_digits(run)
    render_result(run)
