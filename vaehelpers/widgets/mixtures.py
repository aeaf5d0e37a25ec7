"""Lesson 04: one loop with hard and soft assignments, the limit of small variance, and EM half-step by half-step."""

from itertools import islice

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import expit

from ..arguments import array, whole
from ..mixtures import GaussianMixture, em
from ..plots import mixtures as plots
from .live import Live, slider, steps

Floats = NDArray[np.float64]


def hard_and_soft(x: ArrayLike, start: GaussianMixture, *, names: tuple[str, str], rounds: int = 6) -> Live:
    """Step through k-means on the left and EM on the right, both from the means of ``start``."""
    points = array("x", x, ("n", 2))
    whole("rounds", rounds, 3)
    hard, soft = _k_means_steps(points, start.means, rounds), list(em(points, start, max_iter=rounds))
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    plots.plot_components(points, hard[0][0], hard[0][1], names=names, ax=left)
    plots.plot_components(points, hard[0][0], start.means, start.covariances, names=names, ax=right).set_ylabel("")

    def update(half_step: int) -> None:
        labels, centres = hard[half_step]
        plots.move_components(left, points, labels, centres)
        kind, mixture, log_resp, _ = soft[half_step]
        plots.move_components(right, points, np.exp(log_resp), mixture.means, mixture.covariances)
        turn = f"round {half_step // 2 + 1}"
        left.set_title(f"k-means, {turn}: " + ("to the nearest mean" if kind == "E" else "new means"))
        right.set_title(f"mixture, {turn}: " + ("responsibilities" if kind == "E" else "new weighted means"))

    return Live(figure, update, half_step=steps("half-step", 2 * rounds - 1, value=4))


def small_variance(x: ArrayLike, centres: ArrayLike, *, names: tuple[str, str]) -> Live:
    """Shrink the one σ of two round components with fixed centres (2, 2): soft assignments become hard."""
    points, means = array("x", x, ("n", 2)), array("centres", centres, (2, 2))
    position = np.linspace(0, 1, 401)
    line = means[0] + position[:, None] * (means[1] - means[0])
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(5, 4))
    start = np.full((len(points), 2), 0.5)
    plots.plot_components(points, start, means, np.stack([np.eye(2)] * 2), names=names, ax=left)
    plots.plot_border(position, position, position > 0.5, ax=right)

    closer, closer_on_line = (np.diff(-cdist(rows, means, "sqeuclidean"))[:, 0] for rows in (points, line))

    def update(sigma: float) -> None:
        second = expit(closer / (2 * sigma**2))  # equal weights, equal σ: nothing but the distances is left
        resp = np.stack([1 - second, second], axis=1)
        plots.move_components(left, points, resp, means, np.stack([sigma**2 * np.eye(2)] * 2))
        right.lines[1].set_ydata(expit(closer_on_line / (2 * sigma**2)))
        unsure = (resp.max(axis=1) < 0.99).sum()
        left.set_title(f"σ = {sigma:.2f}: {unsure} of {len(points)} points less than 99 % certain")
        right.set_title("on the line between the means")

    return Live(figure, update, sigma=slider("σ of both components", 0.05, 1.5, 0.6, step=0.05))


def em_steps(x: ArrayLike, start: GaussianMixture, *, names: tuple[str, str], rounds: int = 15, first: int = 5) -> Live:
    """Step through EM: points in the colours of their responsibilities, ellipses, and the bound beside them."""
    points = array("x", x, ("n", 2))
    path = list(islice(em(points, start), 2 * whole("rounds", rounds)))
    whole("first", first, 0, len(path) - 1)
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.plot_components(points, np.exp(path[0].log_resp), start.means, start.covariances, names=names, ax=left)
    plots.plot_climb([step.kind for step in path], [step.bound for step in path], ax=right)
    here = right.lines[-1]

    def update(half_step: int) -> None:
        kind, mixture, log_resp, bound = path[half_step]
        plots.move_components(left, points, np.exp(log_resp), mixture.means, mixture.covariances)
        here.set(xdata=[half_step], ydata=[bound], marker="o" if kind == "E" else "^")
        done = "E step: who is responsible?" if kind == "E" else "M step: fit to the shares"
        left.set_title(f"round {half_step // 2 + 1}, {done}")
        rise = f", up by {bound - path[half_step - 1].bound:.3f}" if half_step else ""
        right.set_title(f"bound {bound:.2f} nats{rise}".replace("-", "−"))

    return Live(figure, update, half_step=steps("half-step", len(path) - 1, value=first))


def _k_means_steps(x: Floats, start: Floats, rounds: int) -> list[tuple[Floats, Floats]]:
    """Labels as rows of zeros and a one (n, k), and centres (k, d), after each half-step."""
    path, centres = [], start.copy()
    for _ in range(rounds):
        labels = cdist(x, centres, "sqeuclidean").argmin(axis=1)
        path.append((np.eye(len(centres))[labels], centres.copy()))
        for j in np.unique(labels):
            centres[j] = x[labels == j].mean(axis=0)
        path.append((np.eye(len(centres))[labels], centres.copy()))
    return path
