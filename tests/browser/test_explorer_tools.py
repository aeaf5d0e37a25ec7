"""The explorer's tools in the real browser: the true hand, the map of codes, the manifold, your own picture."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from explorers import ROUNDED, TIMERS, held_out, page_of, shipped, untrained  # noqa: F401 (page_of is a fixture)
from PIL import Image, ImageOps

from vaehelpers import hands, latents
from vaehelpers.explorer import LatentExplorer

pytestmark = pytest.mark.slow

NAMES = list(hands.FACTORS)
# Mean and deviation where a band begins and ends, as shares of the way from -3 to +3; and where it is on the screen.
BANDS = """() => [...document.querySelectorAll(".row")].map((row) => {
  const band = row.querySelector(".band"), [range] = row.querySelectorAll("input"), style = getComputedStyle(band);
  const [whole, part] = [row.querySelector(".film"), band].map((each) => each.getBoundingClientRect());
  const cell = whole.width / 9, place = (x) => (x - whole.left - cell / 2) / (whole.width - cell);
  return [
    Number(/z(\\d+)/.exec(range.ariaLabel)[1]), Number(style.getPropertyValue("--from")),
    Number(style.getPropertyValue("--to")), place(part.left), place(part.right), band.title, band.checkVisibility(),
  ];
})"""
RING = """() => {
  const [ring, chart] = [".ring", ".chart"].map((name) => document.querySelector(name).getBoundingClientRect());
  const middle = [ring.left + ring.width / 2, ring.top + ring.height / 2];
  return [(middle[0] - chart.left) / chart.width, (middle[1] - chart.top) / chart.height];
}"""


def belief(explorer, pixels):
    """What torch's encoder believes of a picture, and the code that the sliders then hold."""
    mu, logvar = (part[0] for part in latents.encode(explorer.model, pixels[None]))
    return mu, logvar, mu.clip(-3, 3)


def assert_believes(explorer, pixels, tolerance=1e-3):
    """The sliders hold the mean, the bands end at mean ± deviation, the picture is the reconstruction."""
    mu, logvar, z = belief(explorer, pixels)
    np.testing.assert_allclose(explorer.code(), z, atol=0.005 + tolerance)
    ends = np.clip((np.stack([mu - np.exp(logvar / 2), mu + np.exp(logvar / 2)], 1) / 3 + 1) / 2, 0, 1)
    bands = sorted(explorer.page.evaluate(BANDS))
    np.testing.assert_allclose([band[1:3] for band in bands], ends, atol=tolerance)
    for (_, _, _, left, right, title, visible), (low, high), mean in zip(bands, ends, mu, strict=True):
        if visible and high - low > 0.03:  # a narrow one is three pixels wide
            np.testing.assert_allclose([left, right], [low, high], atol=0.004)
        said = re.search(r"(-?[\d.]+) ± ([\d.]+)", title)
        assert abs(float(said[1]) - mean) < 0.005 + tolerance
    return z


def test_a_true_hand_is_drawn_and_the_latents_answer(page_of):  # noqa: F811
    model, card = shipped("hands-pose").model, shipped("hands-pose").card
    assert card["vary"] == NAMES
    with page_of("hands-pose") as explorer:
        explorer.open("True hand")
        factors = hands.neutral().astype(float)
        keys = [["End"], ["Home"], ["End", "ArrowLeft", "ArrowLeft"], ["PageUp"], ["ArrowRight"] * 3]
        for k, name in enumerate(NAMES):
            slider = explorer.page.locator(".tool").get_by_label(name, exact=True)
            slider.focus()
            explorer.press(*keys[k % len(keys)])
            before, factors[k] = factors[k], float(slider.input_value())
            assert factors[k] != before or keys[k % len(keys)] == ["Home"]
            true = hands.render(factors[None], model.size)[0]
            np.testing.assert_allclose(explorer.image(".tool canvas"), true, atol=1 / 255)
            label = explorer.page.locator(".tool canvas").get_attribute("aria-label")
            assert f"{name} {factors[k]:.2f}" in label.replace("-0.00", "0.00")
            z = assert_believes(explorer, true)
            explorer.assert_draws(z, rounded=True)


