"""Lesson 05: the ELBO: figures, sliders and checks."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from ..inference import elbo, enumerate_posterior
from ..linear_gaussian import LinearGaussian
from ..plots import BOUND, DATA, POSTERIOR, PRIOR, P, Q, ellipses
from .judge import Result, judge, judge_function
from .live import Live, slider, steps

# Figures


def plot_balance(
    elbos: ArrayLike, log_evidence: float, *, labels: Sequence[str], floor: float, ax: Axes | None = None
) -> Axes:
    """Stack ELBO ``(k,)`` and KL of k distributions q up to log p(x), from ``floor`` upwards."""
    ax = ax or plt.subplots(figsize=(3 + 2.2 * len(labels), 5))[1]
    room, last = log_evidence - floor, len(labels) - 1
    for place, bound in enumerate(np.asarray(elbos)):
        top = max(bound, floor)
        ax.bar(place, top - floor, 0.4, floor, color=BOUND)
        ax.bar(place, log_evidence - top, 0.4, top, color="white", edgecolor=Q, hatch="//", linewidth=2)
        if top - floor > 0.1 * room:
            ax.text(place + 0.24, (floor + top) / 2, f"ELBO\n{nats(bound)}", va="center")
        middle = min((top + log_evidence) / 2, log_evidence - 0.06 * room)
        ax.text(place + 0.24, middle, f"KL {nats(max(log_evidence - bound, 0))}", va="center")
    ax.axhline(log_evidence, color=P, linewidth=3)
    ax.text(last + 0.75, log_evidence, "log p(x)", color=P, ha="right", va="bottom", weight="bold")
    ax.set(xlim=(-0.4, last + 0.75), ylim=(floor, log_evidence + 0.1 * room), ylabel="nats")
    ax.set_xticks(range(len(labels)), labels)
    return ax


def nats(value: float) -> str:
    """Write a number of nats to three places, with a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def plot_causes(q: ArrayLike, posterior: ArrayLike, names: Sequence[str], *, ax: Axes | None = None) -> Axes:
    """Show q beside the posterior, each ``(k,)``, as two bars for each cause."""
    ax = ax or plt.subplots(figsize=(7, 4.5))[1]
    places = np.arange(len(names))
    ax.bar(places - 0.2, q, 0.4, color="white", edgecolor=Q, hatch="//", linewidth=2, label="q(z)")
    ax.bar(places + 0.2, posterior, 0.4, color=POSTERIOR, label="p(z | x)")
    ax.set(xticks=places, xticklabels=names, ylim=(0, 1), ylabel="probability")
    ax.legend(loc="upper right")
    return ax


