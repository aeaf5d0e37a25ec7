"""k-means: the loop of EM with hard assignments and without shapes."""

import warnings
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.cluster import KMeans
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

    Lloyd (1982), "Least squares quantization in PCM", as in scikit-learn: from rows chosen by k-means++ (Arthur &
    Vassilvitskii 2007) or at random. The best run has the smallest sum of squared distances. Warns with a
    ``ConvergenceWarning`` when it took ``max_iter`` rounds, or when ``x`` has fewer distinct rows than ``k``. Raises
    ``ValueError`` unless 1 ≤ k ≤ n, and for an unknown ``init``.
    """
    x = array("x", x, ("n", "d"))
    whole("k", k, 1, len(x)), whole("n_init", n_init), whole("max_iter", max_iter), generator("rng", rng)
    if init not in ("k-means++", "random"):
        raise ValueError(f"init: need 'k-means++' or 'random', got {init!r}")
    centre = x.mean(axis=0)
    scale = np.abs(x - centre).max() or 1.0  # so that squares neither overflow nor underflow
    model = KMeans(k, init=init, n_init=n_init, max_iter=max_iter, tol=0, random_state=int(rng.integers(2**32)))
    labels = model.fit_predict((x - centre) / scale)
    if model.n_iter_ == max_iter:
        message = f"k_means did not converge in max_iter={max_iter} rounds"
        warnings.warn(message, ConvergenceWarning, stacklevel=2)
    return centre + scale * model.cluster_centers_, labels.astype(np.intp)
