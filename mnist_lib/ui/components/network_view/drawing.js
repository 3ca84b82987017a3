// Colours, numbers and small pictures, for both scripts of this folder.

const ORANGE = [234, 88, 12], BLUE = [59, 110, 240];
// What is chosen, on maps of any grey.
const YELLOW = "#facc15";
// Where a weight is 0.
const PAPER = "#e2e2e6";

function element(tag, className, parent, text) {
  const made = document.createElement(tag);
  made.className = className;
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}

// Orange above zero, blue below; `strength` from -1 to 1.
function signed(strength, least = 0) {
  const [red, green, blue] = strength < 0 ? BLUE : ORANGE;
  return `rgba(${red}, ${green}, ${blue}, ${least + (1 - least) * Math.min(1, Math.abs(strength))})`;
}

// Weak values stay visible by the square root, and an empty map is not quite black.
function grey(value, largest) {
  return 45 + 210 * Math.sqrt(Math.max(0, value) / (largest || 1));
}

function number(value, digits = 3) {
  const text = value.toFixed(digits);
  // A true minus sign, and none before zero.
  return Number(text) < 0 ? `−${text.slice(1)}` : text.replace("-", "");
}

function percent(share) {
  const text = (100 * share).toFixed(share > 0.9995 || share < 0.0995 ? 2 : 1);
  return share < 1 && text === "100.00" ? ">99.99%" : `${text}%`;
}

function largestOf(values) {
  return values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
}

function gridOf(count) {
  return Math.ceil(Math.sqrt(count));
}

// The weights of a filter for one channel, as coloured squares.
function drawWeights(context, layer, channel, map, { left, top, size }) {
  const { side } = layer, cell = size / side;
  const weights = Array.from({ length: side * side }, (_, place) =>
    layer.kernel[(place * layer.input.maps + channel) * layer.maps + map]);
  layer.largestWeight ??= largestOf(layer.kernel);
  context.fillStyle = PAPER;
  context.fillRect(left - 1, top - 1, size + 2, size + 2);
  weights.forEach((weight, place) => {
    context.fillStyle = signed(weight / layer.largestWeight);
    context.fillRect(left + (place % side) * cell, top + Math.floor(place / side) * cell, cell, cell);
  });
}
