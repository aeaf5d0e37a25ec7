"""Lesson 01: information and entropy: figures, sliders and checks."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from scipy.stats import entropy, norm

from ..information import huffman_code, kl_divergence, mutual_information
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
    for bar, name in zip(bars, names, strict=True):
        width, height = bar.get_width(), bar.get_height()
        if width > 0.06:  # a name that would lie on one of the two lines stands above both
            height = most if mean - 0.9 < height < most else height
            ax.text(bar.get_x() + width / 2, height + 0.15, name, ha="center", va="bottom", bbox=WHITE)
    ax.axhline(mean, color="black")
    ax.axhline(most, color=BOUND, linestyle="--")
    ax.text(1.01, most, f"largest mean:\nlog₂ {len(names)} = {most:g}", va="center", transform=ax.get_yaxis_transform())
    ax.set(xlim=(0, 1), ylim=(0, 7), xlabel="width: probability", ylabel="height: surprisal (bits)")
    ax.set_title(f"mean surprisal (black) = total area = {mean:.2f} bits")
    return ax


def plot_code(p: ArrayLike, names: Sequence[str], words: Sequence[str], *, title: str, ax: Axes | None = None) -> Axes:
    """Plot the probabilities ``p (n,)`` above the share 2^−length of the code space that each word takes."""
    ax = ax or plt.subplots(figsize=(11, 2.8))[1]
    lengths = np.array([len(word) for word in words])
    for row, widths, labels, color, hatch in ((1, np.asarray(p), names, P, ""), (0, 2.0**-lengths, words, Q, "//")):
        left = np.cumsum(widths) - widths
        ax.barh(row, widths, left=left, height=0.75, edgecolor="white", color=color, hatch=hatch)
        for x, width, label in zip(left, widths, labels, strict=True):
            if width > 0.05:
                ax.text(x + width / 2, row, label, ha="center", va="center", bbox=WHITE)
        narrow = [label for label, width in zip(labels, widths, strict=True) if width <= 0.05]
        ax.text(1.01, row, "\n".join(narrow), va="center", fontsize=12)
    ax.set(xlim=(0, 1), yticks=[1, 0], yticklabels=["probability", "code space"], xlabel="share")
    ax.spines[:].set_visible(False)
    ax.set_title(f"{title}: entropy {entropy(p, base=2):.2f}, mean length {p @ lengths:.2f} bits")
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


# Sliders


def two_weathers() -> Live:
    """Move the probability of rain: the entropy of rain or no rain, as a curve and as the area of two bars."""
    figure = Figure(figsize=(12, 4.4))
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    grid = np.linspace(0, 1, 201)
    left.plot(grid, _cross_entropy(grid, grid), color=P)
    left.set(xlim=(0, 1), ylim=(0, 1.05), xlabel="probability of rain", ylabel="entropy (bits)")

    def update(p: float) -> None:
        bits = _cross_entropy(p, p)
        left.plot(p, bits, "o", color="black", markersize=10)
        left.set_title(f"p(rain) = {p:.2f}: entropy {bits:.2f} bits")
        plot_areas([p, 1 - p], ["rain", "dry"], ax=right)

    return Live(figure, update, p=slider("probability of rain", 0.01, 0.99, 0.2))


def four_weathers() -> Live:
    """Move the weights of four weathers: their entropy, and the largest that four can have."""
    figure = Figure(figsize=(7.5, 4.4))
    ax = figure.subplots()

    def update(**weights: float) -> None:
        odds = np.array(list(weights.values()))
        plot_areas(odds / odds.sum(), WEATHER, ax=ax)

    starts = zip(WEATHER, (2.0, 1.0, 4.0, 1.0), strict=True)
    weights = {name: slider(f"weight of {name}", 0.01, 8, start) for name, start in starts}
    return Live(figure, update, tries=[dict.fromkeys(WEATHER, 2.0)], **weights)


def wrong_code() -> Live:
    """Move the true and the assumed probability of rain: the cross-entropy in bits, over what can be assumed."""
    figure = Figure(figsize=(7, 4.6))
    ax = figure.subplots()
    grid = np.linspace(0.001, 0.999, 400)
    ax.set(xlim=(0, 1), ylim=(0, 5), xlabel="assumed probability of rain, q", ylabel="cross-entropy (bits a day)")

    def update(p: float, q: float) -> None:
        least, bits = _cross_entropy(p, p), _cross_entropy(p, q)
        ax.plot(grid, _cross_entropy(p, grid), "--", color=Q, label="cross-entropy")
        ax.plot([q, q], [least, bits], "o-", color="black", linewidth=3, markevery=[1], label="extra")
        ax.axhline(least, color=P)
        ax.text(0.98, least - 0.06, "entropy of p", color=P, va="top", ha="right", bbox=WHITE)
        ax.axvline(p, color="0.6", linestyle=":", zorder=0)
        ax.text(p, 4.9, "q = p", color="0.4", ha="center", va="top", bbox=WHITE)
        if bits - least > 0.3:
            ax.text(q + 0.02 if q < 0.8 else q - 0.09, (least + bits) / 2, "extra", va="center", bbox=WHITE)
        ax.set_title(f"cross-entropy {bits:.2f} = entropy {least:.2f} + extra {bits - least:.2f} bits a day")

    true, assumed = slider("true probability p", 0.03, 0.97, 0.5), slider("assumed probability q", 0.03, 0.97, 0.05)
    return Live(figure, update, tries=[{"p": 0.9, "q": 0.9}], p=true, q=assumed)


def barometer() -> Live:
    """Move how closely a barometer follows the weather: the joint table, and the overlap of the entropies in bits."""
    figure = Figure(figsize=(10, 4))
    table, bars = figure.subplots(1, 2, width_ratios=(2, 3))
    table.tick_params(length=0)
    bars.set(xlim=(0, 2.3), ylim=(3.5, -0.5), xlabel="bits")

    def update(rain: float, dependence: float) -> None:
        margin = np.array([rain, 1 - rain])
        joint = (1 - dependence) * np.outer(margin, margin) + dependence * np.diag(margin)
        table.imshow(joint, cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(joint):
            table.text(column, row, f"{share:.2f}", ha="center", va="center", fontsize=17, bbox=WHITE)
        table.set_xticks([0, 1], ["rain", "dry"])
        table.set_yticks([0, 1], ["glass\nfalls", "glass\nrises"])
        table.set_title("joint probabilities")
        each, both = entropy(margin, base=2), entropy(joint.ravel(), base=2)
        shared = max(2 * each - both, 0)
        start = each - shared  # where the weather and the shared part begin
        widths = [both, each, each]
        whole = bars.barh(["both together", "glass", "weather"], widths, left=[0, 0, start], height=0.6, color=P)
        overlap = bars.barh("shared", shared, left=start, height=0.6, color="white", edgecolor="black", hatch="//")
        for container in (whole, overlap):
            bars.bar_label(container, fmt="{:.2f}", padding=6)
        bars.vlines([start, each], 0.5, 3, color="0.5", linestyle=":", zorder=0)
        bars.set_title(f"each tells {shared:.2f} bits about the other")

    probability = slider("probability of rain", 0.01, 0.99, 0.5)
    return Live(figure, update, rain=probability, dependence=slider("glass follows the weather", 0, 1, 0.6))


def narrow_gaussian() -> Live:
    """Move the standard deviation of a Gaussian: its differential entropy in nats, above and below zero."""
    figure = Figure(figsize=(7, 4.2))
    ax, x = figure.subplots(), np.linspace(-3, 3, 601)
    ax.set(xlim=(-3, 3), ylim=(0, 4.2), ylabel="density f(x)")
    ax.set_xlabel("difference from the mean temperature, x − μ (°C)")

    def update(sigma: float) -> None:
        ax.plot(x, norm.pdf(x, scale=sigma), color=P, label="density")
        ax.axhline(1, color="0.5", linestyle=":")
        ax.text(2.95, 1.05, "density 1", ha="right")
        h = norm.entropy(scale=sigma)
        ax.set_title(f"σ = {sigma:.2f} °C: differential entropy h = {h:+.2f} nats".replace("-", "−"))

    return Live(figure, update, sigma=slider("σ in °C", 0.1, 2, 0.15))


def _cross_entropy(p: ArrayLike, q: ArrayLike) -> Any:
    """Return the cross-entropy in bits of two events with the probabilities p and 1 − p, assumed to be q and 1 − q."""
    return -(xlogy(p, q) + xlogy(np.subtract(1, p), np.subtract(1, q))) / np.log(2)


# Checks

HARBOUR = np.array([0.4, 0.3, 0.2, 0.1])
ISLAND = np.array([0.25, 0.125, 0.5, 0.125])
#: Joint tables and probabilities at which no two of the formulas below agree.
JOINTS = [[[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]], [[0.08, 0.22, 0.1], [0.25, 0.05, 0.3]]]
SYMBOLS = [[0.25, 0.25, 0.2, 0.2, 0.1], [0.35, 0.17, 0.17, 0.16, 0.15], [0.12, 0.37, 0.06, 0.28, 0.05, 0.12]]


def check_two_storms(bits: Any) -> Result:
    """Check the surprisal of two independent storms in bits, to three digits."""
    desert, island = 0.005, 0.125
    right, first, second = -np.log2([desert * island, desert, island])
    return judge(bits, right, praise="probabilities multiply, surprisals add.", tolerance=4e-3, mistakes={
        "You added the probabilities, as for one storm or the other. Here both come.": -np.log2(desert + island),
        "You multiplied the surprisals. For independent events the probabilities multiply.": first * second,
        "That is one storm alone, the one in the desert.": first,
        "That is one storm alone, the one on the island.": second,
        "That is the probability of both. How surprising is it?": desert * island,
    })  # fmt: skip


def check_harbour(bits: Any) -> Result:
    """Check the entropy of four unequal weathers in bits, to three digits."""
    surprisals, right = -np.log2(HARBOUR), entropy(HARBOUR, base=2)
    return judge(bits, right, praise="the harbor is harder to guess than the island.", tolerance=3e-3, mistakes={
        "You added the surprisals. A mean weights each of them by its probability.": surprisals.sum(),
        "That mean counts every weather once. In a long run of days, how often does each come?": surprisals.mean(),
        "That is the largest entropy of four weathers. It is reached only when all four are equally probable.": 2.0,
        "That is the entropy of the island.": entropy(ISLAND, base=2),
    })  # fmt: skip


def check_waste(bits: Any) -> Result:
    """Check what the island's code wastes at the harbor in bits a day, to two decimals."""
    right, own, island = kl_divergence(HARBOUR, ISLAND, base=2), entropy(HARBOUR, base=2), entropy(ISLAND, base=2)
    return judge(bits, right, praise="this waste has a name, and lesson 02 is about it.", tolerance=6e-3, mistakes={
        "That is the whole cost of a day. How much of it would the harbor's own code need too?": right + own,
        "That is the waste of the harbor's code on the island.": kl_divergence(ISLAND, HARBOUR, base=2),
        "That is the difference of two entropies. The days come from the harbor in both terms.": own - island,
    })  # fmt: skip


