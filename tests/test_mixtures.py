"""k-means and EM against scikit-learn and SciPy, and ``fit`` against the readable ``em``."""

import itertools
import warnings

import numpy as np
import pytest
from equations import covers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp, xlogy
from scipy.stats import multivariate_normal
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture as Peer
from test_inline import inline

from vaehelpers import datasets, mixtures
from vaehelpers.mixtures import GaussianMixture, e_step, elbo, em, fit, k_means, m_step

RNG = np.random.default_rng
EYE = np.eye(2)


def problem(seed, n=1500, d=3, k=4):
    """Return data with overlapping clusters, and a start far from the truth."""
    rng = RNG(seed)
    roots = rng.normal(size=(k, d, d)) / 2
    covariances = roots @ roots.transpose(0, 2, 1) + 0.2 * np.eye(d)
    truth = GaussianMixture(rng.dirichlet(np.full(k, 5)), 3 * rng.normal(size=(k, d)), covariances)
    x, _ = truth.sample(n, rng=rng)
    means = x[rng.choice(n, k, replace=False)]
    return x, GaussianMixture(np.full(k, 1 / k), means, np.tile(np.cov(x.T, bias=True), (k, 1, 1)))


def moved(x, start, matrix, shift=0.0):
    return x @ matrix.T + shift, GaussianMixture(
        start.weights, start.means @ matrix.T + shift, matrix @ start.covariances @ matrix.T
    )


def peer(x, start, rounds, tol=0):
    model = Peer(len(start.weights), weights_init=start.weights, means_init=start.means, reg_covar=0, tol=tol)
    model.set_params(precisions_init=np.linalg.inv(start.covariances), max_iter=rounds)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        return model.fit(x)


PLAIN = [problem(0), problem(1), problem(2, n=12_000)]  # the last one in more than one block of rows
TWO = problem(1, d=2, k=3)
FAR = RNG(0).normal(size=(600, 2)) * 0.01 + 1e3 * (np.arange(600) % 2)[:, None]
HARD = {
    "offset": moved(*TWO, EYE, 1e5),
    "scales": moved(*TWO, np.diag([1e4, 1e-6])),
    "correlated": moved(*TWO, np.array([[1, 1], [1, 1 + 1e-3]])),
    "far apart": (FAR, GaussianMixture([0.3, 0.7], FAR[:2], np.tile(np.cov(FAR.T), (2, 1, 1)) + EYE)),
}


@pytest.mark.parametrize(("x", "start"), [*PLAIN, *HARD.values()], ids=["plain 0", "plain 1", "plain 2", *HARD])
def test_the_fast_form_the_readable_form_and_scikit_learn_agree(x, start):
    fast, bounds = fit(x, start, max_iter=40, tol=0)
    steps = list(em(x, start, max_iter=40))
    slow, theirs = steps[-1].mixture, peer(x, start, 40)
    sd = x.std(axis=0)
    for one, other in ((fast.means, slow.means), (fast.means, theirs.means_), (slow.means, theirs.means_)):
        np.testing.assert_allclose(one / sd, other / sd, rtol=0, atol=1e-8)
    np.testing.assert_allclose(fast.weights, theirs.weights_, atol=1e-8)
    units = np.outer(sd, sd)
    np.testing.assert_allclose(fast.covariances / units, theirs.covariances_ / units, rtol=0, atol=1e-8)
    assert bounds[-1] / len(x) == pytest.approx(theirs.lower_bound_, rel=1e-10)
    assert bounds[-1] == pytest.approx(steps[-2].bound, rel=1e-10)
    rtol = 1e-8 if np.linalg.cond(np.cov((x / sd).T)) > 1e6 else 1e-10
    np.testing.assert_allclose(bounds, [s.bound for s in steps if s.kind == "E"], rtol=rtol)


def test_fit_and_em_run_the_stated_number_of_rounds():
    x, start = PLAIN[0]
    done = fit(x, start, max_iter=500, tol=1e-4)
    assert len(done.bounds) == peer(x, start, 500, tol=1e-4).n_iter_ and done.converged
    mixture, bounds = done
    assert mixture is done.mixture is done[0] and bounds is done.bounds is done[1]
    assert len(fit(x, mixture, tol=1).bounds) == 2  # two rounds are needed to detect convergence
    endless = fit(x[:60], start, tol=0)
    assert len(endless.bounds) == 100 and not endless.converged
    assert len(fit(x[:60], start, max_iter=1, tol=0).bounds) == 1
    assert sum(1 for _ in em(x[:10], GaussianMixture([1.0], [[0, 0, 0]], [np.eye(3)]))) == 2 * 100


