// The latent explorer: sliders for the latents of a model, and the picture that the decoder draws from them, here in
// the browser. The same file serves a notebook (through anywidget) and a page that stands alone.
import * as space from "./space.js";
import * as dom from "./dom.js";
import * as network from "./network.js";
import * as tools from "./tools.js";

const STEP = 0.05;
const CELLS = 9; // pictures in the strip under a slider
const REST = 100; // milliseconds without a move after which the kernel hears of the code
const UNUSED = 0.1; // nats below which a latent carries nothing

/** Fill `el` for a widget's traits; anywidget calls this, and what it returns when the widget goes. */
function render({ model: traits, el }) {
  const gone = new AbortController();
  try {
    el.append(build(network.parse(traits.get("weights")), traits, gone.signal));
  } catch (error) {
    el.append(warning(error));
  }
  return () => gone.abort();
}

export default { render };

/** Fill a page that stands alone: its traits are the JSON in it, and no kernel hears of them. */
export async function fillPage() {
  const el = document.getElementById("explorer"), values = {};
  const traits = {
    get: (name) => values[name],
    set: (name, value) => { values[name] = value; },
    save_changes() {},
    on() {},
  };
  try {
    Object.assign(values, readTraits());
    const { pictures } = values;
    values.weights = await network.unpack(values.weights);
    if (pictures.thumbs) pictures.thumbs = Uint8Array.from(atob(pictures.thumbs), (byte) => byte.charCodeAt(0));
  } catch (error) {
    return el.append(warning(error));
  }
  return render({ model: traits, el });
}

function readTraits() {
  try {
    return JSON.parse(document.getElementById("traits").textContent);
  } catch (error) {
    throw new Error(`this file is damaged or was cut off (${error.message})`, { cause: error });
  }
}

function warning({ message }) {
  return dom.element("p", { role: "alert", textContent: message });
}

/** Put everything together around one code, which all parts move and hear of. */
function build(model, traits, gone) {
  const code = space.makeCode(traits.get("z"), traits.get("start")), play = dom.makePlayer(gone);
  const latents = model.card.latents.map((entry, i) => ({ i, kl: entry.kl, ...named(entry, i) }));
  const ranked = latents.toSorted((a, b) => (b.kl ?? 0) - (a.kl ?? 0));
  const look = (pixels) => {
    const belief = network.encode(model, pixels);
    code.move(belief.mu, { belief: { pixels, ...belief } });
  };
  code.hear((source) => source === play || play()); // whoever moves the code stops what plays
  const it = { model, traits, code, play, latents: ranked, look };
  const picture = dom.element("div", { className: "picture" }, ...drawn(it), buttons(it));
  const main = dom.element("div", { className: "main" }, picture, rows(it));
  synchronise(it, gone);
  code.move(code.z, { source: traits });
  const name = `Latent explorer of the model ${model.card.name ?? ""}`;
  const whole = dom.element("section", { className: "latent-explorer", ariaLabel: name }, toolbar(it, main), main);
  whole.addEventListener("keydown", keepKeys);
  return whole;
}

/** JupyterLab must not hear of plain keys: it would go to another cell, or cut this one. */
function keepKeys(event) {
  if (!(event.ctrlKey || event.metaKey || event.altKey || event.key === "Enter")) event.stopPropagation();
}

function named({ name, kl }, i) {
  const nats = kl === undefined ? "" : `${kl.toFixed(2)} nats`;
  return { name: name ?? `z${i}`, small: [name && `z${i}`, nats].filter(Boolean).join(" · ") };
}

/** Let the kernel's `z` follow once the code rests, and follow it at once: each message costs JupyterLab part of a frame. */
function synchronise({ traits, code }, gone) {
  let later;
  code.hear((source) => {
    clearTimeout(later);
    if (source === traits) return;
    later = setTimeout(() => {
      traits.set("z", [...code.z]);
      traits.save_changes();
    }, REST);
  });
  const follow = () => {
    const z = traits.get("z");
    if (z.some((value, i) => value !== code.z[i])) code.move(z, { source: traits });
  };
  traits.on("change:z", follow);
  gone.addEventListener("abort", () => {
    clearTimeout(later);
    traits.off("change:z", follow);
  });
}

