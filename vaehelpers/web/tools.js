// Tools that open beside the image: other ways than sliders to choose a code.
import * as state from "./state.js";
import * as dom from "./dom.js";
import * as hands from "./hands.js";
import * as network from "./network.js";

const { LIMIT } = state;
const MAP = 720; // pixels along an edge of the map
const GRID = 15; // images along an edge of the manifold

/** Return the tools that fit a model: the name of each, and the function that creates its elements. */
export function list({ model, traits }) {
  const vary = traits.get("vary");
  return [
    vary.length && vary.every((name) => name in hands.FACTORS) ? ["True hand", createTrueHand] : null,
    traits.get("images").codes ? ["Map of codes", createMap] : null,
    model.latentDim === 2 ? ["Manifold", createManifold] : null,
    ["Your own image", createOwnImage],
  ].filter(Boolean);
}

/** A hand drawn from its true factors by sliders, and encoded. */
function createTrueHand({ model, traits, encode }) {
  const vary = traits.get("vary");
  const factors = Object.entries(hands.FACTORS);
  const values = Object.fromEntries(factors.map(([name, [low, high, neutral]]) => [name, neutral]));
  const { canvas, paint } = dom.createScreen(model, { className: "screen" });
  const draw = () => {
    const pixels = hands.render(Object.values(values), model.size);
    paint(pixels);
    canvas.ariaLabel = `true hand with ${vary.map((name) => `${name} ${values[name].toFixed(2)}`).join(", ")}`;
    encode(pixels);
  };
  const sliders = vary.map((name) => {
    const [low, high, neutral] = hands.FACTORS[name], step = (high - low) / 100;
    const range = dom.element("input", { type: "range", min: low, max: high, step, value: neutral });
    range.addEventListener("input", () => {
      values[name] = range.valueAsNumber;
      draw();
    });
    return dom.labelled(name, range);
  });
  draw();
  return [canvas, dom.element("div", { className: "factors" }, ...sliders)];
}

/** Images placed by their codes: along two latents, or along the two directions in which the codes vary most. */
function createMap({ traits, code, latents, subscribe }) {
  const { codes, components, thumbnails } = traits.get("images");
  const axes = [
    ...latents.map(({ i, name, details }) => [`${name} ${details}`, codes[0].map((_, j) => Number(i === j))]),
    ...components.map((vector, k) => [`component ${k + 1} of the codes (PCA)`, vector]),
  ];
  const selects = [0, 1].map((k) => {
    const options = axes.map(([textContent], value) => dom.element("option", { value, textContent }));
    const select = dom.element("select", {}, ...options);
    select.value = Math.min(k, axes.length - 1);
    select.addEventListener("change", () => arrange());
    return select;
  });
  const number = dom.element("input", { type: "number", min: 0, max: codes.length - 1, step: 1 });
  const chart = createChart(codes.length, thumbnails), ring = createRing();
  let project;
  const show = () => {
    ring.moveTo(...project(code.z));
    const here = codes.findIndex((place) => place.every((value, i) => value === code.z[i]));
    number.value = here < 0 ? "" : here;
  };
  const arrange = () => {
    const [right, up] = selects.map((select) => createScale(axes[select.value][1], codes));
    project = (z) => [right(z), 1 - up(z)];
    chart.places = codes.map(project);
    chart.draw();
    show();
  };
  const select = (k) => codes[k] && code.set(codes[k]);
  chart.canvas.addEventListener("click", (event) => select(chart.nearest(...dom.relativePosition(event))));
  chart.canvas.addEventListener("pointermove", (event) => chart.draw(chart.nearest(...dom.relativePosition(event))));
  chart.canvas.addEventListener("pointerleave", () => chart.draw());
  number.addEventListener("input", () => select(number.valueAsNumber));
  arrange();
  subscribe(show);
  const controls = Object.entries({ "to the right": selects[0], upwards: selects[1], image: number });
  const labels = controls.map(([name, control]) => dom.labelled(name, control));
  const whole = dom.element("div", { className: "chart" }, chart.canvas, ring.element);
  return [whole, dom.element("div", { className: "factors" }, ...labels)];
}

/** Return a function from a code to its position in [0, 1] along a direction, with room for all codes. */
function createScale(direction, codes) {
  const along = (z) => direction.reduce((sum, value, i) => sum + value * z[i], 0);
  const furthest = 1.12 * Math.max(1e-6, ...codes.map((z) => Math.abs(along(z))));
  return (z) => Math.min(1, Math.max(0, (along(z) / furthest + 1) / 2));
}

