"""Lesson 08: the latent explorer: figures, sliders and checks."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from .judge import Result, judge, judge_function


def check_step(answer: Any) -> Result:
    """Exercise 1: from -3 to +3 in 15 pictures, how far is it from one picture to the next?"""
    mistakes = {
        "Fifteen pictures have fewer than fifteen gaps between them: count the gaps of three pictures.": 6 / 15,
        "Fifteen pictures have fewer gaps than pictures, not more: count the gaps of three pictures.": 6 / 16,
        "From −3 to +3 it is farther than 3.": 3 / 14,
        "From −3 to +3 it is farther than 3; and fifteen pictures have fewer than fifteen gaps.": 3 / 15,
        "That is how many pictures there are to one unit of the latent. Turn it over.": 14 / 6,
        "Turn it over, and count the gaps between the pictures, not the pictures.": 15 / 6,
    }
    return judge(answer, 6 / 14, praise="fourteen gaps between fifteen pictures.", mistakes=mistakes, tolerance=3e-3)


def check_answering(function: Callable[..., Any]) -> Result:
    """Exercise 2: ``answering(before, after, logvar)`` counts the latents that leave their own band."""

    def count(change: np.ndarray, width: ArrayLike) -> int:
        return int(np.sum(np.abs(change) > width))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "You count only latents that grew. One that fell has answered too.": (
            lambda before, after, logvar: np.sum(after - before > np.exp(logvar / 2))
        ),
        "You count only latents that fell. One that grew has answered too.": (
            lambda before, after, logvar: np.sum(before - after > np.exp(logvar / 2))
        ),
        "You have compared with the variance. The band is a deviation wide to each side.": (
            lambda before, after, logvar: count(after - before, np.exp(logvar))
        ),
        "You have compared with logvar itself. It is a logarithm; σ = exp(½ logvar).": (
            lambda before, after, logvar: count(after - before, logvar)
        ),
        "You count every latent that moved at all, also by less than the posterior's standard deviation.": (
            lambda before, after, logvar: count(after - before, 0)
        ),
        "You have compared with the whole width of the band; it reaches one deviation to each side.": (
            lambda before, after, logvar: count(after - before, 2 * np.exp(logvar / 2))
        ),
        "The deviation has come out upside down: σ = exp(½ logvar), with a plus.": (
            lambda before, after, logvar: count(after - before, np.exp(-logvar / 2))
        ),
        "Each latent has a band of its own: compare it with its own σ, not with their mean.": (
            lambda before, after, logvar: count(after - before, np.exp(logvar / 2).mean())
        ),
        "You have compared the mean after the move with σ. How far has it moved from where it was before?": (
            lambda before, after, logvar: count(after, np.exp(logvar / 2))
        ),
        "Those are the latents that did not answer.": (
            lambda before, after, logvar: len(before) - count(after - before, np.exp(logvar / 2))
        ),
        "That says for each latent whether it answered. How many are they?": (
            lambda before, after, logvar: np.abs(after - before) > np.exp(logvar / 2)
        ),
    }
    return judge_function(
        function,
        lambda before, after, logvar: count(after - before, np.exp(logvar / 2)),
        [_moves(40, 0.5), _moves(60, 2.0)],
        praise="those have left their own band.",
        mistakes=mistakes,
    )


def check_best_fit(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``best_fit(x)``, the log-likelihood of a picture under the decoder that draws it exactly."""

    def nats(x: np.ndarray) -> np.ndarray:
        return np.asarray(xlogy(x, x) + xlogy(1 - x, 1 - x))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Not a number: a black pixel makes 0 · log 0. Its share is 0, but NumPy does not know that.": lambda x: np.nan,
        "Zero would be certainty. A grey pixel is a coin, and even the right coin surprises.": lambda x: 0.0,
        "The dark share of each pixel, (1 − x) log(1 − p), is missing.": lambda x: xlogy(x, x).sum(),
        "The bright share of each pixel, x log p, is missing.": lambda x: xlogy(1 - x, 1 - x).sum(),
        "That is the entropy. A log-likelihood has the other sign.": lambda x: -nats(x).sum(),
        "You have averaged over the pixels. The fit is a sum.": lambda x: nats(x).mean(),
        "That is the fit of each pixel. Add them up.": nats,
        "You have added up the rows or the columns alone. Add up all pixels.": lambda x: nats(x).sum(axis=0),
        "You have added up the rows or columns alone. Add up all pixels.": lambda x: nats(x).sum(axis=1),
        "That looks like bits. The course counts in nats.": lambda x: nats(x).sum() / np.log(2),
    }
    pictures = [np.array([[0.0, 0.2, 1.0], [0.9, 0.5, 0.0]]), np.array([[0.35, 1.0], [0.0, 0.04], [0.7, 0.6]])]
    return judge_function(
        function,
        lambda x: nats(x).sum(),
        [(picture,) for picture in pictures],
        praise="no decoder can do better.",
        mistakes=mistakes,
        tolerance=1e-4,
    )


