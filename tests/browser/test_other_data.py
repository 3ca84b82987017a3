"""A data set of one's own from the command line to the screens: trained on, misread, drawn for, reported, zipped."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from mnist_lib.data.dataset import Dataset
from mnist_lib.runs.store import RunStore
from tests.support.browser import TRAINING_TIMEOUT_MS, Server, download, draw_stroke
from tests.support.datasets import CLASS_NAMES, make_turned_digits, write_idx_files
from tests.support.processes import Python
from tests.support.runs import title_of

ANY_CLASS = "|".join(CLASS_NAMES)


def test_everything_works_with_a_data_set_of_ones_own(
    start_server: Callable[..., Server], python: Python, page: Page, dataset: Dataset, tmp_path: Path
) -> None:
    server = start_server()
    write_idx_files(make_turned_digits(dataset), tmp_path / "idx")
    names = f"--classes={','.join(CLASS_NAMES)}"
    add = ["datasets", "add", str(tmp_path / "idx"), "--name=Turned", names, "--runs-dir", str(server.runs_path)]
    code, _, stderr = python.run("-m", "mnist_lib", *add)
    assert (code, stderr) == (0, "")

    page.goto(f"{server.url}/train")
    page.get_by_role("combobox", name="Data set").click()
    page.get_by_role("option", name="Turned").click()
    expect(page.get_by_role("spinbutton", name="Training images", exact=True)).to_have_value("600")
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    epochs.fill("1")
    epochs.press("Tab")
    page.get_by_role("button", name="Start training").click()
    read = page.get_by_text(re.compile(r"It reads \d+ of 90 test images correctly"))
    expect(read).to_be_visible(timeout=TRAINING_TIMEOUT_MS)
    run = RunStore(server.runs_path).own_runs()[0]
    title = title_of(run)
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_text("The first of each class")).to_be_visible()

    page.goto(f"{server.url}/mistakes?run={run.run_id}&show=all")
    tiles = page.get_by_role("group", name="Test images").get_by_role("button")
    expect(tiles).to_have_count(90)
    expect(tiles.first).to_have_text(re.compile(f"({ANY_CLASS})\n→ ({ANY_CLASS})"))
    expect(page.get_by_role("combobox", name="True class")).to_be_visible()
    expect(page.get_by_text("Labels put to a vote")).to_have_count(0)
    page.get_by_role("tab", name="Download").click()
    report = download(page, "Report").path().read_text()
    assert "tells the 3 classes of Turned apart" in report
    zipped = tmp_path / "run.zip"
    download(page, "The whole run").save_as(zipped)

    page.goto(f"{server.url}/draw?run={run.run_id}")
    draw_stroke(page, [(40, 140), (240, 140)])
    expect(page.get_by_role("heading", name=re.compile(f"It reads ({ANY_CLASS})|Not sure"))).to_be_visible()
    expect(page.get_by_role("heading", name="Your own test set")).to_have_count(0)

    shutil.rmtree(run.path)
    page.goto(f"{server.url}/runs")
    page.get_by_role("button", name="Load a run").click()
    page.locator("input[type=file]").set_input_files(zipped)
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
