# ruff: noqa: F811 (page_of is a fixture)
"""The explorer for everyone: by keyboard, by ear, without motion, in the dark, on narrow screens, and nothing jumps."""

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import FULL
from explorers import page_of, shipped  # noqa: F401

pytestmark = pytest.mark.slow

TOOLS = [(name, tool) for name in ("hands", "digits-2d") for tool in (None, "Map of codes", "Your own image")]
TOOLS += [("hands", "True hand"), ("digits-2d", "Manifold")]
EACH_TOOL = [("hands", "True hand"), ("hands", "Map of codes"), ("digits-2d", "Manifold")]
EACH_TOOL += [("digits-2d", "Your own image")]
SIZES = [(1280, 720), (1024, 768), (800, 600), (400, 800)]
CONTROLS = "button:enabled, input, select, summary"
# The control with the focus, by its number among all that can be seen, and how thick its frame is.
FOCUS = """(controls) => {
  const all = [...document.querySelectorAll(controls)].filter((each) => each.checkVisibility());
  const style = getComputedStyle(document.activeElement);
  const frame = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
  return [all.indexOf(document.activeElement), frame, all.length];
}"""
# Move a slider in fifty steps, and say what is then at another place on the page than before, or of another size.
JUMPS = """(range) => {
  const boxes = () => [...document.querySelectorAll("button, input, select, summary, canvas, h3, .name, .elbo")]
    .map((each) => {
      const { left, top, width, height } = each.getBoundingClientRect();
      return [each.localName, each.className, left + scrollX, top + scrollY, width, height].join();
    });
  const before = boxes(), { min, max } = range, jumped = new Set();
  for (let k = 0; k <= 50; k++) {
    range.value = Number(min) + k / 50 * (max - min);
    range.dispatchEvent(new Event("input"));
    boxes().forEach((box, i) => { if (box !== before[i]) jumped.add(`${before[i]} → ${box}`); });
  }
  return [...jumped, boxes().length - before.length];
}"""
# What reaches beyond the window to the right or the left, but for what is cut off on purpose.
BEYOND = """() => [...document.querySelectorAll("body *")].filter((each) => {
  const { left, right, width } = each.getBoundingClientRect();
  return width && each.checkVisibility() && (left < 0 || right > document.documentElement.clientWidth);
}).map((each) => each.outerHTML.slice(0, 80))"""
# Scroll to a slider, and say which parts of it and of the picture are not seen: beyond the window, or covered.
UNSEEN = """(range) => {
  range.scrollIntoView({ block: "nearest" });
  const places = { picture: range.closest(".latent-explorer").querySelector(".image .screen"), range };
  return Object.keys(places).filter((name) => {
    const { left, top, right, bottom } = places[name].getBoundingClientRect();
    const corners = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
    return corners.some(([x, y]) => document.elementFromPoint(x, y) !== places[name]);
  });
}"""
COUNT_IMAGES = """() => {
  const put = CanvasRenderingContext2D.prototype.putImageData;
  window.shown = new Set();
  const hash = (bytes) => bytes.reduce((sum, byte) => (31 * sum + byte) | 0, 0);
  CanvasRenderingContext2D.prototype.putImageData = function (image, ...place) {
    if (this.canvas.matches(".image .screen")) window.shown.add(hash(image.data));
    put.call(this, image, ...place);
  };
}"""


@pytest.mark.parametrize(("name", "tool"), TOOLS)
def test_axe_finds_nothing_serious(page_of, name, tool):
    with page_of(name) as explorer:
        page = explorer.page
        if tool:
            explorer.open(tool)
        for width, height, scheme in ((1280, 720, "light"), (400, 800, "dark")):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            if (folded := page.locator("details")).count():
                folded.evaluate("(folded, open) => { folded.open = open; }", scheme == "dark")
            found = Axe().run(page).response
            assert len(found["passes"]) > 10
            grave = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
            assert grave == [], [(each["id"], [node["html"] for node in each["nodes"]]) for each in grave]


