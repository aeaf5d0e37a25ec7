"""Lesson 06: the variational autoencoder: figures, sliders and checks."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Image, display
from ipywidgets import FloatSlider
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Polygon
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit, logsumexp
from scipy.stats import norm

from .. import hands
from ..arguments import array, number, whole
from ..information import gaussian_kl
from ..plots import BOUND, DATA, POSTERIOR, PRIOR, P, Q, ellipses, plot_rows, tile
from . import live
from .judge import Result, judge, judge_function
from .live import Live, choice, slider

Floats = NDArray[np.float64]


class Bargain(NamedTuple):
    """What ``bargain`` returns: all but the overlap in nats, fit and loss as means over the two pictures."""

    overlap: float  # the area that the two posteriors share, from 0 to 1
    prices: Floats  # (2,): KL(q ‖ N(0, 1)) of each picture
    fit: float  # E[log p(x | z)] under the best decoder that there can be
    lost: float  # what that fit lacks of the one without any overlap


def share(z: ArrayLike, means: ArrayLike, sds: ArrayLike) -> Floats:
    """Return the probability ``(n,)`` that a code ``z`` ``(n,)`` came from the first of two equally likely pictures.

    ``means`` and ``sds`` are ``(2,)``: q(z | x) of each. Bayes' rule; Bishop (2006), §4.2.
    Raises ``ValueError`` for another shape, a number that is not finite or an sd that is not above 0.
    """
    (first, second), (wide, other), codes = array("means", means, (2,)), _positive(sds), array("z", z, ("n",))
    return np.asarray(expit(norm.logpdf(codes, first, wide) - norm.logpdf(codes, second, other)))


def best_pictures(z: ArrayLike, means: ArrayLike, sds: ArrayLike, pictures: ArrayLike) -> Floats:
    """Return the pictures ``(n, ...)`` that explain best, on average, what may have sent each code ``z`` ``(n,)``.

    ``pictures`` is ``(2, ...)`` in [0, 1]. The mean of the two, weighted by ``share``: for Bernoulli pixels as for
    squared errors no other answer fits better; Bishop (2006), §1.5.5. Raises ``ValueError`` as ``bargain`` does.
    """
    return np.tensordot(_shares(z, means, sds), _pictures(pictures), axes=1)


def bargain(means: ArrayLike, sds: ArrayLike, pictures: ArrayLike, *, cells: int = 600) -> Bargain:
    """Return overlap, prices and best fit of posteriors N(means, sds²), each ``(2,)``, for ``pictures`` ``(2, ...)``.

    The pictures are in [0, 1] and their pixels Bernoulli, as in ``model.elbo_terms``. Integrals over z are sums
    over ``cells`` points, within eight standard deviations of each mean. Raises ``ValueError`` for bad sds or pictures.
    """
    mu, sd = array("means", means, (2,)), _positive(sds)
    x = _pictures(pictures).reshape(2, -1)
    steps = np.linspace(-8, 8, whole("cells", cells, 4) // 2)[:, None]
    z = np.unique((mu + sd * steps).ravel())  # as fine as each posterior is narrow
    density, shares = norm.pdf(z[:, None], mu, sd), _shares(z, mu, sd)
    own = _doubt(x)  # (2,): what even a decoder that knows the picture cannot fit, for its pixels are grey
    differ = x[0] != x[1]
    mixed = _doubt(shares @ x[:, differ]) - shares @ _doubt(x[:, differ])
    lost = float(np.trapezoid(density.mean(axis=1) * mixed, z))
    prices = gaussian_kl(mu, sd**2, 0, 1)
    return Bargain(float(np.trapezoid(density.min(axis=1), z)), prices, float(-own.mean() - lost), lost)


def _shares(z: ArrayLike, means: ArrayLike, sds: ArrayLike) -> Floats:
    first = share(z, means, sds)
    return np.stack([first, 1 - first], axis=-1)


def _doubt(pictures: Floats) -> Floats:
    """The entropy in nats of Bernoulli pixels ``(n, pixels)``, summed over a picture: minus its best expected fit."""
    return (entr(pictures) + entr(1 - pictures)).sum(axis=1)


def _pictures(pictures: ArrayLike) -> Floats:
    x = array("pictures", pictures, unit=True)
    if x.ndim < 1 or len(x) != 2 or not x.size:
        raise ValueError(f"pictures: need two, (2, ...), got {x.shape}")
    return x


def _positive(sds: ArrayLike) -> Floats:
    sd = array("sds", sds)
    if sd.shape != (2,) or not (sd > 0).all():
        raise ValueError(f"sds: need two standard deviations above 0, got {sd}")
    return sd


def plot_code_map(
    codes: ArrayLike, distance: ArrayLike, extent: Sequence[float], limit: float, *, ax: Axes | None = None
) -> Axes:
    """Plot codes ``(n, 2)`` over how far the decoded picture at each place ``(side, side)`` is from any real one.

    ``extent`` is (left, right, bottom, top); hatched is what lies farther away than ``limit``. The dotted circle holds
    95 % of the prior.
    """
    far, (left, right, bottom, top) = array("distance", distance, ("side", "side")), array("extent", extent, (4,))
    number("limit", limit, above=0), array("codes", codes, ("n", 2))
    ax = ax or plt.subplots(figsize=(7, 6))[1]
    x, y = np.linspace(left, right, far.shape[1]), np.linspace(bottom, top, far.shape[0])
    levels = [0, limit, max(far.max(), limit) * 1.01 + 1e-9]
    with plt.rc_context({"hatch.color": "0.65"}):
        ax.contourf(x, y, far, levels, colors=["white", "0.9"], hatches=[None, "xx"])
    ax.plot(*np.asarray(codes).T, "o", color=DATA, markersize=4, markeredgecolor="0.25", markeredgewidth=0.4)
    ax.add_patch(Circle((0, 0), np.sqrt(-2 * np.log(0.05)), fill=False, ls=":", lw=3, edgecolor=PRIOR))
    ax.annotate("prior", (0, -np.sqrt(-2 * np.log(0.05))), (0, -4), textcoords="offset points", ha="center", va="top",
                fontsize=14, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top), aspect="equal")
    return ax


def plot_two_samples(eps: ArrayLike, fresh: ArrayLike, mu: ArrayLike, sd: float, *, ax: Axes | None = None) -> Axes:
    """Draw samples for growing ``mu`` ``(k,)``: ``fresh`` ones ``(k, n)`` on the left, moved noise ``(n,)`` right."""
    places, noise = array("mu", mu, ("k",)), array("eps", eps, ("n",))
    shift = np.ptp(array("fresh", fresh, (len(places), len(noise)))) * 1.15
    ax = ax or plt.subplots(figsize=(12, 4.6))[1]
    moved = places[:, None] + number("sd", sd, least=0) * noise + shift
    ax.plot(np.asarray(fresh), np.tile(places, (len(noise), 1)).T, "o", color=DATA, markersize=8)
    ax.plot(moved, places, "-", color="0.6", lw=1.5)
    ax.plot(moved, np.tile(places, (len(noise), 1)).T, "o", color=DATA, markersize=8)
    for middle, text in (
        (np.mean(np.asarray(fresh)), "from a box: $z \\sim q$"),
        (moved.mean(), "moved noise: $z = μ + σε$"),
    ):
        ax.text(middle, places[-1] + 0.08, text, ha="center", va="bottom", fontsize=15)
    ax.set(xticks=[], yticks=places, ylabel="μ", xlabel="z", ylim=(places[0] - 0.15, places[-1] + 0.25))
    return ax


def plot_estimates(estimates: Mapping[str, ArrayLike], truth: float, *, ax: Axes | None = None) -> Axes:
    """Show how one-draw estimates ``(n,)`` of a gradient spread: a histogram for each way, and the truth as a line."""
    ax = ax or plt.subplots(figsize=(11, 4.6))[1]
    every = np.concatenate([array("estimates", values, ("n",)) for values in estimates.values()])
    bins = list(np.linspace(every.min(), every.max(), 101))
    for (name, values), color, hatch in zip(estimates.items(), (Q, DATA), ("//", None), strict=False):
        look: dict[str, Any] = {"facecolor": "white" if hatch else color, "edgecolor": color, "hatch": hatch}
        ax.hist(np.asarray(values), bins, label=name, histtype="stepfilled", log=True, **look)
    ax.axvline(number("truth", truth), color=P, lw=3, label="the true gradient")
    ax.set(ylabel="number of draws", xlabel="estimate of the gradient from one draw")
    ax.legend(loc="upper right")
    return ax


def plot_bounds(
    ks: Sequence[int], bounds: ArrayLike, errors: ArrayLike, log_evidence: float, *, ax: Axes | None = None
) -> Axes:
    """Plot bounds ``(k,)`` with their standard errors over the number of samples, below the evidence."""
    ax = ax or plt.subplots(figsize=(9, 5))[1]
    k = array("ks", ks, ("k",))
    array("bounds", bounds, k.shape), array("errors", errors, k.shape), number("log_evidence", log_evidence)
    ax.axhline(log_evidence, color=P, lw=3)
    ax.errorbar(ks, bounds, 2 * np.asarray(errors), fmt="s--", color=BOUND, capsize=6, markersize=8, lw=2)
    ax.annotate("log p(x), summed over a grid", (np.min(ks), log_evidence), (0, 7), textcoords="offset points")
    ax.annotate("the ELBO", (ks[0], np.asarray(bounds)[0]), (14, -4), textcoords="offset points")
    low = log_evidence - np.min(bounds)
    ax.set(xscale="log", xlabel="K, samples inside the logarithm", ylabel="nats a picture (bars: ± 2 s.e.)")
    ax.set_xticks(list(ks), [f"{k:,}" for k in ks])
    ax.minorticks_off()
    ax.set_ylim(log_evidence - 1.15 * low, log_evidence + 0.15 * low)
    return ax


def plot_gaps(amortisation: ArrayLike, approximation: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Stack the two gaps ``(n,)`` of each picture, the largest sum first."""
    upper = array("amortisation", amortisation, ("n",))
    lower = array("approximation", approximation, upper.shape)
    order, places = np.argsort(-(upper + lower)), np.arange(len(upper))
    ax = ax or plt.subplots(figsize=(10, 4.6))[1]
    look: dict[str, Any] = {"edgecolor": "black", "linewidth": 1}
    ax.bar(places, lower[order], 0.8, color=POSTERIOR, label="approximation gap: no Gaussian fits", **look)
    bars: dict[str, Any] = {
        "facecolor": "white",
        "hatch": "//",
        "label": "amortisation gap: not the best Gaussian",
    }
    ax.bar(places, upper[order], 0.8, bottom=lower[order], **bars, edgecolor=Q, linewidth=1.5)
    ax.set(xticks=[], xlabel="held-out pictures, sorted", ylabel="log p(x) − ELBO, in nats")
    ax.legend(loc="upper right")
    return ax


