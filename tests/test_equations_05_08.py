"""The displayed equations of lessons 05 to 08, checked by number: see equations.py."""

import itertools

import numpy as np
import scipy
import torch
from equations import checks, gaussian_kl, slope, within_error
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.spatial.transform import Rotation
from scipy.special import expit, logsumexp, softmax
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import mutual_info_score
from torch import distributions
from torch.nn import functional as F

from vaehelpers import bounds, inference, latents, linear_gaussian, model
from vaehelpers.lessons import lesson06, lesson07
from vaehelpers.lessons.lesson07 import turn

# Lesson 05: the evidence lower bound


@checks(
    "05 cell-006-2 0 f9baa1", "05 cell-008 0 f7adc4", "05 cell-010 0 77aa2b", "05 cell-012 0 ae6153",
    "05 cell-014-2 0 018402", "05 cell-016-3 0 1802a9", "05 cell-028 0 221209", "05 cell-088 0 322017",
    source="Bishop (2006), §9.4 and §10.1; Blei, Kucukelbir & McAuliffe (2017), §2.2",
)  # fmt: skip
def test_the_evidence_is_bound_plus_divergence():
    """For a hundred random models and beliefs each line against SciPy's relative entropy, with the posterior by
    enumeration.
    """
    rng = np.random.default_rng(21)
    for prior, q in rng.dirichlet(np.ones(5), (100, 2)):
        likelihood = rng.random(5)
        joint = prior * likelihood
        px = joint.sum()
        posterior, kl = joint / px, stats.entropy(q, joint / px)
        lines = [q @ np.log(q / posterior), q @ np.log(q) - q @ np.log(posterior)]
        lines += [q @ np.log(q) - q @ (np.log(joint) - np.log(px)), q @ np.log(q) - q @ np.log(joint) + np.log(px)]
        assert_allclose(lines, kl, atol=1e-12)
        elbo = q @ np.log(joint) - q @ np.log(q)
        assert_allclose(elbo + kl, np.log(px))
        assert elbo < np.log(px)
        three = q @ np.log(likelihood) + q @ np.log(prior) - q @ np.log(q)
        two = q @ np.log(likelihood) - stats.entropy(q, prior)
        assert_allclose([three, two, inference.elbo(q, np.log(joint))], elbo)


@checks("05 cell-023 0 b0806e", source="the lecture notes; it is shown to be wrong, as the lesson says")
def test_the_sign_of_the_notes_cannot_hold():
    """The right side is computed for a thousand beliefs: it takes many values, where the left side is one number."""
    joint = np.array([0.03, 0.0048, 0.07, 0.002])
    log_px = np.log(joint.sum())
    beliefs = np.random.default_rng(22).dirichlet(np.ones(4), 1000)
    kl = stats.entropy(beliefs, joint / joint.sum(), axis=1)
    elbo = (beliefs * (np.log(joint) - np.log(beliefs))).sum(axis=1)
    assert_allclose(elbo + kl, log_px)
    assert np.ptp(elbo - kl) > 1
    assert (elbo - kl < log_px).all()


def kitchen(theta):
    """The table log p(x, z; theta) of nine nights, cat and wind, and the nights."""
    nights = np.array([-1.2, 0.3, 0.1, 2.0, 2.4, 3.7, 4.1, 4.4, 5.2])
    return np.log(0.5) + np.stack([norm.logpdf(nights), norm.logpdf(nights, theta)], axis=1), nights


def log_evidence(theta):
    """The log p(x; theta) of the nights, with torch's mixture distribution."""
    parts = distributions.Normal(torch.tensor([0.0, theta], dtype=torch.float64), torch.ones(2, dtype=torch.float64))
    mixed = distributions.MixtureSameFamily(distributions.Categorical(torch.ones(2, dtype=torch.float64) / 2), parts)
    return mixed.log_prob(torch.tensor(kitchen(theta)[1])).sum().item()


