"""Shows many items, one page at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import streamlit as st


def choose_page(items: np.ndarray, per_page: int, key: str, **options: Any) -> np.ndarray:
    """Show a choice of pages if there are several, and return the items of the chosen one.

    Args:
        items: (n, ...), in order.
        per_page: Items per page; the last page may have fewer.
        key: Where the session keeps the number of the page.
        **options: More arguments of ``st.pagination``.
    """
    pages = math.ceil(len(items) / per_page)
    if pages <= 1:
        return items
    if st.session_state.get(key, 1) > pages:  # there were more before
        st.session_state[key] = pages
    page = st.pagination(pages, key=key, **options)
    return items[(page - 1) * per_page : page * per_page]
