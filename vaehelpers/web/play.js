// The playground: a VAE that learns in a Web Worker, views of what it has learned, and controls that steer it.
import * as hands from "./hands.js";
import * as dom from "./dom.js";

const SIZE = { hands: 32, digits: 8, own: 32 }; // pixels along an edge of an image
const HELD_OUT = 200, PAIRS = 5, LEAST = 20, GRID = 12, RANGE = 2.5, KEPT = 12, ARROW = 0.1;
const LOOK = 1500; // milliseconds from one look through the magnifying glass to the next
const FACTORS = Object.keys(hands.FACTORS);
const COLOURS = ["#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59"]; // petroff10, as in the lessons
const [BLUE, ORANGE, RED, GREY, VIOLET] = COLOURS;
const CLASSES = [...COLOURS, "#e76300", "#b9ac70", "#717581", "#92dadd"];
const DEFAULTS = {
  data: "hands", first: "rotation", second: "index", n: 2000, latents: 2, seed: 0,
  beta: 1, noise: true, kl: true, rate: 0.002, warmup: 0, speed: "fast",
};
const SPEEDS = { slow: 5, medium: 20, fast: Infinity }; // steps a second;
const gridValue = (k) => RANGE * (2 * k / (GRID - 1) - 1); // the latent of a column of the manifold
const TERMS = [ // of log p(x): sign, name, what it is
  ["", "log p(x)", "The evidence, summed over a grid of codes: what the decoder alone gives this image."],
  ["=", "reconstruction", "The mean of log p(x|z) over q(z|x), pixel by pixel: bright pixels lose most."],
  ["−", "KL", "The KL of q(z|x) (ellipses) from the prior: what the code costs."],
  ["+", "gap", "The KL of q(z|x) (ellipses) from the true posterior (cloud): what the encoder loses."],
];
const CHOICES = {
  data: ["hands", "digits"], first: FACTORS, second: FACTORS, n: [50, 200, 1000, 2000], latents: [1, 2, 8],
  rate: [0.0005, 0.001, 0.002, 0.005, 0.01], warmup: [0, 20000, 50000], speed: Object.keys(SPEEDS),
};
const ANEW = ["data", "first", "second", "n", "latents", "seed"]; // a change of these starts a new run
const SCENES = {
  vae: ["A VAE learns", "All posteriors q(z|x) start as one heap; they narrow, move apart and together fill the prior (circles: 1, 2, 3 standard deviations).", {}],
  holes: ["An autoencoder has holes", "No noise, no KL: the codes lie anywhere, and where the prior (circles) has its mass the decoder draws few hands.", { noise: false, kl: false }],
  noise: ["Switch the noise on", "Noise without the KL: each ellipse shrinks until its noise hardly matters. Now switch the KL term on: the ellipses grow and together fill the prior.", { kl: false }],
  beta: ["β from 0.1 to 8", "At β = 0.1 each image keeps a narrow ellipse for itself. Pull β up to 8: the ellipses grow, the KL falls, images share their codes.", { beta: 0.1 }],
  collapse: ["Posterior collapse", "β = 6 from the start: one latent encodes the rotation, the other has collapsed. Its q(z|x) is the prior for every image, and its KL is 0.", { beta: 6 }],
  warmup: ["Rescued by warm-up", "The same β = 6, but it rises from 0 over the first 20,000 images: both latents carry nats before the KL weighs much, and stay active.", { beta: 6, warmup: 20000 }],
  seed: ["A bad seed", "With seed 3 and β = 2 one latent stays collapsed for the first 16,000 images. Choose seed 1, 2 or 4: both are active long before.", { beta: 2, seed: 3 }],
  few: ["Too few images", "With 50 digits to learn from, their own ELBO (dashed) rises and rises; that of held-out digits (bold) soon falls: overfitting.", { data: "digits", n: 50 }],
};

/** A widget for anywidget. */
export default {
  render({ model: traits, el }) {
    const controller = new AbortController();
    el.append(createPlayground(`scene=${traits.get("scene")}`, () => {}, controller.signal));
    return () => controller.abort();
  },
};

/** Create the playground of an HTML file; its address carries the settings. */
export function fillPage(scene) {
  const address = (text) => { if (parent === window) history.replaceState(null, "", `#${text}`); };
  const start = () => {
    const controller = new AbortController();
    const whole = createPlayground(location.hash.slice(1) || `scene=${scene}`, address, controller.signal);
    document.getElementById("play").replaceChildren(whole);
    addEventListener("hashchange", () => {
      controller.abort();
      start();
    }, { once: true });
  };
  start();
}

/** Return the settings that an address names: a scene, and changes of it; what is no choice is left out. */
function readAddress(text) {
  const named = new URLSearchParams(text), scene = Object.hasOwn(SCENES, named.get("scene")) ? named.get("scene") : "vae";
  const settings = { ...DEFAULTS, ...SCENES[scene][2] };
  for (const [name, text] of named) {
    const number = parseFloat(text);
    if (name in CHOICES) settings[name] = CHOICES[name].find((choice) => String(choice) === text) ?? settings[name];
    else if (["noise", "kl"].includes(name)) settings[name] = text !== "false";
    else if (name === "beta" && number >= 0) settings.beta = Math.min(number, 32);
    else if (name === "seed" && number >= 0) settings.seed = Math.min(Math.round(number), 9999);
  }
  return { scene, settings };
}

