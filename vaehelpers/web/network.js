// The course's VAE (model.py) in plain JavaScript, one picture at a time.
//
// Every layer sums products along contiguous memory: weights are re-laid once, when a model is parsed, and the numbers
// between two convolutions have their channels innermost and a margin of zeros, so that taps side by side are one run.
// All are doubles: JavaScript computes with these, and rounding each step to single precision takes twice the time.

const same = (index) => index;

function fail(what) {
  throw new Error(`model: ${what}`);
}

function need(name, holds, what, found) {
  if (!holds) fail(`${name}: need ${what}, got ${JSON.stringify(found)}`);
}

/** Undo `pack` of weights.py: text in base64, of deflated bytes, first all even ones, then all odd ones. */
export async function unpack(text) {
  try {
    const binary = atob(text), deflated = new Uint8Array(binary.length);
    for (let i = 0; i < deflated.length; i++) deflated[i] = binary.charCodeAt(i);
    const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
    const planes = new Uint8Array(await new Response(inflated).arrayBuffer());
    const bytes = new Uint8Array(planes.length), middle = (planes.length + 1) >> 1;
    for (let i = 0; i < bytes.length; i++) bytes[i] = planes[(i % 2) * middle + (i >> 1)];
    return bytes;
  } catch (error) {
    throw new Error(`model: its text is damaged (${error.message})`, { cause: error });
  }
}

/** Build a model from the bytes of a .safetensors file of the course; an Error says what is wrong with them. */
export function parse(bytes) {
  const { card, layer, finish } = readFile(bytes);
  const { size, latent_dim: latentDim, channels } = card.model;
  need("size", size === 32 || size === 64, "32 or 64 pixels", size);
  need("latent_dim", Number.isInteger(latentDim) && latentDim > 0, "at least 1", latentDim);
  need("channels", channels === 1 || channels === 3, "1 (grey) or 3 (colour)", channels);
  const encoder = buildEncoder(layer, size, latentDim, channels);
  const decoder = buildDecoder(layer, size, latentDim, channels);
  finish();
  return { size, latentDim, channels, card, encoder, decoder };
}

/** Return the pixels (channels, size, size) in [0, 1] that the decoder draws from the latents z. */
export function decode(model, z, out = new Float32Array(model.channels * model.size ** 2)) {
  const { input, steps, output } = model.decoder;
  expect("z", z, model.latentDim);
  expect("out", out, model.channels * model.size ** 2);
  for (let i = 0; i < z.length; i++) {
    if (!Number.isFinite(z[i])) throw new Error(`z: latent ${i} should be a finite number, got ${z[i]}`);
    input[i] = z[i];
  }
  for (const step of steps) step();
  const { values, channels } = output;
  for (let c = 0, i = 0; c < model.channels; c++) {
    for (let p = c; p < values.length; p += channels) out[i++] = 1 / (1 + Math.exp(-values[p]));
  }
  return out;
}

/** Return mu and logvar of the posterior over the latents, for pixels (channels, size, size) in [0, 1]. */
export function encode(model, pixels, out = {}) {
  const { mu = new Float32Array(model.latentDim), logvar = new Float32Array(model.latentDim) } = out;
  const { input, steps, output } = model.encoder;
  const { values, channels, pitch, origin } = input;
  expect("pixels", pixels, channels * model.size ** 2);
  expect("out.mu", mu, model.latentDim);
  expect("out.logvar", logvar, model.latentDim);
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < model.size; y++) {
      for (let x = 0, p = origin + y * pitch + c; x < model.size; x++, p += channels) {
        const pixel = pixels[i++];
        if (!(pixel >= 0 && pixel <= 1)) throw new Error(`pixels: need numbers from 0 to 1, got ${pixel}`);
        values[p] = pixel;
      }
    }
  }
  for (const step of steps) step();
  for (let i = 0; i < model.latentDim; i++) {
    mu[i] = output[i];
    logvar[i] = output[model.latentDim + i];
  }
  return { mu, logvar };
}

function expect(name, numbers, length) {
  if (numbers?.length !== length) throw new Error(`${name}: need ${length} numbers, got ${numbers?.length}`);
}

// The file: eight bytes that say how long the header is, the header in JSON, the tensors.

/** Return the card, a function that reads weight and bias of a layer, and one that ends the reading. */
function readFile(bytes) {
  const whole = ArrayBuffer.isView(bytes) ? bytes : new Uint8Array(bytes);
  const view = new DataView(whole.buffer, whole.byteOffset, whole.byteLength);
  if (view.byteLength < 8) fail(`${view.byteLength} bytes are too few`);
  const length = view.getBigUint64(0, true), start = 8 + Number(length);
  if (length > view.byteLength - 8) fail(`its header should have ${length} bytes, ${view.byteLength - 8} are there`);
  const { card, entries } = readHeader(new Uint8Array(view.buffer, view.byteOffset + 8, start - 8));
  checkOffsets(entries, view.byteLength - start);
  const tensor = (name, shape) => {
    const { dtype, shape: found, data_offsets: [begin, end] } = entries.get(name) ?? fail(`it has no tensor ${name}`);
    const wanted = JSON.stringify(shape), length = 2 * shape.reduce((product, n) => product * n);
    need(name, dtype === "F16", "half precision (F16)", dtype);
    need(name, JSON.stringify(found) === wanted, `the shape ${wanted}`, found);
    need(name, end - begin === length, `${length} bytes`, end - begin);
    entries.delete(name);
    return halves(name, new DataView(view.buffer, view.byteOffset + start + begin, length));
  };
  const layer = (name, outs, shape) => [tensor(`${name}.weight`, shape), tensor(`${name}.bias`, [outs])];
  const finish = () => entries.size && fail(`it has tensors of no use here: ${[...entries.keys()].join(", ")}`);
  return { card, layer, finish };
}

