"""The explorer as one HTML file in a real browser: the images and announcements of its sliders and buttons."""

import numpy as np
import pytest
from explorers import CODE, ROUNDED, assert_text, pixels_of, shipped

from vaehelpers import latents

HIDE = """() => {
  Object.defineProperty(document, "hidden", { configurable: true, value: true });
  document.dispatchEvent(new Event("visibilitychange"));
  delete document.hidden;
}"""


@pytest.fixture
def start():
    """The initial code of the explorer of hands."""
    return np.array(shipped("hands").z)


def test_rows_are_ordered_by_kl_and_named_and_unused_ones_are_folded(page_of, start):
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
        start[ranked[-1]] = 3
        explorer.assert_draws(start)


@pytest.mark.parametrize("name", ["hands", "digits-2d"])
def test_keys_move_a_slider_and_its_image_and_delete_resets_it(page_of, name):
    start = np.array(shipped(name).z)
    with page_of(name) as explorer:
        explorer.assert_draws(start)
        for latent, keys in ((1, ["Home"]), (0, ["End", "ArrowLeft"]), (len(start) - 1, ["ArrowRight"])):
            if not explorer.slider(latent).is_visible():
                explorer.page.locator("summary").click()
            z, before = start.copy(), explorer.code()
            explorer.slider(latent).focus()
            explorer.press(*keys)
            z[latent] = {"Home": -3, "End": 2.95}.get(keys[0], float(explorer.slider(latent).input_value()))
            assert explorer.code()[latent] == z[latent] != before[latent]
            explorer.assert_draws(z)
            explorer.press("Delete")
            np.testing.assert_array_equal(explorer.code(), before)
            explorer.assert_draws(start)


def test_a_click_on_a_strip_goes_to_the_image_there_and_a_double_click_resets(page_of, start):
    with page_of() as explorer:
        box = explorer.slider(12).bounding_box()
        cell, middle = box["width"] / 9, box["y"] + box["height"] / 2
        for k in (8, 0, 4, 6):
            explorer.page.mouse.click(box["x"] + (k + 0.5) * cell, middle)
            explorer.eventually(lambda k=k: np.testing.assert_allclose(explorer.code()[12], 0.75 * k - 3, atol=0.051))
        explorer.slider(12).dblclick(position={"x": 3 * cell, "y": 5})
        explorer.assert_draws(start)


def test_numbers_are_entered_clipped_formatted_and_described_for_screen_readers(page_of, start):
    table = (("-2.999", -2.999, "-3.00"), ("-1e9", -3, "-3.00"), ("", -3, "-3.00"))
    with page_of() as explorer:
        for typed, value, formatted in table:
            explorer.number(12).focus()
            explorer.press("Control+a", "Delete")
            explorer.page.keyboard.type(typed)
            start[12] = value
            explorer.assert_draws(start)
            explorer.press("Tab")
            assert explorer.number(12).input_value() == formatted
            live, screen = explorer.page.locator("[aria-live=polite]"), explorer.page.locator(".image canvas.screen")
            explorer.eventually(assert_text, live, f"thumb {value:.1f}", "rotation", "pinky")
            assert f"thumb {value:.1f}" in screen.get_attribute("aria-label")


def test_buttons_draw_from_the_prior_and_go_to_zero_and_to_the_start(page_of, start):
    with page_of() as explorer:
        drawn = []
        for _ in range(40):
            explorer.button("random").click()
            drawn.append(explorer.code())
        explorer.assert_draws(drawn[-1], rounded=True)
        assert np.abs(drawn).max() <= 3
        assert abs(np.mean(drawn)) < 0.16  # 1,000 numbers: five standard errors
        assert abs(np.std(drawn) - 1) < 0.12
        for name, z in (("reset", start), ("z = 0", np.zeros(25))):
            explorer.button(name).click()
            explorer.assert_draws(z)


