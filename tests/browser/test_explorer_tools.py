"""The explorer's tools in a real browser: the true hand, the map of codes, the manifold and your own image."""

import re

import numpy as np
import pytest
import torch
from explorers import ROUNDED, assert_text, drop, held_out, pixels_of, shipped, untrained
from PIL import Image, ImageOps

from vaehelpers import hands, latents
from vaehelpers.explorer import LatentExplorer

pytestmark = pytest.mark.slow

# Return the text of each latent's band, and where it begins and ends as shares of the range from -3 to +3.
BANDS = """() => [...document.querySelectorAll(".row")].map((row) => {
  const band = row.querySelector(".band"), place = (end) => Number(band.style.getPropertyValue(end));
  return [Number(/z(\\d+)/.exec(row.querySelector("input").ariaLabel)[1]), band.title, place("--from"), place("--to")];
})"""
RING = """() => {
  const { style } = document.querySelector(".ring");
  return [Number(style.getPropertyValue("--x")), 1 - style.getPropertyValue("--y")];
}"""


def posterior(explorer, pixels):
    """Return mu and logvar of torch's encoder for one image."""
    return (part[0] for part in latents.encode(explorer.model, pixels[None]))


def assert_encoded(explorer, pixels, tolerance=1e-3):
    """Assert that sliders show the mean and bands show mean ± standard deviation; return the code."""
    mu, logvar = posterior(explorer, pixels)
    np.testing.assert_allclose(explorer.code(), mu.clip(-3, 3), atol=0.005 + tolerance)
    bands = sorted(explorer.page.evaluate(BANDS))
    for (_, text, *places), mean, sd in zip(bands, mu, np.exp(logvar / 2), strict=True):
        shown = [float(number) for number in re.findall(r"-?[\d.]+", text)]
        np.testing.assert_allclose(shown, [mean, sd], atol=0.005 + tolerance)
        ends = (np.clip([mean - sd, mean + sd], -3, 3) / 3 + 1) / 2
        np.testing.assert_allclose(places, ends, atol=0.001 + tolerance)
    return mu.clip(-3, 3)


def test_a_true_hand_is_drawn_and_encoded(page_of):
    factors, keys = hands.neutral().astype(float), (["End"], ["ArrowRight"] * 3, ["Home"], ["PageUp"])
    with page_of("hands-pose") as explorer:
        explorer.open("True hand")
        for k, name in enumerate(hands.FACTORS):
            slider = explorer.page.locator(".tool").get_by_label(name, exact=True)
            slider.focus()
            explorer.press(*keys[k % 4])
            before, factors[k] = factors[k], float(slider.input_value())
            assert factors[k] != before or keys[k % 4] == ["Home"]
            true = hands.render(factors[None], explorer.model.size)[0]
            np.testing.assert_allclose(explorer.image(".tool canvas"), true, atol=1 / 255)
            label = explorer.page.locator(".tool canvas").get_attribute("aria-label")
            assert f"{name} {factors[k]:.2f}" in label.replace("-0.00", "0.00")
            explorer.assert_draws(assert_encoded(explorer, true), rounded=True)


def elbo_terms(explorer):
    """Return log p(x|z), the KL and the ELBO from the page."""
    text = explorer.page.locator(".elbo").text_content()
    found = re.fullmatch(r"log p\(x\|z\) (−?\d+\.\d) − KL (\d+\.\d) = ELBO (−?\d+\.\d) nats", text)
    assert found, text
    return [float(number.replace("−", "-")) for number in found.groups()]


def test_the_elbo_agrees_with_torch_and_disappears_with_its_image(page_of):
    with page_of() as explorer:
        line, bands = explorer.page.locator(".elbo"), explorer.page.locator(".band:visible")
        assert (line.text_content(), bands.count()) == ("", 0)
        explorer.open("True hand")
        explorer.page.locator(".tool").get_by_label("index", exact=True).fill("0.5")
        assert bands.count() == 6
        likelihood, kl, elbo = explorer.eventually(elbo_terms, explorer)
        x = hands.render(hands.fill([[0.5]], ["index"]))
        mu, logvar = map(torch.tensor, posterior(explorer, x[0]))
        q = torch.distributions.Normal(mu, (logvar / 2).exp())
        expected_kl = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum().item()
        torch.manual_seed(0)
        recon = torch.tensor(latents.decode(explorer.model, q.sample((400,)).numpy()))
        bernoulli = torch.distributions.Bernoulli(recon, validate_args=False)  # pixels are grey
        log_p = bernoulli.log_prob(torch.tensor(x)).sum((1, 2, 3))
        error = log_p.std().item() * (1 / 32 + 1 / 400) ** 0.5  # the page takes 32 samples
        assert abs(kl - expected_kl) <= 0.051
        assert abs(likelihood - log_p.mean().item()) < 5 * error + 0.05
        assert abs(elbo - (likelihood - kl)) < 0.151
        explorer.button("random").click()
        assert (line.text_content(), bands.count()) == ("", 0)


@pytest.fixture
def digits(page_of):
    with page_of("digits-2d") as explorer:
        yield explorer