@checks(
    "05 cell-040 0 e2dfad", "05 cell-042-2 0 a4187a",
    source="Bishop (2006), eqs. 9.14 and 9.16",
)  # fmt: skip
def test_the_gradient_of_the_evidence():
    """Against torch's mixture distribution and finite differences of it."""
    for theta in (-1.0, 0.7, 4.0):
        table, nights = kitchen(theta)
        assert_allclose(np.log(np.exp(table).sum(axis=1)).sum(), log_evidence(theta))
        assert_allclose(softmax(table, axis=1)[:, 1] @ (nights - theta), slope(log_evidence, theta), rtol=1e-6)


@checks(
    "05 cell-044 0 3877e2", "05 cell-044-2 0 da31d8", "05 cell-050 0 e4f46e",
    source="Bishop (2006), eqs. 9.30, 9.71, 9.74; Neal & Hinton (1998); Do & Batzoglou (2008), supplementary figure 1",
)  # fmt: skip
def test_em_climbs_under_the_evidence():
    """Against torch's mixture distribution: Q plus the entropy lies below the evidence at every point, touches it where
    it was made, with the same slope, and its top is the M step; the bound is evidence less SciPy's divergence.
    """
    old = 1.0
    q = softmax(kitchen(old)[0], axis=1)

    def big_q(theta):
        return np.sum(q * kitchen(theta)[0])

    entropy = stats.entropy(q, axis=1).sum()
    for theta in np.linspace(-2, 7, 10):
        divergence = stats.entropy(q, softmax(kitchen(theta)[0], axis=1), axis=1).sum()
        assert_allclose(big_q(theta) + entropy, log_evidence(theta) - divergence)
        assert divergence >= 0
    assert_allclose(big_q(old) + entropy, log_evidence(old))
    assert_allclose(slope(big_q, old), slope(log_evidence, old), rtol=1e-6)
    top = minimize_scalar(lambda theta: -big_q(theta)).x
    assert_allclose(top, q[:, 1] @ kitchen(0)[1] / q[:, 1].sum(), rtol=1e-6)
    assert log_evidence(top) > log_evidence(old)


def microphones():
    """A linear-Gaussian model with three microphones and two latents, one row, and a belief."""
    rng = np.random.default_rng(23)
    machine = linear_gaussian.LinearGaussian(rng.normal(size=(3, 2)), rng.normal(size=3), 0.4)
    root = rng.normal(size=(2, 2))
    return machine, rng.normal(size=3), rng.normal(size=2), root @ root.T + 0.2 * np.eye(2)


@checks("05 cell-054-3 0 dcd9f7", source="Tipping & Bishop (1999), eq. 2; Bishop (2006), eq. 12.32")
def test_the_linear_gaussian_model():
    """A definition: draws of the package's model have, given z, this mean and this variance, within standard errors."""
    machine, *_ = microphones()
    z, x = machine.sample(200_000, rng=np.random.default_rng(24))
    noise = x - machine.mean - z @ machine.weights.T
    for i, j in itertools.product(range(3), repeat=2):
        within_error(noise[:, i] * noise[:, j], 0.4 * (i == j))
    for i, k in itertools.product(range(3), range(2)):
        within_error(noise[:, i], 0)
        within_error(noise[:, i] * z[:, k], 0)


