"""Encode and decode images, traverse and interpolate latents, and split the KL by latent or into three parts."""

import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import polar
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp, ndtri
from torch import Tensor

from .arguments import array, generator, instance, number, whole
from .information import gaussian_kl
from .model import VAE, one_thread

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
UNUSED = 0.1  # nats: a latent with less KL is collapsed; `web/explorer.js` has the same limit


def encode(model: VAE, images: ArrayLike) -> tuple[Floats, Floats]:
    """Return ``mu`` and ``logvar`` of the posterior, each ``(n, latent_dim)``, for images ``(n, c, h, w)``.

    Raises ``ValueError`` for another shape and for values outside [0, 1].
    """
    instance("model", model, VAE)
    x = array("images", images, ("n", model.channels, model.size, model.size), unit=True, dtype=np.float32)
    both = _in_blocks(lambda x: torch.cat(model.encoder(x), dim=1), x)
    return both[:, : model.latent_dim], both[:, model.latent_dim :]


def decode(model: VAE, z: ArrayLike) -> Floats:
    """Return the mean images ``(n, c, h, w)`` in [0, 1] for latents ``(n, latent_dim)``.

    Raises ``ValueError`` for another shape and for a number that is not finite.
    """
    instance("model", model, VAE)
    rows = array("z", z, ("n", model.latent_dim), dtype=np.float32)
    return _in_blocks(lambda z: torch.sigmoid(model.decoder(z)), rows)


def latent_kl(mu: ArrayLike, logvar: ArrayLike) -> Doubles:
    """Return the mean KL ``(latent_dim,)`` in nats of each latent over the given posteriors.

    Raises ``ValueError`` when ``mu`` and ``logvar`` are not two arrays ``(n, latent_dim)`` of finite numbers.
    """
    m, v = _posteriors(mu, logvar)
    return np.asarray(gaussian_kl(m, np.exp(v), 0, 1).mean(axis=0))


class KLParts(NamedTuple):
    """The three parts of the mean KL, in nats."""

    mutual_information: float  # between the image and z
    total_correlation: float  # dependence between the latents
    dimension_kl: float  # from each latent's marginal to the prior


def kl_parts(mu: ArrayLike, logvar: ArrayLike, *, rng: np.random.Generator) -> KLParts:
    """Split the mean KL of the posteriors ``(n, latent_dim)`` of n images into three parts, with one sample of each.

    The mixture of these n posteriors approximates q(z), so the first part cannot exceed log n. Hoffman & Johnson
    (2016), "ELBO surgery"; Chen et al. (2018), "Isolating sources of disentanglement in VAEs", eq. 2.
    Raises ``ValueError`` when the shapes differ.
    """
    m, v = _posteriors(mu, logvar)
    eps = generator("rng", rng).standard_normal(m.shape)
    z = m + np.exp(v / 2) * eps
    own = _log_normal(eps, 0, 0) - v / 2  # of z under its own posterior; computing z − m would lose digits
    joint, marginals = np.empty(len(z)), np.empty(len(z))
    for rows in np.array_split(np.arange(len(z)), len(z) // 32 + 1):
        log_q = _log_normal(z[rows, None], m, v)  # (sample, posterior, latent)
        log_q[np.arange(len(rows)), rows] = own[rows]
        joint[rows] = logsumexp(log_q.sum(axis=2), axis=1) - np.log(len(z))
        marginals[rows] = (logsumexp(log_q, axis=1) - np.log(len(z))).sum(axis=1)
    parts = own.sum(axis=1) - joint, joint - marginals, marginals - _log_normal(z, 0, 0).sum(axis=1)
    return KLParts(*(float(part.mean()) for part in parts))


def traverse(
    model: VAE, z: ArrayLike, dims: Sequence[int] | None = None, *, low: float = -3, high: float = 3, steps: int = 15
) -> Floats:
    """Vary one latent at a time from ``low`` to ``high`` while the others stay at ``z`` ``(latent_dim,)``.

    Returns images ``(len(dims), steps, c, h, w)``; ``dims`` defaults to all latents.
    Raises ``ValueError`` for a latent that the model does not have and for another shape of ``z``.
    """
    instance("model", model, VAE)
    chosen = range(model.latent_dim) if dims is None else np.atleast_1d(dims).tolist()
    columns = [whole("dims", dim, 0, model.latent_dim - 1) for dim in chosen]
    rows = np.tile(array("z", z, (model.latent_dim,), dtype=np.float32), (len(columns), whole("steps", steps), 1))
    for row, column in zip(rows, columns, strict=True):
        row[:, column] = np.linspace(number("low", low), number("high", high), steps)
    images = decode(model, rows.reshape(-1, model.latent_dim))
    return images.reshape(len(columns), steps, *images.shape[1:])


def interpolate(start: ArrayLike, end: ArrayLike, *, steps: int = 9, spherical: bool = True) -> Floats:
    """Return codes ``(steps, latent_dim)`` from one code to another, along an arc (slerp) or a straight line.

    Spherical interpolation keeps the norm likely under the prior (Shoemake 1985; White 2016).
    Raises ``ValueError`` unless ``start`` and ``end`` are vectors of the same size.
    """
    a = array("start", start, ("latent_dim",))
    b = array("start, end", end, a.shape)
    t = np.linspace(0, 1, whole("steps", steps))[:, None]
    length = np.linalg.norm(a) * np.linalg.norm(b)
    angle = np.arccos(np.clip(a @ b / length, -1, 1)) if length > 0 else 0.0
    if not spherical or np.sin(angle) < 1e-6:
        return np.asarray((1 - t) * a + t * b, np.float32)
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle), np.float32)