@pytest.fixture
def codes(digits):
    """Open the map, and return its codes."""
    digits.open("Map of codes")
    return np.array(shipped("digits-2d").images["codes"]).clip(-3, 3)


@pytest.fixture
def paper(digits):
    """Open the tool for your own image, and return its canvas."""
    digits.open("Your own image")
    return digits.page.locator(".paper")


def point(digits, selector, share, act="click", **options):
    """Use the mouse at a position in an element, given as shares of its width from the left and height from below."""
    area = digits.page.locator(selector).bounding_box()
    x, y = area["x"] + share[0] * area["width"], area["y"] + (1 - share[1]) * area["height"]
    getattr(digits.page.mouse, act)(x, y, **options)


@pytest.mark.parametrize("axes", [(1, 0), (2, 3)])
def test_the_map_places_images_along_two_axes_and_a_click_selects_the_nearest(digits, codes, axes):
    directions = np.array([[1, 0], [0, 1], *shipped("digits-2d").images["components"]])[list(axes)]
    scale = 1.12 * np.abs(codes @ directions.T).max(axis=0)
    places = (codes @ directions.T / scale + 1) / 2
    number = digits.page.get_by_label("image", exact=True)
    for label, axis in zip(("to the right", "upwards"), axes, strict=True):
        options = digits.page.get_by_label(label).locator("option").all_text_contents()
        assert [("PCA" in option) for option in options] == [False, False, True, True]
        digits.page.get_by_label(label).select_option(index=axis)
    for place in [*np.random.default_rng(7).uniform(0.1, 0.9, (6, 2)), *(places[[5, 77]] + 0.002)]:
        point(digits, ".chart canvas", place)
        distances, k = np.linalg.norm(places - place, axis=1), int(number.input_value())
        assert distances[k] < distances.min() + 0.01  # two may be equally near, up to a pixel
        np.testing.assert_array_equal(digits.code(), codes[k])
        np.testing.assert_allclose(digits.page.evaluate(RING), places[k], atol=0.01)
    digits.enter([1.5, -2])  # the ring follows the sliders
    ring = np.clip((directions @ [1.5, -2] / scale + 1) / 2, 0, 1)
    np.testing.assert_allclose(digits.page.evaluate(RING), ring, atol=0.01)
    assert number.input_value() == ""
    for typed in ("17", "200", "-1", "2.5", ""):  # the map has the images from 0 to 199
        number.fill(typed)
        digits.assert_draws(codes[17])


def test_the_map_shows_the_image_under_the_pointer_large(digits, codes):
    chart = ".chart canvas"
    digits.eventually(lambda: np.testing.assert_(pixels_of(digits.page, chart).max() > 0.5))
    plain, before = pixels_of(digits.page, chart), digits.code()
    assert np.ptp(plain, axis=2).max() < 0.02  # grey images, and no frame
    for place in ((0.3, 0.4), (0.7, 0.6)):
        point(digits, chart, place, "move")
        frame = np.argwhere(np.ptp(pixels_of(digits.page, chart), axis=2) > 0.5)
        assert np.all(np.ptp(frame, axis=0) > 100)
    digits.page.mouse.move(5, 5)
    np.testing.assert_array_equal(pixels_of(digits.page, chart), plain)
    np.testing.assert_array_equal(digits.code(), before)


def test_the_manifold_is_drawn_and_dragged_across(digits):
    digits.open("Manifold")
    chart, side, before = ".chart canvas", 15, digits.code()
    values = 3 * (2 * (np.arange(side) + 0.5) / side - 1)
    z = np.stack(np.meshgrid(values, -values), axis=-1).reshape(-1, 2)  # the second latent grows upwards
    cells = latents.decode(digits.model, z).reshape(side, side, 32, 32)
    whole = cells.transpose(0, 2, 1, 3).reshape(side * 32, side * 32)
    digits.eventually(lambda: np.testing.assert_allclose(pixels_of(digits.page, chart)[..., 0], whole, atol=ROUNDED))
    point(digits, chart, (0.5, 0.5), "move")
    np.testing.assert_array_equal(digits.code(), before)  # not pressed
    for place, press in (((0.25, 0.75), "down"), ((0.6, 0.7), None), ((0.9, 0.2), None), ((1.2, -0.3), "up")):
        point(digits, chart, place, "move")
        if press:
            getattr(digits.page.mouse, press)()
        expected = np.clip(6 * np.array(place) - 3, -3, 3)
        digits.eventually(lambda z=expected: np.testing.assert_allclose(digits.code(), z, atol=0.03))
        np.testing.assert_allclose(digits.page.evaluate(RING), np.clip(place, 0, 1), atol=0.01)
    digits.assert_draws([3, -3])


def drawn(explorer):
    """Return the image on the canvas as the encoder gets it."""
    return explorer.image(".paper").astype(np.float32)


