"""Lesson 06: maps of codes and their holes, two ways to draw a sample, overlap, bounds, gaps, and collapse."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from ..arguments import array, number
from .elbo import ellipses
from .pictures import tile
from .style import BOUND, DATA, POSTERIOR, PRIOR, P, Q


def plot_rows(pictures: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show pictures ``(rows, columns, 1, h, w)`` as one grid, each row with its label at the left."""
    picture, grid = tile(pictures), np.asarray(pictures)
    if len(labels) != len(grid):
        raise ValueError(f"labels: need one for each of {len(grid)} rows, got {len(labels)}")
    ax = ax or plt.subplots(figsize=(12, 0.3 + 10.5 * picture.shape[0] / picture.shape[1]))[1]
    ax.imshow(picture, vmin=0, vmax=1, interpolation="nearest")
    step = grid.shape[-2] + 1
    ax.set_yticks([step * (i + 0.5) for i in range(len(labels))], labels)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return ax


def plot_code_map(
    codes: ArrayLike, distance: ArrayLike, extent: Sequence[float], limit: float, *, ax: Axes | None = None
) -> Axes:
    """Plot codes ``(n, 2)`` over how far the decoded picture at each place ``(side, side)`` is from any real one.

    ``extent`` is (left, right, bottom, top); hatched is what lies farther away than ``limit``. The dotted circle holds
    95 % of the prior.
    """
    far, (left, right, bottom, top) = array("distance", distance, ("side", "side")), array("extent", extent, (4,))
    number("limit", limit, above=0), array("codes", codes, ("n", 2))
    ax = ax or plt.subplots(figsize=(7, 6))[1]
    x, y = np.linspace(left, right, far.shape[1]), np.linspace(bottom, top, far.shape[0])
    levels = [0, limit, max(far.max(), limit) * 1.01 + 1e-9]
    with plt.rc_context({"hatch.color": "0.65"}):
        ax.contourf(x, y, far, levels, colors=["white", "0.9"], hatches=[None, "xx"])
    ax.plot(*np.asarray(codes).T, "o", color=DATA, markersize=4, markeredgecolor="0.25", markeredgewidth=0.4)
    ax.add_patch(Circle((0, 0), np.sqrt(-2 * np.log(0.05)), fill=False, ls=":", lw=3, edgecolor=PRIOR))
    ax.annotate("prior", (0, -np.sqrt(-2 * np.log(0.05))), (0, -4), textcoords="offset points", ha="center", va="top",
                fontsize=14, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top), aspect="equal")
    return ax


def plot_two_samples(eps: ArrayLike, fresh: ArrayLike, mu: ArrayLike, sd: float, *, ax: Axes | None = None) -> Axes:
    """Draw samples for growing ``mu`` ``(k,)``: ``fresh`` ones ``(k, n)`` on the left, moved noise ``(n,)`` right."""
    places, noise = array("mu", mu, ("k",)), array("eps", eps, ("n",))
    shift = np.ptp(array("fresh", fresh, (len(places), len(noise)))) * 1.15
    ax = ax or plt.subplots(figsize=(12, 4.6))[1]
    moved = places[:, None] + number("sd", sd, least=0) * noise + shift
    ax.plot(np.asarray(fresh), np.tile(places, (len(noise), 1)).T, "o", color=DATA, markersize=8)
    ax.plot(moved, places, "-", color="0.6", lw=1.5)
    ax.plot(moved, np.tile(places, (len(noise), 1)).T, "o", color=DATA, markersize=8)
    for middle, text in (
        (np.mean(np.asarray(fresh)), "from a box: $z \\sim q$"),
        (moved.mean(), "moved noise: $z = μ + σε$"),
    ):
        ax.text(middle, places[-1] + 0.08, text, ha="center", va="bottom", fontsize=15)
    ax.set(xticks=[], yticks=places, ylabel="μ", xlabel="z", ylim=(places[0] - 0.15, places[-1] + 0.25))
    return ax