@checks(
    "05 cell-058 0 2bdc65", "05 cell-058-2 0 2762e8",
    source="Bishop (2006), §12.2.2; Murphy (2022), §6.2.3; Kingma & Welling (2014), eq. 3",
)  # fmt: skip
def test_elbo_terms_of_a_gaussian_belief():
    """The fit by Gauss–Hermite quadrature, exact for a parabola, with SciPy's densities; the price with torch."""
    machine, x, mu, sigma = microphones()
    weights, b, s2 = machine.weights, machine.mean, machine.variance
    nodes, mass = np.polynomial.hermite_e.hermegauss(5)
    root = np.linalg.cholesky(sigma)
    exact = sum(
        u * v * multivariate_normal(weights @ (mu + root @ [s, t]) + b, s2 * np.eye(3)).logpdf(x)
        for (s, u), (t, v) in itertools.product(zip(nodes, mass / mass.sum(), strict=True), repeat=2)
    )
    squares = np.sum((x - b - weights @ mu) ** 2) + np.trace(weights.T @ weights @ sigma)
    fit = -3 / 2 * np.log(2 * np.pi * s2) - squares / (2 * s2)
    price = 0.5 * (np.trace(sigma) + mu @ mu - 2 - np.log(np.linalg.det(sigma)))
    ours = machine.elbo_terms(x[None], mu, sigma)
    assert_allclose([fit, ours[0].item()], exact)
    assert_allclose([price, ours[1].item()], gaussian_kl(mu, sigma, np.zeros(2), np.eye(2)))


@checks("05 cell-069-3 0 5fecfd", source="Blei, Kucukelbir & McAuliffe (2017), §2.2; Bishop (2006), §10.1")
def test_the_best_member_of_a_family():
    """A definition: a numerical search with torch's divergence ends, for independent beliefs about a correlated
    posterior, at the inverse diagonal precisions and at the gap −½ log(1 − ρ²) that the lesson names.
    """
    rho = 0.7
    sigma = np.array([[0.5, rho * 0.5], [rho * 0.5, 0.5]])

    def divergence(t):
        return gaussian_kl(t[:2], np.diag(np.exp(t[2:])), [0.3, 0.1], sigma)

    found = minimize(divergence, np.zeros(4), method="BFGS", options={"gtol": 1e-7})
    assert_allclose(np.exp(found.x[2:]), 1 / np.diag(np.linalg.inv(sigma)), rtol=1e-4)
    assert_allclose(found.fun, -0.5 * np.log(1 - rho**2), rtol=1e-6)


@checks(
    "05 cell-076-5 0 e910cb", "05 cell-076-6 0 4d57c2",
    source="Mohamed et al. (2020), §4 and §5; Kingma & Welling (2014), §2.4",
)  # fmt: skip
def test_two_ways_to_a_gradient():
    """Each expression by quadrature for a function that is no polynomial, against finite differences of the mean."""
    mu, sigma = 0.4, 0.8
    z = np.linspace(-10, 11, 4001)

    def f(z):
        return np.sin(z) - 0.3 * z**2

    def mean(m):
        return np.trapezoid(norm.pdf(z, m, sigma) * f(z), z)

    score = np.array([slope(lambda m, z=point: norm.logpdf(z, m, sigma), mu) for point in z])
    exact, q = slope(mean, mu), norm.pdf(z, mu, sigma)
    by_score = [np.trapezoid(q * score * f(z), z), np.trapezoid(q * f(z) * (z - mu) / sigma**2, z)]

    def moved(m):
        return np.trapezoid(norm.pdf(z) * f(m + sigma * z), z)

    by_path = [slope(moved, mu), np.trapezoid(norm.pdf(z) * (np.cos(mu + sigma * z) - 0.6 * (mu + sigma * z)), z)]
    assert_allclose([*by_score, *by_path], exact, rtol=1e-6)


# Lesson 06: the variational autoencoder


@checks("06 cell-008-2 0 5c3a88", source="Kingma & Welling (2014), appendix C.1")
def test_the_log_likelihood_of_pixels():
    """Against torch's Bernoulli distribution for black and white, and torch's cross-entropy for grey pixels."""
    torch.manual_seed(0)
    logits, grey = torch.randn(2, 1, 4, 4, dtype=torch.float64), torch.rand(2, 1, 4, 4, dtype=torch.float64)
    p = torch.sigmoid(logits)
    for x in (grey, (grey > 0.5).double()):
        literal = (x * p.log() + (1 - x) * (1 - p).log()).sum((1, 2, 3))
        assert_allclose(literal, -F.binary_cross_entropy(p, x, reduction="none").sum((1, 2, 3)))
        ours = model.elbo_terms(x, logits, torch.zeros(2, 1), torch.zeros(2, 1))[0]
        assert_allclose(ours, literal, rtol=1e-5)
    assert_allclose(literal, distributions.Bernoulli(p).log_prob(x).sum((1, 2, 3)))