def joint_densities(x, mixture):
    """Return the table pi_k N(x_n; mu_k, Sigma_k) with SciPy's densities."""
    parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    return np.stack([w * multivariate_normal(m, c).pdf(x) for w, m, c in parts], axis=1)


@covers("04 cell-034 0 1e9341; 04 cell-034-5 0 46f1b2", "Bishop (2006), eqs. 9.36, 9.40 and 9.71; Neal & Hinton (1998)")
def test_the_bound_is_a_mean_over_all_ways_to_assign_the_rows():
    """By enumeration of all 1,024 ways to give five rows to four components, with SciPy's densities: the joint adds up
    to the likelihood, and the bound is the mean of log p(x, z) − log q(z), also for a q that is certain.
    """
    x, start = PLAIN[1][0][:5], PLAIN[1][1]
    log_joint, ways = np.log(joint_densities(x, start)), np.array(list(itertools.product(range(4), repeat=5)))
    joint = log_joint[np.arange(5), ways].sum(axis=1)
    assert logsumexp(joint) == pytest.approx(e_step(x, start)[1].sum(), rel=1e-12)
    for resp in (RNG(20).dirichlet(np.ones(4), 5), np.eye(4)[[0, 1, 2, 3, 0]]):
        q = resp[np.arange(5), ways].prod(axis=1)
        with np.errstate(divide="ignore"):
            log_resp = np.log(resp)
        assert elbo(x, start, log_resp) == pytest.approx(q @ joint - xlogy(q, q).sum(), rel=1e-12)


@covers(
    "04 cell-008-3 0 a44479; 04 cell-010-3 0 5e12e1; 04 cell-013 0 2b1a1a; 04 cell-020-4 0 8769c1; "
    "04 cell-028-5 1 a3d6f3",
    "Bishop (2006), eqs. 2.43, 9.7, 9.13, 9.14 and 9.24 to 9.27",
)
def test_the_two_steps_against_scipy_and_weighted_averages():
    """Densities and responsibilities with SciPy's normal density; NumPy's weighted means and covariances."""
    x, start = PLAIN[1]
    joint = joint_densities(x, start)
    log_resp, log_likelihood = e_step(x, start)
    np.testing.assert_allclose(log_likelihood, np.log(joint.sum(axis=1)), rtol=1e-11)
    np.testing.assert_allclose(np.exp(log_resp), joint / joint.sum(axis=1, keepdims=True), atol=1e-12)
    mixture = m_step(x, log_resp)
    np.testing.assert_allclose(mixture.weights, np.exp(log_resp).mean(axis=0), rtol=1e-12)
    for k, resp in enumerate(np.exp(log_resp).T):
        np.testing.assert_allclose(mixture.means[k], np.average(x, axis=0, weights=resp), rtol=1e-10)
        np.testing.assert_allclose(mixture.covariances[k], np.cov(x.T, aweights=resp, ddof=0), rtol=1e-10)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.integers(1, 4), st.integers(1, 3))
def test_every_half_step_raises_the_bound_and_an_e_step_closes_the_gap(seed, k, d):
    x, start = problem(seed, n=60, d=d, k=k)
    steps = list(em(x, start, max_iter=12))
    assert [s.kind for s in steps] == ["E", "M"] * 12
    bounds = np.array([s.bound for s in steps])
    narrowest = np.array([np.linalg.eigvalsh(s.mixture.covariances).min() for s in steps]) / x.var(axis=0).max()
    rounding = len(x) * 1e-16 / narrowest  # the accuracy of a covariance in floats
    assert (np.diff(bounds) >= -1e-9 * (1 + np.abs(bounds[1:])) - rounding[1:]).all()
    for step in steps:
        likelihood = e_step(x, step.mixture)[1].sum()
        assert elbo(x, step.mixture, step.log_resp) == pytest.approx(step.bound, rel=1e-12, abs=1e-9)
        assert step.bound <= likelihood + 1e-9 * abs(likelihood)
        if step.kind == "E":
            assert step.bound == pytest.approx(likelihood, rel=1e-12, abs=1e-9)


