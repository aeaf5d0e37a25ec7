"""Lesson 06: the variational autoencoder: figures, sliders and checks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, logsumexp, softmax
from scipy.stats import norm

from .. import hands
from ..information import gaussian_kl
from ..plots import BOUND, DATA, POSTERIOR, PRIOR, P, Q, ellipses
from .judge import Result, cross_entropy, judge, judge_function, latent_kl, vae_loss
from .live import Learning as Learning
from .live import Live, choice, slider

# Two overlapping posteriors


class OverlapCost(NamedTuple):
    """What ``overlap_cost`` returns."""

    overlap: float  # the area that the two posteriors share, from 0 to 1
    kl: NDArray  # (2,): KL(q ‖ N(0, 1)) of each image, in nats
    lost: float  # how far the overlap lowers the best reconstruction term, the mean over the two images, in nats


def best_images(z: ArrayLike, means: ArrayLike, sds: ArrayLike, images: ArrayLike) -> NDArray:
    """Return the images ``(n, ...)`` that the best decoder of two ``images (2, ...)`` draws at ``z (n,)``.

    They are the mean of the two, weighted by the probability that z was drawn from N(means, sds²), each ``(2,)``, for
    independent Bernoulli pixels as for squared errors; Bishop (2006), §1.5.5 and §4.2.
    """
    return np.tensordot(best_weights(z, means, sds), np.asarray(images), axes=1)


def best_weights(z: ArrayLike, means: ArrayLike, sds: ArrayLike) -> NDArray[np.float64]:
    """Return the weights ``(n, 2)`` of the two images in ``best_images``."""
    return softmax(norm.logpdf(np.asarray(z)[:, None], means, sds), axis=1)


def overlap_cost(means: ArrayLike, sds: ArrayLike, images: ArrayLike) -> OverlapCost:
    """Return overlap, KL and lost reconstruction term of posteriors N(means, sds²), each ``(2,)``, for two images.

    ``images (2, ...)`` are in [0, 1] and their pixels Bernoulli, as in ``model.elbo_terms``. Integrals over z are sums
    over 600 points within eight standard deviations of each mean.
    """
    mu, sd, x = np.asarray(means, float), np.asarray(sds, float), np.asarray(images, float).reshape(2, -1)
    z = np.unique(mu + sd * np.linspace(-8, 8, 300)[:, None])  # finer where a posterior is narrower
    density = norm.pdf(z[:, None], mu, sd)
    x = x[:, x[0] != x[1]]
    # The entropy of gray pixels is lost without an overlap too: it is subtracted.
    lost = _entropy(best_images(z, mu, sd, x)) - best_images(z, mu, sd, _entropy(x))
    total = np.trapezoid(density.mean(axis=1) * lost, z)
    return OverlapCost(float(np.trapezoid(density.min(axis=1), z)), gaussian_kl(mu, sd**2, 0, 1), float(total))


def _entropy(images: NDArray) -> NDArray:
    """Return the entropy in nats of the Bernoulli pixels of images ``(n, pixels)``."""
    return (entr(images) + entr(1 - images)).sum(axis=1)


# Figures


def plot_code_map(
    codes: ArrayLike, distance: ArrayLike, extent: Sequence[float], limit: float, *, ax: Axes | None = None
) -> Axes:
    """Plot codes ``(n, 2)`` over how far the decoded image at each place ``(side, side)`` is from any real one.

    ``extent`` is (left, right, bottom, top); places farther away than ``limit`` are hatched. The dotted circle holds
    95 % of the prior.
    """
    far, (left, right, bottom, top), radius = np.asarray(distance), extent, np.sqrt(-2 * np.log(0.05))
    ax = ax or plt.subplots(figsize=(7, 6))[1]
    x, y = np.linspace(left, right, far.shape[1]), np.linspace(bottom, top, far.shape[0])
    levels = [0, limit, max(far.max(), limit) * 1.01 + 1e-9]
    with plt.rc_context({"hatch.color": "0.65"}):
        ax.contourf(x, y, far, levels, colors=["white", "0.9"], hatches=[None, "xx"])
    ax.plot(*np.asarray(codes).T, "o", color=DATA, markersize=4, markeredgecolor="0.25", markeredgewidth=0.4)
    ax.add_patch(Circle((0, 0), radius, fill=False, ls=":", lw=3, edgecolor=PRIOR))
    ax.annotate("prior", (0, -radius), (0, -4), textcoords="offset points", ha="center", va="top", fontsize=14,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top), aspect="equal")
    return ax


def plot_aggregated_posterior(draws: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Plot a histogram of the draws ``(n, 2)`` for each latent, with the prior dotted."""
    ax, bins = ax or plt.subplots(figsize=(10, 4.6))[1], np.linspace(-3.6, 3.6, 25).tolist()
    first, second = np.transpose(draws)
    ax.hist(first, bins, density=True, histtype="step", lw=2.5, color=DATA, label="first latent")
    ax.hist(second, bins, density=True, histtype="step", lw=2.5, color="0.25", ls="--", label="second latent")
    ax.plot(bins, norm.pdf(bins), ":", color=PRIOR, lw=3, label="prior")
    ax.set(xlabel="value of the latent", yticks=[], ylabel="density")
    ax.legend(loc="upper right")
    return ax


