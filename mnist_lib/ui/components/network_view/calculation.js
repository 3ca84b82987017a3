// The calculation of the place that was chosen in the picture: every number of it, and each can be moved.

const PLAY_EVERY_MS = 90, TRIALS = 50, ID_BYTES = 64, MOST_KERNELS = 24;

class Calculation {
  constructor(parent) {
    this.host = element("section", "calculation", parent);
    this.host.setAttribute("aria-label", "Calculation");
    this.heading = element("h2", "", this.host);
    this.sentence = element("p", "sentence", this.host);
    this.sentence.setAttribute("role", "status");
    this.walk = element("div", "walk", this.host);
    this.back = this.button(this.walk, "◀", "Previous place", () => this.step(-1));
    this.playing = this.button(this.walk, "Play", "Slide the window over the picture", () => this.play());
    this.forth = this.button(this.walk, "▶", "Next place", () => this.step(1));
    this.place = element("span", "place", this.walk);
    this.views = element("div", "views", this.host);
    this.from = this.makeView((event, view) => this.pick(event, view, true));
    this.to = this.makeView((event, view) => this.pick(event, view, false));
    this.body = element("div", "body", this.host);
    this.render = () => this.draw();
    this.renew = () => { this.stop(); this.draw(); };
    view.addEventListener("choice", this.render);
    view.addEventListener("network", this.renew);
  }

  // The name of a network, and the weights of its first dense layer, if they are not too many.
  show(data) {
    const id = new TextDecoder().decode(data.subarray(0, ID_BYTES));
    if (view.denseKernels.has(id)) return;
    const kernel = data.length > ID_BYTES ? new Float32Array(data.slice(ID_BYTES).buffer) : null;
    view.denseKernels.set(id, kernel);
    if (view.denseKernels.size > MOST_KERNELS) view.denseKernels.delete(view.denseKernels.keys().next().value);
    view.dispatchEvent(new Event("choice"));
  }

  button(parent, text, label, onclick) {
    const made = element("button", "", parent, text);
    made.type = "button";
    if (!/[a-z]/i.test(text)) made.setAttribute("aria-label", label);  // words are a name of their own
    made.title = label;
    made.onclick = onclick;
    return made;
  }