/** Build the whole playground; it stops when `signal` aborts. */
function createPlayground(text, saveAddress, signal) {
  const run = { ...readAddress(text), playing: false, state: null, history: [], pale: [], checkpoints: [], z: [0, 0], near: -1, chosen: -1, magnified: null, error: "" };
  const listeners = [];
  run.subscribe = (listener) => listeners.push(listener);
  run.draw = scheduler(() => listeners.forEach((listener) => listener(run)), signal);
  run.save = () => {
    const base = { ...DEFAULTS, ...SCENES[run.scene][2] };
    const changed = Object.entries(run.settings).filter(([name, value]) => value !== base[name]);
    saveAddress(String(new URLSearchParams([["scene", run.scene], ...changed])));
  };
  const whole = dom.element("section", { className: "play", ariaLabel: "A VAE that learns in this page" });
  const alert = dom.element("p", { role: "alert" });
  run.subscribe(() => { if (alert.textContent !== run.error) alert.textContent = run.error; });
  connect(run, signal);
  const views = dom.element("div", { className: "views" }, createPlane(run), createManifold(run), createSide(run), ...createCharts(run));
  const parts = [createBar(run), createSentence(run), createSidebar(run), createTabs(views), views, alert, createLive(run, signal)];
  whole.append(dom.element("div", { className: "stage" }, ...parts));
  whole.addEventListener("keydown", (event) => { // plain keys would trigger JupyterLab's commands
    if (!(event.ctrlKey || event.metaKey || event.altKey)) event.stopPropagation();
  });
  whole.addEventListener("dragover", (event) => event.preventDefault());
  whole.addEventListener("drop", (event) => {
    event.preventDefault();
    run.open(event.dataTransfer.files);
  });
  run.restart();
  return whole;
}

/** Return a function that draws in the next frame, once however often it is called. */
function scheduler(draw, signal) {
  let frame = 0;
  signal.addEventListener("abort", () => cancelAnimationFrame(frame));
  return () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      draw();
    });
  };
}

// The run: settings, the worker that trains, and what it reports.

/** Add to `run` the methods that control it; each run from the start has a worker of its own. */
function connect(run, signal) {
  const url = URL.createObjectURL(new Blob([TRAINER], { type: "text/javascript" }));
  let worker = null, asking = false, looking = false, looked = 0;
  const send = (message) => worker?.postMessage(message);
  const answers = {
    state(state) {
      if (!run.settings.noise) Object.assign(state, { elbo: NaN, training: NaN, kl: state.kl.fill(NaN) }); // no bound without q(z|x)
      const { images, elbo, reconstruction, kl, training } = state;
      run.state = state;
      if (images !== run.history.at(-1)?.images) run.history.push({ images, elbo, reconstruction, kl, training });
      run.ask();
      if (run.chosen >= 0 && performance.now() > looked + LOOK) look();
    },
    checkpoint: (number, { images }) => { run.checkpoints = [...run.checkpoints, { number, images }].slice(-KEPT); },
    magnified(magnified) {
      looking = false;
      run.magnified = run.chosen < 0 ? null : magnified;
    },
    decoded(pixels) {
      asking = false;
      run.decoded = pixels;
      if (run.asked !== run.z) run.ask();
    },
    error: (message) => Object.assign(run, { playing: false, error: `The training has stopped (${message}). Restart begins anew.` }),
  };
  const begin = () => {
    send({ settings: run.settings }); // first, so that the data start one run only
    send({ data: run.data });
    run.control(run.playing ? "play" : "pause");
  };
  const drawImages = dom.inBackground(function* () {
    run.data = yield* drawHands(run.settings);
    begin();
  }, 0);
  const load = async () => {
    const mine = worker, { data, n } = run.settings;
    if (data === "own") return begin(run.data = run.own);
    if (data === "hands") return drawImages();
    const digits = await unpackDigits(n);
    if (mine === worker) begin(run.data = digits);
  };
  run.restart = () => {
    worker?.terminate();
    asking = looking = false;
    if (run.history.length > 1) run.pale = run.history;
    Object.assign(run, { state: null, history: [], checkpoints: [], near: -1, decoded: null, magnified: null, error: "" });
    worker = new Worker(url);
    worker.onmessage = ({ data }) => {
      for (const [name, answer] of Object.entries(answers)) if (name in data) answer(data[name], data);
      run.draw();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      answers.error(event.message || "the worker was lost");
      run.draw();
    };
    load();
  };
  run.control = (command) => {
    run.playing = command === "play";
    send({ run: command, speed: SPEEDS[run.settings.speed] });
    run.draw();
  };
  run.change = (name, value) => {
    run.settings[name] = value;
    run.save();
    if (ANEW.includes(name)) run.restart();
    else if (name === "speed") run.control(run.playing ? "play" : "pause");
    else send({ settings: run.settings });
    run.draw();
  };
  run.choose = (scene) => {
    Object.assign(run, { scene, settings: { ...DEFAULTS, ...SCENES[scene][2] }, playing: true, pale: [], history: [] });
    run.save();
    run.restart();
  };
  run.open = async (files) => {
    try {
      run.own = await readOwn(files);
      run.change("data", "own");
    } catch ({ message }) {
      run.error = `Your images: ${message}.`;
      run.draw();
    }
  };
  run.back = () => {
    const to = run.checkpoints.findLast(({ images }) => images < run.state.images);
    run.checkpoints = run.checkpoints.filter(({ images }) => images <= to.images);
    run.pale = run.history;
    run.history = run.history.filter(({ images }) => images <= to.images);
    send({ back: to.number });
    run.draw();
  };
  run.ask = () => {
    if (asking || !run.state) return;
    asking = true;
    run.asked = run.z;
    const z = new Float32Array(run.settings.latents);
    run.state.axes.forEach((latent, k) => { z[latent] = run.z[k]; });
    send({ decode: z, id: 0 });
  };
  const look = () => { // not often, since it takes as long as a few hundred steps
    if (looking || !run.state || run.settings.latents > 2 || !run.settings.noise) return;
    [looking, looked] = [true, performance.now()];
    send({ magnify: run.chosen, id: 0 });
  };
  run.magnify = (chosen) => {
    Object.assign(run, { chosen, magnified: null });
    if (chosen >= 0) look();
    run.draw();
  };
  run.point = (z, near = -1) => {
    Object.assign(run, { z, near });
    run.ask();
    run.draw();
  };
  signal.addEventListener("abort", () => {
    worker?.terminate();
    URL.revokeObjectURL(url);
  });
}