def plot_two_samples(eps: ArrayLike, fresh: ArrayLike, mu: ArrayLike, sd: float, *, ax: Axes | None = None) -> Axes:
    """Draw samples for growing ``mu`` ``(k,)``: ``fresh`` ones ``(k, n)`` on the left, shifted noise ``(n,)`` right."""
    ax = ax or plt.subplots(figsize=(12, 4.6))[1]
    heights, drawn = np.asarray(mu)[:, None], np.asarray(fresh)
    moved = heights + sd * np.asarray(eps) + 1.15 * np.ptp(drawn)
    ax.plot(moved, heights, color="0.6", lw=1.5)
    for places, text in ((drawn, "new draws: $z \\sim q$"), (moved, "shifted noise: $z = μ + σε$")):
        ax.plot(places, np.broadcast_to(heights, places.shape), "o", color=DATA, markersize=8)
        ax.text(places.mean(), heights[-1, 0] + 0.08, text, ha="center", va="bottom", fontsize=15)
    ax.set(xticks=[], yticks=heights[:, 0], ylabel="μ", xlabel="z", ylim=heights[[0, -1], 0] + [-0.15, 0.25])
    return ax


def plot_bounds(
    ks: Sequence[int], bounds: ArrayLike, errors: ArrayLike, log_evidence: float, *, ax: Axes | None = None
) -> Axes:
    """Plot bounds ``(k,)`` with two standard errors over the number of samples, below the evidence."""
    ax, error = ax or plt.subplots(figsize=(9, 5))[1], 2 * np.asarray(errors)
    ax.axhline(log_evidence, color=P, lw=3, label="log p(x), summed over a grid")
    ax.errorbar(ks, bounds, error, fmt="s--", color=BOUND, capsize=6, markersize=8, lw=2, label="bound (K = 1: ELBO)")
    ax.set(xscale="log", xlabel="K, samples inside the logarithm", ylabel="nats an image (bars: ± 2 s.e.)")
    ax.set_xticks(list(ks), [f"{k:,}" for k in ks])
    ax.minorticks_off()
    ax.legend(loc="lower right")
    return ax


def plot_three_distributions(
    density: ArrayLike, extent: Sequence[float], encoder: Sequence[ArrayLike], best: Sequence[ArrayLike], *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the true posterior ``(side, side)`` as shades, and (mean, sds) of the encoder's q and the best Gaussian."""
    grid, (left, right, bottom, top) = np.asarray(density), extent
    ax = ax or plt.subplots(figsize=(6.5, 5.8))[1]
    x, y = np.linspace(left, right, grid.shape[1]), np.linspace(bottom, top, grid.shape[0])
    ax.contourf(x, y, grid, grid.max() * np.array([0.02, 0.135, 0.4, 0.607, 0.85, 1]), cmap="Purples")
    shown = ((encoder, "--", Q, 3, "encoder's q"), (best, "-", "black", 1.8, "best Gaussian q*"))
    for (mean, sds), style, color, width, name in shown:
        ax.plot(*ellipses(np.diag(np.asarray(sds) ** 2), mean).T, style, color=color, lw=width, label=name)
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top))
    ax.legend(loc="upper right")
    return ax


