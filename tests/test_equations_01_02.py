"""The displayed equations of lessons 01 and 02, checked by number: see equations.py."""

import itertools

import numpy as np
import torch
from equations import checks, gaussian_kl, slope, within_error
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.metrics import mutual_info_score
from torch import distributions

from vaehelpers import information, model

# Lesson 01: information and entropy


@checks(
    "01 cell-005-2 0 c5a82c", "01 cell-005-3 0 f9cc31",
    source="Shannon (1948), §6; MacKay (2003), §2.4",
)  # fmt: skip
def test_information_is_what_the_three_wishes_leave():
    """The derivatives are compared with finite differences and the differential equation is integrated by quadrature;
    the result fulfils the three wishes.
    """
    grid = np.linspace(0.05, 1, 40)
    for scale in (1, 1 / np.log(2)):  # nats and bits

        def told(p, scale=scale):
            return -scale * np.log(p)

        at_one = slope(told, 1.0)
        for p, q in itertools.product((0.2, 0.7), repeat=2):
            assert_allclose(p * slope(told, p * q), slope(told, q), rtol=1e-6)
            assert_allclose(p * slope(told, p), at_one, rtol=1e-6)
            assert_allclose(told(p), quad(lambda t, at_one=at_one: at_one / t, 1, p)[0], rtol=1e-6)
            assert_allclose(told(p * q), told(p) + told(q))
        assert told(1.0) == 0
        assert (np.diff(told(grid)) < 0).all()
    assert_allclose(information.surprisal(grid), -np.log(grid))


@checks("01 cell-017 0 b13669", source="Cover & Thomas (2006), §2.1; MacKay (2003), §2.4")
def test_entropy_is_the_mean_surprisal():
    """Against SciPy's entropy, and against the mean surprisal of a million draws within its standard error."""
    rng = np.random.default_rng(1)
    for p in rng.dirichlet(np.ones(5), 3):
        literal = -np.sum(p * np.log(p))
        assert_allclose([literal, information.entropy(p)], stats.entropy(p))
        within_error(-np.log(p[rng.choice(5, 1_000_000, p=p)]), literal)


@checks("01 cell-025-2 0 2b66c1", source="Cover & Thomas (2006), theorem 2.6.4; MacKay (2003), §2.4")
def test_no_entropy_exceeds_that_of_equal_chances():
    """Each step is computed for a thousand random distributions; the first against SciPy's entropy."""
    n = 6
    for p in np.random.default_rng(2).dirichlet(np.ones(n), 1000):
        middle, bound = np.sum(p * np.log(1 / (n * p))), np.sum(p * (1 / (n * p) - 1))
        assert_allclose(stats.entropy(p) - np.log(n), middle, atol=1e-12)
        assert middle <= bound + 1e-12
        assert abs(bound) < 1e-12


def code_lengths():
    """All word lengths up to four bits that a prefix code for four symbols can have: those of Kraft's inequality."""
    return [lengths for lengths in itertools.product(range(1, 5), repeat=4) if sum(0.5**n for n in lengths) <= 1]


@checks("01 cell-030-2 0 2e5469", source="MacKay (2003), §5.1; Cover & Thomas (2006), §5.1")
def test_the_mean_length_is_that_of_a_long_message():
    """Against the length of a message of a hundred thousand words, within its standard error."""
    rng = np.random.default_rng(3)
    p = np.array([0.5, 0.25, 0.15, 0.1])
    words = information.huffman_code(dict(enumerate(p)))
    message = [words[x] for x in rng.choice(4, 100_000, p=p)]
    within_error(np.array([len(word) for word in message]), sum(p[x] * len(words[x]) for x in range(4)))


