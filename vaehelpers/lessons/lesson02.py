"""Lesson 02: KL divergence: figures, sliders and checks."""

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr
from scipy.stats import norm

from ..arguments import array
from ..plots import DATA, P, Q
from .judge import Result, judge, judge_function
from .live import Live, slider


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


def both_directions() -> Live:
    """Rain or dry, a true and a believed probability: both divergences, at every belief and at this one."""
    figure = Figure(figsize=(12, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    plot_two_beliefs([0.5, 0.5], [0.1, 0.9], ["rain", "dry"], ax=left).set_ylim(0, 1.25)
    plot_directions(0.5, 0.1, ax=right)
    left.set_yticks([0, 0.5, 1])  # few ticks: text takes most of a drawing
    right.set_xticks([0, 0.5, 1])

    def update(p: float, q: float) -> None:
        for bar, height in zip(left.patches, (p, 1 - p, q, 1 - q), strict=True):
            bar.set_height(height)
        left.set_title(f"p = {p:.2f},  q = {q:.2f}")
        move_directions(right, p, q)

    controls = {
        "p": slider("true probability p", 0.01, 0.99, 0.5),
        "q": slider("believed probability q", 0.01, 0.99, 0.1),
    }
    return Live(figure, update, **controls)


def place_gaussian(
    x: ArrayLike, log_p: ArrayLike, cover: Callable[[ArrayLike], ArrayLike], seek: Callable[[ArrayLike], ArrayLike]
) -> Live:
    """One Gaussian on the density exp(``log_p``) at hours ``x`` (n,), and its place on both landscapes.

    ``cover`` and ``seek`` give KL(p ‖ q) and KL(q ‖ p) in nats for ``theta = (mean, log sd)``, also for a grid of
    them ``(2, rows, columns)``.
    """
    figure = Figure(figsize=(14, 4.6))
    axes = figure.subplot_mosaic("abc", width_ratios=(1.3, 1, 1))
    hours = np.asarray(x, float)
    curve = plot_humps(hours, np.exp(log_p), 0 * hours, ["q: your Gaussian"], ax=axes["a"]).lines[1]
    axes["a"].set_ylim(0, 0.6)
    means, sds = np.linspace(5, 16, 67), np.geomspace(0.3, 4, 41)
    grid = np.array(np.meshgrid(means, np.log(sds)))
    places, points = {"b": ("KL(p ‖ q)", cover), "c": ("KL(q ‖ p)", seek)}, {}
    for key, (name, loss) in places.items():
        plot_landscape(means, sds, loss(grid), title=name, ax=axes[key])
        points[key] = axes[key].plot([], [], "o", color=Q, markeredgecolor="black", markersize=14)[0]

    def update(mean: float, sd: float) -> None:
        curve.set_ydata(norm.pdf(hours, mean, sd))
        for key, (name, loss) in places.items():
            points[key].set_data([mean], [sd])
            axes[key].set_title(f"{name} = {float(np.asarray(loss(np.array([mean, np.log(sd)])))):.3f} nats")

    hour = slider("mean of q (hour)", 5, 16, 10, step=0.1)
    width = slider("standard deviation of q (hours)", 0.3, 4, 2.6, step=0.05)
    moving = [curve, *points.values(), *(axes[key].title for key in places)]
    return Live(figure, update, moving=moving, mean=hour, sd=width)


#: Mean and standard deviation, found by a search; tests/test_exercises_divergence.py finds it again.
THIRD_VALLEY = (-0.4707, 2.7027)
HUMPS = [
    (np.array([0.2, 0.5, 0.3]), np.array([-2.0, 1.0, 4.0]), np.array([0.5, 1.0, 2.0])),
    (np.array([0.35, 0.65]), np.array([1.5, -0.7]), np.array([0.8, 1.7])),
]


def check_coin(bits: Any) -> Result:
    """Lesson 02: KL of a fair coin from the belief (1/4, 3/4), in bits, to two digits."""
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    right = _kl(p, q) / np.log(2)
    mistakes = {
        "That is the other way round: which of the two decides how often each side falls?": _kl(q, p) / np.log(2),
        "The right size in another unit. Which logarithm counts bits?": right * np.log(2),
        "That is a logarithm to base 10. Bits take base 2.": right * np.log10(2),
        "That adds the logarithms without saying how often each side falls.": np.log2(p / q).sum(),
        "That is all that the wrong belief pays. How much of it would the right belief pay too?": right + 1,
        "The sign is turned: the ratio is p/q, truth over belief.": -right,
    }
    praise = "a bit less than a quarter of a bit for each toss."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=7e-3)


def check_jensen_shannon(jensen_shannon: Callable[..., Any]) -> Result:
    """Lesson 02: the symmetric Jensen–Shannon divergence in nats, also where one of the two is zero."""

    def right(p: NDArray, q: NDArray) -> float:
        return (_kl(p, (p + q) / 2) + _kl(q, (p + q) / 2)) / 2

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "NaN is 0 · log 0 in the computer. Where p is zero its term counts 0: `kl_divergence` does so.":
            lambda p, q: (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2,
        "Twice too much: an average of two numbers is half of their sum.": lambda p, q: 2 * right(p, q),
        "That compares p with q directly, and is infinite where one of them is zero. Compare each with m.":
            lambda p, q: (_kl(p, q) + _kl(q, p)) / 2,
        "Here m does not sum to 1. Is it the average of p and q, or their sum?": lambda p, q: right(p, q) - np.log(2),
        "That goes from m. In both terms the truth, p or q, comes first, and m second.":
            lambda p, q: (_kl((p + q) / 2, p) + _kl((p + q) / 2, q)) / 2,
        "That is in bits; the lesson counts in nats.": lambda p, q: right(p, q) / np.log(2),
        "That is its square root, the Jensen–Shannon *distance* (SciPy's `jensenshannon`). Square it.":
            lambda p, q: np.sqrt(right(p, q)),
        "The sign is turned: a divergence is never negative.": lambda p, q: -right(p, q),
        "Only one of the two terms is there, or one counts twice: p from m.": lambda p, q: _kl(p, (p + q) / 2),
        "Only one of the two terms is there, or one counts twice: q from m.": lambda p, q: _kl(q, (p + q) / 2),
    }  # fmt: skip
    cases = [
        (np.array([0.5, 0.5, 0.0]), np.array([0.1, 0.2, 0.7])),
        (np.array([0.15, 0.4, 0.1, 0.35]), np.array([0.55, 0.05, 0.3, 0.1])),
    ]
    praise = "the same in both directions, and never above log 2."
    return judge_function(jensen_shannon, right, cases, praise=praise, mistakes=mistakes)


def check_slider_cost(cost: Any) -> Result:
    """Lesson 02: KL in nats of N(1.5, 0.5²) from N(0, 1), to three digits."""
    right = _gaussian(1.5, 0.25)
    mistakes = {
        "That takes 0.5 for the variance. It is the standard deviation.": _gaussian(1.5, 0.5),
        "Twice too much: look at the number in front of the bracket.": 2 * right,
        "That is KL(p ‖ q), the prior in the first place. Here q comes first.":
            0.5 * (np.log(0.25) + (1 + 1.5**2) / 0.25 - 1),
        "That is in bits; the question asks for nats.": right / np.log(2),
        "The sign of the logarithm is turned: a narrow Gaussian must cost more, not less.": right + np.log(0.25),
        "That takes log σ where the formula has log σ².": right + np.log(0.5) / 2,
        "The mean enters squared.": right + (1.5 - 1.5**2) / 2,
        "The −1 is missing: N(0, 1) itself must cost nothing.": right + 0.5,
        "The sign is turned: a divergence is never negative.": -right,
    }  # fmt: skip
    praise = "leaving 0 costs, and being narrow costs too."
    return judge(cost, right, praise=praise, mistakes=mistakes, tolerance=2e-3)


def check_price(price: Callable[..., Any]) -> Result:
    """Lesson 02: the KL in nats ``(n,)`` of Gaussians ``mu``, ``logvar`` ``(n, 25)`` from the standard Gaussian."""

    def right(mu: NDArray, logvar: NDArray) -> NDArray:
        return _gaussian(mu, np.exp(logvar)).sum(axis=1)

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "That is the mean over the sliders. Independent parts add up.": lambda mu, logvar: right(mu, logvar) / 25,
        "Twice too much: where is the ½?": lambda mu, logvar: 2 * right(mu, logvar),
        "That takes logvar for the variance itself: the variance is exp(logvar).":
            lambda mu, logvar: 0.5 * (mu**2 + logvar - 1 - np.log(logvar)).sum(axis=1),
        "In the place of the variance stands logvar. The variance is exp(logvar).":
            lambda mu, logvar: 0.5 * (mu**2 - 1).sum(axis=1),
        "That takes exp(logvar) for the standard deviation and squares it.":
            lambda mu, logvar: right(mu, 2 * logvar),
        "That puts the standard deviation where the variance belongs.":
            lambda mu, logvar: 0.5 * (mu**2 + np.exp(logvar / 2) - 1 - logvar).sum(axis=1),
        "The mean enters squared.": lambda mu, logvar: right(mu, logvar) + 0.5 * (mu - mu**2).sum(axis=1),
        "The sign of the logarithm is turned: a narrow Gaussian must cost more, not less.":
            lambda mu, logvar: right(mu, logvar) + logvar.sum(axis=1),
        "The sign is turned: a divergence is never negative.": lambda mu, logvar: -right(mu, logvar),
        "The −1 of each slider is missing: the price of N(0, 1) itself must be zero.":
            lambda mu, logvar: right(mu, logvar) + 12.5,
        "The prior stands in the first place. Here the network's Gaussian comes first.":
            lambda mu, logvar: 0.5 * (logvar + (1 + mu**2) / np.exp(logvar) - 1).sum(axis=1),
        "That is in bits; the question asks for nats.": lambda mu, logvar: right(mu, logvar) / np.log(2),
    }  # fmt: skip
    rng = np.random.default_rng(2)
    cases = [
        (rng.normal(size=(3, 25)), rng.normal(-1, 1, size=(3, 25))),
        (rng.normal(size=(4, 25)), rng.uniform(0.1, 1, size=(4, 25))),
    ]
    praise = "one price for each picture. Lesson 06 will make a network pay it."
    return judge_function(price, right, cases, praise=praise, mistakes=mistakes)


