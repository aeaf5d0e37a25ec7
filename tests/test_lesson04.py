"""Lesson 04: right and wrong answers to its exercises, for test_judge.py."""

import numpy as np
import scipy.stats
from scipy.special import logsumexp, softmax

LOG = np.log


def gaussian(half=0.5, variance=36.0, constant=2 * np.pi):
    return -half * 25 / variance - 0.5 * LOG(constant * variance)


def hard(resp):
    return np.eye(resp.shape[1])[resp.argmax(axis=1)]


def sds(weights=lambda r: r, below=lambda r: r.sum(axis=0), centre=lambda x, m: m, power=2, last=np.sqrt):
    def answer(x, resp, mean):
        return last((weights(resp) * abs(x[:, None] - centre(x, mean)) ** power).sum(axis=0) / below(weights(resp)))

    return answer


def bic(count=lambda k, d: k - 1 + k * d + k * d * (d + 1) / 2, penalty=LOG):
    return lambda log_l, k, d, n: -2 * log_l + count(k, d) * penalty(n)


def coins(tails=1, axis=1, share=lambda r: r, last=lambda r, h, t: r.T @ h / (t * r.sum(axis=0))):
    def answer(heads, tosses, chances):
        likelihood = chances ** heads[:, None] * (1 - chances) ** (tails * (tosses - heads[:, None]))
        return last(share(likelihood / likelihood.sum(axis=axis, keepdims=True)), heads, tosses)

    return answer


def em_rate(last=np.sqrt, pick=lambda rises: rises[-1] / rises[-2]):
    return lambda bounds: last(pick(np.diff(bounds)))


def coins_by_scipy(heads, tosses, chances):
    resp = scipy.stats.binom.pmf(heads[:, None], tosses, chances)
    resp /= resp.sum(axis=1, keepdims=True)
    return tuple(np.average(heads / tosses, weights=share) for share in resp.T)


RIGHT = {
    "responsibility": [0.064 / 0.082, 0.78],
    "log_density": [scipy.stats.norm.logpdf(60, 55, 6), -3.06],
    "new_sds": [lambda x, r, m: [np.sqrt(np.cov(x, aweights=share, ddof=0)) for share in r.T]],
    "log_responsibilities": [lambda t: LOG(softmax(t, axis=1))],
    "rate": [em_rate()],
    "bic": [bic(lambda k, d: k * (1 + d + len(np.triu_indices(d)[0])) - 1)],
    "coins": [coins_by_scipy],
}

WRONG = {
    "responsibility": [
        (2 / 3, "densities alone"), (0.064, "That is the joint"), (0.082, "whole mixture"),
        (0.64, "That is the weight"), (0.064 / 0.018, "odds"), (0.79, "Not yet"),
    ],
    "log_density": [
        (gaussian(variance=6.0), "where the variance belongs"),
        (gaussian() + 25 / 72 - 25 / 12, "divided the square by σ"), (gaussian() + LOG(36) / 4, "In the height"),
        (gaussian() - LOG(36) / 2, "½ is missing before log σ²."), (gaussian(half=1), "½ is missing before the square"),
        (-25 / 72 - LOG(2 * np.pi * 36), "½ is missing before log 2πσ²"), (gaussian(constant=1), "term with 2π"),
        (gaussian(half=-0.5), "wrong sign"), (-25 / 72, "stopped after the square"), (-3.1, "Not yet"),
    ],
    "new_sds": [
        (sds(below=len), "divided by N"),
        (sds(below=lambda r: r.sum(axis=0) - 1), "N_k − 1"),
        (sds(centre=lambda x, m: x.mean()), "mean of all points"),
        (sds(weights=hard), "as in k-means"),
        (sds(power=1, last=lambda v: v), "E|x − μ|"),
        (lambda x, r, m: np.std(x), "shape (3,)"),
        (lambda x, r, m: np.sqrt(r.T @ x**2 / r.sum(0)), "Not yet"),
    ],
    "log_responsibilities": [
        (lambda t: LOG(np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)), "Never leave log space"),
        (lambda t: t - logsumexp(t, axis=0), "wrong axis"), (lambda t: t - logsumexp(t), "whole table"),
        (lambda t: logsumexp(t, axis=1), "shape (3, 2)"),
        (lambda t: t - np.logaddexp(t[:, :1], t[:, 1:2]), "Not yet"),  # right for two components only
    ],
    "rate": [
        (em_rate(last=float), "By this factor the rises shrink"), (lambda b: b[-1] / b[-2], "Compare their rises"),
        (em_rate(pick=lambda rises: rises[1] / rises[0]), "first rises"),
        (em_rate(pick=lambda rises: np.mean(rises[1:] / rises[:-1])), "early rounds"),
        (em_rate(pick=lambda rises: rises[1:] / rises[:-1]), "Need one number, and got an array of shape (4,)."),
        (em_rate(pick=lambda rises: rises[-1]), "Not yet"),
    ],
    "bic": [
        (bic(lambda k, d: k + k * d + k * d * (d + 1) / 2), "counted K weights"),
        (bic(lambda k, d: k * d + k * d * (d + 1) / 2), "counted no weights"),
        (bic(lambda k, d: k - 1 + k * d + k * d**2), "symmetric"),
        (bic(lambda k, d: k - 1 + 2 * k * d), "can tilt"),
        (bic(penalty=lambda n: -LOG(n)), "penalty has the wrong sign"),
        (bic(penalty=lambda n: 2), "AIC"),
        (bic(penalty=np.log2), "Not yet"),
    ],
    "coins": [
        (coins(share=hard), "went to one coin"),
        (coins(last=lambda r, h, t: r.T @ h / (t * len(h))), "divided by all tosses"),
        (coins(tails=0), "forgot the tails"), (coins(share=np.ones_like), "Not yet"),
        (coins(axis=0), "normalized over the sets"),
    ],
}  # fmt: skip


def test_the_coins_are_those_of_the_paper():
    """Do & Batzoglou (2008), figure 1: (0.71, 0.58) after one round, (0.80, 0.52) after ten."""
    heads, chances = np.array([5, 9, 8, 4, 7]), np.array([0.6, 0.5])
    np.testing.assert_allclose(coins_by_scipy(heads, 10, chances), [0.71, 0.58], atol=0.005)
    for _ in range(10):
        chances = np.array(coins_by_scipy(heads, 10, chances))
    np.testing.assert_allclose(chances, [0.80, 0.52], atol=0.005)
