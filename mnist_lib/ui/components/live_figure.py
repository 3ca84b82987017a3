"""A figure that stays still under the hand: new data changes its curves and nothing else.

``st.plotly_chart`` builds the whole plot anew with every update. This keeps one
plot and hands it to ``Plotly.react``, which changes only what differs.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import plotly
import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly
from streamlit.components.v1 import declare_component
from streamlit.components.v2 import component

DEFAULT_HEIGHT_PX = 300

# Plotly's script comes with its Python package. Declared as the files of a component,
# Streamlit serves that folder, with the type that browsers ask of a script.
_plotly_files = declare_component("plotly_files", path=Path(plotly.__file__).parent / "package_data")

# Relative to the page, so that it holds below server.baseUrlPath, too.
_PLOTLY_URL = f"component/{_plotly_files.name}/plotly.min.js?v={plotly.__version__}"

_CSS = """
.live-figure { position: relative; width: 100%; font-family: var(--st-font); color: var(--st-text-color); }
.live-figure .note { position: absolute; inset: 0; display: flex; align-items: center; justify-content: center;
  padding: 1rem; text-align: center; font-size: .9rem; border-radius: var(--st-base-radius);
  background: var(--st-secondary-background-color); }
.live-figure .note span { opacity: .75; }
.live-figure .reset { position: absolute; top: 0; right: 0; z-index: 1; padding: .15rem .6rem; cursor: pointer;
  font: inherit; font-size: .8rem; color: var(--st-text-color); background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); }
