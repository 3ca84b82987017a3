"""Mistakes and Runs in a real browser: what AppTest cannot press."""

from __future__ import annotations

import json
import re
import shutil
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from mnist_lib.data.dataset import load_mnist
from mnist_lib.runs.run import Run
from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, download, wait_until_drawn, wait_until_run
from tests.support.runs import BUNDLED_RUN, PAPER_RUN, change_json, copy_bundled_run, title_of

LABELS = load_mnist().test_labels

# What a person sees, twenty times a second: epoch, how many are misread, how many tiles.
RECORD = """() => {
  window.seen = [];
  const roots = () => [...document.querySelectorAll("*")].map(({ shadowRoot }) => shadowRoot).filter(Boolean);
  window.look = () => window.seen.push([
    document.querySelector("input[aria-label='Network after epoch']")?.getAttribute("aria-valuetext"),
    document.body.innerText.match(/([\\d,]+) of 10,000 test images are misread/)?.[1],
    roots().flatMap((root) => [...root.querySelectorAll("[aria-label='Test images'] button")]).length,
  ]);
  setInterval(window.look, 50);
}"""


def tiles_of(page: Page) -> Locator:
    return page.get_by_role("group", name="Test images").get_by_role("button")


def image_of(tile: Locator) -> int:
    return int((tile.get_attribute("data-id")) or -1)


def click_cell(page: Page, true_digit: int, predicted_digit: int) -> None:
    """Click a cell of the confusion matrix where it lies."""
    plot = page.locator(".live-figure.clickable .js-plotly-plot")
    plot.scroll_into_view_if_needed()
    box = plot.locator(".nsewdrag").bounding_box()
    assert box
    x = box["x"] + box["width"] * (predicted_digit + 0.5) / 10
    y = box["y"] + box["height"] * (true_digit + 0.5) / 10
    page.mouse.move(x - 3, y - 3)
    page.mouse.move(x, y)
    # Plotly looks a moment later what lies below the pointer, and takes the click for that.
    cell = [plot.element_handle(), true_digit, predicted_digit]
    page.wait_for_function("([plot, ...cell]) => `${plot._hoverdata?.[0]?.pointNumber}` === `${cell}`", arg=cell)
    page.mouse.click(x, y)


def test_cell_of_the_matrix_filters_and_a_second_click_takes_it_off(shared_server: Server, page: Page) -> None:
    answers = BUNDLED_RUN.probabilities().argmax(axis=1)
    wrong = answers != LABELS
    page.goto(f"{shared_server.url}/mistakes")
    expect(tiles_of(page)).to_have_count(int(wrong.sum()))
    click_cell(page, 9, 4)
    cell = np.flatnonzero((LABELS == 9) & (answers == 4))
    expect(tiles_of(page)).to_have_count(len(cell))
    assert {image_of(tile) for tile in tiles_of(page).all()} == set(cell.tolist())
    expect(page).to_have_url(re.compile("true=9"))
    expect(page).to_have_url(re.compile("read_as=4"))
    click_cell(page, 9, 4)
    expect(tiles_of(page)).to_have_count(int(wrong.sum()))
    click_cell(page, 3, 3)  # the right ones, of which there are pages
    expect(tiles_of(page)).to_have_count(200)
    expect(page).to_have_url(re.compile(r"show=read(\+|%20)correctly"))


def test_arrow_keys_walk_and_the_link_shows_another_person_the_same(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/mistakes?true=9&order=test+set+order&epoch=7")
    answers = BUNDLED_RUN.probabilities(7).argmax(axis=1)
    expected = np.flatnonzero((answers != LABELS) & (LABELS == 9)).tolist()
    expect(tiles_of(page)).to_have_count(len(expected))
    assert [image_of(tile) for tile in tiles_of(page).all()] == expected
    expect(page.get_by_text(f"are misread by {BUNDLED_RUN.run_id} after epoch 7")).to_be_visible()
    tiles_of(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    third = expected[2]
    title = f"Image {third:,}: a 9, read as {answers[third]}"
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(tiles_of(page).nth(2)).to_be_focused()
    expect(tiles_of(page).nth(2)).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(f"image={third}"))

    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name=title)).to_be_visible()
    expect(tiles_of(other)).to_have_count(len(expected))
    page.keyboard.press("Home")
    expect(page.get_by_role("heading", name=re.compile(f"Image {expected[0]:,}: "))).to_be_visible()


def test_cells_of_the_matrix_have_room_for_their_counts(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/mistakes")
    plot = page.locator(".live-figure.clickable .js-plotly-plot").first
    expect(plot.locator(".nsewdrag")).to_be_attached()
    for width in (1280, 1024, 820, 700):
        page.set_viewport_size({"width": width, "height": 768})
        page.wait_for_function("plot => plot._fullLayout.width === plot.clientWidth", arg=plot.element_handle())
        box = plot.locator(".nsewdrag").bounding_box()
        assert box
        assert box["width"] / 10 > 25, width  # px; "1,028" takes some 25


def test_slider_goes_through_the_epochs(shared_server: Server, page: Page) -> None:
    page.goto(f"{shared_server.url}/mistakes")
    *_, before, last = BUNDLED_RUN.epochs_with_probabilities()
    expect(page.get_by_text(f"after epoch {last}:")).to_be_visible()
    page.get_by_role("slider", name="Network after epoch").focus()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(f"after epoch {before}:")).to_be_visible()
    wrong = int((BUNDLED_RUN.probabilities(before).argmax(axis=1) != LABELS).sum())
    expect(tiles_of(page)).to_have_count(wrong)
    expect(page).to_have_url(re.compile(f"epoch={before}"))
    page.get_by_role("tab", name="Download").click()
    downloaded = download(page, "Mistakes")
    assert downloaded.suggested_filename == f"{BUNDLED_RUN.run_id}-epoch-{before}-mistakes.csv"
    assert len(downloaded.path().read_text().splitlines()) == 1 + wrong


