// The picture: every layer's values side by side. Drawn once for each image; what is pointed at is drawn above it.

const HEADER_PX = 58, LARGEST_CELL_PX = 34, SPACE_PX = 3, MARGIN_PX = 4;
// A finger needs more room than a mouse.
const LEAST_CELL_PX = matchMedia("(pointer: coarse)").matches ? 22 : 16;
const LEAST_GAP_PX = 12, LARGEST_GAP_PX = 26;
const MOST_LINES = 12;

// Where each layer's cells lie, for a picture of this width.
function arrange(network, width) {
  const isGrid = (layer) => layer.height > 1;
  const grids = network.layers.map((layer) => {
    if (layer.kind === "image") return { rows: 3, width: 3 };
    if (isGrid(layer)) {
      const rows = layer.maps > 64 ? 16 : 8;
      return { rows, columns: Math.ceil(layer.maps / rows), width: Math.ceil(layer.maps / rows) };
    }
    if (layer.kind === "flatten") return { width: 2 };
    if (layer.kind === "answer") return { width: 4 };
    return { width: 2 };
  });
  const cells = grids.reduce((sum, grid) => sum + grid.width, 0);
  // Rather closer together than cut off.
  const room = Math.floor((width - cells * LEAST_CELL_PX) / (grids.length - 1));
  const gap = Math.min(LARGEST_GAP_PX, Math.max(LEAST_GAP_PX, Math.min(room, Math.round(width * 0.026))));
  const free = width - gap * (grids.length - 1);
  const cell = Math.max(LEAST_CELL_PX, Math.min(LARGEST_CELL_PX, Math.floor(free / cells)));
  const rows = Math.max(8, ...grids.map((grid) => grid.rows ?? 0));
  const height = rows * cell;
  let left = 0;
  const columns = grids.map((grid, number) => {
    const layer = network.layers[number];
    const column = { layer, left, width: Math.round(grid.width * cell), height };
    left += column.width + gap;
    if (layer.kind === "image") {
      return { ...column, boxes: [{ left: column.left, top: (height - 3 * cell) / 2, width: 3 * cell, height: 3 * cell }] };
    }
    if (isGrid(layer)) {
      const top = (height - grid.rows * cell) / 2, size = cell - SPACE_PX;
      const boxes = Array.from({ length: layer.maps }, (_, map) => ({
        left: column.left + (map % grid.columns) * cell,
        top: top + Math.floor(map / grid.columns) * cell,
        width: size, height: size,
      }));
      return { ...column, boxes, across: grid.columns };
    }
    if (layer.kind === "flatten") {
      const count = layer.values.length;
      const across = Math.max(1, Math.round(Math.sqrt((count * column.width) / height)));
      return { ...column, across, boxes: [{ left: column.left, top: 0, width: column.width, height }] };
    }
    const across = layer.kind === "answer" ? 1 : Math.max(4, 2 ** Math.ceil(Math.log2(Math.sqrt(layer.maps / 4))));
    const rowCount = Math.ceil(layer.maps / across);
    const boxes = Array.from({ length: layer.maps }, (_, unit) => ({
      left: column.left + ((unit % across) * column.width) / across,
      top: (Math.floor(unit / across) * height) / rowCount,
      width: column.width / across - (layer.kind === "answer" ? 0 : 1),
      height: height / rowCount - 1,
    }));
    return { ...column, boxes, across };
  });
  return { columns, cell, gap, width: left - gap, height };
}

const MOST_NAMED_ANSWERS = 20;

