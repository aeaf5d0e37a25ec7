"""Lesson 04: right and wrong answers to its exercises, for test_judge.py."""

import numpy as np
import scipy.stats
from scipy.special import logsumexp, softmax

LOG = np.log


def gaussian(half=0.5, constant=2 * np.pi):
    return -half * 25 / 36 - 0.5 * LOG(constant * 36)


def rises(bounds):
    return np.diff(bounds)[1:] / np.diff(bounds)[:-1]


def parameters(k, d):
    return k * (1 + d + len(np.triu_indices(d)[0])) - 1


def of_coins(heads, tosses, likelihood):
    """Return the chances that maximize the likelihood of heads, shared by the likelihood of each coin."""
    resp = likelihood / likelihood.sum(axis=1, keepdims=True)
    return tuple(np.average(heads / tosses, weights=share) for share in resp.T)


def coins(heads, tosses, chances):
    return of_coins(heads, tosses, scipy.stats.binom.pmf(heads[:, None], tosses, chances))


RIGHT = {
    "responsibility": [0.064 / 0.082, 0.78],
    "log_density": [scipy.stats.norm.logpdf(60, 55, 6), -3.06],
    "new_sds": [lambda x, r, m: [np.sqrt(np.cov(x, aweights=share, ddof=0)) for share in r.T]],
    "log_responsibilities": [lambda t: LOG(softmax(t, axis=1))],
    "rate": [lambda bounds: np.sqrt(rises(bounds)[-1])],
    "bic": [lambda log_l, k, d, n: -2 * log_l + parameters(k, d) * LOG(n)],
    "coins": [coins],
}

WRONG = {
    "responsibility": [(2 / 3, "densities alone"), (0.79, "Not yet")],
    "log_density": [
        (gaussian() + 25 / 72 - 25 / 12, "divided the square by σ"), (gaussian() + LOG(36) / 4, "You wrote ½ log σ"),
        (gaussian() - LOG(36) / 2, "½ is missing before log σ²."), (gaussian(half=1), "½ is missing before the square"),
        (-25 / 72 - LOG(2 * np.pi * 36), "½ is missing before log 2πσ²"), (gaussian(constant=1), "term with 2π"),
        (gaussian(half=-0.5), "wrong sign"), (-3.1, "Not yet"),
    ],
    "new_sds": [
        (lambda x, r, m: np.std(x), "shape (3,)"),
        (lambda x, r, m: np.sqrt(r.T @ x**2 / r.sum(0)), "Not yet"),
    ],
    "log_responsibilities": [
        (lambda t: logsumexp(t, axis=1), "shape (3, 2)"),
        (lambda t: t - np.logaddexp(t[:, :1], t[:, 1:2]), "Not yet"),  # right for two components only
    ],
    "rate": [
        (lambda b: np.sqrt(rises(b)), "Need one number, and got an array of shape (4,)."),
        (lambda b: np.sqrt(b[-1] - b[-2]), "Not yet"),
    ],
    "bic": [(lambda log_l, k, d, n: -2 * log_l + parameters(k, d) * np.log2(n), "Not yet")],
    "coins": [
        (lambda heads, tosses, old: of_coins(heads, tosses, old ** heads[:, None]), "forgot the tails"),
        (lambda heads, tosses, old: [heads.mean() / tosses] * 2, "Not yet"),
    ],
}  # fmt: skip


def test_the_coins_are_those_of_the_paper():
    """Do & Batzoglou (2008), figure 1: (0.80, 0.52) after ten rounds."""
    heads, chances = np.array([5, 9, 8, 4, 7]), np.array([0.6, 0.5])
    for _ in range(10):
        chances = np.array(coins(heads, 10, chances))
    np.testing.assert_allclose(chances, [0.80, 0.52], atol=0.005)