def check_arc(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``arc(a, b, t)``, a share t of the way along."""

    def cosine(a: np.ndarray, b: np.ndarray) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    def turned(a: np.ndarray, b: np.ndarray, t: float, angle: float) -> np.ndarray:
        return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))

    def right(a: np.ndarray, b: np.ndarray, t: float) -> np.ndarray:
        return turned(a, b, t, np.arccos(cosine(a, b)))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the straight line.": lambda a, b, t: (1 - t) * a + t * b,
        "That runs from b to a: at t = 0 one should stand at a.": lambda a, b, t: right(b, a, t),
        "The division by the sine of the whole angle is missing.": lambda a, b, t: (
            np.sqrt(1 - cosine(a, b) ** 2) * right(a, b, t)
        ),
        "The angle is wrong: divide a · b by both lengths before you take the arccosine.": lambda a, b, t: turned(
            a, b, t, np.arccos(a @ b)
        ),
        "The ends have lost their lengths. Only the angle is made from unit vectors.": lambda a, b, t: right(
            a / np.linalg.norm(a), b / np.linalg.norm(b), t
        ),
        "t is a share of the angle: multiply the two.": lambda a, b, t: (
            (np.sin(1 - t) * a + np.sin(t) * b) / np.sqrt(1 - cosine(a, b) ** 2)
        ),
        "That is the cosine of the angle, where the angle itself is needed: take the arccosine.": lambda a, b, t: (
            turned(a, b, t, cosine(a, b))
        ),
        "NumPy's sine takes radians; `np.arccos` gives them already.": lambda a, b, t: turned(
            a, b, t, np.degrees(np.arccos(cosine(a, b)))
        ),
    }
    cases = [
        (np.array([0.9, -0.6, 0.2]), np.array([-0.3, 0.4, 1.4]), 0.25),
        (np.array([0.5, 1.1, -0.4, 0.3]), np.array([0.8, 0.2, 0.6, -0.7]), 0.6),
    ]
    praise = "it turns evenly, and its length goes smoothly from one end's to the other's."
    return judge_function(function, right, cases, praise=praise, mistakes=mistakes)


def check_agreement(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``agreement(steps)``, the length of the mean step over the mean length of a step."""

    def together(s: np.ndarray) -> float:
        return float(np.linalg.norm(s.mean(axis=0)))

    def length(s: np.ndarray) -> float:
        return float(np.linalg.norm(s, axis=1).mean())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Upside down: it should be 1 when all steps point the same way, and smaller otherwise.": lambda s: (
            length(s) / together(s)
        ),
        "You have added the steps where they should be averaged: it grows with their number.": lambda s: (
            len(s) * together(s) / length(s)
        ),
        "You have added the lengths where they should be averaged: it falls with their number.": lambda s: (
            together(s) / length(s) / len(s)
        ),
        "Those lengths run down the columns. Each step is a row: axis=1.": lambda s: together(s) / length(s.T),
        "You have averaged each step over its latents. Average over the steps: axis=0.": lambda s: (
            together(s.T) / length(s)
        ),
        "Rows and columns are exchanged: each step is a row.": lambda s: together(s.T) / length(s.T),
        "The lengths are taken together as one long vector. Take the length of each step, then the mean.": lambda s: (
            together(s) / np.linalg.norm(s)
        ),
        "That is the length of the mean step. Divide by the mean length of a step.": together,
        "That is the mean length of a step. How long is the mean step?": length,
        "Take the mean of the steps before the length. The mean length over the mean length is always 1.": lambda s: (
            1.0
        ),
        "Those are squares: take the root of both lengths.": lambda s: together(s) ** 2 / np.sum(s**2, axis=1).mean(),
        "That is the mean of the unit vectors: it gives a short step as much weight as a long one.": lambda s: together(
            s / np.linalg.norm(s, axis=1, keepdims=True)
        ),
    }
    cases = [
        (np.array([[1.0, 0.2], [0.8, -0.5], [0.3, 1.1], [-0.2, 0.6]]),),
        (np.array([[0.4, -1.3, 0.6], [2.1, 0.3, -0.2], [0.7, -0.9, 1.5], [-0.3, -0.4, 0.8], [1.2, 0.5, 0.1]]),),
    ]
    praise = "1 for parallel steps, 0 when they cancel."
    return judge_function(function, lambda s: together(s) / length(s), cases, praise=praise, mistakes=mistakes)