def plot_curves(
    x: ArrayLike, curves: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str, ax: Axes | None = None
) -> Axes:
    """Plot curves ``(n,)`` over ``x``, each with its own line and marker."""
    ax = ax or plt.subplots(figsize=(11, 5))[1]
    for (name, values), style in zip(curves.items(), ("o-", "s--", "^-.", "D:"), strict=False):
        ax.plot(x, values, style, lw=2.5, markersize=8, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    ax.legend()
    return ax


# Sliders

_HANDS = hands.render(hands.fill([[-0.12, 0.0], [0.12, 1.0], [-0.11, 0.05]], ("rotation", "index")), 32)[:, 0]
_DIFFERENT, _SIMILAR = _HANDS[[0, 1]], _HANDS[[0, 2]]
#: Means and standard deviations of the two posteriors, and the two images, for the start and the three ways out.
_WAYS: dict[str, tuple[tuple[float, float], tuple[float, float], NDArray]] = {
    "overlapping": ((-0.6, 0.6), (1.0, 1.0), _DIFFERENT),
    "1 apart": ((-2.4, 2.4), (1.0, 1.0), _DIFFERENT),
    "2 narrow": ((-0.6, 0.6), (0.15, 0.15), _DIFFERENT),
    "3 similar": ((-0.6, 0.6), (1.0, 1.0), _SIMILAR),
}


def overlap_lab() -> Live:
    """Two posteriors under sliders: their overlap and KL, the images of the best decoder, and the nats lost."""
    z, places = np.linspace(-4.5, 4.5, 451), np.linspace(-4, 4, 17)
    known = {way: overlap_cost(*setting) for way, setting in _WAYS.items()}
    rows = np.arange(len(known) + 1)
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 4), height_ratios=(4, 1))
    above, below, right = (figure.add_subplot(grid[place]) for place in ((0, 0), (1, 0), (slice(None), 1)))
    above.set(xlim=(z[0], z[-1]), xticks=[], yticks=[])
    above.spines["left"].set_visible(False)  # densities have no scale here
    below.set(yticks=[], xlabel="z, and what the best decoder draws there")
    below.spines[:].set_visible(False)
    right.set(yticks=rows, yticklabels=[*known, "your sliders"], ylim=(rows[-1] + 0.5, -0.5))
    right.set(xlabel="nats an image, lost or added", xlim=(0, 80))
    right.tick_params(axis="y", length=0)

    def update(way: str, mean_1: float, mean_2: float, sd_1: float, sd_2: float) -> None:
        means, sds, images = (mean_1, mean_2), (sd_1, sd_2), _WAYS[way][-1]
        now = overlap_cost(means, sds, images)
        first, second = norm.pdf(z, np.transpose([means]), np.transpose([sds]))
        above.fill(z, np.minimum(first, second), facecolor="0.85", edgecolor="0.4", hatch="xx", lw=0)
        above.plot(z, first, color=POSTERIOR, lw=3, label="q(z | x₁)")
        above.plot(z, second, "--", color=Q, lw=3, label="q(z | x₂)")
        above.plot(z, norm.pdf(z), ":", color=PRIOR, lw=3, label="prior")
        above.set_ylim(0, 1.25 * max(0.45, first.max(), second.max()))
        above.legend(loc="upper right", ncols=3)
        above.set_title(f"overlap {now.overlap:.2f}    KL of q₁ {now.kl[0]:.2f}, of q₂ {now.kl[1]:.2f} nats")
        for place, weight in zip(places, best_weights(places, means, sds)[:, 0], strict=True):
            for image, alpha in ((images[1], 1), (images[0], weight)):  # together the weighted mean of both
                below.imshow(
                    image, alpha=alpha, vmin=0, vmax=1, extent=(place - 0.25, place + 0.25, 0, 0.5), aspect="auto"
                )
        below.set_xlim(-4.5, 4.5)
        lost, kl = np.array([[cost.lost, cost.kl.mean()] for cost in (*known.values(), now)]).T
        right.barh(rows, lost, 0.62, color=DATA, label="reconstruction term lost")
        right.barh(rows, kl, 0.62, lost, facecolor="white", edgecolor=Q, hatch="//", lw=1.5, label="KL")
        for row, (a, b) in enumerate(zip(lost, kl, strict=True)):
            right.text(a + b, row, f" {a:.2f} + {b:.2f} = {a + b:.2f}", va="center")
        right.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)

    (mean_1, mean_2), (sd_1, sd_2), _ = _WAYS["overlapping"]
    sliders = {
        "mean_1": slider("mean μ₁", -3, 3, mean_1, step=0.1),
        "mean_2": slider("mean μ₂", -3, 3, mean_2, step=0.1),
        "sd_1": slider("standard deviation σ₁", 0.1, 1.5, sd_1, step=0.05),
        "sd_2": slider("standard deviation σ₂", 0.1, 1.5, sd_2, step=0.05),
    }

    def set_sliders(change: dict[str, Any]) -> None:
        means, sds, _ = _WAYS[change["new"]]
        for control, value in zip(sliders.values(), (*means, *sds), strict=True):
            control.value = value

    way = choice("way out", list(_WAYS))
    way.observe(set_sliders, "value")
    both = {"mean_1": -1, "mean_2": 1, "sd_1": 0.3, "sd_2": 0.3}
    return Live(figure, update, tries=[both], way=way, **sliders)


