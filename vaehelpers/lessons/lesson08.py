"""Lesson 08: a figure and the checks of the exercises on the latent explorer."""

from collections.abc import Callable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy

from ..plots import BOUND, DATA
from .judge import Result, judge_function


def plot_elbos(images: Mapping[str, ArrayLike], elbos: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Plot the ``elbos`` ``(n,)`` of each kind of ``images`` ``(n, 1, h, w)`` and their mean beside its first image."""
    ax = ax or plt.subplots(figsize=(11, 0.9 + 0.95 * len(images)))[1]
    for row, (kind, shown) in enumerate(images.items()):
        values = np.asarray(elbos[kind], float)
        ax.plot(values, np.full(len(values), row), "o", color=DATA, alpha=0.5)
        if len(values) > 1:
            ax.plot([values.mean()] * 2, [row - 0.3, row + 0.3], color=BOUND, linewidth=3)
        example = OffsetImage(np.asarray(shown)[0, 0], zoom=0.75, cmap="gray", norm=plt.Normalize(0, 1))
        ax.add_artist(AnnotationBbox(example, (1.05, row), xycoords=("axes fraction", "data"), frameon=False))
    ax.set_yticks(range(len(images)), list(images))
    ax.set(xlabel="ELBO (nats); bar: the mean of several", ylim=(len(images) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    return ax


def check_answering(function: Callable[..., Any]) -> Result:
    """Check ``answering(before, after, logvar)``, how many latents move by more than σ."""

    def count(change: NDArray, width: ArrayLike) -> int:
        return int(np.sum(np.abs(change) > width))

    def sd(logvar: NDArray) -> NDArray:
        return np.exp(logvar / 2)

    def case(latents: int, wide: float) -> tuple[NDArray, NDArray, NDArray]:
        """Return means before and after a move, and logvar, for which each mistake counts another number."""
        rng = np.random.default_rng(8)
        before, logvar = rng.normal(size=latents), rng.normal(2 * np.log(wide), 1.2, latents)
        return before, before + rng.normal(0.3 * wide, 1.3 * wide, latents), logvar

    praise, cases = "those have moved by more than their own σ.", [case(40, 0.5), case(60, 2.0)]
    return judge_function(function, lambda b, a, v: count(a - b, sd(v)), cases, praise=praise, mistakes={
        "You count only latents that grew. One that fell has responded too.": lambda b, a, v: np.sum(a - b > sd(v)),
        "You count only latents that fell. One that grew has responded too.": lambda b, a, v: np.sum(b - a > sd(v)),
        "You have compared with the variance; the band is σ to each side.": lambda b, a, v: count(a - b, np.exp(v)),
        "You have compared with logvar itself, a logarithm; σ = exp(½ logvar).": lambda b, a, v: count(a - b, v),
        "You count every latent that moved at all, also by less than σ.": lambda b, a, v: count(a - b, 0),
        "You have compared with the whole width of the band, 2σ.": lambda b, a, v: count(a - b, 2 * sd(v)),
        "That is 1/σ: σ = exp(½ logvar), with a plus.": lambda b, a, v: count(a - b, sd(-v)),
        "Those are the latents that did not respond.": lambda b, a, v: len(b) - count(a - b, sd(v)),
        "That says for each latent whether it responded. How many are they?": lambda b, a, v: np.abs(a - b) > sd(v),
    })  # fmt: skip


def check_best_reconstruction(function: Callable[..., Any]) -> Result:
    """Check ``best_reconstruction(x)``, the log-likelihood in nats of an image x under p = x."""

    def nats(x: NDArray) -> NDArray:
        return np.asarray(xlogy(x, x) + xlogy(1 - x, 1 - x))

    cases = [(np.array([[0, 0.2, 1], [0.9, 0.5, 0]]),), (np.array([[0.35, 1], [0, 0.04], [0.7, 0.6]]),)]
    praise = "no p gives this image a higher one."
    return judge_function(function, lambda x: nats(x).sum(), cases, praise=praise, tolerance=1e-4, mistakes={
        "Not a number: a black pixel makes 0 · log 0, which counts 0; NumPy does not know that.": lambda x: np.nan,
        "Zero would be certainty. A gray pixel is a coin: even the right p leaves it uncertain.": lambda x: 0.0,
        "The dark term of each pixel, (1 − x) log(1 − p), is missing.": lambda x: xlogy(x, x).sum(),
        "The bright term of each pixel, x log p, is missing.": lambda x: xlogy(1 - x, 1 - x).sum(),
        "You have averaged over the pixels. A log-likelihood is a sum.": lambda x: nats(x).mean(),
        "That is the log-likelihood of each pixel. Add them up.": nats,
        "You have added up the rows alone. Add up all pixels.": lambda x: nats(x).sum(axis=0),
    })  # fmt: skip


def check_slerp(function: Callable[..., Any]) -> Result:
    """Check ``slerp(a, b, t)``, spherical interpolation a share t of the way from a to b."""

    def unit(a: NDArray) -> NDArray:
        return a / np.linalg.norm(a)

    def between(a: NDArray, b: NDArray) -> float:
        return float(np.arccos(unit(a) @ unit(b)))

    def turned(a: NDArray, b: NDArray, t: float, angle: float) -> NDArray:
        return np.asarray((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / np.sin(angle))

    def right(a: NDArray, b: NDArray, t: float) -> NDArray:
        return turned(a, b, t, between(a, b))

    cases = [
        (np.array([0.9, -0.6, 0.2]), np.array([-0.3, 0.4, 1.4]), 0.25),
        (np.array([0.5, 1.1, -0.4, 0.3]), np.array([0.8, 0.2, 0.6, -0.7]), 0.6),
    ]
    praise = "between codes of equal length it keeps that length."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "That is linear interpolation.": lambda a, b, t: (1 - t) * a + t * b,
        "That runs from b to a: at t = 0 one should stand at a.": lambda a, b, t: right(b, a, t),
        "The division by the sine of the angle is missing.": lambda a, b, t: np.sin(between(a, b)) * right(a, b, t),
        "The angle: divide a · b by both lengths.": lambda a, b, t: turned(a, b, t, np.arccos(a @ b)),
        "The ends have lost their lengths.": lambda a, b, t: right(unit(a), unit(b), t),
        "t is a share of the angle: multiply the two.":
            lambda a, b, t: (np.sin(1 - t) * a + np.sin(t) * b) / np.sin(between(a, b)),
        "That is the cosine: take the arccosine.": lambda a, b, t: turned(a, b, t, np.cos(between(a, b))),
        "NumPy's sine takes radians.": lambda a, b, t: turned(a, b, t, np.degrees(between(a, b))),
    })  # fmt: skip


def check_agreement(function: Callable[..., Any]) -> Result:
    """Check ``agreement(steps)``, the squared length of the mean step over the mean squared length of a step."""

    def together(s: NDArray) -> float:
        return float(np.sum(s.mean(axis=0) ** 2))

    def alone(s: NDArray) -> float:
        return float(np.sum(s**2, axis=1).mean())

    def length(s: NDArray) -> float:
        return float(np.linalg.norm(s, axis=1).mean())

    cases = [
        (np.array([[1.0, 0.2], [0.8, -0.5], [0.3, 1.1], [-0.2, 0.6]]),),
        (np.array([[0.4, -1.3, 0.6], [2.1, 0.3, -0.2], [0.7, -0.9, 1.5], [-0.3, -0.4, 0.8], [1.2, 0.5, 0.1]]),),
    ]
    praise = "1 if all steps are the same, 0 if they cancel."
    return judge_function(function, lambda s: together(s) / alone(s), cases, praise=praise, mistakes={
        "You have added the steps where they should be averaged.": lambda s: len(s) ** 2 * together(s) / alone(s),
        "Rows and columns are exchanged: each step is a row.": lambda s: together(s.T) / alone(s.T),
        "That is the squared length of the mean step. Divide by the mean squared length of a step.": together,
        "That is the mean squared length of a step. How long is the mean step?": alone,
        "Square both lengths; else [[1, 0], [9, 0]] gives 1.": lambda s: np.sqrt(together(s)) / length(s),
        "Square each length first, then average.": lambda s: together(s) / length(s) ** 2,
        "You divided each step by its length.": lambda s: together(s / np.linalg.norm(s, axis=1, keepdims=True)),
    })  # fmt: skip


def check_auc(function: Callable[..., Any]) -> Result:
    """Check ``auc(inside, outside)``, how often one of ``inside`` has a higher value than one of ``outside``."""

    def right(a: NDArray, b: NDArray) -> float:
        return float(np.mean((a[:, None] > b) + (a[:, None] == b) / 2))

    cases = [
        (np.array([-9, -1, -2, -3, -2, -9.0]), np.array([-12, -9, -3, -4, -6, -7.0])),
        (np.array([-7, -6, -3, -2, -8, -9, -1.0]), np.array([-4, -7, -7, -12, -8, -7, -7.0])),
    ]
    praise = "1 means all pairs in the right order, ½ as many in the wrong one."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "That is the other way round: how often is the value from `inside` the higher one?": lambda a, b: right(b, a),
        "You compared the first with the first. Compare each with each.": lambda a, b: np.mean((a > b) + (a == b) / 2),
        "You compared the first with the first, and left out ties.": lambda a, b: np.mean(a > b),
        "Ties are missing: a pair of equal values counts one half.": lambda a, b: np.mean(a[:, None] > b),
        "A tie counts one half, not 1.": lambda a, b: np.mean(a[:, None] >= b),
        "That is the number of pairs. Divide by the number of all pairs.": lambda a, b: right(a, b) * a.size * b.size,
        "You compared with the mean of `outside`. Compare with each of its values.": lambda a, b: np.mean(a > b.mean()),
        "The means alone say too little. Compare each pair.": lambda a, b: float(a.mean() > b.mean()),
        "That is the difference of the means, in nats. Count pairs.": lambda a, b: a.mean() - b.mean(),
    })  # fmt: skip


def check_variance_share(function: Callable[..., Any]) -> Result:
    """Check ``variance_share(mu, k)``, the share of the codes' variance along their first k principal components."""

    def values(mu: NDArray) -> NDArray:
        return np.linalg.svd(mu, compute_uv=False)

    def variances(mu: NDArray) -> NDArray:
        return values(mu - mu.mean(axis=0)) ** 2

    def share(parts: NDArray, k: int) -> float:
        return float(parts[:k].sum() / parts.sum())

    rng = np.random.default_rng(8)
    cases = [
        (rng.normal((1, 0, -2), 1, (20, 3)) @ [[1, 0.3, -0.4], [0, 0.4, 0.2], [0.1, 0, 0.6]], 2),
        (rng.normal((0.5, -1, 0, 2, 1), 1, (12, 5)) * (0.5, 1.2, 0.3, 0.9, 0.7), 3),
    ]
    praise = "the rest is not on the map."
    return judge_function(function, lambda mu, k: share(variances(mu), k), cases, praise=praise, mistakes={
        "Subtract the mean code; else its distance from 0 counts as variance.": lambda mu, k: share(values(mu) ** 2, k),
        "Subtract the mean of each latent (axis=0), not that of each code.": lambda mu, k: share(variances(mu.T), k),
        "Singular values are standard deviations: square them.": lambda mu, k: share(variances(mu) ** 0.5, k),
        "Those are the first k latents, not the first k components.": lambda mu, k: share(mu.var(axis=0), k),
        "That is component k alone. Add up the first k.": lambda mu, k: variances(mu)[k - 1] / variances(mu).sum(),
        "That is the first component alone. Add up the first k.": lambda mu, k: share(variances(mu), 1),
        "That is the sum of the first k. Divide by the sum of all.": lambda mu, k: variances(mu)[:k].sum(),
    })  # fmt: skip


def check_nearest(nearest: Callable[..., Any]) -> Result:
    """Check ``nearest(code, codes)``, the row of ``codes`` with the smallest Euclidean distance to ``code``."""

    def distances(c: NDArray, codes: NDArray) -> NDArray:
        return np.linalg.norm(codes - c, axis=1)

    def right(c: NDArray, codes: NDArray) -> int:
        return int(distances(c, codes).argmin())

    rng = np.random.default_rng(17462)  # codes at which no two of these agree
    cases = [(rng.normal(0, 1.5, size=3), rng.normal(0, 2, size=(n, 3))) for n in (5, 6, 7)]
    return judge_function(nearest, right, cases, praise="that is the closest code.", mistakes={
        "That is a code far away: the largest distance.": lambda c, codes: distances(c, codes).argmax(),
        "You added differences of both signs. Square them.": lambda c, codes: abs((codes - c).sum(axis=1)).argmin(),
        "You added absolute differences, not squares.": lambda c, codes: abs(codes - c).sum(axis=1).argmin(),
        "That is the largest scalar product. Measure differences.": lambda c, codes: (codes @ c).argmax(),
        "That is a place in the whole table: axis=1.": lambda c, codes: abs(codes - c).argmin(),
        "One too many: NumPy counts rows from 0.": lambda c, codes: right(c, codes) + 1,
        "That is the smallest distance. In which row is it?": lambda c, codes: distances(c, codes).min(),
        "Those are all distances. In which row is the smallest?": distances,
    })  # fmt: skip
