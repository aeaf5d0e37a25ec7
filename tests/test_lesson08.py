"""Lesson 08: right and wrong answers to its exercises, for test_judge.py."""

import numpy as np
from numpy.linalg import norm
from scipy.special import xlogy
from scipy.stats import bernoulli, mannwhitneyu
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score


def answering(width=lambda logvar: np.exp(logvar / 2)):
    """The solution of exercise 2, or one with a mistake built in."""
    return lambda before, after, logvar: np.sum(np.abs(after - before) > width(logvar))


def slerp(angle=np.arccos, over=np.sin):
    """The solution of exercise 4, or one with a mistake built in."""

    def attempt(a, b, t):
        phi = angle(a @ b / norm(a) / norm(b))
        return (np.sin((1 - t) * phi) * a + np.sin(t * phi) * b) / over(phi)

    return attempt


def share(values=lambda mu: np.linalg.svd(mu - mu.mean(axis=0), compute_uv=False) ** 2, taken=slice):
    """The solution of exercise 7, or one with a mistake built in."""
    return lambda mu, k: values(mu)[taken(k)].sum() / values(mu).sum()


RIGHT = {
    "nearest": [lambda code, codes: (codes @ code - (codes**2).sum(axis=1) / 2).argmax()],
    "answering": [answering()],
    "best_reconstruction": [
        lambda x: -sum(bernoulli(p).entropy() for p in x.flat),
        lambda x: np.sum(x * np.log(x.clip(1e-7)) + (1 - x) * np.log((1 - x).clip(1e-7))),
    ],
    "slerp": [slerp()],
    "agreement": [lambda s: np.sum(s @ s.T) / len(s) / np.sum(s**2)],
    "auc": [lambda inside, outside: mannwhitneyu(inside, outside).statistic / len(inside) / len(outside)],
    "variance_share": [lambda mu, k: PCA().fit(mu).explained_variance_ratio_[:k].sum()],
}

#: What a learner would write; the other mistakes are tested by the formulas that the checks give for them.
WRONG = {
    "nearest": [
        (lambda code, codes: np.argmin(abs((codes - code).sum(axis=1))), "of both signs"),
        (lambda code, codes: np.argmax(codes @ code), "scalar product"),
        (lambda code, codes: np.argmin(abs(codes - code)[:, 0]), "Not yet"),
        (lambda code, codes: np.argmin(norm(codes, axis=1)), "Not yet"),
        (lambda code, codes: codes[0], "Need one number"),
    ],
    "answering": [
        (answering(np.exp), "compared with the variance"),
        (answering(lambda logvar: logvar), "logvar itself"),
        (lambda b, a, v: np.mean(np.abs(a - b) > np.exp(v / 2)), "Not yet"),
        (answering(lambda logvar: 0.5), "Not yet"),
        (lambda before, after: 0, "stopped with TypeError"),
    ],
    "best_reconstruction": [
        (lambda x: np.sum(x * np.log(x) + (1 - x) * np.log(1 - x)), "0 · log 0"),
        (lambda x: sum(xlogy(x, x) + xlogy(1 - x, 1 - x)), "rows alone"),
        (lambda x: np.nansum(x * np.log(x) + (1 - x) * np.log(1 - x)) - 0.1, "Not yet"),
    ],
    "slerp": [
        (slerp(over=lambda phi: 1), "The division by the sine of the angle is missing."),
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
