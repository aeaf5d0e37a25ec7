// The course's VAE (model.py) in the browser, one image at a time.
//
// Weights are reordered once, when a model is parsed, so that every layer is a sum of matrix products (product.js).
// Activations between convolutions have their channels innermost and a margin of zeros.
import * as product from "./product.js";

const allocate = product.createProduct();

/** Read a model and its card from the bytes that `to_bytes` of weights.py writes; throws an Error for other bytes. */
export function parse(bytes) {
  try {
    const { card, tensor } = readSafetensors(bytes), { size, latent_dim: latentDim, channels } = card.model;
    const layer = (name, outs, ...shape) => [tensor(`${name}.weight`, shape), tensor(`${name}.bias`, [outs])];
    const memory = createMemory();
    const encoder = buildEncoder(memory, layer, size, latentDim, channels);
    const decoder = buildDecoder(memory, layer, size, latentDim, channels);
    memory.open();
    return { size, latentDim, channels, card, encoder, decoder, memory };
  } catch (error) {
    throw new Error(`model: its weights cannot be read (${error.message})`, { cause: error });
  }
}

/** Return the pixels (channels, size, size) in [0, 1] that the decoder computes from the latents z. */
export function decode(model, z, out = new Float32Array(model.channels * model.size ** 2)) {
  if (z.length !== model.latentDim || !z.every(Number.isFinite)) {
    throw new Error(`z: need ${model.latentDim} finite numbers, got ${z}`);
  }
  const { memory: { floats }, decoder: { input, steps, output }, size, channels } = model;
  floats.set(z, input);
  for (const step of steps) step();
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < size; y++) {
      const row = output.origin + (y >> 1) * output.pitch + 2 * (y & 1) * channels + c;
      for (let x = 0; x < size; x++, i++) {
        out[i] = 1 / (1 + Math.exp(-floats[row + (x >> 1) * output.channels + (x & 1) * channels]));
      }
    }
  }
  return out;
}

/** Return mu and logvar of the approximate posterior, for pixels (channels, size, size) in [0, 1]. */
export function encode(model, pixels) {
  const { memory: { floats }, encoder: { input: { channels, pitch, origin }, steps, output }, size, latentDim } = model;
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0, p = origin + y * pitch + c; x < size; x++, p += channels) floats[p] = pixels[i++];
    }
  }
  for (const step of steps) step();
  const middle = output + latentDim;
  return { mu: floats.slice(output, middle), logvar: floats.slice(middle, middle + latentDim) };
}

/** Return the card, and a function that reads a tensor: after 8 bytes with its length comes a header in JSON. */
function readSafetensors(bytes) {
  const { buffer, byteOffset, byteLength } = bytes, view = new DataView(buffer, byteOffset, byteLength);
  const start = byteOffset + 8 + Number(view.getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(buffer.slice(byteOffset + 8, start)));
  const tensor = (name, shape) => {
    const { dtype, shape: found, data_offsets: [begin] } = header[name] ?? { data_offsets: [] };
    if (dtype !== "F16" || String(found) !== String(shape)) {
      throw new Error(`need ${name} of shape (${shape}) in F16, got (${found}) in ${dtype}`);
    }
    const view = new Uint8Array(buffer, start + begin, 2 * shape.reduce((product, n) => product * n));
    return toDoubles(new Uint16Array(view.slice().buffer)); // a copy, since views need an even offset
  };
  return { card: JSON.parse(header.__metadata__.card), tensor };
}

/** Convert half-precision bits: shifted to single precision, they encode the number times 2 ** -112. */
function toDoubles(halves) {
  const bits = new Uint32Array(halves).map((half) => ((half & 0x8000) << 16) | ((half & 0x7fff) << 13));
  return new Float64Array(new Float32Array(bits.buffer)).map((value) => value * 2 ** 112);
}

// The layers. Each becomes a step: a function without arguments that reads one buffer and writes the next.

function buildEncoder(memory, layer, size, latentDim, channels) {
  const input = plane(memory, size, channels, 1), steps = [];
  let x = input;
  for (let i = 0; x.side > 4; i += 2) {
    const y = plane(memory, x.side / 2, 32, x.side > 8 ? 1 : 0);
    steps.push(convolution(memory, x, y, ...layer(`encoder.convolutions.${i}`, 32, 32, x.channels, 4, 4)));
    x = y;
  }
  const [first, second, output] = [256, 256, 2 * latentDim].map((n) => memory.reserve(blocks(n)));
  const order = { column: channelsFirst };
  steps.push(dense(memory, x.origin, first, ...layer("encoder.dense.0", 256, 256, 512), order));
  steps.push(dense(memory, first, second, ...layer("encoder.dense.2", 256, 256, 256)));
  const last = layer("encoder.posterior", 2 * latentDim, 2 * latentDim, 256);
  steps.push(dense(memory, second, output, ...last, { relu: false }));
  return { input, steps, output };
}

function buildDecoder(memory, layer, size, latentDim, channels) {
  const [input, first, second] = [latentDim, 256, 256].map((n) => memory.reserve(n)), steps = [];
  steps.push(dense(memory, input, first, ...layer("decoder.dense.0", 256, 256, latentDim)));
  steps.push(dense(memory, first, second, ...layer("decoder.dense.2", 256, 256, 256)));
  const [weight, bias] = layer("decoder.dense.4", 512, 512, 256);
  let x = plane(memory, 4, 32, 1);
  for (let v = 0; v < 4; v++) { // one row at a time, because of the margin between rows
    const order = { outs: 128, row: (o) => channelsFirst(128 * v + o) };
    steps.push(dense(memory, second, x.origin + v * x.pitch, weight, bias, order));
  }
  for (let i = 0; ; i += 2) {
    const isLast = 2 * x.side === size, outs = isLast ? channels : 32;
    const parameters = layer(`decoder.convolutions.${i}`, outs, 32, outs, 4, 4);
    if (isLast) {
      const output = plane(memory, x.side, blocks(4 * outs), 0);
      steps.push(lastConvolution(memory, x, output, ...parameters));
      return { input, steps, output };
    }
    const y = plane(memory, 2 * x.side, outs, 1);
    steps.push(...transposedConvolution(memory, x, y, ...parameters));
    x = y;
  }
}

