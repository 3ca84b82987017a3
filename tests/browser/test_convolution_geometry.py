"""The convolution to play with: its formula, its grid and its values, against arithmetic in NumPy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from mnist_lib.data.dataset import Dataset
from mnist_lib.ui.assets import read_text
from tests.support.browser import Server


class Sizes(NamedTuple):
    n: int
    k: int
    p: int
    s: int
    d: int


@pytest.fixture(scope="module")
def geometry(profile: BrowserContext, shared_server: Server) -> Iterator[Page]:
    """A tab for all tests, each of which chooses its sizes."""
    page = profile.new_page()
    open_geometry(page, shared_server)
    yield page
    page.close()


def open_geometry(page: Page, server: Server) -> None:
    page.goto(f"{server.url}/model?run=pretrained-paper&model_tab=Geometry")
    page.locator("canvas.output").scroll_into_view_if_needed()
    expect(page.get_by_role("status").filter(has_text="Row 0, column 0")).to_be_visible()


def choose(page: Page, sizes: Sizes) -> None:
    for name, value in sizes._asdict().items():
        page.locator(f"input[type=range][name={name}]").fill(str(value))


def formula(page: Page) -> Locator:
    return page.get_by_role("math", name="The floor of")


def line(page: Page) -> Locator:
    """Return the sentence about the chosen value."""
    return page.locator(".geometry").get_by_role("status")


def convolve_slowly(image: np.ndarray, sizes: Sizes) -> np.ndarray:
    """Return the output for weights of -1 in the left half of the kernel, 0 in its middle and 1 in the right."""
    edges = np.arange(sizes.n + 1) * 28 / sizes.n
    covered = [slice(int(np.floor(low)), int(np.ceil(high))) for low, high in pairwise(edges)]
    shrunk = np.array([[image[rows, columns].mean() / 255 for columns in covered] for rows in covered])
    padded = np.pad(shrunk, sizes.p)
    weights = np.sign(np.arange(sizes.k) - (sizes.k - 1) / 2) if sizes.k > 1 else np.ones(1)
    starts = [start for start in range(0, len(padded), sizes.s) if start + sizes.d * (sizes.k - 1) < len(padded)]
    taps = sizes.d * np.arange(sizes.k)
    return np.array([[(padded[np.ix_(y + taps, x + taps)] * weights).sum() for x in starts] for y in starts])


def painted_side(page: Page, sizes: Sizes) -> float:
    """Return how many cells wide the output's grid is drawn."""
    share = page.locator("canvas.output").evaluate(
        """canvas => {
          const { data, width } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let last = -1;
          for (let place = 3; place < data.length; place += 4) {
            if (data[place]) last = Math.max(last, ((place - 3) / 4) % width);
          }
          return (last + 1) / width;
        }"""
    )
    return share * (sizes.n + 2 * sizes.p)


def test_it_begins_with_why_28_becomes_26(page: Page, shared_server: Server) -> None:
    open_geometry(page, shared_server)
    expect(page.get_by_text("Input 28 × 28")).to_be_visible()
    expect(page.get_by_text("Output 26 × 26")).to_be_visible()
    expect(formula(page)).to_have_attribute(
        "aria-label", "The floor of (28 + 2 · 0 − 1 · (3 − 1) − 1) / 1, plus 1, is 26"
    )
    expect(formula(page)).to_contain_text("28 + 2 · 0 − 1 · (3 − 1) − 1")
    # The buttons are the run's own layers.
    page.get_by_role("button", name="As in pooling: 26 → 13").click()
    expect(page.get_by_text("Output 13 × 13")).to_be_visible()
    page.get_by_role("button", name="Second convolution: 13 → 11").click()
    expect(page.get_by_text("Output 11 × 11")).to_be_visible()


