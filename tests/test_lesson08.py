"""Lesson 08: its figure; right and wrong answers of the exercises, for test_judge.py."""

import math

import numpy as np
import torch
from numpy.linalg import norm
from scipy.special import entr, xlogy
from scipy.stats import bernoulli, mannwhitneyu
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score
from torch.nn import functional as F

from vaehelpers.lessons import lesson08


def answering(width=lambda logvar: np.exp(logvar / 2), change=np.abs):
    """The solution of exercise 2, or one with a mistake built in."""
    return lambda before, after, logvar: np.sum(change(after - before) > width(logvar))


def answering_in_place(before, after, logvar):
    after -= before
    after **= 2
    return len(after[after > np.exp(logvar)])


def clipped_reconstruction(x):
    p = x.clip(1e-7, 1 - 1e-7)
    return np.sum(x * np.log(p) + (1 - x) * np.log(1 - p))


def reconstruction_in_place(x):
    dark = 1 - x
    x[:] = xlogy(x, x)
    x += xlogy(dark, dark)
    return x.sum()


def slerp(angle=np.arccos, over=np.sin, ends=lambda a, b: (a, b)):
    """The solution of exercise 4, or one with a mistake built in."""

    def attempt(a, b, t):
        phi = angle(a @ b / norm(a) / norm(b))
        a, b = ends(a, b)
        return (np.sin((1 - t) * phi) * a + np.sin(t * phi) * b) / over(phi)

    return attempt


def slerp_in_place(a, b, t):
    phi = 2 * np.arcsin(norm(a / norm(a) - b / norm(b)) / 2)
    a *= np.sin((1 - t) * phi) / np.sin(phi)
    b *= np.sin(t * phi) / np.sin(phi)
    a += b
    return a


def agreement_in_place(s):
    lengths = norm(s, axis=1)
    s -= s.mean(axis=0)
    return 1 - np.sum(s * s) / lengths.dot(lengths)


def auc_in_place(inside, outside):
    inside.sort()
    outside.sort()
    below = np.searchsorted(outside, inside) + np.searchsorted(outside, inside, side="right")
    return below.mean() / 2 / len(outside)


def share(values=lambda mu: np.linalg.svd(mu - mu.mean(axis=0), compute_uv=False) ** 2, taken=slice):
    """The solution of exercise 7, or one with a mistake built in."""
    return lambda mu, k: values(mu)[taken(k)].sum() / values(mu).sum()


def share_in_place(mu, k):
    mu -= mu.mean(axis=0)
    values = np.linalg.eigvalsh(mu.T @ mu)
    return values[-k:].sum() / values.sum()


def distances(code, codes):
    return norm(codes - code, axis=1)


def nearest_in_place(code, codes):
    codes -= code
    codes *= codes
    return codes.sum(axis=1).argmin(keepdims=True)


RIGHT = {
    "nearest": [
        lambda code, codes: int(np.argmin(distances(code, codes))),
        nearest_in_place,
        lambda code, codes: np.where(distances(code, codes) == distances(code, codes).min()),
        lambda code, codes: (codes @ code - (codes**2).sum(axis=1) / 2).argmax(),
    ],
    "answering": [
        answering(),
        answering_in_place,
        lambda b, a, v: sum(math.fabs(y - x) > math.sqrt(math.exp(w)) for x, y, w in zip(b, a, v, strict=True)),
        lambda b, a, v: torch.tensor(2 * np.log(np.abs(a - b)) > v).sum(),
    ],
    "best_reconstruction": [
        lambda x: np.sum(xlogy(x, x) + xlogy(1 - x, 1 - x)),
        clipped_reconstruction,
        reconstruction_in_place,
        lambda x: -np.sum(entr(x) + entr(1 - x)),
        lambda x: -sum(bernoulli(p).entropy() for p in x.flat),
        lambda x: -F.binary_cross_entropy(torch.tensor(x), torch.tensor(x), reduction="sum"),
    ],
    "slerp": [
        slerp(),
        slerp_in_place,
        lambda a, b, t: slerp()(b, a, 1 - t)[:, None],
        lambda a, b, t: torch.tensor(slerp()(a, b, t), dtype=torch.float32, requires_grad=True),
    ],
    "agreement": [
        lambda s: np.sum(s.mean(axis=0) ** 2) / np.sum(s**2, axis=1).mean(),
        agreement_in_place,
        lambda s: [1 - s.var(axis=0).sum() / np.mean([step @ step for step in s])],
        lambda s: (torch.tensor(s).mean(0).norm() ** 2 / torch.tensor(s).norm(dim=1).square().mean()).requires_grad_(),
        lambda s: sum(x @ y for x in s for y in s) / len(s) / (s * s).sum(),
    ],
    "auc": [
        lambda a, b: np.mean((a[:, None] > b) + (a[:, None] == b) / 2),
        auc_in_place,
        lambda a, b: roc_auc_score([1] * len(a) + [0] * len(b), [*a, *b]),
        lambda a, b: mannwhitneyu(a, b).statistic / len(a) / len(b),
        lambda a, b: [sum((x > y) + 0.5 * (x == y) for x in a.tolist() for y in b.tolist()) / (a.size * b.size)],
    ],
    "variance_share": [
        share(),
        share_in_place,
        lambda mu, k: PCA().fit(mu).explained_variance_ratio_[:k].sum(),
        lambda mu, k: 1 - share(taken=lambda k: slice(k, None))(mu, k),
    ],
}

