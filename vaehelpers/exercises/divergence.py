"""Lesson 02: a coin by hand, a symmetric measure, the cost of a slider, many sliders, the fits of two humps."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr

from .judge import Result, judge, judge_function

#: Mean and standard deviation, found by a search; tests/test_exercises_divergence.py finds it again.
THIRD_VALLEY = (-0.4707, 2.7027)
HUMPS = [
    (np.array([0.2, 0.5, 0.3]), np.array([-2.0, 1.0, 4.0]), np.array([0.5, 1.0, 2.0])),
    (np.array([0.35, 0.65]), np.array([1.5, -0.7]), np.array([0.8, 1.7])),
]


def check_coin(bits: Any) -> Result:
    """Lesson 02: KL of a fair coin from the belief (1/4, 3/4), in bits, to two digits."""
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    right = _kl(p, q) / np.log(2)
    mistakes = {
        "That is the other way round: which of the two decides how often each side falls?": _kl(q, p) / np.log(2),
        "The right size in another unit. Which logarithm counts bits?": right * np.log(2),
        "That is a logarithm to base 10. Bits take base 2.": right * np.log10(2),
        "That adds the logarithms without saying how often each side falls.": np.log2(p / q).sum(),
        "That is all that the wrong belief pays. How much of it would the right belief pay too?": right + 1,
        "The sign is turned: the ratio is p/q, truth over belief.": -right,
    }
    praise = "a bit less than a quarter of a bit for each toss."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=7e-3)


def check_jensen_shannon(jensen_shannon: Callable[..., Any]) -> Result:
    """Lesson 02: the symmetric Jensen–Shannon divergence in nats, also where one of the two is zero."""

    def right(p: NDArray, q: NDArray) -> float:
        return (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "NaN is 0 · log 0 in the computer. Where p is zero its term counts 0: `kl_divergence` does so.":
            lambda p, q: (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2,
        "Twice too much: an average of two numbers is half of their sum.": lambda p, q: 2 * right(p, q),
        "That compares p with q directly, and is infinite where one of them is zero. Compare each with m.":
            lambda p, q: (_kl(p, q) + _kl(q, p)) / 2,
        "Here m does not sum to 1. Is it the average of p and q, or their sum?": lambda p, q: right(p, q) - np.log(2),
        "That goes from m. In both terms the truth, p or q, comes first, and m second.":
            lambda p, q: (_kl((p + q) / 2, p) + _kl((p + q) / 2, q)) / 2,
        "That is in bits; the lesson counts in nats.": lambda p, q: right(p, q) / np.log(2),
        "That is its square root, the Jensen–Shannon *distance* (SciPy's `jensenshannon`). Square it.":
            lambda p, q: np.sqrt(right(p, q)),
        "The sign is turned: a divergence is never negative.": lambda p, q: -right(p, q),
        "Only one of the two terms is there, or one counts twice: p from m.": lambda p, q: _kl(p, (p + q) / 2),
        "Only one of the two terms is there, or one counts twice: q from m.": lambda p, q: _kl(q, (p + q) / 2),
    }  # fmt: skip
    cases = [
        (np.array([0.5, 0.5, 0.0]), np.array([0.1, 0.2, 0.7])),
        (np.array([0.15, 0.4, 0.1, 0.35]), np.array([0.55, 0.05, 0.3, 0.1])),
    ]
    praise = "the same in both directions, and never above log 2."
    return judge_function(jensen_shannon, right, cases, praise=praise, mistakes=mistakes)


def check_slider_cost(cost: Any) -> Result:
    """Lesson 02: KL in nats of N(1.5, 0.5²) from N(0, 1), to three digits."""
    right = _gaussian(1.5, 0.25)
    mistakes = {
        "That takes 0.5 for the variance. It is the standard deviation.": _gaussian(1.5, 0.5),
        "Twice too much: look at the number in front of the bracket.": 2 * right,
        "That is KL(p ‖ q), the prior in the first place. Here q comes first.":
            0.5 * (np.log(0.25) + (1 + 1.5**2) / 0.25 - 1),
        "That is in bits; the question asks for nats.": right / np.log(2),
        "The sign of the logarithm is turned: a narrow Gaussian must cost more, not less.": right + np.log(0.25),
        "That takes log σ where the formula has log σ².": right + np.log(0.5) / 2,
        "The mean enters squared.": right + (1.5 - 1.5**2) / 2,
        "The −1 is missing: N(0, 1) itself must cost nothing.": right + 0.5,
        "The sign is turned: a divergence is never negative.": -right,
    }  # fmt: skip
    praise = "leaving 0 costs, and being narrow costs too."
    return judge(cost, right, praise=praise, mistakes=mistakes, tolerance=2e-3)


def check_price(price: Callable[..., Any]) -> Result:
    """Lesson 02: the KL in nats ``(n,)`` of Gaussians ``mu``, ``logvar`` ``(n, 25)`` from the standard Gaussian."""

    def right(mu: NDArray, logvar: NDArray) -> NDArray:
        return _gaussian(mu, np.exp(logvar)).sum(axis=1)

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "That is the mean over the sliders. Independent parts add up.": lambda mu, logvar: right(mu, logvar) / 25,
        "Twice too much: where is the ½?": lambda mu, logvar: 2 * right(mu, logvar),
        "That takes logvar for the variance itself: the variance is exp(logvar).":
            lambda mu, logvar: 0.5 * (mu**2 + logvar - 1 - np.log(logvar)).sum(axis=1),
        "In the place of the variance stands logvar. The variance is exp(logvar).":
            lambda mu, logvar: 0.5 * (mu**2 - 1).sum(axis=1),
        "That takes exp(logvar) for the standard deviation and squares it.":
            lambda mu, logvar: right(mu, 2 * logvar),
        "That puts the standard deviation where the variance belongs.":
            lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar / 2) - 1 - logvar).sum(axis=1),
        "The mean enters squared.": lambda mu, logvar: right(mu, logvar) + 0.5 * (mu - mu**2).sum(axis=1),
        "The sign of the logarithm is turned: a narrow Gaussian must cost more, not less.":
            lambda mu, logvar: right(mu, logvar) + logvar.sum(axis=1),
        "The sign is turned: a divergence is never negative.": lambda mu, logvar: -right(mu, logvar),
        "The −1 of each slider is missing: the price of N(0, 1) itself must be zero.":
            lambda mu, logvar: right(mu, logvar) + 12.5,
        "The prior stands in the first place. Here the network's Gaussian comes first.":
            lambda mu, logvar: 0.5 * (logvar + (1 + mu**2) / np.exp(logvar) - 1).sum(axis=1),
        "That is in bits; the question asks for nats.": lambda mu, logvar: right(mu, logvar) / np.log(2),
    }  # fmt: skip
    rng = np.random.default_rng(2)
    cases = [
        (rng.normal(size=(3, 25)), rng.normal(-1, 1, size=(3, 25))),
        (rng.normal(size=(4, 25)), rng.uniform(0.1, 1, size=(4, 25))),
    ]
    praise = "one price for each picture. Lesson 06 will make a network pay it."
    return judge_function(price, right, cases, praise=praise, mistakes=mistakes)


def check_cover_fit(cover_fit: Callable[..., Any]) -> Result:
    """Lesson 02: mean and standard deviation of the Gaussian that minimises KL(p ‖ q) for a mixture p."""

    def within(w: NDArray, m: NDArray, s: NDArray) -> Any:
        return w @ s**2

    def between(w: NDArray, m: NDArray, s: NDArray) -> Any:
        return w @ (m - w @ m) ** 2

    def right(w: NDArray, m: NDArray, s: NDArray) -> list:
        return [w @ m, np.sqrt(within(w, m, s) + between(w, m, s))]

    mistakes: dict[str, Callable[[NDArray, NDArray, NDArray], ArrayLike]] = {
        "The second number is the variance. Asked is the standard deviation.":
            lambda w, m, s: [w @ m, within(w, m, s) + between(w, m, s)],
        "That is only the spread within the humps. They also lie apart.":
            lambda w, m, s: [w @ m, np.sqrt(within(w, m, s))],
        "That is only the spread between the humps. Each is also broad by itself.":
            lambda w, m, s: [w @ m, np.sqrt(between(w, m, s))],
        "That is the mean of the standard deviations. Variances average, and the humps also lie apart.":
            lambda w, m, s: [w @ m, w @ s],
        "You averaged sd, and sd² is needed: the variance of a hump is the square of its standard deviation.":
            lambda w, m, s: [w @ m, np.sqrt(w @ s + between(w, m, s))],
        "The squared mean is not taken off.": lambda w, m, s: [w @ m, np.sqrt(w @ (s**2 + m**2))],
        "The humps count alike here. Use their weights.":
            lambda w, m, s: [m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)],
        "The mean comes first, and the standard deviation second.": lambda w, m, s: right(w, m, s)[::-1],
    }  # fmt: skip
    praise = "the moments of the mixture, and no search was needed."
    return judge_function(cover_fit, right, HUMPS, praise=praise, mistakes=mistakes)


def check_third_valley(mean: Any, sd: Any) -> Result:
    """Lesson 02: the third local minimum of KL(q ‖ p) for 0.6 N(−3, 1) + 0.4 N(3, 1), to two decimals."""
    third_mean, third_sd = THIRD_VALLEY
    mistakes = {
        "That is the valley of the heavier hump. Start broader, and in between.": [-2.9877, 1.0187],
        "That is the valley of the lighter hump. Start broader, and in between.": [2.9799, 1.0294],
        "Those are the moments of p: the minimum of KL(p ‖ q). Exchange the two.": [-0.6, np.sqrt(9.64)],
        "The mean is right. The second number is the log of the standard deviation.": [third_mean, np.log(third_sd)],
        "The mean is right. The second number is the variance.": [third_mean, third_sd**2],
        "The mean comes first, and the standard deviation second.": [third_sd, third_mean],
    }
    answer = [... if value is None else value for value in (mean, sd)]
    praise = "a shallow valley between the humps, where a broad search gets stuck."
    return judge(answer, THIRD_VALLEY, praise=praise, mistakes=mistakes, tolerance=5e-3)


def _kl(p: NDArray, q: NDArray) -> float:
    return float(rel_entr(p, q).sum())


def _gaussian(mu: Any, var: Any) -> Any:
    """KL in nats of N(mu, var) from N(0, 1), from the entropy and the mean energy."""
    entropy = 0.5 * np.log(2 * np.pi * np.e * np.asarray(var))
    return 0.5 * (np.log(2 * np.pi) + mu**2 + var) - entropy
