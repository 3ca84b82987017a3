"""The Draw screen in a real browser: strokes, fingers, pictures, the own test set."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Locator, Page, expect

from mnist_lib.data.dataset import load_mnist
from mnist_lib.drawing.own_test_set import OwnDigits
from tests.support.browser import (
    TIMEOUT_MS,
    HeldMessages,
    Server,
    canvas_of,
    draw_stroke,
    go_to,
    wait_for,
    wait_until_run,
)

SEVEN = [(70, 70), (210, 70), (120, 230)]
ONE = [(140, 40), (140, 240)]


@pytest.fixture
def page(shared_server: Server, page: Page) -> Page:
    """A tab that shows the Draw screen, its canvas ready."""
    open_room(page, shared_server)
    return page


@pytest.fixture(autouse=True)
def no_drawings(shared_server: Server) -> Iterator[None]:
    """Leave no drawing of one test to the next."""
    yield
    own = OwnDigits.beside(shared_server.runs_path)
    own.delete([digit.digit_id for digit in own.read().digits])


def open_room(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/draw")
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()


def draw_further_stroke(page: Page, points: list[tuple[int, int]]) -> None:
    """Draw on, and wait until what is drawn has been read."""
    before = read_drawing(page)
    draw_stroke(page, points)
    expect(page.locator(".stages img").first).not_to_have_attribute("src", before)


def read_drawing(page: Page) -> str:
    """Return the picture of what is drawn and read, as a data URL."""
    return page.locator(".stages img").first.get_attribute("src") or ""


def expect_drawing(page: Page, picture: str) -> None:
    expect(page.locator(".stages img").first).to_have_attribute("src", picture)


def undo_button(page: Page) -> Locator:
    """Return the one below the canvas: the canvas has a toolbar of its own."""
    return page.get_by_test_id("stButton").get_by_role("button", name="Undo", exact=True)


def expect_answer(page: Page, digit: int) -> None:
    expect(answer_of(page, digit)).to_be_visible()


def stage_readings(page: Page) -> list[str]:
    """Return what is read after each of the four stages."""
    expect(page.locator(".stages figure")).to_have_count(4)
    return page.locator(".stages .reading").all_inner_texts()


def test_strokes_can_be_undone_and_cleared_and_brought_back(page: Page) -> None:
    draw_stroke(page, ONE)
    expect_answer(page, 1)
    assert stage_readings(page)[3].startswith("1")
    seen = [read_drawing(page)]
    for stroke in ([(70, 40), (140, 40)], [(20, 40), (70, 40)]):
        draw_further_stroke(page, stroke)
        seen.append(read_drawing(page))
    expect_answer(page, 7)
    for earlier in (seen[1], seen[0]):
        undo_button(page).click()
        expect_drawing(page, earlier)
    expect_answer(page, 1)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    undo_button(page).click()
    expect_drawing(page, seen[0])
    expect_answer(page, 1)


def test_undo_takes_back_one_stroke_though_the_server_is_busy(page: Page, shared_server: Server) -> None:
    # What the tab says is held back, and then said at once: while the server is at the first of it, the stroke and the
    # click wait together.
    messages = HeldMessages(page)
    open_room(page, shared_server)
    draw_stroke(page, ONE)
    expect_answer(page, 1)
    draw_further_stroke(page, [(70, 40), (140, 40)])
    seen = read_drawing(page)
    wait_until_run(page)
    messages.holds_requests = True
    page.get_by_role("slider", name="Pen width").press("ArrowRight")
    wait_for(page, lambda: messages.longest() > 0)
    longest = messages.longest()
    draw_stroke(page, [(20, 40), (70, 40)])
    wait_for(page, lambda: messages.longest() > longest + 100)  # the stroke is in it
    undo_button(page).click()
    page.wait_for_timeout(500)
    assert len(messages) >= 3
    messages.release()
    page.wait_for_timeout(1000)
    wait_until_run(page)
    expect_drawing(page, seen)


def answer_of(page: Page, digit: int) -> Locator:
    return page.get_by_role("heading", name=f"It reads a {digit}", exact=True)


def test_buttons_below_the_canvas_do_not_move_when_it_is_replaced(page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 1000})
    draw_stroke(page, ONE)
    expect_answer(page, 1)
    first = read_drawing(page)
    draw_further_stroke(page, [(70, 40), (140, 40)])
    button = undo_button(page).element_handle()
    button.evaluate(
        """button => {
          window.tops = new Set();
          const look = () => {
            window.tops.add(Math.round(button.getBoundingClientRect().top));
            requestAnimationFrame(look);
          };
          look();
        }"""
    )
    undo_button(page).click()
    expect_drawing(page, first)
    canvas_of(page)
    undo_button(page).click()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    canvas_of(page)
    assert len(page.evaluate("[...window.tops]")) == 1


def test_canvas_and_answer_are_in_sight_together(page: Page) -> None:
    draw_stroke(page, ONE)
    for width in (1280, 1024, 820, 700, 400):
        page.set_viewport_size({"width": width, "height": 860})
        # What a column cuts off is not in the viewport.
        for seen in (canvas_of(page), answer_of(page, 1), page.get_by_text("% sure.")):
            expect(seen).to_be_in_viewport(ratio=1)


def test_canvas_is_as_large_as_there_is_room(page: Page) -> None:
    for width, side_px in ((1440, 400), (400, 360), (320, 280)):
        page.set_viewport_size({"width": width, "height": 860})
        box = canvas_of(page).bounding_box()
        assert box
        assert (box["width"], box["height"]) == pytest.approx((side_px, side_px), abs=1)
        expect(canvas_of(page)).to_be_in_viewport(ratio=1)


def test_canvas_shows_no_toolbar_of_its_own_except_to_the_keyboard(page: Page) -> None:
    """The package has no option for it."""
    toolbar_button = page.locator(".dc-toolbar button").first
    canvas_of(page).hover()
    expect(toolbar_button).not_to_be_in_viewport()
    toolbar_button.focus()
    expect(toolbar_button).to_be_in_viewport(ratio=1)


def test_drawing_is_still_there_after_another_screen(page: Page) -> None:
    draw_stroke(page, SEVEN)
    expect_answer(page, 7)
    before = read_drawing(page)
    go_to(page, "Dataset")
    go_to(page, "Draw")
    expect_answer(page, 7)
    expect_drawing(page, before)
    # And it can be drawn on: a bar through the seven leaves the rest as it is.
    draw_further_stroke(page, [(110, 150), (190, 150)])
    expect_answer(page, 7)


def test_pixel_values_show_on_hover(page: Page) -> None:
    draw_stroke(page, ONE)
    expect_answer(page, 1)
    cells = page.locator(".pixels i")
    expect(cells).to_have_count(784)
    values = cells.evaluate_all("cells => cells.map((cell) => Number(cell.style.getPropertyValue('--v')))")
    assert max(values) == 255
    cell = cells.nth(int(np.argmax(values)))
    cell.hover()
    # The browser counts up to the value and shows the count.
    shown = cell.evaluate(
        "cell => [getComputedStyle(cell, '::after').content, getComputedStyle(cell, '::after').counterReset]"
    )
    assert shown == ["counter(value)", "value 255"]


def test_a_dot_gets_no_answer(page: Page) -> None:
    draw_stroke(page, [(140, 140), (141, 141)])
    expect(page.get_by_role("heading", name="Not sure", exact=True)).to_be_visible()
    expect(page.get_by_text("This looks like a dot")).to_be_visible()


def test_a_finger_draws(shared_server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 860}, has_touch=True, is_mobile=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    open_room(page, shared_server)
    canvas = canvas_of(page)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    finger = context.new_cdp_session(page)

    def touch(kind: str, points: list[tuple[float, float]]) -> None:
        scale = box["width"] / 280
        places = [{"x": box["x"] + scale * x, "y": box["y"] + scale * y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    before = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    touch("touchStart", [SEVEN[0]])
    for (from_x, from_y), (to_x, to_y) in itertools.pairwise(SEVEN):
        for share in np.linspace(0, 1, 10):
            touch("touchMove", [(from_x + share * (to_x - from_x), from_y + share * (to_y - from_y))])
    touch("touchEnd", [])
    expect(answer_of(page, 7)).to_be_in_viewport(ratio=1)
    expect(canvas).to_be_in_viewport(ratio=1)
    # The page stayed where it was under the finger.
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == before
    context.close()


@pytest.fixture(scope="module")
def picture_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test digit, a 7, as a scan: dark on light."""
    path = tmp_path_factory.mktemp("pictures") / "seven.png"
    Image.fromarray(255 - load_mnist().test_images[0]).resize((300, 300), Image.Resampling.BICUBIC).save(path)
    return path


