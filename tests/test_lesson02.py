"""Lesson 02: right and wrong answers to its exercises, for test_judge.py; a constant of one is found by a search."""

import math
from fractions import Fraction

import numpy as np
from scipy.optimize import minimize
from scipy.spatial.distance import jensenshannon
from scipy.stats import norm

from vaehelpers.information import kl_divergence
from vaehelpers.lessons import lesson02
from vaehelpers.lessons.lesson02 import THIRD_MINIMUM


def test_the_third_valley_is_a_minimum():
    """Average under q on a grid that moves and widens with q: not the lesson's way."""
    nodes = np.linspace(-9, 9, 1501)
    weights = norm.pdf(nodes) * (nodes[1] - nodes[0])

    def loss(theta):
        x = theta[0] + np.exp(theta[1]) * nodes
        log_p = np.logaddexp(np.log(0.6) + norm.logpdf(x, -3), np.log(0.4) + norm.logpdf(x, 3))
        return weights @ (norm.logpdf(nodes) - theta[1] - log_p)

    found = minimize(loss, (-0.5, 1.0), tol=1e-8)
    np.testing.assert_allclose((found.x[0], np.exp(found.x[1])), THIRD_MINIMUM, atol=5e-4)


NATS = 0.5 * (1.5**2 + 0.5**2 - 1) - math.log(0.5)


def half(terms):
    """Return the function of ``mu`` and ``logvar`` that halves the sum of these terms over the latents."""
    return lambda mu, logvar: 0.5 * terms(mu, logvar).sum(axis=1)


def third_valley(answer):
    """Check the two numbers of an answer, or pass an invalid answer for both."""
    pair = answer.reshape(-1) if hasattr(answer, "reshape") else answer
    pair = pair if hasattr(pair, "__len__") and len(pair) == 2 else (answer, answer)
    return lesson02.check_third_valley(*pair)


CHECKS = {"third_valley": third_valley}

RIGHT = {
    "coin": [1 - np.log2(3) / 2, 0.21],
    "jensen_shannon": [lambda p, q: jensenshannon(p, q) ** 2],
    "evidence": [lambda counts, p, q: np.repeat(np.log(p / q), counts.astype(int)).mean()],
    "gaussian_kl": [NATS, 1.44],
    "kl_from_prior": [half(lambda mu, logvar: mu**2 + np.exp(logvar) - 1 - logvar)],
    "cover_fit": [lambda w, m, s: (w @ m, np.sqrt(w @ (s**2 + m**2) - (w @ m) ** 2))],
    "third_valley": [THIRD_MINIMUM, (np.array([-0.47]), 2.7), (Fraction(-47, 100), np.float32(2.70))],
}

WRONG = {
    "coin": [(1 + np.log2(2 / 3), "how often"), (0.2, "Not yet")],
    "jensen_shannon": [(lambda p, q: kl_divergence(p, p + q), "stopped with ValueError")],
    "evidence": [
        (lambda counts, p, q: np.mean(counts * np.log(p / q)), "Not yet"),
        (lambda counts, p, q: kl_divergence(counts / counts.sum(), q), "Not yet"),
    ],
    "gaussian_kl": [
        ((1.5**2 + 0.25 - 1 + np.log(0.25)) / 2, "sign of the logarithm"),
        ((1.5**2 + 0.25 - 1 - np.log(0.5)) / 2, "log σ²"), ((1.5 + 0.25 - 1 - np.log(0.25)) / 2, "enters squared"),
        ((1.5**2 + 0.25 - np.log(0.25)) / 2, "−1 is missing"), (1.45, "Not yet"),
    ],
    "kl_from_prior": [
        (half(lambda mu, logvar: mu**2 + logvar - 1 - logvar), "You used logvar as the variance. The"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) ** 2 - 1 - 2 * logvar), "squared exp(logvar)"),
        (half(lambda mu, logvar: mu + np.exp(logvar) - 1 - logvar), "enters squared"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) - 1 + logvar), "sign of the logarithm"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar) - logvar), "The −1 of each latent"),
        (half(lambda mu, logvar: mu**2 + np.exp(logvar)), "Not yet"),
    ],
    "cover_fit": [(lambda w, m, s: (w @ m, np.sqrt(w @ (s + m**2) - (w @ m) ** 2)), "Not yet")],
    "third_valley": [
        ((-2.99, 1.02), "heavier mode"), ((2.98, 1.03), "lighter mode"), ((-0.47, 2.7**2), "is the variance"),
        ((-0.47, ...), "Not filled in yet"), ((None, 2.7), "Not filled in yet"), ((-0.5, 2.7), "Not yet"),
        ((0.47, 2.7), "Not yet"),
    ],
}  # fmt: skip
