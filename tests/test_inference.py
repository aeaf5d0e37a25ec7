"""Inference against enumeration, SciPy and theory."""

import itertools
import math

import numpy as np
import pytest
from equations import covers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import expit, logit, rel_entr

from vaehelpers import inference
from vaehelpers.inference import (
    NoisyOr,
    binary_states,
    converged,
    elbo,
    enumerate_posterior,
    factorised,
    gaussian_mean_field,
    mean_field,
    metropolis,
    posterior_marginals,
)  # fmt: skip
from vaehelpers.lessons.lesson03 import COFFEE_MACHINE, SYMPTOMS

RNG = np.random.default_rng
MORNING = np.isin(SYMPTOMS, ["lamp dark", "no coffee", "tastes bitter"]).astype(int)
CORRELATED = np.array([[1, 0.9], [0.9, 1]])


def random_model(seed, causes=4, symptoms=3):
    rng = RNG(seed)
    strength = rng.uniform(0, 0.95, (causes, symptoms)) * (rng.random((causes, symptoms)) < 0.7)
    return NoisyOr(rng.uniform(0.05, 0.6, causes), rng.uniform(0.01, 0.2, symptoms), strength)


def joint_probability(model, z, x):
    """Return p(x, z) as a product of probabilities, in plain Python."""
    product = math.prod(p if on else 1 - p for p, on in zip(model.prior, z, strict=True))
    for j, present in enumerate(x):
        absent = (1 - model.leak[j]) * math.prod(1 - model.strength[i, j] for i, on in enumerate(z) if on)
        product *= 1 - absent if present else absent
    return product


def table(model, x):
    """Return all states and their p(x, z), without code of the package."""
    states = list(itertools.product((0, 1), repeat=len(model.prior)))
    return np.array(states), np.array([joint_probability(model, z, x) for z in states])


# Enumeration and the bound


@covers("03 cell-015 0 696afe", "Bishop (2006), §1.2; Murphy (2022), §2.5.4")
def test_posterior_and_evidence_of_a_table():
    """Against Bayes' rule without logarithms, for a joint that is multiplied by a number that no float holds."""
    joint = RNG(0).random((3, 4, 2)) * 0.01
    posterior, log_evidence = enumerate_posterior(np.log(joint) - 5000)  # no float holds exp(-5000)
    np.testing.assert_allclose(posterior, joint / joint.sum())
    assert log_evidence == pytest.approx(math.log(joint.sum()) - 5000)
    np.testing.assert_allclose(enumerate_posterior([0, 0, -np.inf])[0], [0.5, 0.5, 0])


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_the_bound_is_the_evidence_less_the_kl(seed):
    rng = RNG(seed)
    log_joint = rng.normal(-20, 5, (4, 3))
    q = rng.dirichlet(np.full(12, 0.5)).reshape(4, 3)
    posterior, log_evidence = enumerate_posterior(log_joint)
    assert elbo(q, log_joint) == pytest.approx(log_evidence - rel_entr(q, posterior).sum())
    assert elbo(posterior, log_joint) == pytest.approx(log_evidence)


def test_the_bound_at_impossible_states_and_in_single_precision():
    assert elbo([1, 0], [-1, -np.inf]) == -1
    assert elbo([0.5, 0.5], [-1, -np.inf]) == -np.inf
    log_joint = RNG(0).standard_normal(2**15)
    q = np.exp(log_joint).astype(np.float32)
    q /= np.cumsum(q)[-1]
    assert elbo(q, log_joint) == pytest.approx(enumerate_posterior(log_joint)[1], rel=1e-4)


# The model


@covers("03 cell-010-3 0 b9eb12", "Pearl (1988), §4.3; Heckerman (1989)")
@pytest.mark.parametrize("seed", range(3))
def test_log_joint_and_marginals_against_plain_python(seed):
    """A definition: products of the chances of failure, in plain Python; all probabilities add up to 1."""
    model, total = random_model(seed), 0
    for x in itertools.product((0, 1), repeat=3):
        states, joint = table(model, x)
        np.testing.assert_allclose(np.exp(model.log_joint(states, x)), joint)
        np.testing.assert_allclose(posterior_marginals(model, x), joint @ states / joint.sum())
        total += joint.sum()
    assert total == pytest.approx(1)


def test_binary_states_are_all_states(monkeypatch):
    assert {tuple(row) for row in binary_states(5)} == set(itertools.product((0, 1), repeat=5))
    assert binary_states(0).shape == (1, 0) and binary_states(3).dtype == np.uint8
    monkeypatch.setattr(inference, "_digits", lambda numbers, n: numbers)  # the whole table takes 3 GB
    assert len(binary_states(24)) == 2**24


def test_marginals_are_the_same_when_the_states_take_two_blocks():
    small, x = random_model(8), [1, 0, 1]
    idle = np.linspace(0.1, 0.9, 9)  # causes without symptoms keep their prior
    model = NoisyOr([*small.prior, *idle], small.leak, np.vstack([small.strength, np.zeros((9, 3))]))
    np.testing.assert_allclose(posterior_marginals(model, x), [*posterior_marginals(small, x), *idle])
    turned = NoisyOr(model.prior[::-1], model.leak, model.strength[::-1])
    np.testing.assert_allclose(posterior_marginals(turned, x), posterior_marginals(model, x)[::-1])


# Monte Carlo


