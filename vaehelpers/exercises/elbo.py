"""Lesson 05: the sign, an ELBO by hand, fit and price, an M step, a fit under q, and gradients through a sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from .judge import attempt, judge


def check_elbo_sign(answer: Any) -> None:
    """Exercise 1: the ELBO when log p(x) = -90 and KL(q, p(z | x)) = 4."""
    mistakes = {
        "That lies above log p(x), and a lower bound cannot. It is what the sign in the lecture notes gives.": -86,
        "Mind the sign of log p(x): the picture is improbable, so its logarithm is far below zero.": 94,
        "That would be the bound of a perfect q, with KL = 0.": -90,
    }
    judge(answer, -94, praise="the bound lies 4 nats below log p(x).", mistakes=mistakes)


def check_elbo_by_hand(answer: Any) -> None:
    """Exercise 2: the ELBO of a model with p(z) = (3/4, 1/4), p(x | z) = (1/6, 1/2) and q = (1/3, 2/3)."""
    q, prior, likelihood = np.array([1, 2]) / 3, np.array([3, 1]) / 4, np.array([1 / 6, 1 / 2])
    energy, entropy = q @ np.log(prior * likelihood), -q @ np.log(q)
    right, evidence = energy + entropy, np.log(prior @ likelihood)
    mistakes = {
        "That looks like bits. The course counts in nats: take the natural logarithm.": right / np.log(2),
        "The entropy of q has the wrong sign: the ELBO *gains* when q keeps its options open.": energy - entropy,
        "That is E[log p(x, z)] alone. What does q itself contribute?": energy,
        "That is log p(x): what the ELBO would be if q were the posterior. Average under the given q.": evidence,
        "That lies above log p(x). It is log p(x) + KL, the sign of the notes.": 2 * evidence - right,
        "That is the fit alone. Leaving the prior has a price.": q @ np.log(likelihood),
        "Weight each logarithm by q(z): you have added them up with equal weights of 1.": np.log(
            prior * likelihood / q
        ).sum(),
        "The price is KL(q, p(z)), with q in front and doing the averaging.": q @ np.log(likelihood)
        - prior @ np.log(prior / q),
    }
    judge(answer, right, praise="it lies below log p(x) = log 1/4, as it must.", mistakes=mistakes, tolerance=2e-4)


def check_fit_and_price(function: Callable[..., Any]) -> None:
    """Exercise 3: ``fit_and_price(q, prior, likelihood)`` for one table, as two numbers."""
    q, prior, likelihood = np.array([0.1, 0.6, 0.3]), np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.4, 0.25])
    seen, price = np.log(likelihood), q @ np.log(q / prior)
    fit, joint, backwards = q @ seen, q @ np.log(prior * likelihood), prior @ np.log(prior / q)
    mistakes = {
        "Both look like bits: use the natural logarithm.": [fit / np.log(2), price / np.log(2)],
        "The fit is right. The KL is the wrong way round: q pays, so q does the averaging.": [fit, backwards],
        "The fit is right. The price has the wrong sign: a KL cannot be negative.": [fit, -price],
        "The fit must be averaged under q. You have added up all causes with the same weight.": [seen.sum(), price],
        "The fit must be averaged under q. You have averaged all causes with the same weight.": [seen.mean(), price],
        "In the fit stands p(x | z), not p(x, z): the prior belongs to the price.": [joint, price],
        "Take the logarithm first and average then, not the other way round.": [np.log(q @ likelihood), price],
    }
    answer = attempt(function, q, prior, likelihood)
    judge(answer, [fit, price], praise="fit minus price is the ELBO.", mistakes=mistakes)


def check_new_weight(function: Callable[..., Any]) -> None:
    """Exercise 4: the M step for the weight of the second component, from responsibilities ``(n, 2)``."""
    second = np.array([0.9, 0.2, 0.6, 0.7, 0.15])
    mistakes = {
        "That is the number of nights, not their share: a weight lies between 0 and 1.": second.sum(),
        "You have made the assignments hard. EM counts a night that is 60 % wind as 0.6 of a night.": (
            second > 0.5
        ).mean(),
        "That is the weight of the first component.": (1 - second).mean(),
        "Those are odds: second against first. Divide by all nights.": second.sum() / (1 - second).sum(),
    }
    answer = attempt(function, np.stack([1 - second, second], axis=1))
    judge(answer, second.mean(), praise="the new weight is the mean responsibility.", mistakes=mistakes)


def check_expected_fit(function: Callable[..., Any]) -> None:
    """Exercise 5: E[log N(x; w z, s²)] under q = N(mu, sd²), as ``expected_fit(x, w, s, mu, sd)``."""
    x, w, s, mu, sd = 1.3, 2.0, 0.5, 0.4, 0.3
    log_norm, plugged = -np.log(2 * np.pi * s**2) / 2, (x - w * mu) ** 2 / (2 * s**2)
    mistakes = {
        "You have put the mean of q in the place of z. The average also feels the width of q.": norm.logpdf(
            x, w * mu, s
        ),
        "A factor ½ is missing in front of the squares.": log_norm - 2 * plugged - w**2 * sd**2 / s**2,
        "The variance of w z is w² times that of z.": log_norm - plugged - w * sd**2 / (2 * s**2),
        "A variance is σ²: you have used σ itself for the width of q.": log_norm - plugged - w**2 * sd / (2 * s**2),
        "The constant −½ log(2π s²) is missing.": -plugged - (w * sd / s) ** 2 / 2,
        "That is the logarithm of the average density; we need the average of the logarithm.": norm.logpdf(
            x, w * mu, np.hypot(s, w * sd)
        ),
        "The width of q costs fit: its term has the wrong sign.": log_norm - plugged + (w * sd / s) ** 2 / 2,
    }
    right = log_norm - plugged - (w * sd / s) ** 2 / 2
    judge(attempt(function, x, w, s, mu, sd), right, praise="a wide q pays in fit as well.", mistakes=mistakes)


def check_sd_gradient(function: Callable[..., Any]) -> None:
    """Exercise 6: the reparameterised gradient of E[f(z)] in sd, as ``sd_gradient(slope, mu, sd, eps)``."""
    mu, sd, eps = 0.3, 0.4, np.array([-1.2, 0.1, 0.8, 2.0])
    slopes = np.cos(mu + sd * eps)
    mistakes = {
        "That is the gradient with respect to mu. How much does z move when sd grows a little?": slopes.mean(),
        "You have added the draws up; an expectation is their mean.": (slopes * eps).sum(),
        "z = mu + sd · eps grows by eps, not by sd · eps, for each unit of sd.": (slopes * sd * eps).mean(),
        "The slope belongs at the drawn z, not at the mean of q.": (np.cos(mu) * eps).mean(),
        "That is the gradient with respect to the variance sd².": (slopes * eps).mean() / (2 * sd),
    }
    answer = attempt(function, np.cos, mu, sd, eps)
    judge(answer, (slopes * eps).mean(), praise="the chain rule through z = mu + sd · eps.", mistakes=mistakes)


def check_climb(function: Callable[..., Any]) -> None:
    """Exercise 7: stochastic ascent to the posterior N(0.7, 0.5²), as ``climb(slope, eps)`` -> (mu, sd)."""
    eps = np.random.default_rng(0).standard_normal(4000)
    shrunk, mixed = _climb(eps, entropy=0), _climb(eps, chain=False)
    mistakes: dict[str, ArrayLike] = {
        "Your q keeps shrinking towards a point. Which term of the ELBO rewards its width?": shrunk,
        "Your q has shrunk to a point. Is the entropy of q, log σ, added and not subtracted?": [0.7, 0.0],
        "That width is σ², not σ. Did you return σ², or leave out the factor sd of dz/d(log σ)?": mixed,
        "The second number is log σ; return σ.": [0.7, np.log(0.5)],
        "That is the prior: did `slope` take part at all?": [0.0, 1.0],
    }
    answer = attempt(function, _slope, eps)
    praise = "q has found the exact posterior, and nobody told it where that is."
    judge(answer, [0.7, 0.5], praise=praise, mistakes=mistakes, tolerance=0.03)


def _slope(z: Any) -> Any:
    return -4 * (z - 0.7)


def _climb(eps: np.ndarray, *, entropy: float = 1, chain: bool = True) -> np.ndarray:
    """Climb as the exercise asks, or with one of its mistakes."""
    mu, log_sd, steps = 0.0, 0.0, []
    for noise in eps:
        sd = np.exp(log_sd)
        step = _slope(mu + sd * noise)
        mu, log_sd = mu + 0.02 * step, log_sd + 0.02 * (step * noise * (sd if chain else 1) + entropy)
        steps.append([mu, np.exp(log_sd)])
    return np.mean(steps[len(steps) // 2 :], axis=0)
