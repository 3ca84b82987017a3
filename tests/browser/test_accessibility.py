"""The screens for everyone: axe-core finds no barrier, everything works by keyboard, figures are in words."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.support.browser import Server
from tests.support.visits import VISITS

# All of WCAG 2.2, levels A and AA, and what else was found here.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FURTHER_RULES = ["heading-order", "empty-table-header", "label-content-name-mismatch"]
# All that another theme can change.
COLOR_RULES = ["color-contrast", "link-in-text-block"]

LIGHT: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {rule: {"enabled": True} for rule in FURTHER_RULES},
}
DARK = {"runOnly": {"type": "rule", "values": COLOR_RULES}}

# What is not this project's or cannot be otherwise: rule, element, reason.
EXCEPTIONS = [
    # st.table scrolls sideways where it has no room. Browsers let the Tab key stop there; axe wants an attribute.
    ("scrollable-region-focusable", "[data-testid='stTable'] *, [data-testid='stTable']"),
    # The same of st.code, and the colours in which it writes Python.
    ("scrollable-region-focusable", "[data-testid='stCode'] pre"),
    ("color-contrast", "[data-testid='stCode'] .token"),
    # In the picture of the network a unit is as large as there is room. WCAG allows that where there is another way:
    # the arrow keys go through them, and so do two buttons of the calculation.
    ("target-size", ".part"),
    # The toolbar of streamlit-drawable-canvas. Our own buttons below the canvas do the same.
    ("target-size", ".dc-icon-button"),
]

AUDIT = """
async ([options, exceptions]) => {
  const { violations } = await axe.run(document, { ...options, resultTypes: ["violations"], elementRef: true });
  return violations.flatMap(({ id, nodes }) => nodes
    .filter(({ element }) => !exceptions.some(([rule, selector]) => rule === id && element.matches(selector)))
    .map(({ html, any, all, none }) => `${id}: ${html.slice(0, 150)}: ${[...any, ...all, ...none][0].message}`));
}
"""


@pytest.mark.parametrize("name", VISITS)
def test_axe_finds_no_barrier_in_both_themes_at_all_widths(name: str, shared_server: Server, page: Page) -> None:
    visit = VISITS[name]
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{shared_server.url}{visit.address}")
    visit.act(page)
    page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, options in (("light", LIGHT), ("dark", DARK)):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        for width in (1440, 1024, 400):
            page.set_viewport_size({"width": width, "height": 6_000})  # axe leaves out what is scrolled away
            found += [f"{width} px, {scheme}: {barrier}" for barrier in page.evaluate(AUDIT, [options, EXCEPTIONS])]
    assert found == []
