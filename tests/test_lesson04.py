"""Lesson 04: the numbers in its figures, and right and wrong answers to its exercises."""

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

X = np.random.default_rng(0).normal(size=(60, 2)) + np.repeat([[0, 0], [4, 1], [0, 5]], 20, axis=0)
START = mixtures.GaussianMixture([0.3, 0.3, 0.4], [[0, 1], [1, 0], [1, 4]], [np.eye(2)] * 3)


def radii(line, centre):
    return np.linalg.norm(line.get_xydata() - centre, axis=1)


def numbered(ax):
    """Return where the numbers of the components stand."""
    return [text.get_position() for text in ax.texts]


def test_plot_components_mixes_colours_and_draws_ellipses():
    x, resp = [[0, 0], [1, 1], [2, 0], [3, 3]], [[1, 0], [0.6, 0.4], [0.1, 0.9], [0, 1]]
    ax = lesson04.plot_components(x, resp, [[0, 0], [2, 2]], [np.eye(2), 4 * np.eye(2)])
    first, second = ax.collections
    assert first.get_offsets().tolist() == [[0, 0], [1, 1]] and second.get_offsets().tolist() == [[2, 0], [3, 3]]
    mixed = 0.6 * np.array(to_rgb(COMPONENTS[0])) + 0.4 * np.array(to_rgb(COMPONENTS[1]))
    np.testing.assert_allclose(first.get_facecolors()[1, :3], mixed)
    sizes = [*first.get_sizes(), *second.get_sizes()]
    np.testing.assert_allclose(sizes, [28, 28 + 160 * 0.4, 28 + 160 * 0.1, 28])  # larger where less certain
    assert numbered(ax) == [(0, 0), (2, 2)]
    for line, centre, radius in zip(ax.lines, (0, 0, 2, 2), (1, 2, 2, 4), strict=True):
        np.testing.assert_allclose(radii(line, centre), radius)


def test_plot_starts_sorts_and_plot_choice_marks_the_best():
    assert lesson04.plot_starts([-3, -9, -4]).lines[0].get_ydata().tolist() == [-9, -4, -3]
    ax = lesson04.plot_choice([1, 2, 3], [9, 4, 6], best=2, ylabel="BIC", title="two")
    assert ax.lines[1].get_xydata().tolist() == [[2, 4]]


def test_plot_rates_compares_distances_with_the_predicted_slope():
    ax = lesson04.plot_rates({"near": (0.5 ** np.arange(60.0), 0.5), "far": (np.array([1, 1e-3, 1e-6, 0, 0]), 1e-3)})
    near, line, far, short = (line.get_ydata() for line in ax.lines)
    np.testing.assert_allclose([near, line], [0.5 ** np.arange(30.0)] * 2)  # the next one is below 1e-9
    np.testing.assert_allclose([far, short], [[1, 1e-3, 1e-6]] * 2)
    slower = lesson04.plot_rates({"slow": (0.9 ** np.arange(300.0), 0.8)})
    np.testing.assert_allclose(slower.lines[1].get_ydata(), 0.9**40 * 0.8 ** np.arange(-40.0, 1))
    assert [text.get_text() for text in slower.get_legend().texts] == ["slow: rate 0.80"]


def test_the_rate_of_real_runs_is_the_square_root_of_the_ratio_of_their_rises():
    """One unknown weight: the share of missing information against the distances and the log-likelihoods of a run."""
    rng = np.random.default_rng(5)
    densities = norm.pdf(rng.normal(2 * (rng.random(2000) < 0.3))[:, None], [0, 2])
    path, bounds = [0.9], []
    for _ in range(60):
        joint = densities * [1 - path[-1], path[-1]]
        bounds.append(LOG(joint.sum(axis=1)).sum())
        resp = joint[:, 1] / joint.sum(axis=1)
        path.append(resp.mean())
    share = np.mean(resp * (1 - resp)) / (path[-1] * (1 - path[-1]))
    distances = np.abs(np.array(path) - path[-1])
    np.testing.assert_allclose(distances[9] / distances[8], share, rtol=1e-3)
    np.testing.assert_allclose(em_rate()(bounds[:12]), share, rtol=1e-3)


