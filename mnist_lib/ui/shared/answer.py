"""The network's answer for a given digit in words, or that it is not sure."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.evaluation.abstention import USUAL_THRESHOLD, is_answered, is_solid
from mnist_lib.wording import a_digit, percent_text

THRESHOLD_KEY = "threshold"

DIVERGED = "This network's outputs are not numbers: its training diverged."


def answer_threshold() -> float:
    """Return the lowest probability with which an answer is given, as chosen on the Draw screen."""
    return st.session_state.get(THRESHOLD_KEY, USUAL_THRESHOLD)


def answer_text(image: np.ndarray, probabilities: np.ndarray, threshold: float) -> tuple[str, str]:
    """Return the heading of an answer and the line below it.

    Args:
        image: uint8, (28, 28), 0 to 255: what the network sees.
        probabilities: float32, (10,), 0 to 1.
        threshold: The lowest probability with which an answer is given.
    """
    digit = int(probabilities.argmax())
    highest = float(probabilities[digit])
    if is_answered(probabilities[np.newaxis], image[np.newaxis], threshold)[0]:
        return f"It reads {a_digit(digit)}", f"The network is {percent_text(highest)} sure."
    if is_solid(image[np.newaxis])[0]:
        return "Not sure", "This looks like a dot or a filled shape, not like a digit. Try drawing it larger."
    second = int(probabilities.argsort()[-2])
    chances = percent_text(highest, 0), percent_text(float(probabilities[second]), 0)
    return "Not sure", f"Perhaps {a_digit(digit)} ({chances[0]}), perhaps {a_digit(second)} ({chances[1]})."
