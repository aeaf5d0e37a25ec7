// The worker that trains the VAE of the playground, as a classic script, so that it also starts from a Blob's URL.
//
// Messages to it (pixels are Float32Arrays, image after image):
//   { data: { images, size, n, held } }   n images to train on and, after them, `held` others, of size × size pixels
//   { settings }                          any of those below; a change of latents or seed starts again
//   { run: "play" | "pause", speed, steps }   speed: steps a second, at first unlimited; steps: that many first
//   { back: k }                           continue from checkpoint k; later ones are discarded
//   { decode: z, id }                     one or more codes; answered by { decoded: pixels, id }
//   { magnify: index, id }                a held-out image; answered by { magnified, id }, described at `magnify`
// Messages from it: { state }, described at `report`; { checkpoints }, the number and images of each;
// { error: text }, after a pause.
import * as product from "./product.js";
import * as vae from "./vae.js";
import * as posterior from "./posterior.js";

const SLICE = 12, REPORT = 85; // milliseconds of training between messages; from one report to the next, at least
const EVERY = 100, MAX_CHECKPOINTS = 12; // steps from one checkpoint to the next; checkpoints that are kept
const GRID = 12, RANGE = 2.5, SHOWN = 5; // the manifold: images along a side, its ends; the number of reconstructions
const settings = { beta: 1, noise: true, kl: true, rate: 2e-3, latents: 2, seed: 0, warmup: 0 };
const allocate = product.createProduct(), channel = new MessageChannel();
let data = null, run = null, playing = false, speed = Infinity, timer = 0, turn = 0;

const handlers = {
  settings(changed) {
    const { latents, seed } = settings;
    for (const name of Object.keys(settings)) settings[name] = changed[name] ?? settings[name];
    if (data && (settings.latents !== latents || settings.seed !== seed)) start();
    else if (run) report();
  },
  data(given) {
    const { images, size, n, held } = given, needed = (n + held) * size ** 2;
    if (!(n > 0 && held > 0)) throw new Error(`data: need images to train on and others, got ${n} and ${held}`);
    if (images.length !== needed) throw new Error(`data: need ${needed} pixels, got ${images.length}`);
    data = given;
    start();
  },
  run(command, { speed: wanted, steps = 0 }) {
    speed = wanted ?? speed;
    playing = command === "play";
    if (run) {
      for (let i = 0; i < steps; i++) train();
      report();
    }
    schedule();
  },
  back(number) {
    const at = run.checkpoints.findIndex((checkpoint) => checkpoint.number === number);
    if (at < 0) throw new Error(`back: there is no checkpoint ${number}`);
    const { saved, order, step } = run.checkpoints[at];
    run.checkpoints.length = at + 1;
    run.net.load(saved);
    run.order.state = order;
    Object.assign(run, { step, terms: [] });
    reportCheckpoints();
    report();
  },
  decode: (z, { id }) => postMessage({ decoded: run.net.decode(z), id }),
  magnify(index, { id }) {
    const { held, pixels, net } = run, image = held.subarray(index * pixels, (index + 1) * pixels);
    if (image.length < pixels) throw new Error(`magnify: there is no held-out image ${index}`);
    postMessage({ magnified: posterior.magnify(net, image), id });
  },
};

onmessage = ({ data: message }) => guard(() => {
  const needsRun = "back" in message || "decode" in message || "magnify" in message;
  if (needsRun && !run) throw new Error("data: none are given yet");
  for (const [name, answer] of Object.entries(handlers)) if (name in message) answer(message[name], message);
});
channel.port1.onmessage = ({ data: posted }) => { if (posted === turn) advance(); };

function guard(work) {
  try {
    work();
  } catch ({ message }) {
    playing = false;
    postMessage({ error: message });
  }
}

function start() {
  const { images, size, n } = data, pixels = size ** 2, { latents, seed } = settings, mean = new Float32Array(pixels);
  for (let i = 0; i < n * pixels; i++) mean[i % pixels] += images[i] / n;
  const net = vae.createVae(allocate, { pixels, latents, seed, mean }), order = vae.createRandom(~seed);
  const held = images.subarray(n * pixels), batch = new Float32Array(vae.BATCH * pixels);
  run = { net, order, pixels, n, held, batch, step: 0, terms: [], checkpoints: [], number: 0, due: 0 };
  keep();
  report();
  schedule();
}

