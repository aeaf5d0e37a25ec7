"""Lesson 06: each classic mistake is met by its hint, an open stub by patience; right answers run in the notebook."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from vaehelpers import exercises

EXP, LOG, PRICE = np.exp, np.log, 0.5 * (1 + np.exp(-2) + 2 - 1)


def kl(mu, logvar):
    return 0.5 * (mu**2 + EXP(logvar) - logvar - 1)


def pixels(x, p):
    return x * LOG(p) + (1 - x) * LOG(1 - p)


def loss(fit=lambda terms: terms.sum(1), price=lambda terms: terms.sum(1), kl=kl, pixels=pixels, end=np.mean):
    """The solution of exercise 3, or one with a mistake built in."""
    return lambda x, p, mu, logvar: end(price(kl(mu, logvar)) - fit(pixels(x, p)))


def blend(weights):
    """A solution of exercise 4 that weights the two pictures in some way."""

    def attempt(z, means, sds, x1, x2):
        first, second = weights(z, np.array(means), np.array(sds))
        return (first * x1 + second * x2) / (first + second)

    return attempt


@pytest.mark.parametrize(
    ("check", "attempt", "answer"),
    [
        ("latent_price", ..., "Not filled in yet"),
        ("latent_price", PRICE, "Right"),
        ("latent_price", 1.068, "Right"),
        ("latent_price", 0, "exponential to get the variance"),
        ("latent_price", 0.5 * (1 + EXP(-4) + 4 - 1), "logvar as log σ"),
        ("latent_price", 2 * PRICE, "½"),
        ("latent_price", PRICE - 0.5, "The mean counts too"),
        ("latent_price", PRICE - 2, "sign of the logarithm"),
        ("latent_price", PRICE / LOG(2), "bits"),
        ("latent_price", PRICE + 0.5, "− 1 at the end"),
        ("sample", lambda mu, logvar, eps: ..., "Not filled in yet"),
        ("sample", lambda mu, logvar, eps: mu + EXP(logvar / 2) * eps, "Right"),
        ("sample", lambda mu, logvar, eps: mu, "nothing has been drawn"),
        ("sample", lambda mu, logvar, eps: mu + EXP(logvar) * eps, "by the variance"),
        ("sample", lambda mu, logvar, eps: mu + logvar * eps, "by logvar itself"),
        ("sample", lambda mu, logvar, eps: mu + logvar / 2 * eps, "½ logvar"),
        ("sample", lambda mu, logvar, eps: mu + EXP(-logvar / 2) * eps, "plus in the exponent"),
        ("sample", lambda mu, logvar, eps: EXP(logvar / 2) * eps, "not around the mean"),
        ("sample", lambda mu, logvar: mu, "stopped with TypeError"),
        ("negative_elbo", lambda x, p, mu, logvar: ..., "Not filled in yet"),
        ("negative_elbo", loss(), "Right"),
        ("negative_elbo", loss(end=lambda v: -np.mean(v)), "the ELBO itself"),
        ("negative_elbo", loss(price=lambda t: t.mean(1)), "averaged over the latents"),
        ("negative_elbo", loss(fit=lambda t: t.mean(1)), "averaged over the pixels, the price is not"),
        ("negative_elbo", loss(lambda t: t.mean(1), lambda t: t.mean(1)), "Both terms are averaged"),
        ("negative_elbo", loss(end=np.sum), "added up the pictures"),
        ("negative_elbo", loss(kl=lambda m, v: 0.5 * (m**2 + v - LOG(v) - 1)), "as the variance"),
        ("negative_elbo", loss(kl=lambda m, v: kl(m, 2 * v)), "as log σ"),
        ("negative_elbo", loss(kl=lambda m, v: 2 * kl(m, v)), "½ is missing"),
        ("negative_elbo", loss(kl=lambda m, v: -kl(m, v)), "rewards leaving the prior"),
        ("negative_elbo", loss(pixels=lambda x, p: x * LOG(p)), "dark pixels"),
        ("negative_elbo", loss(kl=lambda m, v: 0 * m), "the fit alone"),
        ("negative_elbo", loss(end=lambda v: v), "Need one number"),
        ("best_picture", lambda z, means, sds, x1, x2: ..., "Not filled in yet"),
        ("best_picture", blend(lambda z, m, s: norm.pdf(z, m, s)), "Right"),
        ("best_picture", blend(lambda z, m, s: (1, 1)), "plain average"),
        ("best_picture", lambda z, m, s, x1, x2: norm.pdf(z, m, s) @ np.stack([x1, x2]), "add up to one"),
        ("best_picture", blend(lambda z, m, s: norm.pdf(z, m, s)[::-1]), "wrong way round"),
        ("best_picture", lambda z, m, s, x1, x2: x2, "The other one may have sent"),
        ("best_picture", blend(lambda z, m, s: norm.pdf(z, m, s**2)), "variance"),
        ("best_picture", blend(lambda z, m, s: norm.pdf(z, m, 1)), "widths"),
        ("best_picture", blend(lambda z, m, s: EXP(-((z - m) ** 2) / (2 * s**2))), "1/σ"),
        ("log_mean_exp", lambda w: ..., "Not filled in yet"),
        ("log_mean_exp", lambda w: logsumexp(w, axis=0) - LOG(len(w)), "Right"),
        ("log_mean_exp", lambda w: w.mean(axis=0), "mean of the logarithms"),
        ("log_mean_exp", lambda w: logsumexp(w, axis=0), "logarithm of the sum"),
        ("log_mean_exp", lambda w: LOG(EXP(w).mean(axis=0)), "−∞"),
        ("log_mean_exp", lambda w: w.max(axis=0), "largest log-weight: close"),
        ("log_mean_exp", lambda w: LOG(EXP(w - w.max(axis=0)).mean(axis=0)), "not added it again"),
        ("log_mean_exp", lambda w: LOG(EXP(w - w.max(0)).mean(0)) - w.max(0), "with a plus"),
        ("log_mean_exp", lambda w: logsumexp(w, axis=1) - LOG(2), "over the pictures"),
        ("gaps", ..., "Not filled in yet"),
        ("gaps", (-95.9 - -97.1, -95.2 - -95.9), "Right"),
        ("gaps", (0.7, 1.2), "wrong way round"),
        ("gaps", (1.2, 1.9), "only the part above q*"),
        ("gaps", (1.9, 0.7), "from the encoder's q to q*"),
        ("gaps", (-1.2, -0.7), "never negative"),
        ("gaps", 1.9, "Need an array of shape (2,)"),
        ("best_weight", lambda v, s2, beta: ..., "Not filled in yet"),
        ("best_weight", lambda v, s2, beta: None, "Not filled in yet"),
        ("best_weight", lambda v, s2, beta: max(v - beta * s2, 0), "Right"),
        ("best_weight", lambda v, s2, beta: v - beta * s2, "cannot be negative"),
        ("best_weight", lambda v, s2, beta: max(v - s2, 0), "β does not take part"),
        ("best_weight", lambda v, s2, beta: max(v - beta * s2, 0) ** 0.5, "That is w;"),
        ("best_weight", lambda v, s2, beta: v, "without noise"),
        ("best_weight", lambda v, s2, beta: max(v - s2 / beta, 0), "divided by β"),
        ("best_weight", lambda v, s2, beta: max(beta * (v - s2), 0), "wrong place"),
        ("best_weight", lambda v, s2: 0, "stopped with TypeError"),
    ],
)
def test_an_attempt_gets_its_answer(check, attempt, answer, capsys):
    with np.errstate(divide="ignore"):
        getattr(exercises, f"check_{check}")(attempt)
    assert answer in capsys.readouterr().out


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
