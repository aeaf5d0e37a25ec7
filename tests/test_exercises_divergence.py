"""Lesson 02: each classic mistake gets its hint, the right answer its praise, an open stub patience."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

from vaehelpers import exercises
from vaehelpers.exercises.divergence import THIRD_VALLEY
from vaehelpers.information import gaussian_kl, kl_divergence

FAIR, BELIEF = np.array([0.5, 0.5]), np.array([0.25, 0.75])


def both(f):
    return lambda p, q: f(p, q, (p + q) / 2)


def gaussian_price(mu, logvar):
    return gaussian_kl(mu, np.exp(logvar), 0, 1)


def moments(w, m, s):
    return w @ m, w @ (s**2 + m**2) - (w @ m) ** 2


CASES = {
    exercises.check_coin: [
        (..., "Not filled in yet"),
        (1 - np.log2(3) / 2, "Right"),
        (0.2075, "Right"),
        (kl_divergence(BELIEF, FAIR, base=2), "other way round"),
        (kl_divergence(FAIR, BELIEF), "another unit"),
        (np.log2(2) + np.log2(2 / 3), "how often"),
        (-0.5 * np.log2(1 / 4) - 0.5 * np.log2(3 / 4), "would the right belief pay"),
        (0.5 * np.log2(1 / 2) + 0.5 * np.log2(3 / 2), "sign is turned"),
    ],
    exercises.check_jensen_shannon: [
        (lambda p, q: ..., "Not filled in yet"),
        (lambda p, q: jensenshannon(p, q) ** 2, "Right"),
        (both(lambda p, q, m: kl_divergence(p, m) + kl_divergence(q, m)), "half of their sum"),
        (lambda p, q: (kl_divergence(p, q) + kl_divergence(q, p)) / 2, "infinite where one"),
        (lambda p, q: jensenshannon(p, q) ** 2 - np.log(2), "does not sum to 1"),
        (both(lambda p, q, m: (kl_divergence(m, p) + kl_divergence(m, q)) / 2), "infinite where one"),
        (lambda p, q: jensenshannon(p, q, base=2) ** 2, "in bits"),
        (both(lambda p, q, m: kl_divergence(p, m)), "p from m"),
        (both(lambda p, q, m: kl_divergence(q, m)), "q from m"),
        (lambda p, q: kl_divergence(p, p + q), "stopped with ValueError"),
    ],
    exercises.check_slider_cost: [
        (..., "Not filled in yet"),
        (gaussian_kl(1.5, 0.25, 0, 1), "Right"),
        (gaussian_kl(1.5, 0.5, 0, 1), "for the variance"),
        (2 * gaussian_kl(1.5, 0.25, 0, 1), "in front of the bracket"),
        (gaussian_kl(0, 1, 1.5, 0.25), "prior in the first place"),
        (gaussian_kl(1.5, 0.25, 0, 1) / np.log(2), "in bits"),
        ((1.5**2 + 0.25 - 1 + np.log(0.25)) / 2, "sign of the logarithm"),
        ((1.5 + 0.25 - 1 - np.log(0.25)) / 2, "enters squared"),
    ],
    exercises.check_price: [
        (lambda mu, logvar: ..., "Not filled in yet"),
        (lambda mu, logvar: gaussian_price(mu, logvar).sum(axis=1), "Right"),
        (lambda mu, logvar: gaussian_price(mu, logvar).mean(axis=1), "mean over the sliders"),
        (lambda mu, logvar: 2 * gaussian_price(mu, logvar).sum(axis=1), "where is the ½"),
        (lambda mu, logvar: 0.5 * (mu**2 + logvar - 1 - logvar).sum(axis=1), "exp(logvar)"),
        (lambda mu, logvar: gaussian_price(mu, 2 * logvar).sum(axis=1), "squares it"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar / 2) - 1 - logvar).sum(axis=1), "standard deviation where"),
        (lambda mu, logvar: -gaussian_price(mu, logvar).sum(axis=1), "never negative"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar) - logvar).sum(axis=1), "The −1 of each slider"),
        (lambda mu, logvar: gaussian_kl(0, 1, mu, np.exp(logvar)).sum(axis=1), "prior stands in the first"),
        (lambda mu, logvar: gaussian_price(mu, logvar), "shape (3,)"),
        (lambda mu, logvar: gaussian_price(mu, logvar).sum(axis=0), "shape (3,)"),
    ],
    exercises.check_cover_fit: [
        (lambda w, m, s: ..., "Not filled in yet"),
        (lambda w, m, s: (moments(w, m, s)[0], np.sqrt(moments(w, m, s)[1])), "Right"),
        (moments, "is the variance"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ s**2)), "within the humps"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ m**2 - (w @ m) ** 2)), "between the humps"),
        (lambda w, m, s: (w @ m, w @ s), "mean of the standard deviations"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ (s**2 + m**2))), "not taken off"),
        (lambda w, m, s: (m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)), "count alike"),
    ],
    lambda answer: exercises.check_third_valley(*answer): [
        ((..., ...), "Not filled in yet"),
        ((-0.47, ...), "Not filled in yet"),
        ((-0.47, 2.7), "Right"),
        ((-2.99, 1.02), "heavier hump"),
        ((2.98, 1.03), "lighter hump"),
        ((-0.6, np.sqrt(1 + 0.24 * 36)), "moments of p"),
        ((-0.47, np.log(2.7)), "log of the standard deviation"),
        ((-0.47, 2.7**2), "is the variance"),
    ],
}


@pytest.mark.parametrize(
    ("check", "answer", "hint"), [(check, *case) for check, cases in CASES.items() for case in cases]
)
def test_an_answer_gets_its_hint(check, answer, hint, capsys):
    check(answer)
    text = capsys.readouterr().out
    assert hint in text and text.count("\n") == 1


def test_the_third_valley_is_a_minimum():
    """By another way than the lesson's: the average under q on a grid that moves and widens with q."""
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
