// State shared by all views of an explorer: the code z and the image decoded from it; also the terms of the ELBO.
import * as network from "./network.js";

export const LIMIT = 3; // sliders run from -LIMIT to LIMIT standard deviations of the prior

/** Read a widget's traits; throws an Error if they are inconsistent. */
export function createState(traits) {
  const model = network.parse(traits.get("weights"));
  const code = createCode(traits.get("z"), traits.get("start"));
  const pixels = network.decode(model, code.z);
  code.subscribe(() => network.decode(model, code.z, pixels)); // subscribed first, since views paint these pixels
  return { model, code, pixels, traits };
}

/**
 * The code z and its `start`. `subscribe` calls a listener after every change, with the `source` of the change.
 * `posterior` holds the image that z was encoded from, with its mu and logvar; null if z was not encoded.
 */
function createCode(z, start) {
  const listeners = new Set(), clip = (value) => Math.min(LIMIT, Math.max(-LIMIT, value));
  const notify = (source) => listeners.forEach((listener) => listener(source));
  return {
    z: Float64Array.from(z, clip), start, posterior: null,
    subscribe(listener, signal) {
      listeners.add(listener);
      signal?.addEventListener("abort", () => listeners.delete(listener));
    },
    setLatent(latent, value, source) {
      this.z[latent] = clip(value);
      notify(source);
    },
    set(z, { source, posterior = null } = {}) {
      this.z.set(Array.from(z, clip));
      this.posterior = posterior;
      notify(source);
    },
  };
}

/** Return log p(x|z) of Bernoulli pixels, in nats. */
export function logLikelihood(x, recon) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const p = Math.min(1 - 1e-7, Math.max(1e-7, recon[i]));
    sum += x[i] * Math.log(p) + (1 - x[i]) * Math.log(1 - p);
  }
  return sum;
}

/** Return the KL of N(mu, exp(logvar)) from N(0, 1) over all latents, in nats (Kingma & Welling 2014, appendix B). */
export function klToPrior(mu, logvar) {
  return mu.reduce((sum, m, i) => sum + 0.5 * (m ** 2 + Math.expm1(logvar[i]) - logvar[i]), 0);
}

/** Draw a standard normal number (Box & Muller 1958). */
export function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
