"""The explorer as one HTML file opened from the disk in the real browser: what its sliders and buttons draw."""

import base64
import contextlib
import functools
import re
import time

import numpy as np
import pytest
from test_explorer import open_shipped

from vaehelpers import hands, latents, weights

ROUNDED = 0.5 / 255 + 2e-5  # a canvas holds bytes; the rest is float32 against double
# Copied first: reading a canvas directly makes Chromium warn that it does so slowly.
PIXELS = """(canvas) => {
  const copy = new OffscreenCanvas(canvas.width, canvas.height);
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(canvas, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let binary = "";
  for (let i = 0; i < data.length; i += 8192) binary += String.fromCharCode(...data.subarray(i, i + 8192));
  return [canvas.height, canvas.width, btoa(binary)];
}"""
CODE = """() => [...document.querySelectorAll(".row")].map((row) => {
  const [range, number] = row.querySelectorAll("input");
  return [Number(/z(\\d+)/.exec(range.ariaLabel)[1]), Number(number.value), Number(range.value)];
})"""


# A page's timers ring in turn: when this one has, those that were set before it and are shorter have.
TIMERS = "(milliseconds) => new Promise((ring) => setTimeout(ring, milliseconds))"


class Opened:
    """A page with an explorer, and what a reader sees and does."""

    def __init__(self, page, model):
        self.page, self.model = page, model

    def pixels(self, selector):
        """What a canvas shows (height, width, 3), in [0, 1]."""
        height, width, text = self.page.eval_on_selector(selector, PIXELS)
        shown = np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 4)
        return shown[..., :3] / 255

    def picture(self, selector=".picture canvas.screen"):
        """What a canvas shows as the package holds it: (channels, size, size)."""
        shown = self.pixels(selector).transpose(2, 0, 1)
        return shown if self.model.channels == 3 else shown[:1]

    def code(self):
        """The code as the number fields show it, two decimals each."""
        rows = sorted(self.page.evaluate(CODE))
        assert [i for i, _, _ in rows] == list(range(self.model.latent_dim))
        assert all(abs(number - place) < 0.02501 + 0.005 for _, number, place in rows)  # the slider shows it too
        return np.array([number for _, number, _ in rows])

    def row(self, latent):
        label = re.compile(rf"\bz{latent}\b")
        return self.page.locator(".row").filter(has=self.page.get_by_role("slider", name=label, include_hidden=True))

    def slider(self, latent):
        return self.row(latent).locator("input[type=range]")

    def number(self, latent):
        return self.row(latent).locator("input[type=number]")

    def enter(self, z):
        for latent, value in enumerate(z):
            self.row(latent).locator("input[type=number]").evaluate(
                "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
            )

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def open(self, tool):
        self.button(tool).click()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def assert_draws(self, z, selector=".picture canvas.screen", *, rounded=False):
        """The picture is what torch draws; where the code is known to two decimals only, as near as these allow."""
        expected, allowed = latents.decode(self.model, np.asarray(z)[None])[0], ROUNDED
        if rounded:
            aside = 0.005 * np.eye(self.model.latent_dim)
            slopes = latents.decode(self.model, z + aside) - latents.decode(self.model, z - aside)
            allowed = allowed + 0.6 * np.abs(slopes).sum(axis=0)  # half the way each, and something for curvature
        assert np.all(np.abs(self.picture(selector) - expected) <= allowed)

    def eventually(self, holds):
        """Wait until something holds, without an error; the limit is one at which nobody would wait any longer."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                return holds()
            self.page.wait_for_timeout(25)
        return holds()


@contextlib.contextmanager
def opened(browser, path, model, *, clock=False, **options):
    """Open a file; at the end nothing has been said in the console, gone wrong, or been asked of anyone."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 720}} | options)
    page, wrong, asked = context.new_page(), [], []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    if clock:  # time stands still but for `page.clock.run_for`
        page.clock.install(time=0)
        page.clock.pause_at(1000)
    page.goto(path.as_uri())
    page.wait_for_selector(".latent-explorer, [role=alert], noscript img")
    yield Opened(page, model)
    context.close()
    assert wrong == []
    assert set(asked) == {path.as_uri()}


def start(model, card):
    """An open hand, as lesson 08 begins; else somewhere."""
    if card.get("data") == "hands":
        return latents.encode(model, hands.render(hands.neutral()[None], model.size))[0][0]
    return np.linspace(-1.234, 1.5, model.latent_dim)


