"""Lesson 01: the numbers in its figures, and right and wrong answers to its exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from vaehelpers.information import cross_entropy, entropy, huffman_code, kl_divergence, mutual_information
from vaehelpers.lessons import lesson01


def titles(live, **values):
    """Set the controls to these values and return the titles of the figure."""
    for name, value in values.items():
        live.controls[name].value = value
    return " ".join(ax.get_title() for ax in live.figure.axes)


def line(ax, label):
    return next(line for line in ax.lines if line.get_label() == label)


def words(ax):
    return [text.get_text().strip() for text in ax.texts if text.get_text()]


def widths(bars):
    return [bar.get_width() for bar in bars]


def test_plot_surprisal_has_an_axis_in_bits_and_one_in_nats():
    ax = lesson01.plot_surprisal([0.5, 0.125], ["coin", "three coins"])
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.5, 1], [0.125, 3]])
    ax.figure.canvas.draw()
    (nats,) = ax.child_axes
    np.testing.assert_allclose(nats.get_ylim(), np.log(2) * np.array(ax.get_ylim()))


def test_plot_code_compares_the_mean_length_with_the_entropy():
    ax = lesson01.plot_code([0.5, 0.3, 0.2], "abc", ["0", "10", "11"], title="abc")
    assert ax.get_title() == "abc: entropy 1.49, mean length 1.50 bits"
    assert [widths(bars) for bars in ax.containers] == [[0.5, 0.3, 0.2], [0.5, 0.25, 0.25]]


@pytest.mark.parametrize(("p", "bits"), [(0.5, "1.00"), (0.11, "0.50"), (0.9, "0.47")])
def test_two_weathers_show_their_entropy_as_a_height_and_as_an_area(p, bits):
    assert titles(lesson01.two_weathers(), p=p).count(f"{bits} bits") == 2


def test_four_weathers_have_the_largest_entropy_when_equal():
    live = lesson01.four_weathers()
    assert "1.75 bits" in titles(live)
    assert "2.00 bits" in titles(live, **dict.fromkeys(live.controls, 3.0))
    np.testing.assert_allclose(sum(bar.get_width() * bar.get_height() for bar in live.figure.axes[0].patches), 2)
    titles(live, storm=0.01)
    assert "storm" not in words(live.figure.axes[0])  # its bar is too narrow for the name


def test_wrong_code_shows_the_cross_entropy_above_the_entropy():
    live = lesson01.wrong_code()
    least, bits = entropy([0.3, 0.7], base=2), cross_entropy([0.3, 0.7], [0.9, 0.1], base=2)
    title = f"cross-entropy {bits:.2f} = entropy {least:.2f} + extra {bits - least:.2f} bits"
    assert title in titles(live, p=0.3, q=0.9)
    np.testing.assert_allclose(line(live.figure.axes[0], "extra").get_xydata(), [[0.9, least], [0.9, bits]])
    assert "extra 0.00" in titles(live, q=0.3)
    grid, curve = line(live.figure.axes[0], "cross-entropy").get_data()
    assert grid[np.argmin(curve)] == pytest.approx(0.3, abs=0.005)


@pytest.mark.parametrize("dependence", [0, 0.5, 1])
def test_barometer_shows_the_joint_table_and_the_shared_information(dependence):
    live = lesson01.barometer()
    joint = (1 - dependence) * np.outer([0.11, 0.89], [0.11, 0.89]) + dependence * np.diag([0.11, 0.89])
    shared, h = mutual_information(joint, base=2), entropy([0.11, 0.89], base=2)
    assert f"{shared:.2f} bits" in titles(live, rain=0.11, dependence=dependence)
    table, bars = live.figure.axes
    assert words(table) == [f"{share:.2f}" for share in joint.ravel()]
    np.testing.assert_allclose(widths(bars.patches), [2 * h - shared, h, h, shared], atol=1e-12)
    np.testing.assert_allclose([bar.get_x() for bar in bars.patches], [0, 0, h - shared, h - shared], atol=1e-12)


@pytest.mark.parametrize(("sigma", "h"), [(1.0, "+1.42"), (0.24, "−0.01"), (0.1, "−0.88")])
def test_a_narrow_gaussian_has_a_negative_differential_entropy(sigma, h):
    live = lesson01.narrow_gaussian()
    assert f"h = {h} nats" in titles(live, sigma=sigma)
    x, density = line(live.figure.axes[0], "density").get_data()
    np.testing.assert_allclose(density, scipy.stats.norm.pdf(x, scale=sigma))


ISLAND, HARBOUR = [0.25, 0.125, 0.5, 0.125], [0.4, 0.3, 0.2, 0.1]
STORMS, BITS, WASTE = math.log2(1600), -np.log2(HARBOUR), kl_divergence(HARBOUR, ISLAND, base=2)


def rows_of(joint):
    return joint / joint.sum(axis=1, keepdims=True)


def conditional_in_a_loop(joint):
    return -sum(cell * math.log2(cell / sum(row)) for row in joint.tolist() for cell in row)


def conditional_in_place(joint):
    share = joint.sum(axis=1)
    joint /= share[:, None]
    joint *= -np.log2(joint)
    return share @ joint.sum(axis=1)


def merges(p, pick=float, again=True):
    """Return the weight of each pile that a merge makes."""
    piles, made = sorted(p, key=pick), []
    while len(piles) > 1:
        made.append(piles[0] + piles[1])
        piles = [made[-1], *piles[2:]]
        piles = sorted(piles, key=pick) if again else piles
    return made


def huffman_lengths(p):
    return np.array([len(word) for word in huffman_code(dict(enumerate(p))).values()])


def halved(p, cut):
    """Return the mean length when the sorted symbols are split from the top."""
    return p.sum() + halved(p[: cut(p)], cut) + halved(p[cut(p) :], cut) if len(p) > 1 else 0.0


def most_even(p):
    return 1 + np.argmin(abs(2 * np.cumsum(p)[:-1] - p.sum()))


RIGHT = {
    "two_storms": [STORMS, 10.64, 10.6, np.array([[STORMS]]), np.float16(STORMS)],
    "harbour": [entropy(HARBOUR, base=2), 1.85, (1.8464,), Fraction("1.8464")],
    "waste": [cross_entropy(HARBOUR, ISLAND, base=2) - entropy(HARBOUR, base=2), 0.354, 0.35, [0.3536]],
    "thermometer": [scipy.stats.uniform(20, 0.25).entropy(), -2 * math.log(2), -1.39, np.log([0.25])],
    "conditional_entropy": [
        lambda joint: entropy(joint.ravel(), base=2) - entropy(joint.sum(axis=1), base=2),
        lambda joint: entropy(joint.sum(axis=0), base=2) - mutual_information(joint, base=2),
        conditional_in_a_loop,
        conditional_in_place,
    ],
    "mean_length": [
        lambda p: p @ huffman_lengths(p),
        lambda p: sum(merges([Fraction(str(weight)) for weight in p.tolist()])),
        lambda p: [sum(merges(p))],
    ],
}

WRONG = {
    "two_storms": [
        (np.log(1600), "in nats"), (-STORMS, "sign"), (np.log10(1600), "base 10"), (-np.log2(0.13), "added"),
        (3 * np.log2(200), "multiplied the surprisals"), (7.64, "in the desert"), (3, "on the island"),
        (1 / 1600, "How surprising"), (10.7, "Not yet"),
    ],
    "harbour": [
        (entropy(HARBOUR), "in nats"), (-1.8464, "sign"), (BITS.sum(), "added"), (BITS.mean(), "every weather once"),
        (2, "largest entropy"), (1.75, "the island"), (entropy(HARBOUR, base=10), "base 10"),
        (BITS, "Need one number"), (1.8, "Not yet"),
    ],
    "waste": [
        (kl_divergence(HARBOUR, ISLAND), "in nats"), (2.2, "whole cost"), (0.374, "harbor's code on the island"),
        (entropy(HARBOUR, base=2) - 1.75, "difference of two entropies"), (-WASTE, "cannot save"), (0.36, "Not yet"),
    ],
    "thermometer": [
        (np.log(4), "the sign is not"), (-2, "in bits"), (0, "may be negative"), (-4 * np.log(4), "forgot the width"),
        (-np.log(4) / 4, "by the width alone"), (0.5 * np.log(2 * np.pi * np.e / 192), "for a Gaussian"),
        (0.25, "Not yet"),
    ],
    "conditional_entropy": [
        (lambda joint: joint.sum(axis=1) @ entropy(rows_of(joint)), "in nats"),
        (lambda joint: joint.sum(axis=0) @ entropy(rows_of(joint.T), base=2), "other way round"),
        (lambda joint: entropy(rows_of(joint), base=2).mean(), "counts the same"),
        (lambda joint: entropy(joint.sum(axis=0), base=2) - conditional_in_a_loop(joint), "mutual information"),
        (lambda joint: entropy(rows_of(joint), base=2), "Need one number"),
        (lambda joint: joint.missing, "stopped with AttributeError"),
        (lambda joint: entropy(joint.max(axis=1) / joint.max(axis=1).sum(), base=2), "Not yet"),
    ],
    "mean_length": [
        (lambda p: sum(merges(p)[:-1]), "lost the last merge"),
        (lambda p: sum(merges(p, pick=lambda w: -w)), "heaviest"),
        (lambda p: sum(merges(p, again=False)), "sorted only once"),
        (lambda p: np.mean(huffman_lengths(p)), "Every word counts the same"),
        (lambda p: halved(np.sort(p)[::-1], most_even), "split from the top"),
        (lambda p: halved(np.sort(p)[::-1], lambda q: len(q) // 2), "Not yet"),
        (lambda p: np.ceil(np.log2(len(p))), "Not yet"),
    ],
}  # fmt: skip