/** The picture, what is said of it where it cannot be seen, and what the encoder's belief is worth. */
function drawn(it) {
  const { model, code, latents } = it, { canvas, paint } = dom.screen(model, { className: "screen", ariaLabel: "picture drawn from the code" });
  const words = dom.element("p", { className: "unseen", ariaLive: "polite" });
  const pixels = new Float32Array(model.channels * model.size ** 2);
  let event = "";
  const say = dom.idly(function* () {
    const values = latents.slice(0, 6).map(({ i, name }) => `${name} ${code.z[i].toFixed(1)}`);
    canvas.ariaLabel = `picture drawn from the code ${values.join(", ")}`;
    words.textContent = event + canvas.ariaLabel;
    event = "";
    yield;
  }, 400);
  it.announce = (text) => {
    event = text;
    say();
  };
  code.hear(() => {
    paint(network.decode(model, code.z, pixels)); // at once: in the next frame it would be a frame late
    say();
  });
  return [dom.element("h3", { textContent: "Drawn from the code" }), canvas, words, worth({ model, code })];
}

/** The parts of the ELBO in nats; the expectation over q by samples, once the code stands still. */
function worth({ model, code }) {
  const line = dom.element("p", { className: "worth" }), samples = 32;
  const show = (fit, price) => {
    const [first, last] = fit === null ? ["…", "…"] : [fit, fit - price].map((value) => value.toFixed(1));
    line.textContent = `log p(x|z) ${first} − KL ${price.toFixed(1)} = ELBO ${last} nats`;
  };
  const sample = dom.idly(function* () {
    if (!code.belief) return;
    const { pixels, mu, logvar } = code.belief;
    let fit = 0;
    for (let s = 0; s < samples; s++) {
      const recon = network.decode(model, mu.map((m, i) => m + Math.exp(logvar[i] / 2) * space.normal()));
      fit += space.logLikelihood(pixels, recon) / samples;
      yield;
    }
    show(fit, space.klToPrior(mu, logvar));
  });
  let shown = null;
  code.hear(() => {
    const { belief } = code;
    if (belief === shown) return;
    shown = belief;
    if (belief) show(null, space.klToPrior(belief.mu, belief.logvar));
    else line.textContent = "";
    sample();
  });
  return line;
}

function buttons({ code }) {
  return dom.element("div", { className: "buttons" },
    dom.button("reset", () => code.move(code.home), { title: "back to the code that this began with" }),
    dom.button("z = 0", () => code.move(code.home.map(() => 0)), { title: "the middle of the prior" }),
    dom.button("random", () => code.move(code.home.map(space.normal)), { title: "a code drawn from the prior" }));
}

/** Three codes that are kept, a way from A to B, and what A has and B has not, added to C. */
function arithmetic(it) {
  const { model, code } = it, kept = {};
  const slots = ["A", "B", "C"].map((name) => {
    const { canvas, paint } = dom.screen(model, { ariaHidden: true });
    const recall = dom.button("", () => code.move(kept[name]), { className: "kept", disabled: true });
    recall.ariaLabel = `go to ${name}`;
    recall.append(canvas);
    const keep = dom.button(`keep ${name}`, () => {
      kept[name] = code.z.slice();
      paint(network.decode(model, kept[name]));
      recall.disabled = false;
      way.disabled = !(kept.A && kept.B);
      sum.disabled = way.disabled || !kept.C;
    });
    return dom.element("div", { className: "slot" }, recall, keep);
  });
  const way = playing(it, "A → B", 2500, () => {
    const { A, B } = kept;
    return (t) => code.move(A.map((a, i) => (1 - t) * a + t * B[i]), { source: it.play });
  }, { ariaLabel: "A → B", disabled: true, title: "on a straight line from A to B" });
  const sum = dom.button("A − B + C", () => {
    const { A, B, C } = kept;
    code.move(A.map((a, i) => a - B[i] + C[i]));
  }, { disabled: true });
  return dom.element("div", { className: "arithmetic" }, ...slots, dom.element("div", { className: "slot" }, way, sum));
}

/** A row for each latent, those that carry most first; the unused ones are folded away. */
function rows(it) {
  const made = it.latents.map((latent) => row(it, latent)), unused = made.filter(({ kl }) => kl < UNUSED);
  const folded = dom.element("details", {}, dom.element("summary", { textContent: `${unused.length} unused latents` }));
  folded.append(...unused.map((each) => each.whole));
  const draw = dom.idly(function* () {
    for (const each of made) if (each.whole.checkVisibility()) yield* each.draw();
  });
  it.code.hear(draw);
  folded.addEventListener("toggle", draw);
  const used = made.filter((each) => !unused.includes(each)).map((each) => each.whole);
  const title = dom.element("h3", { textContent: "Latents: drag a frame" }), rest = unused.length ? [folded] : [];
  return dom.element("div", { className: "latents" }, title, ...used, arithmetic(it), ...rest);
}

