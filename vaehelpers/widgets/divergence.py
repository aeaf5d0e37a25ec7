"""Lesson 02: both directions of the divergence for a coin, and one Gaussian that the reader puts on two humps."""

from collections.abc import Callable

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from scipy.stats import norm

from ..plots import divergence as plots
from .live import Live, slider


def both_directions() -> Live:
    """Rain or dry, a true and a believed probability: both divergences, at every belief and at this one."""
    figure = Figure(figsize=(12, 4.8))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.6))
    plots.plot_two_beliefs([0.5, 0.5], [0.1, 0.9], ["rain", "dry"], ax=left).set_ylim(0, 1.25)
    plots.plot_directions(0.5, 0.1, ax=right)
    left.set_yticks([0, 0.5, 1])  # few ticks: text takes most of a drawing
    right.set_xticks([0, 0.5, 1])

    def update(p: float, q: float) -> None:
        for bar, height in zip(left.patches, (p, 1 - p, q, 1 - q), strict=True):
            bar.set_height(height)
        left.set_title(f"p = {p:.2f},  q = {q:.2f}")
        plots.move_directions(right, p, q)

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
    curve = plots.plot_humps(hours, np.exp(log_p), 0 * hours, ["q: your Gaussian"], ax=axes["a"]).lines[1]
    axes["a"].set_ylim(0, 0.6)
    means, sds = np.linspace(5, 16, 67), np.geomspace(0.3, 4, 41)
    grid = np.array(np.meshgrid(means, np.log(sds)))
    places, points = {"b": ("KL(p ‖ q)", cover), "c": ("KL(q ‖ p)", seek)}, {}
    for key, (name, loss) in places.items():
        plots.plot_landscape(means, sds, loss(grid), title=name, ax=axes[key])
        points[key] = axes[key].plot([], [], "o", color=plots.Q, markeredgecolor="black", markersize=14)[0]

    def update(mean: float, sd: float) -> None:
        curve.set_ydata(norm.pdf(hours, mean, sd))
        for key, (name, loss) in places.items():
            points[key].set_data([mean], [sd])
            axes[key].set_title(f"{name} = {float(np.asarray(loss(np.array([mean, np.log(sd)])))):.3f} nats")

    hour = slider("mean of q (hour)", 5, 16, 10, step=0.1)
    width = slider("standard deviation of q (hours)", 0.3, 4, 2.6, step=0.05)
    moving = [curve, *points.values(), *(axes[key].title for key in places)]
    return Live(figure, update, moving=moving, mean=hour, sd=width)