def plot_two_signs(elbos: ArrayLike, kls: ArrayLike, log_evidence: float, *, ax: Axes | None = None) -> Axes:
    """Plot ELBO + KL and ELBO - KL, each ``(n,)``, against the KL of n random distributions q."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    bounds, kl = np.asarray(elbos), np.asarray(kls)
    ax.axhline(log_evidence, color=P, linewidth=6, alpha=0.35)
    ax.plot(kl, bounds + kl, ".", color=DATA, markersize=4)
    ax.plot(kl, bounds - kl, "x", color=Q, markersize=5)
    ax.text(kl.max(), log_evidence + 0.15, "ELBO + KL (dots): always log p(x)", ha="right", va="bottom")
    ax.text(0, bounds.min() - kl.max(), "ELBO − KL (crosses):\na different number for every q", va="bottom")
    ax.set(xlabel="KL(q, p(z | x)) in nats", ylabel="nats", ylim=(None, log_evidence + 1.2))
    return ax


def plot_half_steps(
    bounds: ArrayLike, log_likelihoods: ArrayLike, kinds: Sequence[str], *, ax: Axes | None = None
) -> Axes:
    """Plot the ELBO and log p(x) after each half-step of EM, all ``(n,)``; the gap between them is the KL."""
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    steps, bound, height = np.arange(len(kinds)), np.asarray(bounds), np.asarray(log_likelihoods)
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
    grid, height, where = np.asarray(theta), np.asarray(log_likelihood), np.asarray(path)
    low, high = height.min(), height.max()
    ax.plot(grid, height, color=P, linewidth=3)
    peak = (grid[height.argmax()], high)
    ax.annotate("log p(x; θ)", peak, (0, 8), textcoords="offset points", color=P, ha="center")
    for t, place in enumerate(where):
        ax.vlines(place, low - (high - low), np.interp(place, grid, height), color="0.6", linestyle=":")
        ax.annotate(f"θ$_{t}$", (place, 0), (4, 6), xycoords=("data", "axes fraction"), textcoords="offset points")
    for t, bound in enumerate(np.asarray(bounds)):
        ax.plot(grid, bound, "--", color=BOUND)
        ax.plot(where[t], np.interp(where[t], grid, height), "o", color=BOUND, markersize=10)
        if t + 1 < len(where):
            top = (where[t + 1], bound.max())
            ax.plot(*top, "^", color=BOUND, markersize=10)
            ax.annotate(f"$g_{t}$", top, (0, -26), textcoords="offset points", color=BOUND, ha="center")
    ax.set(xlabel="θ, the parameter", ylabel="nats", ylim=(low - 0.1 * (high - low), high + 0.12 * (high - low)))
    return ax


def plot_distributions(
    z: ArrayLike, posterior: ArrayLike, q: ArrayLike, *, prior: ArrayLike | None = None, ax: Axes | None = None
) -> Axes:
    """Plot densities ``(n,)`` over one latent: the posterior solid, q dashed and the prior dotted."""
    ax = ax or plt.subplots(figsize=(8, 4.5))[1]
    ax.plot(z, posterior, color=POSTERIOR, linewidth=3, label="posterior p(z | x)")
    ax.plot(z, q, "--", color=Q, linewidth=3, label="q(z)")
    if prior is not None:
        ax.plot(z, prior, ":", color=PRIOR, linewidth=3, label="prior p(z)")
    ax.set(xlabel="z", ylabel="density", ylim=(0, None))
    ax.legend(loc="upper left")
    return ax


def plot_factorised(cov_p: ArrayLike, cov_q: ArrayLike, *, mu: ArrayLike = (0, 0), ax: Axes | None = None) -> Axes:
    """Plot the posterior and q, Gaussians ``(2, 2)`` with one mean, at one and two standard deviations."""
    ax = ax or plt.subplots(figsize=(6, 6))[1]
    for cov, color, style, name in ((cov_p, POSTERIOR, "-", "posterior"), (cov_q, Q, "--", "factorised q")):
        for i, curve in enumerate(ellipses(cov, mu)):
            ax.plot(*curve.T, style, color=color, linewidth=3, label=name if i == 0 else None)
    ax.set(xlabel="z₁", ylabel="z₂", aspect="equal")
    ax.legend(loc="upper right")
    return ax


def plot_gap(correlation: float, gap: float, *, ax: Axes | None = None) -> Axes:
    """Plot the gap of the best factorised q over the posterior's correlation ρ, and one point on the curve.

    For two latents of equal variance the gap is -log(1 - ρ²) / 2 nats, the mutual information of the posterior.
    """
    ax = ax or plt.subplots(figsize=(7, 5))[1]
    rho = np.linspace(0, 0.97, 200)
    ax.plot(rho, -np.log(1 - rho**2) / 2, color=Q, linewidth=3)
    ax.plot(correlation, gap, "o", color=Q, markersize=13)
    ax.set(xlabel="size of the posterior's correlation", ylabel="log p(x) − best ELBO, in nats", ylim=(-0.05, None))
    return ax


def plot_gradients(estimates: Mapping[str, ArrayLike], truth: float, *, ax: Axes | None = None) -> Axes:
    """Plot one-sample estimates ``(n,)`` of a gradient, a row for each estimator, with their mean and the true one."""
    ax = ax or plt.subplots(figsize=(9, 4.5))[1]
    for row, (values, color) in enumerate(zip(estimates.values(), (Q, DATA), strict=False)):
        given = np.asarray(values)
        shown = given[:400]
        ax.plot(shown, row + np.linspace(-0.25, 0.25, len(shown)), "o", color=color, markersize=3)
        ax.plot(given.mean(), row, "D", color="black", markersize=10)
    ax.axvline(truth, color=P, linewidth=3)
    ax.set(yticks=range(len(estimates)), yticklabels=list(estimates), ylim=(-0.5, len(estimates) - 0.5))
    ax.set_xlabel("one estimate of the gradient (dots), their mean (diamond), the truth (line)")
    return ax


def plot_gradient_variances(sizes: ArrayLike, variances: Mapping[str, ArrayLike], *, ax: Axes | None = None) -> Axes:
    """Plot the variance ``(n,)`` of each gradient estimator against the number of latents, on a log scale."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    for (name, values), color, mark in zip(variances.items(), (Q, DATA), ("o--", "s-"), strict=False):
        x, y = np.asarray(sizes), np.asarray(values)
        ax.plot(x, y, mark, color=color)
        ax.annotate(name, (x[-1], y[-1]), (0, 10), textcoords="offset points", ha="right")
    ax.set(yscale="log", xlabel="number of latents", ylabel="variance of one estimate")
    return ax