# Checks


def check_latent_kl(answer: Any) -> Result:
    """Exercise 1: KL(q ‖ N(0, 1)) in nats for mu = 1 and logvar = -2."""
    right = latent_kl(1, -2)
    return judge(answer, right, praise="about 1.07 nats.", tolerance=3e-3, mistakes={
        "The second number is logvar = log σ²: take the exponential to get the variance.": (1 - 2 + 2 - 1) / 2,
        "You read logvar as log σ; it is log σ², so σ² = exp(logvar).": latent_kl(1, -4),
        "The mean counts too: μ² stands in the bracket.": latent_kl(0, -2),
        "The − 1 at the end is missing: without it the prior itself would have a KL above 0.": right + 0.5,
    })  # fmt: skip


def check_sample(function: Callable[..., Any]) -> Result:
    """Exercise 2: ``sample(mu, logvar, eps)``, all ``(n, latents)``."""

    def scaled(scale: Callable[[NDArray], ArrayLike]) -> Callable[..., ArrayLike]:
        return lambda mu, logvar, eps: mu + scale(logvar) * eps

    rng = np.random.default_rng(1)
    mu, logvar, eps = rng.normal(0, 1, (3, 2, 4))
    cases = [(*rng.normal(0, 1, (3, 3, 2)),), (mu, np.abs(logvar), eps)]
    praise = "the noise stays outside, so mu and logvar have a gradient."
    return judge_function(function, scaled(lambda logvar: np.exp(logvar / 2)), cases, praise=praise, mistakes={
        "That is the mean: nothing has been drawn, and eps has no effect.": scaled(lambda logvar: 0),
        "You scaled the noise by the variance. Its standard deviation is the square root.": scaled(np.exp),
        "You scaled the noise by logvar itself. It is a logarithm, and may be negative.": scaled(lambda logvar: logvar),
        "You scaled the noise by ½ logvar: take the exponential.": scaled(lambda logvar: logvar / 2),
        "You read logvar as the variance. It is its logarithm: take the exponential, not the root.": scaled(np.sqrt),
        "The noise has the wrong size: σ = exp(+½ logvar).": scaled(lambda logvar: np.exp(-logvar / 2)),
        "The noise is not scaled: σ = exp(½ logvar) belongs in front of eps.": scaled(lambda logvar: 1),
        "The size is right, but the noise is not around the mean.": lambda mu, logvar, eps: np.exp(logvar / 2) * eps,
    })  # fmt: skip