@functools.cache
def shipped(name):
    return open_shipped(name, start=start(*weights.load_pretrained(name)))


@pytest.fixture(scope="module")
def page_of(browser, tmp_path_factory):
    """A function that opens a page of a shipped model, or of an explorer."""
    folder, files = tmp_path_factory.mktemp("pages"), {}

    def open_page(of="hands", **options):
        made = shipped(of) if isinstance(of, str) else of
        if made not in files:
            files[made] = folder / f"page {len(files)}.html"  # with a space, as people name folders
            made.save_html(files[made])
        return opened(browser, files[made], made.model, **options)

    return open_page


@pytest.mark.parametrize("name", ["hands", "digits-2d", "sweep-beta-4"])
def test_it_opens_with_the_picture_of_the_start(page_of, name):
    made = shipped(name)
    with page_of(name) as explorer:
        explorer.assert_draws(made.z)
        np.testing.assert_allclose(explorer.code(), made.z, atol=0.00501)
        assert explorer.page.title() == f"Latent explorer: {name}"


def test_rows_are_ordered_by_kl_and_named_and_unused_ones_are_folded_away(page_of):
    entries = shipped("hands").card["latents"]
    ranked = sorted(range(25), key=lambda i: -entries[i]["kl"])
    used = [i for i in ranked if entries[i]["kl"] >= 0.1]
    with page_of() as explorer:
        assert [i for i, _, _ in explorer.page.evaluate(CODE)] == ranked
        shown = explorer.page.locator(".row:visible .name").all_inner_texts()
        assert shown == [f"{entries[i]['name']}\nz{i} · {entries[i]['kl']:.2f} nats" for i in used]
        explorer.page.get_by_text(f"{25 - len(used)} unused latents", exact=True).click()
        assert explorer.page.locator(".row:visible").count() == 25
        explorer.slider(ranked[-1]).focus()
        explorer.press("End")
        z = np.array(shipped("hands").z)
        z[ranked[-1]] = 3
        explorer.assert_draws(z)


def test_keys_move_a_slider_and_the_picture_with_it(page_of):
    made = shipped("hands")
    with page_of() as explorer:
        for latent, keys in ((4, ["ArrowRight"] * 3), (13, ["Home"]), (12, ["End", "ArrowLeft"]), (21, ["PageUp"])):
            z, before = np.array(made.z), explorer.code()
            slider = explorer.slider(latent)
            slider.focus()
            explorer.press(*keys)
            z[latent] = float(slider.input_value())
            assert explorer.code()[latent] == z[latent] != before[latent]
            explorer.assert_draws(z)
            explorer.press("Delete")
            np.testing.assert_array_equal(explorer.code(), before)
            explorer.assert_draws(made.z)
        z[[13, 12]] = -3, 2.95  # what Home, and End and a step back, lead to
        explorer.slider(13).focus()
        explorer.press("Home")
        explorer.slider(12).focus()
        explorer.press("End", "ArrowLeft")
        np.testing.assert_array_equal(explorer.code()[[13, 12]], [-3, 2.95])


def test_the_mouse_drags_the_frame_and_a_click_on_a_strip_goes_there(page_of):
    made = shipped("hands")
    z = np.array(made.z)
    with page_of() as explorer:
        mouse, box = explorer.page.mouse, explorer.slider(12).bounding_box()
        cell, middle = box["width"] / 9, box["y"] + box["height"] / 2
        for k in (8, 0, 4, 6):  # a click on a picture
            mouse.click(box["x"] + (k + 0.5) * cell, middle)
            explorer.eventually(lambda k=k: np.testing.assert_allclose(explorer.code()[12], 0.75 * k - 3, atol=0.051))
            z[12] = float(explorer.slider(12).input_value())
            explorer.assert_draws(z)
        explorer.enter([*z[:12], 1.5, *z[13:]])
        mouse.move(box["x"] + 6.5 * cell, middle)
        mouse.down()
        mouse.move(box["x"] + 5 * cell, middle)
        mouse.move(box["x"] + 3.5 * cell, middle)  # three pictures to the left
        explorer.eventually(lambda: np.testing.assert_allclose(explorer.code()[12], -0.75, atol=0.051))
        z[12] = float(explorer.slider(12).input_value())
        explorer.assert_draws(z)
        mouse.move(box["x"] - 100, middle + 200)
        mouse.up()
        explorer.eventually(lambda: np.testing.assert_equal(explorer.code()[12], -3))
        explorer.slider(12).dblclick(position={"x": 3 * cell, "y": 5})
        np.testing.assert_allclose(explorer.code(), made.z, atol=0.00501)
        explorer.assert_draws(made.z)