def test_k_means_and_em_step_side_by_side():
    live = lesson04.hard_and_soft(X, START, names=("a", "b"), rounds=3)
    left, right = live.figure.axes
    centres = START.means
    for half_step, (kind, mixture, _, _) in enumerate(mixtures.em(X, START, max_iter=3)):
        live.controls["half_step"].value = half_step
        assert ("nearest mean" in left.get_title()) is ("responsibilities" in right.get_title()) is (kind == "E")
        np.testing.assert_allclose(numbered(right), mixture.means)
        if kind == "M":
            nearest = ((X[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
            centres = [X[nearest == j].mean(axis=0) for j in range(3)]
        np.testing.assert_allclose(numbered(left), centres)
    assert "round 3" in left.get_title()


def test_a_mean_without_points_stays():
    corner = X.max(axis=0)
    start = mixtures.GaussianMixture([0.25] * 4, [[0, 0], [4, 1], [0, 5], corner], [9 * np.eye(2)] * 4)
    live = lesson04.hard_and_soft(X, start, names=("a", "b"))
    np.testing.assert_allclose(numbered(live.figure.axes[0])[3], corner)


@pytest.mark.parametrize("sigma", [0.05, 0.4, 1.5])
def test_a_small_variance_makes_soft_assignments_hard(sigma):
    centres = np.array([[0.0, -1.0], [4.0, 0.0]])
    live = lesson04.small_variance(X, centres, names=("a", "b"))
    live.controls["sigma"].value = sigma
    left, right = live.figure.axes
    density = np.stack([norm.logpdf(X, centre, sigma).sum(axis=1) for centre in centres], axis=1)
    certain = softmax(density, axis=1).max(axis=1)
    assert f"σ = {sigma:.2f}: {(certain < 0.99).sum()} of 60 points" in left.get_title()
    np.testing.assert_allclose([radii(line, centres[1]) for line in left.lines[2:]], [[sigma] * 100, [2 * sigma] * 100])
    where, soft = right.lines[1].get_data()
    np.testing.assert_array_equal(right.lines[0].get_ydata(), where > 0.5)
    line = centres[0] + where[:, None] * (centres[1] - centres[0])
    density = np.stack([norm.logpdf(line, centre, sigma).sum(axis=1) for centre in centres], axis=1)
    np.testing.assert_allclose(soft, softmax(density, axis=1)[:, 1], rtol=1e-9, atol=1e-300)


def test_em_steps_show_the_bound_and_its_rise():
    live = lesson04.em_steps(X, START, names=("a", "b"), rounds=4)
    left, right = live.figure.axes
    bounds = [step.bound for step in mixtures.em(X, START, max_iter=4)]
    assert [line.get_ydata().tolist() for line in right.lines[:3]] == [bounds, bounds[::2], bounds[1::2]]
    for half_step in (3, 0):
        live.controls["half_step"].value = half_step
        assert right.lines[-1].get_xydata().tolist() == [[half_step, bounds[half_step]]]
        assert f"bound {bounds[half_step]:.2f} nats".replace("-", "−") in right.get_title()
        assert f"round {half_step // 2 + 1}, {'ME'[half_step == 0]}-step" in left.get_title()
        rise = f"up by {bounds[half_step] - bounds[half_step - 1]:.3f}"
        assert (rise in right.get_title()) is (half_step > 0)


LOG = np.log


def gaussian(half=0.5, variance=36.0, constant=2 * np.pi):
    return -half * 25 / variance - 0.5 * LOG(constant * variance)


def hard(resp):
    return np.eye(resp.shape[1])[resp.argmax(axis=1)]


def means(x, r):
    return [np.average(x, axis=0, weights=share) for share in r.T]


def sds(weights=lambda r: r, below=lambda r: r.sum(axis=0), centre=lambda x, m: m, power=2, last=np.sqrt):
    def answer(x, resp, mean):
        return last((weights(resp) * abs(x[:, None] - centre(x, mean)) ** power).sum(axis=0) / below(weights(resp)))

    return answer


def bic(count=lambda k, d: k - 1 + k * d + k * d * (d + 1) / 2, likelihood=-2, penalty=LOG):
    return lambda log_l, k, d, n: likelihood * log_l + count(k, d) * penalty(n)


def bic_in_fractions(log_l, k, d, n):
    return [Fraction(-2) * Fraction(log_l) + Fraction(k * (d + 1) * (d + 2) - 2, 2) * Fraction(LOG(n))]


def coins(tails=1, axis=1, share=lambda r: r, last=lambda r, h, t: r.T @ h / (t * r.sum(axis=0))):
    def answer(heads, tosses, chances):
        likelihood = chances ** heads[:, None] * (1 - chances) ** (tails * (tosses - heads[:, None]))
        return last(share(likelihood / likelihood.sum(axis=axis, keepdims=True)), heads, tosses)

    return answer


def em_rate(last=np.sqrt, pick=lambda rises: rises[-1] / rises[-2]):
    return lambda bounds: last(pick(np.diff(bounds)))


def rate_by_a_line(bounds):
    slope = np.polyfit([0, 1], LOG(np.diff(bounds)[-2:]), 1)[0]
    return [np.exp(slope / 2)]


def rate_in_place(bounds):
    bounds[1:] -= bounds[:-1].copy()
    bounds[2:] /= bounds[1:-1].copy()
    return bounds[-1:] ** 0.5


def coins_by_scipy(heads, tosses, chances):
    resp = scipy.stats.binom.pmf(heads[:, None], tosses, chances)
    resp /= resp.sum(axis=1, keepdims=True)
    return tuple(np.average(heads / tosses, weights=share) for share in resp.T)


def coins_in_place(heads, tosses, chances):
    resp = softmax(heads[:, None] * LOG(chances) + (tosses - heads[:, None]) * np.log1p(-chances), axis=1)
    resp /= resp.sum(axis=0)
    chances[:] = heads @ resp / tosses
    return chances


RIGHT = {
    "responsibility": [0.064 / 0.082, 0.7805, 0.78, Fraction(32, 41)],
    "log_density": [scipy.stats.norm.logpdf(60, 55, 6), -3.058, -3.06, np.float16(gaussian())],
    "new_sds": [
        sds(),
        lambda x, r, m: np.diag(r.T @ (x[:, None] - m) ** 2 / r.sum(axis=0)) ** 0.5,
        lambda x, r, m: [[np.sqrt(np.cov(x, aweights=share, ddof=0))] for share in r.T],
    ],
    "log_responsibilities": [
        lambda t: LOG(softmax(t, axis=1)),
        lambda t: [[a - np.logaddexp.reduce(row) for a in row] for row in t.tolist()],
        lambda t: log_softmax(t.astype(np.float32), axis=1),
    ],
    "rate": [
        em_rate(),
        lambda b: ((b[-1] - b[-2]) / (b[-2] - b[-3])) ** 0.5,
        rate_by_a_line,
        rate_in_place,
        lambda b: em_rate()(b.astype(np.float32)),
    ],
    "bic": [bic(), bic_in_fractions, bic(lambda k, d: k * (1 + d + len(np.triu_indices(d)[0])) - 1)],
    "coins": [coins(), coins_by_scipy, coins_in_place],
}

WRONG = {
    "responsibility": [
        (78, "as a number between 0 and 1"), (2 / 3, "densities alone"), (0.22, "short kind"),
        (0.064, "That is the joint"), (0.082, "whole mixture"), (0.64, "That is the weight"), (0.064 / 0.018, "odds"),
        (0.79, "Not yet"),
    ],
    "log_density": [
        (np.exp(gaussian()), "That is the density"), (gaussian(variance=6.0), "where the variance belongs"),
        (gaussian() + 25 / 72 - 25 / 12, "divided the square by σ"), (gaussian() + LOG(36) / 4, "In the height"),
        (gaussian() - LOG(36) / 2, "½ is missing before log σ²."), (gaussian(half=1), "½ is missing before the square"),
        (-25 / 72 - LOG(2 * np.pi * 36), "½ is missing before log 2πσ²"), (gaussian(constant=1), "term with 2π"),
        (gaussian(half=-0.5), "wrong sign"), (-gaussian(), "surprisal"), (-25 / 72, "stopped after the square"),
        (gaussian() / LOG(10), "base 10"), (gaussian() / LOG(2), "base 2"), (-3.1, "Not yet"),
    ],
    "new_sds": [
        (sds(last=lambda v: v), "Those are the variances. The"),
        (sds(below=len), "divided by N"),
        (sds(below=len, last=lambda v: v), "with N in place of"),
        (sds(below=lambda r: r.sum(axis=0) - 1), "N_k − 1"),
        (sds(centre=lambda x, m: x.mean()), "mean of all points"),
        (sds(weights=hard), "as in k-means"),
        (sds(power=1, last=lambda v: v), "E|x − μ|"),
        (lambda x, r, m: np.std(x), "shape (3,)"),
        (lambda x, r, m: np.sqrt(r.T @ x**2 / r.sum(0)), "Not yet"),
    ],
    "log_responsibilities": [
        (lambda t: LOG(np.exp(t) / np.exp(t).sum(axis=1, keepdims=True)), "Never leave log space"),
        (lambda t: softmax(t, axis=1), "Their logarithms"),
        (lambda t: t - logsumexp(t, axis=0), "wrong axis"),
        (lambda t: t - logsumexp(t), "whole table"),
        (lambda t: logsumexp(t, axis=1), "shape (3, 2)"),
        (lambda t: t - np.logaddexp(t[:, :1], t[:, 1:2]), "Not yet"),  # right for two components only
    ],
    "rate": [
        (em_rate(last=float), "By this factor the rises shrink"),
        (em_rate(last=lambda v: v**2), "squared once more"),
        (em_rate(last=lambda v: v / 2), "not its root"),
        (em_rate(pick=lambda rises: rises[-2] / rises[-1]), "Upside down"),
        (lambda b: b[-1] / b[-2], "Compare their rises"),
        (lambda b: np.sqrt((b[-1] - b[-2]) / (b[-1] - b[-3])), "last value for the optimum"),
        (em_rate(pick=lambda rises: rises[1] / rises[0]), "first rises"),
        (em_rate(pick=lambda rises: np.mean(rises[1:] / rises[:-1])), "early rounds"),
        (em_rate(last=lambda v: LOG(v) / 2), "the logarithm of the rate"),
        (em_rate(pick=lambda rises: rises[1:] / rises[:-1]), "one rate for each pair"),
        (em_rate(pick=lambda rises: rises[-1]), "Not yet"),
        (lambda b: 0.8, "Not yet"),
    ],
    "bic": [
        (bic(lambda k, d: k + k * d + k * d * (d + 1) / 2), "counted K weights"),
        (bic(lambda k, d: k * d + k * d * (d + 1) / 2), "counted no weights"),
        (bic(lambda k, d: k - 1 + k * d + k * d**2), "symmetric"),
        (bic(lambda k, d: k - 1 + 2 * k * d), "can tilt"),
        (bic(penalty=lambda n: -LOG(n)), "penalty has the wrong sign"),
        (bic(likelihood=2), "log-likelihood has the wrong sign"),
        (bic(penalty=lambda n: 2), "AIC"),
        (bic(likelihood=-1), "factor 2"),
        (bic(penalty=np.log2), "Not yet"),
        (lambda *given: bic()(-385.0, 2, 2, 272), "Not yet"),
    ],
    "coins": [
        (coins(share=hard), "went to one coin"),
        (coins(last=lambda r, h, t: r.T @ h / (t * len(h))), "divided by all tosses"),
        (coins(last=lambda r, h, t: r.T @ h / r.sum(axis=0)), "mean heads"),
        (coins(tails=0), "forgot the tails"),
        (coins(share=lambda r: r[:, ::-1]), "swapped"),
        (coins(share=np.ones_like), "came out the same"),
        (coins(axis=0), "normalized over the sets"),
        (lambda *given: (0.7130, 0.5813), "Not yet"),
    ],
}  # fmt: skip


def test_the_coins_are_those_of_the_paper():
    """Do & Batzoglou (2008), figure 1: (0.71, 0.58) after one round, (0.80, 0.52) after ten."""
    heads, chances = np.array([5, 9, 8, 4, 7]), np.array([0.6, 0.5])
    np.testing.assert_allclose(coins()(heads, 10, chances), [0.71, 0.58], atol=0.005)
    for _ in range(10):
        chances = coins()(heads, 10, chances)
    np.testing.assert_allclose(chances, [0.80, 0.52], atol=0.005)