def check_cover_fit(cover_fit: Callable[..., Any]) -> Result:
    """Lesson 02: mean and standard deviation of the Gaussian that minimises KL(p ‖ q) for a mixture p."""

    def within(w: NDArray, m: NDArray, s: NDArray) -> Any:
        return w @ s**2

    def between(w: NDArray, m: NDArray, s: NDArray) -> Any:
        return w @ (m - w @ m) ** 2

    def right(w: NDArray, m: NDArray, s: NDArray) -> list:
        return [w @ m, np.sqrt(within(w, m, s) + between(w, m, s))]

    mistakes: dict[str, Callable[[NDArray, NDArray, NDArray], ArrayLike]] = {
        "The second number is the variance. Asked is the standard deviation.":
            lambda w, m, s: [w @ m, within(w, m, s) + between(w, m, s)],
        "That is only the spread within the humps. They also lie apart.":
            lambda w, m, s: [w @ m, np.sqrt(within(w, m, s))],
        "That is only the spread between the humps. Each is also broad by itself.":
            lambda w, m, s: [w @ m, np.sqrt(between(w, m, s))],
        "That is the mean of the standard deviations. Variances average, and the humps also lie apart.":
            lambda w, m, s: [w @ m, w @ s],
        "You averaged sd, and sd² is needed: the variance of a hump is the square of its standard deviation.":
            lambda w, m, s: [w @ m, np.sqrt(w @ s + between(w, m, s))],
        "The squared mean is not taken off.": lambda w, m, s: [w @ m, np.sqrt(w @ (s**2 + m**2))],
        "The humps count alike here. Use their weights.":
            lambda w, m, s: [m.mean(), np.sqrt(np.mean(s**2 + m**2) - m.mean() ** 2)],
        "The mean comes first, and the standard deviation second.": lambda w, m, s: right(w, m, s)[::-1],
    }  # fmt: skip
    praise = "the moments of the mixture, and no search was needed."
    return judge_function(cover_fit, right, HUMPS, praise=praise, mistakes=mistakes)