.live-figure .reset:hover { border-color: var(--st-primary-color); }
.live-figure .reset:focus-visible { outline: 3px solid var(--st-primary-color); outline-offset: 1px; }
.live-figure.clickable .nsewdrag { cursor: pointer !important; }
.live-figure [hidden] { display: none; }
"""

_JS = """
// One request for the whole browser page. Streamlit has a Plotly of its own: window.Plotly stays what it was.
let loading;
function loadPlotly(url) {
  loading ??= new Promise((resolve, reject) => {
    const theirs = window.Plotly;
    const script = document.createElement("script");
    script.src = new URL(url, document.baseURI);
    script.onload = () => {
      resolve(window.Plotly);
      window.Plotly = theirs;
    };
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

function makeElement(tag, className, parent) {
  const element = document.createElement(tag);
  element.className = className;
  parent.append(element);
  return element;
}

class LiveFigure {
  constructor(parent) {
    this.host = makeElement("div", "live-figure", parent);
    this.plot = makeElement("div", "plot", this.host);
    this.note = makeElement("div", "note", this.host);
    this.note.innerHTML = "<span>Loading the figure…</span>";
    this.reset = makeElement("button", "reset", this.host);
    this.reset.type = "button";
    this.reset.textContent = "Reset zoom";
    this.reset.hidden = true;
    this.reset.onclick = () => this.plotly.relayout(this.plot, { "xaxis.autorange": true, "yaxis.autorange": true });
    // While a rectangle is drawn over the curves, they stand still: new data waits until the button is up.
    this.plot.addEventListener("pointerdown", (event) => { this.held = event.button === 0; }, true);
    this.release = () => { this.held = false; if (this.waiting) this.draw(); };
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, this.release);
    this.observer = new ResizeObserver(() => {
      if (this.plotly && this.plot.clientWidth) this.plotly.Plots.resize(this.plot);
    });
  }

  async show({ figure, height, plotly_url }, click) {
    this.figure = figure;
    this.click = click;
    this.host.classList.toggle("clickable", Boolean(click));
    this.host.style.minHeight = `${height}px`;
    try {
      this.plotly ??= await loadPlotly(plotly_url);
    } catch {
      this.note.innerHTML = '<span role="alert">Plotly could not be loaded, so there is no figure here. ' +
        "Reload the page to try again.</span>";
      return;
    }
    // Each figure in a task of its own: what else came with it is on the screen before it.
    clearTimeout(this.turn);
    this.turn = setTimeout(() => { if (!this.gone) this.draw(); });
  }

  async draw() {
    this.waiting = this.held;
    if (this.held) return;
    const { data, layout } = JSON.parse(this.figure);
    this.ownRanges = [layout.xaxis?.range, layout.yaxis?.range];  // before Plotly writes its own into them
    layout.template = this.template();
    // On a touch screen a finger scrolls the page; it reads the figure with a tap.
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
    const first = !this.plot.data;
    await this.plotly.react(this.plot, data, layout, { displayModeBar: false, doubleClick: "autosize" });
    if (first) {
      this.plot.on("plotly_click", ({ points }) => this.click?.({ x: points[0].x, y: points[0].y }));
      this.note.hidden = true;
      this.plot.setAttribute("role", "figure");
      this.plot.on("plotly_relayout", () => this.offerReset());
      this.observer.observe(this.plot);
    }
    this.plot.setAttribute("aria-label", layout.title?.text ?? "");
    this.offerReset();
  }

  offerReset() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    // A range that the figure itself asks for is no zoom.
    this.reset.hidden = [xaxis, yaxis].every(
      (axis, number) => !axis || axis.autorange !== false || this.ownRanges[number]);
  }

  template() {
    const style = getComputedStyle(this.host);
    const value = (name) => style.getPropertyValue(`--st-${name}`).trim();
    const font = { color: value("text-color"), family: value("font"), size: 13 };
    const line = value("border-color");
    const axis = { gridcolor: line, zerolinecolor: line, linecolor: line, tickcolor: line };
    return { layout: {
      font, xaxis: axis, yaxis: axis,
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", legend: { bgcolor: "rgba(0,0,0,0)" },
      hoverlabel: { bgcolor: value("background-color"), bordercolor: line, font },
    } };
  }

  end() {
    this.gone = true;
    this.observer.disconnect();
    for (const name of ["pointerup", "pointercancel"]) window.removeEventListener(name, this.release);
    if (this.plotly) this.plotly.purge(this.plot);
    this.host.remove();
  }
}

// Streamlit calls this with every change of data or theme, and what it returns at the very end.
export default function ({ parentElement, data, setTriggerValue }) {
  const figure = (parentElement.liveFigure ??= new LiveFigure(parentElement));
  figure.show(data, data.clickable ? (point) => setTriggerValue("clicked", point) : null);
  return () => { figure.end(); delete parentElement.liveFigure; };
}
"""

# Not isolated: Plotly puts its styles into the page's head, which do not reach into a shadow root.
_component = component("live_figure", css=_CSS, js=_JS, isolate_styles=False)


def live_figure(figure: go.Figure, key: str, on_click: Callable[[Any, Any], None] | None = None) -> None:
    """Draw a figure that keeps zoom, hover and the legend's choice while its data changes.

    Text, grid and background take the colours of the theme. What the person did to
    the figure stays as long as ``layout.uirevision`` stays the same, for traces that
    keep their ``uid``.

    Args:
        figure: With a ``uirevision`` in its layout, and with a height where
            ``DEFAULT_HEIGHT_PX`` does not fit.
        key: The component's key. The same key is the same plot.
        on_click: Called with the x and the y of a point that is clicked, before the screen is drawn anew.
    """
    values = figure.to_dict()
    layout = values["layout"]
    layout.pop("template", None)  # the theme's takes its place
    height_px = layout.setdefault("height", DEFAULT_HEIGHT_PX)
    data = {"figure": to_json_plotly(values), "height": height_px, "plotly_url": _PLOTLY_URL}
    if on_click is None:
        _component(key=key, data=data)
        return

    def clicked() -> None:
        point = st.session_state[key].get("clicked")
        if point:
            on_click(point["x"], point["y"])

    _component(key=key, data=data | {"clickable": True}, on_clicked_change=clicked)
