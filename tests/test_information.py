"""Information against SciPy, scikit-learn, quadrature and Monte Carlo, and against what must always hold."""

from itertools import accumulate, pairwise

import numpy as np
import pytest
import scipy.stats
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
weights = st.one_of(st.just(0.0), st.floats(1e-6, 1.0))


def distributions(*shape):
    """Distributions over the last axis, zeros among them."""
    tables = arrays(float, shape, elements=weights).filter(lambda a: (a.sum(axis=-1) > 0).all())
    return tables.map(lambda a: a / a.sum(axis=-1, keepdims=True))


def test_surprisal_in_both_units_and_at_the_ends():
    np.testing.assert_allclose(surprisal([1, 0.5, 1 / 8, 0], base=2), [0, 1, 3, np.inf])
    np.testing.assert_allclose(surprisal(1 / np.e), 1)
    assert np.shape(surprisal(0.3)) == () and not np.signbit(surprisal(1.0))
    assert surprisal(1e-300) == pytest.approx(300 * np.log(10))


def test_every_kind_of_number_is_reckoned_with_as_a_double():
    p = np.array([[0.1, 0.2], [0.3, 0.4]], np.float32)
    for function, arguments in ((entropy, p[:1] / p[0].sum()), (surprisal, p), (mutual_information, p)):
        double = function(np.asarray(arguments, float))
        np.testing.assert_allclose(function(arguments), double, rtol=1e-14)
    assert gaussian_kl(np.uint8(0), np.uint8(1), np.uint8(20), 1) == 200  # 0 - 20 is no uint8, nor is its square


@quick
@given(distributions(4, 6))
def test_entropy_is_scipys_in_every_unit_and_along_every_axis(p):
    for base in (np.e, 2, 10):
        np.testing.assert_allclose(entropy(p, base=base), scipy.stats.entropy(p, axis=-1, base=base), atol=1e-12)
    np.testing.assert_allclose(entropy(p.T, axis=0), entropy(p), atol=1e-12)


@quick
@given(distributions(2, 5), distributions(5))
def test_kl_is_scipys_never_negative_and_the_extra_cost(p, q):
    divergence = kl_divergence(p, q)
    np.testing.assert_allclose(divergence, scipy.stats.entropy(p, q[None], axis=-1), rtol=1e-9, atol=1e-12)
    assert (divergence >= 0).all() and kl_divergence(q, q) == 0
    np.testing.assert_allclose(cross_entropy(p, q), entropy(p) + divergence, atol=1e-10)
    np.testing.assert_allclose(kl_divergence(p.T, q, axis=0, base=2), divergence / np.log(2), atol=1e-12)


def test_what_was_ruled_out_costs_infinitely_much():
    assert kl_divergence([0.5, 0.5], [1, 0]) == cross_entropy([0.5, 0.5], [1, 0]) == np.inf
    assert kl_divergence([1, 0], [0.5, 0.5], base=2) == cross_entropy([1, 0], [0.5, 0.5], base=2) == 1
    assert entropy([1.0, 0.0]) == 0 and not np.signbit(entropy([1.0]))
    assert kl_divergence([0.5, 0.5], [1 - 5e-324, 5e-324]) == pytest.approx(0.5 * -np.log(5e-324) + np.log(0.5))


@quick
@given(distributions(12))
def test_the_chain_rule_and_the_limits_of_mutual_information(flat):
    joint = flat.reshape(3, 4)
    of_x, of_y = entropy(joint.sum(axis=1)), entropy(joint.sum(axis=0))
    seen = joint[joint.sum(axis=1) > 0]
    left = entropy(seen / seen.sum(axis=1, keepdims=True)) @ seen.sum(axis=1)
    assert entropy(flat) == pytest.approx(of_x + left, abs=1e-10)
    shared = mutual_information(joint)
    assert shared == pytest.approx(of_x + of_y - entropy(flat), abs=1e-10)
    assert 0 <= shared <= min(of_x, of_y) + 1e-12
    assert shared == pytest.approx(mutual_information(joint.T), abs=1e-12)
    assert mutual_information(joint, base=2) == pytest.approx(shared / np.log(2))


@quick
@given(distributions(3, 6), st.permutations(range(6)))
def test_names_do_not_matter(rows, order):
    p, q, _ = rows
    for function in (cross_entropy, kl_divergence):
        np.testing.assert_allclose(function(p, q), function(p[order], q[order]), atol=1e-12)
    assert entropy(p) == pytest.approx(entropy(p[order]), abs=1e-12)
    joint = rows / 3
    assert mutual_information(joint) == pytest.approx(mutual_information(joint[:, order]), abs=1e-12)