def test_play_goes_through_the_epochs_and_stops_at_the_last(shared_server: Server, page: Page) -> None:
    epochs = PAPER_RUN.epochs_with_probabilities()
    wrong = {epoch: int((PAPER_RUN.probabilities(epoch).argmax(axis=1) != LABELS).sum()) for epoch in epochs}
    slider = page.get_by_role("slider", name="Network after epoch")

    def expect_epoch(epoch: int) -> None:
        expect(slider).to_have_attribute("aria-valuetext", str(epoch))
        expect(page.get_by_text(f"{wrong[epoch]:,} of 10,000 test images are misread")).to_be_visible()
        expect(tiles_of(page)).to_have_count(min(wrong[epoch], 200))

    page.goto(f"{shared_server.url}/mistakes?run={PAPER_RUN.run_id}")
    expect_epoch(epochs[-1])
    page.evaluate(RECORD)
    page.get_by_role("button", name="Play").click()  # at the last one it begins with the first
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect_epoch(epochs[-1])
    expected = [[str(epoch), f"{wrong[epoch]:,}", min(wrong[epoch], 200)] for epoch in (epochs[-1], *epochs)]
    seen = page.evaluate("(look(), seen)")
    assert [each for each, _ in groupby(filter(expected.__contains__, seen))] == expected, seen
    page.get_by_role("button", name="Play").click()
    expect_epoch(epochs[0])
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(500)  # a step that had been asked for still comes
    wait_until_run(page)
    paused_at = int(slider.get_attribute("aria-valuetext") or "")
    expect(page).to_have_url(re.compile(f"epoch={paused_at}"))
    slider.press("End")
    expect_epoch(epochs[-1])
    slider.press("Home")
    expect_epoch(epochs[0])
    page.get_by_role("button", name="Play").click()
    # In the second between two steps; Streamlit drops what is chosen while one of them is on its way.
    place = [slider.element_handle(), str(epochs[1])]
    page.wait_for_function("([slider, epoch]) => slider.getAttribute('aria-valuetext') === epoch", arg=place)
    slider.press("End")  # a person may move on while it plays
    expect_epoch(epochs[-1])
    expect(page.get_by_role("button", name="Play")).to_be_visible()


@pytest.mark.parametrize("screen", ["mistakes", "draw"])
def test_run_that_was_deleted_elsewhere_is_said_to_be_gone(
    shared_server: Server, shared_store: RunStore, page: Page, screen: str
) -> None:
    run = Run(shutil.copytree(BUNDLED_RUN.path, shared_store.root / "20260101-000000-accurate-seed9"))
    page.goto(f"{shared_server.url}/{screen}?run={run.run_id}")
    canvas = page.locator("canvas.upper-canvas")
    slider = page.get_by_role("slider", name="Network after epoch")
    expect(slider if screen == "mistakes" else canvas).to_be_visible()
    title = title_of(run)
    shutil.rmtree(run.path)
    if screen == "mistakes":
        slider.press("ArrowLeft")
    else:
        canvas.click(position={"x": 100, "y": 100})
    expect(page.get_by_text(f"The run {title} is gone. Showing {BUNDLED_RUN.run_id} instead.")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_columns_out_of_sight_are_named(shared_server: Server, shared_store: RunStore, page: Page) -> None:
    run = copy_bundled_run(shared_store)
    settings = json.loads((run.path / "config.json").read_text())["settings"]
    change_json(run.path / "config.json", settings=settings | {"batch_size": 64, "learning_rate": 0.002, "seed": 9})
    page.goto(f"{shared_server.url}/runs")
    expect(page.get_by_test_id("stDataFrameResizable")).to_be_visible()
    table = page.locator(".dvn-scroller")
    line = page.locator(".further")
    expect(line).to_have_count(1)
    for width in (1440, 1024, 820, 400):
        page.set_viewport_size({"width": width, "height": 860})
        if width < 1440:
            expect(line.locator("span").last).to_be_visible()
            expect(line.locator("span").first).to_be_hidden()
        else:
            expect(line).to_be_hidden()
        assert table.evaluate("table => table.scrollWidth > table.clientWidth") == (width < 1440)


def test_run_is_taken_away_loaded_again_and_compared(
    shared_server: Server, shared_store: RunStore, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{shared_server.url}/runs?runs=pretrained-paper")
    wait_until_drawn(page)
    page.get_by_text("Download", exact=True).click()
    path = tmp_path / "run.zip"
    download(page, "The whole run").save_as(path)

    page.get_by_role("button", name="Load a run").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_role("heading", name="pretrained-paper-2")).to_be_visible()
    (loaded,) = shared_store.own_runs()
    assert (loaded.read().state, loaded.run_id) == ("finished", "pretrained-paper-2")

    before = set(shared_store.root.iterdir())
    path.write_bytes(path.read_bytes()[:100_000])
    page.get_by_role("button", name="Load a run").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_test_id("stPopoverBody").get_by_test_id("stAlert")).to_be_visible()
    assert set(shared_store.root.iterdir()) == before

    page.goto(f"{shared_server.url}/runs?runs=pretrained-paper-2,pretrained-accurate")
    paper, accurate = (run.probabilities().argmax(axis=1) == LABELS for run in (loaded, BUNDLED_RUN))
    numbers = sorted([(paper & ~accurate).sum(), (accurate & ~paper).sum()])
    found = [
        int(page.get_by_text(re.compile(rf"^{name}: \d+$")).inner_text().split()[1]) for name in ("Fixed", "Broken")
    ]
    assert sorted(found) == numbers
