"""The displayed equations of lessons 03 and 04, checked by number: see equations.py."""

import itertools
from decimal import Decimal, localcontext

import numpy as np
import sklearn.mixture
import torch
from equations import checks, gaussian_kl, within_error
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logsumexp, softmax
from scipy.stats import multivariate_normal
from torch import distributions

from vaehelpers import inference, mixtures

# Lesson 03: the intractable posterior


@checks(
    "03 cell-005-3 0 224245", "05 cell-002-3 0 834d67",
    source="MacKay (2003), §2.1 to §2.3; Bishop (2006), §1.2",
)  # fmt: skip
def test_bayes_rule_counts_mornings():
    """Against the shares counted in four million simulated mornings, within their standard errors."""
    rng = np.random.default_rng(12)
    prior, likelihood = np.array([0.95, 0.05]), np.array([0.02, 0.9])
    joint = likelihood * prior
    blown = (rng.random(4_000_000) < 0.05).astype(int)
    dark = rng.random(len(blown)) < likelihood[blown]
    within_error(dark & (blown == 1), joint[1])
    within_error(dark, joint.sum())
    within_error(blown[dark], joint[1] / joint.sum())
    posterior, log_evidence = inference.enumerate_posterior(np.log(joint))
    assert_allclose([posterior[1], np.exp(log_evidence)], [joint[1] / joint.sum(), joint.sum()])


def small_noisy_or():
    """Three causes, two symptoms, all eight states."""
    rng = np.random.default_rng(13)
    arrays = rng.uniform(0.1, 0.5, 3), rng.uniform(0.02, 0.2, 2), rng.uniform(0.1, 0.9, (3, 2))
    return inference.NoisyOr(*arrays), inference.binary_states(3), *arrays


@checks("03 cell-010-3 0 b9eb12", source="Pearl (1988), §4.3; Heckerman (1989)")
def test_the_noisy_or():
    """By enumeration of every way in which the causes and the leak can succeed or fail."""
    machine, states, prior, leak, strength = small_noisy_or()
    for z, j in itertools.product(states, range(2)):
        tries = np.append(z * strength[:, j], leak[j])
        ways = itertools.product((0, 1), repeat=4)
        absent = sum(np.prod(np.where(way, tries, 1 - tries)) for way in ways if not any(way))
        present = sum(np.prod(np.where(w, tries, 1 - tries)) for w in itertools.product((0, 1), repeat=4) if any(w))
        literal = (1 - leak[j]) * np.prod((1 - strength[:, j]) ** z)
        assert_allclose([literal, 1 - literal], [absent, present])
    both = sum(np.exp(machine.log_joint(states, x)) for x in inference.binary_states(2))  # over all symptoms: the prior
    assert_allclose(both, np.prod(np.where(states, prior, 1 - prior), axis=1))


@checks("03 cell-015 0 696afe", source="Bishop (2006), §1.2; Murphy (2022), §2.5.4")
def test_bayes_rule_in_log_space():
    """Against decimal arithmetic with fifty digits, where nothing underflows."""
    table = np.random.default_rng(14).normal(-1000, 5, 8)
    with localcontext(prec=50):
        exact = [Decimal(value).exp() for value in table]
        log_evidence = float(sum(exact).ln())
        posterior = [float(value / sum(exact)) for value in exact]
    assert_allclose(logsumexp(table), log_evidence, rtol=1e-14)
    assert_allclose(np.exp(table - log_evidence), posterior, rtol=1e-9)
    ours, log_px = inference.enumerate_posterior(table)
    assert_allclose([*ours, log_px], [*posterior, log_evidence], rtol=1e-9)


