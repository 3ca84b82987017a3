"""Take the README's pictures again from the running dashboard.

    python -m tools.take_pictures

The dashboard runs on a free port, with a temporary runs folder. For the picture of a training, one with
the paper's preset is started, and ended in its second epoch. Takes about two minutes.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path

import psutil
from PIL import Image
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from mnist_lib.paths import PROJECT_PATH
from mnist_lib.storage.files import write_whole
from tests.support.browser import BROWSER_NAMES, Server, draw_stroke, launch_browser

PICTURES_PATH = PROJECT_PATH / "docs"

# Height of Streamlit's empty header in pixels.
HEADER = 60

ONE_WITH_AN_UPSTROKE = [(84, 98), (138, 48), (138, 236)]


def take_training(browser: Browser, url: str) -> None:
    """Take the Train screen while the network learns, in its second epoch."""
    page = open_screen(browser, f"{url}/train", 1440, 1250)
    page.get_by_role("button", name="Start training").click()
    progress = page.get_by_test_id("stMain").get_by_test_id("stProgress")
    expect(progress).to_contain_text(re.compile(r"Epoch 2 of 5 · 3\d%"), timeout=900_000)  # a busy machine is slow
    expect(page.get_by_text("test digits read correctly in epoch 2")).to_be_visible()
    save(screenshot(page), "dashboard.png")


def take_mistakes(browser: Browser, url: str) -> None:
    """Take the Mistakes screen of the shipped run after its sixth epoch."""
    page = open_screen(browser, f"{url}/mistakes?run=pretrained-accurate&epoch=6", 1440, 1700)
    expect(page.get_by_text("after epoch 6:")).to_be_visible()
    expect(page.get_by_role("heading", name="Its biography")).to_be_visible()
    save(still_screenshot(page).resize((1080, 1275), Image.Resampling.LANCZOS), "mistakes.png")


def take_overview(browser: Browser, url: str) -> None:
    """Take the first screen with the replay at its end."""
    page = open_screen(browser, f"{url}/?run=pretrained-accurate", 1440, 1130)
    expect(page.get_by_role("button", name="Play again")).to_be_visible(timeout=60_000)
    save(still_screenshot(page), "overview.png")


def take_model(browser: Browser, url: str) -> None:
    """Take the Model screen with a place of the second convolution chosen."""
    page = open_screen(browser, f"{url}/model?run=pretrained-accurate", 1440, 1030)
    page.get_by_role("button", name="Convolution 2 ").first.click()
    expect(page.get_by_role("heading", name="Second convolution")).to_be_visible()
    page.mouse.move(0, 0)
    save(still_screenshot(page), "model.png")


def take_drawing(browser: Browser, url: str) -> None:
    """Take the Draw screen with a one as it is written in much of Europe."""
    page = open_screen(browser, f"{url}/draw?run=pretrained-accurate", 1280, 1250)
    draw_stroke(page, ONE_WITH_AN_UPSTROKE)
    page.mouse.move(0, 0)
    expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
    expect(page.locator(".stages figure")).to_have_count(4)
    save(still_screenshot(page), "draw.png")


def open_screen(browser: Browser, url: str, width: int, height: int) -> Page:
    """Open a light tab with this many visible pixels below the header."""
    page = browser.new_page(viewport={"width": width, "height": height + HEADER}, color_scheme="light")
    page.goto(url)
    return page


def still_screenshot(page: Page) -> Image.Image:
    """Return a screenshot once nothing changes any more, that is, when the next one is the same."""
    before, now = None, screenshot(page)
    while now != before:
        page.wait_for_timeout(1_000)
        before, now = now, screenshot(page)
    return now


def screenshot(page: Page) -> Image.Image:
    """Return the window without the header."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    return picture.crop((0, HEADER, *picture.size))


def save(picture: Image.Image, name: str) -> None:
    """Write the PNG in 256 colours, which is a third of its size and looks the same."""
    path = PICTURES_PATH / name
    few_colors = picture.quantize(256, dither=Image.Dither.NONE)
    write_whole(path, lambda temporary: few_colors.save(temporary, "PNG", optimize=True))
    print(f"{path.relative_to(PROJECT_PATH)}: {picture.width} x {picture.height}, {path.stat().st_size:,} bytes")


def main() -> None:
    """Take all pictures, or say in one line that there is no browser."""
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        try:
            browser = launch_browser(playwright)
        except Error:
            sys.exit(f"No browser was found. Install one so that one of these is on PATH: {' '.join(BROWSER_NAMES)}")
        server = Server(Path(folder) / "runs")
        try:
            take_overview(browser, server.url)
            take_mistakes(browser, server.url)
            take_model(browser, server.url)
            take_drawing(browser, server.url)
            take_training(browser, server.url)
        finally:
            trainers = psutil.Process(server.process.pid).children()
            server.kill()  # first: its trainer outlives it, and would stay its zombie
            for trainer in trainers:
                trainer.kill()
            psutil.wait_procs(trainers, timeout=10)
            browser.close()


if __name__ == "__main__":
    main()
