"""Lesson 08: right and wrong answers to its exercises, for test_judge.py."""

import numpy as np
from numpy.linalg import norm
from scipy.stats import bernoulli, mannwhitneyu
from sklearn.decomposition import PCA


def slerp(a, b, t, angle=np.arccos):
    phi = angle(a @ b / norm(a) / norm(b))
    return (np.sin((1 - t) * phi) * a + np.sin(t * phi) * b) / np.sin(phi)


RIGHT = {
    "nearest": [lambda code, codes: (codes @ code - (codes**2).sum(axis=1) / 2).argmax()],
    "answering": [lambda before, after, logvar: np.sum((after - before) ** 2 > np.exp(logvar))],
    "best_reconstruction": [
        lambda x: -sum(bernoulli(p).entropy() for p in x.flat),
        lambda x: np.sum(x * np.log(x.clip(1e-7)) + (1 - x) * np.log((1 - x).clip(1e-7))),
    ],
    "slerp": [slerp],
    "agreement": [lambda s: np.sum(s @ s.T) / len(s) / np.sum(s**2)],
    "auc": [lambda inside, outside: mannwhitneyu(inside, outside).statistic / len(inside) / len(outside)],
    "variance_share": [lambda mu, k: PCA().fit(mu).explained_variance_ratio_[:k].sum()],
}

WRONG = {
    "nearest": [
        (lambda code, codes: np.argmin(abs(codes - code)[:, 0]), "Not yet"),
        (lambda code, codes: np.argmin(norm(codes, axis=1)), "Not yet"),
    ],
    "answering": [
        (lambda b, a, v: np.mean(np.abs(a - b) > np.exp(v / 2)), "Not yet"),
        (lambda b, a, v: np.sum(np.abs(a - b) > 0.5), "Not yet"),
    ],
    "best_reconstruction": [
        (lambda x: np.sum(x * np.log(x) + (1 - x) * np.log(1 - x)), "0 · log 0"),
        (lambda x: np.nansum(x * np.log(x) + (1 - x) * np.log(1 - x)) - 0.1, "Not yet"),
    ],
    "slerp": [(lambda a, b, t: slerp(a, b, t, angle=np.arcsin), "Not yet")],
    "agreement": [(lambda s: np.mean(s.mean(axis=0) ** 2) / np.mean(s), "Not yet")],
    "auc": [
        (lambda a, b: np.mean(a[:, None] < b), "Not yet"),
        (lambda a, b: np.sum(a[:, None] > b), "Not yet"),
    ],
    "variance_share": [(lambda mu, k: PCA(k + 1).fit(mu).explained_variance_ratio_.sum(), "Not yet")],
}
