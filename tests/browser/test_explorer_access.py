"""The explorer by keyboard, with a screen reader, in dark mode and on narrow screens."""

import pytest
from explorers import BEYOND, shipped
from test_browser import serious_violations

pytestmark = pytest.mark.slow

EACH_TOOL = [
    ("hands", "True hand"),
    ("hands", "Map of codes"),
    ("digits-2d", "Manifold"),
    ("digits-2d", "Your own image"),
]
SIZES = [(320, 568), (844, 390), (1024, 768), (1280, 720)]
CONTROLS = "button:enabled, input, select, summary"
# Return the index of the focused control among the visible ones, the width of its outline, and their number.
FOCUS = """(controls) => {
  const all = [...document.querySelectorAll(controls)].filter((each) => each.checkVisibility());
  const style = getComputedStyle(document.activeElement);
  const outline = style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth);
  return [all.indexOf(document.activeElement), outline, all.length];
}"""
# Scroll to a slider; return which of the image and the slider is not fully visible, or is covered.
HIDDEN = """(range) => {
  range.scrollIntoView({ block: "nearest" });
  const places = { image: range.closest(".latent-explorer").querySelector(".image .screen"), range };
  return Object.keys(places).filter((name) => {
    const { left, top, right, bottom } = places[name].getBoundingClientRect();
    const corners = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
    return corners.some(([x, y]) => document.elementFromPoint(x, y) !== places[name]);
  });
}"""


def unfold(page):
    if (folded := page.locator("details:not([open]) summary")).count():
        folded.click()


@pytest.mark.parametrize(("name", "tool"), EACH_TOOL)
def test_axe_finds_nothing_serious_and_each_control_has_a_name_of_its_own(page_of, name, tool):
    with page_of(name) as explorer:
        page = explorer.page
        assert serious_violations(page) == []
        explorer.open(tool)
        unfold(page)
        for width, height, scheme in ((1280, 720, "light"), (400, 800, "dark")):
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            assert serious_violations(page) == []
        nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
        named = [
            (node["role"]["value"], node.get("name", {}).get("value", "").strip())
            for node in nodes
            if not node["ignored"] and node["role"]["value"] in {"button", "slider", "spinbutton", "combobox", "image"}
        ]
        assert len(named) >= 3 * explorer.model.latent_dim + 10
        assert all(name for _, name in named) and len(set(named)) == len(named), named
        for latent, entry in enumerate(shipped(name).card["latents"]):
            words = f"{entry['name']} z{latent} ·" if "name" in entry else f"z{latent}"
            assert ("slider", f"{words} {entry['kl']:.2f} nats") in named


@pytest.mark.parametrize(("name", "tool"), EACH_TOOL)
def test_tab_reaches_every_control_and_outlines_it(page_of, name, tool):
    with page_of(name) as explorer:
        explorer.open(tool)
        for keep in "ABC":
            explorer.button(f"keep {keep}").click()  # which enables the other buttons
        explorer.page.mouse.click(5, 5)
        outlines, number = {}, explorer.page.evaluate(FOCUS, CONTROLS)[2]
        for _ in range(number + 5):
            explorer.press("Tab")
            place, outline, _ = explorer.page.evaluate(FOCUS, CONTROLS)
            outlines[place] = outline
        assert all(outlines.get(place, 0) >= 2 for place in range(number)), outlines


@pytest.mark.parametrize("name", ["hands", "digits-2d", "hands-pose"])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_is_wider_than_the_window_and_the_image_stays_visible_beside_every_slider(page_of, name, size):
    with page_of(name, viewport=dict(zip(("width", "height"), size, strict=True))) as explorer:
        page = explorer.page
        unfold(page)
        for tool in (None, *page.locator(".toolbar button").all_inner_texts()):
            if tool:
                explorer.open(tool)
            scrolled, window = page.evaluate("() => [document.documentElement.scrollWidth, innerWidth]")
            assert scrolled <= window and page.evaluate(BEYOND) == [], tool
            sliders = page.locator(".film input, .tool input[type=range]")
            assert sliders.evaluate_all(f"(all) => all.flatMap({HIDDEN})") == [], tool
