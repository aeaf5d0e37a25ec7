"""Lesson 05: the ELBO: figures, sliders and checks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.stats import entropy, norm

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
    ax.set(xlim=(-0.4, last + 0.75), ylim=(floor, log_evidence + 0.1 * room))
    ax.set(xticks=range(len(labels)), xticklabels=labels, ylabel=f"nats (bars start at {nats(floor)[:-2]})")
    return ax


def nats(value: float) -> str:
    """Write a number of nats to three places, with a true minus sign."""
    return f"{value:.3f}".replace("-", "−")


def plot_two_signs(elbos: ArrayLike, kls: ArrayLike, log_evidence: float, *, ax: Axes | None = None) -> Axes:
    """Plot ELBO + KL and ELBO - KL, each ``(n,)``, against the KL of n random distributions q."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    bounds, kl = np.asarray(elbos), np.asarray(kls)
    ax.axhline(log_evidence, color=P, linewidth=6, alpha=0.35)
    ax.plot(kl, bounds + kl, ".", color=DATA, markersize=4)
    ax.plot(kl, bounds - kl, "x", color=Q, markersize=5)
    ax.text(kl.max(), log_evidence + 0.15, "ELBO + KL (dots): always log p(x)", ha="right", va="bottom")
    ax.text(0, bounds.min() - kl.max(), "ELBO − KL (crosses):\na different number for every q", va="bottom")
    ax.set(xlabel="KL(q ‖ p(z | x)) in nats", ylabel="nats", ylim=(None, log_evidence + 1.2))
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


