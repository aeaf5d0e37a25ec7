"""The displayed equations of lessons 05 to 08 against independent values: see equations.py."""

import itertools

import numpy as np
import torch
from equations import checks, gaussian_kl, slope
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar
from scipy.special import softmax
from scipy.stats import norm
from sklearn.metrics import mutual_info_score
from torch import distributions
from torch.nn import functional as F

from vaehelpers.lessons import lesson07

# Lesson 05: the evidence lower bound


@checks(
    "03 cell-060-2 0 fb123d; 05 cell-006-2 0 f9baa1; 05 cell-008 0 f7adc4; 05 cell-010 0 77aa2b; "
    "05 cell-012 0 a80790; 05 cell-014-2 0 90e5f2; 05 cell-016-3 0 1fd82b; 05 jensen 0 8863d3; 05 cell-028 0 16cc79; "
    "05 cell-088 0 07797b; 06 cell-020-3 0 a37d28; 08 cell-015 0 0f5186",
    "Bishop (2006), §9.4 and §10.1; Blei, Kucukelbir & McAuliffe (2017), §2.2; Kingma & Welling (2014), eq. 3; "
    "Kingma & Welling (2019), chapter 2",
)
def test_the_evidence_is_bound_plus_divergence():
    """For a random model and a random q each line against SciPy's relative entropy, with the posterior by
    enumeration; the mean weight is the evidence, and the mean log-weight the bound.
    """
    rng = np.random.default_rng(21)
    prior, q = rng.dirichlet(np.ones(5), 2)
    likelihood = rng.random(5)
    joint = prior * likelihood
    px, log_q, log_joint = joint.sum(), np.log(q), np.log(joint)
    posterior, kl = joint / px, stats.entropy(q, joint / px)
    divergence = [q @ np.log(q / posterior), q @ log_q - q @ np.log(posterior)]
    divergence += [q @ log_q - q @ (log_joint - np.log(px)), q @ log_q - q @ log_joint + np.log(px)]
    bound = [q @ log_joint - q @ log_q, q @ np.log(likelihood) + q @ np.log(prior) - q @ log_q]
    bound += [q @ np.log(likelihood) - stats.entropy(q, prior), q @ np.log(joint / q)]
    return [np.array(divergence), np.array(bound), q @ (joint / q)], [kl, np.log(px) - kl, px]


@checks("05 cell-023 0 b0806e", "the lecture notes; it is shown to be wrong, as the lesson says")
def test_the_sign_of_the_notes_cannot_hold():
    """The right side is computed for a thousand random q: it takes many values, where the left side is one number."""
    joint = np.array([0.03, 0.0048, 0.07, 0.002])
    q = np.random.default_rng(22).dirichlet(np.ones(4), 1000)
    kl = stats.entropy(q, joint / joint.sum(), axis=1)
    elbo = np.sum(q * (np.log(joint) - np.log(q)), axis=1)
    assert np.ptp(elbo - kl) > 1 and (elbo - kl < np.log(joint.sum())).all()
    return elbo + kl, np.log(joint.sum())


NIGHTS = np.array([-1.2, 0.3, 0.1, 2.0, 2.4, 3.7, 4.1, 4.4, 5.2])


def log_joint_of_nights(theta):
    """Return the table log p(x, z; theta) of nine nights, cat and wind."""
    return np.log(0.5) + np.stack([norm.logpdf(NIGHTS), norm.logpdf(NIGHTS, theta)], axis=1)


def log_evidence(theta):
    """Return log p(x; theta) of the nights, with torch's mixture distribution."""
    means, halves = torch.tensor([0.0, theta], dtype=torch.float64), torch.tensor([0.5, 0.5], dtype=torch.float64)
    mixed = distributions.MixtureSameFamily(distributions.Categorical(halves), distributions.Normal(means, 2 * halves))
    return mixed.log_prob(torch.tensor(NIGHTS)).sum().item()


