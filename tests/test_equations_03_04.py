"""The displayed equations of lessons 03 and 04 against independent values: see equations.py."""

import itertools

import numpy as np
import sklearn.mixture
import torch
from equations import checks, gaussian_kl, slope
from scipy import stats
from scipy.optimize import minimize, minimize_scalar
from scipy.special import logsumexp, softmax
from scipy.stats import multivariate_normal
from test_inline import mixture as random_mixture
from test_mixtures import joint_densities
from torch import distributions

from vaehelpers import inference, mixtures

# Lesson 03: the intractable posterior


@checks("03 cell-005-3 0 224245; 05 cell-002-3 0 834d67", "MacKay (2003), §2.1 to §2.3; Bishop (2006), §1.2", rtol=0.01)
def test_bayes_rule():
    """Against the shares counted in four million simulated mornings."""
    rng = np.random.default_rng(12)
    prior, likelihood = np.array([0.95, 0.05]), np.array([0.02, 0.9])
    joint = likelihood * prior
    blown = (rng.random(4_000_000) < 0.05).astype(int)
    dark = rng.random(len(blown)) < likelihood[blown]
    return np.array([joint.sum(), joint[1] / joint.sum()]), [dark.mean(), blown[dark].mean()]


#: A noisy-OR of three causes and two symptoms.
MODEL = inference.NoisyOr([0.45, 0.15, 0.3], [0.05, 0.15], [[0.4, 0.8], [0.7, 0.2], [0.3, 0.6]])
STATES = inference.binary_states(3)


def cube(x):
    """Return log p(x, z) of all states as an array with the axes z0, z1 and z2."""
    return MODEL.log_joint(STATES, x)[np.lexsort(STATES.T[::-1])].reshape(2, 2, 2)


@checks("03 cell-031-3 0 271fa1; 03 quickscore 0 ca7f9c", "Heckerman (1989)")
def test_quickscore():
    """Against enumeration of all states of random machines, for every combination of their symptoms; the four sums of
    two present symptoms too.
    """
    rng, formula, enumerated = np.random.default_rng(21), [], []
    prior, leak, strength = rng.uniform(0.1, 0.5, 5), rng.uniform(0.02, 0.2, 4), rng.uniform(0, 0.9, (5, 4))
    model, states = inference.NoisyOr(prior, leak, strength), inference.binary_states(5)
    for x in inference.binary_states(4):
        p = 0
        for subset in itertools.product(*[(0, 1) if on else (1,) for on in x]):  # the symptoms in A
            a = np.array(subset, bool)
            each = 1 - prior + prior * np.prod(1 - strength[:, a], axis=1)
            p += (-1) ** sum(subset[j] for j in np.flatnonzero(x)) * np.prod(1 - leak[a]) * np.prod(each)
        formula.append(p)
        enumerated.append(np.exp(model.log_joint(states, x)).sum())
    p_z = np.prod(np.where(states, prior, 1 - prior), axis=1)
    a = (1 - leak[:2]) * np.prod((1 - strength[:, :2]) ** states[:, :, None], axis=1)
    four = p_z.sum() - p_z @ a[:, 0] - p_z @ a[:, 1] + p_z @ a.prod(axis=1)
    pair = inference.NoisyOr(prior, leak[:2], strength[:, :2])
    both = np.exp(pair.log_joint(states, [1, 1])).sum()
    return [formula, np.array([p_z @ (1 - a).prod(axis=1), four])], [enumerated, both]


@checks("03 cell-042-2 0 457d16; 03 cell-042-6 0 d3c348", "MacKay (2003), §29.2; Bishop (2006), §11.1.4", rtol=0.01)
def test_importance_sampling():
    """By a million draws from the prior, and from another product, against enumeration."""
    rng, prior, x, estimates = np.random.default_rng(22), MODEL.prior, np.array([1, 0]), []
    for on in (prior, np.array([0.6, 0.2, 0.5])):
        z = (rng.random((1_000_000, 3)) < on).astype(int)
        absent = (1 - MODEL.leak) * np.prod((1 - MODEL.strength) ** z[:, :, None], axis=1)
        likelihood = np.where(x, 1 - absent, absent).prod(axis=1)
        ratio = np.where(z, prior / on, (1 - prior) / (1 - on)).prod(axis=1)  # 1 for draws from the prior
        estimates.append(np.mean(likelihood * ratio))
    return np.array(estimates), np.exp(MODEL.log_joint(STATES, x)).sum()