@covers("03 cell-043-2 0 11f760", "MacKay (2003), §29.4; Metropolis et al. (1953)")
def test_metropolis_moves_at_the_rate_of_its_rule():
    """The joint is given, and two hundred thousand steps move at the rates of the enumerated posterior and keep it."""
    model, x = random_model(3, causes=3), (1, 0, 1)
    states, joint = table(model, x)
    posterior, rng = joint / joint.sum(), RNG(4)
    before = rng.choice(8, size=200_000, p=posterior)
    after = metropolis(lambda z: model.log_joint(z, x), states[before], 1, rng=rng)[0] @ [4, 2, 1]
    flow = np.zeros((8, 8))
    np.add.at(flow, (before, after), 1)
    assert stats.chisquare(flow.sum(axis=0), posterior * 200_000).pvalue > 1e-3
    for a, b in itertools.permutations(range(8), 2):
        neighbours = (states[a] != states[b]).sum() == 1
        expected = neighbours * min(1, posterior[b] / posterior[a]) / 3
        error = math.sqrt(expected * (1 - expected) / flow[a].sum())
        assert abs(flow[a, b] / flow[a].sum() - expected) <= 4 * error


def test_metropolis_never_enters_an_impossible_state():
    chain = metropolis(lambda z: np.where(z[:, 0] == 1, -np.inf, 0.0), np.zeros((5, 2)), 200, rng=RNG(0))
    assert not chain[..., 0].any() and 0.3 < chain[..., 1].mean() < 0.7


def test_no_step_and_no_sweep_leave_the_start():
    start = np.full(4, 0.3)
    assert metropolis(lambda z: np.zeros(len(z)), [[0, 1]], 0, rng=RNG(0)).shape == (0, 1, 2)
    for path, _ in (
        mean_field(random_model(0), [0, 1, 0], start, sweeps=0),
        gaussian_mean_field(np.zeros(4), np.eye(4), start, sweeps=0),
    ):
        np.testing.assert_array_equal(path, [start])
        assert not converged(path)


# Mean field


@pytest.mark.parametrize("seed", range(4))
def test_mean_field_never_lowers_the_bound_and_ends_at_an_optimum(seed):
    model, x = random_model(seed), RNG(seed).integers(0, 2, 3)
    states, joint = table(model, x)
    path, work = mean_field(model, x, RNG(seed).random(4), sweeps=200)
    bounds = np.array([elbo(factorised(q, states), np.log(joint)) for q in path])
    assert (np.diff(bounds) > -1e-12).all() and (bounds <= math.log(joint.sum())).all()
    assert (np.diff(work) >= 0).all() and work[0] == 0
    best = optimize.minimize(lambda a: -elbo(factorised(expit(a), states), np.log(joint)), logit(path[-1]))
    assert -best.fun - bounds[-1] < 1e-7


def test_mean_field_is_exact_where_the_causes_are_independent_and_not_elsewhere():
    alone = NoisyOr([0.2, 0.3], [0.1, 0.1], [[0.8, 0], [0, 0.6]])
    np.testing.assert_allclose(mean_field(alone, [1, 1], [0.5, 0.5])[0][-1], posterior_marginals(alone, [1, 1]))
    start = np.full(10, 0.5)
    path, work = mean_field(COFFEE_MACHINE, MORNING, start)
    assert len(path) == 1 + 10 * 10  # ten sweeps, if none are named
    assert work[1] == 2 * (2 + 2**3) / 8  # two dark symptoms, of one other cause and of three
    assert np.abs(path[-1] - posterior_marginals(COFFEE_MACHINE, MORNING)).mean() > 0.03
    assert not converged(mean_field(COFFEE_MACHINE, MORNING, start, sweeps=2)[0])
    assert converged(mean_field(COFFEE_MACHINE, MORNING, start, sweeps=60)[0])
    assert converged([[0, 0], [9, 9], [1, 1], [1, 1], [1, 1]])  # of two variables: only the last sweep counts


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(deadline=None, max_examples=30)
def test_gaussian_mean_field_has_the_variances_and_the_mean_of_theory(seed, d):
    rng = RNG(seed)
    root = rng.normal(size=(d, d)) + 2 * np.eye(d)
    covariance, mean = root @ root.T + 0.5 * np.eye(d), rng.normal(size=d)
    path, variances = gaussian_mean_field(mean, covariance, rng.normal(size=d) * 3, sweeps=600)
    np.testing.assert_allclose(variances, 1 / np.diag(np.linalg.inv(covariance)))
    np.testing.assert_allclose(path[-1], mean, atol=1e-4)


def test_gaussian_mean_field_gains_rho_squared_a_sweep():
    path, _ = gaussian_mean_field([0, 0], CORRELATED, [2.0, -1.0])
    assert len(path) == 1 + 10 * 2 and not converged(path)
    np.testing.assert_allclose(path[1], [0.9 * -1, -1])
    np.testing.assert_allclose(path[4:, 1][::2] / path[2:-2, 1][::2], 0.9**2)
    assert converged(gaussian_mean_field([0, 0], CORRELATED, [2.0, -1.0], sweeps=100)[0])


def test_the_coffee_machine_cannot_be_changed_by_a_learner():
    for values in (COFFEE_MACHINE.prior, COFFEE_MACHINE.leak, COFFEE_MACHINE.strength):
        with pytest.raises(ValueError, match="read-only"):
            values *= 2