function readHeader(bytes) {
  try {
    const header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const entries = new Map(Object.entries(header)), card = JSON.parse(header.__metadata__.card);
    if (!card.model) throw new Error("it does not say the size of the model");
    entries.delete("__metadata__");
    return { card, entries };
  } catch (error) {
    throw new Error(`model: its header cannot be read (${error.message})`, { cause: error });
  }
}

/** Tensors lie one after the other, without gap or overlap, up to the end of the file. */
function checkOffsets(entries, length) {
  const offsets = ([name, entry]) => Array.isArray(entry?.data_offsets) ? [name, ...entry.data_offsets] : [name];
  let at = 0;
  for (const [name, begin, end] of [...entries].map(offsets).sort((a, b) => a[1] - b[1] || a[2] - b[2])) {
    need(name, begin === at && end >= begin, `bytes from ${at} on`, [begin, end]);
    at = end;
  }
  if (at !== length) fail(`its tensors should have ${at} bytes, ${length} are there`);
}

/** Read half-precision numbers: their bits, moved to the places of single precision, mean 2 ** -112 of the number. */
function halves(name, view) {
  const bits = new Uint32Array(1), single = new Float32Array(bits.buffer);
  const numbers = new Float64Array(view.byteLength / 2);
  for (let i = 0; i < numbers.length; i++) {
    const half = view.getUint16(2 * i, true);
    if ((half & 0x7c00) === 0x7c00) fail(`${name}: its number ${i} is not finite`);
    bits[0] = ((half & 0x8000) << 16) | ((half & 0x7fff) << 13);
    numbers[i] = single[0] * 2 ** 112; // exponents count from -127 there, from -15 here
  }
  return numbers;
}

// The layers. Each becomes a step: a function without arguments from one buffer into the next.

function buildEncoder(layer, size, latentDim, channels) {
  const input = plane(size, channels, 1), steps = [];
  let x = input;
  for (let i = 0; x.side > 4; i += 2) {
    const y = plane(x.side / 2, 32, x.side > 8 ? 1 : 0);
    steps.push(convolution(x, y, ...layer(`encoder.convolutions.${i}`, 32, [32, x.channels, 4, 4])));
    x = y;
  }
  const [first, second] = [new Float64Array(256), new Float64Array(256)];
  steps.push(dense(x.values, first, ...layer("encoder.dense.0", 256, [256, 512]), { column: channelsFirst }));
  steps.push(dense(first, second, ...layer("encoder.dense.2", 256, [256, 256])));
  const last = layer("encoder.posterior", 2 * latentDim, [2 * latentDim, 256]);
  const output = new Float64Array(4 * Math.ceil(latentDim / 2)); // a whole number of blocks of four
  steps.push(dense(second, output, ...last, { floor: -Infinity }));
  return { input, steps, output };
}

function buildDecoder(layer, size, latentDim, channels) {
  const [input, first, second] = [latentDim, 256, 256].map((n) => new Float64Array(n)), steps = [];
  steps.push(dense(input, first, ...layer("decoder.dense.0", 256, [256, latentDim])));
  steps.push(dense(first, second, ...layer("decoder.dense.2", 256, [256, 256])));
  const last = layer("decoder.dense.4", 512, [512, 256]);
  let x = plane(4, 32, 1);
  for (let v = 0; v < 4; v++) { // row by row, because of the margin between them
    const line = x.values.subarray(x.origin + v * x.pitch, x.origin + v * x.pitch + 128);
    steps.push(dense(second, line, ...last, { row: (o) => channelsFirst(128 * v + o) }));
  }
  for (let i = 0; x.side < size; i += 2) {
    const final = 2 * x.side === size, outs = final ? channels : 32;
    const y = plane(2 * x.side, outs + (outs % 2), final ? 0 : 1); // a whole number of pairs
    const parameters = layer(`decoder.convolutions.${i}`, outs, [32, outs, 4, 4]);
    steps.push(...transposedConvolution(x, y, ...parameters, final ? -Infinity : 0));
    x = y;
  }
  return { input, steps, output: x };
}

/** Where torch keeps the number that comes here at `index`, in 4 × 4 pixels of 32 channels. */
function channelsFirst(index) {
  return (index % 32) * 16 + (index >> 5);
}

/** The numbers between two convolutions: row by row, channels innermost, `margin` zeros around them. */
function plane(side, channels, margin) {
  const width = side + 2 * margin, pitch = width * channels;
  return { values: new Float64Array(width * pitch), side, channels, pitch, origin: margin * (pitch + channels) };
}