def plot_three_beliefs(
    density: ArrayLike, extent: Sequence[float], encoder: Sequence[ArrayLike], best: Sequence[ArrayLike], *,
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """Draw the true posterior ``(side, side)`` as shades, and (mean, sds) of the encoder's q and the best Gaussian."""
    grid, (left, right, bottom, top) = array("density", density, ("side", "side")), array("extent", extent, (4,))
    ax = ax or plt.subplots(figsize=(6.5, 5.8))[1]
    x, y = np.linspace(left, right, grid.shape[1]), np.linspace(bottom, top, grid.shape[0])
    ax.contourf(x, y, grid, grid.max() * np.array([0.02, 0.135, 0.4, 0.607, 0.85, 1]), cmap="Purples")
    for (mean, sds), color, style, name in (
        (encoder, Q, "--", "encoder's q"),
        (best, "black", "-", "best Gaussian q*"),
    ):
        for i, curve in enumerate(ellipses(np.diag(np.asarray(sds) ** 2), mean)):
            ax.plot(*curve.T, style, color=color, lw=3 if color == Q else 1.8, label=name if i == 0 else None)
    ax.set(xlabel="z₁", ylabel="z₂", xlim=(left, right), ylim=(bottom, top))
    ax.legend(loc="upper right")
    return ax


def plot_runs(seen: ArrayLike, runs: Mapping[str, ArrayLike], *, ylabel: str, ax: Axes | None = None) -> Axes:
    """Plot a quantity of several runs ``(n,)`` over the pictures seen, each with its own line and marks."""
    ax = ax or plt.subplots(figsize=(11, 5))[1]
    for i, ((name, values), style) in enumerate(zip(runs.items(), ["-", "--", "-.", ":"], strict=False)):
        x = array("seen", seen, ("n",))
        ax.plot(x, array("runs", values, x.shape), "os^D"[i] + style, color=f"C{i}", lw=2.5, markersize=8, label=name)
    ax.set(xlabel="pictures seen", ylabel=ylabel, ylim=(0, None))
    ax.legend()
    return ax


def plot_overlap(z: ArrayLike, prior: ArrayLike, q: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Draw two posteriors ``(2, n)`` over one latent with the area that they share hatched, and the prior dotted."""
    ax = ax or plt.subplots(figsize=(8, 4))[1]
    x = array("z", z, ("n",))
    array("prior", prior, x.shape)
    first, second = array("q", q, (2, len(x)))
    ax.fill(z, np.minimum(first, second), facecolor="0.85", edgecolor="0.4", hatch="xx", lw=0)
    ax.plot(z, first, color=POSTERIOR, lw=3, label="q(z | x₁)")
    ax.plot(z, second, "--", color=Q, lw=3, label="q(z | x₂)")
    ax.plot(z, prior, ":", color=PRIOR, lw=3, label="prior")
    ax.set(xlim=(np.min(z), np.max(z)), yticks=[], xticks=[], ylim=(0, None))
    ax.spines["left"].set_visible(False)  # densities have no scale here
    ax.legend(loc="upper right", ncols=3)
    return ax


def plot_costs(names: Sequence[str], lost: ArrayLike, prices: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Stack the lost fit and the price ``(k,)`` of each setting as one bar, its sum at its end."""
    ax = ax or plt.subplots(figsize=(8, 4))[1]
    rows = np.arange(len(names))
    array("lost", lost, rows.shape), array("prices", prices, rows.shape)
    ax.barh(rows, np.ones(len(names)), 0.62, color=DATA, label="fit lost to the overlap")
    ax.barh(rows, np.ones(len(names)), 0.62, facecolor="white", edgecolor=Q, hatch="//", lw=1.5, label="price (KL)")
    for row in range(len(names)):
        ax.text(0, row, "", va="center")
    ax.set(yticks=rows, yticklabels=names, xlabel="nats a picture, given away")
    ax.tick_params(axis="y", length=0)
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2)
    move_costs(ax, lost, prices)
    ax.set_xlim(0, 1.7 * np.max(np.asarray(lost) + np.asarray(prices)))
    return ax


def move_costs(ax: Axes, lost: ArrayLike, prices: ArrayLike) -> None:
    """Bring the bars and numbers of ``plot_costs`` to other costs ``(k,)``."""
    count = len(ax.patches) // 2
    for i, (fit, price) in enumerate(zip(np.asarray(lost), np.asarray(prices), strict=True)):
        ax.patches[i].set(width=fit)
        ax.patches[count + i].set(x=fit, width=price)
        ax.texts[i].set(
            x=min(fit + price, 0.7 * ax.get_xlim()[1]), text=f" {fit:.2f} + {price:.2f} = {fit + price:.2f}"
        )


class Learning:
    """A row of pictures and, below it, what a model makes of them, drawn anew in the same place while it learns."""

    def __init__(self, pictures: ArrayLike) -> None:
        self.pictures = array("pictures", pictures, ("n", "1", "h", "w"), dtype=np.float32)
        self.figure = Figure(figsize=(11, 2.7), dpi=live.DPI, layout="constrained")
        self.canvas, self.place = FigureCanvasAgg(self.figure), None
        both = np.stack([self.pictures, self.pictures])
        self.axes = plot_rows(both, ["picture", "decoded"], ax=self.figure.subplots())
        self.axes.set_title(" ")
        self.canvas.draw()
        self.figure.set_layout_engine("none")  # all stays where it is

    def show(self, made: ArrayLike, title: str) -> None:
        """Show pictures like the first ones in the lower row; the first call says where on the page."""
        self.axes.images[0].set_data(tile(np.stack([self.pictures, array("made", made, self.pictures.shape)])))
        self.axes.set_title(title, loc="left")
        self.canvas.draw()
        buffer = io.BytesIO()
        self.canvas.print_png(buffer)
        width = round(self.figure.get_figwidth() * live.SCREEN)
        picture = Image(buffer.getvalue(), width=width, alt="pictures above, the model's version of them below")
        if self.place is None:
            self.place = display(picture, display_id=True)
        else:
            self.place.update(picture)


def overlap_lab() -> Live:
    """Two posteriors under sliders: their overlap, their price, the best pictures that can be decoded, and the sum."""
    z, places = np.linspace(-4.5, 4.5, 451), np.linspace(-4, 4, 17)
    figure = Figure(figsize=(13, 5.2), layout="constrained")
    above, below, right = _axes(figure)
    plot_overlap(z, norm.pdf(z), np.stack([norm.pdf(z)] * 2), ax=above).set_ylim(0, 1)
    strip = below.imshow(np.zeros((32, 17 * 32)), vmin=0, vmax=1, extent=(-4.25, 4.25, 0, 0.5), aspect="auto")
    known = [bargain(*_WAYS[way], _pair(way)) for way in [*_WAYS, _START]]
    plot_costs([*_WAYS, "your sliders"], [b.lost for b in known], [b.prices.mean() for b in known], ax=right)

    def update(way: str, mean_1: float, mean_2: float, sd_1: float, sd_2: float) -> None:
        means, sds, pictures = (mean_1, mean_2), (sd_1, sd_2), _pair(way)
        known[-1] = now = bargain(means, sds, pictures)
        _move_densities(above, z, means, sds)
        above.set_title(f"overlap {now.overlap:.2f}    KL of q₁ {now.prices[0]:.2f}, of q₂ {now.prices[1]:.2f} nats")
        strip.set_data(np.hstack(list(best_pictures(places, means, sds, pictures))))
        move_costs(right, [b.lost for b in known], [b.prices.mean() for b in known])

    way, (means, sds) = choice("way out", list(_WAYS), value=_START), _WAYS[_START]
    sliders = {f"mean_{i + 1}": slider(f"mean μ{'₁₂'[i]}", -3, 3, means[i], step=0.1) for i in range(2)}
    sliders |= {f"sd_{i + 1}": slider(f"sd σ{'₁₂'[i]}", 0.1, 1.5, sds[i], step=0.05) for i in range(2)}
    way.observe(lambda change: _set(list(sliders.values()), _WAYS[change["new"]]), "value")
    moving = [*above.patches, *above.lines, above.title, strip, right.patches[4], right.patches[9], right.texts[4]]
    return Live(figure, update, moving=moving, way=way, **sliders)


def _axes(figure: Figure) -> tuple[Axes, Axes, Axes]:
    """Densities above, a strip of pictures under them, and bars on the right."""
    grid = figure.add_gridspec(2, 2, width_ratios=(5, 4), height_ratios=(4, 1))
    above, below, right = (figure.add_subplot(grid[i]) for i in ((0, 0), (1, 0), (slice(None), 1)))
    below.set(xlim=(-4.5, 4.5), yticks=[], xlabel="z, and what the best decoder draws there")
    below.spines[:].set_visible(False)
    return above, below, right


_START = "overlapping"
#: means and sds of the two posteriors, for the start and the three ways out
_WAYS: dict[str, tuple[tuple[float, float], tuple[float, float]]] = {
    _START: ((-0.6, 0.6), (1.0, 1.0)),
    "1 apart": ((-2.4, 2.4), (1.0, 1.0)),
    "2 narrow": ((-0.6, 0.6), (0.15, 0.15)),
    "3 similar": ((-0.6, 0.6), (1.0, 1.0)),
}
_HANDS = hands.render(hands.fill([[-0.12, 0.0], [0.12, 1.0], [-0.11, 0.05]], ("rotation", "index")), 32)[:, 0]


def _pair(way: str) -> np.ndarray:
    """Two pictures: a hand and a different one or, for the third way, a hand and a similar one."""
    return _HANDS[[0, 2 if way == "3 similar" else 1]]


def _set(sliders: Sequence[FloatSlider], setting: tuple[tuple[float, float], tuple[float, float]]) -> None:
    for control, value in zip(sliders, (*setting[0], *setting[1]), strict=True):
        control.value = value


def _move_densities(ax: Axes, z: np.ndarray, means: Sequence[float], sds: Sequence[float]) -> None:
    q = [norm.pdf(z, mean, sd) for mean, sd in zip(means, sds, strict=True)]
    shared = np.minimum(*q)
    area = ax.patches[0]
    assert isinstance(area, Polygon)
    area.set_xy(np.stack([z, shared], axis=1))
    for line, density in zip(ax.lines, q, strict=False):
        line.set_ydata(density)
    ax.set_ylim(0, 1.25 * max(0.45, np.max(q)))


def check_latent_price(answer: Any) -> Result:
    """Exercise 1: KL(q ‖ N(0, 1)) in nats for mu = 1 and logvar = -2."""
    mistakes = {
        "The second number is logvar = log σ²: take the exponential to get the variance.": 0.5 * (1 - 2 + 2 - 1),
        "You have read logvar as log σ; it is log σ², so σ² = exp(logvar).": _kl(1, -4),
        "Half of it is enough: there is a ½ in front of the bracket.": 2 * _kl(1, -2),
        "The mean counts too: μ² stands in the bracket.": _kl(0, -2),
        "The variance itself counts too: σ² = exp(logvar) stands in the bracket.": 0.5 * (1 + 2 - 1),
        "Mind the sign of the logarithm: a narrow q is dear, not cheap.": 0.5 * (1 + np.exp(-2) - 2 - 1),
        "A KL cannot be negative: mind the sign of the whole.": -_kl(1, -2),
        "That looks like bits. The course counts in nats.": _kl(1, -2) / np.log(2),
        "The − 1 at the end of the bracket is missing: without it the prior itself would cost something.": _kl(1, -2)
        + 0.5,
    }
    return judge(answer, _kl(1, -2), praise="about 1.07 nats.", mistakes=mistakes, tolerance=3e-3)


def check_sample(function: Callable[..., Any]) -> Result:
    """Exercise 2: ``sample(mu, logvar, eps)``, all ``(n, latents)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the mean: nothing has been drawn, and eps has no effect.": lambda mu, logvar, eps: mu,
        "You have scaled the noise by the variance. Its standard deviation is the square root.": (
            lambda mu, logvar, eps: mu + np.exp(logvar) * eps
        ),
        "You have scaled the noise by logvar itself. It is a logarithm, and may be negative.": (
            lambda mu, logvar, eps: mu + logvar * eps
        ),
        "You have scaled the noise by ½ logvar: take the exponential.": lambda mu, logvar, eps: mu + logvar / 2 * eps,
        "You have read logvar as the variance. It is its logarithm: take the exponential, not the root.": (
            lambda mu, logvar, eps: mu + np.sqrt(logvar) * eps
        ),
        "The noise has the wrong size: σ = exp(½ logvar), with a plus in the exponent.": (
            lambda mu, logvar, eps: mu + np.exp(-logvar / 2) * eps
        ),
        "The noise is not scaled: σ = exp(½ logvar) belongs in front of eps.": lambda mu, logvar, eps: mu + eps,
        "Add the noise to the mean: the sign in front of it is wrong.": (
            lambda mu, logvar, eps: mu - np.exp(logvar / 2) * eps
        ),
        "The spread is right, but it is not around the mean.": lambda mu, logvar, eps: np.exp(logvar / 2) * eps,
    }
    rng = np.random.default_rng(1)
    mu, logvar, eps = rng.normal(0, 1, (3, 2, 4))
    cases = [(*rng.normal(0, 1, (3, 3, 2)),), (mu, np.abs(logvar), eps)]
    praise = "the noise stays outside, so mu and logvar have a gradient."

    def right(mu: np.ndarray, logvar: np.ndarray, eps: np.ndarray) -> np.ndarray:
        return np.asarray(mu + np.exp(logvar / 2) * eps)

    return judge_function(function, right, cases, praise=praise, mistakes=mistakes)


def check_negative_elbo(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``negative_elbo(x, p, mu, logvar)`` of pictures ``(n, pixels)`` and codes ``(n, latents)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the ELBO itself. A loss is made small: turn its sign around.": (
            lambda x, p, mu, logvar: _fit(x, p) - _price(mu, logvar)
        ),
        "The price is averaged over the latents. It must be summed: each latent has its own price.": (
            lambda x, p, mu, logvar: _kl(mu, logvar).mean() - _fit(x, p)
        ),
        "The fit is averaged over the pixels, the price is not. Sum over the pixels, or β is not 1.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - _log_likelihoods(x, p).mean()
        ),
        "Both terms are averaged over pixels and latents. Average the pictures only, sum the rest.": (
            lambda x, p, mu, logvar: _kl(mu, logvar).mean() - _log_likelihoods(x, p).mean()
        ),
        "You have added up the pictures. Their mean does not depend on how many there are.": (
            lambda x, p, mu, logvar: len(x) * (_price(mu, logvar) - _fit(x, p))
        ),
        "You have read logvar as the variance in the price.": (
            lambda x, p, mu, logvar: _price(mu, np.log(logvar)) - _fit(x, p)
        ),
        "You have read logvar as log σ in the price: it is log σ².": (
            lambda x, p, mu, logvar: _price(mu, 2 * logvar) - _fit(x, p)
        ),
        "A factor ½ is missing in the price.": lambda x, p, mu, logvar: 2 * _price(mu, logvar) - _fit(x, p),
        "The price has the wrong sign: your loss rewards leaving the prior.": (
            lambda x, p, mu, logvar: -_price(mu, logvar) - _fit(x, p)
        ),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - (x * np.log(p)).sum(axis=1).mean()
        ),
        "The logarithm is taken of p; you have taken it of x.": lambda x, p, mu, logvar: (
            _price(mu, logvar) - _fit(p, x)
        ),
        "That is the fit alone, an autoencoder's loss. What does leaving the prior cost?": (
            lambda x, p, mu, logvar: -_fit(x, p)
        ),
        "That looks like bits: take the natural logarithm.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - _fit(x, p) / np.log(2)
        ),
    }
    praise = "summed over pixels and latents, averaged over pictures."
    return judge_function(
        function,
        lambda x, p, mu, logvar: _price(mu, logvar) - _fit(x, p),
        _batches(),
        praise=praise,
        mistakes=mistakes,
    )


def check_best_picture(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``best_picture(z, means, sds, x1, x2)`` for one code z."""

    def mixed(weights: np.ndarray, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        return np.asarray((weights[0] * x1 + weights[1] * x2) / weights.sum())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the plain average. Which of the two is more likely to have sent this z?": (
            lambda z, means, sds, x1, x2: (x1 + x2) / 2
        ),
        "The weights must add up to one: divide by their sum.": (
            lambda z, means, sds, x1, x2: norm.pdf(z, means, sds) @ [x1, x2]
        ),
        "The weights are the wrong way round.": lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds), x2, x1),
        "That is the likelier picture. The other one may have sent this z too.": (
            lambda z, means, sds, x1, x2: [x1, x2][np.argmax(norm.pdf(z, means, sds))]
        ),
        "You have used the variance where the standard deviation belongs, or squared it twice.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds**2), x1, x2)
        ),
        "You have used the standard deviation where the variance belongs.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, np.sqrt(sds)), x1, x2)
        ),
        "The widths of the two posteriors are missing in the densities.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means), x1, x2)
        ),
        "You have left out the 1/σ in front of a Gaussian density.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds) * sds, x1, x2)
        ),
        "The weights are the densities, not their logarithms.": (
            lambda z, means, sds, x1, x2: mixed(norm.logpdf(z, means, sds), x1, x2)
        ),
    }
    cases = [
        (
            0.4,
            np.array([-0.8, 0.9]),
            np.array([0.6, 1.3]),
            np.array([0.0, 0.2, 1.0, 0.7]),
            np.array([1, 0.3, 0.1, 0.6]),
        ),
        (-0.5, np.array([-1.1, 0.7]), np.array([0.8, 1.7]), np.array([0.9, 0.4, 0.0]), np.array([0.1, 1.0, 0.5])),
    ]
    return judge_function(
        function,
        lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds), x1, x2),
        cases,
        praise="Bayes' rule, then a mean.",
        mistakes=mistakes,
    )