  makeView(onPick) {
    const figure = element("figure", "", this.views);
    const caption = element("figcaption", "", figure);
    const canvas = element("canvas", "", figure);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    const made = { figure, caption, canvas };
    canvas.onpointerdown = (event) => {
      canvas.setPointerCapture(event.pointerId);
      onPick(event, made);
    };
    canvas.onpointermove = (event) => { if (event.buttons & 1) onPick(event, made); };
    canvas.onkeydown = (event) => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.stop();
      const { y, x } = this.current;
      this.go(y + step[0], x + step[1]);
    };
    return made;
  }

  get layer() {
    return view.network.byName[view.choice.layer];
  }

  choose(changes) {
    view.choice = { ...view.choice, ...changes };
    view.dispatchEvent(new Event("choice"));
  }

  // The layer whose places are gone through: the input of a flattened or of a dense value.
  get walked() {
    const { layer } = this;
    return layer.kind === "flatten" || layer.kind === "dense" ? view.network.byName.flatten.input : layer;
  }

  get current() {
    const { walked, layer } = this;
    if (layer.kind !== "flatten") return view.choice;
    const position = Math.floor(view.choice.map / walked.maps);
    return { y: Math.floor(position / walked.width), x: position % walked.width };
  }

  go(y, x) {
    const { walked, layer } = this;
    if (y < 0 || x < 0 || y >= walked.height || x >= walked.width) return;
    if (layer.kind === "flatten") this.choose({ map: (y * walked.width + x) * walked.maps + (view.choice.map % walked.maps) });
    else this.choose({ y, x });
  }

  step(by) {
    const { layer } = this, { y, x } = view.choice;
    const count = layer.height * layer.width;
    const next = (y * layer.width + x + by + count) % count;
    this.choose({ y: Math.floor(next / layer.width), x: next % layer.width });
  }

  play() {
    if (this.timer) {
      this.stop();
      this.draw();
      return;
    }
    const { layer } = this;
    if (view.choice.y === layer.height - 1 && view.choice.x === layer.width - 1) this.choose({ y: 0, x: 0 });
    const { layer: name, map } = view.choice;
    this.timer = setInterval(() => {
      const { choice } = view;
      const moved = choice.layer !== name || choice.map !== map || !this.host.isConnected;
      if (moved || (choice.y === layer.height - 1 && choice.x === layer.width - 1)) this.renew();
      else this.step(1);
    }, PLAY_EVERY_MS);
    this.draw();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  pick(event, { canvas }, ofInput) {
    const { layer } = this;
    const shown = ofInput && layer.kind !== "image" ? this.walked.input : this.walked;
    if (!shown) return;
    const box = canvas.getBoundingClientRect();
    const y = Math.floor(((event.clientY - box.top) / box.height) * canvas.rows);
    const x = Math.floor(((event.clientX - box.left) / box.width) * canvas.columns);
    this.stop();
    // A window is held in its middle.
    const half = ofInput && layer.kind === "convolution" ? Math.floor(layer.side / 2) : 0;
    const share = ofInput && layer.kind === "pooling" ? 2 : 1;
    const { height, width } = this.walked;
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
    this.go(clamp(Math.floor(y / share) - half, height), clamp(Math.floor(x / share) - half, width));
  }

  // One map, large. `window` is framed; places from `until` on are not computed yet.
  drawMap(made, layer, map, caption, window, until = Infinity) {
    made.figure.hidden = false;
    made.caption.textContent = caption;
    const { canvas } = made;
    canvas.rows = layer.height;
    canvas.columns = layer.width;
    canvas.setAttribute("aria-label", `${caption}. The arrow keys move the window.`);
    const cell = Math.max(4, Math.floor(168 / layer.width));
    const scale = devicePixelRatio || 1;
    canvas.width = layer.width * cell * scale;
    canvas.height = layer.height * cell * scale;
    canvas.style.width = `${layer.width * cell}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    for (let y = 0; y < layer.height; y++) {
      for (let x = 0; x < layer.width; x++) {
        const value = valueAt(layer, y, x, map);
        const level = layer.kind === "image" ? 255 * value : grey(value, layer.largest);
        context.fillStyle = y * layer.width + x < until ? `rgb(${level}, ${level}, ${level})` : "#8b8fa3";
        context.fillRect(x * cell, y * cell, cell, cell);
      }
    }
    context.strokeStyle = YELLOW;
    context.lineWidth = 2;
    context.strokeRect(window.x * cell, window.y * cell, window.side * cell, window.side * cell);
  }

  draw() {
    if (!view.network || !view.choice) return;
    const { layer } = this;
    const focused = this.body.querySelector(":focus")?.dataset.part;
    this.body.replaceChildren();
    this.from.figure.hidden = this.to.figure.hidden = true;
    this.walk.hidden = !["convolution", "pooling"].includes(layer.kind);
    if (this.walk.hidden) this.stop();
    this.playing.textContent = this.timer ? "Pause" : "Play";
    this.place.textContent = `row ${view.choice.y}, column ${view.choice.x}`;
    this.sentence.setAttribute("aria-live", this.timer ? "off" : "polite");
    this[layer.kind](layer, view.choice);
    if (focused !== undefined) this.body.querySelector(`[data-part="${focused}"]`)?.focus();
  }

  say(heading, sentence) {
    this.heading.textContent = heading;
    this.sentence.textContent = sentence;
  }

  image(layer, { y, x }) {
    const value = valueAt(layer, y, x, 0);
    this.say(view.network.title, `The pixel in row ${y}, column ${x} is ${Math.round(255 * value)} of 255: the network gets ${number(value)}.`);
    this.drawMap(this.from, layer, 0, "28 × 28 pixels", { y, x, side: 1 });
    const sum = element("div", "sum", this.body);
    term(sum, "pixel", Math.round(255 * value));
    sign(sum, "/");
    term(sum, "largest", 255);
    sign(sum, "=");
    term(sum, "result", value, "result");
  }

  convolution(layer, { map, y, x, channel: wanted }) {
    const { input, side } = layer;
    const at = convolutionAt(layer, y, x, map);
    const shares = at.channels.map((channel) => channel.part);
    const strongest = shares.reduce((best, share, channel) => (Math.abs(share) > Math.abs(shares[best]) ? channel : best), 0);
    const channel = wanted < input.maps ? wanted : strongest;
    const { pixels, weights, products, part } = at.channels[channel];
    const many = input.maps > 1;
    const most = many ? ` Map ${strongest} gives the most: ${number(shares[strongest])}.` : "";
    this.say(`${layer.title}, map ${map}`, `Row ${y}, column ${x}: the sum with its bias is ${number(at.before)}; ${rectified(at)}.${most}`);
    this.drawMap(this.from, input, channel, many ? `Map ${channel} of ${input.maps} before it` : "The image", { y, x, side });
    this.drawMap(this.to, layer, map, `What filter ${map} makes of ${many ? "them" : "it"}`, { y, x, side: 1 },
      this.timer ? y * layer.width + x + 1 : Infinity);
    const equation = element("div", "equation", this.body);
    numberTable(equation, "window", pixels, side, greyCells(input.largest));
    sign(equation, "×");
    numberTable(equation, "kernel", weights, side, signedCells(largestOf(layer.kernel)));
    sign(equation, "=");
    numberTable(equation, "products", products, side, signedCells(largestOf(products)));
    const sum = element("div", "sum", this.body);
    if (many) {
      term(sum, `part of map ${channel}`, part);
      sign(sum, "+");
      term(sum, `${input.maps - 1} other parts`, at.sum - part);
      sign(sum, "=");
    }
    rectify(sum, at);
    if (many) this.parts("The part of each map", shares, channel, (place) => this.choose({ channel: place }), (place) => `Map ${place}`);
  }

  pooling(layer, { map, y, x }) {
    const { pixels, value } = poolingAt(layer, y, x, map);
    this.say(`${layer.title}, map ${map}`, `Row ${y}, column ${x}: the largest of the four values is ${number(value)}.`);
    this.drawMap(this.from, layer.input, map, `Map ${map} before it`, { y: 2 * y, x: 2 * x, side: 2 });
    this.drawMap(this.to, layer, map, "Half the width and height", { y, x, side: 1 }, this.timer ? y * layer.width + x + 1 : Infinity);
    const equation = element("div", "equation", this.body);
    sign(equation, "max");
    numberTable(equation, "window", pixels, 2, greyCells(layer.largest), pixels.indexOf(value));
    sign(equation, "=");
    term(equation, "result", value, "result");
  }

  flatten(layer, { map: place }) {
    const { input } = layer;
    const map = place % input.maps, { y, x } = this.current;
    const value = layer.values[place];
    const count = layer.values.length.toLocaleString("en");
    this.say(layer.title, `Value ${place.toLocaleString("en")} of ${count} is row ${y}, column ${x} of map ${map}: ${number(value)}. Nothing is computed.`);
    this.drawMap(this.from, input, map, `Map ${map} of ${input.maps}`, { y, x, side: 1 });
    const sum = element("div", "sum", this.body);
    element("span", "index", sum, `(${y} × ${input.width} + ${x}) × ${input.maps} + ${map} = ${place.toLocaleString("en")}`);
    term(sum, "result", value, "result");
  }

  dense(layer, { map: unit, part }) {
    const { input } = layer, maps = input.input;
    const kernel = view.denseKernels.get(view.network.dense_id);
    if (!kernel) {
      this.say(`${layer.title}, unit ${unit}`, view.network.dense_sent
        ? "Its weights are on their way…"
        : `Its result is ${number(layer.values[unit])}. This layer has ${(input.values.length * layer.maps).toLocaleString("en")} weights, too many to send to a browser.`);
      return;
    }
    const at = denseAt(layer, kernel, unit, maps.maps);
    const strongest = at.products.reduce((best, product, place) => (Math.abs(product) > Math.abs(at.products[best]) ? place : best), 0);
    const place = part < at.products.length ? part : strongest;
    const map = place % maps.maps, position = Math.floor(place / maps.maps);
    const y = Math.floor(position / maps.width), x = position % maps.width;
    const best = at.parts.reduce((one, share, other) => (Math.abs(share) > Math.abs(at.parts[one]) ? other : one), 0);
    this.say(`${layer.title}, unit ${unit}`,
      `${at.products.length.toLocaleString("en")} products and the bias make ${number(at.before)}; ${rectified(at)}. Map ${best} gives the most: ${number(at.parts[best])}.`);
    this.drawProducts(at.products, maps, place);
    const sum = element("div", "sum", this.body);
    const against = at.products.reduce((total, product) => total + Math.min(0, product), 0);
    term(sum, "for", at.sum - against);
    sign(sum, "+");
    term(sum, "against", against);
    sign(sum, "=");
    rectify(sum, at);
    const one = element("div", "sum", this.body);
    element("span", "index", one, `Map ${map}, row ${y}, column ${x}:`);
    term(one, "value", input.values[place]);
    sign(one, "×");
    term(one, "weight", kernel[place * layer.maps + unit]);
    sign(one, "=");
    term(one, "product", at.products[place]);
  }

  // The products of all maps beside each other, orange for the unit and blue against it.
  drawProducts(products, maps, chosen) {
    const figure = element("figure", "products", this.body);
    element("figcaption", "", figure, "The product of each place of each map: orange for it, blue against it. Choose one.");
    const canvas = element("canvas", "", figure);
    canvas.tabIndex = 0;
    canvas.dataset.part = "products";
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The products of all places. The arrow keys choose one.");
    const across = gridOf(maps.maps), cell = Math.max(2, Math.floor(440 / (across * (maps.width + 1))));
    const width = (maps.width + 1) * cell, height = (maps.height + 1) * cell;
    const scale = devicePixelRatio || 1;
    canvas.width = across * width * scale;
    canvas.height = Math.ceil(maps.maps / across) * height * scale;
    canvas.style.width = `${across * width}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const largest = largestOf(products);
    const boxOf = (place) => {
      const map = place % maps.maps, position = Math.floor(place / maps.maps);
      return [
        (map % across) * width + (position % maps.width) * cell,
        Math.floor(map / across) * height + Math.floor(position / maps.width) * cell,
      ];
    };
    for (let map = 0; map < maps.maps; map++) {
      context.fillStyle = "rgba(128, 128, 140, 0.16)";
      context.fillRect((map % across) * width, Math.floor(map / across) * height, width - cell, height - cell);
    }
    products.forEach((product, place) => {
      if (!product) return;
      context.fillStyle = signed(Math.sign(product) * Math.sqrt(Math.abs(product) / largest));
      context.fillRect(...boxOf(place), cell, cell);
    });
    context.strokeStyle = YELLOW;
    context.lineWidth = 2;
    const [left, top] = boxOf(chosen);
    context.strokeRect(left - 1, top - 1, cell + 2, cell + 2);
    const at = (x, y) => {
      const column = Math.floor(x / width), row = Math.floor(y / height), map = row * across + column;
      const placeX = Math.min(maps.width - 1, Math.floor((x % width) / cell));
      const placeY = Math.min(maps.height - 1, Math.floor((y % height) / cell));
      if (map < maps.maps) this.choose({ part: (placeY * maps.width + placeX) * maps.maps + map });
    };
    canvas.onclick = ({ offsetX, offsetY }) => {
      const share = (across * width) / canvas.clientWidth;
      at(offsetX * share, offsetY * share);
    };
    canvas.onkeydown = (event) => {
      const step = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[event.key];
      if (!step) return;
      event.preventDefault();
      // From the middle of a cell, and over the line between two maps.
      const [right, down] = step;
      const inMap = (value, count, size) => (((value % size) / cell) | 0) === (step[0] + step[1] > 0 ? count - 1 : 0);
      const jumpX = right && inMap(left, maps.width, width) ? 2 : 1, jumpY = down && inMap(top, maps.height, height) ? 2 : 1;
      const x = left + (right * jumpX + 0.5) * cell, y = top + (down * jumpY + 0.5) * cell;
      if (x > 0 && y > 0 && x < across * width) at(x, y);
    };
  }

  dropout(layer) {
    const { network } = view;
    const dropped = layer.rate * 100;
    this.say(layer.title, layer.rate
      ? `A training step drops each of the ${layer.maps} units with a chance of ${number(dropped, 0)}%. When an image is read, none is dropped.`
      : "This network drops no units.");
    if (!layer.rate) return;
    if (this.drawnFor !== network) this.drop();
    const buttons = element("div", "walk", this.body);
    const again = this.button(buttons, "Draw again", "Drop other units", () => { this.drop(); this.draw(); });
    again.dataset.part = "again";
    const units = element("div", "dropped", this.body);
    units.style.setProperty("--across", layer.maps > 64 ? 32 : 16);
    units.setAttribute("role", "img");
    const [first] = this.trials;
    const count = first.kept.filter((kept) => !kept).length;
    units.setAttribute("aria-label", `${count} of ${layer.maps} units are dropped.`);
    first.kept.forEach((kept, unit) => {
      const level = grey(layer.values[unit], layer.largest);
      const box = element("i", kept ? "" : "gone", units);
      if (kept) box.style.background = `rgb(${level}, ${level}, ${level})`;
    });
    element("p", "faint", this.body,
      `${count} of ${layer.maps} are dropped here; the others are multiplied by ${number(1 / (1 - layer.rate), 2)}. ` +
      `Bar: the answer with these units. Line: from the lowest to the highest of ${TRIALS} draws. Mark: the answer with all units.`);
    const table = element("div", "spread", this.body);
    for (let digit = 0; digit < first.probabilities.length; digit++) {
      const all = this.trials.map((trial) => trial.probabilities[digit]);
      const low = Math.min(...all), high = Math.max(...all);
      const row = element("div", "row", table);
      element("b", "", row, network.byName.dense_2.names[digit]);
      const track = element("span", "track", row);
      element("i", "bar", track).style.width = `${100 * first.probabilities[digit]}%`;
      Object.assign(element("i", "range", track).style, { left: `${100 * low}%`, width: `${100 * (high - low)}%` });
      element("i", "mark", track).style.left = `${100 * network.byName.dense_2.values[digit]}%`;
      element("span", "percent", row, `${percent(low)} to ${percent(high)}`);
    }
    const answers = this.trials.map(({ probabilities }) => probabilities.indexOf(Math.max(...probabilities)));
    const whole = network.byName.dense_2;
    const same = answers.filter((answer) => answer === whole.values.indexOf(whole.largest)).length;
    element("p", "faint", this.body, `${same} of ${TRIALS} draws give the same answer as all units.`);
  }

  drop() {
    this.drawnFor = view.network;
    this.trials = Array.from({ length: TRIALS }, () => dropUnits(view.network, this.layer.rate));
  }

  answer(layer, { map: digit, part }) {
    const logits = Array.from({ length: layer.maps }, (_, each) => outputAt(layer, layer.input.values, each).logit);
    const { largest, exponentials, sum: total, probabilities } = softmax(logits);
    const at = outputAt(layer, layer.input.values, digit);
    const strongest = at.products.reduce((best, product, unit) => (Math.abs(product) > Math.abs(at.products[best]) ? unit : best), 0);
    const unit = part < at.products.length ? part : strongest;
    this.say(`${layer.title}: ${layer.names[digit]}`,
      `The evidence for ${layer.names[digit]} is ${number(at.logit)}; softmax makes it ${percent(probabilities[digit])}. Unit ${strongest} gives the most: ${number(at.products[strongest])}.`);
    const one = element("div", "sum", this.body);
    term(one, `unit ${unit}`, layer.input.values[unit]);
    sign(one, "×");
    term(one, "weight", layer.kernel[unit * layer.maps + digit]);
    sign(one, "=");
    term(one, "product", at.products[unit]);
    this.parts("The product of each unit", at.products, unit, (place) => this.choose({ part: place }), (place) => `Unit ${place}`);
    const sum = element("div", "sum", this.body);
    term(sum, "sum", at.sum);
    sign(sum, "+");
    term(sum, "bias", at.bias);
    sign(sum, "=");
    term(sum, "logit", at.logit, "result");
    const table = element("table", "softmax", this.body);
    const head = element("tr", "", element("thead", "", table));
    for (const text of ["", "logit z", `e^(z − ${number(largest, 2)})`, "÷ sum"]) element("th", "", head, text);
    const body = element("tbody", "", table);
    for (let each = 0; each < layer.maps; each++) {
      const row = element("tr", each === digit ? "marked" : "", body);
      element("th", "", row, layer.names[each]);
      for (const [name, value, text] of [
        ["logit", logits[each], number(logits[each])],
        ["exponential", exponentials[each], exponentials[each].toPrecision(3)],
        ["probability", probabilities[each], percent(probabilities[each])],
      ]) {
        const cell = element("td", "", row, text);
        cell.dataset.name = name;
        cell.dataset.value = value;
      }
    }
    const foot = element("tr", "", element("tfoot", "", table));
    for (const text of ["sum", "", total.toPrecision(4), "100%"]) element("td", "", foot, text);
  }

  // A row of small bars, one for each part of a sum; each can be chosen.
  parts(label, shares, chosen, onChoose, nameOf) {
    const largest = largestOf(shares);
    const figure = element("figure", "parts", this.body);
    element("figcaption", "", figure, label);
    const row = element("div", "bars", figure);
    row.setAttribute("role", "group");
    row.setAttribute("aria-label", label);
    shares.forEach((share, place) => {
      const bar = this.button(row, "", `${nameOf(place)}: ${number(share)}`, () => onChoose(place));
      bar.dataset.part = place;
      bar.dataset.value = share;
      bar.tabIndex = place === chosen ? 0 : -1;
      bar.setAttribute("aria-pressed", String(place === chosen));
      const inner = element("i", "", bar);
      inner.style.height = `${(50 * Math.abs(share)) / largest}%`;
      inner.style[share < 0 ? "top" : "bottom"] = "50%";
      inner.style.background = signed(share < 0 ? -1 : 1);
    });
    row.onkeydown = (event) => {
      const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const place = Number(event.target.dataset.part) + (by ?? 0);
      if (!by || place < 0 || place >= shares.length) return;
      event.preventDefault();
      row.querySelector(`[data-part="${place}"]`).focus();
      onChoose(place);
    };
  }

  end() {
    this.stop();
    view.removeEventListener("choice", this.render);
    view.removeEventListener("network", this.renew);
    this.host.remove();
  }
}

export default function ({ parentElement, data }) {
  parentElement.calculation ??= new Calculation(parentElement);
  parentElement.calculation.show(data);
  parentElement.calculation.draw();
  return () => { parentElement.calculation?.end(); delete parentElement.calculation; };
}
