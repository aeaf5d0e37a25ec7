"""The latent explorer in Python: its traits, what it shows where nothing moves, and the one file that it writes."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from explorers import HOSTILE, held_out, open_shipped, untrained
from PIL import Image

from vaehelpers import datasets, hands, latents, weights
from vaehelpers.explorer import LIMIT, LatentExplorer, bundle, label, order, pack, typical_code

SHIPPED = sorted(path.stem for path in weights.PRETRAINED.glob("*.safetensors"))


def test_page_and_package_mean_the_same_by_unused_and_by_the_end_of_a_slider():
    assert f"const LIMIT = {LIMIT};" in bundle() and f"const UNUSED = {latents.UNUSED};" in bundle()


class Page(HTMLParser):
    """The elements of an HTML file: tag, attributes, text."""

    def __init__(self, text):
        super().__init__()
        self.elements = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        self.elements.append(["", {}, ""])  # what comes after it is not its own

    def handle_data(self, data):
        if self.elements:
            self.elements[-1][2] += data

    def all(self, tag):
        return [(attrs, text) for name, attrs, text in self.elements if name == tag]


@pytest.fixture
def explorer():
    return LatentExplorer(untrained())


@pytest.mark.parametrize(
    "z", [[0], [0, 0, 0], [], 0, [[0, 0]], [0, np.nan], [0, np.inf], "ab", ["a", "b"], [0, None], {"z": 1}, None]
)
def test_a_bad_code_is_refused_by_name(explorer, z):
    explorer.z = [1, -1]
    with pytest.raises(ValueError, match="z: need 2 finite numbers, got"):
        explorer.z = z
    assert explorer.z == [1, -1]
    if z is not None:  # which means: none given
        with pytest.raises(ValueError, match="start: .*, got"):
            LatentExplorer(untrained(), start=z)


@pytest.mark.parametrize("z", [[-7, 2], (-3, 2), np.array([-100, 2]), np.array([-3.5, 2], np.float32)])
def test_a_code_becomes_floats_within_the_sliders(explorer, z):
    explorer.z = z
    for found in (explorer.z, LatentExplorer(untrained(), start=z).z):
        assert found == [-3, 2]
        assert [type(value) for value in found] == [float, float]


def test_a_code_to_begin_with_is_of_an_open_hand_or_of_the_first_image_or_a_draw_from_the_prior():
    model, card = weights.load_pretrained("hands")
    open_hand = hands.render(hands.neutral()[None], model.size)
    for images in (None, held_out(model, card, 3)):
        np.testing.assert_array_equal(typical_code(model, card, images), latents.encode(model, open_hand)[0][0])
    model, card = weights.load_pretrained("digits-2d")
    images = held_out(model, card, 3)
    np.testing.assert_array_equal(typical_code(model, card, images), latents.encode(model, images[:])[0][0])
    nothing = datasets.Images(images.pixels[:0], images.factors[:0], images.names)
    for images in (None, nothing):
        drawn = typical_code(untrained(latent_dim=400), {"data": "pictures of my own"}, images)
        assert drawn.shape == (400,) and abs(drawn.mean()) < 0.25 and abs(drawn.std() - 1) < 0.2
    assert typical_code(untrained(channels=3), {"data": "hands"}).shape == (2,)  # whatever a card says


def test_an_open_hand_is_sharper_than_the_middle_of_the_prior():
    def steepest(model, z):
        return np.abs(np.diff(latents.decode(model, np.asarray(z)[None]))).max()

    for name in SHIPPED:
        model, card = weights.load_pretrained(name)
        if card.get("data") == "hands":
            assert steepest(model, typical_code(model, card)) > steepest(model, np.zeros(model.latent_dim)), name


def test_no_card_is_needed_and_a_given_one_is_left_as_it_was():
    assert LatentExplorer(untrained()).card["latents"] == [{}, {}]
    card = {"name": "mine", "vary": ["index"]}
    made = LatentExplorer(untrained(), card, images=held_out(untrained(), card, 20))
    assert card == {"name": "mine", "vary": ["index"]}
    assert made.vary == []  # only a model of hands has a true hand


def test_pictures_say_what_latents_carry_where_no_card_does():
    model, images = untrained(latent_dim=5), held_out(untrained(), {}, 50)
    mu, logvar = (np.float64(part) for part in latents.encode(model, images[:]))
    kl = [entry["kl"] for entry in LatentExplorer(model, images=images).card["latents"]]
    np.testing.assert_allclose(kl, (0.5 * (mu**2 + np.exp(logvar) - logvar - 1)).mean(axis=0), rtol=1e-5)
    card = {"latents": [{"kl": 7.0}] * 5}
    assert LatentExplorer(model, card, images=images).card["latents"] == card["latents"]


def test_latents_are_ordered_by_what_they_carry_and_named():
    card = {"latents": [{"kl": 0.5}, {"kl": 0.02, "name": "x"}, {"kl": 1.25, "name": "thumb"}, {"kl": 0.099}]}
    assert order(card) == ([2, 0], [3, 1])
    assert [label(card, i) for i in range(3)] == ["z0 · 0.50 nats", "unused · z1 · 0.02 nats", "thumb · z2 · 1.25 nats"]
    assert order({"latents": [{}, {}]}) == ([0, 1], [])
    assert label({"latents": [{}]}, 0) == "z0"


@pytest.mark.parametrize("n", [1, 2, 50, 200, 230])
def test_the_first_200_pictures_are_placed_on_the_map(n):
    model, images = untrained(latent_dim=3), held_out(untrained(), {}, n)
    placed, shown = LatentExplorer(model, images=images).images, min(n, 200)
    mu = latents.encode(model, images[:shown])[0]
    np.testing.assert_allclose(placed["codes"], mu, atol=0.005001)  # two decimals
    sheet = np.asarray(Image.open(io.BytesIO(placed["thumbnails"])).convert("L"), float)
    columns = int(np.ceil(np.sqrt(shown)))
    assert sheet.shape == (32 * columns, 32 * columns)
    for k in {0, shown // 2, shown - 1}:
        top, left = 32 * (k // columns), 32 * (k % columns)
        assert np.abs(sheet[top : top + 32, left : left + 32] - images.pixels[k, 0]).mean() < 8  # WebP loses a little
    if n > 2:  # the two directions are at right angles, and no other two hold more of the codes
        directions, centred = np.array(placed["components"]), mu - mu.mean(axis=0)
        np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-3)
        most = np.linalg.eigvalsh(centred.T @ centred)[:-3:-1]
        np.testing.assert_allclose((centred @ directions.T).var(axis=0) * shown, most, rtol=1e-2)


@pytest.mark.parametrize("model", [(32, 1, 1), (32, 4, 3), (64, 2, 3), (32, 40, 1)])
def test_models_of_any_shape_are_shown(model, tmp_path):
    model = untrained(*model)
    images = held_out(model, {"data": "hands", "vary": ["index"]}, 3)
    for given in (None, images, datasets.Images(images.pixels[:0], images.factors[:0], images.names)):
        made = LatentExplorer(model, images=given)
        assert bool(made.images) == (given is images)
        made.save_html(tmp_path / "page.html")
    shown = np.asarray(Image.open(io.BytesIO(made.traversal("png"))).convert("RGB"), float)
    assert (np.ptp(shown, axis=2).max() > 100) == (model.channels == 3)  # labels are black
    with pytest.raises(ValueError, match="images: need"):
        LatentExplorer(model, images=datasets.Images(images.pixels[..., :16], images.factors, images.names))


def test_a_notebook_gets_a_live_view_and_an_image_that_needs_no_kernel(monkeypatch):
    outputs = []
    monkeypatch.setattr("vaehelpers.explorer.display", lambda data, **options: outputs.append(data))
    made = LatentExplorer(untrained(), start=[1, 2])
    made._ipython_display_()
    LatentExplorer(untrained(), start=[-3, -3])._ipython_display_()
    assert outputs[0]["application/vnd.jupyter.widget-view+json"]["model_id"] == made.model_id
    still = Image.open(io.BytesIO(base64.b64decode(outputs[1]["image/jpeg"])))
    assert still.format == "JPEG"
    assert still.width > 600
    assert np.asarray(still.convert("L")).std() > 20
    assert outputs[1] != outputs[3]  # it starts from the code as it stands


@pytest.mark.parametrize("name", SHIPPED)
def test_the_file_is_small_and_holds_all_and_loads_nothing(name, tmp_path):
    made = open_shipped(name)
    path = tmp_path / "page.html"
    made.save_html(path)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= 1_600_000
    page = Page(text)
    policy = next(attrs["content"] for attrs, _ in page.all("meta") if "http-equiv" in attrs)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules.keys() == {"default-src", "script-src", "style-src", "img-src"}
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == "data:"
    script = next(text for attrs, text in page.all("script") if attrs["type"] == "module")
    for rule, content in (("script-src", script), ("style-src", page.all("style")[0][1])):
        assert rules[rule] == f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
    loading = [attrs[key] for _, attrs, _ in page.elements for key in ("src", "href", "srcset", "data") if key in attrs]
    assert all(address.startswith("data:image/webp;base64,") for address in loading)
    assert not re.search(r"https?://|url\(|@import|\bimport\b *[\"'({*]", text)
    traits = json.loads(next(text for attrs, text in page.all("script") if attrs.get("id") == "traits"))
    assert traits["weights"] == pack((weights.PRETRAINED / f"{name}.safetensors").read_bytes())
    assert len(traits["images"]["codes"]) == 200
    twin = Image.open(io.BytesIO(base64.b64decode(loading[0].split(",")[1])))
    assert twin.width >= 600
    assert twin.height > 30 * made.model.latent_dim


def test_a_file_holds_the_code_as_it_stands(tmp_path):
    made = open_shipped("digits-2d")
    made.z = [1.25, -0.5]
    made.save_html(str(tmp_path / "page.html"))
    page = Page((tmp_path / "page.html").read_text())
    assert json.loads(next(text for attrs, text in page.all("script") if attrs.get("id") == "traits"))["z"] == made.z


def test_a_card_cannot_add_elements_to_the_page(tmp_path):
    card = {
        "name": HOSTILE,
        "data": "hands",
        "vary": [HOSTILE],
        "latents": [{"name": HOSTILE, "kl": 1.0}, {"name": "Größe \u2028"}],
    }
    pages = []
    for number, each in enumerate((card, {"name": "plain"})):
        LatentExplorer(untrained(), each).save_html(tmp_path / f"{number}.html")
        pages.append(Page((tmp_path / f"{number}.html").read_text(encoding="utf-8")))
    hostile, plain = ([(tag, sorted(attrs)) for tag, attrs, _ in page.elements] for page in pages)
    assert hostile == plain
    assert pages[0].all("title")[0][1].strip() == pages[0].all("h1")[0][1].strip() == f"Latent explorer: {HOSTILE}"
    assert HOSTILE in pages[0].all("img")[0][0]["alt"]


def nothing_new(folder, before):
    return {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_file_is_written_whole_or_not_at_all(explorer, tmp_path, monkeypatch):
    target = tmp_path / "page.html"
    target.write_text("old")

    def full(path, text, **options):
        path.write_bytes(text[:1000].encode())
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)
        with pytest.raises(OSError, match="No space left"):
            explorer.save_html(target)
        assert nothing_new(tmp_path, {"page.html": b"old"})
    with monkeypatch.context() as patch:
        patch.setattr(explorer, "traversal", lambda kind: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            explorer.save_html(target)
        assert nothing_new(tmp_path, {"page.html": b"old"})
    explorer.save_html(target)
    assert target.read_bytes().endswith(b"</html>\n")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    explorer.save_html(tmp_path / "new" / "folder" / "page.html")
    assert (tmp_path / "new" / "folder" / "page.html").read_bytes() == target.read_bytes()


def test_a_path_that_cannot_be_written_is_an_oserror(explorer, tmp_path):
    (tmp_path / "file").write_text("old")
    for path in (tmp_path, tmp_path / "file" / "page.html"):
        with pytest.raises(OSError, match=re.escape(str(tmp_path))):
            explorer.save_html(path)
    assert nothing_new(tmp_path, {"file": b"old"})
    assert not list(tmp_path.parent.glob("*.part"))


def test_a_true_hand_is_offered_for_models_of_hands():
    model, card = weights.load_pretrained("hands")
    assert LatentExplorer(model, card).vary == card["vary"]
    assert set(card["vary"]) < set(hands.FACTORS)
    assert open_shipped("digits-2d").vary == []


def test_a_picture_is_selected_by_its_number_or_by_its_code():
    explorer = LatentExplorer(*weights.load_pretrained("digits-2d"), images=datasets.digits())
    assert explorer.selected == -1
    explorer.selected = 5
    assert explorer.z == explorer.images["codes"][5]
    explorer.z = [0, 1]
    assert explorer.selected == -1
    explorer.z = explorer.images["codes"][7]
    assert explorer.selected == 7
    explorer.z = np.zeros(2)
    assert explorer.start == [0, 0]
    for wrong in (200, -2):
        with pytest.raises(ValueError, match=f"selected: need a number from -1 to 199, got {wrong}"):
            explorer.selected = wrong
