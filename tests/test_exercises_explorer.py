"""Lesson 08: each classic mistake is met by its hint, an open stub by patience; right answers run in the notebook."""

import numpy as np
import pytest
from scipy.special import entr, xlogy
from sklearn.decomposition import PCA

from vaehelpers import exercises, latents

NORM = np.linalg.norm


def answering(width=lambda logvar: np.exp(logvar / 2), change=np.abs):
    """The solution of exercise 2, or one with a mistake built in."""
    return lambda before, after, logvar: np.sum(change(after - before) > width(logvar))


def arc(angle=lambda cosine: np.arccos(cosine), over=np.sin, ends=lambda a, b: (a, b)):
    """The solution of exercise 4, or one with a mistake built in."""

    def attempt(a, b, t):
        phi = angle(a @ b / NORM(a) / NORM(b))
        a, b = ends(a, b)
        return (np.sin((1 - t) * phi) * a + np.sin(t * phi) * b) / over(phi)

    return attempt


def share(values=lambda mu: np.linalg.svd(mu - mu.mean(axis=0), compute_uv=False) ** 2, taken=slice):
    """The solution of exercise 7, or one with a mistake built in."""

    def attempt(mu, k):
        parts = values(mu)
        return parts[taken(k)].sum() / parts.sum()

    return attempt


