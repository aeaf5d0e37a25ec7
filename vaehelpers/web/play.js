// The playground: a VAE that learns in a Web Worker, views of what it has learned, and controls that steer it.
import * as dom from "./dom.js";
import * as drawing from "./drawing.js";
import * as scenes from "./scenes.js";
import * as samples from "./samples.js";
import * as views from "./views.js";
import * as charts from "./charts.js";

const { format, thousands } = drawing, { CHOICES, DEFAULTS, NEEDS_RESTART, SCENES, SPEEDS } = scenes;
const MAX_POINTS = 1000; // points of a curve, of which every other is left out when there are more
const STEP_BACK_WINDOW = 2000; // milliseconds after a step back within which the next goes one checkpoint further
const MAGNIFY_EVERY = 1500; // milliseconds from one magnified state to the next

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
  let controller = new AbortController();
  const start = (state) => {
    controller.abort();
    controller = new AbortController();
    const whole = createPlayground(state || `scene=${scene}`, address.save, controller.signal, document);
    document.getElementById("play").replaceChildren(whole);
  };
  const address = dom.createAddress(start);
  start(address.state);
  if (parent !== window) { // a frame becomes as high as the page in it
    const postHeight = () => parent.postMessage({ height: document.documentElement.offsetHeight }, "*");
    new ResizeObserver(postHeight).observe(document.documentElement);
    addEventListener("message", postHeight); // the page around it may begin to listen later
  }
}