/** Draw a hand with some factors given as shares of their ranges; the others are neutral. */
function drawHand(shares) {
  const value = ([name, [low, high, neutral]]) => name in shares ? low + shares[name] * (high - low) : neutral;
  return hands.render(Object.entries(hands.FACTORS).map(value), SIZE.hands);
}

/** Draw hands, the last HELD_OUT of which are held out, with the factors of these as shares of their ranges. */
function* drawHands({ first, second, n }) {
  const size = SIZE.hands, images = new Float32Array((n + HELD_OUT) * size ** 2), labels = [[], []];
  for (let i = 0; i < n + HELD_OUT; i++) {
    const shares = [0.7548776662, 0.5698402910].map((step) => (0.5 + i * step) % 1); // fills the square evenly (Roberts 2018)
    images.set(drawHand({ [second]: shares[1], [first]: shares[0] }), i * size ** 2);
    if (i >= n) shares.forEach((share, k) => labels[k].push(share));
    yield;
  }
  return { images, size, n, held: HELD_OUT, labels, names: [first, second] };
}

/** Unpack scikit-learn's digits: for each 64 pixels from 0 to 16, and its class. */
async function unpackDigits(n) {
  const packed = Uint8Array.from(atob(DIGITS), (letter) => letter.charCodeAt(0));
  const inflated = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(inflated).arrayBuffer()), all = bytes.length / 65;
  const rows = [...Array(Math.min(n, all - HELD_OUT)).keys(), ...Array.from({ length: HELD_OUT }, (_, i) => all - HELD_OUT + i)];
  const images = Float32Array.from({ length: 64 * rows.length }, (_, i) => bytes[65 * rows[i >> 6] + (i & 63)] / 16);
  const classes = rows.slice(-HELD_OUT).map((row) => bytes[65 * row + 64]);
  return { images, size: SIZE.digits, n: rows.length - HELD_OUT, held: HELD_OUT, classes, note: "each number is the class of an image" };
}

/** Read the middle of each file as a grey square image; every tenth is held out. Throws an Error for other files. */
async function readOwn(files) {
  const size = SIZE.own, isHeld = (_, i) => i % 10 === 5, all = Array.from(files), held = all.filter(isHeld).length, n = all.length - held;
  const sorted = [...all.filter((file, i) => !isHeld(file, i)), ...all.filter(isHeld)];
  if (all.length < LEAST) throw new Error(`need at least ${LEAST} images, got ${all.length}`);
  const context = new OffscreenCanvas(size, size).getContext("2d", { willReadFrequently: true }), images = new Float32Array(all.length * size ** 2);
  for (const [i, file] of sorted.entries()) {
    const bitmap = await createImageBitmap(file).catch(() => { throw new Error(`${file.name} cannot be read as an image`); });
    const side = Math.min(bitmap.width, bitmap.height);
    context.fillStyle = "white"; // behind what is transparent
    context.fillRect(0, 0, size, size);
    context.drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, size, size);
    const { data } = context.getImageData(0, 0, size, size);
    for (let p = 0; p < size ** 2; p++) { // as in Pillow (ITU-R 601)
      images[i * size ** 2 + p] = (0.299 * data[4 * p] + 0.587 * data[4 * p + 1] + 0.114 * data[4 * p + 2]) / 255;
    }
  }
  const order = Array.from({ length: held }, (_, i) => i / Math.max(1, held - 1));
  return { images, size, n, held, labels: [order, order], note: "the colours follow the order of the files" };
}

// Canvases.

/** A canvas as wide as its box at the screen's resolution; `start` clears it and returns what drawing needs. */
function createCanvas(run, properties, signal) {
  const canvas = dom.element("canvas", { role: "img", ...properties }), context = canvas.getContext("2d");
  new ResizeObserver(() => {
    canvas.stale = true;
    run.draw();
  }).observe(canvas);
  const start = () => {
    const { clientWidth: width, clientHeight: height } = canvas, ratio = devicePixelRatio;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    const style = getComputedStyle(canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    Object.assign(context, { font: `12px ${style.fontFamily}`, fillStyle: style.color, strokeStyle: style.color, globalAlpha: 1 });
    canvas.stale = false;
    return { context, width, height, ink: style.color, paper: style.getPropertyValue("--paper") };
  };
  return { canvas, start };
}

/** A canvas of `columns` × `rows` grey images, in which `paint` paints as many as there are. */
function createScreen(columns, rows, properties) {
  const canvas = dom.element("canvas", { role: "img", ...properties }), context = canvas.getContext("2d");
  let sheet = null, words = null;
  const paint = (pixels, size) => {
    const width = columns * size;
    if (sheet?.width !== width) {
      Object.assign(canvas, { width, height: rows * size });
      sheet = context.createImageData(width, rows * size);
      words = new Uint32Array(sheet.data.buffer); // one for the four bytes of a pixel
    }
    for (let image = 0, p = 0; image < columns * rows; image++) {
      const corner = Math.floor(image / columns) * size * width + image % columns * size;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++, p++) words[corner + y * width + x] = 0xff000000 | Math.round(255 * pixels[p]) * 0x010101;
      }
    }
    context.putImageData(sheet, 0, 0);
  };
  return { canvas, paint };
}

// The views. Each draws only what has changed.