/** Return torch's index of the number at `index` here, for 4 × 4 pixels of 32 channels. */
function channelsFirst(index) {
  return (index % 32) * 16 + (index >> 5);
}

function same(index) {
  return index;
}

/** Round a number of columns up to what a matrix product needs. */
function blocks(n) {
  return 8 * Math.ceil(n / 8);
}

/** Collect all arrays of a model, which then share one memory; `reserve` and `store` return where an array begins. */
function createMemory() {
  const stored = [];
  let end = 0;
  const memory = {
    floats: null, multiply: null,
    reserve: (n) => (end += n) - n,
    store(values) {
      stored.push([values, end]);
      return memory.reserve(values.length);
    },
    open() {
      Object.assign(memory, allocate(end));
      for (const [values, begin] of stored.splice(0)) memory.floats.set(values, begin);
    },
  };
  return memory;
}

/** Reserve a buffer between two convolutions: row by row, channels innermost, `margin` zeros around them. */
function plane(memory, side, channels, margin) {
  const width = side + 2 * margin, pitch = width * channels, begin = memory.reserve(width * pitch);
  return { begin, side, channels, pitch, origin: begin + margin * (pitch + channels) };
}

function dense(memory, input, output, weight, bias, options = {}) {
  const { outs = bias.length, relu = true, row = same, column = same } = options;
  const ins = weight.length / bias.length, columns = blocks(outs);
  const [ordered, shift] = [ins * columns, columns].map((n) => new Float32Array(n));
  for (let o = 0; o < outs; o++) {
    shift[o] = bias[row(o)];
    for (let i = 0; i < ins; i++) ordered[i * columns + o] = weight[row(o) * ins + column(i)];
  }
  const weights = memory.store(ordered), biases = memory.store(shift);
  return () => {
    memory.floats.copyWithin(output, biases, biases + columns);
    memory.multiply(input, 0, 1, weights, output, 0, 4, ins, columns); // four times the same row: it needs four
    if (relu) rectify(memory.floats, output, columns);
  };
}

function convolution(memory, input, output, weight, bias) {
  const ins = input.channels, tap = (o, c, v, u) => weight[((o * ins + c) * 4 + v) * 4 + u];
  return convolve(memory, input, output, tap, bias, { taps: 4, stride: 2 });
}

/** Even and odd rows and columns of the output use different quarters of the 4 × 4 kernel: four convolutions. */
function transposedConvolution(memory, input, output, weight, bias) {
  return [[0, 0], [0, 1], [1, 0], [1, 1]].map(([top, left]) => {
    const tap = (o, c, v, u) => weight[((c * bias.length + o) * 4 + 3 - top - 2 * v) * 4 + 3 - left - 2 * u];
    return convolve(memory, input, output, tap, bias, { taps: 2, spread: 2, top, left });
  });
}

/** The last layer has few channels: one convolution, from 3 × 3 pixels of `input` to 2 × 2 of the image at once. */
function lastConvolution(memory, input, output, weight, bias) {
  const outs = bias.length, within = (k) => k >= 0 && k < 4;
  const tap = (column, c, v, u) => {
    const o = column % outs, quarter = Math.floor(column / outs);
    const y = 3 + (quarter >> 1) - 2 * v, x = 3 + (quarter & 1) - 2 * u;
    return quarter < 4 && within(y) && within(x) ? weight[((c * outs + o) * 4 + y) * 4 + x] : 0;
  };
  const biases = Array.from({ length: output.channels }, (_, column) => bias[column % outs]);
  return convolve(memory, input, output, tap, biases, { taps: 3, relu: false });
}

/**
 * Convolve row by row: for each row of taps, the pixels of a row times its weights. `tap(o, c, v, u)` returns the
 * weight from channel c of the input, v rows down and u columns to the right, to channel o of the output. The rows and
 * columns of the output that are computed are `spread` apart, from (`top`, `left`) on.
 */
function convolve(memory, input, output, tap, bias, { taps, stride = 1, spread = 1, top = 0, left = 0, relu = true }) {
  const outs = output.channels, run = taps * input.channels, side = output.side / spread, ordered = [];
  for (let v = 0; v < taps; v++) {
    for (let u = 0; u < taps; u++) {
      for (let c = 0; c < input.channels; c++) for (let o = 0; o < outs; o++) ordered.push(tap(o, c, v, u));
    }
  }
  const weights = memory.store(ordered), biases = memory.store([...bias]), from = input.begin + left * input.channels;
  return () => {
    const { floats, multiply } = memory;
    for (let v = 0; v < side; v++) {
      const to = output.origin + (v * spread + top) * output.pitch + left * outs, width = spread * outs;
      for (let u = 0; u < side; u++) floats.copyWithin(to + u * width, biases, biases + outs);
      for (let t = 0; t < taps; t++) {
        const row = from + (v * stride + top + t) * input.pitch;
        multiply(row, stride * input.channels, 1, weights + t * run * outs, to, width, side, run, outs);
      }
      if (relu) for (let u = 0; u < side; u++) rectify(floats, to + u * width, outs);
    }
  };
}

function rectify(floats, begin, n) {
  for (let i = begin; i < begin + n; i++) if (floats[i] < 0) floats[i] = 0;
}
