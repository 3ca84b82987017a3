// Pixels to each side of the one that is enlarged.
const REACH = 2;

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

function make(tag, className, parent, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

class Grid {
  constructor(parent) {
    this.root = make("div", "pixel-frame", parent);
    this.grid = make("div", "pixel-grid", this.root);
    this.grid.tabIndex = 0;
    this.grid.setAttribute("role", "group");
    this.grid.setAttribute("aria-label", "Pixel values; the arrow keys go from pixel to pixel");
    this.magnifier = make("div", "magnifier", this.root);
    this.magnifier.setAttribute("aria-hidden", "true");
    this.said = make("output", "", this.root);
    // A finger hides what is below it, so the magnifier stands above it, and stays when it is lifted.
    this.grid.onpointermove = this.grid.onpointerdown = (event) => this.point(event);
    this.grid.onpointerleave = (event) => { if (event.pointerType === "mouse") this.leave(); };
    this.grid.onblur = () => this.leave();
    this.grid.onkeydown = (event) => this.step(event);
    this.leave();
  }

  load(data) {
    this.data = data;
    this.root.style.setProperty("--side", data.side);
    this.grid.replaceChildren(...data.texts.map((_, place) => this.cell(place)));
    this.leave();
  }

  cell(place) {
    const cell = document.createElement("span");
    const grey = this.data.greys[place];
    cell.textContent = this.data.texts[place];
    cell.className = grey > 117 ? "ink" : "";
    if (grey) cell.style.background = `rgb(${grey} ${grey} ${grey})`;
    return cell;
  }

  point(event) {
    const box = this.grid.getBoundingClientRect();
    const at = (offset, length) => Math.floor(this.data.side * offset / length);
    this.show(at(event.clientY - box.top, box.height), at(event.clientX - box.left, box.width), event.pointerType === "touch");
  }

  step(event) {
    if (event.key === "Escape") this.leave();
    if (!(event.key in STEPS)) return;
    event.preventDefault();  // or the page would scroll, too
    const middle = Math.floor(this.data.side / 2);
    const [row, column] = this.at ?? [middle, middle];
    const [down, right] = this.at ? STEPS[event.key] : [0, 0];
    this.show(row + down, column + right, false);
  }

  show(row, column, above) {
    const { side, texts } = this.data;
    const within = (value) => Math.min(Math.max(value, 0), side - 1);
    this.at = [within(row), within(column)];
    [row, column] = this.at;
    const cells = [];
    for (let down = -REACH; down <= REACH; down++) {
      for (let right = -REACH; right <= REACH; right++) {
        const outside = within(row + down) !== row + down || within(column + right) !== column + right;
        const cell = outside ? document.createElement("span") : this.cell(side * (row + down) + column + right);
        if (outside) cell.className = "outside";
        if (!down && !right) cell.classList.add("middle");
        cells.push(cell);
      }
    }
    this.magnifier.replaceChildren(...cells);
    this.magnifier.hidden = false;
    const width = this.grid.clientWidth, size = this.magnifier.offsetWidth, pixel = width / side;
    const place = (centre) => Math.min(Math.max(centre - size / 2, 0), width - size);
    const left = place((column + 0.5) * pixel);
    const top = above ? (row - 1) * pixel - size : place((row + 0.5) * pixel);
    this.magnifier.style.transform = `translate(${left}px, ${top}px)`;
    this.said.textContent = `Row ${row + 1}, column ${column + 1}: ${texts[side * row + column] || "0, paper"}`;
  }

  leave() {
    this.at = null;
    this.magnifier.hidden = true;
    this.said.textContent = "Point at a pixel to enlarge it.";
  }
}

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  const changed = parentElement.version !== data.version;
  parentElement.version = data.version;
  parentElement.pixels ??= new Grid(parentElement);
  if (changed || !parentElement.pixels.data) parentElement.pixels.load(data);
  return () => { parentElement.pixels?.root.remove(); delete parentElement.pixels; };
}