const sd = (logvar) => Math.exp(logvar / 2);
const format = (value, digits = 1) => Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : "none";
const thousands = (value) => value.toLocaleString("en");

function createFigure(name, title, ...children) {
  return dom.element("figure", { className: name }, dom.element("figcaption", {}, ...[title].flat()), ...children);
}

/** The latent plane: an ellipse for each held-out image, one standard deviation of q(z|x), and the prior's circles. */
function createPlane(run) {
  const { canvas, start } = createCanvas(run, { tabIndex: 0, ariaLabel: "Latent plane; arrow keys move the point that is decoded, Enter magnifies the nearest image" });
  canvas.setAttribute("role", "application");
  const legend = createLegend(run), still = matchMedia("(prefers-reduced-motion: reduce)");
  let shown = null, half = 3.4;
  const toLatent = ({ offsetX, offsetY }) => [offsetX, offsetY].map((at, k) => (2 * at / canvas.clientWidth - 1) * half * (k ? -1 : 1));
  const nearest = (z, reach) => {
    const distances = shown?.map(([x, y]) => Math.hypot(x - z[0], y - z[1])) ?? [], least = Math.min(...distances);
    return least < reach ? distances.indexOf(least) : -1;
  };
  canvas.addEventListener("pointermove", (event) => {
    const z = toLatent(event);
    run.point(z, nearest(z, 0.045 * half));
  });
  canvas.addEventListener("keydown", ({ key }) => {
    if (key === "Enter") run.magnify(nearest(run.z, Infinity));
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key] ?? [0, 0];
    if (dx || dy) run.point([run.z[0] + ARROW * dx, run.z[1] + ARROW * dy]);
  });
  canvas.addEventListener("click", () => { if (run.near >= 0) run.magnify(run.near); });
  const move = ({ mu, logvar }) => { // part of the way, so that twelve states a second look like a film
    const target = places(run, mu, logvar), share = still.matches || shown?.length !== target.length ? 1 : 0.3;
    if (share === 1) shown = target;
    let largest = 0;
    const step = (from, to) => {
      largest = Math.max(largest, Math.abs(to - from));
      return from + share * (to - from);
    };
    shown = shown.map((place, i) => place.map((value, k) => step(value, target[i][k])));
    const far = shown.flatMap(([x, y]) => [Math.abs(x), Math.abs(y)]).sort((a, b) => a - b);
    half = step(half, Math.max(3.4, 1.15 * far[Math.floor(0.99 * far.length)]));
    if (largest > 0.004) run.draw();
  };
  run.subscribe(() => {
    if (!run.state) shown = null;
    else move(run.state);
    const { context, width, ink } = start(), scale = width / (2 * half);
    const x = (value) => width / 2 + value * scale, y = (value) => width / 2 - value * scale;
    const frame = { x, y, scale, text: ink };
    drawPrior(context, x, y, scale, run.settings.latents);
    shown?.forEach((place, i) => drawPosterior(context, run, i, place, frame));
    for (const i of [run.chosen, run.near]) if (shown?.[i]) drawPosterior(context, run, i, shown[i], { ...frame, ink });
    Object.assign(context, { globalAlpha: 1, strokeStyle: ink, fillStyle: ink, lineWidth: 1.5 });
    const [left, top] = [x(run.z[0]), y(run.z[1])];
    context.stroke(new Path2D(`M${left - 7} ${top}h14M${left} ${top - 7}v14`));
    context.globalAlpha = 0.7;
    const names = run.state?.axes.map(latentName) ?? [];
    context.fillText(names[0] ?? "", width - 20, width - 8);
    context.fillText(names[1] ?? "", 8, 16);
  });
  return createFigure("plane", "Latent plane: q(z|x) of held-out images", canvas, legend);
}

/** Return [x, y, standard deviations] of each held-out image; the second factor takes the place of a second latent. */
function places({ state: { axes: [i, j] }, settings: { latents }, data: { labels, classes } }, mu, logvar) {
  return Array.from({ length: mu.length / latents }, (_, n) => {
    const at = n * latents, other = labels ? 5 * labels[1][n] - 2.5 : classes[n] / 2 - 2.25;
    return [mu[at + i], j === undefined ? other : mu[at + j], sd(logvar[at + i]), j === undefined ? 0.06 : sd(logvar[at + j])];
  });
}

function drawPrior(context, x, y, scale, latents) {
  context.lineWidth = 1;
  for (const radius of [3, 2, 1]) {
    context.globalAlpha = 0.035;
    context.beginPath();
    if (latents > 1) context.arc(x(0), y(0), radius * scale, 0, 2 * Math.PI);
    else context.rect(x(-radius), 0, 2 * radius * scale, 2 * y(0));
    context.fill();
    context.globalAlpha = 0.3;
    context.stroke();
  }
}

function drawPosterior(context, { data, settings: { noise }, colour }, i, [mx, my, sx, sy], { x, y, scale, text, ink }) {
  const fill = colour(i);
  context.beginPath();
  if (noise) context.ellipse(x(mx), y(my), Math.max(1.5, sx * scale), Math.max(1.5, sy * scale), 0, 0, 2 * Math.PI);
  else context.arc(x(mx), y(my), 3.5, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: fill, strokeStyle: ink ?? fill, lineWidth: ink ? 2.5 : 1.2, globalAlpha: noise ? 0.13 : 0.8 });
  context.fill();
  context.globalAlpha = ink ? 1 : 0.75;
  context.stroke();
  if (!data.classes) return;
  Object.assign(context, { fillStyle: text, globalAlpha: 0.8 });
  context.fillText(data.classes[i], x(mx) - 3, y(my) + 4);
}

