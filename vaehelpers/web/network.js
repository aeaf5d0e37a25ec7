// The course's VAE (model.py) in plain JavaScript, one image at a time.
//
// Weights are reordered once, when a model is parsed, so that every layer sums products along contiguous memory.
// Activations between convolutions have their channels innermost and a margin of zeros. All numbers are doubles, since
// rounding each step to single precision would take twice the time.

/** Read a model and its card from the bytes that `to_bytes` of weights.py writes; throws an Error for other bytes. */
export function parse(bytes) {
  try {
    const { card, tensor } = readSafetensors(bytes), { size, latent_dim: latentDim, channels } = card.model;
    const layer = (name, outs, ...shape) => [tensor(`${name}.weight`, shape), tensor(`${name}.bias`, [outs])];
    const encoder = buildEncoder(layer, size, latentDim, channels);
    const decoder = buildDecoder(layer, size, latentDim, channels);
    return { size, latentDim, channels, card, encoder, decoder };
  } catch (error) {
    throw new Error(`model: its weights cannot be read (${error.message})`, { cause: error });
  }
}

/** Return the pixels (channels, size, size) in [0, 1] that the decoder computes from the latents z. */
export function decode(model, z, out = new Float32Array(model.channels * model.size ** 2)) {
  if (z.length !== model.latentDim || !z.every(Number.isFinite)) {
    throw new Error(`z: need ${model.latentDim} finite numbers, got ${z}`);
  }
  const { input, steps, output: { values, channels } } = model.decoder;
  input.set(z);
  for (const step of steps) step();
  for (let c = 0, i = 0; c < model.channels; c++) {
    for (let p = c; p < values.length; p += channels) out[i++] = 1 / (1 + Math.exp(-values[p]));
  }
  return out;
}

/** Return mu and logvar of the approximate posterior, for pixels (channels, size, size) in [0, 1]. */
export function encode(model, pixels) {
  const { input: { values, channels, pitch, origin }, steps, output } = model.encoder;
  for (let c = 0, i = 0; c < channels; c++) {
    for (let y = 0; y < model.size; y++) {
      for (let x = 0, p = origin + y * pitch + c; x < model.size; x++, p += channels) values[p] = pixels[i++];
    }
  }
  for (const step of steps) step();
  return { mu: output.slice(0, model.latentDim), logvar: output.slice(model.latentDim, 2 * model.latentDim) };
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

function buildEncoder(layer, size, latentDim, channels) {
  const input = plane(size, channels, 1), steps = [];
  let x = input;
  for (let i = 0; x.side > 4; i += 2) {
    const y = plane(x.side / 2, 32, x.side > 8 ? 1 : 0);
    steps.push(convolution(x, y, ...layer(`encoder.convolutions.${i}`, 32, 32, x.channels, 4, 4)));
    x = y;
  }
  const [first, second] = [new Float64Array(256), new Float64Array(256)];
  steps.push(dense(x.values, first, ...layer("encoder.dense.0", 256, 256, 512), { column: channelsFirst }));
  steps.push(dense(first, second, ...layer("encoder.dense.2", 256, 256, 256)));
  const last = layer("encoder.posterior", 2 * latentDim, 2 * latentDim, 256);
  const output = new Float64Array(4 * Math.ceil(latentDim / 2)); // a whole number of blocks of four
  steps.push(dense(second, output, ...last, { floor: -Infinity }));
  return { input, steps, output };
}

function buildDecoder(layer, size, latentDim, channels) {
  const [input, first, second] = [latentDim, 256, 256].map((n) => new Float64Array(n)), steps = [];
  steps.push(dense(input, first, ...layer("decoder.dense.0", 256, 256, latentDim)));
  steps.push(dense(first, second, ...layer("decoder.dense.2", 256, 256, 256)));
  const last = layer("decoder.dense.4", 512, 512, 256);
  let x = plane(4, 32, 1);
  for (let v = 0; v < 4; v++) { // one row at a time, because of the margin between rows
    const line = x.values.subarray(x.origin + v * x.pitch, x.origin + v * x.pitch + 128);
    steps.push(dense(second, line, ...last, { row: (o) => channelsFirst(128 * v + o) }));
  }
  for (let i = 0; x.side < size; i += 2) {
    const final = 2 * x.side === size, outs = final ? channels : 32;
    const y = plane(2 * x.side, outs + (outs % 2), final ? 0 : 1); // a whole number of pairs of channels
    const parameters = layer(`decoder.convolutions.${i}`, outs, 32, outs, 4, 4);
    steps.push(...transposedConvolution(x, y, ...parameters, final ? -Infinity : 0));
    x = y;
  }
  return { input, steps, output: x };
}

/** Return torch's index of the number at `index` here, for 4 × 4 pixels of 32 channels. */
function channelsFirst(index) {
  return (index % 32) * 16 + (index >> 5);
}

/** Make a buffer between two convolutions: row by row, channels innermost, `margin` zeros around them. */
function plane(side, channels, margin) {
  const width = side + 2 * margin, pitch = width * channels;
  return { values: new Float64Array(width * pitch), side, channels, pitch, origin: margin * (pitch + channels) };
}

function dense(input, output, weight, bias, { floor = 0, row = (o) => o, column = (i) => i } = {}) {
  const ins = input.length, weights = new Float64Array(ins * output.length);
  const biases = output.map((_, o) => bias[row(o)] ?? 0); // 0 for outputs that pad a block
  for (let o = 0; o < output.length; o++) {
    for (let i = 0, q = (o - (o % 4)) * ins + (o % 4); i < ins; i++, q += 4) {
      weights[q] = weight[row(o) * ins + column(i)] ?? 0;
    }
  }
  return () => multiply(input, output, weights, biases, floor);
}

function convolution(input, output, weight, bias) {
  const ins = input.channels;
  const weights = reorder(output.channels, ins, 4, (o, c, v, u) => weight[((o * ins + c) * 4 + v) * 4 + u]);
  const geometry = { taps: 4, stride: 2, spread: 1, top: 0, left: 0, floor: 0 };
  return () => convolve(input, output, weights, bias, geometry);
}

/** Even and odd rows and columns of the output use different quarters of the 4 × 4 kernel: four convolutions. */
function transposedConvolution(input, output, weight, bias, floor) {
  const outs = bias.length, biases = Float64Array.from({ length: output.channels }, (_, o) => bias[o] ?? 0);
  return [[0, 0], [0, 1], [1, 0], [1, 1]].map(([top, left]) => {
    const tap = (o, c, v, u) => o < outs ? weight[((c * outs + o) * 4 + 3 - top - 2 * v) * 4 + 3 - left - 2 * u] : 0;
    const weights = reorder(output.channels, input.channels, 2, tap);
    const geometry = { taps: 2, stride: 1, spread: 2, top, left, floor };
    return () => convolve(input, output, weights, biases, geometry);
  });
}

/** Order weights as `convolve` reads them: pairs of output channels innermost, then input channels, then taps. */
function reorder(outs, ins, taps, weight) {
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

// The two inner loops, which take nearly all the time.

/** Compute four outputs at once, so that each input is loaded once for four products. */
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

/** Compute four neighbouring pixels times two channels at once: eight sums, six loads for eight products. */
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
