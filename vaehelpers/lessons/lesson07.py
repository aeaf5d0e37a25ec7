"""Lesson 07: the β-VAE: figures, sliders and checks."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from ..metrics import mi_matrix, mig
from ..plots import BOUND, DATA, PRIOR, P, Q
from .judge import Result, judge, judge_function, latent_kl, vae_loss
from .live import Live, choice, slider, steps

# Figures


def plot_rate_distortion(
    betas: ArrayLike, rates: ArrayLike, distortions: ArrayLike, *, best: float, ax: Axes | None = None
) -> Axes:
    """Plot a dot for each run, ``(n,)`` in nats, the means of each β, and the points of negative ELBO ``best``."""
    ax = ax or plt.subplots(figsize=(10, 5.4))[1]
    beta, points = np.asarray(betas), np.column_stack([rates, distortions])
    levels = np.unique(beta)
    means = np.array([points[beta == b].mean(axis=0) for b in levels])
    ax.plot(*means.T, color=P, linewidth=3)
    ax.plot(*points.T, "o", color=DATA, markersize=5)
    for b, mean in zip(levels, means, strict=True):
        ax.annotate(f"β = {b:g}", mean, (9, 9), textcoords="offset points", weight="bold")
    ends = np.array([points[:, 0].min(), points[:, 0].max()])
    ax.plot(ends, best - ends, "--", color=BOUND)
    ax.annotate("same ELBO", (ends[0], best - ends[0]), (12, 8), textcoords="offset points", color=BOUND)
    ax.set(xlabel="rate: KL to the prior (nats an image)", ylabel="distortion: − log-likelihood (nats)")
    ax.margins(x=0.08)
    return ax


def plot_sweep(betas: ArrayLike, values: ArrayLike, *, name: str, ax: Axes | None = None) -> Axes:
    """Plot one number of each run ``(n,)`` against its β on a log scale: a dot for each seed, a line of means."""
    ax = ax or plt.subplots(figsize=(6, 4.5))[1]
    beta, value = np.array(betas, float), np.asarray(values)
    levels = np.unique(beta)
    ax.plot(levels, [value[beta == b].mean() for b in levels], color=P, linewidth=2, alpha=0.7)
    for b in levels:  # side by side, so that equal values do not hide each other
        beta[beta == b] *= 2 ** np.linspace(-0.18, 0.18, (beta == b).sum())
    ax.plot(beta, value, "o", color=DATA, markersize=6, markeredgecolor="white", markeredgewidth=0.5)
    ax.set_xscale("log", base=2)
    ax.set_xticks(levels, [f"{b:g}" for b in levels])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="β", title=name)
    return ax


def plot_kl_parts(betas: ArrayLike, parts: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Stack the three parts of the KL, each ``(n,)`` in nats, as the mean over the runs of each β."""
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    beta, levels = np.asarray(betas), np.unique(betas)
    places, floor = np.arange(len(levels)), np.zeros(len(levels))
    for (name, values), (color, hatch) in zip(parts.items(), ((P, ""), (Q, "//"), (PRIOR, "..")), strict=True):
        means = np.array([np.asarray(values)[beta == b].mean() for b in levels])
        ax.bar(places, means, 0.65, floor, color=color, hatch=hatch, edgecolor="white", label=name)
        floor = floor + means
    for place, top in zip(places, floor, strict=True):
        ax.text(float(place), top, f"{top:.1f}", ha="center", va="bottom")
    ax.set(xlabel="β", ylabel="nats an image", xticks=places, xticklabels=[f"{b:g}" for b in levels])
    ax.legend()
    return ax