@checks(
    "01 cell-033-3 0 403aeb", "01 cell-033-5 0 3e5972",
    source="Cover & Thomas (2006), theorems 5.3.1 and 5.4.1; MacKay (2003), §5.3 to §5.5",
)  # fmt: skip
def test_no_code_beats_the_entropy():
    """By enumeration of all word lengths up to four bits that a prefix code for four symbols can have, for 500 random
    sources: each step for each of them, and Huffman's code as good as the best.
    """
    codes = np.array(code_lengths())
    kraft = np.sum(0.5**codes, axis=1)
    for p in np.random.default_rng(4).dirichlet(np.full(4, 0.5), 500):
        entropy, lengths = stats.entropy(p, base=2), codes @ p
        identity = (p * np.log2(0.5**codes / p)).sum(axis=1)
        bound = (p * (0.5**codes / p - 1)).sum(axis=1) / np.log(2)
        assert_allclose(entropy - lengths, identity, atol=1e-9)
        assert (identity <= bound + 1e-9).all()
        assert_allclose(bound, (kraft - 1) / np.log(2), atol=1e-9)
        assert (bound <= 1e-9).all()
        words = information.huffman_code(dict(enumerate(p)))
        mean = sum(p[x] * len(words[x]) for x in range(4))
        assert_allclose(mean, lengths.min())
        assert entropy - 1e-12 <= mean < entropy + 1


@checks("01 cell-047-3 0 adeb6f", source="Cover & Thomas (2006), theorem 5.4.3; Murphy (2022), §6.1.2")
def test_cross_entropy_is_the_mean_cost_of_a_belief():
    """Against SciPy's entropy plus its relative entropy, and against the mean cost of a million draws."""
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.ones(4), 2)
    literal = -np.sum(p * np.log(q))
    assert_allclose([literal, information.cross_entropy(p, q)], stats.entropy(p) + stats.entropy(p, q))
    within_error(-np.log(q[rng.choice(4, 1_000_000, p=p)]), literal)


@checks(
    "01 cell-056-2 0 9cb5e5", "01 cell-056-2 1 571f95",
    source="Cover & Thomas (2006), §2.2 to §2.4; MacKay (2003), §8.1",
)  # fmt: skip
def test_entropies_of_a_table_add_up():
    """On random tables: the conditional entropy row by row with SciPy, the mutual information with scikit-learn."""
    for counts in np.random.default_rng(6).integers(1, 100, (20, 3, 4)):
        table = counts / counts.sum()
        p_x, p_y = table.sum(axis=1), table.sum(axis=0)
        joint, h_x, h_y = (stats.entropy(p.ravel()) for p in (table, p_x, p_y))
        given_x = sum(chance * stats.entropy(row) for chance, row in zip(p_x, table, strict=True))  # SciPy normalises
        assert_allclose(joint, h_x + given_x)
        peer = mutual_info_score(None, None, contingency=counts)
        assert_allclose([h_y - given_x, h_x + h_y - joint, information.mutual_information(table)], peer)


@checks("01 cell-065-3 0 2abf5d", source="Cover & Thomas (2006), theorem 8.3.1")
def test_the_entropy_of_bins_is_that_of_the_density_less_log_width():
    """The sum over bins of a skewed density against the integral by quadrature; the difference vanishes with the
    width.
    """
    f = stats.gamma(3).pdf
    h = quad(lambda x: -f(x) * np.log(f(x)), 1e-12, 60)[0]
    assert_allclose(h, stats.gamma(3).entropy(), rtol=1e-6)
    apart = []
    for width in (1, 0.1, 0.01):
        x = np.arange(width / 2, 60, width)
        apart.append(abs(-np.sum(f(x) * width * np.log(f(x) * width)) - (h - np.log(width))))
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 1e-4


@checks("01 cell-067 0 533368", source="Cover & Thomas (2006), example 8.1.2; Bishop (2006), eq. 1.110")
def test_the_entropy_of_a_gaussian():
    """Both forms against SciPy's entropy of the normal distribution, and against quadrature."""
    for sigma in (0.1, 1, 4):
        forms = [0.5 * np.log(2 * np.pi * sigma**2) + 0.5, 0.5 * np.log(2 * np.pi * np.e * sigma**2)]
        assert_allclose(forms, norm(3, sigma).entropy())
        integral = quad(lambda x, s=sigma: -norm.pdf(x, 3, s) * norm.logpdf(x, 3, s), 3 - 9 * sigma, 3 + 9 * sigma)[0]
        assert_allclose(forms, integral, rtol=1e-7)


# Lesson 02: the Kullback–Leibler divergence


