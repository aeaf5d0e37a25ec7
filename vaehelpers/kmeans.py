"""k-means: the loop of EM with hard assignments, and no shapes."""

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from sklearn.cluster import kmeans_plusplus
from sklearn.exceptions import ConvergenceWarning

from .arguments import array, generator, whole

Floats = NDArray[np.float64]


def k_means(
    x: ArrayLike,
    k: int,
    *,
    rng: np.random.Generator,
    n_init: int = 1,
    init: Literal["k-means++", "random"] = "k-means++",
    max_iter: int = 300,
) -> tuple[Floats, NDArray[np.intp]]:
    """Return ``k`` centres (k, d) and the label (n,) of each row of ``x`` (n, d): the best of ``n_init`` runs.

    Lloyd (1982), "Least squares quantization in PCM", from starts that are spread by k-means++ (Arthur & Vassilvitskii
    2007, "k-means++: The advantages of careful seeding") or from ``k`` random rows, for at most ``max_iter`` rounds
    each. The best run has the smallest sum of squared distances. A centre that loses all its points moves to the row
    that is farthest from its own. Warns with a ``ConvergenceWarning`` when the best run was cut short, or ``x`` has
    fewer different rows than ``k``. Raises ``ValueError`` unless 1 ≤ k ≤ n, and for an unknown ``init``.
    """
    x = array("x", x, ("n", "d"))
    whole("k", k, 1, len(x)), whole("n_init", n_init), whole("max_iter", max_iter), generator("rng", rng)
    if init not in ("k-means++", "random"):
        raise ValueError(f"init: need 'k-means++' or 'random', got {init!r}")
    middle = x.mean(axis=0)
    scale = np.abs(x - middle).max() or 1.0
    points = (x - middle) / scale  # squares lose no digits to an offset, and neither overflow nor underflow
    runs = [_lloyd(points, _first_centres(points, k, init, rng), max_iter) for _ in range(n_init)]
    _, converged, centres, labels = min(runs, key=lambda run: run[0])
    if not converged:
        message = f"k_means stopped after max_iter={max_iter} rounds, before the labels stood still"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    if (used := len(np.unique(labels))) < k:
        message = f"k_means: x has too few different rows for k={k} clusters, {used} hold all of them"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return centres * scale + middle, labels


def _first_centres(x: Floats, k: int, init: str, rng: np.random.Generator) -> Floats:
    if init == "random":
        return x[rng.choice(len(x), k, replace=False)]
    return np.array(kmeans_plusplus(x, k, random_state=int(rng.integers(2**32)))[0])


def _lloyd(x: Floats, centres: Floats, max_iter: int) -> tuple[float, bool, Floats, NDArray[np.intp]]:
    """Return the sum of squared distances, whether the labels stood still, the centres, and the labels.

    Rounded means can let labels of points at equal distances change for ever, so a sum that does not fall is the end.
    """
    distances = cdist(x, centres, "sqeuclidean")
    labels, total = distances.argmin(axis=1), distances.min(axis=1).sum()
    for _ in range(max_iter):
        farthest = iter(distances.min(axis=1).argsort()[::-1])
        for j, mine in enumerate(labels == np.arange(len(centres))[:, None]):
            centres[j] = x[mine].mean(axis=0) if mine.any() else x[next(farthest)]
        distances = cdist(x, centres, "sqeuclidean")
        before, total = (labels, total), distances.min(axis=1).sum()
        labels = distances.argmin(axis=1)
        if (labels == before[0]).all() or total >= before[1]:
            return total, True, centres, labels
    return total, False, centres, labels
