"""The Draw screen: a given digit, the answer, the steps to it, and the own test set."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.drawing.normalization import DrawingError, fit_drawing, make_stage_images, normalize_drawing
from mnist_lib.escaping import plain_text
from mnist_lib.runs.run import Run
from mnist_lib.ui.assets import style
from mnist_lib.ui.cache import read_digits
from mnist_lib.ui.draw.answer import render_answer, render_probabilities
from mnist_lib.ui.draw.drawing_input import ask_for_digit, choose_way
from mnist_lib.ui.draw.handwriting import render_result
from mnist_lib.ui.draw.own_test_set import render_keep_form, render_last_kept, render_own_digits
from mnist_lib.ui.draw.stages import render_stages, render_whole
from mnist_lib.ui.messages import errors_as_messages
from mnist_lib.ui.session import title_of
from mnist_lib.ui.shared.closer_look import render_closer_look
from mnist_lib.ui.shared.model_link import OWN_DIGIT, model_link

_NOTHING_YET = {
    "canvas": "Nothing is drawn yet. Draw {one} on the black field.",
    "picture": "There is no picture yet. Upload or paste one that shows {single}.",
}
_OF_DIGITS = {"one": "one digit", "single": "a single digit"}
_OF_CLASSES = {"one": "one thing", "single": "a single thing"}

# Of the classes that a network knows, in a sentence.
_MOST_NAMES = 12


@errors_as_messages()
def show_invitation(run: Run) -> None:
    """Say what can be drawn, and what the run knows."""
    classes, name = run.dataset(), plain_text(title_of(run.run_id))
    if classes.is_mnist:
        st.markdown(
            f"Draw one digit, or upload a photo of one: **{name}** reads it. It knows only the ten digits, so a letter "
            "becomes a digit, too."
        )
        return
    known = ", ".join(classes.class_names[:_MOST_NAMES]) + " and others" * (classes.classes > _MOST_NAMES)
    st.markdown(
        f"Draw, or upload a picture: **{name}** reads it. It knows only {classes.classes} classes, and anything else "
        f"becomes one of them: {plain_text(known)}."
    )


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
    classes, image = run.dataset(), None
    nothing = _NOTHING_YET[way].format(**(_OF_DIGITS if classes.is_mnist else _OF_CLASSES))
    if given is not None:
        try:
            image = fit_drawing(given.ink, classes.fitting)
        except DrawingError as error:
            nothing = plain_text(str(error))
    # One element in each place, with an answer and without: a replaced element changes at once, but
    # a removed one may stay visible until the next click if the sidebar refreshes in between
    # (Streamlit's issue 16708).
    if given is None or image is None:
        answer_place.info(nothing, icon=":material/draw:")
        with details_place.container():
            if classes.is_mnist:
                render_last_kept()
        st.empty()
    else:
        probabilities = read_digits(run, image[np.newaxis])[0]
        with answer_place.container():
            render_answer(image, probabilities, classes)
        with details_place.container():
            if classes.is_mnist:
                render_keep_form(given.ink, given.source)
            render_probabilities(run, probabilities)
            model_link(OWN_DIGIT)
        with st.container():
            st.header(f"From your {'digit' if classes.is_mnist else 'drawing'} to what the network sees")
            if classes.fitting == "centred":
                drawing = normalize_drawing(given.ink)
                readings = read_digits(run, make_stage_images(given.ink, drawing))
                render_stages(given.ink, drawing, readings, classes)
            else:
                render_whole(given.ink, image)
            st.header("A closer look")
            render_closer_look(run, image, "drawn", OWN_DIGIT)
    if classes.is_mnist:  # it is a test set of digits
        st.divider()
        render_own_digits(run)
        render_result(run)