def test_formula_grid_and_values_agree(geometry: Page, dataset: Dataset) -> None:
    for sizes in (
        Sizes(28, 3, 0, 1, 1),
        Sizes(9, 4, 2, 2, 2),
        Sizes(10, 3, 1, 3, 1),
        Sizes(12, 5, 6, 5, 3),
        Sizes(7, 7, 0, 1, 1),
        Sizes(1, 1, 0, 5, 4),
        Sizes(32, 2, 3, 4, 4),
    ):
        output = convolve_slowly(dataset.test_images[0], sizes)
        side = len(output)
        choose(geometry, sizes)
        expect(formula(geometry)).to_have_attribute("aria-label", re.compile(rf" is {side}$"))
        expect(geometry.get_by_text(f"Output {side} × {side}", exact=True)).to_be_visible()
        geometry.locator("canvas.output").focus()
        for _ in range(side):  # one more than there are: the last one stops it
            geometry.keyboard.press("ArrowDown")
            geometry.keyboard.press("ArrowRight")
        expect(line(geometry)).to_contain_text(f"Row {side - 1}, column {side - 1}: ")
        found = float(re.findall(r": (−?[\d.]+),", line(geometry).inner_text())[0].replace("−", "-"))
        assert found == pytest.approx(output[-1, -1], abs=0.006)
        last = (side - 1) * sizes.s - sizes.p + sizes.d * np.arange(sizes.k)
        text = ", ".join(map(str, last)).replace("-", "−")
        expect(line(geometry)).to_contain_text(f"from the input's rows {text} and columns {text}.")
        left = sizes.n + sizes.p - 1 - int(last[-1])
        expect(line(geometry)).to_contain_text(f"The last {left} of each" if left else re.compile(r"\.$"))
        assert abs(painted_side(geometry, sizes) - side) < 0.35


def test_what_does_not_fit_is_said_in_one_line(geometry: Page) -> None:
    choose(geometry, Sizes(5, 4, 0, 1, 3))
    expect(line(geometry)).to_have_text("The window is 10 wide, the input only 5: it does not fit.")
    expect(geometry.get_by_test_id("stTabs").get_by_role("button", name="Play")).to_be_disabled()
    geometry.locator("canvas.output").focus()
    geometry.keyboard.press("ArrowDown")
    choose(geometry, Sizes(5, 4, 2, 1, 3))
    expect(line(geometry)).to_have_text("The window is 10 wide, the input with its padding only 9: it does not fit.")
    choose(geometry, Sizes(5, 4, 3, 1, 3))
    expect(geometry.get_by_text("Output 2 × 2", exact=True)).to_be_visible()


def test_step_walks_row_by_row_and_play_to_the_end(geometry: Page) -> None:
    choose(geometry, Sizes(5, 3, 0, 1, 1))
    step = geometry.get_by_role("button", name="Step")
    for _ in range(4):
        step.click()
    expect(line(geometry)).to_contain_text("Row 1, column 1: ")
    geometry.get_by_test_id("stTabs").get_by_role("button", name="Play").click()
    expect(line(geometry)).to_contain_text("Row 2, column 2: ")
    expect(geometry.get_by_test_id("stTabs").get_by_role("button", name="Play")).to_be_visible()  # no longer Pause
    step.click()
    expect(line(geometry)).to_contain_text("Row 0, column 0: ")


def test_hovering_either_grid_chooses_a_value(geometry: Page) -> None:
    choose(geometry, Sizes(8, 3, 1, 2, 1))  # ten cells wide with its padding, 4 values
    cell = geometry.locator("canvas.output").evaluate("canvas => canvas.clientWidth") / 10
    geometry.locator("canvas.output").hover(position={"x": 2.5 * cell, "y": 1.5 * cell})
    expect(line(geometry)).to_contain_text("Row 1, column 2: ")
    # The window in whose middle the pointer is.
    geometry.locator("canvas.input").hover(position={"x": 1.5 * cell, "y": 7.5 * cell})
    expect(line(geometry)).to_contain_text("Row 3, column 0: ")
    expect(line(geometry)).to_contain_text("rows 5, 6, 7 and columns −1, 0, 1.")


def test_newer_data_keeps_what_a_person_chose(page: Page) -> None:
    example = {"label": "Begin", "n": 6, "k": 3, "p": 0, "s": 1, "d": 1}
    calls = [{"image": [[value] * 28] * 28, "examples": [example], "version": value} for value in (1, 2)]
    page.evaluate(
        """async ({ script, calls }) => {
          const module = await import(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
          const parentElement = document.createElement("div");
          document.body.append(parentElement);
          window.call = (number) => module.default({ parentElement, data: calls[number] });
          window.call(0);
        }""",
        {"script": read_text("components/convolution_geometry/convolution_geometry.js"), "calls": calls},
    )
    choose(page, Sizes(6, 2, 0, 1, 1))
    page.evaluate("() => { window.call(1); }")
    expect(page.get_by_text("Output 5 × 5")).to_be_visible()
