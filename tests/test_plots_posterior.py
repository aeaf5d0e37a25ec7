"""Lesson 03: figures and sliders show the probabilities, errors and costs that they are given."""

import numpy as np
import pytest
from matplotlib.patches import Circle
from scipy.stats import norm

from vaehelpers.inference import NoisyOr, binary_states, enumerate_posterior, gaussian_mean_field
from vaehelpers.lessons import lesson03


def words(ax):
    return [text.get_text() for text in ax.texts]


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
    ax = lesson03.plot_wait(100, [20, 10, 30])
    tens = np.log10(2) * np.array([100, 20, 10, 30])
    np.testing.assert_allclose(widths(ax.patches), tens)
    np.testing.assert_allclose([part.get_x() for part in ax.patches[1:]], np.cumsum([0, *tens[1:3]]))
    assert f"10^{tens[0] - tens[1:].sum():.2f}" in words(ax)[-1] and "2^100 ≈ 10^30.1" in ax.get_title(loc="left")
    assert [word.get_visible() for word in ax.texts[:3]] == [False, False, True]  # where there is room
    lesson03.move_wait(ax, 10, [20, 10, 30])
    assert "10^-15.05" in words(ax)[-1]


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
    for line, around, inverse in zip(
        ax.lines[:2], ([0, 0], path[-1]), (np.linalg.inv(covariance), np.eye(2) / 0.36), strict=True
    ):
        step = line.get_xydata() - around
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, inverse, step), 1)
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), path)
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
    assert words(ax)[-1] == f"all of them take 10^{np.log10(2) * (1000 - 266 - 40 - 58):.2f} times as long"
    live.controls["unknowns"].value, live.controls["speed"].value = 500, 80
    assert words(ax)[-1] == f"all of them take 10^{np.log10(2) * (500 - 266 - 80 - 58):.2f} times as long"


def test_a_step_of_mean_field_moves_one_mean():
    live = lesson03.gaussian_steps()
    left, right = live.figure.axes
    for rho, step, moved in ((0.5, 0, "the start"), (0.5, 1, "z₁ moved"), (-0.8, 4, "z₂ moved")):
        live.controls["rho"].value, live.controls["step"].value = rho, step
        path, variances = gaussian_mean_field([0, 0], [[1, rho], [rho, 1]], [2.6, -2.4], sweeps=6)
        np.testing.assert_allclose(left.lines[4].get_xydata(), path[: step + 1])
        assert moved in left.get_title() and f"q {1 - rho**2:.2f}" in right.get_title()
        z, density = right.lines[1].get_data()
        np.testing.assert_allclose(density, norm.pdf(z, path[step, 0], np.sqrt(variances[0])))
        np.testing.assert_allclose(left.lines[1].get_xydata().mean(axis=0), path[step], atol=0.1)  # q is around it
