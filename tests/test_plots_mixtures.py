"""Lesson 04: points wear the colours of their responsibilities, and each half-step moves what it should."""

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from scipy.stats import norm

from vaehelpers import mixtures
from vaehelpers.lessons import lesson04
from vaehelpers.lessons.lesson04 import COMPONENTS

EYE = np.eye(2)
X = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [4, 1], [0, 5]], 20, axis=0)
START = mixtures.GaussianMixture([0.3, 0.3, 0.4], [[0, 1], [1, 0], [1, 4]], [EYE] * 3)


def test_points_and_components():
    np.testing.assert_array_equal(lesson04.plot_points(X, names=("a", "b")).lines[0].get_xydata(), X)
    x, resp = [[0, 0], [1, 1], [2, 0], [3, 3]], [[1, 0], [0.6, 0.4], [0.1, 0.9], [0, 1]]
    ax = lesson04.plot_components(x, resp, [[0, 0], [2, 2]], [EYE, 4 * EYE], names=("a", "b"), title="now")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("a", "b", "now")
    first, second = ax.collections
    assert first.get_offsets().tolist() == [[0, 0], [1, 1]] and second.get_offsets().tolist() == [[2, 0], [3, 3]]
    mixed = 0.6 * np.array(to_rgb(COMPONENTS[0])) + 0.4 * np.array(to_rgb(COMPONENTS[1]))
    np.testing.assert_allclose(first.get_facecolors()[1, :3], mixed)
    sizes = [*first.get_sizes(), *second.get_sizes()]
    np.testing.assert_allclose(sizes, [28, 28 + 160 * 0.4, 28 + 160 * 0.1, 28])  # larger, the less certain
    assert [(text.get_text(), text.get_position()) for text in ax.texts] == [("1", (0, 0)), ("2", (2, 2))]
    radii = [
        np.linalg.norm(line.get_xydata() - middle, axis=1) for line, middle in zip(ax.lines, [0, 0, 2, 2], strict=True)
    ]
    np.testing.assert_allclose(radii, np.repeat([[1], [2], [2], [4]], 100, axis=1))
    left, right = ax.get_xlim()
    assert left < 0 and right > 3


def test_a_climb_marks_the_two_kinds_of_half_steps():
    ax = lesson04.plot_climb(["E", "M", "E"], [-9, -7, -6.5])
    assert ax.lines[0].get_ydata().tolist() == [-9, -7, -6.5]
    assert [line.get_xdata().tolist() for line in ax.lines[1:]] == [[0, 2], [1], [0]]
    assert [line.get_marker() for line in ax.lines[1:3]] == ["o", "^"]


def test_a_border_a_spike_starts_and_a_choice():
    ax = lesson04.plot_border([0, 0.5, 1], [0.1, 0.5, 0.9], [0, 0, 1])
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 0, 1], [0.1, 0.5, 0.9]]
    ax = lesson04.plot_spike([1, 0.1], [-5, 20])
    assert ax.xaxis_inverted() and ax.get_xscale() == "log" and ax.lines[0].get_ydata().tolist() == [-5, 20]
    ax = lesson04.plot_starts([-3, -9, -4])
    assert ax.lines[0].get_ydata().tolist() == [-9, -4, -3]
    ax = lesson04.plot_choice([1, 2, 3], [9, 4, 6], best=2, ylabel="BIC", title="two")
    ring = ax.lines[1]
    assert (ring.get_xdata(), ring.get_ydata()) == ([2], [4]) and ax.get_title(loc="left") == "two"


def test_k_means_and_em_step_side_by_side():
    live = lesson04.hard_and_soft(X, START, names=("a", "b"), rounds=3)
    left, right = live.figure.axes
    path = list(mixtures.em(X, START, max_iter=3))
    for half_step, (kind, mixture, _, _) in enumerate(path):
        live.controls["half_step"].value = half_step
        assert ("nearest mean" in left.get_title()) is ("responsibilities" in right.get_title()) is (kind == "E")
        np.testing.assert_allclose([text.get_position() for text in right.texts], mixture.means)
    centres = np.array([text.get_position() for text in left.texts])
    nearest = ((X[:, None] - np.array([[0, 1], [1, 0], [1, 4]])) ** 2).sum(axis=2).argmin(axis=1)
    assert "round 3" in left.get_title() and not np.allclose(centres, START.means)
    live.controls["half_step"].value = 1
    moved = [X[nearest == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose([text.get_position() for text in left.texts], moved)


@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.5])
def test_a_small_variance_makes_soft_assignments_hard(sigma):
    centres = np.array([[0.0, -1.0], [4.0, 0.0]])
    live = lesson04.small_variance(X, centres, names=("a", "b"))
    live.controls["sigma"].value = sigma
    left, right = live.figure.axes
    density = np.stack([norm.logpdf(X, c, sigma).sum(axis=1) for c in centres], axis=1)
    certain = 1 / (1 + np.exp(-np.abs(np.diff(density)[:, 0])))
    assert f"σ = {sigma:.2f}: {(certain < 0.99).sum()} of 60 points" in left.get_title()
    radii = [np.linalg.norm(line.get_xydata() - centres[1], axis=1) for line in left.lines[2:]]
    np.testing.assert_allclose(radii, sigma * np.repeat([[1], [2]], 100, axis=1))
    np.testing.assert_array_equal(right.lines[0].get_ydata(), right.lines[0].get_xdata() > 0.5)
    where, soft = right.lines[1].get_data()
    assert soft[where == 0.5] == 0.5 and soft[where < 0.5].max() < 0.5
    step = 17 / sigma**2 * 0.0025  # between neighbours, in log-odds: the squared distance of the means over σ²
    assert soft[where > 0.5][0] == pytest.approx(1 / (1 + np.exp(-step)))


def test_em_steps_show_the_bound_and_its_rise():
    live = lesson04.em_steps(X, START, names=("a", "b"), rounds=4)
    left, right = live.figure.axes
    bounds = [step.bound for step in mixtures.em(X, START, max_iter=4)]
    for half_step in (3, 0):
        live.controls["half_step"].value = half_step
        here = right.lines[-1]
        assert (here.get_xdata(), here.get_ydata()) == ([half_step], [bounds[half_step]])
        assert f"bound {bounds[half_step]:.2f} nats".replace("-", "−") in right.get_title()
        assert f"round {half_step // 2 + 1}, {'ME'[half_step == 0]} step" in left.get_title()
        assert ("up by" in right.get_title()) is (half_step > 0)
