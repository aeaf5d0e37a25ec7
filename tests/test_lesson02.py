"""Lesson 02: the numbers in its figures, and right and wrong answers to its exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.special import xlogy
from scipy.stats import entropy, multinomial, norm

from vaehelpers.information import gaussian_kl, kl_divergence
from vaehelpers.lessons import lesson02
from vaehelpers.lessons.lesson02 import THIRD_VALLEY


def labelled(ax):
    """Return the lines of an Axes by their label."""
    return {line.get_label(): line for line in ax.lines}


def heights(ax):
    return [[bar.get_height() for bar in bars] for bars in ax.containers]


def test_plot_chord_puts_the_mean_of_the_points_kl_below_the_curve():
    p, q = np.array([0.3, 0.2, 0.4, 0.1]), np.array([0.09, 0.16, 0.52, 0.23])
    ax = lesson02.plot_chord(p, q)
    np.testing.assert_allclose(labelled(ax)["KL"].get_xydata(), [[1, -entropy(p, q)], [1, 0]])
    np.testing.assert_allclose(ax.lines[-1].get_xydata(), [[1, -entropy(p, q)]])
    assert f"−{entropy(p, q):.3f}" in "".join(text.get_text() for text in ax.texts)


def test_plot_divergences_counts_the_pairs_below_zero():
    assert lesson02.plot_divergences([0.01, 0.21, 1.51]).get_title() == "3 random pairs: none below zero"
    assert lesson02.plot_divergences([-0.1, 0.2]).get_title() == "2 random pairs: 1 below zero"


def test_plot_integrand_shows_the_divergence_of_two_gaussians():
    x = np.linspace(-4, 40, 2001)
    ax = lesson02.plot_integrand(x, norm.pdf(x, 18, 1.5), norm.pdf(x, 16, 3))
    assert f"{gaussian_kl(18, 1.5**2, 16, 9):.3f}" in ax.get_title()


def test_plot_paths_draws_standard_deviations_and_not_their_logarithms():
    means, sds = np.linspace(4, 16, 30), np.geomspace(0.2, 5, 30)
    ax = lesson02.plot_landscape(means, sds, 0.45 + (means - 9) ** 2 + np.log(sds)[:, None] ** 2, title="here")
    lesson02.plot_paths([np.array([[5.0, 0.0], [9.0, np.log(2)]])], ax=ax)
    path, _, star = ax.lines
    np.testing.assert_allclose(path.get_xydata(), [[5, 1], [9, 2]])
    np.testing.assert_allclose(star.get_xydata(), [[9, 2]])


def test_both_directions_follow_the_sliders():
    live = lesson02.both_directions()
    bars, curves = live.figure.axes
    for p, q in ((0.5, 0.3), (0.05, 0.95)):
        live.controls["p"].value, live.controls["q"].value = p, q
        forward, reverse = entropy([p, 1 - p], [q, 1 - q]), entropy([q, 1 - q], [p, 1 - p])
        assert curves.get_title() == f"KL(p ‖ q) = {forward:.3f}     KL(q ‖ p) = {reverse:.3f} nats"
        assert heights(bars) == [[p, 1 - p], [q, 1 - q]]
        marks = [line.get_xydata()[0] for line in curves.lines if len(line.get_xdata()) == 1]
        np.testing.assert_allclose(marks, [[q, forward], [q, reverse]])
        assert curves.get_ylim()[1] > max(forward, reverse)
        for name, value in (("KL(p ‖ q)", forward), ("KL(q ‖ p)", reverse)):
            np.testing.assert_allclose(np.interp(q, *labelled(curves)[name].get_data()), value, atol=2e-3)


def test_a_placed_gaussian_shows_both_divergences():
    def distance(theta):
        return 0.5 + (theta[0] - 8) ** 2 + theta[1] ** 2

    x = np.linspace(-5, 25, 301)
    live = lesson02.place_gaussian(x, norm.logpdf(x, 8, 1), distance, lambda theta: 2 * distance(theta))
    live.controls["mean"].value, live.controls["sd"].value = 9, 1
    density, *maps = live.figure.axes
    assert [ax.get_title() for ax in maps] == ["KL(p ‖ q) = 1.500 nats", "KL(q ‖ p) = 3.000 nats"]
    np.testing.assert_allclose(labelled(density)["q: your Gaussian"].get_ydata(), norm.pdf(x, 9, 1))
    for ax in maps:
        np.testing.assert_allclose([line.get_xydata() for line in ax.lines], [[[9, 1]]])


def test_the_likelihood_of_a_week_is_largest_at_the_share_of_rainy_days():
    ax = lesson02.plot_likelihood(rain=2, days=8)
    theta, loss = ax.lines[0].get_data()
    np.testing.assert_allclose(loss, -(2 * np.log(theta) + 6 * np.log(1 - theta)) / 8)
    assert theta[loss.argmin()] == pytest.approx(0.25, abs=2e-3)
    np.testing.assert_allclose(ax.lines[1].get_ydata(), entropy([0.25, 0.75]))


def test_the_third_valley_is_a_minimum():
    """Average under q on a grid that moves and widens with q: not the lesson's way."""
    nodes = np.linspace(-9, 9, 1501)
    weights = norm.pdf(nodes) * (nodes[1] - nodes[0])

    def loss(theta):
        x = theta[0] + np.exp(theta[1]) * nodes
        log_p = np.logaddexp(np.log(0.6) + norm.logpdf(x, -3), np.log(0.4) + norm.logpdf(x, 3))
        return weights @ (norm.logpdf(nodes) - theta[1] - log_p)

    found = minimize(loss, (-0.5, 1.0), tol=1e-8)
    np.testing.assert_allclose((found.x[0], np.exp(found.x[1])), THIRD_VALLEY, atol=5e-4)
    around = [loss(found.x + 0.05 * np.array([np.cos(a), np.sin(a)])) for a in np.linspace(0, 6.2, 20)]
    assert min(around) > found.fun


