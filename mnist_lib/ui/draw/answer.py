"""The network's answer for a given digit, or that it is not sure."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD, is_answered, is_solid
from mnist_lib.figures.digits import probabilities_figure
from mnist_lib.runs.run import Run
from mnist_lib.ui.cache import coverage
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.wording import a_digit, percent_text

_LOWEST_THRESHOLD, _HIGHEST_THRESHOLD = 0.5, 0.99


def render_answer(run: Run, image: np.ndarray, probabilities: np.ndarray) -> None:
    """Show the answer, the ten probabilities, and the threshold below which an answer is withheld.

    Args:
        run: The run whose network reads the digit.
        image: uint8, (28, 28), 0 to 255: what the network sees.
        probabilities: float32, (10,), 0 to 1.
    """
    # The slider is drawn below the answer that depends on it.
    threshold = st.session_state.get("threshold", USUAL_THRESHOLD)
    heading, reason = _answer_text(image, probabilities, threshold)
    st.subheader(heading)
    st.caption(reason)
    live_figure(probabilities_figure(probabilities), key="given_probabilities")
    st.slider(
        "Answer only from",
        _LOWEST_THRESHOLD,
        _HIGHEST_THRESHOLD,
        USUAL_THRESHOLD,
        step=0.01,
        format="percent",
        key="threshold",
        persist_state="session",
    )
    st.caption(_coverage_text(run, threshold))


def _answer_text(image: np.ndarray, probabilities: np.ndarray, threshold: float) -> tuple[str, str]:
    """Return the heading and the line below it."""
    digit = int(probabilities.argmax())
    highest = float(probabilities[digit])
    if is_answered(probabilities[np.newaxis], image[np.newaxis], threshold)[0]:
        return f"It reads {a_digit(digit)}", f"The network is {percent_text(highest)} sure."
    if is_solid(image[np.newaxis])[0]:
        return "Not sure", "This looks like a dot or a filled shape, not like the strokes of a digit. Draw it larger?"
    second = int(probabilities.argsort()[-2])
    chances = percent_text(highest, 0), percent_text(float(probabilities[second]), 0)
    return "Not sure", f"Perhaps {a_digit(digit)} ({chances[0]}), perhaps {a_digit(second)} ({chances[1]})."


def _coverage_text(run: Run, threshold: float) -> str:
    measured = coverage(run, threshold)
    if measured is None:
        return "Anything less sure is not answered."
    return (
        f"Anything less sure is not answered. Of the 10,000 test digits, {plain_text(run.run_id)} then answers "
        f"{measured.answered:.1%}, and {measured.accuracy:.2%} of those correctly."
    )
