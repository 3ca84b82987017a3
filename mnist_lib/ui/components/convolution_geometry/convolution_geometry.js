const SIZES = { n: ["Input", 1, 32], k: ["Kernel", 1, 7], p: ["Padding", 0, 6], s: ["Stride", 1, 5], d: ["Dilation", 1, 4] };
const POSITIVE = "249, 115, 22", NEGATIVE = "59, 130, 246";
const GRID = "rgb(70, 70, 70)";
const WALK_MS = 12_000, SLOWEST_STEP_MS = 400;

function make(tag, parent, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  parent.append(element);
  return element;
}

// The kernel looks for an edge: its left half counts against, its right half for.
const weight = (column, k) => (k === 1 ? 1 : Math.sign(column - (k - 1) / 2));

function measure({ n, k, p, s, d }) {
  const span = d * (k - 1) + 1, padded = n + 2 * p;
  const output = Math.floor((padded - span) / s) + 1;
  return { n, k, p, s, d, span, padded, output, left: (padded - span) % s };
}

class ConvolutionGeometry {
  constructor(parent) {
    this.host = make("div", parent, { className: "geometry" });
    this.exampleButtons = make("div", this.host, { className: "buttons" });
    const sliders = make("div", this.host, { className: "sliders" });
    this.sliders = Object.fromEntries(Object.entries(SIZES).map(([name, [title, min, max]]) => {
      const label = make("label", sliders);
      label.append(`${title} `, make("i", label, { textContent: name }));
      const value = make("b", label);
      const slider = make("input", label, { type: "range", min, max, name });
      slider.oninput = () => this.set({ ...this.sizes, [name]: Number(slider.value) });
      return [name, { slider, value }];
    }));
    this.formula = make("div", this.host, { className: "formula" });
    this.formula.setAttribute("role", "math");
    const boards = make("div", this.host, { className: "boards" });
    [this.input, this.output] = ["input", "output"].map((name) => {
      const figure = make("figure", boards);
      const caption = make("figcaption", figure);
      return { caption, canvas: make("canvas", figure, { className: name }) };
    });
    const buttons = make("div", this.host, { className: "buttons" });
    this.stepButton = make("button", buttons, { type: "button", textContent: "Step" });
    this.playButton = make("button", buttons, { type: "button", className: "play" });
    this.line = make("p", this.host);
    this.line.setAttribute("role", "status");
    this.stepButton.onclick = () => { this.pause(); this.step(); };
    this.playButton.onclick = () => (this.playing ? this.pause() : this.play());
    this.output.canvas.tabIndex = 0;
    this.output.canvas.setAttribute("role", "application");
    this.output.canvas.setAttribute("aria-label", "Output. The arrow keys choose a value.");
    this.output.canvas.onkeydown = (event) => this.onKey(event);
    for (const { canvas } of [this.input, this.output]) {
      canvas.onpointermove = canvas.onpointerdown = (event) => this.onPointer(event);
    }
    this.observer = new ResizeObserver(() => this.draw());
    this.observer.observe(boards);
    this.pause();
  }

  show({ image, examples }) {
    this.image = image;
    const signature = JSON.stringify(examples);
    if (this.signature !== signature) {
      this.signature = signature;
      this.exampleButtons.replaceChildren();
      this.examples = examples.map(({ label, ...sizes }) => {
        const button = make("button", this.exampleButtons, { type: "button", textContent: label });
        button.onclick = () => this.set(sizes);
        return { button, sizes };
      });
      this.set(this.examples[0].sizes);
    } else {
      this.compute();
      this.draw();
    }
  }

