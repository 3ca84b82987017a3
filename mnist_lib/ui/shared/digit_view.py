"""One digit large, beside the ten probabilities that a network gives it."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.figures.digits import image_figure, probabilities_figure

PLAIN = {"displayModeBar": False}


def draw_digit(image: np.ndarray, key: str) -> None:
    """Draw an image with its pixel values on hover.

    Args:
        image: uint8, (28, 28), 0 to 255.
        key: The chart's key.
    """
    st.plotly_chart(image_figure(image), config=PLAIN, key=key)


def draw_probabilities(probabilities: np.ndarray, key: str, true_digit: int | None = None) -> None:
    """Draw ten probabilities.

    Args:
        probabilities: floating, (10,), 0 to 1.
        key: The chart's key.
        true_digit: The label, where it is known.
    """
    st.plotly_chart(probabilities_figure(probabilities, true_digit), config=PLAIN, key=key)
