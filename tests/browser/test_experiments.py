"""An experiment from its form to its results, and runs selected in its figures, in a real browser."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from mnist_lib.config import PRESETS
from mnist_lib.experiments.library import ExperimentLibrary
from mnist_lib.experiments.plan import parse_vary, plan_experiment
from mnist_lib.runs.store import RunStore
from tests.support.browser import TRAINING_TIMEOUT_MS, HeldMessages, Server, go_to, wait_until_drawn
from tests.support.experiments import add_experiment, add_run
from tests.support.layout import check_layout


def plot_of(page: Page, key: str) -> Locator:
    plot = page.locator(f".st-key-{key} .js-plotly-plot")
    expect(plot.locator(".main-svg").first).to_be_attached()
    plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")
    return plot


def type_into(page: Page, label: str, text: str) -> None:
    page.locator("input").and_(page.get_by_label(label, exact=True)).fill(text)
    page.keyboard.press("Enter")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def test_experiment_goes_from_its_form_to_its_results(start_server: Callable[..., Server], page: Page) -> None:
    server = start_server()
    store = RunStore(server.runs_path)
    page.goto(f"{server.url}/train")
    type_into(page, "Training images", "200")
    type_into(page, "Epochs", "1")
    go_to(page, "Experiments")
    page.get_by_role("radio", name="as on Train").click()
    page.get_by_role("combobox", name="Settings to vary").fill("Learning")
    page.get_by_role("option", name="Learning rate").click()
    page.keyboard.press("Escape")
    type_into(page, "Learning rate", "0.1..0.01")
    expect(page.get_by_text("Learning rate: 0.1 is larger than 0.01.")).to_be_visible()
    expect(page.get_by_role("button", name="Start experiment")).to_be_disabled()
    type_into(page, "Learning rate", "0.001, 0.01")
    type_into(page, "Name", "rates")
    expect(page.get_by_text("2 runs, about")).to_be_visible()
    page.get_by_role("button", name="Start experiment").focus()  # a field says in itself how many letters it takes
    check_layout(page, "the form")
    page.get_by_role("button", name="Start experiment").click()
    expect(page.get_by_text("of 2 runs ended")).to_be_visible()
    expect(page).to_have_url(re.compile("experiment=rates"))
    expect(page.get_by_text("2 finished")).to_be_visible(timeout=TRAINING_TIMEOUT_MS)  # one after another
    wait_until_drawn(page)
    experiment = ExperimentLibrary.beside(store.root).find("rates")
    assert experiment
    assert len(store.own_runs()) == 2

    expect(page.get_by_test_id("stToast")).to_have_count(0)  # that a run has ended lies over the screen
    check_layout(page, "the results")
    page.get_by_role("button", name="Train this recipe on everything").click()
    expect(page.get_by_test_id("stSidebar").get_by_text("Training")).to_be_visible()
    new = store.own_runs()[0]
    assert new.read_member() is None
    assert new.read_config()[0].validation_split == 0


def test_field_that_comes_into_the_form_takes_no_other_from_under_the_fingers(
    shared_server: Server, page: Page
) -> None:
    messages = HeldMessages(page)
    page.goto(f"{shared_server.url}/experiments")
    page.get_by_role("combobox", name="Settings to vary").fill("Learning")
    page.get_by_role("option", name="Learning rate").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("spinbutton", name="Random samples")).to_be_visible()
    wait_until_drawn(page)
    messages.holds_answers = True
    type_into(page, "Learning rate", "0.001, 0.01")
    name = page.get_by_role("textbox", name="Name")
    name.press_sequentially("ra")
    messages.release()
    expect(page.get_by_role("spinbutton", name="Random samples")).to_have_count(0)
    expect(name).to_be_focused()
    page.keyboard.type("tes")
    expect(name).to_have_value("rates")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with an experiment that has ended."""
    store = RunStore(tmp_path_factory.mktemp("experiments") / "runs")
    plan = plan_experiment(PRESETS["fast"], vary=[parse_vary("learning_rate=0.001,0.002,0.005,0.01")])
    add_experiment(store, plan)
    for number, config in enumerate(plan.configs(), start=1):
        add_run(store, "rates", number, config, [100 - 10 * number], [0.98 + number / 1_000])
    server = Server(store.root)
    yield server
    server.kill()


def test_runs_are_selected_in_the_figures(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/experiments")
    wait_until_drawn(page)

    # The upper half of the axis of learning rates has the runs with 0.005 and 0.01.
    plot = plot_of(page, "experiment_lines")
    box = plot.locator(".axis-brush").first.bounding_box()
    assert box
    x = box["x"] + box["width"] / 2
    drag(page, (x, box["y"] + box["height"] / 2), (x, box["y"] - 10))
    expect(page.get_by_text("2 of 4, as selected above.")).to_be_visible()
    brushed = "plot => plot.data[0].dimensions[0].constraintrange?.flat()"
    assert plot.evaluate(brushed)[0] > -3

    # It survives another metric, for which the figure is drawn anew.
    page.get_by_role("combobox", name="Metric").click()
    page.get_by_role("option", name="Test accuracy").click()
    expect(page.locator(".st-key-experiment_lines .axis-title", has_text="test accuracy")).to_be_visible()
    assert plot.evaluate(brushed)[0] > -3
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_text("as selected above")).to_be_hidden()
    page.wait_for_function(f"plot => !({brushed})(plot)?.length", arg=plot.element_handle())

    # A box around the left half of the scatter has those with 0.001 and 0.002; a click shows a run.
    plot = plot_of(page, "experiment_dots")
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box
    left, top, middle, bottom = box["x"] + 2, box["y"] + 2, box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    drag(page, (left, top), (middle, bottom))
    expect(page.get_by_text("2 of 4, as selected above.")).to_be_visible()
    wait_until_drawn(page)
    heading = page.get_by_role("heading", name=re.compile(r"Run \d: "))  # two dots may be one
    for _ in range(20):  # a click while the figure is drawn anew finds no dot
        dot = plot_of(page, "experiment_dots").locator(".point").first.bounding_box()
        assert dot
        page.mouse.click(dot["x"] + dot["width"] / 2, dot["y"] + dot["height"] / 2)
        with suppress(AssertionError):
            expect(heading).to_be_visible(timeout=3_000)
            break
    expect(heading).to_be_visible()


def test_visit_of_a_screen_is_one_step_for_back(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/dataset")
    wait_until_drawn(page)
    steps = page.evaluate("history.length")
    for number, screen in enumerate(("Experiments", "Runs", "Draw"), start=1):
        go_to(page, screen)
        wait_until_drawn(page)
        expect(page).to_have_url(re.compile(f"/{screen.lower()}.*run=pretrained-accurate"))
        assert page.evaluate("history.length") == steps + number


def test_parallel_coordinates_are_whole_while_their_top_is_scrolled_away(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    page.goto(f"{server.url}/experiments")
    wait_until_drawn(page)
    plot = plot_of(page, "experiment_lines")
    page.mouse.move(600, 700)
    page.mouse.wheel(0, plot.evaluate("plot => plot.getBoundingClientRect().top + 100"))
    page.wait_for_function("plot => plot.getBoundingClientRect().top < -99", arg=plot.element_handle())
    box = plot.locator(".axis-brush").first.bounding_box()
    assert box
    left, bottom = box["x"] + 20, box["y"] + box["height"]
    # The two lower ones of its four lines, in colours.
    lower_part = Image.open(io.BytesIO(page.screenshot())).crop((left, bottom - 100, left + 200, bottom + 10))
    assert (np.asarray(lower_part.convert("HSV"))[..., 1] > 40).sum() > 100
