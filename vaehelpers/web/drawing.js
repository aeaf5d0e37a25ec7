// Canvases, colours and numbers of the playground.
import * as dom from "./dom.js";

// The cycle petroff10, as in the lessons.
export const BLUE = "#3f90da";
export const ORANGE = "#ffa90e";
export const RED = "#bd1f01";
export const COLOURS = [BLUE, ORANGE, RED, "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd"];
export const latentName = (i) => `z${"₁₂₃₄₅₆₇₈"[i]}`;
export const latentColour = (i) => COLOURS[[1, 4, 2, 0, 3, 5, 6, 8][i]];

/** Return a number with a minus sign instead of a hyphen, or a dash if it is not finite. */
export function format(value, digits = 1) {
  const text = value.toFixed(digits);
  return !Number.isFinite(value) ? "–" : Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

export const thousands = (value) => value.toLocaleString("en");

/** A figure with a caption of text or elements. */
export function createFigure(name, title, ...children) {
  return dom.element("figure", { className: name }, dom.element("figcaption", {}, ...[title].flat()), ...children);
}

/** A canvas as wide as its box at the screen's resolution; `start` clears it and returns what drawing needs. */
export function createCanvas(run, properties) {
  const canvas = dom.element("canvas", { role: "img", ...properties }), context = canvas.getContext("2d");
  new ResizeObserver(() => {
    canvas.stale = true;
    run.draw();
  }).observe(canvas);
  const start = () => {
    const { clientWidth: width, clientHeight: height } = canvas, ratio = devicePixelRatio * (canvas.currentCSSZoom ?? 1);
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    }
    const style = getComputedStyle(canvas);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    Object.assign(context, { font: `12px ${style.fontFamily}`, globalAlpha: 1 });
    Object.assign(context, { fillStyle: style.color, strokeStyle: style.color });
    canvas.stale = false;
    return { context, width, height, ink: style.color };
  };
  return { canvas, start };
}

/** A canvas of `columns` × `rows` grey images, in which `paint` paints as many as there are. */
export function createScreen(columns, rows, properties) {
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
        for (let x = 0; x < size; x++, p++) {
          words[corner + y * width + x] = 0xff000000 | Math.round(255 * pixels[p]) * 0x010101;
        }
      }
    }
    context.putImageData(sheet, 0, 0);
  };
  return { canvas, paint };
}