def three_numbers(text):
    found = re.fullmatch(r"log p\(x\|z\) (-?\d+\.\d) − KL (\d+\.\d) = ELBO (-?\d+\.\d) nats", text)
    assert found, text
    return [float(number) for number in found.groups()]


def test_the_elbo_is_what_torch_makes_of_it(page_of):  # noqa: F811
    model = shipped("hands").model
    with page_of() as explorer:
        explorer.open("True hand")
        for key in ("ArrowRight", "End"):
            explorer.page.locator(".tool").get_by_label("index", exact=True).focus()
            explorer.press(key)
            index = float(explorer.page.locator(".tool").get_by_label("index", exact=True).input_value())
            factors = hands.neutral()
            factors[NAMES.index("index")] = index
            x = hands.render(factors[None])
            mu, logvar = (torch.tensor(part) for part in latents.encode(model, x))
            kl = torch.distributions.kl_divergence(
                torch.distributions.Normal(mu, (logvar / 2).exp()), torch.distributions.Normal(0, 1)
            ).sum()
            rng = np.random.default_rng(5)
            z = mu.numpy() + np.exp(logvar.numpy() / 2) * rng.standard_normal((400, 25), np.float32)
            recon = torch.tensor(latents.decode(model, z))
            target = torch.tensor(x).expand_as(recon)
            cross = torch.nn.functional.binary_cross_entropy(recon, target, reduction="none").sum((1, 2, 3))
            fit, error = -cross.mean().item(), cross.std().item() * (1 / 32 + 1 / 400) ** 0.5
            line = explorer.page.locator(".elbo")
            shown = explorer.eventually(lambda line=line: three_numbers(line.text_content()))
            assert abs(shown[1] - kl.item()) <= 0.051
            assert abs(shown[0] - fit) < 5 * error + 0.05  # the mean of 32 samples
            assert abs(shown[2] - (shown[0] - shown[1])) < 0.151


@pytest.fixture
def digits(page_of):  # noqa: F811
    with page_of("digits-2d") as explorer:
        yield explorer


def box(explorer):
    return explorer.page.locator(".chart canvas").bounding_box()


def ring(explorer):
    """Where the ring is on the chart: shares of the way to the right, and up."""
    right, down = explorer.page.evaluate(RING)
    return np.array([right, 1 - down])


def choose(explorer, k):
    """Type the number of a picture; return where the ring then is."""
    explorer.page.get_by_label("image", exact=True).fill(str(k))
    return ring(explorer)


def scales(explorer, along):
    """How many deviations lie between the middle and an edge of the map, for each axis: one number everywhere."""
    found = [along[k] / (2 * choose(explorer, k) - 1) for k in (3, 17, 40, 199)]
    np.testing.assert_allclose(found, np.mean(found, axis=0)[None].repeat(4, 0), rtol=0.05)
    assert np.all(np.mean(found, axis=0) > np.abs(along).max(axis=0))  # there is room for all pictures
    return np.mean(found, axis=0)


def test_a_picture_of_the_map_is_chosen_by_number(digits):
    codes = np.array(shipped("digits-2d").images["codes"])
    digits.open("Map of codes")
    for k in (17, 199, 0):
        choose(digits, k)
        np.testing.assert_array_equal(digits.code(), codes[k].clip(-3, 3))
        digits.assert_draws(codes[k].clip(-3, 3))
    for typed in ("200", "-1", "2.5", ""):
        choose(digits, typed)
        np.testing.assert_array_equal(digits.code(), codes[0].clip(-3, 3))


@pytest.mark.parametrize("axes", [(0, 1), (1, 0), (2, 3)])
def test_a_click_on_the_map_sends_the_nearest_picture(digits, axes):
    made = shipped("digits-2d")
    codes = np.array(made.images["codes"]).clip(-3, 3)
    directions = np.array([[1, 0], [0, 1], *made.images["components"]])
    along = codes @ directions[list(axes)].T
    digits.open("Map of codes")
    for label, axis in zip(("to the right", "upwards"), axes, strict=True):
        options = digits.page.get_by_label(label).locator("option").all_text_contents()
        assert [("PCA" in option) for option in options] == [False, False, True, True]
        digits.page.get_by_label(label).select_option(index=axis)
    places = (along / scales(digits, along) + 1) / 2
    area, rng = box(digits), np.random.default_rng(7)
    for right, up in [*rng.uniform(0.1, 0.9, (12, 2)), *(places[[5, 77]] + 0.002)]:
        digits.page.mouse.click(area["x"] + right * area["width"], area["y"] + (1 - up) * area["height"])
        distances = np.linalg.norm(places - [right, up], axis=1)
        k = int(digits.page.get_by_label("image", exact=True).input_value())
        assert distances[k] < distances.min() + 0.01  # two may be as near, but for a pixel
        np.testing.assert_array_equal(digits.code(), codes[k])
        np.testing.assert_allclose(ring(digits), places[k], atol=0.01)
    digits.assert_draws(codes[k])


