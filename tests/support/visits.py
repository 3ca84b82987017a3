"""What there is to see on all screens, with what opens on them opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from playwright.sync_api import Page, expect

from tests.support.browser import draw_stroke, wait_until_drawn


class Visit(NamedTuple):
    """A part of the address behind the server's, and what is done there."""

    address: str
    act: Callable[[Page], object] = wait_until_drawn


def open_expanders(page: Page) -> None:
    """Open what folds away, and what folds away in it."""
    wait_until_drawn(page)
    closed = page.locator('[data-testid="stExpander"] details:not([open]) > summary')
    while closed.count():
        closed.first.click()
        wait_until_drawn(page)


def draw_a_one(page: Page) -> None:
    """Draw a one and wait until it is read."""
    draw_stroke(page, [(140, 40), (140, 240)])
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    wait_until_drawn(page)


def wait_for_the_network(page: Page) -> None:
    """Wait for the picture of the network, and open what folds away below it."""
    expect(page.get_by_role("region", name="Calculation").get_by_role("heading")).to_be_visible()
    open_expanders(page)


def wait_for_the_geometry(page: Page) -> None:
    """Wait for the picture of the network and for the convolution to try."""
    wait_for_the_network(page)
    expect(page.get_by_role("math").last).to_be_visible()


def plan_an_experiment(page: Page) -> None:
    """Choose a setting to vary."""
    wait_until_drawn(page)
    page.get_by_role("combobox", name="Settings to vary").fill("Learning")
    page.get_by_role("option", name="Learning rate").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("textbox", name="Learning rate")).to_be_visible()
    wait_until_drawn(page)


VISITS = {
    "overview": Visit("/", draw_a_one),
    "dataset": Visit("/dataset", open_expanders),
    "model, Table I": Visit("/model", wait_for_the_network),
    "model, filters": Visit("/model?model_tab=Filters", wait_for_the_network),
    "model, geometry": Visit("/model?model_tab=Geometry", wait_for_the_geometry),
    "model, as code": Visit("/model?model_tab=As+code", wait_for_the_network),
    "train": Visit("/train", open_expanders),
    "mistakes, images": Visit("/mistakes?image=2597", open_expanders),
    "mistakes, figures": Visit("/mistakes?mistakes_tab=Figures"),
    "mistakes, download": Visit("/mistakes?mistakes_tab=Download"),
    "runs, one": Visit("/runs?runs=pretrained-paper", open_expanders),
    "runs, two": Visit("/runs?runs=pretrained-paper,pretrained-accurate"),
    "experiments, new": Visit("/experiments", plan_an_experiment),
    "draw": Visit("/draw", draw_a_one),
}
