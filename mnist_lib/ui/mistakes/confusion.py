"""The confusion matrix. A click on a cell shows its images, a second click shows all again."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.figures.evaluation import confusion_figure
from mnist_lib.ui.components.live_figure import live_figure
from mnist_lib.ui.mistakes.filters import choose_cell, chosen_cell


def render_confusion_matrix(matrix: np.ndarray, classes: DatasetDescription) -> None:
    """Show the confusion matrix and its two options.

    Args:
        matrix: integer, (classes, classes), images by true (row) and predicted class (column).
        classes: The data set of the run.
    """
    st.header("Confusion matrix")
    with st.container(horizontal=True, vertical_alignment="center"):
        unit = st.segmented_control(
            "Cells",
            ["counts", "shares"],
            default="counts",
            required=True,
            key="cells",
            bind="query-params",
            persist_state="session",
            label_visibility="collapsed",
        )
        with_diagonal = st.toggle(
            "Colour the correct answers, too",
            key="diagonal",
            bind="query-params",
            persist_state="session",
            help="There are so many of them that all errors look pale.",
        )
    live_figure(
        confusion_figure(matrix, unit == "shares", not with_diagonal, chosen_cell(), classes),
        key="confusion",
        on_click=partial(_click_cell, classes.class_names),
    )
    st.caption(
        f"Each row is a true {classes.kind}, each column what the network read; shares are of a row. Click a cell to "
        "see its images, and again to see all."
    )


def _click_cell(class_names: tuple[str, ...], predicted: str, true: str, _: object) -> None:
    cell = class_names.index(true), class_names.index(predicted)
    choose_cell(None if chosen_cell() == cell else cell)
