// The latent explorer: sliders for the latents of a model, and the image that the decoder computes from them in the
// browser. The same code serves notebooks (through anywidget) and HTML files (through `fillPage`).
import * as network from "./network.js";
import * as state from "./state.js";
import * as dom from "./dom.js";
import * as tools from "./tools.js";

const STEP = 0.05;
const CELLS = 9; // images in the strip under a slider
const SAVE_DELAY = 100; // milliseconds without a change before z is sent to the kernel
const UNUSED = 0.1; // nats: a latent with a smaller KL is unused

/** A widget for anywidget: `initialize` runs once, `render` once a view; all views share one state. */
function createWidget() {
  let shared;
  return {
    initialize({ model: traits }) {
      try {
        shared = state.createState(traits);
        return synchronise(shared.code, traits);
      } catch (error) {
        shared = { error };
      }
    },
    render({ el }) {
      if (shared.error) return void showError(el, shared.error);
      const controller = new AbortController();
      el.append(createView(shared, controller.signal));
      return () => controller.abort();
    },
  };
}

export default createWidget;

/** Create the explorer of an HTML file from the traits that it stores as JSON. */
export async function fillPage() {
  const el = document.getElementById("explorer"), widget = createWidget(), traits = createTraits();
  // A file that is dropped beside the drawing does not replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => event.preventDefault());
  try {
    traits.fill(await readTraits(document.getElementById("traits")?.textContent));
    widget.initialize({ model: traits });
    widget.render({ el });
  } catch (error) {
    showError(el, error);
  }
}

/** Traits of a file: z is saved in the address. */
function createTraits() {
  let values = null, initial = [], receive = () => {};
  const apply = () => {
    if (!values) return; // not yet read
    const named = new URLSearchParams(address.state);
    values.z = initial.map((value, i) => Number.isFinite(parseFloat(named.get(`z${i}`))) ? parseFloat(named.get(`z${i}`)) : value);
    receive();
  };
  const address = dom.createAddress((state) => {
    address.state = state;
    apply();
  });
  return {
    fill(read) {
      values = read;
      initial = [...values.z];
      apply();
    },
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    on: (event, listener) => { receive = listener; },
    save_changes() {
      const changed = [...initial.keys()].filter((i) => values.z[i] !== initial[i]);
      address.save(String(new URLSearchParams(changed.map((i) => [`z${i}`, Number(values.z[i].toFixed(2))]))));
    },
  };
}

/** Parse the traits of an HTML file; its weights are compressed, with a checksum. */
async function readTraits(text) {
  try {
    const { weights, images, ...values } = JSON.parse(text);
    const inflated = new Blob([fromBase64(weights)]).stream().pipeThrough(new DecompressionStream("deflate"));
    if (images.thumbnails) images.thumbnails = fromBase64(images.thumbnails);
    return { ...values, images, weights: new Uint8Array(await new Response(inflated).arrayBuffer()) };
  } catch (error) {
    throw new Error(`this file is damaged or was cut off (${error.message})`, { cause: error });
  }
}