def manifold(model: VAE, *, side: int = 15) -> Floats:
    """Decode a grid of codes of a two-latent model, equally spaced in probability (Kingma & Welling 2014, app. A).

    Returns images ``(side, side, c, h, w)``: the first latent grows to the right, the second upwards. Raises
    ``ValueError`` for a model with another number of latents.
    """
    instance("model", model, VAE)
    if model.latent_dim != 2:
        raise ValueError(f"model: a manifold needs 2 latents, this model has {model.latent_dim}")
    quantiles = ndtri((np.arange(whole("side", side)) + 0.5) / side)
    right, up = np.meshgrid(quantiles, quantiles[::-1])
    images = decode(model, np.stack([right.ravel(), up.ravel()], axis=1))
    return images.reshape(side, side, *images.shape[1:])


def unmix(model: VAE, images: ArrayLike) -> VAE:
    """Return a copy of a model whose active latents are rotated towards independent components of its codes.

    A rotation of equally noisy latents leaves the ELBO as it is (Locatello et al. 2019, "Challenging common
    assumptions", §3); where their noise differs, the diagonal posterior favours some directions, which need not be
    those of the factors (Rolinek et al. 2019, "Variational autoencoders pursue PCA directions (by accident)").
    Independent factors that are not Gaussian have directions of their own: FastICA (Hyvärinen & Oja 2000, "Independent
    component analysis", §6) finds them in the means, and the nearest rotation, which keeps the prior, becomes part of
    the encoder's last and the decoder's first layer. Each latent keeps its number and sign as far as possible.
    Reconstructions from the means do not change. A rotated posterior is no longer diagonal; the diagonal q with the
    least KL(q ‖ rotated) has weighted means of the old precisions (Bishop 2006, §10.1.2), and a linear layer gives its
    log-variances up to errors whose mean over the images is 0. A second call changes nothing.

    If the codes are Gaussian, FastICA finds an arbitrary rotation, or it does not converge. In the latter case it warns
    with a ``ConvergenceWarning``, and the copy is not rotated. Raises ``ValueError`` for fewer than 1000 ``images``
    ``(n, c, h, w)``, for images whose codes do not vary independently in the active latents, and as ``encode`` does.
    """
    from sklearn.exceptions import ConvergenceWarning

    mu, logvar = encode(model, images)
    if len(mu) < 1000:
        raise ValueError(f"images: need at least 1000 images, got {len(mu)}")
    rotated, used = deepcopy(model), np.flatnonzero(latent_kl(mu, logvar) >= UNUSED)
    if len(used) < 2:
        return rotated
    codes, logs = mu[:, used].astype(float), logvar[:, used].astype(float)
    variances = np.linalg.eigvalsh(np.cov(codes, rowvar=False))
    if variances[0] < 1e-9 * variances[-1] or variances[-1] == 0:
        need = f"images whose codes vary independently in the {len(used)} active latents"
        raise ValueError(f"images: need {need}, got variances of {variances[0]:.1g} to {variances[-1]:.1g}")
    try:
        with warnings.catch_warnings(action="error", category=ConvergenceWarning):
            rotation = polar(independent_components(codes, tol=1e-10))[0]
    except ConvergenceWarning:
        reason = "FastICA did not converge on the codes, which may be Gaussian; the copy is not rotated"
        warnings.warn(f"unmix: {reason}", ConvergenceWarning, stacklevel=2)
        return rotated
    rotation = rotation[linear_sum_assignment(-np.abs(rotation.T))[1]]  # each latent near its old direction
    rotation *= np.sign(rotation.diagonal())[:, None]

    weights = rotation**2
    offset = torch.from_numpy((-np.log(np.exp(-logs) @ weights.T) - logs @ weights.T).mean(axis=0)).float()
    last, first, r = rotated.encoder.posterior, rotated.decoder.dense[0], torch.from_numpy(rotation).float()
    assert isinstance(first, torch.nn.Linear)
    with torch.no_grad():
        for rows, matrix in ((used, r), (used + model.latent_dim, r**2)):  # the means, then the log-variances
            last.weight[rows], last.bias[rows] = matrix @ last.weight[rows], matrix @ last.bias[rows]
        last.bias[used + model.latent_dim] += offset
        first.weight[:, used] = first.weight[:, used] @ r.T
    if (latent_kl(*encode(rotated, images))[used] < UNUSED).any():  # a latent has collapsed: the others once more
        return unmix(rotated, images)
    return rotated


