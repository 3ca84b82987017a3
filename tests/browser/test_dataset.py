"""The Dataset screen in a real browser: pixels, what stands first on a phone, and a data set of one's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Page, expect

from mnist_lib.data.dataset import load_mnist
from tests.support.browser import TIMEOUT_MS, Server
from tests.support.datasets import make_turned_digits, write_idx_files

IMAGE = load_mnist().train_images[0]
# The darkest pixel's row and column, and the values around it.
ROW, COLUMN = (int(place) for place in np.unravel_index(IMAGE.argmax(), IMAGE.shape))
AROUND = [str(value or "") for value in IMAGE[ROW - 2 : ROW + 3, COLUMN - 2 : COLUMN + 3].ravel()]


def open_dataset(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/dataset")
    expect(page.locator(".pixel-grid span")).to_have_count(784)
    page.locator(".pixel-grid").scroll_into_view_if_needed()


def place_of(page: Page, row: int, column: int) -> tuple[float, float]:
    """Return where the middle of a pixel is in the window."""
    box = page.locator(".pixel-grid").bounding_box()
    assert box
    return box["x"] + box["width"] * (column + 0.5) / 28, box["y"] + box["height"] * (row + 0.5) / 28


def expect_values(page: Page, row: int, column: int) -> None:
    """Expect the values around the darkest pixel to be readable, and the chosen one to be said."""
    cells = page.locator(".magnifier span")
    expect(cells).to_have_text(AROUND)
    expect(page.locator(".magnifier")).to_be_in_viewport(ratio=1)
    assert cells.first.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)") >= 14
    expect(page.get_by_text(f"Row {row + 1}, column {column + 1}: {IMAGE[row, column]}")).to_be_visible()


def test_values_around_the_pointer_are_enlarged(shared_server: Server, page: Page) -> None:
    open_dataset(page, shared_server)
    for width in (1440, 1024, 400):
        page.set_viewport_size({"width": width, "height": 900})
        page.locator(".pixel-grid").scroll_into_view_if_needed()
        page.mouse.move(*place_of(page, ROW, COLUMN))
        expect_values(page, ROW, COLUMN)
        frame, magnifier = page.locator(".pixel-grid").bounding_box(), page.locator(".magnifier").bounding_box()
        assert frame
        assert magnifier
        assert frame["x"] <= magnifier["x"]
        assert magnifier["x"] + magnifier["width"] <= frame["x"] + frame["width"] + 1
        page.mouse.move(0, 0)
        expect(page.locator(".magnifier")).to_be_hidden()


def test_arrow_keys_go_from_pixel_to_pixel(shared_server: Server, page: Page) -> None:
    open_dataset(page, shared_server)
    page.locator(".pixel-grid").focus()
    page.keyboard.press("ArrowDown")  # begins in the middle, row 15 and column 15 as people count
    expect(page.get_by_text("Row 15, column 15: ")).to_be_visible()
    for key, steps in (("ArrowDown", ROW - 14), ("ArrowUp", 14 - ROW), ("ArrowRight", COLUMN - 14)):
        for _ in range(steps):
            page.keyboard.press(key)
    for _ in range(14 - COLUMN):
        page.keyboard.press("ArrowLeft")
    expect_values(page, ROW, COLUMN)
    page.keyboard.press("Escape")
    expect(page.locator(".magnifier")).to_be_hidden()


def test_finger_enlarges_and_the_chosen_digit_stands_before_the_tiles(shared_server: Server, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 400, "height": 860}, has_touch=True, is_mobile=True)
    context.set_default_timeout(TIMEOUT_MS)
    page = context.new_page()
    open_dataset(page, shared_server)
    tiles, heading = (
        each.bounding_box()
        for each in (
            page.get_by_role("group", name="Digits of the train set"),
            page.get_by_role("heading", name="Number 0: a 5"),
        )
    )
    assert tiles
    assert heading
    assert heading["y"] < tiles["y"]
    x, y = place_of(page, ROW, COLUMN)
    page.touchscreen.tap(x, y)
    expect_values(page, ROW, COLUMN)
    magnifier = page.locator(".magnifier").bounding_box()
    assert magnifier
    assert magnifier["y"] + magnifier["height"] < y  # the finger does not hide it
    context.close()


def test_idx_files_are_uploaded_looked_at_and_kept(
    start_server: Callable[..., Server], page: Page, tmp_path: Path
) -> None:
    write_idx_files(make_turned_digits(load_mnist()), tmp_path / "idx")
    page.goto(f"{start_server().url}/dataset")
    page.get_by_text("Add your own data set").click()
    page.locator("input[type=file]").set_input_files(sorted((tmp_path / "idx").iterdir()))
    expect(page.get_by_text("IDX files: 600 training and 90 test images in 3 classes.")).to_be_visible()
    expect(page.get_by_role("group", name="Some images of each class").get_by_role("button")).to_have_count(18)
    page.get_by_label("Name", exact=True).fill("Turned")
    page.get_by_label("Classes, in the order of their labels").fill("Zero, One, Two")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.get_by_text("Turned: 600 images to train with")).to_be_visible()
    expect(page).to_have_url(re.compile(r"data=Turned"))
    page.reload()  # the address names it
    page.get_by_role("radio", name="Two").click()
    expect(page.get_by_text("images of Two")).to_be_visible()
    page.get_by_role("button", name="Remove this data set").click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_text("MNIST: 60,000 digits")).to_be_visible()