def check_thermometer(nats: Any) -> Result:
    """Check the differential entropy in nats of a density that is constant on a quarter of a degree."""
    width = 0.25
    return judge(nats, np.log(width), praise="log of the width, and below zero.", tolerance=3e-3, mistakes={
        "A differential entropy may be negative, so there is no reason to stop at zero.": 0.0,
        "You forgot the width: the integral of −f log f runs over a quarter of a degree only.": np.log(width) / width,
        "That formula is for a Gaussian. Here f is constant.": norm.entropy(scale=width / np.sqrt(12)),
    })  # fmt: skip


def check_conditional_entropy(conditional_entropy: Callable[[Any], Any]) -> Result:
    """Check a function for the mean entropy in bits of the rows of a joint table, each row by itself."""

    def right(joint: NDArray) -> float:
        return float(joint.sum(axis=1) @ entropy(joint, axis=1, base=2))  # SciPy divides each row by its sum

    cases, praise = [(np.array(joint),) for joint in JOINTS], "that much is open when the row is known."
    return judge_function(conditional_entropy, right, cases, praise=praise, mistakes={
        "That is H(row | column): the other way round.": lambda joint: right(joint.T),
        "Every row counts the same in your mean. Weight it.": lambda joint: entropy(joint, axis=1, base=2).mean(),
        "That is the sum over the rows. You want their mean.": lambda joint: entropy(joint, axis=1, base=2).sum(),
        "You took the rows as they stand. Divide each by its sum first, to make it a distribution.":
            lambda joint: -joint.sum(axis=1) @ (joint * np.log2(joint)).sum(axis=1),
        "That is the joint entropy: it holds that of the row itself too.": lambda joint: entropy(joint.ravel(), base=2),
        "That is the entropy of the column, the row unknown.": lambda joint: entropy(joint.sum(axis=0), base=2),
        "That is the entropy of the row. You want the column's.": lambda joint: entropy(joint.sum(axis=1), base=2),
        "That is the mutual information, what the row tells.": lambda joint: mutual_information(joint, base=2),
    })  # fmt: skip


def check_mean_length(mean_length: Callable[[Any], Any]) -> Result:
    """Check a function for the mean length of a Huffman code that never builds a word."""

    def lengths(p: NDArray) -> NDArray:
        return np.array([len(word) for word in huffman_code(dict(enumerate(p))).values()])

    cases, praise = [(np.array(p),) for p in SYMBOLS], "each merge adds one digit to all the words below it."
    return judge_function(mean_length, lambda p: p @ lengths(p), cases, praise=praise, mistakes={
        "You lost the last merge, the one into a single pile of weight 1.": lambda p: p @ lengths(p) - 1,
        "You counted only the last merge, where everything has come together.": lambda p: 1,
        "That is the number of merges. Each makes the words of its pile alone longer.": lambda p: len(p) - 1,
        "That is the entropy, the limit that no prefix code can beat.": lambda p: entropy(p, base=2),
        "You rounded each surprisal up. Huffman's words are often shorter.": lambda p: p @ np.ceil(-np.log2(p)),
        "You sorted only once. Sort again after each merge.": lambda p: np.cumsum(np.sort(p))[1:].sum(),
        "Every word counts the same in your mean. Weight its length by its probability.": lambda p: lengths(p).mean(),
    })  # fmt: skip
