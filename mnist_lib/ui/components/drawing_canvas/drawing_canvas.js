// Sharper than the picture that is sent: the field may be shown larger, and on a screen with dense pixels.
const SHARPNESS = 3;

function make(tag, className, parent, text = "") {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  parent.append(element);
  return element;
}

function paint(canvas, side, strokes) {
  const context = canvas.getContext("2d");
  context.setTransform(canvas.width / side, 0, 0, canvas.height / side, 0, 0);
  context.fillStyle = "#000";
  context.fillRect(0, 0, side, side);
  context.strokeStyle = "#fff";
  context.lineCap = context.lineJoin = "round";
  for (const { width, points } of strokes) {
    let [[x, y]] = points;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(x, y);
    // Curves from middle to middle of the points: a quick stroke has few of them, and stays round.
    for (const [nextX, nextY] of points) {
      context.quadraticCurveTo(x, y, (x + nextX) / 2, (y + nextY) / 2);
      [x, y] = [nextX, nextY];
    }
    context.lineTo(x + 0.01, y);  // a line of no length would not be drawn, and a dot is one
    context.stroke();
  }
}

class Field {
  constructor(parent) {
    this.root = make("div", "drawing", parent);
    this.canvas = make("canvas", "field", this.root);
    this.canvas.setAttribute("role", "img");
    const buttons = make("div", "buttons", this.root);
    this.undoButton = make("button", "", buttons, "Undo");
    this.clearButton = make("button", "", buttons, "Clear");
    this.undoButton.type = this.clearButton.type = "button";
    this.undoButton.onclick = () => this.undo();
    this.clearButton.onclick = () => this.clear();
    this.canvas.onpointerdown = (event) => this.begin(event);
    this.canvas.onpointermove = (event) => this.move(event);
    this.canvas.onpointerup = this.canvas.onpointercancel = (event) => this.end(event);
  }

  load(data) {
    this.data = data;
    this.root.style.setProperty("--largest", `${data.largest_px}px`);
    if (this.number !== data.number) {
      // What a person is drawing just now stays.
      Object.assign(this, { number: data.number, strokes: data.strokes, cleared: data.cleared });
      this.canvas.width = this.canvas.height = SHARPNESS * data.side;
    }
    this.show();
  }

  begin(event) {
    if (this.stroke || event.button !== 0) return;
    event.preventDefault();  // no text is marked
    this.canvas.setPointerCapture(event.pointerId);
    this.pointer = event.pointerId;
    this.stroke = { width: this.data.pen_width, points: [this.place(event)] };
    this.show();
  }

  move(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    const between = event.getCoalescedEvents?.() ?? [];
    this.stroke.points.push(...(between.length ? between : [event]).map((each) => this.place(each)));
    this.show();
  }

  end(event) {
    if (!this.stroke || event.pointerId !== this.pointer) return;
    this.strokes = [...this.strokes, this.stroke];
    this.stroke = null;
    this.send();
  }

  undo() {
    if (this.strokes.length) this.strokes = this.strokes.slice(0, -1);
    else [this.strokes, this.cleared] = [this.cleared, []];
    this.send();
  }

  clear() {
    [this.strokes, this.cleared] = [[], this.strokes];
    this.send();
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.data.side / box.width;
    return [event.clientX - box.left, event.clientY - box.top].map((offset) => Math.round(10 * offset * scale) / 10);
  }

  show() {
    paint(this.canvas, this.data.side, this.stroke ? [...this.strokes, this.stroke] : this.strokes);
    this.canvas.setAttribute("aria-label", this.strokes.length ? "Your drawing" : "Field to draw a digit in, empty");
    this.undoButton.disabled = !this.strokes.length && !this.cleared.length;
    this.clearButton.disabled = !this.strokes.length;
  }

  send() {
    this.show();
    const picture = document.createElement("canvas");
    picture.width = picture.height = this.data.side;
    paint(picture, this.data.side, this.strokes);
    const { number, strokes, cleared } = this;
    this.setStateValue("drawing", { number, strokes, cleared, picture: picture.toDataURL() });
  }
}

// Streamlit calls this with every change of data or theme, and the function that it returns at the end.
export default function ({ parentElement, data, setStateValue }) {
  if (parentElement.version > data.version) return undefined;  // see versions.py
  parentElement.version = data.version;
  parentElement.field ??= new Field(parentElement);
  parentElement.field.setStateValue = setStateValue;
  parentElement.field.load(data);
  return () => { parentElement.field?.root.remove(); delete parentElement.field; };
}
