"""Lesson 08: a step, who answers, the best fit, an arc, how far steps agree, and what a map leaves out."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from .judge import attempt, judge

_SD = np.array([0.3, 0.5, 0.2, 0.4, 0.5, 0.6, 0.7, 0.6, 0.5, 0.9, 0.8])
_CHANGE = np.array([4.0, -1.2, 0.3, -0.5, 0.7, 0.4, -0.55, 0.05, -0.02, 0.0, 0.01])
_PICTURE = np.array([[0.0, 0.2, 1.0], [0.9, 0.5, 0.0]])
_A, _B = np.array([0.9, -0.6, 0.2]), np.array([-0.3, 0.4, 1.4])
_STEPS = np.array([[1.0, 0.2], [0.8, -0.5], [0.3, 1.1], [-0.2, 0.6]])
_MU = np.random.default_rng(8).normal((1, 0, -2), (1.0, 0.3, 0.6), (20, 3))


def check_step(answer: Any) -> None:
    """Exercise 1: from -3 to +3 in 15 pictures, how far is it from one picture to the next?"""
    mistakes = {
        "Fifteen pictures have fewer than fifteen gaps between them: count the gaps of three pictures.": 6 / 15,
        "From −3 to +3 it is farther than 3.": 3 / 14,
        "From −3 to +3 it is farther than 3; and fifteen pictures have fewer than fifteen gaps.": 3 / 15,
        "That is how many pictures there are to one unit of the latent. Turn it over.": 14 / 6,
        "Turn it over, and count the gaps between the pictures, not the pictures.": 15 / 6,
    }
    judge(answer, 6 / 14, praise="fourteen gaps between fifteen pictures.", mistakes=mistakes, tolerance=3e-3)


def check_answering(function: Callable[..., Any]) -> None:
    """Exercise 2: ``answering(before, after, logvar)`` counts the latents that leave their own band."""
    before, logvar = np.linspace(-1, 1, len(_SD)), 2 * np.log(_SD)
    size = np.abs(_CHANGE)
    mistakes: dict[str, ArrayLike] = {
        "You count only latents that grew. One that fell has answered too.": np.sum(_CHANGE > _SD),
        "You have compared with the variance. The band is a deviation wide to each side.": np.sum(size > _SD**2),
        "You have compared with logvar itself. It is a logarithm; σ = exp(½ logvar).": np.sum(size > logvar),
        "You count every latent that moved at all, also by less than the encoder's own doubt.": np.sum(size > 0),
        "You have compared with the whole width of the band; it reaches one deviation to each side.": np.sum(
            size > 2 * _SD
        ),
        "The deviation has come out upside down: σ = exp(½ logvar), with a plus.": np.sum(size > 1 / _SD),
        "Those are the latents that did not answer.": np.sum(size <= _SD),
    }
    answer = attempt(function, before, before + _CHANGE, logvar)
    judge(answer, np.sum(size > _SD), praise="those have left their own band.", mistakes=mistakes)


def check_best_fit(function: Callable[..., Any]) -> None:
    """Exercise 3: ``best_fit(x)``, the log-likelihood of a picture under the decoder that draws it exactly."""
    bright, dark = xlogy(_PICTURE, _PICTURE), xlogy(1 - _PICTURE, 1 - _PICTURE)
    best = (bright + dark).sum()
    answer = attempt(function, _PICTURE)
    if isinstance(answer, float | np.floating) and np.isnan(answer):
        return print("Not a number: a black pixel makes 0 · log 0. Its share is 0, but NumPy does not know that.")
    mistakes: dict[str, ArrayLike] = {
        "Zero would be certainty. A grey pixel is a coin, and even the right coin surprises.": 0.0,
        "The dark share of each pixel, (1 − x) log(1 − p), is missing.": bright.sum(),
        "The bright share of each pixel, x log p, is missing.": dark.sum(),
        "That is the entropy. A log-likelihood has the other sign.": -best,
        "You have averaged over the pixels. The fit is a sum.": best / _PICTURE.size,
        "That looks like bits. The course counts in nats.": best / np.log(2),
    }
    judge(answer, best, praise="no decoder can do better.", mistakes=mistakes, tolerance=1e-4)


def check_arc(function: Callable[..., Any]) -> None:
    """Exercise 4: ``arc(a, b, t)``, a quarter of the way along."""
    t, cosine = 0.25, _A @ _B / np.linalg.norm(_A) / np.linalg.norm(_B)
    angle = np.arccos(cosine)
    unit = _arc(_A / np.linalg.norm(_A), _B / np.linalg.norm(_B), t, angle)
    mistakes: dict[str, ArrayLike] = {
        "That is the straight line.": (1 - t) * _A + t * _B,
        "That runs from b to a: at t = 0 one should stand at a.": _arc(_B, _A, t, angle),
        "The division by the sine of the whole angle is missing.": np.sin(angle) * _arc(_A, _B, t, angle),
        "The angle is wrong: divide a · b by both lengths before you take the arccosine.": _arc(
            _A, _B, t, np.arccos(_A @ _B)
        ),
        "The ends have lost their lengths. Only the angle is made from unit vectors.": unit,
        "t is a share of the angle: multiply the two.": (np.sin(1 - t) * _A + np.sin(t) * _B) / np.sin(angle),
        "That is the cosine of the angle, where the angle itself is needed: take the arccosine.": _arc(
            _A, _B, t, cosine
        ),
        "NumPy's sine takes radians; `np.arccos` gives them already.": _arc(_A, _B, t, np.degrees(angle)),
    }
    praise = "it turns evenly, and its length goes smoothly from one end's to the other's."
    judge(attempt(function, _A, _B, t), _arc(_A, _B, t, angle), praise=praise, mistakes=mistakes)


def check_agreement(function: Callable[..., Any]) -> None:
    """Exercise 5: ``agreement(steps)``, the length of the mean step over the mean length of a step."""
    together, lengths = np.linalg.norm(_STEPS.mean(axis=0)), np.linalg.norm(_STEPS, axis=1)
    right = together / lengths.mean()
    mistakes: dict[str, ArrayLike] = {
        "Upside down: it should be 1 when all steps are alike, and smaller otherwise.": 1 / right,
        "You have added the steps where they should be averaged: it grows with their number.": right * len(_STEPS),
        "Those lengths run down the columns. Each step is a row: axis=1.": together
        / np.linalg.norm(_STEPS, axis=0).mean(),
        "The lengths are taken together as one long vector. Take the length of each step, then the mean.": together
        / np.linalg.norm(_STEPS),
        "That is the length of the mean step. Divide by the mean length of a step.": together,
        "That is the mean length of a step. How long is the mean step?": lengths.mean(),
        "Take the mean of the steps before the length. The mean length over the mean length is always 1.": 1.0,
        "Those are squares: take the root of both lengths.": together**2 / np.mean(lengths**2),
    }
    judge(attempt(function, _STEPS), right, praise="1 for parallel steps, 0 when they cancel.", mistakes=mistakes)


def check_variance_share(function: Callable[..., Any]) -> None:
    """Exercise 7: ``variance_share(mu, k)``, how much of the codes' variance the first k components hold."""
    k, centred = 2, _MU - _MU.mean(axis=0)
    values, raw = np.linalg.svd(centred, compute_uv=False), np.linalg.svd(_MU, compute_uv=False)
    columns = centred.var(axis=0)
    mistakes: dict[str, ArrayLike] = {
        "Subtract the mean code first. Otherwise the first component points at the mean.": _share(raw**2, k),
        "Singular values are like deviations. Variances are their squares.": _share(values, k),
        "Singular values are like deviations: square them. And subtract the mean code first.": _share(raw, k),
        "Those are the first k latents, not the first k components.": _share(columns, k),
        "Those are the k widest latents. A component may point between them.": _share(np.sort(columns)[::-1], k),
        "That is what the first k leave out.": 1 - _share(values**2, k),
        "Those are the last k components; the largest come first.": _share(values[::-1] ** 2, k),
        "That is component k alone. Add up the first k.": values[k - 1] ** 2 / np.sum(values**2),
        "That is the first component alone. Add up the first k.": _share(values**2, 1),
    }
    judge(attempt(function, _MU, k), _share(values**2, k), praise="the rest is off the map.", mistakes=mistakes)


def _arc(a: np.ndarray, b: np.ndarray, t: float, angle: float) -> np.ndarray:
    return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))


def _share(parts: np.ndarray, k: int) -> float:
    return float(parts[:k].sum() / parts.sum())
