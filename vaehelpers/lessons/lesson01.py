"""Lesson 01: information and entropy: figures, sliders and checks."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr, xlogy
from scipy.stats import entropy, norm

from ..arguments import array, number
from ..plots import BOUND, DATA, P, Q
from .judge import Result, judge, judge_function
from .live import Live, slider


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


WEATHER = ("sun", "cloud", "rain", "storm")


def two_weathers() -> Live:
    """Rain or no rain: the entropy under one probability, as a curve and as the area of two bars."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    plot_binary_entropy(0.2, ax=left)
    plot_areas([0.2, 0.8], ["rain", "dry"], ax=right)

    def update(p: float) -> None:
        move_binary_entropy(left, p)
        move_areas(right, [p, 1 - p])

    return Live(figure, update, p=slider("probability of rain", 0.01, 0.99, 0.2))


def four_weathers() -> Live:
    """Four weathers: their weights under sliders, and the entropy against the largest that four can have."""
    figure = Figure(figsize=(11, 4.4))
    axes = plot_areas([0.25, 0.125, 0.5, 0.125], WEATHER, ax=figure.subplots())

    def update(**weights: float) -> None:
        odds = np.array(list(weights.values()))
        move_areas(axes, odds / odds.sum())

    starts = zip(WEATHER, (2.0, 1.0, 4.0, 1.0), strict=True)
    return Live(figure, update, **{name: slider(f"weight of {name}", 0.01, 8, start) for name, start in starts})


def wrong_belief() -> Live:
    """What a believed probability of rain costs where another is true."""
    figure = Figure(figsize=(9, 4.8))
    axes = plot_wrong_belief(0.5, 0.05, ax=figure.subplots())
    controls = {
        "p": slider("true probability p", 0.03, 0.97, 0.5),
        "q": slider("believed probability q", 0.03, 0.97, 0.05),
    }
    return Live(figure, lambda p, q: move_wrong_belief(axes, p, q), **controls)


def barometer() -> Live:
    """A glass that follows the weather more or less: the joint table, and the entropies that it makes overlap."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))
    plot_joint(np.full((2, 2), 0.25), ["glass\nfalls", "glass\nrises"], ["rain", "dry"], ax=left)
    plot_shared(np.full((2, 2), 0.25), ("glass", "weather"), ax=right)

    def update(rain: float, dependence: float) -> None:
        margin = np.array([rain, 1 - rain])
        joint = (1 - dependence) * np.outer(margin, margin) + dependence * np.diag(margin)
        move_joint(left, joint)
        move_shared(right, joint)

    return Live(
        figure,
        update,
        rain=slider("probability of rain", 0.01, 0.99, 0.5),
        dependence=slider("glass follows the weather", 0, 1, 0.6),
    )


def narrow_gaussian() -> Live:
    """A Gaussian under its standard deviation, and its differential entropy on both sides of zero."""
    figure = Figure(figsize=(9, 4.2))
    axes = plot_gaussian(0.15, ax=figure.subplots())
    return Live(figure, lambda sigma: move_gaussian(axes, sigma), sigma=slider("σ in °C", 0.1, 2, 0.15))


HARBOUR = np.array([0.4, 0.3, 0.2, 0.1])
ISLAND = np.array([0.25, 0.125, 0.5, 0.125])
#: Joint tables and probabilities at which no two of the formulas below agree.
JOINTS = [[[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]], [[0.08, 0.22, 0.1], [0.25, 0.05, 0.3]]]
SYMBOLS = [[0.25, 0.25, 0.2, 0.2, 0.1], [0.35, 0.17, 0.17, 0.16, 0.15], [0.12, 0.37, 0.06, 0.28, 0.05, 0.12]]
IN_NATS = "That is the right amount in nats. The question asks for bits: mind the base of the logarithm."
NEGATIVE = "The size is right, and the sign is not. Information is never negative: look for the minus before the log."
BASE_10 = "That is a logarithm to base 10. Bits take base 2."


def check_two_storms(bits: Any) -> Result:
    """Lesson 01: the surprisal of two independent storms in bits, to three digits."""
    desert, island = 0.005, 0.125
    right, first, second = -np.log2([desert * island, desert, island])
    mistakes = {
        IN_NATS: right * np.log(2),
        NEGATIVE: -right,
        BASE_10: right * np.log10(2),
        "You added the probabilities: that is close to `one storm or the other`. Here both come.":
            -np.log2(desert + island),
        "You multiplied the surprisals. Which of the two multiplies for independent events, and which adds?":
            first * second,
        "That is one storm alone, the one in the desert. The other one tells you something too.": first,
        "That is one storm alone, the one on the island. The other one tells you something too.": second,
        "That is the probability of both. How surprising is it?": desert * island,
    }  # fmt: skip
    return judge(bits, right, praise="probabilities multiply, surprisals add.", mistakes=mistakes, tolerance=4e-3)


def check_harbour(bits: Any) -> Result:
    """Lesson 01: the entropy of four unequal weathers in bits, to three digits."""
    surprisals, right = -np.log2(HARBOUR), entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: entropy(HARBOUR),
        NEGATIVE: -right,
        "You added the surprisals. A mean weights each of them by its probability.": surprisals.sum(),
        "That mean counts every weather once. In a long run of days, how often does each come?": surprisals.mean(),
        "That is the largest entropy of four weathers. It is reached only when all four are equally probable.": 2.0,
        "That is the entropy of the island.": entropy(ISLAND, base=2),
        BASE_10: entropy(HARBOUR, base=10),
    }
    praise = "the harbour is harder to guess than the island."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_waste(bits: Any) -> Result:
    """Lesson 01: what the island's code wastes at the harbour in bits a day, to the two decimals of the lesson."""
    right, own = rel_entr(HARBOUR, ISLAND).sum() / np.log(2), entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: right * np.log(2),
        "That is the whole cost of a day. How much of it would the harbour's own code have needed too?": right + own,
        "That is the waste the other way round: the harbour's code used on the island. Who believes, and what is "
        "true?": rel_entr(ISLAND, HARBOUR).sum() / np.log(2),
        "That is the difference of two entropies. The days come from the harbour in both terms; only the code "
        "changes.": own - entropy(ISLAND, base=2),
        "The size is right, and the sign is not: a wrong code cannot save anything.": -right,
        BASE_10: right * np.log10(2),
    }
    praise = "this waste has a name, and lesson 02 is about it."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=6e-3)


