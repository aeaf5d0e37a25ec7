// Views of what the playground's VAE has learned. Each draws only what has changed.
import * as dom from "./dom.js";
import * as drawing from "./drawing.js";
import * as samples from "./samples.js";

const { BLUE, COLOURS, ORANGE, createCanvas, createFigure, createScreen, format, latentColour, latentName } = drawing;
const PAIRS = 5, ARROW = 0.1; // images that are reconstructed; how far an arrow key moves the point
const GRID = 12, RANGE = 2.5; // of the manifold: images along an edge, its ends
const gridValue = (k) => RANGE * (2 * k / (GRID - 1) - 1); // the latent of a column of the manifold
const sd = (logvar) => Math.exp(logvar / 2);
const TERMS = [ // of log p(x): sign, name, what it is
  ["", "log p(x)", "The evidence, summed over a grid of codes: what the decoder alone gives this image."],
  ["=", "reconstruction", "The mean of log p(x|z) over q(z|x), pixel by pixel: bright pixels lose most."],
  ["−", "KL", "The KL of q(z|x) (ellipses) from the prior: what the code costs."],
  ["+", "gap", "The KL of q(z|x) (ellipses) from the true posterior (cloud): what the encoder loses."],
];

/** The latent plane: an ellipse for each held-out image, one standard deviation of q(z|x), and the prior's circles. */
export function createPlane(run) {
  const ariaLabel = "Latent plane; arrow keys move the point that is decoded, Enter magnifies the nearest image";
  const { canvas, start } = createCanvas(run, { tabIndex: 0, ariaLabel });
  canvas.setAttribute("role", "application");
  const legend = createLegend(run), still = matchMedia("(prefers-reduced-motion: reduce)");
  let shown = null, half = 3.4;
  const toLatent = (event) => {
    const [x, y] = dom.relativePosition(event).map((share) => (2 * share - 1) * half);
    return [x, -y];
  };
  const inView = (value) => Math.min(Math.max(value, -half), half);
  const nearest = (z, reach) => {
    const distances = shown?.map(([x, y]) => Math.hypot(x - z[0], y - z[1])) ?? [], least = Math.min(...distances);
    return least < reach ? distances.indexOf(least) : -1;
  };
  for (const kind of ["pointermove", "pointerdown"]) {
    canvas.addEventListener(kind, (event) => {
      const z = toLatent(event);
      run.point(z, nearest(z, 0.045 * half));
    });
  }
  canvas.addEventListener("keydown", (event) => {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (event.key === "Enter") run.magnify(nearest(run.z, Infinity));
    else if (dx || dy) run.point([run.z[0] + ARROW * dx, run.z[1] + ARROW * dy].map(inView));
    else return;
    event.preventDefault(); // of scrolling
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
    if (largest > 0.004) drawAgain();
  };
  const draw = () => {
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
    context.fillText(names[1] ?? run.data?.names?.[1] ?? "", 8, 16);
  };
  const drawAgain = run.schedule(draw); // the other views change only with a new state
  run.subscribe(draw);
  return createFigure("plane", "Latent plane: q(z|x) of held-out images; circles: prior", canvas, legend);
}

/** Return [x, y, standard deviations] of each held-out image; the second factor takes the place of a second latent. */
function places({ state: { axes: [i, j] }, settings: { latents }, data: { labels, classes } }, mu, logvar) {
  return Array.from({ length: mu.length / latents }, (_, n) => {
    const at = n * latents, other = labels ? 5 * labels[1][n] - 2.5 : classes[n] / 2 - 2.25;
    const [y, height] = j === undefined ? [other, 0.06] : [mu[at + j], sd(logvar[at + j])];
    return [mu[at + i], y, sd(logvar[at + i]), height];
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

function drawPosterior(context, { data, settings: { noise }, colour }, i, place, { x, y, scale, text, ink }) {
  const fill = colour(i), [mx, my, sx, sy] = place;
  context.beginPath();
  if (noise) context.ellipse(x(mx), y(my), Math.max(1.5, sx * scale), Math.max(1.5, sy * scale), 0, 0, 2 * Math.PI);
  else context.arc(x(mx), y(my), 3.5, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: fill, strokeStyle: ink ?? fill, lineWidth: ink ? 2.5 : 1.2 });
  context.globalAlpha = noise ? 0.13 : 0.8;
  context.fill();
  context.globalAlpha = ink ? 1 : 0.75;
  context.stroke();
  if (!data.classes) return;
  Object.assign(context, { fillStyle: text, globalAlpha: 0.8 });
  context.fillText(data.classes[i], x(mx) - 3, y(my) + 4);
}

/** What the colours mean: the values of a factor, from one hand to another, or the classes. Sets `run.colour`. */
function createLegend(run) {
  const legend = dom.element("div", { className: "legend" });
  const by = dom.element("select", { ariaLabel: "factor that the colours show" });
  const ends = [0, 1].map(() => createScreen(1, 1, { ariaHidden: true }));
  let factor = 0, known = null, colours = [];
  const show = () => {
    factor = Math.max(0, by.selectedIndex);
    colours = known.labels[factor].map(blend);
    ends.forEach(({ paint }, end) => paint(samples.drawHand({ [known.names[factor]]: end }), samples.SIZE.hands));
    run.draw();
  };
  by.addEventListener("change", show);
  run.colour = (i) => colours[i];
  run.subscribe(() => {
    if (known === run.data || !run.data) return;
    known = run.data;
    if (known.note) {
      colours = known.classes?.map((name) => COLOURS[name]) ?? known.labels[0].map(blend);
      return legend.replaceChildren(known.note);
    }
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

/** The manifold: images decoded on an equally spaced grid of two latents; and the magnifying glass. */
export function createManifold(run) {
  const { canvas, paint } = createScreen(GRID, GRID, { ariaLabel: "Images decoded on a grid of the latent plane" });
  const ring = dom.element("div", { className: "ring" });
  let painted = null;
  canvas.addEventListener("pointermove", (event) => {
    const cell = (share) => Math.min(Math.max(Math.floor(GRID * share), 0), GRID - 1);
    const [column, row] = dom.relativePosition(event).map(cell);
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

/** For one image: q(z|x) beside the true posterior, the share of each pixel, and the terms of log p(x). */
function createMagnifier(run) {
  const plot = createCanvas(run, { ariaLabel: "True posterior of the image, and q(z|x) as ellipses" });
  const image = createScreen(1, 1, { ariaLabel: "The image x" });
  const share = createScreen(1, 1, { ariaLabel: "Each pixel's loss in the reconstruction term, in brightness" });
  const [note, missing] = [dom.element("p"), dom.element("p")];
  let drawn = null, nats = "", lit = "";
  const update = () => {
    glass.dataset.lit = lit;
    const about = TERMS.find(([, name]) => name === lit)?.[2];
    note.textContent = about ?? `KL of each latent: ${nats} nats. Point at a term; click an ellipse to choose its image.`;
  };
  const terms = TERMS.map(([sign, name]) => {
    const value = dom.element("b"), term = dom.button("", () => {}, { className: name });
    const light = (named) => () => {
      lit = named;
      update();
    };
    for (const event of ["pointerenter", "focus"]) term.addEventListener(event, light(name));
    for (const event of ["pointerleave", "blur"]) term.addEventListener(event, light(""));
    term.append(value, dom.element("small", { textContent: name }));
    return { value, elements: [sign, term] };
  });
  const formula = dom.element("p", { className: "formula" }, ...terms.flatMap(({ elements }) => elements).slice(1));
  const pair = dom.element("div", {}, image.canvas, share.canvas), parts = [plot.canvas, pair, formula, note];
  const glass = dom.element("div", { className: "glass", hidden: true }, ...parts, missing);
  run.subscribe(() => {
    const { magnified, data, settings: { latents, noise } } = run;
    for (const part of parts) part.hidden = !magnified;
    missing.hidden = Boolean(magnified);
    const possible = noise && latents <= 2;
    missing.textContent = possible ? "summing over a grid of codes …" : "This needs one or two latents, and noise.";
    if (glass.hidden || !magnified || (drawn === magnified && !plot.canvas.stale)) return;
    drawn = magnified;
    const { evidence, reconstruction, elbo, kl, gap, pixels } = magnified;
    const values = [evidence, reconstruction, reconstruction - elbo, gap];
    terms.forEach(({ value }, i) => { value.textContent = format(values[i], 2); });
    nats = [...kl].map((value, i) => `${latentName(i)} ${format(value, 2)}`).join(", ");
    update();
    const most = Math.max(0.7, -pixels.reduce((a, b) => Math.min(a, b)));
    image.paint(data.images.subarray((data.n + run.chosen) * data.size ** 2), data.size);
    share.paint(pixels.map((nats) => -nats / most), data.size);
    drawPosteriors(plot.start(), magnified);
  });
  return glass;
}

/** Draw the true posterior as a cloud and q(z|x) as ellipses of 1 and 2 standard deviations, or both as curves. */
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
    truth.forEach((density, i) => {
      const row = side - 1 - Math.floor(i / side); // the second latent upwards
      image.data.set([63, 144, 218, 255 * Math.sqrt(density / peak)], 4 * (row * side + i % side)); // blue
    });
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
export function createSide(run) {
  const above = createScreen(PAIRS, 1, { ariaLabel: "Five held-out images" });
  const below = createScreen(PAIRS, 1, { ariaLabel: "Their reconstructions" });
  const decoded = createScreen(1, 1, { ariaLabel: "Image decoded at the point" });
  const near = createScreen(1, 1, { ariaLabel: "Held-out image at the point" });
  const terms = [["ELBO", "elbo"], ["reconstruction", "reconstruction"], ["KL, nats", "rate"]].map(([text, className]) => {
    const value = dom.element("b", { textContent: "…" });
    return { value, cell: dom.element("span", { className }, value, dom.element("small", { textContent: text })) };
  });
  const [equals, minus] = ["=", "−"].map((textContent) => dom.element("span", { textContent }));
  const parts = [terms[0].cell, equals, terms[1].cell, minus, terms[2].cell];
  const equation = dom.element("p", { className: "equation" }, ...parts);
  const bars = dom.element("div", { className: "bars", ariaHidden: true }), place = dom.element("figcaption");
  let painted = null, answered = null;
  run.subscribe(() => {
    const { state, data } = run;
    if (state && state !== painted) {
      const { elbo, reconstruction, kl } = state;
      above.paint(data.images.subarray(data.n * data.size ** 2), data.size);
      below.paint(state.reconstructions, data.size);
      const values = [elbo, reconstruction, reconstruction - elbo];
      terms.forEach(({ value }, i) => { value.textContent = format(values[i]); });
      for (const part of equation.children) part.hidden = Number.isNaN(elbo) && part !== terms[1].cell;
      drawBars(bars, kl);
      painted = state;
    }
    const z = run.z.map((value) => format(value)).join(", ");
    place.textContent = `decoded at z = (${z})${run.near >= 0 ? ", and the image x there" : ""}`;
    if (run.decoded && run.decoded !== answered) decoded.paint(answered = run.decoded, data.size);
    near.canvas.hidden = run.near < 0 || !data;
    if (!near.canvas.hidden) near.paint(data.images.subarray((data.n + run.near) * data.size ** 2), data.size);
  });
  const pairs = createFigure("pairs", "Images x and their reconstructions", above.canvas, below.canvas);
  return dom.element("div", { className: "side" }, pairs, equation, bars,
    dom.element("figure", { className: "point" }, place, decoded.canvas, near.canvas));
}

/** A bar for the KL of each latent; an active one, from 0.1 nats on, is filled. */
function drawBars(bars, kl) {
  if (bars.childElementCount !== kl.length) {
    const create = () => dom.element("span", {}, dom.element("i"), dom.element("small"));
    bars.replaceChildren(...Array.from(kl, create));
  }
  kl.forEach((nats, i) => {
    const [bar, text] = bars.children[i].children;
    bar.style.height = `${Math.min(1, (nats || 0) / 4) * 100}%`;
    bar.style.background = latentColour(i);
    text.textContent = `${latentName(i)} ${format(nats, kl.length > 2 ? 1 : 2)}`;
  });
}

