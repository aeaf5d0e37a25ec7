"""Lesson 02: the terms of a divergence, both directions, Jensen's chord, random pairs, one Gaussian for two humps."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike
from scipy.special import rel_entr

from ..arguments import array
from .style import DATA, P, Q


def plot_two_beliefs(p: ArrayLike, q: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show two distributions ``p`` and ``q`` (n,) over the same events as bars side by side."""
    ax = ax or _axes(7, 4)
    places = np.arange(len(names))
    ax.bar(places - 0.2, array("p", p, places.shape), 0.4, color=P, label="p: true")
    ax.bar(places + 0.2, array("q", q, places.shape), 0.4, color=Q, hatch="//", edgecolor="white", label="q: believed")
    ax.set_xticks(places, names)
    ax.set(ylabel="probability", ylim=(0, 1.2 * max(np.max(p), np.max(q))))
    ax.legend(loc="upper right")
    return ax


def plot_terms(terms: ArrayLike, names: Sequence[str], *, unit: str = "nats", ax: Axes | None = None) -> Axes:
    """Show the terms p log(p/q) (n,) of a divergence as bars above and below zero, and their sum."""
    ax = ax or _axes(7, 4)
    heights = array("terms", terms, (len(names),))
    bars = ax.bar(names, heights, color=["0.45" if height > 0 else "0.75" for height in heights])
    ax.bar_label(bars, [f"{height:+.3f}" for height in heights], padding=4)
    ax.axhline(0, color="black", linewidth=1)
    ax.tick_params(axis="x")
    ax.margins(y=0.18)
    ax.set(title=f"Some terms are negative, the sum is {heights.sum():.3f} {unit}", ylabel=f"p log(p/q)  ({unit})")
    return ax


def plot_directions(p: float, q: float, *, ax: Axes | None = None) -> Axes:
    """Show KL(p ‖ q) and KL(q ‖ p) in nats for rain of true probability ``p``, at every belief, and at ``q``."""
    ax = ax or _axes(7, 4.6)
    ax.plot([], [], color=P, label="KL(p ‖ q)")
    ax.plot([], [], color=Q, linestyle="--", label="KL(q ‖ p)")
    ax.plot([], [], "o", color=P, markersize=11)
    ax.plot([], [], "s", color=Q, markersize=10)
    ax.axvline(p, color="0.8", linewidth=1, zorder=0)
    ax.text(
        p,
        0.98,
        "q = p",
        ha="center",
        va="top",
        color="0.4",
        backgroundcolor="white",
        transform=ax.get_xaxis_transform(),
    )
    ax.set(xlim=(0, 1), xlabel="believed probability of rain, q", ylabel="divergence (nats)")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
    move_directions(ax, p, q)
    return ax


def move_directions(ax: Axes, p: float, q: float) -> None:
    """Bring the axes of ``plot_directions`` to other probabilities."""
    beliefs = np.linspace(0.0005, 0.9995, 400)
    curves = _coin(p, beliefs), _coin(beliefs, p)
    values = float(_coin(p, q)), float(_coin(q, p))
    for curve, point, heights, value in zip(ax.lines[:2], ax.lines[2:4], curves, values, strict=True):
        curve.set_data(beliefs, heights)
        point.set_data([q], [value])
    ax.lines[4].set_xdata([p, p])
    ax.texts[0].set_x(p)
    ax.set_ylim(0, max(2.5, 1.15 * max(values)))
    ax.set_title(f"KL(p ‖ q) = {values[0]:.3f}     KL(q ‖ p) = {values[1]:.3f} nats")


