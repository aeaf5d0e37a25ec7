"""Lesson 07: where two models draw level, a stranger's β, the loss, spreading, correlation, the gap, seeds, a turn."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .judge import Result, judge, judge_function


def check_break_even(answer: Any) -> Result:
    """Exercise 1: the β at which fit -192, KL 5 and fit -186, KL 9 are equally good."""
    mistakes = {
        "That is the β of a loss with β before the fit. Here it multiplies the KL.": 4 / 6,
        "That is how much better the fit is. How many nats of KL does it cost?": 6,
        "That is how much more KL is paid. How much fit does it buy?": 4,
        "That is the difference of the two ELBOs, at β = 1. Let β free, and set both sides equal.": 2,
        "At β = 1 the second is 2 nats better: not equal yet.": 1,
        "Mind the signs: the second model has the higher log-likelihood *and* the higher KL.": -1.5,
    }
    praise = "above this β the cheaper model wins, below it the more exact one."
    return judge(answer, 1.5, praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_strangers_beta(answer: Any) -> Result:
    """Exercise 2: mean-squared error over 64×64 pixels of variance 0.1², plus 0.001 times the KL."""
    right = 0.001 * 4096 / (2 * 0.1**2)
    mistakes = {
        "Nearly. Look at the exponent of a Gaussian: (x − x̂)² stands there over *two* times σ².": 2 * right,
        "You have used σ where the Gaussian has its square.": 0.001 * 4096 / (2 * 0.1),
        "That would be right for σ = 1. Here the pixels have σ = 0.1.": 0.001 * 4096 / 2,
        "That would be right for a Bernoulli error. A squared error is 2σ² times the nats.": 0.001 * 4096,
        "The error is a mean over 4096 pixels; you have read it as their sum.": right / 4096,
        "The pictures have 64 × 64 pixels; you have counted one side alone.": right / 64,
        "Upside down: what stands before the KL goes on top.": 1 / right,
        "Divide by 2σ²: a squared error counts *fewer* than nats when σ is small.": 0.001 * 4096 * 2 * 0.1**2,
    }
    praise = "a weight that looks tiny is a β of about 205."
    return judge(answer, right, praise=praise, mistakes=mistakes, tolerance=0.025)


def check_beta_loss(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``beta_loss(x, recon, mu, logvar, beta)`` of a batch, Bernoulli pixels, as one number."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "β stands before the error. It is the KL that it multiplies.": lambda x, p, m, v, beta: (
            beta * _error(x, p) + _price(m, v)
        ),
        "Your KL is averaged over the latents. Add it up; only the batch is averaged.": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _kl(m, v).mean()
        ),
        "Your error is averaged over the pixels: β then means something else for each size of picture.": (
            lambda x, p, m, v, beta: _nats(x, p).mean() + beta * _price(m, v)
        ),
        "Both terms are averaged over everything: β then depends on the numbers of pixels and latents.": (
            lambda x, p, m, v, beta: _nats(x, p).mean() + beta * _kl(m, v).mean()
        ),
        "You have added up the batch as well. Average over the pictures.": lambda x, p, m, v, beta: (
            len(x) * (_error(x, p) + beta * _price(m, v))
        ),
        "The ½ of the KL is missing.": lambda x, p, m, v, beta: _error(x, p) + 2 * beta * _price(m, v),
        "You have read logvar as the variance: it is its logarithm.": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _price(m, np.log(v))
        ),
        "You have read logvar as log σ: the variance is exp(logvar), not exp(2 logvar).": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _price(m, 2 * v)
        ),
        "The sign: a loss is to be made small, so it is minus (fit − β · KL).": lambda x, p, m, v, beta: (
            -_error(x, p) - beta * _price(m, v)
        ),
        "That subtracts the price. A loss *adds* β · KL to the error.": lambda x, p, m, v, beta: (
            _error(x, p) - beta * _price(m, v)
        ),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": lambda x, p, m, v, beta: (
            beta * _price(m, v) - (x * np.log(p)).sum(axis=1).mean()
        ),
        "That is the squared error. For Bernoulli pixels it is −[x log p + (1 − x) log(1 − p)].": (
            lambda x, p, m, v, beta: np.square(x - p).sum(axis=1).mean() + beta * _price(m, v)
        ),
        "That is the loss at β = 1.": lambda x, p, m, v, beta: _error(x, p) + _price(m, v),
    }
    return judge_function(
        function,
        lambda x, p, m, v, beta: _error(x, p) + beta * _price(m, v),
        _batches(),
        praise="sums over pixels and latents, a mean over pictures.",
        mistakes=mistakes,
    )


def check_spread_rate(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``spread_rate(lost, m)``, the nats that m equal latents cost to lose a given share of the feature."""

    def noise(lost: float, m: int) -> float:
        return m * lost / (1 - lost + m * lost)

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the price of one of the m latents. All m are to be paid.": lambda lost, m: -np.log(noise(lost, m)) / 2,
        "That is what one latent would charge. Find the noise v of each of the m first.": (
            lambda lost, m: -np.log(lost) / 2
        ),
        "You have taken the lost share for the noise v of one latent. m latents may each be noisier.": (
            lambda lost, m: -m / 2 * np.log(lost)
        ),
        "You have taken m times the lost share for the noise v of one latent. Solve the equation for v.": (
            lambda lost, m: -m / 2 * np.log(m * lost)
        ),
        "The ½ is missing: log σ is half of log v.": lambda lost, m: -m * np.log(noise(lost, m)),
        "That looks like bits. The course counts in nats.": lambda lost, m: -m / 2 * np.log2(noise(lost, m)),
        "A price cannot be negative: log v is below zero, mind the sign.": lambda lost, m: (
            m / 2 * np.log(noise(lost, m))
        ),
        "That is v, the noise of each latent. What does it cost?": noise,
    }
    praise = "one latent asks −½ log of the share."
    return judge_function(
        function,
        lambda lost, m: -m / 2 * np.log(noise(lost, m)),
        [(0.2, 3), (0.07, 5), (0.3, 1)],
        praise=praise,
        mistakes=mistakes,
    )