def check_thermometer(nats: Any) -> Result:
    """Lesson 01: the differential entropy in nats of a density that is constant on a quarter of a degree."""
    width = 0.25
    mistakes = {
        "The size is right, and the sign is not. The density is 4 there; what is −log 4?": -np.log(width),
        "That is the right amount in bits. The question asks for nats.": np.log2(width),
        "A differential entropy may be negative, so there is no reason to stop at zero.": 0.0,
        "You forgot the width: the integral of −f log f runs over a quarter of a degree only.": np.log(width) / width,
        "You weighted −log f by the width alone. Width times density is 1.": np.log(width) * width,
        "That formula is for a Gaussian. Here f is constant, so −log f is the same everywhere.":
            0.5 * np.log(2 * np.pi * np.e * width**2 / 12),
    }  # fmt: skip
    praise = "log of the width, and below zero."
    return judge(nats, np.log(width), praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_conditional_entropy(conditional_entropy: Callable[[Any], Any]) -> Result:
    """Lesson 01: a function for the mean entropy in bits of the rows of a joint table, each row by itself."""
    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        IN_NATS: lambda joint: _left_open(joint) * np.log(2),
        NEGATIVE: lambda joint: -_left_open(joint),
        "That is what stays unknown about the rows when the column is known: the other way round.":
            lambda joint: _left_open(joint.T),
        "Every row counts the same in your mean. How often does each row come?":
            lambda joint: entropy(joint, axis=1, base=2).mean(),
        "That is the sum over the rows. You want their mean, each weighted by its probability.":
            lambda joint: entropy(joint, axis=1, base=2).sum(),
        "You took the rows as they stand. Divide each by its sum first, to make it a distribution.":
            lambda joint: -joint.sum(axis=1) @ (joint * np.log2(joint)).sum(axis=1),
        "That is the joint entropy: it still holds what is unknown about the row itself.":
            lambda joint: entropy(joint.ravel(), base=2),
        "That is the entropy of the column before anything is known about the row.":
            lambda joint: entropy(joint.sum(axis=0), base=2),
        "That is the entropy of the row. How much is open about the column, once the row is known?":
            lambda joint: entropy(joint.sum(axis=1), base=2),
        "That is the mutual information: what the row tells. You want what it leaves open.":
            lambda joint: entropy(joint.sum(axis=0), base=2) - _left_open(joint),
    }  # fmt: skip
    cases, praise = [(np.array(joint),) for joint in JOINTS], "that much is open when the row is known."
    return judge_function(conditional_entropy, _left_open, cases, praise=praise, mistakes=mistakes)


def check_mean_length(mean_length: Callable[[Any], Any]) -> Result:
    """Lesson 01: a function for the mean length of a Huffman code that never builds a word."""
    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        "You lost the last merge, the one into a single pile of weight 1.": lambda p: p @ _depths(p) - 1,
        "You merged the two heaviest piles. The rare ones should get the long words.": lambda p: p @ _depths(p, -1),
        "You counted only the last merge, where everything has come together.": lambda p: 1,
        "That is the number of merges. Each makes words longer, but only those of the symbols in its pile.":
            lambda p: len(p) - 1,
        "That is the entropy, the limit that no code can beat. You want the length that Huffman's code has.":
            lambda p: entropy(p, base=2),
        "You rounded each surprisal up. Such words are never too short, and Huffman's are often shorter.":
            lambda p: p @ np.ceil(-np.log2(p)),
        "You split from the top, into halves as equal as can be. Huffman merges from below.":
            lambda p: _top_down(np.sort(p)[::-1]),
        "You sorted only once. A merged pile may be heavier than others, so look for the lightest two anew.":
            lambda p: np.cumsum(np.sort(p))[1:].sum(),
        "Every word counts the same in your mean. Weigh its length with its probability.": lambda p: _depths(p).mean(),
    }  # fmt: skip
    cases, praise = [(np.array(p),) for p in SYMBOLS], "each merge adds one digit to all the words below it."
    return judge_function(mean_length, lambda p: p @ _depths(p), cases, praise=praise, mistakes=mistakes)


def _left_open(joint: NDArray) -> float:
    """H(column | row) in bits; SciPy's entropy divides each row by its sum."""
    return float(joint.sum(axis=1) @ entropy(joint, axis=1, base=2))


def _depths(p: NDArray, sign: int = 1) -> NDArray:
    """Return how often each symbol lies in a merged pile: the lengths of its word in Huffman's code."""
    piles, depths = [(sign * weight, [symbol]) for symbol, weight in enumerate(p)], np.zeros(len(p))
    while len(piles) > 1:
        (light, left), (heavy, right), *piles = sorted(piles)
        depths[left + right] += 1
        piles.append((light + heavy, left + right))
    return depths


def _top_down(p: NDArray) -> float:
    """Return the mean length of the Shannon–Fano code of probabilities in falling order."""
    if len(p) == 1:
        return 0.0
    cut = 1 + int(np.abs(2 * np.cumsum(p)[:-1] - p.sum()).argmin())
    return float(p.sum()) + _top_down(p[:cut]) + _top_down(p[cut:])
