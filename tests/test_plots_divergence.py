"""Lesson 02: the figures say the numbers that SciPy says, and the sliders move them."""

import numpy as np
from scipy.stats import entropy, norm

from vaehelpers.information import gaussian_kl
from vaehelpers.lessons import lesson02


def test_the_diamond_hangs_below_one_by_the_divergence():
    p, q = np.array([0.3, 0.2, 0.4, 0.1]), np.array([0.09, 0.16, 0.52, 0.23])
    ax = lesson02.plot_chord(p, q)
    assert ax.lines[1].get_xdata().tolist() == [1, 1]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [-entropy(p, q), 0])
    assert f"−{entropy(p, q):.3f}" in "".join(text.get_text() for text in ax.texts)


def test_the_signed_area_is_the_divergence():
    x = np.linspace(-4, 40, 2001)
    ax = lesson02.plot_integrand(x, norm.pdf(x, 18, 1.5), norm.pdf(x, 16, 3))
    assert f"{gaussian_kl(18, 1.5**2, 16, 9):.3f}" in ax.get_title()


def test_a_slider_moves_both_directions():
    live = lesson02.both_directions()
    before = live.picture.value
    live.controls["q"].value = 0.3
    title = live.figure.axes[1].get_title()
    assert f"{entropy([0.5, 0.5], [0.3, 0.7]):.3f}" in title and f"{entropy([0.3, 0.7], [0.5, 0.5]):.3f}" in title
    assert [bar.get_height() for bar in live.figure.axes[0].patches] == [0.5, 0.5, 0.3, 0.7]
    assert live.picture.value != before


def test_a_placed_gaussian_shows_both_losses():
    def distance(theta):
        return 0.5 + (theta[0] - 8) ** 2 + theta[1] ** 2

    x = np.linspace(-5, 25, 301)
    live = lesson02.place_gaussian(x, norm.logpdf(x, 8, 1), distance, lambda theta: 2 * distance(theta))
    live.controls["mean"].value, live.controls["sd"].value = 9, 1
    titles = [ax.get_title() for ax in live.figure.axes]
    assert "KL(p ‖ q) = 1.500 nats" in titles and "KL(q ‖ p) = 3.000 nats" in titles
    np.testing.assert_allclose(live.figure.axes[0].lines[1].get_ydata(), norm.pdf(x, 9, 1))


def test_terms_of_both_signs_add_up_to_the_divergence():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.25, 0.25, 0.5])
    ax = lesson02.plot_two_beliefs(p, q, "abc")
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [p.tolist(), q.tolist()]
    ax = lesson02.plot_terms(p * np.log(p / q), "abc")
    assert [text.get_text() for text in ax.texts] == [f"{term:+.3f}" for term in p * np.log(p / q)]
    assert f"{entropy(p, q):.3f} nats" in ax.get_title()
    dark, _, light = (bar.get_facecolor()[0] for bar in ax.patches)
    assert dark < light  # what is below zero is lighter


def test_a_histogram_of_pairs_counts_those_below_zero():
    ax = lesson02.plot_divergences([0.01, 0.21, 0.22, 1.51])
    full = [(bar.get_x(), bar.get_height()) for bar in ax.patches if bar.get_height()]
    np.testing.assert_allclose(full, [(0, 1), (0.2, 2), (1.5, 1)], atol=1e-12)
    assert ax.get_title() == "4 random pairs: none below zero"
    assert lesson02.plot_divergences([-0.1, 0.2]).get_title() == "2 random pairs: 1 below zero"


def test_each_pair_has_its_dot():
    ax = lesson02.plot_differences([0.1, 0.5], [0.02, 1.0])
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), [[0.1, 0.02], [0.5, 1.0]])


def test_gaussians_for_two_humps_each_have_their_dashes():
    x = np.linspace(4, 16, 50)
    ax = lesson02.plot_humps(x, norm.pdf(x, 9, 1), [norm.pdf(x, 8, 1), norm.pdf(x, 10, 2)], ["left", "wide"])
    np.testing.assert_allclose([line.get_ydata() for line in ax.lines[1:]], [norm.pdf(x, 8, 1), norm.pdf(x, 10, 2)])
    assert len({str(line._unscaled_dash_pattern) for line in ax.lines}) == 3


def test_paths_end_in_a_star_on_the_landscape():
    means, sds = np.linspace(4, 16, 30), np.geomspace(0.2, 5, 30)
    ax = lesson02.plot_landscape(means, sds, 0.45 + (means - 9) ** 2 + np.log(sds)[:, None] ** 2, title="here")
    lesson02.plot_paths([np.array([[5.0, 0.0], [9.0, np.log(2)]])], ax=ax)
    line, start, star = ax.lines
    np.testing.assert_allclose(line.get_xydata(), [[5, 1], [9, 2]])
    np.testing.assert_allclose([start.get_xydata()[0], star.get_xydata()[0]], [[5, 1], [9, 2]])
    assert star.get_marker() == "*" and ax.get_title() == "here" and ax.get_yscale() == "log"
