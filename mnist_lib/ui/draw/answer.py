"""The network's answer for a given digit, or that it is not sure."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription, DatasetError
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD
from mnist_lib.figures.digits import probabilities_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import coverage
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.session import title_of
from mnist_lib.ui.shared.answer import THRESHOLD_KEY, answer_text, answer_threshold

_LOWEST_THRESHOLD, _HIGHEST_THRESHOLD = 0.5, 0.99


def render_answer(image: np.ndarray, probabilities: np.ndarray, classes: DatasetDescription) -> None:
    """Show the answer and how sure the network is of it.

    Args:
        image: uint8, (28, 28), 0 to 255: what the network sees.
        probabilities: float32, (classes,), 0 to 1.
        classes: The data set that the network knows.
    """
    heading, reason = answer_text(image, probabilities, answer_threshold(), classes)
    st.header(heading)
    st.caption(reason)


def render_probabilities(run: Run, probabilities: np.ndarray) -> None:
    """Show the probabilities, and the threshold below which an answer is withheld.

    Args:
        run: The run whose network reads the drawing.
        probabilities: float32, (classes,), 0 to 1.
    """
    live_figure(probabilities_figure(probabilities, dataset=run.dataset()), key="given_probabilities")
    threshold = st.slider(
        "Lowest confidence for an answer",
        _LOWEST_THRESHOLD,
        _HIGHEST_THRESHOLD,
        USUAL_THRESHOLD,
        step=0.01,
        format="percent",
        key=THRESHOLD_KEY,
        persist_state="session",
    )
    st.caption(_coverage_text(run, threshold))


def _coverage_text(run: Run, threshold: float) -> str:
    measured, classes = None, run.dataset()
    with suppress(DatasetError):  # a drawing is read without it
        measured = coverage(run, threshold)
    if measured is None:
        return "Below this, it does not answer."
    return (
        f"Below this, it does not answer. Of the {classes.test_images:,} test {classes.noun}s, "
        f"{plain_text(title_of(run.run_id))} then answers {measured.answered:.1%}, and {measured.accuracy:.2%} of "
        "those correctly."
    )