class Picture {
  constructor(parent) {
    this.host = element("div", "network", parent);
    const scroll = element("div", "scroll", this.host);
    this.stage = element("div", "stage", scroll);
    this.base = element("canvas", "", this.stage);
    this.marks = element("canvas", "", this.stage);
    for (const canvas of [this.base, this.marks]) canvas.setAttribute("aria-hidden", "true");
    this.buttons = element("div", "buttons", this.stage);
    this.line = element("p", "line", this.host);
    this.buttons.onpointerover = ({ target }) => this.point(this.partOf(target.closest("button")));
    this.buttons.onpointerleave = () => this.point(null);
    this.buttons.onfocusin = ({ target }) => {
      if (target.matches(":focus-visible")) this.point(this.partOf(target));
    };
    this.buttons.onfocusout = () => this.point(null);
    this.buttons.onclick = (event) => this.click(event);
    this.buttons.onkeydown = (event) => this.move(event);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.host);
    this.redraw = () => this.drawMarks();
    view.addEventListener("choice", this.redraw);
  }

  show(data, tellStage) {
    this.tellStage = tellStage;
    if (data.id !== this.network?.id) {
      this.network = view.network = readNetwork(data);
      this.sheets = this.network.layers.map((layer) => this.sheet(layer));
      this.arrangement = null;
      if (this.pointed && !(this.pointed.map < this.network.byName[this.pointed.layer]?.maps)) this.pointed = null;
      const { choice } = view;
      // The same place of the next image, or of the network after another epoch.
      if (!choice || !this.fits(choice)) view.choice = this.firstChoice(this.network.byName[data.stage] ?? this.network.layers[1]);
      this.resize();
      view.dispatchEvent(new Event("network"));
    }
    if (data.stage_number !== this.stageNumber) {
      const first = this.stageNumber === undefined;
      this.stageNumber = data.stage_number;
      if (data.stage !== view.choice.layer) this.choose(this.firstChoice(this.network.byName[data.stage]));
      const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (!first) this.host.scrollIntoView({ block: "nearest", behavior: still ? "auto" : "smooth" });
    }
    this.drawMarks();
  }

  fits({ layer: name, map, y, x }) {
    const layer = this.network.byName[name];
    return layer && map < layer.maps && y < layer.height && x < layer.width;
  }

  // The strongest map or unit, at its strongest place.
  firstChoice(layer) {
    const best = layer.values.indexOf(Math.max(...layer.values));
    if (layer.kind === "flatten") return { layer: layer.name, map: best, y: 0, x: 0 };
    const map = best % layer.maps;
    return { layer: layer.name, map, ...this.placeIn(layer, map) };
  }

  placeIn(layer, map) {
    const { y, x } = strongestPlace(layer, map);
    return { y, x };
  }

  // All maps of a layer in one small canvas, below each other.
  sheet(layer) {
    if (layer.height === 1) return null;
    const canvas = document.createElement("canvas");
    canvas.width = layer.width;
    canvas.height = layer.height * layer.maps;
    const context = canvas.getContext("2d");
    const pixels = context.createImageData(canvas.width, canvas.height);
    const perMap = layer.height * layer.width;
    for (let place = 0; place < perMap; place++) {
      for (let map = 0; map < layer.maps; map++) {
        const value = layer.values[place * layer.maps + map];
        const level = layer.kind === "image" ? 255 * value : grey(value, layer.largest);
        pixels.data.set([level, level, level, 255], 4 * (map * perMap + place));
      }
    }
    context.putImageData(pixels, 0, 0);
    return canvas;
  }

  resize() {
    const width = this.host.clientWidth - 2 * MARGIN_PX;
    if (!this.network || width <= 0 || (this.arrangement && width === this.width)) return;
    this.width = width;
    this.arrangement = arrange(this.network, width);
    const { width: needed, height } = this.arrangement;
    const total = height + HEADER_PX;
    this.stage.style.width = `${needed}px`;
    this.stage.style.height = `${total}px`;
    const scale = window.devicePixelRatio || 1;
    for (const canvas of [this.base, this.marks]) {
      canvas.width = needed * scale;
      canvas.height = total * scale;
      canvas.style.width = `${needed}px`;
      canvas.style.height = `${total}px`;
      canvas.getContext("2d").setTransform(scale, 0, 0, scale, 0, HEADER_PX * scale);
    }
    this.drawBase();
    this.makeButtons();
    this.drawMarks();
  }

  drawBase() {
    const context = this.base.getContext("2d");
    context.imageSmoothingEnabled = false;
    for (const { layer, boxes, across } of this.arrangement.columns) {
      const sheet = this.sheets[layer.number];
      if (layer.kind === "flatten") {
        const [box] = boxes, rows = Math.ceil(layer.values.length / across);
        const width = box.width / across, height = box.height / rows;
        layer.values.forEach((value, place) => {
          const level = grey(value, layer.largest);
          context.fillStyle = `rgb(${level}, ${level}, ${level})`;
          context.fillRect(box.left + (place % across) * width, Math.floor(place / across) * height, width + 0.3, height + 0.3);
        });
      } else if (layer.kind !== "answer") {
        boxes.forEach((box, map) => {
          if (sheet) {
            context.drawImage(sheet, 0, map * layer.height, layer.width, layer.height, box.left, box.top, box.width, box.height);
            return;
          }
          const level = grey(layer.values[map], layer.largest);
          context.fillStyle = `rgb(${level}, ${level}, ${level})`;
          context.fillRect(box.left, box.top, box.width, box.height);
        });
      }
    }
  }

  makeButtons() {
    const made = [];
    const button = (className, layer, box, label) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = className;
      button.dataset.layer = layer.name;
      button.tabIndex = -1;
      for (const side of ["left", "top", "width", "height"]) button.style[side] = `${box[side]}px`;
      if (label) button.setAttribute("aria-label", label);
      made.push(button);
      return button;
    };
    for (const { layer, left, width, boxes } of this.arrangement.columns) {
      const wide = width + this.arrangement.gap - 2;
      const header = button(
        "header", layer, { left: left + (width - wide) / 2, top: -HEADER_PX, width: wide, height: HEADER_PX - 6 });
      header.tabIndex = 0;
      element("b", "", header).textContent = layer.title;
      element("span", "", header).textContent = layer.shape_text;
      boxes.forEach((box, map) => {
        // An answer is named by its text.
        const part = button("part", layer, box, layer.kind === "answer" ? "" : this.describe({ layer: layer.name, map }));
        part.dataset.map = map;
        if (map === 0) part.tabIndex = 0;  // one stop for the Tab key; the arrow keys move from there
        if (layer.kind === "answer") this.fillAnswer(part, layer, map);
      });
    }
    this.stage.classList.toggle("small", this.arrangement.cell < 22);
    this.buttons.style.top = `${HEADER_PX}px`;
    this.buttons.style.height = `${this.arrangement.height}px`;
    this.buttons.replaceChildren(...made);
    this.buttons.setAttribute("role", "group");
    this.buttons.setAttribute("aria-label", `The network with ${this.network.title}`);
  }

  fillAnswer(part, layer, digit) {
    const probability = layer.values[digit];
    part.classList.add("answer");
    part.classList.toggle("named", layer.names[digit].length > 2);
    part.classList.toggle("crowded", layer.maps > MOST_NAMED_ANSWERS);
    if (probability === layer.largest) part.classList.add("best");
    element("b", "", part).textContent = layer.names[digit];
    const bar = element("span", "bar", part);
    element("i", "", bar).style.width = `${100 * probability}%`;
    element("span", "percent", part).textContent = percent(probability);
  }

  describe({ layer: name, map }) {
    const layer = this.network.byName[name];
    if (layer.kind === "image") return this.network.title;
    if (layer.kind === "flatten") return `${layer.values.length.toLocaleString("en")} values in a row`;
    if (layer.kind === "answer") return `${layer.title}: ${layer.names[map]}, ${percent(layer.values[map])}`;
    if (layer.height === 1) return `${layer.title}, unit ${map}: ${number(layer.values[map])}`;
    return `${layer.title}, map ${map}: strongest value ${number(strongestPlace(layer, map).value)}`;
  }

  partOf(button) {
    if (button?.dataset.map === undefined) return null;
    return { layer: button.dataset.layer, map: Number(button.dataset.map) };
  }

  point(part) {
    this.pointed = part;
    this.drawMarks();
  }

  click(event) {
    const button = event.target.closest("button");
    if (!button) return;
    const layer = this.network.byName[button.dataset.layer];
    const part = this.partOf(button);
    if (!part) {
      this.choose(this.firstChoice(layer));
      return;
    }
    const byKeyboard = event.detail === 0;
    const box = button.getBoundingClientRect();
    const across = Math.min(0.999, Math.max(0, (event.clientX - box.left) / box.width));
    const down = Math.min(0.999, Math.max(0, (event.clientY - box.top) / box.height));
    if (layer.kind === "flatten") {
      const { across: columns } = this.arrangement.columns[layer.number];
      const rows = Math.ceil(layer.values.length / columns);
      const place = Math.floor(down * rows) * columns + Math.floor(across * columns);
      this.choose(byKeyboard ? this.firstChoice(layer) : { ...part, map: Math.min(place, layer.values.length - 1), y: 0, x: 0 });
    } else if (byKeyboard) {
      this.choose({ ...part, ...this.placeIn(layer, part.map) });
    } else {
      this.choose({ ...part, y: Math.floor(down * layer.height), x: Math.floor(across * layer.width) });
    }
  }

  choose(choice) {
    const moved = choice.layer !== view.choice?.layer;
    view.choice = choice;
    view.dispatchEvent(new Event("choice"));
    if (moved) this.tellStage(choice.layer);
  }

  // The arrow keys go through the parts of a layer, and on to its neighbours.
  move(event) {
    const button = event.target.closest("button");
    const part = this.partOf(button);
    const { columns } = this.arrangement;
    const column = columns[this.network.byName[button.dataset.layer].number];
    const across = column.layer.kind === "flatten" ? 1 : (column.across ?? 1);
    const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const [right, down] = step;
    const position = part ? part.map : 0;
    const beside = (position % across) + right;
    let target;
    if (part && beside >= 0 && beside < across && !(down === 0 && position + right >= column.boxes.length)) {
      target = { layer: column.layer.name, map: position + right + down * across };
    } else if (down === 0) {
      const next = columns[column.layer.number + right];
      if (next) target = { layer: next.layer.name, map: part ? Math.min(next.boxes.length - 1, right > 0 ? 0 : (next.across ?? 1) - 1) : undefined };
    } else if (!part && down > 0) {
      target = { layer: column.layer.name, map: 0 };
    }
    const query = target?.map === undefined ? ".header" : `[data-map="${target.map}"]`;
    const found = target && this.buttons.querySelector(`button[data-layer="${target.layer}"]${query}`);
    if (!found) return;
    found.tabIndex = 0;
    if (part) button.tabIndex = -1;
    found.focus();
    found.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  boxOf({ layer: name, map }) {
    const { layer, boxes } = this.arrangement.columns[this.network.byName[name].number];
    return boxes[layer.kind === "flatten" || layer.kind === "image" ? 0 : map];
  }

  // What a map or unit is made of: other parts, each with its share, from -1 to 1.
  sourcesOf(part) {
    const layer = this.network.byName[part.layer], { input } = layer;
    const scaled = (shares, from = input) => {
      const largest = largestOf(shares);
      return Array.from(shares, (share, map) => ({ layer: from.name, map, share: share / largest }));
    };
    if (layer.kind === "pooling" || layer.kind === "dropout") return [{ layer: input.name, map: part.map, share: 1 }];
    if (layer.kind === "convolution") {
      const { y, x } = part.y === undefined ? this.placeIn(layer, part.map) : part;
      return scaled(convolutionAt(layer, y, x, part.map).channels.map((channel) => channel.part));
    }
    if (layer.kind === "flatten") return [];
    if (layer.kind === "answer") return scaled(outputAt(layer, input.values, part.map).products);
    const dense = view.denseKernels.get(this.network.dense_id);
    if (layer.kind !== "dense" || !dense) return [];
    const maps = layer.input.input;
    return scaled(denseAt(layer, dense, part.map, maps.maps).parts, maps);
  }

  drawMarks() {
    if (!this.arrangement) return;
    const context = this.marks.getContext("2d");
    context.clearRect(0, -HEADER_PX, this.arrangement.width, this.arrangement.height + HEADER_PX);
    const { choice } = view;
    const part = this.pointed ?? choice;
    const layer = this.network.byName[part.layer];
    const sources = this.sourcesOf(part);
    const target = this.boxOf(part);
    const strongest = [...sources].sort((one, other) => Math.abs(other.share) - Math.abs(one.share)).slice(0, MOST_LINES);
    for (const source of strongest) this.drawLine(context, this.boxOf(source), target, source.share);
    for (const source of sources) {
      const box = this.boxOf(source);
      if (layer.kind === "convolution") this.drawKernel(context, layer, source.map, part.map, box, target);
      if (strongest.includes(source)) this.drawFrame(context, box, signed(source.share, 0.35), 1.5);
    }
    if (part !== this.pointed) this.drawPlace(context, choice, sources);
    this.drawFrame(context, target, getComputedStyle(this.host).getPropertyValue("--st-primary-color"), 2.5);
    for (const button of this.buttons.children) {
      const chosen = button.dataset.layer === choice.layer && (button.dataset.map === undefined || this.boxOf(choice) === this.boxOf(this.partOf(button)));
      button.setAttribute("aria-pressed", String(chosen));
    }
    this.line.textContent = this.say(part, strongest);
  }

  drawLine(context, from, to, share) {
    const startX = from.left + from.width, startY = from.top + from.height / 2, endY = to.top + to.height / 2;
    const middle = (startX + to.left) / 2;
    context.beginPath();
    context.moveTo(startX, startY);
    context.bezierCurveTo(middle, startY, middle, endY, to.left, endY);
    context.strokeStyle = signed(share, 0.15);
    context.lineWidth = 1 + 1.5 * Math.abs(share);
    context.stroke();
  }

  drawFrame(context, { left, top, width, height }, style, lineWidth) {
    context.strokeStyle = style;
    context.lineWidth = lineWidth;
    context.strokeRect(left - 0.5, top - 0.5, width + 1, height + 1);
  }

  // The chosen place of a map, and the window of which it is made.
  drawPlace(context, { layer: name, map, y, x }, sources) {
    const layer = this.network.byName[name], { input } = layer;
    if (layer.height === 1) return;
    const frame = ({ left, top, width, height }, of, row, column, side) => this.drawFrame(context, {
      left: left + (width * column) / of.width, top: top + (height * row) / of.height,
      width: (width * side) / of.width, height: (height * side) / of.height,
    }, YELLOW, 1);
    frame(this.boxOf({ layer: name, map }), layer, y, x, 1);
    const [step, side] = layer.kind === "pooling" ? [2, 2] : [1, layer.side];
    for (const source of sources) frame(this.boxOf(source), input, step * y, step * x, side);
  }

  // The filter between two maps: half way to the first convolution, on the corner of each map before the second.
  drawKernel(context, layer, channel, map, from, to) {
    const { input } = layer;
    const size = input.maps === 1 ? this.arrangement.gap - 4 : Math.round(from.width * 0.46);
    const left = input.maps === 1 ? from.left + from.width + 2 : from.left + from.width - size;
    const top = input.maps === 1 ? (from.top + from.height / 2 + to.top + to.height / 2) / 2 - size / 2 : from.top + from.height - size;
    drawWeights(context, layer, channel, map, { left, top, size });
  }

  say(part, strongest) {
    const layer = this.network.byName[part.layer];
    const text = this.describe(part);
    if (layer.kind === "convolution" && layer.input.maps === 1) return `${text}. Made of the image by its own filter.`;
    if (layer.kind === "convolution") return `${text}. Made of all ${layer.input.maps} maps before it, most of map ${strongest[0].map}; the filters are on the maps.`;
    if (layer.kind === "pooling") return `${text}. The largest of each 2 × 2 values of map ${part.map} before it.`;
    if (layer.kind === "dense" && strongest.length) return `${text}. Most comes from map ${strongest[0].map}. Orange speaks for it, blue against it.`;
    if (layer.kind === "answer") return `${text}. Most comes from unit ${strongest[0].map}. Orange speaks for it, blue against it.`;
    return `${text}.`;
  }

  end() {
    this.observer.disconnect();
    view.removeEventListener("choice", this.redraw);
    this.host.remove();
  }
}

export default function ({ parentElement, data, setStateValue }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  parentElement.version = data.version;
  parentElement.picture ??= new Picture(parentElement);
  parentElement.picture.show(data, (stage) => setStateValue("stage", stage));
  return () => { parentElement.picture?.end(); delete parentElement.picture; };
}
