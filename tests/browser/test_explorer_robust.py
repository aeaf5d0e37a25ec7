# ruff: noqa: F811 (page_of is a fixture)
"""The explorer's page in rough weather: odd models, hostile cards, damaged files, no JavaScript, haste."""

import base64
import io
import json

import numpy as np
import pytest
from conftest import FULL
from explorers import HOSTILE, held_out, opened, page_of, says, shipped, untrained  # noqa: F401
from PIL import Image
from test_leaks import measured

from vaehelpers import latents
from vaehelpers.explorer import LatentExplorer

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("shape", "n"),
    [((32, 4, 3), 7), ((32, 1, 1), 1), ((32, 1, 1), 9), ((32, 30, 1), 0), ((64, 1, 3), 1), ((64, 2, 3), 5)],
)
def test_untrained_models_of_any_shape(page_of, shape, n):
    model = untrained(*shape)
    images = held_out(model, {"data": "hands", "vary": ["index"]}, n) if n else None
    z = np.linspace(-2, 2.5, model.latent_dim).round(2)
    with page_of(LatentExplorer(model, images=images, start=z)) as explorer:
        explorer.assert_draws(z)
        for tool in explorer.page.locator(".toolbar button").all_inner_texts():
            explorer.open(tool)
        assert explorer.button("Map of codes").count() == (n > 0)
        if n:
            explorer.open("Map of codes")
            explorer.page.get_by_label("image", exact=True).fill(str(n - 1))
            z = latents.encode(model, images[n - 1 :][:1])[0][0].clip(-3, 3).round(2)
        explorer.assert_draws(z)


def test_what_a_card_says_is_text(page_of):
    card = {"name": HOSTILE, "latents": [{"name": HOSTILE, "kl": 2.0}, {"name": "Größe \u2028'\"", "kl": 1.0}]}
    images = held_out(untrained(), {}, 3)
    with page_of(LatentExplorer(untrained(), card, images=images)) as explorer:
        page = explorer.page
        assert page.locator(".row b").all_text_contents() == [entry["name"] for entry in card["latents"]]
        assert page.title() == page.locator("h1").text_content() == f"Latent explorer: {HOSTILE}"
        assert HOSTILE in page.locator("section").get_attribute("aria-label")
        explorer.open("Map of codes")
        assert page.locator("option").first.text_content() == f"{HOSTILE} z0 · 2.00 nats"
        explorer.eventually(lambda: says(page.locator("[aria-live=polite]").text_content(), HOSTILE))
        assert page.locator("img, b b").count() == 0
        assert page.evaluate("window.broken") is None


def damaged(text, change):
    """The text of a page in which the packed weights, between their quotes, have been changed."""
    begin = text.index('"weights": "') + len('"weights": "')
    end = text.index('"', begin)
    return text[:begin] + change(text[begin:end]) + text[end:]


def flipped(packed, at, bit):
    return packed[:at] + chr(ord(packed[at]) ^ bit) + packed[at + 1 :]