/** What the colours mean: the values of a factor, from one hand to another, or the classes. Sets `run.colour`. */
function createLegend(run) {
  const legend = dom.element("div", { className: "legend" }), by = dom.element("select", { ariaLabel: "factor that the colours show" });
  const ends = [0, 1].map(() => createScreen(1, 1, { ariaHidden: true }));
  let factor = 0, known = null;
  const show = () => {
    factor = Math.max(0, by.selectedIndex);
    ends.forEach(({ paint }, end) => paint(drawHand({ [known.names[factor]]: end }), SIZE.hands));
    run.draw();
  };
  by.addEventListener("change", show);
  run.colour = (i) => run.data.classes ? CLASSES[run.data.classes[i]] : blend(run.data.labels[factor][i]);
  run.subscribe(() => {
    if (known === run.data || !run.data) return;
    known = run.data;
    if (known.note) return legend.replaceChildren(known.note);
    by.replaceChildren(...known.names.map((name) => dom.element("option", { textContent: name })));
    by.selectedIndex = factor;
    legend.replaceChildren(ends[0].canvas, dom.element("span", { className: "ramp" }), ends[1].canvas, "colour:", by);
    show();
  });
  return legend;
}

/** Return a colour between blue and orange, by way of violet. */
function blend(share) {
  const stops = [[63, 144, 218], [131, 45, 182], [255, 169, 14]], at = 2 * share, k = Math.min(1, Math.floor(at));
  return `rgb(${stops[k].map((value, c) => Math.round(value + (at - k) * (stops[k + 1][c] - value)))})`;
}

/** The manifold: images decoded at quantiles of the prior. */
function createManifold(run) {
  const { canvas, paint } = createScreen(GRID, GRID, { ariaLabel: "Images decoded on a grid of the latent plane" });
  const ring = dom.element("div", { className: "ring" });
  let painted = null;
  canvas.addEventListener("pointermove", ({ offsetX, offsetY }) => {
    const [column, row] = [offsetX / canvas.clientWidth, offsetY / canvas.clientHeight].map((share) => Math.min(GRID - 1, Math.floor(GRID * share)));
    run.point([gridValue(column), -gridValue(row)]);
  });
  run.subscribe(() => {
    const [column, row] = [run.z[0], -run.z[1]].map((value) => Math.round((value / RANGE + 1) / 2 * (GRID - 1)));
    ring.hidden = Math.min(column, row) < 0 || Math.max(column, row) >= GRID;
    ring.style.left = `${100 * column / GRID}%`;
    ring.style.top = `${100 * row / GRID}%`;
    if (painted === run.state || !run.state) return;
    painted = run.state;
    paint(painted.manifold, run.data.size);
  });
  const grid = dom.element("div", { className: "grid" }, canvas, ring), glass = createMagnifier(run);
  const views = [["Decoded manifold", grid], ["Magnifying glass", glass]].map(([text, view], k) => {
    const show = dom.button(text, () => run.magnify(k ? Math.max(0, run.chosen) : -1));
    run.subscribe(() => {
      view.hidden = (run.chosen >= 0) !== Boolean(k);
      show.ariaPressed = String(!view.hidden);
    });
    return show;
  });
  return createFigure("manifold", views, grid, glass);
}

/** For one image: q(z|x) beside the true posterior, the share of each pixel, and the terms of log p(x), which light up. */
function createMagnifier(run) {
  const plot = createCanvas(run, { ariaLabel: "True posterior of the image, and q(z|x) as ellipses" });
  const [image, share] = ["The image x", "Each pixel's share of the reconstruction term: the brighter, the more nats are lost"].map((ariaLabel) => createScreen(1, 1, { ariaLabel }));
  const note = dom.element("p"), terms = TERMS.map(([sign, name, about]) => {
    const value = dom.element("b"), term = dom.button("", () => {}, { className: name });
    const light = (lit) => () => {
      glass.dataset.lit = lit;
      note.textContent = lit ? about : "Point at a term. Click an ellipse to choose its image.";
    };
    for (const event of ["pointerenter", "focus"]) term.addEventListener(event, light(name));
    for (const event of ["pointerleave", "blur"]) term.addEventListener(event, light(""));
    term.append(value, dom.element("small", { textContent: name }));
    return { value, elements: [sign, term] };
  });
  const formula = dom.element("p", { className: "formula" }, ...terms.flatMap(({ elements }) => elements).slice(1));
  const glass = dom.element("div", { className: "glass", hidden: true }, plot.canvas, dom.element("div", {}, image.canvas, share.canvas), formula, note);
  let drawn = null;
  terms[0].elements[1].dispatchEvent(new Event("blur"));
  run.subscribe(() => {
    const { magnified, data } = run;
    formula.hidden = !magnified;
    if (glass.hidden || !magnified || (drawn === magnified && !plot.canvas.stale)) return;
    drawn = magnified;
    const { evidence, reconstruction, elbo, gap, pixels } = magnified, values = [evidence, reconstruction, reconstruction - elbo, gap];
    terms.forEach(({ value }, i) => { value.textContent = format(values[i], 2); });
    const most = Math.max(0.7, -pixels.reduce((a, b) => Math.min(a, b)));
    image.paint(data.images.subarray((data.n + run.chosen) * data.size ** 2), data.size);
    share.paint(pixels.map((nats) => -nats / most), data.size);
    drawPosteriors(plot.start(), magnified);
  });
  return glass;
}

