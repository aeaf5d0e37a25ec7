# ruff: noqa: F811 (page_of is a fixture)
"""The explorer as one HTML file opened from the disk in the real browser: what its sliders and buttons draw."""

import numpy as np
import pytest
from explorers import CODE, ROUNDED, page_of, says, shipped  # noqa: F401 (page_of is a fixture)

from vaehelpers import latents


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
            says(words.text_content(), f"{name} {'has ended' if ending == 'has ended' else 'was stopped'}: image drawn")
        explorer.button("random").click()
        clock.run_for(1000)
        assert words.text_content().startswith("image drawn")


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
                lambda: explorer.page.locator(".image canvas.screen").get_attribute("aria-label"),
            ):
                explorer.eventually(lambda read=read, value=value: says(read(), f"thumb {value}", "rotation", "pinky"))
