"""The displayed equations of lessons 01 and 02 against independent values: see equations.py."""

import itertools

import numpy as np
import torch
from equations import checks, slope
from scipy import stats
from scipy.integrate import quad
from scipy.stats import norm
from torch import distributions

# Lesson 01: information and entropy


@checks("01 cell-005-2 0 c5a82c; 01 cell-005-3 0 f9cc31", "Shannon (1948), §6; MacKay (2003), §2.4", rtol=1e-6)
def test_information():
    """The derivatives against finite differences; the solution of the differential equation by quadrature."""
    p, q = np.array([0.2, 0.7]), 0.5

    def surprisal(p):
        return -np.log(p)

    at_one = slope(surprisal, 1)
    solution = [quad(lambda t: at_one / t, 1, end)[0] for end in p]
    return [p * slope(surprisal, p * q), p * slope(surprisal, p), surprisal(p)], [slope(surprisal, q), at_one, solution]


@checks("01 cell-025-2 0 2b66c1", "Cover & Thomas (2006), theorem 2.6.4; MacKay (2003), §2.4")
def test_the_greatest_entropy():
    """Each step is computed for a thousand random distributions; the first against SciPy's entropy."""
    p = np.random.default_rng(2).dirichlet(np.ones(6), 1000)
    middle, bound = np.sum(p * np.log(1 / (6 * p)), axis=1), np.sum(p * (1 / (6 * p) - 1), axis=1)
    assert (middle <= bound + 1e-12).all()
    return [middle, bound], [stats.entropy(p, axis=1) - np.log(6), 0]


@checks(
    "01 cell-033-3 0 403aeb; 01 cell-033-5 0 3e5972",
    "Cover & Thomas (2006), theorems 5.3.1 and 5.4.1; MacKay (2003), §5.3 to §5.5",
)
def test_no_code_beats_the_entropy():
    """By enumeration of all word lengths up to four bits that a prefix code for four symbols can have, for 500 random
    sources: each step for each of them, and the best of them against the entropy.
    """
    lengths = np.array(list(itertools.product(range(1, 5), repeat=4)))
    kraft = np.sum(0.5**lengths, axis=1)
    lengths, kraft = lengths[kraft <= 1], kraft[kraft <= 1]
    p = np.random.default_rng(4).dirichlet(np.full(4, 0.5), 500)
    each, entropy, means = p[:, None], stats.entropy(p, base=2, axis=1)[:, None], p @ lengths.T
    identity = np.sum(each * np.log2(0.5**lengths / each), axis=2)
    bound = np.sum(each * (0.5**lengths / each - 1), axis=2) / np.log(2)
    best = means.min(axis=1, keepdims=True)
    assert (identity <= bound + 1e-9).all() and (entropy <= best + 1e-12).all() and (best < entropy + 1).all()
    return [identity, bound], [entropy - means, (kraft - 1) / np.log(2)]


@checks(
    "01 cell-065-3 0 2abf5d; 01 cell-067 0 533368",
    "Cover & Thomas (2006), theorem 8.3.1 and example 8.1.2; Bishop (2006), eq. 1.110",
    rtol=1e-4,
)
def test_differential_entropies():
    """The sum over narrow bins, and the integral by quadrature, against SciPy's entropy of a gamma density; both forms
    for a Gaussian against SciPy's.
    """
    f, width = stats.gamma(3).pdf, 0.01
    mass, h = f(np.arange(width / 2, 60, width)) * width, stats.gamma(3).entropy()
    integral = quad(lambda x: -f(x) * np.log(f(x)), 1e-12, 60)[0]
    sigma = np.array([0.1, 1, 4])
    forms = [0.5 * np.log(2 * np.pi * sigma**2) + 0.5, 0.5 * np.log(2 * np.pi * np.e * sigma**2)]
    return [-np.sum(mass * np.log(mass)), integral, forms], [h - np.log(width), h, norm(3, sigma).entropy()]


# Lesson 02: the Kullback–Leibler divergence


@checks(
    "02 cell-017-3 0 785ddd; 02 cell-019-2 0 8057f4; 02 cell-019-4 0 97e776",
    "Cover & Thomas (2006), theorems 2.6.2 and 2.6.3; MacKay (2003), §2.6 and §2.7",
)
def test_the_divergence_is_never_negative():
    """Each step of the proof for ten thousand random pairs, with SciPy's relative entropy on the left."""
    p, q = np.random.default_rng(8).dirichlet(np.ones(5), (2, 10_000))
    mean_log, mean = np.sum(p * np.log(q / p), axis=1), np.sum(p * (q / p), axis=1)
    assert (mean_log <= np.log(mean) + 1e-12).all()
    return [mean_log, mean], [-stats.entropy(p, q, axis=1), 1]


