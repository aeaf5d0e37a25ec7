"""Mixtures of Gaussians, fitted by EM: the loop of ``k_means`` with soft assignments.

A component that shrinks onto a point or a line would drive the likelihood to infinity. ``m_step`` does not let it:
no covariance falls below ``FLOOR`` times the covariance of all data, in any direction. Under this condition the M step
is still an exact maximum, so the bound of EM still never falls; healthy components are not touched at all.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning

from .arguments import array, generator, instance, number, tolerance, whole
from .kmeans import k_means as k_means

Floats = NDArray[np.float64]

#: The smallest variance of a component, as a share of the data's variance in the same direction.
FLOOR = 1e-10


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of ``k`` Gaussians: ``weights`` (k,), ``means`` (k, d), ``covariances`` (k, d, d).

    Raises ``ValueError`` where shapes do not match, weights are negative or do not sum to 1, or a covariance is not
    symmetric and positive definite.
    """

    weights: Floats
    means: Floats
    covariances: Floats

    def __post_init__(self) -> None:
        weights = self.weights
        for name in ("weights", "means", "covariances"):
            values = array(name, getattr(self, name)).copy()
            values.flags.writeable = False
            object.__setattr__(self, name, values)
        _check_mixture(self.weights, self.means, self.covariances, tolerance(weights, np.size(weights)))

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[Floats, NDArray[np.intp]]:
        """Draw ``n`` points (n, d), and the component (n,) that each came from."""
        z = generator("rng", rng).choice(len(self.weights), size=whole("n", n, 0), p=self.weights / self.weights.sum())
        roots = np.linalg.cholesky(self.covariances)
        noise = rng.standard_normal((n, self.means.shape[1]))
        return self.means[z] + np.einsum("nij,nj->ni", roots[z], noise), z


class HalfStep(NamedTuple):
    """One half-step of EM: which one it was, both sides of the loop after it, and the bound in nats."""

    kind: Literal["E", "M"]
    mixture: GaussianMixture
    log_resp: Floats
    bound: float


def e_step(x: ArrayLike, mixture: GaussianMixture) -> tuple[Floats, Floats]:
    """Return the log-responsibilities (n, k) and the log-likelihood (n,) in nats of each row of ``x`` (n, d).

    Bishop (2006), §9.2, eq. 9.13, in log space. Raises ``ValueError`` when the columns do not match the mixture.
    """
    log_joint = log_joint_density(x, mixture)
    log_likelihood = logsumexp(log_joint, axis=1)
    return log_joint - log_likelihood[:, None], log_likelihood


def log_joint_density(x: ArrayLike, mixture: GaussianMixture) -> Floats:
    """Return log p(x, z = k) (n, k) in nats: the log-weight of each component and the log-density of each row in it."""
    x = _check_data(x, columns=instance("mixture", mixture, GaussianMixture).means.shape[1])
    with np.errstate(divide="ignore"):  # the weight of a component may be 0
        log_joint = np.tile(np.log(mixture.weights), (len(x), 1))
    for j, (mean, covariance) in enumerate(zip(mixture.means, mixture.covariances, strict=True)):
        root = cholesky(covariance, lower=True)
        whitened = solve_triangular(root, (x - mean).T, lower=True)
        log_joint[:, j] -= 0.5 * (whitened**2).sum(axis=0) + np.log(np.diag(root)).sum()
    return log_joint - 0.5 * x.shape[1] * np.log(2 * np.pi)


def m_step(x: ArrayLike, log_resp: ArrayLike) -> GaussianMixture:
    """Return the mixture that fits ``x`` (n, d) best under the log-responsibilities (n, k); −∞ stands for none.

    Bishop (2006), §9.2, eqs. 9.24–9.26, with the ``FLOOR`` under variances that the head of this module describes.
    Raises ``ValueError`` when the rows do not match, a responsibility is above 1, a component has none at all, or the
    columns of ``x`` are linearly dependent (a constant column, for example).
    """
    x = _check_data(x)
    log_resp = _check_log_resp(log_resp, len(x), "k")
    log_n = logsumexp(log_resp, axis=0)
    if not np.isfinite(log_n).all():
        empty = np.flatnonzero(~np.isfinite(log_n))[0]
        raise ValueError(
            f"log_resp: component {empty} is responsible for nothing, need a share for each; start with other means"
        )
    shares = np.exp(log_resp - log_n)  # each column sums to 1
    centre, root = x.mean(axis=0), _root_of_data(x)
    means = centre + shares.T @ (x - centre)  # the sum shares.T @ x, to more digits
    covariances = np.empty((len(means), x.shape[1], x.shape[1]))
    for j, mean in enumerate(means):
        covariances[j] = _above_floor((shares[:, j, None] * (x - mean)).T @ (x - mean), root)
    return GaussianMixture(np.exp(log_n - logsumexp(log_n)), means, covariances)