def plot_estimates(estimates: Mapping[str, ArrayLike], truth: float, *, ax: Axes | None = None) -> Axes:
    """Show how one-draw estimates ``(n,)`` of a gradient spread: a histogram for each way, and the truth as a line."""
    ax = ax or plt.subplots(figsize=(11, 4.6))[1]
    every = np.concatenate([array("estimates", values, ("n",)) for values in estimates.values()])
    bins = list(np.linspace(every.min(), every.max(), 101))
    for (name, values), color, hatch in zip(estimates.items(), (Q, DATA), ("//", None), strict=False):
        look: dict[str, Any] = {"facecolor": "white" if hatch else color, "edgecolor": color, "hatch": hatch}
        ax.hist(np.asarray(values), bins, label=name, histtype="stepfilled", log=True, **look)
    ax.axvline(number("truth", truth), color=P, lw=3, label="the true gradient")
    ax.set(ylabel="number of draws", xlabel="estimate of the gradient from one draw")
    ax.legend(loc="upper right")
    return ax


def plot_bounds(
    ks: Sequence[int], bounds: ArrayLike, errors: ArrayLike, log_evidence: float, *, ax: Axes | None = None
) -> Axes:
    """Plot bounds ``(k,)`` with their standard errors over the number of samples, below the evidence."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    k = array("ks", ks, ("k",))
    array("bounds", bounds, k.shape), array("errors", errors, k.shape), number("log_evidence", log_evidence)
    ax.axhline(log_evidence, color=P, lw=3)
    ax.errorbar(ks, bounds, 2 * np.asarray(errors), fmt="s--", color=BOUND, capsize=6, markersize=8, lw=2)
    ax.annotate("log p(x), summed over a grid", (np.min(ks), log_evidence), (0, 7), textcoords="offset points")
    ax.annotate("the ELBO", (ks[0], np.asarray(bounds)[0]), (14, -4), textcoords="offset points")
    low = log_evidence - np.min(bounds)
    ax.set(xscale="log", xlabel="K, samples inside the logarithm", ylabel="nats a picture (bars: ± 2 s.e.)")
    ax.set_xticks(list(ks), [f"{k:,}" for k in ks])
    ax.minorticks_off()
    ax.set_ylim(log_evidence - 1.15 * low, log_evidence + 0.15 * low)
    return ax


def plot_gaps(amortisation: ArrayLike, approximation: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Stack the two gaps ``(n,)`` of each picture, the largest sum first."""
    upper = array("amortisation", amortisation, ("n",))
    lower = array("approximation", approximation, upper.shape)
    order, places = np.argsort(-(upper + lower)), np.arange(len(upper))
    ax = ax or plt.subplots(figsize=(10, 4.6))[1]
    look: dict[str, Any] = {"edgecolor": "black", "linewidth": 1}
    ax.bar(places, lower[order], 0.8, color=POSTERIOR, label="approximation gap: no Gaussian fits", **look)
    bars: dict[str, Any] = {
        "facecolor": "white",
        "hatch": "//",
        "label": "amortisation gap: not the best Gaussian",
    }
    ax.bar(places, upper[order], 0.8, bottom=lower[order], **bars, edgecolor=Q, linewidth=1.5)
    ax.set(xticks=[], xlabel="held-out pictures, sorted", ylabel="log p(x) − ELBO, in nats")
    ax.legend(loc="upper right")
    return ax