@checks(
    "05 cell-040 0 e2dfad; 05 cell-042-2 0 a4187a; 05 cell-044 0 3877e2; 05 cell-044-2 0 cba576; 05 cell-050 0 e4f46e",
    "Bishop (2006), eqs. 9.14, 9.16, 9.30, 9.71, 9.74; Neal & Hinton (1998); Do & Batzoglou (2008), supplementary "
    "figure 1",
    rtol=1e-6,
)
def test_em_climbs_under_the_evidence():
    """Against torch's mixture distribution and finite differences of it. Q plus the entropy is its evidence minus
    SciPy's divergence, has the slope of the evidence where it was made, and a numerical search for its maximum
    converges to the M-step.
    """
    table = log_joint_of_nights(1.0)
    q = softmax(table, axis=1)

    def big_q(theta):
        return np.sum(q * log_joint_of_nights(theta))

    thetas = np.linspace(-2, 7, 10)
    bounds = [big_q(theta) + stats.entropy(q, axis=1).sum() for theta in thetas]
    gaps = [stats.entropy(q, softmax(log_joint_of_nights(theta), axis=1), axis=1).sum() for theta in thetas]
    top = minimize_scalar(lambda theta: -big_q(theta)).x
    evidence = np.array([log_evidence(theta) for theta in thetas])
    m_step = q[:, 1] @ NIGHTS / q[:, 1].sum()
    gradients = np.array([q[:, 1] @ (NIGHTS - 1.0), slope(big_q, 1.0)])
    formulas = [np.log(np.exp(table).sum(axis=1)).sum(), gradients, np.array(bounds), m_step]
    return formulas, [log_evidence(1.0), slope(log_evidence, 1.0), evidence - gaps, top]


@checks(
    "05 cell-076-5 0 e910cb; 05 cell-076-6 0 4d57c2; 05 baseline-2 0 bb25b4",
    "Mohamed et al. (2020), §4, §5 and §7; Kingma & Welling (2014), §2.4",
    rtol=1e-6,
)
def test_two_ways_to_a_gradient():
    """All by quadrature for a function that is no polynomial, against finite differences of the mean."""
    mu, sigma, z = 0.4, 0.8, np.linspace(-10, 11, 4001)

    def f(z):
        return np.sin(z) - 0.3 * z**2

    exact = slope(lambda m: np.trapezoid(norm.pdf(z, m, sigma) * f(z), z), mu)
    score = np.trapezoid(norm.pdf(z, mu, sigma) * f(z) * (z - mu) / sigma**2, z)
    path = np.trapezoid(norm.pdf(z) * slope(f, mu + sigma * z), z)
    baseline = 7.3 * np.trapezoid(norm.pdf(z, mu, sigma) * slope(lambda m: norm.logpdf(z, m, sigma), mu), z)
    return [np.array([score, path]), baseline], [exact, 0]


# Lesson 06: the variational autoencoder


@checks("06 cell-077-6 0 c4a598", "Loaiza-Ganem & Cunningham (2019)")
def test_a_bernoulli_likelihood_of_grey_pixels_is_not_normalized():
    """By quadrature for many p; none of the integrals is above ½."""
    p = np.array([1e-6, 0.003, 0.2, 0.4999, 0.51, 0.8, 0.999])
    integrals = [quad(lambda x, p=p: p**x * (1 - p) ** (1 - x), 0, 1)[0] for p in p]
    assert max(integrals) <= 0.5
    return (2 * p - 1) / (np.log(p) - np.log(1 - p)), integrals


# Lesson 07: the β-VAE


def linear_code(t):
    """Return distortion and rate for one Gaussian feature s: z = a s + noise of variance v, decoded as w z with
    variance ½.
    """
    a, v, w = t[0], np.exp(t[1]), t[2]
    return (1 - w * a) ** 2 + w**2 * v + 0.5 * np.log(np.pi), 0.5 * (a**2 + v - np.log(v) - 1)


