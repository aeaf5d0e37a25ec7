"""Lesson 02: the figures say the numbers that SciPy says, and the sliders move them."""

import numpy as np
from scipy.stats import entropy, norm

from vaehelpers import plots, widgets
from vaehelpers.information import gaussian_kl


def test_the_diamond_hangs_below_one_by_the_divergence():
    p, q = np.array([0.3, 0.2, 0.4, 0.1]), np.array([0.09, 0.16, 0.52, 0.23])
    ax = plots.plot_chord(p, q)
    assert ax.lines[1].get_xdata().tolist() == [1, 1]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [-entropy(p, q), 0])
    assert f"−{entropy(p, q):.3f}" in "".join(text.get_text() for text in ax.texts)


def test_the_signed_area_is_the_divergence():
    x = np.linspace(-4, 40, 2001)
    ax = plots.plot_integrand(x, norm.pdf(x, 18, 1.5), norm.pdf(x, 16, 3))
    assert f"{gaussian_kl(18, 1.5**2, 16, 9):.3f}" in ax.get_title()


def test_a_slider_moves_both_directions():
    live = widgets.both_directions()
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
    live = widgets.place_gaussian(x, norm.logpdf(x, 8, 1), distance, lambda theta: 2 * distance(theta))
    live.controls["mean"].value, live.controls["sd"].value = 9, 1
    titles = [ax.get_title() for ax in live.figure.axes]
    assert "KL(p ‖ q) = 1.500 nats" in titles and "KL(q ‖ p) = 3.000 nats" in titles
    np.testing.assert_allclose(live.figure.axes[0].lines[1].get_ydata(), norm.pdf(x, 9, 1))
