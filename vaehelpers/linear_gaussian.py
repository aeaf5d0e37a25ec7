"""The linear-Gaussian model (probabilistic PCA): evidence, posterior and ELBO are all exact, a check on every bound."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import array, generator, shortened, whole

Floats = NDArray[np.float64]


class LinearGaussian(NamedTuple):
    """The model z ~ N(0, I), x | z ~ N(weights z + mean, variance I), all logarithms in nats.

    ``weights`` is ``(d, m)``, ``mean`` is ``(d,)`` and ``variance`` one number; x comes as ``(n, d)``. Tipping & Bishop
    (1999), "Probabilistic principal component analysis"; Bishop (2006), §12.2. Raises ``ValueError`` in each method
    when the shapes do not match or a variance is not positive.
    """

    weights: Floats
    mean: Floats
    variance: float

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw ``n`` hidden causes ``(n, m)`` and what is seen of each, ``(n, d)``."""
        weights, mean, variance = _check(self)
        z = generator("rng", rng).standard_normal((whole("n", n, 0), weights.shape[1]))
        return z, z @ weights.T + mean + np.sqrt(variance) * rng.standard_normal((n, len(mean)))

    def posterior(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Return the means ``(n, m)`` and the one covariance ``(m, m)`` of p(z | x); Bishop (2006), eq. 12.42."""
        weights, mean, variance = _check(self)
        covariance = np.asarray(np.linalg.inv(_precision(weights, variance)), float)
        return (_rows(x, mean) - mean) @ weights @ covariance / variance, covariance

    def log_evidence(self, x: ArrayLike) -> Floats:
        """Return log p(x) ``(n,)``, the log-density of N(mean, weights weightsᵀ + variance I); Bishop, eq. 12.35."""
        weights, mean, variance = _check(self)
        mu, _ = self.posterior(x)  # through mu the quadratic form is a sum of squares, with nothing to cancel
        squares = _squares(_rows(x, mean) - mean - mu @ weights.T) / variance + _squares(mu)
        log_det = len(mean) * np.log(variance) + np.linalg.slogdet(_precision(weights, variance))[1]
        return -(len(mean) * np.log(2 * np.pi) + log_det + squares) / 2

    def elbo_terms(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> tuple[Floats, Floats]:
        """Return fit E[log p(x | z)] and price KL(q ‖ p(z)), each ``(n,)``, of q = N(mu_q, cov_q).

        ``mu_q`` is ``(n, m)`` or ``(m,)``, ``cov_q`` is ``(n, m, m)`` or ``(m, m)``; Kingma & Welling (2014), eq. 3.
        """
        weights, mean, variance = _check(self)
        mu, cov = _belief(mu_q, cov_q, len(_rows(x, mean)), weights.shape[1])
        errors = _squares(_rows(x, mean) - mean - mu @ weights.T) + np.trace(weights.T @ weights @ cov, 0, -2, -1)
        fit = -(len(mean) * np.log(2 * np.pi * variance) + errors / variance) / 2
        return fit, np.broadcast_to(_kl(mu, cov, np.zeros(1), np.eye(weights.shape[1])), fit.shape)

    def elbo(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> Floats:
        """Return the evidence lower bound ``(n,)``: fit minus price."""
        fit, price = self.elbo_terms(x, mu_q, cov_q)
        return fit - price

    def gap(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> Floats:
        """Return KL(q ‖ p(z | x)) ``(n,)``, which is log p(x) - ELBO; the ELBO is not used to compute it."""
        means, covariance = self.posterior(x)
        return _kl(*_belief(mu_q, cov_q, *means.shape), means, covariance)


def fit(x: ArrayLike, latent_dim: int) -> LinearGaussian:
    """Return the model of largest likelihood for ``x`` ``(n, d)``; Tipping & Bishop (1999), eqs. 7 and 8.

    The columns of ``weights`` are eigenvectors of the covariance, scaled; ``variance`` is the mean of the eigenvalues
    left over. A closed form, with nothing to iterate. Raises ``ValueError`` unless 1 <= ``latent_dim`` < d and more
    variance is left over than rounding makes.
    """
    data = array("x", x, ("n", "d"))
    if len(data) < 2 or data.shape[1] < 2:
        raise ValueError(f"x: need at least 2 rows and 2 columns, got {data.shape}")
    whole("latent_dim", latent_dim, 1, data.shape[1] - 1)
    mean = data.mean(axis=0)
    _, singular, directions = np.linalg.svd(data - mean, full_matrices=False)
    eigenvalues = singular**2 / len(data)
    variance = eigenvalues[latent_dim:].sum() / (data.shape[1] - latent_dim)
    rounding = 16 * np.sqrt(data.shape[1]) * np.finfo(float).eps * np.abs(data).max()
    if not np.sqrt(variance) > rounding:
        need = f"more than {latent_dim + 1} rows, and columns that vary in more than {latent_dim} directions"
        raise ValueError(f"x: need {need}, got {data.shape} with a variance of {variance:g} left over")
    scales = np.sqrt(np.maximum(eigenvalues[:latent_dim] - variance, 0))
    return LinearGaussian(*_check(LinearGaussian(directions[:latent_dim].T * scales, mean, variance)))


def _precision(weights: Floats, variance: float) -> Floats:
    return np.eye(weights.shape[1]) + weights.T @ weights / variance


def _squares(rows: Floats) -> Floats:
    return (rows**2).sum(axis=-1)


def _kl(mu_q: Floats, cov_q: Floats, mu_p: Floats, cov_p: Floats) -> Floats:
    """KL(q ‖ p) of Gaussians with full covariances, not below 0 by rounding; Murphy (2022), §6.2.3."""
    inverse, step = np.linalg.inv(cov_p), mu_q - mu_p
    log_dets = np.linalg.slogdet(cov_p)[1] - np.linalg.slogdet(cov_q)[1]
    distance = np.einsum("...i,ij,...j->...", step, inverse, step)
    spread = np.trace(inverse @ cov_q, 0, -2, -1) - len(cov_p) + log_dets
    return (np.maximum(spread, 0) + distance) / 2


def _check(model: LinearGaussian) -> tuple[Floats, Floats, float]:
    weights, mean = array("weights", model.weights), array("mean", model.mean)
    variance = array("variance", model.variance, finite=False)
    if weights.ndim != 2 or mean.shape != weights.shape[:1]:
        raise ValueError(f"weights and mean: need (d, m) and (d,), got {weights.shape} and {mean.shape}")
    if variance.ndim or not 0 < variance < np.inf:
        raise ValueError(f"variance: need one number above 0, got {variance}")
    return weights, mean, float(variance)


def _rows(x: ArrayLike, mean: Floats) -> Floats:
    rows = array("x", x)
    if rows.ndim != 2 or rows.shape[1] != len(mean):
        raise ValueError(f"x: need (n, {len(mean)}), got {rows.shape}")
    return rows


def _belief(mu_q: ArrayLike, cov_q: ArrayLike, n: int, m: int) -> tuple[Floats, Floats]:
    mu, cov = array("mu_q", mu_q), array("cov_q", cov_q)
    rows = {n, *mu.shape[:-1], *cov.shape[:-2]} - {1}  # one row goes with any number of others
    shaped = mu.ndim in (1, 2) and mu.shape[-1] == m and cov.ndim in (2, 3) and cov.shape[-2:] == (m, m)
    if not shaped or len(rows) > 1:
        need = f"({n}, {m}) or ({m},) and ({n}, {m}, {m}) or ({m}, {m})"
        raise ValueError(f"mu_q and cov_q: need {need}, got {mu.shape} and {cov.shape}")
    if not np.allclose(cov, np.swapaxes(cov, -1, -2), rtol=1e-6, atol=1e-6 * np.abs(cov).max()):
        raise ValueError(f"cov_q: need a symmetric covariance, got {shortened(cov_q)}")
    if not (least := np.linalg.eigvalsh(cov).min()) > 0:
        raise ValueError(f"cov_q: need a positive definite covariance, got an eigenvalue of {least:g}")
    return mu, cov
