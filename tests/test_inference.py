"""Inference agrees with brute force, with SciPy and with theory, and says what is wrong with its input."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats
from scipy.special import rel_entr
from test_inline import inline

from vaehelpers import inference
from vaehelpers.inference import (
    NoisyOr,
    binary_states,
    elbo,
    enumerate_posterior,
    factorised,
    gaussian_mean_field,
    mean_field,
    metropolis,
    posterior_marginals,
    r_hat,
)  # fmt: skip
from vaehelpers.lessons.lesson03 import CAUSES, COFFEE_MACHINE, SYMPTOMS

MORNING = np.isin(SYMPTOMS, ["lamp dark", "no coffee", "tastes bitter"]).astype(int)


def random_model(seed, causes=4, symptoms=3):
    rng = np.random.default_rng(seed)
    strength = rng.uniform(0, 0.95, (causes, symptoms)) * (rng.random((causes, symptoms)) < 0.7)
    return NoisyOr(rng.uniform(0.05, 0.6, causes), rng.uniform(0.01, 0.2, symptoms), strength)


def by_hand(model, z, x):
    """p(x, z) as products of probabilities, in plain Python."""
    product = math.prod(p if on else 1 - p for p, on in zip(model.prior, z, strict=True))
    for j, seen in enumerate(x):
        absent = (1 - model.leak[j]) * math.prod(1 - model.strength[i, j] for i, on in enumerate(z) if on)
        product *= 1 - absent if seen else absent
    return product


def table(model, x):
    """All states and their p(x, z), without code of the package."""
    states = list(itertools.product((0, 1), repeat=len(model.prior)))
    return np.array(states), np.array([by_hand(model, z, x) for z in states])


# Enumeration and the bound


def test_posterior_and_evidence_of_a_table():
    joint = np.random.default_rng(0).random((3, 4, 2)) * 0.01
    posterior, log_evidence = enumerate_posterior(np.log(joint))
    assert posterior.shape == (3, 4, 2)
    np.testing.assert_allclose(posterior, joint / joint.sum())
    assert log_evidence == pytest.approx(math.log(joint.sum()))


def test_enumeration_survives_numbers_that_no_float_can_hold():
    posterior, log_evidence = enumerate_posterior([-5000 + math.log(3), -5000, -np.inf])
    np.testing.assert_allclose(posterior, [0.75, 0.25, 0])
    assert log_evidence == pytest.approx(-5000 + math.log(4))


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=50)
def test_the_bound_is_the_evidence_less_the_divergence(seed):
    rng = np.random.default_rng(seed)
    log_joint = rng.normal(-20, 5, (4, 3))
    q = rng.dirichlet(np.full(12, 0.5)).reshape(4, 3)
    posterior, log_evidence = enumerate_posterior(log_joint)
    assert elbo(q, log_joint) <= log_evidence + 1e-9
    assert elbo(q, log_joint) == pytest.approx(log_evidence - rel_entr(q, posterior).sum())
    assert elbo(posterior, log_joint) == pytest.approx(log_evidence)


def test_the_bound_where_something_is_impossible():
    assert elbo([1, 0], [-1, -np.inf]) == -1
    assert elbo([0.5, 0.5], [-1, -np.inf]) == -np.inf


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (enumerate_posterior, ([],), "log_joint: needs at least one number"),
        (enumerate_posterior, ([0, np.nan],), "log_joint: .*NaN"),
        (enumerate_posterior, ([0, np.inf],), "log_joint"),
        (enumerate_posterior, ([-np.inf, -np.inf],), "log_joint: at least one state"),
        (elbo, ([0.5, 0.5], [0]), "q: needs the shape of log_joint"),
        (elbo, ([0.5, 0.4], [0, 0]), "q: needs probabilities"),
        (elbo, ([1.5, -0.5], [0, 0]), "q: needs probabilities"),
        (elbo, ([np.nan, 1], [0, 0]), "q: needs probabilities"),
        (elbo, ([0.5, 0.5], [0, np.nan]), "log_joint"),
        (binary_states, (25,), "n: need a whole number from 0 to 24, got 25"),
        (NoisyOr, ([0.1], [0.1], [[0.1, 0.2]]), r"strength: need \(1, 1\), got \(1, 2\)"),
        (NoisyOr, ([0.0], [0.1], [[0.1]]), "prior: needs"),
        (NoisyOr, ([0.1], [1.0], [[0.1]]), "leak: needs"),
        (NoisyOr, ([0.1], [0.1], [[1.0]]), "strength: needs"),
        (NoisyOr, ([0.1], [0.1], [[np.nan]]), "strength: every value must be finite"),
        (COFFEE_MACHINE.log_joint, (np.zeros((2, 9)), MORNING), r"states: need \(m, 10\), got \(2, 9\)"),
        (COFFEE_MACHINE.log_joint, (np.zeros((2, 10)), MORNING[1:]), r"symptoms: need \(8,\), got \(7,\)"),
        (COFFEE_MACHINE.log_joint, (np.full((2, 10), 0.5), MORNING), "states: every value"),
        (mean_field, (COFFEE_MACHINE, MORNING, np.zeros(9)), r"start: need \(10,\), got \(9,\)"),
        (mean_field, (COFFEE_MACHINE, MORNING, np.full(10, 1.5)), "start: need values from 0 to 1, got 1.5 to 1.5"),
        (mean_field, (COFFEE_MACHINE, MORNING * 2, np.zeros(10)), "symptoms: every value"),
        (NoisyOr, ([[0.1], [0.1]], [0.1], [[0.1], [0.1]]), "prior: need"),
        (NoisyOr, ([0.1], [[0.1]], [[0.1]]), "leak: need"),
        (gaussian_mean_field, ([0, 0], [[1, 2], [2, 1]], [0, 0]), "covariance: need positive definite"),
        (gaussian_mean_field, ([0, 0], np.zeros((2, 2)), [0, 0]), "covariance: need positive definite"),
        (gaussian_mean_field, ([0, 0], [[1, 0.5], [0, 1]], [0, 0]), "covariance: need symmetric"),
        (gaussian_mean_field, ([0, 0], np.eye(3), [0, 0]), r"covariance: need \(2, 2\), got \(3, 3\)"),
        (gaussian_mean_field, ([0, 0], np.eye(2), [0]), r"start: need \(2,\), got \(1,\)"),
        (gaussian_mean_field, ([[0], [0]], np.eye(2), [[0], [0]]), r"mean: need \(d,\), got \(2, 1\)"),
        (partial(metropolis, rng=None), (np.zeros, [[0, 2]], 1), "start: every value must be 0 or 1, got 2"),
        (partial(metropolis, rng=None), (lambda z: np.zeros(3), [[0, 1]], 1), r"log_p: need \(1,\), got \(3,\)"),
    ],
)
def test_bad_input_is_named(function, arguments, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        function(*arguments)


def test_every_kind_of_number_is_reckoned_with_as_a_double():
    log_joint, q = np.array([-3.3, -0.7, -7.1], np.float32), np.array([0.25, 0.5, 0.25], np.float32)
    np.testing.assert_allclose(
        enumerate_posterior(log_joint)[0], enumerate_posterior(log_joint.astype(float))[0], 1e-14
    )
    np.testing.assert_allclose(elbo(q, log_joint), elbo(q.astype(float), log_joint.astype(float)), 1e-14)
    third = np.array([1 / 3, 0.1], np.float32)
    np.testing.assert_allclose(
        factorised(third, binary_states(2)), factorised(third.astype(float), binary_states(2)), 1e-14
    )
    arrays = [np.array(a, np.float32) for a in ([0.1, 0.3], [0.2], [[0.7], [0.6]])]
    one, other = NoisyOr(*arrays), NoisyOr(*(a.astype(float) for a in arrays))
    np.testing.assert_allclose(one.log_joint([[1, 1]], [1]), other.log_joint([[1, 1]], [1]), 1e-14)
    np.testing.assert_array_equal(*(mean_field(one, [1], start, sweeps=2)[0] for start in ([0, 1], [0.0, 1.0])))
    covariance = np.array([[1, 0.3], [0.3, 0.7]], np.float32)
    found = [
        gaussian_mean_field([1, 2], c, s) for c, s in ((covariance, [3, 4]), (covariance.astype(float), [3.0, 4.0]))
    ]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)


# The model


@pytest.mark.parametrize("seed", range(5))
def test_log_joint_and_marginals_against_plain_python(seed):
    model = random_model(seed)
    for x in itertools.product((0, 1), repeat=3):
        states, joint = table(model, x)
        np.testing.assert_allclose(np.exp(model.log_joint(states, x)), joint)
        np.testing.assert_allclose(posterior_marginals(model, x), joint @ states / joint.sum())


def test_the_joint_sums_to_one_over_causes_and_symptoms():
    model, states = random_model(7), binary_states(4)
    total = sum(np.exp(model.log_joint(states, x)).sum() for x in itertools.product((0, 1), repeat=3))
    assert total == pytest.approx(1)


def test_all_states_are_there_once():
    assert {tuple(row) for row in binary_states(5)} == set(itertools.product((0, 1), repeat=5))
    assert binary_states(0).shape == (1, 0) and binary_states(3).dtype == np.uint8


def test_the_largest_table_has_24_switches(monkeypatch):
    monkeypatch.setattr(inference, "_digits", lambda numbers, n: numbers)  # it takes 3 GB
    assert len(binary_states(24)) == 2**24


def test_marginals_are_the_same_when_the_states_take_two_blocks():
    small, x = random_model(8), [1, 0, 1]
    idle = np.linspace(0.1, 0.9, 9)  # causes that show nothing keep their prior
    model = NoisyOr([*small.prior, *idle], small.leak, np.vstack([small.strength, np.zeros((9, 3))]))
    np.testing.assert_allclose(posterior_marginals(model, x), [*posterior_marginals(small, x), *idle])
    turned = NoisyOr(model.prior[::-1], model.leak, model.strength[::-1])
    np.testing.assert_allclose(posterior_marginals(turned, x), [*idle[::-1], *posterior_marginals(small, x)[::-1]])


def test_the_coffee_machine_explains_away():
    """Seeing that the plug is out makes a blown fuse about as unlikely as before."""
    assert COFFEE_MACHINE.strength.shape == (len(CAUSES), len(SYMPTOMS))
    states = binary_states(10)
    posterior, _ = enumerate_posterior(COFFEE_MACHINE.log_joint(states, MORNING))
    unplugged, fuse = states[:, 0] == 1, states[:, 1] == 1
    given_out = posterior[unplugged & fuse].sum() / posterior[unplugged].sum()
    assert posterior[fuse].sum() > 0.3 > 0.1 > given_out


def test_factorised_is_a_distribution_with_these_marginals():
    q, states = np.array([0.2, 0.0, 0.7, 1.0]), binary_states(4)
    probabilities = factorised(q, states)
    assert probabilities.sum() == pytest.approx(1)
    np.testing.assert_allclose(probabilities @ states, q)


# Monte Carlo


def test_metropolis_keeps_the_posterior_and_its_detailed_balance():
    model, x = random_model(3, causes=3), (1, 0, 1)
    states, joint = table(model, x)
    rng = np.random.default_rng(4)
    posterior = joint / joint.sum()
    before = rng.choice(8, size=200_000, p=posterior)
    after = metropolis(lambda z: model.log_joint(z, x), states[before], 1, rng=rng)[0] @ [4, 2, 1]
    flow = np.zeros((8, 8))
    np.add.at(flow, (before, after), 1)
    assert stats.chisquare(flow.sum(0), posterior * 200_000).pvalue > 1e-3
    there, back = flow[np.triu_indices(8, 1)], flow.T[np.triu_indices(8, 1)]
    moved = there + back > 0
    assert ((np.abs(there - back) / np.sqrt(there + back + (~moved)))[moved] < 4).all()
    assert moved.sum() == 12  # the edges of a cube: one switch at a time
    for a, b in ((0, 1), (1, 0), (6, 2)):  # and at the rate of the rule
        expected = min(1, posterior[b] / posterior[a]) / 3
        share = flow[a, b] / flow[a].sum()
        assert abs(share - expected) < 4 * math.sqrt(expected * (1 - expected) / flow[a].sum())


def test_metropolis_finds_the_marginals_and_errs_as_theory_says():
    exact = posterior_marginals(COFFEE_MACHINE, MORNING)
    chain = metropolis(
        lambda z: COFFEE_MACHINE.log_joint(z, MORNING), np.zeros((40, 10)), 8000, rng=np.random.default_rng(5)
    )
    late = chain[1000:].mean(axis=0)  # one estimate for each chain
    standard_error = late.std(axis=0, ddof=1) / math.sqrt(40)
    assert (np.abs(late.mean(axis=0) - exact) < 4 * standard_error + 1e-4).all()
    errors = [np.abs(chain[1000 : 1000 + n].mean(axis=0) - exact).mean() for n in (700, 7000)]
    assert 0.2 < errors[1] / errors[0] < 0.5  # ten times the work: 1 / √10 = 0.32


def test_metropolis_is_repeatable_and_starts_only_where_it_can():
    def run(seed):
        return metropolis(lambda z: z.sum(axis=1), np.zeros((2, 3)), 20, rng=np.random.default_rng(seed))

    np.testing.assert_array_equal(run(1), run(1))
    assert (run(1) != run(2)).any() and run(1).shape == (20, 2, 3)
    with pytest.raises(ValueError, match="start: every chain"):
        metropolis(lambda z: np.full(len(z), -np.inf), np.zeros((2, 3)), 1, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"start: need \(chains, n\), got \(3,\)"):
        metropolis(lambda z: np.zeros(len(z)), np.zeros(3), 1, rng=np.random.default_rng(0))


def test_the_metropolis_of_the_lesson_is_the_one_of_the_package():
    def log_p(z):
        return COFFEE_MACHINE.log_joint(z, MORNING)

    start = binary_states(10)[::200].astype(int)
    chains = [
        walk(log_p, start, 300, rng=np.random.default_rng(6)) for walk in (metropolis, inline("03", "metropolis"))
    ]
    np.testing.assert_array_equal(*chains)


def test_no_step_and_no_sweep_leave_the_start():
    start = np.full(4, 0.3)
    assert metropolis(lambda z: np.zeros(len(z)), [[0, 1]], 0, rng=np.random.default_rng(0)).shape == (0, 1, 2)
    np.testing.assert_array_equal(mean_field(random_model(0), [0, 1, 0], start, sweeps=0)[0], [start])
    np.testing.assert_array_equal(gaussian_mean_field(np.zeros(4), np.eye(4), start, sweeps=0)[0], [start])


def test_metropolis_never_enters_what_is_impossible():
    chain = metropolis(
        lambda z: np.where(z[:, 0] == 1, -np.inf, 0.0), np.zeros((5, 2)), 200, rng=np.random.default_rng(0)
    )
    assert not chain[..., 0].any() and 0.3 < chain[..., 1].mean() < 0.7


# Mean-field


@pytest.mark.parametrize("seed", range(6))
def test_mean_field_never_lowers_the_bound_and_ends_at_an_optimum(seed):
    model, x = random_model(seed), np.random.default_rng(seed).integers(0, 2, 3)
    states, joint = table(model, x)
    path, work = mean_field(model, x, np.random.default_rng(seed).random(4), sweeps=200)
    bounds = np.array([elbo(factorised(q, states), np.log(joint)) for q in path])
    assert (np.diff(bounds) > -1e-12).all() and (bounds <= math.log(joint.sum())).all()
    assert (np.diff(work) >= 0).all() and work[0] == 0
    best = optimize.minimize(
        lambda a: -elbo(factorised(1 / (1 + np.exp(-a)), states), np.log(joint)), np.log(path[-1] / (1 - path[-1]))
    )
    assert -best.fun - bounds[-1] < 1e-7


def test_one_update_of_mean_field_is_the_best_that_one_factor_can_do():
    model, x = random_model(2), (1, 1, 0)
    states, joint = table(model, x)
    start = np.array([0.3, 0.6, 0.2, 0.5])
    path, _ = mean_field(model, x, start, sweeps=1)
    best = optimize.minimize_scalar(
        lambda a: -elbo(factorised([a, *start[1:]], states), np.log(joint)),
        bounds=(1e-6, 1 - 1e-6), method="bounded", options={"xatol": 1e-10},
    )  # fmt: skip
    assert path[1, 0] == pytest.approx(best.x, abs=1e-5)
    np.testing.assert_array_equal(path[1, 1:], start[1:])


def test_mean_field_is_exact_where_the_causes_are_independent_and_not_elsewhere():
    alone = NoisyOr([0.2, 0.3], [0.1, 0.1], [[0.8, 0], [0, 0.6]])
    path, _ = mean_field(alone, [1, 1], [0.5, 0.5], sweeps=1)
    np.testing.assert_allclose(path[-1], posterior_marginals(alone, [1, 1]))
    path, work = mean_field(COFFEE_MACHINE, MORNING, np.full(10, 0.5), sweeps=50)
    assert np.abs(path[-1] - posterior_marginals(COFFEE_MACHINE, MORNING)).mean() > 0.03
    assert work[10] < 100 < 2**10
    assert work[1] == 2 * (2 + 2**3) / 8  # two dark symptoms, of one other cause and of three
    assert len(mean_field(COFFEE_MACHINE, MORNING, np.full(10, 0.5))[0]) == 1 + 10 * 10  # ten sweeps, if none are named


@given(st.integers(0, 10_000), st.integers(2, 4))
@settings(deadline=None, max_examples=30)
def test_gaussian_mean_field_has_the_variances_and_the_mean_of_theory(seed, d):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(d, d)) + 2 * np.eye(d)
    covariance, mean = root @ root.T + 0.5 * np.eye(d), rng.normal(size=d)
    path, variances = gaussian_mean_field(mean, covariance, rng.normal(size=d) * 3, sweeps=600)
    np.testing.assert_allclose(variances, 1 / np.diag(np.linalg.inv(covariance)))
    np.testing.assert_allclose(path[-1], mean, atol=1e-4)
    assert (variances <= np.diag(covariance) * (1 + 1e-9)).all()


def test_gaussian_mean_field_minimises_the_divergence_from_q():
    """SciPy knows only the closed form of KL(q || p), and finds the same q."""
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 1.2], [1.2, 1.5]])
    precision = np.linalg.inv(covariance)

    def divergence(a):
        gap, variance = a[:2] - mean, np.exp(a[2:])
        return (precision.diagonal() @ variance + gap @ precision @ gap - a[2:].sum()) / 2

    best = optimize.minimize(divergence, np.zeros(4), tol=1e-10).x
    path, variances = gaussian_mean_field(mean, covariance, [0, 0], sweeps=100)
    np.testing.assert_allclose(np.exp(best[2:]), variances, rtol=1e-4)
    np.testing.assert_allclose(best[:2], path[-1], rtol=1e-4)


def test_gaussian_mean_field_loses_one_minus_rho_squared_and_gains_rho_squared_a_sweep():
    assert len(gaussian_mean_field([0, 0], np.eye(2), [0, 0])[0]) == 1 + 10 * 2
    path, variances = gaussian_mean_field([0, 0], [[1, 0.9], [0.9, 1]], [2.0, -1.0], sweeps=5)
    np.testing.assert_allclose(variances, 1 - 0.9**2)
    np.testing.assert_allclose(path[1], [0.9 * -1, -1])
    np.testing.assert_allclose(path[4:, 1][::2] / path[2:-2, 1][::2], 0.9**2)


def test_a_gaussian_fit_says_whether_it_has_converged():
    covariance = [[1, 0.9], [0.9, 1]]
    assert not gaussian_mean_field([0, 0], covariance, [2.0, -1.0], sweeps=5).converged
    assert gaussian_mean_field([0, 0], covariance, [2.0, -1.0], sweeps=100).converged
    tiny = gaussian_mean_field([0, 0], 1e-20 * np.array(covariance), [2e-10, -1e-10], sweeps=5)
    assert not tiny.converged  # whatever the unit
    assert not gaussian_mean_field([0, 0], covariance, [0, 0], sweeps=0).converged  # nothing was done yet
    with pytest.raises(ValueError, match="covariance: need symmetric"):
        gaussian_mean_field([0, 0], [[1e-12, 0], [1e-12 / 2, 1e-12]], [0, 0])


def test_mean_field_says_whether_it_has_converged():
    start = np.full(10, 0.5)
    assert not mean_field(COFFEE_MACHINE, MORNING, start, sweeps=2).converged
    assert mean_field(COFFEE_MACHINE, MORNING, start, sweeps=60).converged
    assert not mean_field(COFFEE_MACHINE, MORNING, start, sweeps=0).converged


def test_r_hat_is_near_1_where_chains_agree_and_large_where_they_do_not():
    rng = np.random.default_rng(0)
    agreed = rng.standard_normal((4000, 4, 2))
    assert (np.abs(r_hat(agreed) - 1) < 0.01).all()
    apart = agreed + np.array([0, 0, 0, 2])[:, None] * [0, 1]
    expected = np.sqrt(
        1 + np.var([0, 0, 0, 2, 0, 0, 0, 2], ddof=1)
    )  # within each half 1, between them the variance of their means
    assert r_hat(apart) == pytest.approx([1, expected], abs=0.03)
    drifting = agreed + np.linspace(0, 4, 4000)[:, None, None]  # all chains alike, and still on their way
    assert (r_hat(drifting) > 1.3).all()


def test_r_hat_of_metropolis_falls_as_chains_grow():
    def log_p(z):
        return COFFEE_MACHINE.log_joint(z, MORNING)

    chains = metropolis(log_p, np.random.default_rng(0).integers(0, 2, (8, 10)), 8000, rng=np.random.default_rng(1))
    early, late = r_hat(chains[:40]), r_hat(chains)
    assert early.max() > 1.2 and late.max() < 1.05
    frozen = np.zeros((10, 2, 3))
    frozen[:, 1, 2] = 1
    np.testing.assert_array_equal(r_hat(frozen), [1, 1, np.inf])


def test_single_precision_probabilities_of_many_states_have_a_bound():
    log_joint = np.random.default_rng(0).standard_normal(2**15)
    q = np.exp(log_joint).astype(np.float32)
    q /= np.cumsum(q)[-1]
    assert elbo(q, log_joint) == pytest.approx(enumerate_posterior(log_joint)[1], rel=1e-4)


def test_the_coffee_machine_cannot_be_changed_by_a_learner():
    for values in (COFFEE_MACHINE.prior, COFFEE_MACHINE.leak, COFFEE_MACHINE.strength):
        with pytest.raises(ValueError, match="read-only"):
            values *= 2