function dense(input, output, weight, bias, { floor = 0, row = same, column = same } = {}) {
  const ins = input.length, weights = new Float64Array(ins * output.length);
  const biases = output.map((_, o) => bias[row(o)] ?? 0); // an output that only fills a block is 0
  for (let o = 0; o < output.length; o++) {
    for (let i = 0, q = (o - (o % 4)) * ins + (o % 4); i < ins; i++, q += 4) {
      weights[q] = weight[row(o) * ins + column(i)] ?? 0;
    }
  }
  return () => multiply(input, output, weights, biases, floor);
}

function convolution(input, output, weight, bias) {
  const ins = input.channels;
  const weights = relay(output.channels, ins, 4, (o, c, v, u) => weight[((o * ins + c) * 4 + v) * 4 + u]);
  const walk = { taps: 4, stride: 2, spread: 1, top: 0, left: 0, floor: 0 };
  return () => convolve(input, output, weights, bias, walk);
}

/** Output pixels of even and odd rows and columns see different quarters of the 4 × 4 kernel: four convolutions. */
function transposedConvolution(input, output, weight, bias, floor) {
  const outs = bias.length, biases = Float64Array.from({ length: output.channels }, (_, o) => bias[o] ?? 0);
  return [[0, 0], [0, 1], [1, 0], [1, 1]].map(([top, left]) => {
    const tap = (o, c, v, u) => o < outs ? weight[((c * outs + o) * 4 + 3 - top - 2 * v) * 4 + 3 - left - 2 * u] : 0;
    const weights = relay(output.channels, input.channels, 2, tap);
    const walk = { taps: 2, stride: 1, spread: 2, top, left, floor };
    return () => convolve(input, output, weights, biases, walk);
  });
}

/** Order weights as `convolve` reads them: pairs of output channels innermost, then input channels, then taps. */
function relay(outs, ins, taps, weight) {
  const weights = new Float64Array(outs * ins * taps * taps);
  let q = 0;
  for (let o = 0; o < outs; o += 2) {
    for (let v = 0; v < taps; v++) {
      for (let u = 0; u < taps; u++) {
        for (let c = 0; c < ins; c++) {
          weights[q++] = weight(o, c, v, u);
          weights[q++] = weight(o + 1, c, v, u);
        }
      }
    }
  }
  return weights;
}

// The two loops in which all the time goes.

/** Four outputs at once, so that each input is loaded once for four products. */
function multiply(x, y, weights, bias, floor) {
  for (let o = 0, q = 0; o < y.length; o += 4) {
    let a = bias[o], b = bias[o + 1], c = bias[o + 2], d = bias[o + 3];
    for (let i = 0; i < x.length; i++, q += 4) {
      const value = x[i];
      a += value * weights[q];
      b += value * weights[q + 1];
      c += value * weights[q + 2];
      d += value * weights[q + 3];
    }
    y[o] = a > floor ? a : floor;
    y[o + 1] = b > floor ? b : floor;
    y[o + 2] = c > floor ? c : floor;
    y[o + 3] = d > floor ? d : floor;
  }
}

/** Four pixels side by side times two channels at once: eight sums in registers, six loads for eight products. */
function convolve(input, output, weights, bias, { taps, stride, spread, top, left, floor }) {
  const x = input.values, y = output.values, outs = output.channels;
  const run = taps * input.channels, step = stride * input.channels, right = spread * outs;
  const side = output.side / spread;
  for (let v = 0; v < side; v++) {
    for (let u = 0; u < side; u += 4) {
      const from = (v * stride + top) * input.pitch + (u * stride + left) * input.channels;
      let to = output.origin + (v * spread + top) * output.pitch + (u * spread + left) * outs;
      for (let o = 0, q = 0; o < outs; o += 2, to += 2) {
        let a0 = bias[o], b0 = a0, c0 = a0, d0 = a0;
        let a1 = bias[o + 1], b1 = a1, c1 = a1, d1 = a1;
        for (let t = 0, begin = from; t < taps; t++, begin += input.pitch) {
          for (let p = begin; p < begin + run; p++, q += 2) {
            const w0 = weights[q], w1 = weights[q + 1];
            const a = x[p], b = x[p + step], c = x[p + 2 * step], d = x[p + 3 * step];
            a0 += a * w0;
            a1 += a * w1;
            b0 += b * w0;
            b1 += b * w1;
            c0 += c * w0;
            c1 += c * w1;
            d0 += d * w0;
            d1 += d * w1;
          }
        }
        y[to] = a0 > floor ? a0 : floor;
        y[to + 1] = a1 > floor ? a1 : floor;
        y[to + right] = b0 > floor ? b0 : floor;
        y[to + right + 1] = b1 > floor ? b1 : floor;
        y[to + 2 * right] = c0 > floor ? c0 : floor;
        y[to + 2 * right + 1] = c1 > floor ? c1 : floor;
        y[to + 3 * right] = d0 > floor ? d0 : floor;
        y[to + 3 * right + 1] = d1 > floor ? d1 : floor;
      }
    }
  }
}