def test_numbers_are_entered_and_put_right(page_of):
    z = np.array(shipped("hands").z)
    with page_of() as explorer:
        field = explorer.number(13)
        for typed, value, then in (
            ("1.23", 1.23, "1.23"),
            ("-2.999", -2.999, "-3.00"),
            ("7", 3, "3.00"),
            ("-1e9", -3, "-3.00"),
            (".5", 0.5, "0.50"),
            ("", 0.5, "0.50"),
            ("-", 0.5, "0.50"),
        ):
            field.focus()
            explorer.press("Control+a", "Delete")
            explorer.page.keyboard.type(typed)
            z[13] = value
            explorer.assert_draws(z)
            explorer.press("Tab")
            assert field.input_value() == then, typed
        field.focus()
        explorer.press("ArrowUp")
        assert field.input_value() == "0.55"
        z[13] = 0.55
        explorer.assert_draws(z)


def test_reset_and_random(page_of):
    made = shipped("hands")
    with page_of() as explorer:
        drawn = []
        for _ in range(40):
            explorer.button("random").click()
            drawn.append(explorer.code())
        explorer.assert_draws(drawn[-1], rounded=True)
        drawn = np.array(drawn)
        assert np.abs(drawn).max() <= 3
        assert abs(drawn.mean()) < 0.16  # 1,000 numbers: five standard errors
        assert abs(drawn.std() - 1) < 0.12
        assert len(np.unique(drawn[:, 0])) > 30
        explorer.button("reset").click()
        np.testing.assert_allclose(explorer.code(), made.z, atol=0.00501)
        explorer.assert_draws(made.z)
        explorer.button("z = 0").click()
        assert np.all(explorer.code() == 0)
        explorer.assert_draws(np.zeros(25))


def test_codes_are_kept_and_a_way_ends_exactly_at_b(page_of):
    rng = np.random.default_rng(3)
    kept = dict(zip("ABC", rng.normal(scale=1.5, size=(3, 25)).round(2).clip(-3, 3), strict=True))
    with page_of(clock=True) as explorer:
        way, total = explorer.button("A → B"), explorer.button("A − B + C")
        for name, z in kept.items():
            assert explorer.button(f"go to {name}").is_disabled()
            assert total.is_disabled()
            assert way.is_disabled() == (name != "C")
            explorer.enter(z)
            explorer.button(f"keep {name}").click()
            explorer.assert_draws(z, f"[aria-label='go to {name}'] canvas")
        for name, z in kept.items():
            explorer.button("random").click()
            explorer.button(f"go to {name}").click()
            np.testing.assert_array_equal(explorer.code(), z)
            explorer.assert_draws(z)
        way.click()
        explorer.assert_draws(kept["A"])
        explorer.page.clock.run_for(1250)
        half = (kept["A"] + kept["B"]) / 2
        np.testing.assert_allclose(explorer.code(), half, atol=0.06)  # a frame is a hundredth of the way
        explorer.page.clock.run_for(1400)
        np.testing.assert_array_equal(explorer.code(), kept["B"])
        explorer.assert_draws(kept["B"])
        total.click()
        z = (kept["A"] - kept["B"] + kept["C"]).clip(-3, 3)
        np.testing.assert_allclose(explorer.code(), z, atol=1e-9)
        explorer.assert_draws(z)


