"""On every screen and at every width, no text is cut, nothing overlaps and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, wait_until_drawn
from tests.support.runs import copy_bundled_run, let_it_train
from tests.support.visits import VISITS

WIDTHS = (1440, 1024, 820, 400)
SCREENS = ("", "dataset", "model", "train", "mistakes", "runs", "draw")

LAYOUT_FAULTS = (Path(__file__).parents[1] / "support" / "layout_faults.js").read_text()

# What is not this project's or not meant: kind of fault, element, reason.
EXCEPTIONS = [
    # Icons are words of a font, which a box as large as the icon cuts by design.
    ("cut", "[data-testid='stIconMaterial']"),
    ("overlap", "[data-testid='stIconMaterial']"),
    # A name is as long as a person likes: its field shows the beginning, the list and the screen all of it.
    ("cut", "[data-testid='stSidebar'] [role='combobox']"),
    # Signs of a formula are put into each other.
    ("overlap", ".katex"),
    # Streamlit lays an arrow over the tabs where not all of them fit.
    ("overlap", "[role='tablist'], [data-testid='stTabs'] > * > button"),
]


def check_layout(page: Page, address: str) -> None:
    faults = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        page.get_by_test_id("stMain").evaluate("main => main.scrollTo(0, 0)")
        for _ in range(10):  # a busy browser draws the figures anew in their new size a second later
            found = page.evaluate(LAYOUT_FAULTS, EXCEPTIONS)
            if not found:
                break
        faults += [f"{address} at {width} px: {fault}" for fault in found]
    assert faults == []
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a run of a long name, a damaged run, and one in its first epoch."""
    store = RunStore(tmp_path_factory.mktemp("states") / "runs")
    run = copy_bundled_run(store, f"20260101-000000-{'a-long-name-' * 15}end")
    run.note_path.write_text("A long note. " * 50)
    run = copy_bundled_run(store, "20260102-000000-damaged")
    for path in (run.path / "config.json", run.model_path, *run.path.glob("epochs/*")):
        path.write_text("{")
    run = copy_bundled_run(store, "20260103-000000-first-epoch")
    for path in (run.model_path, *run.path.glob("epochs/*")):
        path.unlink()
    metrics = run.path / "metrics.jsonl"
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:20]))
    server = Server(store.root)
    yield server
    server.kill()


@pytest.mark.parametrize("name", VISITS)
def test_everything_of_the_shipped_runs_has_room(name: str, shared_server: Server, page: Page) -> None:
    visit = VISITS[name]
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{shared_server.url}{visit.address}")
    visit.act(page)
    check_layout(page, visit.address)


@pytest.mark.parametrize("number", range(3), ids=["long name", "damaged", "first epoch"])
def test_everything_of_a_run_in_another_state_has_room(number: int, server: Server, page: Page) -> None:
    store = RunStore(server.runs_path)
    runs = sorted(store.own_runs(), key=lambda run: run.run_id)
    let_it_train(Run(runs[-1].path), store, epoch=1, step=400, total_steps=9_375)
    for screen in SCREENS:
        page.goto(f"{server.url}/{screen}?run={runs[number].run_id}&runs={runs[number].run_id}")
        wait_until_drawn(page)
        check_layout(page, f"/{screen}")
