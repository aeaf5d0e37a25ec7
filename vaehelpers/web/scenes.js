// The settings of the playground: their defaults, the choices, and scenes, which are settings with a name.
import * as hands from "./hands.js";

export const DEFAULTS = {
  data: "hands", first: "rotation", second: "index", n: 2000, latents: 2, seed: 0,
  beta: 1, noise: true, kl: true, rate: 0.002, warmup: 0, speed: "fast",
};
export const NEEDS_RESTART = ["data", "first", "second", "n", "latents", "seed"]; // a change of these starts a new run
export const SPEEDS = { slow: 5, medium: 20, fast: Infinity }; // steps a second
const FACTORS = Object.keys(hands.FACTORS);
export const CHOICES = {
  data: ["hands", "digits"], first: FACTORS, second: FACTORS, n: [50, 200, 1000, 2000], latents: [1, 2, 8],
  rate: [0.0005, 0.001, 0.002, 0.005, 0.01], warmup: [0, 20000, 50000], speed: Object.keys(SPEEDS),
};
export const SCENES = {
  vae: {
    title: "A VAE learns", settings: {},
    sentence: "The posteriors q(z|x) start as one heap, move apart and together fill the prior (circles: 1, 2, 3 "
      + "standard deviations). Then pull β up.",
  },
  holes: {
    title: "An autoencoder has holes", settings: { noise: false, kl: false },
    sentence: "No noise, no KL: the codes lie anywhere, and where the prior (circles) has its mass "
      + "the decoder draws few hands.",
  },
  noise: {
    title: "Switch the noise on", settings: { kl: false },
    sentence: "Noise without the KL: each ellipse shrinks until its noise hardly matters. Now switch the KL term on: "
      + "the ellipses grow and together fill the prior.",
  },
  beta: {
    title: "β from 0.1 to 8", settings: { beta: 0.1 },
    sentence: "At β = 0.1 each image keeps a narrow ellipse for itself. Pull β up to 8: the ellipses grow, the KL falls, "
      + "images share their codes.",
  },
  collapse: {
    title: "Posterior collapse", settings: { beta: 6 },
    sentence: "β = 6 from the start: one latent encodes the rotation, the other has collapsed. Its q(z|x) is the prior "
      + "for every image, and its KL is 0.",
  },
  warmup: {
    title: "Rescued by warm-up", settings: { beta: 6, warmup: 20000 },
    sentence: "The same β = 6, but it rises from 0 over the first 20,000 images: both latents carry nats before the KL "
      + "weighs much, and stay active.",
  },
  seed: {
    title: "A bad seed", settings: { beta: 2, seed: 3 },
    sentence: "With seed 3 and β = 2 one latent stays collapsed for the first 16,000 images. Choose seed 1, 2 or 4: "
      + "both are active long before.",
  },
  few: {
    title: "Too few images", settings: { data: "digits", n: 50 },
    sentence: "With 50 digits to learn from, their own ELBO (dashed) rises and rises; that of held-out digits (bold) "
      + "soon falls: overfitting.",
  },
};

/** Return the settings that an address names: a scene, and changes of it; unknown values are ignored. */
export function readAddress(address) {
  const named = new URLSearchParams(address);
  const scene = Object.hasOwn(SCENES, named.get("scene")) ? named.get("scene") : "vae";
  const settings = { ...DEFAULTS, ...SCENES[scene].settings };
  for (const [name, text] of named) {
    const number = parseFloat(text);
    const choices = Object.hasOwn(CHOICES, name) ? CHOICES[name] : [];
    const choice = choices.find((each) => String(each) === text);
    if (choice !== undefined) settings[name] = choice;
    else if (["noise", "kl"].includes(name)) settings[name] = text !== "false";
    else if (name === "beta" && number >= 0) settings.beta = Math.min(number, 32);
    else if (name === "seed" && number >= 0) settings.seed = Math.min(Math.round(number), 9999);
  }
  return { scene, settings };
}
