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

from ..plots import BOUND, DATA, P, Q
from .judge import Result, judge, judge_function
from .live import Live, slider

WEATHER = ("sun", "cloud", "rain", "storm")
WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 2}  # behind text on bars and lines


# Figures


def plot_surprisal(p: ArrayLike, labels: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot −log₂ p on scales of bits and nats, and a dot with its label for each probability of ``p (n,)``."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    probabilities, grid = np.asarray(p), np.linspace(0.001, 1, 1000)
    ax.plot(grid, -np.log2(grid), color="0.7", zorder=1)
    ax.scatter(probabilities, -np.log2(probabilities), s=60, color=P, zorder=2)
    for x, label in zip(probabilities, labels, strict=True):
        side: dict[str, Any] = {"xytext": (9, 4)} if x < 0.8 else {"xytext": (-2, 9), "ha": "right"}
        ax.annotate(label, (x, -np.log2(x)), textcoords="offset points", **side)
    ax.set(xlim=(0, 1), ylim=(0, 9), xlabel="probability of the news", ylabel="surprisal (bits)")
    ax.set_title("Rare news tells more")
    nats = ax.secondary_yaxis("right", functions=(lambda bits: bits * np.log(2), lambda nats: nats / np.log(2)))
    nats.set_ylabel("surprisal (nats)")
    return ax


def plot_days(bits: ArrayLike, mean: float, *, title: str, ax: Axes | None = None) -> Axes:
    """Plot the surprisal ``bits (days,)`` of each day's news, and a line at the ``mean``."""
    ax = ax or plt.subplots(figsize=(11, 2.6))[1]
    days = np.arange(1, np.size(bits) + 1)
    ax.vlines(days, 0, bits, color="0.7", linewidth=1)
    ax.plot(days, bits, "o", color=DATA, markersize=5)
    ax.axhline(mean, color=P, label="mean")
    ax.text(1.01, mean, f"mean {mean:.2f}", color=P, va="center", transform=ax.get_yaxis_transform())
    ax.set(title=title, xlabel="day", ylabel="bits", ylim=(0, 8.5))
    return ax


def plot_areas(p: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot each event of ``p (n,)`` as a bar, as wide as its probability and as high as its surprisal in bits."""
    ax = ax or plt.subplots(figsize=(9, 4.2))[1]
    widths = np.asarray(p)
    heights = -np.log2(widths)
    mean, most = widths @ heights, np.log2(len(names))
    bars = ax.bar(np.cumsum(widths) - widths, heights, widths, align="edge", color=P, edgecolor="white", alpha=0.55)
    labels = [name if width > 0.06 else "" for name, width in zip(names, widths, strict=True)]
    ax.bar_label(bars, labels, padding=3, bbox=WHITE)
    ax.axhline(mean, color="black")
    ax.axhline(most, color=BOUND, linestyle="--")
    ax.text(1.01, most, f"largest mean:\nlog₂ {len(names)} = {most:g}", va="center", transform=ax.get_yaxis_transform())
    ax.set(xlim=(0, 1), ylim=(0, 7), xlabel="width: probability", ylabel="height: surprisal (bits)")
    ax.set_title(f"mean surprisal (black) = total area = {mean:.2f} bits")
    return ax


def plot_binary_entropy(p: float, *, ax: Axes | None = None) -> Axes:
    """Plot the entropy in bits of rain or no rain over the probability of rain, and a dot at ``p``."""
    ax = ax or plt.subplots(figsize=(6, 4.2))[1]
    grid, bits = np.linspace(0, 1, 201), _cross_entropy(p, p)
    ax.plot(grid, _cross_entropy(grid, grid), color=P)
    ax.plot(p, bits, "o", color="black", markersize=10)
    ax.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="probability of rain", ylabel="entropy (bits)")
    ax.set_title(f"H({p:.2f}) = {bits:.2f} bits")
    return ax


def plot_code(p: ArrayLike, names: Sequence[str], words: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot the probabilities ``p (n,)`` above the share 2^−length of the code space that each word takes."""
    ax = ax or plt.subplots(figsize=(11, 2.8))[1]
    lengths = np.array([len(word) for word in words])
    for row, widths, labels, color, hatch in ((1, np.asarray(p), names, P, ""), (0, 2.0**-lengths, words, Q, "//")):
        left = np.cumsum(widths) - widths
        ax.barh(row, widths, left=left, height=0.75, edgecolor="white", color=color, hatch=hatch)
        for x, width, label in zip(left, widths, labels, strict=True):
            if width > 0.05:
                ax.text(x + width / 2, row, label, ha="center", va="center", bbox=WHITE)
    ax.set(xlim=(0, 1), yticks=[1, 0], yticklabels=["probability", "code space"], xlabel="share")
    ax.spines[:].set_visible(False)
    ax.set_title(f"entropy {entropy(p, base=2):.2f}, mean length {p @ lengths:.2f} bits")
    return ax


def plot_lengths(names: Sequence[str], entropies: ArrayLike, lengths: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot the entropy of each named source as a bar, and its code's mean length as a diamond, in bits a symbol."""
    ax = ax or plt.subplots(figsize=(11, 0.65 * len(names) + 1))[1]
    rows = range(len(names))
    ax.barh(rows, entropies, height=0.55, color=P)
    ax.plot(lengths, rows, "d", color="black", markersize=9)
    for row, bits, length in zip(rows, np.asarray(entropies), np.asarray(lengths), strict=True):
        ax.text(0, row, f" entropy {bits:.2f}", va="center")
        ax.text(length, row, f"   code {length:.2f}", va="center")
    ax.set(yticks=rows, yticklabels=names, xlabel="bits a symbol", xlim=(0, 1.15 * np.max(lengths)))
    ax.invert_yaxis()
    return ax


def plot_cross_entropy(p: float, q: float, *, ax: Axes | None = None) -> Axes:
    """Plot the cross-entropy in bits of rain or no rain over the probability of rain that is assumed, and at ``q``."""
    ax = ax or plt.subplots(figsize=(9, 4.8))[1]
    grid = np.linspace(0.001, 0.999, 400)
    least, bits = _cross_entropy(p, p), _cross_entropy(p, q)
    ax.plot(grid, _cross_entropy(p, grid), "--", color=Q, label="cross-entropy")
    ax.plot([q, q], [least, bits], "o-", color="black", linewidth=3, markevery=[1], label="extra")
    ax.axhline(least, color=P, label="entropy")
    ax.text(0.98, least - 0.06, "entropy: where q = p", color=P, va="top", ha="right")
    if bits - least > 0.3:
        ax.text(q + 0.02 if q < 0.8 else q - 0.09, (least + bits) / 2, "extra", va="center", bbox=WHITE)
    ax.set(xlim=(0, 1), ylim=(0, 5), xlabel="assumed probability of rain, q", ylabel="cross-entropy (bits a day)")
    ax.set_title(f"cross-entropy {bits:.2f} = entropy {least:.2f} + extra {bits - least:.2f} bits a day")
    return ax


def plot_joint(joint: ArrayLike, rows: Sequence[str], columns: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot a table ``(a, b)`` of joint probabilities as numbers on a ground that is darker where they are larger."""
    ax = ax or plt.subplots(figsize=(4.5, 4.2))[1]
    ax.imshow(joint, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(joint):
        ax.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=17, bbox=WHITE)
    ax.set(xticks=range(len(columns)), yticks=range(len(rows)), xticklabels=columns, yticklabels=rows)
    ax.tick_params(length=0)
    ax.set_title("joint probabilities")
    return ax


def plot_mutual_information(joint: ArrayLike, names: tuple[str, str], *, ax: Axes | None = None) -> Axes:
    """Plot the entropies in bits of a joint table ``(a, b)`` and its margins; their bars overlap in what they share."""
    ax = ax or plt.subplots(figsize=(8, 4.2))[1]
    table = np.asarray(joint)
    both, first, second = (entr(p).sum() / np.log(2) for p in (table, table.sum(axis=1), table.sum(axis=0)))
    shared = max(first + second - both, 0)
    start = first - shared  # where the second bar and the shared part begin
    labels, widths = ["both together", *names], [both, first, second]
    ax.bar_label(ax.barh(labels, widths, left=[0, 0, start], height=0.6, color=P), fmt="{:.2f}", padding=6)
    overlap = ax.barh("shared", shared, left=start, height=0.6, color="white", edgecolor="black", hatch="//")
    ax.bar_label(overlap, fmt="{:.2f}", padding=6)
    ax.vlines([start, first], 0.5, 3, color="0.5", linestyle=":", zorder=0)
    ax.set(xlim=(0, 2.3), ylim=(3.5, -0.5), xlabel="bits")
    ax.set_title(f"each tells {shared:.2f} bits about the other")
    return ax


def plot_gaussian(sigma: float, *, ax: Axes | None = None) -> Axes:
    """Plot the density of a Gaussian of standard deviation ``sigma``, with its differential entropy in nats."""
    ax = ax or plt.subplots(figsize=(9, 4.2))[1]
    x, h = np.linspace(-3, 3, 601), norm.entropy(scale=sigma)
    ax.plot(x, norm.pdf(x, scale=sigma), color=P, label="density")
    ax.axhline(1, color="0.5", linestyle=":")
    ax.text(2.95, 1.05, "density 1", ha="right")
    ax.set(xlim=(-3, 3), ylim=(0, 4.2), ylabel="density f(x)")
    ax.set_xlabel("difference from the mean temperature, x − μ (°C)")
    ax.set_title(f"σ = {sigma:.2f} °C: differential entropy h = {h:+.2f} nats".replace("-", "−"))
    return ax


def _cross_entropy(p: ArrayLike, q: ArrayLike) -> Any:
    """Return the cross-entropy in bits of two events with the probabilities p and 1 − p, assumed to be q and 1 − q."""
    return -(xlogy(p, q) + xlogy(np.subtract(1, p), np.subtract(1, q))) / np.log(2)


# Sliders


def two_weathers() -> Live:
    """Move the probability of rain: the entropy of rain or no rain, as a curve and as the area of two bars."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))

    def update(p: float) -> None:
        plot_binary_entropy(p, ax=left)
        plot_areas([p, 1 - p], ["rain", "dry"], ax=right)

    return Live(figure, update, p=slider("probability of rain", 0.01, 0.99, 0.2))


def four_weathers() -> Live:
    """Move the weights of four weathers: their entropy, and the largest that four can have."""
    figure = Figure(figsize=(11, 4.4))
    ax = figure.subplots()

    def update(**weights: float) -> None:
        odds = np.array(list(weights.values()))
        plot_areas(odds / odds.sum(), WEATHER, ax=ax)

    starts = zip(WEATHER, (2.0, 1.0, 4.0, 1.0), strict=True)
    return Live(figure, update, **{name: slider(f"weight of {name}", 0.01, 8, start) for name, start in starts})


def wrong_code() -> Live:
    """Move the true and the assumed probability of rain: the cross-entropy."""
    figure = Figure(figsize=(9, 4.8))
    ax = figure.subplots()
    controls = {
        "p": slider("true probability p", 0.03, 0.97, 0.5),
        "q": slider("assumed probability q", 0.03, 0.97, 0.05),
    }
    return Live(figure, lambda p, q: plot_cross_entropy(p, q, ax=ax), **controls)


def barometer() -> Live:
    """Move how closely the glass follows the weather: the joint table, and the entropies with their overlap."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(1, 2))

    def update(rain: float, dependence: float) -> None:
        margin = np.array([rain, 1 - rain])
        joint = (1 - dependence) * np.outer(margin, margin) + dependence * np.diag(margin)
        plot_joint(joint, ["glass\nfalls", "glass\nrises"], ["rain", "dry"], ax=left)
        plot_mutual_information(joint, ("glass", "weather"), ax=right)

    controls = {
        "rain": slider("probability of rain", 0.01, 0.99, 0.5),
        "dependence": slider("glass follows the weather", 0, 1, 0.6),
    }
    return Live(figure, update, **controls)


def narrow_gaussian() -> Live:
    """Move the standard deviation of a Gaussian: its differential entropy, above and below zero."""
    figure = Figure(figsize=(9, 4.2))
    ax = figure.subplots()
    return Live(figure, lambda sigma: plot_gaussian(sigma, ax=ax), sigma=slider("σ in °C", 0.1, 2, 0.15))


# Checks

HARBOUR = np.array([0.4, 0.3, 0.2, 0.1])
ISLAND = np.array([0.25, 0.125, 0.5, 0.125])
#: Joint tables and probabilities at which no two of the formulas below agree.
JOINTS = [[[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]], [[0.08, 0.22, 0.1], [0.25, 0.05, 0.3]]]
SYMBOLS = [[0.25, 0.25, 0.2, 0.2, 0.1], [0.35, 0.17, 0.17, 0.16, 0.15], [0.12, 0.37, 0.06, 0.28, 0.05, 0.12]]
IN_NATS = "That is the right amount in nats. The question asks for bits: mind the base of the logarithm."
NEGATIVE = "The size is right, and the sign is not. Information is never negative: look for the minus before the log."
BASE_10 = "That is a logarithm to base 10. Bits take base 2."


def check_two_storms(bits: Any) -> Result:
    """Check the surprisal of two independent storms in bits, to three digits."""
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
    """Check the entropy of four unequal weathers in bits, to three digits."""
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
    """Check what the island's code wastes at the harbour in bits a day, to two decimals."""
    right, own = rel_entr(HARBOUR, ISLAND).sum() / np.log(2), entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: right * np.log(2),
        "That is the whole cost of a day. How much of it would the harbour's own code have needed too?": right + own,
        "That is the waste the other way round: the harbour's code on the island. Which of the two is true here?":
            rel_entr(ISLAND, HARBOUR).sum() / np.log(2),
        "That is the difference of two entropies. The days come from the harbour in both terms; only the code changes.":
            own - entropy(ISLAND, base=2),
        "The size is right, and the sign is not: a wrong code cannot save anything.": -right,
        BASE_10: right * np.log10(2),
    }  # fmt: skip
    praise = "this waste has a name, and lesson 02 is about it."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=6e-3)


def check_thermometer(nats: Any) -> Result:
    """Check the differential entropy in nats of a density that is constant on a quarter of a degree."""
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
    """Check a function for the mean entropy in bits of the rows of a joint table, each row by itself."""
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
    """Check a function for the mean length of a Huffman code that never builds a word."""
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