def plot_distributions(
    z: ArrayLike, posterior: ArrayLike, q: ArrayLike, *, prior: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Plot densities ``(n,)`` over one latent: the posterior solid, q dashed and the prior dotted."""
    ax = ax or plt.subplots(figsize=(8, 4.5))[1]
    ax.plot(z, posterior, color=POSTERIOR, linewidth=3, label="posterior p(z | x)")
    ax.plot(z, q, "--", color=Q, linewidth=3, label="q(z)")
    ax.plot(z, prior, ":", color=PRIOR, linewidth=3, label="prior p(z)")
    ax.set(xlabel="z", ylabel="density", ylim=(0, None))
    ax.legend(loc="upper left")
    return ax


def plot_gradients(estimates: Mapping[str, ArrayLike], truth: float, *, ax: Axes | None = None) -> Axes:
    """Plot one-sample estimates ``(n,)`` of a gradient, a row for each estimator, with their mean and the true one."""
    ax = ax or plt.subplots(figsize=(9, 4.5))[1]
    for row, (values, color) in enumerate(zip(estimates.values(), (Q, DATA), strict=False)):
        shown = np.asarray(values)[:400]
        ax.plot(shown, row + np.linspace(-0.25, 0.25, len(shown)), "o", color=color, markersize=3)
        ax.plot(np.asarray(values).mean(), row, "D", color="black", markersize=10)
    ax.axvline(truth, color=P, linewidth=3)
    ax.set(yticks=range(len(estimates)), yticklabels=list(estimates), ylim=(-0.5, len(estimates) - 0.5))
    ax.set_xlabel("one estimate of the gradient (dots), their mean (diamond), the truth (line)")
    return ax


def plot_gradient_variances(x: ArrayLike, variances: Mapping[str, Any], *, xlabel: str, ax: Axes | None = None) -> Axes:
    """Plot the variance ``(n,)`` of gradient estimators over x ``(n,)``, on a log scale; the last one is pathwise."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    marks = ["o--", "D:", "v-."][: len(variances) - 1] + ["s-"]
    for (name, values), mark in zip(variances.items(), marks, strict=True):
        ax.plot(x, values, mark, color=DATA if mark == "s-" else Q, mec="black", ms=10, lw=2.5, label=name)
    ax.set(yscale="log", xlabel=xlabel, ylabel="variance of one estimate")
    ax.legend(handlelength=3.5)
    return ax


# Sliders


def four_causes(log_joint: ArrayLike, names: Sequence[str], start: Sequence[float]) -> Live:
    """Choose the weight of each cause ``(k,)``; q and its ELBO below log p(x) follow."""
    posterior, log_evidence = enumerate_posterior(log_joint)
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    places = np.arange(len(names))
    left.set(xticks=places, xticklabels=names, ylim=(0, 1), ylabel="probability")

    def update(**weights: float) -> None:
        q = np.array(list(weights.values())) + 1e-12
        q /= q.sum()
        left.bar(places - 0.2, q, 0.4, color="white", edgecolor=Q, hatch="//", linewidth=2, label="q(z)")
        left.bar(places + 0.2, posterior, 0.4, color=POSTERIOR, label="p(z | x)")
        left.legend(loc="upper right")
        _balance(elbo(q, log_joint), log_evidence, log_evidence - 5, right)

    weights = {f"weight_{i}": slider(f"weight of {name}", 0, 1, start[i], step=0.02) for i, name in enumerate(names)}
    return Live(figure, update, tries=[dict(zip(weights, posterior, strict=True))], **weights)


def em_bounds(
    log_joint: Callable[[float], NDArray], m_step: Callable[[NDArray], float], *, low: float, high: float, start: float
) -> Live:
    """Step through EM on one parameter: bounds from ``log_joint(θ) (n, k)`` touch log p(x; θ), ``m_step`` climbs."""
    theta = np.linspace(low, high, 241)
    joints = np.stack([log_joint(value) for value in theta])
    height = np.logaddexp.reduce(joints, axis=-1).sum(axis=-1)
    bottom, top = height.min(), height.max()
    figure = Figure(figsize=(8, 5.2), layout="constrained")
    ax = figure.subplots()
    ax.set(xlabel="θ, the parameter", ylabel="nats", ylim=(1.1 * bottom - 0.1 * top, 1.12 * top - 0.12 * bottom))

    def update(start: float, half_step: int) -> None:
        t, maximized = divmod(half_step, 2)
        path, bounds = [start], []
        for _ in range(t + 1):
            joint = log_joint(path[-1])
            log_resp = joint - np.logaddexp.reduce(joint, axis=-1)[:, None]
            bounds.append((np.exp(log_resp) * (joints - log_resp)).sum(axis=(1, 2)))
            path.append(m_step(np.exp(log_resp)))
        path = path[: t + 1 + maximized]
        reached = np.interp(path, theta, height)
        ax.plot(theta, height, color=P, linewidth=3)
        ax.annotate(
            "log p(x; θ)", (theta[height.argmax()], top), (0, 8), textcoords="offset points", color=P, ha="center"
        )
        apart = np.abs(np.diff(path, prepend=np.inf)) > 0.04 * (high - low)  # labels would overlap
        for i, place in enumerate(path):
            ax.vlines(place, 2 * bottom - top, reached[i], color="0.6", linestyle=":")
            if apart[i]:
                foot = ("data", "axes fraction")
                ax.annotate(f"θ$_{i}$", (place, 0), (4, 6), xycoords=foot, textcoords="offset points")
        for i, bound in enumerate(bounds):
            ax.plot(theta, bound, "--", color=BOUND)
            ax.plot(path[i], reached[i], "o", color=BOUND, markersize=10)
            if i + 1 < len(path):
                peak = (path[i + 1], bound.max())
                ax.plot(*peak, "^", color=BOUND, markersize=10)
                if apart[i + 1]:
                    ax.annotate(f"$g_{i}$", peak, (0, -26), textcoords="offset points", color=BOUND, ha="center")
        done = f"M-step: $g_{t}$ is highest" if maximized else f"E-step: $g_{t}$ touches log p(x; θ)"
        values = f"$g_{t}$ = {nats(bounds[-1].max())}, log p(x; θ) = " if maximized else "both = "
        ax.set_title(f"{done} at θ = {path[-1]:.2f}\n{values}{nats(reached[-1])}")

    half_step = steps("half-step", 11, value=3)
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
        _balance(bound, log_evidence, log_evidence - 8, right)

    mean, sd = slider("mean μ of q", -2, 3, 0), slider("standard deviation σ of q", 0.1, 1.5, 1)
    best = {"mean": mu.item(), "sd": np.sqrt(covariance.item())}
    return Live(figure, update, tries=[best], mean=mean, sd=sd)


def factorised(noise: float = 0.6) -> Live:
    """Change the noise of x = z₁ + z₂ + noise: the posterior's correlation, the best factorized q, and the gap.

    For two latents of equal variance the gap is -log(1 - ρ²) / 2 nats, the mutual information of the posterior.
    """
    figure = Figure(figsize=(12, 5.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.set(xlabel="z₁", ylabel="z₂", aspect="equal", xlim=(-2.6, 2.6), ylim=(-2.6, 2.6))
    correlations = np.linspace(0, 0.97, 200)
    right.plot(correlations, -np.log(1 - correlations**2) / 2, color=Q, linewidth=3)
    right.set(xlabel="size of the posterior's correlation", ylabel="log p(x) − best ELBO, in nats", ylim=(-0.05, None))

    def update(noise: float) -> None:
        model = LinearGaussian(np.ones((1, 2)), np.zeros(1), noise**2)
        mu, covariance = model.posterior([[0.0]])
        q = np.diag(1 / np.diag(np.linalg.inv(covariance)))
        rho, gap = covariance[0, 1] / covariance[0, 0], model.gap([[0.0]], mu, q).item()
        for cov, color, style, name in ((covariance, POSTERIOR, "-", "posterior"), (q, Q, "--", "factorized q")):
            left.plot(*ellipses(cov).T, style, color=color, linewidth=3, label=name)
        left.legend(loc="upper right")
        left.set_title(f"correlation of the posterior: {nats(rho)}")
        right.plot(-rho, gap, "o", color=Q, markersize=13)
        right.set_title(f"gap at the optimum: {gap:.3f} nats")

    return Live(figure, update, noise=slider("noise σ", 0.25, 3, noise))


def _balance(bound: float, log_evidence: float, floor: float, ax: Axes) -> None:
    plot_balance([bound], log_evidence, labels=["your q"], floor=floor, ax=ax)
    ax.set_title(f"ELBO {nats(bound)} + KL {nats(log_evidence - bound)} = {nats(log_evidence)}")


# Checks


def check_elbo_sign(answer: Any) -> Result:
    """Exercise 1: the ELBO when log p(x) = -90 and KL(q ‖ p(z | x)) = 4."""
    return judge(answer, -94, praise="the bound lies 4 nats below log p(x).", mistakes={
        "That lies above log p(x), and a lower bound cannot. It is what the sign in the lecture notes gives.": -86,
        "That would be the bound of a perfect q, with KL = 0.": -90,
    })  # fmt: skip


def check_elbo_by_hand(answer: Any) -> Result:
    """Exercise 2: the ELBO of a model with p(z) = (3/4, 1/4), p(x | z) = (1/6, 1/2) and q = (1/3, 2/3)."""
    q, prior, likelihood = np.array([1, 2]) / 3, np.array([3, 1]) / 4, np.array([1 / 6, 1 / 2])
    energy, reconstruction = q @ np.log(prior * likelihood), q @ np.log(likelihood)
    right, evidence = energy + entropy(q), np.log(prior @ likelihood)
    praise = "about −1.443, below log p(x) = log 1/4, as it must."
    return judge(answer, right, praise=praise, tolerance=2e-3, mistakes={
        "The entropy of q has the wrong sign: the ELBO *gains* when q keeps its options open.": energy - entropy(q),
        "That is E[log p(x, z)] alone. What does q itself contribute?": energy,
        "That is log p(x): what the ELBO would be if q were the posterior. Average under the given q.": evidence,
        "That lies above log p(x). It is log p(x) + KL, the sign of the notes.": 2 * evidence - right,
        "That is the reconstruction term alone. Subtract the KL from the prior.": reconstruction,
        "Weight each logarithm by q(z); yours have equal weights of 1.": np.log(prior * likelihood / q).sum(),
        "The regularizer is KL(q ‖ p(z)): q comes first; the average is under q.": reconstruction - entropy(prior, q),
    })  # fmt: skip


def check_reconstruction_and_kl(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``reconstruction_and_kl(q, prior, likelihood)`` for one table, as two numbers."""
    cases = [
        (np.array([0.1, 0.6, 0.3]), np.array([0.5, 0.3, 0.2]), np.array([0.05, 0.4, 0.25])),
        (np.array([0.35, 0.2, 0.05, 0.4]), np.array([0.1, 0.45, 0.2, 0.25]), np.array([0.3, 0.02, 0.6, 0.15])),
    ]
    right, praise = lambda q, p, x: [q @ np.log(x), entropy(q, p)], "reconstruction term minus KL is the ELBO."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "That is their difference, the ELBO. Return the two as a pair.": lambda q, p, x: q @ np.log(x) - entropy(q, p),
        "The KL is the wrong way round: average under q.": lambda q, p, x: [q @ np.log(x), entropy(p, q)],
        "The KL has the wrong sign: it cannot be negative.": lambda q, p, x: [q @ np.log(x), -entropy(q, p)],
        "Average the logarithms under q; you have added them up.": lambda q, p, x: [np.log(x).sum(), entropy(q, p)],
        "Average under q: not all causes have the same weight.": lambda q, p, x: [np.log(x).mean(), entropy(q, p)],
        "Average under q; you have averaged under the prior.": lambda q, p, x: [p @ np.log(x), entropy(q, p)],
        "Take p(x | z), not p(x, z): the prior belongs to the KL.": lambda q, p, x: [q @ np.log(p * x), entropy(q, p)],
        "Take the logarithm first and average then, not the reverse.": lambda q, p, x: [np.log(q @ x), entropy(q, p)],
    })  # fmt: skip


def check_expected_log_likelihood(function: Callable[..., Any]) -> Result:
    """Exercise 4: E[log N(x; w z, s²)] under q = N(m, d²), as ``expected_log_likelihood(x, w, s, m, d)``."""

    def minus(penalty: Callable[..., float]) -> Callable[..., Any]:
        return lambda x, w, s, m, d: norm.logpdf(x, w * m, s) - penalty(w, s, d)

    right = minus(lambda w, s, d: (w * d / s) ** 2 / 2)
    cases = [(1.3, 2.2, 0.6, 0.4, 0.35), (-0.7, 0.45, 1.7, 1.9, 2.6)]
    praise = "a wide q lowers the reconstruction term as well."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "z is not the mean of q: the average depends on the variance of q too.": minus(lambda w, s, d: 0),
        "A ½ is missing before the squares.": lambda x, *q: 2 * right(x, *q) - norm.logpdf(0, 0, q[1]),
        "The ½ belongs to log s² too.": lambda x, *q: right(x, *q) + norm.logpdf(0, 0, q[1]),
        "The variance of w z is w² times that of z.": minus(lambda w, s, d: w * (d / s) ** 2 / 2),
        "A variance is σ²: you have used σ itself for the variance of q.": minus(lambda w, s, d: (w / s) ** 2 * d / 2),
        "s is a standard deviation: the variance of x is s².": lambda x, w, s, m, d: right(x, w, np.sqrt(s), m, d),
        "The constant −½ log(2π s²) is missing.": lambda x, w, s, m, d: right(x, w, s, m, d) - norm.logpdf(0, 0, s),
        "That is the logarithm of the average density; we need the average of the logarithm.":
            lambda x, w, s, m, d: norm.logpdf(x, w * m, np.hypot(s, w * d)),
        "The variance of q lowers the average: its sign is wrong.": minus(lambda w, s, d: -((w * d / s) ** 2) / 2),
    })  # fmt: skip


def check_sd_gradient(function: Callable[..., Any]) -> Result:
    """Exercise 5: the pathwise gradient of E[f(z)] with respect to sd, as ``sd_gradient(slope, mu, sd, eps)``."""
    cases = [(np.cos, 0.3, 0.4, np.array([-1.2, 0.1, 0.8, 2.0])), (np.exp, -0.6, 1.3, np.array([0.5, -0.9, -2.1]))]
    right, praise = lambda f, mu, sd, e: np.mean(f(mu + sd * e) * e), "the chain rule through z = mu + sd · eps."
    return judge_function(function, right, cases, praise=praise, mistakes={
        "That is the gradient in mu. How does z move when sd grows?": lambda f, mu, sd, e: np.mean(f(mu + sd * e)),
        "You have added the draws up; an expectation is their mean.": lambda f, mu, sd, e: np.sum(f(mu + sd * e) * e),
        "Those are the estimates from single draws. Return their mean.": lambda f, mu, sd, e: f(mu + sd * e) * e,
        "One unit of sd moves z by eps, not by sd · eps.": lambda f, mu, sd, e: np.mean(f(mu + sd * e) * e) * sd,
        "The slope belongs at the drawn z, not at the mean of q.": lambda f, mu, sd, e: np.mean(f(mu) * e),
        "sd is a standard deviation already: z = mu + sd · eps.": lambda f, mu, sd, e: np.mean(f(mu + sd**2 * e) * e),
        "That is the gradient in the variance sd².": lambda f, mu, sd, e: np.mean(f(mu + sd * e) * e) / (2 * sd),
    })  # fmt: skip


def check_baseline_gradient(function: Callable[..., Any]) -> Result:
    """Exercise 6: the score-function gradient in mu, with the mean of the other values as baseline of each draw."""
    right, praise = lambda v, sd, e: np.cov(v, e)[0, 1] / sd, "unbiased, since no baseline contains its own draw."
    cases = [(np.array([-3.1, 0.4, -5.2, 1.9]), 0.6, np.array([0.3, -1.1, 1.6, 0.2]))]
    cases += [(np.array([2.5, 7.1, 4.4, 3.2, 8.3]), 1.7, np.array([-0.4, 0.9, -2.1, 0.7, 1.3]))]
    return judge_function(function, right, cases, praise=praise, mistakes={
        "Your baseline contains its own draw.": lambda v, sd, e: right(v, sd, e) * (len(v) - 1) / len(v),
        "That is the gradient without a baseline.": lambda v, sd, e: np.mean(v * e) / sd,
        "The baseline is subtracted from f, not added.": lambda v, sd, e: 2 * np.mean(v * e) / sd - right(v, sd, e),
        "Take the mean of the other values, not their sum.": lambda v, sd, e: np.mean((2 * v - v.sum()) * e) / sd,
        "There are n − 1 other values, not n.": lambda v, sd, e: np.mean((v - (v.sum() - v) / len(v)) * e) / sd,
        "z − mu is sd · eps, so the score is eps / sd.": lambda v, sd, e: right(v, sd, e) / sd,
        "The 1 / sd of the score is missing.": lambda v, sd, e: right(v, sd, e) * sd,
        "The score is (z − mu) / sd², not z − mu.": lambda v, sd, e: right(v, sd, e) * sd**2,
        "You have added the draws up; an expectation is their mean.": lambda v, sd, e: right(v, sd, e) * len(v),
        "Those are single draws. Return their mean.": lambda v, sd, e: (v - v.mean()) * e / sd * len(v) / (len(v) - 1),
    })  # fmt: skip


def check_climb(function: Callable[..., Any]) -> Result:
    """Exercise 7: stochastic ascent to N(0.7, 0.5²) and to N(-1.2, 1.5²), as ``climb(slope, eps)`` -> (mu, sd)."""

    def climb(
        gain: Callable[[float, float], float] = lambda pull, sd: pull * sd + 1,
        *,
        first: float = 0.5,
        end: Callable[[NDArray, NDArray], ArrayLike] = lambda mu, sd: [mu.mean(), sd.mean()],
    ) -> Callable[..., ArrayLike]:
        """Return an ascent with this gradient in log σ, and this ``end`` of its steps from a share ``first`` on."""

        def climbed(slope: Callable[[float], float], eps: NDArray) -> ArrayLike:
            mu, log_sd, steps = 0.0, 0.0, []
            for noise in eps.tolist():
                sd = np.exp(log_sd)
                uphill = slope(mu + sd * noise)
                mu += 0.02 * uphill
                log_sd += 0.02 * gain(uphill * noise, sd)
                steps.append([mu, np.exp(log_sd)])
            return end(*np.transpose(steps[int(first * len(steps)) :]))

        return climbed

    rng = np.random.default_rng(0)
    cases = [
        (lambda z: -4 * (z - 0.7), rng.standard_normal(4000)),
        (lambda z: -(z + 1.2) / 1.5**2, rng.standard_normal(1000)),
    ]
    praise = "q has found the exact posterior from the slope alone."
    # The tolerance allows for a step noted before or after it was taken.
    return judge_function(function, climb(), cases, praise=praise, tolerance=1e-3, mistakes={
        "Your q shrinks towards a point. Which term of the ELBO rewards its width?": climb(lambda pull, sd: pull * sd),
        "Your q shrinks to a point: is the entropy of q, log σ, subtracted?": climb(lambda pull, sd: pull * sd - 1),
        "How fast does z move with log σ? The factor sd of dz/d(log σ) is missing.": climb(lambda pull, sd: pull + 1),
        "That is the gradient in σ. In log σ, both terms are σ times that.": climb(lambda pull, sd: pull + 1 / sd),
        "The second number is σ². Return σ.": climb(end=lambda mu, sd: [mu.mean(), np.mean(sd**2)]),
        "The second number is log σ; return σ.": climb(end=lambda mu, sd: [mu.mean(), np.log(sd).mean()]),
        "That is the last step, which jumps about.": climb(end=lambda mu, sd: [mu[-1], sd[-1]]),
        "That is the average over all steps. Leave out the first half, in which q is still on its way.": climb(first=0),
        "That is the prior: did `slope` take part at all?": lambda slope, eps: [0.0, 1.0],
    })  # fmt: skip