@pytest.mark.parametrize(
    ("check", "attempt", "answer"),
    [
        ("step", ..., "Not filled in yet"),
        ("step", 6 / 14, "Right"),
        ("step", 0.43, "Right"),
        ("step", 6 / 15, "fewer than fifteen gaps between them"),
        ("step", 3 / 14, "it is farther than 3."),
        ("step", 3 / 15, "farther than 3; and"),
        ("step", 14 / 6, "Turn it over."),
        ("step", 15 / 6, "not the pictures"),
        ("answering", lambda before, after, logvar: ..., "Not filled in yet"),
        ("answering", answering(), "Right"),
        ("answering", answering(change=lambda change: change), "One that fell"),
        ("answering", answering(np.exp), "compared with the variance"),
        ("answering", answering(lambda logvar: logvar), "logvar itself"),
        ("answering", answering(lambda logvar: 0), "moved at all"),
        ("answering", answering(lambda logvar: 2 * np.exp(logvar / 2)), "whole width"),
        ("answering", answering(lambda logvar: np.exp(-logvar / 2)), "upside down"),
        ("answering", lambda b, a, v: np.sum(np.abs(a - b) <= np.exp(v / 2)), "did not answer"),
        ("answering", lambda b, a, v: np.abs(a - b) > np.exp(v / 2), "Need one number"),
        ("answering", lambda before, after: 0, "stopped with TypeError"),
        ("best_fit", lambda x: ..., "Not filled in yet"),
        ("best_fit", lambda x: np.sum(xlogy(x, x) + xlogy(1 - x, 1 - x)), "Right"),
        (
            "best_fit",
            lambda x: (lambda p: np.sum(x * np.log(p) + (1 - x) * np.log(1 - p)))(x.clip(1e-7, 1 - 1e-7)),
            "Right",
        ),
        ("best_fit", lambda x: np.sum(x * np.log(x) + (1 - x) * np.log(1 - x)), "0 · log 0"),
        ("best_fit", lambda x: np.float32(np.nan), "0 · log 0"),
        ("best_fit", lambda x: 0.0, "Zero would be certainty"),
        ("best_fit", lambda x: xlogy(x, x).sum(), "The dark share"),
        ("best_fit", lambda x: xlogy(1 - x, 1 - x).sum(), "The bright share"),
        ("best_fit", lambda x: np.sum(entr(x) + entr(1 - x)), "That is the entropy"),
        ("best_fit", lambda x: -np.mean(entr(x) + entr(1 - x)), "averaged over the pixels"),
        ("best_fit", lambda x: -np.sum(entr(x) + entr(1 - x)) / np.log(2), "bits"),
        ("best_fit", lambda x: xlogy(x, x) + xlogy(1 - x, 1 - x), "Need one number"),
        ("arc", lambda a, b, t: ..., "Not filled in yet"),
        ("arc", arc(), "Right"),
        ("arc", lambda a, b, t: latents.interpolate(a, b, steps=5)[1], "Right"),
        ("arc", lambda a, b, t: (1 - t) * a + t * b, "straight line"),
        ("arc", lambda a, b, t: arc()(b, a, t), "from b to a"),
        ("arc", arc(over=lambda phi: 1), "sine of the whole angle is missing"),
        ("arc", lambda a, b, t: arc(angle=lambda _: np.arccos(a @ b))(a, b, t), "divide a · b by both lengths"),
        ("arc", arc(ends=lambda a, b: (a / NORM(a), b / NORM(b))), "lost their lengths"),
        (
            "arc",
            lambda a, b, t: (np.sin(1 - t) * a + np.sin(t) * b) / np.sin(np.arccos(a @ b / NORM(a) / NORM(b))),
            "share of",
        ),
        ("arc", arc(angle=lambda cosine: cosine), "take the arccosine"),
        ("arc", arc(angle=lambda cosine: np.degrees(np.arccos(cosine))), "radians"),
        ("arc", lambda a, b, t: NORM(a), "Need an array of shape (3,)"),
        ("agreement", lambda steps: ..., "Not filled in yet"),
        ("agreement", lambda s: NORM(s.mean(axis=0)) / NORM(s, axis=1).mean(), "Right"),
        ("agreement", lambda s: NORM(s, axis=1).mean() / NORM(s.mean(axis=0)), "Upside down"),
        ("agreement", lambda s: NORM(s.sum(axis=0)) / NORM(s, axis=1).mean(), "averaged"),
        ("agreement", lambda s: NORM(s.mean(axis=0)) / NORM(s, axis=0).mean(), "Each step is a row"),
        ("agreement", lambda s: NORM(s.mean(axis=0)) / NORM(s), "one long vector"),
        ("agreement", lambda s: NORM(s.mean(axis=0)), "Divide by the mean length"),
        ("agreement", lambda s: NORM(s, axis=1).mean(), "How long is the mean step"),
        ("agreement", lambda s: 1.0, "always 1"),
        ("agreement", lambda s: np.sum(s.mean(axis=0) ** 2) / np.sum(s**2, axis=1).mean(), "Those are squares"),
        ("variance_share", lambda mu, k: ..., "Not filled in yet"),
        ("variance_share", share(), "Right"),
        ("variance_share", lambda mu, k: PCA().fit(mu).explained_variance_ratio_[:k].sum(), "Right"),
        ("variance_share", share(lambda mu: np.linalg.svd(mu, compute_uv=False) ** 2), "points at the mean"),
        ("variance_share", share(lambda mu: np.linalg.svd(mu - mu.mean(0), compute_uv=False)), "are their squares"),
        ("variance_share", share(lambda mu: np.linalg.svd(mu, compute_uv=False)), "square them. And"),
        ("variance_share", share(lambda mu: mu.var(axis=0)), "first k latents"),
        ("variance_share", share(lambda mu: np.sort(mu.var(axis=0))[::-1]), "k widest latents"),
        ("variance_share", lambda mu, k: 1 - share()(mu, k), "leave out"),
        ("variance_share", share(taken=lambda k: slice(-k, None)), "the largest come first"),
        ("variance_share", share(taken=lambda k: slice(k - 1, k)), "component k alone"),
        ("variance_share", share(taken=lambda k: slice(1)), "first component alone"),
    ],
)
def test_an_attempt_gets_its_answer(check, attempt, answer, capsys):
    with np.errstate(divide="ignore", invalid="ignore"):
        getattr(exercises, f"check_{check}")(attempt)
    assert answer in capsys.readouterr().out
