// A VAE that learns in the browser: pixels, 256, 128, latents, and mirrored; dense layers, ReLU, Bernoulli pixels.
//
// Signals are matrices (units, BATCH), with the batch innermost. So all products of the forward and the backward pass
// have the form that product.js computes, and only the inputs of layers are ever transposed.

export const BATCH = 64;
const ADAM = { first: 0.9, second: 0.999, epsilon: 1e-8 }; // Kingma & Ba (2015), "Adam", section 2

/**
 * Create a VAE for images of `pixels` pixels, a multiple of 8. `allocate` comes from `createProduct`; all memory is
 * allocated here. The last bias starts at the logits of `mean`, the mean image of the data.
 */
export function createVae(allocate, { pixels, latents, seed = 0, mean = null }) {
  check("pixels", pixels, "a multiple of 8", Number.isInteger(pixels / 8) && pixels > 0);
  check("latents", latents, "a whole number from 1 to 64", Number.isInteger(latents) && latents > 0 && latents <= 64);
  const width = 8 * Math.ceil(latents / 8); // the product needs blocks of 8; the latents added stay zero
  let end = 0;
  const reserve = (n) => (end += n) - n;
  const createLayers = (sizes) => sizes.slice(1).map((outs, i) => {
    const ins = sizes[i], weight = reserve(ins * outs), bias = reserve(outs);
    return { ins, outs, weight, bias, relu: i + 2 < sizes.length };
  });
  const encoder = createLayers([pixels, 256, 128, 2 * width]), decoder = createLayers([width, 128, 256, pixels]);
  const layers = [...encoder, ...decoder], size = end, epsilons = new Float32Array(BATCH * latents);
  reserve(3 * size); // the gradient of each parameter, and Adam's two moments of it
  const rows = reserve(BATCH * pixels), columns = reserve(BATCH * pixels); // the images, and these transposed
  const scratch = reserve(BATCH * 256), signals = end;
  for (const part of [encoder, decoder]) {
    let input = part === encoder ? columns : reserve(BATCH * width);
    for (const layer of part) {
      layer.input = input;
      input = layer.output = reserve(BATCH * layer.outs);
    }
  }
  const gradient = reserve(end - signals) - signals; // of a signal: so many floats after it
  const { floats, multiply } = allocate(end), random = createRandom(seed);
  const [parameters, gradients, first, second] = [0, 1, 2, 3].map((i) => floats.subarray(i * size, (i + 1) * size));
  const posterior = encoder[2].output, z = decoder[0].input, logits = decoder[2].output;
  let step = 0;
  initialise();

  /** Initialise as He et al. (2015), section 2.2; posteriors start near the prior, and unused latents at zero. */
  function initialise() {
    for (const layer of layers) {
      const { ins, outs, weight } = layer, isLast = layer === encoder[2], isFirst = layer === decoder[0];
      const scale = Math.sqrt(2 / (isFirst ? latents : ins)) * (isLast ? 0.3 : 1);
      for (let i = 0; i < ins * outs; i++) {
        const latent = isFirst ? i % width : isLast ? Math.floor(i / ins) % width : 0;
        parameters[weight + i] = latent < latents ? scale * random.normal() : 0;
      }
    }
    if (!mean) return;
    check("mean", mean.length, `${pixels} numbers`, mean.length === pixels);
    for (let i = 0; i < pixels; i++) {
      const p = Math.min(0.999, Math.max(0.001, mean[i]));
      parameters[decoder[2].bias + i] = Math.log(p / (1 - p));
    }
  }

  function forward({ ins, outs, weight, bias, input, output, relu }) {
    for (let o = 0; o < outs; o++) floats.fill(floats[bias + o], output + o * BATCH, output + (o + 1) * BATCH);
    multiply(weight, ins, 1, input, output, BATCH, outs, ins, BATCH);
    if (relu) for (let i = output; i < output + outs * BATCH; i++) if (floats[i] < 0) floats[i] = 0;
  }

  /** From the gradient of a layer's output, compute those of its weights, its bias and its input. */
  function backward({ ins, outs, weight, bias, input, output, relu }) {
    const from = output + gradient, isFirst = input === columns;
    for (let o = 0, i = 0; o < outs; o++) {
      let sum = 0;
      for (let b = 0; b < BATCH; b++, i++) {
        if (relu && floats[output + i] === 0) floats[from + i] = 0;
        sum += floats[from + i];
      }
      gradients[bias + o] = sum;
    }
    if (!isFirst) {
      for (let i = 0; i < ins; i++) {
        for (let b = 0; b < BATCH; b++) floats[scratch + b * ins + i] = floats[input + i * BATCH + b];
      }
    }
    gradients.fill(0, weight, weight + ins * outs);
    multiply(from, BATCH, 1, isFirst ? rows : scratch, size + weight, ins, outs, BATCH, ins);
    if (isFirst) return;
    floats.fill(0, input + gradient, input + gradient + ins * BATCH);
    multiply(weight, 1, ins, from, input + gradient, BATCH, ins, outs, BATCH);
  }

  /** Copy up to BATCH images from number `begin` on into both layouts of the input. */
  function place(images, begin) {
    const n = Math.min(BATCH, images.length / pixels - begin);
    floats.fill(0, columns, columns + BATCH * pixels);
    for (let b = 0, i = begin * pixels; b < n; b++) {
      for (let p = 0; p < pixels; p++, i++) {
        const value = images[i];
        if (!(value >= 0 && value <= 1)) throw new Error(`images: need pixels from 0 to 1, got ${value}`);
        floats[rows + b * pixels + p] = floats[columns + p * BATCH + b] = value;
      }
    }
    return n;
  }

  /** Sample z, or set it to mu, and return the KL of each latent. */
  function sample(noise) {
    const kl = new Float32Array(latents);
    for (let j = 0, i = 0; j < latents; j++) {
      let sum = 0;
      for (let b = 0; b < BATCH; b++, i++) {
        const mu = floats[posterior + i], logvar = floats[posterior + width * BATCH + i];
        epsilons[i] = noise ? random.normal() : 0;
        floats[z + i] = mu + Math.exp(logvar / 2) * epsilons[i];
        sum += klToPrior(mu, logvar);
      }
      kl[j] = sum / BATCH;
    }
    return kl;
  }

  /** Return the mean of log p(x|z), and compute the gradient of its negative at the logits. */
  function compare() {
    let sum = 0;
    for (let i = 0; i < BATCH * pixels; i++) {
      const logit = floats[logits + i], x = floats[columns + i], e = Math.exp(-Math.abs(logit));
      sum += x * logit - Math.max(logit, 0) - Math.log1p(e);
      floats[logits + gradient + i] = ((logit > 0 ? 1 : e) / (1 + e) - x) / BATCH;
    }
    return sum / BATCH;
  }

  /** From the gradient at z, compute that at mu and logvar; add that of the KL. */
  function differentiate(noise, beta) {
    for (let i = 0; i < BATCH * latents; i++) {
      const mu = posterior + i, logvar = mu + width * BATCH, slope = floats[z + gradient + i];
      const deviation = noise ? Math.exp(floats[logvar] / 2) * epsilons[i] : 0;
      floats[mu + gradient] = slope + beta * floats[mu] / BATCH;
      floats[logvar + gradient] = 0.5 * (slope * deviation + beta * Math.expm1(floats[logvar]) / BATCH);
    }
  }

  function update(rate) {
    step++;
    const pace = rate / (1 - ADAM.first ** step), scale = 1 / Math.sqrt(1 - ADAM.second ** step);
    for (let i = 0; i < size; i++) {
      const slope = gradients[i];
      const m = first[i] + (1 - ADAM.first) * (slope - first[i]);
      const v = second[i] + (1 - ADAM.second) * (slope * slope - second[i]);
      first[i] = m;
      second[i] = v;
      parameters[i] -= pace * m / (Math.sqrt(v) * scale + ADAM.epsilon);
    }
  }

  return {
    pixels, latents,

    /**
     * Take one step on BATCH images, a Float32Array of pixels in [0, 1]. Without `noise`, z is mu; without `kl`, the
     * loss is the reconstruction term alone. Return the terms of the ELBO before the step, in nats, as means over the
     * batch: `reconstruction`, which is log p(x|z), and `kl` by latent.
     */
    train(images, { beta = 1, noise = true, kl = true, rate = 2e-3 } = {}) {
      check("images", images.length, `${BATCH} × ${pixels} numbers`, images.length === BATCH * pixels);
      check("beta", beta, "a number of at least 0", beta >= 0 && beta < Infinity);
      check("rate", rate, "a number of at least 0", rate >= 0 && rate < Infinity);
      place(images, 0);
      encoder.forEach(forward);
      const nats = sample(noise);
      decoder.forEach(forward);
      const reconstruction = compare();
      if (!Number.isFinite(reconstruction)) throw new Error("training has diverged: lower the learning rate");
      decoder.toReversed().forEach(backward);
      differentiate(noise, kl ? beta : 0);
      encoder.toReversed().forEach(backward);
      update(rate);
      return { reconstruction, kl: nats };
    },

    /** Return mu and logvar (n × latents) of n images. */
    encode(images) {
      const n = images.length / pixels, [mu, logvar] = [0, 0].map(() => new Float32Array(n * latents));
      check("images", images.length, `a multiple of ${pixels} numbers`, Number.isInteger(n));
      for (let begin = 0; begin < n; begin += BATCH) {
        const count = place(images, begin);
        encoder.forEach(forward);
        for (let b = 0, to = begin * latents; b < count; b++) {
          for (let j = 0; j < latents; j++, to++) {
            mu[to] = floats[posterior + j * BATCH + b];
            logvar[to] = floats[posterior + (width + j) * BATCH + b];
          }
        }
      }
      return { mu, logvar };
    },

    /** Return the pixels (n × pixels) that are decoded from n codes: the probabilities of p(x|z). */
    decode(codes) {
      const n = codes.length / latents, valid = Number.isInteger(n) && codes.every(Number.isFinite);
      check("z", codes.slice(0, 8), `a multiple of ${latents} finite numbers`, valid);
      const decoded = new Float32Array(n * pixels);
      for (let begin = 0; begin < n; begin += BATCH) {
        const count = Math.min(BATCH, n - begin);
        for (let b = 0, i = begin * latents; b < count; b++) {
          for (let j = 0; j < latents; j++) floats[z + j * BATCH + b] = codes[i++];
        }
        decoder.forEach(forward);
        for (let b = 0, i = begin * pixels; b < count; b++) {
          for (let p = 0; p < pixels; p++, i++) decoded[i] = 1 / (1 + Math.exp(-floats[logits + p * BATCH + b]));
        }
      }
      return decoded;
    },

    /** Return all that training depends on: after `load` it continues as if it had never stopped. */
    save() {
      const moments = { first: first.slice(), second: second.slice() };
      return { step, random: random.state, parameters: parameters.slice(), ...moments };
    },

    load(saved) {
      check("snapshot", saved.parameters.length, `${size} parameters`, saved.parameters.length === size);
      parameters.set(saved.parameters);
      first.set(saved.first);
      second.set(saved.second);
      random.state = saved.random;
      step = saved.step;
    },
  };
}

/** Return seeded random numbers: uniform by the generator mulberry32, normal by the method of Box & Muller (1958). */
export function createRandom(seed) {
  const random = {
    state: seed | 0,
    uniform() {
      random.state = (random.state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(random.state ^ (random.state >>> 15), 1 | random.state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
    normal: () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform()),
  };
  return random;
}

/** Return the log-likelihood of a Bernoulli pixel x, in nats. */
export function logLikelihood(x, probability) {
  const p = Math.min(1 - 1e-7, Math.max(1e-7, probability));
  return (x > 0 ? x * Math.log(p) : 0) + (x < 1 ? (1 - x) * Math.log(1 - p) : 0);
}

/** Return the KL of N(mu, exp(logvar)) from N(0, 1), in nats (Kingma & Welling 2014, appendix B). */
export function klToPrior(mu, logvar) {
  return 0.5 * (mu * mu + Math.expm1(logvar) - logvar);
}

function check(name, got, need, valid) {
  if (!valid) throw new Error(`${name}: need ${need}, got ${got}`);
}
