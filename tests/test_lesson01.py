"""Lesson 01: figures and sliders show the values that they are given; right and wrong answers of the exercises."""

import heapq
import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from vaehelpers.information import cross_entropy, entropy, huffman_code, kl_divergence, mutual_information
from vaehelpers.lessons import lesson01


def labelled(ax):
    """The lines of an Axes by their label."""
    return {line.get_label(): line for line in ax.lines}


def words(ax):
    return [text.get_text().strip() for text in ax.texts if text.get_text()]


def titles(live, **values):
    """The titles of a figure when its controls have these values."""
    for name, value in values.items():
        live.controls[name].value = value
    return " ".join(ax.get_title() for ax in live.figure.axes)


def test_surprisal_stands_over_its_probability_in_both_units():
    ax = lesson01.plot_surprisal([0.5, 0.125], ["coin", "three coins"])
    np.testing.assert_allclose(ax.collections[0].get_offsets(), [[0.5, 1], [0.125, 3]])
    assert words(ax) == ["coin", "three coins"]
    ax.figure.canvas.draw()
    (nats,) = ax.child_axes
    np.testing.assert_allclose(nats.get_ylim(), np.log(2) * np.array(ax.get_ylim()))


def test_days_stand_around_their_mean():
    ax = lesson01.plot_days([1, 3, 2], 2.0, title="weather")
    assert [segment[1].tolist() for segment in ax.collections[0].get_segments()] == [[1, 1], [2, 3], [3, 2]]
    assert labelled(ax)["mean"].get_ydata() == [2, 2] and words(ax) == ["mean 2.00"]


def test_a_code_shows_its_mean_length_beside_the_entropy():
    ax = lesson01.plot_code([0.5, 0.25, 0.25], "abc", ["0", "10", "11"])
    assert ax.get_title() == "entropy 1.50, mean length 1.50 bits"
    probabilities, code_space = ax.containers
    assert [bar.get_width() for bar in probabilities] == [bar.get_width() for bar in code_space] == [0.5, 0.25, 0.25]


def test_mean_lengths_stand_beside_their_entropies():
    ax = lesson01.plot_lengths(["one", "two"], [1.5, 2.0], [1.75, 2.25])
    assert [bar.get_width() for bar in ax.patches] == [1.5, 2.0]
    assert words(ax) == ["entropy 1.50", "code 1.75", "entropy 2.00", "code 2.25"]


@pytest.mark.parametrize(("p", "bits"), [(0.5, "1.00"), (0.11, "0.50"), (0.9, "0.47")])
def test_the_area_of_two_bars_is_their_entropy(p, bits):
    assert titles(lesson01.two_weathers(), p=p).count(f"{bits} bits") == 2


def test_four_weathers_have_their_largest_entropy_when_equal():
    live = lesson01.four_weathers()
    assert "1.75 bits" in titles(live)
    assert "2.00 bits" in titles(live, **dict.fromkeys(live.controls, 3.0))
    np.testing.assert_allclose(sum(bar.get_width() * bar.get_height() for bar in live.figure.axes[0].patches), 2)
    titles(live, storm=0.01)
    assert "storm" not in words(live.figure.axes[0])  # a bar too narrow for its name


def test_the_cross_entropy_is_smallest_where_both_distributions_agree():
    live, p, q = lesson01.wrong_code(), [0.3, 0.7], [0.9, 0.1]
    least, bits = entropy(p, base=2), cross_entropy(p, q, base=2)
    wanted = f"cross-entropy {bits:.2f} = entropy {least:.2f} + extra {bits - least:.2f} bits"
    assert wanted in titles(live, p=0.3, q=0.9)
    extra = labelled(live.figure.axes[0])["extra"]
    np.testing.assert_allclose(extra.get_xydata(), [[0.9, least], [0.9, bits]])
    assert "extra 0.00" in titles(live, q=0.3)
    grid, curve = labelled(live.figure.axes[0])["cross-entropy"].get_data()
    assert grid[np.argmin(curve)] == pytest.approx(0.3, abs=0.005)


