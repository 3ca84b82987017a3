"""A real server and a real Chromium."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

PROJECT_PATH = Path(__file__).parents[2]
BROWSER_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A loaded machine is slow, not wrong.
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)


class Server:
    """The dashboard in a process of its own, as ``streamlit run app.py`` starts it."""

    def __init__(self, runs_path: Path, port: int | None = None) -> None:
        self.runs_path = runs_path
        self.port = port or _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={self.port}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", *options],
            cwd=PROJECT_PATH,
            env=os.environ | {"MNIST_RUNS_DIR": str(runs_path)},
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


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all of them end with the test."""
    servers: list[Server] = []

    def start(port: int | None = None) -> Server:
        servers.append(Server(tmp_path / "runs", port))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for the tests of a file that leave nothing behind."""
    server = Server(tmp_path_factory.mktemp("shared") / "runs")
    yield server
    server.kill()


def launch_browser(playwright: Playwright) -> Browser:
    """Start the Chromium or Chrome of this machine, else Playwright's own."""
    path = next(filter(None, map(shutil.which, BROWSER_NAMES)), None)
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=path, args=arguments)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests; each has a tab of its own."""
    with sync_playwright() as playwright:
        browser = launch_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh browser tab, wide and light."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, color_scheme="light")
    context.set_default_timeout(TIMEOUT_MS)
    yield context.new_page()
    context.close()