@checks("03 cell-043-2 0 11f760", source="MacKay (2003), §29.4; Metropolis et al. (1953)")
def test_a_walk_needs_ratios_of_the_joint_only():
    """The walk's table of transitions is made from ratios of the joint; its eigenvector is the enumerated posterior."""
    machine, states, *_ = small_noisy_or()
    log_joint = machine.log_joint(states, np.array([1, 0]))
    posterior = np.exp(log_joint) / np.exp(log_joint).sum()
    assert_allclose(posterior[:, None] / posterior, np.exp(log_joint[:, None] - log_joint))
    neighbours = (states[:, None] != states).sum(axis=2) == 1
    move = np.where(neighbours, np.minimum(1, np.exp(log_joint - log_joint[:, None])) / 3, 0)
    move += np.diag(1 - move.sum(axis=1))
    values, vectors = np.linalg.eig(move.T)
    settled = np.real(vectors[:, np.argmax(np.real(values))])
    assert_allclose(settled / settled.sum(), posterior)


@checks("03 cell-056 0 bd236d", source="Bishop (2006), eq. 10.5; Blei, Kucukelbir & McAuliffe (2017), §2.3")
def test_a_product_of_switches():
    """Against SciPy's Bernoulli distribution: the product sums to 1, and its margins are the factors."""
    q, states = np.array([0.1, 0.7, 0.4]), inference.binary_states(3)
    product = np.prod([stats.bernoulli(q[i]).pmf(states[:, i]) for i in range(3)], axis=0)
    assert_allclose([product, inference.factorised(q, states)], np.broadcast_to(product, (2, 8)))
    assert_allclose([product.sum(), *product @ states], [1, *q])


