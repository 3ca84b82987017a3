"""Learn from my drawings, from the button to what came of it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from mnist_lib.data.dataset import Dataset
from mnist_lib.drawing.own_test_set import OwnDigits
from mnist_lib.runs.store import RunStore
from tests.support.browser import TRAINING_TIMEOUT_MS, Server
from tests.support.drawings import keep_digits


def test_drawings_are_learned_and_the_outcome_stays_without_them(
    start_server: Callable[..., Server], page: Page, dataset: Dataset
) -> None:
    server = start_server()
    own = OwnDigits.beside(server.runs_path)
    keep_digits(own, dataset, 20)
    page.goto(f"{server.url}/draw?run=pretrained-paper")
    page.get_by_role("button", name="Learn from my drawings").click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("This run learns.")).to_be_visible()
    own.clear()
    heading = page.get_by_role("heading", name="What it learned from drawings")
    expect(heading).to_be_visible(timeout=TRAINING_TIMEOUT_MS)
    expect(page.get_by_text("that it had not seen")).to_be_visible()
    expect(page.get_by_text("Both read the same images correctly.")).to_be_visible()
    expect(page.get_by_text(r"Learned: 0 of the drawings")).to_be_visible()
    (run,) = RunStore(server.runs_path).own_runs()
    assert run.read_config()[0].preset == "handwriting"