/** Build the whole playground; it stops when `signal` aborts. Images may be dropped on it or on `target`. */
function createPlayground(text, saveAddress, signal, target) {
  const run = {
    ...scenes.readAddress(text), playing: false, state: null, error: "", history: [], previous: [], checkpoints: [],
    z: [0, 0], near: -1, chosen: -1, magnified: null, // what is pointed at, and the image under the magnifying glass
  };
  const listeners = [];
  run.subscribe = (listener) => listeners.push(listener);
  run.schedule = (draw) => scheduler(draw, signal);
  run.draw = run.schedule(() => listeners.forEach((listener) => listener(run)));
  run.save = () => {
    const base = { ...DEFAULTS, ...SCENES[run.scene].settings };
    const changed = Object.entries(run.settings).filter(([name, value]) => value !== base[name]);
    saveAddress(String(new URLSearchParams([["scene", run.scene], ...changed])));
  };
  const whole = dom.element("section", { className: "play", ariaLabel: "A VAE that learns in this page" });
  const alert = dom.element("p", { role: "alert" });
  run.subscribe(() => { if (alert.textContent !== run.error) alert.textContent = run.error; });
  connect(run, signal);
  const shown = [views.createPlane(run), views.createManifold(run), views.createSide(run), ...charts.createCharts(run)];
  const main = dom.element("div", { className: "views" }, ...shown);
  const stage = [createBar(run), createSentence(run), createSidebar(run), createTabs(main), main, alert];
  whole.append(dom.element("div", { className: "stage" }, ...stage, createLive(run, signal)));
  whole.addEventListener("keydown", (event) => { // plain keys would trigger JupyterLab's commands
    if (!(event.ctrlKey || event.metaKey || event.altKey || event.key === "Escape")) event.stopPropagation();
  });
  const place = target ?? whole;
  place.addEventListener("dragover", (event) => event.preventDefault(), { signal });
  place.addEventListener("drop", (event) => {
    event.preventDefault(); // otherwise the browser leaves the page for the file
    run.open(event.dataTransfer.files);
  }, { signal });
  const redraw = () => { // in the colours of another theme
    for (const canvas of whole.querySelectorAll("canvas")) canvas.stale = true;
    run.draw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw, { signal });
  addEventListener("message", redraw, { signal });
  run.watch(whole);
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
  let worker = null, isDecoding = false, isShown = false, steppedBackAt = -Infinity;
  let isMagnifying = false, isStale = false, magnifiedAt = 0; // stale: another image or state, while one is in work
  const send = (message) => worker?.postMessage(message);
  const steer = () => {
    const isTraining = run.playing && isShown && !document.hidden;
    send({ run: isTraining ? "play" : "pause", speed: SPEEDS[run.settings.speed] });
  };
  const handlers = {
    state(state) {
      if (!run.settings.noise) { // then there is no q(z|x), and no bound
        Object.assign(state, { elbo: NaN, training: NaN, kl: state.kl.fill(NaN) });
      }
      const { images, elbo, reconstruction, kl, training } = state;
      run.state = state;
      if (run.history.length > MAX_POINTS) run.history = run.history.filter((_, i) => i % 2);
      while (run.history.at(-1)?.images >= images) run.history.pop(); // it may have stepped back meanwhile
      run.history.push({ images, elbo, reconstruction, kl, training });
      run.requestDecoded();
      if (!run.settings.noise) run.magnified = null;
      if (!run.playing || performance.now() > magnifiedAt + MAGNIFY_EVERY) requestMagnified();
    },
    checkpoints: (checkpoints) => { run.checkpoints = checkpoints; },
    magnified(magnified, { id }) {
      isMagnifying = false;
      if (id === run.chosen && run.settings.noise) run.magnified = magnified;
      if (isStale) requestMagnified();
    },
    decoded(pixels) {
      isDecoding = false;
      run.decoded = pixels;
      if (run.requestedZ !== run.z) run.requestDecoded();
    },
    error(message) {
      Object.assign(run, { playing: false, error: `The training has stopped (${message}). Restart begins anew.` });
    },
  };
  const createKey = ({ data, first, second, n }) => data === "own" ? run.own : [data, first, second, n].join();
  const begin = (data, key, mine = worker) => {
    if (mine !== worker) return; // another run has begun
    Object.assign(run, { data, key });
    send({ settings: run.settings }); // first, so that the data start one run only
    send({ data });
    steer();
  };
  const drawHands = dom.inBackground(function* () {
    const mine = worker, key = createKey(run.settings);
    begin(yield* samples.drawHands(run.settings), key, mine);
  }, 0);
  const load = async () => {
    const { data, n } = run.settings, key = createKey(run.settings), mine = worker;
    if (key === run.key) begin(run.data, key);
    else if (data === "own") begin(run.own, key);
    else if (data === "hands") drawHands();
    else begin(await samples.unpackDigits(n), key, mine);
  };
  run.restart = () => {
    worker?.terminate();
    isDecoding = isMagnifying = isStale = false;
    steppedBackAt = -Infinity;
    if (createKey(run.settings) !== run.key) run.previous = []; // nats of other images cannot be compared
    else if (run.history.length > 1) run.previous = run.history;
    Object.assign(run, { state: null, error: "", history: [], checkpoints: [], decoded: null, magnified: null });
    Object.assign(run, { near: -1, chosen: Math.min(run.chosen, 0), from: NaN }); // `from`: where it has stepped back to
    worker = new Worker(url);
    worker.onmessage = ({ data }) => {
      for (const [name, answer] of Object.entries(handlers)) if (name in data) answer(data[name], data);
      run.draw();
    };
    worker.onerror = (event) => {
      event.preventDefault();
      handlers.error(event.message || "the worker was lost");
      run.draw();
    };
    load();
  };
  run.control = (command) => {
    run.playing = command === "play";
    if (command === "step") send({ run: "pause", steps: 1 });
    else steer();
    run.draw();
  };
  run.change = (name, value) => {
    const { first, second } = run.settings;
    if (name === "first" && value === second) run.settings.second = first; // two factors that differ
    if (name === "second" && value === first) run.settings.first = second;
    run.settings[name] = value;
    run.save();
    if (NEEDS_RESTART.includes(name)) run.restart();
    else if (name === "speed") steer();
    else send({ settings: run.settings });
    run.draw();
  };
  run.choose = (scene) => {
    const settings = { ...DEFAULTS, ...SCENES[scene].settings };
    Object.assign(run, { scene, settings, playing: true, previous: [], history: [] });
    run.save();
    run.restart();
  };
  run.open = async (files) => {
    try {
      run.own = await samples.readOwn(files);
      run.change("data", "own");
    } catch ({ message }) {
      run.error = `Your images: ${message}.`;
      run.draw();
    }
  };
  run.back = () => {
    const { state, checkpoints, history } = run;
    if (!state) return; // restarted, and not drawn yet
    const isAgain = state.images === run.from || performance.now() < steppedBackAt + STEP_BACK_WINDOW;
    const to = checkpoints.findLast(({ images }) => images < (isAgain ? run.from : state.images)) ?? checkpoints[0];
    steppedBackAt = performance.now();
    const isUpTo = ({ images }) => images <= to.images;
    if (!isAgain) run.previous = history;
    Object.assign(run, { history: history.filter(isUpTo), checkpoints: checkpoints.filter(isUpTo), from: to.images });
    state.images = to.images;
    send({ back: to.number });
    run.draw();
  };
  run.requestDecoded = () => {
    if (isDecoding || !run.state) return;
    isDecoding = true;
    run.requestedZ = run.z;
    const z = new Float32Array(run.settings.latents);
    run.state.axes.forEach((latent, k) => { z[latent] = run.z[k]; });
    send({ decode: z, id: 0 });
  };
  const requestMagnified = () => { // not often, since it takes as long as a few hundred steps
    isStale = isMagnifying;
    const { chosen, state, settings: { latents, noise } } = run;
    if (isMagnifying || chosen < 0 || !state || latents > 2 || !noise) return;
    [isMagnifying, magnifiedAt] = [true, performance.now()];
    send({ magnify: chosen, id: chosen });
  };
  run.magnify = (chosen) => {
    Object.assign(run, { chosen, magnified: null });
    requestMagnified();
    run.draw();
  };
  run.point = (z, near = -1) => {
    Object.assign(run, { z, near });
    run.requestDecoded();
    run.draw();
  };
  const observer = new IntersectionObserver((entries) => {
    isShown = entries.at(-1).isIntersecting;
    if (isShown && !worker) run.restart();
    else steer();
  });
  /** Begin when `element` is in view, and train only while it is. */
  run.watch = (element) => observer.observe(element);
  document.addEventListener("visibilitychange", steer, { signal });
  signal.addEventListener("abort", () => {
    observer.disconnect();
    worker?.terminate();
    URL.revokeObjectURL(url);
  });
}

