"""Lesson 03: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
import pytest
from checks import exercises
from scipy.special import expit, logsumexp, softmax

from vaehelpers.inference import binary_states, enumerate_posterior, factorised, posterior_marginals
from vaehelpers.lessons import lesson03

X = [1, 1, 0, 0, 0, 1, 0, 0]
STATES = binary_states(10)
LOG_JOINT = lesson03.COFFEE_MACHINE.log_joint(STATES, X)
POSTERIOR = enumerate_posterior(LOG_JOINT)[0]
BOTH = POSTERIOR @ (STATES[:, 4] * STATES[:, 8])
LIME, STALE = posterior_marginals(lesson03.COFFEE_MACHINE, X)[[4, 8]]
Q = np.linspace(0.1, 0.9, 10)
BLOWN, AGES = 0.045 / 0.064, 36 * math.log10(2)


def evidence_in_place(table):
    largest = table.max()
    table -= largest
    np.exp(table, out=table)
    return largest + np.log(table.sum(keepdims=True))


def update_in_a_loop(table, q2):
    weights = [math.exp(sum(a * b for a, b in zip(row, q2, strict=True))) for row in table]
    return tuple(weight / sum(weights) for weight in weights)


def update_in_place(table, q2):
    table *= q2
    on = np.exp(table.sum(axis=1, keepdims=True))
    on /= on.sum()
    return on


def conditional_variances(covariance):
    """Σᵢᵢ − Σᵢⱼ Σⱼⱼ⁻¹ Σⱼᵢ, each direction with the others known."""
    found = []
    for i in range(len(covariance)):
        others = np.delete(np.arange(len(covariance)), i)
        known = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, i])
        found.append(covariance[i, i] - covariance[i, others] @ known)
    return found


def means(q=Q, table=LOG_JOINT):
    return np.array([[factorised([a, b, *q[2:]], STATES) @ table for b in (0, 1)] for a in (0, 1)])


RIGHT = {
    "bayes": [BLOWN, 0.7031, 0.703, 0.7, 0.70, [0.70], Fraction(45, 64), 1 / (1 + 0.95 * 0.02 / 0.045)],
    "log_evidence": [
        logsumexp,
        evidence_in_place,
        np.logaddexp.reduce,
        lambda table: max(table) + math.log(sum(math.exp(a - max(table)) for a in table)),
        lambda table: max(table) - np.log(max(softmax(table))),
    ],
    "explaining_away": [BOTH / STALE, 0.039, 0.0390, [BOTH / STALE], np.float16(0.039)],
    "universe_ages": [AGES, 10.84, 10.8, 11, math.log10(2**36), [10.8], Fraction("10.837")],
    "gibbs": [
        lambda off, on: expit(on - off),
        lambda off, on: 1 / (1 + math.exp(off - on)),
        lambda off, on: softmax([off, on])[1],
        lambda off, on: [np.exp(on - np.logaddexp(on, off))],
        lambda off, on: (1 + np.tanh((on - off) / 2)) / 2,
    ],
    "mean_field_update": [
        lambda table, q2: softmax(table @ q2),
        update_in_a_loop,
        update_in_place,
        lambda table, q2: [expit(table[0] @ q2 - table[1] @ q2), expit(table[1] @ q2 - table[0] @ q2)],
        lambda table, q2: softmax(np.average(table, axis=1, weights=q2)),
    ],
    "variances": [
        lambda c: 1 / np.diag(np.linalg.inv(c)),
        conditional_variances,
        lambda c: np.diag(np.linalg.pinv(c)) ** -1.0,
        lambda c: [np.linalg.det(c) / np.linalg.det(np.delete(np.delete(c, i, 0), i, 1)) for i in range(len(c))],
    ],
    "pair": [softmax(means()), softmax(means()).tolist(), np.exp(means() - logsumexp(means())).astype(np.float32)],
}

WRONG = {
    "bayes": [
        (70, "as a number between 0 and 1"),
        (70.31, "as a number between 0 and 1"),
        (0.045, "joint"),
        (0.064, "That is p(x)"),
        (0.9 / 0.92, "how rare"),
        (0.9, "p(x | z)"),
        (0.05, "prior"),
        (0.3, "Not yet"),
        (0.297, "that is fine"),
        (0.045 / 0.019, "odds"),
        (0.71, "Not yet"),
    ],
    "log_evidence": [
        (lambda t: t.sum(), "added the logs"),
        (lambda t: np.log(np.exp(t).sum()), "exp(-1000) is 0"),
        (max, "largest term alone"),
        (lambda t: np.log(np.exp(t - t.max()).sum()), "put it back"),
        (lambda t: np.log(np.exp(t - t.max()).sum()) - t.max(), "with a plus"),
        (lambda t: np.log(np.exp(t - t.min()).sum()) + t.min(), "Take the largest value out"),
        (lambda t: np.log(np.exp(t - t.mean()).sum()) + t.mean(), "Take the largest value out"),
        (lambda t: logsumexp(t) - np.log(len(t)), "log of the mean"),
        (lambda t: np.exp(logsumexp(t)), "That is p(x)"),
        (lambda t: -logsumexp(t), "sign is turned"),
        (lambda t: logsumexp(t) / np.log(2), "bits"),
        (lambda t: logsumexp(t) / np.log(10), "base 10"),
        (lambda t: t - t.max(), "Need one number"),
        (lambda t: logsumexp([-1000, -1001, -1002]), "Not yet"),
    ],
    "explaining_away": [
        (100 * BOTH / STALE, "as a number between 0 and 1"),
        (3.9, "as a number between 0 and 1"),
        (BOTH, "both together"),
        (BOTH / LIME, "wrong one of the two"),
        (LIME, "before you knew"),
        ((LIME - BOTH) / (1 - STALE), "beans are fresh"),
        (LIME * STALE, "knew nothing of each other"),
        (0.2, "the prior"),
        (1 - BOTH / STALE, "Not yet"),
    ],
    "universe_ages": [
        (36, "power of two"),
        (36 * np.log(2), "natural logarithm"),
        (120.4, "number of states"),
        (-10.84, "Upside down"),
        (119.6, "log10(2)"),
        (2**36, "number of ages itself"),
        (10, "Not yet"),
        (12, "Not yet"),
    ],
    "gibbs": [
        (lambda off, on: np.exp(on) / (np.exp(on) + np.exp(off)), "difference of the logs"),
        (lambda off, on: min(1, np.exp(on - off)), "rule of Metropolis"),
        (lambda off, on: np.exp(on - off), "the ratio of the two"),
        (lambda off, on: expit(off - on), "is off"),
        (lambda off, on: on - off, "log-odds"),
        (lambda off, on: on / (on + off), "divided the logarithms"),
        (lambda off, on: -np.log1p(np.exp(off - on)), "logarithm of the probability"),
        (lambda off, on: 1 / (1 + 2 ** (off - on)), "Not yet"),
        (lambda off, on: math.exp(on) / (math.exp(on) + math.exp(off)), "stopped with ZeroDivisionError"),
        (lambda off, on: expit(0.7), "Not yet"),
    ],
    "mean_field_update": [
        (lambda t, q: np.exp(t @ q), "Not normalised"),
        (lambda t, q: t @ q, "still logarithms"),
        (lambda t, q: t @ q - logsumexp(t @ q), "leave log space"),
        (lambda t, q: t @ q / (t @ q).sum(), "Exponentiate first"),
        (lambda t, q: np.exp(t) @ q / (np.exp(t) @ q).sum(), "averaged p(x, z)"),
        (lambda t, q: softmax(q @ t), "first cause"),
        (lambda t, q: softmax(t @ q[::-1]), "weights are exchanged"),
        (lambda t, q: softmax(t, axis=None).sum(axis=1), "exact"),
        (lambda t, q: softmax(t.sum(axis=1)), "without the weights"),
        (lambda t, q: softmax(t @ q)[::-1], "results are exchanged"),
        (lambda t, q: softmax(t @ q)[1], "shape (2,)"),
        (lambda t, q: np.ones(2) / 2, "Not yet"),
    ],
    "variances": [
        (np.diag, "true marginal variances"),
        (lambda c: np.diag(np.linalg.inv(c)), "one step is left"),
        (lambda c: 1 / np.diag(c), "each variance by itself"),
        (lambda c: np.diag(np.linalg.inv(c)) ** -0.5, "standard deviations"),
        (np.linalg.inv, "shape (3,)"),
        (np.linalg.eigvalsh, "Not yet"),
        (lambda c: 1 / np.diag(1 / c), "true marginal variances"),
    ],
    "pair": [
        (np.exp(means()), "Not normalised"),
        (means(), "still logarithms"),
        (softmax(means(), axis=1), "Each row sums to 1"),
        (softmax(means(), axis=0), "Each column sums to 1"),
        (POSTERIOR.reshape(-1, 2, 2).sum(0).T, "exact posterior"),
        (np.outer([1 - Q[0], Q[0]], [1 - Q[1], Q[1]]), "two old factors"),
        (softmax(means()).T, "on its side"),
        (softmax(means(q=1 - Q)), "Not yet"),
        (softmax(means()).ravel(), "shape (2, 2)"),
    ],
}

#: What a check takes beside the answer.
MORE = {"explaining_away": (POSTERIOR, STATES), "pair": (LOG_JOINT, STATES, Q)}
CHECKS = {
    "explaining_away": lambda answer: lesson03.check_explaining_away(answer, *MORE["explaining_away"]),
    "pair": lambda answer: lesson03.check_pair(answer, *MORE["pair"]),
}


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("argument", [0, 1])
def test_arrays_that_were_changed_in_the_notebook_are_named(name, argument):
    given = [array.copy() for array in MORE[name]]
    given[argument] -= given[argument]
    check = getattr(exercises, f"check_{name}")
    for answer in (RIGHT[name][0], 0, np.full((2, 2), 0.25), given[0].sum()):
        result = check(answer, *given)
        assert not result.ok and "no longer what the lesson computed" in result.hint
    assert check(RIGHT[name][0], *MORE[name]).ok


def test_a_pair_without_its_frozen_factors_is_told():
    for q in (Q[:9], 2 * Q, "a", None, Q * np.nan):
        assert "ten probabilities" in lesson03.check_pair(RIGHT["pair"][0], LOG_JOINT, STATES, q).hint