@checks("03 cell-042-7 0 b026dc", "Kong (1992)", rtol=0.02)
def test_effective_sample_size_of_weights():
    """The variance of two hundred thousand weighted means of draws with variance 1 is one over it."""
    rng = np.random.default_rng(23)
    w = rng.lognormal(size=40)
    means = rng.standard_normal((200_000, 40)) @ w / w.sum()
    return w.sum() ** 2 / (w**2).sum(), 1 / means.var()


@checks("03 cell-050-5 0 9df948", "Gelman et al. (2013), §11.5", rtol=1e-3)
def test_effective_sample_size_of_a_chain():
    """Against the variance of the mean, the sum over all pairs of steps, of a stationary autoregressive chain."""
    n, lags = 100_000, np.arange(1, 1000)
    found, exact = [], []
    for phi in (0.9, 0.5, -0.3):
        found.append(n / (1 + 2 * np.sum(phi**lags)))
        exact.append(n**2 / (n + 2 * np.sum((n - lags) * phi**lags)))
    return found, exact


@checks("03 cell-053 0 3d3f37", "MacKay (2003), §29.5; Bishop (2006), §11.3")
def test_gibbs_sampling():
    """Against conditional probabilities from the enumerated posterior."""
    logs = cube([1, 0])
    table = softmax(logs)
    formula = [1 / (1 + np.exp(-np.diff(logs, axis=i))) for i in range(3)]
    return formula, [np.take(table, [1], axis=i) / table.sum(axis=i, keepdims=True) for i in range(3)]


@checks("03 cell-056 0 bd236d", "Bishop (2006), eq. 10.5; Blei, Kucukelbir & McAuliffe (2017), §2.3")
def test_a_product_of_switches():
    """Against SciPy's Bernoulli distribution: the product sums to 1, and its marginals are the factors."""
    q = np.array([0.1, 0.7, 0.4])
    product = np.prod(stats.bernoulli(q).pmf(STATES), axis=1)
    return [inference.factorised(q, STATES), product.sum(), product @ STATES], [product, 1, q]


@checks(
    "03 cell-058 0 9c3903; 03 cell-058-2 0 fcf736; 03 cell-058-3 0 79050d",
    "Bishop (2006), §10.1.1, eqs. 10.6 to 10.9; Blei, Kucukelbir & McAuliffe (2017), §2.4",
    rtol=1e-5,
)
def test_the_best_factor_while_the_others_are_fixed():
    """The divergence by enumeration: for every value of the free factor it differs from the formula by the same
    constant, and a numerical search converges to the rule.
    """
    log_joint, q = MODEL.log_joint(STATES, [1, 1]), np.array([0.3, 0.8, 0.6])
    others = inference.factorised(q[[0, 2]], STATES[:, [0, 2]])  # their weight in each state
    mean = np.array([(others * log_joint)[STATES[:, 1] == value].sum() for value in (0, 1)])

    def divergence(on):
        return stats.entropy(inference.factorised([q[0], on, q[2]], STATES), softmax(log_joint))

    grid = np.linspace(0.05, 0.95, 19)
    formula = np.array([np.sum([1 - t, t] * (np.log([1 - t, t]) - mean)) + logsumexp(log_joint) for t in grid])
    constant = -sum(stats.bernoulli(q[i]).entropy() for i in (0, 2))
    best = minimize_scalar(divergence, bounds=(0, 1), method="bounded", options={"xatol": 1e-10}).x
    log_odds = np.log(best / (1 - best))
    return [formula + constant, softmax(mean)[1], mean[1] - mean[0]], [[divergence(t) for t in grid], best, log_odds]


