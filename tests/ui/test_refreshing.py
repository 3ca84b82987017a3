"""How often a tab is drawn anew, by how many are open."""

from __future__ import annotations

import pytest

from mnist_lib.ui import refreshing
from mnist_lib.ui.refreshing import REDRAWS_PER_S, OpenTabs, Tab, interval_s


@pytest.mark.parametrize("tabs", [1, 10, 11, 30, 31, 1000])
def test_all_tabs_together_never_ask_for_too_many_redraws(tabs: int) -> None:
    seconds = interval_s(1.0, tabs)
    assert tabs / seconds <= REDRAWS_PER_S
    assert seconds == 1 or tabs / (seconds - 1) > REDRAWS_PER_S  # and not longer than needed


def test_closed_and_sleeping_tabs_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 100.0
    monkeypatch.setattr(refreshing.time, "monotonic", lambda: now_s)
    tabs, first, second, third = OpenTabs(), Tab(), Tab(), Tab()
    assert [tabs.count(tab) for tab in (first, second, third, first)] == [1, 2, 3, 3]
    del second  # its session has ended
    assert tabs.count(first) == 2
    now_s += refreshing.GONE_AFTER_S + 1
    assert tabs.count(first) == 1
