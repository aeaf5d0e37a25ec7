"""The linear-Gaussian model (probabilistic PCA), whose evidence, posterior and ELBO have closed forms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arguments import array, broadcastable, constant, generator, number, positive_definite, whole
from .information import gaussian_kl

Floats = NDArray[np.float64]


@dataclass(eq=False)
class LinearGaussian:
    """The model z ~ N(0, I), x | z ~ N(weights z + mean, variance I), all logarithms in nats.

    ``weights`` is ``(d, m)``, ``mean`` is ``(d,)`` and ``variance`` one number. Methods take data ``x`` ``(n, d)`` and
    Gaussians q(z) with means ``mu_q`` ``(n, m)`` or ``(m,)`` and covariances ``cov_q`` ``(n, m, m)`` or ``(m, m)``.
    Tipping & Bishop (1999), "Probabilistic principal component analysis"; Bishop (2006), §12.2. Raises ``ValueError``
    when the shapes do not match or a variance is not positive.
    """

    weights: Floats
    mean: Floats
    variance: float

    def __post_init__(self) -> None:
        self.weights = constant("weights", self.weights, ("d", "m"))
        self.mean = constant("mean", self.mean, self.weights.shape[:1])
        self.variance = number("variance", self.variance, above=0)

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw ``n`` latents ``(n, m)`` and the data ``(n, d)`` that they generate."""
        d, m = self.weights.shape
        z = generator("rng", rng).standard_normal((whole("n", n, 0), m))
        return z, z @ self.weights.T + self.mean + np.sqrt(self.variance) * rng.standard_normal((n, d))

    def posterior(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """Return the means ``(n, m)`` and the one covariance ``(m, m)`` of p(z | x); Bishop (2006), eq. 12.42."""
        covariance = np.asarray(np.linalg.inv(self._precision()), float)
        return self._centred(x) @ self.weights @ covariance / self.variance, covariance

    def log_evidence(self, x: ArrayLike) -> Floats:
        """Return log p(x) ``(n,)``, the log-density of N(mean, weights weightsᵀ + variance I); Bishop, eq. 12.35."""
        mu, _ = self.posterior(x)  # with mu the quadratic form is a sum of squares, without cancellation
        squares = _squares(self._centred(x) - mu @ self.weights.T) / self.variance + _squares(mu)
        log_det = np.linalg.slogdet(self._precision())[1]
        return -(len(self.mean) * np.log(2 * np.pi * self.variance) + log_det + squares) / 2

    def elbo_terms(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> tuple[Floats, Floats]:
        """Return the reconstruction term E[log p(x | z)] and KL(q ‖ p(z)), each ``(n,)``.

        Kingma & Welling (2014), "Auto-encoding variational Bayes", eq. 3.
        """
        errors = self._centred(x)
        mu, cov = self._gaussian(mu_q, cov_q, errors)
        squares = _squares(errors - mu @ self.weights.T) + np.trace(self.weights.T @ self.weights @ cov, 0, -2, -1)
        reconstruction = -(len(self.mean) * np.log(2 * np.pi * self.variance) + squares / self.variance) / 2
        return reconstruction, np.broadcast_to(_kl(mu, cov, np.zeros(1), np.eye(mu.shape[-1])), reconstruction.shape)

    def elbo(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> Floats:
        """Return the evidence lower bound ``(n,)``: reconstruction term minus KL."""
        reconstruction, kl = self.elbo_terms(x, mu_q, cov_q)
        return reconstruction - kl

    def gap(self, x: ArrayLike, mu_q: ArrayLike, cov_q: ArrayLike) -> Floats:
        """Return KL(q ‖ p(z | x)) ``(n,)``, which is log p(x) - ELBO; it is computed without the ELBO."""
        means, covariance = self.posterior(x)
        return _kl(*self._gaussian(mu_q, cov_q, means), means, covariance)

    def _precision(self) -> Floats:
        """Return the inverse ``(m, m)`` of the posterior covariance."""
        return np.eye(self.weights.shape[1]) + self.weights.T @ self.weights / self.variance

    def _centred(self, x: ArrayLike) -> Floats:
        return array("x", x, ("n", len(self.mean))) - self.mean

    def _gaussian(self, mu_q: ArrayLike, cov_q: ArrayLike, rows: Floats) -> tuple[Floats, Floats]:
        m = self.weights.shape[1]
        mu, cov = array("mu_q", mu_q), array("cov_q", cov_q)
        mu = array("mu_q", mu, (m,) if mu.ndim == 1 else ("n", m))
        cov = positive_definite("cov_q", cov, (m, m) if cov.ndim == 2 else ("n", m, m))
        broadcastable(x=rows[:, 0], mu_q=mu[..., 0], cov_q=cov[..., 0, 0])
        return mu, cov


def fit(x: ArrayLike, latent_dim: int) -> LinearGaussian:
    """Return the maximum-likelihood model for ``x`` ``(n, d)``; Tipping & Bishop (1999), eqs. 7 and 8.

    The columns of ``weights`` are scaled eigenvectors of the covariance; ``variance`` is the mean of the remaining
    eigenvalues. Raises ``ValueError`` unless 1 <= ``latent_dim`` < d and the remaining variance exceeds rounding.
    """
    data = array("x", x, ("n", "d"))
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
    return LinearGaussian(directions[:latent_dim].T * scales, mean, variance)


def _squares(rows: Floats) -> Floats:
    return (rows**2).sum(axis=-1)


def _kl(mu_q: Floats, cov_q: Floats, mu_p: Floats, cov_p: Floats) -> Floats:
    """Return KL(q ‖ p) in coordinates in which p is N(0, I) and the components of q are independent."""
    inverse = np.linalg.inv(np.linalg.cholesky(cov_p))
    variances, axes = np.linalg.eigh(inverse @ cov_q @ inverse.T)
    mu = np.einsum("...i,ji,...jk->...k", mu_q - mu_p, inverse, axes)
    return gaussian_kl(mu, variances, 0, 1).sum(axis=-1)
