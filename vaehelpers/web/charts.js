// The curves of a run of the playground.
import * as dom from "./dom.js";
import * as drawing from "./drawing.js";

const { BLUE, RED, createCanvas, createFigure, format, latentColour, latentName, thousands } = drawing;

/** The curves of the run, and the run as a walk in the rate–distortion plane; the run before it is paler. */
export function createCharts(run) {
  const rate = ({ kl }) => kl.reduce((sum, nats) => sum + nats, 0);
  const isFinite = (place) => place.every(Number.isFinite);
  const place = (points, x, y) => points.map((point) => [x(point), y(point)]).filter(isFinite);
  const curve = (points, y, style) => ({ points: place(points, ({ images }) => images, y), ...style });
  const title = ["ELBO and ", dom.element("span", { className: "blue", textContent: "reconstruction term" }), ", nats"];
  const bound = createChart(run, "bound", title, ({ history, previous }, ink) => [
    curve(previous, ({ elbo }) => elbo, { colour: ink, alpha: 0.3, width: 2 }),
    curve(history, ({ training }) => training ?? NaN, { colour: ink, alpha: 0.6, dash: [3, 3], label: "training" }),
    curve(history, ({ reconstruction }) => reconstruction, { colour: BLUE, label: "reconstruction" }),
    curve(history, ({ elbo }) => elbo, { colour: ink, width: 2.5, label: "ELBO" }),
  ], { focus: true });
  const kl = createChart(run, "kl", "KL of each latent, nats", ({ history, previous }) =>
    [previous, history].flatMap((points) => {
      const latents = Array.from(points.at(-1)?.kl ?? [], (_, i) => i);
      return latents.map((i) => curve(points, (point) => point.kl[i], {
        colour: latentColour(i), width: 2.5, ...(points === previous ? { alpha: 0.3 } : { label: latentName(i) }),
      }));
    }), { zero: true });
  const walk = createChart(run, "walk", "Distortion (− reconstruction) over rate (KL)", ({ history, previous }, ink) =>
    [previous, history].map((points) => ({
      points: place(points, rate, ({ reconstruction }) => -reconstruction), colour: ink, width: 1.5,
      alpha: points === previous ? 0.3 : 0.8, dot: points === history,
    })), { focus: true, zero: true, walk: true });
  return [bound, kl, walk];
}

/** A chart of curves that `list` returns. `focus` leaves out the extreme start; `zero` includes 0. */
function createChart(run, name, title, list, options) {
  const ariaLabel = [title].flat().map((part) => part.textContent ?? part).join("");
  const { canvas, start } = createCanvas(run, { ariaLabel });
  let drawn = null;
  run.subscribe(() => {
    if (drawn === run.state && !canvas.stale) return;
    drawn = run.state;
    const frame = start(), curves = list(run, frame.ink).filter(({ points }) => points.length);
    if (curves.length) drawChart(frame, curves, options);
    else if (run.state && !run.settings.noise) {
      frame.context.globalAlpha = 0.7;
      frame.context.fillText("Without noise q(z|x) is a point, and has no KL.", 0, 20);
    }
  });
  return createFigure(name, title, canvas);
}

function drawChart({ context, width, height, ink }, curves, { focus, zero, walk }) {
  const right = walk ? 8 : focus ? 92 : 24, bottom = 16, top = 6;
  const ys = curves.flatMap(({ points }) => points.map(([, y]) => y)).filter(Number.isFinite).sort((a, b) => a - b);
  const xs = curves.flatMap(({ points }) => points.map(([x]) => x)), most = Math.max(walk ? 1 : 6400, ...xs);
  const quantile = (share) => ys[Math.floor(share * (ys.length - 1))];
  const last = curves.map(({ points }) => points.at(-1)[1]); // is never left out
  let low = walk || zero ? quantile(0) : Math.min(quantile(0.15), ...last);
  let high = walk ? Math.max(quantile(0.9), ...last) : quantile(1);
  if (zero && !walk) low = 0;
  const margin = Math.max(0.06 * (high - low), walk ? 2 : zero ? 0.05 : 0.5); // so that no noise is enlarged
  [low, high] = [zero && !walk ? 0 : low - margin, high + margin];
  const marks = ticks(low, high);
  const isExact = (digits) => marks.every((tick) => Math.abs(tick - tick.toFixed(digits)) < 1e-9);
  const digits = [0, 1].find(isExact) ?? 2;
  const left = Math.max(36, 6 + Math.max(...marks.map((tick) => context.measureText(format(tick, digits)).width)));
  const x = (value) => left + value / most * (width - left - right);
  const y = (value) => top + (high - value) / (high - low) * (height - top - bottom);
  Object.assign(context, { textAlign: "right", textBaseline: "middle", lineWidth: 1 });
  for (const tick of marks) {
    context.globalAlpha = 0.12;
    context.stroke(new Path2D(`M${left} ${y(tick)}H${width - right}`));
    context.globalAlpha = 0.7;
    context.fillText(format(tick, digits), left - 5, y(tick));
  }
  context.textBaseline = "alphabetic";
  context.fillText(walk ? `${format(most)} nats` : `${thousands(Math.round(most))} images`, width - right, height - 4);
  context.textAlign = "left";
  context.fillText("0", left, height - 4);
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
    Object.assign(context, { fillStyle: ink, globalAlpha: 0.5 });
    context.setLineDash([2, 4]);
    const slope = (y(1) - y(0)) / (x(1) - x(0)); // where rate + distortion, the negative ELBO, stays the same
    context.stroke(new Path2D(`M${px - 400} ${py + 400 * slope}L${px + 400} ${py - 400 * slope}`));
    context.globalAlpha = 0.7;
    if (px > left + 80) context.fillText("same ELBO", left + 4, Math.max(py + (px - left) * slope - 5, 12));
    Object.assign(context, { fillStyle: RED, globalAlpha: 1 });
    context.beginPath();
    context.arc(px, py, 5, 0, 2 * Math.PI);
    context.fill();
  }
  context.restore();
  labelEnds(context, ink, curves.filter(({ label }) => label), x, y, height - bottom);
}

/** Write each curve's name at its end, apart from each other. */
function labelEnds(context, ink, curves, x, y, bottom) {
  const ends = curves.map(({ points, label, colour, alpha = 1 }) => {
    const [px, py] = points.at(-1);
    return { label, colour, alpha, x: x(px), y: y(py) };
  });
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

/** Return about four round numbers from `low` to `high`. */
function ticks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
}
