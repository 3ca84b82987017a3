"""Measure the screens while one run waits in the queue, and while hundreds do, in a real server and a real Chromium.

    python -m benchmarks.queue [--waiting 1,200] [--repeats 10] [--json]

Page switch and rerun are those of ``benchmarks.screens``. Queue: from the click on *Queue training* to the new number
of runs that wait. Take back: from the click to the same. The queue is paused, so that nothing is trained.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.screens import CLICK_AND_WAIT, page_switches, reruns
from mnist_lib.config import PRESETS
from mnist_lib.runs.queue import RunQueue
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, launch_browser

COUNT = ".st-key-queue strong"


def queueing(page: Page, url: str, repeats: int) -> tuple[list[float], list[float]]:
    """Time clicks on *Queue training* and on *Take back*, in seconds."""
    page.goto(f"{url}/train")
    page.wait_for_timeout(4_000)
    queued, taken_back = [], []
    for _ in range(repeats):
        queued.append(page.evaluate(CLICK_AND_WAIT, ["Queue training", COUNT]))
        page.wait_for_timeout(700)
        taken_back.append(page.evaluate(CLICK_AND_WAIT, ["Take back", COUNT]))
        page.wait_for_timeout(700)
    return queued, taken_back


def measure(waiting: int, repeats: int) -> dict[str, dict[str, float]]:
    """Return median and worst of each time, in seconds, while so many runs wait."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        queue = RunQueue(RunStore(Path(folder)))
        queue.pause()
        for seed in range(waiting):
            queue.add(replace(PRESETS["fast"], seed=seed))
        server = Server(Path(folder))
        try:
            page = launch_browser(playwright).new_page(viewport={"width": 1440, "height": 1000})
            page.goto(server.url)
            page.wait_for_timeout(3_000)
            measured = {"page switch": page_switches(page, max(repeats // 5, 2))}
            page.goto(f"{server.url}/dataset")
            page.wait_for_timeout(3_000)
            measured["rerun"] = reruns(page, repeats)
            measured["queue"], measured["take back"] = queueing(page, server.url, repeats)
        finally:
            server.kill()
    return {name: {"median": statistics.median(times), "worst": max(times)} for name, times in measured.items()}


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--waiting", default="1,200", help="numbers of runs that wait, with commas between them")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = {count: measure(int(count), options.repeats) for count in options.waiting.split(",")}
    if options.json:
        print(json.dumps(rows))
        return
    print(f"{'waiting':>8}  {'':<12}{'median s':>9}{'worst s':>9}")
    for count, times in rows.items():
        for name, row in times.items():
            print(f"{count:>8}  {name:<12}{row['median']:>9.3f}{row['worst']:>9.3f}")


if __name__ == "__main__":
    main()