def check_third_valley(mean: Any, sd: Any) -> Result:
    """Lesson 02: the third local minimum of KL(q ‖ p) for 0.6 N(−3, 1) + 0.4 N(3, 1), to two decimals."""
    third_mean, third_sd = THIRD_VALLEY
    mistakes = {
        "That is the valley of the heavier hump. Start broader, and in between.": [-2.9877, 1.0187],
        "That is the valley of the lighter hump. Start broader, and in between.": [2.9799, 1.0294],
        "Those are the moments of p: the minimum of KL(p ‖ q). Exchange the two.": [-0.6, np.sqrt(9.64)],
        "The mean is right. The second number is the log of the standard deviation.": [third_mean, np.log(third_sd)],
        "The mean is right. The second number is the variance.": [third_mean, third_sd**2],
        "The mean comes first, and the standard deviation second.": [third_sd, third_mean],
    }
    answer = [... if value is None else value for value in (mean, sd)]
    praise = "a shallow valley between the humps, where a broad search gets stuck."
    return judge(answer, THIRD_VALLEY, praise=praise, mistakes=mistakes, tolerance=5e-3)


def _kl(p: NDArray, q: NDArray) -> float:
    return float(rel_entr(p, q).sum())


def _gaussian(mu: Any, var: Any) -> Any:
    """KL in nats of N(mu, var) from N(0, 1), from the entropy and the mean energy."""
    entropy = 0.5 * np.log(2 * np.pi * np.e * np.asarray(var))
    return 0.5 * (np.log(2 * np.pi) + mu**2 + var) - entropy