function fromBase64(text) {
  const binary = atob(text), bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

function showError(el, { message }) {
  el.append(dom.element("p", { role: "alert", textContent: message }));
}

/** Send z to the kernel after the last change, since JupyterLab takes time for each message; receive it at once. */
function synchronise(code, traits) {
  let timer = 0;
  code.subscribe((source) => {
    clearTimeout(timer);
    if (source === traits) return;
    timer = setTimeout(() => {
      traits.set("z", [...code.z]);
      traits.save_changes();
    }, SAVE_DELAY);
  });
  traits.on("change:z", () => {
    const z = traits.get("z");
    if (z.some((value, i) => value !== code.z[i])) code.set(z, { source: traits });
  });
  return () => clearTimeout(timer);
}

/** Build one view: its parts change the shared code, and are notified of every change until `signal` aborts. */
function createView({ model, code, pixels, traits }, signal) {
  const latents = model.card.latents.map((entry, i) => ({ i, kl: entry.kl, ...describe(entry, i) }));
  latents.sort((a, b) => (b.kl ?? 0) - (a.kl ?? 0));
  const player = dom.createPlayer(signal);
  code.subscribe((source) => { if (source !== player) player.stop(); }, signal); // another change stops an animation
  const subscribe = (listener) => {
    code.subscribe(listener, signal);
    listener(traits);
  };
  const encode = (x) => {
    const posterior = network.encode(model, x);
    code.set(posterior.mu, { posterior: { x, ...posterior } });
  };
  const view = { model, code, pixels, traits, latents, player, subscribe, encode };
  const image = dom.element("div", { className: "image" }, ...createImage(view), createButtons(view));
  const main = dom.element("div", { className: "main" }, image, createRows(view));
  const ariaLabel = `Latent explorer of the model ${model.card.name ?? ""}`;
  const whole = dom.element("section", { className: "latent-explorer", ariaLabel }, createToolbar(view, main), main);
  whole.addEventListener("keydown", (event) => { // plain keys would trigger JupyterLab's commands
    if (!(event.ctrlKey || event.metaKey || event.altKey || event.key === "Enter")) event.stopPropagation();
  });
  return whole;
}

function describe({ name, kl }, i) {
  const nats = kl === undefined ? "" : `${kl.toFixed(2)} nats`;
  return { name: name ?? `z${i}`, details: [name && `z${i}`, nats].filter(Boolean).join(" · ") };
}

/** The decoded image, its description for screen readers, and the ELBO. */
function createImage(view) {
  const { model, code, latents } = view, { canvas, paint } = dom.createScreen(model, { className: "screen" });
  const live = dom.element("p", { className: "visually-hidden", ariaLive: "polite" });
  let event = "";
  const describeImage = () => {
    const values = latents.slice(0, 6).map(({ i, name }) => `${name} ${code.z[i].toFixed(1)}`);
    return `image decoded from the code ${values.join(", ")}`;
  };
  const update = dom.inBackground(function* () {
    canvas.ariaLabel = describeImage();
    live.textContent = event + canvas.ariaLabel;
    event = "";
  }, 400);
  view.announce = (text) => {
    event = text;
    update();
  };
  canvas.ariaLabel = describeImage();
  view.subscribe(() => {
    paint(view.pixels); // at once: requestAnimationFrame would delay it by a frame
    update();
  });
  return [dom.element("h3", { textContent: "Decoded image" }), canvas, live, createElbo(view)];
}

/** The ELBO of the encoded image in nats; its expectation over q is sampled after the last change of the code. */
function createElbo({ model, code, subscribe }) {
  const line = dom.element("p", { className: "elbo" }), samples = 32;
  const show = (kl, likelihood = NaN) => {
    const format = (value) => Number.isNaN(value) ? "…" : value.toFixed(1).replace("-", "−");
    line.textContent = `log p(x|z) ${format(likelihood)} − KL ${format(kl)} = ELBO ${format(likelihood - kl)} nats`;
  };
  const estimate = dom.inBackground(function* () {
    if (!code.posterior) return;
    const { x, mu, logvar } = code.posterior;
    let likelihood = 0;
    for (let s = 0; s < samples; s++) {
      const recon = network.decode(model, mu.map((m, i) => m + Math.exp(logvar[i] / 2) * state.normal()));
      likelihood += state.logLikelihood(x, recon) / samples;
      yield;
    }
    show(state.klToPrior(mu, logvar), likelihood);
  });
  let shown = null;
  subscribe(() => {
    const { posterior } = code;
    if (posterior === shown) return;
    shown = posterior;
    if (posterior) show(state.klToPrior(posterior.mu, posterior.logvar));
    else line.textContent = "";
    estimate();
  });
  return line;
}

function createButtons({ code }) {
  return dom.element("div", { className: "buttons" },
    dom.button("reset", () => code.set(code.start), { title: "back to the code at the start" }),
    dom.button("z = 0", () => code.set(code.z.map(() => 0)), { title: "the mean of the prior" }),
    dom.button("random", () => code.set(code.z.map(state.normal)), { title: "prior sample: z drawn from the prior" }));
}

/** A row for each latent, those with the highest KL first; unused ones are inside a closed `details` element. */
function createRows(view) {
  const rows = view.latents.map((latent) => createRow(view, latent)), unused = rows.filter(({ kl }) => kl < UNUSED);
  const summary = dom.element("summary", { textContent: `${unused.length} unused latents` });
  const folded = dom.element("details", {}, summary, ...unused.map(({ row }) => row));
  const draw = dom.inBackground(function* () {
    for (const { row, drawStrip } of rows) if (row.checkVisibility()) yield* drawStrip();
  });
  view.subscribe(draw);
  folded.addEventListener("toggle", draw);
  const used = rows.filter((row) => !unused.includes(row)).map(({ row }) => row);
  const title = dom.element("h3", { textContent: "Latents: drag a frame" }), rest = unused.length ? [folded] : [];
  return dom.element("div", { className: "latents" }, title, ...used, createArithmetic(view), ...rest);
}

/** One latent: a slider over a strip of decoded images, a number field, and a button that animates it. */
function createRow(view, { i, kl, name, details }) {
  const { model, code, player } = view, reset = () => code.setLatent(i, code.start[i]);
  const scale = { min: -state.LIMIT, max: state.LIMIT, step: STEP, ariaLabel: `${name} ${details}` };
  const range = dom.element("input", { type: "range", ...scale, title: "double-click or Delete: back to the start" });
  const number = dom.element("input", { type: "number", ...scale });
  for (const input of [range, number]) {
    input.addEventListener("input", () => {
      if (Number.isFinite(input.valueAsNumber)) code.setLatent(i, input.valueAsNumber, input);
    });
  }
  range.addEventListener("dblclick", reset);
  range.addEventListener("keydown", (event) => event.key === "Delete" && reset());
  number.addEventListener("change", () => { number.value = code.z[i].toFixed(2); });
  const { canvas, paint } = dom.createScreen(model, { className: "strip", ariaHidden: true }, CELLS);
  const band = dom.element("div", { className: "band", hidden: true });
  view.subscribe((source) => {
    if (source !== range) range.value = code.z[i];
    if (source !== number) number.value = code.z[i].toFixed(2);
    showPosterior(band, code.posterior, i);
  });
  const texts = [dom.element("b", { textContent: name }), dom.element("small", { textContent: details })];
  function* drawStrip() {
    const z = code.z.slice();
    for (let k = 0; k < CELLS; k++) {
      z[i] = state.LIMIT * (2 * k / (CELLS - 1) - 1);
      paint(network.decode(model, z), k);
      yield;
    }
  }
  const play = createPlayButton(view, "▶", 4000, () => {
    const phase = Math.asin(code.z[i] / state.LIMIT);
    return (t) => code.setLatent(i, state.LIMIT * Math.sin(phase + 2 * Math.PI * t), player);
  }, { ariaLabel: `play ${name}` });
  const row = dom.element("div", { className: "row" }, dom.element("div", { className: "name" }, ...texts),
    dom.element("div", { className: "film" }, canvas, band, range), number, play);
  return { kl, row, drawStrip };
}

/** Mark mean ± standard deviation of q(z|x) on a slider. */
function showPosterior(band, posterior, i) {
  if (band.posterior === posterior) return;
  band.posterior = posterior;
  band.hidden = !posterior;
  if (!posterior) return;
  const mean = posterior.mu[i], sd = Math.exp(posterior.logvar[i] / 2);
  const share = (value) => Math.min(1, Math.max(0, (value / state.LIMIT + 1) / 2));
  band.style.setProperty("--from", share(mean - sd));
  band.style.setProperty("--to", share(mean + sd));
  band.title = `q(z|x) of the encoder: ${mean.toFixed(2)} ± ${sd.toFixed(2)}`;
}

/** Three stored codes A, B and C, an animation along the line from A to B, and A − B + C. */
function createArithmetic(view) {
  const { model, code, player } = view, kept = {};
  const slots = ["A", "B", "C"].map((name) => {
    const { canvas, paint } = dom.createScreen(model, { ariaHidden: true });
    const recall = dom.button("", () => code.set(kept[name]), { className: "kept", disabled: true });
    recall.ariaLabel = `go to ${name}`;
    recall.append(canvas);
    const keep = dom.button(`keep ${name}`, () => {
      kept[name] = code.z.slice();
      paint(view.pixels);
      recall.disabled = false;
      line.disabled = !(kept.A && kept.B);
      sum.disabled = line.disabled || !kept.C;
    });
    return dom.element("div", { className: "slot" }, recall, keep);
  });
  const line = createPlayButton(view, "A → B", 2500, () => {
    const { A, B } = kept;
    return (t) => code.set(A.map((a, i) => (1 - t) * a + t * B[i]), { source: player });
  }, { ariaLabel: "A → B", disabled: true, title: "linear interpolation from A to B" });
  const add = () => code.set(kept.A.map((a, i) => a - kept.B[i] + kept.C[i]));
  const sum = dom.button("A − B + C", add, { disabled: true });
  slots.push(dom.element("div", { className: "slot" }, line, sum));
  return dom.element("div", { className: "arithmetic" }, ...slots);
}

/** A button that starts or stops an animation and announces how it ended. */
function createPlayButton({ player, announce }, textContent, milliseconds, createStep, properties) {
  const play = dom.button(textContent, () => {
    if (play.ariaPressed === "true") return player.stop();
    player.start(milliseconds, createStep(), (complete) => {
      Object.assign(play, { ariaPressed: "false", textContent });
      announce(`${play.ariaLabel} ${complete ? "has ended" : "was stopped"}: `);
    });
    Object.assign(play, { ariaPressed: "true", textContent: "■" });
  }, { ariaPressed: "false", ...properties });
  return play;
}

/** A button for each tool; at most one tool is open, beside the image. */
function createToolbar(view, main) {
  let close = () => {};
  const buttons = tools.list(view).map(([name, create]) => {
    let panel = null;
    const toggle = dom.button(name, () => {
      const wasOpen = toggle.ariaExpanded === "true";
      close();
      if (wasOpen) return;
      panel ??= dom.element("div", { className: "tool" }, dom.element("h3", { textContent: name }), ...create(view));
      main.firstChild.after(panel);
      toggle.ariaExpanded = "true";
      close = () => {
        panel.remove();
        toggle.ariaExpanded = "false";
      };
    }, { ariaExpanded: "false" });
    return toggle;
  });
  return dom.element("div", { className: "toolbar" }, ...buttons);
}
