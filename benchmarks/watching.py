"""Measure a training that is watched: how soon a digit turns right, and what watching costs the trainer.

    python -m benchmarks.watching [--rounds 3] [--json]

First digit: from the click on Start until more of the twenty digits are marked right than by the untrained
network, on the Train screen in Chromium. What watching costs: the first epoch of the paper's recipe trained in
turns without the file of the newest weights, with it but with nobody looking, and with the Train screen open in
Chromium, which itself takes a share of the processor. The times are those of the epoch's batches.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from mnist_lib.config import PRESETS
from mnist_lib.paths import PROJECT_PATH
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from mnist_lib.training.launch import start_training
from tests.support.browser import Server, launch_browser

EPOCH_OF_THE_PAPER = replace(PRESETS["paper"], preset="custom", epochs=1)

# The command line at a trainer's priority, with a training that does not write its newest weights.
WITHOUT_LIVE_WEIGHTS = """
import sys
from mnist_lib.command_line import main
from mnist_lib.machine import run_in_background
from mnist_lib.network import weights
weights.write_live_network = lambda *_: None
run_in_background()
sys.exit(main(sys.argv[1:]))
"""

WATCH_THE_DIGITS = """
() => {
  const right = () => document.querySelectorAll(".watched .right").length;
  const untrained = () => document.querySelector('[data-testid="stMain"]').textContent.includes("without any training");
  const button = [...document.querySelectorAll("button")].find((each) => each.textContent.includes("Start training"));
  const began = performance.now();
  let before = null;
  const look = () => {
    if (untrained()) before = right();
    else if (before !== null && right() > before) {
      window.secondsToDigit = (performance.now() - began) / 1000;
      return;
    }
    requestAnimationFrame(look);
  };
  button.click();
  look();
}
"""


def first_digit(page: Page, server: Server, preset: str) -> float:
    """Start a training on the screen and return the seconds until the first digit turns right."""
    page.goto(f"{server.url}/train")
    page.get_by_test_id("stMain").get_by_text(preset, exact=True).click()
    page.wait_for_timeout(2_000)
    page.evaluate(WATCH_THE_DIGITS)
    seconds = page.wait_for_function("window.secondsToDigit", timeout=120_000).json_value()
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("button", name="Start training")).to_be_enabled(timeout=120_000)
    return seconds


def epoch_without_live_weights(runs_path: Path) -> float:
    """Train an epoch without writing its newest weights, and return its seconds."""
    settings = ["--preset", "paper", "--epochs", "1", "--runs-dir", str(runs_path), "--json"]
    command = [sys.executable, "-c", WITHOUT_LIVE_WEIGHTS, "train", *settings]
    done = subprocess.run(command, cwd=PROJECT_PATH, check=True, capture_output=True, text=True)
    return _epoch_seconds(Run(runs_path / json.loads(done.stdout.splitlines()[-1])["run_id"]))


def epoch_with_live_weights(runs_path: Path, page: Page, url: str | None) -> float:
    """Train an epoch as the Start button does, and return its seconds.

    Args:
        runs_path: The runs folder.
        page: A browser tab.
        url: The address of the server whose Train screen is open meanwhile, or None to look at nothing.
    """
    page.goto("about:blank")
    run = start_training(RunStore(runs_path), EPOCH_OF_THE_PAPER)
    if url:
        page.goto(f"{url}/train?run={run.run_id}")
    while run.read().is_active:
        page.wait_for_timeout(200)
    return _epoch_seconds(run)


def _epoch_seconds(run: Run) -> float:
    time.sleep(1)  # the next run has another name
    return run.read().epochs[0].seconds


def measure(rounds: int) -> dict[str, list[float]]:
    """Return the times in seconds by what was measured."""
    measured: dict[str, list[float]] = {}
    with ExitStack() as at_end:
        runs_path = Path(at_end.enter_context(tempfile.TemporaryDirectory()))
        browser = launch_browser(at_end.enter_context(sync_playwright()))
        server = Server(runs_path)
        at_end.callback(server.kill)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        for preset in ("paper", "fast"):
            measured[f"Start to the first digit right, {preset}"] = [
                first_digit(page, server, preset) for _ in range(rounds)
            ]
        ways = {"an epoch without live weights": [], "with them": [], "with them, watched": []}
        for _ in range(rounds):
            ways["an epoch without live weights"].append(epoch_without_live_weights(runs_path))
            ways["with them"].append(epoch_with_live_weights(runs_path, page, None))
            ways["with them, watched"].append(epoch_with_live_weights(runs_path, page, server.url))
        measured |= ways
    return measured


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    measured = measure(options.rounds)
    if options.json:
        print(json.dumps(measured))
        return
    for name, times in measured.items():
        each = ", ".join(f"{seconds:.2f}" for seconds in times)
        print(f"{name:<42}{statistics.median(times):>7.2f} s  ({each})")


if __name__ == "__main__":
    main()
