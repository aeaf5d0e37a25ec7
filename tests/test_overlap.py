"""Overlap, price and the best decoder, against quadrature, Monte Carlo and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.special import rel_entr, xlog1py, xlogy
from scipy.stats import norm

from vaehelpers.information import gaussian_kl
from vaehelpers.lessons.lesson06 import bargain, best_pictures, share

RNG = np.random.default_rng(0)
PICTURES = np.stack([RNG.uniform(0.05, 0.95, (4, 3)), RNG.uniform(0.05, 0.95, (4, 3))])
PICTURES[1, 0] = PICTURES[0, 0]  # some pixels are the same in both
means = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
sds = st.tuples(st.floats(0.1, 1.5), st.floats(0.1, 1.5))


def log_likelihood(x, p):
    return np.sum(xlogy(x, p) + xlog1py(1 - x, -p))


def expected_fit(mu, sd, decode):
    """E[log p(x | z)], the mean over both pictures, of any decoder from z to a picture."""

    def fit(z):
        return sum(norm.pdf(z, mu[i], sd[i]) * log_likelihood(PICTURES[i], decode(z)) for i in range(2)) / 2

    edges = sorted(m + k * s for m, s in zip(mu, sd, strict=True) for k in (-9, -3, 0, 3, 9))
    return sum(quad(fit, a, b, limit=200)[0] for a, b in zip(edges[:-1], edges[1:], strict=True))


@pytest.mark.parametrize(("mu", "sd"), [((-0.5, 0.5), (1, 1)), ((-2, 1), (0.3, 1.4)), ((0, 0.1), (0.1, 1.5))])
def test_fit_is_the_integral_over_z(mu, sd):
    found = bargain(mu, sd, PICTURES)
    exact = expected_fit(mu, sd, lambda z: best_pictures([z], mu, sd, PICTURES)[0])
    assert found.fit == pytest.approx(exact, rel=1e-5)
    own = np.mean([log_likelihood(x, x) for x in PICTURES])
    assert found.lost == pytest.approx(own - exact, abs=1e-4)


@given(mu=means, sd=sds, blend=st.floats(0, 1), tilt=st.floats(-2, 2))
@settings(deadline=None, max_examples=15)
def test_no_other_decoder_fits_better(mu, sd, blend, tilt):
    def other(z):
        w = blend + (1 - 2 * blend) / (1 + np.exp(-tilt * z))
        return w * PICTURES[0] + (1 - w) * PICTURES[1]

    assert expected_fit(mu, sd, other) <= bargain(mu, sd, PICTURES).fit + 1e-4


def test_fit_by_drawing():
    mu, sd, draws = np.array([-0.4, 0.9]), np.array([0.7, 0.5]), []
    for i in range(2):
        z = RNG.normal(mu[i], sd[i], 20_000)
        p, x = best_pictures(z, mu, sd, PICTURES), PICTURES[i]
        draws.append((xlogy(x, p) + xlog1py(1 - x, -p)).sum(axis=(1, 2)))
    error = np.hypot(*[d.std() / 20_000**0.5 for d in draws]) / 2
    assert abs(np.mean(draws) - bargain(mu, sd, PICTURES).fit) < 4 * error


@given(mu=means, sd=st.floats(0.1, 1.5))
@settings(deadline=None, max_examples=30)
def test_overlap_of_equal_widths(mu, sd):
    expected = 2 * norm.cdf(-abs(mu[0] - mu[1]) / (2 * sd))
    assert bargain(mu, (sd, sd), PICTURES).overlap == pytest.approx(expected, abs=2e-3)


@given(mu=means, sd=sds)
@settings(deadline=None, max_examples=30)
def test_prices(mu, sd):
    found = bargain(mu, sd, PICTURES)
    np.testing.assert_allclose(found.prices, gaussian_kl(mu, np.square(sd), 0, 1), atol=1e-12)
    assert found.lost >= -1e-9


def test_full_overlap_costs_the_jensen_shannon_divergence_and_none_costs_nothing():
    both = np.stack([PICTURES, 1 - PICTURES])  # white, black
    middle = both.mean(axis=1)
    divergence = np.mean([rel_entr(both[:, i], middle).sum() for i in range(2)])
    assert bargain((0.3, 0.3), (0.8, 0.8), PICTURES).lost == pytest.approx(divergence, rel=1e-6)
    assert bargain((-3, 3), (0.1, 0.1), PICTURES).lost == pytest.approx(0, abs=1e-9)
    assert bargain((0, 0), (1, 1), PICTURES[[0, 0]]).lost == 0
    black_and_white = np.array([[0.0, 1, 1, 0], [0, 0, 1, 1]])  # full overlap: log 2 for each pixel that differs
    assert bargain((0, 0), (1, 1), black_and_white).lost == pytest.approx(2 * np.log(2), rel=1e-6)


def test_share_is_bayes_rule():
    z = np.linspace(-40, 40, 81)
    first, second = norm.pdf(z, -1, 0.8), norm.pdf(z, 0.5, 1.2)
    seen = first + second > 0
    got = share(z, (-1, 0.5), (0.8, 1.2))
    np.testing.assert_allclose(got[seen], (first / (first + second + (~seen)))[seen], atol=1e-12)
    assert np.isfinite(got).all()
    np.testing.assert_allclose(best_pictures([-1.0], (-1, 5), (0.1, 0.1), PICTURES)[0], PICTURES[0])


def test_every_kind_of_number_is_reckoned_with_as_a_double():
    single = [np.array(values, np.float32) for values in ((-0.6, 0.7), (0.3, 0.7), PICTURES)]
    found, wanted = bargain(*single), bargain(*(values.astype(float) for values in single))
    assert found.lost == pytest.approx(wanted.lost, rel=1e-14)
    np.testing.assert_allclose(found.prices, wanted.prices, rtol=1e-14)


def test_bad_input_is_named():
    for sd in ((1, 0), (1, -1), (1, 1, 1)):
        with pytest.raises(ValueError, match="sds: need two standard deviations"):
            bargain((0, 1), sd, PICTURES)
    with pytest.raises(ValueError, match="pictures: need values from 0 to 1"):
        bargain((0, 1), (1, 1), PICTURES * 2)
