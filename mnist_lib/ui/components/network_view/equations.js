// The parts of an equation on the page, each number with its value behind it.

// A table of numbers with their colours. `style` returns a cell's background and whether its text is light.
function numberTable(parent, label, values, across, style, marked) {
  const table = element("table", "numbers", parent);
  table.dataset.name = label;
  element("caption", "", table, label);
  const body = element("tbody", "", table);
  let row;
  values.forEach((value, place) => {
    if (place % across === 0) row = element("tr", "", body);
    const cell = element("td", place === marked ? "marked" : "", row, number(value, 2));
    cell.dataset.value = value;
    Object.assign(cell.style, style(value));
  });
  return table;
}

const greyCells = (largest) => (value) => {
  const level = grey(value, largest);
  return { background: `rgb(${level}, ${level}, ${level})`, color: level > 117 ? "#000" : "#fff" };
};
// On the same light grey as the filters in the picture, so that black is read on any of them.
const signedCells = (largest) => (value) => {
  const share = 100 * Math.min(1, Math.abs(value) / largest);
  return { background: `color-mix(in srgb, ${signed(Math.sign(value))} ${share}%, ${PAPER})`, color: "#000" };
};

// One number of a sum, with what it is above it.
function term(parent, label, value, className = "") {
  const box = element("span", `term ${className}`, parent);
  element("small", "", box, label);
  const figure = element("b", "", box, number(value));
  figure.dataset.name = label;
  figure.dataset.value = value;
}

function sign(parent, text) {
  element("span", "sign", parent, text);
}

// From a sum to the value that is passed on.
function rectify(parent, at) {
  term(parent, "sum", at.sum);
  sign(parent, "+");
  term(parent, "bias", at.bias);
  sign(parent, "=");
  term(parent, "before ReLU", at.before);
  sign(parent, "→");
  term(parent, "result", at.value, "result");
}

function rectified(at) {
  return at.before > 0 ? "ReLU lets it pass" : "it is not above 0, so ReLU makes it 0";
}
