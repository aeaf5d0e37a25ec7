// Quizzes whose options are buttons, and predictions that hold back what follows until there is a guess.
// Load this script after the content, deferred or at the end of the body, with questions.css.
(() => {
  "use strict";
  const isGerman = document.documentElement.lang.startsWith("de");
  const isDeck = document.querySelector(".reveal .slides") !== null;
  const localised = (english, german) => (isGerman ? german : english);
  const PAGE = `vaehelpers: ${location.pathname}`, ALL = "vaehelpers: show everything";
  const load = (key) => {
    try {
      return JSON.parse(localStorage.getItem(key));
    } catch {
      return null;
    }
  };
  const save = (key, value) => {
    try {
      localStorage.setItem(key, JSON.stringify(value));
    } catch {} // without access, it is kept until the page is left
  };
  const state = { tries: {}, guesses: {}, ...(isDeck ? {} : load(PAGE)) };
  let showsAll = load(ALL) === true;

  const find = (selector) => [...document.querySelectorAll(selector)];
  const make = (name, properties, ...children) => {
    const element = Object.assign(document.createElement(name), properties);
    element.append(...children);
    return element;
  };
  const contentOf = (item) => item.querySelector(":scope > p") ?? item;
  const label = (element) => element.querySelector(":scope > strong:first-child")?.textContent ?? "";

  const answerOf = (list) => {
    const isBelow = (each) => list.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
    return find("details").find(isBelow);
  };

  // Each option's letter becomes a button that covers the option. Formulas stay outside of the button, since its
  // accessible name would omit them. Below the options is the answer's explanation of the one pressed last.
  function addQuiz(list, number) {
    const answer = answerOf(list);
    const letters = [...answer.querySelectorAll("strong")].filter((each) => /^[A-D]$/.test(each.textContent));
    const right = letters[0].textContent; // an answer begins with the right letter
    const verdict = make("p", { className: "verdict", role: "status" });
    const explain = (letter) => {
      const first = letters.find((each) => each.textContent === letter), copies = [];
      for (let node = first; node && (node === first || !letters.includes(node)); node = node.nextSibling) {
        copies.push(node.cloneNode(true));
      }
      return copies;
    };
    const show = (letter) => {
      const mark = letter === right ? "✓" : "✗";
      for (const button of buttons) button.ariaPressed = button.value === letter;
      buttons.find((button) => button.value === letter).closest("li").dataset.mark = verdict.dataset.mark = mark;
      const word = mark === "✓" ? localised("Right.", "Richtig.") : localised("Not right.", "Nicht richtig.");
      verdict.replaceChildren(make("strong", {}, `${mark} ${word}`), " ", ...explain(letter));
    };
    const buttons = [...list.children].map((item) => {
      const first = contentOf(item).firstElementChild, value = first.textContent[0];
      const button = make("button", { type: "button", value, ariaPressed: false });
      first.replaceWith(button);
      button.append(first);
      button.addEventListener("click", () => {
        (state.tries[number] ??= []).push(value);
        show(value);
        if (!isDeck) update();
      });
      return button;
    });
    list.classList.add("options");
    list.after(verdict);
    state.tries[number]?.filter((letter) => buttons.some(({ value }) => value === letter)).forEach(show);
    if (isDeck) { // leave room for the longest explanation; the next key press shows the right option
      const texts = letters.map((each) => make("span", {}, ...explain(each.textContent)));
      verdict.append(texts.sort((a, b) => b.textContent.length - a.textContent.length)[0]);
      const hide = () => {
        for (const each of [verdict, ...list.children]) each.removeAttribute("data-mark");
        for (const button of buttons) button.ariaPressed = false;
      };
      verdict.after(make("span", { className: "fragment", show: () => show(right), hide }));
    }
    return { isRight: () => state.tries[number]?.[0] === right };
  }

  // A form for the guess takes the place of the section's rest.
  const choicesOf = (paragraph) => paragraph.nextElementSibling?.dataset.guesses?.split(" | ") ?? [];
  function addPrediction(paragraph, number) {
    const buttons = choicesOf(paragraph).map((value) => make("button", { value }, value));
    const name = localised("Your guess:", "Deine Vermutung:");
    const placeholder = localised("in your own words, if you like", "in eigenen Worten, wenn du magst");
    const field = make("input", { ariaLabel: name, placeholder });
    const go = make("button", {}, localised("I have a guess: show me", "Ich habe eine Vermutung: zeigen"));
    const form = make("form", { className: "guess" }, name, ...(buttons.length ? buttons : [field, go]));
    const guess = make("p", { className: "guess", role: "status", tabIndex: -1 });
    const held = make("div", { className: "held" });
    paragraph.after(form, guess, held);
    const isRest = (element) => element && !element.matches("h1, h2, h3, h4, section, footer");
    while (isRest(held.nextElementSibling)) held.append(held.nextElementSibling);
    let isFound = false; // by a search or a link
    held.addEventListener("beforematch", () => {
      isFound = true;
      update();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      state.guesses[number] = event.submitter?.value || field.value.trim();
      update();
      guess.focus({ preventScroll: true });
    });
    const isMade = () => number in state.guesses;
    const show = () => {
      form.hidden = isMade() || showsAll;
      guess.hidden = !isMade();
      const words = state.guesses[number] || localised("not written down", "nicht aufgeschrieben");
      guess.replaceChildren(`${name} `, make("strong", {}, words));
      if (showsAll || isFound || isMade()) held.removeAttribute("hidden");
      else held.setAttribute("hidden", "until-found");
    };
    return { isMade, show };
  }

  // On a slide, a press marks a guess, and the next key shows what follows.
  function addVotes(paragraph) {
    const buttons = choicesOf(paragraph).map((value) => make("button", { type: "button", ariaPressed: false }, value));
    for (const button of buttons) {
      button.addEventListener("click", () => buttons.forEach((each) => (each.ariaPressed = each === button)));
    }
    paragraph.after(make("div", { className: "guess" }, ...buttons));
    let part = paragraph.closest(".part");
    while ((part = part.nextElementSibling)) {
      if (!part.matches(".part:not(.fragment)")) continue;
      part.classList.add("fragment");
      part.dataset.fragmentIndex = 0;
    }
  }

  // A switch at the top of a page, and a tally at its end.
  function addSwitch(title) {
    const input = make("input", { type: "checkbox", checked: showsAll });
    input.addEventListener("change", () => {
      showsAll = input.checked;
      save(ALL, showsAll);
      update();
    });
    const why = localised("The text waits for your guesses.", "Der Text wartet auf deine Vermutungen.");
    const all = make("label", {}, input, localised("Show everything", "Alles zeigen"));
    title.after(make("p", { className: "switch" }, why, all));
  }
  function addTally(title) {
    const again = make("button", { type: "button" }, localised("Start again", "Von vorn anfangen"));
    again.addEventListener("click", () => {
      save(PAGE, {});
      location.reload();
    });
    const where = localised("This is kept in this browser only.", "Das bleibt in diesem Browser.");
    const tally = make("p", {}), box = make("div", { className: "tally" }, tally, make("p", {}, where), again);
    title.closest("article, main, body").append(box);
    return tally;
  }
  function update() {
    for (const each of predictions) each.show();
    save(PAGE, state);
    const asked = quizzes.length, right = quizzes.filter((each) => each.isRight()).length;
    const all = predictions.length, made = predictions.filter((each) => each.isMade()).length;
    tally.textContent = localised(
      `${right} of ${asked} questions right at the first try, ${made} of ${all} predictions made.`,
      `${right} von ${asked} Fragen im ersten Versuch richtig, ${made} von ${all} Vorhersagen gemacht.`,
    );
  }
  function openTarget() {
    const target = document.getElementById(location.hash.slice(1).split("?")[0]); // a figure's state may follow
    target?.closest(".held")?.dispatchEvent(new Event("beforematch", { bubbles: true }));
    target?.scrollIntoView();
  }

  const firsts = find("li:first-child").filter((item) => label(contentOf(item)) === "A.");
  const quizzes = firsts.map((item) => item.parentElement).filter(answerOf).map(addQuiz);
  const predicts = find("p").filter((each) => /^(Predict|Sag voraus):/.test(label(each)));
  if (isDeck) {
    predicts.forEach(addVotes);
    const follow = () => {
      for (const each of Reveal.getCurrentSlide().querySelectorAll("span.fragment")) {
        if (each.matches(".visible")) each.show?.();
        else each.hide?.();
      }
    };
    for (const event of ["fragmentshown", "fragmenthidden", "slidechanged"]) Reveal.on(event, follow);
    // A focused button has the keys, until a click gives them back to the slides.
    const isForButton = ({ key, target }) => [" ", "Enter"].includes(key) && target.matches("button");
    addEventListener("keydown", (event) => isForButton(event) && event.stopPropagation(), true);
    addEventListener("click", (event) => event.detail && event.target.closest("button")?.blur());
    return;
  }
  const predictions = predicts.map(addPrediction);
  if (!quizzes.length && !predictions.length) return;
  const title = document.querySelector("article h1") ?? document.querySelector("h1"), tally = addTally(title);
  if (predictions.length) addSwitch(title);
  update();
  openTarget();
  addEventListener("hashchange", openTarget);
})();
