"""What a figure shows, in words, for those who hear it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

# Of more points only the ends and the extremes are told, and of a heatmap the largest cells.
_MOST_POINTS = 20
_MOST_CELLS = 5


def figure_in_words(figure: go.Figure) -> str:
    """Return the numbers of a figure in sentences: bars, the course of lines, the largest cells of heatmaps.

    Args:
        figure: Of bars, lines, heatmaps and parallel coordinates. Text that is written into it only repeats numbers,
            and is left out; so is a band, which the texts of its line tell.
    """
    layout: dict[str, Any] = figure.layout.to_plotly_json()  # a plain dictionary, which is read many times faster
    title = layout.get("title", {}).get("text")
    said = [title] if title else []
    traces: Any = figure.data
    for trace in (trace.to_plotly_json() for trace in traces):
        if trace["type"] == "scatter" and (trace.get("mode") == "text" or trace.get("fill") == "toself"):
            continue
        if trace["type"] == "parcoords":
            said.append(_dimensions_in_words(trace["dimensions"]))
            continue
        x_axis, y_axis = (layout.get(f"{name}axis{trace.get(f'{name}axis', name)[1:]}", {}) for name in "xy")
        if trace["type"] == "heatmap":
            told = _cells_in_words(trace, _title(x_axis) or "column", _title(y_axis) or "row")
        elif trace.get("orientation") == "h":
            told = _points_in_words(trace.get("y"), trace.get("x"), y_axis, x_axis, trace.get("text"))
        else:
            told = _points_in_words(trace.get("x"), trace.get("y"), x_axis, y_axis, trace.get("text"))
        said.append(f"{trace['name']}: {told}" if trace.get("name") else told)
    return ". ".join(said)


def _dimensions_in_words(dimensions: Sequence[dict[str, Any]]) -> str:
    """Tell the ends of each axis, and each axis of the line that ends highest."""
    last = np.asarray(dimensions[-1]["values"], float)
    if not len(last):
        return "nothing yet"
    ends = [
        f"{each['label']} from {_of_dimension(each, np.argmin)} to {_of_dimension(each, np.argmax)}"
        for each in dimensions
    ]
    highest = [f"{each['label']} {_of_dimension(each, lambda _: last.argmax())}" for each in dimensions]
    return f"{len(last)} lines: {', '.join(ends)}; the one that ends highest: {', '.join(highest)}"


def _of_dimension(dimension: dict[str, Any], find: Callable[[np.ndarray], Any]) -> str:
    """Return a value of an axis whose numbers may be ticks for names, or logarithms, where one of its ticks is."""
    value = np.asarray(dimension["values"], float)[find(np.asarray(dimension["values"], float))]
    texts = dimension.get("ticktext")
    if texts is None:
        return _text(value, dimension)
    ticks = np.asarray(dimension["tickvals"], float)
    nearest = int(np.abs(ticks - value).argmin())
    return (ticks[nearest] == value and texts[nearest].strip()) or _text(10**value)


def _title(axis: dict[str, Any]) -> str | None:
    return axis.get("title", {}).get("text")


def _points_in_words(
    places: Any, values: Any, place_axis: dict[str, Any], value_axis: dict[str, Any], texts: Sequence[str] | None
) -> str:
    values = np.asarray(values, float)
    known = np.flatnonzero(np.isfinite(values)).tolist()
    if not known:
        return "nothing yet"
    few = len(known) <= _MOST_POINTS
    told = [
        (_text(places[number], place_axis), texts[number] if texts is not None else _text(values[number], value_axis))
        for number in (known if few else [known[0], known[-1]])
    ]
    if few:
        return ", ".join(f"{place}: {value}" for place, value in told)
    (first_place, first), (last_place, last) = told
    low, high = (_text(extreme(values), value_axis) for extreme in (np.nanmin, np.nanmax))
    return f"from {first} at {first_place} to {last} at {last_place}, lowest {low}, highest {high}"


def _cells_in_words(trace: dict[str, Any], column_name: str, row_name: str) -> str:
    values = np.asarray(trace["z"], float)
    rows, columns = (
        range(size) if names is None else names
        for names, size in zip((trace.get("y"), trace.get("x")), values.shape, strict=True)
    )
    largest = np.argsort(-np.nan_to_num(values, nan=-np.inf), axis=None, kind="stable")[:_MOST_CELLS]
    cells = [
        f"{row_name} {_text(rows[row])}, {column_name} {_text(columns[column])}: {_text(values[row, column])}"
        for row, column in zip(*np.unravel_index(largest, values.shape), strict=True)
    ]
    return (
        f"{len(rows)} × {len(columns)} values from {_text(np.nanmin(values))} to {_text(np.nanmax(values))}, the "
        f"largest {'; '.join(cells)}"
    )


def _text(value: Any, axis: dict[str, Any] | None = None) -> str:
    if isinstance(value, str):
        return value
    if axis and axis.get("hoverformat", axis.get("tickformat", "")).endswith("%"):
        return f"{value:.2%}"
    return (f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}").replace("-", "−")
