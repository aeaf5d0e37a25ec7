// The code z that all parts of the explorer move and hear of, and what is computed from codes and beliefs.

export const LIMIT = 3; // deviations of the prior, at either end of a slider

/** The code z and its `home`. Whoever moves it may say who it is (`source`) and what the encoder believed (`belief`). */
export function makeCode(begin, home) {
  const z = Float64Array.from(begin), heard = [];
  const tell = (source) => { for (const listen of heard) listen(source); };
  const within = (value) => Math.min(LIMIT, Math.max(-LIMIT, value));
  return {
    z, home, belief: null,
    hear(listen) { heard.push(listen); },
    set(latent, value, source) {
      z[latent] = within(value);
      tell(source);
    },
    move(to, { source, belief = null } = {}) {
      for (let i = 0; i < z.length; i++) z[i] = within(to[i]);
      this.belief = belief;
      tell(source);
    },
  };
}

/** log p(x|z) of Bernoulli pixels, in nats. */
export function logLikelihood(x, recon) {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    const p = Math.min(1 - 1e-7, Math.max(1e-7, recon[i]));
    sum += x[i] * Math.log(p) + (1 - x[i]) * Math.log(1 - p);
  }
  return sum;
}

/** KL of N(mu, exp(logvar)) from N(0, 1), summed over the latents, in nats (Kingma & Welling 2014, appendix B). */
export function klToPrior(mu, logvar) {
  let sum = 0;
  for (let i = 0; i < mu.length; i++) sum += 0.5 * (mu[i] ** 2 + (Math.expm1(logvar[i]) - logvar[i]));
  return sum;
}

/** A standard normal number (Box & Muller 1958). */
export function normal() {
  return Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
}