/** One latent: a slider whose handle frames a picture of its strip, its number, and a button that plays it. */
function row(it, { i, kl, name, small }) {
  const { model, code, play } = it;
  const reset = () => code.set(i, code.home[i]);
  const scale = { min: -space.LIMIT, max: space.LIMIT, step: STEP, ariaLabel: `${name} ${small}` };
  const range = dom.element("input", { type: "range", ...scale, title: "double-click or Delete: back to the start" });
  const number = dom.element("input", { type: "number", ...scale });
  for (const input of [range, number]) {
    input.addEventListener("input", () => {
      if (Number.isFinite(input.valueAsNumber)) code.set(i, input.valueAsNumber, input);
    });
  }
  range.addEventListener("dblclick", reset);
  range.addEventListener("keydown", (event) => event.key === "Delete" && reset());
  number.addEventListener("change", () => { number.value = code.z[i].toFixed(2); });
  const { canvas, paint } = dom.screen(model, { className: "strip", ariaHidden: true }, CELLS);
  const band = dom.element("div", { className: "band", hidden: true });
  code.hear((source) => {
    if (source !== range) range.value = code.z[i];
    if (source !== number) number.value = code.z[i].toFixed(2);
    showBelief(band, code.belief, i);
  });
  const film = dom.element("div", { className: "film" }, canvas, band, range);
  const [large, below] = [dom.element("b", { textContent: name }), dom.element("small", { textContent: small })];
  const label = dom.element("div", { className: "name" }, large, below);
  function* draw() {
    const z = code.z.slice();
    for (let k = 0; k < CELLS; k++) {
      z[i] = space.LIMIT * (2 * k / (CELLS - 1) - 1);
      paint(network.decode(model, z), k);
      yield;
    }
  }
  const sweep = () => {
    const phase = Math.asin(code.z[i] / space.LIMIT);
    return (t) => code.set(i, space.LIMIT * Math.sin(phase + 2 * Math.PI * t), play);
  };
  const player = playing(it, "▶", 4000, sweep, { ariaLabel: `play ${name}` });
  const whole = dom.element("div", { className: "row" }, label, film, number, player);
  return { kl, draw, whole };
}

/** Mark mean ± deviation of the encoder's belief on a slider. */
function showBelief(band, belief, i) {
  band.hidden = !belief;
  if (!belief || band.belief === belief) return;
  band.belief = belief;
  const mean = belief.mu[i], deviation = Math.exp(belief.logvar[i] / 2);
  const share = (value) => Math.min(1, Math.max(0, (value / space.LIMIT + 1) / 2));
  band.style.setProperty("--from", share(mean - deviation));
  band.style.setProperty("--to", share(mean + deviation));
  band.title = `the encoder's belief: ${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
}

/** A button that plays a motion once, or stops it; the live text tells whether it came to its end. */
function playing(it, textContent, milliseconds, begin, properties) {
  const made = dom.button(textContent, () => {
    if (made.ariaPressed === "true") return it.play();
    it.play(milliseconds, begin(), (whole) => {
      Object.assign(made, { ariaPressed: "false", textContent });
      it.announce(`${made.ariaLabel} ${whole ? "has ended" : "was stopped"}: `);
    });
    Object.assign(made, { ariaPressed: "true", textContent: "■" });
  }, { ariaPressed: "false", ...properties });
  return made;
}

/** A button for each tool; the one that is open stands beside the picture. */
function toolbar(it, main) {
  let open = null;
  const buttons = tools.list(it).map(([name, make]) => {
    let panel = null;
    const made = dom.button(name, () => {
      const before = open;
      before?.close();
      if (before !== me) me.open();
    }, { ariaExpanded: "false" });
    const me = {
      open() {
        panel ??= dom.element("div", { className: "tool" }, dom.element("h3", { textContent: name }), ...make(it));
        main.firstChild.after(panel); // the picture keeps its place
        made.ariaExpanded = "true";
        open = me;
      },
      close() {
        panel.remove();
        made.ariaExpanded = "false";
        open = null;
      },
    };
    return made;
  });
  return dom.element("div", { className: "toolbar" }, ...buttons);
}
