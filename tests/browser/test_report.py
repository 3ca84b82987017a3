"""The report of a run opens from a disk, in a real browser, and makes no request."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from mnist_lib.data.dataset import Dataset
from mnist_lib.export.report import make_report
from mnist_lib.runs.store import RunStore


def test_report_draws_its_figures_without_a_request(page: Page, tmp_path: Path, dataset: Dataset) -> None:
    path = tmp_path / "report.html"
    path.write_text(make_report(RunStore(tmp_path).bundled_runs()[0], dataset), encoding="utf-8")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(path.as_uri())
    expect(page.locator(".figure .cartesianlayer .subplot")).to_have_count(3)
    expect(
        page.get_by_role("img", name="The loss over the epochs").locator(".scatterlayer .js-line")
    ).not_to_have_count(0)
    for color in ("rgb(28, 34, 48)", "rgb(232, 234, 240)"):
        for place in (".xtick text", ".gtitle", ".legendtext", ".textpoint text"):
            expect(page.locator(f".figure {place}").first).to_have_css("fill", color)
        page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.locator(".figure .main-svg").first).to_have_attribute("width", "368")
    assert page.evaluate("document.documentElement.scrollWidth") == 400
    # What a page could still try is forbidden to it.
    tried = "fetch('http://127.0.0.1:9/').then(() => 'loaded', () => 'refused')"
    assert page.evaluate(tried) == "refused"
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert [text for text in complaints if "127.0.0.1:9" not in text] == []