#: What a learner would write; the other mistakes are tested by the formulas that the checks give for them.
WRONG = {
    "nearest": [
        (lambda code, codes: np.argmin(abs((codes - code).sum(axis=1))), "of both signs"),
        (lambda code, codes: np.argmax(codes @ code), "scalar product"),
        (lambda code, codes: np.argmin(abs(codes - code)[:, 0]), "Not yet"),
        (lambda code, codes: np.argmin(distances(0, codes)), "Not yet"),
        (lambda code, codes: codes[0], "Need one number"),
    ],
    "answering": [
        (answering(np.exp), "compared with the variance"),
        (answering(lambda logvar: logvar), "logvar itself"),
        (lambda b, a, v: np.sum(np.abs(a - b) <= np.exp(v / 2)), "did not respond"),
        (lambda b, a, v: np.mean(np.abs(a - b) > np.exp(v / 2)), "Not yet"),
        (answering(lambda logvar: 0.5), "Not yet"),
        (lambda before, after: 0, "stopped with TypeError"),
    ],
    "best_reconstruction": [
        (lambda x: np.sum(x * np.log(x) + (1 - x) * np.log(1 - x)), "0 · log 0"),
        (lambda x: np.sum(entr(x) + entr(1 - x)), "That is the entropy"),
        (lambda x: sum(xlogy(x, x) + xlogy(1 - x, 1 - x)), "rows alone"),
        (lambda x: np.nansum(x * np.log(x) + (1 - x) * np.log(1 - x)) - 0.1, "Not yet"),
    ],
    "slerp": [
        (slerp(over=lambda phi: 1), "sine of the whole angle is missing"),
        (lambda a, b, t: slerp(angle=lambda _: np.arccos(a @ b))(a, b, t), "divide a · b by both lengths"),
        (slerp(angle=lambda cosine: cosine), "take the arccosine"),
        (lambda a, b, t: norm(a), "Need an array of shape (3,)"),
        (lambda a, b, t: slerp()(a, b, 0.25), "Not yet"),
    ],
    "agreement": [
        (lambda s: norm(s.mean(axis=0)) / norm(s, axis=1).mean(), "[[1, 0], [9, 0]]"),
        (lambda s: norm(s.mean(axis=0)) ** 2 / norm(s, axis=1).mean() ** 2, "Square each length first"),
        (lambda s: np.sum(s.sum(axis=0) ** 2) / np.sum(s**2, axis=1).mean(), "added the steps"),
        (lambda s: np.mean(s.mean(axis=0) ** 2) / np.mean(s), "Not yet"),
    ],
    "auc": [
        (lambda a, b: np.mean(a > b), "first with the first"),
        (lambda a, b: np.mean(a[:, None] < b), "Not yet"),
        (lambda a, b: roc_auc_score([0] * len(a) + [1] * len(b), [*a, *b]), "other way round"),
        (lambda a, b: a.mean() > b.mean(), "means alone"),
        (lambda a, b: np.sum(a[:, None] > b), "Not yet"),
    ],
    "variance_share": [
        (share(lambda mu: np.linalg.svd(mu, compute_uv=False) ** 2), "counts as variance"),
        (share(lambda mu: np.linalg.svd(mu - mu.mean(0), compute_uv=False)), "are standard deviations"),
        (lambda mu, k: np.sum(PCA(k).fit(mu).singular_values_ ** 2), "Divide by the sum of all"),
        (share(taken=lambda k: slice(k + 1)), "Not yet"),
    ],
}


def test_a_row_of_elbos_has_a_dot_for_each_image_and_a_bar_at_their_mean():
    images = {"new": np.zeros((2, 1, 4, 4)), "black": np.zeros((1, 1, 4, 4))}
    ax = lesson08.plot_elbos(images, {"new": [-3, -1], "black": [-7]})
    dots, bar, *_ = ax.lines
    assert [*dots.get_xdata()] == [-3, -1] and [*bar.get_xdata()] == [-2, -2]
    assert len(ax.lines) == 3  # no bar hides a single dot
    assert [label.get_text() for label in ax.get_yticklabels()] == ["new", "black"] and ax.yaxis_inverted()
