"""Lesson 04: mixtures and EM: figures, sliders and checks."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist
from scipy.special import expit, log_softmax, logsumexp
from scipy.stats import norm

from ..mixtures import GaussianMixture, HalfStep, em
from ..plots import BOUND, DATA, POSTERIOR, P, ellipses
from .judge import Result, judge, judge_function
from .live import Live, slider, steps

# A component has a number, a marker, a line style and a colour; the colours also differ in lightness.
COMPONENTS = ("#16205e", "#e76300", "#92dadd", "#b9ac70", "#832db6", "#717581")
MARKERS = "o^sDvP"
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)))


# Figures


def plot_points(x: ArrayLike, *, names: tuple[str, str] = ("x₁", "x₂"), ax: Axes | None = None) -> Axes:
    """Plot the rows of ``x (n, 2)`` as dots."""
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    ax.plot(*np.asarray(x).T, "o", color=DATA, markeredgecolor="black", markeredgewidth=0.5, markersize=6)
    ax.set(xlabel=names[0], ylabel=names[1])
    return ax


def plot_components(
    x: ArrayLike, resp: ArrayLike, means: ArrayLike, covariances: ArrayLike | None = None, *,
    names: tuple[str, str] = ("x₁", "x₂"), title: str = "", ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Plot rows ``x (n, 2)`` in the mixed colours of ``resp (n, k)``, larger where less certain, and all ellipses."""
    points, shares, centres = np.asarray(x), np.asarray(resp), np.asarray(means)
    colours = (shares @ [to_rgb(colour) for colour in COMPONENTS[: len(centres)]]).clip(0, 1)
    sizes, most = 28 + 160 * (1 - shares.max(axis=1)), shares.argmax(axis=1)
    ax = ax or plt.subplots(figsize=(7, 5.5))[1]
    for j, centre in enumerate(centres):
        own = most == j
        look: dict[str, Any] = {"marker": MARKERS[j], "edgecolors": "black", "linewidths": 0.5}
        ax.scatter(points[own, 0], points[own, 1], s=sizes[own], c=colours[own], **look)
        if covariances is not None:
            ax.plot(*ellipses(np.asarray(covariances)[j], centre).T, color="black", linestyle=LINES[j])
        box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": COMPONENTS[j], "linewidth": 3}
        ax.text(centre[0], centre[1], str(j + 1), ha="center", va="center", weight="bold", bbox=box, zorder=5)
    ax.set(xlabel=names[0], ylabel=names[1], title=title)
    ax.set_aspect("equal", adjustable="datalim")
    ax.locator_params(nbins=6)
    return ax