def test_the_map_shows_pictures_and_the_one_under_the_pointer_large(digits):
    digits.open("Map of codes")
    area = box(digits)
    digits.eventually(lambda: np.testing.assert_(digits.pixels(".chart canvas").max() > 0.5))
    plain = digits.pixels(".chart canvas")
    assert np.ptp(plain, axis=2).max() < 0.02  # grey pictures, and no mark
    for right, up in ((0.3, 0.4), (0.7, 0.6)):
        digits.page.mouse.move(area["x"] + right * area["width"], area["y"] + (1 - up) * area["height"])
        marked = np.argwhere(np.ptp(digits.pixels(".chart canvas"), axis=2) > 0.5)
        assert np.all(np.ptp(marked, axis=0) > 100)  # a large frame
    before = digits.code()
    digits.page.mouse.move(5, 5)
    np.testing.assert_array_equal(digits.pixels(".chart canvas"), plain)
    np.testing.assert_array_equal(digits.code(), before)  # to look is not to choose


def test_the_ring_follows_the_sliders(digits):
    codes = np.array(shipped("digits-2d").images["codes"])
    digits.open("Map of codes")
    wide = scales(digits, codes.clip(-3, 3))
    for z in ([0, 0], [1.5, -2], [-3, 3]):
        digits.enter(z)
        np.testing.assert_allclose(ring(digits), np.clip((z / wide + 1) / 2, 0, 1), atol=0.01)
        assert digits.page.get_by_label("image", exact=True).input_value() == ""  # the code of none


def test_the_manifold_is_drawn_and_dragged_across(digits):
    digits.open("Manifold")
    area, side = box(digits), 15
    values = 3 * (2 * (np.arange(side) + 0.5) / side - 1)
    z = np.stack(np.meshgrid(values, -values), axis=-1).reshape(-1, 2)  # the second latent grows upwards
    cells = latents.decode(digits.model, z).reshape(side, side, 32, 32)
    whole = cells.transpose(0, 2, 1, 3).reshape(side * 32, side * 32)
    digits.eventually(lambda: np.testing.assert_allclose(digits.pixels(".chart canvas")[..., 0], whole, atol=ROUNDED))
    mouse = digits.page.mouse
    mouse.move(area["x"] + 0.5 * area["width"], area["y"] + 0.5 * area["height"])  # not pressed: nothing moves
    np.testing.assert_allclose(digits.code(), shipped("digits-2d").z, atol=0.00501)
    for right, up, press in ((0.25, 0.75, mouse.down), (0.6, 0.7, None), (0.9, 0.2, None), (1.2, -0.3, mouse.up)):
        mouse.move(area["x"] + right * area["width"], area["y"] + (1 - up) * area["height"])
        if press:
            press()
        expected, pixel = np.clip(6 * np.array([right, up]) - 3, -3, 3), 6 / area["width"]
        digits.eventually(lambda z=expected, one=pixel: np.testing.assert_allclose(digits.code(), z, atol=one + 0.005))
        np.testing.assert_allclose(ring(digits), np.clip([right, up], 0, 1), atol=0.01)
        digits.assert_draws(digits.code(), rounded=True)
    mouse.move(area["x"] + 50, area["y"] + 50)
    np.testing.assert_array_equal(digits.code(), [3, -3])


def drawn(explorer):
    """The picture on the paper as the encoder sees it: of one colour, or of three."""
    paper = explorer.pixels(".paper").transpose(2, 0, 1).astype(np.float32)
    return paper if explorer.model.channels == 3 else paper[:1]