@checks(
    "02 cell-004-4 0 652a1f", "02 cell-004-5 0 3e92d1",
    source="Kullback & Leibler (1951); Cover & Thomas (2006), §2.3",
)  # fmt: skip
def test_the_forms_of_the_divergence_are_one_number():
    """All forms against SciPy's relative entropy on random pairs, and against the mean over a million draws."""
    rng = np.random.default_rng(7)
    for p, q in rng.dirichlet(np.ones(6), (20, 2)):
        forms = [-np.sum(p * np.log(q)) - -np.sum(p * np.log(p)), np.sum(p * (np.log(p) - np.log(q)))]
        forms += [np.sum(p * np.log(p / q)), np.average(np.log(p) - np.log(q), weights=p)]
        assert_allclose([*forms, information.kl_divergence(p, q)], stats.entropy(p, q))
    x = rng.choice(6, 1_000_000, p=p)
    within_error(np.log(p[x]) - np.log(q[x]), stats.entropy(p, q))


@checks(
    "02 cell-017-3 0 785ddd", "02 cell-019-2 0 8057f4", "02 cell-019-4 0 407eae",
    source="Cover & Thomas (2006), theorems 2.6.2 and 2.6.3; MacKay (2003), §2.6 and §2.7",
)  # fmt: skip
def test_the_divergence_is_never_negative():
    """Each step of the proof for ten thousand random pairs, with SciPy's relative entropy on the left."""
    p, q = np.random.default_rng(8).dirichlet(np.ones(5), (2, 10_000))
    r = q / p
    mean_log, mean = (p * np.log(r)).sum(axis=1), (p * r).sum(axis=1)
    assert_allclose(-stats.entropy(p, q, axis=1), mean_log, atol=1e-12)
    assert_allclose(mean, 1)
    assert (mean_log <= np.log(mean) + 1e-12).all()
    assert_allclose(np.log(mean), 0, atol=1e-12)
    assert (information.kl_divergence(p, q) > 0).all()


@checks("02 cell-031 0 4bedc1", source="Cover & Thomas (2006), §8.5; Bishop (2006), §1.6.1")
def test_the_divergence_of_densities():
    """The integral by quadrature against torch's closed form for two gamma distributions, and against the mean over
    draws from the first.
    """
    peers = [distributions.Gamma(torch.tensor(shape), torch.tensor(rate)) for shape, rate in ((3.0, 2.0), (2.0, 1.5))]
    closed = distributions.kl_divergence(*peers)
    q, p = stats.gamma(3, scale=1 / 2), stats.gamma(2, scale=1 / 1.5)
    integral = quad(lambda x: q.pdf(x) * np.log(q.pdf(x) / p.pdf(x)), 1e-9, 30)[0]
    assert_allclose(integral, closed.item(), rtol=1e-5)
    x = q.rvs(200_000, random_state=np.random.default_rng(9))
    within_error(q.logpdf(x) - p.logpdf(x), integral)


@checks(
    "02 cell-031-3 0 dfe0d2", "02 cell-031-3 1 6bf86a",
    source="Bishop (2006), eq. 1.46; Murphy (2022), §6.2.3",
)  # fmt: skip
def test_log_densities_of_gaussians():
    """Against SciPy's normal log-density, and the difference of two of them."""
    x, mu_q, var_q, mu_p, var_p = np.linspace(-5, 9, 50), 1.8, 0.7, -0.4, 3.1
    assert_allclose(-0.5 * np.log(2 * np.pi * var_q) - (x - mu_q) ** 2 / (2 * var_q), norm.logpdf(x, mu_q, var_q**0.5))
    line = 0.5 * (np.log(var_p / var_q) - (x - mu_q) ** 2 / var_q + (x - mu_p) ** 2 / var_p)
    assert_allclose(line, norm.logpdf(x, mu_q, var_q**0.5) - norm.logpdf(x, mu_p, var_p**0.5), atol=1e-12)