@pytest.mark.parametrize(("name", "tool"), EACH_TOOL)
def test_every_control_has_a_name_of_its_own(page_of, name, tool):
    with page_of(name) as explorer:
        explorer.open(tool)
        if (folded := explorer.page.locator("summary")).count():
            folded.click()
        devtools = explorer.page.context.new_cdp_session(explorer.page)
        nodes = devtools.send("Accessibility.getFullAXTree")["nodes"]
        named = [
            (node["role"]["value"], node.get("name", {}).get("value", ""))
            for node in nodes
            if not node["ignored"] and node["role"]["value"] in {"button", "slider", "spinbutton", "combobox", "image"}
        ]
        assert len(named) >= 3 * explorer.model.latent_dim + 10
        assert all(name.strip() for _, name in named), named
        assert len(set(named)) == len(named)
        sliders = [name for role, name in named if role == "slider"]
        for latent, entry in enumerate(shipped(name).card["latents"]):
            words = f"{entry['name']} z{latent} ·" if "name" in entry else f"z{latent}"
            assert f"{words} {entry['kl']:.2f} nats" in sliders


@pytest.mark.parametrize(("name", "tool"), EACH_TOOL)
def test_the_tabulator_reaches_every_control_and_shows_where_it_is(page_of, name, tool):
    with page_of(name) as explorer:
        explorer.open(tool)
        for keep in "ABC":
            explorer.button(f"keep {keep}").click()  # so that all buttons have something to do
        explorer.page.evaluate("document.activeElement.blur()")
        explorer.page.mouse.click(5, 5)
        reached, number = {}, explorer.page.evaluate(FOCUS, CONTROLS)[2]
        for _ in range(number + 5):
            explorer.press("Tab")
            place, frame, _ = explorer.page.evaluate(FOCUS, CONTROLS)
            reached[place] = frame
        assert set(range(number)) <= set(reached)
        assert all(reached[place] >= 2 for place in range(number))


def test_all_is_done_with_keys(page_of):
    with page_of() as explorer:
        tool = explorer.button("True hand")
        tool.focus()
        explorer.press("Enter")
        assert tool.get_attribute("aria-expanded") == "true"
        assert tool.evaluate("(button) => document.activeElement === button")
        explorer.press("Space")
        assert tool.get_attribute("aria-expanded") == "false"
        explorer.button("Map of codes").focus()
        explorer.press("Enter")
        codes = np.array(shipped("hands").images["codes"])
        explorer.page.get_by_label("image", exact=True).focus()
        explorer.page.keyboard.type("42")
        np.testing.assert_allclose(explorer.code(), codes[42].clip(-3, 3), atol=0.00501)
        explorer.page.get_by_label("to the right").focus()
        before = explorer.page.locator(".ring").bounding_box()
        explorer.press("ArrowDown", "Enter")
        assert explorer.page.locator(".ring").bounding_box() != before
        for key, action in (("Space", "keep A"), ("Enter", "random"), ("Space", "go to A")):
            explorer.button(action).focus()
            explorer.press(key)
        np.testing.assert_allclose(explorer.code(), codes[42].clip(-3, 3), atol=0.00501)
        explorer.page.locator("summary").focus()
        explorer.press("Enter")
        assert explorer.page.locator(".row:visible").count() == 25


@pytest.mark.parametrize(("motion", "least", "most"), [("reduce", 3, 8), ("no-preference", 60, 300)])
def test_motion_is_reduced_for_those_who_ask(page_of, motion, least, most):
    """A way from A to B, and a latent that plays, in a few steps instead of many."""
    with page_of("sweep-beta-4", clock=True, reduced_motion=motion) as explorer:
        for keep in "AB":
            explorer.button("random").click()
            explorer.button(f"keep {keep}").click()
        explorer.page.evaluate(COUNT_IMAGES)
        for button in ("A → B", "play thumb"):
            explorer.page.evaluate("shown.clear()")
            explorer.button(button).click()
            explorer.page.clock.run_for(4500)
            assert least <= explorer.page.evaluate("shown.size") <= most
        assert explorer.page.locator("[aria-pressed=true]").count() == 0