def plot_spike(sds: ArrayLike, log_likelihoods: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot the log-likelihood ``(n,)`` over the standard deviation ``(n,)`` of a component centred on one point."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    ax.plot(sds, log_likelihoods, color=P, linewidth=3)
    ax.set(xscale="log", xlabel="standard deviation of the component on one point", ylabel="log-likelihood, in nats")
    ax.invert_xaxis()
    return ax


def plot_starts(bounds: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot the final log-likelihood of each start, in nats, from the worst to the best."""
    ax = ax or plt.subplots(figsize=(9, 4.5))[1]
    ends = np.sort(bounds)
    ax.plot(np.arange(len(ends)) + 1, ends, "o", color=BOUND, markersize=8)
    ax.set(xlabel="start, from the worst to the best", ylabel="log-likelihood, in nats")
    return ax


def plot_rates(paths: Mapping[str, tuple[NDArray, float]], *, ax: Axes | None = None) -> Axes:
    """Plot distances to the limit ``(iterations,)`` of several runs, down to 1e-9, and lines of the predicted rates."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    for (label, (distances, rate)), colour, marker in zip(paths.items(), COMPONENTS, MARKERS, strict=False):
        shown = distances[: int(np.argmax(np.append(distances, 0) < 1e-9))][:41]
        iterations, name = np.arange(len(shown)), f"{label}: rate {rate:.2f}"
        ax.plot(iterations, shown, marker, color=colour, mec="black", mew=0.5, markersize=9, label=name)
        ax.plot(iterations, shown[-1] * rate ** (iterations - iterations[-1]), "--", color="black", linewidth=1.5)
    ax.set(yscale="log", xlabel="iteration of EM", ylabel="distance to the limit")
    ax.legend(title="standard deviations apart", loc="lower right")
    return ax


def plot_choice(k: ArrayLike, values: ArrayLike, *, best: int, ylabel: str, title: str, ax: Axes | None = None) -> Axes:
    """Plot a criterion ``(n,)`` over the number of components ``(n,)``, with a ring around the ``best``."""
    ax = ax or plt.subplots(figsize=(7, 4.5))[1]
    numbers, heights = np.asarray(k), np.asarray(values)
    ax.plot(numbers, heights, "o-", color=P, markersize=8)
    ax.plot(best, heights[numbers == best], "o", color="none", markeredgecolor="black", markersize=20, mew=2.5)
    ax.set(xlabel="number of components K", ylabel=ylabel, xticks=numbers)
    ax.set_title(title, loc="left")
    return ax


# Sliders


def hard_and_soft(x: ArrayLike, start: GaussianMixture, *, names: tuple[str, str], iterations: int = 6) -> Live:
    """Step through k-means on the left and EM on the right, both from the means of ``start``."""
    points = np.asarray(x)
    hard, soft = _k_means_steps(points, start.means, iterations), list(em(points, start, max_iter=iterations))
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.update_datalim(_reach(soft)), right.update_datalim(_reach(soft))

    def update(half_step: int) -> None:
        kind, mixture, log_resp, _ = soft[half_step]
        when, resp = f"iteration {half_step // 2 + 1}", np.exp(log_resp)
        plot_components(points, *hard[half_step], names=names, ax=left)
        plot_components(points, resp, mixture.means, mixture.covariances, names=(names[0], ""), ax=right)
        left.set_title(f"k-means, {when}: " + ("to the nearest mean" if kind == "E" else "new means"))
        right.set_title(f"mixture, {when}: " + ("responsibilities" if kind == "E" else "new weighted means"))

    return Live(figure, update, half_step=steps("half-step", 2 * iterations - 1, value=4))


def small_variance(x: ArrayLike, centres: ArrayLike, *, names: tuple[str, str]) -> Live:
    """Shrink the common σ of two round components with fixed centres ``(2, 2)``: soft assignments become hard."""
    points, means = np.asarray(x), np.asarray(centres)
    position = np.linspace(0, 1, 401)
    line = means[0] + position[:, None] * (means[1] - means[0])
    closer, closer_on_line = (np.diff(-cdist(rows, means, "sqeuclidean"))[:, 0] for rows in (points, line))
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(5, 4))
    low, high = points.min(axis=0) - 0.5, points.max(axis=0) + 0.5
    right.set(ylim=(-0.05, 1.05), xlim=(0, 1), xticks=[0, 0.5, 1], xticklabels=["mean 1", "halfway", "mean 2"])
    right.set(ylabel="responsibility of component 2", title="on the line between the means")

    def update(sigma: float) -> None:
        second = expit(closer / (2 * sigma**2))  # with equal weights and equal σ, the distances alone decide
        resp = np.stack([1 - second, second], axis=1)
        unsure = (resp.max(axis=1) < 0.99).sum()
        plot_components(points, resp, means, [sigma**2 * np.eye(2)] * 2, names=names, ax=left)
        left.dataLim.set_points(np.array([low, high]))  # a large circle may leave the plot
        left.set_title(f"σ = {sigma:.2f}: {unsure} of {len(points)} points less than 99 % certain")
        soft = expit(closer_on_line / (2 * sigma**2))
        right.plot(position, position > 0.5, "--", color="black", linewidth=2, label="k-means: hard")
        right.plot(position, soft, color=POSTERIOR, linewidth=4, alpha=0.8, label="mixture: soft")
        right.legend(loc="upper left")

    return Live(figure, update, sigma=slider("σ of both components", 0.05, 1.5, 0.6, step=0.05))


def em_steps(
    x: ArrayLike, start: GaussianMixture, *, names: tuple[str, str], iterations: int = 15, first: int = 5
) -> Live:
    """Step through EM: points in the colours of their responsibilities, ellipses, and the bound beside them."""
    points = np.asarray(x)
    path = list(islice(em(points, start), 2 * iterations))
    bounds = np.array([step.bound for step in path])
    figure = Figure(figsize=(12.5, 5.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.update_datalim(_reach(path))
    kinds = {"E": ("o", "E-step: responsibilities"), "M": ("^", "M-step: parameters")}
    right.plot(bounds, color=BOUND, linewidth=1.5)
    for first_of_kind, (marker, label) in enumerate(kinds.values()):
        own = np.arange(first_of_kind, len(bounds), 2)
        right.plot(own, bounds[own], marker, color=BOUND, markersize=8, label=label, markerfacecolor="white")
    right.set(xlabel="half-step", ylabel="bound, in nats")
    right.legend(loc="lower right")

    def update(half_step: int) -> None:
        kind, mixture, log_resp, bound = path[half_step]
        marker, label = kinds[kind]
        plot_components(points, np.exp(log_resp), mixture.means, mixture.covariances, names=names, ax=left)
        left.set_title(f"iteration {half_step // 2 + 1}, {label}")
        right.plot(half_step, bound, marker, color=BOUND, markersize=15, mec="black", mew=2, label="here")
        rise = f", up by {bound - bounds[half_step - 1]:.3f}" if half_step else ""
        right.set_title(f"bound {bound:.2f} nats{rise}".replace("-", "−"))

    return Live(figure, update, half_step=steps("half-step", len(path) - 1, value=first))


def _reach(path: Sequence[HalfStep]) -> NDArray:
    """Return the points of the ellipses of all half-steps, so that the axes have room for each."""
    pairs = (pair for step in path for pair in zip(step.mixture.covariances, step.mixture.means, strict=True))
    return np.concatenate([ellipses(*pair) for pair in pairs])


def _k_means_steps(x: NDArray, centres: NDArray, iterations: int) -> list[tuple[NDArray, NDArray]]:
    """Return one-hot labels ``(n, k)`` and centres ``(k, d)`` after each half-step of k-means."""
    path = []
    for _ in range(iterations):
        labels = np.eye(len(centres))[cdist(x, centres, "sqeuclidean").argmin(axis=1)]
        path.append((labels, centres))
        taken = labels.any(axis=0)  # a centre without points stays where it is
        centres = centres.copy()
        centres[taken] = labels[:, taken].T @ x / labels[:, taken].sum(axis=0)[:, None]
        path.append((labels, centres))
    return path


# Checks

#: Sets of tosses: the heads of each, its tosses, and the chances of the two coins; the first is the lesson's.
TOSSES = [
    (np.array([5, 9, 8, 4, 7]), 10, np.array([0.6, 0.5])),
    (np.array([3, 11, 6, 2]), 12, np.array([0.35, 0.8])),
]
#: Tables of log-joints (n, k); in the first and third row of each, every exp underflows to 0.
LOG_JOINTS = [
    np.array([[-1000.0, -1001.0], [-3.0, -1.0], [-2000.0, -1990.0]]),
    np.array([[-990.5, -992.25, -991.0], [-2.25, -0.75, -1.5], [-1005.25, -1003.0, -1004.5], [-4.5, -6.0, -3.75]]),
]
#: Log-likelihoods of runs of EM that are close to their end.
RISING = [
    np.array([-19.0, -12.5, -9.75, -8.25, -7.3125, -6.7125]),
    np.array([-31.25, -25.0, -22.75, -21.875, -21.5, -21.325]),
]


def check_responsibility(resp: Any) -> Result:
    """Check the responsibility of the long kind for an eruption of three minutes, to two digits."""
    short, long = 0.36 * 0.05, 0.64 * 0.10
    right = long / (short + long)
    return judge(resp, right, praise="Bayes' rule, with the weights as prior.", tolerance=4e-3, mistakes={
        "You compared the densities alone. How common is each kind, before anything is seen?": 0.10 / 0.15,
        "That is the joint, weight times density. Divide, so that the two kinds add up to 1.": long,
        "That is the density of the eruption under the whole mixture. It belongs in the denominator.": short + long,
        "That is the weight, the prior probability before you have seen the eruption.": 0.64,
        "That is a ratio of the two, the odds. A responsibility is a share of the whole.": long / short,
    })  # fmt: skip


def check_log_density(value: Any) -> Result:
    """Check the log-density of 60 minutes under a Gaussian of mean 55 and standard deviation 6."""
    right = norm.logpdf(60, 55, 6)
    square, height, constant = 0.5 * 25 / 36, 0.5 * np.log(36), 0.5 * np.log(2 * np.pi)
    return judge(value, right, praise="one Gaussian, and its logarithm is a parabola.", tolerance=2e-3, mistakes={
        "You put the standard deviation where the variance belongs. Square it first.": norm.logpdf(60, 55, np.sqrt(6)),
        "You divided the square by σ. The variance, σ², belongs there.": -6 * square - height - constant,
        "You wrote ½ log σ. It is ½ log σ², which is log σ.": -square - height / 2 - constant,
        "A factor ½ is missing before log σ².": -square - 2 * height - constant,
        "A factor ½ is missing before the square.": -2 * square - height - constant,
        "A factor ½ is missing before log 2πσ². (Or write log of its root.)": -square - 2 * (height + constant),
        "The term with 2π is missing. It too is part of a density.": -square - height,
        "The square has the wrong sign: a point far from the mean must be less probable.": square - height - constant,
        "You stopped after the square. A wide Gaussian is also a low one: what makes it integrate to 1?": -square,
    })  # fmt: skip


def check_new_sds(new_sds: Callable[[Any, Any, Any], Any]) -> Result:
    """Check the M-step of the standard deviations (k,) of one-dimensional components."""

    def squares(x: NDArray, resp: NDArray, centre: ArrayLike) -> NDArray:
        return (resp * (x[:, None] - centre) ** 2).sum(axis=0)

    def right(x: NDArray, resp: NDArray, centre: ArrayLike) -> NDArray:
        return np.sqrt(squares(x, resp, centre) / resp.sum(axis=0))

    rng = np.random.default_rng(7)
    shared = [(rng.normal(3, 2, 12), rng.dirichlet(np.ones(k), 12)) for k in (3, 2)]
    cases = [(x, resp, resp.T @ x / resp.sum(axis=0)) for x, resp in shared]
    return judge_function(new_sds, right, cases, praise="that is the M-step of a standard deviation.", mistakes={
        "You divided by N. Each component has its own count, N_k.": lambda x, r, m: np.sqrt(squares(x, r, m) / len(x)),
        "You divided by N_k − 1. The maximum has N_k.": lambda x, r, m: np.sqrt(squares(x, r, m) / (r.sum(0) - 1)),
        "Nothing divides these sums. Divide by N_k.": lambda x, r, m: np.sqrt(squares(x, r, m)),
        "You measured from the mean of all points. Use each component's own.": lambda x, r, m: right(x, r, x.mean()),
        "The responsibilities are missing from the sum.": lambda x, r, m: right(x, np.ones_like(r), m),
        "That is E|x − μ|. Square first.": lambda x, r, m: (r * abs(x[:, None] - m)).sum(0) / r.sum(0),
        "Each point went to one component, as in k-means.": lambda x, r, m: right(x, _hard(r), m),
    })  # fmt: skip


def check_log_responsibilities(log_responsibilities: Callable[[Any], Any]) -> Result:
    """Check log-responsibilities (n, k) where the densities themselves are too small for a float."""
    right = partial(log_softmax, axis=1)

    def total(t: NDArray) -> NDArray:
        return np.exp(t).sum(axis=1, keepdims=True)

    cases = [(table,) for table in LOG_JOINTS]
    return judge_function(log_responsibilities, right, cases, praise="no density was ever computed.", mistakes={
        "exp(−1000) is 0 for a computer: 0/0 is NaN. Never leave log space.": lambda t: np.log(np.exp(t) / total(t)),
        "exp(−1000) is 0 for a computer, and log 0 is −∞. Use logsumexp.": lambda t: t - np.log(total(t)),
        "Normalized over the wrong axis: each row, not each column, must add up to 1.": lambda t: right(t.T).T,
        "You divided by the sum over the whole table. Every row has its own.": log_softmax,
        "You divided the logarithms. Subtract them.": lambda t: t / logsumexp(t, axis=1, keepdims=True),
        "You subtracted the largest only. The rows do not add up to 1 yet.": lambda t: t - t.max(axis=1, keepdims=True),
    })  # fmt: skip


def check_rate(rate: Callable[[Any], Any]) -> Result:
    """Check the rate of EM, estimated from the last three log-likelihoods of a run."""

    def shrink(bounds: ArrayLike) -> NDArray:
        rises = np.diff(bounds)
        return rises[1:] / rises[:-1]

    def right(bounds: ArrayLike) -> float:
        return np.sqrt(shrink(bounds)[-1])

    praise = "the rises shrink with the square of the distance."
    return judge_function(rate, right, [(RISING[0],), (RISING[1],)], praise=praise, mistakes={
        "By this factor the rises shrink. Near its top the log-likelihood is a parabola: they shrink with the square.":
            lambda b: shrink(b)[-1],
        "You compared the log-likelihoods themselves. Compare their rises.": lambda b: b[-1] / b[-2],
        "You took the last value for the limit.": lambda b: np.sqrt((b[-1] - b[-2]) / (b[-1] - b[-3])),
        "Those are the first rises. The rate is seen at the end of the run.": lambda b: np.sqrt(shrink(b)[0]),
        "The early iterations are far from the limit. Take the last two rises.": lambda b: np.sqrt(shrink(b).mean()),
    })  # fmt: skip


def check_bic(bic: Callable[[float, int, int, int], Any]) -> Result:
    """Check the BIC of a mixture of k Gaussians in d dimensions with full covariances; low is good."""

    def free(k: int, d: int) -> float:
        return k - 1 + k * d + k * d * (d + 1) / 2

    def score(log_l: float, count: float, n: int) -> float:
        return -2 * log_l + count * np.log(n)

    def right(log_l: float, k: int, d: int, n: int) -> float:
        return score(log_l, free(k, d), n)

    cases = [(-385.0, 2, 2, 272), (-1333.0, 3, 2, 400), (-900.0, 4, 5, 100)]
    praise = "the log-likelihood against a penalty for each parameter."
    return judge_function(bic, right, cases, praise=praise, mistakes={
        "You counted K weights. They add up to 1: one is not free.": lambda ll, k, d, n: score(ll, free(k, d) + 1, n),
        "You counted no weights. All but one are free.": lambda ll, k, d, n: score(ll, free(k, d) - k + 1, n),
        "A covariance is symmetric: count fewer than d².": lambda ll, k, d, n: score(ll, k - 1 + k * d + k * d**2, n),
        "These ellipses can tilt: a covariance has more than d.": lambda ll, k, d, n: score(ll, k - 1 + 2 * k * d, n),
        "The penalty has the wrong sign: it must raise BIC.": lambda ll, k, d, n: score(ll, -free(k, d), n),
        "The log-likelihood has the wrong sign.": lambda ll, k, d, n: score(-ll, free(k, d), n),
        "That is AIC. The penalty of a parameter is log n here.": lambda ll, k, d, n: -2 * ll + 2 * free(k, d),
        "The factor 2 before the log-likelihood is missing.": lambda ll, k, d, n: score(ll / 2, free(k, d), n),
        "The penalty of a parameter is log n here, not n.": lambda ll, k, d, n: -2 * ll + n * free(k, d),
    })  # fmt: skip


def check_coins(coin_round: Callable[[Any, int, Any], Any]) -> Result:
    """Check one iteration of EM for two coins of unknown chances; Do & Batzoglou (2008), figure 1."""

    def right(heads: NDArray, tosses: int, old: NDArray) -> NDArray:
        return _chances(_coins(heads, tosses, old), heads, tosses)

    return judge_function(coin_round, right, TOSSES, praise="EM for a model of your own.", mistakes={
        "Each set went to one coin: share it out.": lambda h, n, old: _chances(_hard(_coins(h, n, old)), h, n),
        "You divided by all tosses. Use each coin's share.": lambda h, n, old: _coins(h, n, old).T @ h / (n * len(h)),
        "Those are expected heads. Divide by the expected tosses.": lambda h, n, old: _coins(h, n, old).T @ h,
        "You forgot the tails in the likelihood.": lambda h, n, old: _chances(_coins(h, h[:, None], old), h, n),
        "You normalized over the sets, not over the coins.": lambda h, n, old: _chances(_coins(h, n, old, 0), h, n),
        "Those are the old chances.": lambda h, n, old: old,
    })  # fmt: skip


def _coins(heads: NDArray, tosses: Any, chances: NDArray, axis: int = 1) -> NDArray:
    """Return the responsibility ``(sets, 2)`` of each coin for each set of tosses."""
    like = chances ** heads[:, None] * (1 - chances) ** (tosses - heads[:, None])
    return like / like.sum(axis=axis, keepdims=True)


def _chances(resp: NDArray, heads: NDArray, tosses: int) -> NDArray:
    return resp.T @ heads / (tosses * resp.sum(axis=0))


def _hard(resp: NDArray) -> NDArray:
    """Give each row to its most responsible component."""
    return np.eye(resp.shape[1])[resp.argmax(axis=1)]