def check_log_mean_exp(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``log_mean_exp(log_weights)`` of an array ``(k, n)``, over the k samples of each picture."""

    def right(w: np.ndarray) -> np.ndarray:
        return np.asarray(logsumexp(w, axis=0) - np.log(len(w)))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the mean of the logarithms: the ELBO again. The mean comes first, the logarithm after it.": (
            lambda w: w.mean(axis=0)
        ),
        "That is the logarithm of the sum. Divide by the number of samples, inside the logarithm.": (
            lambda w: logsumexp(w, axis=0)
        ),
        "exp(−800) is too small for the computer, so you got −∞. Subtract the largest log-weight first.": (
            lambda w: np.log(np.exp(w).mean(axis=0))
        ),
        "A large number in exp overflows. Subtract the largest log-weight, not the smallest.": (
            lambda w: np.log(np.exp(w - w.min(axis=0)).mean(axis=0)) + w.min(axis=0)
        ),
        "That is the largest log-weight: close, but the others count too.": lambda w: w.max(axis=0),
        "You have subtracted the largest log-weight and not added it again.": lambda w: right(w) - w.max(axis=0),
        "The largest log-weight is to be added again after the logarithm, with a plus.": (
            lambda w: right(w) - 2 * w.max(axis=0)
        ),
        "You have averaged over the pictures. The samples are the rows: axis 0.": lambda w: right(w.T),
        "That is one number for all pictures. Each picture, a column, has its own: axis 0.": lambda w: right(w.ravel()),
    }
    cases = [
        (np.array([[-803.0, -910.5], [-800.5, -912.0], [-806.0, -909.0], [-801.2, -915.0]]),),
        (np.array([[-790.4, -851.0, -1203.7], [-792.1, -850.2, -1204.9]]),),
        (np.array([[-3000.0, -2.5], [-2.5, -3000.0], [-3.25, -4.0]]),),
    ]
    return judge_function(function, right, cases, praise="the logarithm of the mean weight.", mistakes=mistakes)


def check_gaps(answer: Any) -> Result:
    """Exercise 6: amortisation and approximation gap when the ELBOs are -97.1 and -95.9 and log p(x) is -95.2."""
    mistakes = {
        "The wrong way round: the encoder is to blame for what a better q of the same kind gains.": [0.7, 1.2],
        "The second is the whole gap from the encoder's ELBO to log p(x): only the part above q* counts.": [1.2, 1.9],
        "The first is the whole gap: only the part from the encoder's q to q* counts.": [1.9, 0.7],
        "A gap is never negative: subtract the lower from the higher.": [-1.2, -0.7],
    }
    praise = "a better encoder gains at most the first."
    return judge(answer, [1.2, 0.7], praise=praise, mistakes=mistakes, tolerance=1e-3)


def check_best_weight(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``best_weight(v, s2, beta)``, the w² that maximises fit - beta · price; also when it is 0."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "w² cannot be negative. What is the best w when the formula falls below zero?": (
            lambda v, s2, beta: v - beta * s2
        ),
        "Where the formula falls below zero the best w² is 0, not its absolute value.": (
            lambda v, s2, beta: abs(v - beta * s2)
        ),
        "β does not take part. A price β times as high acts like more noise.": lambda v, s2, beta: max(v - s2, 0),
        "That is w; the function returns w².": lambda v, s2, beta: np.sqrt(max(v - beta * s2, 0)),
        "That is the whole variance of x. A part of it is noise, which w need not explain.": lambda v, s2, beta: v,
        "You have divided by β where it multiplies.": lambda v, s2, beta: max(v - s2 / beta, 0),
        "The β is in the wrong place: it multiplies the noise s², not the whole.": (
            lambda v, s2, beta: max(beta * (v - s2), 0)
        ),
        "s2 is the variance already: it is not squared again.": lambda v, s2, beta: max(v - beta * s2**2, 0),
    }
    cases = [(4.3, 0.6, 1.7), (2.1, 0.35, 3.2), (4.0, 0.5, 10.0), (0.9, 0.22, 2.6), (0.6, 0.35, 2.3)]
    return judge_function(
        function,
        lambda v, s2, beta: max(v - beta * s2, 0),
        cases,
        praise="with β = v / s² the latent falls asleep, and rightly so.",
        mistakes=mistakes,
    )


def _batches() -> list[tuple[np.ndarray, ...]]:
    """Return two batches of pictures, brightnesses, mu and logvar; in the second, logvar is positive."""
    rng = np.random.default_rng(6)
    return [
        (*rng.uniform(0.05, 0.95, (2, 3, 5)), *rng.normal(0, 0.8, (2, 3, 2))),
        (*rng.uniform(0.05, 0.95, (2, 4, 6)), rng.normal(0, 0.8, (4, 3)), rng.uniform(0.2, 1.5, (4, 3))),
    ]


def _fit(x: np.ndarray, p: np.ndarray) -> float:
    return float(_log_likelihoods(x, p).sum(axis=1).mean())


def _price(mu: np.ndarray, logvar: np.ndarray) -> float:
    return float(_kl(mu, logvar).sum(axis=1).mean())


def _log_likelihoods(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray(x * np.log(p) + (1 - x) * np.log(1 - p))


def _kl(mu: ArrayLike, logvar: ArrayLike) -> Any:
    return 0.5 * (np.square(mu) + np.exp(logvar) - logvar - 1)