def test_mutual_information_is_scikit_learns():
    counts = np.random.default_rng(0).integers(0, 30, (4, 5))
    expected = mutual_info_score(None, None, contingency=counts)
    assert mutual_information(counts / counts.sum()) == pytest.approx(expected, rel=1e-12)
    assert mutual_information(np.outer([0.3, 0.7], [0.2, 0.8])) == pytest.approx(0, abs=1e-15)
    assert mutual_information([[1 - 1e-200, 0], [0, 1e-200]]) == pytest.approx(0, abs=1e-15)
    assert mutual_information(np.eye(8) / 8, base=2) == pytest.approx(3)


GAUSSIANS = [(0.0, 1.0, 0.0, 1.0), (1.5, 0.3, -0.5, 2.0), (-2.0, 4.0, 1.0, 0.5), (0.1, 1e-3, 0.0, 1.0)]


@pytest.mark.parametrize("gaussians", GAUSSIANS)
def test_gaussian_kl_is_the_integral(gaussians):
    mu_q, var_q, mu_p, var_p = gaussians
    q, p = scipy.stats.norm(mu_q, var_q**0.5), scipy.stats.norm(mu_p, var_p**0.5)
    ends = mu_q - 12 * var_q**0.5, mu_q + 12 * var_q**0.5
    integral = quad(lambda x: q.pdf(x) * (q.logpdf(x) - p.logpdf(x)), *ends)[0]
    assert gaussian_kl(*gaussians) == pytest.approx(integral, abs=1e-8)


def test_gaussian_kl_is_the_mean_over_samples_and_broadcasts():
    q, p = scipy.stats.norm(1.5, 0.3**0.5), scipy.stats.norm(-0.5, 2**0.5)
    x = q.rvs(100_000, random_state=np.random.default_rng(0))
    ratios = q.logpdf(x) - p.logpdf(x)
    error = ratios.std() / np.sqrt(len(x))
    assert gaussian_kl(1.5, 0.3, -0.5, 2.0) == pytest.approx(ratios.mean(), abs=4 * error)
    assert error < 0.01
    table = gaussian_kl(np.zeros((3, 1)), 1.0, np.arange(4.0), 2.0)
    assert table.shape == (3, 4) and table[2, 3] == pytest.approx(gaussian_kl(0, 1, 3, 2))


@quick
@given(st.floats(1e-300, 1e300), st.integers(-3, 3), st.floats(-1e-6, 1e-6))
def test_no_gaussian_kl_is_negative_by_rounding(variance, ulps, share):
    near = variance + ulps * np.spacing(variance)
    assert 0 <= gaussian_kl(0, variance, 0, near) <= 1e-25
    exact = 0.5 * (share**2 / 2 - share**3 / 3)  # r − 1 − log r for r = 1 + share, to the third order
    assert gaussian_kl(0, 1 + share, 0, 1) == pytest.approx(exact, rel=1e-3, abs=1e-17)


def test_gaussian_kl_at_the_ends_of_what_a_float_holds():
    assert gaussian_kl(0, 1e-308, 0, 1e308) == pytest.approx(0.5 * (616 * np.log(10) - 1))
    assert gaussian_kl(1e200, 1e300, 0, 1e300) == pytest.approx(0.5e100)
    assert gaussian_kl(0, 1e308, 0, 1e-308) == np.inf


@pytest.mark.parametrize(("dtype", "n"), [(np.float32, 50_000), (np.float32, 10**6), (np.float16, 10), (float, 10**6)])
def test_a_softmax_in_its_own_precision_is_a_distribution(dtype, n):
    weights = np.exp(np.random.default_rng(0).standard_normal(n)).astype(dtype)
    p = weights / np.cumsum(weights)[-1]  # summed one by one, which costs the most digits
    exact = scipy.stats.entropy(weights.astype(float))
    assert entropy(p) == pytest.approx(exact, rel=3e-2 if dtype == np.float16 else 1e-3)
    assert kl_divergence(p, p) == 0 and cross_entropy(p, p) == pytest.approx(exact, rel=3e-2)
    with pytest.raises(ValueError, match="p: probabilities must sum to 1"):
        entropy(1.03 * p.astype(float))


def decode(bits, code):
    symbols, text, word = {word: symbol for symbol, word in code.items()}, "", ""
    for bit in bits:
        word += bit
        if word in symbols:
            text, word = text + symbols[word], ""
    assert word == ""
    return text


