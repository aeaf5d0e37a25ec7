"""Lesson 03: hidden causes and what they show, exact posteriors, their cost, and two ways around it."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import ArrayLike

from ..arguments import array, number, whole
from .elbo import ellipses
from .style import DATA, POSTERIOR, PRIOR, P, Q


def plot_graphical_model(
    hidden: str = "z", seen: str = "x", *, plate: str = "N", arrows: Sequence[str] = ("generates", "inference"),
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the model z → x: an open circle is hidden, a filled one is seen, the plate says how often it repeats."""
    ax = ax or plt.subplots(figsize=(7, 3))[1]
    ax.add_patch(FancyBboxPatch((0, 0), 6, 2.3, boxstyle="round,pad=0.1", fill=False, lw=1.5))
    for x, name, colour, role in ((1.5, hidden, "white", "hidden: the cause"), (4.5, seen, "0.75", "seen: the data")):
        ax.add_patch(Circle((x, 1.45), 0.6, facecolor=colour, edgecolor="black", lw=2))
        ax.text(x, 1.45, f"${name}$", ha="center", va="center", fontsize=26)
        ax.text(x, 0.5, role, ha="center", va="center")
    ax.annotate("", (3.88, 1.75), (2.12, 1.75), arrowprops={"arrowstyle": "-|>", "lw": 2.5, "color": "black"})
    ax.text(3, 1.9, arrows[0], ha="center", va="bottom")
    ax.annotate("", (2.12, 1.15), (3.88, 1.15), arrowprops={"arrowstyle": "-|>", "lw": 2, "color": Q, "ls": "--"})
    ax.text(3, 1.05, arrows[1], ha="center", va="top")
    ax.text(5.95, 0.03, f"${plate}$ times", ha="right", va="bottom")
    ax.set(xlim=(-0.2, 6.2), ylim=(-0.2, 2.5), aspect="equal")
    ax.axis("off")
    return ax