def elbo(x: ArrayLike, mixture: GaussianMixture, log_resp: ArrayLike) -> float:
    """Return the evidence lower bound in nats, summed over the rows of ``x``: Σ r (log p(x, z) − log r).

    Bishop (2006), §9.4, eq. 9.71. It equals the log-likelihood where ``log_resp`` comes from ``e_step``.
    Raises ``ValueError`` when the shapes do not match or a responsibility is above 1.
    """
    x = _check_data(x, columns=instance("mixture", mixture, GaussianMixture).means.shape[1])
    log_resp = _check_log_resp(log_resp, len(x), len(mixture.weights))
    resp = np.exp(log_resp)
    some = resp > 0
    return float(resp[some] @ (log_joint_density(x, mixture)[some] - log_resp[some]))


def em(x: ArrayLike, start: GaussianMixture, *, max_iter: int = 100) -> Iterator[HalfStep]:
    """Yield every half-step of EM on ``x`` (n, d): E, M, E, M, …, ``max_iter`` of each.

    Dempster, Laird & Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm".
    """
    mixture = instance("start", start, GaussianMixture)
    for _ in range(whole("max_iter", max_iter, 0)):
        log_resp, log_likelihood = e_step(x, mixture)
        yield HalfStep("E", mixture, log_resp, float(log_likelihood.sum()))
        mixture = m_step(x, log_resp)
        yield HalfStep("M", mixture, log_resp, elbo(x, mixture, log_resp))


def fit(
    x: ArrayLike, start: GaussianMixture, *, max_iter: int = 100, tol: float = 1e-3
) -> tuple[GaussianMixture, Floats]:
    """Run EM fast; return the last mixture, and the log-likelihood in nats (summed over ``x``) at each E step.

    It ends when the log-likelihood of an average row changes by less than ``tol``, or after ``max_iter`` rounds with a
    ``ConvergenceWarning``; ``tol=0`` asks for all rounds. The numbers are those of ``em``: a Gaussian log-density is
    linear in the features (1, x, xxᵀ), so that both half-steps are one matrix product each. Where that would cost
    digits, ``e_step`` and ``m_step`` do the round instead.
    """
    x = _check_data(x, columns=instance("start", start, GaussianMixture).means.shape[1])
    whole("max_iter", max_iter), number("tol", tol, least=0)
    centre, root = x.mean(axis=0), _root_of_data(x)
    white = np.ascontiguousarray(solve_triangular(root, (x - centre).T, lower=True))  # (d, n)
    inverse = solve_triangular(root, np.eye(len(root)), lower=True)
    try:
        mixture = _moved(start, inverse, centre, 0)
    except ValueError as error:
        raise ValueError(f"start and x: need numbers on one scale, and where x has variance 1 got {error}") from error
    log_volume = len(x) * np.log(np.diag(root)).sum()
    bounds: list[float] = []
    converged = False
    while not converged and len(bounds) < max_iter:
        mixture, bound = _fast_round(white, mixture) or _careful_round(white.T, mixture)
        bounds.append(bound - log_volume)
        converged = len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < tol * len(x)
    if not converged and tol > 0:
        message = f"fit stopped after max_iter={max_iter} rounds, before the log-likelihood changed by less than"
        warnings.warn(f"{message} tol={tol:g} a row; raise either", ConvergenceWarning, stacklevel=2)
    return _moved(mixture, root, 0, centre), np.array(bounds)


def _careful_round(x: Floats, mixture: GaussianMixture) -> tuple[GaussianMixture, float]:
    log_resp, log_likelihood = e_step(x, mixture)
    return m_step(x, log_resp), float(log_likelihood.sum())


def _fast_round(white: Floats, mixture: GaussianMixture) -> tuple[GaussianMixture, float] | None:
    """Do one round on whitened data (d, n), or return None where the features would lose too many digits.

    A weight of 0 is left to the careful round too: in a matrix product some processors call -inf an invalid value.
    """
    if not mixture.weights.all() or not _well_conditioned(mixture.means, mixture.covariances):
        return None
    d, (i, j) = len(white), np.triu_indices(len(white))
    sums, bound = _sums_of_features(white, _coefficients(mixture))
    counts = sums[:, :1]
    if not (counts > 1e-100).all():
        return None
    means = sums[:, 1 : d + 1] / counts
    covariances = np.empty((len(means), d, d))
    covariances[:, i, j] = covariances[:, j, i] = sums[:, d + 1 :] / counts - means[:, i] * means[:, j]
    if not _well_conditioned(means, covariances):
        return None
    return GaussianMixture(counts[:, 0] / counts.sum(), means, covariances), bound


def _well_conditioned(means: Floats, covariances: Floats) -> bool:
    """Whether squares of the data are not so large beside the smallest variance that their difference loses digits."""
    squares = (means**2).sum(axis=1) + np.trace(covariances, axis1=1, axis2=2)
    return bool((squares < 1e5 * np.linalg.eigvalsh(covariances)[:, 0]).all())


