"""At every width no text is cut, nothing overlaps and nothing scrolls sideways, in whatever state a run is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, wait_until_drawn
from tests.support.layout import check_layout
from tests.support.runs import copy_bundled_run, let_it_train

SCREENS = ("", "dataset", "model", "train", "mistakes", "runs", "experiments", "draw")


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


@pytest.mark.parametrize("number", range(3), ids=["long name", "damaged", "first epoch"])
def test_everything_of_a_run_in_another_state_has_room(number: int, server: Server, page: Page) -> None:
    store = RunStore(server.runs_path)
    runs = sorted(store.own_runs(), key=lambda run: run.run_id)
    let_it_train(Run(runs[-1].path), store, epoch=1, step=400, total_steps=9_375)
    for screen in SCREENS:
        page.goto(f"{server.url}/{screen}?run={runs[number].run_id}&runs={runs[number].run_id}")
        wait_until_drawn(page)
        check_layout(page, f"/{screen}")