  set(sizes) {
    this.pause();
    this.sizes = measure(sizes);
    this.place = 0;
    this.reached = 1;
    for (const [name, { slider, value }] of Object.entries(this.sliders)) {
      slider.value = value.textContent = sizes[name];
    }
    for (const { button, sizes } of this.examples) {
      button.setAttribute("aria-pressed", String(Object.keys(sizes).every((name) => sizes[name] === this.sizes[name])));
    }
    const { n, p, padded, output } = this.sizes;
    this.writeFormula();
    this.input.caption.innerHTML = `Input ${n} × ${n}${p ? ` <small>padded to ${padded} × ${padded}</small>` : ""}`;
    this.output.caption.textContent = output > 0 ? `Output ${output} × ${output}` : "No output";
    for (const button of [this.stepButton, this.playButton]) button.disabled = output < 1;
    this.compute();
    this.draw();
  }

  writeFormula() {
    const { n, k, p, s, d, output } = this.sizes;
    const size = String(output).replace("-", "−");
    const write = (above, below) =>
      `<span><span class="floor"><span class="fraction"><span>${above}</span><span>${below}</span></span></span> + 1</span>`;
    this.formula.innerHTML = write("<i>n</i> + 2<i>p</i> − <i>d</i>(<i>k</i> − 1) − 1", "<i>s</i>") +
      `<span>= ${write(`${n} + 2 · ${p} − ${d} · (${k} − 1) − 1`, s)} = <b>${size}</b></span>`;
    this.formula.setAttribute("aria-label",
      `The floor of (${n} + 2 · ${p} − ${d} · (${k} − 1) − 1) / ${s}, plus 1, is ${size}`);
  }

  // The image at the input's size: each pixel is the mean of those it covers.
  shrink(n) {
    const size = this.image.length;
    const covered = (place) => [Math.floor(place * size / n), Math.ceil((place + 1) * size / n)];
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return Array.from({ length: n }, (_, row) => {
      const rows = this.image.slice(...covered(row));
      return Array.from({ length: n }, (_, column) => mean(rows.map((values) => mean(values.slice(...covered(column))))) / 255);
    });
  }

  pixel(row, column) {
    return this.pixels[row]?.[column] ?? 0;  // padding is 0
  }

  // The input's rows, or columns, under the window of an output's row, or column.
  under(place) {
    const { k, p, s, d } = this.sizes;
    return Array.from({ length: k }, (_, tap) => place * s - p + tap * d);
  }

  compute() {
    const { n, k, output } = this.sizes;
    this.pixels = this.shrink(n);
    const size = Math.max(output, 0);
    this.values = Array.from({ length: size * size }, (_, place) => {
      const columns = this.under(place % size);
      let sum = 0;
      for (const row of this.under(Math.floor(place / size))) {
        columns.forEach((column, tap) => { sum += weight(tap, k) * this.pixel(row, column); });
      }
      return sum;
    });
    this.largest = Math.max(1e-9, ...this.values.map(Math.abs));
  }

  choose(place) {
    this.place = place;
    this.reached = Math.max(this.reached, place + 1);
    this.draw();
  }

  step() {
    if (this.place + 1 < this.values.length) return this.choose(this.place + 1);
    this.reached = 0;
    return this.choose(0);
  }

  play() {
    if (this.place + 1 === this.values.length) this.step();
    this.playButton.textContent = "Pause";
    this.line.setAttribute("aria-live", "off");
    const end = () => { this.step(); if (this.place + 1 === this.values.length) this.pause(); };
    this.playing = setInterval(end, Math.min(SLOWEST_STEP_MS, WALK_MS / this.values.length));
  }

  pause() {
    clearInterval(this.playing);
    this.playing = null;
    this.playButton.textContent = "Play";
    this.line.setAttribute("aria-live", "polite");
  }