def test_a_drawing_is_encoded(digits, paper):
    for begin, end in ([(0.3, 0.7), (0.7, 0.75)], [(0.7, 0.75), (0.45, 0.15)]):  # a seven
        before = digits.code()
        point(digits, ".paper", begin, "move")
        digits.page.mouse.down()
        point(digits, ".paper", end, "move", steps=6)
        digits.page.mouse.up()
        digits.eventually(lambda: assert_encoded(digits, drawn(digits)))
        assert abs(digits.code() - before).max() > 0.05
    seven = drawn(digits)[0]
    assert seven[:10].max() == 1 and seven[16:20, 17:22].max() > 0.9 and seven[14:, :8].max() == 0
    point(digits, ".paper", (0.1, 0.9), "move")  # not pressed
    np.testing.assert_array_equal(drawn(digits)[0], seven)
    digits.button("clear").click()
    assert_encoded(digits, np.zeros((1, 32, 32), np.float32))


def digit(side=32, number=3):
    """Return a handwritten digit, resampled to a size in pixels."""
    image = Image.fromarray(held_out(untrained(), {}).pixels[number, 0])
    return image.resize((side, side), Image.Resampling.BOX if side < 32 else Image.Resampling.BICUBIC)


def open_file(explorer, image, path):
    image.save(path)
    explorer.page.get_by_label("or open a file").set_input_files(path)


def as_pixels(image):
    return np.asarray(image, np.float32).reshape(32, 32, -1).transpose(2, 0, 1) / 255


COLOURS = Image.merge("RGB", [digit(), ImageOps.invert(digit()), digit(number=5)])
TRANSPARENT = Image.new("RGBA", (32, 32), (0, 0, 0, 0))  # black on transparent, which becomes white
TRANSPARENT.putalpha(digit())


@pytest.mark.parametrize("image", [COLOURS, TRANSPARENT], ids=["colours", "transparent"])
def test_an_image_in_the_size_of_the_model_is_encoded_exactly(digits, paper, tmp_path, image):
    open_file(digits, image, tmp_path / "Büld 1.png")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("L")
    digits.eventually(assert_encoded, digits, as_pixels(flat), 8e-3)  # Pillow rounds the grey of a colour to a level


@pytest.mark.parametrize("size", [(600, 400), (300, 500), (16, 16)])
def test_an_image_of_any_size_is_cropped_to_a_square_and_scaled(digits, paper, tmp_path, size):
    image = Image.new("L", size, 255)  # bright where it is cut off
    image.paste(digit(min(size)), [(length - min(size)) // 2 for length in size])
    open_file(digits, image, tmp_path / "image.png")
    seen = as_pixels(ImageOps.fit(image, (32, 32)))
    mu, logvar = posterior(digits, seen)  # browsers resample differently: within half a standard deviation
    digits.eventually(lambda: np.testing.assert_array_less(np.abs(digits.code() - mu), 0.5 * np.exp(logvar / 2)))
    assert np.abs(drawn(digits) - seen).mean() < 0.01


def test_an_image_is_dropped(digits, paper, tmp_path):
    digit().save(tmp_path / "three.png")
    drop(digits.page, "html", tmp_path / "three.png")  # on the page's margin, where nothing happens
    drop(digits.page, ".paper", tmp_path / "three.png")
    digits.eventually(assert_encoded, digits, as_pixels(digit()))


def test_a_file_that_is_no_image_is_named_and_changes_nothing(digits, paper, tmp_path):
    open_file(digits, digit(), tmp_path / "three.png")
    digits.eventually(assert_encoded, digits, as_pixels(digit()))
    alert, whole = digits.page.get_by_role("alert"), (tmp_path / "three.png").read_bytes()
    for name, content in (("text.png", b"Dear reader"), ("empty.png", b""), ("<b>cut.png", whole[: len(whole) // 4])):
        (tmp_path / name).write_bytes(content)
        digits.page.get_by_label("or open a file").set_input_files(tmp_path / name)
        digits.eventually(assert_text, alert, f"{name} cannot be read as an image: ")
        assert_encoded(digits, as_pixels(digit()))
    for _ in range(2):  # the same file again
        digits.button("clear").click()
        with digits.page.expect_file_chooser() as chooser:
            digits.page.get_by_label("or open a file").click()
        chooser.value.set_files(tmp_path / "three.png")
        digits.eventually(assert_encoded, digits, as_pixels(digit()))
        assert alert.text_content() == ""


def test_a_model_of_colour_images_encodes_colours(page_of, tmp_path):
    with page_of(LatentExplorer(untrained(32, 3, 3))) as explorer:
        explorer.open("Your own image")
        open_file(explorer, COLOURS, tmp_path / "colours.png")
        explorer.eventually(assert_encoded, explorer, as_pixels(COLOURS))


def test_one_tool_is_open_at_a_time_and_keeps_what_it_shows(page_of):
    with page_of() as explorer:
        opened, index = explorer.page.locator("[aria-expanded=true]"), explorer.page.get_by_label("index", exact=True)
        for name in ("Map of codes", "Your own image", "True hand"):
            explorer.open(name)
            assert explorer.page.locator(".tool h3").all_inner_texts() == opened.all_inner_texts() == [name]
        index.fill("0.7")
        explorer.open("True hand")
        assert explorer.page.locator(".tool").count() == 0
        explorer.open("True hand")
        assert index.input_value() == "0.7"
