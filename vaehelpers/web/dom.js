// Elements, and the little that moves: what every part of the explorer is put together from.

/** Make an element with properties (`ariaLabel` and `role` are properties too) and children. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function button(text, click, properties = {}) {
  const made = element("button", { type: "button", textContent: text, ...properties });
  made.addEventListener("click", click);
  return made;
}

/** A label that stands before its control. */
export function labelled(text, control) {
  return element("label", {}, element("span", { textContent: text }), control);
}

/** A canvas for `columns` × `rows` pictures of a model, and a function that paints pixels (channels, size, size). */
export function screen({ size, channels }, properties, columns = 1, rows = 1) {
  const canvas = element("canvas", { width: columns * size, height: rows * size, role: "img", ...properties });
  const context = canvas.getContext("2d"), image = context.createImageData(size, size), plane = size ** 2;
  image.data.fill(255);
  const paint = (pixels, column = 0, row = 0) => {
    for (let p = 0; p < plane; p++) {
      for (let c = 0; c < 3; c++) image.data[4 * p + c] = 255 * pixels[channels === 3 ? c * plane + p : p]; // rounded
    }
    context.putImageData(image, column * size, row * size);
  };
  return { canvas, paint, context };
}

/**
 * Return a function that runs `step(t)`, t from 0 to 1, for some milliseconds, then `end(true)`. It ends early, with
 * `end(false)`, by another call, with or without a step, where the page is hidden, and where `signal` aborts.
 * Where motion is unwelcome there are seven steps.
 */
export function makePlayer(signal) {
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let stop = () => {};
  signal.addEventListener("abort", () => stop());
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); }, { signal });
  return (milliseconds, step, end) => {
    stop();
    if (!step) return;
    const began = performance.now();
    let timer = 0, frame = 0;
    stop = (whole = false) => {
      clearTimeout(timer);
      cancelAnimationFrame(frame);
      stop = () => {};
      end(whole);
    };
    const next = () => {
      const t = Math.min(1, (performance.now() - began) / milliseconds);
      step(t);
      if (t === 1) stop(true);
      else if (calm.matches) timer = setTimeout(next, milliseconds / 6);
      else frame = requestAnimationFrame(next);
    };
    next();
  };
}

/** Return a function that starts a generator over, and runs it bit by bit once nothing has started it for a while. */
export function idly(work, wait = 150) {
  let timer = 0;
  const run = (bits) => {
    const began = performance.now();
    while (performance.now() - began < 6) if (bits.next().done) return; // leave time for a frame
    timer = setTimeout(run, 0, bits);
  };
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => run(work()), wait);
  };
}
