"""The network's answer for a given digit, or that it is not sure."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD
from mnist_lib.figures.digits import probabilities_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import coverage
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.session import title_of
from mnist_lib.ui.shared.answer import THRESHOLD_KEY, answer_text, answer_threshold

_LOWEST_THRESHOLD, _HIGHEST_THRESHOLD = 0.5, 0.99


def render_answer(image: np.ndarray, probabilities: np.ndarray) -> None:
    """Show the answer and how sure the network is of it.

    Args:
        image: uint8, (28, 28), 0 to 255: what the network sees.
        probabilities: float32, (10,), 0 to 1.
    """
    heading, reason = answer_text(image, probabilities, answer_threshold())
    st.header(heading)
    st.caption(reason)


def render_probabilities(run: Run, probabilities: np.ndarray) -> None:
    """Show the ten probabilities, and the threshold below which an answer is withheld.

    Args:
        run: The run whose network reads the digit.
        probabilities: float32, (10,), 0 to 1.
    """
    live_figure(probabilities_figure(probabilities), key="given_probabilities")
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
    measured = coverage(run, threshold)
    if measured is None:
        return "Below this, it does not answer."
    return (
        f"Below this, it does not answer. Of the 10,000 test digits, {plain_text(title_of(run.run_id))} then "
        f"answers {measured.answered:.1%}, and {measured.accuracy:.2%} of those correctly."
    )