/** Draw the true posterior as a cloud and q(z|x) as ellipses of 1 and 2 standard deviations; for one latent, as curves. */
function drawPosteriors({ context, width, height, ink }, { mu, logvar, low, high, q, truth }) {
  const x = (value) => (value - low[0]) / (high[0] - low[0]) * width, peak = truth.reduce((a, b) => Math.max(a, b));
  Object.assign(context, { strokeStyle: ORANGE, lineWidth: 2 });
  if (mu.length === 1) {
    const top = q.reduce((a, b) => Math.max(a, b), peak), path = (values) => {
      context.beginPath();
      context.moveTo(0, height);
      values.forEach((value, i) => context.lineTo(i / (values.length - 1) * width, height * (1 - 0.9 * value / top)));
    };
    path(truth);
    Object.assign(context, { fillStyle: BLUE, globalAlpha: 0.5 });
    context.fill();
    path(q);
    context.globalAlpha = 1;
    context.stroke();
  } else {
    const side = Math.sqrt(truth.length), y = (value) => (high[1] - value) / (high[1] - low[1]) * height;
    const cloud = new OffscreenCanvas(side, side), image = new ImageData(side, side);
    truth.forEach((density, i) => image.data.set([63, 144, 218, 255 * Math.sqrt(density / peak)], 4 * (i % side + side * (side - 1 - Math.floor(i / side)))));
    cloud.getContext("2d").putImageData(image, 0, 0);
    context.drawImage(cloud, 0, 0, width, height);
    for (const k of [1, 2]) {
      context.beginPath();
      const [a, b] = [k * sd(logvar[0]) * width / (high[0] - low[0]), k * sd(logvar[1]) * height / (high[1] - low[1])];
      context.ellipse(x(mu[0]), y(mu[1]), a, b, 0, 0, 2 * Math.PI);
      context.stroke();
    }
  }
  Object.assign(context, { fillStyle: ink, globalAlpha: 0.7 });
  context.fillText(`z₁ from ${format(low[0])} to ${format(high[0])}`, 8, height - 8);
  if (mu.length > 1) context.fillText(`z₂ from ${format(low[1])} to ${format(high[1])}`, 8, 16);
}

/** The images in words and numbers: pairs, the ELBO and its terms, the KL of each latent, and what is pointed at. */
function createSide(run) {
  const [above, below] = ["Five held-out images", "Their reconstructions"].map((ariaLabel) => createScreen(PAIRS, 1, { ariaLabel }));
  const [decoded, near] = ["Image decoded at the point", "Held-out image at the point"].map((ariaLabel) => createScreen(1, 1, { ariaLabel }));
  const terms = [["ELBO", "elbo"], ["reconstruction", "reconstruction"], ["KL, nats", "rate"]].map(([text, className]) => {
    const value = dom.element("b", { textContent: "…" });
    return { value, cell: dom.element("span", { className }, value, dom.element("small", { textContent: text })) };
  });
  const bars = dom.element("div", { className: "bars", ariaHidden: true }), place = dom.element("figcaption");
  let painted = null, answered = null;
  run.subscribe(() => {
    const { state, data } = run;
    if (state && state !== painted) {
      const { elbo, reconstruction, kl } = state;
      above.paint(data.images.subarray(data.n * data.size ** 2), data.size);
      below.paint(state.reconstructions, data.size);
      [elbo, reconstruction, reconstruction - elbo].forEach((value, i) => { terms[i].value.textContent = format(value); });
      drawBars(bars, kl);
      painted = state;
    }
    place.textContent = `decoded at z = (${run.z.map((value) => format(value)).join(", ")})${run.near >= 0 ? ", and the image x nearby" : ""}`;
    if (run.decoded && run.decoded !== answered) decoded.paint(answered = run.decoded, data.size);
    near.canvas.hidden = run.near < 0 || !data;
    if (!near.canvas.hidden) near.paint(data.images.subarray((data.n + run.near) * data.size ** 2), data.size);
  });
  const equation = dom.element("p", { className: "equation" }, terms[0].cell, "=", terms[1].cell, "−", terms[2].cell);
  const pairs = createFigure("pairs", "Images x and their reconstructions", above.canvas, below.canvas);
  return dom.element("div", { className: "side" }, pairs, equation, bars,
    dom.element("figure", { className: "point" }, place, decoded.canvas, near.canvas));
}

/** A bar for the KL of each latent; an active one, from 0.1 nats on, is filled. */
function drawBars(bars, kl) {
  if (bars.childElementCount !== kl.length) bars.replaceChildren(...Array.from(kl, () => dom.element("span", {}, dom.element("i"), dom.element("small"))));
  kl.forEach((nats, i) => {
    const [bar, text] = bars.children[i].children;
    bar.style.height = `${Math.min(1, (nats || 0) / 4) * 100}%`;
    bar.style.background = latentColour(i);
    text.textContent = `${latentName(i)} ${format(nats, kl.length > 2 ? 1 : 2)}`;
  });
}

const latentName = (i) => `z${"₁₂₃₄₅₆₇₈"[i]}`;
const latentColour = (i) => [ORANGE, VIOLET, RED, BLUE, GREY, "#a96b59", "#e76300", "#717581"][i];