def test_a_latent_that_plays_passes_both_ends_and_returns_to_where_it_was(page_of):
    made = shipped("hands")
    with page_of(clock=True) as explorer:
        play, clock, seen = explorer.row(6).get_by_role("button"), explorer.page.clock, []
        assert play.get_attribute("aria-label") == "play rotation"
        play.click()
        assert play.get_attribute("aria-pressed") == "true"
        for _ in range(20):
            clock.run_for(195)
            seen.append(explorer.code())
        moved = np.ptp(seen, axis=0)
        assert moved[6] > 5.8
        assert np.delete(moved, 6).max() == 0
        clock.run_for(400)
        assert play.get_attribute("aria-pressed") == "false"
        explorer.assert_draws(made.z)
        play.click()
        clock.run_for(500)
        play.click()  # pressed again, it stops where it is
        there = explorer.code()
        assert play.get_attribute("aria-pressed") == "false"
        assert abs(there[6] - made.z[6]) > 0.5
        clock.run_for(1000)
        np.testing.assert_array_equal(explorer.code(), there)


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
@pytest.mark.parametrize("name", ["play rotation", "A → B"])
def test_what_plays_ends_and_says_whether_it_came_to_its_end(page_of, name, motion):
    with page_of(clock=True, reduced_motion=motion) as explorer:
        clock, words = explorer.page.clock, explorer.page.locator("[aria-live=polite]")
        for keep in "AB":
            explorer.button("random").click()
            explorer.button(f"keep {keep}").click()
        play = explorer.button(name)
        for ending in ("has ended", "was stopped", "was hidden"):
            play.click()
            clock.run_for(500)
            assert play.get_attribute("aria-pressed") == "true" and play.text_content() == "■"
            if ending == "was stopped":
                play.click()
            elif ending == "was hidden":  # another tab, or a locked phone
                explorer.page.evaluate("""() => {
                  Object.defineProperty(document, "hidden", { configurable: true, value: true });
                  document.dispatchEvent(new Event("visibilitychange"));
                  delete document.hidden;
                }""")
            else:
                clock.run_for(5000)
            assert play.get_attribute("aria-pressed") == "false" and play.text_content() != "■"
            there = explorer.code()
            clock.run_for(5000)
            np.testing.assert_array_equal(explorer.code(), there)
            says(
                words.text_content(), f"{name} {'has ended' if ending == 'has ended' else 'was stopped'}: picture drawn"
            )
        explorer.button("random").click()
        clock.run_for(1000)
        assert words.text_content().startswith("picture drawn")


@pytest.mark.parametrize("other", ["key", "number", "button", "tool", "play", "delete"])
def test_who_moves_the_code_stops_what_plays(page_of, other):
    with page_of(clock=True) as explorer:
        play, clock = explorer.row(6).get_by_role("button"), explorer.page.clock
        play.click()
        clock.run_for(300)
        explorer.slider(6 if other == "delete" else 4).focus()
        if other in ("key", "delete"):
            explorer.press({"key": "ArrowRight", "delete": "Delete"}[other])
        elif other == "number":
            explorer.number(6).fill("1.5")
        else:
            name = {"button": "reset", "tool": "True hand", "play": "play ring"}[other]
            explorer.button(name).click()
        assert play.get_attribute("aria-pressed") == "false"
        before = explorer.code()
        clock.run_for(700)
        assert explorer.code()[6] == before[6]
        assert (explorer.code()[4] != before[4]) == (other == "play")


def test_strips_show_what_each_latent_does_from_here(page_of):
    made = shipped("hands")

    def assert_strip(explorer, latent, z):
        rows = np.tile(z, (9, 1))
        rows[:, latent] = np.linspace(-3, 3, 9)
        expected = np.concatenate(latents.decode(made.model, rows)[:, 0], axis=1)
        np.testing.assert_allclose(explorer.pixels(strip(latent))[..., 0], expected, atol=ROUNDED)

    with page_of() as explorer:
        z = np.array(made.z)
        for _ in range(2):
            for latent in (4, 21):
                explorer.eventually(lambda latent=latent, z=z: assert_strip(explorer, latent, z))
            z = z.round(2)
            z[13] = 3
            explorer.enter(z)
        assert explorer.pixels(strip(0)).max() == 0  # no work goes into what is folded away
        explorer.page.get_by_text("unused latents").click()
        explorer.eventually(lambda: assert_strip(explorer, 0, z))


def strip(latent):
    return f".row:has([aria-label*='z{latent} ']) canvas.strip"


def test_the_page_says_what_the_picture_is(page_of):
    with page_of() as explorer:
        for value in ("-1.3", "2.7"):
            explorer.number(12).fill(value)
            for read in (
                lambda: explorer.page.locator("[aria-live=polite]").text_content(),
                lambda: explorer.page.locator(".picture canvas.screen").get_attribute("aria-label"),
            ):
                explorer.eventually(lambda read=read, value=value: says(read(), f"thumb {value}", "rotation", "pinky"))


def says(text, *parts):
    assert all(part in (text or "") for part in parts), text