# Sliders


def four_causes(log_joint: ArrayLike, names: Sequence[str], start: Sequence[float]) -> Live:
    """Choose the weight of each cause ``(k,)``; q and its ELBO below log p(x) follow."""
    posterior, log_evidence = enumerate_posterior(log_joint)
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))

    def update(**weights: float) -> None:
        q = np.array(list(weights.values())) + 1e-12
        q /= q.sum()
        bound = elbo(q, log_joint)
        plot_causes(q, posterior, names, ax=left)
        plot_balance([bound], log_evidence, labels=["your q"], floor=log_evidence - 5, ax=right)
        right.set_title(_sum(bound, log_evidence))

    weights = {f"weight_{i}": slider(f"weight of {name}", 0, 1, start[i], step=0.02) for i, name in enumerate(names)}
    return Live(figure, update, **weights)


def em_bounds(
    log_joint: Callable[[float], NDArray], m_step: Callable[[NDArray], float], *, low: float, high: float, start: float
) -> Live:
    """Step through EM on one parameter: ``log_joint(theta)`` is ``(n, k)``, ``m_step(resp)`` gives the next theta."""
    theta, rounds = np.linspace(low, high, 241), 6
    joints = np.stack([log_joint(value) for value in theta])
    height = np.logaddexp.reduce(joints, axis=-1).sum(axis=-1)
    figure = Figure(figsize=(11, 5.6), layout="constrained")
    ax = figure.subplots()

    def update(start: float, half_step: int) -> None:
        path, bounds = [start], []
        for _ in range(half_step // 2 + 1):
            joint = log_joint(path[-1])
            log_resp = joint - np.logaddexp.reduce(joint, axis=-1)[:, None]
            bounds.append((np.exp(log_resp) * (joints - log_resp)).sum(axis=(1, 2)))
            path.append(m_step(np.exp(log_resp)))
        t, maximised = divmod(half_step, 2)
        plot_em_bounds(theta, height, bounds, path[: t + 1 + maximised], ax=ax)
        done = "M-step: highest" if maximised else "E-step: touches"
        reached = np.interp(path[t + maximised], theta, height)
        ax.set_title(f"{done} at θ = {path[t + maximised]:.2f},   log p(x; θ) = {nats(reached)}")

    half_step = steps("half-step", 2 * rounds - 1, value=3)
    return Live(figure, update, start=slider("start θ₀", low, high, start, step=0.1), half_step=half_step)


def one_latent(model: LinearGaussian, x: ArrayLike) -> Live:
    """Move a Gaussian q over the one latent of a linear-Gaussian ``model`` given ``x (1, d)``."""
    z, log_evidence = np.linspace(-4, 4, 401), model.log_evidence(x).item()
    mu, covariance = model.posterior(x)
    posterior = norm.pdf(z, mu.item(), np.sqrt(covariance.item()))
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))

    def update(mean: float, sd: float) -> None:
        reconstruction, kl = (term.item() for term in model.elbo_terms(x, [mean], [[sd**2]]))
        bound = reconstruction - kl
        plot_distributions(z, posterior, norm.pdf(z, mean, sd), prior=norm.pdf(z), ax=left)
        left.set(ylim=(0, 1.5 * posterior.max()), yticks=[])
        left.set_title(f"reconstruction term {nats(reconstruction)} − KL {nats(kl)} = ELBO {nats(bound)}")
        plot_balance([bound], log_evidence, labels=["your q"], floor=log_evidence - 8, ax=right)
        right.set_title(_sum(bound, log_evidence))

    mean, sd = slider("mean μ of q", -2, 3, 0), slider("standard deviation σ of q", 0.1, 1.5, 1)
    return Live(figure, update, mean=mean, sd=sd)