def test_picture_is_read_and_a_bad_one_takes_nothing_away(page: Page, picture_path: Path, tmp_path: Path) -> None:
    page.get_by_text("Picture", exact=True).click()
    expect(page.get_by_text("There is no picture yet.")).to_be_visible()
    field = page.get_by_test_id("stFileUploader").filter(has_text="Picture of a digit").locator("input")
    field.set_input_files(picture_path)
    expect_answer(page, 7)
    bad_path = tmp_path / "letter.png"
    bad_path.write_text("not a picture")
    field.set_input_files(bad_path)
    expect(page.get_by_text("It cannot be read as a picture.")).to_be_visible()
    expect_answer(page, 7)
    page.get_by_role("button", name="Remove the picture").click()
    expect(page.get_by_text("There is no picture yet.")).to_be_visible()


def test_picture_can_be_pasted(page: Page, tmp_path: Path) -> None:
    page.get_by_text("Picture", exact=True).click()
    expect(page.get_by_role("button", name="Paste a picture")).to_be_visible()
    picture = Image.new("L", (200, 200), 255)
    ImageDraw.Draw(picture).line([(100, 30), (100, 170)], fill=30, width=16)
    path = tmp_path / "one.png"
    picture.save(path)
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "one.png", { type: "image/png" }));
          document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        }""",
        list(path.read_bytes()),
    )
    expect_answer(page, 1)


def test_drawing_is_kept_with_its_true_digit(page: Page, shared_server: Server) -> None:
    draw_stroke(page, SEVEN)
    expect_answer(page, 7)
    page.get_by_text("Clear after keeping").click()
    page.get_by_role("button", name="7", exact=True).first.click()
    expect(page.get_by_text("Kept as 7 in your test set. Another digit corrects it.")).to_be_visible()
    snapshot = OwnDigits.beside(shared_server.runs_path).read()
    assert [digit.label for digit in snapshot.digits] == [7]
    expect(page.get_by_text(re.compile("reads your only drawing correctly"))).to_be_visible()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("Nothing is kept yet.")).to_be_visible()


def test_one_tap_keeps_the_drawing_and_clears_the_canvas_for_the_next(page: Page, shared_server: Server) -> None:
    own = OwnDigits.beside(shared_server.runs_path)
    for number, (stroke, digit) in enumerate([(SEVEN, 7), (ONE, 1), ([(70, 60), (200, 60), (110, 220)], 7)], start=1):
        draw_stroke(page, stroke)
        expect_answer(page, digit)
        page.get_by_role("button", name=str(digit), exact=True).first.click()
        expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
        expect(page.get_by_text(f"Kept as {digit} in your test set.")).to_be_visible()
        assert len(own.read().digits) == number
    assert [digit.label for digit in own.read().digits] == [7, 1, 7]
    # A wrong tap: the drawing comes back, and another digit corrects it.
    undo_button(page).click()
    expect_answer(page, 7)
    page.get_by_role("button", name="1", exact=True).first.click()
    expect(page.get_by_text("Kept as 1 in your test set.")).to_be_visible()
    assert [digit.label for digit in own.read().digits] == [7, 1, 1]
    page.get_by_role("button", name="Remove it").first.click()
    expect(page.get_by_text("of your 2 drawings")).to_be_visible()
    assert [digit.label for digit in own.read().digits] == [7, 1]


def test_corrected_digit_stays_corrected_though_the_server_is_slow_to_say_so(page: Page, shared_server: Server) -> None:
    # What the server says is held back: then what is clicked next goes out with the state from before.
    messages = HeldMessages(page)
    open_room(page, shared_server)
    own = OwnDigits.beside(shared_server.runs_path)
    draw_stroke(page, SEVEN)
    expect_answer(page, 7)
    page.get_by_text("Clear after keeping").click()
    page.get_by_role("button", name="1", exact=True).first.click()
    expect(page.get_by_text("Kept as 1 in your test set.")).to_be_visible()
    expect(page.get_by_text("Your 1, read as 7", exact=True)).to_be_visible()
    messages.holds_answers = True
    page.get_by_role("button", name="7", exact=True).first.click()
    wait_for(page, lambda: [digit.label for digit in own.read().digits] == [7])
    page.get_by_role("button", name="Clear").click()
    page.wait_for_timeout(1000)
    messages.release()
    expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()
    expect(page.get_by_text("Your 7, read as 7", exact=True)).to_be_visible()
    assert [digit.label for digit in own.read().digits] == [7]
