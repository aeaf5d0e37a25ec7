"""Lesson 01: the figures say the right numbers, and go on saying them when a slider moves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from vaehelpers.information import cross_entropy, entropy, mutual_information
from vaehelpers.lessons import lesson01


def titles(live, **values):
    before = live.picture.value
    for name, value in values.items():
        live.controls[name].value = value
    assert live.picture.value != before
    return " ".join(ax.get_title() for ax in live.figure.axes)


@pytest.mark.parametrize(("p", "bits"), [(0.5, "1.00"), (0.11, "0.50"), (0.9, "0.47")])
def test_two_weathers(p, bits):
    assert titles(lesson01.two_weathers(), p=p).count(f"{bits} bits") == 2


def test_four_weathers_are_most_uncertain_when_equal():
    live = lesson01.four_weathers()
    assert "1.75 bits" in live.figure.axes[0].get_title()
    assert "2.00 bits" in titles(live, **dict.fromkeys(live.controls, 3.0))
    bars = live.figure.axes[0].patches
    np.testing.assert_allclose(sum(bar.get_width() * bar.get_height() for bar in bars), 2)


def test_a_wrong_belief_costs_the_cross_entropy():
    live, true, belief = lesson01.wrong_belief(), [0.3, 0.7], [0.9, 0.1]
    least, cost = entropy(true, base=2), cross_entropy(true, belief, base=2)
    wanted = f"cost {cost:.2f} = entropy {least:.2f} + extra {cost - least:.2f} bits"
    assert wanted in titles(live, p=0.3, q=0.9)
    assert "extra 0.00" in titles(live, q=0.3)
    curve = live.figure.axes[0].lines[0]
    assert curve.get_xdata()[np.argmin(curve.get_ydata())] == pytest.approx(0.3, abs=0.005)


def test_a_barometer_tells_between_nothing_and_everything():
    live = lesson01.barometer()
    assert "0.00 bits" in titles(live, rain=0.11, dependence=0.0)
    assert "0.50 bits" in titles(live, dependence=1.0)
    joint = 0.5 * np.outer([0.11, 0.89], [0.11, 0.89]) + 0.5 * np.diag([0.11, 0.89])
    assert f"{mutual_information(joint, base=2):.2f} bits" in titles(live, dependence=0.5)
    assert [text.get_text() for text in live.figure.axes[0].texts] == [f"{share:.2f}" for share in joint.ravel()]


@pytest.mark.parametrize(("sigma", "h"), [(1.0, "+1.42"), (0.24, "−0.01"), (0.1, "−0.88")])
def test_a_narrow_gaussian_has_less_than_no_entropy(sigma, h):
    assert f"h = {h} nats" in titles(lesson01.narrow_gaussian(), sigma=sigma)


def test_a_code_shows_its_mean_length_beside_the_entropy():
    ax = lesson01.plot_code([0.5, 0.25, 0.25], "abc", ["0", "10", "11"])
    assert ax.get_title() == "entropy 1.50, mean length 1.50 bits"
    assert [bar.get_width() for bar in ax.patches] == [0.5, 0.25, 0.25] * 2
    plt.close(ax.figure)


def test_surprisal_stands_over_its_probability():
    ax = lesson01.plot_surprisal([0.5, 0.125], ["coin", "three coins"])
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.5, 1], [0.125, 3]])
    assert [text.get_text() for text in ax.texts] == ["coin", "three coins"]
    to_nats = ax.child_axes[0]._functions[0]
    assert to_nats(1.0) == pytest.approx(np.log(2)) and ax.child_axes[0]._functions[1](to_nats(3.0)) == pytest.approx(3)


def test_days_settle_on_their_mean():
    ax = lesson01.plot_days([1, 3, 2], 2.0, title="weather")
    assert [segment[1].tolist() for segment in ax.collections[0].get_segments()] == [[1, 1], [2, 3], [3, 2]]
    assert ax.lines[1].get_ydata() == [2, 2] and ax.texts[0].get_text() == "mean 2.00"


def test_codes_stand_to_the_right_of_their_entropies():
    ax = lesson01.plot_lengths(["one", "two"], [1.5, 2.0], [1.75, 2.25])
    assert [bar.get_width() for bar in ax.patches] == [1.5, 2.0]
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1.75, 1], [2.25, 0]])
    assert [text.get_text().strip() for text in ax.texts] == ["entropy 1.50", "code 1.75", "entropy 2.00", "code 2.25"]