/** Train for a slice of time; in between, messages are received (timers would wait for 4 ms more). */
function schedule() {
  clearTimeout(timer);
  turn++;
  if (!playing || !run) return;
  if (speed < Infinity) timer = setTimeout(advance, 1000 / speed);
  else channel.port2.postMessage(turn);
}

function advance() {
  guard(() => {
    const until = performance.now() + SLICE;
    do train(); while (speed === Infinity && performance.now() < until);
    if (performance.now() > run.due) report();
  });
  schedule();
}

function train() {
  const { net, order, pixels, n, batch } = run;
  for (let b = 0; b < vae.BATCH; b++) {
    const i = Math.floor(order.uniform() * n);
    batch.set(data.images.subarray(i * pixels, (i + 1) * pixels), b * pixels);
  }
  run.terms.push(net.train(batch, { ...settings, beta: currentBeta() }));
  run.step++;
  if (run.step % EVERY === 0) keep();
}

/** Return β of the next step: during warm-up it rises from 0. */
function currentBeta() {
  const { beta, warmup } = settings;
  return beta * (warmup ? Math.min(1, run.step * vae.BATCH / warmup) : 1);
}

/** Keep a checkpoint. If there are too many, drop the one, but for the first, whose gap is the smallest for its age. */
function keep() {
  const { net, order, step, checkpoints, number } = run;
  checkpoints.push({ number, saved: net.save(), order: order.state, step });
  if (checkpoints.length > MAX_CHECKPOINTS) {
    const gap = (i) => (checkpoints[i + 1].step - checkpoints[i - 1].step) / (step - checkpoints[i].step);
    const inner = [...checkpoints.keys()].slice(1, -1);
    checkpoints.splice(inner.reduce((least, i) => gap(i) < gap(least) ? i : least), 1);
  }
  run.number++;
  reportCheckpoints();
}

function reportCheckpoints() {
  postMessage({ checkpoints: run.checkpoints.map(({ number, step }) => ({ number, images: step * vae.BATCH })) });
}

/**
 * Send the state: step, images; beta of the next step; mu and logvar of the held-out images and their means elbo,
 * reconstruction and kl (by latent), in nats; `training`, the mean ELBO of the batches since the last state; `axes`,
 * the two latents of the largest KL; `manifold`, 12 × 12 images over ±2.5 of these, the second upwards;
 * `reconstructions` of the first five held-out images, from mu. Reports take a sixth of the time at most.
 */
function report() {
  const began = performance.now(), { net, held, pixels, step, terms } = run, { latents, noise } = settings;
  const { mu, logvar } = net.encode(held), n = mu.length / latents, random = vae.createRandom(0);
  const z = noise ? mu.map((m, i) => m + Math.exp(logvar[i] / 2) * random.normal()) : mu;
  const kl = new Float32Array(latents);
  for (let i = 0; i < mu.length; i++) kl[i % latents] += vae.klToPrior(mu[i], logvar[i]) / n;
  const decoded = net.decode(z), sum = (values) => values.reduce((a, b) => a + b, 0);
  const reconstruction = decoded.reduce((total, p, i) => total + vae.logLikelihood(held[i], p), 0) / n;
  const axes = [...kl.keys()].sort((i, j) => kl[j] - kl[i]).slice(0, 2).sort((i, j) => i - j);
  const grid = new Float32Array(GRID ** 2 * latents), place = (k) => RANGE * (2 * k / (GRID - 1) - 1);
  for (let i = 0; i < GRID ** 2; i++) {
    grid[i * latents + axes[0]] = place(i % GRID);
    if (axes.length > 1) grid[i * latents + axes[1]] = -place(Math.floor(i / GRID));
  }
  const training = terms.length ? sum(terms.map((term) => term.reconstruction - sum(term.kl))) / terms.length : null;
  run.terms = [];
  postMessage({ state: {
    step, images: step * vae.BATCH, beta: currentBeta(), mu, logvar, training, axes,
    elbo: reconstruction - sum(kl), reconstruction, kl,
    manifold: net.decode(grid), reconstructions: net.decode(mu.slice(0, SHOWN * latents)),
  } });
  run.due = performance.now() + Math.max(REPORT - SLICE, 5 * (performance.now() - began));
}
