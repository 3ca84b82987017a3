"""The plot of accuracy over seconds, as an SVG for a page of any colour."""

from __future__ import annotations

import math
import urllib.parse
from pathlib import Path
from typing import Any

import numpy as np
import plotly
import plotly.graph_objects as go
from playwright.sync_api import Error, sync_playwright

from benchmarks.training.results import BARE, Results, ResultsError, Training
from mnist_lib.storage.files import write_whole
from tests.support.browser import BROWSER_NAMES, launch_browser

WIDTH_PX, HEIGHT_PX = 900, 480

# Of middle brightness: a contrast of 4 to 1 and more on GitHub's white and on its nearly black.
_GREY = "#767d88"
_STYLES = {
    BARE: {"color": _GREY, "symbol": "circle"},
    "paper": {"color": "#2f7bf0", "symbol": "square"},
    "fast": {"color": "#cf5a0a", "symbol": "diamond"},
    "accurate": {"color": "#1a8f4a", "symbol": "triangle-up"},
}

# The axis is one of errors, logarithmic and upside down, so that halving them is always the same step up.
_ACCURACIES = (0.5, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.992, 0.995, 0.997)
# Of a label at the end of a line.
_LABEL_WIDTH_PX, _LABEL_HEIGHT_PX = 110, 36
_MARGIN_PX = {"l": 70, "r": 20, "t": 36, "b": 56}


def accuracy_figure(results: Results) -> go.Figure:
    """Draw test accuracy over the seconds since the call of fit: each seed thin, the median of each epoch thick.

    The bare script is drawn as TensorFlow runs it by itself; with oneDNN it would cover the paper's preset.

    Raises:
        ResultsError: There are no trainings, or those of one recipe have different numbers of epochs.
    """
    recipes = {name: _curves(trainings) for name, trainings in results.trainings_by_recipe().items() if name in _STYLES}
    if not recipes:
        raise ResultsError("there are no trainings to plot")
    points = np.concatenate([curves.reshape(-1, 2) for curves in recipes.values()])
    end_s = 1.15 * points[:, 0].max()  # with room for the last label
    errors = [1.1 * points[:, 1].max(), 0.85 * points[:, 1].min()]
    ends = {name: np.median(curves, axis=0)[-1] for name, curves in recipes.items()}
    axis = {"gridcolor": "rgba(118,125,136,0.3)", "zeroline": False, "ticks": "outside", "tickcolor": _GREY}
    layout = {
        "width": WIDTH_PX,
        "height": HEIGHT_PX,
        "margin": _MARGIN_PX,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "Helvetica, Arial, sans-serif", "size": 13, "color": _GREY},
        "title": {"text": "Test accuracy after each epoch: each seed thin, their median thick"}
        | {"x": 0, "xref": "paper", "font": {"size": 15}},
        "showlegend": False,
        "xaxis": axis | {"title": {"text": "seconds since the call of fit", "font": {"size": 13}}, "range": [0, end_s]},
        "yaxis": axis
        | {
            "type": "log",
            "range": np.log10(errors).tolist(),
            "tickvals": [1 - accuracy for accuracy in _ACCURACIES],
            "ticktext": [f"{100 * accuracy:g}%" for accuracy in _ACCURACIES],
        },
        "annotations": _labels(ends, end_s, errors),
    }
    return go.Figure([line for name, curves in recipes.items() for line in _lines(name, curves)], layout)


def write_svg(figure: go.Figure, path: Path) -> None:
    """Draw a figure in a browser, without a window, and write it as SVG.

    Raises:
        ResultsError: There is no browser, or the file cannot be written.
    """
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    with sync_playwright() as playwright:
        try:
            browser = launch_browser(playwright)
        except Error as error:
            raise ResultsError(f"no browser was found: install one of {', '.join(BROWSER_NAMES)}") from error
        page = browser.new_page()
        page.add_script_tag(path=script)
        # With a width and a height of null it takes the figure's own.
        draw = "(figure) => Plotly.toImage(JSON.parse(figure), {format: 'svg', width: null, height: null})"
        url = page.evaluate(draw, figure.to_json())
        browser.close()
    svg = urllib.parse.unquote(url.partition(",")[2])
    try:
        write_whole(path, lambda temporary: temporary.write_text(svg, encoding="utf-8"))
    except OSError as error:
        raise ResultsError(f"{path} cannot be written: {error.strerror}") from error


def _curves(trainings: list[Training]) -> np.ndarray:
    """Return seconds and test error after each epoch, float64, (seeds, epochs, 2).

    The error is at least half an image, since zero has no logarithm.
    """
    if len({len(training.curve) for training in trainings}) > 1:
        raise ResultsError(f"the trainings of {trainings[0].recipe} have different numbers of epochs")
    curves = np.array([training.curve for training in trainings], np.float64)
    curves[..., 1] = np.maximum(1 - curves[..., 1], 0.5 / 10_000)
    return curves


def _lines(name: str, curves: np.ndarray) -> list[dict[str, Any]]:
    style = _STYLES[name]
    line: dict[str, Any] = {"type": "scatter", "name": name, "mode": "lines"}
    thin = {"color": style["color"], "width": 1}
    seeds = [line | {"x": curve[:, 0], "y": curve[:, 1], "opacity": 0.45, "line": thin} for curve in curves]
    median = np.median(curves, axis=0)
    thick = {"mode": "lines+markers", "line": thin | {"width": 3}, "marker": {"size": 8, "symbol": style["symbol"]}}
    return [*seeds, line | thick | {"x": median[:, 0], "y": median[:, 1]}]


def _labels(ends: dict[str, np.ndarray], end_s: float, errors: list[float]) -> list[dict[str, Any]]:
    """Return a label right of the end of each thick line, moved down where another label is already.

    Args:
        ends: Seconds and test error there, float64, (2,) each.
        end_s: The end of the axis of seconds.
        errors: The lower and the upper end of the axis of errors.
    """
    width_px = WIDTH_PX - _MARGIN_PX["l"] - _MARGIN_PX["r"]
    height_px = HEIGHT_PX - _MARGIN_PX["t"] - _MARGIN_PX["b"]
    labels = []
    places: list[tuple[float, float]] = []
    for name, (seconds, error) in sorted(ends.items(), key=lambda item: item[1][1]):
        x_px = width_px * seconds / end_s
        y_px = end_px = height_px * math.log(error / errors[1]) / math.log(errors[0] / errors[1])
        for other_x_px, other_y_px in places:  # from top to bottom
            if abs(x_px - other_x_px) < _LABEL_WIDTH_PX:
                y_px = max(y_px, other_y_px + _LABEL_HEIGHT_PX)
        places.append((x_px, y_px))
        labels.append(
            {
                "x": seconds,
                "y": math.log10(error),  # what a logarithmic axis wants of an annotation
                "text": f"<b>{name}</b><br>{1 - error:.2%}, {seconds:.0f} s",
                "font": {"color": _STYLES[name]["color"]},
                "align": "left",
                "showarrow": False,
                "xanchor": "left",
                "xshift": 8,
                "yshift": end_px - y_px,
            }
        )
    return labels
