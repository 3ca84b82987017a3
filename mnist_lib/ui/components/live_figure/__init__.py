"""A figure that can be used while it updates: new data changes its curves and nothing else.

``st.plotly_chart`` rebuilds the whole plot with every update. This keeps one plot and
passes it to ``Plotly.react``, which changes only what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

# Before any figure: Plotly asks whether its values are of pandas, which Streamlit imports with the first table.
# While one visitor's thread did that, figures of others would find half a pandas.
import pandas as _  # noqa: F401
import plotly
import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly
from streamlit.components.v1 import declare_component
from streamlit.components.v2 import component

from mnist_lib.figures.words import figure_in_words
from mnist_lib.ui.assets import read_text
from mnist_lib.ui.components.versions import with_version

DEFAULT_HEIGHT_PX = 300

# Plotly's script comes with its Python package. Declared as the files of a component, Streamlit
# serves that folder, with the content type that browsers require for a script.
_plotly_files = declare_component("plotly_files", path=Path(plotly.__file__).parent / "package_data")

# Relative to the page, so that it also works below server.baseUrlPath.
_PLOTLY_URL = f"component/{_plotly_files.name}/plotly.min.js?v={plotly.__version__}"


# Not isolated: Plotly puts its styles into the page's head, and they do not apply in a shadow root.
_component = component(
    "live_figure",
    css=read_text("components/live_figure/live_figure.css"),
    js=read_text("components/live_figure/live_figure.js"),
    isolate_styles=False,
)


class DrawnFigure(NamedTuple):
    """A figure as a browser gets it. Nothing in it can be changed, so many screens can share it.

    Attributes:
        figure: For Plotly, JSON.
        in_words: Its numbers in words.
        height: Pixels.
        plotly_url: Where Plotly's script is, relative to the page.
    """

    figure: str
    in_words: str
    height: int
    plotly_url: str = _PLOTLY_URL


def draw_figure(figure: go.Figure) -> DrawnFigure:
    """Return a figure as a browser gets it, with a height if it has none."""
    values = figure.to_dict()
    layout = values["layout"]
    layout.pop("template", None)  # replaced by the theme's
    height_px = layout.setdefault("height", DEFAULT_HEIGHT_PX)
    return DrawnFigure(str(to_json_plotly(values)), figure_in_words(figure), height_px)


def live_figure(
    figure: go.Figure | DrawnFigure,
    key: str,
    on_click: Callable[[Any, Any, Any], None] | None = None,
    on_select: Callable[[Any], None] | None = None,
    least_width_px: int = 0,
) -> None:
    """Show a figure that keeps zoom, hover and the legend's choice while its data changes.

    Text, grid and background take the theme's colours. Changes made by a person are kept as
    long as ``layout.uirevision`` stays the same, for traces that keep their ``uid``. Those who
    hear the screen get its numbers in words.

    Args:
        figure: With a ``uirevision`` in its layout, and with a height if ``DEFAULT_HEIGHT_PX``
            does not fit. What dragging over it does is its ``dragmode``, by default a zoom.
        key: The component's key. The same key is the same plot.
        on_click: Called with x, y and ``customdata`` of a clicked point, before the screen is drawn again.
        on_select: Called with what a person selected, before the screen is drawn again: the ``customdata`` of all
            points in a box or lasso, none if it was taken away; of parallel coordinates the brushed axes, as
            ``{label: [[low, high], ...]}``.
        least_width_px: Where there is less room, the figure scrolls sideways.
    """
    drawn = draw_figure(figure) if isinstance(figure, go.Figure) else figure
    data: dict[str, Any] = drawn._asdict()
    if least_width_px:
        data["least_width"] = least_width_px
    listeners: dict[str, Any] = {}
    if on_click:
        data["clickable"] = True
        listeners["on_clicked_change"] = lambda: _tell(key, "clicked", lambda point: on_click(*point))
    if on_select:
        data["selectable"] = True
        listeners["on_selected_change"] = lambda: _tell(key, "selected", on_select)
    _component(key=key, data=with_version(key, data), **listeners)


def _tell(key: str, event: str, listener: Callable[[Any], None]) -> None:
    said = st.session_state[key].get(event)
    if said is not None:
        listener(said)
