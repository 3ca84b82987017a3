"""In a real browser: untrusted text never becomes a link or a picture, and sends no request."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, wait_until_drawn
from tests.support.runs import HOSTILE_NAME, HOSTILE_TEXT, PAPER_RUN, copy_bundled_run, make_hostile_run

VISITS = {
    "overview": "/",
    "dataset": "/dataset",
    "model": "/model",
    "train": "/train",
    "mistakes": "/mistakes",
    "runs": "/runs",
    "two runs": f"/runs?runs={quote(HOSTILE_NAME)},{PAPER_RUN.run_id}",
    "draw": "/draw",
}

# Of all that a browser shows or fetches, the shadow roots included: where it leads.
LEADS_AWAY = """() => {
  const found = [], look = (root) => {
    for (const element of root.querySelectorAll("*")) {
      for (const name of ["href", "xlink:href", "src"]) {
        if (element.getAttribute(name)?.includes("//evil.example")) found.push(element.outerHTML);
      }
      if (element.shadowRoot) look(element.shadowRoot);
    }
  };
  look(document);
  return found;
}"""


def letters(text: str) -> re.Pattern[str]:
    """Return what a browser shows where it shows a text letter by letter, whatever without width lies between."""
    signs = (re.escape(sign) for sign in " ".join(text.split()))
    return re.compile("\N{WORD JOINER}?".join(signs))


@pytest.fixture
def requested(page: Page) -> list[str]:
    """The addresses that the page asked for."""
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    return addresses


def check_that_nothing_leads_away(page: Page, requested: list[str], own: str) -> None:
    assert page.evaluate(LEADS_AWAY) == []
    assert requested
    assert [url for url in requested if not url.startswith((own, "data:", "blob:"))] == []


def test_strange_run_is_text_on_every_screen(
    shared_server: Server, shared_store: RunStore, page: Page, requested: list[str]
) -> None:
    server = shared_server
    run = make_hostile_run(shared_store)
    for name, address in VISITS.items():
        page.goto(f"{server.url}{address}{'&' if '?' in address else '?'}run={quote(run.run_id)}")
        wait_until_drawn(page)
        expect(page.get_by_test_id("stSidebar")).to_contain_text(letters(f"Trained on: {HOSTILE_TEXT}"))
        if name not in ("dataset", "model"):  # they name no run
            expect(page.get_by_test_id("stMain")).to_contain_text(letters(HOSTILE_NAME))
        check_that_nothing_leads_away(page, requested, server.url)


def test_strange_address_is_text_on_every_screen(shared_server: Server, page: Page, requested: list[str]) -> None:
    server = shared_server
    parameters = ("run", "runs", "image", "epoch", "show", "true", "read_as", "order", "sure", "page", "split", "digit")
    query = "&".join(f"{name}={quote(HOSTILE_TEXT)}" for name in parameters)
    for path in sorted({address.partition("?")[0] for address in VISITS.values()}):
        page.goto(f"{server.url}{path}?{query}")
        wait_until_drawn(page)
        expect(page.get_by_test_id("stSidebar")).to_contain_text(letters(f"The run {HOSTILE_TEXT} is gone."))
        check_that_nothing_leads_away(page, requested, server.url)


def test_figure_names_runs_and_events_in_text(
    shared_server: Server, shared_store: RunStore, page: Page, requested: list[str]
) -> None:
    server = shared_server
    run, other = make_hostile_run(shared_store), copy_bundled_run(shared_store)
    page.goto(f"{server.url}/runs?runs={other.run_id},{quote(run.run_id)}")
    wait_until_drawn(page)
    legend = page.locator(".live-figure .legendtext").filter(has_text="evil.example").first
    expect(legend).to_have_text(letters(HOSTILE_NAME))
    check_that_nothing_leads_away(page, requested, server.url)
    page.goto(f"{server.url}/train?run={quote(run.run_id)}")
    wait_until_drawn(page)
    page.locator(".live-figure .annotation").first.hover()
    expect(page.locator(".live-figure .hoverlayer text").first).to_have_text(letters(HOSTILE_TEXT))
    check_that_nothing_leads_away(page, requested, server.url)
