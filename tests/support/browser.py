"""A real server and a real Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Download, Locator, Page, Playwright, WebSocketRoute, expect

from tests.support.processes import PROJECT_PATH

BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

# A loaded machine is slow, not wrong.
TIMEOUT_MS = 30_000
# A trainer, which has the lowest priority, loads Keras first.
TRAINING_TIMEOUT_MS = 180_000
expect.set_options(timeout=TIMEOUT_MS)

SCREENS = ("Overview", "Dataset", "Model", "Train", "Mistakes", "Runs", "Experiments", "Draw")


class Server:
    """The dashboard in a process of its own, as ``streamlit run app.py`` starts it."""

    def __init__(
        self,
        runs_path: Path,
        port: int | None = None,
        base_path: str = "",
        project_path: Path = PROJECT_PATH,
        **environment: str,
    ) -> None:
        self.runs_path = runs_path
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}{base_path}"
        options = ["--server.headless=true", f"--server.port={self.port}", f"--server.baseUrlPath={base_path}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=project_path,
            env=os.environ | {"MNIST_RUNS_DIR": str(runs_path)} | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_answers()

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "the server ended"
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the server did not answer within a minute")

    def kill(self) -> None:
        """End it as a crash would, and wait until it is gone."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def launch_browser(playwright: Playwright) -> Browser:
    """Start the Chromium or Chrome of this machine, else Playwright's own."""
    return playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)


class HeldMessages:
    """Holds back what a page says to its server, or the server to it, until it is released.

    It has to be made before the page is opened.
    """

    def __init__(self, page: Page) -> None:
        self.holds_requests = False
        self.holds_answers = False
        self._held: list[tuple[WebSocketRoute, str | bytes]] = []
        page.route_web_socket(re.compile("_stcore/stream"), self._connect)

    def __len__(self) -> int:
        return len(self._held)

    def longest(self) -> int:
        """Return the length of the longest of what is held back: a request holds the state of all fields."""
        return max((len(message) for _, message in self._held), default=0)

    def _connect(self, line: WebSocketRoute) -> None:
        server = line.connect_to_server()
        line.on_message(lambda message: self._pass_on(server, message, self.holds_requests))
        server.on_message(lambda message: self._pass_on(line, message, self.holds_answers))

    def _pass_on(self, receiver: WebSocketRoute, message: str | bytes, hold: bool) -> None:
        if hold:
            self._held.append((receiver, message))
        else:
            receiver.send(message)

    def send(self, count: int) -> None:
        """Send the first ones of what was held back."""
        for receiver, message in self._held[:count]:
            receiver.send(message)
        del self._held[:count]

    def release(self) -> None:
        """Send at once all that was held back, and hold no more."""
        self.holds_requests = self.holds_answers = False
        self.send(len(self))


def launch_profile(playwright: Playwright) -> BrowserContext:
    """Start that browser with a profile, in a new folder, and a tab that stays open.

    A profile keeps compiled scripts on disk. One process for all tabs of a site, which the first of them
    keeps alive, has them at hand: together they halve what it takes to open a screen.
    """
    profile = playwright.chromium.launch_persistent_context(
        "",
        executable_path=browser_path(),
        args=[*ARGUMENTS, "--process-per-site"],
        viewport={"width": 1440, "height": 1000},
        color_scheme="light",
    )
    profile.set_default_timeout(TIMEOUT_MS)
    return profile


def browser_path() -> str | None:
    return next(filter(None, map(shutil.which, BROWSER_NAMES)), None)


def expect_screen(page: Page, name: str) -> None:
    """Wait until the title of a screen, which no other screen has, is there beside all screens."""
    expect(page.get_by_test_id("stSidebarNav").get_by_role("link", name=name)).to_be_visible()
    title = "A network that reads handwritten digits" if name == "Overview" else name
    expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()


def go_to(page: Page, name: str) -> None:
    """Go to another screen by its name beside all screens."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name).click()
    expect_screen(page, name)


def wait_until_drawn(page: Page) -> None:
    """Wait until the screen is complete, its figures included.

    Just after a click it is still complete: what the click changes has to be waited for first.
    """
    expect(page.get_by_test_id("stSidebar").get_by_text("This machine:")).to_be_attached()
    wait_until_run(page)
    for plot in page.locator(".live-figure").all():
        expect(plot.locator(".main-svg").first).to_be_attached()


def wait_until_run(page: Page) -> None:
    """Wait until no script of the page runs."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]')).to_be_visible()


def download(page: Page, name: str) -> Download:
    """Press a button that downloads, once the screen is at rest: Streamlit drops such a click while it is drawn."""
    button = page.get_by_role("button", name=name, exact=True)
    expect(button).to_be_visible()
    wait_until_drawn(page)
    with page.expect_download() as started:
        button.click()
    return started.value


def wait_for(page: Page, condition: Callable[[], object]) -> None:
    """Wait until something has happened outside the page, which goes on meanwhile."""
    deadline = time.monotonic() + TRAINING_TIMEOUT_MS / 1_000
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        page.wait_for_timeout(100)


def canvas_of(page: Page) -> Locator:
    """Return the canvas of the Draw screen, ready for a stroke."""
    canvas = page.locator("canvas.upper-canvas")
    expect(canvas.last).to_be_visible()
    page.wait_for_timeout(500)  # it takes no stroke before its script has set it up
    expect(canvas).to_have_count(1)  # after a clearing, the old one is there for a moment
    return canvas


def draw_stroke(page: Page, points: Sequence[tuple[int, int]]) -> None:
    """Draw a stroke with the mouse through these points, of a canvas of 280 by 280."""
    box = canvas_of(page).bounding_box()
    assert box
    scale = box["width"] / 280
    places = [(box["x"] + scale * x, box["y"] + scale * y) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=10)
    page.mouse.up()


StartServer = Callable[..., Server]
