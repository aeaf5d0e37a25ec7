"""Lesson 06: maps, samples, bounds and gaps are drawn where the numbers are."""

import numpy as np
import pytest

from vaehelpers import plots
from vaehelpers.lessons import lesson06


def test_rows_of_pictures_have_their_labels():
    grid = np.random.default_rng(0).random((2, 3, 1, 4, 4), np.float32)
    ax = plots.plot_rows(grid, ["picture", "decoded"])
    np.testing.assert_array_equal(ax.images[0].get_array(), plots.tile(grid))
    assert [label.get_text() for label in ax.get_yticklabels()] == ["picture", "decoded"]
    assert ax.get_yticks().tolist() == [2.5, 7.5]


def test_a_map_hatches_what_lies_far_from_any_picture():
    codes, far = np.array([[0.0, 1.0], [-1.0, 2.0]]), np.array([[1.0, 1.0, 9.0], [1.0, 1.0, 9.0]])
    ax = lesson06.plot_code_map(codes, far, (-3, 3, -2, 2), 4.0)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), codes)
    near, hatched = (path.get_extents() for path in ax.collections[0].get_paths())
    assert (near.x0, hatched.x1) == (-3, 3) and near.x1 == hatched.x0 == pytest.approx(3 * 3 / 8)
    radius = ax.patches[0].get_radius()
    inside = np.linalg.norm(np.random.default_rng(0).standard_normal((100_000, 2)), axis=1) < radius
    assert inside.mean() == pytest.approx(0.95, abs=0.003)
    assert (*ax.get_xlim(), *ax.get_ylim()) == (-3, 3, -2, 2)


def test_moved_noise_keeps_its_place_in_the_row():
    noise, places = np.array([-1.0, 0.0, 2.0]), [0.0, 0.5, 1.0]
    ax = lesson06.plot_two_samples(noise, np.zeros((3, 3)) + noise, places, 0.8)
    lines = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "-"]
    shift = 3 * 1.15
    np.testing.assert_allclose(np.transpose(lines), shift + np.add.outer(places, 0.8 * noise))
    assert ax.get_yticks().tolist() == places


def test_estimates_share_their_bins_and_show_the_truth():
    draws = {"score": [-4.0, 0.0, 6.0], "moved": [0.5, 1.0, 1.5]}
    ax = lesson06.plot_estimates(draws, 1.0)
    assert [line.get_xdata() for line in ax.lines] == [[1, 1]] and ax.get_yscale() == "log"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["score", "moved", "the true gradient"]
    assert ax.patches[0].get_hatch() and not ax.patches[1].get_hatch()
    first, second = (patch.get_path().vertices for patch in ax.patches)
    assert first[:, 0].min() == second[:, 0].min() == -4 and first[:, 0].max() == 6


def test_bounds_stand_below_the_evidence_with_two_standard_errors():
    ax = lesson06.plot_bounds([1, 10, 1000], [-100, -98, -97.0], [0.5, 0.25, 0.1], -96.5)
    assert ax.lines[0].get_ydata() == [-96.5, -96.5]
    (line, _, (bars,)) = ax.containers[0]
    assert line.get_ydata().tolist() == [-100, -98, -97]
    np.testing.assert_allclose(
        [segment[:, 1] for segment in bars.get_segments()], [[-101, -99], [-98.5, -97.5], [-97.2, -96.8]]
    )
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "10", "1,000"]


def test_gaps_are_stacked_and_the_largest_sum_comes_first():
    ax = lesson06.plot_gaps([1, 0, 3], [1, 4, 2])
    lower, upper = ax.containers
    assert [bar.get_height() for bar in lower] == [2, 4, 1] == [bar.get_y() for bar in upper]
    assert [bar.get_height() for bar in upper] == [3, 0, 1]


def test_three_beliefs_lie_over_each_other():
    density = np.exp(-(np.linspace(-2, 2, 21)[:, None] ** 2) - np.linspace(-2, 2, 21) ** 2)
    ax = lesson06.plot_three_beliefs(density, (-2, 2, -2, 2), ([0, 1], [0.5, 1.0]), ([0, 0], [1, 1]))
    one = ax.lines[0].get_xydata() - [0, 1]
    np.testing.assert_allclose((one**2 / [0.25, 1]).sum(axis=1), 1)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["encoder's q", "best Gaussian q*"]
    assert [line.get_linestyle() for line in ax.lines] == ["--", "--", "-", "-"]


def test_each_run_has_its_own_marks():
    ax = lesson06.plot_runs([1, 2], {"a": [5, 4], "b": [5, 1]}, ylabel="nats")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[5, 4], [5, 1]]
    assert len({(line.get_marker(), line.get_linestyle()) for line in ax.lines}) == 2 and ax.get_ylim()[0] == 0
