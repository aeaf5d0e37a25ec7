"""Lesson 05: the sign, an ELBO by hand, fit and price, an M step, a fit under q, and gradients through a sample."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from .judge import Result, judge, judge_function


def check_elbo_sign(answer: Any) -> Result:
    """Exercise 1: the ELBO when log p(x) = -90 and KL(q, p(z | x)) = 4."""
    mistakes = {
        "That lies above log p(x), and a lower bound cannot. It is what the sign in the lecture notes gives.": -86,
        "Mind the sign of log p(x): the picture is improbable, so its logarithm is far below zero.": 94,
        "That would be the bound of a perfect q, with KL = 0.": -90,
    }
    return judge(answer, -94, praise="the bound lies 4 nats below log p(x).", mistakes=mistakes)


def check_elbo_by_hand(answer: Any) -> Result:
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
        "The price is KL(q, p(z)), with q in front and doing the averaging.": q @ np.log(likelihood) - _kl(prior, q),
        "An ELBO of a table is never positive: mind the sign of the logarithms.": -right,
    }
    praise = "about −1.443, below log p(x) = log 1/4, as it must."
    return judge(answer, right, praise=praise, mistakes=mistakes, tolerance=2e-3)


def check_fit_and_price(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``fit_and_price(q, prior, likelihood)`` for one table, as two numbers."""

    def fit(q: np.ndarray, likelihood: np.ndarray) -> float:
        return float(q @ np.log(likelihood))

    cases = [
        (np.array([0.1, 0.6, 0.3]), np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.4, 0.25])),
        (np.array([0.35, 0.2, 0.05, 0.4]), np.array([0.1, 0.45, 0.2, 0.25]), np.array([0.3, 0.02, 0.6, 0.15])),
    ]
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Both look like bits: use the natural logarithm.": lambda q, p, x: np.array([fit(q, x), _kl(q, p)]) / np.log(2),
        "Both numbers are right. Return the fit first, then the price.": lambda q, p, x: [_kl(q, p), fit(q, x)],
        "That is fit minus price, the ELBO. Return the two as a pair.": lambda q, p, x: fit(q, x) - _kl(q, p),
        "The fit is right. The KL is the wrong way round: q pays, so q does the averaging.": lambda q, p, x: (
            [fit(q, x), _kl(p, q)]
        ),
        "The fit is right. The price has the wrong sign: a KL cannot be negative.": lambda q, p, x: (
            [fit(q, x), -_kl(q, p)]
        ),
        "The fit must be averaged under q. You have added up all causes with the same weight.": lambda q, p, x: (
            [np.log(x).sum(), _kl(q, p)]
        ),
        "The fit must be averaged under q. You have averaged all causes with the same weight.": lambda q, p, x: (
            [np.log(x).mean(), _kl(q, p)]
        ),
        "The fit must be averaged under q. You have averaged under the prior.": lambda q, p, x: [fit(p, x), _kl(q, p)],
        "In the fit stands p(x | z), not p(x, z): the prior belongs to the price.": lambda q, p, x: (
            [fit(q, p * x), _kl(q, p)]
        ),
        "Take the logarithm first and average then, not the other way round.": lambda q, p, x: (
            [np.log(q @ x), _kl(q, p)]
        ),
    }
    praise = "fit minus price is the ELBO."
    return judge_function(function, lambda q, p, x: [fit(q, x), _kl(q, p)], cases, praise=praise, mistakes=mistakes)


