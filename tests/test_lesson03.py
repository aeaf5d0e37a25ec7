"""Lesson 03: the numbers in its figures, and right and wrong answers to its exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax
from scipy.stats import norm

from vaehelpers.inference import NoisyOr, binary_states, enumerate_posterior, factorised, gaussian_mean_field
from vaehelpers.lessons import lesson03


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_plot_network_has_an_arrow_for_each_strength_and_fills_observed_symptoms():
    strength = np.array([[0.9, 0, 0], [0.2, 0.5, 0]])
    ax = lesson03.plot_network(strength, ["no fuel", "cold"], ["dark", "loud noise", "wet"], seen=[1, 0, 0])
    arrows = [text.arrow_patch.get_linewidth() for text in ax.texts if text.get_text() == ""]
    np.testing.assert_allclose(arrows, 0.6 + 2.2 * strength[strength > 0])
    filled = ax.collections[1].get_facecolors()[:, 0]
    assert filled[0] < 0.5 and (filled[1:] == 1).all()


def test_plot_cost_doubles_with_each_cause():
    ax = lesson03.plot_cost([4, 8, 10], [0.001, 0.016, 0.064], {"few": ([10, 20], [0.1, 0.2])})
    (n, end), (start, last) = ax.lines[0].get_data()
    assert (n, end, start) == (10, 120, 0.064) and last == pytest.approx(0.064 * 2**110)
    minute = next(line for line in ax.lines if line.get_marker() == "x").get_xdata()[0]
    assert minute == pytest.approx(10 + np.log2(60 / 0.064))


def test_plot_traces_shows_each_chain_with_its_share_so_far():
    ax = lesson03.plot_traces([[1, 0], [1, 1], [0, 1], [0, 1]], exact=0.4, burn_in=2)
    shares = [line.get_ydata() for line in ax.lines[::2]]
    np.testing.assert_allclose(shares, [[1, 1, 2 / 3, 1 / 2], [-1.3, -0.8, -1.3 + 2 / 3, -0.55]])
    np.testing.assert_allclose([line.get_ydata()[0] for line in ax.lines[1::2]], [0.4, -0.9])
    assert [text.get_text() for text in ax.texts] == ["chain 1", "chain 2", "burn-in"]
    np.testing.assert_allclose([ax.patches[0].get_x(), ax.patches[0].get_width()], [0, 2])


def test_plot_errors_averages_over_the_seeds_and_extends_the_fits():
    work, sampling = np.geomspace(10, 1000, 5), np.geomspace(0.5, 0.05, 5)[:, None] * np.linspace(0.5, 1.5, 20)
    ax = lesson03.plot_errors(work, sampling, [([1, 10, 20], [0.4, 0.2, 0.1])], exact=1024)
    np.testing.assert_allclose(ax.lines[16].get_ydata(), sampling.mean(axis=1))
    np.testing.assert_array_equal(ax.lines[17].get_data(), [[10, 20, 1000], [0.2, 0.1, 0.1]])
    assert ax.lines[-1].get_xdata() == [1024, 1024]


MODEL = NoisyOr([0.1, 0.3], [0.05, 0.05, 0.05], [[0.9, 0.5, 0], [0, 0.4, 0.7]])


@pytest.mark.parametrize(("inspected", "row"), [("not inspected", None), ("it is so", 1), ("it is not so", 0)])
def test_diagnosis_conditions_on_the_ticks_and_on_the_inspected_cause(inspected, row):
    live = lesson03.diagnosis(MODEL, ["fuse", "pump"], ["dark", "cold", "wet"], seen=[0, 0, 1])
    live.controls["symptom_1"].value, live.controls["inspected"].value = True, inspected
    states = binary_states(2)
    kept = states if row is None else states[states[:, 0] == row]
    posterior, _ = enumerate_posterior(MODEL.log_joint(kept, [0, 1, 1]))
    ax = live.figure.axes[0]
    np.testing.assert_allclose(widths(ax.containers[0]), posterior @ kept)
    np.testing.assert_allclose(widths(ax.containers[1]), MODEL.prior)
    assert ax.get_title(loc="left") == "seen: cold, wet"
    live.controls["symptom_1"].value = live.controls["symptom_2"].value = False
    assert ax.get_title(loc="left") == "seen: nothing unusual"


@pytest.mark.parametrize("powers", [(1000, 266, 40, 58), (500, 266, 80, 58), (25, 20, 10, 30)])
def test_universe_shows_the_ages_in_powers_of_ten(powers):
    live = lesson03.universe()
    for control, value in zip(live.controls.values(), powers, strict=True):
        control.value = value
    ax, tens = live.figure.axes[0], np.log10(2) * np.array(powers)
    np.testing.assert_allclose(widths(ax.patches), tens)
    np.testing.assert_allclose([part.get_x() for part in ax.patches[1:]], np.cumsum([0, *tens[1:3]]))
    assert f"10^{{{tens[0] - tens[1:].sum():.2f}}}" in ax.texts[-1].get_text()
    assert f"$2^{{{powers[0]}}}$ ≈ $10^{{{tens[0]:.1f}}}$" in ax.get_title(loc="left")


def test_a_step_of_mean_field_moves_one_mean():
    live = lesson03.gaussian_steps()
    plane, density = live.figure.axes
    for rho, step, moved in ((0.5, 0, "the start"), (0.5, 1, "z₁ moved"), (-0.8, 4, "z₂ moved")):
        live.controls["rho"].value, live.controls["step"].value = rho, step
        covariance = np.array([[1, rho], [rho, 1]])
        path, variances = gaussian_mean_field([0, 0], covariance, [2.6, -2.4], sweeps=6)
        target, q, *_, steps = (line.get_xydata() for line in plane.lines)
        np.testing.assert_allclose(steps, path[: step + 1])
        np.testing.assert_allclose(((target @ np.linalg.inv(covariance)) * target).sum(axis=1), 1)
        np.testing.assert_allclose(((q - path[step]) ** 2).sum(axis=1), 1 - rho**2)
        assert moved in plane.get_title() and f"q {1 - rho**2:.2f}" in density.get_title()
        z, shown = density.lines[1].get_data()
        np.testing.assert_allclose(shown, norm.pdf(z, path[step, 0], np.sqrt(variances[0])))


STATES = binary_states(10)
LOG_JOINT = lesson03.COFFEE_MACHINE.log_joint(STATES, [1, 1, 0, 0, 0, 1, 0, 0])
POSTERIOR = np.exp(LOG_JOINT - logsumexp(LOG_JOINT))
LIME, STALE = (POSTERIOR @ STATES)[[4, 8]]
BOTH = POSTERIOR @ (STATES[:, 4] * STATES[:, 8])
FROZEN = np.linspace(0.1, 0.9, 10)
CAT = 0.03 / 0.1068
#: What a check takes beside the answer.
MORE = {"explaining_away": (POSTERIOR, STATES), "pair": (LOG_JOINT, STATES, FROZEN)}
CHECKS = {
    "explaining_away": lambda answer: lesson03.check_explaining_away(answer, *MORE["explaining_away"]),
    "pair": lambda answer: lesson03.check_pair(answer, *MORE["pair"]),
}


def update_in_a_loop(table, q2):
    weights = [math.exp(sum(a * b for a, b in zip(row, q2, strict=True))) for row in table]
    return tuple(weight / sum(weights) for weight in weights)


def update_in_place(table, q2):
    table *= q2
    on = np.exp(table.sum(axis=1, keepdims=True))
    on /= on.sum()
    return on


def conditional_variances(covariance):
    """Return Σᵢᵢ − Σᵢⱼ Σⱼⱼ⁻¹ Σⱼᵢ: the variance of each direction when the others are known."""
    found = []
    for i in range(len(covariance)):
        others = np.delete(np.arange(len(covariance)), i)
        known = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, i])
        found.append(covariance[i, i] - covariance[i, others] @ known)
    return found


def means(q=FROZEN):
    return np.array([[factorised([a, b, *q[2:]], STATES) @ LOG_JOINT for b in (0, 1)] for a in (0, 1)])


RIGHT = {
    "bayes": [CAT, 0.281, 0.28, [0.28], Fraction(75, 267)],
    "log_evidence": [
        np.logaddexp.reduce,
        lambda table: max(table) - np.log(max(softmax(table))),
        lambda table: max(table) + math.log(sum(math.exp(a - max(table)) for a in table)),
    ],
    "explaining_away": [BOTH / STALE, 0.039, [BOTH / STALE], np.float16(0.039)],
    "evidence_estimate": [
        lambda w: np.logaddexp.reduce(w) - math.log(len(w)),
        lambda w: logsumexp(w, b=1 / len(w)),
        lambda w: [max(w) + np.log(np.mean(np.exp(w - max(w))))],
    ],
    "effective_size": [
        lambda rho, n: n / (2 * rho.sum() - 1),
        lambda rho, n: n / np.sum([*rho[:0:-1], *rho]),
        lambda rho, n: [n / (1 + 2 * sum(float(r) for r in rho[1:]))],
    ],
    "mean_field_update": [
        lambda table, q2: [expit(table[0] @ q2 - table[1] @ q2), expit(table[1] @ q2 - table[0] @ q2)],
        update_in_a_loop,
        update_in_place,
    ],
    "variances": [
        conditional_variances,
        lambda c: np.diag(np.linalg.pinv(c)) ** -1.0,
        lambda c: [np.linalg.det(c) / np.linalg.det(np.delete(np.delete(c, i, 0), i, 1)) for i in range(len(c))],
    ],
    "pair": [softmax(means()), softmax(means()).tolist(), np.exp(means() - logsumexp(means())).astype(np.float32)],
}

WRONG = {
    "bayes": [
        (28.1, "as a number between 0 and 1"), (0.03, "joint"), (0.1068, "That is p(x)"), (0.05 / 0.67, "the priors"),
        (0.05, "p(x | z)"), (0.6, "prior"), (0.719, "not the cat"), (CAT / (1 - CAT), "odds"), (0.655, "dishes"),
        (0.3, "Not yet"),
    ],
    "log_evidence": [
        (lambda t: np.log(np.exp(t).sum()), "exp(-1000) is 0"),
        (lambda t: np.log(np.exp(t - t.max()).sum()), "put it back"),
        (lambda t: np.log(np.exp(t - t.mean()).sum()) + t.mean(), "Take the largest value out"),
        (lambda t: np.log(np.mean(np.exp(t - t.max()))) + t.max(), "log of the mean"),
        (lambda t: t - t.max(), "Need one number"),
        (lambda t: logsumexp([-1000, -1001, -1002]), "Not yet"),
    ],
    "explaining_away": [
        (3.9, "as a number between 0 and 1"), (BOTH, "both together"), (BOTH / LIME, "wrong one of the two"),
        (LIME, "before you knew"), ((LIME - BOTH) / (1 - STALE), "beans are fresh"), (LIME * STALE, "independent"),
        (0.2, "the prior"), (1 - BOTH / STALE, "Not yet"),
    ],
    "evidence_estimate": [
        (np.mean, "Jensen"), (logsumexp, "log of the sum"), (lambda w: np.exp(w).mean(), "mean weight"),
        (lambda w: np.log(np.exp(w).mean()), "exp(-1000) is 0"), (lambda w: logsumexp(w) / len(w), "subtract log n"),
        (lambda w: logsumexp(w) + np.log(len(w)), "subtract it"), (np.median, "Not yet"),
    ],
    "effective_size": [
        (lambda rho, n: n / (1 + 2 * rho.sum()), "Lag 0 is in your sum"),
        (lambda rho, n: n / rho.sum(), "counts twice"),
        (lambda rho, n: n / (2 * rho.sum()), "lag 0 counts once"),
        (lambda rho, n: n / (1 + 2 * rho[1]), "Add all lags"),
        (lambda rho, n: n / (2 * rho[1:].sum()), "The 1 is missing"), (lambda rho, n: n, "Not yet"),
        (lambda rho, n: n * (1 + 2 * rho[1:].sum()), "You multiplied"),
    ],
    "mean_field_update": [
        (lambda t, q: t @ q - logsumexp(t @ q), "leave log space"),
        (lambda t, q: softmax(q @ t), "first cause"),
        (lambda t, q: softmax(t @ q[::-1]), "weights are exchanged"),
        (lambda t, q: np.exp(t).sum(axis=1) / np.exp(t).sum(), "exact"),
        (lambda t, q: softmax(t.sum(axis=1)), "without the weights"),
        (lambda t, q: softmax(t @ q)[1], "shape (2,)"),
        (lambda t, q: np.ones(2) / 2, "Not yet"),
    ],
    "variances": [
        (np.diag, "true marginal variances"),
        (lambda c: np.diag(np.linalg.inv(c)), "one step is left"),
        (lambda c: np.diag(np.linalg.inv(c)) ** -0.5, "standard deviations"),
        (np.linalg.inv, "shape (3,)"),
        (np.linalg.eigvalsh, "Not yet"),
    ],
    "pair": [
        (np.exp(means()), "Not normalized"), (means(), "still logarithms"), (softmax(means()).T, "on its side"),
        (softmax(means(), axis=1), "Each row sums to 1"), (softmax(means(), axis=0), "Each column sums to 1"),
        (POSTERIOR.reshape(-1, 2, 2).sum(0).T, "exact posterior"), (softmax(means(1 - FROZEN)), "Not yet"),
        (np.outer([0.9, 0.1], [1 - FROZEN[1], FROZEN[1]]), "two old factors"),
        (softmax(means()).ravel(), "shape (2, 2)"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("argument", [0, 1])
def test_a_check_names_the_arrays_that_were_changed_in_the_notebook(name, argument):
    given = [array.copy() for array in MORE[name]]
    given[argument] -= given[argument]
    result = getattr(lesson03, f"check_{name}")(RIGHT[name][0], *given)
    assert not result.ok and "no longer what the lesson computed" in result.hint


@pytest.mark.parametrize("frozen", [FROZEN[:9], 2 * FROZEN, FROZEN * np.nan, "a", None])
def test_a_pair_needs_its_frozen_factors(frozen):
    assert "ten probabilities" in lesson03.check_pair(RIGHT["pair"][0], LOG_JOINT, STATES, frozen).hint
