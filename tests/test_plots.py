"""Tiles stand where they should, and a figure shows what it was given."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

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