  onKey(event) {
    const size = this.sizes.output;
    const row = Math.floor(this.place / size), column = this.place % size;
    const [down, right] = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key] ?? [];
    if (down === undefined || size < 1) return;
    event.preventDefault();
    this.pause();
    const within = (place) => Math.min(Math.max(place, 0), size - 1);
    this.choose(within(row + down) * size + within(column + right));
  }

  onPointer(event) {
    const { output: size, s, span, padded } = this.sizes;
    if (size < 1) return;
    const cell = event.target.clientWidth / padded;
    let places = [event.offsetY / cell, event.offsetX / cell];
    if (event.target === this.input.canvas) places = places.map((place) => Math.round((place - span / 2) / s));
    else if (places.some((place) => place >= size)) return;
    const [row, column] = places.map((place) => Math.min(Math.max(Math.floor(place), 0), size - 1));
    this.pause();
    this.choose(row * size + column);
  }

  draw() {
    const style = getComputedStyle(this.host);
    const [ink, paper, surface, border] = ["text-color", "background-color", "secondary-background-color", "border-color"].map(
      (name) => style.getPropertyValue(`--st-${name}`).trim());
    const { n, k, p, s, padded, output: size, span } = this.sizes;
    const row = Math.floor(this.place / size), column = this.place % size;
    const begin = ({ canvas }) => {
      const side = canvas.clientWidth * devicePixelRatio;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      const pen = canvas.getContext("2d");
      pen.clearRect(0, 0, side, side);
      const cell = side / padded;
      // A thin gap between cells is the grid.
      pen.fillCell = (y, x, fill) => {
        pen.fillStyle = fill;
        const gap = Math.max(1, cell * 0.06);
        pen.fillRect(x * cell, y * cell, cell - gap, cell - gap);
      };
      pen.frame = (y, x, cells) => {
        const width = 2 * devicePixelRatio, side = cells * cell;
        for (const [style, thick] of [[paper, 2 * width], [ink, width]]) {
          pen.strokeStyle = style;
          pen.lineWidth = thick;
          pen.strokeRect(x * cell, y * cell, side, side);
        }
      };
      return pen;
    };

    const pen = begin(this.input);
    pen.fillStyle = GRID;
    const cell = pen.canvas.width / padded;
    pen.fillRect(p * cell, p * cell, n * cell, n * cell);
    for (let y = 0; y < padded; y++) {
      for (let x = 0; x < padded; x++) {
        const inside = Math.min(y, x) >= p && Math.max(y, x) < p + n;
        const grey = Math.round(255 * this.pixel(y - p, x - p));
        pen.fillCell(y, x, inside ? `rgb(${grey}, ${grey}, ${grey})` : border);
      }
    }
    if (size > 0) {
      for (const y of this.under(row)) {
        this.under(column).forEach((x, tap) => {
          pen.fillCell(y + p, x + p, `rgba(${weight(tap, k) < 0 ? NEGATIVE : POSITIVE}, ${weight(tap, k) ? 0.7 : 0})`);
        });
      }
      pen.frame(row * s, column * s, span);
    }

    const outputPen = begin(this.output);
    this.values.forEach((value, place) => {
      const y = Math.floor(place / size), x = place % size;
      outputPen.fillCell(y, x, surface);
      if (place >= this.reached) return;
      const strength = Math.sqrt(Math.abs(value) / this.largest);
      outputPen.fillCell(y, x, strength ? `rgba(${value < 0 ? NEGATIVE : POSITIVE}, ${strength})` : border);
    });
    if (size > 0) outputPen.frame(row, column, 1);
    this.say(row, column);
  }

  say(row, column) {
    const { padded, span, output, left } = this.sizes;
    const number = (value) => String(value).replace("-", "−");
    const list = (place) => this.under(place).map(number).join(", ");
    this.line.classList.toggle("problem", output < 1);
    this.line.textContent = output < 1
      ? `The window is ${span} wide, the input${padded === this.sizes.n ? "" : " with its padding"} only ${padded}: it does not fit.`
      : `Row ${row}, column ${column}: ${number(this.values[this.place].toFixed(2))}, from the input's rows ${list(row)} and ` +
        `columns ${list(column)}.${left ? ` The last ${left} of each are never reached.` : ""}`;
  }

  end() {
    this.pause();
    this.observer.disconnect();
    this.host.remove();
  }
}

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  parentElement.version = data.version;
  parentElement.geometry ??= new ConvolutionGeometry(parentElement);
  parentElement.geometry.show(data);
  return () => { parentElement.geometry.end(); delete parentElement.geometry; };
}