def check_gaussian_correlation(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``gaussian_tc(covariance)``, the total correlation of a Gaussian, in nats."""

    def alone(c: np.ndarray) -> float:
        return float(np.log(np.diag(c)).sum() / 2)

    def together(c: np.ndarray) -> float:
        return float(np.linalg.slogdet(c)[1] / 2)

    def mean_correlation(c: np.ndarray) -> float:
        correlation = c / np.sqrt(np.outer(np.diag(c), np.diag(c)))
        return float(np.abs(correlation[np.triu_indices(len(c), 1)]).mean())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "The ½ is missing: the entropy of a Gaussian has ½ log of its variance.": lambda c: (
            2 * (alone(c) - together(c))
        ),
        "The sign: taken apart, the latents have *more* entropy than together.": lambda c: together(c) - alone(c),
        "That is only what they have together. Compare it with the sum of what each has alone.": lambda c: -together(c),
        "That is only what each has alone. Compare it with what they have together.": alone,
        "You have taken standard deviations for the variances.": lambda c: alone(c) / 2 - together(c),
        "The ½ is missing before the logarithm of the determinant.": lambda c: alone(c) - 2 * together(c),
        "The ½ is missing before the logarithms of the single variances.": lambda c: 2 * alone(c) - together(c),
        "That is the KL to the prior, which counts the variances too.": lambda c: (
            (np.trace(c) - len(c)) / 2 - together(c)
        ),
        "That is the mean correlation. The total correlation is in nats: it needs a logarithm.": mean_correlation,
        "That looks like bits. The course counts in nats.": lambda c: (alone(c) - together(c)) / np.log(2),
    }
    roots = [[[1.0, 0.3, 0.5], [0, 0.9, -0.4], [0, 0, 0.7]], [[1.6, -0.7], [0, 0.8]]]
    return judge_function(
        function,
        lambda c: alone(c) - together(c),
        [(np.array(root) @ np.transpose(root),) for root in roots],
        praise="zero exactly when all correlations are.",
        mistakes=mistakes,
    )


def check_gap(function: Callable[..., Any]) -> Result:
    """Exercise 6: ``mig_from(information, entropies)`` of a matrix (latents, factors)."""

    def gaps(i: np.ndarray) -> np.ndarray:
        ranked = np.sort(i, axis=0)
        return np.asarray(ranked[-1] - ranked[-2])

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "The gaps are in nats still: divide each by the entropy of its factor.": lambda i, h: gaps(i).mean(),
        "You have set the two best *factors* of each latent apart. Take the two best latents of each factor.": (
            lambda i, h: gaps(i.T).mean()
        ),
        "Divide by the entropy of the factor, not by the log of the number of latents.": (
            lambda i, h: gaps(i).mean() / np.log(len(i))
        ),
        "Divide by the entropy of the factor, not by the log of the number of factors.": (
            lambda i, h: gaps(i).mean() / np.log(len(h))
        ),
        "Divide by the entropy of the factor, not by what the best latent knows.": (
            lambda i, h: np.mean(gaps(i) / i.max(axis=0))
        ),
        "You have subtracted the mean of all latents. Only the *second best* counts.": (
            lambda i, h: np.mean((i.max(axis=0) - i.mean(axis=0)) / h)
        ),
        "You have subtracted the worst latent. Only the *second best* counts.": (
            lambda i, h: np.mean((i.max(axis=0) - i.min(axis=0)) / h)
        ),
        "You have subtracted the best from the second best: mind the sign.": lambda i, h: -np.mean(gaps(i) / h),
        "Divide each gap first, then average: you have divided the sums.": lambda i, h: gaps(i).sum() / h.sum(),
        "You have added up over the factors. MIG is their mean.": lambda i, h: np.sum(gaps(i) / h),
        "That is the gap of each factor. MIG is their mean.": lambda i, h: gaps(i) / h,
        "That is how much the best latents know. A gap subtracts the second best.": (
            lambda i, h: np.mean(i.max(axis=0) / h)
        ),
    }
    cases = [
        (np.array([[1.2, 0.1, 0.4], [0.3, 0.9, 0.2], [0.5, 0.7, 0.6], [0, 0.05, 0.1]]), np.array([2.3, 1.6, 1.1])),
        (np.array([[0.2, 0.85], [1.3, 0.15], [0.45, 0.6]]), np.array([1.9, 1.4])),
    ]
    praise = "best minus second best, as a share."
    return judge_function(function, lambda i, h: np.mean(gaps(i) / h), cases, praise=praise, mistakes=mistakes)


def check_share(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``share_of_beta(scores)`` of an array (betas, seeds), between 0 and 1."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the share of the seeds: what is left when β is known. Take the other one.": (
            lambda s: s.var(axis=1).mean() / s.var()
        ),
        "That is the ratio of the two, not a share of the whole.": lambda s: (
            s.mean(axis=1).var() / s.var(axis=1).mean()
        ),
        "You have averaged along the other axis: over β, and so compared the seeds.": lambda s: (
            s.mean(axis=0).var() / s.var()
        ),
        "Give the share as a number between 0 and 1, not in percent.": lambda s: 100 * s.mean(axis=1).var() / s.var(),
        "Shares add up for variances, not for standard deviations.": lambda s: s.mean(axis=1).std() / s.std(),
        "The second part is the mean of the variances within each β, not the variance along the other axis.": (
            lambda s: s.mean(axis=1).var() / (s.mean(axis=1).var() + s.mean(axis=0).var())
        ),
        "That is the variance of the means alone. Divide by the variance of all scores.": lambda s: s.mean(
            axis=1
        ).var(),
        "Divide by the number of values in both variances (ddof=0); then the two parts add up to the whole.": (
            lambda s: s.mean(axis=1).var(ddof=1) / s.var(ddof=1)
        ),
        "With ddof=1 the two parts are not parts of one whole: divide by the number of values in both (ddof=0).": (
            lambda s: s.mean(axis=1).var(ddof=1) / (s.mean(axis=1).var(ddof=1) + s.var(axis=1, ddof=1).mean())
        ),
    }
    cases = [
        (np.array([[0.10, 0.25, 0.15, 0.3], [0.35, 0.2, 0.5, 0.3], [0.4, 0.55, 0.3, 0.25]]),),
        (np.array([[0.62, 0.11, 0.4], [0.3, 0.05, 0.21]]),),
    ]
    praise = "the rest belongs to the seeds."
    return judge_function(function, lambda s: s.mean(axis=1).var() / s.var(), cases, praise=praise, mistakes=mistakes)


def check_turn_back(function: Callable[..., Any]) -> Result:
    """Exercise 8: ``turn_back(codes, factors)``, the whole degrees from 0 to 89 that make the MIG of codes largest."""
    cases = []
    for seed, angle in ((1, 35), (2, 22)):
        rng, radians = np.random.default_rng(seed), np.deg2rad(angle)
        factors = rng.uniform(-1, 1, (1500, 2))
        rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
        cases.append(((factors + 0.02 * rng.standard_normal(factors.shape)) @ rotation, factors))

    def turned(codes: np.ndarray, factors: np.ndarray) -> float:
        """Return the whole degrees by which the codes were turned, the least-squares solution."""
        sine = np.sum(codes[:, 1] * factors[:, 0] - codes[:, 0] * factors[:, 1])
        return float(np.round(np.degrees(np.arctan2(sine, np.sum(codes * factors)))))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the angle that the codes *were* turned by, and turning on makes it twice as much.": turned,
        "There the MIG is smallest. Take the largest.": lambda codes, factors: 45 - turned(codes, factors),
        "The score after that turn is right, but not in range: a quarter turn only swaps the latents.": (
            lambda codes, factors: -turned(codes, factors)
        ),
        "The score after that turn is right, but not in range: a quarter turn less gives the same.": (
            lambda codes, factors: 180 - turned(codes, factors)
        ),
        "That is the right angle in radians. Return whole degrees.": (
            lambda codes, factors: np.deg2rad(90 - turned(codes, factors))
        ),
        "That is the number of tries, or a score? Return the angle itself.": lambda codes, factors: 90,
    }
    praise = "a quarter turn is 90 = 35 + 55."
    return judge_function(
        function, lambda codes, factors: 90 - turned(codes, factors), cases, praise=praise, mistakes=mistakes
    )


def _batches() -> list[tuple[Any, ...]]:
    """Return two batches of pictures, reconstructions, mu, logvar and β; in the second, logvar is positive."""
    rng = np.random.default_rng(0)
    return [
        (*rng.uniform(0.05, 0.95, (2, 5, 6)), *rng.normal(0, 0.8, (2, 5, 3)), 4.0),
        (*rng.uniform(0.05, 0.95, (2, 3, 7)), rng.normal(0, 0.8, (3, 2)), rng.uniform(0.2, 1.5, (3, 2)), 0.6),
    ]


def _error(x: np.ndarray, p: np.ndarray) -> float:
    return float(_nats(x, p).sum(axis=1).mean())


def _price(mu: np.ndarray, logvar: np.ndarray) -> float:
    return float(_kl(mu, logvar).sum(axis=1).mean())


def _nats(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray(-x * np.log(p) - (1 - x) * np.log(1 - p))


def _kl(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    return np.asarray((mu**2 + np.exp(logvar) - logvar - 1) / 2)
