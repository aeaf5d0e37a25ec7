"""Lesson 04: figures and sliders show the values that they are given; right and wrong answers of the exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from matplotlib.colors import to_rgb
from scipy.special import log_softmax, logsumexp, softmax
from scipy.stats import norm

from vaehelpers import mixtures
from vaehelpers.lessons import lesson04
from vaehelpers.lessons.lesson04 import COMPONENTS

EYE = np.eye(2)
X = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [4, 1], [0, 5]], 20, axis=0)
START = mixtures.GaussianMixture([0.3, 0.3, 0.4], [[0, 1], [1, 0], [1, 4]], [EYE] * 3)


def test_points_and_components():
    np.testing.assert_array_equal(lesson04.plot_points(X, names=("a", "b")).lines[0].get_xydata(), X)
    x, resp = [[0, 0], [1, 1], [2, 0], [3, 3]], [[1, 0], [0.6, 0.4], [0.1, 0.9], [0, 1]]
    ax = lesson04.plot_components(x, resp, [[0, 0], [2, 2]], [EYE, 4 * EYE], names=("a", "b"), title="now")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("a", "b", "now")
    first, second = ax.collections
    assert first.get_offsets().tolist() == [[0, 0], [1, 1]] and second.get_offsets().tolist() == [[2, 0], [3, 3]]
    mixed = 0.6 * np.array(to_rgb(COMPONENTS[0])) + 0.4 * np.array(to_rgb(COMPONENTS[1]))
    np.testing.assert_allclose(first.get_facecolors()[1, :3], mixed)
    sizes = [*first.get_sizes(), *second.get_sizes()]
    np.testing.assert_allclose(sizes, [28, 28 + 160 * 0.4, 28 + 160 * 0.1, 28])  # larger, the less certain
    assert [(text.get_text(), text.get_position()) for text in ax.texts] == [("1", (0, 0)), ("2", (2, 2))]
    radii = [
        np.linalg.norm(line.get_xydata() - middle, axis=1) for line, middle in zip(ax.lines, [0, 0, 2, 2], strict=True)
    ]
    np.testing.assert_allclose(radii, np.repeat([[1], [2], [2], [4]], 100, axis=1))
    left, right = ax.get_xlim()
    assert left < 0 and right > 3


def test_a_climb_marks_the_two_kinds_of_half_steps():
    ax = lesson04.plot_climb(["E", "M", "E"], [-9, -7, -6.5])
    assert ax.lines[0].get_ydata().tolist() == [-9, -7, -6.5]
    assert [line.get_xdata().tolist() for line in ax.lines[1:]] == [[0, 2], [1], [0]]
    assert [line.get_marker() for line in ax.lines[1:]] == ["o", "^", "o"]


def test_a_border_a_spike_starts_and_a_choice():
    ax = lesson04.plot_border([0, 0.5, 1], [0.1, 0.5, 0.9], [0, 0, 1])
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0, 0, 1], [0.1, 0.5, 0.9]]
    ax = lesson04.plot_spike([1, 0.1], [-5, 20])
    assert ax.xaxis_inverted() and ax.get_xscale() == "log" and ax.lines[0].get_ydata().tolist() == [-5, 20]
    ax = lesson04.plot_starts([-3, -9, -4])
    assert ax.lines[0].get_ydata().tolist() == [-9, -4, -3]
    ax = lesson04.plot_choice([1, 2, 3], [9, 4, 6], best=2, ylabel="BIC", title="two")
    ring = ax.lines[1]
    assert ring.get_xydata().tolist() == [[2, 4]] and ax.get_title(loc="left") == "two"


def test_k_means_and_em_step_side_by_side():
    live = lesson04.hard_and_soft(X, START, names=("a", "b"), rounds=3)
    left, right = live.figure.axes
    path = list(mixtures.em(X, START, max_iter=3))
    for half_step, (kind, mixture, _, _) in enumerate(path):
        live.controls["half_step"].value = half_step
        assert ("nearest mean" in left.get_title()) is ("responsibilities" in right.get_title()) is (kind == "E")
        np.testing.assert_allclose([text.get_position() for text in right.texts], mixture.means)
    centres = np.array([text.get_position() for text in left.texts])
    nearest = ((X[:, None] - np.array([[0, 1], [1, 0], [1, 4]])) ** 2).sum(axis=2).argmin(axis=1)
    assert "round 3" in left.get_title() and not np.allclose(centres, START.means)
    live.controls["half_step"].value = 1
    moved = [X[nearest == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose([text.get_position() for text in left.texts], moved)


@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.5])
def test_a_small_variance_makes_soft_assignments_hard(sigma):
    centres = np.array([[0.0, -1.0], [4.0, 0.0]])
    live = lesson04.small_variance(X, centres, names=("a", "b"))
    live.controls["sigma"].value = sigma
    left, right = live.figure.axes
    density = np.stack([norm.logpdf(X, c, sigma).sum(axis=1) for c in centres], axis=1)
    certain = 1 / (1 + np.exp(-np.abs(np.diff(density)[:, 0])))
    assert f"σ = {sigma:.2f}: {(certain < 0.99).sum()} of 60 points" in left.get_title()
    radii = [np.linalg.norm(line.get_xydata() - centres[1], axis=1) for line in left.lines[2:]]
    np.testing.assert_allclose(radii, sigma * np.repeat([[1], [2]], 100, axis=1))
    np.testing.assert_array_equal(right.lines[0].get_ydata(), right.lines[0].get_xdata() > 0.5)
    where, soft = right.lines[1].get_data()
    assert soft[where == 0.5] == 0.5 and soft[where < 0.5].max() < 0.5
    step = 17 / sigma**2 * 0.0025  # between neighbours, in log-odds: the squared distance of the means over σ²
    assert soft[where > 0.5][0] == pytest.approx(1 / (1 + np.exp(-step)))


def test_em_steps_show_the_bound_and_its_rise():
    live = lesson04.em_steps(X, START, names=("a", "b"), rounds=4)
    left, right = live.figure.axes
    bounds = [step.bound for step in mixtures.em(X, START, max_iter=4)]
    for half_step in (3, 0):
        live.controls["half_step"].value = half_step
        (here,) = (line for line in right.lines if line.get_gid() == "here")
        np.testing.assert_array_equal(here.get_xydata(), [[half_step, bounds[half_step]]])
        assert f"bound {bounds[half_step]:.2f} nats".replace("-", "−") in right.get_title()
        assert f"round {half_step // 2 + 1}, {'ME'[half_step == 0]}-step" in left.get_title()
        assert ("up by" in right.get_title()) is (half_step > 0)


LOG = np.log


def gaussian(half=0.5, variance=36.0, constant=2 * np.pi):
    return -half * 25 / variance - 0.5 * LOG(constant * variance)


def hard(resp):
    return np.eye(resp.shape[1])[resp.argmax(axis=1)]


def means(x, r):
    return r.T @ x / r.sum(axis=0)[:, None]


def means_in_place(x, r):
    r /= r.sum(axis=0)
    return r.T @ x


def means_in_a_loop(x, r):
    return [[sum(w * v for w, v in zip(share, column, strict=True)) / sum(share) for column in x.T] for share in r.T]


def sds(weights=lambda r: r, below=lambda r: r.sum(axis=0), centre=lambda x, m: m, power=2, last=np.sqrt):
    def attempt(x, resp, mean):
        return last((weights(resp) * abs(x[:, None] - centre(x, mean)) ** power).sum(axis=0) / below(weights(resp)))

    return attempt


def sds_in_place(x, resp, mean):
    resp /= resp.sum(axis=0)
    mean *= mean
    x *= x
    return np.sqrt(resp.T @ x - mean)


def sds_by_numpy(x, resp, mean):
    return [[np.sqrt(np.cov(x, aweights=share, ddof=0))] for share in resp.T]


def log_shares_in_place(table):
    table -= table.max(axis=1, keepdims=True)
    table -= LOG(np.exp(table).sum(axis=1, keepdims=True))
    return table


def log_shares_in_a_loop(table):
    return [[a - np.logaddexp.reduce(row) for a in row] for row in table.tolist()]


def naive_where_it_works(table):
    shares = np.exp(table)
    return np.where(shares > 0, LOG(shares / shares.sum(axis=1, keepdims=True)), log_softmax(table, axis=1))


def bic(count=lambda k, d: k - 1 + k * d + k * d * (d + 1) / 2, fit=-2, price=LOG):
    return lambda log_l, k, d, n: fit * log_l + count(k, d) * price(n)


def bic_counted(log_l, k, d, n):
    parameters = -1
    for _ in range(k):
        parameters += 1 + d + len(np.triu_indices(d)[0])
    return math.log(n) * parameters - log_l - log_l


def coins(tails=1, axis=1, share=lambda r: r, last=lambda r, h, t: r.T @ h / (t * r.sum(axis=0))):
    def attempt(heads, tosses, chances):
        like = chances ** heads[:, None] * (1 - chances) ** (tails * (tosses - heads[:, None]))
        return last(share(like / like.sum(axis=axis, keepdims=True)), heads, tosses)

    return attempt


def coins_in_a_loop(heads, tosses, chances):
    seen, tossed = [0.0, 0.0], [0.0, 0.0]
    for h in heads:
        like = [scipy.stats.binom.pmf(h, tosses, chance) for chance in chances]
        for coin in (0, 1):
            seen[coin] += h * like[coin] / sum(like)
            tossed[coin] += tosses * like[coin] / sum(like)
    return tuple(a / b for a, b in zip(seen, tossed, strict=True))


def coins_in_place(heads, tosses, chances):
    resp = softmax(heads[:, None] * LOG(chances) + (tosses - heads[:, None]) * np.log1p(-chances), axis=1)
    resp /= resp.sum(axis=0)
    chances[:] = heads @ resp / tosses
    return chances


def coins_by_odds(heads, tosses, chances):
    a, b = chances
    first = 1 / (1 + (b / a) ** heads * ((1 - b) / (1 - a)) ** (tosses - heads))
    return [np.average(heads / tosses, weights=first), np.average(heads / tosses, weights=1 - first)]


RIGHT = {
    "responsibility": [0.064 / 0.082, 0.7805, 0.78, [0.78], Fraction(32, 41), 1 / (1 + 0.018 / 0.064)],
    "log_density": [gaussian(), scipy.stats.norm.logpdf(60, 55, 6), -3.058, -3.06, [-3.058], np.float16(gaussian())],
    "new_means": [
        means,
        means_in_place,
        means_in_a_loop,
        lambda x, r: np.einsum("nk,nd->kd", r / r.sum(0), x),
        lambda x, r: [np.average(x, axis=0, weights=share) for share in r.T],
    ],
    "new_sds": [
        sds(),
        sds_in_place,
        sds_by_numpy,
        lambda x, r, m: np.diag(r.T @ (x[:, None] - m) ** 2 / r.sum(0)) ** 0.5,
    ],
    "log_responsibilities": [
        lambda t: t - logsumexp(t, axis=1, keepdims=True),
        log_shares_in_place,
        log_shares_in_a_loop,
        naive_where_it_works,
        lambda t: log_softmax(t, axis=1),
        lambda t: LOG(softmax(t, axis=1)),
        lambda t: t.astype(np.float32) - logsumexp(t.astype(np.float32), axis=1, keepdims=True),
    ],
    "bic": [
        bic(),
        bic_counted,
        lambda log_l, k, d, n: -2 * log_l + (k * (d + 1) * (d + 2) // 2 - 1) * math.log(n),
        lambda log_l, k, d, n: [
            Fraction(-2) * Fraction(log_l) + Fraction(k * (d + 1) * (d + 2) - 2, 2) * Fraction(LOG(n))
        ],
    ],
    "coins": [coins(), coins_in_a_loop, coins_in_place, coins_by_odds],
}

WRONG = {
    "responsibility": [
        (78, "as a number between 0 and 1"),
        (2 / 3, "densities alone"),
        (0.22, "short kind"),
        (0.064, "That is the joint"),
        (0.082, "whole mixture"),
        (0.64, "That is the weight"),
        (0.064 / 0.018, "odds"),
        (0.79, "Not yet"),
        (1, "Not yet"),
    ],
    "log_density": [
        (np.exp(gaussian()), "That is the density"),
        (gaussian(variance=6.0), "where the variance belongs"),
        (gaussian() + 25 / 72 - 25 / 12, "divided the square by σ"),
        (gaussian() + LOG(36) / 4, "In the height"),
        (gaussian() - LOG(36) / 2, "½ is missing before log σ²."),
        (gaussian(half=1), "½ is missing before the square"),
        (-25 / 72 - LOG(2 * np.pi * 36), "½ is missing before log 2πσ²"),
        (gaussian(constant=1), "term with 2π"),
        (gaussian(half=-0.5), "wrong sign"),
        (-gaussian(), "surprisal"),
        (-25 / 72, "stopped after the square"),
        (gaussian() / LOG(10), "base 10"),
        (gaussian() / LOG(2), "base 2"),
        (-3.1, "Not yet"),
    ],
    "new_means": [
        (lambda x, r: r.T @ x / len(x), "divided by N"),
        (lambda x, r: r.T @ x, "Nothing divides"),
        (lambda x, r: (r / r.sum(axis=1, keepdims=True)).T @ x, "wrong axis"),
        (lambda x, r: np.tile(x.mean(axis=0), (3, 1)), "mean of all points"),
        (lambda x, r: means(x, hard(r)), "k-means"),
        (lambda x, r: means(x, r).T, "Need an array of shape (3, 2)"),
        (lambda x, r: r @ x, "stopped with ValueError"),
        (lambda x, r: means(x, r)[::-1], "Not yet"),
        (lambda x, r: means(x, np.sqrt(r)), "Not yet"),
    ],
    "new_sds": [
        (sds(last=lambda v: v), "Those are the variances. The"),
        (sds(below=len), "divided by N"),
        (sds(below=len, last=lambda v: v), "with N below the line"),
        (sds(below=lambda r: r.sum(axis=0) - 1), "N_k − 1"),
        (sds(below=lambda r: 1), "Nothing divides"),
        (sds(centre=lambda x, m: x.mean()), "mean of all points"),
        (sds(weights=np.ones_like), "every point counted in full"),
        (sds(weights=hard), "as in k-means"),
        (sds(power=1, last=lambda v: v), "mean distance"),
        (lambda x, r, m: np.std(x), "shape (3,)"),
        (lambda x, r, m: np.sqrt(r.T @ x**2 / r.sum(0)), "Not yet"),
        (sds(centre=lambda x, m: 0 * m), "Not yet"),
    ],
    "log_responsibilities": [
        (lambda t: LOG(np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)), "Never leave log space"),
        (lambda t: t - LOG(np.exp(t).sum(axis=1, keepdims=True)), "Never leave log space"),
        (lambda t: softmax(t, axis=1), "Their logarithms"),
        (lambda t: t - logsumexp(t, axis=0), "wrong axis"),
        (lambda t: t - logsumexp(t), "whole table"),
        (lambda t: t / logsumexp(t, axis=1, keepdims=True), "divided the logarithms"),
        (lambda t: t - t.max(axis=1, keepdims=True), "largest only"),
        (lambda t: logsumexp(t, axis=1, keepdims=True) - t, "sign is turned"),
        (lambda t: log_softmax(t, axis=1) / LOG(2), "Not yet"),
        (lambda t: logsumexp(t, axis=1), "shape (3, 2)"),
        (lambda t: t - np.logaddexp(t[:, :1], t[:, 1:2]), "Not yet"),  # right for two components only
    ],
    "bic": [
        (bic(lambda k, d: k + k * d + k * d * (d + 1) / 2), "counted K weights"),
        (bic(lambda k, d: k * d + k * d * (d + 1) / 2), "counted no weights"),
        (bic(lambda k, d: k - 1 + k * d + k * d**2), "symmetric"),
        (bic(lambda k, d: k - 1 + 2 * k * d), "can tilt"),
        (bic(price=lambda n: -LOG(n)), "penalty has the wrong sign"),
        (bic(fit=2), "log-likelihood has the wrong sign"),
        (bic(price=lambda n: 2), "AIC"),
        (bic(fit=-1), "factor 2"),
        (bic(price=lambda n: n), "not n"),
        (bic(price=np.log2), "Not yet"),
        (bic(lambda k, d: k - 1 + k * d + k * d * (d - 1) / 2), "Not yet"),
        (lambda *given: bic()(-385.0, 2, 2, 272), "Not yet"),
    ],
    "coins": [
        (coins(share=hard), "went to one coin whole"),
        (coins(last=lambda r, h, t: r.T @ h / (t * len(h))), "divided by all tosses"),
        (coins(last=lambda r, h, t: r.T @ h), "expected heads"),
        (coins(last=lambda r, h, t: r.T @ h / r.sum(axis=0)), "mean heads"),
        (coins(tails=0), "forgot the tails"),
        (coins(share=lambda r: r[:, ::-1]), "swapped"),
        (coins(share=np.ones_like), "came out the same"),
        (coins(axis=0), "normalised over the sets"),
        (lambda heads, tosses, chances: chances, "old chances"),
        (lambda *given: (0.7130, 0.5813), "Not yet"),
        (coins(share=lambda r: r**2), "Not yet"),
    ],
}


def test_the_coins_are_those_of_the_paper():
    """Do & Batzoglou (2008), figure 1: (0.71, 0.58) after one round, (0.80, 0.52) after ten."""
    heads, chances = np.array([5, 9, 8, 4, 7]), np.array([0.6, 0.5])
    first = coins()(heads, 10, chances)
    np.testing.assert_allclose(first, [0.71, 0.58], atol=0.005)
    for _ in range(10):
        chances = coins()(heads, 10, chances)
    np.testing.assert_allclose(chances, [0.80, 0.52], atol=0.005)