def plot_chord(p: ArrayLike, q: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show Jensen's inequality: the average of the points (r, log r), r = q/p, lies below the curve, by the KL."""
    ax = ax or _axes(7, 4.8)
    weights = array("p", p, ("n",))
    believed = array("q", q, weights.shape)
    if not ((weights > 0) & (believed > 0)).all():
        raise ValueError(f"p and q: need probabilities above 0, got {min(weights.min(), believed.min()):g}")
    order = np.argsort(believed / weights)
    ratio = (believed / weights)[order]
    mean = float(weights[order] @ np.log(ratio))
    grid = np.linspace(0.6 * ratio[0], ratio[-1] * 1.12, 400)
    ax.plot(grid, np.log(grid), color="black")
    ax.fill(ratio, np.log(ratio), color="0.88", edgecolor="0.55", linewidth=2, zorder=0)
    ax.scatter(ratio, np.log(ratio), s=90, color=P, zorder=3)
    ax.plot([1, 1], [mean, 0], color="black", linewidth=3)
    ax.plot(1, 0, "o", color="black", markersize=9)
    ax.plot(1, mean, "D", color="black", markersize=9)
    ax.annotate("log 1 = 0", (1, 0), (-8, 10), textcoords="offset points", ha="right")
    low, arrow = ("axes fraction", "axes fraction"), {"arrowstyle": "-", "color": "0.4", "shrinkB": 6}
    words = f"average of the logs:\n−KL(p ‖ q) = −{-mean:.3f}"
    ax.annotate(words, (1, mean), (0.96, 0.06), textcoords=low, ha="right", arrowprops=arrow)
    ax.annotate("log r", (grid[-1], np.log(grid[-1])), (-4, 8), textcoords="offset points", ha="right")
    ax.set(xlabel="r = q(x) / p(x)", ylabel="log r  (nats)", title="An average of points lies under the curve")
    ax.set(xlim=(0, None), ylim=(np.log(grid[0]), np.log(grid[-1]) + 0.35))
    return ax


def plot_divergences(divergences: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show how often each divergence (n,) in nats came up among random pairs."""
    ax = ax or _axes(7, 4.2)
    values = array("divergences", divergences, ("n",))
    ax.hist(values, bins=np.linspace(-0.5, 4, 91).tolist(), color=DATA)
    ax.axvline(0, color="black", linestyle=":")
    ax.set(xlim=(-0.5, 4), xlabel="KL(p ‖ q)  (nats)", ylabel="number of pairs")
    ax.set_title(f"{len(values):,} random pairs: {(values < 0).sum() or 'none'} below zero")
    return ax


def plot_differences(differences: ArrayLike, divergences: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show each random pair's divergence (n,) in nats against the largest difference (n,) of two probabilities."""
    ax = ax or _axes(7, 4.2)
    x = array("differences", differences, ("n",))
    ax.scatter(x, array("divergences", divergences, x.shape), s=4, color=DATA, alpha=0.4, linewidths=0)
    ax.set(xlim=(0, 1), ylim=(1e-3, 10), yscale="log", xlabel="largest |p(x) − q(x)|", ylabel="KL(p ‖ q)  (nats)")
    ax.set_title("Near zero only where p and q are nearly equal")
    return ax


def plot_integrand(x: ArrayLike, q: ArrayLike, p: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show densities ``q`` and ``p`` at places ``x`` (n,), and between them the signed area that is KL(q ‖ p)."""
    ax = ax or _axes(9, 4.6)
    places = array("x", x, ("n",))
    terms = rel_entr(array("q", q, places.shape), array("p", p, places.shape))
    ax.plot(places, np.asarray(p), color=P, label="p")
    ax.plot(places, np.asarray(q), color=Q, linestyle="--", label="q")
    ax.fill_between(places, terms, where=terms >= 0, color="0.55", label="q log(q/p) above zero")
    ax.fill_between(places, terms, where=terms < 0, color="0.88", hatch="..", edgecolor="0.5", label="below zero")
    ax.axhline(0, color="black", linewidth=1)
    ax.set(
        xlabel="noon temperature (°C)",
        ylabel="density (per °C)",
        title=f"Dark area minus light area = {np.trapezoid(terms, places):.3f} nats",
    )
    ax.set_xlim(places[0], places[-1])
    ax.legend(loc="upper left")
    return ax


def plot_humps(x: ArrayLike, p: ArrayLike, fits: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show a density ``p`` (n,) at hours ``x`` (n,), and Gaussians ``fits`` (k, n) for it with their names."""
    ax = ax or _axes(11, 4.4)
    hours = array("x", x, ("n",))
    ax.fill_between(hours, array("p", p, hours.shape), color=P, alpha=0.35)
    ax.plot(hours, np.asarray(p), color=P, label="p: the calls")
    dashes: list[str | tuple[int, tuple[int, ...]]] = ["--", (0, (1, 1)), (0, (5, 1, 1, 1))]
    curves = array("fits", np.atleast_2d(array("fits", fits)), ("k", len(hours)))
    for fit, name, style in zip(curves, names, dashes, strict=False):
        ax.plot(hours, fit, color=Q, linestyle=style, linewidth=3, label=name)
    ax.set(xlim=(4, 16), ylim=(0, None), xlabel="hour of the day", ylabel="density (per hour)")
    ax.set_xticks(range(4, 17))
    ax.legend(loc="upper right")
    return ax


def plot_landscape(means: ArrayLike, sds: ArrayLike, kl: ArrayLike, *, title: str, ax: Axes | None = None) -> Axes:
    """Show a divergence ``kl`` (sds, means) in nats as contours over a Gaussian's mean and standard deviation."""
    ax = ax or _axes(6.5, 5)
    levels = [0.5, 0.6, 0.8, 1, 1.25, 1.6, 2, 3, 5, 10, 20, 50, 100, 200, 400]
    x, y = array("means", means, ("means",)), array("sds", sds, ("sds",))
    where = x, y, array("kl", kl, (len(y), len(x)))
    ax.contourf(*where, levels, norm=LogNorm(0.45, 1500), cmap="YlGnBu", extend="both")
    lines = ax.contour(*where, levels, colors="0.25", linewidths=0.8)
    ax.clabel(lines, levels=[level for level in levels if level not in (1.25, 1.6, 200, 400)], fmt="%g", fontsize=11)
    ax.set(xlabel="mean of q (hour)", ylabel="standard deviation of q (hours)", yscale="log", title=title)
    ax.set(xlim=(np.min(means), np.max(means)), ylim=(np.min(sds), np.max(sds)), autoscale_on=False)
    ax.locator_params(axis="x", integer=True)
    ax.set_yticks([0.3, 0.5, 1, 2, 4])
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.minorticks_off()
    return ax


def plot_paths(paths: Sequence[ArrayLike], *, ax: Axes) -> Axes:
    """Draw searches ``(steps, 2)`` of mean and log sd on the axes of ``plot_landscape``: a dot, a line, a star."""
    for path in (array("paths", path, ("steps", 2)) for path in paths):
        mean, sd = path[:, 0], np.exp(path[:, 1])
        ax.plot(mean, sd, color="black", linewidth=1.2)
        ax.plot(mean[0], sd[0], "o", color="white", markeredgecolor="black", markersize=7)
        ax.plot(mean[-1], sd[-1], "*", color=Q, markeredgecolor="black", markersize=20, zorder=4)
    return ax


def _coin(p: ArrayLike, q: ArrayLike) -> np.ndarray:
    """KL in nats of two coins that fall on heads with probability p and q."""
    return np.asarray(rel_entr(p, q) + rel_entr(np.subtract(1, p), np.subtract(1, q)))


def _axes(width: float, height: float) -> Axes:
    return plt.subplots(figsize=(width, height))[1]
