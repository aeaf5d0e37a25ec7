"""The linear-Gaussian model against SciPy, scikit-learn and Monte Carlo; log p(x) = ELBO + KL up to rounding."""

import numpy as np
import pytest
from equations import covers
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_normal
from sklearn.decomposition import PCA

from vaehelpers.linear_gaussian import LinearGaussian, fit


def random_case(seed, d=5, m=3, n=7):
    rng = np.random.default_rng(seed)
    model = LinearGaussian(rng.standard_normal((d, m)), rng.standard_normal(d), rng.uniform(0.1, 3))
    factors = rng.standard_normal((n, m, m))
    cov_q = factors @ factors.transpose(0, 2, 1) + 0.1 * np.eye(m)
    return model, model.sample(n, rng=rng)[1], rng.standard_normal((n, m)), cov_q


def covariance_of(model):
    return model.weights @ model.weights.T + model.variance * np.eye(len(model.mean))


def normal(x, mean, cov):
    return np.atleast_1d(multivariate_normal(mean, cov).logpdf(x))


@covers("05 cell-056 0 e7b4a3", "Bishop (2006), §2.3.1 and §2.3.3")
def test_the_evidence_is_the_density_of_x_and_the_posterior_is_bayes_rule():
    """With SciPy's log-densities: log p(z) + log p(x | z) − log p(x) is, at every z, the log-density of the posterior
    that the lesson reads off.
    """
    model, x, z, _ = random_case(1)
    np.testing.assert_allclose(model.log_evidence(x), normal(x, model.mean, covariance_of(model)), rtol=1e-12)
    mu, covariance = model.posterior(x)
    for x_i, mu_i, z_i, evidence in zip(x, mu, z, model.log_evidence(x), strict=True):
        seen = normal(x_i, model.weights @ z_i + model.mean, model.variance * np.eye(5))
        joint = normal(z_i, np.zeros(3), np.eye(3)) + seen
        np.testing.assert_allclose(normal(z_i, mu_i, covariance), joint - evidence, rtol=1e-9)


@covers("05 cell-058 0 e20851; 05 cell-058-2 0 a4e91f", "Bishop (2006), §12.2.2; Kingma & Welling (2014), eq. 3")
def test_elbo_terms_against_monte_carlo():
    """The means of SciPy's log-densities over forty thousand draws from q."""
    model, x, mu_q, cov_q = random_case(2)
    terms = model.elbo_terms(x, mu_q, cov_q)
    rng = np.random.default_rng(3)
    for x_i, mu_i, cov_i, reconstruction, kl in zip(x, mu_q, cov_q, *terms, strict=True):
        z = rng.multivariate_normal(mu_i, cov_i, size=40_000)
        seen = normal(x_i - z @ model.weights.T, model.mean, model.variance * np.eye(5))
        log_ratio = normal(z, mu_i, cov_i) - normal(z, np.zeros(3), np.eye(3))
        for value, draws in ((reconstruction, seen), (kl, log_ratio)):
            assert abs(draws.mean() - value) < 5 * draws.std() / 200


@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6))
@settings(deadline=None, max_examples=50)
def test_evidence_is_elbo_plus_gap(seed, d, m):
    model, x, mu_q, cov_q = random_case(seed, d, m)
    elbo, gap, evidence = model.elbo(x, mu_q, cov_q), model.gap(x, mu_q, cov_q), model.log_evidence(x)
    np.testing.assert_allclose(elbo + gap, evidence, rtol=1e-10, atol=1e-10)
    assert (gap >= 0).all() and (elbo <= evidence).all()
    mu, covariance = model.posterior(x)
    np.testing.assert_allclose(model.elbo(x, mu, covariance), evidence, rtol=1e-10, atol=1e-10)
    for rounding in (0, 1e-15):
        assert (model.gap(x, mu, covariance * (1 + rounding)) >= 0).all()


@covers("05 cell-054-3 0 6d2919", "Tipping & Bishop (1999), eq. 2; Bishop (2006), eq. 12.32")
def test_samples_have_the_moments_of_the_model():
    """A definition: two hundred thousand draws have its moments, and a noise that does not depend on the latents."""
    model = random_case(6)[0]
    z, x = model.sample(200_000, rng=np.random.default_rng(7))
    noise = x - z @ model.weights.T - model.mean
    expected = np.diag([1, 1, 1] + [model.variance] * 5)
    np.testing.assert_allclose(np.cov(np.hstack([z, noise]).T), expected, atol=0.02 * expected.max())
    np.testing.assert_allclose(np.hstack([z, noise]).mean(axis=0), 0, atol=0.02)


@pytest.mark.parametrize(("n", "size"), [(4, 1), (300, 1), (300, 0.01)])  # fewer rows than columns, more, small ones
def test_fit_agrees_with_scikit_learn(n, size):
    """scikit-learn divides by n - 1, maximum likelihood by n: the data are scaled to compensate."""
    x = size * np.random.default_rng(8).standard_normal((n, 6)) @ np.diag([4, 3, 1, 1, 0.5, 0.5])
    ours = fit(x, 2)
    reference = PCA(2, svd_solver="full").fit(x.mean(axis=0) + (x - x.mean(axis=0)) * np.sqrt((n - 1) / n))
    if n > 6:
        np.testing.assert_allclose(covariance_of(ours), reference.get_covariance(), rtol=1e-10, atol=1e-10)
        assert ours.log_evidence(x).mean() == pytest.approx(reference.score(x), rel=1e-12)
    spectrum = np.linalg.eigvalsh(np.cov(x.T, bias=True))
    assert ours.variance == pytest.approx(spectrum[:4].mean())


@pytest.mark.parametrize("unit", [1e-30, 1, 1e30])
@pytest.mark.parametrize("offset", [0, 1e3, 1e9])
@pytest.mark.parametrize(("n", "d", "latent_dim"), [(3, 10, 2), (2, 4, 1), (40, 6, 2), (2000, 50, 2)])
def test_a_remaining_variance_from_rounding_is_refused(n, d, latent_dim, offset, unit):
    rng = np.random.default_rng(n)
    flat = rng.normal(size=(n, latent_dim)) @ rng.normal(size=(latent_dim, d)) + offset
    with pytest.raises(ValueError, match=rf"^x: need more than {latent_dim + 1} rows, .*, got \({n}, {d}\)"):
        fit(flat * unit, latent_dim)
    noisy = flat + 1e-6 * max(1, offset) * rng.normal(size=(n, d))
    if n > latent_dim + 1:
        assert fit(noisy * unit, latent_dim).variance > 0


def test_the_evidence_is_accurate_for_large_weights_and_little_noise():
    model = LinearGaussian(1e4 * np.ones((3, 1)), np.zeros(3), 1e-4)
    x = np.array([[1e4, 1e4, 1e4]]) * 0.7
    along = 3 * 1e8 + 1e-4  # the variance along (1, 1, 1); across it the variance is that of the noise
    expected = -(3 * np.log(2 * np.pi) + np.log(along) + 2 * np.log(1e-4) + 3 * 0.49e8 / along) / 2
    assert model.log_evidence(x).item() == pytest.approx(expected, rel=1e-9)