def test_codes_are_kept_and_a_line_ends_exactly_at_b(page_of):
    rng = np.random.default_rng(3)
    kept = dict(zip("ABC", rng.normal(scale=1.5, size=(3, 25)).round(2).clip(-3, 3), strict=True))
    with page_of(clock=True) as explorer:
        line, total = explorer.button("A → B"), explorer.button("A − B + C")
        for name, z in kept.items():
            assert explorer.button(f"go to {name}").is_disabled() and total.is_disabled()
            assert line.is_disabled() == (name != "C")
            explorer.enter(z)
            explorer.button(f"keep {name}").click()
            explorer.assert_draws(z, f"[aria-label='go to {name}'] canvas")
        for name, z in kept.items():
            explorer.button("random").click()
            explorer.button(f"go to {name}").click()
            np.testing.assert_array_equal(explorer.code(), z)
        line.click()
        explorer.assert_draws(kept["A"])
        explorer.page.clock.run_for(1250)
        half = (kept["A"] + kept["B"]) / 2
        np.testing.assert_allclose(explorer.code(), half, atol=0.06)  # a frame is a hundredth of the line
        explorer.page.clock.run_for(1400)
        explorer.assert_draws(kept["B"])
        total.click()
        explorer.assert_draws((kept["A"] - kept["B"] + kept["C"]).clip(-3, 3))


@pytest.mark.parametrize(("motion", "least", "most"), [("reduce", 5, 8), ("no-preference", 60, 90)])
def test_play_moves_one_latent_to_both_ends_and_back(page_of, start, motion, least, most):
    with page_of(clock=True, reduced_motion=motion) as explorer:
        explorer.button("play rotation").click()
        seen = []
        for _ in range(90):
            explorer.page.clock.run_for(50)
            seen.append(explorer.code())
        moved = np.ptp(seen, axis=0)
        assert moved[6] > 5 and np.delete(moved, 6).max() == 0
        assert least <= len(np.unique(seen, axis=0)) <= most
        explorer.assert_draws(start)


@pytest.mark.parametrize(("name", "motion"), [("play rotation", "reduce"), ("A → B", "no-preference")])
def test_a_motion_ends_or_is_stopped_and_announces_which(page_of, name, motion):
    with page_of(clock=True, reduced_motion=motion) as explorer:
        clock, play = explorer.page.clock, explorer.button(name)
        endings = [
            ("has ended", lambda: clock.run_for(5000)),
            ("was stopped", play.click),
            ("was stopped", explorer.button("reset").click),
            ("was stopped", lambda: explorer.number(4).fill("1.5")),
            ("was stopped", lambda: explorer.page.evaluate(HIDE)),  # another tab, or a locked phone
        ]
        for keep in "AB":
            explorer.button("random").click()
            explorer.button(f"keep {keep}").click()
        for ending, act in endings:
            play.click()
            clock.run_for(500)
            assert play.get_attribute("aria-pressed") == "true" and play.text_content() == "■"
            act()
            assert play.get_attribute("aria-pressed") == "false" and play.text_content() != "■"
            there = explorer.code()
            clock.run_for(5000)
            np.testing.assert_array_equal(explorer.code(), there)
            assert_text(explorer.page.locator("[aria-live=polite]"), f"{name} {ending}: image decoded")


def test_strips_traverse_each_latent_from_the_present_code(page_of, start):
    def strip(explorer, latent):
        return pixels_of(explorer.page, f".row:has([aria-label*='z{latent} ']) canvas.strip")[..., 0]

    def assert_strip(explorer, latent, z):
        rows = np.tile(z, (9, 1))
        rows[:, latent] = np.linspace(-3, 3, 9)
        expected = np.concatenate(latents.decode(explorer.model, rows)[:, 0], axis=1)
        np.testing.assert_allclose(strip(explorer, latent), expected, atol=ROUNDED)

    with page_of() as explorer:
        explorer.eventually(assert_strip, explorer, 4, start)
        z = start.round(2)
        z[13] = 3
        explorer.enter(z)
        explorer.eventually(assert_strip, explorer, 21, z)
        assert strip(explorer, 0).max() == 0  # hidden, so not drawn
        explorer.page.locator("summary").click()
        explorer.eventually(assert_strip, explorer, 0, z)


def test_the_address_carries_the_code(page_of, start):
    latent = max(range(25), key=lambda i: shipped("hands").card["latents"][i]["kl"])
    with page_of() as explorer:
        address = explorer.page.url
        explorer.slider(latent).focus()
        explorer.press("Home")
        explorer.page.wait_for_url(lambda url: url == f"{address}#z{latent}=-3")
        explorer.page.goto("about:blank")
        explorer.page.goto(f"{address}#z{latent}=-2&z0=wrong&z99=1")
        explorer.page.locator(".latent-explorer").wait_for()
        start[latent] = -2
        explorer.assert_draws(start)
