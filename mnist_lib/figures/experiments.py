"""Plotly figures of experiments: what repeated runs reached, and what settings have to do with it.

As in ``digits``, text and grid colours are left to the theme.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go

from mnist_lib.config import SETTINGS
from mnist_lib.escaping import plotly_text
from mnist_lib.experiments.plan import Plan
from mnist_lib.experiments.results import LARGER_IS_BETTER, Curve, ExperimentRun, summarize_runs
from mnist_lib.figures.digits import POSITIVE_COLOR, TRAIN_COLOR
from mnist_lib.figures.learning_curves import OTHER_COLORS
from mnist_lib.wording import setting_text


class Metric(NamedTuple):
    """A figure of a run.

    Attributes:
        label: Its name on the axes.
        format: Plotly's format of its numbers.
    """

    label: str
    format: str


# By the names of ExperimentRun's properties.
METRICS = {
    "validation_accuracy": Metric("validation accuracy", ".2%"),
    "test_accuracy": Metric("test accuracy", ".2%"),
    "validation_errors": Metric("misread validation images", ",d"),
    "misclassified": Metric("misread test images", ",d"),
    "seconds": Metric("seconds", ",.1f"),
}

# More could not be told apart.
MAX_CURVES = 6
MAX_GROUPS = 30

_COLORS = (TRAIN_COLOR, *OTHER_COLORS)

# From the worst to the best, of middle brightness: readable on white and on black, without seeing red or green.
_WORST_TO_BEST = [[0, POSITIVE_COLOR], [0.5, "#a855f7"], [1, TRAIN_COLOR]]

# A few runs that learned nothing would leave one colour to all others.
_WORST_COLORED = 0.1

_FEW_EPOCHS = 10

_MARGIN = {"l": 10, "r": 20, "t": 10, "b": 10}


def repeats_figure(groups: Sequence[tuple[str, Sequence[ExperimentRun]]], metric: str = "test_accuracy") -> go.Figure:
    """Draw each run as a dot, and the mean of each group with its 95% interval.

    Args:
        groups: Names and runs, for example those of each combination; the first ``MAX_GROUPS`` are drawn.
        metric: One of ``METRICS``. Runs that are not finished or have none are left out.
    """
    shown = METRICS[metric]
    dots: list[tuple[str, float, int]] = []
    means: list[tuple[str, float, tuple[float, float], str]] = []
    names = [plotly_text(name) for name, _ in groups[:MAX_GROUPS]]
    for name, (_, runs) in zip(names, groups, strict=False):
        known = [(value, run.number) for run in runs if run.is_finished and (value := getattr(run, metric)) is not None]
        dots += [(name, value, number) for value, number in known]
        if summary := summarize_runs(runs, metric):
            said, ends = _number(summary.mean, shown), summary.interval or (summary.mean, summary.mean)
            if summary.interval:
                said = f"mean {said}, 95% interval {' to '.join(_number(end, shown) for end in ends)}"
            means.append((name, summary.mean, ends, said))
    # It does nothing to single points, but says along which axis they are to be read.
    lying: dict[str, Any] = {"type": "scatter", "mode": "markers", "orientation": "h", "cliponaxis": False}
    runs_trace = lying | {
        "name": "runs",
        "x": [value for _, value, _ in dots],
        "y": [name for name, _, _ in dots],
        "customdata": [number for *_, number in dots],
        "marker": {"color": TRAIN_COLOR, "size": 9, "opacity": 0.7},
        "hovertemplate": f"run %{{customdata}}: %{{x:{shown.format}}}<extra></extra>",
    }
    means_trace = lying | {
        "name": "mean, 95% interval",
        "x": [mean for _, mean, _, _ in means],
        "y": [name for name, *_ in means],
        "text": [said for *_, said in means],
        "error_x": {
            "symmetric": False,
            "array": [high - mean for _, mean, (_, high), _ in means],
            "arrayminus": [mean - low for _, mean, (low, _), _ in means],
            "color": POSITIVE_COLOR,
            "thickness": 2,
            "width": 6,
        },
        "marker": {"color": POSITIVE_COLOR, "size": 11, "symbol": "diamond"},
        "hovertemplate": "%{text}<extra></extra>",
    }
    return go.Figure(
        [runs_trace, means_trace],
        {
            "height": 110 + 34 * max(len(names), 1),
            "margin": _MARGIN,
            "uirevision": f"repeats {metric}",
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
            "xaxis": _axis(shown) | {"nticks": 6},
            "yaxis": {
                "type": "category",
                "automargin": True,
                "autorange": "reversed",
                "categoryorder": "array",
                "categoryarray": names,
            },
        },
    )


def curves_figure(curves: Sequence[tuple[str, Curve]], metric: str) -> go.Figure:
    """Draw the mean of several runs over the epochs, in a band from the smallest to the largest.

    Args:
        curves: Names and curves, as ``mean_curve`` returns them; the first ``MAX_CURVES`` are drawn.
        metric: One of ``METRICS``.
    """
    shown = METRICS[metric]
    traces: list[dict[str, Any]] = []
    for color, (name, curve) in zip(_COLORS, curves[:MAX_CURVES], strict=False):
        group = {"type": "scatter", "legendgroup": name}
        band = group | {
            "x": np.concatenate([curve.epochs, curve.epochs[::-1]]),
            "y": np.concatenate([curve.high, curve.low[::-1]]),
            "mode": "lines",
            "fill": "toself",
            "fillcolor": "rgba({},{},{},0.2)".format(*bytes.fromhex(color[1:])),
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
        ends = zip(curve.mean.tolist(), curve.low.tolist(), curve.high.tolist(), strict=True)
        said = [f"{_number(mean, shown)}, {_number(low, shown)} to {_number(high, shown)}" for mean, low, high in ends]
        line = group | {
            "name": plotly_text(name),
            "uid": name,
            "x": curve.epochs,
            "y": curve.mean,
            "text": said,
            "mode": "lines+markers",
            "line": {"color": color, "width": 2},
            "marker": {"size": 6},
            "hovertemplate": "epoch %{x}: %{text}",
        }
        traces += [band, line]
    return go.Figure(
        traces,
        {
            "height": 320,
            "margin": _MARGIN,
            "uirevision": f"curves {metric}",
            "showlegend": len(curves) > 1,
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
            "xaxis": {"title": {"text": "epoch", "standoff": 4}, "tickformat": "d", "automargin": True}
            | _whole(curves),
            "yaxis": _axis(shown),
        },
    )


def parallel_coordinates_figure(runs: Sequence[ExperimentRun], plan: Plan, metric: str) -> go.Figure:
    """Draw each run as a line through its varied settings to a metric, which gives it its colour.

    Args:
        runs: The runs; those without settings or without the metric are left out.
        plan: It says which settings are varied, and on which scale.
        metric: One of ``METRICS``.
    """
    runs = _known(runs, metric)
    shown = METRICS[metric]
    values = [getattr(run, metric) for run in runs]
    dimensions = [_dimension(runs, plan, name) for name in plan.varied]
    dimensions.append({"label": shown.label, "values": values, "tickformat": shown.format})
    lines = {
        "type": "parcoords",
        "dimensions": dimensions,
        "line": _colors(values, metric),
        "customdata": [run.number for run in runs],
        "labelfont": {"size": 14},
        "tickfont": {"size": 12},
        "rangefont": {"size": 12},
    }
    layout = {
        "height": 340,
        "margin": {"l": 60, "r": 60, "t": 50, "b": 20},
        "uirevision": f"parallel {metric} {plan.varied}",
    }
    return go.Figure([lines], layout)


def brush_lines(figure: go.Figure, brushes: Mapping[str, Sequence[Sequence[float]]]) -> set[int]:
    """Brush axes of parallel coordinates, and return the numbers of the runs whose lines stay.

    Args:
        figure: What ``parallel_coordinates_figure`` returned.
        brushes: Ranges by the label of their axis, each its lower and its upper end, on the axis's own scale. A run
            stays if each brushed axis has it in one of its ranges.
    """
    lines: Any = figure.data[0]
    stay = np.ones(len(lines.customdata), bool)
    for axis in lines.dimensions:
        if ranges := brushes.get(axis.label):
            axis.constraintrange = ranges
            values = np.asarray(axis.values, float)
            stay &= np.any([(low <= values) & (values <= high) for low, high in ranges], axis=0)
    return {number for number, stays in zip(lines.customdata, stay, strict=True) if stays}


def select_dots(figure: go.Figure, numbers: Container[int]) -> None:
    """Let all dots but those of some runs fade.

    Args:
        figure: What ``scatter_figure`` returned.
        numbers: Those of the runs.
    """
    dots: Any = figure.data[0]
    dots.selectedpoints = [place for place, number in enumerate(dots.customdata) if number in numbers]


def scatter_figure(
    runs: Sequence[ExperimentRun], plan: Plan, setting: str, metric: str, color: str | None = None
) -> go.Figure:
    """Draw a metric of each run against a setting.

    Args:
        runs: The runs; those without settings or without the metrics are left out.
        plan: It says on which scale a setting is varied.
        setting: A name of ``SETTINGS``.
        metric: One of ``METRICS``.
        color: Another one that gives the dots their colour, or None.
    """
    runs = [run for run in _known(runs, metric) if color is None or getattr(run, color) is not None]
    shown = METRICS[metric]
    settings = [getattr(run.config, setting) for run in runs]
    is_number = SETTINGS[setting].kind in (int, float)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": shown.label,
        "x": settings if is_number else [setting_text(value) for value in settings],
        "y": [getattr(run, metric) for run in runs],
        "customdata": [run.number for run in runs],
        "marker": {"size": 9, "opacity": 0.8, "color": TRAIN_COLOR},
        "hovertemplate": f"run %{{customdata}}: %{{x}}, %{{y:{shown.format}}}<extra></extra>",
    }
    if color:
        scale = {"showscale": color != metric}  # else the axis says it
        dots["marker"] |= _colors([getattr(run, color) for run in runs], color) | scale
    kind = "category" if not is_number else "log" if _is_logarithmic(plan, setting) else "linear"
    x_axis: dict[str, Any] = {"title": {"text": SETTINGS[setting].label, "standoff": 4}, "type": kind}
    if kind == "log":
        x_axis |= {"tickformat": "~g", "dtick": "D2"}  # 1, 2, 5, 10
    return go.Figure(
        [dots],
        {
            "height": 340,
            "margin": _MARGIN,
            "uirevision": f"scatter {setting} {metric}",
            "xaxis": x_axis | {"automargin": True},
            "yaxis": _axis(shown),
        },
    )


def _whole(curves: Sequence[tuple[str, Curve]]) -> dict[str, Any]:
    """Return the ticks of an axis of epochs: where there are few, Plotly would put some between them."""
    most = max((curve.epochs.max(initial=0) for _, curve in curves), default=0)
    return {"dtick": 1} if most <= _FEW_EPOCHS else {}


def _known(runs: Sequence[ExperimentRun], metric: str) -> list[ExperimentRun]:
    return [run for run in runs if run.config and run.epochs and getattr(run, metric) is not None]


def _axis(shown: Metric) -> dict[str, Any]:
    axis = {"title": {"text": shown.label, "standoff": 8}, "automargin": True, "zeroline": False}
    if not shown.format.endswith("%"):
        return axis | {"tickformat": ",", "hoverformat": shown.format, "autorangeoptions": {"clipmin": 0}}
    # Around a single dot, Plotly would show 100% to both sides.
    limits = {"clipmin": 0, "clipmax": 1}
    return axis | {"tickformat": ".2~%", "hoverformat": shown.format, "autorangeoptions": limits}


def _number(value: float, shown: Metric) -> str:
    """Return a mean or an extreme, which may lie between two whole numbers."""
    return f"{value:.2%}" if shown.format.endswith("%") else f"{value:,.1f}".removesuffix(".0")


def _colors(values: Sequence[float], metric: str) -> dict[str, Any]:
    """Return what gives lines and dots the colours of a metric: blue is the best."""
    shown, larger_is_better = METRICS[metric], metric in LARGER_IS_BETTER
    colors = {
        "color": list(values),
        "colorscale": _WORST_TO_BEST,
        "reversescale": not larger_is_better,
        "showscale": True,
        "colorbar": {"title": {"text": shown.label, "side": "right"}, "tickformat": shown.format, "thickness": 12},
    }
    if len(values):
        low, high = min(values), max(values)
        if larger_is_better:
            low = float(np.quantile(values, _WORST_COLORED))
        else:
            high = float(np.quantile(values, 1 - _WORST_COLORED))
        colors |= {"cmin": low, "cmax": high}
    return colors


def _is_logarithmic(plan: Plan, name: str) -> bool:
    return any(each.name == name and each.is_logarithmic for each in plan.vary)


def _dimension(runs: Sequence[ExperimentRun], plan: Plan, name: str) -> dict[str, Any]:
    """Return an axis of parallel coordinates, which knows no logarithm and no names: both are ticks on numbers."""
    setting = SETTINGS[name]
    values = [getattr(run.config, name) for run in runs]
    if setting.kind not in (int, float):
        names = [value for value in setting.allowed if value in values]
        codes = {"values": [names.index(value) for value in values], "tickvals": list(range(len(names)))}
        return {"label": setting.label, **codes, "ticktext": [setting_text(value) for value in names]}
    if not values or not _is_logarithmic(plan, name):
        return {"label": setting.label, "values": values}
    low, high = np.log10(min(values)), np.log10(max(values))
    powers = range(int(np.floor(low)), int(np.ceil(high)) + 1)
    # A brush ends at a tick, so there is one at each end and for each digit; only some have room for a text.
    texts = {power + np.log10(digit): f"{digit * 10.0**power:g}" for power in powers for digit in range(1, 10)}
    ticks = {low: f"{min(values):g}", high: f"{max(values):g}"}
    room = 0.05 * (high - low)
    for tick, text in texts.items():
        if low < tick < high:
            has_room = text.lstrip("0.")[0] in "125" and low + room < tick < high - room
            ticks[tick] = text if has_room else " " * len(ticks)  # Plotly takes ticks of the same text for one
    return {
        "label": setting.label,
        "values": np.log10(values),
        "tickvals": sorted(ticks),
        "ticktext": [ticks[tick] for tick in sorted(ticks)],
    }
