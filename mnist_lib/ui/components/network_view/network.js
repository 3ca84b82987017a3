// A network with one image in it: the values of each layer, and the arithmetic of one place.
// Both scripts of this folder begin with this file; what they share is the view below.

// What the picture shows and what was chosen in it, for the calculation beside it.
window.mnistNetworkView ??= new EventTarget();
const view = window.mnistNetworkView;
// The weights of the first dense layer, by the name of their network.
view.denseKernels ??= new Map();

function decode(text, Type) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return new Type(bytes.buffer);
}

function readNetwork(data) {
  const layers = data.layers.map((layer, number) => {
    const [height, width, maps] = layer.shape.length === 3 ? layer.shape : [1, 1, layer.shape[0]];
    const learned = {};
    for (const name of ["values", "kernel", "bias"]) if (layer[name]) learned[name] = decode(layer[name], Float32Array);
    return { ...layer, number, height, width, maps, ...learned };
  });
  for (const layer of layers) {
    layer.input = layers[layer.number - 1];
    layer.values ??= layer.input.values;  // flattening and dropout change nothing here
    layer.largest = layer.values.reduce((largest, value) => Math.max(largest, value), 0);
  }
  return { ...data, layers, byName: Object.fromEntries(layers.map((layer) => [layer.name, layer])) };
}

function valueAt(layer, y, x, map) {
  return layer.values[(y * layer.width + x) * layer.maps + map];
}

// The place of a map's largest value.
function strongestPlace(layer, map) {
  let best = { y: 0, x: 0, value: -Infinity };
  for (let y = 0; y < layer.height; y++) {
    for (let x = 0; x < layer.width; x++) {
      const value = valueAt(layer, y, x, map);
      if (value > best.value) best = { y, x, value };
    }
  }
  return best;
}

// One value of a convolution. Windows, weights and products are lists of rows, one for each channel.
function convolutionAt(layer, y, x, map) {
  const { side, input } = layer;
  const channels = [];
  let sum = 0;
  for (let channel = 0; channel < input.maps; channel++) {
    const pixels = [], weights = [], products = [];
    let part = 0;
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const pixel = valueAt(input, y + row, x + column, channel);
        const weight = layer.kernel[((row * side + column) * input.maps + channel) * layer.maps + map];
        pixels.push(pixel);
        weights.push(weight);
        products.push(pixel * weight);
        part += pixel * weight;
      }
    }
    channels.push({ pixels, weights, products, part });
    sum += part;
  }
  const bias = layer.bias[map];
  return { channels, sum, bias, before: sum + bias, value: Math.max(0, sum + bias) };
}

function poolingAt(layer, y, x, map) {
  const pixels = [];
  for (const row of [0, 1]) for (const column of [0, 1]) pixels.push(valueAt(layer.input, 2 * y + row, 2 * x + column, map));
  return { pixels, value: Math.max(...pixels) };
}

// One unit of the first dense layer; `kernel` is its own, which comes apart from the rest. Sums of the products
// of each map, and all products in the order of the values.
function denseAt(layer, kernel, unit, maps) {
  const { values } = layer.input;
  const products = new Float64Array(values.length), parts = new Float64Array(maps);
  let sum = 0;
  for (let place = 0; place < values.length; place++) {
    const product = values[place] * kernel[place * layer.maps + unit];
    products[place] = product;
    parts[place % maps] += product;
    sum += product;
  }
  const bias = layer.bias[unit];
  return { products, parts, sum, bias, before: sum + bias, value: Math.max(0, sum + bias) };
}

// The evidence for one digit, from the 64 units or from what dropout leaves of them.
function outputAt(layer, units, digit) {
  const products = Array.from(units, (value, unit) => value * layer.kernel[unit * layer.maps + digit]);
  const sum = products.reduce((total, product) => total + product, 0);
  return { products, sum, bias: layer.bias[digit], logit: sum + layer.bias[digit] };
}

function softmax(logits) {
  const largest = Math.max(...logits);
  const exponentials = logits.map((logit) => Math.exp(logit - largest));
  const sum = exponentials.reduce((total, each) => total + each, 0);
  return { largest, exponentials, sum, probabilities: exponentials.map((each) => each / sum) };
}

// One training step's view: which units are kept, and the probabilities with those alone.
function dropUnits(network, rate) {
  const { values } = network.byName.dense_1, output = network.byName.dense_2;
  const kept = Array.from(values, () => Math.random() >= rate);
  const units = Array.from(values, (value, unit) => (kept[unit] ? value / (1 - rate) : 0));
  const logits = Array.from({ length: output.maps }, (_, digit) => outputAt(output, units, digit).logit);
  return { kept, probabilities: softmax(logits).probabilities };
}
