"""Measure how fast the screens are, in a real server and a real Chromium.

    python -m benchmarks.screens [--repeats 10] [--runs 0] [--json]

First paint: from the request to the visible heading, the first request of a fresh
server, with a deep link. Page switch: from the click in the menu to the other screen's
heading. Stroke to prediction: from the mouse going up to the new answer, and on Overview to
the new picture of the layers; the first drawing is the same in a server that has just
started. Of that, reading a drawing is what the server computes, from the canvas's pixels to
the probabilities of all four stages. Rerun under training: from the click on Shuffle to the
changed image, while a training runs at its usual low priority.
Filter change: from the click to a gallery of 200 other tiles. Epoch step: from the key
to another headline, confusion matrix and gallery. Runs: from the click in the menu to
the table. With ``--runs N`` the store holds N runs, a twentieth of them with 20 epochs.
What is measured on Model is said in ``model_screen``. Memory: of the server after all of this.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np
import psutil
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect, sync_playwright

from benchmarks.model_screen import first_picture, measure_picture
from mnist_lib.drawing.normalization import canvas_to_ink, make_stage_images, normalize_drawing
from mnist_lib.network.forward import predict_probabilities
from mnist_lib.runs.networks import load_network
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, draw_stroke, launch_browser

SCREENS = ("Dataset", "Model", "Train", "Mistakes", "Runs", "Experiments", "Draw", "Overview")
# Where it is not the screen's name.
TITLES = {"Overview": "A network that reads handwritten digits"}

# Waits in the page itself, so that the measurement contains no round trip.
CLICK_AND_WAIT = """
async ([button, watched]) => {
  // The name of an icon precedes the text.
  const named = (element) => element.textContent.trim().endsWith(button);
  const target = [...document.querySelectorAll("button, a")].find(named);
  const text = () => [...document.querySelectorAll(watched)].map((element) => element.textContent).join();
  const before = text();
  const began = performance.now();
  target.click();
  while (text() === before || !text()) {
    if (performance.now() - began > 30000) throw new Error("nothing changed after " + button);
    await new Promise(requestAnimationFrame);
  }
  return (performance.now() - began) / 1000;
}
"""

# Also in the page: Playwright's own waiting checks only every half second after a while.
WATCH_THE_HEADING = """
const look = () => {
  if (document.querySelector("h1")?.checkVisibility()) window.secondsToHeading = performance.now() / 1000;
  else requestAnimationFrame(look);
};
look();
"""

WATCH_THE_ANSWER = """
() => {
  const answer = () => [...document.querySelectorAll("h2")].some((heading) => /It reads/.test(heading.textContent));
  addEventListener("mouseup", () => {
    const began = performance.now();
    const look = () => {
      if (answer()) window.secondsToAnswer = (performance.now() - began) / 1000;
      else requestAnimationFrame(look);
    };
    look();
  }, { capture: true, once: true });
  window.secondsToAnswer = null;
}
"""

WATCH_THE_STRIP = """
() => {
  const strip = () => document.querySelector(".strip")?.innerHTML;
  const before = strip();
  addEventListener("mouseup", () => {
    const began = performance.now();
    const look = () => {
      if (strip() && strip() !== before) window.secondsToStrip = (performance.now() - began) / 1000;
      else requestAnimationFrame(look);
    };
    look();
  }, { capture: true, once: true });
  window.secondsToStrip = null;
}
"""

# The gallery is in a shadow root, which a selector from outside does not find.
WATCH_THE_GALLERY = """
([count, text]) => {
  let began = Infinity;  // until the click or the key arrives
  for (const name of ["click", "keydown"]) {
    addEventListener(name, () => { began = Math.min(began, performance.now()); }, { capture: true, once: true });
  }
  const host = [...document.querySelectorAll("[data-testid='stMain'] *")]
    .find((element) => element.shadowRoot?.querySelector(".tiles"));
  const tiles = () => host.shadowRoot.querySelectorAll(".tile");
  const first = () => [...tiles()].map((tile) => tile.title).join();
  const before = first();
  const said = () => !text || document.querySelector('[data-testid="stMain"]').textContent.includes(text);
  const matrix = () => document.querySelector(".st-key-confusion .plot")?.textContent;
  const matrixBefore = matrix();
  const look = () => {
    const arrived = first() !== before && (!count || tiles().length === count);
    if (said() && arrived && (!text || matrix() !== matrixBefore)) {
      window.secondsToGallery = (performance.now() - began) / 1000;
    } else requestAnimationFrame(look);
  };
  window.secondsToGallery = null;
  look();
}
"""


def first_paint(page: Page, folder: Path, name: str) -> float:
    """Start a server and time its first screen, in seconds."""
    server = Server(folder)
    try:
        page.goto(f"{server.url}/{name.lower()}")  # from where the page's own clock begins
        seconds = page.wait_for_function("window.secondsToHeading").json_value()
        expect(page.get_by_role("heading", level=1, name=TITLES.get(name, name), exact=True)).to_be_visible()
        return seconds
    finally:
        server.kill()


def page_switches(page: Page, repeats: int) -> list[float]:
    """Time clicks in the menu, in seconds; the first round warms the caches."""
    times = []
    for number in range(repeats + 1):
        for name in SCREENS:
            seconds = page.evaluate(CLICK_AND_WAIT, [name, "h1"])
            if number:
                times.append(seconds)
            page.wait_for_timeout(700)  # the rest of the screen
    return times


def reruns(page: Page, repeats: int) -> list[float]:
    """Time reruns of the Dataset screen, in seconds."""
    times = []
    for _ in range(repeats):
        times.append(page.evaluate(CLICK_AND_WAIT, ["Shuffle", "h2"]))
        page.wait_for_timeout(700)
    return times


class StrokeTiming(NamedTuple):
    """A screen on which strokes are timed.

    Attributes:
        screen: Its part of the address.
        points: Of the stroke, on a canvas of 280 by 280.
        watch: A script that writes the seconds from the mouse going up into ``seconds``.
        seconds: The name in the page.
        cleared: What the screen says once the canvas is empty again.
    """

    screen: str
    points: tuple[tuple[int, int], ...]
    watch: str
    seconds: str
    cleared: str


ON_DRAW = StrokeTiming(
    "draw", ((70, 70), (210, 70), (120, 230)), WATCH_THE_ANSWER, "secondsToAnswer", "Nothing is drawn yet."
)
ON_OVERVIEW = StrokeTiming("", ((140, 40), (140, 240)), WATCH_THE_STRIP, "secondsToStrip", "This is a test digit.")


def strokes(page: Page, url: str, timing: StrokeTiming, repeats: int) -> list[float]:
    """Time strokes on a fresh canvas, in seconds."""
    times = []
    page.goto(f"{url}/{timing.screen}")
    for _ in range(repeats):
        page.wait_for_timeout(1_000)
        page.evaluate(timing.watch)
        draw_stroke(page, timing.points)
        times.append(page.wait_for_function(f"window.{timing.seconds}").json_value())
        page.get_by_role("button", name="Clear", exact=True).click()
        expect(page.get_by_text(timing.cleared)).to_be_visible()
    return times


def filter_changes(page: Page, url: str, repeats: int) -> list[float]:
    """Time changes of the filter to 200 tiles, in seconds; the first round warms the caches."""
    times = []
    page.goto(f"{url}/mistakes?show=read+correctly")
    page.wait_for_timeout(4_000)
    for number in range(repeats + 1):
        for digit in ("3", "8"):
            page.get_by_role("combobox", name="True digit").click()
            option = page.get_by_role("option", name=digit, exact=True)
            option.wait_for()
            page.evaluate(WATCH_THE_GALLERY, [200, ""])
            option.click()
            seconds = page.wait_for_function("window.secondsToGallery").json_value()
            if number:
                times.append(seconds)
            page.wait_for_timeout(1_000)
    return times


def epoch_steps(page: Page, url: str, repeats: int) -> list[float]:
    """Time steps of the time machine, in seconds; the first one warms the caches."""
    times = []
    run = RunStore.default().bundled_runs()[0]
    before = run.epochs_with_probabilities()[-2]
    page.goto(f"{url}/mistakes?run={run.run_id}")
    page.wait_for_timeout(4_000)
    page.get_by_role("slider", name="Network after epoch").focus()
    for number in range(repeats + 1):
        page.evaluate(WATCH_THE_GALLERY, [0, f"after epoch {before - number}:"])
        page.keyboard.press("ArrowLeft")
        seconds = page.wait_for_function("window.secondsToGallery").json_value()
        if number:
            times.append(seconds)
        page.wait_for_timeout(1_000)
    return times


def runs_tables(page: Page, url: str, repeats: int) -> list[float]:
    """Time how long the table of all runs takes, in seconds; the first time warms the caches."""
    times = []
    page.goto(f"{url}/dataset")
    page.wait_for_timeout(3_000)
    menu = page.get_by_test_id("stSidebarNav")
    for number in range(repeats + 1):
        seconds = page.evaluate(CLICK_AND_WAIT, ["Runs", '[data-testid="stDataFrame"] canvas'])
        if number:
            times.append(seconds)
        page.wait_for_timeout(700)
        menu.get_by_role("link", name="Dataset").click()
        expect(page.get_by_role("heading", level=1, name="Dataset")).to_be_visible()
        page.wait_for_timeout(1_500)
    return times


def fill_store(folder: Path, count: int) -> None:
    """Fill a store with finished runs: one in twenty is the accurate one, the others are the paper's."""
    accurate, paper = RunStore.default().bundled_runs()

    def link(source: str, target: str) -> None:
        Path(target).symlink_to(source)

    for number in range(count):
        run = paper if number % 20 else accurate
        shutil.copytree(run.path, folder / f"20260101-{number:06d}-{run.run_id}", copy_function=link)