// The controls.

function createBar(run) {
  const play = dom.button("▶", () => run.control(run.playing ? "pause" : "play"), { className: "go" });
  const step = dom.button("step", () => run.control("step"), { title: "one step of Adam on 64 images" });
  const again = dom.button("restart", run.restart, { title: "from the same start" });
  const back = dom.button("step back", run.back, { title: "to the last checkpoint; the present curves stay, paler" });
  const count = dom.element("output", { className: "count" });
  run.subscribe(() => {
    Object.assign(play, { textContent: run.playing ? "❚❚" : "▶", ariaLabel: run.playing ? "pause" : "play" });
    back.disabled = !run.checkpoints.some(({ images }) => images < run.state?.images);
    count.textContent = run.state ? `${thousands(run.state.images)} images` : "drawing images …";
  });
  return dom.element("div", { className: "bar", role: "group", ariaLabel: "Training" }, play, step, back, again, count,
    createBeta(run),
    dom.element("div", { className: "switches" },
      createSwitch(run, "noise", "noise: sample z"), createSwitch(run, "kl", "KL term")),
    dom.element("div", { className: "choices" },
      createSelect(run, "rate", "learning rate"),
      createSelect(run, "warmup", "warm-up", (value) => value ? `${value / 1000}k images` : "none"),
      createSelect(run, "speed", "speed")));
}

