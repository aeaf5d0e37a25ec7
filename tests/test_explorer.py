"""The latent explorer in Python: its traits, its static image for pages without a kernel, and its HTML file."""

import base64
import io
import json
import re

import numpy as np
import pytest
from bs4 import BeautifulSoup
from explorers import HOSTILE, SHIPPED, held_out, open_shipped, untrained
from PIL import Image

from vaehelpers import datasets, hands, latents, weights
from vaehelpers.explorer import LIMIT, LatentExplorer, bundle, label, order, pack, typical_code


def test_the_page_has_the_limits_of_the_package():
    assert f"const LIMIT = {LIMIT};" in bundle() and f"const UNUSED = {latents.UNUSED};" in bundle()


@pytest.mark.parametrize("z", [[0], [0, 0, 0], [], 0, [[0, 0]], [0, np.inf], "ab", ["a", "b"], [0, None], {"z": 1}])
def test_a_bad_code_is_refused_and_changes_nothing(z):
    explorer = LatentExplorer(untrained(), start=[1, -1])
    with pytest.raises(ValueError, match="z: .*, got"):
        explorer.z = z
    assert explorer.z == [1, -1]


@pytest.mark.parametrize("z", [[-7, 2], (-3, 2), np.array([-100, 2]), np.array([-3.5, 2], np.float32)])
def test_a_code_becomes_floats_within_the_sliders(z):
    explorer = LatentExplorer(untrained())
    explorer.z = z
    for found in (explorer.z, LatentExplorer(untrained(), start=z).z):
        assert found == [-3, 2] and [type(value) for value in found] == [float, float]


def test_the_typical_code_is_of_an_open_hand_or_of_the_first_image_or_from_the_prior():
    model, card = weights.load_pretrained("hands")
    open_hand = hands.render(hands.neutral()[None], model.size)
    for images in (None, held_out(model, card, 3)):
        np.testing.assert_array_equal(typical_code(model, card, images), latents.encode(model, open_hand)[0][0])
    model, card = weights.load_pretrained("digits-2d")
    images = held_out(model, card, 3)
    np.testing.assert_array_equal(typical_code(model, card, images), latents.encode(model, images[:1])[0][0])
    drawn = typical_code(untrained(latent_dim=400), {"data": "my own images"}, held_out(model, card, 0))
    assert drawn.shape == (400,) and abs(drawn.mean()) < 0.25 and abs(drawn.std() - 1) < 0.2
    assert typical_code(untrained(channels=3), {"data": "hands"}).shape == (2,)  # although the card names hands


def test_only_models_of_hands_have_a_true_hand_and_a_card_is_not_changed():
    model, card = weights.load_pretrained("hands")
    assert LatentExplorer(model, card).vary == card["vary"]
    card = {"name": "mine", "vary": ["index"]}
    assert LatentExplorer(untrained(), card, images=held_out(untrained(), card, 20)).vary == []
    assert card == {"name": "mine", "vary": ["index"]}


def test_the_kl_of_each_latent_is_the_cards_or_that_of_the_images():
    model, images = untrained(latent_dim=5), held_out(untrained(), {}, 50)
    mu, logvar = (np.float64(part) for part in latents.encode(model, images[:]))
    kl = [entry["kl"] for entry in LatentExplorer(model, images=images).card["latents"]]
    np.testing.assert_allclose(kl, (0.5 * (mu**2 + np.exp(logvar) - logvar - 1)).mean(axis=0), rtol=1e-5)
    card = {"latents": [{"kl": 7.0}] * 5}
    assert LatentExplorer(model, card, images=images).card["latents"] == card["latents"]
    assert LatentExplorer(model, images=held_out(model, {}, 0)).card["latents"] == [{}] * 5


def test_latents_are_ordered_by_their_kl_and_labelled():
    card = {"latents": [{"kl": 0.5}, {"kl": 0.02, "name": "x"}, {"kl": 1.25, "name": "thumb"}, {"kl": 0.099}]}
    assert order(card) == ([2, 0], [3, 1])
    assert [label(card, i) for i in range(3)] == ["z0 · 0.50 nats", "unused · z1 · 0.02 nats", "thumb · z2 · 1.25 nats"]
    assert order({"latents": [{}, {}]}) == ([0, 1], [])
    assert label({"latents": [{}]}, 0) == "z0"


