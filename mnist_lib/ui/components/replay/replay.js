const DURATION_MS = 12000;

// What has played by itself since the page was loaded: once is enough.
const played = new Set();

function make(tag, className, parent, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

function lastAtMost(values, limit) {
  let place = -1;
  while (place + 1 < values.length && values[place + 1] <= limit + 1e-6) place++;
  return place;
}

class Chart {
  constructor(parent, title, key) {
    const figure = make("figure", "chart", parent);
    const caption = make("figcaption", "", figure);
    const name = make("span", "", caption, title);
    this.name = name;
    for (const [className, text] of key) {
      const entry = make("span", "key", name);
      make("i", className, entry);
      entry.append(text);
    }
    this.value = make("b", "", caption, "–");
    this.plot = make("div", "plot", figure);
  }

  // Drawn once, as a whole; the style sheet shows as much of it as has been played.
  draw(curves, end, low, high, format) {
    const points = ({ x, y }) => x.map((at, place) => {
      const height = Math.min(Math.max((y[place] - low) / (high - low), 0), 1);
      return `${(100 * at / end).toFixed(2)},${(100 - 100 * height).toFixed(2)}`;
    }).join(" ");
    const lines = curves.map(([className, curve]) => `<polyline class="${className}" points="${points(curve)}"/>`);
    this.plot.innerHTML = `
      <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" x2="100" y1="0" y2="0"/><line x1="0" x2="100" y1="100" y2="100"/>
      </svg>
      <svg class="curves" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">${lines.join("")}</svg>
      <div class="cursor"></div><span class="top">${format(high)}</span><span class="bottom">${format(low)}</span>`;
  }
}

class Replay {
  constructor(parent) {
    this.root = make("div", "replay", parent);
    const bar = make("div", "bar", this.root);
    this.button = make("button", "play", bar);
    this.button.type = "button";
    this.slider = make("input", "", bar);
    Object.assign(this.slider, { type: "range", min: 0, step: 0.01 });
    this.slider.setAttribute("aria-label", "Place in the training");
    this.now = make("output", "", bar);
    const charts = make("div", "charts", this.root);
    this.loss = new Chart(charts, "Loss", []);
    this.accuracy = new Chart(charts, "Accuracy", [["train", "training"], ["test", "test"]]);
    this.misread = new Chart(charts, "", []);
    this.digits = make("ul", "digits", this.root);
    this.sprite = make("style", "", this.root);

    this.button.onclick = () => this.frame ? this.pause() : this.play();
    this.slider.oninput = () => { this.pause(); this.show(Number(this.slider.value)); };
    this.slider.onkeydown = (event) => this.step(event);
    // When half of it is in sight, or as much as fits.
    this.watcher = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) this.playByItself();
    }, { threshold: 0.5 });
    this.watcher.observe(charts);
  }

  load(data) {
    this.pause();
    this.data = data;
    const { ends, loss, accuracy, test_accuracy, misclassified } = data;
    this.end = ends[ends.length - 1];
    this.slider.max = this.end;
    const percent = (share) => `${Math.round(100 * share)}%`;
    const lowest = Math.floor(10 * Math.min(0.8, ...test_accuracy)) / 10;
    const highestLoss = Math.max(...loss.y, 0.1);
    this.loss.draw([["train", loss]], this.end, 0, highestLoss, (value) => value.toFixed(value ? 1 : 0));
    this.accuracy.draw(
      [["train", accuracy], ["test", { x: ends, y: test_accuracy }]], this.end, lowest, 1, percent);
    this.misread.name.textContent = `Test ${data.noun}s misread`;
    this.misread.draw([["test", { x: ends, y: misclassified }]], this.end, 0, Math.max(...misclassified, 1),
      (value) => value.toLocaleString("en"));
    this.sprite.textContent = `.picture { background-image: url(${data.sprite}); }`;
    this.digits.replaceChildren(...data.digits.map((_, place) => {
      const tile = document.createElement("li");
      const picture = make("span", "picture", tile);
      picture.style.backgroundPosition = `-${42 * place}px 0`;
      make("span", "answer", tile);
      make("span", "sure", tile);
      return tile;
    }));
    this.epoch = null;
    // Who wants no motion sees how it ended.
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.show(this.still || played.has(data.name) ? this.end : 0);
    this.name();
  }

  playByItself() {
    if (this.still || played.has(this.data.name)) return;
    this.play();
  }

  play() {
    played.add(this.data.name);
    if (this.at >= this.end) this.show(0);
    let before = performance.now();
    const advance = (now) => {
      // A tab that was hidden goes on from where it was.
      const elapsed = Math.min(Math.max(now - before, 0), 100);
      before = now;
      this.show(Math.min(this.at + this.end * elapsed / DURATION_MS, this.end));
      this.frame = this.at < this.end ? requestAnimationFrame(advance) : null;
      if (!this.frame) this.name();
    };
    this.frame = requestAnimationFrame(advance);
    this.name();
  }

  pause() {
    cancelAnimationFrame(this.frame);
    this.frame = null;
    this.name();
  }

  name() {
    const ended = this.at >= this.end && this.data && played.has(this.data.name);
    this.button.textContent = this.frame ? "❚❚ Pause" : ended ? "↻ Play again" : "▶ Play";
  }

  step(event) {
    const { ends } = this.data;
    const here = lastAtMost(ends, this.at);
    const before = this.at > (ends[here] ?? 0) + 1e-6 ? here : here - 1;
    const places = {
      ArrowRight: here + 1, ArrowUp: here + 1, ArrowLeft: before, ArrowDown: before,
      Home: -1, End: ends.length - 1,
    };
    if (!(event.key in places)) return;
    event.preventDefault();  // a step of the slider itself would hardly be seen
    this.pause();
    this.show(ends[Math.min(places[event.key], ends.length - 1)] ?? 0);
    this.name();
  }

  show(at) {
    this.at = at;
    const { ends, epochs, seconds, loss, test_accuracy, misclassified, digits } = this.data;
    this.root.style.setProperty("--shown", `${100 * at / this.end}%`);
    this.slider.value = at;
    const batch = lastAtMost(loss.x, at);
    this.loss.value.textContent = batch < 0 ? "–" : loss.y[batch].toFixed(3);
    const epoch = lastAtMost(ends, at);
    if (epoch === this.epoch) return;
    this.epoch = epoch;
    const said = epoch < 0 ? "Before the first epoch" : `After epoch ${epochs[epoch]} of ${epochs[epochs.length - 1]}`;
    this.now.textContent = epoch < 0 ? said : `${said} · ${Math.round(seconds[epoch])} s`;
    this.slider.setAttribute("aria-valuetext", epoch < 0 ? said : `${said}: ${misclassified[epoch].toLocaleString("en")} misread`);
    this.accuracy.value.textContent = epoch < 0 ? "–" : `${(100 * test_accuracy[epoch]).toFixed(2)}%`;
    this.misread.value.textContent = epoch < 0 ? "–" : misclassified[epoch].toLocaleString("en");
    for (const [place, digit] of digits.entries()) this.showDigit(this.digits.children[place], digit, epoch);
  }

  showDigit(tile, { label, name, answers, sure }, epoch) {
    const [, answer, certainty] = tile.children;
    const { classes, arrow } = this.data;
    const right = answers[epoch] === label, read = classes[answers[epoch]];
    tile.className = epoch < 0 ? "digit" : `digit ${right ? "right" : "wrong"}`;
    // Where names take a line each, a right answer need not repeat its own.
    answer.textContent = right && arrow.startsWith("\n") ? `${classes[label]}\n✓`
      : `${classes[label]}${arrow}${epoch < 0 ? "?" : `${read} ${right ? "✓" : "✗"}`}`;
    certainty.textContent = epoch < 0 ? "\u00a0" : sure[epoch];
    const how = epoch < 0 ? "not read yet" : `read as ${read}, ${sure[epoch]} sure`;
    tile.setAttribute("aria-label", `${name[0].toUpperCase()}${name.slice(1)}, ${how}`);
  }

  finish() {
    this.pause();
    this.watcher.disconnect();
    this.root.remove();
  }
}

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  const changed = parentElement.version !== data.version;
  parentElement.version = data.version;
  parentElement.replay ??= new Replay(parentElement);
  if (changed || !parentElement.replay.data) parentElement.replay.load(data);
  return () => { parentElement.replay?.finish(); delete parentElement.replay; };
}
