"""The settings form follows typing and moving, in a real browser."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from mnist_lib.config import config_from_choices
from mnist_lib.network.layers import count_parameters
from tests.support.browser import Server, wait_until_run


def open_section(page: Page, server: Server, name: str) -> Locator:
    page.goto(f"{server.url}/train")
    section = page.get_by_test_id("stExpander").filter(has=page.locator("summary", has_text=name))
    section.locator("summary").click()
    return section


def test_parameter_count_follows_typing_without_enter(shared_server: Server, page: Page) -> None:
    section = open_section(page, shared_server, "Network")
    field = section.get_by_role("spinbutton", name="Filters, first convolution")
    expect(section.get_by_text("515,146 parameters")).to_be_visible()
    field.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("48", delay=50)
    count = count_parameters(config_from_choices("paper", filters_1=48))
    expect(section.get_by_text(f"{count:,} parameters")).to_be_visible()
    expect(section.get_by_text("not the paper's network")).to_be_visible()
    expect(field).to_be_focused()
    page.keyboard.type("0")  # 480 is too many: the number stays and the form says so
    expect(page.get_by_text("Out of range: Filters, first convolution.")).to_be_visible()
    expect(field).to_have_value("480")


def settled_source(page: Page, picture: Locator, before: str = "") -> str:
    """Return the address of a picture once it is another one than before and has not changed for a second."""
    expect(picture).not_to_have_attribute("src", before)
    source = ""
    while source != (now := picture.get_attribute("src") or ""):
        source = now
        page.wait_for_timeout(1_000)
        wait_until_run(page)
    return source


def test_sample_digits_move_while_a_slider_is_held(shared_server: Server, page: Page) -> None:
    section = open_section(page, shared_server, "Augmentation")
    picture = section.get_by_role("img", name="Eight digits as training sees them")
    slider = section.get_by_role("slider", name="Rotation, degrees")
    slider.scroll_into_view_if_needed()
    at_rest = settled_source(page, picture)
    box = slider.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=5)
    moved = settled_source(page, picture, before=at_rest)
    page.mouse.move(x + 80, y, steps=5)
    moved_further = settled_source(page, picture, before=moved)
    assert moved_further != at_rest
    page.mouse.up()
    page.wait_for_timeout(1_000)
    wait_until_run(page)
    expect(picture).to_have_attribute("src", moved_further)  # let go, it stays where it was
