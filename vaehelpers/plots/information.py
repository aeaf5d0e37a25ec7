"""Lesson 01: surprisal, entropy as an area, code words and their lengths, the wrong code, what two variables share."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from scipy.special import entr, xlogy
from scipy.stats import norm

from ..arguments import array, number
from .style import BOUND, DATA, P, Q


def plot_surprisal(p: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show the surprisal −log₂ p on scales of bits and nats, and where the probabilities ``p`` (n,) lie on it."""
    ax = ax or _axes(9, 5)
    chances, grid = array("p", p, (len(labels),), unit=True), np.linspace(0.001, 1, 1000)
    if not chances.all():
        raise ValueError("p: need probabilities above 0, got 0, whose surprisal is infinite")
    ax.plot(grid, -np.log2(grid), color="0.7", zorder=1)
    ax.scatter(chances, -np.log2(chances), s=60, color=P, zorder=2)
    for chance, label in zip(chances, labels, strict=True):
        side = {"xytext": (9, 4)} if chance < 0.8 else {"xytext": (-2, 9), "ha": "right"}
        ax.annotate(label, (chance, -np.log2(chance)), textcoords="offset points", **side)
    ax.set(xlim=(0, 1), ylim=(0, 9), xlabel="probability of the news", ylabel="surprisal (bits)")
    ax.set_title("Rare news tells more")
    nats = ax.secondary_yaxis("right", functions=(lambda bits: bits * np.log(2), lambda nats: nats / np.log(2)))
    nats.set_ylabel("surprisal (nats)")
    return ax


def plot_days(bits: ArrayLike, mean: float, *, title: str, ax: Axes | None = None) -> Axes:
    """Show the surprisal ``bits`` (days,) of each day's news, and the mean that they settle on."""
    ax = ax or _axes(11, 2.6)
    days = np.arange(1, len(array("bits", bits, ("days",))) + 1)
    number("mean", mean)
    ax.vlines(days, 0, bits, color="0.7", linewidth=1)
    ax.plot(days, bits, "o", color=DATA, markersize=5)
    ax.axhline(mean, color=P)
    ax.text(1.01, mean, f"mean {mean:.2f}", color=P, va="center", transform=ax.get_yaxis_transform())
    ax.set(title=title, xlabel="day", ylabel="bits", ylim=(0, 8.5))
    return ax


