// For one image and a VAE of one or two latents: q(z|x) beside the true posterior, by enumeration of a grid.
import * as vae from "./vae.js";

const COARSE = 41, FINE = 81, LIMIT = 4, NEGLIGIBLE = 15; // codes along a side; standard deviations; nats below the peak
const CHUNK = 16 * vae.BATCH; // codes that are decoded at a time

/**
 * Return mu, logvar and kl (by latent) of q(z|x) and, on a grid of 81 codes along each latent from low[j] to high[j], first
 * latent innermost, the densities `q` and `truth`, which is p(z|x). In nats: log p(x) as `evidence`, `elbo`, their `gap`,
 * `reconstruction`, and `pixels`, of which it is the sum.
 */
export function magnify(net, image) {
  const { latents } = net, { mu, logvar } = net.encode(image), deviation = logvar.map((value) => Math.exp(value / 2));
  if (latents > 2) throw new Error(`magnify: need one or two latents, got ${latents}`);
  const reach = (j, k) => [Math.min(-LIMIT, mu[j] - k * deviation[j]), Math.max(LIMIT, mu[j] + k * deviation[j])];
  const coarse = createGrid(COARSE, Array.from(mu, (m, j) => reach(j, 6))), box = surround(coarse, joint(net, image, coarse));
  const grid = createGrid(FINE, box.map(([low, high], j) => [
    Math.min(low, mu[j] - 4 * deviation[j]), Math.max(high, mu[j] + 4 * deviation[j]),
  ]));
  const q = grid.codes.map((z) => Math.exp(z.reduce((sum, value, j) => sum + logNormal((value - mu[j]) / deviation[j]) - logvar[j] / 2, 0)));
  const pixels = new Float64Array(image.length), mass = q.reduce((a, b) => a + b);
  const truth = joint(net, image, grid, (i, p, nats) => { pixels[p] += q[i] / mass * nats; });
  const peak = truth.reduce((a, b) => Math.max(a, b)), sum = truth.reduce((total, nats) => total + Math.exp(nats - peak), 0);
  const evidence = peak + Math.log(sum * grid.cell), kl = mu.map((m, j) => vae.klToPrior(m, logvar[j]));
  const reconstruction = pixels.reduce((a, b) => a + b), elbo = kl.reduce((rest, nats) => rest - nats, reconstruction);
  return {
    mu, logvar, kl, low: grid.box.map(([low]) => low), high: grid.box.map(([, high]) => high), q: Float32Array.from(q),
    truth: Float32Array.from(truth, (nats) => Math.exp(nats - evidence)), evidence, elbo, gap: evidence - elbo, reconstruction, pixels,
  };
}

function createGrid(side, box) {
  const steps = box.map(([low, high]) => (high - low) / (side - 1));
  const codes = Array.from({ length: side ** box.length }, (_, i) => box.map(([low], j) => low + steps[j] * (Math.floor(i / side ** j) % side)));
  return { codes, box, steps, cell: steps.reduce((area, step) => area * step, 1) };
}

/** Return log p(x, z) for each code; `visit` receives the log-likelihood of each pixel. */
function joint(net, image, { codes }, visit = () => {}) {
  const nats = codes.map((z) => z.reduce((sum, value) => sum + logNormal(value), 0)), { pixels } = net;
  for (let begin = 0; begin < codes.length; begin += CHUNK) {
    const decoded = net.decode(Float32Array.from(codes.slice(begin, begin + CHUNK).flat()));
    for (let i = begin, at = 0; at < decoded.length; i++) {
      for (let p = 0; p < pixels; p++, at++) {
        const pixel = vae.logLikelihood(image[p], decoded[at]);
        nats[i] += pixel;
        visit(i, p, pixel);
      }
    }
  }
  return nats;
}

/** Return the box that holds the codes whose density is not negligible, with a margin of one step. */
function surround({ codes, steps }, nats) {
  const limit = nats.reduce((a, b) => Math.max(a, b)) - NEGLIGIBLE, inside = codes.filter((_, i) => nats[i] > limit);
  return steps.map((step, j) => {
    const values = inside.map((z) => z[j]);
    return [Math.min(...values) - step, Math.max(...values) + step];
  });
}

function logNormal(value) {
  return -0.5 * (value * value + Math.log(2 * Math.PI));
}