@checks("02 maximum-likelihood 0 43058c", "MacKay (2003), §2.6; Bishop (2006), §1.6.1")
def test_the_mean_log_likelihood_is_a_divergence():
    """Against SciPy's multinomial distribution, up to its coefficient, which does not depend on the model."""
    shares, q, n = np.array([0.2, 0.5, 0.3]), np.array([0.3, 0.3, 0.4]), 10
    coefficient = stats.multinomial.logpmf(shares * n, n, shares) - n * np.sum(shares * np.log(shares))
    likelihood = (stats.multinomial.logpmf(shares * n, n, q) - coefficient) / n
    cross_entropy = np.sum(shares * -np.log(q))
    return np.array([-cross_entropy, -stats.entropy(shares) - stats.entropy(shares, q)]), likelihood


@checks("02 cell-031 0 4bedc1; 06 cell-020-5 0 9f2ea0", "Cover & Thomas (2006), §8.5; Bishop (2006), §1.6.1", rtol=1e-5)
def test_divergence_and_cross_entropy_of_densities():
    """The integrals by quadrature against torch's divergence of two gamma distributions and SciPy's entropy plus it."""
    q, p = stats.gamma(3, scale=1 / 2), stats.gamma(2, scale=1 / 1.5)
    divergence = quad(lambda x: q.pdf(x) * np.log(q.pdf(x) / p.pdf(x)), 1e-9, 30)[0]
    cross_entropy = quad(lambda x: -q.pdf(x) * p.logpdf(x), 1e-9, 30)[0]
    kl = distributions.kl_divergence(distributions.Gamma(3.0, 2.0), distributions.Gamma(2.0, 1.5)).item()
    return [divergence, cross_entropy], [kl, q.entropy() + kl]


@checks("02 cell-031-3 0 dfe0d2; 02 cell-031-3 1 6bf86a", "Bishop (2006), eq. 1.46")
def test_the_log_density_of_a_gaussian():
    """It and the difference of two against SciPy's, for fifty pairs."""
    rng = np.random.default_rng(10)
    (m_q, m_p, x), (s_q, s_p) = rng.normal(size=(3, 50)), rng.uniform(0.3, 3, (2, 50))
    log_q, log_p = norm.logpdf(x, m_q, s_q), norm.logpdf(x, m_p, s_p)
    density = -0.5 * np.log(2 * np.pi * s_q**2) - (x - m_q) ** 2 / (2 * s_q**2)
    difference = 0.5 * (np.log(s_p**2 / s_q**2) - (x - m_q) ** 2 / s_q**2 + (x - m_p) ** 2 / s_p**2)
    return [density, difference], [log_q, log_q - log_p]


@checks(
    "02 cell-049-4 0 5dd121; 02 cell-060-2 0 d0c399",
    "an example of ours, after Bishop (2006), §10.1.2; Bishop (2006), §10.7, eq. 10.187; Murphy (2022), §6.2.6",
    rtol=1e-3,
)
def test_the_gaussian_of_smallest_divergence():
    """The density against torch's mixture. Both sides by quadrature for many means and variances: they differ by one
    constant.
    """
    x = np.linspace(-20, 40, 6001)
    p = 0.6 * norm.pdf(x, 8, 1) + 0.4 * norm.pdf(x, 13, 0.5)
    components = distributions.Normal(torch.tensor([8.0, 13.0]), torch.tensor([1.0, 0.5]))
    peer = distributions.MixtureSameFamily(distributions.Categorical(torch.tensor([0.6, 0.4])), components)
    mu, var = peer.mean.item(), peer.variance.item()

    def divergence(m, v):
        return np.trapezoid(p * (np.log(np.maximum(p, 1e-300)) - norm.logpdf(x, m, v**0.5)), x)

    settings = list(itertools.product((5, 10, 14), (1, 4, 9)))
    formula = np.array([0.5 * np.log(v) + (var + (mu - m) ** 2) / (2 * v) for m, v in settings])
    constant = [divergence(m, v) for m, v in settings] - formula
    return [p, constant], [peer.log_prob(torch.tensor(x)).exp().numpy(), constant[0]]
