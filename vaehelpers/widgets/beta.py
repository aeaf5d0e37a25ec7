"""Lesson 07: a stranger's β, all latents at several β, a capacity that rises, and a turn that only a score sees."""

from collections.abc import Mapping, Sequence

import numpy as np
from ipywidgets import ValueWidget
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ..arguments import array
from ..losses import effective_beta
from ..metrics import mi_matrix, mig
from ..plots import beta as plots
from ..plots.disentanglement import move_mi_matrix, plot_mi_matrix
from ..plots.pictures import plot_traversal, tile
from .live import Live, choice, slider, steps

Floats = NDArray[np.float64]
_PICTURES = {"28×28": 784, "64×64": 4096, "32×32×3": 3072, "64×64×3": 12288}
_ERRORS = {"Bernoulli": ("bernoulli", 1.0), "squared": ("squared", 1.0), "½ squared": ("squared", 0.5)}
_BATCH = {"both alike": (1, 1), "mean of error only": (64, 1), "mean of KL only": (1, 64)}


def beta_calculator() -> Live:
    """Describe a loss with buttons and sliders, and read the β that it amounts to; batches are of 64 pictures."""
    figure = Figure(figsize=(12, 4.2), layout="constrained")
    ax = figure.subplots()
    plots.plot_beta_scale(1.0, ax=ax)

    def update(error: str, pixels: str, latents: str, batch: str, picture: str, **numbers: float) -> None:
        kind, scale = _ERRORS[error]
        weight, variance = 10 ** numbers["weight"], numbers["sigma"] ** 2
        error_over, kl_over = _BATCH[batch]
        error_over *= _PICTURES[picture] if pixels == "mean" else 1
        kl_over *= int(numbers["n_latents"]) if latents == "mean" else 1
        unit = f"{scale:g}" if kind == "bernoulli" else f"{scale:g} · 2 · {numbers['sigma']:g}²"
        beta = effective_beta(kind, scale, weight, error_over, kl_over, variance)
        plots.move_beta_scale(ax, beta, f"({weight:.4g} / {kl_over:,}) / ({unit} / {error_over:,})")

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
    plots.plot_latent_kl(kl[-1], highest=1.1 * kl.max(), ax=left)
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
    plots.plot_angles(angles, scores, gaps, ax=right)

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