def plot_mi_matrix(
    information: ArrayLike, *, latents: Sequence[str], factors: Sequence[str], darkest: float | None = None,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Show the mutual information (latents, factors) as a heat map up to ``darkest``; best latents are framed."""
    table = np.asarray(information)
    darkest = darkest or table.max() or 1
    ax = ax or plt.subplots()[1]
    ax.imshow(table, cmap="Blues", vmin=0, vmax=darkest, aspect="auto")
    for (row, column), nats in np.ndenumerate(table):
        color = "white" if nats > 0.6 * darkest else "black" if nats > 0.05 * darkest else "0.4"
        ax.text(column, row, f"{nats:.2f}", color=color, ha="center", va="center")
    for column, row in enumerate(table.argmax(axis=0)):
        if table[row, column] > 0:
            frame = Rectangle((column - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="black", linewidth=2.5, zorder=3)
            ax.add_patch(frame).set_clip_on(False)
    ax.set(xticks=range(len(factors)), yticks=range(len(latents)), xticklabels=factors, yticklabels=latents)
    ax.set(xlabel="factor", ylabel="latent")
    ax.tick_params(length=0)
    return ax


def plot_path(codes: ArrayLike, factor: ArrayLike, *, names: tuple[str, str, str], ax: Axes | None = None) -> Axes:
    """Plot codes ``(n, 2)`` and number the quintiles of a factor ``(n,)``; ``names`` are of both latents and of it."""
    ax = ax or plt.subplots(figsize=(6.5, 6.5))[1]
    places, values = np.asarray(codes), np.asarray(factor)
    ax.scatter(places[:, 0], places[:, 1], c=values, cmap="viridis", s=7)
    edges = np.quantile(values, np.linspace(0, 1, 6))
    for quintile, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True), 1):
        if len(inside := places[(values >= low) & (values <= high)]):
            place, box = np.median(inside, axis=0), {"fc": "white", "pad": 3}
            ax.annotate(str(quintile), place, ha="center", va="center", weight="bold", fontsize=15, bbox=box)
    title = f"{names[2]}, in fifths from lowest (1) to highest (5)"
    ax.set(xlabel=names[0], ylabel=names[1], title=title, aspect="equal")
    return ax


# The β of other people's losses


def effective_beta(
    error: str, scale: float, weight: float, error_over: float, kl_over: float, variance: float = 1.0
) -> float:
    """Return the β of the loss ``scale · error / error_over + weight · KL / kl_over``.

    ``error`` and KL are sums; ``error_over`` and ``kl_over`` are what each is divided by: 1 for a sum, the number of
    values for a mean. A ``"bernoulli"`` error is the negative log-likelihood of the pixels; a ``"squared"`` one is, up
    to a constant, 2σ² times that of Gaussian pixels with ``variance`` σ².
    """
    unit = {"bernoulli": 1.0, "squared": 2 * variance}[error]
    return (weight / kl_over) / (scale * unit / error_over)


def peers_table(*, variance: float = 0.01) -> str:
    """Return the losses of public repositories, each as one file at one commit defines it, with their β in Markdown."""
    lines = [f"| loss of | setting | error | β if σ² = 1 | β if σ² = {variance:g} |", "|---|---|---|---:|---:|"]
    with (Path(__file__).parents[1] / "data" / "peers.csv").open(encoding="utf-8", newline="") as file:
        for repository, commit, path, setting, error, *numbers in list(csv.reader(file))[1:]:
            link = f"[{repository}](https://github.com/{repository}/blob/{commit}/{path})"
            scale, weight, error_over, kl_over = map(float, numbers)
            at_1, at_variance = (effective_beta(error, scale, weight, error_over, kl_over, v) for v in (1.0, variance))
            lines.append(f"| {link} | {setting} | {error} | {at_1:.4g} | {at_variance:.4g} |")
    return "\n".join(lines)


# Sliders

_VALUES = {"28×28": 784, "64×64": 4096, "32×32×3": 3072, "64×64×3": 12288}  # of an image
_ERRORS = {"Bernoulli": ("bernoulli", 1.0), "squared": ("squared", 1.0), "½ squared": ("squared", 0.5)}
_BATCH = {"both alike": (1, 1), "mean of error only": (64, 1), "mean of KL only": (1, 64)}


def beta_calculator() -> Live:
    """Describe a loss with buttons and sliders, and read its β; batches are of 64 images."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    ax = figure.subplots()
    ax.axvline(1, color=BOUND, linewidth=4)
    ax.text(1, 0.06, " the ELBO", color=BOUND, weight="bold")
    ax.text(1.3e-5, 0.95, "← pixels count more:\n    towards a plain autoencoder", va="top")
    ax.text(7e5, 0.95, "the prior counts more: →\ntowards collapse", va="top", ha="right")
    ax.set(xscale="log", xlim=(1e-5, 1e6), ylim=(0, 1), yticks=[], xlabel="β that this loss amounts to")

    def update(error: str, pixels: str, latents: str, batch: str, image: str, **numbers: float) -> None:
        kind, scale = _ERRORS[error]
        weight, sigma = 10 ** numbers["weight"], numbers["sigma"]
        error_over, kl_over = _BATCH[batch]
        error_over *= _VALUES[image] if pixels == "mean" else 1
        kl_over *= 25 if latents == "mean" else 1
        unit = f"{scale:g}" if kind == "bernoulli" else f"{scale:g} · 2 · {sigma:g}²"
        beta = effective_beta(kind, scale, weight, error_over, kl_over, sigma**2)
        ax.set_title(f"β  =  ({weight:.4g} / {kl_over:,}) / ({unit} / {error_over:,})  =  {beta:.4g}", fontsize=17)
        ax.plot(beta, 0.5, "D", color=DATA, markersize=18, gid="here")

    sums = {"pixels": "sum", "latents": "sum"}
    return Live(
        figure,
        update,
        tries=[sums, sums | {"error": "½ squared"}],
        error=choice("error", list(_ERRORS), value="squared"),
        pixels=choice("over pixels", ["sum", "mean"], value="mean"),
        latents=choice("over 25 latents", ["sum", "mean"], value="mean"),
        batch=choice("over the batch of 64", list(_BATCH)),
        image=choice("values of an image", list(_VALUES), value="64×64"),
        weight=slider("weight of the KL, 10 to the", -5, 2, 0, step=0.1),
        sigma=slider("σ of Gaussian pixels", 0.05, 1, 1, step=0.05),
    )


def rate_limit(variances: ArrayLike) -> Live:
    """Slide a limit on the rate of independent Gaussian features: the least squared error, its slope, what is lost."""
    variance = np.sort(np.asarray(variances, float))[::-1]
    betas = np.geomspace(2 * variance[0], variance[-1] / 4, 2000)
    rates = np.maximum(0, np.log(2 * variance / betas[:, None]) / 2)
    total, lost = rates.sum(axis=1), (variance * np.exp(-2 * rates)).sum(axis=1)
    figure = Figure(figsize=(13, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(total, lost, color=P, linewidth=3)
    left.set(xlabel="rate R (nats)", ylabel="distortion D (squared error)", xlim=(0, 8), ylim=(0, 1.1 * lost[0]))
    places = np.arange(1, len(variance) + 1)
    right.bar(places, variance, 0.65, color="white", edgecolor=DATA, linewidth=2)
    right.set(xlabel="feature", xticks=places, ylabel="variance", ylim=(0, 1.15 * variance[0]))

    def update(limit: float) -> None:
        i = np.abs(total - limit).argmin()
        beta = betas[i]
        left.axvspan(0, total[i], color=PRIOR, alpha=0.2)
        left.axline((total[i], lost[i]), slope=-beta, color=BOUND, linestyle="--")
        left.plot(total[i], lost[i], "o", color=DATA, markersize=12, gid="optimum")
        left.set_title(f"R at most {total[i]:.2f} nats: D = {lost[i]:.2f}, slope −β = −{beta:.2f}")
        right.bar(places, np.minimum(variance, beta / 2), 0.65, color=Q, hatch="//", edgecolor="white")
        right.axhline(beta / 2, color=BOUND, linestyle="--")
        for place, top, rate in zip(places, variance, rates[i], strict=True):
            right.text(place, top, f"{rate:.2f} nats" if rate > 0 else "collapsed", ha="center", va="bottom")
        right.set_title(f"hatched: lost, up to the level β/2 = {beta / 2:.2f}")

    return Live(figure, update, limit=slider("limit on R (nats)", 0, 5, 1.5, step=0.1))


def turned_latents(
    mu: ArrayLike, logvar: ArrayLike, factors: ArrayLike, *, names: Sequence[str], labels: Sequence[str]
) -> Live:
    """Turn the first two of some latents, ``mu`` and ``logvar`` ``(n, latents)``: the KL stays, the MIG falls."""
    variances, angles = np.exp(logvar), np.arange(0.0, 91, 3)
    turned = [turn(mu, angle) for angle in angles]
    matrices, scores = [mi_matrix(codes, factors) for codes in turned], [mig(codes, factors) for codes in turned]
    kls, gaps = np.transpose([_kl_and_gap(mu, variances, angle) for angle in angles])
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(4, 5))
    right.plot(angles, scores, color=P, linewidth=3, label="MIG")
    right.plot(angles, gaps, "--", color=Q, linewidth=3, label="nats that a diagonal posterior would lose")
    right.set(xlabel="angle (degrees)", ylim=(0, 1.3 * max(*scores, *gaps)), xticks=angles[::5])
    right.legend(loc="upper center")

    def update(angle: int) -> None:
        i = angle // 3
        plot_mi_matrix(matrices[i], latents=labels, factors=names, darkest=matrices[0].max(), ax=left)
        right.plot(angle, scores[i], "o", color=P, markersize=13, gid="MIG")
        right.set_title(f"KL {kls[i]:.4f} nats, as before;  MIG {scores[i]:.3f}")

    return Live(figure, update, angle=steps("angle (degrees)", 90, value=45, step=3))


def turn(codes: ArrayLike, angle: float) -> NDArray[np.float64]:
    """Turn the first two columns of codes ``(n, latents)`` by an angle in degrees and leave the others."""
    turned, radians = np.array(codes, float), np.deg2rad(angle)
    turned[:, :2] = turned[:, :2] @ [[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]]
    return turned


def _kl_and_gap(mu: ArrayLike, variances: NDArray, angle: float) -> tuple[float, float]:
    """Return the mean KL of the posteriors turned by an angle, and the nats that the best diagonal ones would lose."""
    squares = turn(np.eye(variances.shape[1]), angle) ** 2  # of the rotation: weights of the old latents in the new
    log_det = np.log(variances).sum(axis=1)  # a turn leaves it
    kl = (variances @ squares + turn(mu, angle) ** 2 - 1).sum(axis=1) - log_det
    gap = np.log((1 / variances) @ squares).sum(axis=1) + log_det
    return kl.mean() / 2, gap.mean() / 2


# Checks


def check_break_even(answer: Any) -> Result:
    """Exercise 1: the β at which (log-likelihood, KL) of (-192, 5) and of (-186, 9) are equally good."""
    praise = "above this β the model with less KL wins, below it the more exact one."
    return judge(answer, 1.5, praise=praise, tolerance=3e-3, mistakes={
        "That is the β of a loss with β before the log-likelihood. Here it multiplies the KL.": 4 / 6,
        "That is how much higher the log-likelihood is. How much higher is the KL?": 6,
        "That is how much higher the KL is. How much higher is the log-likelihood?": 4,
        "That is the difference of the two ELBOs, at β = 1. Leave β open, and set both sides equal.": 2,
    })  # fmt: skip


def check_effective_beta(answer: Any) -> Result:
    """Exercise 3: mean-squared error over 64×64 pixels of variance 0.1², plus 0.001 times the KL."""
    right = 0.001 * 4096 / (2 * 0.1**2)
    return judge(answer, right, praise="a weight that looks tiny is a large β.", tolerance=0.025, mistakes={
        "Nearly. Look at the exponent of a Gaussian: (x − x̂)² stands there over *two* times σ².": 2 * right,
        "You used σ where the Gaussian has its square.": 0.001 * 4096 / (2 * 0.1),
        "That would be right for σ = 1. Here the pixels have σ = 0.1.": 0.001 * 4096 / 2,
        "That would be right for a Bernoulli error. A squared error is 2σ² times the nats.": 0.001 * 4096,
        "The error is a mean over 4096 pixels; you read it as their sum.": right / 4096,
        "Divide by 2σ²: one unit of squared error is 1/(2σ²) nats, many if σ is small.": 0.001 * 4096 * 2 * 0.1**2,
    })  # fmt: skip


def check_rates(function: Callable[..., Any]) -> Result:
    """Exercise 2: ``rates(variances, beta)``, nats of each independent Gaussian feature where D + β R is smallest."""

    def right(variances: NDArray, beta: float) -> NDArray:
        return np.maximum(0, np.log(2 * variances / beta) / 2)

    cases = [(np.array([3.0, 1.1, 0.3, 0.9]), 0.8), (np.array([0.2, 2.5, 0.7]), 1.9)]
    return judge_function(function, right, cases, praise="where λ is below β/2, the latent collapses.", mistakes={
        "A rate below 0? There the feature is not sent: its rate is 0.": lambda v, beta: np.log(2 * v / beta) / 2,
        "The slope of λ exp(−2R) is −2λ exp(−2R): you lost its factor 2.": lambda v, beta: right(v, 2 * beta),
        "The fraction is upside down: more variance, more nats.": lambda v, beta: right(1 / v, 4 / beta),
        "That is the rate of all features together. Return one for each.": lambda v, beta: right(v, beta).sum(),
        "That is the distortion of each feature. Return its rate.": lambda v, beta: np.minimum(v, beta / 2),
    })  # fmt: skip


def check_beta_loss(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``beta_loss(x, recon, mu, logvar, beta)`` of a batch, Bernoulli pixels, as one number."""
    rng = np.random.default_rng(0)
    cases = [  # in the second, logvar is positive
        (*rng.uniform(0.05, 0.95, (2, 5, 6)), *rng.normal(0, 0.8, (2, 5, 3)), 4.0),
        (*rng.uniform(0.05, 0.95, (2, 3, 7)), rng.normal(0, 0.8, (3, 2)), rng.uniform(0.2, 1.5, (3, 2)), 0.6),
    ]
    praise = "sums over pixels and latents, a mean over images."
    return judge_function(function, vae_loss(), cases, praise=praise, mistakes={
        "β stands before the error. It multiplies the KL.": vae_loss(total=lambda e, kl, beta: beta * e + kl),
        "Your KL is averaged over the latents. Add it up; only the batch is averaged.": vae_loss(latents=np.mean),
        "Your error is averaged over the pixels: β then depends on the size of an image.": vae_loss(pixels=np.mean),
        "You added up the batch as well. Average over the images.": vae_loss(pixels=np.sum, latents=np.sum),
        "The ½ of the KL is missing.": vae_loss(total=lambda e, kl, beta: e + 2 * beta * kl),
        "You read logvar as the variance: it is its logarithm.": vae_loss(kl=lambda m, v: latent_kl(m, np.log(v))),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": vae_loss(error=lambda x, p: -x * np.log(p)),
        "That is the loss at β = 1.": vae_loss(total=lambda e, kl, beta: e + kl),
    })  # fmt: skip


def check_spread_rate(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``spread_rate(lost, m)``, the total rate of m equal latents that lose a given share of a feature."""

    def right(lost: float, m: int) -> float:
        return -m / 2 * np.log(m * lost / (1 - lost + m * lost))

    cases, praise = [(0.2, 3), (0.07, 5), (0.3, 1)], "one latent needs only −½ log of the share."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "That is the KL of one of the m latents. Add up all m.": lambda lost, m: right(lost, m) / m,
        "That is the KL of one latent alone. Find the noise v of each of the m first.": lambda lost, m: right(lost, 1),
        "You took the lost share for v: each of the m may be noisier.": lambda lost, m: -m / 2 * np.log(lost),
        "You took m times the lost share for v. Solve the equation for v.": lambda lost, m: -m / 2 * np.log(m * lost),
    })  # fmt: skip


def check_gaussian_correlation(function: Callable[..., Any]) -> Result:
    """Exercise 6: ``gaussian_tc(covariance)``, the total correlation of a Gaussian, in nats."""

    def less(single: float, joint: float) -> Callable[..., float]:
        return lambda c: (single * np.log(np.diag(c)).sum() - joint * np.linalg.slogdet(c)[1]) / 2

    roots = [np.array([[1, 0.3, 0.5], [0, 0.9, -0.4], [0, 0, 0.7]]), np.array([[1.6, -0.7], [0, 0.8]])]
    cases, praise = [(root @ root.T,) for root in roots], "zero exactly when all correlations are."
    return judge_function(function, less(1, 1), cases, praise=praise, mistakes={
        "That is the joint entropy, without constants. Subtract it from the sum of the single ones.": less(0, 1),
        "That is the sum of the single entropies, without constants. Subtract the joint one.": less(1, 0),
        "You took standard deviations for the variances.": less(0.5, 1),
    })  # fmt: skip


def check_gap(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``mig_from(information, entropies)`` of a matrix (latents, factors)."""

    def gaps(i: NDArray) -> NDArray:
        return np.diff(np.sort(i, axis=0)[-2:], axis=0)[0]

    cases = [
        (np.array([[1.2, 0.1, 0.4], [0.3, 0.9, 0.2], [0.5, 0.7, 0.6], [0, 0.05, 0.1]]), np.array([2.3, 1.6, 1.1])),
        (np.array([[0.2, 0.85], [1.3, 0.15], [0.45, 0.6]]), np.array([1.9, 1.4])),
    ]
    praise = "best minus second best, as a share."
    return judge_function(function, lambda i, h: np.mean(gaps(i) / h), cases, praise=praise, mistakes={
        "The gaps are in nats still: divide each by the entropy of its factor.": lambda i, h: gaps(i).mean(),
        "You took the two best *factors* of a latent, not the two best latents.": lambda i, h: gaps(i.T).mean(),
        "You subtracted the worst latent. Only the *second best* counts.": lambda i, h: np.mean(np.ptp(i, axis=0) / h),
        "Divide each gap first, then average: you divided the sums.": lambda i, h: gaps(i).sum() / h.sum(),
        "That is the gap of each factor. MIG is their mean.": lambda i, h: gaps(i) / h,
        "That is what the best latents know. A gap subtracts the second best.": lambda i, h: np.mean(i.max(axis=0) / h),
    })  # fmt: skip


def check_turn_back(function: Callable[..., Any]) -> Result:
    """Exercise 8: ``turn_back(codes, factors)``, the whole degrees from 0 to 89 that make the MIG of codes largest."""

    def turned(codes: NDArray, factors: NDArray) -> float:  # in whole degrees, by least squares
        sine = np.sum(codes[:, 1] * factors[:, 0] - codes[:, 0] * factors[:, 1])
        return np.round(np.degrees(np.arctan2(sine, np.sum(codes * factors))))

    drawn = [np.random.default_rng(seed).uniform(-1, 1, (1500, 2)) for seed in (1, 2)]
    cases = [(turn(factors, angle), factors) for factors, angle in zip(drawn, (35, 22), strict=True)]
    return judge_function(function, lambda c, f: 90 - turned(c, f), cases, praise="90 is 35 + 55.", mistakes={
        "That is the angle that the codes *were* turned by, and turning on makes it twice as much.": turned,
        "There the MIG is smallest. Take the largest.": lambda c, f: 45 - turned(c, f),
        "Out of range, though the score is right: a quarter turn only swaps the latents.": lambda c, f: -turned(c, f),
    })  # fmt: skip


def check_turn_alone(function: Callable[..., Any]) -> Result:
    """Exercise 9: ``turn_alone(codes)``, the whole degrees from 0 to 89 that make codes (n, 2) least Gaussian."""

    def best(codes: NDArray, of: Callable[[NDArray], NDArray] = np.abs, *, centred: bool = True) -> int:
        squares = [turn(codes - centred * codes.mean(axis=0), angle) ** 2 for angle in range(90)]
        return int(np.argmax([of((s**2).mean(axis=0) / s.mean(axis=0) ** 2 - 3).sum() for s in squares]))

    rng = np.random.default_rng(9)
    drawn = {55: rng.uniform(0, 3, (4000, 2)), 20: rng.laplace(size=(4000, 2))}
    cases = [(turn(factors, angle) + [2, -3],) for angle, factors in drawn.items()]
    return judge_function(function, best, cases, praise="and you needed no factor.", tolerance=0.05, mistakes={
        "That is the angle that the codes *were* turned by. Turn them back.": lambda c: 90 - best(c),
        "There they look most Gaussian: take the largest distance from 0.": lambda c: best(c, lambda k: -np.abs(k)),
        "Evenly spread factors have a negative excess kurtosis: take its absolute value.": lambda c: best(c, np.array),
        "Heavy tails have a positive excess kurtosis: take its absolute value.": lambda c: best(c, np.negative),
        "Subtract the mean first: the excess kurtosis is about the mean.": lambda c: best(c, centred=False),
        "Out of range, though it separates them: a quarter turn only swaps the latents.": lambda c: best(c) - 90,
    })  # fmt: skip