/** The curves of the run, and the run as a walk in the rate–distortion plane; the run before it is paler. */
function createCharts(run) {
  const rate = ({ kl }) => kl.reduce((sum, nats) => sum + nats, 0);
  const place = (points, x, y) => points.map((point) => [x(point), y(point)]).filter(([x, y]) => Number.isFinite(x + y));
  const curve = (points, y, style) => ({ points: place(points, ({ images }) => images, y), ...style });
  const bound = createChart(run, "bound", ["ELBO and ", dom.element("span", { className: "blue", textContent: "reconstruction term" }), ", nats"], ({ history, pale }, ink) => [
    curve(pale, ({ elbo }) => elbo, { colour: ink, alpha: 0.3, width: 2 }),
    curve(history, ({ training }) => training ?? NaN, { colour: ink, alpha: 0.6, dash: [3, 3], label: "training" }),
    curve(history, ({ reconstruction }) => reconstruction, { colour: BLUE, label: "reconstruction" }),
    curve(history, ({ elbo }) => elbo, { colour: ink, width: 2.5, label: "ELBO" }),
  ], { focus: true });
  const kl = createChart(run, "kl", "KL of each latent, nats", ({ history, pale }) => [pale, history].flatMap((points) =>
    Array.from(points.at(-1)?.kl ?? [], (_, i) => curve(points, (point) => point.kl[i], {
      colour: latentColour(i), width: 2.5, ...(points === pale ? { alpha: 0.3 } : { label: latentName(i) }),
    }))), { zero: true });
  const walk = createChart(run, "walk", "Distortion (− reconstruction) over rate (KL)", ({ history, pale }, ink) =>
    [pale, history].map((points) => ({
      points: place(points, rate, ({ reconstruction }) => -reconstruction), colour: ink, width: 1.5,
      alpha: points === pale ? 0.3 : 0.8, dot: points === history,
    })), { focus: true, zero: true, walk: true });
  return [bound, kl, walk];
}

/** A chart of curves that `list` returns. `focus` leaves out the extreme start; `zero` includes 0. */
function createChart(run, name, title, list, options) {
  const { canvas, start } = createCanvas(run, { ariaLabel: [title].flat().map((part) => part.textContent ?? part).join("") });
  let drawn = null;
  run.subscribe(() => {
    if (drawn === run.state && !canvas.stale) return;
    drawn = run.state;
    const frame = start(), curves = list(run, frame.ink).filter(({ points }) => points.length);
    drawChart(frame, curves, options);
  });
  return createFigure(name, title, canvas);
}

function drawChart({ context, width, height, ink }, curves, { focus, zero, walk }) {
  const left = 36, right = walk ? 8 : focus ? 92 : 24, bottom = 16, top = 6;
  const ys = curves.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite).sort((a, b) => a - b);
  const xs = curves.flatMap(({ points }) => points.map(([x]) => x)), most = Math.max(walk ? 1 : 6400, ...xs);
  if (!ys.length) return;
  const quantile = (share) => ys[Math.floor(share * (ys.length - 1))];
  let [low, high] = [walk || zero ? quantile(0) : quantile(focus ? 0.15 : 0), walk ? quantile(0.9) : quantile(1)];
  if (zero && !walk) low = 0;
  const margin = Math.max(0.06 * (high - low), zero && !walk ? 0.05 : 0.5);
  [low, high] = [zero && !walk ? 0 : low - margin, high + margin];
  const x = (value) => left + value / most * (width - left - right);
  const y = (value) => top + (high - value) / (high - low) * (height - top - bottom);
  Object.assign(context, { textAlign: "right", textBaseline: "middle", lineWidth: 1 });
  const marks = ticks(low, high), digits = marks.every(Number.isInteger) ? 0 : 1;
  for (const tick of marks) {
    context.globalAlpha = 0.12;
    context.stroke(new Path2D(`M${left} ${y(tick)}H${width - right}`));
    context.globalAlpha = 0.7;
    context.fillText(format(tick, digits), left - 5, y(tick));
  }
  context.textBaseline = "alphabetic";
  context.fillText(walk ? `${format(most)} nats` : `${thousands(Math.round(most))} images`, width - right, height - 2);
  context.textAlign = "left";
  context.fillText("0", left, height - 2);
  context.save();
  context.beginPath();
  context.rect(left, 0, width - left, height - bottom);
  context.clip();
  for (const { points, colour, alpha = 1, width: lineWidth = 1.5, dash = [], dot } of curves) {
    Object.assign(context, { strokeStyle: colour, globalAlpha: alpha, lineWidth, lineJoin: "round" });
    context.setLineDash(dash);
    context.beginPath();
    points.forEach(([px, py]) => context.lineTo(x(px), y(py)));
    context.stroke();
    if (!dot) continue;
    const [px, py] = points.at(-1).map((value, k) => (k ? y : x)(value));
    Object.assign(context, { fillStyle: RED, globalAlpha: 1 });
    context.setLineDash([2, 4]);
    context.globalAlpha = 0.5;
    const slope = (y(1) - y(0)) / (x(1) - x(0)); // where rate + distortion, the negative ELBO, stays the same
    context.stroke(new Path2D(`M${px - 400} ${py + 400 * slope}L${px + 400} ${py - 400 * slope}`));
    context.globalAlpha = 1;
    context.beginPath();
    context.arc(px, py, 5, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
  labelEnds(context, ink, curves.filter(({ label }) => label), x, y, height - bottom);
}

/** Write each curve's name at its end, apart from each other. */
function labelEnds(context, ink, curves, x, y, bottom) {
  const ends = curves.map(({ points, label, colour, alpha = 1 }) => ({ label, colour, alpha, x: x(points.at(-1)[0]), y: y(points.at(-1)[1]) }));
  ends.sort((a, b) => a.y - b.y);
  context.textBaseline = "middle";
  let free = 6;
  ends.forEach((end, i) => {
    const at = Math.min(Math.max(end.y, free), bottom - 6 - 13 * (ends.length - 1 - i));
    Object.assign(context, { fillStyle: `color-mix(in srgb, ${end.colour} 70%, ${ink})`, globalAlpha: end.alpha });
    context.fillText(end.label, end.x + 5, at);
    free = at + 13;
  });
}

/** Return four or so round numbers between two. */
function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}

// The controls.

