"""Lesson 05: log p(x) stands still while ELBO and KL trade places, EM's bounds one by one, and a family too small."""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from ..arguments import array, number
from ..inference import elbo, enumerate_posterior
from ..linear_gaussian import LinearGaussian
from ..plots import elbo as plots
from .live import Live, slider, steps

Floats = NDArray[np.float64]


def four_causes(log_joint: ArrayLike, names: Sequence[str], start: Sequence[float]) -> Live:
    """Put a slider under the weight of each cause ``(k,)``; watch q, and the ELBO under the one log p(x)."""
    posterior, log_evidence = enumerate_posterior(array("log_joint", log_joint, (len(names),), finite=False))
    array("start", start, (len(names),), unit=True)
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    plots.plot_causes(start, posterior, names, ax=left)
    plots.plot_balance([log_evidence], log_evidence, labels=["your q"], floor=log_evidence - 5, ax=right)

    def update(**weights: float) -> None:
        q = np.array(list(weights.values())) + 1e-12
        q /= q.sum()
        for bar, height in zip(left.patches, q, strict=False):
            bar.set_height(height)
        bound = elbo(q, log_joint)
        plots.move_balance(right, [bound], log_evidence)
        right.set_title(_sum(bound, log_evidence))

    weights = {f"weight_{i}": slider(f"weight of {name}", 0, 1, start[i], step=0.02) for i, name in enumerate(names)}
    return Live(figure, update, **weights)


def em_bounds(
    log_joint: Callable[[float], Floats], m_step: Callable[[Floats], float], *, low: float, high: float, start: float
) -> Live:
    """Step through EM on one parameter: ``log_joint(theta)`` is ``(n, k)``, ``m_step(resp)`` gives the next theta."""
    theta, rounds = np.linspace(low, high, 241), 6
    joints = np.stack([log_joint(value) for value in theta])
    height = np.logaddexp.reduce(joints, axis=-1).sum(axis=-1)
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    axes = figure.subplots()

    def update(start: float, half_step: int) -> None:
        path, bounds = [start], []
        for _ in range(half_step // 2 + 1):
            joint = log_joint(path[-1])
            log_resp = joint - np.logaddexp.reduce(joint, axis=-1)[:, None]
            bounds.append((np.exp(log_resp) * (joints - log_resp)).sum(axis=(1, 2)))
            path.append(m_step(np.exp(log_resp)))
        t, maximised = divmod(half_step, 2)
        axes.clear()
        plots.plot_em_bounds(theta, height, bounds, path[: t + 1 + maximised], ax=axes)
        done = "M step: highest" if maximised else "E step: touches"
        reached = np.interp(path[t + maximised], theta, height)
        axes.set_title(f"{done} at θ = {path[t + maximised]:.2f},   log p(x; θ) = {plots.nats(reached)}")

    half_step = steps("half-step", 2 * rounds - 1, value=3)
    return Live(figure, update, start=slider("start θ₀", low, high, start, step=0.1), half_step=half_step)


def one_latent(model: LinearGaussian, x: ArrayLike) -> Live:
    """Move a Gaussian q over the one latent of a linear-Gaussian ``model`` that has seen ``x`` ``(1, d)``."""
    z, log_evidence = np.linspace(-4, 4, 401), model.log_evidence(x).item()
    mu, covariance = model.posterior(x)
    true = norm.pdf(z, mu.item(), np.sqrt(covariance.item()))
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    plots.plot_beliefs(z, true, norm.pdf(z), prior=norm.pdf(z), ax=left).set(ylim=(0, 1.5 * true.max()), yticks=[])
    plots.plot_balance([log_evidence], log_evidence, labels=["your q"], floor=log_evidence - 8, ax=right)

    def update(mean: float, sd: float) -> None:
        left.lines[1].set_ydata(norm.pdf(z, mean, sd))
        fit, price = (term.item() for term in model.elbo_terms(x, [mean], [[sd**2]]))
        plots.move_balance(right, [fit - price], log_evidence)
        left.set_title(f"fit {plots.nats(fit)}  −  price {plots.nats(price)}  =  ELBO {plots.nats(fit - price)}")
        right.set_title(_sum(fit - price, log_evidence))

    mean, sd = slider("mean μ of q", -2, 3, 0), slider("standard deviation σ of q", 0.1, 1.5, 1)
    return Live(figure, update, mean=mean, sd=sd)


def factorised(noise: float = 0.6) -> Live:
    """Change the noise of x = z₁ + z₂ + noise: the posterior's correlation, the best factorised q, and the gap."""
    correlations = np.linspace(0, 0.97, 200)
    number("noise", noise, above=0)
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    plots.plot_factorised(np.eye(2), np.eye(2), ax=left).set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
    plots.plot_gap(correlations, -np.log(1 - correlations**2) / 2, ax=right)

    def update(noise: float) -> None:
        model = LinearGaussian(np.ones((1, 2)), np.zeros(1), noise**2)
        mu, covariance = model.posterior([[0.0]])
        q = np.diag(1 / np.diag(np.linalg.inv(covariance)))
        for line, curve in zip(left.lines, (*plots.ellipses(covariance), *plots.ellipses(q)), strict=True):
            line.set_data(*curve.T)
        size, gap = -covariance[0, 1] / covariance[0, 0], model.gap([[0.0]], mu, q).item()
        right.lines[1].set_data([size], [gap])
        left.set_title(f"correlation of the posterior: {plots.nats(-size)}")
        right.set_title(f"gap at the optimum: {gap:.3f} nats")

    return Live(figure, update, noise=slider("noise σ", 0.25, 3, noise))


def _sum(elbo: float, log_evidence: float) -> str:
    return f"ELBO {plots.nats(elbo)}  +  KL {plots.nats(log_evidence - elbo)}  =  {plots.nats(log_evidence)}"