def check_new_weight(function: Callable[..., Any]) -> Result:
    """Exercise 4: the M step for the weight of the second component, from responsibilities ``(n, 2)``."""
    seconds = [np.array([0.9, 0.2, 0.6, 0.7, 0.4]), np.array([0.35, 0.8, 0.05, 0.55, 0.3, 0.2, 0.45])]
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the number of nights, not their share: a weight lies between 0 and 1.": lambda r: r[:, 1].sum(),
        "You have made the assignments hard. EM counts a night that is 60 % wind as 0.6 of a night.": lambda r: np.mean(
            r[:, 1] > 0.5
        ),
        "Give the weight as a number between 0 and 1, not in percent.": lambda r: 100 * r[:, 1].mean(),
        "That is the weight of the first component.": lambda r: r[:, 0].mean(),
        "Those are odds: second against first. Divide by all nights.": lambda r: r[:, 1].sum() / r[:, 0].sum(),
        "That is the mean of both columns together, which is always ½. Take column 1 alone.": lambda r: r.mean(),
        "Those are the weights of both components. Return that of the second alone.": lambda r: r.mean(axis=0),
    }
    cases = [(np.stack([1 - second, second], axis=1),) for second in seconds]
    praise = "the new weight is the mean responsibility."
    return judge_function(function, lambda r: r[:, 1].mean(), cases, praise=praise, mistakes=mistakes)


def check_expected_fit(function: Callable[..., Any]) -> Result:
    """Exercise 5: E[log N(x; w z, s²)] under q = N(mu, sd²), as ``expected_fit(x, w, s, mu, sd)``."""

    def fit(x: float, w: float, s: float, mu: float, sd: float) -> float:
        return float(norm.logpdf(x, w * mu, s) - (w * sd / s) ** 2 / 2)

    def constant(s: float) -> float:
        return float(-np.log(2 * np.pi * s**2) / 2)

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "You have put the mean of q in the place of z. The average feels the width of q too.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s)
        ),
        "A factor ½ is missing in front of the squares.": lambda x, w, s, mu, sd: (
            2 * fit(x, w, s, mu, sd) - constant(s)
        ),
        "The ½ belongs to the logarithm too: log s is half of log s².": lambda x, w, s, mu, sd: (
            fit(x, w, s, mu, sd) + constant(s)
        ),
        "The variance of w z is w² times that of z.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) - w * (sd / s) ** 2 / 2
        ),
        "A variance is σ²: you have used σ itself for the width of q.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) - (w / s) ** 2 * sd / 2
        ),
        "s is a standard deviation: the variance of x is s².": lambda x, w, s, mu, sd: fit(x, w, np.sqrt(s), mu, sd),
        "The constant −½ log(2π s²) is missing.": lambda x, w, s, mu, sd: fit(x, w, s, mu, sd) - constant(s),
        "That is the logarithm of the average density; we need the average of the logarithm.": (
            lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, np.hypot(s, w * sd))
        ),
        "The width of q costs fit: its term has the wrong sign.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) + (w * sd / s) ** 2 / 2
        ),
    }
    cases = [(1.3, 2.2, 0.6, 0.4, 0.35), (-0.7, 0.45, 1.7, 1.9, 2.6)]
    return judge_function(function, fit, cases, praise="a wide q pays in fit as well.", mistakes=mistakes)