/** β from 0 to 32: the slider's positions after 0 are quarters of an octave around 1. */
function createBeta(run) {
  const toBeta = (position) => position ? 2 ** ((position - 20) / 4) : 0;
  const range = dom.element("input", { type: "range", min: 0, max: 40, step: 1 }), value = dom.element("b");
  range.addEventListener("input", () => run.change("beta", Number(toBeta(range.valueAsNumber).toPrecision(2))));
  run.subscribe(() => {
    const { beta } = run.settings;
    const position = Math.round(beta ? 20 + 4 * Math.log2(beta) : 0);
    if (range.valueAsNumber !== position) range.value = position;
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
  const values = CHOICES[name];
  const options = values.map((value) => dom.element("option", { value, textContent: show(value) }));
  if (name === "data") { // chosen by opening files only
    options.push(dom.element("option", { value: "own", textContent: "own", hidden: true }));
  }
  const select = dom.element("select", {}, ...options);
  select.addEventListener("change", () => run.change(name, values[select.selectedIndex]));
  run.subscribe(() => { if (select.value !== String(run.settings[name])) select.value = run.settings[name]; });
  return dom.labelled(text, select);
}

function createSidebar(run) {
  const chosen = Object.entries(SCENES).map(([name, { title }]) => {
    const choose = dom.button(title, () => run.choose(name));
    run.subscribe(() => { choose.ariaPressed = String(run.scene === name); });
    return choose;
  });
  const factors = ["first", "second"].map((name) => createSelect(run, name, `${name} factor`));
  run.subscribe(() => factors.forEach((label) => { label.hidden = run.settings.data !== "hands"; }));
  const title = `at least ${samples.MIN_OWN_IMAGES}; or drop them on this page`;
  const files = dom.element("input", { type: "file", accept: "image/*", multiple: true, title });
  files.addEventListener("click", () => { files.value = ""; }); // so that choosing the same files again is a change
  files.addEventListener("change", () => run.open(files.files));
  const seed = dom.element("input", { type: "number", min: 0, max: 9999, step: 1 });
  seed.addEventListener("change", () => {
    seed.value = Math.min(Math.max(0, Math.round(seed.valueAsNumber || 0)), 9999);
    run.change("seed", seed.valueAsNumber);
  });
  run.subscribe(() => { if (document.activeElement !== seed) seed.value = run.settings.seed; });
  const group = (className, text, ...children) => dom.element("div", { className, role: "group", ariaLabel: text },
    dom.element("h3", { textContent: text }), ...children);
  return dom.element("div", { className: "sidebar" }, group("scenes", "Scenes", ...chosen),
    group("anew", "A new run with", createSelect(run, "data", "images"), dom.labelled("own images", files), ...factors,
      createSelect(run, "n", "training set"), createSelect(run, "latents", "latents"), dom.labelled("seed", seed)));
}

function createSentence(run) {
  const sentence = dom.element("p", { className: "sentence" });
  run.subscribe(() => {
    const text = SCENES[run.scene].sentence;
    if (sentence.textContent !== text) sentence.textContent = text;
  });
  return sentence;
}

/** On a phone one view is visible at a time. */
function createTabs(main) {
  const names = { plane: "Plane", manifold: "Manifold", side: "Images", charts: "Curves" };
  const buttons = Object.entries(names).map(([name, text]) => dom.button(text, () => show(name)));
  const show = (shown) => {
    main.dataset.shown = shown;
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
    let text = `${thousands(images)} images: reconstruction term ${format(reconstruction)}`;
    if (!Number.isNaN(elbo)) text += `, KL ${format(reconstruction - elbo)}, ELBO ${format(elbo)}`;
    text += Number.isNaN(elbo) ? " nats." : ` nats; ${active} of ${kl.length} latents are active.`;
    if (live.textContent !== text) live.textContent = text;
  }, 5000);
  signal.addEventListener("abort", () => clearInterval(timer));
  return live;
}