def plot_three_beliefs(
    density: ArrayLike, extent: Sequence[float], encoder: Sequence[ArrayLike], best: Sequence[ArrayLike], *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the true posterior ``(side, side)`` as shades, and (mean, sds) of the encoder's q and the best Gaussian."""
    grid, (left, right, bottom, top) = array("density", density, ("side", "side")), array("extent", extent, (4,))
    ax = ax or plt.subplots(figsize=(6.5, 5.8))[1]
    x, y = np.linspace(left, right, grid.shape[1]), np.linspace(bottom, top, grid.shape[0])
    ax.contourf(x, y, grid, grid.max() * np.array([0.02, 0.135, 0.4, 0.607, 0.85, 1]), cmap="Purples")
    for (mean, sds), color, style, name in (
        (encoder, Q, "--", "encoder's q"),
        (best, "black", "-", "best Gaussian q*"),
    ):
        for i, curve in enumerate(ellipses(np.diag(np.asarray(sds) ** 2), mean)):
            ax.plot(*curve.T, style, color=color, lw=3 if color == Q else 1.8, label=name if i == 0 else None)
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top))
    ax.legend(loc="upper right")
    return ax


def plot_runs(seen: ArrayLike, runs: Mapping[str, ArrayLike], *, ylabel: str, ax: Axes | None = None) -> Axes:
    """Plot a quantity of several runs ``(n,)`` over the pictures seen, each with its own line and marks."""
    ax = ax or plt.subplots(figsize=(11, 5))[1]
    for i, ((name, values), style) in enumerate(zip(runs.items(), ["-", "--", "-.", ":"], strict=False)):
        x = array("seen", seen, ("n",))
        ax.plot(x, array("runs", values, x.shape), "os^D"[i] + style, color=f"C{i}", lw=2.5, markersize=8, label=name)
    ax.set(xlabel="pictures seen", ylabel=ylabel, ylim=(0, None))
    ax.legend()
    return ax


def plot_overlap(z: ArrayLike, prior: ArrayLike, q: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw two posteriors ``(2, n)`` over one latent with the area that they share hatched, and the prior dotted."""
    ax = ax or plt.subplots(figsize=(8, 4))[1]
    x = array("z", z, ("n",))
    array("prior", prior, x.shape)
    first, second = array("q", q, (2, len(x)))
    ax.fill(z, np.minimum(first, second), facecolor="0.85", edgecolor="0.4", hatch="xx", lw=0)
    ax.plot(z, first, color=POSTERIOR, lw=3, label="q(z | x₁)")
    ax.plot(z, second, "--", color=Q, lw=3, label="q(z | x₂)")
    ax.plot(z, prior, ":", color=PRIOR, lw=3, label="prior")
    ax.set(xlim=(np.min(z), np.max(z)), yticks=[], xticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)  # densities have no scale here
    ax.legend(loc="upper right", ncols=3)
    return ax


def plot_costs(names: Sequence[str], lost: ArrayLike, prices: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Stack the lost fit and the price ``(k,)`` of each setting as one bar, its sum at its end."""
    ax = ax or plt.subplots(figsize=(8, 4))[1]
    rows = np.arange(len(names))
    array("lost", lost, rows.shape), array("prices", prices, rows.shape)
    ax.barh(rows, np.ones(len(names)), 0.62, color=DATA, label="fit lost to the overlap")
    ax.barh(rows, np.ones(len(names)), 0.62, facecolor="white", edgecolor=Q, hatch="//", lw=1.5, label="price (KL)")
    for row in range(len(names)):
        ax.text(0, row, "", va="center")
    ax.set(yticks=rows, yticklabels=names, xlabel="nats a picture, given away")
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)
    move_costs(ax, lost, prices)
    ax.set_xlim(0, 1.7 * np.max(np.asarray(lost) + np.asarray(prices)))
    return ax


def move_costs(ax: Axes, lost: ArrayLike, prices: ArrayLike) -> None:
    """Bring the bars and numbers of ``plot_costs`` to other costs ``(k,)``."""
    count = len(ax.patches) // 2
    for i, (fit, price) in enumerate(zip(np.asarray(lost), np.asarray(prices), strict=True)):
        ax.patches[i].set(width=fit)
        ax.patches[count + i].set(x=fit, width=price)
        ax.texts[i].set(
            x=min(fit + price, 0.7 * ax.get_xlim()[1]), text=f" {fit:.2f} + {price:.2f} = {fit + price:.2f}"
        )
