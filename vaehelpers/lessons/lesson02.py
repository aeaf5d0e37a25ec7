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
from scipy.stats import entropy, norm

from ..information import gaussian_kl, kl_divergence
from ..plots import DATA, P, Q
from .judge import Result, judge, judge_function
from .live import Live, slider

#: Weights, means and standard deviations of mixtures of Gaussians in one dimension.
MIXTURES = [
    (np.array([0.2, 0.5, 0.3]), np.array([-2.0, 1.0, 4.0]), np.array([0.5, 1.0, 2.0])),
    (np.array([0.35, 0.65]), np.array([1.5, -0.7]), np.array([0.8, 1.7])),
]
#: Mean and standard deviation at the third minimum of Exercise 7; tests/test_lesson02.py finds it by a search.
THIRD_MINIMUM = (-0.4707, 2.7027)


# Figures


def plot_two_distributions(p: ArrayLike, q: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot two distributions ``p (n,)`` and ``q (n,)`` over the same events as bars side by side."""
    ax = ax or plt.subplots(figsize=(7, 4))[1]
    places = np.arange(len(names))
    ax.bar(places - 0.2, p, 0.4, color=P, label="p: true")
    ax.bar(places + 0.2, q, 0.4, color=Q, hatch="//", edgecolor="white", label="q: assumed")
    ax.set_xticks(places, names)
    ax.set(ylabel="probability", ylim=(0, 1.2 * max(np.max(p), np.max(q))))
    ax.legend(loc="upper right")
    return ax


def plot_terms(terms: ArrayLike, names: Sequence[str], *, unit: str = "nats", ax: Axes | None = None) -> Axes:
    """Plot the terms p log(p/q) ``(n,)`` of a KL divergence as bars above and below zero, with their sum."""
    ax = ax or plt.subplots(figsize=(7, 4))[1]
    heights = np.asarray(terms)
    bars = ax.bar(names, heights, color=np.where(heights > 0, "0.45", "0.75").tolist())
    ax.bar_label(bars, fmt="{:+.3f}", padding=4)
    ax.axhline(0, color="black", linewidth=1)
    ax.margins(y=0.18)
    ax.set(title=f"Some terms are negative, the sum is {heights.sum():.3f} {unit}", ylabel=f"p log(p/q)  ({unit})")
    return ax


def plot_chord(p: ArrayLike, q: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot Jensen's inequality: the mean of the points (r, log r), r = q/p, lies KL(p ‖ q) nats below the curve."""
    ax = ax or plt.subplots(figsize=(7, 4.8))[1]
    ratio = np.sort(np.divide(q, p))
    kl = float(kl_divergence(p, q))
    grid = np.linspace(0.6 * ratio[0], ratio[-1] * 1.12, 400)
    ax.plot(grid, np.log(grid), color="black")
    ax.fill(ratio, np.log(ratio), color="0.88", edgecolor="0.55", linewidth=2, zorder=0)
    ax.scatter(ratio, np.log(ratio), s=90, color=P, zorder=3)
    ax.plot([1, 1], [-kl, 0], color="black", linewidth=3, label="KL")
    ax.plot(1, 0, "o", color="black", markersize=9)
    ax.plot(1, -kl, "D", color="black", markersize=9)
    ax.annotate("log 1 = 0", (1, 0), (-8, 10), textcoords="offset points", ha="right")
    line = {"arrowstyle": "-", "color": "0.4", "shrinkB": 6}
    words = f"average of the logs:\n−KL(p ‖ q) = −{kl:.3f}"
    ax.annotate(words, (1, -kl), (0.96, 0.06), textcoords="axes fraction", ha="right", arrowprops=line)
    ax.annotate("log r", (grid[-1], np.log(grid[-1])), (-4, 8), textcoords="offset points", ha="right")
    ax.set(xlabel="r = q(x) / p(x)", ylabel="log r  (nats)", title="An average of points lies under the curve")
    ax.set(xlim=(0, None), ylim=(np.log(grid[0]), np.log(grid[-1]) + 0.35))
    return ax


def plot_divergences(divergences: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot a histogram of the KL divergences ``(n,)`` of random pairs, in nats."""
    ax = ax or plt.subplots(figsize=(7, 4.2))[1]
    values = np.asarray(divergences)
    ax.hist(values, bins=45, range=(-0.5, 4), color=DATA)
    ax.axvline(0, color="black", linestyle=":")
    ax.set(xlim=(-0.5, 4), xlabel="KL(p ‖ q)  (nats)", ylabel="number of pairs")
    ax.set_title(f"{len(values):,} random pairs: {(values < 0).sum() or 'none'} below zero")
    return ax


def plot_differences(differences: ArrayLike, divergences: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot the KL divergence ``(n,)`` of random pairs in nats over their largest difference ``(n,)``."""
    ax = ax or plt.subplots(figsize=(7, 4.2))[1]
    ax.scatter(differences, divergences, s=4, color=DATA, alpha=0.4, linewidths=0)
    ax.set(xlim=(0, 1), ylim=(1e-3, 10), yscale="log", xlabel="largest |p(x) − q(x)|", ylabel="KL(p ‖ q)  (nats)")
    ax.set_title("Near zero only where p and q are nearly equal")
    return ax


def plot_likelihood(*, rain: int, days: int, ax: Axes | None = None) -> Axes:
    """Plot the mean negative log-likelihood of a week over the model's probability of rain, above the entropy."""
    ax = ax or plt.subplots(figsize=(9, 4.4))[1]
    share, theta = rain / days, np.linspace(0.01, 0.99, 393)
    data, models = np.array([share, 1 - share]), np.stack([theta, 1 - theta], axis=1)
    least = float(entropy(data))
    loss = least + kl_divergence(data, models)
    ax.plot(theta, loss, color=Q, linestyle="--", label="mean negative log-likelihood = CE(data, model)")
    ax.axhline(least, color=P, label=f"entropy of the data: {least:.3f} nats")
    ax.fill_between(theta, least, loss, color="0.9", label="KL(data ‖ model)")
    ax.plot(share, least, "o", color="black", markersize=9)
    ax.annotate(f"θ = {rain}/{days}", (share, least), (0, -24), textcoords="offset points", ha="center")
    ax.set(xlim=(0, 1), ylim=(0, 2.5), xlabel="probability of rain in the model, θ", ylabel="nats a day")
    ax.legend(loc="upper center")
    return ax


def plot_integrand(x: ArrayLike, q: ArrayLike, p: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot densities ``q (n,)`` and ``p (n,)`` at ``x (n,)``, and the signed area of q log(q/p), which is KL(q ‖ p)."""
    ax = ax or plt.subplots(figsize=(9, 4.6))[1]
    places, terms = np.asarray(x), rel_entr(q, p)
    ax.plot(places, p, color=P, label="p")
    ax.plot(places, q, color=Q, linestyle="--", label="q")
    ax.fill_between(places, terms, where=terms >= 0, color="0.55", label="q log(q/p) above zero")
    ax.fill_between(places, terms, where=terms < 0, color="0.88", hatch="..", edgecolor="0.5", label="below zero")
    ax.axhline(0, color="black", linewidth=1)
    ax.set(xlim=(places[0], places[-1]), xlabel="noon temperature (°C)", ylabel="density (per °C)")
    ax.set_title(f"Dark area minus light area = {np.trapezoid(terms, places):.3f} nats")
    ax.legend(loc="upper left")
    return ax


def plot_fits(x: ArrayLike, p: ArrayLike, fits: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Plot a density ``p (n,)`` at hours ``x (n,)``, and Gaussians ``fits (k, n)`` with their names."""
    ax = ax or plt.subplots(figsize=(11, 4.4))[1]
    ax.fill_between(x, p, color=P, alpha=0.35)
    ax.plot(x, p, color=P, label="p: the calls")
    dashes: list[Any] = ["--", (0, (1, 1)), (0, (5, 1, 1, 1))]
    for fit, name, style in zip(np.asarray(fits), names, dashes, strict=False):
        ax.plot(x, fit, color=Q, linestyle=style, linewidth=3, label=name)
    ax.set(xlim=(4, 16), ylim=(0, None), xlabel="hour of the day", ylabel="density (per hour)")
    ax.set_xticks(range(4, 17, 2))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=4)
    return ax


def plot_landscape(means: ArrayLike, sds: ArrayLike, kl: ArrayLike, *, title: str, ax: Axes | None = None) -> Axes:
    """Plot a KL divergence ``kl (sds, means)`` in nats as contours over a Gaussian's mean and standard deviation."""
    ax = ax or plt.subplots(figsize=(6.5, 5))[1]
    levels = [0.5, 0.6, 0.8, 1, 1.25, 1.6, 2, 3, 5, 10, 20, 50, 100, 200, 400]
    ax.contourf(means, sds, kl, levels, norm=LogNorm(0.45, 1500), cmap="YlGnBu", extend="both")
    lines = ax.contour(means, sds, kl, levels, colors="0.25", linewidths=0.8)
    ax.clabel(lines, levels=[level for level in levels if level not in (1.25, 1.6, 200, 400)], fmt="%g", fontsize=14)
    ax.set(xlabel="mean of q (hour)", ylabel="standard deviation of q (hours)", yscale="log", title=title)
    ax.set(xlim=(np.min(means), np.max(means)), ylim=(np.min(sds), np.max(sds)), autoscale_on=False)
    ax.set(xticks=[6, 8, 10, 12, 14], yticks=[0.3, 0.5, 1, 2, 4])
    ax.yaxis.set_major_formatter(ScalarFormatter())
    ax.minorticks_off()
    return ax


def plot_paths(paths: Sequence[ArrayLike], *, ax: Axes) -> Axes:
    """Plot searches ``(steps, 2)`` of mean and log sd on a ``plot_landscape``, each from a white dot to a star."""
    for path in paths:
        mean, log_sd = np.asarray(path).T
        sd = np.exp(log_sd)
        ax.plot(mean, sd, color="black", linewidth=1.2)
        ax.plot(mean[0], sd[0], "o", color="white", markeredgecolor="black", markersize=7)
        ax.plot(mean[-1], sd[-1], "*", color=Q, markeredgecolor="black", markersize=20, zorder=4)
    return ax


# Sliders


def both_directions() -> Live:
    """Move the true and the assumed probability of rain: both distributions, and KL in both directions in nats."""
    figure = Figure(figsize=(12, 4.8))
    bars, curves = figure.subplots(1, 2, width_ratios=(1, 1.6))
    grid = np.linspace(0.0005, 0.9995, 400)
    every = np.stack([grid, 1 - grid], axis=1)
    note: dict[str, Any] = {"ha": "center", "va": "top", "color": "0.4", "backgroundcolor": "white"}
    curves.set(xlim=(0, 1), xticks=[0, 0.5, 1], xlabel="assumed probability of rain, q", ylabel="KL divergence (nats)")

    def update(p: float, q: float) -> None:
        true, assumed = [p, 1 - p], [q, 1 - q]
        forward, reverse = float(kl_divergence(true, assumed)), float(kl_divergence(assumed, true))
        plot_two_distributions(true, assumed, ["rain", "dry"], ax=bars)
        bars.set(ylim=(0, 1.25), yticks=[0, 0.5, 1], title=f"p = {p:.2f},  q = {q:.2f}")
        curves.axvline(p, color="0.8", linewidth=1, zorder=0)
        curves.text(p, 0.98, "q = p", transform=curves.get_xaxis_transform(), **note)
        curves.plot(grid, kl_divergence(true, every), color=P, label="KL(p ‖ q)")
        curves.plot(grid, kl_divergence(every, true), "--", color=Q, label="KL(q ‖ p)")
        curves.plot(q, forward, "o", color=P, markersize=11)
        curves.plot(q, reverse, "s", color=Q, markersize=10)
        curves.set_ylim(0, max(2.5, 1.15 * forward, 1.15 * reverse))
        curves.set_title(f"KL(p ‖ q) = {forward:.3f}     KL(q ‖ p) = {reverse:.3f} nats")
        curves.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)

    of_p, of_q = slider("true probability p", 0.01, 0.99, 0.5), slider("assumed probability q", 0.01, 0.99, 0.1)
    return Live(figure, update, tries=[{"p": 0.1, "q": 0.1}], p=of_p, q=of_q)


def place_gaussian(
    x: ArrayLike, log_p: ArrayLike, cover: Callable[[ArrayLike], ArrayLike], seek: Callable[[ArrayLike], ArrayLike]
) -> Live:
    """Move a Gaussian over the density exp(``log_p``) at hours ``x (n,)``, and over the contours of both divergences.

    ``cover`` and ``seek`` return KL(p ‖ q) and KL(q ‖ p) in nats for ``theta``, the mean and log sd of q, ``(2,)`` or
    ``(2, rows, columns)``.
    """
    figure = Figure(figsize=(14, 5))
    density, *maps = figure.subplots(1, 3, width_ratios=(1.3, 1, 1))
    means, sds = np.linspace(5, 16, 67), np.geomspace(0.3, 4, 41)
    grid = np.array(np.meshgrid(means, np.log(sds)))
    directions = list(zip(maps, ("KL(p ‖ q)", "KL(q ‖ p)"), (cover, seek), strict=True))
    for ax, name, loss in directions:
        plot_landscape(means, sds, loss(grid), title=name, ax=ax)

    def update(mean: float, sd: float) -> None:
        plot_fits(x, np.exp(log_p), [norm.pdf(x, mean, sd)], ["q: your Gaussian"], ax=density)
        density.set_ylim(0, 0.6)
        for ax, name, loss in directions:
            ax.plot(mean, sd, "o", color=Q, markeredgecolor="black", markersize=14)
            ax.set_title(f"{name} = {loss(np.array([mean, np.log(sd)])):.3f} nats")

    hour = slider("mean of q (hour)", 5, 16, 10, step=0.1)
    width = slider("standard deviation of q (hours)", 0.3, 4, 2.6, step=0.05)
    late = [{"mean": 13, "sd": sd} for sd in (0.5, 1, 2, 4)]
    return Live(figure, update, tries=late, mean=hour, sd=width)


# Checks

LOG_SIGN = "The sign of the logarithm is turned: a narrow Gaussian must have a larger KL."
NOT_SQUARED = "The mean enters squared."


def check_coin(bits: Any) -> Result:
    """Check KL(p ‖ q) in bits, to two digits, of a fair coin p and the assumed probabilities q = (1/4, 3/4)."""
    p, q = np.array([0.5, 0.5]), np.array([0.25, 0.75])
    right = kl_divergence(p, q, base=2)
    return judge(bits, right, praise="a bit less than a quarter of a bit for each toss.", tolerance=7e-3, mistakes={
        "That is the other way round: which of the two decides how often each side falls?": kl_divergence(q, p, base=2),
        "That adds the logarithms without saying how often each side falls.": np.log2(p / q).sum(),
        "That is the whole cross-entropy. How much of it is the entropy of p?": right + 1,
    })  # fmt: skip


def check_jensen_shannon(jensen_shannon: Callable[..., Any]) -> Result:
    """Check the symmetric Jensen–Shannon divergence in nats, also where one of the two is zero."""
    kl = kl_divergence

    def right(p: NDArray, q: NDArray) -> Any:
        return (kl(p, (p + q) / 2) + kl(q, (p + q) / 2)) / 2

    pairs = ([[0.5, 0.5, 0], [0.1, 0.2, 0.7]], [[0.15, 0.4, 0.1, 0.35], [0.55, 0.05, 0.3, 0.1]])
    cases, praise = [tuple(np.array(pair)) for pair in pairs], "the same in both directions, and never above log 2."
    return judge_function(jensen_shannon, right, cases, praise=praise, mistakes={
        "NaN is 0 · log 0 in the computer. Where p is zero its term counts 0: `kl_divergence` does so.":
            lambda p, q: (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum() / 2,
        "That compares p with q, and may be infinite. Compare each with m.": lambda p, q: (kl(p, q) + kl(q, p)) / 2,
        "Here m does not sum to 1. Is it the average of p and q, or their sum?": lambda p, q: right(p, q) - np.log(2),
        "Both terms go from m. Put p or q first.": lambda p, q: (kl((p + q) / 2, p) + kl((p + q) / 2, q)) / 2,
        "Only one of the two terms is there, or one counts twice: p from m.": lambda p, q: kl(p, (p + q) / 2),
        "Only one of the two terms is there, or one counts twice: q from m.": lambda p, q: kl(q, (p + q) / 2),
    })  # fmt: skip


def check_evidence(evidence_per_observation: Callable[..., Any]) -> Result:
    """Check the mean log-likelihood ratio in nats of p against q on data of which the counts are given."""

    def right(counts: NDArray, p: NDArray, q: NDArray) -> float:
        return float(np.average(np.log(p / q), weights=counts))

    data = [([9, 2, 5], [0.5, 0.2, 0.3], [0.2, 0.35, 0.45]), ([3, 8, 1, 4], [0.1, 0.6, 0.1, 0.2], [0.3, 0.2, 0.4, 0.1])]
    cases = [tuple(np.array(values, float) for values in row) for row in data]
    praise = "above zero, the data speak for p; below zero, for q."
    return judge_function(evidence_per_observation, right, cases, praise=praise, mistakes={
        "That is the ratio for all the data. Divide by their number.": lambda n, p, q: right(n, p, q) * n.sum(),
        "That is KL(p ‖ q), weighted by p. Weight by the data.": lambda n, p, q: kl_divergence(p, q),
        "Every event counts the same in your mean. How often did each come?": lambda n, p, q: np.log(p / q).mean(),
        "That is for p alone. Compare it with q.": lambda n, p, q: np.average(np.log(p), weights=n),
        "Take the logarithm first, then the mean.": lambda n, p, q: np.log(np.average(p / q, weights=n)),
    })  # fmt: skip


def check_gaussian_kl(kl: Any) -> Result:
    """Check KL(N(1.5, 0.5²) ‖ N(0, 1)) in nats, to three digits."""
    right = gaussian_kl(1.5, 0.25, 0, 1)
    return judge(kl, right, praise="the distance of the mean adds most.", tolerance=2e-3, mistakes={
        "That takes 0.5 for the variance. It is the standard deviation.": gaussian_kl(1.5, 0.5, 0, 1),
        "That is KL(p ‖ q), the prior in the first place. Here q comes first.": gaussian_kl(0, 1, 1.5, 0.25),
        LOG_SIGN: right + np.log(0.25),
        "That takes log σ where the formula has log σ².": right + np.log(0.5) / 2,
        NOT_SQUARED: right + (1.5 - 1.5**2) / 2,
        "The −1 is missing: the KL of N(0, 1) itself must be zero.": right + 0.5,
    })  # fmt: skip


def check_kl_from_prior(kl_from_prior: Callable[..., Any]) -> Result:
    """Check the KL in nats ``(n,)`` of Gaussians ``mu (n, 25)``, ``logvar (n, 25)`` from the standard Gaussian."""

    def right(mu: NDArray, logvar: NDArray) -> NDArray:
        return gaussian_kl(mu, np.exp(logvar), 0, 1).sum(axis=1)

    def half(terms: NDArray) -> NDArray:
        return 0.5 * terms.sum(axis=1)

    rng = np.random.default_rng(2)
    cases = [
        (rng.normal(size=(3, 25)), rng.normal(-1, 1, size=(3, 25))),
        (rng.normal(size=(4, 25)), rng.uniform(0.1, 1, size=(4, 25))),
    ]
    praise = "one KL for each image. It is half of the loss of lesson 06."
    return judge_function(kl_from_prior, right, cases, praise=praise, mistakes={
        "That is the mean over the latents. Independent parts add up.": lambda mu, logvar: right(mu, logvar) / 25,
        "You used logvar as the variance, and took its logarithm. The variance is exp(logvar).":
            lambda mu, logvar: half(mu**2 + logvar - 1 - np.log(logvar)),
        "You used logvar as the variance. The variance is exp(logvar).": lambda mu, logvar: half(mu**2 - 1),
        "You squared exp(logvar). It is the variance already.": lambda mu, logvar: right(mu, 2 * logvar),
        "You used σ as the variance.": lambda mu, logvar: half(mu**2 + np.exp(logvar / 2) - 1 - logvar),
        NOT_SQUARED: lambda mu, logvar: right(mu, logvar) + half(mu - mu**2),
        LOG_SIGN: lambda mu, logvar: right(mu, logvar) + logvar.sum(axis=1),
        "The −1 of each latent is missing: N(0, 1) must have KL zero.": lambda mu, logvar: right(mu, logvar) + 12.5,
        "That is KL(prior ‖ q).": lambda mu, logvar: gaussian_kl(0, 1, mu, np.exp(logvar)).sum(axis=1),
    })  # fmt: skip


def check_cover_fit(cover_fit: Callable[..., Any]) -> Result:
    """Check mean and standard deviation of the Gaussian that minimizes KL(p ‖ q) for a mixture p."""

    def between(w: NDArray, m: NDArray) -> Any:
        return w @ (m - w @ m) ** 2

    def right(w: NDArray, m: NDArray, s: NDArray) -> list:
        return [w @ m, np.sqrt(w @ s**2 + between(w, m))]

    praise = "the moments of the mixture, and no search was needed."
    return judge_function(cover_fit, right, MIXTURES, praise=praise, mistakes={
        "The second number is the variance. Take its root.": lambda w, m, s: [w @ m, w @ s**2 + between(w, m)],
        "That is the sd within the components. They also lie apart.": lambda w, m, s: [w @ m, np.sqrt(w @ s**2)],
        "That is the sd between the components. Add that within.": lambda w, m, s: [w @ m, np.sqrt(between(w, m))],
        "That is the mean of the standard deviations. Average the variances.": lambda w, m, s: [w @ m, w @ s],
        "The squared mean is not subtracted.": lambda w, m, s: [w @ m, np.sqrt(w @ (s**2 + m**2))],
        "You gave all components one weight. Use theirs.": lambda w, m, s: right(np.full_like(w, 1 / len(w)), m, s),
    })  # fmt: skip


def check_third_valley(mean: Any, sd: Any) -> Result:
    """Check the third local minimum of KL(q ‖ p) for p = 0.6 N(−3, 1) + 0.4 N(3, 1), to two decimals."""
    third_mean, third_sd = THIRD_MINIMUM
    answer = [... if value is None else value for value in (mean, sd)]
    praise = "a shallow minimum between the modes, where a broad search gets stuck."
    return judge(answer, THIRD_MINIMUM, praise=praise, tolerance=5e-3, mistakes={
        "That is the minimum at the heavier mode. Start broader, and in between.": [-2.9877, 1.0187],
        "That is the minimum at the lighter mode. Start broader, and in between.": [2.9799, 1.0294],
        "Those are the moments of p: the minimum of KL(p ‖ q). Exchange the two.": [-0.6, np.sqrt(9.64)],
        "The mean is right. The second number is the log of the standard deviation.": [third_mean, np.log(third_sd)],
        "The mean is right. The second number is the variance.": [third_mean, third_sd**2],
    })  # fmt: skip
