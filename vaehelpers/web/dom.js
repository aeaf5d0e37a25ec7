// Elements, animations and background work, shared by the explorer and the playground.

/** Make an element with properties (`ariaLabel` and `role` are properties too) and children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function button(text, onClick, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", onClick);
  return made;
}

export function labelled(text, control) {
  return element("label", {}, element("span", { textContent: text }), control);
}

/**
 * Keep the state of a page, as text, in its address or, inside a frame, in that of the parent page. Return the initial
 * `state` and a function `save`; `receive` is called with each later state. Inside a frame, Escape returns the focus to
 * the parent page, which also sets the theme.
 */
export function createAddress(receive) {
  const isFrame = parent !== window;
  addEventListener("message", ({ source, data }) => {
    if (source !== parent) return;
    if (typeof data?.state === "string") receive(data.state);
    if (data?.theme) document.documentElement.style.colorScheme = data.theme;
  });
  addEventListener("hashchange", () => receive(location.hash.slice(1)));
  if (isFrame) {
    const leave = ({ key }) => { if (key === "Escape") parent.postMessage({ leave: true }, "*"); };
    addEventListener("keydown", leave, { capture: true });
  }
  const save = (state) => isFrame ? parent.postMessage({ state }, "*") : history.replaceState(null, "", `#${state}`);
  return { state: location.hash.slice(1), save };
}

/** Make a canvas for `columns` × `rows` images of a model, and a function that paints pixels on it. */
export function createScreen({ size, channels }, properties, columns = 1, rows = 1) {
  const canvas = element("canvas", { width: columns * size, height: rows * size, role: "img", ...properties });
  const context = canvas.getContext("2d"), image = context.createImageData(size, size), plane = size ** 2;
  image.data.fill(255);
  const paint = (pixels, column = 0, row = 0) => {
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < 3; c++) image.data[4 * p + c] = 255 * pixels[channels === 3 ? c * plane + p : p]; // rounded
    }
    context.putImageData(image, column * size, row * size);
  };
  return { canvas, paint };
}

/**
 * Play one animation at a time. `start` calls `step(t)` with t from 0 to 1, then `onEnd(true)`. Another start, `stop`,
 * a hidden page or an aborted `signal` ends it early with `onEnd(false)`. With reduced motion it has 7 steps.
 */
export function createPlayer(signal) {
  const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
  let finish = null;
  const stop = () => finish?.(false);
  signal.addEventListener("abort", stop);
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); }, { signal });
  const start = (milliseconds, step, onEnd) => {
    stop();
    const began = performance.now();
    let timer = 0, frame = 0;
    finish = (complete) => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      finish = null;
      onEnd(complete);
    };
    const advance = () => {
      const t = Math.min(1, (performance.now() - began) / milliseconds);
      step(t);
      if (t === 1) finish(true);
      else if (reducedMotion.matches) timer = setTimeout(advance, milliseconds / 6);
      else frame = requestAnimationFrame(advance);
    };
    advance();
  };
  return { start, stop };
}

/** Return the position of a pointer event on its element, as shares of width and height. */
export function relativePosition({ clientX, clientY, target }) {
  const { left, top, width, height } = target.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

/** Return a function that restarts a generator, which runs in short slices after `delay` ms without a restart. */
export function inBackground(generator, delay = 150) {
  let timer = 0;
  const run = (work) => {
    const began = performance.now();
    while (performance.now() - began < 6) if (work.next().done) return; // leave time for a frame
    timer = setTimeout(run, 0, work);
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => run(generator()), delay);
  };
}
