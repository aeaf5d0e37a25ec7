"""Scores that say how well a model's latents match the factors behind the pictures."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import mutual_info_score

Floats = NDArray[np.float64]


def mi_matrix(mu: ArrayLike, factors: ArrayLike) -> Floats:
    """Mutual information ``(latents, factors)`` in nats between each latent's mean and each factor.

    ``mu`` is ``(n, latents)``, put into 20 equal bins; ``factors`` is ``(n, k)``, put into 10: the conventions of
    Locatello et al. (2019), "Challenging common assumptions in the unsupervised learning of disentangled
    representations". Raises ``ValueError`` when the rows do not match or a value is not finite.
    """
    codes, truths = _check(mu, factors)
    code_bins = [_bins(column, 20) for column in codes.T]
    truth_bins = [_bins(column, 10) for column in truths.T]
    return np.array([[mutual_info_score(t, c) for t in truth_bins] for c in code_bins])


def mig_gaps(mu: ArrayLike, factors: ArrayLike) -> Floats:
    """Gap ``(factors,)`` between the two latents that know most about a factor, as a share of its entropy.

    Chen et al. (2018), "Isolating sources of disentanglement in VAEs", §4.
    """
    informed = np.sort(mi_matrix(mu, factors), axis=0)
    truths = np.asarray(factors, float)
    entropy = np.array([mutual_info_score(b, b) for b in (_bins(column, 10) for column in truths.T)])
    return (informed[-1] - informed[-2]) / entropy


def mig(mu: ArrayLike, factors: ArrayLike) -> float:
    """Return the mutual information gap: the mean of ``mig_gaps``; 1 is best."""
    return float(mig_gaps(mu, factors).mean())


def active_units(mu: ArrayLike, *, threshold: float = 0.01) -> int:
    """Count the latents whose mean moves with the picture (Burda et al. 2016, §5.2: variance above 0.01)."""
    return int((np.asarray(mu, float).var(axis=0) > threshold).sum())


def _bins(values: Floats, n: int) -> NDArray[np.intp]:
    return np.digitize(values, np.histogram_bin_edges(values, n)[1:-1])


def _check(mu: ArrayLike, factors: ArrayLike) -> tuple[Floats, Floats]:
    codes, truths = np.asarray(mu, float), np.asarray(factors, float)
    if codes.ndim != 2 or truths.ndim != 2 or len(codes) != len(truths):
        raise ValueError(f"mu and factors: need (n, latents) and (n, k), got {codes.shape} and {truths.shape}")
    if codes.shape[1] < 2:
        raise ValueError(f"mu: a gap needs at least 2 latents, got {codes.shape[1]}")
    if not (np.isfinite(codes).all() and np.isfinite(truths).all()):
        raise ValueError("mu and factors: every value must be finite")
    return codes, truths
