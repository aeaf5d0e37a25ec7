"""Drawn once, kept whole, and the same every time."""

import numpy as np
import pytest
from PIL import Image

from vaehelpers import datasets, hands


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "user_cache_path", lambda _: tmp_path)
    return tmp_path


def draw(**changes):
    return datasets.hands(**{"n": 30, "seed": 1, "size": 32, "vary": ("index",), "progress": False} | changes)


def test_hands_are_drawn_once_and_read_from_then_on(cache, monkeypatch):
    first = draw()
    monkeypatch.setattr(hands, "render", None)
    second = draw()
    assert first.pictures.tobytes() == second.pictures.tobytes()
    assert [p.suffix for p in cache.iterdir()] == [".npy"]


def test_other_arguments_are_other_files(cache):
    draw()
    for change in ({"n": 31}, {"seed": 2}, {"size": 64}, {"vary": ("thumb",)}):
        draw(**change)
    assert len(list(cache.iterdir())) == 5


def test_pictures_are_the_drawing_and_factors_the_truth(cache):
    images = draw(vary=("index", "x"))
    assert images.factors.shape == (30, 2) and images.names == ("index", "x")
    expected = hands.render(hands.fill(images.factors, images.names), size=32)
    np.testing.assert_allclose(images[:], expected, atol=0.5 / 255 + 1e-6)


def test_a_damaged_file_is_drawn_again(cache):
    whole = draw()
    path = next(cache.iterdir())
    path.write_bytes(path.read_bytes()[:100])
    assert draw().pictures.tobytes() == whole.pictures.tobytes()


def test_a_full_disk_costs_nothing_but_time(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    assert len(draw()) == 30
    assert list(cache.iterdir()) == []


def test_digits():
    digits = datasets.digits()
    assert digits.pictures.shape == (1797, 1, 32, 32)
    assert digits.pictures.max() == 255
    assert sorted(set(digits.factors[:, 0])) == list(range(10))


def test_a_folder_of_pictures(tmp_path):
    Image.new("RGB", (80, 40), "white").save(tmp_path / "a.png")
    Image.new("L", (20, 20), 0).save(tmp_path / "b.jpg")
    (tmp_path / "note.txt").write_text("no picture")
    images = datasets.folder(tmp_path, size=32)
    assert images.pictures.shape == (2, 1, 32, 32)
    assert images[0].min() == 1 and images[1].max() == 0


def test_a_missing_and_an_empty_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        datasets.folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="holds no .png"):
        datasets.folder(tmp_path)