def test_a_component_on_one_point_stops_at_the_floor():
    x = RNG(0).normal(size=(100, 2))
    start = GaussianMixture([0.5, 0.5], [[0, 0], x[3]], [EYE, 1e-8 * EYE])
    steps = list(em(x, start, max_iter=60))
    last = steps[-1].mixture
    np.testing.assert_allclose(last.means[1], x[3], atol=1e-9)
    np.testing.assert_allclose(last.covariances[1], mixtures.FLOOR * np.cov(x.T, bias=True), rtol=1e-6)
    assert (np.diff([s.bound for s in steps]) > -1e-9).all() and last.weights[1] == pytest.approx(0.01)
    fast, bounds = fit(x, start, max_iter=60, tol=0)
    np.testing.assert_allclose(fast.means, last.means, atol=1e-9)
    np.testing.assert_allclose(bounds[-1], steps[-2].bound, rtol=1e-10)


def test_a_component_on_a_line_is_lifted_across_it_only():
    rng = RNG(1)
    x = rng.normal(size=(200, 2))
    x[:50, 1] = 0
    log_resp = np.log(np.where(np.arange(200)[:, None] < 50, [[1.0, 1e-300]], [[1e-300, 1.0]]))
    covariance = m_step(x, log_resp).covariances[0]
    assert covariance[0, 0] == pytest.approx(x[:50, 0].var(), rel=1e-6)
    assert 0 < covariance[1, 1] < 1e-10


def test_a_component_far_from_all_rows_moves_to_the_nearest_ones():
    x = RNG(0).normal(size=(50, 2))
    start = GaussianMixture([0.5, 0.5], [[0, 0], [30, 0]], [EYE, EYE])  # its responsibilities are below 1e-150
    fast, slow = fit(x, start, max_iter=1, tol=0).mixture, list(em(x, start, max_iter=1))[-1].mixture
    np.testing.assert_allclose(fast.means, slow.means, atol=1e-9)
    np.testing.assert_allclose(fast.covariances, slow.covariances, atol=1e-9)


def test_a_component_without_weight_has_no_responsibility_and_cannot_be_fitted():
    x, mixture = RNG(0).normal(size=(20, 2)), GaussianMixture([1.0, 0.0], [[0, 0], [1, 1]], [EYE, EYE])
    np.testing.assert_array_equal(np.exp(e_step(x, mixture)[0]), np.tile([1.0, 0.0], (20, 1)))
    with pytest.raises(ValueError, match="^start: component 1 is responsible for nothing"):
        fit(x, mixture)


def test_k_means_returns_the_best_of_several_starts():
    x = RNG(1).random((300, 2))
    runs = [k_means(x, 16, rng=RNG(0), n_init=n) for n in (1, 20)]
    one, best = (((x - centres[labels]) ** 2).sum() for centres, labels in runs)
    assert one > 1.001 * best


def test_an_unfinished_loop_warns():
    x, start = PLAIN[0]
    with pytest.warns(ConvergenceWarning, match="k_means did not converge in max_iter=1 iterations"):
        k_means(x, 5, rng=RNG(0), max_iter=1)
    with pytest.warns(ConvergenceWarning, match="[Nn]umber of distinct clusters"):
        k_means(np.ones((8, 2)), 3, rng=RNG(0))
    with pytest.warns(ConvergenceWarning, match="fit did not converge to tol=1e-09 in max_iter=2 iterations"):
        fit(x, start, max_iter=2, tol=1e-9)


def test_restarts_find_the_best_of_several_optima():
    x = datasets.old_faithful() / [1, 12]  # in about the same unit, as k-means needs it
    ends = [fit(x, 4, rng=RNG(seed), max_iter=500, tol=1e-6).bounds[-1] for seed in range(12)]
    assert max(ends) - min(ends) > 0.2  # nats
    best = fit(x, 4, n_init=20, rng=RNG(0), max_iter=500, tol=1e-6)
    assert best.bounds[-1] >= max(ends) - 0.01


