"""Lesson 05: right and wrong answers to its exercises, for test_judge.py."""

import math

import numpy as np
from scipy.integrate import quad
from scipy.stats import entropy, norm

LOG = np.log
BY_HAND = LOG(1 / 8) + LOG(3) - 2 / 3 * LOG(2)


def with_each_baseline(values, sd, eps):
    """Exercise 6 in a loop, draw by draw."""
    total = 0.0
    for i, value in enumerate(values):
        total += (value - np.delete(values, i).mean()) * eps[i] / sd
    return total / len(values)


def integral(x, w, s, mu, sd):
    density = lambda z: norm.pdf(z, mu, sd) * norm.logpdf(x, w * z, s)  # noqa: E731
    return quad(density, mu - 12 * sd, mu + 12 * sd, epsabs=1e-12)[0]


def climb(gain=lambda pull, sd: pull * sd + 1, after=True):
    """The solution of exercise 7, noting each step before or after it is taken, or one with a mistake built in."""

    def attempt(slope, eps):
        mu, log_sd, steps = 0.0, 0.0, []
        for noise in eps:
            before = mu, math.exp(min(log_sd, 300))
            pull = slope(mu + before[1] * noise)
            mu, log_sd = mu + 0.02 * pull, log_sd + 0.02 * gain(pull * noise, before[1])
            steps.append((mu, math.exp(log_sd)) if after else before)
        return np.mean(steps[len(steps) // 2 :], axis=0)

    return attempt


RIGHT = {
    "elbo_sign": [-94],
    "elbo_by_hand": [BY_HAND, -1.44, LOG(1 / 4) - entropy([1, 2], [1, 1])],
    "reconstruction_and_kl": [lambda q, p, x: (q @ LOG(x), entropy(q, p))],
    "baseline_gradient": [with_each_baseline, lambda values, sd, eps: np.cov(values, eps)[0, 1] / sd],
    "expected_log_likelihood": [integral],
    "sd_gradient": [lambda slope, mu, sd, eps: slope(mu + sd * eps) @ eps / eps.size],
    "climb": [climb(), climb(after=False)],
}

WRONG = {
    "elbo_sign": [(86, "Not yet")],
    "elbo_by_hand": [
        (LOG(1 / 6) / 3 + 2 * LOG(1 / 2) / 3, "reconstruction term alone"),
        (LOG(1 / 24) / 3 - 0.75 * LOG(9 / 4) - 0.25 * LOG(3 / 8), "q comes first"),
        (-1.5, "Not yet"),
    ],
    "reconstruction_and_kl": [(lambda q, p, x: (-q @ LOG(x), entropy(q, p)), "Not yet")],
    "baseline_gradient": [
        (lambda values, sd, eps: np.mean((values - values.mean()) * eps / sd), "contains its own draw"),
        (lambda values, sd, eps: with_each_baseline(values, sd**2, eps), "z − mu is sd · eps"),
        (lambda values, sd, eps: (values - np.median(values)) @ eps / sd / len(eps), "Not yet"),
    ],
    "expected_log_likelihood": [
        (lambda x, w, s, mu, sd: LOG(quad(lambda z: norm.pdf(z, mu, sd) * norm.pdf(x, w * z, s), -40, 40)[0]),
         "average density"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - 2 * w * sd**2 / (2 * s**2), "Not yet"),  # w² read as 2 w
        (lambda x, w, s, mu, sd: -(LOG(np.pi * s) + ((x - w * mu) ** 2 + (w * sd) ** 2) / s**2) / 2, "Not yet"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - (w * sd) ** 2 / 2, "Not yet"),
    ],
    "sd_gradient": [(lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)) * eps.mean(), "Not yet")],
    "climb": [
        (climb(lambda pull, sd: -pull * sd - 1, after=False), "Not yet"),
        (climb(lambda pull, sd: pull * sd + sd, after=False), "Not yet"),
    ],
}  # fmt: skip
