"""Lesson 06: the cost of overlap, and right and wrong answers to the exercises, for test_judge.py."""

from functools import partial

import numpy as np
import pytest
from equations import covers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import entr, logsumexp, softmax, xlog1py, xlogy
from scipy.stats import norm

from vaehelpers.information import gaussian_kl
from vaehelpers.lessons.lesson06 import best_images, overlap_cost

IMAGES = np.random.default_rng(0).uniform(0.05, 0.95, (2, 4, 3))
IMAGES[1, 0] = IMAGES[0, 0]  # some pixels are the same in both


def log_likelihood(x, p):
    return np.sum(xlogy(x, p) + xlog1py(1 - x, -p))


def loss_of(mu, sd, decode):
    """How far E[log p(x | z)], the mean over both images, lies below its value without overlap, for any decoder."""

    def weighted(z):
        return sum(norm.pdf(z, mu[i], sd[i]) * log_likelihood(IMAGES[i], decode(z)) for i in range(2)) / 2

    edges = sorted(m + k * s for m, s in zip(mu, sd, strict=True) for k in (-9, -3, 0, 3, 9))
    expected = sum(quad(weighted, a, b, limit=200)[0] for a, b in zip(edges[:-1], edges[1:], strict=True))
    return np.mean([log_likelihood(x, x) for x in IMAGES]) - expected


@covers("06 cell-048-5 0 1fd732; 06 cell-048-6 0 6d47c7", "Bishop (2006), §4.2 and §1.5.5")
@pytest.mark.parametrize(("mu", "sd"), [((-0.5, 0.5), (1, 1)), ((-2, 1), (0.3, 1.4)), ((0, 0.1), (0.1, 1.5))])
def test_what_is_lost_is_the_integral_over_z(mu, sd):
    """With these shares the reconstruction term, by quadrature, loses what the lesson says; with shares that are a
    little flatter or sharper it loses more.
    """

    def decode(z, power=1.0):
        first, second = norm.pdf(z, mu, sd) ** power
        return (first * IMAGES[0] + second * IMAGES[1]) / (first + second)

    lost = loss_of(mu, sd, decode)
    assert overlap_cost(mu, sd, IMAGES).lost == pytest.approx(lost, abs=1e-4)
    assert lost < min(loss_of(mu, sd, partial(decode, power=power)) for power in (0.97, 1.03))


@given(mu=st.tuples(st.floats(-3, 3), st.floats(-3, 3)), sd=st.floats(0.1, 1.5))
@settings(deadline=None, max_examples=30)
def test_overlap_and_kl_have_their_closed_forms(mu, sd):
    found = overlap_cost(mu, (sd, sd), IMAGES)
    assert found.overlap == pytest.approx(2 * norm.cdf(-abs(mu[0] - mu[1]) / (2 * sd)), abs=2e-3)
    np.testing.assert_allclose(found.kl, gaussian_kl(mu, sd**2, 0, 1), atol=1e-12)


def test_the_best_images_are_finite_far_from_both_means():
    found = best_images([-400.0, -1, 400], (-1, 0.5), (0.8, 1.2), IMAGES)
    np.testing.assert_allclose(found[[0, 2]], IMAGES[[1, 1]])  # the wider one
    np.testing.assert_allclose(best_images([-1.0], (-1, 5), (0.1, 0.1), IMAGES)[0], IMAGES[0])


def test_the_best_weight_is_the_best():
    """Exercise 8 against a search over all three parameters of the toy."""
    for v, s2, beta in ((4.0, 0.5, 1.0), (4.0, 0.5, 3.0), (4.0, 0.5, 10.0), (0.8, 0.2, 2.0)):

        def loss(p, v=v, s2=s2, beta=beta):
            w, a, tau = p[0], p[1], np.exp(p[2])
            reconstruction = -((v * (1 - w * a) ** 2 + w**2 * tau) / s2) / 2
            return beta * (a**2 * v + tau - p[2] - 1) / 2 - reconstruction

        found = min((minimize(loss, [w, 0.3, -1], tol=1e-12) for w in (0.1, 1, 2)), key=lambda r: r.fun)
        assert found.x[0] ** 2 == pytest.approx(max(v - beta * s2, 0), abs=2e-3)


EXP, LOG, LATENT_KL = np.exp, np.log, 0.5 * (1 + np.exp(-2) + 2 - 1)


def kl(mu, logvar):
    return 0.5 * (mu**2 + EXP(logvar) - logvar - 1)


def pixels(x, p):
    return x * LOG(p) + (1 - x) * LOG(1 - p)


RIGHT = {
    "latent_kl": [LATENT_KL, 1.07],
    "sample": [lambda mu, logvar, eps: norm.ppf(norm.cdf(eps), mu, np.sqrt(EXP(logvar)))],
    "negative_elbo": [lambda x, p, mu, logvar: (kl(mu, logvar).sum() - pixels(x, p).sum()) / len(x)],
    "best_image": [lambda z, m, s, x1, x2: softmax(norm.logpdf(z, m, s)) @ [x1, x2]],
    "log_mean_exp": [lambda w: logsumexp(w, axis=0, b=1 / len(w))],
    "aggregated_variance": [lambda mu, logvar: (mu**2 + EXP(logvar)).mean(axis=0) - mu.mean(axis=0) ** 2],
    "missing_nats": [lambda p: [-LOG(quad(lambda x, p=p: p**x * (1 - p) ** (1 - x), 0, 1)[0]) for p in p]],
    "best_weight": [lambda v, s2, beta: max(v - beta * s2, 0)],
}

WRONG = {
    "latent_kl": [(0.5 * (1 + EXP(-4) + 4 - 1), "logvar as log σ"), (0.07, "Not yet")],
    "sample": [
        (lambda mu, logvar, eps: mu + np.sqrt(logvar) * eps, "as the variance"),  # NaN where logvar is negative
        (lambda mu, logvar, eps: mu + EXP(2 * logvar) * eps, "Not yet"),
    ],
    "negative_elbo": [(lambda x, p, mu, logvar: (kl(mu, logvar).sum() + pixels(x, p).sum()) / len(x), "Not yet")],
    "best_image": [(lambda z, m, s, x1, x2: softmax(-((z - m) ** 2) / s**2 - LOG(s)) @ [x1, x2], "Not yet")],
    "log_mean_exp": [
        (lambda w: LOG(EXP(w - w.mean(axis=0)).mean(axis=0)) + w.mean(axis=0), "Not yet"),
        (lambda w: logsumexp(w, axis=0) - LOG(w.shape[1]), "Not yet"),
    ],
    "aggregated_variance": [
        (lambda mu, logvar: EXP(logvar).mean(axis=0) + mu.std(axis=0), "Not yet"),
        (lambda mu, logvar: EXP(logvar / 2).mean(axis=0) ** 2 + mu.var(axis=0), "Not yet"),
    ],
    "missing_nats": [
        (lambda p: -LOG((2 * p - 1) / (LOG(1 - p) - LOG(p))), "Not yet"),  # NaN
        (lambda p: entr(p) + entr(1 - p), "Not yet"),
    ],
    "best_weight": [
        (lambda v, s2, beta: max(v - beta * s2, 1e-3), "Not yet"),
        (lambda v, s2, beta: max(v / beta - s2, 0), "Not yet"),
        (lambda v, s2, beta: v - beta * s2 if v > beta * s2 else None, "`return` is missing"),
    ],
}
