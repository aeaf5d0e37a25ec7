"""Lesson 02: a coin by hand, a symmetric measure, the cost of a slider, many sliders, the fits of two humps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import rel_entr

from .judge import OPEN, attempt, judge


def check_coin(bits: Any) -> None:
    """Lesson 02: KL of a fair coin from the belief (1/4, 3/4), in bits."""
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    right = _kl(p, q) / np.log(2)
    judge(
        bits,
        right,
        praise="a bit less than a quarter of a bit for each toss.",
        tolerance=1e-3,
        mistakes={
            "That is the other way round: which of the two decides how often each side falls?": _kl(q, p) / np.log(2),
            "The right size in another unit. Which logarithm counts bits?": right * np.log(2),
            "That adds the logarithms without saying how often each side falls.": np.log2(p / q).sum(),
            "That is all that the wrong belief pays. How much of it would the right belief pay too?": right + 1,
            "The sign is turned: the ratio is p/q, truth over belief.": -right,
        },
    )


def check_jensen_shannon(jensen_shannon: Callable[..., Any]) -> None:
    """Lesson 02: the symmetric Jensen–Shannon divergence in nats, also where one of the two is zero."""
    p, q = np.array([0.5, 0.5, 0.0]), np.array([0.1, 0.2, 0.7])
    m = (p + q) / 2
    right = (_kl(p, m) + _kl(q, m)) / 2
    judge(
        attempt(jensen_shannon, p, q),
        right,
        praise="the same in both directions, and never above log 2.",
        mistakes={
            "Twice too much: an average of two numbers is half of their sum.": 2 * right,
            "That compares p with q directly, and is infinite where one of them is zero. Compare each with m.": np.inf,
            "Here m does not sum to 1. Is it the average of p and q, or their sum?": right - np.log(2),
            "That goes from m. In both terms the truth, p or q, comes first, and m second.": (_kl(m, p) + _kl(m, q))
            / 2,
            "That is in bits; the lesson counts in nats.": right / np.log(2),
            "Only one of the two terms is there, or one counts twice: p from m.": _kl(p, m),
            "Only one of the two terms is there, or one counts twice: q from m.": _kl(q, m),
        },
    )


def check_slider_cost(cost: Any) -> None:
    """Lesson 02: KL in nats of N(1.5, 0.5²) from N(0, 1)."""
    right = _gaussian(1.5, 0.25)
    judge(
        cost,
        right,
        praise="leaving 0 costs, and being narrow costs too.",
        tolerance=1e-3,
        mistakes={
            "That takes 0.5 for the variance. It is the standard deviation.": _gaussian(1.5, 0.5),
            "Twice too much: look at the number in front of the bracket.": 2 * right,
            "That is KL(p ‖ q), the prior in the first place. Here q comes first.": 0.5
            * (np.log(0.25) + (1 + 1.5**2) / 0.25 - 1),
            "That is in bits; the question asks for nats.": right / np.log(2),
            "The sign of the logarithm is turned: a narrow Gaussian must cost more, not less.": right + np.log(0.25),
            "The mean enters squared.": right + (1.5 - 1.5**2) / 2,
        },
    )


def check_price(price: Callable[..., Any]) -> None:
    """Lesson 02: the KL in nats ``(n,)`` of Gaussians ``mu``, ``logvar`` ``(n, 25)`` from the standard Gaussian."""
    rng = np.random.default_rng(2)
    mu, logvar = rng.normal(size=(3, 25)), rng.normal(-1, 1, size=(3, 25))
    each = _gaussian(mu, np.exp(logvar))
    right = each.sum(axis=1)
    judge(
        attempt(price, mu, logvar),
        right,
        praise="one price for each picture. Lesson 06 will make a network pay it.",
        mistakes={
            "That is the mean over the sliders. Independent parts add up.": each.mean(axis=1),
            "Twice too much: where is the ½?": 2 * right,
            "That takes logvar for the variance itself, or forgets its logarithm: the variance is exp(logvar).": 0.5
            * (mu**2 + logvar - 1 - logvar).sum(axis=1),
            "That takes exp(logvar) for the standard deviation and squares it.": _gaussian(mu, np.exp(2 * logvar)).sum(
                axis=1
            ),
            "That puts the standard deviation where the variance belongs.": 0.5
            * (mu**2 + np.exp(logvar / 2) - 1 - logvar).sum(axis=1),
            "The sign is turned: a divergence is never negative.": -right,
            "The −1 of each slider is missing: the price of N(0, 1) itself must be zero.": right + 12.5,
            "The prior stands in the first place. Here the network's Gaussian comes first.": 0.5
            * (logvar + (1 + mu**2) / np.exp(logvar) - 1).sum(axis=1),
        },
    )


def check_cover_fit(cover_fit: Callable[..., Any]) -> None:
    """Lesson 02: mean and standard deviation of the Gaussian that minimises KL(p ‖ q) for a mixture p."""
    w, m, s = np.array([0.2, 0.5, 0.3]), np.array([-2.0, 1.0, 4.0]), np.array([0.5, 1.0, 2.0])
    mean = w @ m
    within, between = w @ s**2, w @ (m - mean) ** 2
    judge(
        attempt(cover_fit, w, m, s),
        [mean, np.sqrt(within + between)],
        praise="the moments of the mixture, and no search was needed.",
        mistakes={
            "The second number is the variance. Asked is the standard deviation.": [mean, within + between],
            "That is only the spread within the humps. They also lie apart.": [mean, np.sqrt(within)],
            "That is only the spread between the humps. Each is also broad by itself.": [mean, np.sqrt(between)],
            "That is the mean of the standard deviations. Variances average, and the humps also lie apart.": [
                mean,
                w @ s,
            ],
            "The squared mean is not taken off.": [mean, np.sqrt(w @ (s**2 + m**2))],
            "The humps count alike here. Use their weights.": [m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)],
        },
    )


def check_third_valley(mean: Any, sd: Any) -> None:
    """Lesson 02: the third local minimum of KL(q ‖ p) for 0.6 N(−3, 1) + 0.4 N(3, 1)."""
    if mean is ... or sd is ... or mean is None or sd is None:
        return print(OPEN)
    judge(
        [mean, sd],
        THIRD_VALLEY,
        praise="a shallow valley between the humps, where a broad search gets stuck.",
        tolerance=0.01,
        mistakes={
            "That is the valley of the heavier hump. Start broader, and in between.": [-2.9877, 1.0187],
            "That is the valley of the lighter hump. Start broader, and in between.": [2.9799, 1.0294],
            "Those are the moments of p: the minimum of KL(p ‖ q). Exchange the two.": [-0.6, np.sqrt(9.64)],
            "The mean is right. The second number is the log of the standard deviation.": [
                THIRD_VALLEY[0],
                np.log(THIRD_VALLEY[1]),
            ],
            "The mean is right. The second number is the variance.": [THIRD_VALLEY[0], THIRD_VALLEY[1] ** 2],
        },
    )


#: Mean and standard deviation, found by a search; tests/test_exercises_divergence.py finds it again.
THIRD_VALLEY = (-0.4707, 2.7027)


def _kl(p: np.ndarray, q: np.ndarray) -> float:
    return float(rel_entr(p, q).sum())


def _gaussian(mu: Any, var: Any) -> Any:
    """KL in nats of N(mu, var) from N(0, 1), from the entropy and the mean energy."""
    entropy = 0.5 * np.log(2 * np.pi * np.e * np.asarray(var))
    return 0.5 * (np.log(2 * np.pi) + mu**2 + var) - entropy
