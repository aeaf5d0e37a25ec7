"""Lesson 07: rate against distortion, what β does to a score, the KL in parts, and a feature that is spread out."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..arguments import array, number
from .pictures import tile
from .style import BOUND, DATA, PRIOR, P, Q

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
