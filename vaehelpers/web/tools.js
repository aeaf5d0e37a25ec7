// What stands beside the picture when its button is pressed: other ways to a code than its sliders.
import * as space from "./space.js";
import * as dom from "./dom.js";
import * as hands from "./hands.js";
import * as network from "./network.js";

const MAP = 720; // pixels along an edge of the map
const { LIMIT } = space;
const GRID = 15; // pictures along an edge of the manifold
const MARK = "#f08c00";

/** The tools that fit a model, each with its name and what makes its elements. */
export function list({ model, traits }) {
  const vary = traits.get("vary");
  return [
    vary.length && vary.every((name) => name in hands.FACTORS) ? ["True hand", truth] : null,
    traits.get("pictures").codes ? ["Map of codes", map] : null,
    model.latentDim === 2 ? ["Manifold", manifold] : null,
    ["Your own picture", own],
  ].filter(Boolean);
}

/** The true factors draw a hand; the encoder looks at it, and the latents answer. */
function truth({ model, traits, look }) {
  const names = Object.keys(hands.FACTORS), factors = names.map((name) => hands.FACTORS[name].neutral);
  const { canvas, paint } = dom.screen(model, { className: "screen" });
  const draw = () => {
    const pixels = hands.render(factors, model.size);
    paint(pixels);
    const values = traits.get("vary").map((name) => `${name} ${factors[names.indexOf(name)].toFixed(2)}`);
    canvas.ariaLabel = `true hand with ${values.join(", ")}`;
    look(pixels);
  };
  const sliders = traits.get("vary").map((name) => {
    const { low, high, neutral } = hands.FACTORS[name], step = (high - low) / 100;
    const range = dom.element("input", { type: "range", min: low, max: high, step, value: neutral });
    range.addEventListener("input", () => {
      factors[names.indexOf(name)] = range.valueAsNumber;
      draw();
    });
    return dom.labelled(name, range);
  });
  draw();
  return [canvas, dom.element("div", { className: "factors" }, ...sliders)];
}

/** Pictures placed by their codes: along two latents, or along the two directions in which the codes vary most. */
function map({ traits, code, latents }) {
  const { codes, components } = traits.get("pictures");
  const unit = (i) => codes[0].map((_, j) => Number(i === j));
  const axes = [
    ...latents.map(({ i, name, small }) => ({ textContent: `${name} ${small}`, vector: unit(i) })),
    ...components.map((vector, k) => ({ textContent: `component ${k + 1} of the codes (PCA)`, vector })),
  ];
  const selects = [0, 1].map((k) => {
    const options = axes.map(({ textContent }, value) => dom.element("option", { value, textContent }));
    const select = dom.element("select", {}, ...options);
    select.value = Math.min(k, axes.length - 1);
    select.addEventListener("change", () => arrange());
    return select;
  });
  const which = dom.element("input", { type: "number", min: 0, max: codes.length - 1, step: 1 });
  const chart = makeChart(traits.get("pictures")), mark = ring();
  let project;
  const show = () => {
    mark.put(...project(code.z));
    const here = codes.findIndex((place) => place.every((value, i) => value === code.z[i]));
    which.value = here < 0 ? "" : here;
  };
  const arrange = () => {
    const [right, up] = selects.map((select) => scaled(axes[select.value].vector, codes));
    project = (z) => [right(z), 1 - up(z)];
    chart.places = codes.map(project);
    chart.draw();
    show();
  };
  const choose = (k) => codes[k] && code.move(codes[k]);
  chart.canvas.addEventListener("click", (event) => choose(chart.nearest(...share(event))));
  chart.canvas.addEventListener("pointermove", (event) => chart.draw(chart.nearest(...share(event))));
  chart.canvas.addEventListener("pointerleave", () => chart.draw());
  which.addEventListener("input", () => choose(which.valueAsNumber));
  arrange();
  code.hear(show);
  const controls = { "to the right": selects[0], upwards: selects[1], picture: which };
  const choices = Object.entries(controls).map(([name, control]) => dom.labelled(name, control));
  const whole = dom.element("div", { className: "chart" }, chart.canvas, mark.element);
  return [whole, dom.element("div", { className: "factors" }, ...choices)];
}

/** Return a function from a code to its share of the way along a direction, such that all pictures find room. */
function scaled(vector, codes) {
  const along = (z) => vector.reduce((sum, value, i) => sum + value * z[i], 0);
  const far = 1.12 * Math.max(1e-6, ...codes.map((z) => Math.abs(along(z))));
  return (z) => Math.min(1, Math.max(0, (along(z) / far + 1) / 2));
}