@pytest.mark.parametrize("n", [1, 50, 230])
def test_the_first_200_images_are_placed_on_the_map(n):
    model, images, shown = untrained(latent_dim=3), held_out(untrained(), {}, n), min(n, 200)
    placed, mu = LatentExplorer(model, images=images).images, latents.encode(model, images[:shown])[0]
    np.testing.assert_allclose(placed["codes"], mu, atol=0.005001)  # two decimals
    sheet = np.asarray(Image.open(io.BytesIO(placed["thumbnails"])).convert("L"), float)
    side = int(np.ceil(np.sqrt(shown)))
    tiles = sheet.reshape(side, 32, side, 32).swapaxes(1, 2).reshape(-1, 32, 32)
    assert np.abs(tiles[:shown] - images.pixels[:shown, 0]).mean(axis=(1, 2)).max() < 8  # WebP is lossy
    if n > 2:  # the two directions are orthonormal and have the largest variance
        directions, centred = np.array(placed["components"]), mu - mu.mean(axis=0)
        np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-3)
        most = np.linalg.eigvalsh(centred.T @ centred)[:-3:-1]
        np.testing.assert_allclose((centred @ directions.T).var(axis=0) * shown, most, rtol=1e-2)


@pytest.mark.parametrize("name", SHIPPED)
def test_the_file_is_small_and_complete_and_loads_nothing(name, tmp_path):
    made = open_shipped(name)
    made.z = made.z[::-1]
    path = tmp_path / "new" / "page.html"
    made.save_html(str(path))
    assert path.stat().st_size <= 1_600_000
    text = path.read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    policy = r"default-src 'none'; script-src 'sha256-\S+' 'wasm-unsafe-eval'; style-src 'sha256-\S+'; img-src data:"
    assert re.fullmatch(policy, page.find("meta", {"http-equiv": True})["content"])
    assert not re.search(r"https?://|url\(|@import|\bimport\b *[\"'({*]", text)
    traits = json.loads(page.find(id="traits").string)
    assert traits["weights"] == pack((weights.PRETRAINED / f"{name}.safetensors").read_bytes())
    assert len(traits["images"]["codes"]) == 200 and traits["z"] == made.z
    traversal = Image.open(io.BytesIO(base64.b64decode(page.img["src"].split(",")[1])))
    assert traversal.width >= 600 and traversal.height > 30 * made.model.latent_dim


def test_a_card_cannot_add_elements_to_the_page(tmp_path):
    entries = [{"name": HOSTILE, "kl": 1.0}, {"name": "Größe \u2028"}]
    pages = []
    for card in ({"name": HOSTILE, "vary": [HOSTILE], "latents": entries}, {"name": "plain"}):
        LatentExplorer(untrained(), card).save_html(tmp_path / "page.html")
        pages.append(BeautifulSoup((tmp_path / "page.html").read_text(encoding="utf-8"), "html.parser"))
    hostile, plain = ([(each.name, sorted(each.attrs)) for each in page.find_all()] for page in pages)
    assert hostile == plain
    assert pages[0].h1.string == f"Latent explorer: {HOSTILE}" and HOSTILE in pages[0].img["alt"]


def test_an_image_is_selected_by_its_number_or_by_its_code():
    explorer = LatentExplorer(*weights.load_pretrained("digits-2d"), images=datasets.digits())
    assert explorer.selected == -1 and explorer.start == [0, 0]
    explorer.selected = 5
    assert explorer.z == explorer.images["codes"][5]
    explorer.z = [0, 1]
    assert explorer.selected == -1
    explorer.z = explorer.images["codes"][7]
    assert explorer.selected == 7
    for wrong in (200, -1):
        with pytest.raises(ValueError, match=f"selected: need a whole number from 0 to 199, got {wrong}"):
            explorer.selected = wrong
