"""Lesson 03: Bayes' rule, the evidence, explaining away, the universe, Gibbs, and mean-field."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax

from .judge import attempt, judge, shape_of


def check_bayes(answer: float) -> None:
    """Lesson 03: p(fuse blown | lamp dark) from 0.05, 0.9 and 0.02."""
    mistakes = {
        "That is the joint p(x, z). Bayes' rule divides it by something.": 0.05 * 0.9,
        "That is p(x), by which the joint has to be divided.": 0.05 * 0.9 + 0.95 * 0.02,
        "That forgets how rare a blown fuse is: weigh both cases by their prior.": 0.9 / (0.9 + 0.02),
        "That is p(x | z): how well the fuse would explain the lamp. Turn it round.": 0.9,
        "That is the prior, as if you had not looked at the lamp.": 0.05,
        "That is the answer for the fuse that is fine.": 0.95 * 0.02 / (0.05 * 0.9 + 0.95 * 0.02),
    }
    judge(answer, 0.05 * 0.9 / (0.05 * 0.9 + 0.95 * 0.02), praise="one dark lamp, and 5 % has become 70 %.",
          mistakes=mistakes, tolerance=1e-3)  # fmt: skip


def check_log_evidence(log_evidence: Callable[[Any], Any]) -> None:
    """Lesson 03: log p(x) from very small log-joints."""
    table = np.array([-1000.0, -1001.0, -1002.0])
    right = logsumexp(table)
    with np.errstate(all="ignore"):
        answer = attempt(log_evidence, table)
    mistakes = {
        "You added the logs: that is the log of a product. p(x) is a sum, so add the probabilities.": table.sum(),
        "exp(-1000) is 0 in the computer. Take the largest value out of the sum first.": -np.inf,
        "That is the largest term alone. Add the others, measured against it.": -1000.0,
        "You took the largest value out, and did not put it back.": right + 1000,
        "That is the log of the mean. p(x) is a sum over the states.": right - np.log(3),
        "That is in bits. Use the natural logarithm.": right / np.log(2),
        "That is a logarithm to base 10. Use the natural one.": right / np.log(10),
    }
    judge(answer, right, praise="log p(x), without ever leaving log space.", mistakes=mistakes)


def check_explaining_away(answer: float, posterior: ArrayLike, states: ArrayLike) -> None:
    """Lesson 03: p(limescale | x, stale beans): causes 4 and 8 of the coffee machine."""
    p, z = np.asarray(posterior, float), np.asarray(states)
    both = p[(z[:, 4] == 1) & (z[:, 8] == 1)].sum()
    lime, stale = p[z[:, 4] == 1].sum(), p[z[:, 8] == 1].sum()
    mistakes = {
        "That is the probability of both together. Divide: you already know that the beans are stale.": both,
        "That is p(stale beans | x, limescale): the condition is the wrong one of the two.": both / lime,
        "That is limescale before you knew about the beans.": lime,
        "That is limescale when the beans are fresh.": (lime - both) / (1 - stale),
        "That multiplies as if the two causes knew nothing of each other.": lime * stale,
    }
    judge(answer, both / stale, praise="stale beans explain the taste, and limescale is back near its prior.",
          mistakes=mistakes, tolerance=1e-4)  # fmt: skip


def check_universe_ages(answer: float) -> None:
    """Lesson 03: the power of ten of the universe ages for 400 unknowns."""
    mistakes = {
        "That is the power of two. The question asks for the power of ten.": 400 - 364,
        "That is a natural logarithm. The question asks for the power of ten.": 36 * np.log(2),
        "That is the number of states. The machine visits 2^364 of them in one age of the universe.": 400 * np.log10(2),
        "Upside down: you divided what is visited by what is to be visited.": -36 * np.log10(2),
        "Multiplying by 10 is not multiplying by 2: convert with log10(2).": 36 * np.log2(10),
    }
    judge(answer, 36 * np.log10(2), praise="from 1000 unknowns down to 400, and still 10^11 ages of the universe.",
          mistakes=mistakes, tolerance=2e-3)  # fmt: skip


def check_gibbs(gibbs_probability: Callable[[float, float], Any]) -> None:
    """Lesson 03: the probability that Gibbs sampling switches a cause on."""
    with np.errstate(all="ignore"):
        answer = attempt(lambda: [gibbs_probability(-4.0, -3.0), gibbs_probability(-1000.0, -1001.0)])
    if isinstance(answer, list):
        if any(a is None or a is ... for a in answer):
            answer = ...
        elif shape_of(answer) == (2,) and np.isnan(np.asarray(answer, float)[1]):
            return print(
                "Right for likely states, but exp(-1000) is 0 in the computer. Use the difference of the logs."
            )
    on, metropolis = 1 / (1 + np.exp([-1.0, 1.0])), np.exp([0.0, -1.0])
    mistakes: dict[str, ArrayLike] = {
        "That is the rule of Metropolis, min(1, ratio). Gibbs compares with both states together.": metropolis,
        "That is the ratio of the two. Divide by the sum of both, not by the other one.": np.exp([1.0, -1.0]),
        "That is the probability that the cause is off.": 1 - on,
        "That is the log-odds. Turn it into a probability.": [1.0, -1.0],
    }
    judge(answer, on, praise="p(on) / (p(on) + p(off)), in log space.", mistakes=mistakes)


def check_mean_field_update(mean_field_update: Callable[[Any, Any], Any]) -> None:
    """Lesson 03: the factor q(z₁) while q(z₂) is frozen, for two causes."""
    log_joint, q2 = np.log([[0.02, 0.20], [0.30, 0.05]]), np.array([0.3, 0.7])
    answer = attempt(mean_field_update, log_joint, q2)
    mean_log, joint = log_joint @ q2, np.exp(log_joint)
    mean = joint @ q2
    mistakes = {
        "Not normalised: the two numbers have to sum to 1.": np.exp(mean_log),
        "These are still logarithms.": mean_log,
        "Log-probabilities, normalised: now leave log space.": mean_log - logsumexp(mean_log),
        "You averaged p(x, z). The rule averages log p(x, z), and exponentiates after that.": mean / mean.sum(),
        "You averaged over the first cause. Average over the one that is frozen.": softmax(q2 @ log_joint),
        "That is the exact p(z₁ | x): nothing of the frozen factor is in it.": joint.sum(axis=1) / joint.sum(),
        "You summed the logs over z₂ without the weights q(z₂).": softmax(log_joint.sum(axis=1)),
    }  # fmt: skip
    judge(answer, softmax(mean_log), praise="one update of mean-field; all of it is this step, again and again.",
          mistakes=mistakes)  # fmt: skip


def check_variances(mean_field_variances: Callable[[Any], Any]) -> None:
    """Lesson 03: the variances of mean-field on a Gaussian."""
    covariance = np.array([[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 0.5]])
    answer, precision = attempt(mean_field_variances, covariance), np.linalg.inv(covariance)
    right, marginal = 1 / np.diag(precision), np.diag(covariance)
    mistakes = {
        "These are the true marginal variances. Mean-field does not find them: it sees how narrow the target is with "
        "the other directions frozen.": marginal,
        "That is the diagonal of the precision matrix: one step is left.": 1 / right,
        "You inverted each variance by itself. Invert the whole matrix, then take the diagonal.": 1 / marginal,
        "These are standard deviations. Variances are asked for.": np.sqrt(right),
    }
    judge(answer, right, praise="1 / Λᵢᵢ, and each is smaller than the true variance.", mistakes=mistakes)


def check_pair(answer: ArrayLike, log_joint: ArrayLike, states: ArrayLike, q: ArrayLike) -> None:
    """Lesson 03: the joint factor of the first two causes while the other factors are frozen."""
    table, z, on = np.asarray(log_joint, float), np.asarray(states), np.asarray(q, float)
    weights = np.where(z[:, 2:], on[2:], 1 - on[2:]).prod(axis=1)
    cells = [[(z[:, 0] == a) & (z[:, 1] == b) for b in (0, 1)] for a in (0, 1)]
    means = np.array([[weights[c] @ table[c] for c in row] for row in cells])
    exact = np.array([[np.exp(table[c] - logsumexp(table)).sum() for c in row] for row in cells])
    mistakes = {
        "Not normalised: the four numbers have to sum to 1.": np.exp(means),
        "These are still logarithms.": means,
        "That is the exact posterior of the pair. Use the frozen factors of the other causes.": exact,
        "That is the product of the two old factors. Let the pair be one factor of four numbers.":
            np.outer([1 - on[0], on[0]], [1 - on[1], on[1]]),
        "The table lies on its side: row a is the plug (cause 0), column b the fuse (cause 1).": softmax(means).T,
    }  # fmt: skip
    judge(answer, softmax(means), praise="the pair now knows that one of the two is enough.", mistakes=mistakes)
