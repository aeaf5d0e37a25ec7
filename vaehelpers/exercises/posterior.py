"""Lesson 03: Bayes' rule, the evidence, explaining away, the universe, Gibbs, and mean-field."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logsumexp, softmax

from ..inference import COFFEE_MACHINE, SYMPTOMS, binary_states, enumerate_posterior, factorised
from .judge import Result, equal, judge, judge_function, numbers, result

#: The lesson's own tables, computed on import: what a learner does to the arrays of the notebook does not reach them.
STATES = binary_states(10)
LOG_TABLE = COFFEE_MACHINE.log_joint(STATES, np.isin(SYMPTOMS, ["lamp dark", "no coffee", "tastes bitter"]))
POSTERIOR = enumerate_posterior(LOG_TABLE)[0]
PERCENT = "That is a percentage. Give the probability as a number between 0 and 1."
CHANGED = "{} no longer what the lesson computed. Run the cells above again, and then this one."


def check_bayes(answer: Any) -> Result:
    """Lesson 03: p(fuse blown | lamp dark) from 0.05, 0.9 and 0.02; 0.70 is right, and 0.71 is not."""
    blown, fine = 0.05 * 0.9, 0.95 * 0.02
    right = blown / (blown + fine)
    mistakes = {
        PERCENT: 100 * right,
        "That is the joint p(x, z). Bayes' rule divides it by something.": blown,
        "That is p(x), by which the joint has to be divided.": blown + fine,
        "That forgets how rare a blown fuse is: weight both cases by their prior.": 0.9 / (0.9 + 0.02),
        "That is p(x | z): how well the fuse would explain the lamp. Turn it round.": 0.9,
        "That is the prior, as if you had not looked at the lamp.": 0.05,
        "That is the answer for the fuse that is fine.": 1 - right,
        "Those are the odds, blown against fine. Divide by the sum of both.": blown / fine,
    }
    praise = "one dark lamp, and 5 % has become 70 %."
    return judge(answer, right, praise=praise, mistakes=mistakes, tolerance=4.5e-3)


def check_log_evidence(log_evidence: Callable[[Any], Any]) -> Result:
    """Lesson 03: log p(x) from very small log-joints."""
    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        "You added the logs: that is the log of a product. p(x) is a sum, so add the probabilities.": np.sum,
        "exp(-1000) is 0 in the computer. Take the largest value out of the sum first.":
            lambda table: np.log(np.exp(table).sum()),
        "That is the largest term alone. Add the others, measured against it.": np.max,
        "You took the largest value out, and did not put it back.": lambda table: logsumexp(table - table.max()),
        "Put the largest value back with a plus.": lambda table: logsumexp(table - table.max()) - table.max(),
        "Infinite: exp of what is left can be too large for the computer. Take the largest value out.":
            lambda table: np.log(np.exp(table - table.min()).sum()) + table.min(),
        "That is the log of the mean. p(x) is a sum over the states.":
            lambda table: logsumexp(table) - np.log(len(table)),
        "That is p(x). Its logarithm is asked for.": lambda table: np.exp(logsumexp(table)),
        "The sign is turned: the logarithm of a probability is negative.": lambda table: -logsumexp(table),
        "That is in bits. Use the natural logarithm.": lambda table: logsumexp(table) / np.log(2),
        "That is a logarithm to base 10. Use the natural one.": lambda table: logsumexp(table) / np.log(10),
    }  # fmt: skip
    tables = [[-1000.0, -1001.0, -1002.0], [-3.25, -1.5, -2.75, -4.0], [-3000.0, -2.5, -3.25]]
    cases = [(np.array(table),) for table in tables]
    praise = "log p(x), without ever leaving log space."
    return judge_function(log_evidence, logsumexp, cases, praise=praise, mistakes=mistakes)


def check_explaining_away(answer: Any, posterior: ArrayLike, states: ArrayLike) -> Result:
    """Lesson 03: p(limescale | x, stale beans): causes 4 and 8 of the coffee machine."""
    if not (equal(posterior, POSTERIOR) and equal(states, STATES)):
        return result(False, CHANGED.format("`posterior` or `states` is"))
    lime, stale = POSTERIOR @ STATES[:, [4, 8]]
    both, prior = POSTERIOR @ STATES[:, [4, 8]].prod(axis=1), 0.2
    mistakes = {
        PERCENT: 100 * both / stale,
        "That is the probability of both together. Divide: you already know that the beans are stale.": both,
        "That is p(stale beans | x, limescale): the condition is the wrong one of the two.": both / lime,
        "That is limescale before you knew about the beans.": lime,
        "That is limescale when the beans are fresh.": (lime - both) / (1 - stale),
        "That multiplies as if the two causes knew nothing of each other.": lime * stale,
        "That is the prior. You have seen the symptoms x, and tasted the beans.": prior,
    }
    percent = [f"{100 * value:.3g} %" for value in (lime, both / stale, prior)]
    praise = "stale beans explain the taste: limescale falls from {} to {}, far below its prior of {}.".format(*percent)
    return judge(answer, both / stale, praise=praise, mistakes=mistakes, tolerance=4e-3)


def check_universe_ages(answer: Any) -> Result:
    """Lesson 03: the power of ten of the universe ages for 400 unknowns; 10.8 and 11 are right."""
    mistakes = {
        "That is the power of two. The question asks for the power of ten.": 400 - 364,
        "That is a natural logarithm. The question asks for the power of ten.": 36 * np.log(2),
        "That is the number of states. The machine visits 2^364 of them in one age of the universe.": 400 * np.log10(2),
        "Upside down: you divided what is visited by what is to be visited.": -36 * np.log10(2),
        "Multiplying by 10 is not multiplying by 2: convert with log10(2).": 36 * np.log2(10),
        "That is the number of ages itself. Give its power of ten.": 2.0**36,
    }
    praise = "from 1000 unknowns down to 400, and still 10^11 ages of the universe."
    return judge(answer, 36 * np.log10(2), praise=praise, mistakes=mistakes, tolerance=1.6e-2)


def check_gibbs(gibbs_probability: Callable[[float, float], Any]) -> Result:
    """Lesson 03: the probability that Gibbs sampling switches a cause on."""
    mistakes: dict[str, Callable[[float, float], ArrayLike]] = {
        "Right for likely states, but exp(-1000) is 0 in the computer. Use the difference of the logs.":
            lambda off, on: np.exp(on) / (np.exp(on) + np.exp(off)),
        "That is the rule of Metropolis, min(1, ratio). Gibbs compares with both states together.":
            lambda off, on: min(1, np.exp(on - off)),
        "That is the ratio of the two. Divide by the sum of both, not by the other one.":
            lambda off, on: np.exp(on - off),
        "That is the probability that the cause is off.": lambda off, on: expit(off - on),
        "That is the log-odds. Turn it into a probability.": lambda off, on: on - off,
        "You divided the logarithms. To divide probabilities, subtract their logarithms.":
            lambda off, on: on / (on + off),
        "That is the logarithm of the probability.": lambda off, on: np.log(expit(on - off)),
    }  # fmt: skip
    cases, praise = [(-4.1, -3.4), (-1000.0, -1001.3)], "p(on) / (p(on) + p(off)), in log space."
    return judge_function(gibbs_probability, lambda off, on: expit(on - off), cases, praise=praise, mistakes=mistakes)


def check_mean_field_update(mean_field_update: Callable[[Any, Any], Any]) -> Result:
    """Lesson 03: the factor q(z₁) while q(z₂) is frozen, for two causes."""
    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "Not normalised: the two numbers have to sum to 1.": lambda table, q2: np.exp(table @ q2),
        "These are still logarithms.": lambda table, q2: table @ q2,
        "Log-probabilities, normalised: now leave log space.": lambda table, q2: table @ q2 - logsumexp(table @ q2),
        "You divided the logarithms by their sum. Exponentiate first, then normalise.":
            lambda table, q2: table @ q2 / (table @ q2).sum(),
        "You averaged p(x, z). The rule averages log p(x, z), and exponentiates after that.":
            lambda table, q2: np.exp(table) @ q2 / (np.exp(table) @ q2).sum(),
        "You averaged over the first cause. Average over the one that is frozen.":
            lambda table, q2: softmax(q2 @ table),
        "The two weights are exchanged: q2[0] belongs to column 0.": lambda table, q2: softmax(table @ q2[::-1]),
        "That is the exact p(z₁ | x): nothing of the frozen factor is in it.":
            lambda table, q2: softmax(table).sum(axis=1),
        "You summed the logs over z₂ without the weights q(z₂).": lambda table, q2: softmax(table.sum(axis=1)),
        "The two results are exchanged: first the probability of z₁ = 0.": lambda table, q2: softmax(table @ q2)[::-1],
    }  # fmt: skip
    cases = [
        (np.log([[0.02, 0.20], [0.30, 0.05]]), np.array([0.3, 0.7])),
        (np.log([[0.12, 0.33], [0.07, 0.18]]), np.array([0.85, 0.15])),
    ]
    praise = "one update of mean-field; all of it is this step, again and again."
    return judge_function(
        mean_field_update, lambda table, q2: softmax(table @ q2), cases, praise=praise, mistakes=mistakes
    )


def check_variances(mean_field_variances: Callable[[Any], Any]) -> Result:
    """Lesson 03: the variances of mean-field on a Gaussian."""

    def right(covariance: NDArray) -> NDArray:
        return 1 / np.diag(np.linalg.inv(covariance))

    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        "These are the true marginal variances. Mean-field does not find them: it sees how narrow the target is with "
        "the other directions frozen.": np.diag,
        "That is the diagonal of the precision matrix: one step is left.": lambda covariance: 1 / right(covariance),
        "You inverted each variance by itself. Invert the whole matrix, then take the diagonal.":
            lambda covariance: 1 / np.diag(covariance),
        "These are standard deviations. Variances are asked for.": lambda covariance: np.sqrt(right(covariance)),
    }  # fmt: skip
    cases = [
        (np.array([[2.0, 0.9, 0.3], [0.9, 1.0, -0.2], [0.3, -0.2, 0.5]]),),
        (np.array([[1.5, -0.4, 0.2], [-0.4, 0.8, 0.3], [0.2, 0.3, 2.2]]),),
    ]
    praise = "1 / Λᵢᵢ, and each is smaller than the true variance."
    return judge_function(mean_field_variances, right, cases, praise=praise, mistakes=mistakes)


def check_pair(answer: Any, log_joint: ArrayLike, states: ArrayLike, q: ArrayLike) -> Result:
    """Lesson 03: the joint factor of the first two causes while the other factors are frozen."""
    frozen = numbers(q)
    if not (equal(log_joint, LOG_TABLE) and equal(states, STATES)):
        return result(False, CHANGED.format("`log_table` or `states` is"))
    if frozen is None or frozen.shape != (10,) or not ((frozen >= 0) & (frozen <= 1)).all():
        return result(False, CHANGED.format("`frozen` should hold ten probabilities; it is"))
    pairs = [[[a, b, *frozen[2:]] for b in (0, 1)] for a in (0, 1)]
    means = np.array([[factorised(pair, STATES) @ LOG_TABLE for pair in row] for row in pairs])
    exact = POSTERIOR.reshape(-1, 2, 2).sum(axis=0).T  # cause 0 changes fastest
    mistakes = {
        "Not normalised: the four numbers have to sum to 1.": np.exp(means),
        "These are still logarithms.": means,
        "Each row sums to 1. The whole table should: normalise over all four.": softmax(means, axis=1),
        "Each column sums to 1. The whole table should: normalise over all four.": softmax(means, axis=0),
        "That is the exact posterior of the pair. Use the frozen factors of the other causes.": exact,
        "That is the product of the two old factors. Let the pair be one factor of four numbers.":
            np.outer([1 - frozen[0], frozen[0]], [1 - frozen[1], frozen[1]]),
        "The table lies on its side: row a is the plug (cause 0), column b the fuse (cause 1).": softmax(means).T,
    }  # fmt: skip
    praise = "the pair now knows that one of the two is enough."
    return judge(answer, softmax(means), praise=praise, mistakes=mistakes, tolerance=1e-4)
