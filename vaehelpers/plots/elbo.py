"""Lesson 05: the evidence and its lower bound, EM's bounds, families too small, and two ways to a gradient."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ..arguments import array, number
from .style import BOUND, DATA, POSTERIOR, PRIOR, P, Q


def plot_balance(
    elbos: ArrayLike, log_evidence: float, *, labels: Sequence[str], floor: float, ax: Axes | None = None
) -> Axes:
    """Stack ELBO ``(k,)`` and KL for each of k beliefs up to the one log p(x), from ``floor`` upwards."""
    places = np.arange(len(labels))
    array("elbos", elbos, places.shape), number("log_evidence", log_evidence, above=number("floor", floor))
    ax = ax or plt.subplots(figsize=(3 + 2.2 * len(labels), 5))[1]
    ax.bar(places, 1, 0.4, color=BOUND)
    ax.bar(places, 1, 0.4, color="white", edgecolor=Q, hatch="//", linewidth=2)
    ax.axhline(log_evidence, color=P, linewidth=3)
    for place in (*places, *places):
        ax.text(place + 0.24, 0, "", va="center")
    ax.text(places[-1] + 0.75, log_evidence, "log p(x)", color=P, ha="right", va="bottom", weight="bold")
    ax.set(xlim=(-0.4, places[-1] + 0.75), xticks=places, xticklabels=labels, ylabel="nats")
    ax.set_ylim(floor, log_evidence + 0.1 * (log_evidence - floor))
    move_balance(ax, elbos, log_evidence)
    return ax


def move_balance(ax: Axes, elbos: ArrayLike, log_evidence: float) -> None:
    """Bring the bars and numbers of ``plot_balance`` to other ELBOs ``(k,)``."""
    bounds = np.atleast_1d(np.asarray(elbos, float))
    floor, k = ax.get_ylim()[0], len(bounds)
    for i, elbo in enumerate(bounds):
        seen = max(elbo, floor)
        ax.patches[i].set(y=floor, height=seen - floor)
        ax.patches[k + i].set(y=seen, height=log_evidence - seen)
        ax.texts[i].set(
            y=(floor + seen) / 2, text=f"ELBO\n{nats(elbo)}" if seen - floor > 0.1 * (log_evidence - floor) else ""
        )
        ax.texts[k + i].set(y=min((seen + log_evidence) / 2, log_evidence - 0.06 * (log_evidence - floor)))
        ax.texts[k + i].set_text(f"KL {nats(max(log_evidence - elbo, 0))}")


def nats(value: float) -> str:
    """Write a number of nats to three places, with a minus sign that can be seen."""
    return f"{value:.3f}".replace("-", "−")


def plot_causes(q: ArrayLike, posterior: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show a belief q beside the posterior, each ``(k,)``, as two bars for each cause."""
    ax = ax or plt.subplots(figsize=(7, 4.5))[1]
    places = np.arange(len(names))
    belief, true = array("q", q, places.shape), array("posterior", posterior, places.shape)
    ax.bar(places - 0.2, belief, 0.4, color="white", edgecolor=Q, hatch="//", linewidth=2, label="q(z)")
    ax.bar(places + 0.2, true, 0.4, color=POSTERIOR, label="p(z | x)")
    ax.set(xticks=places, xticklabels=names, ylim=(0, 1), ylabel="probability")
    ax.legend(loc="upper right")
    return ax


