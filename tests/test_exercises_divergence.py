"""Lesson 02: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.special import xlogy
from scipy.stats import entropy, norm

from vaehelpers.information import gaussian_kl, kl_divergence
from vaehelpers.lessons import lesson02
from vaehelpers.lessons.lesson02 import THIRD_VALLEY

FAIR, BELIEF = np.array([0.5, 0.5]), np.array([0.25, 0.75])
COST = gaussian_kl(1.5, 0.25, 0, 1)


def both(f):
    return lambda p, q: f(p, q, (p + q) / 2)


def shannon_in_place(p, q):
    m = (p + q) / 2
    p *= np.log(np.where(p > 0, p / m, 1))
    q *= np.log(np.where(q > 0, q / m, 1))
    p += q
    return p.sum() / 2


def shannon_in_a_loop(p, q):
    total = 0
    for a, b in zip(p, q, strict=True):
        total += sum(c * math.log(2 * c / (a + b)) for c in (a, b) if c)
    return total / 2


def each(mu, logvar):
    return gaussian_kl(mu, np.exp(logvar), 0, 1)


def kl_in_place(mu, logvar):
    mu *= mu
    mu -= logvar
    mu += np.exp(logvar, out=logvar)
    mu -= 1
    return mu.sum(axis=1, keepdims=True) / 2


def moments(w, m, s):
    return w @ m, w @ (s**2 + m**2) - (w @ m) ** 2


def fit(w, m, s):
    mean, variance = moments(w, m, s)
    return mean, variance**0.5


def fit_in_place(w, m, s):
    mean = (w * m).sum()
    m -= mean
    m *= m
    s *= s
    s += m
    return np.array([[mean], [np.sqrt(w @ s)]])


def fit_on_a_grid(w, m, s):
    x = np.linspace(-40, 40, 400_001)
    p = w @ norm.pdf(x, m[:, None], s[:, None]) * (x[1] - x[0])
    return [p @ x, (p @ x**2 - (p @ x) ** 2) ** 0.5]


def third_valley(answer):
    """Give the two numbers of an answer one after the other, or what is no answer in both places."""
    pair = answer.reshape(-1) if hasattr(answer, "reshape") else answer
    pair = pair if hasattr(pair, "__len__") and len(pair) == 2 else (answer, answer)
    return lesson02.check_third_valley(*pair)


CHECKS = {"third_valley": third_valley}

RIGHT = {
    "coin": [1 - np.log2(3) / 2, 0.2075, 0.208, 0.21, [0.2075], Fraction("0.2075"), np.log2([2 / 3**0.5])],
    "jensen_shannon": [
        lambda p, q: jensenshannon(p, q) ** 2,
        both(lambda p, q, m: (kl_divergence(p, m) + kl_divergence(q, m)) / 2),
        both(lambda p, q, m: entropy(m) - (entropy(p) + entropy(q)) / 2),
        lambda p, q: (xlogy(p, p) + xlogy(q, q) - xlogy(p + q, (p + q) / 2)).sum() / 2,
        lambda p, q: np.nansum(p * np.log(2 * p / (p + q)) + 0) / 2 + np.nansum(q * np.log(2 * q / (p + q))) / 2,
        shannon_in_place,
        shannon_in_a_loop,
    ],
    "slider_cost": [COST, 1.443, 1.44, (1.5**2 + 0.5**2 - 1) / 2 - math.log(0.5), [COST], np.float16(1.443)],
    "price": [
        lambda mu, logvar: each(mu, logvar).sum(axis=1),
        kl_in_place,
        lambda mu, logvar: [
            sum((m * m + math.exp(v) - 1 - v) / 2 for m, v in zip(*row, strict=True))
            for row in zip(mu, logvar, strict=True)
        ],
        lambda mu, logvar: 25 * each(mu, logvar).mean(axis=-1),
        lambda mu, logvar: ((mu**2).sum(1) + np.exp(logvar).sum(1) - logvar.sum(1) - 25) / 2,
    ],
    "cover_fit": [fit, fit_in_place, fit_on_a_grid, lambda w, m, s: np.float32(fit(w, m, s))],
    "third_valley": [THIRD_VALLEY, (-0.47, 2.7), (np.array([-0.47]), 2.7), (Fraction(-47, 100), np.float32(2.70))],
}

WRONG = {
    "coin": [
        (kl_divergence(BELIEF, FAIR, base=2), "other way round"),
        (kl_divergence(FAIR, BELIEF), "another unit"),
        (kl_divergence(FAIR, BELIEF, base=10), "base 10"),
        (np.log2(2) + np.log2(2 / 3), "how often"),
        (-0.5 * np.log2(1 / 4) - 0.5 * np.log2(3 / 4), "would the right belief pay"),
        (0.5 * np.log2(1 / 2) + 0.5 * np.log2(3 / 2), "sign is turned"),
        (0.2, "Not yet"),
        (0.25, "Not yet"),
    ],
    "jensen_shannon": [
        (both(lambda p, q, m: (p @ np.log(p / m) + q @ np.log(q / m)) / 2), "NaN is 0"),
        (both(lambda p, q, m: kl_divergence(p, m) + kl_divergence(q, m)), "half of their sum"),
        (lambda p, q: (kl_divergence(p, q) + kl_divergence(q, p)) / 2, "infinite where one"),
        (lambda p, q: jensenshannon(p, q) ** 2 - np.log(2), "does not sum to 1"),
        (both(lambda p, q, m: (kl_divergence(m, p) + kl_divergence(m, q)) / 2), "goes from m"),
        (lambda p, q: jensenshannon(p, q, base=2) ** 2, "in bits"),
        (jensenshannon, "Square it"),
        (lambda p, q: -(jensenshannon(p, q) ** 2), "never negative"),
        (both(lambda p, q, m: kl_divergence(p, m)), "p from m"),
        (both(lambda p, q, m: kl_divergence(q, m)), "q from m"),
        (lambda p, q: kl_divergence(p, p + q), "stopped with ValueError"),
        (lambda p, q: jensenshannon([0.5, 0.5, 0.0], [0.1, 0.2, 0.7]) ** 2, "Not yet"),
    ],
    "slider_cost": [
        (gaussian_kl(1.5, 0.5, 0, 1), "for the variance"),
        (2 * COST, "in front of the bracket"),
        (gaussian_kl(0, 1, 1.5, 0.25), "prior in the first place"),
        (COST / np.log(2), "in bits"),
        ((1.5**2 + 0.25 - 1 + np.log(0.25)) / 2, "sign of the logarithm"),
        ((1.5**2 + 0.25 - 1 - np.log(0.5)) / 2, "log σ²"),
        ((1.5 + 0.25 - 1 - np.log(0.25)) / 2, "enters squared"),
        ((1.5**2 + 0.25 - np.log(0.25)) / 2, "−1 is missing"),
        (-COST, "never negative"),
        (1.45, "Not yet"),
    ],
    "price": [
        (lambda mu, logvar: each(mu, logvar).mean(axis=1), "mean over the sliders"),
        (lambda mu, logvar: 2 * each(mu, logvar).sum(axis=1), "where is the ½"),
        (lambda mu, logvar: 0.5 * (mu**2 + logvar - 1 - logvar).sum(axis=1), "exp(logvar)"),
        (lambda mu, logvar: 0.5 * (mu**2 + logvar - 1 - np.log(logvar)).sum(axis=1), "for the variance itself"),
        (lambda mu, logvar: each(mu, 2 * logvar).sum(axis=1), "squares it"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar / 2) - 1 - logvar).sum(axis=1), "standard deviation where"),
        (lambda mu, logvar: 0.5 * (mu + np.exp(logvar) - 1 - logvar).sum(axis=1), "enters squared"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar) - 1 + logvar).sum(axis=1), "sign of the logarithm"),
        (lambda mu, logvar: -each(mu, logvar).sum(axis=1), "never negative"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar) - logvar).sum(axis=1), "The −1 of each slider"),
        (lambda mu, logvar: gaussian_kl(0, 1, mu, np.exp(logvar)).sum(axis=1), "prior stands in the first"),
        (lambda mu, logvar: each(mu, logvar).sum(axis=1) / np.log(2), "in bits"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar)).sum(axis=1), "Not yet"),
        (lambda mu, logvar: 0.5 * (mu**2 + np.exp(-logvar) - 1 + logvar).sum(axis=1), "Not yet"),
        (each, "shape (3,)"),
        (lambda mu, logvar: each(mu, logvar).sum(axis=0), "shape (3,)"),
        (lambda mu, logvar: each(mu, logvar).sum(), "shape (3,)"),
    ],
    "cover_fit": [
        (moments, "is the variance"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ s**2)), "within the humps"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ m**2 - (w @ m) ** 2)), "between the humps"),
        (lambda w, m, s: (w @ m, w @ s), "mean of the standard deviations"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ (s + m**2) - (w @ m) ** 2)), "sd² is needed"),
        (lambda w, m, s: (w @ m, np.sqrt(w @ (s**2 + m**2))), "not taken off"),
        (lambda w, m, s: (m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)), "count alike"),
        (lambda w, m, s: fit(w, m, s)[::-1], "mean comes first"),
        (lambda w, m, s: w @ m, "shape (2,)"),
        (lambda w, m, s: fit(np.array([0.2, 0.5, 0.3]), np.array([-2, 1, 4]), np.array([0.5, 1, 2])), "Not yet"),
    ],
    "third_valley": [
        ((-2.99, 1.02), "heavier hump"),
        ((2.98, 1.03), "lighter hump"),
        ((-0.6, np.sqrt(1 + 0.24 * 36)), "moments of p"),
        ((-0.47, np.log(2.7)), "log of the standard deviation"),
        ((-0.47, 2.7**2), "is the variance"),
        ((2.7, -0.47), "mean comes first"),
        ((-0.47, ...), "Not filled in yet"),
        ((None, 2.7), "Not filled in yet"),
        ((-0.5, 2.7), "Not yet"),
        ((0.47, 2.7), "Not yet"),
    ],
}


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