@checks(
    "06 cell-020-3 0 4e09a5", "08 cell-015 0 53cbf8",
    source="Kingma & Welling (2014), eq. 3; Kingma & Welling (2019), chapter 2",
)  # fmt: skip
def test_fit_less_price_is_the_bound():
    """One latent and six pixels, with SciPy's densities: the integral of q log p(x, z)/q against fit less torch's
    divergence, and against the evidence by quadrature less the divergence from the posterior on a grid.
    """
    rng = np.random.default_rng(25)
    weights, biases, x = rng.normal(size=6), rng.normal(size=6), rng.integers(0, 2, 6)

    def log_px_given(z):
        return stats.bernoulli(expit(np.outer(z, weights) + biases)).logpmf(x).sum(axis=1)

    z, width = np.linspace(-12, 12, 8001, retstep=True)
    log_joint, q, log_q = log_px_given(z) + norm.logpdf(z), norm.pdf(z, 0.5, 0.7), norm.logpdf(z, 0.5, 0.7)
    literal = np.trapezoid(q * log_px_given(z), z) - gaussian_kl(0.5, 0.49, 0, 1)
    assert_allclose(literal, np.trapezoid(q * (log_joint - log_q), z), rtol=1e-9)
    px = quad(lambda z: np.exp(log_px_given(z)).item() * norm.pdf(z), -12, 12)[0]
    log_posterior = log_joint - logsumexp(log_joint) - np.log(width)
    gap = np.trapezoid(q * (log_q - log_posterior), z)
    assert_allclose(literal, np.log(px) - gap, rtol=1e-7)
    assert gap > 0


@checks(
    "06 cell-048-5 0 004cd5", "06 cell-048-6 0 c07491",
    source="Bishop (2006), §4.2 and §1.5.5",
)  # fmt: skip
def test_the_best_image_where_two_posteriors_overlap():
    """The share against the counts of two million draws near one z, within their error; the best pixel by a numerical
    search.
    """
    rng = np.random.default_rng(26)
    means, sds, at = np.array([-0.5, 1.0]), np.array([0.8, 1.3]), 0.6
    q_1, q_2 = norm.pdf(at, means, sds)
    share = q_1 / (q_1 + q_2)
    picture = rng.integers(0, 2, 2_000_000)
    z = rng.normal(means[picture], sds[picture])
    within_error(picture[np.abs(z - at) < 0.02] == 0, share)
    for x_1, x_2 in ((1.0, 0.0), (0.9, 0.3)):

        def loss(p, x_1=x_1, x_2=x_2):
            return -sum(w * (x * np.log(p) + (1 - x) * np.log(1 - p)) for w, x in ((share, x_1), (1 - share, x_2)))

        best = minimize_scalar(loss, bounds=(0, 1), method="bounded", options={"xatol": 1e-9}).x
        ours = lesson06.best_images([at], means, sds, [[x_1], [x_2]]).item()
        assert_allclose([share * x_1 + (1 - share) * x_2, ours], best, atol=1e-6)