def test_a_barometer_tells_between_nothing_and_everything():
    live = lesson01.barometer()
    assert "0.00 bits" in titles(live, rain=0.11, dependence=0.0)
    assert "0.50 bits" in titles(live, dependence=1.0)
    joint = 0.5 * np.outer([0.11, 0.89], [0.11, 0.89]) + 0.5 * np.diag([0.11, 0.89])
    shared = mutual_information(joint, base=2)
    assert f"{shared:.2f} bits" in titles(live, dependence=0.5)
    table, bars = live.figure.axes
    assert words(table) == [f"{share:.2f}" for share in joint.ravel()]
    h = entropy([0.11, 0.89], base=2)
    np.testing.assert_allclose([bar.get_width() for bar in bars.patches], [2 * h - shared, h, h, shared])
    np.testing.assert_allclose([bar.get_x() for bar in bars.patches], [0, 0, h - shared, h - shared])


@pytest.mark.parametrize(("sigma", "h"), [(1.0, "+1.42"), (0.24, "−0.01"), (0.1, "−0.88")])
def test_a_narrow_gaussian_has_a_differential_entropy_below_zero(sigma, h):
    live = lesson01.narrow_gaussian()
    assert f"h = {h} nats" in titles(live, sigma=sigma)
    x, density = labelled(live.figure.axes[0])["density"].get_data()
    np.testing.assert_allclose(density, scipy.stats.norm.pdf(x, scale=sigma))


DESERT, ISLAND, HARBOUR = 1 / 200, [0.25, 0.125, 0.5, 0.125], [0.4, 0.3, 0.2, 0.1]
STORMS, BITS = math.log2(1600), -np.log2(HARBOUR)
WASTE = kl_divergence(HARBOUR, ISLAND, base=2)


def rows_of(joint):
    return joint / joint.sum(axis=1, keepdims=True)


def open_in_a_loop(joint):
    total = 0.0
    for row in joint.tolist():
        for cell in row:
            total -= cell * math.log2(cell / sum(row))
    return total


def open_in_place(joint):
    share = joint.sum(axis=1)
    joint /= share[:, None]
    joint *= -np.log2(joint)
    return share @ joint.sum(axis=1)


def merges(p, pick=float, again=True):
    """The weights of the piles that a merge of two piles makes, one after the other."""
    piles, made = sorted(p, key=pick), []
    while len(piles) > 1:
        made.append(piles[0] + piles[1])
        piles = [made[-1], *piles[2:]]
        piles = sorted(piles, key=pick) if again else piles
    return made


def on_a_heap(p):
    piles, length = list(p), 0
    heapq.heapify(piles)
    while len(piles) > 1:
        merged = heapq.heappop(piles) + heapq.heappop(piles)
        heapq.heappush(piles, merged)
        length = length + merged
    return length


def with_fractions(p):
    return sum(merges([Fraction(str(weight)) for weight in p.tolist()]))


def sorted_in_place(p):
    for i in range(len(p) - 1):
        p[i:].sort()
        p[i + 1] += p[i]
        p[i] = p[i + 1]
    return p[:-1].sum()


def huffman_lengths(p):
    return np.array([len(word) for word in huffman_code(dict(enumerate(p))).values()])


def halved(p, cut):
    """The mean length when the sorted symbols are split from the top."""
    return p.sum() + halved(p[: cut(p)], cut) + halved(p[cut(p) :], cut) if len(p) > 1 else 0.0


def most_even(p):
    return 1 + np.argmin(abs(2 * np.cumsum(p)[:-1] - p.sum()))


RIGHT = {
    "two_storms": [STORMS, 10.64, 10.6, [10.644], np.array([[STORMS]]), np.float16(STORMS), math.log2(200) + 3],
    "harbour": [entropy(HARBOUR, base=2), 1.85, 1.846, np.array(HARBOUR) @ BITS, (1.8464,), Fraction("1.8464")],
    "waste": [cross_entropy(HARBOUR, ISLAND, base=2) - entropy(HARBOUR, base=2), WASTE, 0.354, 0.35, [0.3536]],
    "thermometer": [scipy.stats.uniform(20, 0.25).entropy(), -2 * math.log(2), -1.386, -1.39, np.log([0.25])],
    "conditional_entropy": [
        lambda joint: joint.sum(axis=1) @ entropy(rows_of(joint), base=2),
        lambda joint: entropy(joint.ravel(), base=2) - entropy(joint.sum(axis=1), base=2),
        lambda joint: entropy(joint.sum(axis=0), base=2) - mutual_information(joint, base=2),
        open_in_a_loop,
        open_in_place,
        lambda joint: np.sum(joint * scipy.stats.entropy(rows_of(joint), base=2, axis=1)[:, None]),
    ],
    "mean_length": [
        lambda p: p @ huffman_lengths(p),
        lambda p: sum(merges(p)),
        on_a_heap,
        with_fractions,
        sorted_in_place,
    ],
}

