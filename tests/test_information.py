"""Information measures against SciPy, scikit-learn and quadrature, and their general properties."""

import numpy as np
import pytest
import scipy.stats
from equations import covers
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.integrate import quad
from sklearn.metrics import mutual_info_score
from test_inline import inline

from vaehelpers.information import (
    cross_entropy,
    entropy,
    gaussian_kl,
    huffman_code,
    kl_divergence,
    mutual_information,
    surprisal,
)

LESSON_CODE = inline("01", "huffman_code")
quick = settings(deadline=None, max_examples=50)


def distributions(*shape):
    """Distributions over the last axis, zeros among them."""
    weights = st.one_of(st.just(0.0), st.floats(1e-6, 1.0))
    tables = arrays(float, shape, elements=weights).filter(lambda a: (a.sum(axis=-1) > 0).all())
    return tables.map(lambda a: a / a.sum(axis=-1, keepdims=True))


def test_surprisal_in_both_units_and_at_the_ends():
    np.testing.assert_allclose(surprisal([1, 0.5, 1 / 8, 0], base=2), [0, 1, 3, np.inf])
    np.testing.assert_allclose(surprisal([1 / np.e, 1e-300]), [1, 300 * np.log(10)])
    assert np.shape(surprisal(0.3)) == () and not np.signbit(surprisal(1.0))


@covers("01 cell-017 0 b13669", "Cover & Thomas (2006), §2.1; MacKay (2003), §2.4")
@quick
@given(distributions(4, 6))
def test_entropy_is_scipys_in_every_unit_and_along_every_axis(p):
    """Against SciPy's entropy and the mean surprisal, for any table."""
    surprisals = np.where(p > 0, surprisal(p), 0)
    np.testing.assert_allclose(np.sum(p * surprisals, axis=1), entropy(p), atol=1e-12)
    for base in (np.e, 2, 10):
        np.testing.assert_allclose(entropy(p, base=base), scipy.stats.entropy(p, axis=-1, base=base), atol=1e-12)
    np.testing.assert_allclose(entropy(p.T, axis=0), entropy(p), atol=1e-12)


@covers(
    "01 cell-047-3 0 0b7985; 02 cell-004-4 0 e0ca1a; 02 cell-004-5 0 3e92d1; 02 cell-040 0 c53873",
    "Cover & Thomas (2006), §2.3 and theorems 2.5.3 and 5.4.3; Murphy (2022), §6.1.2; Kullback & Leibler (1951)",
)
@quick
@given(distributions(2, 5), distributions(5))
def test_kl_is_scipys_never_negative_and_cross_entropy_less_entropy(p, q):
    """The divergence against SciPy's relative entropy, also of tables of independent pairs; the cross-entropy against
    its sum with the entropy.
    """
    divergence = kl_divergence(p, q)
    pairs = scipy.stats.entropy(np.outer(*p).ravel(), np.outer(q, q).ravel())
    np.testing.assert_allclose(divergence.sum(), pairs, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(divergence, scipy.stats.entropy(p, q[None], axis=-1), rtol=1e-9, atol=1e-12)
    assert (divergence >= 0).all() and kl_divergence(q, q) == 0
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + divergence, atol=1e-10)
    np.testing.assert_allclose(kl_divergence(p.T, q, axis=0, base=2), divergence / np.log(2), atol=1e-12)


def test_impossible_events():
    assert kl_divergence([0.5, 0.5], [1, 0]) == cross_entropy([0.5, 0.5], [1, 0]) == np.inf
    assert kl_divergence([1, 0], [0.5, 0.5], base=2) == cross_entropy([1, 0], [0.5, 0.5], base=2) == 1
    assert entropy([1.0, 0.0]) == 0 and not np.signbit(entropy([1.0]))
    assert kl_divergence([0.5, 0.5], [1 - 5e-324, 5e-324]) == pytest.approx(0.5 * -np.log(5e-324) + np.log(0.5))


@covers(
    "01 cell-056-2 0 9cb5e5; 01 mutual-information 0 571f95; 02 dependent-parts 0 47649f",
    "Cover & Thomas (2006), §2.2 to §2.4 and eq. 2.36; MacKay (2003), §8.1",
)
def test_mutual_information_is_scikit_learns():
    """On a random table: scikit-learn's mutual information is SciPy's relative entropy of the table and the product of
    its margins, and a difference of SciPy's entropies in both ways, one of them with the entropies of the rows.
    """
    counts = np.random.default_rng(0).integers(0, 30, (4, 5))
    table, expected = counts / counts.sum(), mutual_info_score(None, None, contingency=counts)
    p_x, p_y = table.sum(axis=1), table.sum(axis=0)
    joint, h_x, h_y = (scipy.stats.entropy(p.ravel()) for p in (table, p_x, p_y))
    divergence = scipy.stats.entropy(table.ravel(), np.outer(p_x, p_y).ravel())
    given_x = p_x @ scipy.stats.entropy(table, axis=1)  # SciPy divides each row by its sum
    values = [mutual_information(table), divergence, h_y - given_x, h_x + h_y - joint]
    np.testing.assert_allclose(values, expected, rtol=1e-12)
    assert mutual_information(np.outer([0.3, 0.7], [0.2, 0.8])) == pytest.approx(0, abs=1e-15)
    assert mutual_information(np.outer([0.1, 0.9], [0.3, 0.7])) >= 0
    assert mutual_information(np.eye(8) / 8, base=2) == pytest.approx(3)


