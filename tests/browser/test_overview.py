"""The Overview screen in a real browser: drawing, the replay, the wall."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_lib.data.dataset import load_mnist
from mnist_lib.wording import a_digit
from tests.support.browser import Server, canvas_of, draw_stroke, expect_screen, go_to

ONE = [(140, 40), (140, 240)]


@pytest.fixture
def overview(shared_server: Server, page: Page) -> Page:
    """A tab that shows Overview with the shipped run."""
    page.goto(shared_server.url)
    expect(slider_of(page)).to_be_visible()
    return page


def slider_of(page: Page) -> Locator:
    return page.get_by_role("slider", name="Place in the training")


def place_of(page: Page) -> float:
    return float(slider_of(page).input_value())


def let_frames_pass(page: Page, count: int) -> None:
    page.evaluate(
        "async (count) => { for (let n = 0; n < count; n++) await new Promise(requestAnimationFrame); }", count
    )


def scrub(page: Page, place: float) -> None:
    slider_of(page).evaluate(
        "(slider, place) => { slider.value = place; slider.dispatchEvent(new Event('input')); }", place
    )


def test_drawing_is_read_at_once_and_the_links_carry_it(overview: Page) -> None:
    page = overview
    expect(page.get_by_role("heading", name="It reads a 7", exact=True)).to_be_visible()
    strip = page.locator(".strip")
    before = strip.inner_html()
    draw_stroke(page, ONE)
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    expect(strip.locator(".answer")).to_have_text("1")
    assert strip.inner_html() != before
    page.get_by_role("link", name="See every step").click()
    expect_screen(page, "Draw")
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    go_to(page, "Overview")
    expect(strip.locator(".answer")).to_have_text("1")
    # It is on the canvas, too, and can be drawn on.
    draw_stroke(page, [(60, 40), (140, 40)])
    expect(page.get_by_role("heading", name="It reads a 7", exact=True)).to_be_visible()
    page.get_by_test_id("stButton").get_by_role("button", name="Undo", exact=True).click()
    expect(strip.locator(".answer")).to_have_text("1")
    page.get_by_role("link", name="Follow it number by number").click()
    expect_screen(page, "Model")


def test_first_screenful_shows_the_drawing_the_replay_and_the_layers_in_a_narrow_window_too(
    overview: Page,
) -> None:
    page = overview
    page.set_viewport_size({"width": 1440, "height": 900})
    for seen in (
        page.get_by_role("heading", level=1),
        canvas_of(page),
        page.locator(".live-figure").first,
        page.locator(".strip"),
        page.get_by_role("heading", name="Watch it learn, without waiting"),
        slider_of(page),
    ):
        expect(seen).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1024, "height": 860})
    strip = page.get_by_role("group", name="From pixels to the answer")
    expect(strip).to_be_visible()
    assert strip.evaluate("element => element.scrollWidth <= element.clientWidth")


def test_replay_plays_by_itself_once_and_pauses(overview: Page) -> None:
    page = overview
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="▶ Play")).to_be_visible()  # a busy browser takes a click later
    at = place_of(page)
    assert 0 < at < 18
    let_frames_pass(page, 20)
    assert place_of(page) == at
    page.get_by_role("button", name="Play").click()
    page.wait_for_function(
        "({ slider, at }) => Number(slider.value) > at", arg={"slider": slider_of(page).element_handle(), "at": at}
    )
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    assert place_of(page) == 18
    go_to(page, "Dataset")
    go_to(page, "Overview")
    expect(page.get_by_role("button", name="Play again")).to_be_visible()
    page.get_by_role("button", name="Play again").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert place_of(page) < 18


def test_replay_shows_each_epoch_when_it_is_scrubbed(overview: Page) -> None:
    page = overview
    digits = page.locator(".digits .digit")
    scrub(page, 0)
    expect(digits).to_have_count(20)
    expect(page.locator(".digit.right, .digit.wrong")).to_have_count(0)
    scrub(page, 1.5)
    expect(page.get_by_text("After epoch 1 of 18")).to_be_visible()
    expect(page.locator(".chart b").nth(2)).to_have_text("175")
    early = page.locator(".digit.wrong").count()
    slider_of(page).press("ArrowRight")
    expect(page.get_by_text("After epoch 2 of 18")).to_be_visible()
    expect(page.locator(".chart b").nth(2)).to_have_text("102")
    slider_of(page).press("End")
    expect(page.locator(".chart b").nth(2)).to_have_text("51")
    expect(slider_of(page)).to_have_attribute("aria-valuetext", "After epoch 18 of 18: 51 misread")
    assert page.locator(".digit.wrong").count() < early
    slider_of(page).press("ArrowLeft")
    expect(page.get_by_text("After epoch 17 of 18")).to_be_visible()


def test_replay_waits_where_no_motion_is_wanted(shared_server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.goto(shared_server.url)
    slider_of(page).scroll_into_view_if_needed()
    expect(page.locator(".charts")).to_be_in_viewport(ratio=0.6)
    let_frames_pass(page, 20)
    assert place_of(page) == 18  # it shows how it ended
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert place_of(page) < 18


def test_tile_of_the_wall_opens_its_image_whatever_was_chosen_before(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/mistakes?show=read+correctly&true=3&epoch=4")
    expect(page.get_by_text("after epoch 4:")).to_be_visible()
    go_to(page, "Overview")
    tiles = page.locator(".st-key-overview_wall").get_by_role("link")
    expect(tiles).to_have_count(51)
    tile = tiles.nth(20)
    digits = re.fullmatch(r"(\d) → (\d)", tile.inner_text().strip())
    index = re.search(r"image=(\d+)$", tile.get_attribute("href") or "")
    assert digits
    assert index
    assert int(digits[1]) == load_mnist().test_labels[int(index[1])]
    tile.click()
    expect(page).to_have_url(re.compile(rf"/mistakes\?.*image={index[1]}\b"))
    heading = f"Image {int(index[1]):,}: {a_digit(int(digits[1]))}, read as {digits[2]}"
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
    expect(page.get_by_text("after epoch 18:")).to_be_visible()


def test_nothing_is_under_the_header(shared_server: Server, page: Page) -> None:
    for path in ("", "dataset", "mistakes"):
        page.goto(f"{shared_server.url}/{path}")
        title = page.get_by_role("heading", level=1)
        for width in (820, 400):
            page.set_viewport_size({"width": width, "height": 800})
            expect(title).to_be_visible()
            top = title.evaluate("title => title.getBoundingClientRect().top")
            assert top >= page.get_by_test_id("stHeader").evaluate("header => header.getBoundingClientRect().bottom")


def test_drawing_takes_the_place_of_a_picture_that_was_given_before(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/draw")
    page.get_by_text("Picture", exact=True).click()
    expect(page.get_by_text("There is no picture yet.")).to_be_visible()
    go_to(page, "Overview")
    draw_stroke(page, ONE)
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    page.get_by_role("link", name="See every step").click()
    expect_screen(page, "Draw")
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    expect(canvas_of(page)).to_be_visible()