WRONG = {
    "two_storms": [
        (np.log(1600), "in nats"),
        (-STORMS, "sign"),
        (np.log10(1600), "base 10"),
        (-np.log2(0.13), "added the probabilities"),
        (3 * np.log2(200), "multiplied the surprisals"),
        (7.64, "the one in the desert"),
        (3, "the one on the island"),
        (1 / 1600, "How surprising"),
        (10.7, "Not yet"),
        (5, "Not yet"),
    ],
    "harbour": [
        (entropy(HARBOUR), "in nats"),
        (-1.8464, "sign"),
        (BITS.sum(), "added the surprisals"),
        (BITS.mean(), "counts every weather once"),
        (2, "largest entropy"),
        (1.75, "entropy of the island"),
        (entropy(HARBOUR, base=10), "base 10"),
        (BITS, "Need one number"),
        (1.8, "Not yet"),
    ],
    "waste": [
        (kl_divergence(HARBOUR, ISLAND), "in nats"),
        (2.2, "whole cost"),
        (0.374, "other way round"),
        (entropy(HARBOUR, base=2) - entropy(ISLAND, base=2), "difference of two entropies"),
        (-WASTE, "cannot save"),
        (WASTE * np.log10(2), "base 10"),
        (0.36, "Not yet"),
        (0, "Not yet"),
    ],
    "thermometer": [
        (np.log(4), "the sign is not"),
        (-2, "in bits"),
        (0, "may be negative"),
        (-4 * np.log(4), "forgot the width"),
        (-np.log(4) / 4, "by the width alone"),
        (scipy.stats.norm(scale=scipy.stats.uniform(20, 0.25).std()).entropy(), "for a Gaussian"),
        (0.25, "Not yet"),
    ],
    "conditional_entropy": [
        (lambda joint: joint.sum(axis=1) @ entropy(rows_of(joint)), "in nats"),
        (lambda joint: -joint.sum(axis=1) @ entropy(rows_of(joint), base=2), "sign"),
        (lambda joint: joint.sum(axis=0) @ entropy(rows_of(joint.T), base=2), "other way round"),
        (lambda joint: entropy(rows_of(joint), base=2).mean(), "counts the same"),
        (lambda joint: entropy(rows_of(joint), base=2).sum(), "sum over the rows"),
        (lambda joint: -joint.sum(axis=1) @ (joint * np.log2(joint)).sum(axis=1), "Divide each by its sum"),
        (lambda joint: entropy(joint.ravel(), base=2), "joint entropy"),
        (lambda joint: entropy(joint.sum(axis=0), base=2), "before anything is known"),
        (lambda joint: entropy(joint.sum(axis=1), base=2), "entropy of the row"),
        (lambda joint: mutual_information(joint, base=2), "mutual information"),
        (lambda joint: entropy(rows_of(joint), base=2), "Need one number"),
        (lambda joint: joint.missing, "stopped with AttributeError"),
        (lambda joint: open_in_a_loop(np.array([[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]])), "Not yet"),
    ],
    "mean_length": [
        (lambda p: sum(merges(p)[:-1]), "lost the last merge"),
        (lambda p: sum(merges(p, pick=lambda w: -w)), "heaviest"),
        (lambda p: merges(p)[-1], "only the last merge"),
        (lambda p: len(merges(p)), "number of merges"),
        (lambda p: entropy(p, base=2), "limit that no code can beat"),
        (lambda p: p @ np.ceil(-np.log2(p)), "rounded each surprisal up"),
        (lambda p: sum(merges(p, again=False)), "sorted only once"),
        (lambda p: np.mean(huffman_lengths(p)), "Every word counts the same"),
        (lambda p: halved(np.sort(p)[::-1], most_even), "split from the top"),
        (lambda p: halved(np.sort(p)[::-1], lambda q: len(q) // 2), "Not yet"),
        (lambda p: np.ceil(np.log2(len(p))), "Not yet"),
        (lambda p: 2.3, "Not yet"),
    ],
}
