"""Positions of images in plots, and labels of figures."""

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from conftest import ROOT
from PIL import Image

from recipes import models
from vaehelpers import plots

RNG = np.random.default_rng(0)


def texts(labels):
    return [label.get_text() for label in labels]


def test_a_tile_stands_in_its_row_and_column():
    grid = RNG.random((3, 4, 1, 8, 8), np.float32)
    image = plots.tile(grid)
    assert image.shape == (3 * 9 - 1, 4 * 9 - 1)
    np.testing.assert_array_equal(image[18:26, 9:17], grid[2, 1, 0])
    colour = RNG.random((1, 2, 3, 4, 4), np.float32)
    np.testing.assert_array_equal(plots.tile(colour)[:4, 5:9], colour[0, 1].transpose(1, 2, 0))


def test_a_traversal_has_its_labels_and_leaves_the_settings_alone():
    before, images = dict(plt.rcParams), RNG.random((2, 3, 1, 8, 8), np.float32)
    ax = plots.plot_traversal(images, ["z0", "z1"], values=[-3, 0, 3])
    assert texts(ax.get_yticklabels()) == ["z0", "z1"] and texts(ax.get_xticklabels()) == ["-3.0", "+0.0", "+3.0"]
    assert ax.get_yticks().tolist() == [4.5, 13.5] and ax.get_xticks().tolist() == [4.5, 13.5, 22.5]
    np.testing.assert_array_equal(ax.images[0].get_array(), plots.tile(images))
    assert dict(plt.rcParams) == before


def test_a_map_draws_on_the_axes_it_is_given():
    ax = plt.figure().add_subplot()
    assert plots.plot_map(RNG.standard_normal((40, 2)), np.zeros((40, 1, 8, 8)), names=("a", "b"), ax=ax) is ax
    assert ax.get_xlabel() == "a" and 1 < len(ax.artists) <= 40


def test_more_than_five_images_stand_in_rows():
    images = RNG.random((7, 1, 8, 8), np.float32)
    axes = plots.plot_pictures(images, titles=list("abcdefg"))
    assert axes.shape == (2, 4) and [ax.get_title() for ax in axes.flat] == [*"abcdefg", ""]
    np.testing.assert_array_equal(axes[1, 2].images[0].get_array(), images[6, 0])
    assert not axes[1, 3].images and plots.plot_pictures(images[:5]).shape == (1, 5)


@pytest.mark.skipif(matplotlib.__version_info__ < (3, 11), reason="older versions have wider letters, another layout")
def test_the_figure_in_the_readme_is_what_the_shipped_model_draws(tmp_path):
    with plt.rc_context():
        models.draw_traversal(tmp_path / "now.png")
    kept, now = (Image.open(path).convert("L") for path in (ROOT / "docs" / "traversal.png", tmp_path / "now.png"))
    kept, now = (np.asarray(image.resize((260, 100)), float) for image in (kept, now))  # fonts may differ a little
    assert np.abs(kept - now).mean() < 2


def test_an_ellipse_lies_one_standard_deviation_out():
    cov = np.array([[2.0, 0.7], [0.7, 1.0]])
    curves = plots.ellipses(cov, (1, -1))
    for curve, distance in ((curves[:100], 1), (curves[101:], 4)):
        step = curve - [1, -1]
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, np.linalg.inv(cov), step), distance)