def test_restarts_prefer_a_run_without_a_collapsed_component(monkeypatch):
    """The second start has a component on one point, and so the larger likelihood."""
    x = RNG(0).normal(size=(100, 2))
    labels = iter([(x[:, 0] > 0).astype(int), (np.arange(100) == 3).astype(int)])
    monkeypatch.setattr(mixtures, "k_means", lambda *_, **__: (None, next(labels)))
    alone = fit(x, 2, n_init=2, rng=RNG(0), max_iter=30, tol=0)
    assert alone.mixture.weights.min() > 0.05
    labels = iter([(np.arange(100) == 3).astype(int)])
    assert fit(x, 2, rng=RNG(0), max_iter=30, tol=0).bounds[-1] > alone.bounds[-1]


def test_fit_depends_on_no_offset():
    """Shifting the rows far from 0 shifts the mixture, up to the precision of floats there."""
    x = np.round(np.vstack([RNG(2).normal(m, 1, (300, 2)) for m in (-3, 3)]) * 64) / 64
    start = GaussianMixture([0.5, 0.5], [[-1, 0], [1, 0]], [EYE, EYE])
    near, bounds = fit(x, start, max_iter=60, tol=1e-9)
    for offset in (2.0**30, 2.0**40):
        moved = GaussianMixture(start.weights, start.means + offset, start.covariances)
        far, same = fit(x + offset, moved, max_iter=60, tol=1e-9)
        np.testing.assert_allclose(far.means - offset, near.means, atol=4 * np.spacing(offset))
        np.testing.assert_allclose(far.covariances, near.covariances, rtol=1e-3)
        np.testing.assert_allclose(same, bounds, rtol=1e-4)


def test_k_means_of_the_lesson_ends_where_the_package_does():
    """From a row of each of three clusters that are far apart, or from any row where one center is wanted."""
    x = np.vstack([RNG(1).normal(m, 1, (40, 2)) for m in (-30, 0, 30)])
    lloyd = inline("04", "lloyd")
    for rows in ([7], [3, 50, 100]):
        ours, theirs = k_means(x, len(rows), rng=RNG(0), n_init=5), lloyd(x, x[rows])
        order, same = ours[0][:, 0].argsort(), theirs[0][:, 0].argsort()
        np.testing.assert_allclose(ours[0][order], theirs[0][same], rtol=1e-12)
        np.testing.assert_array_equal(order.argsort()[ours[1]], same.argsort()[theirs[1]])


def test_samples_have_the_moments_of_the_mixture():
    covariances = np.array([[[1.0, 0.8], [0.8, 1.0]], [[0.2, 0], [0, 3]]])
    mixture = GaussianMixture([0.3, 0.7], [[-1, 0], [2, 5]], covariances)
    x, z = mixture.sample(40_000, rng=RNG(0))
    assert np.mean(z == 0) == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / 40_000))
    for k in range(2):
        np.testing.assert_allclose(x[z == k].mean(axis=0), mixture.means[k], atol=0.06)
        np.testing.assert_allclose(np.cov(x[z == k].T), covariances[k], atol=0.12)
    nearly = GaussianMixture([0.5, 0.5 + 9e-7], mixture.means, covariances)  # NumPy's own limit is narrower
    assert nearly.sample(3, rng=RNG(0))[0].shape == (3, 2) and nearly.sample(0, rng=RNG(0))[1].shape == (0,)


def test_the_tolerance_for_symmetry_depends_on_the_scale():
    GaussianMixture([1.0], [[0, 0]], [1e8 * np.array([[1, 0.5 + 1e-9], [0.5, 1]])])
    with pytest.raises(ValueError, match="^covariances: need symmetric matrices"):
        GaussianMixture([1.0], [[0, 0]], [1e-8 * np.array([[1, 0.5], [0, 1]])])


def test_a_mixture_holds_read_only_copies():
    weights = np.array([0.5, 0.5])
    mixture = GaussianMixture(weights, [[0, 0], [1, 1]], [EYE, EYE])
    weights[0] = 9
    assert mixture.weights[0] == 0.5
    with pytest.raises(ValueError, match="read-only"):
        mixture.means[0] = 1


def test_old_faithful_is_the_published_table():
    x = datasets.old_faithful()
    assert x.shape == (272, 2) and x[-1].tolist() == [4.467, 74]
    np.testing.assert_allclose(x.mean(axis=0), [3.487783, 70.897059], atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0, ddof=1), [1.141371, 13.594974], atol=1e-6)