def factorised(noise: float = 0.6) -> Live:
    """Change the noise of x = z₁ + z₂ + noise: the posterior's correlation, the best factorised q, and the gap."""
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2)

    def update(noise: float) -> None:
        model = LinearGaussian(np.ones((1, 2)), np.zeros(1), noise**2)
        mu, covariance = model.posterior([[0.0]])
        q = np.diag(1 / np.diag(np.linalg.inv(covariance)))
        rho, gap = covariance[0, 1] / covariance[0, 0], model.gap([[0.0]], mu, q).item()
        plot_factorised(covariance, q, ax=left).set(xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
        left.set_title(f"correlation of the posterior: {nats(rho)}")
        plot_gap(-rho, gap, ax=right).set_title(f"gap at the optimum: {gap:.3f} nats")

    return Live(figure, update, noise=slider("noise σ", 0.25, 3, noise))


def _sum(elbo: float, log_evidence: float) -> str:
    return f"ELBO {nats(elbo)} + KL {nats(log_evidence - elbo)} = {nats(log_evidence)}"


# Checks


def check_elbo_sign(answer: Any) -> Result:
    """Exercise 1: the ELBO when log p(x) = -90 and KL(q, p(z | x)) = 4."""
    mistakes = {
        "That lies above log p(x), and a lower bound cannot. It is what the sign in the lecture notes gives.": -86,
        "Mind the sign of log p(x): the image is improbable, so its logarithm is far below zero.": 94,
        "That would be the bound of a perfect q, with KL = 0.": -90,
    }
    return judge(answer, -94, praise="the bound lies 4 nats below log p(x).", mistakes=mistakes)


def check_elbo_by_hand(answer: Any) -> Result:
    """Exercise 2: the ELBO of a model with p(z) = (3/4, 1/4), p(x | z) = (1/6, 1/2) and q = (1/3, 2/3)."""
    q, prior, likelihood = np.array([1, 2]) / 3, np.array([3, 1]) / 4, np.array([1 / 6, 1 / 2])
    energy, entropy = q @ np.log(prior * likelihood), -q @ np.log(q)
    right, evidence = energy + entropy, np.log(prior @ likelihood)
    mistakes = {
        "That looks like bits. The course counts in nats: take the natural logarithm.": right / np.log(2),
        "The entropy of q has the wrong sign: the ELBO *gains* when q keeps its options open.": energy - entropy,
        "That is E[log p(x, z)] alone. What does q itself contribute?": energy,
        "That is log p(x): what the ELBO would be if q were the posterior. Average under the given q.": evidence,
        "That lies above log p(x). It is log p(x) + KL, the sign of the notes.": 2 * evidence - right,
        "That is the reconstruction term alone. Subtract the KL from the prior.": q @ np.log(likelihood),
        "Weight each logarithm by q(z): you have added them up with equal weights of 1.": np.log(
            prior * likelihood / q
        ).sum(),
        "The regularizer is KL(q, p(z)): q comes first, and the average is under q.": q @ np.log(likelihood)
        - _kl(prior, q),
        "An ELBO of a table is never positive: mind the sign of the logarithms.": -right,
    }
    praise = "about −1.443, below log p(x) = log 1/4, as it must."
    return judge(answer, right, praise=praise, mistakes=mistakes, tolerance=2e-3)


def check_reconstruction_and_kl(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``reconstruction_and_kl(q, prior, likelihood)`` for one table, as two numbers."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Both look like bits: use the natural logarithm.": lambda q, p, x: [q @ np.log2(x), _kl(q, p) / np.log(2)],
        "Both numbers are right. Return the reconstruction term first, then the KL.":
            lambda q, p, x: [_kl(q, p), q @ np.log(x)],
        "That is their difference, the ELBO. Return the two as a pair.": lambda q, p, x: q @ np.log(x) - _kl(q, p),
        "The reconstruction term is right. The KL is the wrong way round: average under q.":
            lambda q, p, x: [q @ np.log(x), _kl(p, q)],
        "The reconstruction term is right. The KL has the wrong sign: it cannot be negative.":
            lambda q, p, x: [q @ np.log(x), -_kl(q, p)],
        "The reconstruction term is an average under q. You have added up all causes with the same weight.":
            lambda q, p, x: [np.log(x).sum(), _kl(q, p)],
        "The reconstruction term is an average under q. You have averaged all causes with the same weight.":
            lambda q, p, x: [np.log(x).mean(), _kl(q, p)],
        "The reconstruction term is an average under q. You have averaged under the prior.":
            lambda q, p, x: [p @ np.log(x), _kl(q, p)],
        "The reconstruction term has p(x | z), not p(x, z): the prior belongs to the KL.":
            lambda q, p, x: [q @ np.log(p * x), _kl(q, p)],
        "Take the logarithm first and average then, not the other way round.":
            lambda q, p, x: [np.log(q @ x), _kl(q, p)],
    }  # fmt: skip
    cases = [
        (np.array([0.1, 0.6, 0.3]), np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.4, 0.25])),
        (np.array([0.35, 0.2, 0.05, 0.4]), np.array([0.1, 0.45, 0.2, 0.25]), np.array([0.3, 0.02, 0.6, 0.15])),
    ]
    return judge_function(
        function,
        lambda q, p, x: [q @ np.log(x), _kl(q, p)],
        cases,
        praise="reconstruction term minus KL is the ELBO.",
        mistakes=mistakes,
    )


