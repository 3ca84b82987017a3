// One request per browser page. Streamlit has its own Plotly, so window.Plotly is restored.
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
    // While a person drags a rectangle over the curves, new data waits until the button is released.
    this.plot.addEventListener("pointerdown", (event) => { this.held = event.button === 0; }, true);
    this.release = () => { this.held = false; if (this.waiting) this.draw(); };
    for (const name of ["pointerup", "pointercancel"]) window.addEventListener(name, this.release);
    this.observer = new ResizeObserver(() => {
      if (this.plotly && this.plot.clientWidth) this.plotly.Plots.resize(this.plot);
    });
  }

  async show({ figure, in_words, height, plotly_url, least_width }, click, select) {
    this.figure = figure;
    this.inWords = in_words;
    this.click = click;
    this.select = select;
    this.host.classList.toggle("clickable", Boolean(click));
    this.host.style.minHeight = `${height}px`;
    this.plot.style.minWidth = `${least_width ?? 0}px`;
    this.host.classList.toggle("wide", Boolean(least_width));
    if (least_width) this.host.tabIndex = 0;  // the arrow keys scroll it
    try {
      this.plotly ??= await loadPlotly(plotly_url);
    } catch {
      this.note.innerHTML = '<span role="alert">Plotly could not be loaded, so there is no figure here. ' +
        "Reload the page to try again.</span>";
      return;
    }
    // Each figure in its own task, so that everything else that came with it shows first.
    clearTimeout(this.turn);
    this.turn = setTimeout(() => { if (!this.gone) this.draw(); });
  }

  async draw() {
    this.waiting = this.held;
    if (this.held) return;
    const { data, layout } = JSON.parse(this.figure);
    if (layout.uirevision !== this.revision) this.told = undefined;
    this.revision = layout.uirevision;
    this.ownRanges = [layout.xaxis?.range, layout.yaxis?.range];  // before Plotly writes its own into them
    layout.template = this.template();
    // On a touch screen a finger scrolls the page; a tap shows a point's values.
    layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : (layout.dragmode ?? "zoom");
    const first = !this.plot.data;
    await this.plotly.react(this.plot, data, layout, { displayModeBar: false, doubleClick: "autosize" });
    if (first) {
      this.plot.on("plotly_click", ({ points: [{ x, y, customdata }] }) =>
        this.click?.([x, y, customdata ?? null]));
      this.plot.on("plotly_selected", (event) => {  // a click comes without an event
        if (event) this.tell(event.points.map(({ customdata }) => customdata));
      });
      this.plot.on("plotly_deselect", () => this.tell([]));
      this.plot.on("plotly_restyle", () => this.tellBrushes());
      this.note.hidden = true;
      this.plot.setAttribute("role", "img");
      this.plot.on("plotly_relayout", () => this.offerReset());
      this.observer.observe(this.plot);
    }
    this.plot.setAttribute("aria-label", this.inWords);
    this.offerReset();
  }

  tell(selected) {
    // Plotly repeats what is selected with every change of the layout.
    const text = JSON.stringify(selected);
    if (text !== this.told) this.select?.(selected);
    this.told = text;
  }

  tellBrushes() {
    const [{ type, dimensions }] = this.plot.data;
    if (type !== "parcoords") return;
    const brushed = dimensions.filter(({ constraintrange }) => constraintrange?.length);
    this.tell(Object.fromEntries(brushed.map(({ label, constraintrange: range }) =>
      [label, Array.isArray(range[0]) ? range : [range]])));
  }

  offerReset() {
    const { xaxis, yaxis } = this.plot._fullLayout;
    // A range that the figure itself sets is not a zoom.
    this.reset.hidden = [xaxis, yaxis].every(
      (axis, number) => axis?.autorange !== false || this.ownRanges[number]);
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

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data, setTriggerValue }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  parentElement.version = data.version;
  parentElement.liveFigure ??= new LiveFigure(parentElement);
  const figure = parentElement.liveFigure;
  const tell = (event) => (value) => setTriggerValue(event, value);
  figure.show(data, data.clickable ? tell("clicked") : null, data.selectable ? tell("selected") : null);
  return () => { figure.end(); delete parentElement.liveFigure; };
}