FAIR, ASSUMED = np.array([0.5, 0.5]), np.array([0.25, 0.75])
NATS = 0.5 * (1.5**2 + 0.5**2 - 1) - math.log(0.5)


def with_mean(f):
    return lambda p, q: f(p, q, (p + q) / 2)


def half(terms):
    """Return the function of ``mu`` and ``logvar`` that halves the sum of these terms over the latents."""
    return lambda mu, logvar: 0.5 * terms(mu, logvar).sum(axis=1)


def log_likelihood(counts, p):
    """Return the log-likelihood of counts by SciPy's multinomial, up to what does not depend on p."""
    return multinomial.logpmf(counts, int(counts.sum()), p)


def moments(w, m, s):
    return w @ m, w @ (s**2 + m**2) - (w @ m) ** 2


def fit(w, m, s):
    mean, variance = moments(w, m, s)
    return mean, variance**0.5


def fit_on_a_grid(w, m, s):
    x = np.linspace(-40, 40, 400_001)
    p = w @ norm.pdf(x, m[:, None], s[:, None]) * (x[1] - x[0])
    return [p @ x, (p @ x**2 - (p @ x) ** 2) ** 0.5]


def third_valley(answer):
    """Check the two numbers of an answer, or pass an invalid answer for both."""
    pair = answer.reshape(-1) if hasattr(answer, "reshape") else answer
    pair = pair if hasattr(pair, "__len__") and len(pair) == 2 else (answer, answer)
    return lesson02.check_third_valley(*pair)


CHECKS = {"third_valley": third_valley}

RIGHT = {
    "coin": [1 - np.log2(3) / 2, 0.2075, 0.208, 0.21, Fraction("0.2075"), np.log2([2 / 3**0.5])],
    "jensen_shannon": [
        lambda p, q: jensenshannon(p, q) ** 2,
        with_mean(lambda p, q, m: entropy(m) - (entropy(p) + entropy(q)) / 2),
        lambda p, q: (xlogy(p, p) + xlogy(q, q) - xlogy(p + q, (p + q) / 2)).sum() / 2,
    ],
    "evidence": [
        lambda counts, p, q: np.average(np.log(p / q), weights=counts),
        lambda counts, p, q: float(counts @ (np.log(p) - np.log(q)) / counts.sum()),
        lambda counts, p, q: np.repeat(np.log(p / q), counts.astype(int)).mean(),
        lambda counts, p, q: (log_likelihood(counts, p) - log_likelihood(counts, q)) / counts.sum(),
    ],
    "gaussian_kl": [NATS, 1.443, 1.44, [NATS], np.float16(1.443)],
    "kl_from_prior": [
        half(lambda mu, logvar: mu**2 + np.exp(logvar) - 1 - logvar),
        lambda mu, logvar: (25 * gaussian_kl(mu, np.exp(logvar), 0, 1).mean(axis=1)).tolist(),
        lambda mu, logvar: ((mu**2).sum(1) + np.exp(logvar).sum(1) - logvar.sum(1) - 25) / 2,
    ],
    "cover_fit": [fit, fit_on_a_grid, lambda w, m, s: np.float32(fit(w, m, s))],
    "third_valley": [THIRD_VALLEY, (np.array([-0.47]), 2.7), (Fraction(-47, 100), np.float32(2.70))],
}