def check_sd_gradient(function: Callable[..., Any]) -> Result:
    """Exercise 6: the reparameterised gradient of E[f(z)] in sd, as ``sd_gradient(slope, mu, sd, eps)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the gradient with respect to mu. How much does z move when sd grows a little?": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps))
        ),
        "You have added the draws up; an expectation is their mean.": (
            lambda slope, mu, sd, eps: np.sum(slope(mu + sd * eps) * eps)
        ),
        "Those are the estimates from single draws. Return their mean.": (
            lambda slope, mu, sd, eps: slope(mu + sd * eps) * eps
        ),
        "z = mu + sd · eps grows by eps, not by sd · eps, for each unit of sd.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) * sd
        ),
        "The slope belongs at the drawn z, not at the mean of q.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu) * eps)
        ),
        "sd is the standard deviation already: z = mu + sd · eps.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd**2 * eps) * eps)
        ),
        "That is the gradient with respect to the variance sd².": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) / (2 * sd)
        ),
    }
    cases = [(np.cos, 0.3, 0.4, np.array([-1.2, 0.1, 0.8, 2.0])), (np.exp, -0.6, 1.3, np.array([0.5, -0.9, -2.1]))]
    return judge_function(
        function,
        lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps),
        cases,
        praise="the chain rule through z = mu + sd · eps.",
        mistakes=mistakes,
    )


def check_climb(function: Callable[..., Any]) -> Result:
    """Exercise 7: stochastic ascent to N(0.7, 0.5²) and to N(-1.2, 1.5²), as ``climb(slope, eps)`` -> (mu, sd)."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Your q keeps shrinking towards a point. Which term of the ELBO rewards its width?": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull * sd))
        ),
        "Your q has shrunk to a point. Is the entropy of q, log σ, added and not subtracted?": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull * sd - 1))
        ),
        "How fast does z move when log σ moves? The factor sd of dz/d(log σ) is missing.": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull + 1))
        ),
        "That is the gradient with respect to σ. With respect to log σ, all of it is σ times that.": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull + 1 / sd))
        ),
        "Draw z once in each step: both gradients belong to the same z, before mu has moved.": (
            lambda slope, eps: _second_half(_climb(slope, eps, again=True))
        ),
        "The second number is σ². Return σ.": lambda slope, eps: _second_half(_climb(slope, eps) ** [1, 2]),
        "The second number is log σ; return σ.": lambda slope, eps: _logarithm(_climb(slope, eps)),
        "You have averaged log σ. Average σ itself.": lambda slope, eps: (
            _logarithm(_climb(slope, eps)) * [1, 0] + np.exp(_logarithm(_climb(slope, eps))) * [0, 1]
        ),
        "Both numbers are right. Return mu first, then σ.": lambda slope, eps: _second_half(_climb(slope, eps))[::-1],
        "That is the last step alone, which still jumps about. Average over the second half.": (
            lambda slope, eps: _climb(slope, eps)[-1]
        ),
        "That is the average over all steps. Leave out the first half, in which q is still on its way.": (
            lambda slope, eps: _climb(slope, eps).mean(axis=0)
        ),
        "That is the prior: did `slope` take part at all?": lambda slope, eps: [0.0, 1.0],
    }
    rng = np.random.default_rng(0)
    cases = [
        (lambda z: -4 * (z - 0.7), rng.standard_normal(4000)),
        (lambda z: -(z + 1.2) / 1.5**2, rng.standard_normal(1000)),
    ]
    praise = "q has found the exact posterior, and nobody told it where that is."
    return judge_function(  # the tolerance allows for a step noted before or after it was taken
        function,
        lambda slope, eps: _second_half(_climb(slope, eps)),
        cases,
        praise=praise,
        mistakes=mistakes,
        tolerance=1e-3,
    )


def _climb(
    slope: Callable[..., Any],
    eps: np.ndarray,
    gain: Callable[[float, float], float] = lambda pull, sd: pull * sd + 1,
    *,
    again: bool = False,
) -> np.ndarray:
    """Return mu and σ after each step, ``(n, 2)``.

    ``gain`` is the gradient with respect to log σ; ``again`` takes its slope at the z that has moved with mu.
    """
    mu, log_sd, steps = 0.0, 0.0, []
    for noise in eps.tolist():
        sd = math.exp(log_sd)
        uphill = slope(mu + sd * noise)
        mu += 0.02 * uphill
        uphill = slope(mu + sd * noise) if again else uphill
        log_sd += 0.02 * gain(uphill * noise, sd)
        steps.append([mu, math.exp(log_sd)])
    return np.array(steps)


def _second_half(steps: np.ndarray) -> np.ndarray:
    return np.asarray(steps[len(steps) // 2 :].mean(axis=0))


def _logarithm(steps: np.ndarray) -> np.ndarray:
    """Return the averages of mu and of log σ."""
    return _second_half(np.column_stack([steps[:, 0], np.log(steps[:, 1])]))


def _kl(q: np.ndarray, p: np.ndarray) -> float:
    return float(q @ np.log(q / p))