@covers("02 cell-033 0 def7dd; 02 cell-037-2 0 15af74", "Bishop (2006), eq. 1.46; Murphy (2022), §6.2.3")
@pytest.mark.parametrize("gaussians", [(1.5, 0.3, -0.5, 2.0), (-2.0, 4.0, 1.0, 0.5), (0.1, 1e-3, 0.0, 1.0)])
def test_gaussian_kl_is_the_integral(gaussians):
    """Against the integral by quadrature, for three pairs of Gaussians, one with N(0, 1) as p."""
    mu_q, var_q, mu_p, var_p = gaussians
    q, p = scipy.stats.norm(mu_q, var_q**0.5), scipy.stats.norm(mu_p, var_p**0.5)
    ends = mu_q - 12 * var_q**0.5, mu_q + 12 * var_q**0.5
    integral = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), *ends)[0]
    assert gaussian_kl(*gaussians) == pytest.approx(integral, abs=1e-8)
    table = gaussian_kl(np.full((3, 1), mu_q), var_q, np.arange(4.0) * mu_p, var_p)
    assert table.shape == (3, 4) and table[2, 1] == gaussian_kl(*gaussians)


@quick
@given(st.floats(1e-300, 1e149), st.integers(-3, 3), st.floats(-1e-6, 1e-6))
def test_no_gaussian_kl_is_negative_by_rounding(variance, ulps, share):
    near = variance + ulps * np.spacing(variance)
    assert 0 <= gaussian_kl(0, variance, 0, near) <= 1e-25
    exact = 0.5 * (share**2 / 2 - share**3 / 3)  # r − 1 − log r for r = 1 + share, to the third order
    assert gaussian_kl(0, 1 + share, 0, 1) == pytest.approx(exact, rel=1e-3, abs=1e-17)


def test_gaussian_kl_at_the_ends_of_what_a_number_holds():
    assert gaussian_kl(0, 1e-308, 0, 1e150) == pytest.approx(0.5 * (458 * np.log(10) - 1))
    assert gaussian_kl(1e125, 1e150, 0, 1e150) == pytest.approx(0.5e100)
    assert gaussian_kl(np.uint8(0), np.uint8(1), np.uint8(20), 1) == 200  # 0 − 20 is no uint8, nor is its square
    assert gaussian_kl(0, 1e150, 0, 1e-308) == gaussian_kl(1e150, 1, -1e150, 1e-10) == np.inf


@pytest.mark.parametrize(("dtype", "n"), [(np.float32, 50_000), (np.float32, 10**6), (np.float16, 10), (float, 10**6)])
def test_a_softmax_in_its_own_precision_is_a_distribution(dtype, n):
    weights = np.exp(np.random.default_rng(0).standard_normal(n)).astype(dtype)
    p = weights / np.cumsum(weights)[-1]  # summed one by one, which costs the most digits
    exact = scipy.stats.entropy(weights.astype(float))
    assert entropy(p) == pytest.approx(exact, rel=3e-2 if dtype == np.float16 else 1e-3)
    assert kl_divergence(p, p) == 0 and cross_entropy(p, p) == pytest.approx(exact, rel=3e-2)


@covers("01 cell-030-2 0 2e5469", "MacKay (2003), §5.1; Cover & Thomas (2006), §5.1")
@quick
@given(st.lists(st.integers(0, 30), min_size=2, max_size=5))
def test_a_huffman_code_is_the_shortest_prefix_code(weights):
    """A definition: this sum over the words of Huffman's code is that of the best code, found by trying all."""
    code = huffman_code(dict(enumerate(weights)))
    words = list(code.values())
    assert list(code) == list(range(len(weights))) and code == LESSON_CODE(dict(enumerate(weights)))
    assert sum(2.0 ** -len(word) for word in words) == 1  # Kraft's inequality with equality: the code is complete
    assert sum(b.startswith(a) for a in words for b in words) == len(words)  # each is a prefix of itself only
    assert sum(weight * len(word) for weight, word in zip(weights, words, strict=True)) == best_length(tuple(weights))


def best_length(weights):
    """Return the smallest total length of any prefix code, by trying every pair of sibling leaves."""
    if len(weights) == 1:
        return 0
    pairs = [(i, j) for i in range(len(weights)) for j in range(i)]
    rest = [tuple(w for k, w in enumerate(weights) if k not in pair) for pair in pairs]
    return min(
        weights[i] + weights[j] + best_length((weights[i] + weights[j], *others))
        for (i, j), others in zip(pairs, rest, strict=True)
    )


def test_the_code_word_of_a_single_symbol_is_not_empty():
    assert huffman_code({"a": 3}) == LESSON_CODE({"a": 3}) == {"a": "0"}
