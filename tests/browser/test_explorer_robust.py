"""The explorer's page with unusual models, hostile cards, damaged files, without JavaScript and with random events."""

import base64
import io
import re

import numpy as np
import pytest
from explorers import HOSTILE, assert_text, held_out, opened, shipped, untrained
from PIL import Image

from vaehelpers import latents
from vaehelpers.explorer import LatentExplorer

pytestmark = pytest.mark.slow

# Operate random controls with random values; every hundredth time wait for a frame, so that drawing catches up.
EVENTS = """async ([seed, events]) => {
  const random = (n) => Math.floor((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648 * n);
  const any = (list) => list[random(list.length)];
  const dispatch = (target, type, Kind = Event) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const place = { clientX: left + random(width), clientY: top + random(height) };
    target.dispatchEvent(new Kind(type, { bubbles: true, ...place }));
  };
  const enter = (input, value) => {
    input.value = value;
    dispatch(input, "input");
    dispatch(input, "change");
  };
  const actions = {
    "input[type=range]": (input) => enter(input, Number(input.min) + random(1001) / 1000 * (input.max - input.min)),
    "input[type=number]": (input) => enter(input, any(["", "1.5", "-0.25", "99", "-1e300", "17", "200", "2.5"])),
    "button, summary": (control) => control.click(),
    ".toolbar button": (button) => button.click(),
    ".chart canvas": (chart) => dispatch(chart, any(["click", "pointermove", "pointerleave"]), PointerEvent),
    select: (select) => enter(select, random(select.length)),
  };
  for (let k = 0; k < events; k++) {
    const [selector, act] = any(Object.entries(actions)), target = any(document.querySelectorAll(selector));
    if (target) act(target);
    if (k % 100 === 0) await new Promise(requestAnimationFrame);
  }
}"""
# Wait longer than any timer of the explorer, and then until the page is idle.
IDLE = "() => new Promise((idle) => setTimeout(() => requestIdleCallback(idle, { timeout: 10_000 }), 450))"


@pytest.mark.parametrize(
    ("shape", "n"),
    [((32, 4, 3), 7), ((32, 1, 1), 1), ((32, 30, 1), 0), ((64, 1, 3), 1), ((64, 2, 3), 5)],
)
def test_untrained_models_of_any_shape(page_of, shape, n):
    model = untrained(*shape)
    images = held_out(model, {}, n) if n else None
    z = np.linspace(-2, 2.5, model.latent_dim).round(2)
    with page_of(LatentExplorer(model, images=images, start=z)) as explorer:
        explorer.assert_draws(z)
        for tool in explorer.page.locator(".toolbar button").all_inner_texts():
            explorer.open(tool)
        assert explorer.button("Map of codes").count() == (n > 0)
        if n:
            explorer.open("Map of codes")
            explorer.page.get_by_label("image", exact=True).fill(str(n - 1))
            explorer.assert_draws(latents.encode(model, images[n - 1 :][:1])[0][0].clip(-3, 3).round(2))


def test_texts_of_a_card_are_not_parsed_as_html(page_of):
    card = {"name": HOSTILE, "latents": [{"name": HOSTILE, "kl": 2.0}, {"name": "Größe \u2028'\"", "kl": 1.0}]}
    with page_of(LatentExplorer(untrained(), card, images=held_out(untrained(), {}, 3))) as explorer:
        page = explorer.page
        assert page.locator(".row b").all_text_contents() == [entry["name"] for entry in card["latents"]]
        assert page.title() == page.locator("h1").text_content() == f"Latent explorer: {HOSTILE}"
        assert HOSTILE in page.locator("section").get_attribute("aria-label")
        explorer.open("Map of codes")
        assert page.locator("option").first.text_content() == f"{HOSTILE} z0 · 2.00 nats"
        explorer.eventually(assert_text, page.locator("[aria-live=polite]"), HOSTILE)
        assert page.locator("img, b b").count() == 0
        assert page.evaluate("window.broken") is None


def weights(change):
    """Return a function that replaces the packed weights in the text of a page."""
    return lambda text: re.sub('(?<="weights": ")[^"]*', lambda packed: change(packed[0]), text)