@checks("06 cell-059 0 6dfabb", source="Burda et al. (2016), §3 and theorem 1")
def test_bounds_from_more_samples_are_tighter():
    """On a linear-Gaussian model: one sample gives the exact ELBO, more give more, by more than four standard errors,
    and all stay below the exact evidence, the last by less than 0.05 nats.
    """
    rng = np.random.default_rng(27)
    x, noise, q = 1.5, 0.3, norm(0.6, 0.7)
    draws = q.rvs((100, 20_000), random_state=rng)
    log_w = norm.logpdf(x, draws, noise) + norm.logpdf(draws) - q.logpdf(draws)
    log_px = norm.logpdf(x, 0, np.sqrt(1 + noise**2))
    exact = norm.logpdf(x, 0.6, noise) - 0.49 / (2 * noise**2) - gaussian_kl(0.6, 0.49, 0, 1)
    means, errors = [], []
    for k in (1, 10, 100):
        values = (logsumexp(log_w.reshape(-1, k, 20_000), axis=1) - np.log(k)).ravel()
        means.append(values.mean())
        errors.append(values.std() / np.sqrt(len(values)))
        assert_allclose(bounds.importance_bound(torch.tensor(log_w), k).mean(), values.mean())
    assert abs(means[0] - exact) < 4 * errors[0]
    assert means[1] - means[0] > 4 * errors[0]
    assert means[2] - means[1] > 4 * errors[1]
    assert -4 * errors[2] < log_px - means[2] < 0.05


# Lesson 07: the β-VAE


def linear_code(t):
    """Distortion and rate of one Gaussian feature s: z = a s + noise of variance v, answered w z with variance ½."""
    a, v, w = t[0], np.exp(t[1]), t[2]
    return (1 - w * a) ** 2 + w**2 * v + 0.5 * np.log(np.pi), 0.5 * (a**2 + v - np.log(v) - 1)


def trade_off(beta):
    """Distortion and rate at the optimum of D + beta R."""

    def weighed(t):
        distortion, rate = linear_code(t)
        return distortion + beta * rate

    return linear_code(minimize(weighed, [0.8, -1.0, 0.8], method="BFGS", options={"gtol": 1e-8}).x)


@checks(
    "07 cell-002-3 0 2a2c59", "07 cell-006-2 0 66c370",
    source="Higgins et al. (2017), eq. 4; Alemi et al. (2018), §2; Cover & Thomas (2006), §10.3.2",
)  # fmt: skip
def test_beta_is_the_slope_of_the_curve():
    """The objective is optimised numerically for neighbouring β on a case with one Gaussian feature; the slope between
    the optima is −β, and they lie on Shannon's curve.
    """
    for beta in (0.1, 0.4, 1.2):
        (d_1, r_1), (d_2, r_2) = trade_off(beta * 0.999), trade_off(beta * 1.001)
        assert_allclose((d_2 - d_1) / (r_2 - r_1), -beta, rtol=1e-3)
        assert_allclose(d_1 - 0.5 * np.log(np.pi), np.exp(-2 * r_1), rtol=1e-4)


@checks(
    "07 cell-018-5 0 4afe2f", "07 cell-018-8 0 a23140", "07 cell-018-10 0 11f5d6",
    source="Rybkin et al. (2021); Higgins et al. (2017), eq. 4",
)  # fmt: skip
def test_the_beta_of_a_loss():
    """Losses with torch's own means and sums: their gradient in every parameter is a multiple of that of −log p(x|z) +
    β KL, with torch's Bernoulli and normal log-densities. The constant: SciPy's log-density plus the square.
    """
    rng = np.random.default_rng(28)
    x_hat, var = rng.normal(size=9), 0.3
    constant = -norm.logpdf(0.2, x_hat, var**0.5) - (x_hat - 0.2) ** 2 / (2 * var)
    assert_allclose(constant, 0.5 * np.log(2 * np.pi * var))
    for error, mean_error, mean_kl in itertools.product(("bernoulli", "squared"), (False, True), (False, True)):
        gradients = [loss_gradient(which, error, mean_error, mean_kl, var) for which in ("theirs", "ours")]
        ratio = gradients[0] / gradients[1]
        assert_allclose(ratio, ratio[0], rtol=1e-9)