def optimum(loss):
    """Return distortion and rate of the code with the smallest loss(distortion, rate)."""
    t = [0.8, -1.0, 0.8]
    for _ in range(10):  # a search stalls where the loss has a kink, so the next one begins where it ended
        options = {"xatol": 1e-9, "fatol": 1e-12}
        t = minimize(lambda t: loss(*linear_code(t)), t, method="Nelder-Mead", options=options).x
    return linear_code(t)


@checks(
    "07 cell-002-3 0 e764ac; 07 cell-006-2 0 66c370; 07 limit-3 0 d7346b; 07 limit-5 0 6794ed; 07 cell-058-3 0 cb6ff6",
    "Higgins et al. (2017), eq. 4; Alemi et al. (2018), §2; Cover & Thomas (2006), §10.3.2; Burgess et al. (2018), the "
    "section on controlled capacity increase",
    rtol=1e-3,
)
def test_a_limit_on_the_rate():
    """For one Gaussian feature, SciPy's search (SLSQP) for the least distortion within a limit on the rate finds what
    the search for the optimum of D + β R finds, and both have the rate and the distortion of the formulas; so has the
    optimum of D + γ |R − C| for a large γ, with this rate as C. The slope between the optima of neighbouring β is −β.
    """
    variance, beta = 1.7, 0.6
    rate = 0.5 * np.log(2 * variance / beta)

    def error(distortion):
        return variance * (distortion - 0.5 * np.log(np.pi))

    within = {"type": "ineq", "fun": lambda t: rate - linear_code(t)[1]}
    options = {"ftol": 1e-12, "maxiter": 1000}
    t = minimize(lambda t: error(linear_code(t)[0]), [0.8, -1.0, 0.8], constraints=within, options=options).x
    codes = [linear_code(t), optimum(lambda d, r: error(d) + beta * (r - rate))]
    codes += [optimum(lambda d, r: error(d) + 10 * abs(r - rate))]
    (d_1, r_1), (d_2, r_2) = (optimum(lambda d, r, b=b: error(d) + b * r) for b in (beta * 0.99, beta * 1.01))
    formulas = [np.full(3, beta / 2), np.full(3, rate), -beta]
    return formulas, [[error(d) for d, _ in codes], [r for _, r in codes], (error(d_2) - error(d_1)) / (r_2 - r_1)]


@checks(
    "07 cell-018-5 0 4afe2f; 07 cell-018-8 0 a23140; 07 cell-018-10 0 11f5d6",
    "Rybkin et al. (2021); Higgins et al. (2017), eq. 4",
)
def test_the_beta_of_a_loss():
    """Losses with torch's own means and sums: their gradient in every parameter is a multiple of that of the negative
    log-likelihood plus β KL, with torch's Bernoulli and normal log-densities. The constant: SciPy's log-density.
    """
    variance, (x_hat, x) = 0.3, np.random.default_rng(28).normal(size=(2, 9))
    constant = -norm.logpdf(x, x_hat, variance**0.5) - (x_hat - x) ** 2 / (2 * variance)
    choices = itertools.product(("bernoulli", "squared"), ("mean", "sum"), ("mean", "sum"))
    ratios = [gradient_ratio(*choice, variance) for choice in choices]
    return [0.5 * np.log(2 * np.pi * variance), *ratios], [constant, *(ratio[0] for ratio in ratios)]