def independent_components(codes: Doubles, **options: Any) -> Doubles:
    """Return the matrix ``(k, k)`` that makes independent components of centred codes ``(n, k)``, by FastICA.

    The columns must be linearly independent. ``options`` are passed to scikit-learn's ``FastICA``.
    """
    from sklearn.decomposition import FastICA  # loads slowly, and little else needs it

    variances, directions = np.linalg.eigh(np.cov(codes, rowvar=False))
    whitening = directions / np.sqrt(variances) @ directions.T
    ica = FastICA(whiten=False, w_init=np.eye(len(whitening)), max_iter=1000, **options)
    return np.asarray(ica.fit((codes - codes.mean(axis=0)) @ whitening).components_ @ whitening)


def _posteriors(mu: ArrayLike, logvar: ArrayLike) -> tuple[Doubles, Doubles]:
    m = array("mu", mu, ("n", "latent_dim"))
    v = array("logvar", logvar, m.shape)
    if not (np.abs(v) <= 300).all():
        raise ValueError(f"logvar: need logarithms from -300 to 300, got {v.min():g} to {v.max():g}")
    return m, v


def _log_normal(z: Doubles, mu: Doubles | float, logvar: Doubles | float) -> Doubles:
    with np.errstate(over="ignore"):  # far from a narrow posterior the density is 0, and its logarithm −infinity
        return np.asarray(-0.5 * ((z - mu) ** 2 * np.exp(-logvar) + logvar + np.log(2 * np.pi)))


def _in_blocks(function: Callable[[Tensor], Tensor], rows: ArrayLike) -> Floats:
    tensor = torch.from_numpy(np.ascontiguousarray(rows, np.float32))
    with torch.inference_mode(), one_thread():
        return np.asarray(torch.cat([function(block) for block in tensor.split(256)]).numpy())
