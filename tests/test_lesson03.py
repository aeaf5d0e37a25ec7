"""Lesson 03: right and wrong answers to its exercises, for test_judge.py."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

from vaehelpers.inference import binary_states, factorised
from vaehelpers.lessons import lesson03

STATES = binary_states(10)
LOG_JOINT = lesson03.COFFEE_MACHINE.log_joint(STATES, [1, 1, 0, 0, 0, 1, 0, 0])
POSTERIOR = np.exp(LOG_JOINT - logsumexp(LOG_JOINT))
LIME, STALE = (POSTERIOR @ STATES)[[4, 8]]
BOTH = POSTERIOR @ (STATES[:, 4] * STATES[:, 8])
FROZEN = np.linspace(0.1, 0.9, 10)
CAT = 0.03 / 0.1068
#: What a check takes beside the answer.
MORE = {"explaining_away": (POSTERIOR, STATES), "pair": (LOG_JOINT, STATES, FROZEN)}
CHECKS = {
    "explaining_away": lambda answer: lesson03.check_explaining_away(answer, *MORE["explaining_away"]),
    "pair": lambda answer: lesson03.check_pair(answer, *MORE["pair"]),
}


def conditional_variances(covariance):
    """Return the variance of each direction when the others are known, as a ratio of determinants."""
    others = [np.delete(np.delete(covariance, i, axis=0), i, axis=1) for i in range(len(covariance))]
    return np.linalg.det(covariance) / np.linalg.det(others)


def means(q=FROZEN):
    return np.array([[factorised([a, b, *q[2:]], STATES) @ LOG_JOINT for b in (0, 1)] for a in (0, 1)])


RIGHT = {
    "bayes": [CAT, 0.28],
    "log_evidence": [np.logaddexp.reduce],
    "explaining_away": [BOTH / STALE, 0.039],
    "evidence_estimate": [lambda w: logsumexp(w, b=1 / len(w))],
    "effective_size": [lambda rho, n: n / np.sum([*rho[:0:-1], *rho])],
    "mean_field_update": [
        lambda table, q2: [expit(table[0] @ q2 - table[1] @ q2), expit(table[1] @ q2 - table[0] @ q2)],
    ],
    "variances": [conditional_variances],
    "pair": [softmax(means())],
}

WRONG = {
    "bayes": [(0.05 / 0.67, "the priors"), (0.655, "dishes"), (0.3, "Not yet")],
    "log_evidence": [(lambda t: np.log(np.exp(t - t.mean()).sum()) + t.mean(), "Not yet")],
    "explaining_away": [(BOTH / LIME, "wrong one of the two"), (0.2, "the prior"), (0.04, "Not yet")],
    "evidence_estimate": [(np.median, "Not yet")],
    "effective_size": [(lambda rho, n: n, "Not yet")],
    "mean_field_update": [(lambda t, q: np.ones(2) / 2, "Not yet")],
    "variances": [(np.linalg.eigvalsh, "Not yet")],
    "pair": [
        (np.outer([0.9, 0.1], [1 - FROZEN[1], FROZEN[1]]), "two old factors"),
        (softmax(means(1 - FROZEN)), "Not yet"),
    ],
}


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("argument", [0, 1])
def test_a_check_names_the_arrays_that_were_changed_in_the_notebook(name, argument):
    given = [array.copy() for array in MORE[name]]
    given[argument] -= given[argument]
    result = getattr(lesson03, f"check_{name}")(RIGHT[name][0], *given)
    assert not result.ok and "no longer what the lesson computed" in result.hint


@pytest.mark.parametrize("frozen", [FROZEN[:9], 2 * FROZEN, FROZEN * np.nan, "a", None])
def test_a_pair_needs_its_frozen_factors(frozen):
    assert "ten probabilities" in lesson03.check_pair(RIGHT["pair"][0], LOG_JOINT, STATES, frozen).hint
