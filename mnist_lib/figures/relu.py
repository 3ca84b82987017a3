"""ReLU: its curve, and what it does to the values of a layer."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from mnist_lib.figures.digits import NEUTRAL_COLOR, POSITIVE_COLOR, STILL_AXIS
from mnist_lib.network.forward import relu

# On the side with the larger values; the other side has as many as it needs.
_BINS = 24


def relu_figure(before: np.ndarray) -> go.Figure:
    """Draw max(0, x), and below it, over the same x, how often each value occurs before and after.

    Args:
        before: float32, any shape, the values of a layer before ReLU.

    Source: Charlie Wilkin's paper, Fig. 2.
    """
    values = before.ravel()
    # 0 is the edge of a bin, so that no bar holds negative and positive values.
    width = max(float(np.abs(values).max()), 1e-6) / _BINS
    low, high = (int(np.floor(values.min() / width)), int(np.ceil(values.max() / width)))
    edges = width * np.arange(min(low, -1), max(high, 1) + 1)
    edges[[0, -1]] += [-width / 1e3, width / 1e3]  # the largest value itself may round to beyond its edge
    middles = (edges[:-1] + edges[1:]) / 2
    curve = {
        "type": "scatter",
        "x": [edges[0], 0.0, edges[-1]],
        "y": [0.0, 0.0, edges[-1]],
        "mode": "lines",
        "line": {"color": POSITIVE_COLOR, "width": 3},
        "hovertemplate": "max(0, %{x:.2f}) = %{y:.2f}<extra></extra>",
        "showlegend": False,
    }
    bars = [
        {
            "type": "bar",
            "x": middles,
            "y": np.histogram(each, edges)[0],
            "name": f"{name} ReLU",
            "marker": {"color": color, "line": {"color": line_color, "width": 1}},
            "yaxis": "y2",
            "hovertemplate": f"%{{y:,}} values near %{{x:.2f}} {name} ReLU<extra></extra>",
        }
        for name, color, line_color, each in (
            ("after", POSITIVE_COLOR, POSITIVE_COLOR, relu(values)),
            ("before", "rgba(148,163,184,0.35)", NEUTRAL_COLOR, values),
        )
    ]
    return go.Figure(
        [curve, *bars],
        {
            "height": 180,
            "margin": {"l": 8, "r": 8, "t": 8, "b": 8},
            "uirevision": "relu",
            "bargap": 0,
            "barmode": "overlay",
            "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "top", "traceorder": "reversed"},
            "xaxis": STILL_AXIS | {"range": [edges[0], edges[-1]], "anchor": "y2", "nticks": 7},
            "yaxis": STILL_AXIS | {"domain": [0.6, 1], "nticks": 3, "title": {"text": "ReLU", "standoff": 4}},
            # Most values are 0 or near it, so that on a linear scale nothing else would be seen.
            "yaxis2": STILL_AXIS
            | {"domain": [0, 0.5], "type": "log", "dtick": 1 if values.size < 1_000 else 2}
            | {"range": [-0.3, np.log10(values.size)], "title": {"text": "values", "standoff": 4}},
        },
    )