/** Small pictures at their places; the one under the pointer is drawn large. */
function makeChart({ codes, thumbs }) {
  const canvas = dom.element("canvas", { width: MAP, height: MAP, role: "img" });
  canvas.ariaLabel = `map of the codes of ${codes.length} pictures`;
  const context = canvas.getContext("2d"), columns = Math.ceil(Math.sqrt(codes.length));
  const chart = { canvas, places: [], draw, nearest };
  let sheet = null, large = -1;
  function put(k, size) {
    const side = sheet.width / columns, corner = (share) => Math.min(MAP - size, Math.max(0, share * MAP - size / 2));
    const [left, top] = chart.places[k].map(corner);
    context.drawImage(sheet, side * (k % columns), side * Math.floor(k / columns), side, side, left, top, size, size);
    return [left, top, size, size];
  }
  function draw(hovered = -1) {
    large = hovered;
    context.clearRect(0, 0, MAP, MAP);
    const shown = []; // a picture that would hide an earlier one, or that is not there, is a dot
    context.fillStyle = "#999";
    for (const [k, [x, y]] of chart.places.entries()) {
      const hides = ([left, top]) => Math.max(Math.abs(left - x), Math.abs(top - y)) < 0.075;
      if (!sheet || shown.some(hides)) {
        context.fillRect(x * MAP - 2, y * MAP - 2, 4, 4);
      } else {
        put(k, 60);
        shown.push([x, y]);
      }
    }
    context.strokeStyle = MARK;
    context.lineWidth = 4;
    if (sheet && large >= 0) context.strokeRect(...put(large, 150));
  }
  function nearest(x, y) {
    const distances = chart.places.map(([left, top]) => Math.hypot(left - x, top - y));
    return distances.indexOf(Math.min(...distances));
  }
  createImageBitmap(new Blob([thumbs])).then((image) => {
    sheet = image;
    draw(large);
  }, () => {}); // what is damaged stays dots
  return chart;
}

/** All that a model with two latents can draw; drag across it. */
function manifold({ model, code }) {
  const name = "manifold: the first latent grows to the right, the second upwards";
  const { canvas, paint } = dom.screen(model, { ariaLabel: name }, GRID, GRID), mark = ring();
  const value = (k) => LIMIT * (2 * (k + 0.5) / GRID - 1);
  dom.idly(function* () {
    for (let row = 0; row < GRID; row++) {
      for (let column = 0; column < GRID; column++) {
        paint(network.decode(model, [value(column), -value(row)]), column, row);
        yield;
      }
    }
  }, 0)();
  const follow = (event) => {
    const [x, y] = share(event);
    if (event.buttons) code.move([LIMIT * (2 * x - 1), LIMIT * (1 - 2 * y)]);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    follow(event);
  });
  canvas.addEventListener("pointermove", follow);
  const show = () => mark.put((code.z[0] / LIMIT + 1) / 2, (1 - code.z[1] / LIMIT) / 2);
  code.hear(show);
  show();
  return [dom.element("div", { className: "chart" }, canvas, mark.element)];
}

/** A ring that marks the code on a chart. */
function ring() {
  const made = dom.element("div", { className: "ring" });
  const put = (x, y) => {
    made.style.setProperty("--x", x);
    made.style.setProperty("--y", y);
  };
  return { element: made, put };
}

/** Where on its element an event happened, as shares of width and height. */
function share({ offsetX, offsetY, target }) {
  return [offsetX / target.clientWidth, offsetY / target.clientHeight];
}

/** A picture drawn here, opened or dropped: the encoder sees it in the size and the colours of its training. */
function own({ model, look }) {
  const { size } = model, words = "Draw here with the pointer, or drop a picture.";
  const canvas = dom.element("canvas", { width: size, height: size, className: "screen paper", role: "img" });
  canvas.ariaLabel = words;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const see = () => look(readPixels(context, model));
  const clear = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, size, size);
  };
  clear("black");
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    context.beginPath();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    line(context, size, event);
    see();
  });
  const clearing = dom.button("clear", () => {
    clear("black");
    see();
  });
  const read = (image, side) => {
    clear("white"); // what is transparent is paper
    context.imageSmoothingQuality = "high";
    context.drawImage(image, (image.width - side) / 2, (image.height - side) / 2, side, side, 0, 0, size, size);
    see();
  };
  const controls = dom.element("div", { className: "buttons" }, clearing, ...opened(canvas, read));
  return [canvas, dom.element("p", { textContent: words }), controls];
}

/** What opens a file, or takes one that is dropped on `target`, and says so when it is no picture. */
function opened(target, read) {
  const note = dom.element("p", { role: "alert" }), input = dom.element("input", { type: "file", accept: "image/*" });
  const open = async ([file]) => {
    if (!file) return;
    note.textContent = "";
    try {
      const image = await createImageBitmap(file);
      read(image, Math.min(image.width, image.height));
    } catch (error) {
      note.textContent = `${file.name} cannot be read as a picture: ${error.message}`;
    }
  };
  input.addEventListener("click", () => { input.value = ""; }); // else the same file again would be no change
  input.addEventListener("change", () => open(input.files));
  target.addEventListener("dragover", (event) => event.preventDefault());
  target.addEventListener("drop", (event) => {
    event.preventDefault();
    open(event.dataTransfer.files);
  });
  return [dom.labelled("or open a file: ", input), note];
}

/** Draw on to where the pointer is, as thick as the strokes of the course's digits. */
function line(context, size, { offsetX, offsetY, target }) {
  context.lineWidth = size / 10;
  context.lineCap = context.lineJoin = "round";
  context.strokeStyle = "white";
  const [x, y] = [offsetX * size / target.clientWidth, offsetY * size / target.clientHeight];
  context.lineTo(x, y);
  context.stroke();
  context.beginPath();
  context.moveTo(x, y);
}

/** Read a square canvas as pixels (channels, size, size) in [0, 1]; grey as Pillow makes it of colours (ITU-R 601). */
function readPixels(context, { size, channels }) {
  const { data } = context.getImageData(0, 0, size, size), plane = size ** 2;
  const pixels = new Float32Array(channels * plane);
  for (let p = 0; p < plane; p++) {
    const [r, g, b] = [0, 1, 2].map((c) => data[4 * p + c] / 255);
    if (channels === 1) pixels[p] = 0.299 * r + 0.587 * g + 0.114 * b;
    else [r, g, b].forEach((value, c) => { pixels[c * plane + p] = value; });
  }
  return pixels;
}
