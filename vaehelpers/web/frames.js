// Interactive figures on pages without a kernel: the controls of figures that were drawn in advance, frame by frame.
// A classic script, since browsers load no modules for a page that is opened as a file; load it after the content.
(() => {
  const PHONE = matchMedia("(max-width: 620px)");
  const DELAY = 250; // milliseconds without a change before the address and the description follow
  const OPENED = location.hash; // reveal.js replaces an address that names none of its slides

  let number = 0; // of the next control

  /** Make an element with properties and children. */
  const element = (tag, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  };

  async function unpack(text) {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
  }

  /** Return a function that shows a frame, a list of indices of parts, in `layer`, which holds the parts of `first`. */
  function createScreen(layer, parts, first) {
    const factory = layer.cloneNode();
    const create = (part) => {
      factory.innerHTML = parts[part];
      return factory.firstChild;
    };
    let shown = first, nodes = [...layer.childNodes];
    return (frame) => {
      const free = new Map();
      shown.forEach((part, i) => free.has(part) ? free.get(part).push(nodes[i]) : free.set(part, [nodes[i]]));
      nodes = frame.map((part) => free.get(part)?.shift() ?? create(part));
      for (const left of free.values()) for (const node of left) node.remove();
      let next = layer.firstChild;
      for (const node of nodes) {
        if (node === next) next = next.nextSibling;
        else layer.insertBefore(node, next);
      }
      shown = frame;
    };
  }

  // A control has a `row`, its element; a `size`, the number of its values; `text(i)`; `indexOf(text)`, -1 if unknown;
  // and `set(i)`, which shows the i-th value.
  function createRange({ label, min, max, step, digits }, onInput) {
    const size = Math.floor((max - min) / step + 1e-9) + 1;
    const text = (i) => (Math.round((min + i * step) * 1e9) / 1e9 || 0).toFixed(digits); // 0, not -0
    const indexOf = (named) => {
      const value = parseFloat(named?.replace("−", "-"));
      return Number.isNaN(value) ? -1 : Math.min(Math.max(Math.round((value - min) / step), 0), size - 1);
    };
    const id = `control-${number++}`, input = element("input", { type: "range", id, min: 0, max: size - 1, step: 1 });
    const output = element("output", { ariaLive: "off" }); // screen readers announce aria-valuetext
    let dragged = false;
    input.addEventListener("pointerdown", () => { dragged = true; });
    for (const end of ["pointerup", "pointercancel"]) input.addEventListener(end, () => { dragged = false; });
    // A key moves to the next frame in its direction; a pointer, to the nearest one.
    input.addEventListener("input", () => onInput(input.valueAsNumber, { nearest: dragged }));
    const set = (i) => {
      input.value = i;
      output.textContent = text(i).replace("-", "−");
      input.setAttribute("aria-valuetext", output.textContent);
    };
    const buttons = digits ? [] : [["−", -1], ["+", 1]].map(([textContent, by]) => {
      const button = element("button", { type: "button", textContent, ariaLabel: `${label}: ${by < 0 ? "back" : "on"}` });
      button.addEventListener("click", () => onInput(Math.min(size - 1, Math.max(0, input.valueAsNumber + by)), {}));
      return button;
    });
    const row = element("div", { className: "row" }, element("label", { textContent: label, htmlFor: id }), input);
    row.append(output, ...buttons);
    return { row, size, text, indexOf, set };
  }

  function createChoice({ label, options }, onInput) {
    const buttons = element("div"), name = `control-${number++}`;
    const inputs = options.map((option, i) => {
      const input = element("input", { type: "radio", name });
      input.addEventListener("change", () => onInput(i, {}));
      buttons.append(element("label", {}, input, element("span", { textContent: option })));
      return input;
    });
    const row = element("fieldset", { className: "row" }, element("legend", { textContent: label }), buttons);
    const indexOf = (named) => options.indexOf(named);
    return { row, size: options.length, text: (i) => options[i], indexOf, set: (i) => { inputs[i].checked = true; } };
  }

  function createCheck({ label }, onInput) {
    const input = element("input", { type: "checkbox" });
    input.addEventListener("change", () => onInput(Number(input.checked), {}));
    const row = element("label", { className: "check" }, input, element("span", { textContent: label }));
    const indexOf = (named) => ["0", "1"].indexOf(named);
    return { row, size: 2, text: String, indexOf, set: (i) => { input.checked = Boolean(i); } };
  }

  const CREATE = { range: createRange, choice: createChoice, check: createCheck };

  /** Show plots that are side by side one below the other on a narrow page: the first in `svg`, copies of the others. */
  function stackOnPhones(svg, cuts) {
    const { width, height } = svg.viewBox.baseVal;
    const natural = svg.width.baseVal.value / width; // pixels per unit
    const show = (panel, from, to) => {
      panel.setAttribute("viewBox", `${from} 0 ${to - from} ${height}`);
      panel.setAttribute("width", Math.round((to - from) * natural));
      return panel;
    };
    svg.lastChild.id = `${svg.parentElement.id}-parts`;
    const copies = cuts.slice(1, -1).map((from, i) => show(svg.cloneNode(), from, cuts[i + 2]));
    for (const copy of copies) {
      const use = document.createElementNS(svg.namespaceURI, "use");
      use.setAttribute("href", `#${svg.lastChild.id}`);
      copy.append(use);
    }
    const arrange = () => {
      show(svg, 0, PHONE.matches ? cuts[1] : width);
      if (PHONE.matches) svg.after(...copies);
      else for (const copy of copies) copy.remove();
    };
    PHONE.addEventListener("change", arrange);
    arrange();
  }

  /** Put controls above a figure; its frames are unpacked while the reader goes on. */
  async function createFigure(figure) {
    const [described, packed] = figure.querySelectorAll("script"), descriptions = JSON.parse(described.textContent);
    const svg = figure.querySelector("svg"), alt = svg.getAttribute("aria-label");
    const status = element("p", { className: "visually-hidden", role: "status" });
    const loaded = unpack(packed.textContent);
    const controls = descriptions.map((description, c) => CREATE[description.kind](description, async (i, { nearest }) => {
      await loaded;
      const direction = nearest ? 0 : Math.sign(i - states[current][c]);
      show(find(description.presets?.[i] ?? states[current].with(c, i), c, direction));
    }));
    const reset = element("button", { type: "button", textContent: "reset" });
    reset.addEventListener("click", () => loaded.then(() => show(0)));
    const sliders = element("div", { className: "sliders" }, ...controls.map(({ row }) => row), reset);
    svg.before(sliders, status);
    loaded.catch(() => sliders.replaceWith("This figure is not interactive: the page is damaged, or the browser is too old."));
    controls.forEach(({ set }, c) => set(descriptions[c].start));

    const { cuts, definitions, parts, frames, titles, states } = await loaded;
    svg.firstChild.insertAdjacentHTML("beforeend", definitions.join(""));
    if (cuts.length > 2) stackOnPhones(svg, cuts);
    const screen = createScreen(svg.lastChild, parts, frames[0]);
    let current = 0, timer = 0;
    /** Return the index of the frame nearest to a state, above all in the control `moved`; only frames in its direction. */
    function find(wanted, moved, direction = 0) {
      const distance = (state) => state.reduce((sum, value, c) => {
        const share = (value - wanted[c]) / (controls[c].size - 1);
        return sum + (c === moved ? 9 : 1) * (descriptions[c].kind === "range" ? share ** 2 : 10 * (share !== 0));
      }, 0);
      const ahead = (state) => !direction || (state[moved] - states[current][moved]) * direction > 0;
      let best = current, least = Infinity;
      for (const [k, state] of states.entries()) {
        if (ahead(state) && distance(state) < least) [best, least] = [k, distance(state)];
      }
      return best;
    }
    function show(k) {
      current = k;
      screen(frames[k]);
      controls.forEach(({ set }, c) => set(states[k][c]));
      clearTimeout(timer);
      timer = setTimeout(announce, DELAY);
    }
    /** Let the description and the address follow. */
    function announce() {
      status.textContent = titles[current];
      svg.setAttribute("aria-label", `${alt} Now: ${titles[current]}`);
      const values = descriptions.map(({ key }, c) => [key, controls[c].text(states[current][c])]);
      history.replaceState(history.state, "", `#${figure.id}?${new URLSearchParams(values)}`);
    }
    figure.restore = (values) => {
      const state = states[0].map((start, c) => {
        const named = controls[c].indexOf(values.get(descriptions[c].key));
        return named < 0 ? start : named;
      });
      show(find(state, 0));
    };
    figure.addEventListener("keydown", leaveControls);
    addEventListener("beforeprint", () => screen(frames[0]));
    addEventListener("afterprint", () => screen(frames[current]));
  }

  /** On slides, Escape and the keys of a presenter go back from the controls to the slides. */
  function leaveControls(event) {
    if (!window.Reveal || !["Escape", "PageUp", "PageDown"].includes(event.key)) return;
    document.activeElement.blur();
    event.preventDefault();
    if (event.key === "Escape") event.stopPropagation();
  }

  /** Let the address carry the state of an explorer or a playground, a page in a frame, which follows the address. */
  function linkExplorer(frame, i) {
    frame.id = `explorer-${i + 1}`;
    let wanted = null;
    const post = (message) => frame.contentWindow?.postMessage(message, "*");
    const send = () => { if (wanted !== null) post({ state: wanted }); };
    const { dataset } = document.documentElement; // slides are light; in a lesson's one file the system chooses
    const postTheme = () => post({ theme: window.Reveal ? "light" : dataset.theme });
    new MutationObserver(postTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    frame.addEventListener("load", () => {
      postTheme();
      send();
    });
    frame.restore = (values) => {
      wanted = String(values);
      send();
    };
    addEventListener("message", ({ source, data }) => {
      if (source !== frame.contentWindow) return;
      if (data?.leave && window.Reveal) {
        frame.blur();
        window.focus();
      }
      if (data?.height && !window.Reveal) frame.style.height = `${data.height}px`;
      if (typeof data?.state !== "string") return;
      wanted = data.state;
      history.replaceState(history.state, "", `#${frame.id}?${wanted}`);
    });
    postTheme(); // answered by the height, which it may have reported before
  }

  /** Move to the figure that the address names, and to its state. */
  function follow(hash) {
    const [name, values] = hash.slice(1).split("?"), figure = document.getElementById(name);
    if (values === undefined || !figure?.restore) return;
    figure.restore(new URLSearchParams(values));
    const slide = figure.closest(".slides section");
    if (slide) window.Reveal.slide(...Object.values(window.Reveal.getIndices(slide)));
    else figure.scrollIntoView();
  }

  async function start() {
    document.querySelectorAll("iframe.explorer").forEach(linkExplorer);
    await Promise.allSettled([...document.querySelectorAll("figure.live")].map(createFigure));
    if (window.Reveal && !window.Reveal.isReady()) window.Reveal.on("ready", () => follow(OPENED));
    else follow(OPENED);
    addEventListener("hashchange", () => follow(location.hash));
    document.documentElement.dataset.live = "ready";
  }
  start();
})();