@pytest.mark.parametrize("size", SIZES if FULL else SIZES[::3], ids=str)
def test_nothing_jumps_while_something_moves(page_of, size):
    with page_of(viewport=dict(zip(("width", "height"), size, strict=True))) as explorer:
        page = explorer.page
        assert explorer.slider(12).evaluate(JUMPS) == [0]
        explorer.open("True hand")
        worth, index = page.locator(".elbo"), page.locator(".tool").get_by_label("index", exact=True)
        assert index.evaluate(JUMPS) == [0]
        explorer.eventually(lambda: np.testing.assert_("…" not in worth.text_content()))
        assert index.evaluate(JUMPS) == [0]
        assert "…" in worth.text_content()
        explorer.eventually(lambda: np.testing.assert_("…" not in worth.text_content()))
        assert explorer.slider(12).evaluate(JUMPS) == [0]
        boxes = "() => [...document.querySelectorAll('button, input, canvas')].map((each) => each.offsetTop)"
        before = page.evaluate(boxes)
        explorer.button("random").click()  # with which the encoder's belief goes
        assert worth.text_content() == ""
        assert page.evaluate(boxes) == before


@pytest.mark.parametrize("name", ["hands", "digits-2d", "hands-pose"])
def test_nothing_is_wider_than_the_window(page_of, name):
    with page_of(name) as explorer:
        page = explorer.page
        tools = page.locator(".toolbar button").all_inner_texts()
        if (folded := page.locator("summary")).count():
            folded.click()
        for tool in (None, *tools):
            if tool:
                explorer.open(tool)
            for width, height in SIZES:
                page.set_viewport_size({"width": width, "height": height})
                wide, room = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
                assert wide <= room, (tool, width)
                assert page.evaluate(BEYOND) == [], (tool, width)


@pytest.mark.parametrize("size", [(320, 568), (390, 844), (844, 390), (800, 600), (1280, 720)], ids=str)
def test_the_picture_stays_in_sight_of_every_slider(page_of, size):
    with page_of(viewport=dict(zip(("width", "height"), size, strict=True))) as explorer:
        explorer.page.locator("summary").click()
        for tool in (None, "True hand", "Map of codes"):
            if tool:
                explorer.open(tool)
            sliders = explorer.page.locator(".film input, .tool input[type=range]").all()
            assert len(sliders) == 25 + 6 * (tool == "True hand")
            unseen = [(slider.get_attribute("aria-label"), slider.evaluate(UNSEEN)) for slider in sliders]
            assert {name: found for name, found in unseen if found} == {}, tool


def test_what_has_the_focus_is_not_under_the_picture(page_of):
    with page_of(viewport={"width": 390, "height": 600}) as explorer:
        page = explorer.page
        page.locator("summary").focus()
        for _ in range(12):  # back over four latents
            explorer.press("Shift+Tab")
            seen = "() => { const a = document.activeElement, b = a.getBoundingClientRect(); return a.contains(document"
            assert page.evaluate(seen + ".elementFromPoint(b.left + b.width / 2, b.top + b.height / 2)); }")


def test_a_projector_shows_the_main_use_without_scrolling(page_of):
    with page_of() as explorer:
        page = explorer.page
        for tool, selectors in (
            (None, [".image canvas.screen", ".row:visible", ".image button"]),
            ("True hand", [".tool canvas", ".image canvas.screen", ".row:visible", ".factors input", ".elbo"]),
            ("Map of codes", [".chart canvas", ".image canvas.screen", ".row:visible", ".factors select"]),
        ):
            if tool:
                explorer.open(tool)
            for selector in selectors:
                boxes = [each.bounding_box() for each in page.locator(selector).all()]
                assert len(boxes) == {".row:visible": 6, ".factors input": 6}.get(selector, len(boxes)) > 0
                assert all(0 <= box["y"] <= box["y"] + box["height"] <= 720 for box in boxes), (tool, selector)
                assert all(box["width"] >= 50 for box in boxes if "canvas" in selector)
        assert page.evaluate("scrollY") == 0