@checks(
    "02 cell-033 0 def7dd", "02 cell-037-2 0 15af74", "06 cell-022 0 95d229",
    source="Murphy (2022), §6.2.3; Kingma & Welling (2014), appendix B",
)  # fmt: skip
def test_the_divergence_of_gaussians():
    """Against torch's divergence of two normal distributions, and against quadrature."""
    rng = np.random.default_rng(10)
    for m_q, m_p, s_q, s_p in zip(*rng.normal(size=(2, 50)), *rng.uniform(0.3, 3, (2, 50)), strict=True):
        peer = gaussian_kl(m_q, s_q**2, m_p, s_p**2)
        literal = 0.5 * (np.log(s_p**2 / s_q**2) + (s_q**2 + (m_q - m_p) ** 2) / s_p**2 - 1)
        assert_allclose([literal, information.gaussian_kl(m_q, s_q**2, m_p, s_p**2)], peer, rtol=1e-9, atol=1e-12)
        assert_allclose(0.5 * (m_q**2 + s_q**2 - 1 - np.log(s_q**2)), gaussian_kl(m_q, s_q**2, 0, 1), atol=1e-12)
    q, p = norm(m_q, s_q), norm(m_p, s_p)
    assert_allclose(quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), m_q - 9 * s_q, m_q + 9 * s_q)[0], literal)
    nothing, logvar = torch.zeros(1, 1, 1, 1), 2 * torch.tensor([[s_q]]).log()
    price = model.elbo_terms(nothing, nothing, torch.tensor([[m_q]]), logvar)[1].item()
    assert_allclose(price, gaussian_kl(m_q, s_q**2, 0, 1), rtol=1e-5)


@checks("02 cell-040 0 c53873", source="Cover & Thomas (2006), theorem 2.5.3 (the chain rule)")
def test_divergences_of_independent_parts_add():
    """The logarithms on all pairs, and SciPy's relative entropy of the tables of pairs against the sum."""
    rng = np.random.default_rng(11)
    (p_x, q_x), (p_y, q_y) = rng.dirichlet(np.ones(4), 2), rng.dirichlet(np.ones(3), 2)
    p, q = np.outer(p_x, p_y), np.outer(q_x, q_y)
    assert_allclose(np.log(p / q), np.log(p_x / q_x)[:, None] + np.log(p_y / q_y), atol=1e-12)
    assert_allclose(stats.entropy(p.ravel(), q.ravel()), stats.entropy(p_x, q_x) + stats.entropy(p_y, q_y))


def calls(x):
    """The density of the calls at the weather office."""
    return 0.6 * norm.pdf(x, 8, 1) + 0.4 * norm.pdf(x, 13, 0.5)


@checks("02 cell-049-4 0 5dd121", source="an example of ours, after Bishop (2006), §10.1.2")
def test_the_density_of_calls():
    """A definition: by quadrature its integral is 1, and by torch's mixture distribution it is a mixture of these."""
    assert_allclose(quad(calls, 0, 20, points=[8, 13])[0], 1)
    components = distributions.Normal(torch.tensor([8.0, 13.0]), torch.tensor([1.0, 0.5]))
    peer = distributions.MixtureSameFamily(distributions.Categorical(torch.tensor([0.6, 0.4])), components)
    x = torch.linspace(4, 16, 50, dtype=torch.float64)
    assert_allclose(calls(x.numpy()), peer.log_prob(x).exp().numpy(), rtol=1e-5)


@checks("02 cell-060-2 0 d0c399", source="Bishop (2006), §10.7, eq. 10.187; Murphy (2022), §6.2.6")
def test_the_best_cover_has_the_moments_of_the_target():
    """Both sides by quadrature for many means and variances: they differ by one constant, and a numerical search ends
    at the moments.
    """
    x = np.linspace(-20, 40, 6001)
    p, log_p = calls(x), np.log(np.maximum(calls(x), 1e-300))
    mu = np.trapezoid(p * x, x)
    var = np.trapezoid(p * (x - mu) ** 2, x)

    def divergence(m, v):
        return np.trapezoid(p * (log_p - norm.logpdf(x, m, v**0.5)), x)

    def literal(m, v):
        return 0.5 * np.log(v) + (var + (mu - m) ** 2) / (2 * v)

    settings = list(itertools.product((5, 10, 14), (1, 4, 9)))
    constant = [divergence(m, v) - literal(m, v) for m, v in settings]
    assert_allclose(constant, np.trapezoid(p * log_p, x) + 0.5 * np.log(2 * np.pi))
    found = minimize(lambda t: divergence(t[0], np.exp(t[1])), [8.0, 0.0], method="BFGS")
    assert_allclose([found.x[0], np.exp(found.x[1])], [mu, var], rtol=1e-3)
