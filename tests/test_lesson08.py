"""Lesson 08: right and wrong answers, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
import torch
from numpy.linalg import norm
from scipy.special import entr, xlogy
from scipy.stats import bernoulli
from sklearn.decomposition import PCA
from torch.nn import functional as F


def answering(width=lambda logvar: np.exp(logvar / 2), change=np.abs):
    """The solution of exercise 2, or one with a mistake built in."""
    return lambda before, after, logvar: np.sum(change(after - before) > width(logvar))


def answering_in_place(before, after, logvar):
    after -= before
    after **= 2
    return len(after[after > np.exp(logvar)])


def clipped_fit(x):
    p = x.clip(1e-7, 1 - 1e-7)
    return np.sum(x * np.log(p) + (1 - x) * np.log(1 - p))


def fit_in_place(x):
    dark = 1 - x
    x[:] = xlogy(x, x)
    x += xlogy(dark, dark)
    return x.sum()


def arc(angle=np.arccos, over=np.sin, ends=lambda a, b: (a, b)):
    """The solution of exercise 4, or one with a mistake built in."""

    def attempt(a, b, t):
        phi = angle(a @ b / norm(a) / norm(b))
        a, b = ends(a, b)
        return (np.sin((1 - t) * phi) * a + np.sin(t * phi) * b) / over(phi)

    return attempt


def arc_in_place(a, b, t):
    phi = 2 * np.arcsin(norm(a / norm(a) - b / norm(b)) / 2)
    a *= np.sin((1 - t) * phi) / np.sin(phi)
    b *= np.sin(t * phi) / np.sin(phi)
    a += b
    return a


def share(values=lambda mu: np.linalg.svd(mu - mu.mean(axis=0), compute_uv=False) ** 2, taken=slice):
    """The solution of exercise 7, or one with a mistake built in."""
    return lambda mu, k: values(mu)[taken(k)].sum() / values(mu).sum()


def share_in_place(mu, k):
    mu -= mu.mean(axis=0)
    values = np.linalg.eigvalsh(mu.T @ mu)
    return values[-k:].sum() / values.sum()


RIGHT = {
    "step": [6 / 14, 0.43, 0.429, Fraction(3, 7), np.diff(np.linspace(-3, 3, 15))[0], [0.4286], np.float32(3 / 7)],
    "answering": [
        answering(),
        answering_in_place,
        lambda b, a, v: sum(math.fabs(y - x) > math.sqrt(math.exp(w)) for x, y, w in zip(b, a, v, strict=True)),
        lambda b, a, v: torch.tensor(2 * np.log(np.abs(a - b)) > v).sum(),
    ],
    "best_fit": [
        lambda x: np.sum(xlogy(x, x) + xlogy(1 - x, 1 - x)),
        clipped_fit,
        fit_in_place,
        lambda x: -np.sum(entr(x) + entr(1 - x)),
        lambda x: -sum(bernoulli(p).entropy() for p in x.flat),
        lambda x: -F.binary_cross_entropy(torch.tensor(x), torch.tensor(x), reduction="sum"),
    ],
    "arc": [
        arc(),
        arc_in_place,
        lambda a, b, t: arc()(b, a, 1 - t)[:, None],
        lambda a, b, t: torch.tensor(arc()(a, b, t), dtype=torch.float32, requires_grad=True),
    ],
    "agreement": [
        lambda s: norm(s.mean(axis=0)) / norm(s, axis=1).mean(),
        lambda s: [norm(s.sum(axis=0)) / sum(math.hypot(*step) for step in s)],
        lambda s: torch.tensor(s).mean(0).norm() / torch.tensor(s).norm(dim=1).mean(),
    ],
    "variance_share": [
        share(),
        share_in_place,
        lambda mu, k: PCA().fit(mu).explained_variance_ratio_[:k].sum(),
        lambda mu, k: 1 - share(taken=lambda k: slice(k, None))(mu, k),
    ],
}

WRONG = {
    "step": [
        (6 / 15, "fewer than fifteen gaps between them"),
        (6 / 16, "not more"),
        (3 / 14, "it is farther than 3."),
        (3 / 15, "farther than 3; and"),
        (14 / 6, "Turn it over."),
        (15 / 6, "not the images"),
        (0.5, "Not"),
    ],
    "answering": [
        (answering(change=lambda change: change), "latents that grew"),
        (answering(change=lambda change: -change), "latents that fell"),
        (answering(np.exp), "compared with the variance"),
        (answering(lambda logvar: logvar), "logvar itself"),
        (answering(lambda logvar: 0), "moved at all"),
        (answering(lambda logvar: 2 * np.exp(logvar / 2)), "whole width"),
        (answering(lambda logvar: np.exp(-logvar / 2)), "upside down"),
        (answering(lambda logvar: np.exp(logvar / 2).mean()), "a band of its own"),
        (lambda b, a, v: np.sum(np.abs(a) > np.exp(v / 2)), "where it was before"),
        (lambda b, a, v: np.sum(np.abs(a - b) <= np.exp(v / 2)), "did not answer"),
        (lambda b, a, v: np.abs(a - b) > np.exp(v / 2), "How many"),
        (lambda b, a, v: np.mean(np.abs(a - b) > np.exp(v / 2)), "Not yet"),
        (answering(lambda logvar: 0.5), "Not yet"),
        (answering(lambda logvar: 1), "Not yet"),
        (lambda before, after: 0, "stopped with TypeError"),
    ],
    "best_fit": [
        (lambda x: np.sum(x * np.log(x) + (1 - x) * np.log(1 - x)), "0 · log 0"),
        (lambda x: 0.0, "Zero would be certainty"),
        (lambda x: xlogy(x, x).sum(), "The dark share"),
        (lambda x: xlogy(1 - x, 1 - x).sum(), "The bright share"),
        (lambda x: np.sum(entr(x) + entr(1 - x)), "That is the entropy"),
        (lambda x: -np.mean(entr(x) + entr(1 - x)), "averaged over the pixels"),
        (lambda x: -np.sum(entr(x) + entr(1 - x)) / np.log(2), "bits"),
        (lambda x: xlogy(x, x) + xlogy(1 - x, 1 - x), "Add them up"),
        (lambda x: sum(xlogy(x, x) + xlogy(1 - x, 1 - x)), "rows alone"),
        (lambda x: np.sum(xlogy(x, x) + xlogy(1 - x, 1 - x), axis=1), "columns alone"),
        (lambda x: np.nansum(x * np.log(x) + (1 - x) * np.log(1 - x)) - 0.1, "Not yet"),
    ],
    "arc": [
        (lambda a, b, t: (1 - t) * a + t * b, "straight line"),
        (lambda a, b, t: arc()(b, a, t), "from b to a"),
        (arc(over=lambda phi: 1), "sine of the whole angle is missing"),
        (lambda a, b, t: arc(angle=lambda _: np.arccos(a @ b))(a, b, t), "divide a · b by both lengths"),
        (arc(ends=lambda a, b: (a / norm(a), b / norm(b))), "lost their lengths"),
        (
            lambda a, b, t: (np.sin(1 - t) * a + np.sin(t) * b) / np.sin(np.arccos(a @ b / norm(a) / norm(b))),
            "share of",
        ),
        (arc(angle=lambda cosine: cosine), "take the arccosine"),
        (arc(angle=lambda cosine: np.degrees(np.arccos(cosine))), "radians"),
        (lambda a, b, t: norm(a), "Need an array of shape (3,)"),
        (lambda a, b, t: arc()(a, b, 0.25), "Not yet"),
    ],
    "agreement": [
        (lambda s: norm(s, axis=1).mean() / norm(s.mean(axis=0)), "Upside down"),
        (lambda s: norm(s.sum(axis=0)) / norm(s, axis=1).mean(), "added the steps"),
        (lambda s: norm(s.mean(axis=0)) / norm(s, axis=1).sum(), "added the lengths"),
        (lambda s: norm(s.mean(axis=0)) / norm(s, axis=0).mean(), "Each step is a row"),
        (lambda s: norm(s.mean(axis=1)) / norm(s, axis=1).mean(), "over the steps: axis=0"),
        (lambda s: norm(s.mean(axis=1)) / norm(s, axis=0).mean(), "exchanged"),
        (lambda s: norm(s.mean(axis=0)) / norm(s), "one long vector"),
        (lambda s: norm(s.mean(axis=0)), "Divide by the mean length"),
        (lambda s: norm(s, axis=1).mean(), "How long is the mean step"),
        (lambda s: 1.0, "always 1"),
        (lambda s: np.sum(s.mean(axis=0) ** 2) / np.sum(s**2, axis=1).mean(), "Those are squares"),
        (lambda s: norm((s / norm(s, axis=1, keepdims=True)).mean(axis=0)), "unit vectors"),
        (lambda s: np.abs(s.mean(axis=0)).sum() / np.abs(s).sum(axis=1).mean(), "Not yet"),
    ],
    "variance_share": [
        (share(lambda mu: np.linalg.svd(mu, compute_uv=False) ** 2), "points at the mean"),
        (share(lambda mu: np.linalg.svd(mu.T - mu.mean(axis=1), compute_uv=False) ** 2), "not that of each code"),
        (share(lambda mu: np.linalg.svd(mu - mu.mean(), compute_uv=False) ** 2), "not one number"),
        (share(lambda mu: np.linalg.svd(mu - mu.mean(0), compute_uv=False)), "are standard deviations"),
        (share(lambda mu: np.linalg.svd(mu, compute_uv=False)), "And subtract"),
        (share(lambda mu: mu.var(axis=0)), "first k latents"),
        (share(lambda mu: np.sort(mu.var(axis=0))[::-1]), "k widest latents"),
        (lambda mu, k: 100 * share()(mu, k), "not in percent"),
        (lambda mu, k: 1 - share()(mu, k), "leave out"),
        (share(taken=lambda k: slice(-k, None)), "the largest come first"),
        (share(taken=lambda k: slice(k - 1, k)), "component k alone"),
        (share(taken=lambda k: slice(1)), "first component alone"),
        (lambda mu, k: np.sum(PCA(k).fit(mu).singular_values_ ** 2), "Divide by the sum of all"),
        (share(taken=lambda k: slice(k + 1)), "Not yet"),
    ],
}
