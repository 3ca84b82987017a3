"""A live figure keeps zoom and hover while its data changes, in a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from mnist_lib.runs.store import RunStore
from tests.support.browser import Server, free_port, wait_for
from tests.support.processes import PROJECT_PATH
from tests.support.runs import BUNDLED_RUN, copy_bundled_run

# Two figures that grow by a point three times a second.
SCRIPT = """
import plotly.graph_objects as go
import streamlit as st

from mnist_lib.ui.components.live_figure import live_figure

@st.fragment(run_every=0.3)
def draw():
    count = st.session_state["count"] = st.session_state.get("count", 40) + 1
    x = list(range(count))
    figure = go.Figure()
    figure.add_scatter(x=x, y=[value % 7 for value in x], name="first", uid="first")
    figure.add_scatter(x=x, y=[value % 5 for value in x], name="second", uid="second")
    figure.update_layout(title="Growing", hovermode="x unified", uirevision="same")
    live_figure(figure, key="growing")
    live_figure(go.Figure(go.Scatter(x=x, y=x)), key="other")

draw()
"""


class ScriptServer(Server):
    """A script of a test's own, below a base path as behind a proxy."""

    def __init__(self, script_path: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/some/base"
        options = ["--server.headless=true", "--server.address=127.0.0.1", f"--server.port={self.port}"]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script_path), *options, "--server.baseUrlPath=some/base"],
            cwd=PROJECT_PATH,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._wait_until_it_answers()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScriptServer]:
    script_path = tmp_path_factory.mktemp("live") / "script.py"
    script_path.write_text(SCRIPT)
    server = ScriptServer(script_path)
    yield server
    server.kill()


def open_plot(page: Page, server: Server) -> Locator:
    page.goto(server.url)
    plot = page.locator(".live-figure .js-plotly-plot").first
    expect(plot.locator(".main-svg").first).to_be_attached()
    return plot


def points(plot: Locator) -> int:
    return plot.evaluate("plot => plot._fullData[0].x.length")


def wait_for_updates(plot: Locator, number: int = 3) -> None:
    enough = points(plot) + number
    wait_for(plot.page, lambda: points(plot) >= enough)


def hover_text(plot: Locator) -> str:
    return plot.evaluate("plot => plot.querySelector('.hoverlayer').textContent")


def area(plot: Locator) -> FloatRect:
    box = plot.locator(".nsewdrag").first.bounding_box()
    assert box
    return box


def test_zoom_legend_and_hover_stay_while_the_data_grows(server: Server, page: Page) -> None:
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url) if "plotly.min.js" in request.url else None)
    plot = open_plot(page, server)
    plot.evaluate("plot => { window.before = [plot, plot.querySelector('.main-svg')]; }")

    box = area(plot)
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.8, steps=5)
    held = points(plot)
    page.wait_for_timeout(700)
    assert points(plot) == held, "the curves moved away under the rectangle"
    page.mouse.up()
    reset = page.get_by_role("button", name="Reset zoom")
    expect(reset).to_be_visible()
    plot.locator(".legendtoggle").nth(1).click()
    state = "plot => [plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range, plot._fullData[1].visible]"
    page.wait_for_function("plot => plot._fullData[1].visible === 'legendonly'", arg=plot.element_handle())
    zoomed = plot.evaluate(state)
    assert zoomed[0][1] < held * 0.7

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_function("plot => plot.querySelector('.hoverlayer').textContent", arg=plot.element_handle())
    label = hover_text(plot)
    assert "first" in label
    for _ in range(3):
        wait_for_updates(plot, 1)
        assert hover_text(plot) == label
    wait_for_updates(plot)
    assert plot.evaluate(state) == zoomed
    assert plot.evaluate("plot => before[0] === plot && before[1] === plot.querySelector('.main-svg')")
    assert points(plot) >= held + 6

    reset.click()
    expect(reset).to_be_hidden()
    wait_for_updates(plot)
    assert plot.evaluate("plot => plot._fullLayout.xaxis.range[1] >= plot._fullData[0].x.length - 1")
    expect(reset).to_be_hidden()
    assert len(scripts) == 1, "one request serves both figures and all updates"
    assert page.locator("script[src*='plotly.min.js']").count() == 1
    assert page.evaluate("typeof window.Plotly") == "undefined", "Streamlit's own Plotly lives there"


def test_colours_follow_the_theme_and_the_width_the_window(server: Server, page: Page) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    plot = open_plot(page, server)
    color = "plot => getComputedStyle(plot.querySelector('.gtitle')).fill.match(/\\d+/g).map(Number)"
    assert max(plot.evaluate(color)) < 100
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"plot => Math.min(...({color})(plot)) > 155", arg=plot.element_handle())
    page.set_viewport_size({"width": 1000, "height": 800})
    page.wait_for_function("plot => plot._fullLayout.width > 700", arg=plot.element_handle())
    assert plot.evaluate("plot => plot._fullLayout.width === plot.clientWidth")


def test_missing_script_is_said_in_a_line(server: Server, page: Page) -> None:
    page.route("**/plotly.min.js*", lambda route: route.abort())
    page.goto(server.url)
    line = "Plotly could not be loaded, so there is no figure here. Reload the page to try again."
    expect(page.get_by_role("alert").filter(has_text=line)).to_have_count(2)


def test_events_are_small_marks_with_their_text_on_hover(
    shared_server: Server, shared_store: RunStore, page: Page
) -> None:
    run = copy_bundled_run(shared_store)
    metrics_path = run.path / "metrics.jsonl"
    rows = [json.loads(line) for line in metrics_path.read_text().splitlines()]
    last = max(row["step"] for row in rows if row["kind"] == "batch")
    with metrics_path.open("a") as file:
        for number, event in enumerate(("paused", "learning_rate", "resumed")):
            event_row = {"kind": "event", "event": event, "epoch": 3, "step": last // 2 + number, "elapsed_s": 40.0}
            file.write(json.dumps(event_row | {"learning_rate": 0.000463955}) + "\n")
    page.goto(f"{shared_server.url}/train?run={run.run_id}")
    page.get_by_role("button", name="Axes, smoothing, other runs").click()
    page.get_by_role("combobox", name="Compare with").click()
    page.get_by_role("option", name=BUNDLED_RUN.run_id).click()
    page.keyboard.press("Escape")  # the list of runs
    page.get_by_role("button", name="Axes, smoothing, other runs").click()  # what unfolded lies over the figure
    for quantity in ("Loss", "Accuracy"):
        plot = page.get_by_role("img", name=quantity)
        expect(plot.locator(".legendtext", has_text=BUNDLED_RUN.run_id)).to_be_visible()
        mark = plot.locator(".annotation")
        expect(mark).to_have_count(1)
        plot.evaluate("plot => plot.scrollIntoView({ block: 'center' })")
        box = mark.bounding_box()
        assert box
        assert max(box["width"], box["height"]) < 25
        for label in plot.locator(".xtick text, .ytick text, .gtitle, .legendtext").all():
            assert not overlap(box, label.bounding_box())
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        expect(plot.locator(".hoverlayer")).to_have_text("paused, rate 0.000464, resumed")


def overlap(first: FloatRect, second: FloatRect | None) -> bool:
    return second is not None and all(
        first[start] < second[start] + second[length] and second[start] < first[start] + first[length]
        for start, length in (("x", "width"), ("y", "height"))
    )
