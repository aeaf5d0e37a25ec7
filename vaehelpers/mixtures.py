"""k-means, and Gaussian mixtures fitted by EM: the same loop with soft assignments.

The likelihood of a mixture grows without limit when a component shrinks onto a point or a line. ``m_step`` therefore
keeps every covariance at least ``FLOOR`` times the covariance of all data, in every direction. The result is the exact
maximum under this constraint, so the bound of EM never falls, and other components are not affected.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, softmax
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from .arguments import Shape, array, constant, generator, instance, number, positive_definite, probabilities, whole

Floats = NDArray[np.float64]
Labels = NDArray[np.intp]

#: The smallest variance of a component, as a share of the variance of all data in the same direction.
FLOOR = 1e-10


def k_means(
    x: ArrayLike, k: int, *, rng: np.random.Generator, n_init: int = 1, max_iter: int = 300
) -> tuple[Floats, Labels]:
    """Return ``k`` centres (k, d) and the label (n,) of each row of ``x`` (n, d): the best of ``n_init`` runs.

    This is scikit-learn's implementation of Lloyd (1982), "Least squares quantization in PCM", started from rows that
    k-means++ chooses (Arthur & Vassilvitskii 2007). The best run has the smallest sum of squared distances. Warns with
    a ``ConvergenceWarning`` when it took ``max_iter`` iterations, or when ``x`` has fewer distinct rows than ``k``.
    Raises ``ValueError`` unless 1 ≤ k ≤ n.
    """
    x = array("x", x, ("n", "d"))
    whole("k", k, 1, len(x)), whole("n_init", n_init), whole("max_iter", max_iter), generator("rng", rng)
    model = KMeans(k, n_init=n_init, max_iter=max_iter, tol=0, random_state=int(rng.integers(2**32)))
    labels = model.fit_predict(x)
    if model.n_iter_ == max_iter:
        warnings.warn(f"k_means did not converge in max_iter={max_iter} iterations", ConvergenceWarning, stacklevel=2)
    return model.cluster_centers_, labels.astype(np.intp)


@dataclass(eq=False)
class GaussianMixture:
    """A mixture of ``k`` Gaussians; the arrays are copied and read-only.

    Parameters: ``weights`` (k,), ``means`` (k, d) and ``covariances`` (k, d, d). Raises ``ValueError`` when the shapes
    do not match, the weights are negative or do not sum to 1, or a covariance is not symmetric positive definite.
    """

    weights: Floats
    means: Floats
    covariances: Floats

    def __post_init__(self) -> None:
        self.weights = constant("weights", probabilities("weights", self.weights, ("k",)))
        self.means = constant("means", self.means, (len(self.weights), "d"))
        shape = self.means.shape + self.means.shape[1:]
        self.covariances = constant("covariances", positive_definite("covariances", self.covariances, shape))

    def sample(self, n: int, *, rng: np.random.Generator) -> tuple[Floats, Labels]:
        """Draw ``n`` points (n, d), and the component (n,) of each."""
        z = generator("rng", rng).choice(len(self.weights), size=whole("n", n, 0), p=self.weights / self.weights.sum())
        roots = np.linalg.cholesky(self.covariances)
        noise = rng.standard_normal((n, self.means.shape[1]))
        return self.means[z] + np.einsum("nij,nj->ni", roots[z], noise), z


def log_joint_density(x: ArrayLike, mixture: GaussianMixture) -> Floats:
    """Return log p(x, z = k) (n, k) in nats for the rows of ``x`` (n, d): log-weight plus Gaussian log-density.

    Bishop (2006), §2.3, eq. 2.43. Raises ``ValueError`` when the columns do not match the mixture.
    """
    x = array("x", x, ("n", instance("mixture", mixture, GaussianMixture).means.shape[1]))
    roots = np.linalg.cholesky(mixture.covariances)
    whitened = np.linalg.solve(roots, (x - mixture.means[:, None]).swapaxes(1, 2))  # (k, d, n)
    log_dets = 2 * np.log(np.sqrt(2 * np.pi) * np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    with np.errstate(divide="ignore"):  # the weight of a component may be 0
        return np.log(mixture.weights) - 0.5 * (log_dets + (whitened**2).sum(axis=1).T)


def e_step(x: ArrayLike, mixture: GaussianMixture) -> tuple[Floats, Floats]:
    """Return the log-responsibilities (n, k) and the log-likelihood (n,) in nats of the rows of ``x`` (n, d).

    Bishop (2006), §9.2, eq. 9.13, in log space. Raises ``ValueError`` when the columns do not match the mixture.
    """
    log_joint = log_joint_density(x, mixture)
    log_likelihood = logsumexp(log_joint, axis=1)
    return log_joint - log_likelihood[:, None], log_likelihood


def m_step(x: ArrayLike, log_resp: ArrayLike) -> GaussianMixture:
    """Return the mixture that maximises the expected log-joint of ``x`` (n, d) under log-responsibilities (n, k).

    Bishop (2006), §9.2, eqs. 9.24–9.26, with covariances of at least ``FLOOR`` times the covariance of ``x``. Raises
    ``ValueError`` when the rows do not match, a responsibility is above 1, a component has none, or the columns of
    ``x`` are linearly dependent (a constant column, for example).
    """
    x = array("x", x, ("n", "d"))
    log_resp = _log_responsibilities(log_resp, (len(x), "k"))
    if (empty := np.isneginf(log_resp).all(axis=0)).any():
        raise ValueError(f"log_resp: component {empty.argmax()} is responsible for nothing; start with other means")
    shares = softmax(log_resp, axis=0)  # each column sums to 1
    centre = x.mean(axis=0)
    means = centre + shares.T @ (x - centre)  # shares.T @ x would lose digits to an offset
    covariances = [(share[:, None] * (x - mean)).T @ (x - mean) for share, mean in zip(shares.T, means, strict=True)]
    weights = softmax(logsumexp(log_resp, axis=0))
    return GaussianMixture(weights, means, _above_floor(np.array(covariances), _root(x)))


def elbo(x: ArrayLike, mixture: GaussianMixture, log_resp: ArrayLike) -> float:
    """Return the evidence lower bound in nats, summed over the rows of ``x``: Σ r (log p(x, z) − log r).

    Bishop (2006), §9.4, eq. 9.71. It equals the log-likelihood where ``log_resp`` comes from ``e_step``.
    Raises ``ValueError`` when the shapes do not match or a responsibility is above 1.
    """
    log_joint = log_joint_density(x, mixture)
    log_resp = _log_responsibilities(log_resp, log_joint.shape)
    some = (resp := np.exp(log_resp)) > 0
    return float(resp[some] @ (log_joint[some] - log_resp[some]))


class HalfStep(NamedTuple):
    """A half-step of EM: its kind, the mixture and the log-responsibilities after it, and the bound in nats."""

    kind: Literal["E", "M"]
    mixture: GaussianMixture
    log_resp: Floats
    bound: float


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


@dataclass(frozen=True, eq=False)
class Fit:
    """The result of ``fit``, which also unpacks as ``mixture, bounds = fit(…)``."""

    mixture: GaussianMixture
    bounds: Floats  # the log-likelihood in nats at each E-step, summed over the rows
    converged: bool

    def __getitem__(self, i: int) -> Any:
        return (self.mixture, self.bounds)[i]


def fit(
    x: ArrayLike,
    start: GaussianMixture | int,
    *,
    n_init: int = 1,
    rng: np.random.Generator | None = None,
    max_iter: int = 100,
    tol: float = 1e-3,
) -> Fit:
    """Run EM on ``x`` (n, d), several times as fast as ``em``, and return mixture, bounds and ``converged``.

    ``start`` is a mixture or a number of components. With a number, ``n_init`` runs start from labels of ``k_means``
    with ``rng``, and the run with the largest likelihood is returned; one with a component at ``FLOOR`` is returned
    only if every run has such a component. A run converges when the mean log-likelihood of a row changes by less than
    ``tol``; ``tol=0`` runs ``max_iter`` iterations. Warns with a ``ConvergenceWarning`` when the result did not
    converge. Raises ``ValueError`` as ``m_step`` does, and when a standard deviation of ``start`` is more than 1e7
    times that of ``x``, since rounding errors would dominate the first iteration.
    """
    x = array("x", x, ("n", "d"))
    whole("n_init", n_init), whole("max_iter", max_iter), number("tol", tol, least=0)
    root, centre = _root(x), x.mean(axis=0)
    z = x - centre
    if isinstance(start, GaussianMixture):
        array("x", x, ("n", start.means.shape[1])), whole("n_init", n_init, 1, 1)
        if (ratio := _variances(start.covariances, root)[0].max() ** 0.5) > 1e7:
            raise ValueError(f"start: need standard deviations of at most 1e7 times those of x, got {ratio:g} times")
        starts = [GaussianMixture(start.weights, start.means - centre, start.covariances)]
    else:
        k, rng = whole("start", start, 1, len(x)), generator("rng", rng)
        labels = [k_means(x, k, rng=rng)[1] for _ in range(n_init)]
        starts = [m_step(z, np.where(run[:, None] == np.arange(k), 0, -np.inf)) for run in labels]
    columns = np.concatenate([np.ones((1, len(z))), z.T])
    runs = [_run(columns, root, mixture, max_iter, tol) for mixture in starts]
    best = max(runs, key=lambda run: (_variances(run.mixture.covariances, root)[0].min() > 2 * FLOOR, run.bounds[-1]))
    if tol > 0 and not best.converged:
        message = f"fit did not converge to tol={tol:g} in max_iter={max_iter} iterations; raise tol or max_iter"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    mixture = GaussianMixture(best.mixture.weights, centre + best.mixture.means, best.mixture.covariances)
    return Fit(mixture, best.bounds, best.converged)


def _run(x: Floats, root: Floats, mixture: GaussianMixture, max_iter: int, tol: float) -> Fit:
    """Run EM on ``x`` (1 + d, n), whose first row is 1 and whose covariance is ``root @ root.T``."""
    bounds: list[float] = []
    converged = False
    while not converged and len(bounds) < max_iter:
        mixture, log_likelihood = _iteration(x, root, mixture)
        bounds.append(log_likelihood)
        converged = len(bounds) > 1 and abs(bounds[-1] - bounds[-2]) < tol * x.shape[1]
    return Fit(mixture, np.array(bounds), converged)


def _iteration(x: Floats, root: Floats, mixture: GaussianMixture) -> tuple[GaussianMixture, float]:
    """Return the mixture after an E-step and an M-step on ``x``, and the log-likelihood before them.

    For each component, y is ``x`` in coordinates in which the component is N(0, I). Since y is linear in (1, x), each
    half-step is one matrix product for each block of rows. The rounding error grows with the square of the distance, in
    standard deviations, that a component moves, so it vanishes at the end of EM.
    """
    k, d = mixture.means.shape
    roots = np.linalg.cholesky(mixture.covariances)
    inverses = np.linalg.inv(roots)
    whiten = np.concatenate([-inverses @ mixture.means[:, :, None], inverses], axis=2)  # (k, d, 1 + d)
    with np.errstate(divide="ignore"):  # the weight of a component may be 0
        log_scales = np.log(mixture.weights) - np.log(np.sqrt(2 * np.pi) * np.diagonal(roots, 0, 1, 2)).sum(axis=1)
    log_likelihood, counts, sums = 0.0, np.zeros(k), np.zeros((k, d, 1 + d))
    rows = max(2**16 // (k * d), 256)  # a block fits into the cache
    for first in range(0, x.shape[1], rows):
        block = x[:, first : first + rows]
        y = (whiten.reshape(-1, 1 + d) @ block).reshape(k, d, -1)
        log_joint = log_scales[:, None] - 0.5 * np.einsum("kdn,kdn->kn", y, y)
        top = log_joint.max(axis=0)
        resp = np.exp(log_joint - top)
        total = resp.sum(axis=0)
        log_likelihood += float((top + np.log(total)).sum())
        resp /= total
        counts += resp.sum(axis=1)
        y *= resp[:, None]
        sums += (y.reshape(k * d, -1) @ block.T).reshape(sums.shape)  # of y (1, x)ᵀ
    if not counts.all():
        raise ValueError(f"start: component {counts.argmin()} is responsible for nothing; start with other means")
    averages = sums / counts[:, None, None]
    shifts, squares = averages[:, :, :1], averages @ whiten.swapaxes(1, 2)  # of y and of y yᵀ
    means = mixture.means + (roots @ shifts)[:, :, 0]
    covariances = roots @ (squares - shifts @ shifts.swapaxes(1, 2)) @ roots.swapaxes(1, 2)
    return GaussianMixture(counts / counts.sum(), means, _above_floor(covariances, root)), log_likelihood


def _root(x: Floats) -> Floats:
    """Return the Cholesky factor (d, d) of the covariance of ``x`` (n, d)."""
    if len(x) <= x.shape[1]:
        raise ValueError(f"x: need more rows than columns for full covariances, got shape {x.shape}")
    centre = x.mean(axis=0)
    covariance = (x - centre).T @ (x - centre) / len(x)
    sd = np.sqrt(np.diag(covariance))
    if sd.max() > 1e70:
        raise ValueError(f"x: need standard deviations of at most 1e70, got {sd.max():g}; choose another unit")
    varying = (sd > np.maximum(1e-14 * np.abs(centre), 1e-70)).all()
    if not varying or np.linalg.eigvalsh(covariance / np.outer(sd, sd))[0] < 1e-14:
        raise ValueError("x: the columns are linearly dependent or constant, need independent ones; leave some out")
    return np.linalg.cholesky(covariance)


def _variances(covariances: Floats, root: Floats) -> tuple[Floats, Floats]:
    """Return variances (k, d) and axes (k, d, d) of components where the covariance of all data is I."""
    inverse = np.linalg.inv(root)
    variances, axes = np.linalg.eigh(inverse @ covariances @ inverse.T)
    return variances, axes


def _above_floor(covariances: Floats, root: Floats) -> Floats:
    """Raise covariances (k, d, d) to ``FLOOR`` in the directions in which they lie below it."""
    variances, axes = _variances(covariances, root)
    raised = root @ axes * np.sqrt(np.maximum(variances, FLOOR))[:, None]
    result = np.where(variances[:, :1, None] < FLOOR, raised @ raised.swapaxes(1, 2), covariances)
    try:
        np.linalg.cholesky(result)
    except np.linalg.LinAlgError:
        problem = "the columns are nearly linearly dependent: a component is flat up to rounding"
        raise ValueError(f"x: {problem}; leave some out") from None
    return result


def _log_responsibilities(log_resp: ArrayLike, shape: Shape) -> Floats:
    values = array("log_resp", log_resp, shape, finite=False)
    if not (values <= 1e-6).all():
        raise ValueError(f"log_resp: need logarithms of responsibilities, at most 0 and not NaN, got {values.max():g}")
    return values