def check_new_weight(function: Callable[..., Any]) -> Result:
    """Exercise 4: the M-step for the weight of the second component, from responsibilities ``(n, 2)``."""
    seconds = [np.array([0.9, 0.2, 0.6, 0.7, 0.4]), np.array([0.35, 0.8, 0.05, 0.55, 0.3, 0.2, 0.45])]
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the number of nights, not their share: a weight lies between 0 and 1.": lambda r: r[:, 1].sum(),
        "You have made the assignments hard. EM counts a night that is 60 % wind as 0.6 of a night.": lambda r: np.mean(
            r[:, 1] > 0.5
        ),
        "Give the weight as a number between 0 and 1, not in percent.": lambda r: 100 * r[:, 1].mean(),
        "That is the weight of the first component.": lambda r: r[:, 0].mean(),
        "Those are odds: second against first. Divide by all nights.": lambda r: r[:, 1].sum() / r[:, 0].sum(),
        "That is the mean of both columns together, which is always ½. Take column 1 alone.": lambda r: r.mean(),
        "Those are the weights of both components. Return that of the second alone.": lambda r: r.mean(axis=0),
    }
    cases = [(np.stack([1 - second, second], axis=1),) for second in seconds]
    praise = "the new weight is the mean responsibility."
    return judge_function(function, lambda r: r[:, 1].mean(), cases, praise=praise, mistakes=mistakes)


