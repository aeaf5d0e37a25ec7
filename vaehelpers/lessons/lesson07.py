"""Lesson 07: the β-VAE: figures, sliders and checks."""

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from ipywidgets import ValueWidget
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike, NDArray

from ..arguments import array, number
from ..metrics import mi_matrix, mig
from ..plots import BOUND, DATA, PRIOR, P, Q, plot_traversal, tile
from .judge import Result, judge, judge_function
from .live import Live, choice, slider, steps


def plot_mi_matrix(
    information: ArrayLike,
    *,
    latents: Sequence[str],
    factors: Sequence[str],
    darkest: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show the mutual information (latents, factors) in nats as a heat map, each factor's best latent framed.

    Up to 16 latents and 10 factors the numbers stand in the cells, else a scale stands beside them. ``darkest`` is
    the end of the scale, by default the largest value; give it where two figures are compared.
    Raises ``ValueError`` when there is not a name for each row and column.
    """
    table = array("information", information)
    if table.shape != (len(latents), len(factors)):
        raise ValueError(f"information: need ({len(latents)}, {len(factors)}), as many as names, got {table.shape}")
    numbers = len(latents) <= 16 and len(factors) <= 10
    if ax is None:
        ax = plt.subplots(figsize=(max(5, 1.25 * len(factors) + 1.5), (0.6 if numbers else 0.3) * len(latents) + 2))[1]
    image = ax.imshow(table, cmap="Blues", vmin=0, vmax=darkest or table.max() or 1, aspect="auto")
    if numbers:
        for row, column in np.ndindex(table.shape):
            ax.text(column, row, "", ha="center", va="center")
    else:
        ax.figure.colorbar(image, ax=ax, label="nats", aspect=40)
    for _ in factors:
        ax.add_patch(Rectangle((0, 0), 1, 1, fill=False, edgecolor="black", linewidth=2.5, clip_on=False, zorder=3))
    ax.set(xticks=range(len(factors)), yticks=range(len(latents)), xticklabels=factors, yticklabels=latents)
    ax.set(xlabel="factor", ylabel="latent")
    ax.set_title("What each latent knows about each factor\n(nats; framed: the latent that knows most)")
    ax.set_xticks(np.arange(0.5, len(factors) - 1), minor=True)
    ax.set_yticks(np.arange(0.5, len(latents) - 1), minor=True)
    ax.grid(which="minor", color="white", linewidth=6)  # a gap between the cells, where the frames lie
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
    move_mi_matrix(ax, table)
    return ax


def move_mi_matrix(ax: Axes, information: ArrayLike) -> None:
    """Bring the axes of ``plot_mi_matrix`` to another matrix of the same shape, on the same scale."""
    table = np.asarray(information, float)
    ax.images[0].set_data(table)
    depths = table.ravel() / ax.images[0].norm.vmax
    for label, nats, depth in zip(ax.texts, table.flat, depths, strict=False):
        label.set(text=f"{nats:.2f}", color="white" if depth > 0.6 else "black" if depth > 0.05 else "0.4")
    for column, (frame, row) in enumerate(zip(ax.patches, table.argmax(axis=0), strict=True)):
        frame.set(xy=(column - 0.5, row - 0.5), visible=bool(table[row, column] > 0))


#: Colour and hatch of each part of the KL.
_PARTS = {"mutual information": (P, ""), "total correlation": (Q, "//"), "dimension-wise KL": (PRIOR, "..")}


def plot_rate_distortion(
    betas: ArrayLike, rates: ArrayLike, distortions: ArrayLike, *, best: float | None = None, ax: Axes | None = None
) -> Axes:
    """Plot what a picture costs against what is lost of it, all ``(n,)`` and in nats: a dot a run, a line through β.

    With ``best``, a dashed line joins all points with this rate + distortion, that is, with this ELBO at β = 1.
    """
    ax = ax or plt.subplots(figsize=(10, 5.4))[1]
    beta = array("betas", betas, ("n",))
    rate, distortion = array("rates", rates, beta.shape), array("distortions", distortions, beta.shape)
    levels = np.unique(beta)
    middle = np.array([[rate[beta == b].mean(), distortion[beta == b].mean()] for b in levels])
    ax.plot(*middle.T, color=P, linewidth=3)
    ax.plot(rate, distortion, "o", color=DATA, markersize=5)
    for i, point in enumerate(middle):  # collapsed models lie on one spot and share a label
        here = np.abs(middle - point).max(axis=1) < 0.01 * np.ptp(rate)
        if here.argmax() == i:
            name = ", ".join(f"{b:g}" for b in levels[here])
            ax.annotate(f"β = {name}", point, (9, 9), textcoords="offset points", weight="bold")
    if best is not None:
        ends = np.array([rate.min(), rate.max()])
        ax.plot(ends, best - ends, "--", color=BOUND)
        ax.annotate("same ELBO", (ends[0], best - ends[0]), (12, 8), textcoords="offset points", color=BOUND)
    ax.set(xlabel="rate: KL to the prior (nats a picture)", ylabel="distortion: − log-likelihood (nats)")
    ax.margins(x=0.08)
    return ax


def plot_sweep(betas: ArrayLike, values: ArrayLike, *, name: str, ax: Axes | None = None) -> Axes:
    """Plot one number of each run ``(n,)`` against its β on a log scale: a dot for each seed, a line of means."""
    ax = ax or plt.subplots(figsize=(6, 4.5))[1]
    beta = array("betas", betas, ("n",))
    value = array("values", values, beta.shape, finite=False)  # not every run has every number
    levels = np.unique(beta)
    ax.plot(levels, [value[beta == b].mean() for b in levels], color=P, linewidth=2, alpha=0.7)
    places = beta.copy()
    for b in levels:  # side by side, so that equal seeds do not hide each other
        places[beta == b] *= 2 ** np.linspace(-0.18, 0.18, (beta == b).sum())
    ax.plot(places, value, "o", color=DATA, markersize=6, markeredgecolor="white", markeredgewidth=0.5)
    ax.set_xscale("log", base=2)
    ax.set_xticks(levels, [f"{b:g}" for b in levels])
    ax.set_xticks([], minor=True)
    ax.set(xlabel="β", title=name)
    return ax


def plot_traversals(
    rows: Mapping[str, ArrayLike], labels: Mapping[str, Sequence[str]], *, axes: Sequence[Axes] | None = None
) -> Sequence[Axes]:
    """Show traversals ``(latents, steps, 1, h, w)``, two side by side, each under its name, a label a row."""
    most = max(len(grid) for grid in map(np.asarray, rows.values()))
    if axes is None:
        lines, columns = -(-len(rows) // 2), min(len(rows), 2)
        size = (4.3 * columns, (0.52 * most + 0.6) * lines)
        axes = list(plt.subplots(lines, columns, figsize=size, squeeze=False)[1].flat)[: len(rows)]
    for ax, (name, grid) in zip(axes, rows.items(), strict=True):
        pictures = array("rows", grid, dtype=np.float32)
        step = pictures.shape[-1] + 1
        blank = np.ones((most - len(pictures), *pictures.shape[1:]), np.float32)
        tiled = tile(np.concatenate([pictures, blank]))
        tiled[step * len(pictures) :] = 1
        if not len(pictures):
            ax.text(step, step, "no latent is in use", va="top")
        ax.imshow(tiled, vmin=0, vmax=1, interpolation="nearest")
        ax.set_yticks([step * i + step / 2 for i in range(len(pictures))], labels[name])
        ax.set(xticks=[], title=name)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    return axes


def plot_kl_parts(betas: ArrayLike, parts: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Stack the parts of the KL, each ``(n,)`` in nats, as the mean over the runs of each β."""
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    beta = array("betas", betas, ("n",))
    levels = np.unique(beta)
    places, floor = np.arange(len(levels)), np.zeros(len(levels))
    for (name, values), (color, hatch) in zip(parts.items(), _PARTS.values(), strict=True):
        means = np.array([array("parts", values, beta.shape)[beta == b].mean() for b in levels])
        ax.bar(places, means, 0.65, floor, color=color, hatch=hatch, edgecolor="white", label=name)
        floor = floor + means
    for place, top in zip(places, floor, strict=True):
        ax.text(float(place), top, f"{top:.1f}", ha="center", va="bottom")
    ax.set_xticks(places, [f"{b:g}" for b in levels])
    ax.set(xlabel="β", ylabel="nats a picture")
    ax.legend()
    return ax


def plot_spreading(rates: ArrayLike, distortions: Mapping[int, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Plot the share of the feature that is lost, ``(n,)`` for each number of latents, against their common price."""
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    rate = array("rates", rates, ("n",))
    for (m, lost), style in zip(distortions.items(), ("-", "--", "-.", ":"), strict=False):
        values = array("distortions", lost, rate.shape)
        ax.plot(rate, values, style, color=P if m == 1 else Q, linewidth=3)
        ax.annotate(
            f"{m} latent" + "s" * (m > 1), (rate[-1], values[-1]), (6, 0), textcoords="offset points", va="center"
        )
    ax.set(xlabel="price of all latents together (nats)", ylabel="share of the feature's variance that is lost")
    ax.set(yscale="log", xlim=(0, rate[-1] * 1.12))
    return ax


def plot_latent_kl(kl: ArrayLike, *, highest: float, ax: Axes | None = None) -> Axes:
    """Draw the KL of each latent ``(k,)`` in nats as a bar, the latents numbered from 0."""
    ax = ax or plt.subplots(figsize=(9, 3.5))[1]
    bars = array("kl", kl, ("k",))
    ax.bar(np.arange(len(bars)), bars, 0.7, color=P)
    ax.set(xlabel="latent", ylabel="KL (nats)", xticks=np.arange(0, len(bars), 4))
    ax.set_ylim(0, number("highest", highest, above=0))
    return ax


def plot_angles(angles: ArrayLike, score: ArrayLike, gap: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot a score ``(n,)`` and the best diagonal posterior's gap in nats ``(n,)`` against the angle in degrees."""
    ax = ax or plt.subplots(figsize=(7, 5))[1]
    turns = array("angles", angles, ("n",))
    scores, gaps = array("score", score, turns.shape), array("gap", gap, turns.shape)
    ax.plot(turns, scores, color=P, linewidth=3)
    ax.plot(turns, gaps, "--", color=Q, linewidth=3)
    ax.plot(turns[0], scores[0], "o", color=P, markersize=13)
    ax.plot(turns[0], gaps[0], "s", color=Q, markersize=11)
    ax.annotate("MIG", (turns[-1], scores[-1]), (6, 0), textcoords="offset points", color=P, va="center")
    middle = (turns[gaps.argmax()], 0.4 * gaps.max())
    ax.annotate("nats that a diagonal\nposterior would lose", middle, color=Q, ha="center", va="center")
    ax.set(xlabel="angle (degrees)", ylim=(0, None), xticks=np.linspace(turns[0], turns[-1], 7))
    return ax


def plot_beta_scale(beta: float, *, ax: Axes | None = None) -> Axes:
    """Mark a β on a logarithmic scale on which 1 is the ELBO; ``move_beta_scale`` moves the mark."""
    ax = ax or plt.subplots(figsize=(12, 4))[1]
    number("beta", beta, above=0)
    ax.axvline(1, color=BOUND, linewidth=4)
    ax.text(1, 0.06, " the ELBO", color=BOUND, weight="bold")
    ax.text(1.3e-5, 0.95, "← pictures count more:\n    towards a plain autoencoder", va="top")
    ax.text(7e5, 0.95, "the prior counts more: →\ntowards collapse", va="top", ha="right")
    ax.plot(beta, 0.5, "D", color=DATA, markersize=18)
    ax.text(beta, 0.6, "", ha="center", va="bottom", fontsize=20, weight="bold")
    ax.set(xscale="log", xlim=(1e-5, 1e6), ylim=(0, 1), yticks=[], xlabel="β that this loss amounts to")
    ax.spines["left"].set_visible(False)
    move_beta_scale(ax, beta, "")
    return ax


def move_beta_scale(ax: Axes, beta: float, formula: str) -> None:
    """Move the mark of ``plot_beta_scale`` to another β, with the formula that gave it as the title."""
    ax.lines[1].set_xdata([beta])
    ax.texts[-1].set(x=min(max(beta, 4e-5), 2.5e5), text=f"{beta:.4g}")
    ax.set_title(f"β  =  {formula}  =  {beta:.4g}" if formula else "", fontsize=17)


def plot_path(codes: ArrayLike, factor: ArrayLike, *, names: tuple[str, str, str], ax: Axes | None = None) -> Axes:
    """Place codes ``(n, 2)``, darker where a factor ``(n,)`` is small, and number the fifths of its range.

    ``names`` are those of the two latents and of the factor.
    """
    ax = ax or plt.subplots(figsize=(6.5, 6.5))[1]
    places = array("codes", codes, ("n", 2))
    values = array("factor", factor, (len(places),))
    ax.scatter(places[:, 0], places[:, 1], c=values, cmap="viridis", s=7)
    edges = np.quantile(values, np.linspace(0, 1, 6))
    for fifth, (low, high) in enumerate(zip(edges[:-1], edges[1:], strict=True), 1):
        inside = places[(values >= low) & (values <= high)]
        if not len(inside):  # a fifth of few values
            continue
        x, y = np.median(inside, axis=0).tolist()
        ax.text(x, y, str(fifth), ha="center", va="center", weight="bold", fontsize=15, bbox={"fc": "white", "pad": 3})
    ax.set(xlabel=names[0], ylabel=names[1], title=f"{names[2]}, from its least fifth (1) to its largest (5)")
    ax.set_aspect("equal")
    return ax


Floats = NDArray[np.float64]
_PICTURES = {"28×28": 784, "64×64": 4096, "32×32×3": 3072, "64×64×3": 12288}
_ERRORS = {"Bernoulli": ("bernoulli", 1.0), "squared": ("squared", 1.0), "½ squared": ("squared", 0.5)}
_BATCH = {"both alike": (1, 1), "mean of error only": (64, 1), "mean of KL only": (1, 64)}


def effective_beta(
    error: str, scale: float, weight: float, error_over: float, kl_over: float, variance: float = 1.0
) -> float:
    """Return the β of the loss ``scale · error / error_over + weight · KL / kl_over``.

    ``error`` and KL are sums over all pixels, latents and images of a batch; ``error_over`` and ``kl_over`` are what
    each sum is divided by: 1 for a sum, the number of values for a mean. A ``"bernoulli"`` error is the cross-entropy
    of the pixels, which is the negative log-likelihood. A ``"squared"`` error is, up to a constant, 2σ² times the
    negative log-likelihood of Gaussian pixels with ``variance`` σ². Dividing the loss by the factor of the negative
    log-likelihood changes no optimum and leaves β as the factor of the KL. Raises ``ValueError`` for another error and
    for a number that is not positive. Higgins et al. (2017), eq. 4; Rybkin, Daniilidis & Levine (2021), "Simple and
    effective VAE training with calibrated decoders".
    """
    if error not in ("bernoulli", "squared"):
        raise ValueError(f"error: need one of bernoulli, squared, got {error!r}")
    numbers = {"scale": scale, "error_over": error_over, "kl_over": kl_over, "variance": variance, "weight": weight}
    for name, value in numbers.items():
        number(name, value, above=0)
    per_nat = {"bernoulli": 1.0, "squared": 2 * variance}[error]
    return (weight / kl_over) / (scale * per_nat / error_over)


def read_peers() -> list[dict[str, Any]]:
    """Return the losses of public repositories in ``data/peers.csv``, each as one file at one commit defines it.

    The last five columns are arguments of ``effective_beta``. Whether a loss is a sum or a mean over the batch does
    not matter, because it is the same for both terms in all of them.
    """
    with (Path(__file__).parents[1] / "data" / "peers.csv").open(encoding="utf-8", newline="") as file:
        peers = list(csv.DictReader(file))
    return [p | {name: float(p[name]) for name in ("scale", "weight", "error_over", "kl_over")} for p in peers]


def peers_table(*, variance: float = 0.01) -> str:
    """Return the losses of ``read_peers`` and the β of each, at σ² = 1 and at ``variance``, as a table in Markdown."""
    lines = [
        f"| loss of | setting | before the KL | before the error | β if σ² = 1 | β if σ² = {variance:g} |",
        "|---|---|---|---|---:|---:|",
    ]
    for peer in read_peers():
        repository, commit, file, setting, error, scale, weight, error_over, kl_over = peer.values()
        link = f"[{repository}](https://github.com/{repository}/blob/{commit}/{file})"
        before_kl = f"{weight:.4g}" + (f" / {kl_over:,.0f}" if kl_over > 1 else "")
        before_error = f"{scale:g}" + (f" / {error_over:,.0f}" if error_over > 1 else "") + f", {error}"
        at_1, at_variance = (effective_beta(error, scale, weight, error_over, kl_over, v) for v in (1.0, variance))
        other = f"{at_variance:.4g}" if error == "squared" else "the same"
        lines.append(f"| {link} | {setting} | {before_kl} | {before_error} | {at_1:.4g} | {other} |")
    return "\n".join(lines)


def beta_calculator() -> Live:
    """Describe a loss with buttons and sliders, and read the β that it amounts to; batches are of 64 pictures."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    ax = figure.subplots()
    plot_beta_scale(1.0, ax=ax)

    def update(error: str, pixels: str, latents: str, batch: str, picture: str, **numbers: float) -> None:
        kind, scale = _ERRORS[error]
        weight, variance = 10 ** numbers["weight"], numbers["sigma"] ** 2
        error_over, kl_over = _BATCH[batch]
        error_over *= _PICTURES[picture] if pixels == "mean" else 1
        kl_over *= int(numbers["n_latents"]) if latents == "mean" else 1
        unit = f"{scale:g}" if kind == "bernoulli" else f"{scale:g} · 2 · {numbers['sigma']:g}²"
        beta = effective_beta(kind, scale, weight, error_over, kl_over, variance)
        move_beta_scale(ax, beta, f"({weight:.4g} / {kl_over:,}) / ({unit} / {error_over:,})")

    return Live(figure, update, moving=(ax.lines[1], ax.texts[-1], ax.title), **_loss_controls())


def _loss_controls() -> dict[str, ValueWidget]:
    return {
        "error": choice("error", list(_ERRORS), value="squared"),
        "pixels": choice("over pixels", ["sum", "mean"], value="mean"),
        "latents": choice("over latents", ["sum", "mean"], value="mean"),
        "batch": choice("over the batch of 64", list(_BATCH), value="both alike"),
        "picture": choice("values of a picture", list(_PICTURES), value="64×64"),
        "weight": slider("weight of the KL, 10 to the", -5, 2, 0, step=0.1),
        "n_latents": steps("latents", 256, first=1, value=25),
        "sigma": slider("σ of Gaussian pixels", 0.05, 1, 1, step=0.05),
    }


def all_latents(traversals: Mapping[str, ArrayLike], labels: Mapping[str, Sequence[str]], *, start: str) -> Live:
    """Choose one of several traversals ``(latents, steps, 1, h, w)`` of one shape, from -3 to +3."""
    tiles = {name: tile(rows).astype(np.float16) for name, rows in traversals.items()}  # finer than a screen, and small
    figure = Figure(figsize=(5.8, 7.8), layout="constrained")
    rows = np.asarray(traversals[start])
    ax = plot_traversal(rows, labels[start], values=np.linspace(-3, 3, rows.shape[1]), ax=figure.subplots())
    ax.set_xticks(ax.get_xticks()[[0, rows.shape[1] // 2, -1]], ["-3", "0", "+3"])

    def update(model: str) -> None:
        ax.images[0].set_data(tiles[model])
        ax.set_yticklabels(labels[model])

    return Live(figure, update, moving=(ax.images[0], ax.yaxis), model=choice("model", list(traversals), value=start))


def rising_capacity(run: Mapping[str, NDArray]) -> Live:
    """Slide through a run whose KL is held at a rising capacity: ``datasets.capacity_run()``."""
    capacity, kl, pictures = run["capacity"], run["kl"], run["pictures"][:, :, :, None]
    figure = Figure(figsize=(13, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(4, 5))
    plot_latent_kl(kl[-1], highest=1.1 * kl.max(), ax=left)
    plot_traversal(pictures[-1] / 255, [f"z{i}" for i in run["latents"]], values=np.linspace(-3, 3, 9), ax=right)

    def update(moment: int) -> None:
        for bar, height in zip(left.patches, kl[moment], strict=True):
            bar.set_height(height)
        awake = (kl[moment] > 0.1).sum()
        right.images[0].set_data(tile(pictures[moment] / 255))
        fit = f"{run['log_likelihood'][moment]:.1f}".replace("-", "−")
        spent = f"capacity {capacity[moment]:.1f} nats, KL {kl[moment].sum():.1f}"
        left.set_title(f"{spent}\nfit {fit} nats; latents above 0.1 nats: {awake}")

    last = len(capacity) - 1
    moving = (*left.patches, left.title, right.images[0])
    return Live(figure, update, moving=moving, moment=steps("moment", last, value=last // 2))


def turned_latents(
    mu: ArrayLike, logvar: ArrayLike, factors: ArrayLike, *, names: Sequence[str], labels: Sequence[str]
) -> Live:
    """Turn the first two of some latents, ``mu`` and ``logvar`` ``(n, latents)``: the KL stands, the MIG falls.

    The decoder is handed the code turned back, so that its pictures, and with them the fit, stay the same too.
    """
    means, truths, angles = array("mu", mu, ("n", "latents")), array("factors", factors), np.arange(0, 91, 3)
    variances = np.exp(array("logvar", logvar, means.shape))
    rotated = [turn(means, float(angle)) for angle in angles]
    matrices = [mi_matrix(codes, truths) for codes in rotated]
    scores, (kls, gaps) = [mig(codes, truths) for codes in rotated], _prices(means, variances, angles)
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(4, 5))
    plot_mi_matrix(matrices[0], latents=labels, factors=names, ax=left)
    plot_angles(angles, scores, gaps, ax=right)

    def update(angle: int) -> None:
        i = angle // 3
        move_mi_matrix(left, matrices[i])
        for mark, height in zip(right.lines[2:], (scores[i], gaps[i]), strict=True):
            mark.set_data([angle], [height])
        right.set_title(f"KL {kls[i]:.4f} nats, as before;  MIG {scores[i]:.3f}")

    gaps_between = [tick.gridline for axis in (left.xaxis, left.yaxis) for tick in axis.get_minor_ticks()]
    matrix = (left.images[0], *gaps_between, *left.texts, *left.patches)
    return Live(
        figure,
        update,
        moving=(*matrix, *right.lines[2:], right.title),
        angle=steps("angle (degrees)", 90, value=45, step=3),
    )


def turn(codes: ArrayLike, angle: float) -> Floats:
    """Turn the first two columns of codes ``(n, latents)`` by an angle in degrees and leave the others."""
    turned, radians = np.array(codes, float), np.deg2rad(angle)
    turned[:, :2] = turned[:, :2] @ [[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]]
    return turned


def _prices(mu: Floats, variances: Floats, angles: NDArray[np.intp]) -> tuple[list[float], list[float]]:
    """Return the mean KL, in nats, of the posteriors turned by each angle, and what the best diagonal ones lose."""
    kls, gaps, rest = [], [], np.eye(mu.shape[1])
    for angle in angles:
        rotation = turn(rest, float(angle))
        covariances = np.einsum("ji,nj,jk->nik", rotation, variances, rotation)
        log_det, squares = np.linalg.slogdet(covariances)[1], turn(mu, float(angle)) ** 2
        trace = np.trace(covariances, axis1=1, axis2=2)
        kls.append(float((trace + squares.sum(axis=1) - mu.shape[1] - log_det).mean() / 2))
        precisions = np.einsum("ji,nj,ji->ni", rotation, 1 / variances, rotation)
        gaps.append(float((np.log(precisions).sum(axis=1) + log_det).mean() / 2))
    return kls, gaps


def check_break_even(answer: Any) -> Result:
    """Exercise 1: the β at which fit -192, KL 5 and fit -186, KL 9 are equally good."""
    mistakes = {
        "That is the β of a loss with β before the fit. Here it multiplies the KL.": 4 / 6,
        "That is how much better the fit is. How many nats of KL does it cost?": 6,
        "That is how much more KL is paid. How much fit does it buy?": 4,
        "That is the difference of the two ELBOs, at β = 1. Let β free, and set both sides equal.": 2,
        "At β = 1 the second is 2 nats better: not equal yet.": 1,
        "Mind the signs: the second model has the higher log-likelihood *and* the higher KL.": -1.5,
    }
    praise = "above this β the cheaper model wins, below it the more exact one."
    return judge(answer, 1.5, praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_strangers_beta(answer: Any) -> Result:
    """Exercise 2: mean-squared error over 64×64 pixels of variance 0.1², plus 0.001 times the KL."""
    right = 0.001 * 4096 / (2 * 0.1**2)
    mistakes = {
        "Nearly. Look at the exponent of a Gaussian: (x − x̂)² stands there over *two* times σ².": 2 * right,
        "You have used σ where the Gaussian has its square.": 0.001 * 4096 / (2 * 0.1),
        "That would be right for σ = 1. Here the pixels have σ = 0.1.": 0.001 * 4096 / 2,
        "That would be right for a Bernoulli error. A squared error is 2σ² times the nats.": 0.001 * 4096,
        "The error is a mean over 4096 pixels; you have read it as their sum.": right / 4096,
        "The pictures have 64 × 64 pixels; you have counted one side alone.": right / 64,
        "Upside down: what stands before the KL goes on top.": 1 / right,
        "Divide by 2σ²: a squared error counts *fewer* than nats when σ is small.": 0.001 * 4096 * 2 * 0.1**2,
    }
    praise = "a weight that looks tiny is a β of about 205."
    return judge(answer, right, praise=praise, mistakes=mistakes, tolerance=0.025)


def check_beta_loss(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``beta_loss(x, recon, mu, logvar, beta)`` of a batch, Bernoulli pixels, as one number."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "β stands before the error. It is the KL that it multiplies.": lambda x, p, m, v, beta: (
            beta * _error(x, p) + _price(m, v)
        ),
        "Your KL is averaged over the latents. Add it up; only the batch is averaged.": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _kl(m, v).mean()
        ),
        "Your error is averaged over the pixels: β then means something else for each size of picture.": (
            lambda x, p, m, v, beta: _nats(x, p).mean() + beta * _price(m, v)
        ),
        "Both terms are averaged over everything: β then depends on the numbers of pixels and latents.": (
            lambda x, p, m, v, beta: _nats(x, p).mean() + beta * _kl(m, v).mean()
        ),
        "You have added up the batch as well. Average over the pictures.": lambda x, p, m, v, beta: (
            len(x) * (_error(x, p) + beta * _price(m, v))
        ),
        "The ½ of the KL is missing.": lambda x, p, m, v, beta: _error(x, p) + 2 * beta * _price(m, v),
        "You have read logvar as the variance: it is its logarithm.": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _price(m, np.log(v))
        ),
        "You have read logvar as log σ: the variance is exp(logvar), not exp(2 logvar).": lambda x, p, m, v, beta: (
            _error(x, p) + beta * _price(m, 2 * v)
        ),
        "The sign: a loss is to be made small, so it is minus (fit − β · KL).": lambda x, p, m, v, beta: (
            -_error(x, p) - beta * _price(m, v)
        ),
        "That subtracts the price. A loss *adds* β · KL to the error.": lambda x, p, m, v, beta: (
            _error(x, p) - beta * _price(m, v)
        ),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": lambda x, p, m, v, beta: (
            beta * _price(m, v) - (x * np.log(p)).sum(axis=1).mean()
        ),
        "That is the squared error. For Bernoulli pixels it is −[x log p + (1 − x) log(1 − p)].": (
            lambda x, p, m, v, beta: np.square(x - p).sum(axis=1).mean() + beta * _price(m, v)
        ),
        "That is the loss at β = 1.": lambda x, p, m, v, beta: _error(x, p) + _price(m, v),
    }
    return judge_function(
        function,
        lambda x, p, m, v, beta: _error(x, p) + beta * _price(m, v),
        _batches(),
        praise="sums over pixels and latents, a mean over pictures.",
        mistakes=mistakes,
    )


def check_spread_rate(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``spread_rate(lost, m)``, the nats that m equal latents cost to lose a given share of the feature."""

    def noise(lost: float, m: int) -> float:
        return m * lost / (1 - lost + m * lost)

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the price of one of the m latents. All m are to be paid.": lambda lost, m: -np.log(noise(lost, m)) / 2,
        "That is what one latent would charge. Find the noise v of each of the m first.": (
            lambda lost, m: -np.log(lost) / 2
        ),
        "You have taken the lost share for the noise v of one latent. m latents may each be noisier.": (
            lambda lost, m: -m / 2 * np.log(lost)
        ),
        "You have taken m times the lost share for the noise v of one latent. Solve the equation for v.": (
            lambda lost, m: -m / 2 * np.log(m * lost)
        ),
        "The ½ is missing: log σ is half of log v.": lambda lost, m: -m * np.log(noise(lost, m)),
        "That looks like bits. The course counts in nats.": lambda lost, m: -m / 2 * np.log2(noise(lost, m)),
        "A price cannot be negative: log v is below zero, mind the sign.": lambda lost, m: (
            m / 2 * np.log(noise(lost, m))
        ),
        "That is v, the noise of each latent. What does it cost?": noise,
    }
    praise = "one latent asks −½ log of the share."
    return judge_function(
        function,
        lambda lost, m: -m / 2 * np.log(noise(lost, m)),
        [(0.2, 3), (0.07, 5), (0.3, 1)],
        praise=praise,
        mistakes=mistakes,
    )


def check_gaussian_correlation(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``gaussian_tc(covariance)``, the total correlation of a Gaussian, in nats."""

    def alone(c: np.ndarray) -> float:
        return float(np.log(np.diag(c)).sum() / 2)

    def together(c: np.ndarray) -> float:
        return float(np.linalg.slogdet(c)[1] / 2)

    def mean_correlation(c: np.ndarray) -> float:
        correlation = c / np.sqrt(np.outer(np.diag(c), np.diag(c)))
        return float(np.abs(correlation[np.triu_indices(len(c), 1)]).mean())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "The ½ is missing: the entropy of a Gaussian has ½ log of its variance.": lambda c: (
            2 * (alone(c) - together(c))
        ),
        "The sign: taken apart, the latents have *more* entropy than together.": lambda c: together(c) - alone(c),
        "That is only what they have together. Compare it with the sum of what each has alone.": lambda c: -together(c),
        "That is only what each has alone. Compare it with what they have together.": alone,
        "You have taken standard deviations for the variances.": lambda c: alone(c) / 2 - together(c),
        "The ½ is missing before the logarithm of the determinant.": lambda c: alone(c) - 2 * together(c),
        "The ½ is missing before the logarithms of the single variances.": lambda c: 2 * alone(c) - together(c),
        "That is the KL to the prior, which counts the variances too.": lambda c: (
            (np.trace(c) - len(c)) / 2 - together(c)
        ),
        "That is the mean correlation. The total correlation is in nats: it needs a logarithm.": mean_correlation,
        "That looks like bits. The course counts in nats.": lambda c: (alone(c) - together(c)) / np.log(2),
    }
    roots = [[[1.0, 0.3, 0.5], [0, 0.9, -0.4], [0, 0, 0.7]], [[1.6, -0.7], [0, 0.8]]]
    return judge_function(
        function,
        lambda c: alone(c) - together(c),
        [(np.array(root) @ np.transpose(root),) for root in roots],
        praise="zero exactly when all correlations are.",
        mistakes=mistakes,
    )


def check_gap(function: Callable[..., Any]) -> Result:
    """Exercise 6: ``mig_from(information, entropies)`` of a matrix (latents, factors)."""

    def gaps(i: np.ndarray) -> np.ndarray:
        ranked = np.sort(i, axis=0)
        return np.asarray(ranked[-1] - ranked[-2])

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "The gaps are in nats still: divide each by the entropy of its factor.": lambda i, h: gaps(i).mean(),
        "You have set the two best *factors* of each latent apart. Take the two best latents of each factor.": (
            lambda i, h: gaps(i.T).mean()
        ),
        "Divide by the entropy of the factor, not by the log of the number of latents.": (
            lambda i, h: gaps(i).mean() / np.log(len(i))
        ),
        "Divide by the entropy of the factor, not by the log of the number of factors.": (
            lambda i, h: gaps(i).mean() / np.log(len(h))
        ),
        "Divide by the entropy of the factor, not by what the best latent knows.": (
            lambda i, h: np.mean(gaps(i) / i.max(axis=0))
        ),
        "You have subtracted the mean of all latents. Only the *second best* counts.": (
            lambda i, h: np.mean((i.max(axis=0) - i.mean(axis=0)) / h)
        ),
        "You have subtracted the worst latent. Only the *second best* counts.": (
            lambda i, h: np.mean((i.max(axis=0) - i.min(axis=0)) / h)
        ),
        "You have subtracted the best from the second best: mind the sign.": lambda i, h: -np.mean(gaps(i) / h),
        "Divide each gap first, then average: you have divided the sums.": lambda i, h: gaps(i).sum() / h.sum(),
        "You have added up over the factors. MIG is their mean.": lambda i, h: np.sum(gaps(i) / h),
        "That is the gap of each factor. MIG is their mean.": lambda i, h: gaps(i) / h,
        "That is how much the best latents know. A gap subtracts the second best.": (
            lambda i, h: np.mean(i.max(axis=0) / h)
        ),
    }
    cases = [
        (np.array([[1.2, 0.1, 0.4], [0.3, 0.9, 0.2], [0.5, 0.7, 0.6], [0, 0.05, 0.1]]), np.array([2.3, 1.6, 1.1])),
        (np.array([[0.2, 0.85], [1.3, 0.15], [0.45, 0.6]]), np.array([1.9, 1.4])),
    ]
    praise = "best minus second best, as a share."
    return judge_function(function, lambda i, h: np.mean(gaps(i) / h), cases, praise=praise, mistakes=mistakes)


def check_share(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``share_of_beta(scores)`` of an array (betas, seeds), between 0 and 1."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the share of the seeds: what is left when β is known. Take the other one.": (
            lambda s: s.var(axis=1).mean() / s.var()
        ),
        "That is the ratio of the two, not a share of the whole.": lambda s: (
            s.mean(axis=1).var() / s.var(axis=1).mean()
        ),
        "You have averaged along the other axis: over β, and so compared the seeds.": lambda s: (
            s.mean(axis=0).var() / s.var()
        ),
        "Give the share as a number between 0 and 1, not in percent.": lambda s: 100 * s.mean(axis=1).var() / s.var(),
        "Shares add up for variances, not for standard deviations.": lambda s: s.mean(axis=1).std() / s.std(),
        "The second part is the mean of the variances within each β, not the variance along the other axis.": (
            lambda s: s.mean(axis=1).var() / (s.mean(axis=1).var() + s.mean(axis=0).var())
        ),
        "That is the variance of the means alone. Divide by the variance of all scores.": lambda s: s.mean(
            axis=1
        ).var(),
        "Divide by the number of values in both variances (ddof=0); then the two parts add up to the whole.": (
            lambda s: s.mean(axis=1).var(ddof=1) / s.var(ddof=1)
        ),
        "With ddof=1 the two parts are not parts of one whole: divide by the number of values in both (ddof=0).": (
            lambda s: s.mean(axis=1).var(ddof=1) / (s.mean(axis=1).var(ddof=1) + s.var(axis=1, ddof=1).mean())
        ),
    }
    cases = [
        (np.array([[0.10, 0.25, 0.15, 0.3], [0.35, 0.2, 0.5, 0.3], [0.4, 0.55, 0.3, 0.25]]),),
        (np.array([[0.62, 0.11, 0.4], [0.3, 0.05, 0.21]]),),
    ]
    praise = "the rest belongs to the seeds."
    return judge_function(function, lambda s: s.mean(axis=1).var() / s.var(), cases, praise=praise, mistakes=mistakes)


def check_turn_back(function: Callable[..., Any]) -> Result:
    """Exercise 8: ``turn_back(codes, factors)``, the whole degrees from 0 to 89 that make the MIG of codes largest."""
    cases = []
    for seed, angle in ((1, 35), (2, 22)):
        rng, radians = np.random.default_rng(seed), np.deg2rad(angle)
        factors = rng.uniform(-1, 1, (1500, 2))
        rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
        cases.append(((factors + 0.02 * rng.standard_normal(factors.shape)) @ rotation, factors))

    def turned(codes: np.ndarray, factors: np.ndarray) -> float:
        """Return the whole degrees by which the codes were turned, the least-squares solution."""
        sine = np.sum(codes[:, 1] * factors[:, 0] - codes[:, 0] * factors[:, 1])
        return float(np.round(np.degrees(np.arctan2(sine, np.sum(codes * factors)))))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the angle that the codes *were* turned by, and turning on makes it twice as much.": turned,
        "There the MIG is smallest. Take the largest.": lambda codes, factors: 45 - turned(codes, factors),
        "The score after that turn is right, but not in range: a quarter turn only swaps the latents.": (
            lambda codes, factors: -turned(codes, factors)
        ),
        "The score after that turn is right, but not in range: a quarter turn less gives the same.": (
            lambda codes, factors: 180 - turned(codes, factors)
        ),
        "That is the right angle in radians. Return whole degrees.": (
            lambda codes, factors: np.deg2rad(90 - turned(codes, factors))
        ),
        "That is the number of tries, or a score? Return the angle itself.": lambda codes, factors: 90,
    }
    praise = "a quarter turn is 90 = 35 + 55."
    return judge_function(
        function, lambda codes, factors: 90 - turned(codes, factors), cases, praise=praise, mistakes=mistakes
    )


def _batches() -> list[tuple[Any, ...]]:
    """Return two batches of pictures, reconstructions, mu, logvar and β; in the second, logvar is positive."""
    rng = np.random.default_rng(0)
    return [
        (*rng.uniform(0.05, 0.95, (2, 5, 6)), *rng.normal(0, 0.8, (2, 5, 3)), 4.0),
        (*rng.uniform(0.05, 0.95, (2, 3, 7)), rng.normal(0, 0.8, (3, 2)), rng.uniform(0.2, 1.5, (3, 2)), 0.6),
    ]


def _error(x: np.ndarray, p: np.ndarray) -> float:
    return float(_nats(x, p).sum(axis=1).mean())


def _price(mu: np.ndarray, logvar: np.ndarray) -> float:
    return float(_kl(mu, logvar).sum(axis=1).mean())


def _nats(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray(-x * np.log(p) - (1 - x) * np.log(1 - p))


def _kl(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    return np.asarray((mu**2 + np.exp(logvar) - logvar - 1) / 2)
