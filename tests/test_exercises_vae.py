"""Lesson 06: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.special import logsumexp, softmax
from scipy.stats import norm
from torch.nn import functional as F

EXP, LOG, PRICE = np.exp, np.log, 0.5 * (1 + np.exp(-2) + 2 - 1)


def kl(mu, logvar):
    return 0.5 * (mu**2 + EXP(logvar) - logvar - 1)


def pixels(x, p):
    return x * LOG(p) + (1 - x) * LOG(1 - p)


def loss(fit=lambda terms: terms.sum(1), price=lambda terms: terms.sum(1), kl=kl, pixels=pixels, end=np.mean):
    """The solution of exercise 3, or one with a mistake built in."""
    return lambda x, p, mu, logvar: end(price(kl(mu, logvar)) - fit(pixels(x, p)))


def torch_loss(x, p, mu, logvar):
    x, p, mu, logvar = (torch.tensor(value, requires_grad=True) for value in (x, p, mu, logvar))
    q = torch.distributions.Normal(mu, (logvar / 2).exp())
    price = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum()
    return (F.binary_cross_entropy(p, x, reduction="sum") + price) / len(x)


def loss_in_place(x, p, mu, logvar):
    logvar -= EXP(logvar) + mu**2 - 1
    x *= LOG(p / (1 - p))
    x += LOG(1 - p)
    return -(x.sum() + logvar.sum() / 2) / len(x)


def sample_in_place(mu, logvar, eps):
    eps *= EXP(logvar / 2)
    eps += mu
    return eps


def sample_in_a_loop(mu, logvar, eps):
    rows = zip(mu.tolist(), logvar.tolist(), eps.tolist(), strict=True)
    return [[m + math.sqrt(math.exp(v)) * e for m, v, e in zip(*row, strict=True)] for row in rows]


def blend(weights):
    """A solution of exercise 4 that weights the two pictures in some way."""

    def attempt(z, means, sds, x1, x2):
        first, second = weights(z, means, sds)
        return (first * x1 + second * x2) / (first + second)

    return attempt


def blend_of_scalars(z, means, sds, x1, x2):
    first, second = (math.exp(-(((z - m) / s) ** 2) / 2) / s for m, s in zip(means, sds, strict=True))
    return [(first * a + second * b) / (first + second) for a, b in zip(x1, x2, strict=True)]


def blend_in_place(z, means, sds, x1, x2):
    x1 -= x2
    x1 /= 1 + np.divide(*norm.pdf(z, means, sds)[::-1])
    x1 += x2
    return x1


def mean_in_place(w):
    largest = w.max(axis=0)
    w -= largest
    np.exp(w, out=w)
    return LOG(w.mean(axis=0)) + largest


def running_mean(w):
    total = w[0]
    for row in w[1:]:
        total = np.logaddexp(total, row)
    return total - math.log(len(w))


RIGHT = {
    "latent_price": [PRICE, 1.068, 1.07, [1.0677], np.float16(PRICE), torch.tensor(PRICE)],
    "sample": [
        lambda mu, logvar, eps: mu + EXP(logvar / 2) * eps,
        sample_in_place,
        sample_in_a_loop,
        lambda mu, logvar, eps: norm.ppf(norm.cdf(eps), mu, np.sqrt(EXP(logvar))),
        lambda mu, logvar, eps: torch.tensor(mu) + torch.tensor(logvar).exp().sqrt() * torch.tensor(eps),
    ],
    "negative_elbo": [
        loss(),
        torch_loss,
        loss_in_place,
        lambda x, p, mu, logvar: (kl(mu, logvar).sum() - pixels(x, p).sum()) / x.shape[0],
        lambda x, p, mu, logvar: -np.mean([pixels(*row[:2]).sum() - kl(*row[2:]).sum()
                                           for row in zip(x, p, mu, logvar, strict=True)]),
    ],
    "best_picture": [
        blend(lambda z, m, s: norm.pdf(z, m, s)),
        blend_of_scalars,
        blend_in_place,
        lambda z, m, s, x1, x2: softmax(norm.logpdf(z, m, s)) @ [x1, x2],
    ],
    "log_mean_exp": [
        lambda w: logsumexp(w, axis=0) - LOG(len(w)),
        mean_in_place,
        running_mean,
        lambda w: logsumexp(w, axis=0, b=1 / len(w), keepdims=True),
        lambda w: torch.logsumexp(torch.tensor(w), dim=0) - math.log(w.shape[0]),
    ],
    "gaps": [(-95.9 - -97.1, -95.2 - -95.9), [1.2, 0.7], np.array([[1.2], [0.7]]),
             [Fraction(6, 5), Fraction(7, 10)], np.float32([1.2, 0.7])],
    "best_weight": [
        lambda v, s2, beta: max(v - beta * s2, 0),
        lambda v, s2, beta: 0 if beta > v / s2 else v - beta * s2,
        lambda v, s2, beta: np.clip([v - beta * s2], 0, None),
        lambda v, s2, beta: torch.relu(torch.tensor(v - beta * s2)),
        lambda v, s2, beta: Fraction(max(v - beta * s2, 0)),
    ],
}  # fmt: skip

WRONG = {
    "latent_price": [
        (0, "exponential to get the variance"),
        (0.5 * (1 + EXP(-4) + 4 - 1), "logvar as log σ"),
        (2 * PRICE, "½"),
        (PRICE - 0.5, "The mean counts too"),
        (1.0, "The variance itself counts"),
        (PRICE - 2, "sign of the logarithm"),
        (-PRICE, "cannot be negative"),
        (PRICE / LOG(2), "bits"),
        (PRICE + 0.5, "− 1 at the end"),
    ],
    "sample": [
        (lambda mu, logvar, eps: mu, "nothing has been drawn"),
        (lambda mu, logvar, eps: mu + EXP(logvar) * eps, "by the variance"),
        (lambda mu, logvar, eps: mu + logvar * eps, "by logvar itself"),
        (lambda mu, logvar, eps: mu + logvar / 2 * eps, "½ logvar"),
        (lambda mu, logvar, eps: mu + np.sqrt(logvar) * eps, "as the variance"),
        (lambda mu, logvar, eps: mu + EXP(-logvar / 2) * eps, "plus in the exponent"),
        (lambda mu, logvar, eps: mu + eps, "not scaled"),
        (lambda mu, logvar, eps: mu - EXP(logvar / 2) * eps, "sign in front"),
        (lambda mu, logvar, eps: EXP(logvar / 2) * eps, "not around the mean"),
        (lambda mu, logvar, eps: mu + EXP(2 * logvar) * eps, "Not yet"),
        (lambda mu, logvar, eps: (mu + EXP(logvar / 2) * eps).mean(), "Need an array of shape (3, 2)"),
        (lambda mu, logvar: mu, "stopped with TypeError"),
    ],
    "negative_elbo": [
        (loss(end=lambda v: -np.mean(v)), "the ELBO itself"),
        (loss(price=lambda t: t.mean(1)), "averaged over the latents"),
        (loss(fit=lambda t: t.mean(1)), "averaged over the pixels, the price is not"),
        (loss(lambda t: t.mean(1), lambda t: t.mean(1)), "Both terms are averaged"),
        (loss(end=np.sum), "added up the pictures"),
        (loss(kl=lambda m, v: 0.5 * (m**2 + v - LOG(v) - 1)), "as the variance"),
        (loss(kl=lambda m, v: kl(m, 2 * v)), "as log σ"),
        (loss(kl=lambda m, v: 2 * kl(m, v)), "½ is missing"),
        (loss(kl=lambda m, v: -kl(m, v)), "rewards leaving the prior"),
        (loss(pixels=lambda x, p: x * LOG(p)), "dark pixels"),
        (loss(pixels=lambda x, p: pixels(p, x)), "taken of p"),
        (loss(kl=lambda m, v: 0 * m), "the fit alone"),
        (loss(pixels=lambda x, p: pixels(x, p) / LOG(2)), "bits"),
        (loss(end=lambda v: v), "Need one number"),
        (loss(kl=lambda m, v: 0.5 * (m**2 + EXP(v) - v)), "Not yet"),
        (loss(kl=lambda m, v: 0.5 * (EXP(v) - v - 1)), "Not yet"),
    ],
    "best_picture": [
        (blend(lambda z, m, s: (1, 1)), "plain average"),
        (lambda z, m, s, x1, x2: norm.pdf(z, m, s) @ np.stack([x1, x2]), "add up to one"),
        (blend(lambda z, m, s: norm.pdf(z, m, s)[::-1]), "wrong way round"),
        (lambda z, m, s, x1, x2: x1 if np.diff(norm.pdf(z, m, s)) < 0 else x2, "The other one may have sent"),
        (blend(lambda z, m, s: norm.pdf(z, m, s**2)), "used the variance"),
        (blend(lambda z, m, s: norm.pdf(z, m, s**0.5)), "where the variance belongs"),
        (blend(lambda z, m, s: norm.pdf(z, m, 1)), "widths"),
        (blend(lambda z, m, s: EXP(-((z - m) ** 2) / (2 * s**2))), "1/σ"),
        (blend(lambda z, m, s: norm.logpdf(z, m, s)), "not their logarithms"),
        (blend(lambda z, m, s: EXP(-((z - m) ** 2) / s**2) / s), "Not yet"),
        (blend(lambda z, m, s: 1 / abs(z - m)), "Not yet"),
        (blend(lambda z, m, s: norm.pdf(0.4, [-0.8, 0.9], [0.6, 1.3])), "Not yet"),
    ],
    "log_mean_exp": [
        (lambda w: np.log(np.exp(w - w.min(axis=0)).mean(axis=0)) + w.min(axis=0), "overflows"),
        (lambda w: np.log(np.exp(w - w.mean(axis=0)).mean(axis=0)) + w.mean(axis=0), "overflows"),
        (lambda w: w.mean(axis=0), "mean of the logarithms"),
        (lambda w: logsumexp(w, axis=0), "logarithm of the sum"),
        (lambda w: LOG(EXP(w).mean(axis=0)), "−∞"),
        (lambda w: w.max(axis=0), "largest log-weight: close"),
        (lambda w: LOG(EXP(w - w.max(axis=0)).mean(axis=0)), "not added it again"),
        (lambda w: LOG(EXP(w - w.max(0)).mean(0)) - w.max(0), "with a plus"),
        (lambda w: logsumexp(w, axis=1) - LOG(w.shape[1]), "over the pictures"),
        (lambda w: logsumexp(w) - LOG(w.size), "one number for all pictures"),
        (lambda w: logsumexp(w, axis=0) - LOG(w.shape[1]), "Not yet"),
        (lambda w: logsumexp(w, axis=0) - LOG(4), "Not yet"),
    ],
    "gaps": [
        ((0.7, 1.2), "wrong way round"),
        ((1.2, 1.9), "only the part above q*"),
        ((1.9, 0.7), "from the encoder's q to q*"),
        ((-1.2, -0.7), "never negative"),
        (1.9, "Need an array of shape (2,)"),
        ((-97.1, -95.9), "Not yet"),
    ],
    "best_weight": [
        (lambda v, s2, beta: v - beta * s2, "cannot be negative"),
        (lambda v, s2, beta: abs(v - beta * s2), "absolute value"),
        (lambda v, s2, beta: max(v - s2, 0), "β does not take part"),
        (lambda v, s2, beta: max(v - beta * s2, 0) ** 0.5, "That is w;"),
        (lambda v, s2, beta: v, "whole variance of x"),
        (lambda v, s2, beta: max(v - s2 / beta, 0), "divided by β"),
        (lambda v, s2, beta: max(beta * (v - s2), 0), "wrong place"),
        (lambda v, s2, beta: max(v - beta * s2**2, 0), "variance already"),
        (lambda v, s2, beta: max(v - beta * s2, 1e-3), "Not yet"),
        (lambda v, s2, beta: max(v / beta - s2, 0), "Not yet"),
        (lambda v, s2, beta: 3.28, "Not yet"),
        (lambda v, s2, beta: v - beta * s2 if v > beta * s2 else None, "`return` is missing"),
        (lambda v, s2: 0, "stopped with TypeError"),
    ],
}  # fmt: skip


def test_the_best_weight_is_the_best():
    """Exercise 7 against a search over all three parameters of the toy."""
    from scipy.optimize import minimize

    for v, s2, beta in ((4.0, 0.5, 1.0), (4.0, 0.5, 3.0), (4.0, 0.5, 10.0), (0.8, 0.2, 2.0)):

        def loss(p, v=v, s2=s2, beta=beta):
            w, a, tau = p[0], p[1], np.exp(p[2])
            fit = -((v * (1 - w * a) ** 2 + w**2 * tau) / s2) / 2
            return beta * (a**2 * v + tau - p[2] - 1) / 2 - fit

        found = min((minimize(loss, [w, 0.3, -1], tol=1e-12) for w in (0.1, 1, 2)), key=lambda r: r.fun)
        assert found.x[0] ** 2 == pytest.approx(max(v - beta * s2, 0), abs=2e-3)
