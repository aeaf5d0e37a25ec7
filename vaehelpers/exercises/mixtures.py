"""Lesson 04: a responsibility, a log-density, both halves of the M step, log space, BIC, and two coins."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from scipy.stats import norm

from .judge import attempt, judge, shape_of

HEADS, TOSSES, CHANCES = np.array([5, 9, 8, 4, 7]), 10, np.array([0.6, 0.5])


def check_responsibility(resp: Any) -> None:
    """Lesson 04: the responsibility of the long kind for an eruption of three minutes."""
    short, long = 0.36 * 0.05, 0.64 * 0.10
    mistakes = {
        "You compared the densities alone. How common is each kind, before anything is seen?": 0.10 / 0.15,
        "That is the responsibility of the short kind.": short / (short + long),
        "That is the joint, weight times density. Divide, so that the two kinds add up to 1.": long,
        "That is the density of the eruption under the whole mixture. It belongs below the line.": short + long,
        "That is the weight, the belief before you have seen the eruption.": 0.64,
        "That is a ratio of the two, the odds. A responsibility is a share of the whole.": long / short,
    }
    judge(
        resp, long / (short + long), praise="Bayes' rule, with the weights as prior.", mistakes=mistakes, tolerance=5e-4
    )


def check_log_density(value: Any) -> None:
    """Lesson 04: the log-density of 60 minutes under a Gaussian of mean 55 and standard deviation 6."""
    right = norm.logpdf(60, 55, 6)
    quadratic, constant = 0.5 * 25 / 36, 0.5 * np.log(2 * np.pi * 36)
    mistakes = {
        "That is the density. Its logarithm is asked for.": np.exp(right),
        "You put the standard deviation where the variance belongs. Square it first.": norm.logpdf(60, 55, np.sqrt(6)),
        "A factor ½ is missing before the square.": -2 * quadratic - constant,
        "A factor ½ is missing before log 2πσ². (Or write log of its root.)": -quadratic - 2 * constant,
        "The term with 2π is missing. It is the same for all components, and still part of a density.": -quadratic
        - np.log(6),
        "The square has the wrong sign: a point far from the mean must be less probable.": quadratic - constant,
        "That is the surprisal, the negative of the log-density.": -right,
        "You stopped after the square. A wide Gaussian is also a low one: what makes it integrate to 1?": -quadratic,
        "That is a logarithm to base 10. Use the natural one.": right / np.log(10),
        "That is a logarithm to base 2. Use the natural one.": right / np.log(2),
    }
    judge(value, right, praise="one Gaussian, and its logarithm is a parabola.", mistakes=mistakes, tolerance=1e-4)


def check_new_means(new_means: Callable[[Any, Any], Any]) -> None:
    """Lesson 04: the M step of the means (k, d) from rows (n, d) and responsibilities (n, k)."""
    x, resp = _shares()
    right = np.stack([np.average(x, axis=0, weights=r) for r in resp.T])
    hard = np.eye(3)[resp.argmax(axis=1)]
    mistakes = {
        "You divided by N, the number of points. Each component has its own share of the points: N_k.": resp.T
        @ x
        / len(x),
        "Nothing divides these sums; or you normalised the wrong axis, along which they add up to 1 already.": resp.T
        @ x,
        "Every component got the mean of all points. Where did the responsibilities go?": np.tile(x.mean(0), (3, 1)),
        "Those are the means of k-means: each point went to one component whole.": hard.T @ x / hard.sum(0)[:, None],
    }
    praise = "a weighted average, with N_k below the line."
    judge(attempt(new_means, x, resp), right, praise=praise, mistakes=mistakes)


def check_new_sds(new_sds: Callable[[Any, Any, Any], Any]) -> None:
    """Lesson 04: the M step of the standard deviations (k,) of one-dimensional components."""
    rows, resp = _shares()
    x, counts = rows[:, 0], resp.sum(axis=0)
    means = resp.T @ x / counts
    squares = (resp * (x[:, None] - means) ** 2).sum(axis=0)
    right = np.sqrt(squares / counts)
    mistakes = {
        "Those are the variances. The standard deviation is one root away.": right**2,
        "You divided by N. Each component has its own count, N_k.": np.sqrt(squares / len(x)),
        "Those are the variances, and with N below the line in place of N_k.": squares / len(x),
        "You measured from the mean of all points. Each component has a mean of its own.": np.sqrt(
            (resp * (x[:, None] - x.mean()) ** 2).sum(axis=0) / counts
        ),
        "The responsibilities are missing from the sum: every point counted in full.": np.sqrt(
            ((x[:, None] - means) ** 2).mean(axis=0)
        ),
        "That is E|x − μ|, the mean distance. Square first, then take the root of the mean.": (
            resp * abs(x[:, None] - means)
        ).sum(axis=0)
        / counts,
    }
    judge(attempt(new_sds, x, resp, means), right, praise="that is the M step of a width.", mistakes=mistakes)


def check_log_responsibilities(function: Callable[[Any], Any]) -> None:
    """Lesson 04: log-responsibilities (n, k) where the densities themselves are too small for a float."""
    log_joint = np.array([[-1000.0, -1001.0], [-3.0, -1.0], [-2000.0, -1990.0]])
    right = log_joint - logsumexp(log_joint, axis=1, keepdims=True)
    with np.errstate(all="ignore"):
        answer = attempt(function, log_joint)
    if shape_of(answer) == right.shape and not np.isfinite(np.asarray(answer, float)).all():
        return print(
            "exp(−1000) is 0 for a computer, and the log of 0 is not finite. Never leave log space: logsumexp."
        )
    mistakes = {
        "Those are the responsibilities. Their logarithms are asked for.": np.exp(right),
        "Normalised over the wrong axis: each row, not each column, must add up to 1.": log_joint
        - logsumexp(log_joint, axis=0),
        "You divided by the sum over the whole table. Every row has a total of its own.": log_joint
        - logsumexp(log_joint),
        "You divided the logarithms. To divide numbers, subtract their logarithms.": log_joint
        / logsumexp(log_joint, axis=1, keepdims=True),
        "You subtracted the largest only. That avoids the zeros, and the rows do not add up to 1 yet.": log_joint
        - log_joint.max(axis=1, keepdims=True),
    }
    judge(answer, right, praise="no density was ever computed.", mistakes=mistakes)


def check_bic(bic: Callable[[float, int, int, int], Any]) -> None:
    """Lesson 04: the BIC of a mixture of k Gaussians in d dimensions with full covariances; low is good."""
    cases = [(-385.0, 2, 2, 272), (-1333.0, 3, 2, 400), (-900.0, 4, 5, 100)]
    log_l, k, d, n = np.array(cases, float).T
    free = k - 1 + k * d + k * d * (d + 1) / 2

    def score(parameters: ArrayLike) -> np.ndarray:
        return -2 * log_l + np.asarray(parameters) * np.log(n)

    mistakes = {
        "You counted K weights. They add up to 1: how many of them are free?": score(free + 1),
        "You counted d² numbers for a covariance. It is symmetric.": score(k - 1 + k * d + k * d**2),
        "You counted d numbers for a covariance. These ellipses can tilt.": score(k - 1 + 2 * k * d),
        "The penalty has the wrong sign: it must raise the score.": -2 * log_l - free * np.log(n),
        "The fit has the wrong sign: a higher likelihood must make the score lower.": 2 * log_l + free * np.log(n),
        "That is AIC. The price of a parameter grows with the data here: log n in place of 2.": -2 * log_l + 2 * free,
        "The factor 2 before the log-likelihood is missing.": -log_l + free * np.log(n),
        "A parameter costs log n here, and you charged n.": -2 * log_l + free * n,
    }
    answer = attempt(lambda: [bic(log, int(a), int(b), int(c)) for log, a, b, c in cases])
    if isinstance(answer, list) and any(value is None or value is ... for value in answer):
        answer = ...
    judge(answer, score(free), praise="fit against price.", mistakes=mistakes)


def check_coins(coin_round: Callable[[Any, int, Any], Any]) -> None:
    """Lesson 04: one round of EM for two coins of unknown chances; Do & Batzoglou (2008), figure 1."""
    heads_alone = CHANCES ** HEADS[:, None]
    like = heads_alone * (1 - CHANCES) ** (TOSSES - HEADS[:, None])
    resp = like / like.sum(axis=1, keepdims=True)

    def chances(shares: np.ndarray) -> np.ndarray:
        return shares.T @ HEADS / (TOSSES * shares.sum(axis=0))

    right, whole = chances(resp), np.eye(2)[resp.argmax(axis=1)]
    no_tails = chances(heads_alone / heads_alone.sum(axis=1, keepdims=True))
    over_sets = chances(like / like.sum(axis=0))
    mistakes = {
        "Each set of tosses went to one coin whole. That is k-means; share the sets out.": chances(whole),
        "You divided by all tosses. Each coin has its own share of them.": resp.T @ HEADS / (TOSSES * len(HEADS)),
        "Those are expected heads. Divide by the expected tosses of each coin.": resp.T @ HEADS,
        "You counted the heads in the likelihood, and forgot the tails.": no_tails,
        "The two coins are swapped.": right[::-1],
        "Both coins came out the same. Let the chances decide who is responsible.": chances(np.ones((5, 2))),
        "You normalised over the sets. Of each set, the two coins' shares add up to 1.": over_sets,
    }
    answer = attempt(coin_round, HEADS, TOSSES, CHANCES.copy())
    judge(answer, right, praise="EM for a model of your own.", mistakes=mistakes)


def _shares() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    return rng.normal(3, 2, size=(12, 2)), rng.dirichlet(np.ones(3), size=12)