def check_negative_elbo(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``negative_elbo(x, p, mu, logvar)`` of images ``(n, pixels)`` and codes ``(n, latents)``."""
    rng = np.random.default_rng(6)
    cases = [  # in the second, logvar is positive
        (*rng.uniform(0.05, 0.95, (2, 3, 5)), *rng.normal(0, 0.8, (2, 3, 2))),
        (*rng.uniform(0.05, 0.95, (2, 4, 6)), rng.normal(0, 0.8, (4, 3)), rng.uniform(0.2, 1.5, (4, 3))),
    ]
    praise = "summed over pixels and latents, averaged over images."
    return judge_function(function, vae_loss(), cases, praise=praise, mistakes={
        "The KL is averaged over the latents. Sum it: each latent has its own KL.": vae_loss(latents=np.mean),
        "The reconstruction term is averaged over the pixels. Sum it too, or β is not 1.": vae_loss(pixels=np.mean),
        "Both terms are averaged over everything: average images only.": vae_loss(pixels=np.mean, latents=np.mean),
        "You added up the images. Their mean does not depend on their number.": vae_loss(pixels=np.sum, latents=np.sum),
        "You read logvar as the variance in the KL.": vae_loss(kl=lambda mu, logvar: latent_kl(mu, np.log(logvar))),
        "You read logvar as log σ in the KL: it is log σ².": vae_loss(kl=lambda mu, logvar: latent_kl(mu, 2 * logvar)),
        "A factor ½ is missing in the KL.": vae_loss(total=lambda e, kl: e + 2 * kl),
        "The KL has the wrong sign: your loss rewards leaving the prior.": vae_loss(total=lambda e, kl: e - kl),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": vae_loss(error=lambda x, p: -x * np.log(p)),
        "The logarithm is taken of p; you took it of x.": vae_loss(error=lambda x, p: cross_entropy(p, x)),
        "That is the reconstruction term alone. Add the KL from the prior.": vae_loss(total=lambda e, kl: e),
        "That looks like bits: take the natural logarithm.": vae_loss(total=lambda e, kl: e / np.log(2) + kl),
    })  # fmt: skip


def check_aggregated_variance(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``aggregated_variance(mu, logvar)`` of arrays ``(n, latents)``."""

    def right(mu: NDArray, logvar: NDArray) -> NDArray:
        return np.exp(logvar).mean(axis=0) + mu.var(axis=0)

    cases = [tuple(np.random.default_rng(4).normal(0.5, 0.8, (2, 5, n))) for n in (2, 3)]
    return judge_function(function, right, cases, praise="the variance within plus that between.", mistakes={
        "That is the variance of the means. Each q has a variance, too: add their mean.": lambda mu, v: mu.var(axis=0),
        "That is the mean of the variances. The means differ, too.": lambda mu, v: np.exp(v).mean(axis=0),
        "logvar is a logarithm: take the exponential.": lambda mu, v: v.mean(axis=0) + mu.var(axis=0),
        "First the exponential, then the mean.": lambda mu, v: np.exp(v.mean(axis=0)) + mu.var(axis=0),
        "Average variances, not standard deviations.": lambda mu, v: np.exp(v / 2).mean(axis=0) + mu.var(axis=0),
        "That is the mean of z². Subtract the squared mean of z.": lambda mu, v: (mu**2 + np.exp(v)).mean(axis=0),
        "Divide by n, not n − 1: these images are all.": lambda mu, v: right(mu, v) + mu.var(axis=0) / (len(mu) - 1),
        "The images are the rows: average over axis 0.": lambda mu, v: right(mu.T, v.T),
    })  # fmt: skip


def check_best_image(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``best_image(z, means, sds, x1, x2)`` for one code z."""

    def weighted(weights: Callable[..., Any]) -> Callable[..., ArrayLike]:
        return lambda z, means, sds, x1, x2: np.average([x1, x2], axis=0, weights=weights(z, means, sds))

    cases = [
        (0.4, np.array([-0.8, 0.9]), np.array([0.6, 1.3]), np.array([0, 0.2, 1, 0.7]), np.array([1, 0.3, 0.1, 0.6])),
        (-0.5, np.array([-1.1, 0.7]), np.array([0.8, 1.7]), np.array([0.9, 0.4, 0]), np.array([0.1, 1, 0.5])),
    ]
    return judge_function(function, weighted(norm.pdf), cases, praise="Bayes' rule, then a mean.", mistakes={
        "That is the plain average. Which of the two more likely gave this z?": weighted(lambda z, m, s: [1, 1]),
        "The weights must add up to one: divide by their sum.": lambda z, m, s, x1, x2: norm.pdf(z, m, s) @ [x1, x2],
        "The weights are the wrong way round.": weighted(lambda z, m, s: norm.pdf(z, m, s)[::-1]),
        "That is the likelier image. Average both.": lambda z, m, s, x1, x2: [x1, x2][np.argmax(norm.pdf(z, m, s))],
        "You used the variance for the standard deviation.": weighted(lambda z, m, s: norm.pdf(z, m, s**2)),
        "You used the standard deviation for the variance.": weighted(lambda z, m, s: norm.pdf(z, m, np.sqrt(s))),
        "The standard deviations are missing in the densities.": weighted(lambda z, m, s: norm.pdf(z, m)),
        "You left out the 1/σ in front of a Gaussian density.": weighted(lambda z, m, s: norm.pdf(z, m, s) * s),
        "The weights are the densities, not their logarithms.": weighted(norm.logpdf),
    })  # fmt: skip


def check_log_mean_exp(function: Callable[..., Any]) -> Result:
    """Exercise 6: ``log_mean_exp(log_weights)`` of an array ``(k, n)``, over the k samples of each image."""

    def right(w: NDArray) -> NDArray:
        return np.asarray(logsumexp(w, axis=0) - np.log(len(w)))

    cases = [
        (np.array([[-803.0, -910.5], [-800.5, -912.0], [-806.0, -909.0], [-801.2, -915.0]]),),
        (np.array([[-790.4, -851.0, -1203.7], [-792.1, -850.2, -1204.9]]),),
        (np.array([[-3000.0, -2.5], [-2.5, -3000.0], [-3.25, -4.0]]),),
    ]
    return judge_function(function, right, cases, praise="the logarithm of the mean weight.", mistakes={
        "That is the mean of the logarithms, the ELBO again. Take the mean first.": lambda w: w.mean(axis=0),
        "That is the logarithm of the sum. Divide by the number of samples.": lambda w: logsumexp(w, axis=0),
        "exp(−800) underflows to 0: subtract the largest log-weight.": lambda w: np.log(np.exp(w).mean(axis=0)),
        "That is the largest log-weight: close, but the others count too.": lambda w: w.max(axis=0),
        "You subtracted the largest log-weight and have not added it again.": lambda w: right(w) - w.max(axis=0),
        "You averaged over the images. The samples are the rows: axis 0.": lambda w: right(w.T),
        "That is one number for all images. Each image, a column, has its own: axis 0.": lambda w: right(w.ravel()),
    })  # fmt: skip


def check_missing_nats(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``missing_nats(p)`` of an array ``(n,)`` without ½."""

    def integral(p: NDArray) -> NDArray:
        return (2 * p - 1) / (np.log(p) - np.log(1 - p))

    cases = [(np.array([0.05, 0.3, 0.8]),), (np.array([0.995, 0.6, 0.12, 0.41]),)]
    praise = "at least log 2 for each gray pixel."
    return judge_function(function, lambda p: -np.log(integral(p)), cases, praise=praise, mistakes={
        "That is the integral. What does it take, in nats, to divide by it?": integral,
        "log 2 is the least, at p = ½. Elsewhere more is missing.": lambda p: np.full_like(p, np.log(2)),
        "That sums over black and white. Integrate over the gray values between.": np.zeros_like,
    })  # fmt: skip


def check_best_weight(function: Callable[..., Any]) -> Result:
    """Exercise 8: ``best_weight(v, s2, beta)``, the w² that maximizes E[log p(x | z)] - beta · KL; also if it is 0."""
    cases = [(4.3, 0.6, 1.7), (2.1, 0.35, 3.2), (4.0, 0.5, 10.0), (0.9, 0.22, 2.6), (0.6, 0.35, 2.3)]
    praise = "from β = v / s² on the latent collapses, and that is the optimum."
    return judge_function(function, lambda v, s2, beta: max(v - beta * s2, 0), cases, praise=praise, mistakes={
        "w² cannot be negative. What is the best w where the formula is below zero?": lambda v, s2, beta: v - beta * s2,
        "β does not take part. A KL that counts β times acts like more noise.": lambda v, s2, beta: max(v - s2, 0),
        "That is the whole variance of x. A part of it is noise, which w need not explain.": lambda v, s2, beta: v,
        "You divided by β where it multiplies.": lambda v, s2, beta: max(v - s2 / beta, 0),
        "β is in the wrong place: it multiplies the noise s² alone.": lambda v, s2, beta: max(beta * (v - s2), 0),
        "s2 is the variance already: it is not squared again.": lambda v, s2, beta: max(v - beta * s2**2, 0),
    })  # fmt: skip