def plot_areas(p: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show each event of ``p`` (n,) as a bar, as wide as it is probable and as high as it surprises."""
    ax = ax or _axes(9, 4.2)
    ax.bar(np.zeros(len(names)), 1, align="edge", color=P, edgecolor="white", alpha=0.55)
    for name in names:
        ax.text(0, 0, name, ha="center", va="bottom")
    ax.axhline(0, color="black")
    most = np.log2(len(names))
    ax.axhline(most, color=BOUND, linestyle="--")
    ax.text(1.01, most, f"largest mean:\nlog₂ {len(names)} = {most:g}", va="center", transform=ax.get_yaxis_transform())
    ax.set(xlim=(0, 1), ylim=(0, 7), xlabel="width: probability", ylabel="height: surprisal (bits)")
    move_areas(ax, p)
    return ax


def move_areas(ax: Axes, p: ArrayLike) -> None:
    """Bring the axes of ``plot_areas`` to other probabilities of the same events."""
    widths = np.asarray(p, float)
    heights, left = -np.log2(np.maximum(widths, 1e-9)), np.cumsum(widths) - widths
    for bar, name, x, width, height in zip(ax.patches, ax.texts, left, widths, heights, strict=False):
        bar.set(x=x, width=width, height=height)
        name.set(position=(x + width / 2, height + 0.05), visible=bool(width > 0.06))
    mean = widths @ heights
    ax.lines[0].set_ydata([mean, mean])
    ax.set_title(f"mean surprisal (black) = total area = {mean:.2f} bits")


def plot_binary_entropy(p: float, *, ax: Axes | None = None) -> Axes:
    """Show the entropy in bits of a question with two answers, and the place of the probability ``p`` of one."""
    ax = ax or _axes(6, 4.2)
    grid = np.linspace(0, 1, 201)
    ax.plot(grid, _cost(grid, grid), color=P)
    ax.plot([], [], "o", color="black", markersize=10)
    ax.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="probability of rain", ylabel="entropy (bits)")
    move_binary_entropy(ax, p)
    return ax


def move_binary_entropy(ax: Axes, p: float) -> None:
    """Bring the axes of ``plot_binary_entropy`` to another probability."""
    ax.lines[1].set_data([p], [_cost(p, p)])
    ax.set_title(f"H({p:.2f}) = {_cost(p, p):.2f} bits")


def plot_code(p: ArrayLike, names: Sequence[str], words: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show the probabilities ``p`` (n,) above the share 2^−length of the code space that each word takes."""
    ax = ax or _axes(11, 2.8)
    chances = array("p", p, (len(names),), unit=True)
    if len(words) != len(names):
        raise ValueError(f"words: need one for each of {len(names)} names, got {len(words)}")
    lengths = np.array([len(word) for word in words])
    rows = ((1, chances, names, P, ""), (0, 2.0**-lengths, words, Q, "//"))
    for row, widths, labels, color, hatch in rows:
        left = np.cumsum(widths) - widths
        ax.barh(row, widths, left=left, height=0.75, edgecolor="white", color=color, hatch=hatch)
        for x, width, label in zip(left, widths, labels, strict=True):
            if width > 0.05:
                ax.text(x + width / 2, row, label, ha="center", va="center", bbox=_PAPER)
    ax.set(xlim=(0, 1), yticks=[1, 0], yticklabels=["probability", "code space"], xlabel="share")
    ax.spines[:].set_visible(False)
    ax.set_title(f"entropy {entr(chances).sum() / np.log(2):.2f}, mean length {chances @ lengths:.2f} bits")
    return ax


def plot_lengths(names: Sequence[str], entropies: ArrayLike, lengths: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Show for each named source its entropy as a bar and the mean length of its code as a mark, in bits a symbol."""
    ax = ax or _axes(11, 0.65 * len(names) + 1)
    rows = np.arange(len(names))[::-1]
    array("entropies", entropies, rows.shape), array("lengths", lengths, rows.shape)
    ax.barh(rows, entropies, height=0.55, color=P)
    ax.plot(lengths, rows, "d", color="black", markersize=9)
    for row, bits, length in zip(rows, np.ravel(entropies), np.ravel(lengths), strict=True):
        ax.text(0, row, f" entropy {bits:.2f}", va="center")
        ax.text(length, row, f"   code {length:.2f}", va="center")
    ax.set(yticks=rows, yticklabels=names, xlabel="bits a symbol", xlim=(0, 1.15 * np.max(lengths)))
    return ax


def plot_wrong_belief(p: float, q: float, *, ax: Axes | None = None) -> Axes:
    """Show what each belief costs in bits a day where rain has the probability ``p``, and the cost of belief ``q``."""
    ax = ax or _axes(9, 4.8)
    for look in ({"linestyle": "--", "color": Q}, {"color": "black", "linewidth": 3, "marker": "o", "markevery": [1]}):
        ax.plot([], [], **look)
    ax.axhline(0, color=P)
    ax.text(0.98, 0, "entropy: the cost of the right belief", color=P, va="top", ha="right")
    ax.text(0, 0, "extra", va="center", bbox=_PAPER)
    ax.set(xlim=(0, 1), ylim=(0, 5), xlabel="believed probability of rain, q", ylabel="cost (bits a day)")
    move_wrong_belief(ax, p, q)
    return ax


def move_wrong_belief(ax: Axes, p: float, q: float) -> None:
    """Bring the axes of ``plot_wrong_belief`` to another truth ``p`` and another belief ``q``."""
    grid = np.linspace(0.001, 0.999, 400)
    least, cost = float(_cost(p, p)), float(_cost(p, q))
    curve, gap, level = ax.lines
    curve.set_data(grid, _cost(p, grid))
    gap.set_data([q, q], [least, cost])
    level.set_ydata([least, least])
    ax.texts[0].set_y(least - 0.06)
    ax.texts[1].set(position=(q + 0.02 if q < 0.8 else q - 0.09, (least + cost) / 2), visible=bool(cost - least > 0.3))
    ax.set_title(f"cost {cost:.2f} = entropy {least:.2f} + extra {cost - least:.2f} bits a day")


def plot_joint(joint: ArrayLike, rows: Sequence[str], columns: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show a table ``(a, b)`` of joint probabilities, the darker the more probable, with its numbers."""
    ax = ax or _axes(4.5, 4.2)
    table = np.asarray(joint, float)
    ax.imshow(table, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(table):
        ax.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=17, bbox=_PAPER)
    ax.set(xticks=range(len(columns)), yticks=range(len(rows)), xticklabels=columns, yticklabels=rows)
    ax.tick_params(length=0)
    ax.set_title("joint probabilities")
    return ax


def move_joint(ax: Axes, joint: ArrayLike) -> None:
    """Bring the axes of ``plot_joint`` to another table of the same shape."""
    ax.images[0].set_data(joint)
    for label, share in zip(ax.texts, np.ravel(joint), strict=True):
        label.set_text(f"{share:.2f}")


def plot_shared(joint: ArrayLike, names: tuple[str, str], *, ax: Axes | None = None) -> Axes:
    """Show the entropies in bits of a table ``(a, b)`` and of its margins as bars that overlap in what they share."""
    ax = ax or _axes(8, 4.2)
    ax.barh([3, 2, 1], 1, height=0.6, color=P)
    ax.barh(0, 1, height=0.6, color="white", edgecolor="black", hatch="//")
    for row in (3, 2, 1, 0):
        ax.text(0, row, "", va="center")
    for _ in range(2):
        ax.axvline(0, color="0.5", linestyle=":", ymax=0.75, zorder=0)
    ax.set(yticks=[3, 2, 1, 0], yticklabels=["both together", *names, "shared"], xlim=(0, 2.3), xlabel="bits")
    move_shared(ax, joint)
    return ax


def move_shared(ax: Axes, joint: ArrayLike) -> None:
    """Bring the axes of ``plot_shared`` to another table."""
    table = np.asarray(joint, float)
    both, first, second = (entr(x).sum() / np.log(2) for x in (table, table.sum(axis=1), table.sum(axis=0)))
    spans = ((0, both), (0, first), (both - second, both), (both - second, first))
    for bar, label, (low, high) in zip(ax.patches, ax.texts, spans, strict=True):
        width = max(high - low, 0)
        bar.set(x=low, width=width)
        label.set(x=low + width + 0.03, text=f"{width:.2f}")
    for line, edge in zip(ax.lines, spans[-1], strict=True):
        line.set_xdata([edge, edge])
    ax.set_title(f"each tells {max(first + second - both, 0):.2f} bits about the other")


def plot_gaussian(sigma: float, *, ax: Axes | None = None) -> Axes:
    """Show the density of a Gaussian of standard deviation ``sigma``, and say its differential entropy in nats."""
    ax = ax or _axes(9, 4.2)
    ax.plot(np.linspace(-3, 3, 601), np.zeros(601), color=P)
    ax.axhline(1, color="0.5", linestyle=":")
    ax.text(2.95, 1.05, "density 1", ha="right")
    ax.set(xlim=(-3, 3), ylim=(0, 4.2), xlabel="deviation from the mean temperature x − μ (°C)", ylabel="density f(x)")
    move_gaussian(ax, sigma)
    return ax


def move_gaussian(ax: Axes, sigma: float) -> None:
    """Bring the axes of ``plot_gaussian`` to another standard deviation."""
    ax.lines[0].set_ydata(norm.pdf(ax.lines[0].get_xdata(), scale=sigma))
    height = norm.entropy(scale=sigma)
    ax.set_title(f"σ = {sigma:.2f} °C: differential entropy h = {height:+.2f} nats".replace("-", "−"))


_PAPER = {"facecolor": "white", "edgecolor": "none", "pad": 2}


def _cost(p: ArrayLike, q: ArrayLike) -> np.ndarray:
    """Return the cross-entropy in bits of a question with two answers."""
    return -(xlogy(p, q) + xlogy(1 - np.asarray(p), 1 - np.asarray(q))) / np.log(2)


def _axes(width: float, height: float) -> Axes:
    return plt.subplots(figsize=(width, height))[1]