@checks("03 cell-090-5 0 181686", "Bishop (2006), eq. 10.9, for a factor of two variables", rtol=1e-4)
def test_the_best_factor_of_a_pair():
    """Against a numerical search for the four probabilities of the pair, with the divergence by enumeration."""
    log_joint, third = cube([1, 0]).reshape(4, 2), [0.65, 0.35]

    def divergence(numbers):
        return stats.entropy(np.outer(softmax(numbers), third).ravel(), np.exp(log_joint).ravel())

    found = minimize(divergence, np.zeros(4), method="BFGS", options={"gtol": 1e-9})
    return softmax(log_joint @ third), softmax(found.x)


@checks(
    "03 cell-077-3 0 f6bb72; 03 cell-077-3 1 600b31; 03 cell-077-4 0 c56ded; 03 cell-077-4 1 40f87a; "
    "03 gaussian-kl-left 0 71371e; 05 cell-069-3 0 15c531",
    "Bishop (2006), §10.1, eqs. 10.10 to 10.15; Blei, Kucukelbir & McAuliffe (2017), §2.2",
    rtol=1e-4,
)
def test_mean_field_on_a_gaussian():
    """Against NumPy's inverse, SciPy's normal density, its mean over the fixed factor by Gauss–Hermite quadrature, and
    numerical searches with torch's divergence of two Gaussians, which give the least divergence too.
    """
    mu, sigma, m_2 = np.array([0.5, -1.0]), np.array([[1.5, 0.8], [0.8, 1]]), 0.7
    precision, target = np.linalg.inv(sigma), multivariate_normal(mu, sigma)
    z = np.random.default_rng(15).normal(size=(20, 2))
    determinant = sigma[0, 0] * sigma[1, 1] - sigma[0, 1] ** 2
    by_hand = np.array([[sigma[1, 1], -sigma[0, 1]], [-sigma[0, 1], sigma[0, 0]]]) / determinant
    (u, v), ((a, b), (_, c)) = (z - mu).T, precision
    density = -0.5 * (a * u**2 + 2 * b * u * v + c * v**2) - np.log(2 * np.pi) - 0.5 * np.log(determinant)
    left = 0.5 * np.log([a * c * determinant, sigma[0, 0] * a])
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    z_1 = np.linspace(-3, 3, 9)
    pairs = np.stack(np.broadcast_arrays(z_1[:, None], m_2 + 0.6 * nodes), axis=-1)
    mean = target.logpdf(pairs) @ weights / weights.sum()
    u, d = z_1 - mu[0], m_2 - mu[1]
    factor = -0.5 * a * u**2 - b * u * d
    square = -0.5 * a * (u + b / a * d) ** 2 + 0.5 * a * (b / a * d) ** 2

    def divergence(t):
        return gaussian_kl([t[0], m_2], np.diag([np.exp(t[1]), 0.36]), mu, sigma)

    found = minimize(divergence, [0.0, 0.0], method="BFGS", options={"gtol": 1e-7}).x
    rule, found = np.array([mu[0] - b / a * d, 1 / a]), [found[0], np.exp(found[1])]
    least = minimize(lambda t: gaussian_kl(t[:2], np.diag(np.exp(t[2:])), mu, sigma), np.zeros(4), method="BFGS").fun
    formulas = [by_hand, density, factor - factor[0], square, rule, left]
    return formulas, [precision, target.logpdf(z), mean - mean[0], factor, found, least]


# Lesson 04: mixtures and EM


def torch_mixture(mixture):
    parts = distributions.MultivariateNormal(torch.tensor(mixture.means), torch.tensor(mixture.covariances))
    return distributions.MixtureSameFamily(distributions.Categorical(torch.tensor(mixture.weights)), parts)


@checks("04 cell-052-6 0 c0cb20", "Hastie, Tibshirani & Friedman (2009), §7.7; Murphy (2022), §5.2.5.1")
def test_bic():
    """Against that of scikit-learn's mixture with the same parameters."""
    x, mixture, _ = random_mixture()
    by_sklearn, k, d = sklearn.mixture.GaussianMixture(3), 3, 2
    by_sklearn.weights_, by_sklearn.means_ = mixture.weights, mixture.means
    by_sklearn.precisions_cholesky_ = np.stack([np.linalg.cholesky(np.linalg.inv(c)) for c in mixture.covariances])
    log_p = torch_mixture(mixture).log_prob(torch.tensor(x)).sum().item()
    return -2 * log_p + (k - 1 + k * d + k * d * (d + 1) / 2) * np.log(len(x)), by_sklearn.bic(x)