function createBar(run) {
  const play = dom.button("▶", () => run.control(run.playing ? "pause" : "play"), { className: "go" });
  const step = dom.button("step", () => run.control("step"), { title: "one step of Adam on 64 images" });
  const again = dom.button("restart", run.restart, { title: "from the same start" });
  const back = dom.button("step back", run.back, { title: "to the last checkpoint; what follows is drawn beside the present run" });
  const count = dom.element("output", { className: "count" });
  run.subscribe(() => {
    Object.assign(play, { textContent: run.playing ? "❚❚" : "▶", ariaLabel: run.playing ? "pause" : "play" });
    back.disabled = !run.checkpoints.some(({ images }) => images < run.state?.images);
    count.textContent = run.state ? `${thousands(run.state.images)} images` : "drawing images …";
  });
  return dom.element("div", { className: "bar", role: "group", ariaLabel: "Training" }, play, step, back, again, count,
    createBeta(run), createSwitch(run, "noise", "noise: sample z"), createSwitch(run, "kl", "KL term"),
    createSelect(run, "rate", "learning rate"),
    createSelect(run, "warmup", "warm-up", (value) => value ? `${value / 1000}k images` : "none"),
    createSelect(run, "speed", "speed"));
}

/** β from 0 to 32: the slider's positions after 0 are quarters of an octave around 1. */
function createBeta(run) {
  const toBeta = (position) => position ? 2 ** ((position - 20) / 4) : 0;
  const range = dom.element("input", { type: "range", min: 0, max: 40, step: 1 }), value = dom.element("b");
  range.addEventListener("input", () => run.change("beta", Number(toBeta(range.valueAsNumber).toPrecision(2))));
  run.subscribe(() => {
    const { beta } = run.settings;
    if (document.activeElement !== range || Math.abs(toBeta(range.valueAsNumber) - beta) > 0.05 * beta) range.value = beta ? 20 + 4 * Math.log2(beta) : 0;
    range.ariaValueText = value.textContent = String(beta);
  });
  return dom.element("label", { className: "beta" }, dom.element("span", {}, "β = ", value), range);
}

function createSwitch(run, name, text) {
  const input = dom.element("input", { type: "checkbox", role: "switch" });
  input.addEventListener("change", () => run.change(name, input.checked));
  run.subscribe(() => { input.checked = run.settings[name]; });
  return dom.element("label", { className: "switch" }, input, dom.element("span", { textContent: text }));
}

function createSelect(run, name, text, show = String) {
  const values = CHOICES[name], options = values.map((value) => dom.element("option", { value, textContent: show(value) }));
  const select = dom.element("select", {}, ...options);
  select.addEventListener("change", () => run.change(name, values[select.selectedIndex]));
  run.subscribe(() => { if (select.value !== String(run.settings[name])) select.value = run.settings[name]; });
  return dom.labelled(text, select);
}

function createSidebar(run) {
  const scenes = Object.entries(SCENES).map(([name, [title]]) => {
    const choose = dom.button(title, () => run.choose(name));
    run.subscribe(() => { choose.ariaPressed = String(run.scene === name); });
    return choose;
  });
  const factors = ["first", "second"].map((name) => createSelect(run, name, `${name} factor`));
  run.subscribe(() => factors.forEach((label) => { label.hidden = run.settings.data !== "hands"; }));
  const files = dom.element("input", { type: "file", accept: "image/*", multiple: true, title: `at least ${LEAST}; or drop them on this page` });
  files.addEventListener("click", () => { files.value = ""; }); // so that choosing the same files again is a change
  files.addEventListener("change", () => run.open(files.files));
  const seed = dom.element("input", { type: "number", min: 0, max: 9999, step: 1 });
  seed.addEventListener("change", () => run.change("seed", Math.max(0, Math.round(seed.valueAsNumber || 0))));
  run.subscribe(() => { if (document.activeElement !== seed) seed.value = run.settings.seed; });
  return dom.element("div", { className: "sidebar" },
    dom.element("div", { className: "scenes", role: "group", ariaLabel: "Scenes" }, dom.element("h3", { textContent: "Scenes" }), ...scenes),
    dom.element("div", { className: "anew", role: "group", ariaLabel: "A new run" }, dom.element("h3", { textContent: "A new run with" }),
      createSelect(run, "data", "images"), dom.labelled("own images", files), ...factors,
      createSelect(run, "n", "training set"),
      createSelect(run, "latents", "latents"), dom.labelled("seed", seed)));
}

function createSentence(run) {
  const sentence = dom.element("p", { className: "sentence" });
  run.subscribe(() => { if (sentence.textContent !== SCENES[run.scene][1]) sentence.textContent = SCENES[run.scene][1]; });
  return sentence;
}

/** On a phone one view is visible at a time. */
function createTabs(views) {
  const names = { plane: "Plane", manifold: "Manifold", side: "Images", charts: "Curves" };
  const buttons = Object.entries(names).map(([name, text]) => dom.button(text, () => show(name)));
  const show = (shown) => {
    views.dataset.shown = shown;
    buttons.forEach((each, i) => { each.ariaPressed = String(Object.keys(names)[i] === shown); });
  };
  show("plane");
  return dom.element("div", { className: "tabs", role: "group", ariaLabel: "Views" }, ...buttons);
}

/** The state in words for screen readers, every few seconds while training. */
function createLive(run, signal) {
  const live = dom.element("p", { className: "visually-hidden", ariaLive: "polite" });
  const timer = setInterval(() => {
    if (!run.state) return;
    const { images, elbo, reconstruction, kl } = run.state, active = kl.filter((nats) => nats >= 0.1).length;
    const terms = Number.isNaN(elbo) ? " nats" : `, KL ${format(reconstruction - elbo)}, ELBO ${format(elbo)} nats; ${active} of ${kl.length} latents are active`;
    const text = `${thousands(images)} images: reconstruction term ${format(reconstruction)}${terms}.`;
    if (live.textContent !== text) live.textContent = text;
  }, 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
  return live;
}