def check_expected_log_likelihood(function: Callable[..., Any]) -> Result:
    """Exercise 5: E[log N(x; w z, s²)] under q = N(mu, sd²), as ``expected_log_likelihood(x, w, s, mu, sd)``."""

    def fit(x: float, w: float, s: float, mu: float, sd: float) -> float:
        return float(norm.logpdf(x, w * mu, s) - (w * sd / s) ** 2 / 2)

    def constant(s: float) -> float:
        return float(-np.log(2 * np.pi * s**2) / 2)

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "z is not the mean of q: the average depends on the variance of q too.": lambda x, w, s, mu, sd: norm.logpdf(
            x, w * mu, s
        ),
        "A factor ½ is missing in front of the squares.": lambda x, w, s, mu, sd: (
            2 * fit(x, w, s, mu, sd) - constant(s)
        ),
        "The ½ belongs to the logarithm too: log s is half of log s².": lambda x, w, s, mu, sd: (
            fit(x, w, s, mu, sd) + constant(s)
        ),
        "The variance of w z is w² times that of z.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) - w * (sd / s) ** 2 / 2
        ),
        "A variance is σ²: you have used σ itself for the variance of q.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) - (w / s) ** 2 * sd / 2
        ),
        "s is a standard deviation: the variance of x is s².": lambda x, w, s, mu, sd: fit(x, w, np.sqrt(s), mu, sd),
        "The constant −½ log(2π s²) is missing.": lambda x, w, s, mu, sd: fit(x, w, s, mu, sd) - constant(s),
        "That is the logarithm of the average density; we need the average of the logarithm.": (
            lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, np.hypot(s, w * sd))
        ),
        "The variance of q lowers the average: its sign is wrong.": lambda x, w, s, mu, sd: (
            norm.logpdf(x, w * mu, s) + (w * sd / s) ** 2 / 2
        ),
    }
    cases = [(1.3, 2.2, 0.6, 0.4, 0.35), (-0.7, 0.45, 1.7, 1.9, 2.6)]
    return judge_function(
        function, fit, cases, praise="a wide q lowers the reconstruction term as well.", mistakes=mistakes
    )