WRONG = {
    "coin": [
        (entropy(ASSUMED, FAIR, base=2), "other way round"), (entropy(FAIR, ASSUMED), "another unit"),
        (entropy(FAIR, ASSUMED, base=10), "base 10"), (1 + np.log2(2 / 3), "how often"),
        (0.5 * np.log2(4) + 0.5 * np.log2(4 / 3), "the entropy of p"), (-0.2075, "sign is turned"), (0.2, "Not yet"),
    ],
    "jensen_shannon": [
        (with_mean(lambda p, q, m: (p @ np.log(p / m) + q @ np.log(q / m)) / 2), "NaN is 0"),
        (with_mean(lambda p, q, m: kl_divergence(p, m) + kl_divergence(q, m)), "half of their sum"),
        (lambda p, q: jensenshannon(p, q) ** 2 - np.log(2), "does not sum to 1"),
        (jensenshannon, "Square it"),
        (lambda p, q: kl_divergence(p, p + q), "stopped with ValueError"),
        (lambda p, q: jensenshannon([0.5, 0.5, 0.0], [0.1, 0.2, 0.7]) ** 2, "Not yet"),
    ],
    "evidence": [
        (lambda counts, p, q: counts @ np.log(p / q), "Divide by the number of observations"),
        (lambda counts, p, q: kl_divergence(p, q), "Weight them by the data"),
        (lambda counts, p, q: np.log(p / q).mean(), "How often did each come"),
        (lambda counts, p, q: counts @ np.log(q / p) / counts.sum(), "the ratio is p/q"),
        (lambda counts, p, q: np.mean(counts * np.log(p / q)), "number of different events"),
        (lambda counts, p, q: counts @ np.log(p) / counts.sum(), "likelihood of p alone"),
        (lambda counts, p, q: np.log(counts @ (p / q) / counts.sum()), "logarithm of the mean ratio"),
        (lambda counts, p, q: counts @ np.log2(p / q) / counts.sum(), "in bits"),
        (lambda counts, p, q: kl_divergence(counts / counts.sum(), q), "Not yet"),
    ],
    "gaussian_kl": [
        (gaussian_kl(1.5, 0.5, 0, 1), "for the variance"), (2 * NATS, "in front of the bracket"),
        (gaussian_kl(0, 1, 1.5, 0.25), "prior in the first place"), (NATS / np.log(2), "in bits"),
        ((1.5**2 + 0.25 - 1 + np.log(0.25)) / 2, "sign of the logarithm"),
        ((1.5**2 + 0.25 - 1 - np.log(0.5)) / 2, "log σ²"), ((1.5 + 0.25 - 1 - np.log(0.25)) / 2, "enters squared"),
        ((1.5**2 + 0.25 - np.log(0.25)) / 2, "−1 is missing"), (-NATS, "never negative"), (1.45, "Not yet"),
    ],
    "kl_from_prior": [
        (lambda mu, logvar: (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1), "where is the ½"),
        (half(lambda mu, logvar: mu**2 + logvar - 1 - logvar), "You used logvar as the variance. The"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) ** 2 - 1 - 2 * logvar), "squared exp(logvar)"),
        (half(lambda mu, logvar: mu + np.exp(logvar) - 1 - logvar), "enters squared"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) - 1 + logvar), "sign of the logarithm"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) - logvar), "The −1 of each latent"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar)), "Not yet"),
        (lambda mu, logvar: gaussian_kl(mu, np.exp(logvar), 0, 1), "shape (3,)"),
    ],
    "cover_fit": [
        (moments, "is the variance"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ m**2 - (w @ m) ** 2)), "between the components"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ (s + m**2) - (w @ m) ** 2)), "sd² is needed"),
        (lambda w, m, s: (m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)), "one weight"),
        (lambda w, m, s: w @ m, "shape (2,)"),
        (lambda w, m, s: fit(np.array([0.2, 0.5, 0.3]), np.array([-2, 1, 4]), np.array([0.5, 1, 2])), "Not yet"),
    ],
    "third_valley": [
        ((-2.99, 1.02), "heavier mode"), ((2.98, 1.03), "lighter mode"), ((-0.6, 9.64**0.5), "moments of p"),
        ((-0.47, np.log(2.7)), "log of the standard deviation"), ((-0.47, 2.7**2), "is the variance"),
        ((2.7, -0.47), "mean comes first"), ((-0.47, ...), "Not filled in yet"), ((None, 2.7), "Not filled in yet"),
        ((-0.5, 2.7), "Not yet"), ((0.47, 2.7), "Not yet"),
    ],
}  # fmt: skip
