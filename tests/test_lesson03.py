"""Lesson 03: figures and sliders show the values that they are given; right and wrong answers of the exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
from checks import exercises
from matplotlib.patches import Circle
from scipy.special import expit, logsumexp, softmax
from scipy.stats import norm

from vaehelpers.inference import (
    NoisyOr,
    binary_states,
    enumerate_posterior,
    factorised,
    gaussian_mean_field,
    posterior_marginals,
)
from vaehelpers.lessons import lesson03


def words(ax):
    return [text.get_text() for text in ax.texts]


def answer(ax):
    return next(text.get_text() for text in ax.texts if text.get_gid() == "answer")


def line(ax, gid):
    return next(line for line in ax.lines if line.get_gid() == gid)


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_what_is_hidden_is_an_open_circle_and_what_is_seen_a_filled_one():
    ax = lesson03.plot_graphical_model("c", "s", plate="M", arrows=("makes", "tells"))
    hidden, seen = (patch for patch in ax.patches if isinstance(patch, Circle))
    assert hidden.get_facecolor()[:3] == (1, 1, 1) != seen.get_facecolor()[:3]
    assert {"$c$", "$s$", "$M$ times", "makes", "tells"} <= set(words(ax))


def test_a_network_has_an_arrow_for_each_strength_and_fills_what_is_seen():
    strength = np.array([[0.9, 0, 0], [0.2, 0.5, 0]])
    ax = lesson03.plot_network(strength, ["no fuel", "cold"], ["dark", "loud noise", "wet"], seen=[1, 0, 0])
    arrows = [text for text in ax.texts if text.get_text() == ""]
    assert len(arrows) == 3
    found = [arrow.arrow_patch.get_linewidth() for arrow in arrows]
    np.testing.assert_allclose(found, 0.6 + 2.2 * strength[strength > 0])
    filled = ax.collections[1].get_facecolors()[:, 0]
    assert filled[0] < 0.5 and (filled[1:] == 1).all()
    assert {"no\nfuel", "loud\nnoise"} <= set(words(ax))
    assert [t.get_text() for t in ax.texts if t.get_weight() == "bold"] == ["dark"]


def test_marginals_stand_beside_their_rivals():
    ax = lesson03.plot_marginals([0.9, 0.1], ["a", "b"], prior=[0.2, 0.3], q=[0.8, 0.0], samples=[0.7, 0.1])
    assert [widths(bars) for bars in ax.containers] == [[0.9, 0.1], [0.2, 0.3], [0.8, 0.0], [0.7, 0.1]]
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["exact posterior", "prior", "mean-field q", "samples"]
    rows = [bars[0].get_y() + bars[0].get_height() / 2 for bars in ax.containers]
    np.testing.assert_allclose(rows, [-0.3, -0.1, 0.1, 0.3])  # around the first name


def test_the_cost_doubles_with_each_cause():
    ax = lesson03.plot_cost([4, 8, 10], [0.001, 0.016, 0.064], reach=20)
    (n, end), (start, last) = ax.lines[0].get_data()
    assert (n, end, start) == (10, 20, 0.064) and last == pytest.approx(0.064 * 2**10)
    crosses = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "x"]
    assert crosses[0] == pytest.approx(10 + np.log2(60 / 0.064))  # one minute


def test_the_wait_is_the_power_of_ten_between_need_and_speed():
    ax = lesson03.plot_wait(100, 20, 10, 30)
    tens = np.log10(2) * np.array([100, 20, 10, 30])
    np.testing.assert_allclose(widths(ax.patches), tens)
    np.testing.assert_allclose([part.get_x() for part in ax.patches[1:]], np.cumsum([0, *tens[1:3]]))
    assert f"10^{{{tens[0] - tens[1:].sum():.2f}}}" in answer(ax)
    assert "$2^{100}$ ≈ $10^{30.1}$" in ax.get_title(loc="left")
    assert words(ax)[:-1] == ["time"]  # the only part with room for its name
    assert "10^{-15.05}" in answer(lesson03.plot_wait(10, 20, 10, 30))


def test_errors_of_samples_fall_and_those_of_a_fit_stand():
    work, sampling = np.geomspace(10, 1000, 5), np.geomspace(0.5, 0.05, 5)[:, None] * np.linspace(0.5, 1.5, 20)
    ax = lesson03.plot_errors(work, sampling, [([1, 10, 20], [0.4, 0.2, 0.1])], exact=1024)
    assert len([line for line in ax.lines if line.get_linewidth() == 1]) == 16
    np.testing.assert_allclose(ax.lines[16].get_ydata(), sampling.mean(axis=1))
    np.testing.assert_array_equal(ax.lines[17].get_data(), [[10, 20, 1000], [0.2, 0.1, 0.1]])
    assert ax.lines[-1].get_xdata() == [1024, 1024]


def test_gaussians_and_the_variance_that_mean_field_loses():
    covariance, path = np.array([[1, 0.8], [0.8, 1]]), [[2, -2], [0.5, -2], [0.5, 0.4]]
    ax = lesson03.plot_gaussians(covariance, path, [0.36, 0.36])
    expected = {"target inner": ([0, 0], np.linalg.inv(covariance)), "q inner": (path[-1], np.eye(2) / 0.36)}
    for gid, (around, inverse) in expected.items():
        step = line(ax, gid).get_xydata() - around
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, inverse, step), 1)
    np.testing.assert_array_equal(line(ax, "path").get_xydata(), path)
    ax = lesson03.plot_lost_variance([0, 0.5], {"target": [1, 1], "q": [1, 0.75]})
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 1 - ax.lines[1].get_xdata() ** 2)
    assert ax.lines[3].get_ydata().tolist() == [1, 0.75] and ax.lines[3].get_label() == "measured: q"


MODEL = NoisyOr([0.1, 0.3], [0.05, 0.05, 0.05], [[0.9, 0.5, 0], [0, 0.4, 0.7]])


@pytest.mark.parametrize(("look", "row"), [("nobody looked", None), ("it is so", 1), ("it is not so", 0)])
def test_a_tick_and_a_look_move_the_posterior(look, row):
    live = lesson03.diagnosis(MODEL, ["fuse", "pump"], ["dark", "cold", "wet"], seen=[0, 0, 1])
    live.controls["symptom_1"].value, live.controls["look"].value = True, look
    states = binary_states(2)
    kept = states if row is None else states[states[:, 0] == row]
    posterior, _ = enumerate_posterior(MODEL.log_joint(kept, [0, 1, 1]))
    ax = live.figure.axes[0]
    np.testing.assert_allclose(widths(ax.containers[0]), posterior @ kept)
    np.testing.assert_allclose(widths(ax.containers[1]), MODEL.prior)
    assert ax.get_title(loc="left") == "seen: cold, wet"
    live.controls["symptom_1"].value = live.controls["symptom_2"].value = False
    assert ax.get_title(loc="left") == "seen: nothing unusual"


def test_the_universe_waits_as_long_as_the_sliders_say():
    live = lesson03.universe()
    ax = live.figure.axes[0]
    assert f"10^{{{np.log10(2) * (1000 - 266 - 40 - 58):.2f}}}" in answer(ax)
    live.controls["unknowns"].value, live.controls["speed"].value = 500, 80
    assert f"10^{{{np.log10(2) * (500 - 266 - 80 - 58):.2f}}}" in answer(ax)


def test_a_step_of_mean_field_moves_one_mean():
    live = lesson03.gaussian_steps()
    left, right = live.figure.axes
    for rho, step, moved in ((0.5, 0, "the start"), (0.5, 1, "z₁ moved"), (-0.8, 4, "z₂ moved")):
        live.controls["rho"].value, live.controls["step"].value = rho, step
        path, variances = gaussian_mean_field([0, 0], [[1, rho], [rho, 1]], [2.6, -2.4], sweeps=6)
        np.testing.assert_allclose(line(left, "path").get_xydata(), path[: step + 1])
        assert moved in left.get_title() and f"q {1 - rho**2:.2f}" in right.get_title()
        z, density = line(right, "q").get_data()
        np.testing.assert_allclose(density, norm.pdf(z, path[step, 0], np.sqrt(variances[0])))
        np.testing.assert_allclose(
            line(left, "q inner").get_xydata().mean(axis=0), path[step], atol=0.1
        )  # q is around it


X = [1, 1, 0, 0, 0, 1, 0, 0]
STATES = binary_states(10)
LOG_JOINT = lesson03.COFFEE_MACHINE.log_joint(STATES, X)
POSTERIOR = enumerate_posterior(LOG_JOINT)[0]
BOTH = POSTERIOR @ (STATES[:, 4] * STATES[:, 8])
LIME, STALE = posterior_marginals(lesson03.COFFEE_MACHINE, X)[[4, 8]]
Q = np.linspace(0.1, 0.9, 10)
BLOWN, AGES = 0.045 / 0.064, 36 * math.log10(2)


def evidence_in_place(table):
    largest = table.max()
    table -= largest
    np.exp(table, out=table)
    return largest + np.log(table.sum(keepdims=True))


def update_in_a_loop(table, q2):
    weights = [math.exp(sum(a * b for a, b in zip(row, q2, strict=True))) for row in table]
    return tuple(weight / sum(weights) for weight in weights)


def update_in_place(table, q2):
    table *= q2
    on = np.exp(table.sum(axis=1, keepdims=True))
    on /= on.sum()
    return on


def conditional_variances(covariance):
    """Σᵢᵢ − Σᵢⱼ Σⱼⱼ⁻¹ Σⱼᵢ, each direction with the others known."""
    found = []
    for i in range(len(covariance)):
        others = np.delete(np.arange(len(covariance)), i)
        known = np.linalg.solve(covariance[np.ix_(others, others)], covariance[others, i])
        found.append(covariance[i, i] - covariance[i, others] @ known)
    return found


def means(q=Q, table=LOG_JOINT):
    return np.array([[factorised([a, b, *q[2:]], STATES) @ table for b in (0, 1)] for a in (0, 1)])


RIGHT = {
    "bayes": [BLOWN, 0.7031, 0.703, 0.7, 0.70, [0.70], Fraction(45, 64), 1 / (1 + 0.95 * 0.02 / 0.045)],
    "log_evidence": [
        logsumexp,
        evidence_in_place,
        np.logaddexp.reduce,
        lambda table: max(table) + math.log(sum(math.exp(a - max(table)) for a in table)),
        lambda table: max(table) - np.log(max(softmax(table))),
    ],
    "explaining_away": [BOTH / STALE, 0.039, 0.0390, [BOTH / STALE], np.float16(0.039)],
    "universe_ages": [AGES, 10.84, 10.8, 11, math.log10(2**36), [10.8], Fraction("10.837")],
    "gibbs": [
        lambda off, on: expit(on - off),
        lambda off, on: 1 / (1 + math.exp(off - on)),
        lambda off, on: softmax([off, on])[1],
        lambda off, on: [np.exp(on - np.logaddexp(on, off))],
        lambda off, on: (1 + np.tanh((on - off) / 2)) / 2,
    ],
    "mean_field_update": [
        lambda table, q2: softmax(table @ q2),
        update_in_a_loop,
        update_in_place,
        lambda table, q2: [expit(table[0] @ q2 - table[1] @ q2), expit(table[1] @ q2 - table[0] @ q2)],
        lambda table, q2: softmax(np.average(table, axis=1, weights=q2)),
    ],
    "variances": [
        lambda c: 1 / np.diag(np.linalg.inv(c)),
        conditional_variances,
        lambda c: np.diag(np.linalg.pinv(c)) ** -1.0,
        lambda c: [np.linalg.det(c) / np.linalg.det(np.delete(np.delete(c, i, 0), i, 1)) for i in range(len(c))],
    ],
    "pair": [softmax(means()), softmax(means()).tolist(), np.exp(means() - logsumexp(means())).astype(np.float32)],
}

WRONG = {
    "bayes": [
        (70, "as a number between 0 and 1"),
        (70.31, "as a number between 0 and 1"),
        (0.045, "joint"),
        (0.064, "That is p(x)"),
        (0.9 / 0.92, "how rare"),
        (0.9, "p(x | z)"),
        (0.05, "prior"),
        (0.3, "Not yet"),
        (0.297, "that is fine"),
        (0.045 / 0.019, "odds"),
        (0.71, "Not yet"),
    ],
    "log_evidence": [
        (lambda t: t.sum(), "added the logs"),
        (lambda t: np.log(np.exp(t).sum()), "exp(-1000) is 0"),
        (max, "largest term alone"),
        (lambda t: np.log(np.exp(t - t.max()).sum()), "put it back"),
        (lambda t: np.log(np.exp(t - t.max()).sum()) - t.max(), "with a plus"),
        (lambda t: np.log(np.exp(t - t.min()).sum()) + t.min(), "Take the largest value out"),
        (lambda t: np.log(np.exp(t - t.mean()).sum()) + t.mean(), "Take the largest value out"),
        (lambda t: logsumexp(t) - np.log(len(t)), "log of the mean"),
        (lambda t: np.exp(logsumexp(t)), "That is p(x)"),
        (lambda t: -logsumexp(t), "sign is turned"),
        (lambda t: logsumexp(t) / np.log(2), "bits"),
        (lambda t: logsumexp(t) / np.log(10), "base 10"),
        (lambda t: t - t.max(), "Need one number"),
        (lambda t: logsumexp([-1000, -1001, -1002]), "Not yet"),
    ],
    "explaining_away": [
        (100 * BOTH / STALE, "as a number between 0 and 1"),
        (3.9, "as a number between 0 and 1"),
        (BOTH, "both together"),
        (BOTH / LIME, "wrong one of the two"),
        (LIME, "before you knew"),
        ((LIME - BOTH) / (1 - STALE), "beans are fresh"),
        (LIME * STALE, "knew nothing of each other"),
        (0.2, "the prior"),
        (1 - BOTH / STALE, "Not yet"),
    ],
    "universe_ages": [
        (36, "power of two"),
        (36 * np.log(2), "natural logarithm"),
        (120.4, "number of states"),
        (-10.84, "Upside down"),
        (119.6, "log10(2)"),
        (2**36, "number of ages itself"),
        (10, "Not yet"),
        (12, "Not yet"),
    ],
    "gibbs": [
        (lambda off, on: np.exp(on) / (np.exp(on) + np.exp(off)), "difference of the logs"),
        (lambda off, on: min(1, np.exp(on - off)), "rule of Metropolis"),
        (lambda off, on: np.exp(on - off), "the ratio of the two"),
        (lambda off, on: expit(off - on), "is off"),
        (lambda off, on: on - off, "log-odds"),
        (lambda off, on: on / (on + off), "divided the logarithms"),
        (lambda off, on: -np.log1p(np.exp(off - on)), "logarithm of the probability"),
        (lambda off, on: 1 / (1 + 2 ** (off - on)), "Not yet"),
        (lambda off, on: math.exp(on) / (math.exp(on) + math.exp(off)), "stopped with ZeroDivisionError"),
        (lambda off, on: expit(0.7), "Not yet"),
    ],
    "mean_field_update": [
        (lambda t, q: np.exp(t @ q), "Not normalised"),
        (lambda t, q: t @ q, "still logarithms"),
        (lambda t, q: t @ q - logsumexp(t @ q), "leave log space"),
        (lambda t, q: t @ q / (t @ q).sum(), "Exponentiate first"),
        (lambda t, q: np.exp(t) @ q / (np.exp(t) @ q).sum(), "averaged p(x, z)"),
        (lambda t, q: softmax(q @ t), "first cause"),
        (lambda t, q: softmax(t @ q[::-1]), "weights are exchanged"),
        (lambda t, q: softmax(t, axis=None).sum(axis=1), "exact"),
        (lambda t, q: softmax(t.sum(axis=1)), "without the weights"),
        (lambda t, q: softmax(t @ q)[::-1], "results are exchanged"),
        (lambda t, q: softmax(t @ q)[1], "shape (2,)"),
        (lambda t, q: np.ones(2) / 2, "Not yet"),
    ],
    "variances": [
        (np.diag, "true marginal variances"),
        (lambda c: np.diag(np.linalg.inv(c)), "one step is left"),
        (lambda c: 1 / np.diag(c), "each variance by itself"),
        (lambda c: np.diag(np.linalg.inv(c)) ** -0.5, "standard deviations"),
        (np.linalg.inv, "shape (3,)"),
        (np.linalg.eigvalsh, "Not yet"),
        (lambda c: 1 / np.diag(1 / c), "true marginal variances"),
    ],
    "pair": [
        (np.exp(means()), "Not normalised"),
        (means(), "still logarithms"),
        (softmax(means(), axis=1), "Each row sums to 1"),
        (softmax(means(), axis=0), "Each column sums to 1"),
        (POSTERIOR.reshape(-1, 2, 2).sum(0).T, "exact posterior"),
        (np.outer([1 - Q[0], Q[0]], [1 - Q[1], Q[1]]), "two old factors"),
        (softmax(means()).T, "on its side"),
        (softmax(means(q=1 - Q)), "Not yet"),
        (softmax(means()).ravel(), "shape (2, 2)"),
    ],
}

#: What a check takes beside the answer.
MORE = {"explaining_away": (POSTERIOR, STATES), "pair": (LOG_JOINT, STATES, Q)}
CHECKS = {
    "explaining_away": lambda answer: lesson03.check_explaining_away(answer, *MORE["explaining_away"]),
    "pair": lambda answer: lesson03.check_pair(answer, *MORE["pair"]),
}


@pytest.mark.parametrize("name", MORE)
@pytest.mark.parametrize("argument", [0, 1])
def test_arrays_that_were_changed_in_the_notebook_are_named(name, argument):
    given = [array.copy() for array in MORE[name]]
    given[argument] -= given[argument]
    check = getattr(exercises, f"check_{name}")
    for answer in (RIGHT[name][0], 0, np.full((2, 2), 0.25), given[0].sum()):
        result = check(answer, *given)
        assert not result.ok and "no longer what the lesson computed" in result.hint
    assert check(RIGHT[name][0], *MORE[name]).ok


def test_a_pair_without_its_frozen_factors_is_told():
    for q in (Q[:9], 2 * Q, "a", None, Q * np.nan):
        assert "ten probabilities" in lesson03.check_pair(RIGHT["pair"][0], LOG_JOINT, STATES, q).hint