def check_sd_gradient(function: Callable[..., Any]) -> Result:
    """Exercise 6: the reparameterised gradient of E[f(z)] in sd, as ``sd_gradient(slope, mu, sd, eps)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the gradient with respect to mu. How much does z move when sd grows a little?": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps))
        ),
        "You have added the draws up; an expectation is their mean.": (
            lambda slope, mu, sd, eps: np.sum(slope(mu + sd * eps) * eps)
        ),
        "Those are the estimates from single draws. Return their mean.": (
            lambda slope, mu, sd, eps: slope(mu + sd * eps) * eps
        ),
        "z = mu + sd · eps grows by eps, not by sd · eps, for each unit of sd.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) * sd
        ),
        "The slope belongs at the drawn z, not at the mean of q.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu) * eps)
        ),
        "sd is the standard deviation already: z = mu + sd · eps.": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd**2 * eps) * eps)
        ),
        "That is the gradient with respect to the variance sd².": (
            lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) / (2 * sd)
        ),
    }
    cases = [(np.cos, 0.3, 0.4, np.array([-1.2, 0.1, 0.8, 2.0])), (np.exp, -0.6, 1.3, np.array([0.5, -0.9, -2.1]))]
    return judge_function(
        function,
        lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps),
        cases,
        praise="the chain rule through z = mu + sd · eps.",
        mistakes=mistakes,
    )


def check_climb(function: Callable[..., Any]) -> Result:
    """Exercise 7: stochastic ascent to N(0.7, 0.5²) and to N(-1.2, 1.5²), as ``climb(slope, eps)`` -> (mu, sd)."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "Your q keeps shrinking towards a point. Which term of the ELBO rewards its width?": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull * sd))
        ),
        "Your q has shrunk to a point. Is the entropy of q, log σ, added and not subtracted?": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull * sd - 1))
        ),
        "How fast does z move when log σ moves? The factor sd of dz/d(log σ) is missing.": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull + 1))
        ),
        "That is the gradient with respect to σ. With respect to log σ, all of it is σ times that.": (
            lambda slope, eps: _second_half(_climb(slope, eps, lambda pull, sd: pull + 1 / sd))
        ),
        "Draw z once in each step: both gradients belong to the same z, before mu has moved.": (
            lambda slope, eps: _second_half(_climb(slope, eps, again=True))
        ),
        "The second number is σ². Return σ.": lambda slope, eps: _second_half(_climb(slope, eps) ** [1, 2]),
        "The second number is log σ; return σ.": lambda slope, eps: _logarithm(_climb(slope, eps)),
        "You have averaged log σ. Average σ itself.": lambda slope, eps: (
            _logarithm(_climb(slope, eps)) * [1, 0] + np.exp(_logarithm(_climb(slope, eps))) * [0, 1]
        ),
        "Both numbers are right. Return mu first, then σ.": lambda slope, eps: _second_half(_climb(slope, eps))[::-1],
        "That is the last step alone, which still jumps about. Average over the second half.": (
            lambda slope, eps: _climb(slope, eps)[-1]
        ),
        "That is the average over all steps. Leave out the first half, in which q is still on its way.": (
            lambda slope, eps: _climb(slope, eps).mean(axis=0)
        ),
        "That is the prior: did `slope` take part at all?": lambda slope, eps: [0.0, 1.0],
    }
    rng = np.random.default_rng(0)
    cases = [
        (lambda z: -4 * (z - 0.7), rng.standard_normal(4000)),
        (lambda z: -(z + 1.2) / 1.5**2, rng.standard_normal(1000)),
    ]
    praise = "q has found the exact posterior from the slope alone."
    return judge_function(  # the tolerance allows for a step noted before or after it was taken
        function,
        lambda slope, eps: _second_half(_climb(slope, eps)),
        cases,
        praise=praise,
        mistakes=mistakes,
        tolerance=1e-3,
    )


def _climb(
    slope: Callable[..., Any],
    eps: np.ndarray,
    gain: Callable[[float, float], float] = lambda pull, sd: pull * sd + 1,
    *,
    again: bool = False,
) -> np.ndarray:
    """Return mu and σ after each step, ``(n, 2)``.

    ``gain`` is the gradient with respect to log σ; ``again`` takes its slope at the z that has moved with mu.
    """
    mu, log_sd, steps = 0.0, 0.0, []
    for noise in eps.tolist():
        sd = math.exp(log_sd)
        uphill = slope(mu + sd * noise)
        mu += 0.02 * uphill
        uphill = slope(mu + sd * noise) if again else uphill
        log_sd += 0.02 * gain(uphill * noise, sd)
        steps.append([mu, math.exp(log_sd)])
    return np.array(steps)


def _second_half(steps: np.ndarray) -> np.ndarray:
    return np.asarray(steps[len(steps) // 2 :].mean(axis=0))


def _logarithm(steps: np.ndarray) -> np.ndarray:
    """Return the averages of mu and of log σ."""
    return _second_half(np.column_stack([steps[:, 0], np.log(steps[:, 1])]))


def _kl(q: np.ndarray, p: np.ndarray) -> float:
    return float(q @ np.log(q / p))
