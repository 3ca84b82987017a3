"""A server and a tab of the browser for each test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, launch_profile
from tests.support.processes import PROJECT_PATH


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Return a function that starts a server; all of them end with the test."""
    servers: list[Server] = []

    def start(port: int | None = None, base_path: str = "", **environment: str) -> Server:
        servers.append(Server(tmp_path / "runs", port, base_path, PROJECT_PATH, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.kill()


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests that leave nothing behind."""
    server = Server(tmp_path_factory.mktemp("shared") / "runs")
    yield server
    server.kill()


@pytest.fixture
def shared_store(shared_server: Server) -> Iterator[RunStore]:
    """The runs of that server: those that a test adds go with it."""
    store = RunStore(shared_server.runs_path)
    yield store
    for run in store.own_runs():
        shutil.rmtree(run.path)


@pytest.fixture(scope="session")
def profile(shared_server: Server) -> Iterator[BrowserContext]:
    """A browser for all tests, whose first tab keeps the process that has compiled Streamlit's scripts."""
    with sync_playwright() as playwright:
        profile = launch_profile(playwright)
        profile.pages[0].goto(f"{shared_server.url}/_stcore/health")
        yield profile
        profile.close()


@pytest.fixture(scope="session")
def browser(profile: BrowserContext) -> Browser:
    """The same browser, for what needs another context."""
    assert profile.browser
    return profile.browser


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """A new tab, wide and light, that remembers nothing of those before it."""
    profile.set_storage_state({})
    page = profile.new_page()
    yield page
    page.close()
