"""Lesson 03: each classic mistake gets its own hint, the right answer its praise, an open stub patience."""

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

from vaehelpers import exercises
from vaehelpers.inference import COFFEE_MACHINE, binary_states, enumerate_posterior, factorised, posterior_marginals

X = [1, 1, 0, 0, 0, 1, 0, 0]
STATES = binary_states(10)
LOG_JOINT = COFFEE_MACHINE.log_joint(STATES, X)
POSTERIOR = enumerate_posterior(LOG_JOINT)[0]
BOTH = POSTERIOR @ (STATES[:, 4] * STATES[:, 8])
LIME, STALE = posterior_marginals(COFFEE_MACHINE, X)[[4, 8]]
Q = np.linspace(0.1, 0.9, 10)


def pair(q, finish=softmax):
    means = np.zeros((2, 2))
    for a in (0, 1):
        for b in (0, 1):
            means[a, b] = factorised([a, b, *q[2:]], STATES) @ LOG_JOINT
    return finish(means)


CASES = [
    ("bayes", ..., "Not filled in yet"),
    ("bayes", 0.045 / 0.064, "Right"),
    ("bayes", 0.7031, "Right"),
    ("bayes", 0.045, "joint"),
    ("bayes", 0.064, "That is p(x)"),
    ("bayes", 0.9 / 0.92, "how rare"),
    ("bayes", 0.9, "p(x | z)"),
    ("bayes", 0.05, "prior"),
    ("bayes", 0.019 / 0.064, "that is fine"),
    ("log_evidence", lambda t: ..., "Not filled in yet"),
    ("log_evidence", logsumexp, "Right"),
    ("log_evidence", lambda t: t.sum(), "added the logs"),
    ("log_evidence", lambda t: np.log(np.exp(t).sum()), "exp(-1000) is 0"),
    ("log_evidence", max, "largest term alone"),
    ("log_evidence", lambda t: np.log(np.exp(t - t.max()).sum()), "put it back"),
    ("log_evidence", lambda t: logsumexp(t) - np.log(len(t)), "log of the mean"),
    ("log_evidence", lambda t: logsumexp(t) / np.log(2), "bits"),
    ("log_evidence", lambda t: logsumexp(t) / np.log(10), "base 10"),
    ("log_evidence", lambda t: 1 / 0, "stopped with ZeroDivisionError"),
    ("explaining_away", (..., POSTERIOR, STATES), "Not filled in yet"),
    ("explaining_away", (BOTH / STALE, POSTERIOR, STATES), "Right"),
    ("explaining_away", (BOTH, POSTERIOR, STATES), "both together"),
    ("explaining_away", (BOTH / LIME, POSTERIOR, STATES), "wrong one of the two"),
    ("explaining_away", (LIME, POSTERIOR, STATES), "before you knew"),
    ("explaining_away", ((LIME - BOTH) / (1 - STALE), POSTERIOR, STATES), "beans are fresh"),
    ("explaining_away", (LIME * STALE, POSTERIOR, STATES), "knew nothing of each other"),
    ("universe_ages", ..., "Not filled in yet"),
    ("universe_ages", 36 * np.log10(2), "Right"),
    ("universe_ages", 36, "power of two"),
    ("universe_ages", 36 * np.log(2), "natural logarithm"),
    ("universe_ages", 400 * np.log10(2), "number of states"),
    ("universe_ages", -36 * np.log10(2), "Upside down"),
    ("universe_ages", 36 / np.log10(2), "log10(2)"),
    ("gibbs", lambda off, on: ..., "Not filled in yet"),
    ("gibbs", lambda off, on: expit(on - off), "Right"),
    ("gibbs", lambda off, on: np.exp(on) / (np.exp(on) + np.exp(off)), "difference of the logs"),
    ("gibbs", lambda off, on: min(1, np.exp(on - off)), "rule of Metropolis"),
    ("gibbs", lambda off, on: np.exp(on - off), "the ratio of the two"),
    ("gibbs", lambda off, on: expit(off - on), "is off"),
    ("gibbs", lambda off, on: on - off, "log-odds"),
    ("gibbs", lambda off, on: 1 / 0, "stopped with ZeroDivisionError"),
    ("mean_field_update", lambda t, q: ..., "Not filled in yet"),
    ("mean_field_update", lambda t, q: softmax(t @ q), "Right"),
    ("mean_field_update", lambda t, q: np.exp(t @ q), "Not normalised"),
    ("mean_field_update", lambda t, q: t @ q, "still logarithms"),
    ("mean_field_update", lambda t, q: t @ q - logsumexp(t @ q), "leave log space"),
    ("mean_field_update", lambda t, q: np.exp(t) @ q / (np.exp(t) @ q).sum(), "averaged p(x, z)"),
    ("mean_field_update", lambda t, q: softmax(q @ t), "first cause"),
    ("mean_field_update", lambda t, q: softmax(t, axis=None).sum(axis=1), "exact"),
    ("mean_field_update", lambda t, q: softmax(t.sum(axis=1)), "without the weights"),
    ("variances", lambda c: ..., "Not filled in yet"),
    ("variances", lambda c: 1 / np.diag(np.linalg.inv(c)), "Right"),
    ("variances", np.diag, "true marginal variances"),
    ("variances", lambda c: np.diag(np.linalg.inv(c)), "one step is left"),
    ("variances", lambda c: 1 / np.diag(c), "each variance by itself"),
    ("variances", lambda c: np.diag(np.linalg.inv(c)) ** -0.5, "standard deviations"),
    ("pair", (..., LOG_JOINT, STATES, Q), "Not filled in yet"),
    ("pair", (pair(Q), LOG_JOINT, STATES, Q), "Right"),
    ("pair", (pair(Q, np.exp), LOG_JOINT, STATES, Q), "Not normalised"),
    ("pair", (pair(Q, np.array), LOG_JOINT, STATES, Q), "still logarithms"),
    ("pair", (POSTERIOR.reshape(-1, 2, 2).sum(0).T, LOG_JOINT, STATES, Q), "exact posterior"),
    ("pair", (np.outer([1 - Q[0], Q[0]], [1 - Q[1], Q[1]]), LOG_JOINT, STATES, Q), "two old factors"),
    ("pair", (pair(Q).T, LOG_JOINT, STATES, Q), "on its side"),
]


@pytest.mark.parametrize(("name", "attempt", "answer"), CASES, ids=[f"{n}-{a}" for n, _, a in CASES])
def test_an_attempt_gets_its_answer(name, attempt, answer, capsys):
    getattr(exercises, f"check_{name}")(*(attempt if isinstance(attempt, tuple) else (attempt,)))
    assert answer in capsys.readouterr().out
