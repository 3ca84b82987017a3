"""The filters of the gallery of mistakes, all of them kept in the address."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_lib.data.dataset import DatasetDescription
from mnist_lib.evaluation.selection import ORDERS, OUTCOMES, Filters

OUTCOME_KEY = "show"
PAGE_KEY = "page"
TRUE_KEY = "true"
PREDICTED_KEY = "read_as"
_ORDER_KEY = "order"
_CONFIDENCE_KEY = "sure"
_DISPUTED_KEY = "disputed"

FILTER_KEYS = (OUTCOME_KEY, PAGE_KEY, TRUE_KEY, PREDICTED_KEY, _ORDER_KEY, _CONFIDENCE_KEY, _DISPUTED_KEY)

_ANY_CONFIDENCE = (0, 100)


def ask_for_filters(classes: DatasetDescription, disputed: np.ndarray | None) -> tuple[Filters, str]:
    """Show the filters and return them with the order.

    Args:
        classes: The data set of the run.
        disputed: integer, (n,), positions of the test images whose labels were disputed; None where nobody was asked.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        outcome = st.selectbox(
            "Show",
            OUTCOMES,
            key=OUTCOME_KEY,
            bind="query-params",
            persist_state="session",
            width=170,
            on_change=_first_page,
            help="Newly learned and newly forgotten: what changed with this epoch.",
        )
        true_label, predicted_label = (
            st.selectbox(
                label,
                range(classes.classes),
                format_func=classes.class_names.__getitem__,
                index=None,
                placeholder="any",
                key=key,
                bind="query-params",
                persist_state="session",
                width=120 if classes.is_mnist else 170,
                on_change=_first_page,
            )
            for label, key in ((f"True {classes.kind}", TRUE_KEY), ("Read as", PREDICTED_KEY))
        )
        order = st.selectbox(
            "Order",
            ORDERS,
            key=_ORDER_KEY,
            bind="query-params",
            persist_state="session",
            width=190,
            on_change=_first_page,
        )
        confidences = st.slider(
            "Confidence",
            *_ANY_CONFIDENCE,
            _ANY_CONFIDENCE,
            format="%d%%",
            key=_CONFIDENCE_KEY,
            bind="query-params",
            persist_state="session",
            width=180,
            on_change=_first_page,
        )
        lowest, highest = sorted(confidences)  # in a link they may be the wrong way round
        with st.container(horizontal=True, vertical_alignment="center", width="content"):
            only_disputed = disputed is not None and st.toggle(
                "Labels put to a vote",
                key=_DISPUTED_KEY,
                bind="query-params",
                persist_state="session",
                on_change=_first_page,
                help="Only the 100 test images whose labels people were asked about.",
            )
            filtered = (
                outcome != OUTCOMES[0]
                or true_label is not None
                or predicted_label is not None
                or (lowest, highest) != _ANY_CONFIDENCE
                or only_disputed
            )
            # Always there, so that nothing moves when it becomes useful.
            st.button(
                "Clear the filters",
                icon=":material/filter_alt_off:",
                type="tertiary",
                on_click=clear_filters,
                disabled=not filtered,
            )
    among = disputed if only_disputed else None
    return Filters(
        outcome or OUTCOMES[0], true_label, predicted_label, (lowest / 100, highest / 100), among
    ), order or ORDERS[0]


def clear_filters() -> None:
    """Show every misread image again. For callbacks."""
    show_only(OUTCOMES[0])


def show_only(outcome: str) -> None:
    """Show all images of an outcome. For callbacks."""
    state = st.session_state
    state[OUTCOME_KEY] = outcome
    state[_CONFIDENCE_KEY] = _ANY_CONFIDENCE
    state[_DISPUTED_KEY] = False
    choose_cell(None)


def chosen_cell() -> tuple[int, int] | None:
    """Return the chosen true and predicted class, or None unless both are chosen."""
    true_label, predicted_label = (st.session_state.get(key) for key in (TRUE_KEY, PREDICTED_KEY))
    return None if true_label is None or predicted_label is None else (true_label, predicted_label)


def choose_cell(cell: tuple[int, int] | None) -> None:
    """Show only the images of one cell of the confusion matrix, or of all. For callbacks.

    The other filters stay, but an outcome that the cell cannot have is replaced by the cell's.

    Args:
        cell: The true and the predicted class, or None.
    """
    state = st.session_state
    state[TRUE_KEY], state[PREDICTED_KEY] = cell or (None, None)
    misread, read_right, every = OUTCOMES[:3]
    if cell and state[OUTCOME_KEY] != every:
        state[OUTCOME_KEY] = read_right if cell[0] == cell[1] else misread
    elif state[OUTCOME_KEY] == read_right:
        state[OUTCOME_KEY] = misread
    _first_page()


def _first_page() -> None:
    st.session_state[PAGE_KEY] = 1