def plot_two_signs(elbos: ArrayLike, kls: ArrayLike, log_evidence: float, *, ax: Axes | None = None) -> Axes:
    """Plot ELBO + KL and ELBO - KL, each ``(n,)``, against the KL of n random beliefs."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    elbo = array("elbos", elbos, ("n",))
    kl = array("kls", kls, elbo.shape)
    ax.axhline(number("log_evidence", log_evidence), color=P, linewidth=6, alpha=0.35)
    ax.plot(kl, elbo + kl, ".", color=DATA, markersize=4)
    ax.plot(kl, elbo - kl, "x", color=Q, markersize=5)
    end = kl.max()
    ax.text(end, log_evidence + 0.15, "ELBO + KL (dots): always log p(x)", ha="right", va="bottom")
    ax.text(0, elbo.min() - kl.max(), "ELBO − KL (crosses):\na different number for every q", va="bottom")
    ax.set(xlabel="KL(q, p(z | x)) in nats", ylabel="nats", ylim=(None, log_evidence + 1.2))
    return ax


def plot_half_steps(
    bounds: ArrayLike, log_likelihoods: ArrayLike, kinds: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Plot the ELBO and log p(x) after each half-step of EM, all ``(n,)``; the gap between them is the KL."""
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    steps = np.arange(len(kinds))
    bound = array("bounds", bounds, steps.shape)
    height = array("log_likelihoods", log_likelihoods, steps.shape)
    ax.vlines(steps, bound, height, color=Q, linestyle=(0, (2, 1)), linewidth=3)
    ax.plot(steps, height, "o-", color=P, markersize=8)
    ax.plot(steps, bound, "s--", color=BOUND, markersize=5)
    ax.annotate("log p(x; θ)", (steps[1], height[1]), (0, 14), textcoords="offset points", color=P, ha="right")
    ax.annotate("ELBO", (steps[1], bound[1]), (10, -16), textcoords="offset points", color=BOUND)
    ax.set(xticks=steps, xticklabels=kinds, xlabel="half-step (what was done last)", ylabel="nats")
    return ax


def plot_em_bounds(
    theta: ArrayLike, log_likelihood: ArrayLike, bounds: ArrayLike, path: ArrayLike, *, ax: Axes | None = None
) -> Axes:
    """Plot log p(x; θ) ``(n,)`` and EM's bounds ``(steps, n)``, touching at ``path[t]``, highest at ``path[t + 1]``."""
    ax = ax or plt.subplots(figsize=(10, 5.6))[1]
    grid, where = array("theta", theta, ("n",)), array("path", path, ("steps",))
    height = array("log_likelihood", log_likelihood, grid.shape)
    low, high = height.min(), height.max()
    ax.plot(grid, height, color=P, linewidth=3)
    peak = (grid[height.argmax()], high)
    ax.annotate("log p(x; θ)", peak, (0, 8), textcoords="offset points", color=P, ha="center")
    for t, place in enumerate(where):
        ax.vlines(place, low - (high - low), np.interp(place, grid, height), color="0.6", linestyle=":")
        ax.annotate(f"θ$_{t}$", (place, 0), (4, 6), xycoords=("data", "axes fraction"), textcoords="offset points")
    for t, bound in enumerate(array("bounds", bounds, ("steps", len(grid)))):
        ax.plot(grid, bound, "--", color=BOUND)
        ax.plot(where[t], np.interp(where[t], grid, height), "o", color=BOUND, markersize=10)
        if t + 1 < len(where):
            top = (where[t + 1], bound.max())
            ax.plot(*top, "^", color=BOUND, markersize=10)
            ax.annotate(f"$g_{t}$", top, (0, -26), textcoords="offset points", color=BOUND, ha="center")
    ax.set(xlabel="θ, the parameter", ylabel="nats", ylim=(low - 0.1 * (high - low), high + 0.12 * (high - low)))
    return ax