def gradient_ratio(error, pixels, latents, variance):
    """Return the gradient of a loss of 3 images with 5 pixels and 2 latents, relative to that of our loss."""
    torch.manual_seed(1)
    x, eps = torch.rand(3, 5, dtype=torch.float64), torch.randn(3, 2, dtype=torch.float64)
    mu, logvar, weights = (torch.randn(n, 2, dtype=torch.float64, requires_grad=True) for n in (3, 3, 5))
    recon = (mu + (logvar / 2).exp() * eps) @ weights.T
    kl = distributions.kl_divergence(distributions.Normal(mu, (logvar / 2).exp()), distributions.Normal(0.0, 1.0))
    distance = F.mse_loss if error == "squared" else F.binary_cross_entropy_with_logits
    theirs = 7 * distance(recon, x, reduction=pixels) + 3 * getattr(kl, latents)()
    n_pixels, n_latents = (15 if pixels == "mean" else 1), (6 if latents == "mean" else 1)
    beta = lesson07.effective_beta(error, 7, 3, n_pixels, n_latents, variance)
    bernoulli = distributions.Bernoulli(logits=recon, validate_args=False)  # grey pixels too
    pixel = distributions.Normal(recon, variance**0.5) if error == "squared" else bernoulli
    ours = beta * kl.sum() - pixel.log_prob(x).sum()
    inputs = (mu, logvar, weights)
    gradients = [torch.autograd.grad(loss, inputs, retain_graph=True) for loss in (theirs, ours)]
    return np.concatenate([(one / other).ravel() for one, other in zip(*gradients, strict=True)])


@checks("07 cell-032-3 0 96f382; 07 cell-032-3 1 31cdfe", "ours; the limit is that of Cover & Thomas (2006), §10.3.2")
def test_one_feature_in_several_latents():
    """The KL by Gauss–Hermite quadrature over the feature of torch's divergences; the distortion by the best linear
    decoder, from the covariance matrix of feature and latents.
    """
    nodes, mass = np.polynomial.hermite_e.hermegauss(10)
    v, m = 0.3, 4
    kl = mass @ gaussian_kl(np.sqrt(1 - v) * nodes, v * np.ones(10), 0, 1) / mass.sum()
    covariance, shared = (1 - v) * np.ones((m, m)) + v * np.eye(m), np.full(m, np.sqrt(1 - v))
    distortion = 1 - shared @ np.linalg.solve(covariance, shared)
    return [-0.5 * np.log(v), np.array([(v / m) / (1 - v + v / m), v / (v + m * (1 - v))])], [kl, distortion]


@checks(
    "07 bottleneck-3 0 924872; 07 bottleneck-3 1 e32974",
    "Tishby et al. (1999); Alemi et al. (2017); Alemi et al. (2018), §2",
)
def test_a_bottleneck_between_two_bounds():
    """On random tables for five images and three codes: scikit-learn's mutual information lies between the bounds. The
    gaps are SciPy's relative entropies, and vanish for the best prior and decoder.
    """
    rng, beta = np.random.default_rng(33), 0.7
    counts = rng.integers(1, 300, (5, 3))
    joint, known = counts / counts.sum(), mutual_info_score(None, None, contingency=counts)
    p_x, q_z = joint.sum(axis=1), joint.sum(axis=0)
    p_z, p_xz = rng.dirichlet(np.ones(3)), rng.dirichlet(np.ones(5), 3).T

    def bounds(p_z, p_xz):
        entropy_minus_distortion = stats.entropy(p_x) + np.sum(joint * np.log(p_xz))
        return entropy_minus_distortion, np.sum(joint * np.log(joint / p_x[:, None] / p_z))

    low, high = bounds(p_z, p_xz)
    assert low < known < high
    best, rate = bounds(q_z, joint / q_z)
    short = [known - q_z @ stats.entropy(joint / q_z, p_xz), known + stats.entropy(q_z, p_z)]
    return [best - beta * rate, np.array([low, high])], [known - beta * known, short]


# Lesson 08: the latent explorer


@checks("08 cell-031-3 0 0362e2", "White (2016), §2.2")
def test_adding_and_subtracting_codes():
    """A definition: where a code is linear in the causes, the sum is the code of the hand with one cause exchanged."""
    rng = np.random.default_rng(32)
    directions, origin = rng.normal(size=(6, 4)), rng.normal(size=6)
    causes = np.array([[1, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0.4, 1], [1, 1, 0.4, 1]])
    a, b, c, wanted = causes @ directions.T + origin
    return a - b + c, wanted