def plot_network(
    strength: ArrayLike, causes: Sequence[str], symptoms: Sequence[str], *, seen: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw causes above symptoms, with an arrow for each strength ``(causes, symptoms)``; ``seen`` ones are filled."""
    table = array("strength", strength, (len(causes), len(symptoms)), unit=True)
    on = array("seen", seen, (len(symptoms),))
    ax = ax or plt.subplots(figsize=(12, 4.6))[1]
    top, bottom = np.linspace(0, 1, len(causes)), np.linspace(0.06, 0.94, len(symptoms))
    for i, j in np.argwhere(table):
        arrow = {"arrowstyle": "-|>", "lw": 0.6 + 2.2 * table[i, j], "color": "black" if on[j] else "0.72"}
        ax.annotate("", (bottom[j], 0.08), (top[i], 0.92), arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0})
    ax.scatter(top, np.ones(len(top)), s=420, c="white", edgecolors="black", linewidths=2, zorder=3)
    fill = ["0.35" if x else "white" for x in on]
    ax.scatter(bottom, np.zeros(len(bottom)), s=420, c=fill, marker="s", edgecolors="black", linewidths=2, zorder=3)
    for x, name in zip(top, causes, strict=True):
        ax.text(x, 1.13, name.replace(" ", "\n"), ha="center", va="bottom")
    for x, name, bold in zip(bottom, symptoms, on, strict=True):
        weight = "bold" if bold else "normal"
        ax.text(x, -0.13, name.replace(" ", "\n"), ha="center", va="top", weight=weight)
    ax.text(-0.09, 1, "hidden $z$", ha="right", va="center", fontsize=15)
    ax.text(-0.09, 0, "seen $x$", ha="right", va="center", fontsize=15)
    ax.set(xlim=(-0.2, 1.05), ylim=(-0.45, 1.45))
    ax.axis("off")
    return ax


def plot_marginals(posterior: ArrayLike, names: Sequence[str], *, ax: Axes | None = None, **others: ArrayLike) -> Axes:
    """Draw the probability of each cause as a bar, beside those of ``prior=``, ``q=`` or ``samples=`` where given."""
    looks: dict[str, dict[str, Any]] = {
        "prior": {"facecolor": "none", "edgecolor": PRIOR, "ls": ":", "lw": 2.5, "label": "prior"},
        "q": {"facecolor": "none", "edgecolor": Q, "hatch": "///", "lw": 1.5, "label": "mean-field q"},
        "samples": {"facecolor": DATA, "edgecolor": "black", "hatch": "..", "lw": 1, "label": "samples"},
    }
    rows, given = np.arange(len(names)), {"posterior": posterior, **others}
    bars = {role: array(role, values, rows.shape) for role, values in given.items()}
    height = 0.8 / len(bars)
    ax = ax or plt.subplots(figsize=(8.5, 1 + 0.26 * len(names) * (1 + 0.4 * len(bars))))[1]
    for k, (role, values) in enumerate(bars.items()):
        look = looks.get(role, {"facecolor": POSTERIOR, "label": "exact posterior"})
        ax.barh(rows + (k - (len(bars) - 1) / 2) * height, values, height * 0.9, **look)
    ax.set_yticks(rows, names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1), xlabel="probability that it is wrong with the machine")
    ax.invert_yaxis()
    ax.legend(loc="lower right")
    return ax


def plot_cost(causes: ArrayLike, seconds: ArrayLike, *, reach: int = 120, ax: Axes | None = None) -> Axes:
    """Draw measured seconds over the number of causes, and go on from the last one: each cause more doubles them."""
    n = array("causes", causes, ("n",))
    measured = array("seconds", seconds, n.shape)
    if not (measured > 0).all():
        raise ValueError(f"seconds: need times above 0, got {measured.min():g}")
    whole("reach", reach, int(n[-1]) + 1, 1000)
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    ax.plot([n[-1], reach], [measured[-1], measured[-1] * 2.0 ** (reach - n[-1])], color=POSTERIOR, ls="--")
    ax.plot(n, measured, "o", color=DATA, markeredgecolor="black", ms=8)
    ax.annotate("measured", (n[-1], measured[-1]), (n[-1] + 6, measured[-1] / 50), va="center")
    ax.text(reach, measured[-1] / 50, "dashed: each cause more doubles the time", ha="right", va="center")
    for name, length in (("one minute", 60), ("one year", 3.15e7), ("the age of the universe", 4.35e17)):
        ax.axhline(length, color="0.6", lw=1.2, ls=":")
        ax.text(reach, length * 1.5, name, ha="right", va="bottom")
        ax.plot(n[-1] + np.log2(length / measured[-1]), length, "x", color="black", ms=9, mew=2.5)
    ax.set(yscale="log", xlim=(0, reach), xlabel="number of causes (each is there or not)", ylabel="seconds")
    ax.yaxis.set_major_locator(LogLocator(numticks=9))
    ax.yaxis.set_minor_locator(NullLocator())
    return ax


def plot_wait(unknowns: float, factors: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw, in powers of ten, the 2^unknowns states and those visited by 2^computers · 2^speed · 2^seconds."""
    number("unknowns", unknowns), array("factors", factors, (len(_FACTORS),))
    ax = ax or plt.subplots(figsize=(11, 3.8))[1]
    ax.barh(1, 1, 0.55, color=POSTERIOR)
    for name, y, colour, hatch in _FACTORS:
        ax.barh(0, 1, 0.55, facecolor=colour, edgecolor="black", hatch=hatch)
        ax.text(0, y, name, ha="center", va="top")
    ax.text(0, 0, "", va="center", ha="left", fontsize=15, weight="bold")
    ax.set_yticks([1, 0], ["states to visit", "states visited"])
    ax.set(ylim=(-0.9, 1.4), xlabel="power of ten")
    move_wait(ax, unknowns, factors)
    return ax


def move_wait(ax: Axes, unknowns: float, factors: ArrayLike) -> None:
    """Give the figure of ``plot_wait`` other numbers."""
    tens, total = np.log10(2) * np.asarray(factors, float), np.log10(2) * unknowns
    ends = np.cumsum(tens)
    (need, *parts), (*words, verdict) = ax.patches, ax.texts
    need.set(width=total)
    for part, word, width, end in zip(parts, words, tens, ends, strict=True):
        part.set(x=end - width, width=width)
        word.set(x=end - width / 2, visible=bool(width > 8))
    wait = total - ends[-1]
    verdict.set(x=ends[-1] + 2, text=f"all of them take 10^{wait:.2f} times as long")
    ax.set_xlim(0, max(total, ends[-1] + 110) * 1.02)
    ax.set_title(f"2^{unknowns:.0f} ≈ 10^{total:.1f} states; the machine visits 10^{ends[-1]:.1f}", loc="left")


def plot_errors(
    work: ArrayLike, sampling: ArrayLike, fits: Sequence[tuple[ArrayLike, ArrayLike]], *, exact: float,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw errors over work: ``sampling (steps, seeds)``, the first 16 thin, their mean, and ``fits`` (work, error)."""
    steps = array("work", work, ("steps",))
    error = array("sampling", sampling, (len(steps), "seeds"))
    if not (steps > 0).all() or not (error > 0).all():
        raise ValueError(f"work and sampling: need numbers above 0, got {min(steps.min(), error.min()):g}")
    number("exact", exact, above=0)
    ax = ax or plt.subplots(figsize=(11, 5.4))[1]
    ax.plot(steps, error[:, :16], color=DATA, lw=1, alpha=0.7)
    typical = error.mean(axis=1)
    ax.plot(steps, typical, color="black", lw=3)
    ax.text(steps[-1] * 1.1, typical[-1], "Metropolis\n(black: mean)", va="center")
    for x, y in fits:
        x, y = array("fits", x, ("n",)), array("fits", y, np.shape(x))
        ax.plot([*x[1:], steps[-1]], [*y[1:], y[-1]], color=Q, ls="--")
    ends = np.array([np.asarray(y)[-1] for _, y in fits])
    ax.text(steps[-1] * 1.1, np.sqrt(ends.min() * ends.max()), "mean-field\nstands", va="center")
    guide = typical[-1] * 2.2 * np.sqrt(steps[-1] / steps)
    ax.plot(steps[steps > 300], guide[steps > 300], color="0.5", ls=":", lw=2)
    ax.text(steps[-1] / 3, guide[-1] * 2.2, "1 / √work", va="bottom")
    ax.axvline(exact, color=POSTERIOR, lw=2, ls="-.")
    note: dict[str, Any] = {"color": POSTERIOR, "ha": "right", "va": "center"}
    ax.text(exact * 0.93, typical[-1] / 1.5, "enumeration:\nexact from here on", **note)
    ax.set(xscale="log", yscale="log", xlim=(1, steps[-1] * 8), ylim=(typical[-1] / 2.5, 1))
    ax.set(xlabel="work: evaluations of log p(x, z)", ylabel="mean absolute error of the marginals")
    return ax


def plot_gaussians(covariance: ArrayLike, path: ArrayLike, variances: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw the target N(0, covariance), q at the end of its ``path (k, 2)`` of means, and the path."""
    means = array("path", path, ("k", 2))
    array("covariance", covariance, (2, 2))
    ax = ax or plt.subplots(figsize=(6.5, 6.5))[1]
    narrow = np.diag(array("variances", variances, (2,)))
    inner_outer = zip(ellipses(covariance), ellipses(narrow, means[-1]), strict=True)
    for target, fit in inner_outer:
        ax.plot(*target.T, color=P, lw=2.5)
        ax.plot(*fit.T, color=Q, ls="--", lw=2.5)
    ax.legend(ax.lines[:2], ["target p", "mean-field q"], loc="upper left")
    ax.plot(means[:, 0], means[:, 1], "o-", color="black", lw=1.2, ms=5)
    ax.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal", xlabel="z₁", ylabel="z₂")
    ax.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    return ax


def plot_lost_variance(rho: ArrayLike, measured: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Draw measured variances over the correlation, against 1 (the target's) and 1 − ρ² (the theory of mean-field)."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    fine = np.linspace(0, 1, 200)
    ax.plot(fine, np.ones(200), color=P)
    ax.plot(fine, 1 - fine**2, color=Q, ls="--")
    ax.text(0.02, 0.9, "theory for q: 1 − ρ²", color="black", va="top")
    ax.text(0.02, 1.04, "theory for the target: 1", color="black", va="bottom")
    for marker, (name, values) in zip("os", measured.items(), strict=True):
        x = array("rho", rho, ("n",))
        y = array("measured", values, x.shape)
        ax.plot(x, y, marker, color=DATA, markeredgecolor="black", ms=9, label=f"measured: {name}")
    ax.set(xlim=(0, 1), ylim=(0, 1.25), xlabel="correlation ρ of the target", ylabel="variance of $z_1$")
    ax.legend(loc="lower left")
    return ax


_FACTORS = (("computers", -0.35, DATA, "//"), ("speed", -0.6, "0.9", ".."), ("time", -0.35, PRIOR, "\\\\"))
