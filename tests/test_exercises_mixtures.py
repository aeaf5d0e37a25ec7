"""Lesson 04: each classic mistake is met by its hint, an open stub by patience; right answers run in the notebook."""

import numpy as np
import pytest
from scipy.special import logsumexp

from vaehelpers import exercises

LOG = np.log


def hard(resp):
    return np.eye(resp.shape[1])[resp.argmax(axis=1)]


def means(x, r):
    return r.T @ x / r.sum(axis=0)[:, None]


def sds(weights=lambda r: r, below=lambda r: r.sum(axis=0), centre=lambda x, m: m, power=2, last=np.sqrt):
    def attempt(x, resp, mean):
        return last((weights(resp) * abs(x[:, None] - centre(x, mean)) ** power).sum(axis=0) / below(weights(resp)))

    return attempt


def bic(count=lambda k, d: k - 1 + k * d + k * d * (d + 1) / 2, fit=-2, price=LOG):
    return lambda log_l, k, d, n: fit * log_l + count(k, d) * price(n)


def coins(tails=1, axis=1, share=lambda r: r, last=lambda r, h, t: r.T @ h / (t * r.sum(axis=0))):
    def attempt(heads, tosses, chances):
        like = chances ** heads[:, None] * (1 - chances) ** (tails * (tosses - heads[:, None]))
        return last(share(like / like.sum(axis=axis, keepdims=True)), heads, tosses)

    return attempt


def gaussian(half=0.5, variance=36.0, constant=2 * np.pi):
    return -half * 25 / variance - 0.5 * LOG(constant * variance)


CASES = [
    ("responsibility", ..., "Not filled in yet"),
    ("responsibility", 0.7805, "Right"),
    ("responsibility", 2 / 3, "densities alone"),
    ("responsibility", 0.018 / 0.082, "short kind"),
    ("responsibility", 0.064, "That is the joint"),
    ("responsibility", 0.082, "whole mixture"),
    ("responsibility", 0.64, "That is the weight"),
    ("responsibility", 0.064 / 0.018, "odds"),
    ("log_density", ..., "Not filled in yet"),
    ("log_density", gaussian(), "Right"),
    ("log_density", np.exp(gaussian()), "That is the density"),
    ("log_density", gaussian(variance=6.0), "where the variance belongs"),
    ("log_density", gaussian(half=1), "½ is missing before the square"),
    ("log_density", -25 / 72 - LOG(2 * np.pi * 36), "½ is missing before log"),
    ("log_density", gaussian(constant=1), "term with 2π"),
    ("log_density", gaussian(half=-0.5), "wrong sign"),
    ("log_density", -gaussian(), "surprisal"),
    ("log_density", -25 / 72, "stopped after the square"),
    ("log_density", gaussian() / LOG(10), "base 10"),
    ("log_density", gaussian() / LOG(2), "base 2"),
    ("new_means", lambda x, r: ..., "Not filled in yet"),
    ("new_means", means, "Right"),
    ("new_means", lambda x, r: r.T @ x / len(x), "divided by N"),
    ("new_means", lambda x, r: r.T @ x, "Nothing divides"),
    ("new_means", lambda x, r: (r / r.sum(axis=1, keepdims=True)).T @ x, "wrong axis"),
    ("new_means", lambda x, r: np.tile(x.mean(axis=0), (3, 1)), "mean of all points"),
    ("new_means", lambda x, r: means(x, hard(r)), "k-means"),
    ("new_means", lambda x, r: means(x, r).T, "Need an array of shape (3, 2)"),
    ("new_means", lambda x, r: r @ x, "stopped with ValueError"),
    ("new_sds", lambda x, r, m: ..., "Not filled in yet"),
    ("new_sds", sds(), "Right"),
    ("new_sds", sds(last=lambda v: v), "Those are the variances. The"),
    ("new_sds", sds(below=len), "divided by N"),
    ("new_sds", sds(below=len, last=lambda v: v), "with N below the line"),
    ("new_sds", sds(centre=lambda x, m: x.mean()), "mean of all points"),
    ("new_sds", sds(weights=np.ones_like), "every point counted in full"),
    ("new_sds", sds(power=1, last=lambda v: v), "mean distance"),
    ("log_responsibilities", lambda t: ..., "Not filled in yet"),
    ("log_responsibilities", lambda t: t - logsumexp(t, axis=1, keepdims=True), "Right"),
    ("log_responsibilities", lambda t: LOG(np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)), "Never leave log space"),
    ("log_responsibilities", lambda t: np.exp(t - logsumexp(t, axis=1, keepdims=True)), "Their logarithms"),
    ("log_responsibilities", lambda t: t - logsumexp(t, axis=0), "wrong axis"),
    ("log_responsibilities", lambda t: t - logsumexp(t), "whole table"),
    ("log_responsibilities", lambda t: t / logsumexp(t, axis=1, keepdims=True), "divided the logarithms"),
    ("log_responsibilities", lambda t: t - t.max(axis=1, keepdims=True), "largest only"),
    ("bic", lambda *a: ..., "Not filled in yet"),
    ("bic", bic(), "Right"),
    ("bic", bic(lambda k, d: k + k * d + k * d * (d + 1) / 2), "counted K weights"),
    ("bic", bic(lambda k, d: k - 1 + k * d + k * d**2), "symmetric"),
    ("bic", bic(lambda k, d: k - 1 + 2 * k * d), "can tilt"),
    ("bic", bic(price=lambda n: -LOG(n)), "penalty has the wrong sign"),
    ("bic", bic(fit=2), "fit has the wrong sign"),
    ("bic", bic(price=lambda n: 2), "AIC"),
    ("bic", bic(fit=-1), "factor 2"),
    ("bic", bic(price=lambda n: n), "you charged n"),
    ("coins", lambda *a: ..., "Not filled in yet"),
    ("coins", coins(), "Right"),
    ("coins", coins(share=hard), "went to one coin whole"),
    ("coins", coins(last=lambda r, h, t: r.T @ h / (t * len(h))), "divided by all tosses"),
    ("coins", coins(last=lambda r, h, t: r.T @ h), "expected heads"),
    ("coins", coins(tails=0), "forgot the tails"),
    ("coins", coins(share=lambda r: r[:, ::-1]), "swapped"),
    ("coins", coins(share=np.ones_like), "came out the same"),
    ("coins", coins(axis=0), "normalised over the sets"),
]


@pytest.mark.parametrize(("check", "attempt", "answer"), CASES, ids=[f"{c[0]}: {c[2]}" for c in CASES])
def test_an_attempt_gets_the_answer_that_fits(check, attempt, answer, capsys):
    getattr(exercises, f"check_{check}")(attempt)
    assert answer in capsys.readouterr().out


def test_the_coins_are_those_of_the_paper(capsys):
    """Do & Batzoglou (2008), figure 1: (0.71, 0.58) after one round, (0.80, 0.52) after ten."""
    heads, chances = np.array([5, 9, 8, 4, 7]), np.array([0.6, 0.5])
    first = coins()(heads, 10, chances)
    np.testing.assert_allclose(first, [0.71, 0.58], atol=0.005)
    for _ in range(10):
        chances = coins()(heads, 10, chances)
    np.testing.assert_allclose(chances, [0.80, 0.52], atol=0.005)