def readings(repeats: int) -> list[float]:
    """Time what the Draw screen computes for a stroke, in seconds; the first one warms up the network."""
    canvas = Image.new("RGBA", (280, 280), "black")
    ImageDraw.Draw(canvas).line([(70, 70), (210, 70), (120, 230)], fill="white", width=20, joint="curve")
    rgba = np.asarray(canvas)
    network = load_network(RunStore.default().bundled_runs()[0])
    times = []
    for number in range(repeats + 1):
        began = time.perf_counter()
        ink = canvas_to_ink(rgba)
        predict_probabilities(network, make_stage_images(ink, normalize_drawing(ink)))
        if number:
            times.append(time.perf_counter() - began)
    return times


def measure(repeats: int, runs: int) -> tuple[dict[str, dict[str, float]], float]:
    """Return median and worst of each time, in seconds, and the server's memory at the end, in megabytes."""
    measured: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright, ExitStack() as at_end:
        browser = launch_browser(playwright)
        runs_path = Path(folder)
        fill_store(runs_path, runs)
        measured["first paint"] = []
        for name in SCREENS:
            context = browser.new_context()
            context.add_init_script(WATCH_THE_HEADING)
            measured["first paint"].append(first_paint(context.new_page(), runs_path, name))
            context.close()
        measured["first picture on Model"] = [first_picture(browser, runs_path) for _ in range(3)]
        server = Server(runs_path)
        at_end.callback(server.kill)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(server.url)
        page.wait_for_timeout(2_000)
        measured["first drawing"] = strokes(page, server.url, ON_DRAW, 1)
        page.goto(server.url)
        page.wait_for_timeout(2_000)
        measured["page switch"] = page_switches(page, max(repeats // 5, 2))
        page.goto(f"{server.url}/dataset")
        page.wait_for_timeout(2_000)
        measured["rerun"] = reruns(page, repeats)
        measured["filter change"] = filter_changes(page, server.url, max(repeats // 2, 2))
        measured["epoch step"] = epoch_steps(page, server.url, repeats)
        measured["runs"] = runs_tables(page, server.url, max(repeats // 2, 2))
        measured["stroke to prediction"] = strokes(page, server.url, ON_DRAW, repeats)
        measured["stroke on Overview"] = strokes(page, server.url, ON_OVERVIEW, repeats)
        measured["reading a drawing"] = readings(repeats)
        measured |= {f"{name} on Model": times for name, times in measure_picture(page, server.url, repeats).items()}

        page.goto(f"{server.url}/train")
        page.get_by_role("button", name="Start training").click()
        expect(page.get_by_test_id("stMain").get_by_test_id("stProgress")).to_contain_text("images/s", timeout=120_000)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Dataset").click()
        page.wait_for_timeout(3_000)
        measured["rerun under training"] = reruns(page, repeats)
        page.get_by_test_id("stSidebarNav").get_by_role("link", name="Train").click()
        page.get_by_role("button", name="Stop", exact=True).click()
        expect(page.get_by_role("button", name="Start training")).to_be_enabled(timeout=120_000)
        browser.close()
        memory_mb = psutil.Process(server.process.pid).memory_info().rss / 1e6
    rows = {
        name: {"median": statistics.median(times), "worst": max(times), "count": len(times)}
        for name, times in measured.items()
    }
    return rows, memory_mb


def main() -> None:
    """Print the table, or with --json one object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows, memory_mb = measure(options.repeats, options.runs)
    if options.json:
        print(json.dumps(rows | {"memory_mb": memory_mb}))
        return
    print(f"{'':<22}{'median s':>9}{'worst s':>9}{'count':>7}")
    for name, row in rows.items():
        print(f"{name:<22}{row['median']:>9.3f}{row['worst']:>9.3f}{row['count']:>7}")
    print(f"{'memory':<22}{memory_mb:>9,.0f} MB")


if __name__ == "__main__":
    main()