def test_what_is_drawn_is_encoded(digits):
    digits.open("Your own image")
    paper, mouse = digits.page.locator(".paper"), digits.page.mouse
    area = paper.bounding_box()
    assert drawn(digits).max() == 0
    codes = []
    for stroke in ([(0.3, 0.3), (0.7, 0.25)], [(0.7, 0.25), (0.45, 0.85)]):  # a seven
        mouse.move(*(area[c] + share * area["width"] for c, share in zip("xy", stroke[0], strict=True)))
        mouse.down()
        mouse.move(*(area[c] + share * area["width"] for c, share in zip("xy", stroke[1], strict=True)), steps=6)
        mouse.up()
        digits.eventually(lambda: assert_believes(digits, drawn(digits)))
        codes.append(digits.code())
    assert abs(codes[0] - codes[1]).max() > 0.05
    z = assert_believes(digits, drawn(digits))
    digits.assert_draws(z, rounded=True)
    seven = drawn(digits)[0]
    assert seven[:10].max() == 1  # where the pointer was, and nowhere else
    assert seven[16:20, 17:22].max() > 0.9
    assert seven[14:, :8].max() == 0
    mouse.move(area["x"] + 5, area["y"] + 5)  # not pressed
    np.testing.assert_array_equal(drawn(digits)[0], seven)
    digits.button("clear").click()
    assert drawn(digits).max() == 0
    assert_believes(digits, np.zeros((1, 32, 32), np.float32))


def in_file(image, path):
    image.save(path)
    return path


def digit(side=32, number=3):
    """A handwritten digit, and as a large photograph of it."""
    picture = Image.fromarray(held_out(untrained(), {}).pixels[number, 0])
    return picture.resize((side, side), Image.Resampling.BOX if side < 32 else Image.Resampling.BICUBIC)


def transparent(image):
    """Black ink on nothing: nothing is white, like paper."""
    ink = ImageOps.invert(image)
    made = Image.new("RGBA", image.size, (0, 0, 0, 0))
    made.putalpha(ImageOps.invert(ink))
    return made


def test_a_picture_in_the_size_of_the_model_is_encoded_exactly(digits, tmp_path):
    digits.open("Your own image")
    colours = Image.merge("RGB", [digit(), ImageOps.invert(digit()), digit(number=5)])
    for k, image in enumerate((digit(), colours, transparent(digit()), digit(number=8).convert("RGBA"))):
        path = in_file(image, tmp_path / f"Büld {k}.png")
        digits.page.get_by_label("or open a file").set_input_files(path)
        rgba = image.convert("RGBA")
        flat = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("L")
        # Pillow makes whole grey levels of colours; half a level in every pixel moves a code by no more than this.
        tolerance = 1e-3 if image.mode != "RGB" and image.mode != "RGBA" else 8e-3
        expected = np.asarray(flat, np.float32)[None] / 255
        digits.eventually(lambda expected=expected, t=tolerance: assert_believes(digits, expected, t))
    assert digits.page.get_by_role("alert").text_content() == ""


