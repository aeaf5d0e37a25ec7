"""Lesson 03: the intractable posterior: figures, sliders and checks."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch
from matplotlib.ticker import LogLocator, NullLocator
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp, softmax
from scipy.stats import norm

from ..inference import NoisyOr, binary_states, enumerate_posterior, factorised, gaussian_mean_field
from ..plots import DATA, POSTERIOR, PRIOR, P, Q, ellipses
from .judge import Result, equal, judge, judge_function, numbers, result
from .live import Live, choice, slider, steps

CAUSES = ("unplugged", "fuse blown", "tank empty", "pump broken", "limescale", "filter clogged", "heater broken",
          "grinder jammed", "stale beans", "seal worn")  # fmt: skip
SYMPTOMS = ("lamp dark", "no coffee", "runs slowly", "coffee cold", "tastes weak", "tastes bitter", "puddle", "noisy")
#: A coffee machine with ten possible faults and eight symptoms, in the order of these names.
COFFEE_MACHINE = NoisyOr(
    prior=np.array([0.10, 0.05, 0.15, 0.05, 0.20, 0.10, 0.05, 0.08, 0.15, 0.08]),
    leak=np.full(8, 0.02),
    strength=np.array([
        [0.99, 0.99, 0, 0, 0, 0, 0, 0], [0.99, 0.99, 0, 0, 0, 0, 0, 0],
        [0, 0.95, 0, 0, 0, 0, 0, 0.3], [0, 0.7, 0.6, 0, 0, 0, 0, 0.4],
        [0, 0, 0.7, 0.4, 0, 0.3, 0, 0.3], [0, 0, 0.8, 0, 0.3, 0, 0.3, 0],
        [0, 0, 0, 0.95, 0, 0, 0, 0], [0, 0, 0, 0, 0.8, 0, 0, 0.8],
        [0, 0, 0, 0, 0.6, 0.5, 0, 0], [0, 0, 0.2, 0, 0, 0, 0.8, 0],
    ]),
)  # fmt: skip


# Figures


def plot_graphical_model(*, ax: Axes | None = None) -> Axes:
    """Draw the model z → x: z is latent (open circle), x is observed (filled), and the plate says: N times."""
    ax = ax or plt.subplots(figsize=(7, 3))[1]
    ax.add_patch(FancyBboxPatch((0, 0), 6, 2.3, boxstyle="round,pad=0.1", fill=False, lw=1.5))
    for x, name, colour, role in ((1.5, "$z$", "white", "latent: cause"), (4.5, "$x$", "0.75", "observed: data")):
        ax.add_patch(Circle((x, 1.45), 0.6, facecolor=colour, edgecolor="black", lw=2))
        ax.text(x, 1.45, name, ha="center", va="center", fontsize=26)
        ax.text(x, 0.5, role, ha="center", va="center")
    ax.annotate("", (3.88, 1.75), (2.12, 1.75), arrowprops={"arrowstyle": "-|>", "lw": 2.5, "color": "black"})
    ax.text(3, 1.9, "generates", ha="center", va="bottom")
    ax.annotate("", (2.12, 1.15), (3.88, 1.15), arrowprops={"arrowstyle": "-|>", "lw": 2, "color": Q, "ls": "--"})
    ax.text(3, 1.05, "inference", ha="center", va="top")
    ax.text(5.95, 0.03, "$N$ times", ha="right", va="bottom")
    ax.set(xlim=(-0.2, 6.2), ylim=(-0.2, 2.5), aspect="equal")
    ax.axis("off")
    return ax


def plot_network(
    strength: ArrayLike, causes: Sequence[str], symptoms: Sequence[str], *, seen: ArrayLike, ax: Axes | None = None
) -> Axes:
    """Draw causes above symptoms, with an arrow for each strength ``(causes, symptoms)``; ``seen`` ones are filled."""
    table, observed = np.asarray(strength), np.asarray(seen)
    ax = ax or plt.subplots(figsize=(12, 4.6))[1]
    top, bottom = np.linspace(0, 1, len(causes)), np.linspace(0.06, 0.94, len(symptoms))
    for i, j in np.argwhere(table):
        arrow = {"arrowstyle": "-|>", "lw": 0.6 + 2.2 * table[i, j], "color": "black" if observed[j] else "0.72"}
        ax.annotate("", (bottom[j], 0.08), (top[i], 0.92), arrowprops=arrow | {"shrinkA": 0, "shrinkB": 0})
    style: dict[str, Any] = {"s": 420, "edgecolors": "black", "linewidths": 2, "zorder": 3}
    ax.scatter(top, np.ones(len(top)), c="white", **style)
    ax.scatter(bottom, np.zeros(len(bottom)), c=["0.35" if on else "white" for on in observed], marker="s", **style)
    for x, name in zip(top, causes, strict=True):
        ax.text(x, 1.13, name.replace(" ", "\n"), ha="center", va="bottom")
    for x, name, on in zip(bottom, symptoms, observed, strict=True):
        ax.text(x, -0.13, name.replace(" ", "\n"), ha="center", va="top", weight="bold" if on else "normal")
    for y, name in ((1, "latent $z$"), (0, "observed $x$")):
        ax.text(-0.09, y, name, ha="right", va="center", fontsize=15)
    ax.set(xlim=(-0.2, 1.05), ylim=(-0.45, 1.45))
    ax.axis("off")
    return ax


def plot_marginals(posterior: ArrayLike, names: Sequence[str], *, ax: Axes | None = None, **others: ArrayLike) -> Axes:
    """Plot the probability of each cause as a bar, beside those of ``prior=``, ``q=`` or ``samples=`` where given."""
    styles: dict[str, dict[str, Any]] = {
        "posterior": {"facecolor": POSTERIOR, "label": "exact posterior"},
        "prior": {"facecolor": "none", "edgecolor": PRIOR, "ls": ":", "lw": 2.5, "label": "prior"},
        "q": {"facecolor": "none", "edgecolor": Q, "hatch": "///", "lw": 1.5, "label": "mean-field q"},
        "samples": {"facecolor": DATA, "edgecolor": "black", "hatch": "..", "lw": 1, "label": "samples"},
    }
    rows, bars = np.arange(len(names)), {"posterior": posterior, **others}
    height = 0.8 / len(bars)
    ax = ax or plt.subplots(figsize=(8.5, 1 + 0.26 * len(names) * (1 + 0.4 * len(bars))))[1]
    for k, (role, values) in enumerate(bars.items()):
        ax.barh(rows + (k - (len(bars) - 1) / 2) * height, values, height * 0.9, **styles[role])
    ax.set_yticks(rows, names)
    ax.tick_params(axis="y", length=0)
    ax.set(xlim=(0, 1), ylim=(len(names) - 0.5, -0.5), xlabel="probability of the cause")
    ax.legend(loc="lower right")
    return ax


def plot_cost(causes: Sequence[int], seconds: Sequence[float], quickscore: Any, *, ax: Axes | None = None) -> Axes:
    """Plot seconds of enumeration, doubled for each further cause, and ``quickscore``, {name: (causes, seconds)}."""
    n, last, reach = causes[-1], seconds[-1], 120
    ax = ax or plt.subplots(figsize=(10, 5))[1]
    ax.plot([n, reach], [last, last * 2.0 ** (reach - n)], color=POSTERIOR, ls="--")
    ax.plot(causes, seconds, "o", color=POSTERIOR, mec="black", ms=8, label="enumeration (dashed: extrapolated)")
    for (name, (x, y)), marker in zip(quickscore.items(), "s^", strict=False):
        ax.plot(x, y, marker, color=DATA, markeredgecolor="black", ms=8, label=f"Quickscore, {name}")
    for name, length in (("one minute", 60), ("one year", 3.15e7), ("the age of the universe", 4.35e17)):
        ax.axhline(length, color="0.6", lw=1.2, ls=":")
        ax.text(reach, length * 1.5, name, ha="right", va="bottom")
        ax.plot(n + np.log2(length / last), length, "x", color="black", ms=9, mew=2.5)
    ax.set(yscale="log", xlim=(0, reach), xlabel="number of causes (each is present or not)", ylabel="seconds")
    ax.yaxis.set_major_locator(LogLocator(numticks=9))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.legend(loc="upper left")
    return ax


def plot_traces(traces: ArrayLike, *, exact: float, burn_in: int, ax: Axes | None = None) -> Axes:
    """Plot a binary variable over the steps of chains ``(steps, chains)``, each with its share of ones so far."""
    values = np.asarray(traces, float)
    steps = np.arange(1, len(values) + 1)
    ax = ax or plt.subplots(figsize=(11, 4.6))[1]
    for k, row in enumerate(values.T):
        base = -1.3 * k
        ax.fill_between(steps, base, base + row, step="mid", color=DATA, alpha=0.35, lw=0)
        ax.plot(steps, base + np.cumsum(row) / steps, color="black", lw=2.5)
        ax.plot(steps[[0, -1]], [base + exact] * 2, color=POSTERIOR, ls="-.", lw=2)
        ax.text(-0.035, base + 0.5, f"chain {k + 1}", ha="right", va="center", transform=ax.get_yaxis_transform())
    ax.axvspan(0, burn_in, color="0.88", zorder=-1)
    ax.text(burn_in / 2, 1.04, "burn-in", ha="center", va="bottom")
    ax.set(xlim=(0, len(values)), ylim=(base - 0.1, 1.35), xlabel="step")
    ax.set_yticks([y - 1.3 * k for k in range(len(values.T)) for y in (0, 1)], ["0", "1"] * len(values.T))
    ax.legend(ax.lines[:2], ["share so far", "exact"], loc="lower right", bbox_to_anchor=(1, 0.94), ncols=2)
    return ax


def plot_errors(work: ArrayLike, sampling: ArrayLike, fits: Any, *, exact: float, ax: Axes | None = None) -> Axes:
    """Plot errors over work: ``sampling (steps, seeds)``, the first 16 thin, their mean, and ``fits`` (work, error)."""
    steps, error = np.asarray(work), np.asarray(sampling)
    mean = error.mean(axis=1)
    ax = ax or plt.subplots(figsize=(11, 5.4))[1]
    ax.plot(steps, error[:, :16], color=DATA, lw=1, alpha=0.7)
    ax.plot(steps, mean, color="black", lw=3)
    ax.text(steps[-1] * 1.1, mean[-1], f"Metropolis: 16 of {error.shape[1]}\n(black: mean of all)", va="center")
    for x, y in fits:
        ax.plot([*x[1:], steps[-1]], [*y[1:], y[-1]], color=Q, ls="--")
    ends = np.array([y[-1] for _, y in fits])
    ax.text(steps[-1] * 1.1, np.sqrt(ends.min() * ends.max()), "mean field\nconverged", va="center")
    guide = mean[-1] * 2.2 * np.sqrt(steps[-1] / steps)
    ax.plot(steps[steps > 300], guide[steps > 300], color="0.5", ls=":", lw=2)
    ax.text(steps[-1] / 3, guide[-1] * 2.2, "1 / √work", va="bottom")
    ax.axvline(exact, color=POSTERIOR, lw=2, ls="-.")
    ax.text(exact * 0.93, mean[-1] / 1.5, "enumeration:\nexact from here on", color=POSTERIOR, ha="right", va="center")
    ax.set(xscale="log", yscale="log", xlim=(1, steps[-1] * 8), ylim=(mean[-1] / 2.5, 1))
    ax.set(xlabel="work: evaluations of log p(x, z)", ylabel="mean absolute error of the marginals")
    return ax


# Sliders


def diagnosis(model: NoisyOr, causes: Sequence[str], symptoms: Sequence[str], *, seen: ArrayLike) -> Live:
    """Tick symptoms and inspect the first cause: the exact posterior of all causes follows."""
    states = binary_states(len(causes))
    kept = {"not inspected": states, "it is so": states[states[:, 0] == 1], "it is not so": states[states[:, 0] == 0]}
    figure = Figure(figsize=(7, 5.2))
    ax = figure.add_subplot()

    def update(inspected: str, **ticks: bool) -> None:
        possible = kept[inspected]
        posterior, _ = enumerate_posterior(model.log_joint(possible, list(ticks.values())))
        plot_marginals(posterior @ possible, causes, prior=model.prior, ax=ax)
        shown = [name for name, tick in zip(symptoms, ticks.values(), strict=True) if tick]
        ax.set_title("seen: " + (", ".join(shown) or "nothing unusual"), loc="left")

    boxes = {
        f"symptom_{j}": widgets.Checkbox(bool(on), description=name, indent=False)
        for j, (name, on) in enumerate(zip(symptoms, np.asarray(seen), strict=True))
    }
    inspected = choice(f"{causes[0]}?", list(kept))
    live = Live(figure, update, inspected=inspected, **boxes)
    symptom_box = widgets.Box([*boxes.values()], layout=widgets.Layout(flex_flow="row wrap", width="720px"))
    live.children = [symptom_box, inspected, *live.children[-2:]]
    return live


def universe() -> Live:
    """Show in how many ages of the universe 2^266 fast computers would enumerate 2^unknowns states (MacKay 2003)."""
    figure = Figure(figsize=(7.5, 3.8))
    ax = figure.add_subplot()
    ax.set(ylim=(-0.9, 1.4), xlabel="power of ten", yticks=[1, 0], yticklabels=["states to visit", "states visited"])

    def update(unknowns: int, **powers: int) -> None:
        total, visited = np.log10(2) * unknowns, 0.0
        ax.barh(1, total, 0.55, color=POSTERIOR)
        styles = [("computers", -0.35, DATA, "//"), ("speed", -0.6, "0.9", ".."), ("time", -0.35, PRIOR, "\\\\")]
        for power, (name, y, colour, hatch) in zip(powers.values(), styles, strict=True):
            width = np.log10(2) * power
            ax.barh(0, width, 0.55, left=visited, facecolor=colour, edgecolor="black", hatch=hatch)
            if width > 8:
                ax.text(visited + width / 2, y, name, ha="center", va="top")
            visited += width
        answer = f"all of them take $\\mathbf{{10^{{{total - visited:.2f}}}}}$ times as long"
        ax.text(0, 0.5, answer, va="center", ha="left", fontsize=15, weight="bold")
        ax.set_xlim(0, max(total, visited) * 1.02)
        known = f"$2^{{{unknowns}}}$ ≈ $10^{{{total:.1f}}}$ states"
        ax.set_title(f"{known}; the machine visits $10^{{{visited:.1f}}}$", loc="left")

    controls = {
        "unknowns": steps("binary unknowns", 1500, first=25, value=1000, step=25),
        "computers": steps("computers, 2^", 300, value=266),
        "speed": steps("states a second, 2^", 80, value=40),
        "seconds": steps("seconds, 2^", 80, value=58),
    }
    return Live(figure, update, tries=[{"speed": 60}], **controls)


def gaussian_steps() -> Live:
    """Step through mean field on a correlated Gaussian: a step updates one factor; ρ decides how narrow q becomes."""
    figure = Figure(figsize=(11.5, 5.6))
    plane, density = figure.subplots(1, 2)
    plane.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    plane.set(aspect="equal", xlabel="z₁", ylabel="z₂")
    density.set(xlabel="z₁", ylabel="density", ylim=(0, 1.4), xticks=[-4, -2, 0, 2, 4], yticks=[0, 0.5, 1])
    z = np.linspace(-4, 4, 300)

    def update(rho: float, step: int) -> None:
        covariance = np.array([[1, rho], [rho, 1]])
        path, variances = gaussian_mean_field([0, 0], covariance, [2.6, -2.4], sweeps=6)
        mean = path[step]
        plane.plot(*ellipses(covariance).T, color=P, lw=2.5, label="target p")
        plane.plot(*ellipses(np.diag(variances), mean).T, color=Q, ls="--", lw=2.5, label="mean-field q")
        plane.legend(loc="upper left")
        plane.plot(*path[: step + 1].T, "o-", color="black", lw=1.2, ms=5)
        plane.set_title(f"step {step}: z{'₂₁'[step % 2]} moved, the other was frozen" if step else "the start")
        q1 = norm.pdf(z, mean[0], np.sqrt(variances[0]))
        density.plot(z, norm.pdf(z), color=P)
        density.plot(z, q1, color=Q, ls="--")
        density.text(2.1, 0.12, "target")
        density.text(mean[0], q1.max() + 0.01, "q", ha="center", va="bottom")
        density.set_title(f"variance of z₁: target 1, q {variances[0]:.2f} = 1 − ρ²")

    rho, step = slider("correlation ρ", -0.95, 0.95, 0.9, step=0.05), steps("step", 12, value=5)
    return Live(figure, update, tries=[{"rho": 0}], rho=rho, step=step)


# Checks

#: The lesson's own tables, which changes of the notebook's arrays do not affect.
STATES = binary_states(10)
LOG_TABLE = COFFEE_MACHINE.log_joint(STATES, np.isin(SYMPTOMS, ["lamp dark", "no coffee", "tastes bitter"]))
EXACT = enumerate_posterior(LOG_TABLE)[0]
CHANGED = "{} no longer what the lesson computed. Run the cells above again, and then this one."


def check_bayes(answer: Any) -> Result:
    """Check p(cat | crash) from the priors and likelihoods of four causes; 0.28 is right."""
    prior, likelihood = np.array([0.60, 0.24, 0.14, 0.02]), np.array([0.05, 0.02, 0.50, 0.10])
    joint = prior * likelihood
    right, *_, dishes, _ = joint / joint.sum()
    return judge(answer, right, praise="the crash takes the cat from 60 % to 28 %.", tolerance=4.5e-3, mistakes={
        "That is the joint p(x, z). Bayes' rule divides it by something.": joint[0],
        "That is p(x), by which the joint has to be divided.": joint.sum(),
        "That forgets the priors: weight each likelihood by its prior.": likelihood[0] / likelihood.sum(),
        "That is p(x | z): how well the cat would explain the crash. Turn it round.": likelihood[0],
        "That is the prior, as if you had not heard the crash.": prior[0],
        "Those are the odds, the cat against all others. Divide by the sum of all four.": right / (1 - right),
        "That is the posterior of the dishes, the most probable cause. The cat is asked for.": dishes,
    })  # fmt: skip


def check_log_evidence(log_evidence: Callable[[Any], Any]) -> Result:
    """Check log p(x) from very small log-joints."""
    cases = [(np.array(t),) for t in ([-1000.0, -1001.0, -1002.0], [-3.25, -1.5, -2.75, -4.0], [-3000.0, -2.5, -3.25])]
    return judge_function(log_evidence, logsumexp, cases, praise="log p(x), without ever leaving log space.", mistakes={
        "You added the logs: that is the log of a product. p(x) is a sum, so add the probabilities.": np.sum,
        "exp(-1000) is 0 in the computer. Take the largest value out first.": lambda t: np.log(np.exp(t).sum()),
        "That is the largest term alone. Add the others, measured against it.": np.max,
        "You took the largest value out, and did not put it back.": lambda t: logsumexp(t - t.max()),
        "That is the log of the mean. p(x) is a sum.": lambda t: logsumexp(t) - np.log(len(t)),
    })  # fmt: skip


def check_explaining_away(answer: Any, posterior: ArrayLike, states: ArrayLike) -> Result:
    """Check p(limescale | x, stale beans): causes 4 and 8 of the coffee machine."""
    if not (equal(posterior, EXACT) and equal(states, STATES)):
        return result(False, CHANGED.format("`posterior` or `states` is"))
    lime, stale = EXACT @ STATES[:, [4, 8]]
    both, prior = EXACT @ STATES[:, [4, 8]].prod(axis=1), COFFEE_MACHINE.prior[4]
    right = both / stale
    praise = f"stale beans explain the taste: limescale falls from {lime:.3f} to {right:.3f} (prior {prior:.3f})."
    return judge(answer, right, praise=praise, tolerance=4e-3, mistakes={
        "That is the probability of both together. Divide: the beans are known to be stale.": both,
        "That is p(stale beans | x, limescale): the condition is the wrong one of the two.": both / lime,
        "That is limescale before you knew about the beans.": lime,
        "That is limescale when the beans are fresh.": (lime - both) / (1 - stale),
        "That multiplies as if the two causes were independent.": lime * stale,
        "That is the prior. You have seen the symptoms x, and tasted the beans.": prior,
    })  # fmt: skip


def check_evidence_estimate(evidence_estimate: Callable[[Any], Any]) -> Result:
    """Check the estimate of log p(x) from log-weights, some of them near −1000."""
    cases = [(np.array([-1000.0, -1002.5, -1001.0, -1000.4]),), (np.array([-2.1, -0.4, -3.3, -0.9, -1.7]),)]
    praise = "the log of the mean weight: an estimate of log p(x)."
    right = lambda log_w: logsumexp(log_w) - np.log(len(log_w))  # noqa: E731
    return judge_function(evidence_estimate, right, cases, praise=praise, mistakes={
        "That is the mean of the logs. By Jensen's inequality it lies below the log of the mean.": np.mean,
        "That is the log of the sum. The estimate is a mean: divide by the number of draws.": logsumexp,
        "exp(-1000) is 0 in the computer. Use `logsumexp`.": lambda log_w: np.log(np.mean(np.exp(log_w))),
        "You divided the log by n. To divide inside the log, subtract log n.": lambda w: logsumexp(w) / len(w),
        "You added log n. To divide inside the log, subtract it.": lambda log_w: logsumexp(log_w) + np.log(len(log_w)),
    })  # fmt: skip


def check_effective_size(effective_size: Callable[[Any, Any], Any]) -> Result:
    """Check the effective sample size of a chain from its autocorrelations ``r``, with lag 0 first."""
    cases = [(np.array([1.0, 0.8, 0.5, 0.3, 0.1]), 1000), (np.array([1.0, -0.2, 0.1]), 360)]
    praise = "many steps, few independent draws."
    return judge_function(effective_size, lambda r, n: n / (1 + 2 * sum(r[1:])), cases, praise=praise, mistakes={
        "Lag 0 is in your sum. It is each value with itself; start at lag 1.": lambda r, n: n / (1 + 2 * sum(r)),
        "You divided by twice the whole sum: lag 0 counts once.": lambda r, n: n / (2 * sum(r)),
        "Each lag counts twice: once forwards, once back.": lambda r, n: n / sum(r),
        "The 1 is missing in the denominator.": lambda r, n: n / (2 * sum(r[1:])),
        "You multiplied. Divide the number of steps by the factor.": lambda r, n: n * (1 + 2 * sum(r[1:])),
        "That takes lag 1 alone. Add all lags.": lambda r, n: n / (1 + 2 * r[1]),
    })  # fmt: skip


def check_mean_field_update(mean_field_update: Callable[[Any, Any], Any]) -> Result:
    """Check the factor q(z₁) while q(z₂) is frozen, for two causes."""

    def right(table: NDArray, q2: NDArray) -> NDArray:
        return softmax(table @ q2)

    tables = np.log([[[0.02, 0.20], [0.30, 0.05]], [[0.12, 0.33], [0.07, 0.18]]])
    cases = list(zip(tables, np.array([[0.3, 0.7], [0.85, 0.15]]), strict=True))
    return judge_function(mean_field_update, right, cases, praise="mean field repeats this step.", mistakes={
        "Not normalized: the two numbers have to sum to 1.": lambda table, q2: np.exp(table @ q2),
        "These are still logarithms.": lambda table, q2: table @ q2,
        "You averaged p(x, z). Average its logarithm.": lambda table, q2: np.exp(table) @ q2 / sum(np.exp(table) @ q2),
        "You averaged over the first cause. Average over the frozen one.": lambda table, q2: right(table.T, q2),
        "The two weights are exchanged: q2[0] belongs to column 0.": lambda table, q2: right(table, q2[::-1]),
        "That is the exact p(z₁ | x), without the frozen factor.": lambda table, q2: softmax(table).sum(axis=1),
        "You summed the logs over z₂ without the weights q(z₂).": lambda table, q2: right(table, np.ones(2)),
    })  # fmt: skip


def check_variances(mean_field_variances: Callable[[Any], Any]) -> Result:
    """Check the variances of mean field on a Gaussian."""

    def right(covariance: NDArray) -> NDArray:
        return 1 / np.diag(np.linalg.inv(covariance))

    tables = np.array([[[2, 0.9, 0.3], [0.9, 1, -0.2], [0.3, -0.2, 0.5]], [[1.5, -1, 0], [-1, 0.8, 0.3], [0, 0.3, 2]]])
    cases = [(table,) for table in tables]
    praise = "1 / Λᵢᵢ, here smaller than the true variances."
    return judge_function(mean_field_variances, right, cases, praise=praise, mistakes={
        "These are the true marginal variances. Mean field keeps the other directions frozen.": np.diag,
        "You inverted each variance by itself. Invert the whole matrix.": lambda covariance: 1 / np.diag(covariance),
    })  # fmt: skip


def check_pair(answer: Any, log_joint: ArrayLike, states: ArrayLike, q: ArrayLike) -> Result:
    """Check the joint factor of the first two causes while the other factors are frozen."""
    frozen = numbers(q)
    if not (equal(log_joint, LOG_TABLE) and equal(states, STATES)):
        return result(False, CHANGED.format("`log_table` or `states` is"))
    if frozen is None or frozen.shape != (10,) or not ((frozen >= 0) & (frozen <= 1)).all():
        return result(False, CHANGED.format("`frozen` should hold ten probabilities; it is"))
    means = np.array([[factorised([a, b, *frozen[2:]], STATES) @ LOG_TABLE for b in (0, 1)] for a in (0, 1)])
    plug, fuse = np.stack([1 - frozen[:2], frozen[:2]], axis=1)
    return judge(answer, softmax(means), praise="the pair knows that one is enough.", tolerance=1e-4, mistakes={
        "Not normalized: the four numbers have to sum to 1.": np.exp(means),
        "These are still logarithms.": means,
        "Each row sums to 1. The whole table should: normalize over all four.": softmax(means, axis=1),
        "Each column sums to 1. The whole table should: normalize over all four.": softmax(means, axis=0),
        "That is the exact posterior. Use the frozen factors of the others.": EXACT.reshape(-1, 2, 2).sum(axis=0).T,
        "That is the product of the two old factors. Let the pair be one factor of four numbers.": np.outer(plug, fuse),
        "The table lies on its side: row a is the plug (cause 0), column b the fuse (cause 1).": softmax(means).T,
    })  # fmt: skip