@checks("04 cell-028-5 0 b2fe82; 04 cell-028-6 0 56dc8c", "Bishop (2006), eqs. 2.120, 2.121 and 9.16")
def test_gradients_of_the_log_likelihood():
    """Against torch's automatic differentiation of its own distributions."""
    x, mixture, _ = random_mixture()
    rows, covariances = torch.tensor(x), torch.tensor(mixture.covariances)
    mu = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    (one,) = torch.autograd.grad(distributions.MultivariateNormal(mu, covariances[0]).log_prob(rows).sum(), mu)
    mixed = torch_mixture(mixture)
    means = mixed.component_distribution.loc.requires_grad_()
    (many,) = torch.autograd.grad(mixed.log_prob(rows).sum(), means)
    inverses, joint = np.linalg.inv(mixture.covariances), joint_densities(x, mixture)
    resp = joint / joint.sum(axis=1, keepdims=True)
    pulls = [resp[:, k] @ (x - mixture.means[k]) @ inverses[k] for k in range(3)]
    gradient, at_the_mean = inverses[0] @ (x - [0.3, -0.2]).sum(axis=0), inverses[0] @ (x - x.mean(axis=0)).sum(axis=0)
    return [gradient, at_the_mean, pulls], [one.numpy(), 0, many.numpy()]


@checks("04 rate-4 0 e55bf3", "Dempster, Laird & Rubin (1977); Meng & Rubin (1991)", rtol=1e-5)
def test_the_rate_for_one_weight():
    """Against the slope of one round of EM by central differences, with SciPy's densities."""
    rng = np.random.default_rng(21)
    densities = stats.norm.pdf(rng.normal(1.5 * (rng.random(500) < 0.4))[:, None], [0, 1.5])

    def responsibility(weight):
        joint = densities * [1 - weight, weight]
        return joint[:, 1] / joint.sum(axis=1)

    weight = 0.5
    for _ in range(300):
        weight = responsibility(weight).mean()
    r = responsibility(weight)
    return np.mean(r * (1 - r)) / (weight * (1 - weight)), slope(lambda w: responsibility(w).mean(), weight)


@checks("04 rate-6 0 273816", "Dempster, Laird & Rubin (1977); Meng & Rubin (1991)", rtol=1e-3)
def test_the_rate_for_all_parameters():
    """For two Gaussians with five unknown parameters, with both curvatures by torch's automatic differentiation,
    against two rounds of the package's EM: the ratio of their distances to the end, and the root of that of their
    rises, which Exercise 5 takes.
    """
    rng = np.random.default_rng(22)
    x = rng.normal(3 * (rng.random(400) < 0.4))[:, None]
    start = mixtures.GaussianMixture([0.5, 0.5], [[-1], [2]], np.ones((2, 1, 1)))
    steps = list(mixtures.em(x, start, max_iter=600))
    run = [np.concatenate([m.weights[:1], m.means.ravel(), m.covariances.ravel()]) for _, m, *_ in steps[1::2]]
    rises = np.diff([step.bound for step in steps[::2]])
    rows = torch.tensor(x)

    def log_joint(theta):
        weights = torch.stack([theta[0], 1 - theta[0]])
        return weights.log() + distributions.Normal(theta[1:3], theta[3:].sqrt()).log_prob(rows)

    end = torch.tensor(run[-1])
    resp = log_joint(end).softmax(dim=1)
    observed = torch.autograd.functional.hessian(lambda theta: -log_joint(theta).logsumexp(dim=1).sum(), end)
    complete = torch.autograd.functional.hessian(lambda theta: -(resp * log_joint(theta)).sum(), end)
    rate = np.linalg.eigvals(np.eye(5) - np.linalg.solve(complete.numpy(), observed.numpy())).real.max()
    late = next(i for i, point in enumerate(run) if np.linalg.norm(point - run[-1]) < 1e-4)
    distances = np.linalg.norm(run[late + 1] - run[-1]) / np.linalg.norm(run[late] - run[-1])
    return rate, [distances, np.sqrt(rises[late] / rises[late - 1])]