@quick
@given(st.dictionaries(st.characters(codec="ascii"), st.integers(1, 1000), min_size=2, max_size=20))
def test_a_huffman_code_wastes_less_than_a_bit_and_can_be_read(frequencies):
    code = huffman_code(frequencies)
    words = sorted(code.values())
    assert sum(2.0 ** -len(word) for word in words) == 1  # Kraft, with equality: no word is left over
    assert not any(longer.startswith(shorter) for shorter, longer in pairwise(words))
    p = np.array(list(frequencies.values())) / sum(frequencies.values())
    length = p @ [len(word) for word in code.values()]
    assert entropy(p, base=2) - 1e-12 <= length < entropy(p, base=2) + 1
    text = "".join(frequencies)
    assert decode("".join(code[letter] for letter in text), code) == text
    assert list(code) == list(frequencies) and code == huffman_code(frequencies)


@quick
@given(st.lists(st.integers(1, 30), min_size=2, max_size=5))
def test_no_prefix_code_is_shorter_than_huffmans(weights):
    words = huffman_code(dict(enumerate(weights)))
    length = sum(weight * len(words[i]) for i, weight in enumerate(weights))
    assert length == best_length(tuple(weights))


def best_length(weights):
    """The shortest total length of any prefix code: try every pair of sisters."""
    if len(weights) == 1:
        return 0
    pairs = [(i, j) for i in range(len(weights)) for j in range(i)]
    rest = [tuple(w for k, w in enumerate(weights) if k not in pair) for pair in pairs]
    return min(
        weights[i] + weights[j] + best_length((weights[i] + weights[j], *others))
        for (i, j), others in zip(pairs, rest, strict=True)
    )


@quick
@given(st.dictionaries(st.integers(0, 99), st.integers(0, 9), min_size=1))
def test_the_huffman_code_of_the_lesson_is_this_one(frequencies):
    assert LESSON_CODE(frequencies) == huffman_code(frequencies)


def test_huffman_codes_at_the_edges():
    assert huffman_code({"a": 3}) == {"a": "0"}
    assert huffman_code({"a": 1, "b": 0}) == {"a": "1", "b": "0"}
    halves = {letter: 2.0**-i for i, letter in enumerate("abcd", 1)} | {"e": 1 / 16}
    assert [len(word) for word in huffman_code(halves).values()] == [1, 2, 3, 4, 4]
    fibonacci = list(accumulate(range(30), lambda pair, _: (pair[1], sum(pair)), initial=(1, 1)))
    lengths = [len(word) for word in huffman_code({i: a for i, (a, _) in enumerate(fibonacci)}).values()]
    assert max(lengths) == len(fibonacci) - 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: surprisal(1.5), "p: need values from 0 to 1, got 1.5"),
        (lambda: surprisal([0.5, np.nan]), "p: need values from 0 to 1, got nan"),
        (lambda: surprisal(0.5, base=1), "base: need"),
        (lambda: entropy([0.5, 0.5], base=-2), "base: need"),
        (lambda: entropy([0.5, 0.5], base=np.inf), "base: need a number above 1"),
        (lambda: entropy([1.5, -0.5]), "p: probabilities must not be negative"),
        (lambda: entropy([np.nan, 1.0]), "p: probabilities must not be negative or NaN"),
        (lambda: entropy([0.5, 0.4]), "p: probabilities must sum to 1 along axis -1, got 0.9"),
        (lambda: entropy([[0.5, 0.5], [1, 0]], axis=0), "p: .* along axis 0, got values from 0.5 to 1.5"),
        (lambda: entropy([]), "p: "),
        (lambda: cross_entropy([0.5, 0.5], [0.5, 0.6]), "q: probabilities must sum"),
        (lambda: kl_divergence([0.5, 0.6], [0.5, 0.5]), "p: probabilities must sum"),
        (lambda: kl_divergence([0.5, 0.5], [1.0]), r"p and q: .* \(2,\) and \(1,\)"),
        (lambda: mutual_information([0.5, 0.5]), r"joint: need \(a, b\), got \(2,\)"),
        (lambda: mutual_information([[0.5, 0.5], [0.5, 0.5]]), "joint: probabilities must sum"),
        (lambda: gaussian_kl(0, -1, 0, 1), "var_q: every value must be positive"),
        (lambda: gaussian_kl(0, 1, 0, [1, 0]), "var_p: every value must be positive"),
        (lambda: gaussian_kl(0, 1, np.inf, 1), "mu_p: every value must be finite"),
        (lambda: gaussian_kl(np.nan, 1, 0, 1), "mu_q: every value must be finite"),
        (lambda: huffman_code({}), r"frequencies: need \(n,\), got \(0,\)"),
        (lambda: huffman_code({"a": 1, "b": -1}), "frequencies: .*weights"),
        (lambda: huffman_code({"a": 1, "b": float("nan")}), "frequencies: .*weights"),
        (lambda: huffman_code({"a": 1, "b": float("inf")}), "frequencies: .*weights"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()


def test_a_divergence_beyond_all_floats_is_infinite():
    assert gaussian_kl(1e150, 1, -1e150, 1e-10) == np.inf