DAMAGES = {
    "weights cut off": weights(lambda packed: packed[: len(packed) // 2]),
    "no weights": weights(lambda packed: ""),
    "some letters changed": weights(lambda packed: packed[:400] + packed[400:420].swapcase() + packed[420:]),
    "a sign that is no base 64": weights(lambda packed: packed[:1000] + "!" + packed[1001:]),
    "weights twice": weights(lambda packed: packed * 2),
    "no weights but a GIF": weights(lambda packed: base64.b64encode(b"GIF89a" * 99).decode()),
    **{f"cut off at {share}": lambda text, share=share: text[: int(share * len(text))] for share in (0.1, 0.5, 0.9999)},
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_shows_an_error(browser, tmp_path, damage):
    path, made = tmp_path / "page.html", shipped("digits-2d")
    made.save_html(path)
    path.write_text(damage(path.read_text()))
    with opened(browser, path, made.model) as explorer:
        assert_text(explorer.page.get_by_role("alert"), "this file is damaged or was cut off")
        assert explorer.page.locator(".latent-explorer").count() == 0


def test_without_javascript_the_traversal_is_shown_and_explained(page_of):
    with page_of(java_script_enabled=False) as explorer:
        text, image = explorer.page.locator("noscript p"), explorer.page.locator("noscript img")
        assert_text(text, "need JavaScript", "allow it, and reload", "-3", "+3")
        assert text.is_visible() and "Traversal of the 25 latents of hands" in image.get_attribute("alt")
        shown = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"), float)
        assert min(shown.shape) > 500 and shown.std() > 40  # black hands on a white page
        assert explorer.page.locator("button, input").count() == 0
    with page_of() as explorer:
        assert explorer.page.locator("noscript img:visible, noscript p:visible").count() == 0


def storm(explorer, seed):
    """Send a thousand events, some by real keys and a real mouse, with a window size and colour scheme by the seed."""
    page, rng = explorer.page, np.random.default_rng(seed)
    width, height = ((1280, 720), (400, 800), (900, 500), (1920, 1080))[seed % 4]
    page.set_viewport_size({"width": width, "height": height})
    motion = ("no-preference", "reduce")[seed % 3 == 0]
    page.emulate_media(color_scheme=("light", "dark")[seed % 2], reduced_motion=motion)
    page.evaluate(EVENTS, [seed + 1, 960])
    explorer.press(*rng.choice("Tab ArrowRight ArrowLeft Delete Space Enter PageUp Home 5".split(), 25).tolist())
    for x, y in rng.uniform(0, 0.9, (10, 2)):
        page.mouse.move(x * width, y * height)
        page.mouse.down()
        page.mouse.move(y * width, x * height)
        page.mouse.up()
    if page.locator("select:focus").count():
        page.keyboard.press("Escape")  # closes the list that a click has opened


def memory(explorer, devtools):
    """Return the heap size in bytes and the numbers of nodes and listeners of the idle page."""
    explorer.button("reset").click()
    if explorer.page.locator(".tool").count():
        explorer.page.locator(".toolbar [aria-expanded=true]").click()
    seen = []
    while len(seen) < 3 or seen[-1] != seen[-3]:
        explorer.page.evaluate(IDLE)
        devtools.send("HeapProfiler.collectGarbage")
        counted = devtools.send("Memory.getDOMCounters")
        seen.append((counted["nodes"], counted["jsEventListeners"]))
    return devtools.send("Runtime.getHeapUsage")["usedSize"], *seen[-1]


def test_random_events_leave_the_right_image_and_no_more_memory(page_of):
    with page_of("sweep-beta-4") as explorer:
        devtools = explorer.page.context.new_cdp_session(explorer.page)
        storm(explorer, 0)
        before = memory(explorer, devtools)
        for seed in range(1, 5):
            storm(explorer, seed)
        explorer.slider(12).focus()
        explorer.press("ArrowRight")  # stops a motion
        explorer.assert_draws(explorer.code(), rounded=True)
        after = memory(explorer, devtools)
        explorer.assert_draws(shipped("sweep-beta-4").z)
        assert after[0] - before[0] <= 2_000_000
        assert after[1] <= before[1] + 20  # temporary text nodes
        assert after[2] <= before[2]
