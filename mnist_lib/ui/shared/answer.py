"""The network's answer for a given digit in words, or that it is not sure."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.escaping import plain_text
from mnist_lib.evaluation.abstention import USUAL_THRESHOLD, is_answered, is_solid
from mnist_lib.wording import percent_text

THRESHOLD_KEY = "threshold"

DIVERGED = "This network's outputs are not numbers: its training diverged."


def answer_threshold() -> float:
    """Return the lowest probability with which an answer is given, as chosen on the Draw screen."""
    return st.session_state.get(THRESHOLD_KEY, USUAL_THRESHOLD)


def answer_text(
    image: np.ndarray, probabilities: np.ndarray, threshold: float, classes: DatasetDescription
) -> tuple[str, str]:
    """Return the heading of an answer and the line below it.

    Args:
        image: uint8, (28, 28), 0 to 255: what the network sees.
        probabilities: float32, (classes,), 0 to 1.
        threshold: The lowest probability with which an answer is given.
        classes: The data set that the network knows.
    """
    second, answer = probabilities.argsort()[-2:].tolist()
    names = [plain_text(classes.a_class(label)) for label in (answer, second)]
    chances = [float(probabilities[label]) for label in (answer, second)]
    images = image[np.newaxis] if classes.has_strokes else None
    if is_answered(probabilities[np.newaxis], images, threshold)[0]:
        return f"It reads {names[0]}", f"The network is {percent_text(chances[0])} sure."
    if images is not None and is_solid(images)[0]:
        return "Not sure", "This looks like a dot or a filled shape, not like a digit. Try drawing it larger."
    first, other = (f"perhaps {name} ({percent_text(chance, 0)})" for name, chance in zip(names, chances, strict=True))
    return "Not sure", f"{first[0].upper()}{first[1:]}, {other}."
