"""Where a dashboard is deployed: below a path, behind a proxy, and asked to end by a signal."""

from __future__ import annotations

import os
import re
import signal
import zipfile

import pytest
from playwright.sync_api import Page, Response, expect

from mnist_lib.runs.store import RunStore
from tests.browser.test_dashboard import start_training, wait_for_curves
from tests.support.browser import SCREENS, StartServer, download, expect_screen, go_to, wait_until_drawn
from tests.support.processes import wait_until
from tests.support.proxy import cutting_proxy
from tests.support.runs import BUNDLED_RUN
from tests.support.visits import draw_a_one

# Streamlit's page looks for its server below the longest path first, and finds out that the last part is a screen.
LOOKING_FOR_THE_SERVER = re.compile(r"/mnist/\w+/_stcore/(health|host-config)$")

UNSEEN_PICTURES = "[...document.images].filter(image => image.complete && !image.naturalWidth).map(image => image.src)"


def test_all_works_below_a_path_and_behind_a_proxy_that_cuts_connections(start_server: StartServer, page: Page) -> None:
    server = start_server(base_path="/mnist")
    faults: list[str] = []

    def check(response: Response) -> None:
        if response.status >= 400 and not LOOKING_FOR_THE_SERVER.search(response.url):
            faults.append(f"{response.status} {response.url}")

    page.on("response", check)
    page.on("pageerror", lambda error: faults.append(str(error)))
    with cutting_proxy(server.port) as proxy:
        url = f"http://127.0.0.1:{proxy.port}/mnist"
        for name in SCREENS:
            page.goto(f"{url}/{name.lower()}" if name != "Overview" else url)
            expect_screen(page, name)
            wait_until_drawn(page)
            assert page.evaluate(UNSEEN_PICTURES) == []

        draw_a_one(page)
        before = set(proxy.web_sockets)
        proxy.cut()
        wait_until(lambda: proxy.web_sockets - before)
        wait_until_drawn(page)
        expect(page.get_by_role("heading", name="It reads a 1", exact=True)).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        expect(page.get_by_text("Nothing is drawn yet.")).to_be_visible()

        go_to(page, "Mistakes")
        expect(page).to_have_url(re.compile(f"^{url}/mistakes"))
        page.get_by_role("tab", name="Download").click()
        assert b"<html" in download(page, "Report").path().read_bytes()[:200]
        run_path = download(page, "The whole run").path()
        assert f"{BUNDLED_RUN.run_id}/config.json" in zipfile.ZipFile(run_path).namelist()
    assert faults == []


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_server_that_is_asked_to_end_says_so_and_keeps_its_training(start_server: StartServer, page: Page) -> None:
    server = start_server(MNIST_ON_EXIT="stop")
    page.goto(f"{server.url}/train")
    start_training(page, epochs=100, images=640)
    wait_for_curves(page)
    (run,) = RunStore(server.runs_path).own_runs()
    server.process.send_signal(signal.SIGTERM)
    expect(page.get_by_role("dialog")).to_contain_text("Connection error")
    assert server.process.wait() == 0
    assert run.read().state == "stopped"
    assert run.model_path.is_file()
    start_server(server.port)
    expect(page.get_by_role("dialog")).not_to_be_visible()
    expect(page.get_by_role("button", name="Continue from epoch")).to_be_enabled()
