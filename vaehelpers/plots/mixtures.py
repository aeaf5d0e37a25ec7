"""Lesson 04: points and their responsibilities, ellipses, the rising bound, a spike, many starts, the choice of K."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from numpy.typing import ArrayLike

from ..arguments import array
from .elbo import ellipses
from .style import BOUND, DATA, POSTERIOR, P

# A component is told by its number and its marker too; the colours differ in lightness, for eyes that see no hue.
COMPONENTS = ("#16205e", "#e76300", "#92dadd", "#b9ac70", "#832db6", "#717581")
MARKERS = "o^sDvP"
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


def plot_points(x: ArrayLike, *, names: tuple[str, str] = ("x₁", "x₂"), ax: Axes | None = None) -> Axes:
    """Show rows ``(n, 2)`` as dots of which nobody has said where they belong."""
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    ax.plot(*array("x", x, ("n", 2)).T, "o", color=DATA, markeredgecolor="black", markeredgewidth=0.5, markersize=6)
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def plot_components(
    x: ArrayLike, resp: ArrayLike, means: ArrayLike, covariances: ArrayLike | None = None, *,
    names: tuple[str, str] = ("x₁", "x₂"), title: str = "", ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Show rows ``(n, 2)`` in the mixed colours of their responsibilities ``(n, k)``, and each component by its number.

    A row has the marker of the component that is most responsible for it, and is larger the less certain that is.
    """
    points = array("x", x, ("n", 2))
    k = array("resp", resp, (len(points), "k"), unit=True).shape[1]
    array("means", means, (k, 2))
    if k > len(MARKERS):
        raise ValueError(f"resp: there are markers for {len(MARKERS)} components, got {k}")
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    for j in range(k):
        ax.scatter([], [], marker=MARKERS[j], edgecolors="black", linewidths=0.5)
    for j in range(k):
        for width in (3, 1.5):
            ax.plot([], [], color="black", linewidth=width, linestyle=LINES[j])
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": COMPONENTS[j], "linewidth": 3}
        ax.text(0, 0, str(j + 1), ha="center", va="center", weight="bold", bbox=box, zorder=5)
    low, high, edge = points.min(axis=0), points.max(axis=0), 0.12 * np.ptp(points, axis=0)
    ax.set(xlim=(low[0] - edge[0], high[0] + edge[0]), ylim=(low[1] - edge[1], high[1] + edge[1]))
    ax.set(xlabel=names[0], ylabel=names[1], title=title)
    ax.locator_params(nbins=6)
    move_components(ax, x, resp, means, covariances)
    return ax


def move_components(
    ax: Axes, x: ArrayLike, resp: ArrayLike, means: ArrayLike, covariances: ArrayLike | None = None
) -> None:
    """Bring ``plot_components`` to other responsibilities, means and covariances."""
    points, shares, centres = np.asarray(x, float), np.asarray(resp, float), np.asarray(means, float)
    colours = shares @ np.array([to_rgb(c) for c in COMPONENTS[: shares.shape[1]]])
    sizes = 28 + 160 * (1 - shares.max(axis=1))
    most = shares.argmax(axis=1)
    for j, dots in enumerate(list(ax.collections)[: len(centres)]):
        dots.set_offsets(points[most == j])
        dots.set(facecolors=colours[most == j].clip(0, 1), sizes=sizes[most == j])
        ax.texts[j].set_position(tuple(centres[j]))
        if covariances is not None:
            curves = ellipses(np.asarray(covariances)[j], centres[j])
            for line, curve in zip(ax.lines[2 * j : 2 * j + 2], curves, strict=True):
                line.set_data(*curve.T)


def plot_climb(kinds: Sequence[str], bounds: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show the bound ``(steps,)`` in nats after each half-step, E as a circle and M as a triangle."""
    ax = ax or plt.subplots(figsize=(7, 5))[1]
    steps, heights = np.arange(len(kinds)), array("bounds", bounds, (len(kinds),))
    ax.plot(steps, heights, color=BOUND, linewidth=1.5)
    for kind, marker, what in (("E", "o", "E step: responsibilities"), ("M", "^", "M step: parameters")):
        here = np.array([k == kind for k in kinds])
        ax.plot(steps[here], heights[here], marker, color=BOUND, markersize=8, label=what, markerfacecolor="white")
    ax.plot(steps[:1], heights[:1], "o", color=BOUND, markersize=15, markeredgecolor="black", markeredgewidth=2)
    ax.set(xlabel="half-step", ylabel="bound, in nats")
    ax.legend(loc="lower right")
    return ax


def plot_border(position: ArrayLike, resp: ArrayLike, hard: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show the responsibility ``(n,)`` of the second component along the line between two means, and the hard step."""
    ax = ax or plt.subplots(figsize=(7, 5))[1]
    x = array("position", position, ("n",))
    ax.plot(x, array("hard", hard, x.shape), "--", color="black", linewidth=2, label="k-means: hard")
    ax.plot(x, array("resp", resp, x.shape), color=POSTERIOR, linewidth=4, alpha=0.8, label="mixture: soft")
    ax.set(ylim=(-0.05, 1.05), xlim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["mean 1", "halfway", "mean 2"])
    ax.set_ylabel("responsibility of component 2")
    ax.legend(loc="upper left")
    return ax


def plot_spike(sds: ArrayLike, log_likelihoods: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show the log-likelihood ``(n,)`` over the standard deviation ``(n,)`` of a component that sits on one point."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    x = array("sds", sds, ("n",))
    ax.plot(x, array("log_likelihoods", log_likelihoods, x.shape), color=P, linewidth=3)
    ax.set(xscale="log", xlabel="standard deviation of the component on one point", ylabel="log-likelihood, in nats")
    ax.invert_xaxis()
    return ax


def plot_starts(bounds: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show where each of many starts ended, sorted from the worst to the best, in nats."""
    ax = ax or plt.subplots(figsize=(9, 4.5))[1]
    ends = np.sort(array("bounds", bounds, ("n",)))
    ax.vlines(np.arange(len(ends)) + 1, ends.min() - 0.06 * np.ptp(ends), ends, color=BOUND, linewidth=1)
    ax.plot(np.arange(len(ends)) + 1, ends, "o", color=BOUND, markersize=8)
    ax.set(xlabel="start, from the worst to the best", ylabel="log-likelihood, in nats")
    return ax


def plot_choice(k: ArrayLike, values: ArrayLike, *, best: int, ylabel: str, title: str, ax: Axes | None = None) -> Axes:
    """Show a criterion ``(n,)`` for each number of components, a ring around the ``best`` one."""
    ax = ax or plt.subplots(figsize=(7, 4.5))[1]
    numbers = array("k", k, ("n",))
    heights = array("values", values, numbers.shape)
    if best not in numbers:
        raise ValueError(f"best: need one of the numbers of components, got {best!r}")
    ax.plot(numbers, heights, "o-", color=P, markersize=8)
    ax.plot(best, heights[numbers == best], "o", color="none", markeredgecolor="black", markersize=20, mew=2.5)
    ax.set(xlabel="number of components K", ylabel=ylabel, xticks=numbers)
    ax.set_title(title, loc="left")
    return ax
