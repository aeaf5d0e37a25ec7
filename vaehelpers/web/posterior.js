// For one image and a VAE of one or two latents: q(z|x) beside the true posterior, by enumeration of a grid of codes.
import * as vae from "./vae.js";

const COARSE = 41, FINE = 81; // codes along each latent: to find the mass of the true posterior, and to measure it
const LIMIT = 4, NEGLIGIBLE = 15; // standard deviations of the prior; nats below the peak
const CHUNK = 16 * vae.BATCH; // codes that are decoded at a time

/**
 * Return mu, logvar and kl (by latent) of q(z|x) and, on a grid of 81 codes along each latent from low[j] to high[j],
 * the first latent innermost, the densities `q` and `truth`, which is p(z|x). In nats: log p(x) as `evidence`, `elbo`,
 * their `gap`, the `reconstruction` term, and the share of each pixel in it as `pixels`.
 */
export function magnify(net, image) {
  if (net.latents > 2) throw new Error(`magnify: need one or two latents, got ${net.latents}`);
  const { mu, logvar } = net.encode(image), { box, codes, cell } = createGrid(FINE, findBox(net, image, mu, logvar));
  const q = codes.map((z) => Math.exp(z.reduce((sum, value, j) => sum + logNormal(value, mu[j], logvar[j]), 0)));
  const mass = total(q), pixels = new Float64Array(net.pixels);
  const joint = evaluate(net, image, codes, (i, p, nats) => { pixels[p] += q[i] / mass * nats; });
  const peak = max(joint), evidence = peak + Math.log(cell * total(joint.map((nats) => Math.exp(nats - peak))));
  const kl = mu.map((mean, j) => vae.klToPrior(mean, logvar[j])), reconstruction = total(pixels);
  const elbo = reconstruction - total(kl), [low, high] = [0, 1].map((end) => box.map((ends) => ends[end]));
  return {
    mu, logvar, kl, low, high, q: Float32Array.from(q),
    truth: Float32Array.from(joint, (nats) => Math.exp(nats - evidence)),
    evidence, elbo, gap: evidence - elbo, reconstruction, pixels,
  };
}

/** Return the ends, along each latent, of the box in which q(z|x) or the true posterior is not negligible. */
function findBox(net, image, mu, logvar) {
  const around = (j, deviations) => [-1, 1].map((sign) => mu[j] + sign * deviations * Math.exp(logvar[j] / 2));
  const enclose = (values) => [-max(values.map((value) => -value)), max(values)];
  const { codes, steps } = createGrid(COARSE, Array.from(mu, (_, j) => enclose([-LIMIT, LIMIT, ...around(j, 6)])));
  const joint = evaluate(net, image, codes), limit = max(joint) - NEGLIGIBLE;
  const probable = codes.filter((_, i) => joint[i] > limit);
  return steps.map((step, j) => {
    const [low, high] = enclose(probable.map((z) => z[j]));
    return enclose([low - step, high + step, ...around(j, 4)]);
  });
}

function createGrid(side, box) {
  const steps = box.map(([low, high]) => (high - low) / (side - 1));
  const code = (i) => box.map(([low], j) => low + steps[j] * (Math.floor(i / side ** j) % side));
  const codes = Array.from({ length: side ** box.length }, (_, i) => code(i));
  return { box, codes, steps, cell: steps.reduce((area, step) => area * step) };
}

/** Return log p(x, z) for each code; `visit` receives the log-likelihood of each pixel for each code. */
function evaluate(net, image, codes, visit = () => {}) {
  const joint = codes.map((z) => total(z.map((value) => logNormal(value, 0, 0))));
  for (let begin = 0; begin < codes.length; begin += CHUNK) {
    const decoded = net.decode(Float32Array.from(codes.slice(begin, begin + CHUNK).flat()));
    for (let i = begin, at = 0; at < decoded.length; i++) {
      for (let p = 0; p < net.pixels; p++, at++) {
        const nats = vae.logLikelihood(image[p], decoded[at]);
        joint[i] += nats;
        visit(i, p, nats);
      }
    }
  }
  return joint;
}

function logNormal(value, mu, logvar) {
  return -0.5 * ((value - mu) ** 2 / Math.exp(logvar) + logvar + Math.log(2 * Math.PI));
}

function total(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

function max(values) {
  return values.reduce((a, b) => Math.max(a, b));
}