@pytest.mark.parametrize("size", [(512, 512), (48, 48), (600, 400), (300, 500), (16, 16)])
def test_a_picture_of_any_size_is_cut_square_and_scaled(digits, tmp_path, size):
    """Browsers may scale as they like: what they see must differ by less than what the encoder leaves open anyway."""
    digits.open("Your own image")
    left = (size[0] - min(size)) // 2
    image = Image.new("L", size, 255)  # bright where it is cut off
    image.paste(digit(min(size)), (left, (size[1] - min(size)) // 2))
    digits.page.get_by_label("or open a file").set_input_files(in_file(image, tmp_path / "picture.png"))
    seen = np.asarray(ImageOps.fit(image, (32, 32)), np.float32)[None] / 255
    mu, logvar, z = belief(digits, seen)
    digits.eventually(lambda: np.testing.assert_array_less(np.abs(digits.code() - z), 0.5 * np.exp(logvar / 2)))
    assert np.abs(drawn(digits) - seen).mean() < 0.01


DROP = """([text, name]) => {
  const transfer = new DataTransfer(), bytes = Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
  transfer.items.add(new File([bytes], name));
  const paper = document.querySelector(".paper"), options = { bubbles: true, cancelable: true, dataTransfer: transfer };
  return ["dragover", "drop"].map((type) => paper.dispatchEvent(new DragEvent(type, options)));
}"""


def test_a_picture_is_dropped(digits):
    digits.open("Your own image")
    buffer = io.BytesIO()
    digit().save(buffer, "png")
    text = base64.b64encode(buffer.getvalue()).decode()
    assert digits.page.evaluate(DROP, [text, "three"]) == [False, False]  # the browser does not open the file itself
    digits.eventually(lambda: assert_believes(digits, np.asarray(digit(), np.float32)[None] / 255))


def test_what_is_no_picture_says_so_and_changes_nothing(digits, tmp_path):
    digits.open("Your own image")
    files = digits.page.get_by_label("or open a file")
    files.set_input_files(in_file(digit(), tmp_path / "three.png"))
    expected = np.asarray(digit(), np.float32)[None] / 255
    digits.eventually(lambda: assert_believes(digits, expected))
    whole = (tmp_path / "three.png").read_bytes()
    for name, content in (("text.png", b"Dear reader"), ("empty.png", b""), ("<b>cut.png", whole[: len(whole) // 4])):
        (tmp_path / name).write_bytes(content)
        files.set_input_files(tmp_path / name)
        alert = digits.page.get_by_role("alert")
        digits.eventually(lambda alert=alert, name=name: np.testing.assert_(name in alert.text_content()))
        assert alert.text_content().startswith(f"{name} cannot be read as an image: ")
        np.testing.assert_allclose(drawn(digits), expected, atol=1e-6)
        assert_believes(digits, expected)
    files.set_input_files(in_file(digit(number=4), tmp_path / "four.png"))
    digits.eventually(lambda: np.testing.assert_equal(digits.page.get_by_role("alert").text_content(), ""))
    digits.eventually(lambda: assert_believes(digits, np.asarray(digit(number=4), np.float32)[None] / 255))


def test_the_same_file_is_opened_again(digits, tmp_path):
    digits.open("Your own image")
    path = in_file(digit(), tmp_path / "three.png")
    for _ in range(2):
        with digits.page.expect_file_chooser() as chooser:
            digits.page.get_by_label("or open a file").click()
        chooser.value.set_files(path)
        digits.eventually(lambda: assert_believes(digits, np.asarray(digit(), np.float32)[None] / 255))
        digits.button("clear").click()


def test_a_coloured_picture_is_seen_in_its_colours(page_of, tmp_path):  # noqa: F811
    model = untrained(32, 3, 3)
    colours = Image.merge("RGB", [digit(), ImageOps.invert(digit()), digit(number=5)])
    with page_of(LatentExplorer(model)) as explorer:
        explorer.open("Your own image")
        explorer.page.get_by_label("or open a file").set_input_files(in_file(colours, tmp_path / "colours.png"))
        expected = np.asarray(colours, np.float32).transpose(2, 0, 1) / 255
        explorer.eventually(lambda: assert_believes(explorer, expected))


def test_a_belief_goes_when_the_code_comes_from_elsewhere(page_of):  # noqa: F811
    with page_of() as explorer:
        line, band = explorer.page.locator(".elbo"), explorer.page.locator(".band:visible")
        assert (line.text_content(), band.count()) == ("", 0)
        explorer.open("True hand")
        assert "KL" in line.text_content()
        assert band.count() == 6
        explorer.button("random").click()
        assert (line.text_content(), band.count()) == ("", 0)
        explorer.page.evaluate(TIMERS, 200)  # and it does not come back
        assert line.text_content() == ""


def test_one_tool_is_open_at_a_time_and_keeps_what_it_shows(page_of):  # noqa: F811
    with page_of() as explorer:
        buttons = explorer.page.locator(".toolbar button")
        names = buttons.all_inner_texts()
        assert names == ["True hand", "Map of codes", "Your own image"]
        for name in names:
            explorer.open(name)
            assert explorer.page.locator(".tool h3").all_inner_texts() == [name]
            expanded = [button.get_attribute("aria-expanded") for button in buttons.all()]
            assert expanded == [str(each == name).lower() for each in names]
        explorer.open("True hand")
        index = explorer.page.locator(".tool").get_by_label("index", exact=True)
        index.fill("0.7")
        explorer.open("True hand")
        assert explorer.page.locator(".tool").count() == 0
        explorer.open("True hand")
        assert index.input_value() == "0.7"
