"""Lesson 07: the heat map shows the numbers that it is given and frames the right cells."""

import numpy as np
import pytest

from vaehelpers.lessons import lesson07

TABLE = np.array([[1.5, 0.1, 0.0], [0.2, 0.0, 0.7]])


def framed(ax):
    """The latent that is framed for each factor, None where nobody knows anything."""
    return [int(frame.get_y() + 0.5) if frame.get_visible() else None for frame in ax.patches]


def test_the_best_latent_of_each_factor_is_framed():
    ax = lesson07.plot_mi_matrix(TABLE, latents=["z0", "z1"], factors=["a", "b", "c"])
    assert [text.get_text() for text in ax.texts] == ["1.50", "0.10", "0.00", "0.20", "0.00", "0.70"]
    assert framed(ax) == [0, 0, 1] and [frame.get_x() + 0.5 for frame in ax.patches] == [0, 1, 2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["z0", "z1"]
    lesson07.move_mi_matrix(ax, TABLE[::-1] * [1, 0, 1])
    assert framed(ax) == [1, None, 0] and ax.texts[0].get_text() == "0.20"
    assert ax.images[0].get_clim() == (0, 1.5)


def test_many_latents_get_a_scale_in_place_of_numbers():
    ax = lesson07.plot_mi_matrix(
        np.eye(25, 3), latents=[f"z{i}" for i in range(25)], factors=["a", "b", "c"], darkest=2
    )
    assert not ax.texts and ax.images[0].colorbar.ax.get_ylabel() == "nats"
    assert ax.images[0].get_clim() == (0, 2) and framed(ax) == [0, 1, 2]


def test_each_row_and_column_needs_a_name():
    with pytest.raises(ValueError, match=r"information: need \(1, 3\), as many as names, got \(2, 3\)"):
        lesson07.plot_mi_matrix(TABLE, latents=["z0"], factors=["a", "b", "c"])
