"""How often what changes by itself is drawn anew: less often the more people look."""

from __future__ import annotations

import math
import threading
import time
from weakref import WeakKeyDictionary

import streamlit as st

# So many redraws of Train per second, and at most as many of the sidebar, take about a third of a processor. A
# server that is asked for more than it can draw sends little to anyone.
REDRAWS_PER_S = 10

# A tab that was not drawn for this long is closed, or asleep.
GONE_AFTER_S = 60.0


class Tab:
    """Stands for an open tab, and goes with its session."""


class OpenTabs:
    """The tabs of all visitors."""

    def __init__(self) -> None:
        self._seen_at_s: WeakKeyDictionary[Tab, float] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def count(self, tab: Tab) -> int:
        """Note that this tab is drawn now, and return how many are open."""
        now_s = time.monotonic()
        with self._lock:
            self._seen_at_s[tab] = now_s
            return sum(now_s - seen_at_s < GONE_AFTER_S for seen_at_s in self._seen_at_s.values())


@st.cache_resource(show_spinner=False)
def _open_tabs() -> OpenTabs:
    return OpenTabs()


def refresh_interval_s(least_s: float) -> float:
    """Return how long to wait between two redraws of this tab, in seconds.

    Args:
        least_s: With few tabs open. With more it is a multiple, so that all together ask for at most ``REDRAWS_PER_S``.
    """
    return interval_s(least_s, _open_tabs().count(st.session_state.setdefault("tab", Tab())))


def interval_s(least_s: float, tabs: int) -> float:
    """Return the same for so many open tabs."""
    return least_s * math.ceil(tabs / (REDRAWS_PER_S * least_s))
