"""Lesson 03: look at a coffee machine, wait for the universe, and fit a Gaussian one direction at a time."""

from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from numpy.typing import ArrayLike
from scipy.stats import norm

from .. import plots
from ..arguments import array
from ..inference import NoisyOr, binary_states, enumerate_posterior, gaussian_mean_field
from .live import Live, choice, slider, steps


def diagnosis(model: NoisyOr, causes: Sequence[str], symptoms: Sequence[str], *, seen: ArrayLike) -> Live:
    """Tick the symptoms, look at the first cause, and see the exact posterior of all causes follow."""
    figure = Figure(figsize=(9, 5.6))
    array("seen", seen, (len(symptoms),))
    states, prior = binary_states(len(causes)), np.asarray(model.prior)
    ax = plots.plot_marginals(prior, causes, prior=prior, ax=figure.add_subplot())
    bars = list(ax.containers[0])
    looks = {"nobody looked": slice(None), "it is so": states[:, 0] == 1, "it is not so": states[:, 0] == 0}

    def update(look: str, **ticks: bool) -> None:
        kept = states[looks[look]]
        posterior, log_evidence = enumerate_posterior(model.log_joint(kept, list(ticks.values())))
        for bar, width in zip(bars, posterior @ kept, strict=True):
            bar.set_width(width)
        shown = [name for name, tick in zip(symptoms, ticks.values(), strict=True) if tick]
        ax.set_title("seen: " + (", ".join(shown) or "nothing unusual"), loc="left")

    controls = {
        f"symptom_{j}": widgets.Checkbox(bool(on), description=name, indent=False)
        for j, (name, on) in enumerate(zip(symptoms, np.asarray(seen), strict=True))
    }
    look = choice(f"{causes[0]}?", list(looks), value="nobody looked")
    live = Live(figure, update, look=look, **controls)
    live.children = [widgets.Box(list(controls.values()), layout=_FLOW), look, *live.children[-2:]]
    return live


def universe() -> Live:
    """MacKay's sum, each factor under a slider: how many ages of the universe does an enumeration take?"""
    figure = Figure(figsize=(11, 3.8))
    ax = plots.plot_wait(1000, [266, 40, 58], ax=figure.add_subplot())

    def update(unknowns: int, computers: int, speed: int, seconds: int) -> None:
        plots.move_wait(ax, unknowns, [computers, speed, seconds])

    controls = {
        "unknowns": steps("binary unknowns", 1500, first=25, value=1000, step=25),
        "computers": steps("computers, 2^", 300, value=266),
        "speed": steps("states a second, 2^", 80, value=40),
        "seconds": steps("seconds, 2^", 80, value=58),
    }
    return Live(figure, update, **controls)


def gaussian_steps() -> Live:
    """Mean-field on a correlated Gaussian: a step moves one factor; the correlation decides how narrow q must be."""
    figure = Figure(figsize=(11.5, 5.6))
    left, right = figure.subplots(1, 2)
    plots.plot_gaussians(np.eye(2), np.zeros((1, 2)), np.ones(2), ax=left)
    (trail,), targets, fits = left.lines[4:], left.lines[0:4:2], left.lines[1:4:2]
    z = np.linspace(-4, 4, 300)
    density, label = _densities(right, z)

    def update(rho: float, step: int) -> None:
        covariance = np.array([[1, rho], [rho, 1]])
        path, variances = gaussian_mean_field([0, 0], covariance, [2.6, -2.4], sweeps=6)
        mean = path[step]
        for line, points in zip(targets, plots.ellipses(covariance), strict=True):
            line.set_data(*points.T)
        for line, points in zip(fits, plots.ellipses(np.diag(variances), mean), strict=True):
            line.set_data(*points.T)
        trail.set_data(*path[: step + 1].T)
        curve = norm.pdf(z, mean[0], np.sqrt(variances[0]))
        density.set_ydata(curve)
        label.set_position((mean[0], curve.max() + 0.01))
        moved = "the start" if step == 0 else f"step {step}: z{'₂₁'[step % 2]} moved, the other was frozen"
        left.set_title(moved)
        right.set_title(f"variance of z₁: target 1, q {variances[0]:.2f} = 1 − ρ²")

    rho = slider("correlation ρ", -0.95, 0.95, 0.9, step=0.05)
    return Live(figure, update, rho=rho, step=steps("step", 12, value=5))


def _densities(ax: Axes, z: np.ndarray) -> tuple[Line2D, Text]:
    """Draw the marginal of the target, and give back the curve of q and its name."""
    ax.plot(z, norm.pdf(z), color=plots.P)
    (density,) = ax.plot(z, norm.pdf(z), color=plots.Q, ls="--")
    ax.set(xlabel="z₁", ylabel="density", ylim=(0, 1.4), xticks=[-4, -2, 0, 2, 4], yticks=[0, 0.5, 1])
    ax.text(2.1, 0.12, "target", fontsize=14)
    return density, ax.text(0, 0, "q", fontsize=16, ha="center", va="bottom")


_FLOW = widgets.Layout(flex_flow="row wrap", width="720px")