@checks(
    "03 cell-058 0 2bb7af", "03 cell-058-2 0 fcf736", "03 cell-058-3 0 79050d",
    source="Bishop (2006), §10.1.1, eqs. 10.6 to 10.9; Blei, Kucukelbir & McAuliffe (2017), §2.4",
)  # fmt: skip
def test_the_best_factor_while_the_others_are_frozen():
    """The divergence by enumeration: for every value of the free factor it differs from the formula by the same
    constant, and a numerical search ends at the rule.
    """
    machine, states, *_ = small_noisy_or()
    log_joint = machine.log_joint(states, np.array([1, 1]))
    log_px, q, i = logsumexp(log_joint), np.array([0.3, 0.8, 0.6]), 1
    frozen = inference.factorised(q[[0, 2]], states[:, [0, 2]])  # the weight of the others in each state
    mean = np.array([(frozen * log_joint)[states[:, i] == value].sum() for value in (0, 1)])

    def divergence(on):
        return stats.entropy(inference.factorised([q[0], on, q[2]], states), np.exp(log_joint - log_px))

    grid = np.linspace(0.05, 0.95, 19)
    literal = [np.sum([1 - t, t] * (np.log([1 - t, t]) - mean)) + log_px for t in grid]
    constant = np.array([divergence(t) for t in grid]) - literal
    assert_allclose(constant, -sum(stats.bernoulli(q[j]).entropy() for j in (0, 2)))
    best = minimize_scalar(divergence, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    assert_allclose(best, softmax(mean)[1], atol=1e-6)
    assert_allclose(np.log(best / (1 - best)), mean[1] - mean[0], atol=1e-5)
    path, _ = inference.mean_field(machine, np.array([1, 1]), [0.3, 0.8, 0.6], sweeps=1)
    assert_allclose(path[1][0], free_factor(log_joint, states, q, 0), atol=1e-6)


def free_factor(log_joint, states, q, i):
    """The best q_i by a numerical search, the others held."""

    def divergence(on):
        moved = np.array(q)
        moved[i] = on
        return stats.entropy(inference.factorised(moved, states), np.exp(log_joint))

    return minimize_scalar(divergence, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x


@checks("03 cell-090-5 0 181686", source="Bishop (2006), eq. 10.9, for a factor of two variables")
def test_the_best_factor_of_a_pair():
    """Against a numerical search for the four probabilities of the pair, with the divergence by enumeration."""
    machine, states, *_ = small_noisy_or()
    log_joint, third = machine.log_joint(states, np.array([1, 0])), 0.35
    cube = log_joint[np.lexsort(states.T[::-1])].reshape(2, 2, 2)  # [z0, z1, z2]
    rule = softmax(cube @ [1 - third, third])

    def divergence(numbers):
        pair = softmax(numbers).reshape(2, 2, 1)
        return stats.entropy((pair * [1 - third, third]).ravel(), np.exp(cube).ravel())

    found = minimize(divergence, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    assert_allclose(softmax(found.x).reshape(2, 2), rule, atol=1e-5)


@checks(
    "03 cell-077-3 0 88ffc5", "03 cell-077-3 1 af26e2", "03 cell-077-4 0 40f87a",
    source="Bishop (2006), §10.1.2, eqs. 10.10 to 10.15",
)  # fmt: skip
def test_mean_field_on_a_gaussian():
    """Against SciPy's normal density, its mean over the frozen number by Gauss–Hermite quadrature, and a numerical
    search with torch's divergence of two Gaussians.
    """
    mu, sigma, m_2 = np.array([0.5, -1.0]), np.array([[1, 0.8], [0.8, 1]]), 0.7
    precision = np.linalg.inv(sigma)
    z = np.random.default_rng(15).normal(size=(20, 2))
    constant = multivariate_normal(mu, sigma).logpdf(z) + 0.5 * np.einsum("ni,ij,nj->n", z - mu, precision, z - mu)
    assert_allclose(constant, constant[0])
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    grid = np.linspace(-3, 3, 9)
    pairs = np.stack(np.broadcast_arrays(grid[:, None], m_2 + 0.6 * nodes), axis=-1)  # any variance will do
    mean = multivariate_normal(mu, sigma).logpdf(pairs) @ weights / weights.sum()
    apart = grid - mu[0]
    literal = -0.5 * precision[0, 0] * apart**2 - precision[0, 1] * apart * (m_2 - mu[1])
    assert_allclose(mean - literal, (mean - literal)[0])
    m_1, var_1 = mu[0] - precision[0, 1] / precision[0, 0] * (m_2 - mu[1]), 1 / precision[0, 0]

    def divergence(t):
        return gaussian_kl([t[0], m_2], np.diag([np.exp(t[1]), 0.36]), mu, sigma)

    found = minimize(divergence, [0.0, 0.0], method="BFGS", options={"gtol": 1e-7})
    assert_allclose([found.x[0], np.exp(found.x[1])], [m_1, var_1], rtol=1e-4)
    path, variances = inference.gaussian_mean_field(mu, sigma, [9, m_2], sweeps=1)
    assert_allclose([path[1][0], variances[0]], [m_1, var_1])


# Lesson 04: mixtures and EM


def geysers():
    """A mixture of three Gaussians in the plane, forty rows, and the same mixture as torch has it."""
    rng = np.random.default_rng(16)
    roots = rng.normal(size=(3, 2, 2))
    covariances = roots @ roots.transpose(0, 2, 1) + 0.3 * np.eye(2)
    mixture = mixtures.GaussianMixture(rng.dirichlet(np.ones(3)), 2 * rng.normal(size=(3, 2)), covariances)
    parts = distributions.MultivariateNormal(torch.tensor(mixture.means), torch.tensor(mixture.covariances))
    peer = distributions.MixtureSameFamily(distributions.Categorical(torch.tensor(mixture.weights)), parts)
    return mixture, mixture.sample(40, rng=rng)[0], peer


def joint_densities(x, mixture):
    """The table w_k N(x_n; mu_k, Sigma_k) with SciPy's densities."""
    parts = zip(mixture.weights, mixture.means, mixture.covariances, strict=True)
    return np.stack([w * multivariate_normal(m, c).pdf(x) for w, m, c in parts], axis=-1)


@checks(
    "04 cell-008-3 0 f22017", "04 cell-028-5 1 9f4b35",
    source="Bishop (2006), eqs. 9.7 and 9.14",
)  # fmt: skip
def test_the_density_of_a_mixture():
    """With SciPy's normal densities, against torch's mixture distribution."""
    mixture, x, peer = geysers()
    density = joint_densities(x, mixture).sum(axis=1)
    log_p = peer.log_prob(torch.tensor(x)).numpy()
    assert_allclose(density, np.exp(log_p))
    assert_allclose([np.log(density).sum(), mixtures.e_step(x, mixture)[1].sum()], log_p.sum())


@checks("04 cell-010-3 0 a122f6", source="Bishop (2006), eq. 9.13")
def test_responsibilities():
    """Against scikit-learn's mixture, and against the shares of components among a million draws near one point."""
    mixture, x, _ = geysers()
    joint = joint_densities(x, mixture)
    resp = joint / joint.sum(axis=1, keepdims=True)
    assert_allclose([resp, np.exp(mixtures.e_step(x, mixture)[0])], [peer_mixture(mixture).predict_proba(x)] * 2)
    drawn, component = mixture.sample(1_000_000, rng=np.random.default_rng(17))
    unsure = resp.max(axis=1).argmin()
    near = np.linalg.norm(drawn - x[unsure], axis=1) < 0.05
    for k in np.flatnonzero(resp[unsure] > 0.01):
        within_error(component[near] == k, resp[unsure, k])


def peer_mixture(mixture):
    """A mixture of ours as scikit-learn holds it."""
    peer = sklearn.mixture.GaussianMixture(len(mixture.weights))
    peer.weights_, peer.means_, peer.covariances_ = mixture.weights, mixture.means, mixture.covariances
    peer.precisions_cholesky_ = np.stack([np.linalg.cholesky(np.linalg.inv(c)) for c in mixture.covariances])
    return peer


@checks("04 cell-013 0 5edd7a", source="Bishop (2006), eq. 2.43")
def test_the_log_density_of_a_gaussian_in_many_dimensions():
    """Against SciPy's multivariate normal distribution, in one to five dimensions."""
    rng = np.random.default_rng(18)
    for d in range(1, 6):
        root, mu, x = rng.normal(size=(d, d)), rng.normal(size=d), rng.normal(size=d)
        sigma = root @ root.T + 0.1 * np.eye(d)
        squares = (x - mu) @ np.linalg.inv(sigma) @ (x - mu)
        literal = -0.5 * squares - 0.5 * np.log(np.linalg.det(sigma)) - d / 2 * np.log(2 * np.pi)
        one = mixtures.GaussianMixture([1.0], mu[None], sigma[None])
        ours = mixtures.log_joint_density(x[None], one).item()
        assert_allclose([literal, ours], multivariate_normal(mu, sigma).logpdf(x))


@checks("04 cell-020-4 0 99f50c", source="Bishop (2006), §9.2.2, eqs. 9.24 to 9.27")
def test_the_m_step():
    """Against NumPy's weighted mean and weighted covariance; and no random change of the parameters does better."""
    mixture, x, _ = geysers()
    rng = np.random.default_rng(19)
    resp = rng.dirichlet(np.ones(3), 40)
    best = mixtures.m_step(x, np.log(resp))
    for k in range(3):
        assert_allclose(best.weights[k], resp[:, k].mean())
        assert_allclose(best.means[k], np.average(x, axis=0, weights=resp[:, k]))
        assert_allclose(best.covariances[k], np.cov(x.T, aweights=resp[:, k], ddof=0))
    height = np.sum(resp * np.log(joint_densities(x, best)))
    for _ in range(100):
        roots = np.linalg.cholesky(best.covariances) + 0.05 * rng.normal(size=(3, 2, 2))
        weights = softmax(np.log(best.weights) + 0.1 * rng.normal(size=3))
        means = best.means + 0.1 * rng.normal(size=(3, 2))
        moved = mixtures.GaussianMixture(weights, means, roots @ roots.transpose(0, 2, 1))
        assert np.sum(resp * np.log(joint_densities(x, moved))) < height


@checks("04 cell-026-3 0 3ec3e0", source="Bishop (2006), §9.3.2")
def test_two_round_clouds():
    """Against Bayes' rule with SciPy's normal densities; for small variances it is 0 or 1, as in k-means."""
    m_1, m_2 = np.array([0.0, 1.0]), np.array([2.0, -0.5])
    for x, sigma in itertools.product(([0.5, 0.5], [2.0, 1.0]), (2.0, 1.0, 0.5)):
        apart = np.sum((x - m_2) ** 2) - np.sum((x - m_1) ** 2)
        first, second = (multivariate_normal(m, sigma**2 * np.eye(2)).pdf(x) for m in (m_1, m_2))
        assert_allclose(1 / (1 + np.exp(apart / (2 * sigma**2))), second / (first + second))
        assert_allclose(expit(-apart / (2 * 0.03**2)), float(apart < 0), atol=1e-6)


@checks(
    "04 cell-028-5 0 d9b7b6", "04 cell-028-6 0 46afdb",
    source="Bishop (2006), eqs. 2.120, 2.121 and 9.16",
)  # fmt: skip
def test_gradients_of_the_log_likelihood():
    """Against torch's automatic differentiation of its own distributions."""
    mixture, x, peer = geysers()
    sigma, mu = torch.tensor(mixture.covariances[0]), torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    height = distributions.MultivariateNormal(mu, sigma).log_prob(torch.tensor(x)).sum()
    (gradient,) = torch.autograd.grad(height, mu)
    assert_allclose(np.linalg.solve(sigma.numpy(), (x - mu.detach().numpy()).sum(axis=0)), gradient.numpy())
    assert_allclose(np.linalg.solve(sigma.numpy(), (x - x.mean(axis=0)).sum(axis=0)), 0, atol=1e-12)
    means = torch.tensor(mixture.means, requires_grad=True)
    parts = distributions.MultivariateNormal(means, torch.tensor(mixture.covariances))
    mixed = distributions.MixtureSameFamily(peer.mixture_distribution, parts)
    (gradient,) = torch.autograd.grad(mixed.log_prob(torch.tensor(x)).sum(), means)
    joint = joint_densities(x, mixture)
    resp = joint / joint.sum(axis=1, keepdims=True)
    for k in range(3):
        pulls = resp[:, k, None] * (x - mixture.means[k]) @ np.linalg.inv(mixture.covariances[k])
        assert_allclose(pulls.sum(axis=0), gradient[k].numpy())


@checks(
    "04 cell-034 0 70c4fe", "04 cell-034-5 0 46f1b2",
    source="Bishop (2006), eqs. 9.36, 9.40 and 9.71; Neal & Hinton (1998)",
)  # fmt: skip
def test_the_bound_of_em():
    """By enumeration of all 243 ways to give five rows to three components: the joint adds up to the likelihood, and
    the bound is the mean of log p(x, z) − log q(z).
    """
    mixture, rows, peer = geysers()
    x = rows[:5]
    joint = joint_densities(x, mixture)
    resp = np.random.default_rng(20).dirichlet(np.ones(3), 5)
    ways = np.array(list(itertools.product(range(3), repeat=5)))
    log_joint = np.log(joint)[np.arange(5), ways].sum(axis=1)
    log_px = peer.log_prob(torch.tensor(x)).sum().item()
    assert_allclose(logsumexp(log_joint), log_px)
    log_q = np.log(resp[np.arange(5), ways]).sum(axis=1)
    literal = np.sum(np.sum(resp * np.log(joint), axis=1) - np.sum(resp * np.log(resp), axis=1))
    assert_allclose([literal, mixtures.elbo(x, mixture, np.log(resp))], np.exp(log_q) @ (log_joint - log_q))
    assert literal < log_px
    right = joint / joint.sum(axis=1, keepdims=True)
    assert_allclose(np.sum(right * np.log(joint)) - np.sum(right * np.log(right)), log_px)


@checks("04 cell-052-6 0 c0cb20", source="Hastie, Tibshirani & Friedman (2009), §7.7; Murphy (2022), §5.2.5.1")
def test_bic():
    """Against scikit-learn's BIC of the same mixture."""
    mixture, x, _ = geysers()
    k, d, n = 3, 2, len(x)
    m = k - 1 + k * d + k * d * (d + 1) / 2
    fit = -2 * np.log(joint_densities(x, mixture).sum(axis=1)).sum()
    assert_allclose(fit + m * np.log(n), peer_mixture(mixture).bic(x))