def plot_beliefs(
    z: ArrayLike, posterior: ArrayLike, q: ArrayLike, *, prior: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Plot densities ``(n,)`` over one latent: the posterior solid, q dashed and the prior dotted."""
    ax = ax or plt.subplots(figsize=(8, 4.5))[1]
    x = array("z", z, ("n",))
    ax.plot(x, array("posterior", posterior, x.shape), color=POSTERIOR, linewidth=3, label="posterior p(z | x)")
    ax.plot(x, array("q", q, x.shape), "--", color=Q, linewidth=3, label="q(z)")
    if prior is not None:
        ax.plot(x, array("prior", prior, x.shape), ":", color=PRIOR, linewidth=3, label="prior p(z)")
    ax.set(xlabel="z", ylabel="density", ylim=(0, None))
    ax.legend(loc="upper left")
    return ax


def plot_factorised(cov_p: ArrayLike, cov_q: ArrayLike, *, mu: ArrayLike = (0, 0), ax: Axes | None = None) -> Axes:
    """Draw the posterior and q, two Gaussians ``(2, 2)`` about one mean, at one and two standard deviations."""
    ax = ax or plt.subplots(figsize=(6, 6))[1]
    array("cov_p", cov_p, (2, 2)), array("cov_q", cov_q, (2, 2))
    for cov, color, style, name in ((cov_p, POSTERIOR, "-", "posterior"), (cov_q, Q, "--", "factorised q")):
        for i, curve in enumerate(ellipses(cov, mu)):
            ax.plot(*curve.T, style, color=color, linewidth=3, label=name if i == 0 else None)
    ax.set(xlabel="z₁", ylabel="z₂", aspect="equal")
    ax.legend(loc="upper right")
    return ax


def ellipses(cov: ArrayLike, mu: ArrayLike = (0, 0)) -> tuple[np.ndarray, np.ndarray]:
    """Return the points ``(n, 2)`` one and two standard deviations from ``mu``.

    Raises ``ValueError`` when ``cov`` is not ``(2, 2)`` and positive definite, or ``mu`` not ``(2,)``.
    """
    try:
        root = np.linalg.cholesky(array("cov", cov, (2, 2)))
    except np.linalg.LinAlgError:
        raise ValueError(f"cov: need a positive definite covariance, got {cov!r}") from None
    centre = array("mu", mu, (2,))
    angle = np.linspace(0, 2 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ root.T
    return circle + centre, 2 * circle + centre


def plot_gap(correlations: ArrayLike, gaps: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot the gap of the best factorised q ``(n,)`` against the posterior's correlation, a dot at no gap."""
    ax = ax or plt.subplots(figsize=(7, 5))[1]
    x = array("correlations", correlations, ("n",))
    ax.plot(x, array("gaps", gaps, x.shape), color=Q, linewidth=3)
    ax.plot(0, 0, "o", color=Q, markersize=13)
    ax.set(xlabel="size of the posterior's correlation", ylabel="log p(x) − best ELBO, in nats", ylim=(-0.05, None))
    return ax


def plot_gradients(estimates: Mapping[str, ArrayLike], truth: float, *, ax: Axes | None = None) -> Axes:
    """Show how one-draw estimates ``(n,)`` of a gradient scatter about the true one, a row for each way."""
    ax = ax or plt.subplots(figsize=(9, 4.5))[1]
    for row, (values, color) in enumerate(zip(estimates.values(), (Q, DATA), strict=False)):
        shown = array("estimates", values, ("n",))
        ax.plot(shown[:400], row + np.linspace(-0.25, 0.25, len(shown[:400])), "o", color=color, markersize=3)
        ax.plot(shown.mean(), row, "D", color="black", markersize=10)
    ax.axvline(number("truth", truth), color=P, linewidth=3)
    ax.set(yticks=range(len(estimates)), yticklabels=list(estimates), ylim=(-0.5, len(estimates) - 0.5))
    ax.set_xlabel("one estimate of the gradient (dots), their mean (diamond), the truth (line)")
    return ax


def plot_gradient_variances(sizes: ArrayLike, variances: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Plot the measured variance ``(n,)`` of each way to the gradient against the number of latents, on a log scale."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    for (name, values), color, mark in zip(variances.items(), (Q, DATA), ("o--", "s-"), strict=False):
        x = array("sizes", sizes, ("n",))
        y = array("variances", values, x.shape)
        ax.plot(x, y, mark, color=color)
        ax.annotate(name, (x[-1], y[-1]), (0, 10), textcoords="offset points", ha="right")
    ax.set(yscale="log", xlabel="number of latents", ylabel="variance of one estimate")
    return ax