/** A canvas with thumbnails at their places; the one nearest to the pointer is drawn large. */
function createChart(n, thumbnails) {
  const ariaLabel = `map of the codes of ${n} images`, columns = Math.ceil(Math.sqrt(n));
  const canvas = dom.element("canvas", { width: MAP, height: MAP, role: "img", ariaLabel });
  const context = canvas.getContext("2d"), chart = { canvas, places: [], draw, nearest };
  let sheet = null, hovered = -1;
  function drawThumbnail(k, size) {
    const side = sheet.width / columns, corner = (share) => Math.min(MAP - size, Math.max(0, share * MAP - size / 2));
    const [left, top] = chart.places[k].map(corner);
    context.drawImage(sheet, side * (k % columns), side * Math.floor(k / columns), side, side, left, top, size, size);
    return [left, top, size, size];
  }
  function draw(large = -1) {
    hovered = large;
    context.clearRect(0, 0, MAP, MAP);
    const shown = []; // an image that would hide an earlier one, or is not loaded, is drawn as a dot
    context.fillStyle = "#999";
    for (const [k, [x, y]] of chart.places.entries()) {
      const hides = ([left, top]) => Math.max(Math.abs(left - x), Math.abs(top - y)) < 0.075;
      if (!sheet || shown.some(hides)) {
        context.fillRect(x * MAP - 2, y * MAP - 2, 4, 4);
      } else {
        drawThumbnail(k, 60);
        shown.push([x, y]);
      }
    }
    context.strokeStyle = "#f08c00";
    context.lineWidth = 4;
    if (sheet && large >= 0) context.strokeRect(...drawThumbnail(large, 150));
  }
  function nearest(x, y) {
    const distances = chart.places.map(([left, top]) => Math.hypot(left - x, top - y));
    return distances.indexOf(Math.min(...distances));
  }
  createImageBitmap(new Blob([thumbnails])).then((image) => {
    sheet = image;
    draw(hovered);
  }, () => {}); // damaged images stay dots
  return chart;
}

/** A grid of images over the latents of a model with two; dragging across it sets the code. */
function createManifold({ model, code, subscribe }) {
  const ariaLabel = "manifold: the first latent grows to the right, the second upwards";
  const { canvas, paint } = dom.createScreen(model, { ariaLabel }, GRID, GRID), ring = createRing();
  const value = (k) => LIMIT * (2 * (k + 0.5) / GRID - 1);
  dom.inBackground(function* () {
    for (let k = 0; k < GRID ** 2; k++) {
      const row = Math.floor(k / GRID), column = k % GRID;
      paint(network.decode(model, [value(column), -value(row)]), column, row);
      yield;
    }
  }, 0)();
  const setCode = (event) => {
    const [x, y] = dom.relativePosition(event);
    code.set([LIMIT * (2 * x - 1), LIMIT * (1 - 2 * y)]);
  };
  drag(canvas, setCode, setCode);
  subscribe(() => ring.moveTo((code.z[0] / LIMIT + 1) / 2, (1 - code.z[1] / LIMIT) / 2));
  return [dom.element("div", { className: "chart" }, canvas, ring.element)];
}

/** A ring that marks the code on a chart. */
function createRing() {
  const ring = dom.element("div", { className: "ring" });
  const moveTo = (x, y) => {
    ring.style.setProperty("--x", x);
    ring.style.setProperty("--y", y);
  };
  return { element: ring, moveTo };
}

/** Call `onPress` when the pointer is pressed, and `onMove` while it moves pressed, also beyond the canvas. */
function drag(canvas, onPress, onMove) {
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    onPress(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) onMove(event); });
}

/** An image that is drawn, opened or dropped here, and encoded in the size and colours of the model. */
function createOwnImage({ model, encode }) {
  const { size } = model, textContent = "Draw here with the pointer, or drop an image.";
  const properties = { className: "screen paper", role: "img", ariaLabel: textContent };
  const canvas = dom.element("canvas", { width: size, height: size, ...properties });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const fill = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, size, size);
  };
  const update = () => encode(readPixels(context, model));
  const moveTo = (event) => {
    context.beginPath();
    context.moveTo(...dom.relativePosition(event).map((share) => share * size));
  };
  const lineTo = (event) => {
    context.lineTo(...dom.relativePosition(event).map((share) => share * size));
    context.stroke();
    moveTo(event); // a new path, so that this segment is not drawn again
    update();
  };
  const clear = () => {
    fill("black");
    update();
  };
  const show = (image) => {
    const side = Math.min(image.width, image.height);
    fill("white"); // behind what is transparent
    context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, size, size);
    update();
  };
  fill("black");
  const strokes = { lineWidth: size / 10, lineCap: "round", lineJoin: "round", strokeStyle: "white" };
  Object.assign(context, strokes, { imageSmoothingQuality: "high" });
  drag(canvas, moveTo, lineTo);
  const controls = [dom.button("clear", clear), ...createFileInput(canvas, show)];
  return [canvas, dom.element("p", { textContent }), dom.element("div", { className: "buttons" }, ...controls)];
}

/** An input for an image file, which may also be dropped on `target`, and a message for a file that is no image. */
function createFileInput(target, show) {
  const note = dom.element("p", { role: "alert" }), input = dom.element("input", { type: "file", accept: "image/*" });
  const open = async ([file]) => {
    if (!file) return;
    note.textContent = "";
    try {
      show(await createImageBitmap(file));
    } catch (error) {
      note.textContent = `${file.name} cannot be read as an image: ${error.message}`;
    }
  };
  input.addEventListener("click", () => { input.value = ""; }); // so that choosing the same file again is a change
  input.addEventListener("change", () => open(input.files));
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer.files);
  });
  return [dom.labelled("or open a file: ", input), note];
}

/** Read a square canvas as pixels (channels, size, size) in [0, 1]; colours become grey as in Pillow (ITU-R 601). */
function readPixels(context, { size, channels }) {
  const { data } = context.getImageData(0, 0, size, size), plane = size ** 2;
  return Float32Array.from({ length: channels * plane }, (_, i) => {
    const at = 4 * (i % plane), c = Math.floor(i / plane);
    return (channels === 3 ? data[at + c] : 0.299 * data[at] + 0.587 * data[at + 1] + 0.114 * data[at + 2]) / 255;
  });
}