def _coefficients(mixture: GaussianMixture) -> Floats:
    """Weights (k, features) with which the features of a row give its log p(x, z)."""
    precisions = np.linalg.inv(mixture.covariances)
    linear = np.einsum("kij,kj->ki", precisions, mixture.means)
    constant = -0.5 * ((linear * mixture.means).sum(axis=1) + np.linalg.slogdet(mixture.covariances)[1])
    constant += np.log(mixture.weights) - 0.5 * len(precisions[0]) * np.log(2 * np.pi)
    i, j = np.triu_indices(len(precisions[0]))
    return np.column_stack([constant, linear, precisions[:, i, j] * np.where(i == j, -0.5, -1)])


def _sums_of_features(white: Floats, coefficients: Floats) -> tuple[Floats, float]:
    """Return the features summed with their responsibilities (k, features), and the log-likelihood, block by block."""
    d, n = white.shape
    sums, bound = np.zeros_like(coefficients), 0.0
    rows = 2**18 // coefficients.shape[1]
    features = np.ones((coefficients.shape[1], rows))
    for block in (white[:, first : first + rows] for first in range(0, n, rows)):
        part = features[:, : block.shape[1]]
        part[1 : d + 1], row = block, d + 1
        for i in range(d):
            np.multiply(block[i], block[i:], out=part[row : row + d - i])
            row += d - i
        resp = coefficients @ part
        top = resp.max(axis=0)
        np.exp(np.subtract(resp, top, out=resp), out=resp)
        total = resp.sum(axis=0)
        bound += float(np.log(total).sum() + top.sum())
        sums += np.divide(resp, total, out=resp) @ part.T
    return sums, bound


def _moved(mixture: GaussianMixture, matrix: Floats, before: Floats | float, after: Floats | float) -> GaussianMixture:
    """Return the mixture of ``matrix @ (x - before) + after`` when ``x`` has the mixture given."""
    covariances = matrix @ mixture.covariances @ matrix.T
    return GaussianMixture(mixture.weights, (mixture.means - before) @ matrix.T + after, covariances)


def _root_of_data(x: Floats) -> Floats:
    """Cholesky root (d, d) of the covariance of all data."""
    if len(x) <= x.shape[1]:
        raise ValueError(
            f"x: need more rows than columns for full covariances, got {len(x)} rows and {x.shape[1]} columns"
        )
    centre = x.mean(axis=0)
    centred = x - centre
    scale = np.sqrt((centred**2).mean(axis=0))
    if scale.max() > 1e70:
        raise ValueError(f"x: need standard deviations of at most 1e70, got {scale.max():g}; choose another unit")
    varies = scale > 1e-14 * np.abs(centre)
    correlation = centred.T @ centred / len(x) / np.where(np.outer(varies, varies), np.outer(scale, scale), np.inf)
    if np.linalg.eigvalsh(correlation)[0] < 1e-14:
        still = f", got a constant column {np.argmin(varies)}" if not varies.all() else ""
        raise ValueError(f"x: the columns are linearly dependent, need independent ones{still}; leave some out")
    return scale[:, None] * cholesky(correlation, lower=True)


def _above_floor(covariance: Floats, root: Floats) -> Floats:
    """Lift a covariance to ``FLOOR`` times the data's, in the directions where it lies below, and nowhere else."""
    half = solve_triangular(root, covariance, lower=True)
    variances, axes = np.linalg.eigh(solve_triangular(root, half.T, lower=True))
    if variances[0] >= FLOOR:
        return covariance
    lifted = root @ axes * np.sqrt(np.maximum(variances, FLOOR))
    return lifted @ lifted.T


def _check_data(x: ArrayLike, *, columns: int | None = None) -> Floats:
    return array("x", x, ("n", columns or "d"))


def _check_log_resp(log_resp: ArrayLike, n: int, k: int | str) -> Floats:
    values = array("log_resp", log_resp, (n, k), finite=False)
    if not (values <= 1e-6).all():
        raise ValueError(f"log_resp: need logarithms of responsibilities, at most 0 and not NaN, got {values.max():g}")
    return values


def _check_mixture(weights: Floats, means: Floats, covariances: Floats, slack: float) -> None:
    k, d = means.shape if means.ndim == 2 else (0, 0)
    if not k * d or weights.shape != (k,) or covariances.shape != (k, d, d):
        got = f"{weights.shape}, {means.shape} and {covariances.shape}"
        raise ValueError(f"weights, means, covariances: need (k,), (k, d) and (k, d, d), got {got}")
    if (weights < 0).any() or abs(weights.sum() - 1) > slack:
        raise ValueError(
            f"weights: need numbers of at least 0 that sum to 1, got {weights.min():g} and a sum of {weights.sum():g}"
        )
    scale = np.sqrt(np.abs(np.einsum("kii->ki", covariances)))
    if (np.abs(covariances - covariances.transpose(0, 2, 1)) > 1e-6 * scale[:, :, None] * scale[:, None]).any():
        raise ValueError("covariances: need symmetric matrices, got one that is not")
    try:
        np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(covariances).min()
        raise ValueError(f"covariances: need positive definite matrices, got an eigenvalue of {least:g}") from None
