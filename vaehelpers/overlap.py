"""Two pictures, two one-dimensional posteriors: what overlap costs the best decoder, and what avoiding it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit
from scipy.stats import norm

from .arguments import array, whole
from .information import gaussian_kl

Floats = NDArray[np.float64]


class Bargain(NamedTuple):
    """What ``bargain`` returns: all but the overlap in nats, fit and loss as means over the two pictures."""

    overlap: float  # the area that the two posteriors share, from 0 to 1
    prices: Floats  # (2,): KL(q ‖ N(0, 1)) of each picture
    fit: float  # E[log p(x | z)] under the best decoder that there can be
    lost: float  # what that fit lacks of the one without any overlap


def share(z: ArrayLike, means: ArrayLike, sds: ArrayLike) -> Floats:
    """Return the probability ``(n,)`` that a code ``z`` ``(n,)`` came from the first of two equally likely pictures.

    ``means`` and ``sds`` are ``(2,)``: q(z | x) of each. Bayes' rule; Bishop (2006), §4.2.
    Raises ``ValueError`` for another shape, a number that is not finite or an sd that is not above 0.
    """
    (first, second), (wide, other), codes = array("means", means, (2,)), _positive(sds), array("z", z, ("n",))
    return np.asarray(expit(norm.logpdf(codes, first, wide) - norm.logpdf(codes, second, other)))


def best_pictures(z: ArrayLike, means: ArrayLike, sds: ArrayLike, pictures: ArrayLike) -> Floats:
    """Return the pictures ``(n, ...)`` that explain best, on average, what may have sent each code ``z`` ``(n,)``.

    ``pictures`` is ``(2, ...)`` in [0, 1]. The mean of the two, weighted by ``share``: for Bernoulli pixels as for
    squared errors no other answer fits better; Bishop (2006), §1.5.5. Raises ``ValueError`` as ``bargain`` does.
    """
    return np.tensordot(_shares(z, means, sds), _pictures(pictures), axes=1)


def bargain(means: ArrayLike, sds: ArrayLike, pictures: ArrayLike, *, cells: int = 600) -> Bargain:
    """Return overlap, prices and best fit of posteriors N(means, sds²), each ``(2,)``, for ``pictures`` ``(2, ...)``.

    The pictures are in [0, 1] and their pixels Bernoulli, as in ``model.elbo_terms``. Integrals over z are sums
    over ``cells`` points, within eight standard deviations of each mean. Raises ``ValueError`` for bad sds or pictures.
    """
    mu, sd = array("means", means, (2,)), _positive(sds)
    x = _pictures(pictures).reshape(2, -1)
    steps = np.linspace(-8, 8, whole("cells", cells, 4) // 2)[:, None]
    z = np.unique((mu + sd * steps).ravel())  # as fine as each posterior is narrow
    density, shares = norm.pdf(z[:, None], mu, sd), _shares(z, mu, sd)
    own = _doubt(x)  # (2,): what even a decoder that knows the picture cannot fit, for its pixels are grey
    differ = x[0] != x[1]
    mixed = _doubt(shares @ x[:, differ]) - shares @ _doubt(x[:, differ])
    lost = float(np.trapezoid(density.mean(axis=1) * mixed, z))
    prices = gaussian_kl(mu, sd**2, 0, 1)
    return Bargain(float(np.trapezoid(density.min(axis=1), z)), prices, float(-own.mean() - lost), lost)


def _shares(z: ArrayLike, means: ArrayLike, sds: ArrayLike) -> Floats:
    first = share(z, means, sds)
    return np.stack([first, 1 - first], axis=-1)


def _doubt(pictures: Floats) -> Floats:
    """The entropy in nats of Bernoulli pixels ``(n, pixels)``, summed over a picture: minus its best expected fit."""
    return (entr(pictures) + entr(1 - pictures)).sum(axis=1)


def _pictures(pictures: ArrayLike) -> Floats:
    x = array("pictures", pictures, unit=True)
    if x.ndim < 1 or len(x) != 2 or not x.size:
        raise ValueError(f"pictures: need two, (2, ...), got {x.shape}")
    return x


def _positive(sds: ArrayLike) -> Floats:
    sd = array("sds", sds)
    if sd.shape != (2,) or not (sd > 0).all():
        raise ValueError(f"sds: need two standard deviations above 0, got {sd}")
    return sd