DAMAGES = {
    "cut off": lambda packed: packed[: len(packed) // 2],
    "empty": lambda packed: "",
    "one letter": lambda packed: flipped(packed, 400_000, 2),
    "a sign": lambda packed: packed[:1000] + "!" + packed[1001:],
    "a piece missing": lambda packed: packed[:5000] + packed[9000:],
    "twice": lambda packed: packed * 2,
    "something else": lambda packed: base64.b64encode(b"GIF89a" * 99).decode(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_weights_are_said_to_be_so(browser, tmp_path, damage):
    shipped("digits-2d").save_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    (tmp_path / "page.html").write_text(damaged(text, DAMAGES[damage]))
    with opened(browser, tmp_path / "page.html", shipped("digits-2d").model) as explorer:
        says(explorer.page.get_by_role("alert").text_content(), "this file is damaged or was cut off")
        assert explorer.page.locator(".latent-explorer").count() == 0


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.9999])
def test_a_file_that_was_cut_off_says_so(browser, tmp_path, share):
    shipped("digits-2d").save_html(tmp_path / "page.html")
    content = (tmp_path / "page.html").read_bytes()
    (tmp_path / "page.html").write_bytes(content[: int(share * len(content))])
    with opened(browser, tmp_path / "page.html", shipped("digits-2d").model) as explorer:
        says(explorer.page.get_by_role("alert").text_content(), "this file is damaged or was cut off")


def test_numbers_that_do_not_fit_are_said_to_be_wrong(browser, tmp_path):
    made = shipped("digits-2d")
    made.save_html(tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    for k, z in enumerate(([1], [1, 2, 3], ["a", 0], None)):
        changed = text.replace(f'"z": {json.dumps(made.z)}', f'"z": {json.dumps(z)}')
        assert changed != text
        (tmp_path / f"{k}.html").write_text(changed)
        with opened(browser, tmp_path / f"{k}.html", made.model) as explorer:
            assert explorer.page.get_by_role("alert").text_content()


def test_without_javascript_the_traversal_is_seen_and_says_how_to_make_it_live(page_of):
    with page_of(java_script_enabled=False) as explorer:
        text, picture = explorer.page.locator("noscript p"), explorer.page.locator("noscript img")
        says(text.text_content(), "needs JavaScript", "allow it, and reload", "-3", "+3")
        assert text.is_visible()
        says(picture.get_attribute("alt"), "Traversal of the 25 latents of hands")
        box = picture.bounding_box()
        assert box["width"] > 500
        assert box["height"] > 500
        shown = np.asarray(Image.open(io.BytesIO(picture.screenshot())).convert("L"), float)
        assert shown.std() > 40  # white paper, black hands
        assert explorer.page.locator("button, input").count() == 0


def test_with_javascript_the_still_picture_is_gone(page_of):
    with page_of() as explorer:
        assert explorer.page.locator("noscript img:visible, noscript p:visible").count() == 0
        assert not explorer.page.get_by_text("needs JavaScript").is_visible()


# Events at random places with random values; a frame in between now and then, in which timers and pictures follow.
EVENTS = """async ([seed, events]) => {
  const random = (n) => Math.floor((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648 * n);
  const any = (list) => list[random(list.length)], find = (selector) => any(document.querySelectorAll(selector));
  const happen = (type, target, Kind = Event, options = {}) => {
    const { left, top, width, height } = target.getBoundingClientRect();
    const place = { clientX: left + random(width), clientY: top + random(height) };
    target.dispatchEvent(new Kind(type, { bubbles: true, ...place, ...options }));
  };
  const enter = (input, value) => {
    input.value = value;
    happen("input", input);
    if (random(3) === 0) happen("change", input);
  };
  const drag = (input) => enter(input, Number(input.min) + random(1001) / 1000 * (input.max - input.min));
  const actions = [
    ["input[type=range]", drag],
    [".film input", drag],
    [".film input", (range) => happen("keydown", range, KeyboardEvent, { key: any(["Delete", "a", "Escape"]) })],
    [".film input", (range) => happen("dblclick", range, MouseEvent)],
    [".row input[type=number]", (input) => enter(input, any(["", "1.5", "-0.25", "99", "-1e300", "1e-300"]))],
    [".tool input[type=number]", (input) => enter(input, any(["", "-1", "0", "17", "199", "200", "2.5"]))],
    ["button", (button) => button.click()],
    [".image button, .row button", (button) => button.click()],
    [".toolbar button", (button) => button.click()],
    [".chart canvas", (chart) => happen(any(["click", "pointermove", "pointerleave"]), chart, PointerEvent)],
    ["select", (select) => { select.selectedIndex = random(select.length); happen("change", select); }],
    ["details", (folded) => { if (random(8) === 0) folded.open = !folded.open; }],
  ];
  for (let k = 0; k < events; k++) {
    const [selector, act] = any(actions), target = find(selector);
    if (target) act(target);
    if (k % 100 === 0) await new Promise(requestAnimationFrame);
  }
}"""


def rest(explorer):
    """Let all that was begun come to its end."""
    explorer.button("reset").click()
    if explorer.page.locator(".tool").count():
        explorer.page.locator(".toolbar [aria-expanded=true]").click()


def memory(explorer, devtools):
    """Bytes in use, nodes and listeners, once what nobody holds has gone."""
    rest(explorer)
    return measured(explorer.page, devtools)


def storm(explorer, seed):
    """A thousand events, in a window of another size and other colours, and some of real keys and of a real mouse."""
    page, rng = explorer.page, np.random.default_rng(seed)
    width, height = ((1280, 720), (400, 800), (900, 500), (1920, 1080))[seed % 4]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(
        color_scheme=("light", "dark")[seed % 2], reduced_motion=("no-preference", "reduce")[seed % 3 == 0]
    )
    page.evaluate(EVENTS, [seed + 1, 960])
    for key in rng.choice(["Tab", "ArrowRight", "ArrowLeft", "Delete", "Space", "Enter", "PageUp", "Home", "5"], 25):
        page.keyboard.press(str(key))
    for x, y in rng.uniform(0, 0.9, (10, 2)):
        page.mouse.move(x * width, y * height)
        page.mouse.down()
        page.mouse.move(y * width, x * height)
        page.mouse.up()
    if page.locator("select:focus").count():
        page.keyboard.press("Escape")  # what a click has unfolded


def test_random_events_leave_everything_right_and_memory_flat(page_of):
    made = shipped("sweep-beta-4")
    with page_of("sweep-beta-4") as explorer:
        devtools = explorer.page.context.new_cdp_session(explorer.page)
        storm(explorer, 0)
        explorer.page.reload()
        explorer.page.wait_for_selector(".latent-explorer")
        explorer.assert_draws(made.z)
        storm(explorer, 1)
        before = memory(explorer, devtools)
        for seed in range(2, 10 if FULL else 5):
            storm(explorer, seed)
        explorer.slider(12).focus()
        explorer.press("ArrowRight")  # stops what plays
        explorer.assert_draws(explorer.code(), rounded=True)
        after = memory(explorer, devtools)
        explorer.assert_draws(made.z)
        print(before, after)
        assert after[0] - before[0] <= 2_000_000
        assert after[1] <= before[1] + 20  # texts in the making
        assert after[2] <= before[2]