def check_variance_share(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``variance_share(mu, k)``, how much of the codes' variance the first k components hold."""

    def values(mu: np.ndarray) -> np.ndarray:
        return np.linalg.svd(mu, compute_uv=False)

    def centred(mu: np.ndarray) -> np.ndarray:
        return values(mu - mu.mean(axis=0))

    def share(parts: np.ndarray, k: int) -> float:
        return float(parts[:k].sum() / parts.sum())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Subtract the mean code first. Otherwise the first component points at the mean.": lambda mu, k: share(
            values(mu) ** 2, k
        ),
        "Subtract the mean of each latent (axis=0), not that of each code.": lambda mu, k: share(centred(mu.T) ** 2, k),
        "Subtract the mean of each latent (axis=0), not one number from all.": lambda mu, k: share(
            values(mu - mu.mean()) ** 2, k
        ),
        "Singular values are like deviations. Variances are their squares.": lambda mu, k: share(centred(mu), k),
        "Singular values are like deviations: square them. And subtract the mean code first.": lambda mu, k: share(
            values(mu), k
        ),
        "Those are the first k latents, not the first k components.": lambda mu, k: share(mu.var(axis=0), k),
        "Those are the k widest latents. A component may point between them.": lambda mu, k: share(
            np.sort(mu.var(axis=0))[::-1], k
        ),
        "Give the share as a number between 0 and 1, not in percent.": lambda mu, k: 100 * share(centred(mu) ** 2, k),
        "That is what the first k leave out.": lambda mu, k: 1 - share(centred(mu) ** 2, k),
        "Those are the last k components; the largest come first.": lambda mu, k: share(centred(mu)[::-1] ** 2, k),
        "That is component k alone. Add up the first k.": lambda mu, k: (
            centred(mu)[k - 1] ** 2 / np.sum(centred(mu) ** 2)
        ),
        "That is the first component alone. Add up the first k.": lambda mu, k: share(centred(mu) ** 2, 1),
        "That is the sum of the first k. Divide by the sum of all.": lambda mu, k: np.sum(centred(mu)[:k] ** 2),
    }
    rng = np.random.default_rng(8)
    cases = [
        (rng.normal((1, 0, -2), 1, (20, 3)) @ [[1, 0.3, -0.4], [0, 0.4, 0.2], [0.1, 0, 0.6]], 2),
        (rng.normal((0.5, -1, 0, 2, 1), 1, (12, 5)) * (0.5, 1.2, 0.3, 0.9, 0.7), 3),
    ]
    praise = "the rest is off the map."
    return judge_function(function, lambda mu, k: share(centred(mu) ** 2, k), cases, praise=praise, mistakes=mistakes)


def _moves(latents: int, wide: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means before and after a move, and logvar: so many that each classic mistake counts another number."""
    rng = np.random.default_rng(8)
    before, logvar = rng.normal(size=latents), rng.normal(2 * np.log(wide), 1.2, latents)
    return before, before + rng.normal(0.3 * wide, 1.3 * wide, latents), logvar


def check_nearest(nearest: Callable[[Any, Any], Any]) -> Result:
    """Lesson 08: the row of the code that lies closest."""

    def distances(code: NDArray, codes: NDArray) -> NDArray:
        return np.linalg.norm(codes - code, axis=1)

    def right(code: NDArray, codes: NDArray) -> int:
        return int(distances(code, codes).argmin())

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "That is a code far away. Did you take the largest distance?": lambda c, codes: distances(c, codes).argmax(),
        "Square the differences before you add them: as they are, positive and negative cancel.":
            lambda c, codes: (codes - c).sum(axis=1).argmin(),
        "You added differences of both signs, and they cancel. Square them first.":
            lambda c, codes: abs((codes - c).sum(axis=1)).argmin(),
        "You added the absolute differences. The Euclidean distance adds their squares.":
            lambda c, codes: abs(codes - c).sum(axis=1).argmin(),
        "You took the largest difference of each row. The Euclidean distance adds the squares of all.":
            lambda c, codes: abs(codes - c).max(axis=1).argmin(),
        "That is the largest scalar product: a long code wins it from far away. Measure differences.":
            lambda c, codes: (codes @ c).argmax(),
        "That is the smallest angle. A code in the same direction can still lie far away.":
            lambda c, codes: (codes @ c / np.linalg.norm(codes, axis=1)).argmax(),
        "Always row 0: you measured the whole table at once. One distance for each row: axis=1.": lambda c, codes: 0,
        "That is a place in the whole table. Add over the latents first (axis=1): one distance for each row.":
            lambda c, codes: abs(codes - c).argmin(),
        "That is a column. Add over the latents (axis=1), not over the rows.":
            lambda c, codes: np.linalg.norm(codes - c, axis=0).argmin(),
        "One too many: NumPy counts rows from 0.": lambda c, codes: right(c, codes) + 1,
        "That is the smallest distance. In which row does it stand?": lambda c, codes: distances(c, codes).min(),
        "Those are all distances. In which row does the smallest stand?": distances,
        "That is the code itself. Its row number is asked for.": lambda c, codes: codes[right(c, codes)],
    }  # fmt: skip
    rng = np.random.default_rng(17462)  # codes at which no two of these agree
    cases = [(rng.normal(0, 1.5, size=3), rng.normal(0, 2, size=(n, 3))) for n in (5, 6, 7)]
    return judge_function(nearest, right, cases, praise="that is the closest code.", mistakes=mistakes)
