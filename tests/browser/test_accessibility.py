"""The screens for everyone: they have room, axe-core finds no barrier, all works by keyboard, figures are in words."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.support.browser import Server, wait_until_drawn
from tests.support.layout import check_layout
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
DARK: dict[str, Any] = {"runOnly": {"type": "rule", "values": COLOR_RULES}}
# Colours are the same at 1024 px, and looking at them takes most of the time.
PROJECTOR = LIGHT | {"rules": LIGHT["rules"] | {rule: {"enabled": False} for rule in COLOR_RULES}}
AUDITS: dict[Literal["light", "dark"], list[tuple[int, dict[str, Any]]]] = {
    "light": [(1440, LIGHT), (1024, PROJECTOR), (400, LIGHT)],
    "dark": [(1440, DARK), (400, DARK)],
}

# What is not this project's or cannot be otherwise: rule, element, reason.
EXCEPTIONS = [
    # st.table scrolls sideways where it has no room. Browsers let the Tab key stop there; axe wants an attribute.
    ("scrollable-region-focusable", "[data-testid='stTable'] *, [data-testid='stTable']"),
    # In the picture of the network a unit is as large as there is room. WCAG allows that where there is another way:
    # the arrow keys go through them, and so do two buttons of the calculation.
    ("target-size", ".part"),
    # The toolbar of streamlit-drawable-canvas. Our own buttons below the canvas do the same.
    ("target-size", ".dc-icon-button"),
]

# st.code writes Python in colours of its own, and scrolls as st.table does.
AUDIT = """
async ([options, exceptions]) => {
  const changes = document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity);
  await Promise.allSettled(changes.map(({ finished }) => finished));  // of the colours, to those of the theme
  const context = { include: document, exclude: "[data-testid='stCode']" };
  const { violations } = await axe.run(context, { ...options, resultTypes: ["violations"], elementRef: true });
  return violations.flatMap(({ id, nodes }) => nodes
    .filter(({ element }) => !exceptions.some(([rule, selector]) => rule === id && element.matches(selector)))
    .map(({ html, any, all, none }) => `${id}: ${html.slice(0, 150)}: ${[...any, ...all, ...none][0].message}`));
}
"""


# What has the focus, however deep in shadow roots, and how it looks. Ours is what is in our components, without the
# canvas's own toolbar.
FOCUSED = """
() => {
  let element = document.activeElement;
  while (element.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  if (element === document.body) return null;
  const root = element.getRootNode();
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
  const { left, top, width, height } = element.getBoundingClientRect();
  const there = root.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight - top) / 2);
  return {
    name: element.outerHTML.slice(0, 120),
    ours: root instanceof ShadowRoot ? !element.matches(".dc-icon-button") : Boolean(element.closest(".live-figure")),
    marked: (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none",
    seen: element === there || element.contains(there),
  };
}
"""

PICTURES_AND_TEXT = """
(elements) => elements.map((element) => [
  element.textContent, ...[...element.querySelectorAll("canvas")].map((canvas) => canvas.toDataURL()),
  ...[...element.querySelectorAll("input")].map(({ value }) => value), element.getAnimations({ subtree: true }).length,
])
"""


@pytest.mark.parametrize("name", VISITS)
def test_everything_has_room_and_axe_finds_no_barrier(name: str, shared_server: Server, page: Page) -> None:
    visit = VISITS[name]
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{shared_server.url}{visit.address}")
    visit.act(page)
    check_layout(page, visit.address)
    page.evaluate(AXE_SCRIPT)
    found = []
    for scheme, audits in AUDITS.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("color-scheme", scheme)
        for width, options in audits:
            show_whole_screen(page, width)
            found += [f"{width} px, {scheme}: {barrier}" for barrier in page.evaluate(AUDIT, [options, EXCEPTIONS])]
    assert found == []
    check_that_figures_are_in_words(page)


def show_whole_screen(page: Page, width: int) -> None:
    """Make the window as high as the screen: axe leaves out what is scrolled away."""
    page.set_viewport_size({"width": width, "height": 900})
    height = page.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    page.set_viewport_size({"width": width, "height": min(height + 100, 6_000)})


def check_that_figures_are_in_words(page: Page) -> None:
    expect(page.get_by_test_id("stPlotlyChart")).to_have_count(0)  # it has no place for words
    for plot in page.locator(".live-figure .plot").all():
        expect(plot).to_have_role("img")
        expect(plot).to_have_accessible_name(re.compile(r"\d|nothing yet"))


@pytest.mark.parametrize("name", ["overview", "dataset", "model, geometry", "mistakes, images"])
def test_tab_key_leads_on_and_shows_where_it_is_at_twice_the_size(name: str, shared_server: Server, page: Page) -> None:
    visit = VISITS[name]
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{shared_server.url}{visit.address}")
    visit.act(page)
    page.set_viewport_size({"width": 720, "height": 450})  # as a window of 1440 x 900 at 200%
    wait_until_drawn(page)
    page.get_by_test_id("stSkipToContent").focus()
    ours = 0
    while stop := focus_next(page):
        ours += stop["ours"]
        assert stop["marked"] or not stop["ours"], f"{stop['name']} does not show that it has the focus"
        assert stop["seen"] or not stop["ours"], f"{stop['name']} has the focus and is not in sight"
    assert ours


def focus_next(page: Page) -> dict[str, Any] | None:
    """Press Tab, and return what is known of what has the focus then; None at the end of the page."""
    page.keyboard.press("Tab")
    for _ in range(20):  # a busy browser scrolls it into view later
        stop = page.evaluate(FOCUSED)
        if stop is None or not stop["ours"] or stop["seen"]:
            break
    return stop


def test_nothing_moves_by_itself_where_no_motion_is_wanted(shared_server: Server, page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    for address, name in (("/", ".replay"), ("/model?model_tab=Geometry", ".calculation, .geometry")):
        page.goto(f"{shared_server.url}{address}")
        shown = page.locator(name)
        for part in name.split(","):
            page.locator(part).scroll_into_view_if_needed()
        before = shown.evaluate_all(PICTURES_AND_TEXT)
        page.wait_for_timeout(500)  # that nothing happens cannot be waited for otherwise
        assert shown.evaluate_all(PICTURES_AND_TEXT) == before