def loss_gradient(which, error, mean_error, mean_kl, variance):
    """The gradient of a loss of 3 pictures with 5 pixels and 2 latents by all that the networks could answer."""
    torch.manual_seed(1)
    x, eps = torch.rand(3, 5, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    mu, logvar, weights = (torch.randn(n, 2, dtype=torch.float64, requires_grad=True) for n in (3, 3, 5))
    answer = (mu + (logvar / 2).exp() * eps) @ weights.T
    kl = distributions.kl_divergence(distributions.Normal(mu, (logvar / 2).exp()), distributions.Normal(0.0, 1.0))
    pixels, values = (15 if mean_error else 1), (6 if mean_kl else 1)
    if which == "theirs":
        wrong = F.mse_loss if error == "squared" else F.binary_cross_entropy_with_logits
        loss = 7 * wrong(answer, x, reduction="mean" if mean_error else "sum") + 3 * (
            kl.mean() if mean_kl else kl.sum()
        )
    else:
        beta = (3 / values) / (7 * (2 * variance if error == "squared" else 1) / pixels)
        assert_allclose(beta, lesson07.effective_beta(error, 7, 3, pixels, values, variance))
        coin = distributions.Bernoulli(logits=answer, validate_args=False)  # grey pixels too
        pixel = distributions.Normal(answer, variance**0.5) if error == "squared" else coin
        loss = beta * kl.sum() - pixel.log_prob(x).sum()
    return torch.cat([part.ravel() for part in torch.autograd.grad(loss, (mu, logvar, weights))])


@checks(
    "07 cell-032-3 0 96f382", "07 cell-032-3 1 31cdfe",
    source="ours; the limit is that of Cover & Thomas (2006), §10.3.2",
)  # fmt: skip
def test_one_feature_in_several_latents():
    """The price by Gauss–Hermite quadrature over the feature of torch's divergences; what is lost by the best linear
    answer to the covariance matrix of feature and latents.
    """
    nodes, mass = np.polynomial.hermite_e.hermegauss(10)
    for v, m in itertools.product((0.1, 0.5, 0.9), (1, 2, 5)):
        literal = mass @ (0.5 * ((1 - v) * nodes**2 + v - np.log(v) - 1)) / mass.sum()
        exact = mass @ gaussian_kl(np.sqrt(1 - v) * nodes, v * np.ones(10), 0, 1) / mass.sum()
        assert_allclose([literal, -0.5 * np.log(v)], exact)
        covariance, shared = (1 - v) * np.ones((m, m)) + v * np.eye(m), np.full(m, np.sqrt(1 - v))
        unexplained = 1 - shared @ np.linalg.solve(covariance, shared)
        assert_allclose([(v / m) / (1 - v + v / m), v / (v + m * (1 - v))], unexplained)


@checks("07 cell-051-3 0 6804ca", source="Hoffman & Johnson (2016); Chen et al. (2018), eq. 2")
def test_the_price_in_three_parts():
    """On random tables for five pictures and two latents: the logarithms add up in every cell, and the means are
    scikit-learn's mutual information and SciPy's relative entropies.
    """
    rng = np.random.default_rng(29)
    counts = rng.multinomial(1000, rng.dirichlet(np.full(12, 5), 5))
    q_zx = counts.reshape(5, 4, 3) / 1000
    p_1, p_2 = rng.dirichlet(np.ones(4)), rng.dirichlet(np.ones(3))
    q_z, p_z = q_zx.mean(axis=0), np.outer(p_1, p_2)
    q_1, q_2 = q_z.sum(axis=1), q_z.sum(axis=0)
    parts = [np.log(q_zx / q_z), np.log(q_z / np.outer(q_1, q_2)), np.log(np.outer(q_1, q_2) / p_z)]
    assert_allclose(np.log(q_zx / p_z), parts[0] + parts[1] + parts[2], atol=1e-12)
    means = [np.sum(q_zx / 5 * part) for part in parts]
    information_part = mutual_info_score(None, None, contingency=counts)
    correlation = stats.entropy(q_z.ravel(), np.outer(q_1, q_2).ravel())
    assert_allclose(means, [information_part, correlation, stats.entropy(q_1, p_1) + stats.entropy(q_2, p_2)])
    mu, logvar = rng.normal(size=(300, 2)), np.log(rng.uniform(0.1, 0.5, (300, 2)))
    ours = latents.kl_parts(mu, logvar, rng=rng)
    exact = gaussian_kl(mu.ravel(), np.exp(logvar).ravel(), 0, 1).reshape(-1, 2).sum(axis=1).mean()
    assert_allclose(sum(ours), exact, rtol=0.1)


@checks("07 cell-058-3 0 f74849", source="Burgess et al. (2018), the section on controlled capacity increase")
def test_a_capacity_holds_the_price():
    """A definition: its optimum is searched numerically, for one Gaussian feature and a large γ; the price there is C,
    and the fit is the best that Shannon's curve allows at this price.
    """
    for capacity in (0.5, 1.5):

        def loss(t, capacity=capacity):
            distortion, rate = linear_code(t)
            return distortion + 10 * abs(rate - capacity)

        t = [0.8, -1.0, 0.8]
        for _ in range(10):  # a search stalls along the kink, so that the next begins where it ended
            t = minimize(loss, t, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
        distortion, rate = linear_code(t)
        assert_allclose(rate, capacity, atol=1e-5)
        assert_allclose(distortion - 0.5 * np.log(np.pi), np.exp(-2 * capacity), rtol=1e-3)


@checks("07 cell-078 0 5e5dbb", source="Locatello et al. (2019), §3; Rolinek et al. (2019)")
def test_a_turn_of_two_latents():
    """Against SciPy's rotations; and torch's divergence from the prior is the same after the turn."""
    rng = np.random.default_rng(30)
    mu, sigma = rng.normal(size=2), np.diag([0.2, 0.9])
    for angle in (20, 90, 215):
        alpha = np.deg2rad(angle)
        r = np.array([[np.cos(alpha), -np.sin(alpha)], [np.sin(alpha), np.cos(alpha)]])
        assert_allclose(r, Rotation.from_euler("z", angle, degrees=True).as_matrix()[:2, :2], atol=1e-12)
        assert_allclose(r @ mu, turn(mu[None], angle)[0])
        before = gaussian_kl(mu, sigma, np.zeros(2), np.eye(2))
        assert_allclose(gaussian_kl(r @ mu, r @ sigma @ r.T, np.zeros(2), np.eye(2)), before)


# Lesson 08: the latent explorer


@checks("08 cell-028-2 0 473ee7", source="Shoemake (1985); White (2016), §2.1")
def test_an_arc_between_two_codes():
    """Against a rotation in the plane of both codes, made by SciPy's matrix exponential."""
    rng = np.random.default_rng(31)
    a, b = rng.normal(size=(2, 6))
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    first = a / np.linalg.norm(a)
    second = b - (b @ first) * first
    second /= np.linalg.norm(second)
    phi = np.arccos(a @ b / (a @ a))
    plane = np.outer(second, first) - np.outer(first, second)
    for t, ours in zip(np.linspace(0, 1, 5), latents.interpolate(a, b, steps=5), strict=True):
        literal = np.sin((1 - t) * phi) / np.sin(phi) * a + np.sin(t * phi) / np.sin(phi) * b
        exact = scipy.linalg.expm(t * phi * plane) @ a
        assert_allclose(literal, exact, atol=1e-12)
        assert_allclose(ours, exact, atol=1e-6)


@checks("08 cell-031-3 0 0362e2", source="White (2016), §2.2")
def test_adding_and_subtracting_codes():
    """A definition: where a code is linear in the causes, the sum is the code of the hand with one cause exchanged."""
    rng = np.random.default_rng(32)
    directions, origin = rng.normal(size=(6, 4)), rng.normal(size=6)
    causes = {"A": [1, 0, 0, 0], "B": [0, 0, 0, 0], "C": [0, 1, 0.4, 1], "wanted": [1, 1, 0.4, 1]}
    codes = {name: directions @ values + origin for name, values in causes.items()}
    assert_allclose(codes["A"] - codes["B"] + codes["C"], codes["wanted"])
