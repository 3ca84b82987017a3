"""Which image goes through the network: one of the data set, or the one that a person drew."""

from __future__ import annotations

import random
import re
from typing import NamedTuple

import numpy as np
import streamlit as st

from mnist_lib.drawing.normalization import DrawingError, fit_drawing
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import run_dataset
from mnist_lib.ui.shared.drawing import given_digit
from mnist_lib.ui.shared.model_link import NUMBER_KEY, SOURCE_KEY, SOURCES


class ChosenImage(NamedTuple):
    """The image that goes through the network.

    Attributes:
        image: uint8, (28, 28), 0 to 255.
        title: What it is, in words.
    """

    image: np.ndarray
    title: str


def ask_for_image(run: Run) -> ChosenImage:
    """Show the choice and return what was chosen.

    Args:
        run: The run whose network it is for.

    Raises:
        DrawingError: The person's own drawing was chosen, and there is none to read yet.
        DatasetError: The data set of the run is not here, and a drawing was not chosen.
    """
    source = st.segmented_control(
        "Image",
        list(SOURCES.values()),
        default=SOURCES["test"],
        required=True,
        key=SOURCE_KEY,
        bind="query-params",
        persist_state="session",
        label_visibility="collapsed",
    )
    source = source or SOURCES["test"]  # Streamlit passes on what is empty in the address
    if source == SOURCES["own"]:
        given = given_digit()
        if given is None:
            raise DrawingError("Nothing is drawn yet. What you draw goes through the network here.")
        return ChosenImage(
            fit_drawing(given.ink, run.dataset().fitting), f"Your {'digit' if run.dataset().is_mnist else 'drawing'}"
        )
    images, labels = run_dataset(run).split("test" if source == SOURCES["test"] else "train")
    # Streamlit fails at a number in the address that is infinite, as one of 400 digits is.
    is_number = all(re.fullmatch("[0-9]{1,6}", text) for text in st.query_params.get_all(NUMBER_KEY))
    if not is_number:
        del st.query_params[NUMBER_KEY]
    # Of MNIST's 60,000 training images, the other split has only 10,000.
    if st.session_state.get(NUMBER_KEY, 0) >= len(images):
        st.session_state[NUMBER_KEY] = 0
    number = st.number_input(
        "Its number",
        0,
        len(images) - 1,
        0,
        key=NUMBER_KEY,
        bind="query-params" if is_number else None,
        persist_state="session",
        width=150,
        label_visibility="collapsed",
    )
    st.button("Another", icon=":material/shuffle:", on_click=_choose_any, args=(len(images),), help="A random one")
    return ChosenImage(images[number], f"{source} {number:,}, {run.dataset().a_class(labels[number])}")


def _choose_any(count: int) -> None:
    st.session_state[NUMBER_KEY] = random.randrange(count)
