"""Tiles stand where they should, and a figure shows what it was given."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from recipes import models
from vaehelpers import plots


def test_a_tile_stands_in_its_row_and_column():
    grid = np.random.default_rng(0).random((3, 4, 1, 8, 8), np.float32)
    picture = plots.tile(grid)
    assert picture.shape == (3 * 9 - 1, 4 * 9 - 1)
    np.testing.assert_array_equal(picture[18:26, 9:17], grid[2, 1, 0])
    with pytest.raises(ValueError, match="pictures: need"):
        plots.tile(grid[0])


def test_a_traversal_has_its_labels_and_leaves_the_settings_alone():
    before = dict(plt.rcParams)
    ax = plots.plot_traversal(np.zeros((2, 3, 1, 8, 8)), ["z0", "z1"], values=[-3, 0, 3])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["z0", "z1"]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["-3.0", "+0.0", "+3.0"]
    assert dict(plt.rcParams) == before


def test_a_map_draws_on_the_axes_it_is_given():
    ax = plt.figure().add_subplot()
    codes = np.random.default_rng(1).standard_normal((40, 2))
    assert plots.plot_map(codes, np.zeros((40, 1, 8, 8)), names=("a", "b"), ax=ax) is ax
    assert ax.get_xlabel() == "a" and 1 < len(ax.artists) <= 40


def test_a_row_has_its_titles_and_a_manifold_its_latents():
    pictures = np.random.default_rng(2).random((3, 1, 8, 8), np.float32)
    ax = plots.plot_pictures(pictures, titles=["one", "two", "three"])
    np.testing.assert_array_equal(ax.images[0].get_array(), plots.tile(pictures[None]))
    assert [label.get_text() for label in ax.get_xticklabels()] == ["one", "two", "three"]
    assert ax.get_xticks().tolist() == [4.5, 13.5, 22.5]
    ax = plots.plot_manifold(pictures[None].repeat(2, axis=0))
    assert ax.images[0].get_array().shape == (17, 26) and ax.get_xlabel().startswith("first latent")


def test_more_than_five_pictures_stand_in_rows():
    pictures = np.random.default_rng(4).random((7, 1, 8, 8), np.float32)
    ax = plots.plot_pictures(pictures, titles=list("abcdefg"))
    shown = np.asarray(ax.images[0].get_array())
    assert shown.shape == (8 + 2 + 8, 4 * 9 - 1)  # with room for titles between the rows
    np.testing.assert_array_equal(shown[10:, 18:26], pictures[6, 0])
    assert (shown[8:10] == 1).all() and (shown[10:, 27:] == 1).all()  # white, and so is the place of an eighth
    assert [label.get_text() for label in ax.get_xticklabels()] == list("abcd")
    lower = [(text.get_text(), text.xy) for text in ax.texts]
    assert lower == [("e", (4.5, 9.5)), ("f", (13.5, 9.5)), ("g", (22.5, 9.5))]
    assert np.asarray(plots.plot_pictures(pictures).images[0].get_array()).shape == (17, 35)


def test_a_picture_in_colour_stays_in_colour():
    grid = np.random.default_rng(3).random((1, 2, 3, 4, 4), np.float32)
    np.testing.assert_array_equal(plots.tile(grid)[:4, 5:9], grid[0, 1].transpose(1, 2, 0))


@pytest.mark.skipif(matplotlib.__version_info__ < (3, 11), reason="its letters are narrower, and all else moves")
def test_the_picture_in_the_readme_is_what_the_shipped_model_draws(tmp_path):
    with plt.rc_context():
        models.draw_traversal(tmp_path / "now.png")
    kept, now = (Image.open(path).convert("L") for path in (ROOT / "docs" / "traversal.png", tmp_path / "now.png"))
    kept, now = (np.asarray(picture.resize((260, 100)), float) for picture in (kept, now))  # fonts may differ a little
    assert np.abs(kept - now).mean() < 2


def test_an_ellipse_lies_one_standard_deviation_out():
    cov = np.array([[2.0, 0.7], [0.7, 1.0]])
    one, two = plots.ellipses(cov, (1, -1))
    for curve, distance in ((one, 1), (two, 4)):
        step = curve - [1, -1]
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, np.linalg.inv(cov), step), distance)
