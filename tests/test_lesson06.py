"""Lesson 06: figures and sliders show the values that they are given; the cost of overlap; answers of the exercises."""

import math
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import entr, logsumexp, rel_entr, softmax, xlog1py, xlogy
from scipy.stats import norm

from vaehelpers.information import gaussian_kl
from vaehelpers.lessons import lesson06, live
from vaehelpers.lessons.lesson06 import best_images, overlap_cost

RNG = np.random.default_rng(0)


def by_label(artists, name):
    (found,) = (artist for artist in artists if artist.get_label() == name)
    return found


def test_a_map_hatches_what_lies_far_from_any_image():
    ax = lesson06.plot_code_map([[0.0, 1.0], [-1.0, 2.0]], [[1.0, 1.0, 9.0]] * 2, (-3, 3, -2, 2), 4.0)
    (regions,), (circle,) = ax.collections, ax.patches
    near, hatched = (path.get_extents() for path in regions.get_paths())
    assert (near.x0, hatched.x1) == (-3, 3) and near.x1 == hatched.x0 == pytest.approx(3 * 3 / 8)
    inside = np.linalg.norm(RNG.standard_normal((100_000, 2)), axis=1) < circle.get_radius()
    assert inside.mean() == pytest.approx(0.95, abs=0.003)


def test_moved_noise_keeps_its_place_in_the_row():
    noise, places = np.array([-1.0, 0.0, 2.0]), [0.0, 0.5, 1.0]
    ax = lesson06.plot_two_samples(noise, np.zeros((3, 3)) + noise, places, 0.8)
    lines = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "-"]
    np.testing.assert_allclose(np.transpose(lines), 3 * 1.15 + np.add.outer(places, 0.8 * noise))


def test_bounds_stand_below_the_evidence_with_two_standard_errors():
    ((line, _, (bars,)),) = lesson06.plot_bounds([1, 10, 1000], [-100, -98, -97.0], [0.5, 0.25, 0.1], -96.5).containers
    assert line.get_ydata().tolist() == [-100, -98, -97]
    found = [segment[:, 1] for segment in bars.get_segments()]
    np.testing.assert_allclose(found, [[-101, -99], [-98.5, -97.5], [-97.2, -96.8]])


def test_each_curve_has_its_own_line_and_marker():
    lines = lesson06.plot_curves([1, 2], {"a": [5, 4], "b": [5, 1]}, xlabel="images seen", ylabel="nats").lines
    assert [(line.get_label(), *line.get_ydata()) for line in lines] == [("a", 5, 4), ("b", 5, 1)]
    assert len({(line.get_marker(), line.get_linestyle()) for line in lines}) == 2


def test_draws_of_the_prior_have_its_density():
    ax = lesson06.plot_aggregated_posterior(RNG.standard_normal((100_000, 2)))
    for latent in ax.patches:
        x, density = latent.get_xy().T
        middles = x[1:-1:2] + 0.15
        np.testing.assert_allclose(density[1:-1:2], norm.pdf(middles), atol=0.02)


def test_the_ellipses_of_q_and_of_the_best_gaussian_lie_at_one_and_two_sds():
    encoder, best = ([0, 1], [0.5, 1.0]), ([0, 0], [1, 1])
    lines = lesson06.plot_three_distributions(RNG.random((21, 21)), (-2, 2, -2, 2), encoder, best).lines
    for line, (mean, sds), radius in zip(lines, (encoder, encoder, best, best), (1, 2, 1, 2), strict=True):
        np.testing.assert_allclose(np.linalg.norm((line.get_xydata() - mean) / sds, axis=1), radius)


def costs(lab):
    """The lost reconstruction term and the KL that the lab's bars show, by setting."""
    right = lab.figure.axes[2]
    names = [label.get_text() for label in right.get_yticklabels()]
    return {name: (a.get_width(), b.get_width()) for name, a, b in zip(names, *right.containers, strict=True)}


def test_a_button_sets_the_sliders():
    lab = lesson06.overlap_lab()
    lab.controls["mean_1"].value = 1.1
    for way in ("1 apart", "2 narrow", "3 similar", "overlapping"):
        lab.controls["way"].value = way
        means, sds, _ = lesson06._WAYS[way]
        assert [lab.controls[name].value for name in ("mean_1", "mean_2", "sd_1", "sd_2")] == [*means, *sds]
        shown = costs(lab)
        assert shown["your sliders"] == shown[way]
        assert way == "overlapping" or sum(shown[way]) < sum(shown["overlapping"]), "no way out"


def test_a_slider_changes_densities_images_and_numbers():
    lab = lesson06.overlap_lab()
    lab.controls["sd_2"].value, lab.controls["mean_1"].value = 0.3, 0.5
    means, sds = (0.5, 0.6), (1.0, 0.3)
    cost = overlap_cost(means, sds, lesson06._DIFFERENT)
    assert costs(lab)["your sliders"] == pytest.approx((cost.lost, cost.kl.mean()))
    above, below, right = lab.figure.axes
    assert f"overlap {cost.overlap:.2f}" in above.get_title()
    for label, mean, sd in zip(("q(z | x₁)", "q(z | x₂)"), means, sds, strict=True):
        z, density = by_label(above.lines, label).get_data()
        np.testing.assert_allclose(density, norm.pdf(z, mean, sd))
    middle = best_images([0.0], means, sds, lesson06._DIFFERENT)[0]
    np.testing.assert_allclose(below.images[0].get_array()[:, 8 * 32 : 9 * 32], middle)
    ends = [text.get_window_extent().x1 for text in right.texts]
    assert max(ends) < lab.figure.bbox.x1, "a number is cut off"


def test_learning_draws_in_one_place(monkeypatch):
    output = Mock()
    monkeypatch.setattr(live, "display", Mock(return_value=output))
    learning = lesson06.Learning(np.zeros((3, 1, 8, 8)))
    for value in (0, 0.5, 1):
        learning.show(np.full((3, 1, 8, 8), value), f"step {value}")
    live.display.assert_called_once()
    (first,), (second,) = (call.args for call in output.update.call_args_list)
    assert first.data != second.data


IMAGES = RNG.uniform(0.05, 0.95, (2, 4, 3))
IMAGES[1, 0] = IMAGES[0, 0]  # some pixels are the same in both
means = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
sds = st.tuples(st.floats(0.1, 1.5), st.floats(0.1, 1.5))


def log_likelihood(x, p):
    return np.sum(xlogy(x, p) + xlog1py(1 - x, -p))


def loss_of(mu, sd, decode):
    """How far E[log p(x | z)], the mean over both images, lies below its value without overlap, for any decoder."""

    def weighted(z):
        return sum(norm.pdf(z, mu[i], sd[i]) * log_likelihood(IMAGES[i], decode(z)) for i in range(2)) / 2

    edges = sorted(m + k * s for m, s in zip(mu, sd, strict=True) for k in (-9, -3, 0, 3, 9))
    expected = sum(quad(weighted, a, b, limit=200)[0] for a, b in zip(edges[:-1], edges[1:], strict=True))
    return np.mean([log_likelihood(x, x) for x in IMAGES]) - expected


@pytest.mark.parametrize(("mu", "sd"), [((-0.5, 0.5), (1, 1)), ((-2, 1), (0.3, 1.4)), ((0, 0.1), (0.1, 1.5))])
def test_what_is_lost_is_the_integral_over_z(mu, sd):
    def decode(z):
        first, second = norm.pdf(z, mu, sd)
        return (first * IMAGES[0] + second * IMAGES[1]) / (first + second)

    assert overlap_cost(mu, sd, IMAGES).lost == pytest.approx(loss_of(mu, sd, decode), abs=1e-4)


@given(mu=means, sd=sds, blend=st.floats(0, 1), tilt=st.floats(-2, 2))
@settings(deadline=None, max_examples=15)
def test_no_other_decoder_loses_less(mu, sd, blend, tilt):
    def other(z):
        w = blend + (1 - 2 * blend) / (1 + np.exp(-tilt * z))
        return w * IMAGES[0] + (1 - w) * IMAGES[1]

    assert -1e-9 <= overlap_cost(mu, sd, IMAGES).lost <= loss_of(mu, sd, other) + 1e-4


@given(mu=means, sd=st.floats(0.1, 1.5))
@settings(deadline=None, max_examples=30)
def test_overlap_and_kl_have_their_closed_forms(mu, sd):
    found = overlap_cost(mu, (sd, sd), IMAGES)
    assert found.overlap == pytest.approx(2 * norm.cdf(-abs(mu[0] - mu[1]) / (2 * sd)), abs=2e-3)
    np.testing.assert_allclose(found.kl, gaussian_kl(mu, sd**2, 0, 1), atol=1e-12)


def test_full_overlap_costs_the_jensen_shannon_divergence_and_none_costs_nothing():
    both = np.stack([IMAGES, 1 - IMAGES])  # white, black
    middle = both.mean(axis=1)
    divergence = np.mean([rel_entr(both[:, i], middle).sum() for i in range(2)])
    assert overlap_cost((0.3, 0.3), (0.8, 0.8), IMAGES).lost == pytest.approx(divergence, rel=1e-6)
    assert overlap_cost((-3, 3), (0.1, 0.1), IMAGES).lost == pytest.approx(0, abs=1e-9)
    assert overlap_cost((0, 0), (1, 1), IMAGES[[0, 0]]).lost == 0
    black_and_white = np.array([[0.0, 1, 1, 0], [0, 0, 1, 1]])  # full overlap: log 2 for each pixel that differs
    assert overlap_cost((0, 0), (1, 1), black_and_white).lost == pytest.approx(2 * np.log(2), rel=1e-6)


def test_the_best_images_are_finite_far_from_both_means():
    found = best_images([-400.0, -1, 400], (-1, 0.5), (0.8, 1.2), IMAGES)
    np.testing.assert_allclose(found[[0, 2]], IMAGES[[1, 1]])  # the wider one
    np.testing.assert_allclose(best_images([-1.0], (-1, 5), (0.1, 0.1), IMAGES)[0], IMAGES[0])


def test_the_best_weight_is_the_best():
    """Exercise 8 against a search over all three parameters of the toy."""
    for v, s2, beta in ((4.0, 0.5, 1.0), (4.0, 0.5, 3.0), (4.0, 0.5, 10.0), (0.8, 0.2, 2.0)):

        def loss(p, v=v, s2=s2, beta=beta):
            w, a, tau = p[0], p[1], np.exp(p[2])
            reconstruction = -((v * (1 - w * a) ** 2 + w**2 * tau) / s2) / 2
            return beta * (a**2 * v + tau - p[2] - 1) / 2 - reconstruction

        found = min((minimize(loss, [w, 0.3, -1], tol=1e-12) for w in (0.1, 1, 2)), key=lambda r: r.fun)
        assert found.x[0] ** 2 == pytest.approx(max(v - beta * s2, 0), abs=2e-3)


EXP, LOG, LATENT_KL = np.exp, np.log, 0.5 * (1 + np.exp(-2) + 2 - 1)


def kl(mu, logvar):
    return 0.5 * (mu**2 + EXP(logvar) - logvar - 1)


def pixels(x, p):
    return x * LOG(p) + (1 - x) * LOG(1 - p)


def loss(pixel_sum=lambda t: t.sum(1), kl=kl, pixels=pixels, end=np.mean):
    """The solution of exercise 3, or one with a mistake built in."""
    return lambda x, p, mu, logvar: end(kl(mu, logvar).sum(1) - pixel_sum(pixels(x, p)))


def loss_in_place(x, p, mu, logvar):
    logvar -= EXP(logvar) + mu**2 - 1
    x *= LOG(p / (1 - p))
    x += LOG(1 - p)
    return -(x.sum() + logvar.sum() / 2) / len(x)


def sample_in_place(mu, logvar, eps):
    eps *= EXP(logvar / 2)
    eps += mu
    return eps


def sample_with_doubled_logvar(mu, logvar, eps):
    logvar *= 2
    return mu + EXP(logvar / 2) * eps


def total_variance(mu, logvar):
    return EXP(logvar).mean(axis=0) + mu.var(axis=0)


def total_variance_in_place(mu, logvar):
    mu -= mu.mean(axis=0)
    mu *= mu
    mu += np.exp(logvar, out=logvar)
    return mu.mean(axis=0)


def normalizer(p):
    return (2 * p - 1) / (LOG(p) - LOG(1 - p))


def blend(weights):
    """A solution of exercise 5 that weights the two images in some way."""

    def attempt(z, means, sds, x1, x2):
        first, second = weights(z, means, sds)
        return (first * x1 + second * x2) / (first + second)

    return attempt


def blend_in_place(z, means, sds, x1, x2):
    x1 -= x2
    x1 /= 1 + np.divide(*norm.pdf(z, means, sds)[::-1])
    x1 += x2
    return x1


def mean_in_place(w):
    largest = w.max(axis=0)
    w -= largest
    np.exp(w, out=w)
    return LOG(w.mean(axis=0)) + largest


RIGHT = {
    "latent_kl": [LATENT_KL, 1.07, [1.0677], np.float16(LATENT_KL), torch.tensor(LATENT_KL)],
    "sample": [
        lambda mu, logvar, eps: mu + EXP(logvar / 2) * eps,
        sample_in_place,
        lambda mu, logvar, eps: [[m + math.exp(v) ** 0.5 * e for m, v, e in zip(*row, strict=True)]
                                 for row in zip(mu, logvar, eps, strict=True)],
        lambda mu, logvar, eps: norm.ppf(norm.cdf(eps), mu, np.sqrt(EXP(logvar))),
    ],
    "negative_elbo": [
        loss(),
        loss_in_place,
        lambda x, p, mu, logvar: (kl(mu, logvar).sum() - pixels(x, p).sum()) / x.shape[0],
    ],
    "best_image": [
        blend(norm.pdf),
        blend_in_place,
        lambda z, m, s, x1, x2: softmax(norm.logpdf(z, m, s)) @ [x1, x2],
    ],
    "log_mean_exp": [
        lambda w: logsumexp(w, axis=0) - LOG(len(w)),
        mean_in_place,
        lambda w: logsumexp(w, axis=0, b=1 / len(w), keepdims=True),
    ],
    "aggregated_variance": [
        total_variance,
        total_variance_in_place,
        lambda mu, logvar: (mu**2 + EXP(logvar)).mean(axis=0) - mu.mean(axis=0) ** 2,
        lambda mu, logvar: [float(np.var(mu[:, i]) + EXP(logvar[:, i]).mean()) for i in range(mu.shape[1])],
    ],
    "missing_nats": [
        lambda p: -LOG(normalizer(p)),
        lambda p: LOG(np.arctanh(2 * p - 1) / (p - 0.5)),
        lambda p: [-LOG(quad(lambda x, p=p: p**x * (1 - p) ** (1 - x), 0, 1)[0]) for p in p],
    ],
    "best_weight": [
        lambda v, s2, beta: max(v - beta * s2, 0),
        lambda v, s2, beta: np.clip([v - beta * s2], 0, None),
        lambda v, s2, beta: torch.relu(torch.tensor(v - beta * s2)),
    ],
}  # fmt: skip

WRONG = {
    "latent_kl": [
        (0, "exponential to get the variance"),
        (0.5 * (1 + EXP(-4) + 4 - 1), "logvar as log σ"),
        (LATENT_KL + 0.5, "− 1 at the end"),
        (0.07, "Not yet"),
    ],
    "sample": [
        (lambda mu, logvar, eps: mu + EXP(logvar) * eps, "by the variance"),
        (lambda mu, logvar, eps: mu + np.sqrt(logvar) * eps, "as the variance"),  # NaN where logvar is negative
        (sample_with_doubled_logvar, "by the variance"),
        (lambda mu, logvar, eps: mu + EXP(2 * logvar) * eps, "Not yet"),
        (lambda mu, logvar, eps: (mu + EXP(logvar / 2) * eps).mean(), "Need an array of shape (3, 2)"),
        (lambda mu, logvar: mu, "stopped with TypeError"),
    ],
    "negative_elbo": [
        (loss(pixel_sum=lambda t: t.mean(1)), "averaged over the pixels"),
        (loss(kl=lambda m, v: 0.5 * (m**2 + v - LOG(v) - 1)), "as the variance"),
        (loss(pixels=lambda x, p: pixels(p, x)), "taken of p"),
        (loss(end=lambda v: v), "Need one number"),
        (loss(kl=lambda m, v: 0.5 * (m**2 + EXP(v) - v)), "Not yet"),
        (loss(kl=lambda m, v: 0.5 * (EXP(v) - v - 1)), "Not yet"),
    ],
    "best_image": [
        (lambda z, m, s, x1, x2: x1 if np.diff(norm.pdf(z, m, s)) < 0 else x2, "may come from the other"),
        (blend(lambda z, m, s: EXP(-((z - m) ** 2) / (2 * s**2))), "1/σ"),
        (blend(lambda z, m, s: EXP(-((z - m) ** 2) / s**2) / s), "Not yet"),
        (blend(lambda z, m, s: 1 / abs(z - m)), "Not yet"),
        (blend(lambda z, m, s: norm.pdf(0.4, [-0.8, 0.9], [0.6, 1.3])), "Not yet"),
    ],
    "log_mean_exp": [
        (lambda w: LOG(EXP(w - w.mean(axis=0)).mean(axis=0)) + w.mean(axis=0), "overflows"),
        (lambda w: LOG(EXP(w).mean(axis=0)), "underflows"),
        (lambda w: logsumexp(w, axis=0) - LOG(w.shape[1]), "Not yet"),
        (lambda w: logsumexp(w, axis=0) - LOG(4), "Not yet"),
    ],
    "aggregated_variance": [
        (lambda mu, logvar: total_variance(mu, logvar).mean(), "Need an array of shape (2,)"),
        (lambda mu, logvar: EXP(logvar).mean(axis=0) + mu.std(axis=0), "Not yet"),
        (lambda mu, logvar: EXP(logvar / 2).mean(axis=0) ** 2 + mu.var(axis=0), "Not yet"),
    ],
    "missing_nats": [
        (lambda p: -LOG((2 * p - 1) / (LOG(1 - p) - LOG(p))), "the same sign"),  # NaN
        (lambda p: entr(p) + entr(1 - p), "Not yet"),
        (lambda p: -LOG(normalizer(p)).mean(), "Need an array of shape (3,)"),
    ],
    "best_weight": [
        (lambda v, s2, beta: max(v - beta * s2**2, 0), "variance already"),
        (lambda v, s2, beta: max(v - beta * s2, 1e-3), "Not yet"),
        (lambda v, s2, beta: max(v / beta - s2, 0), "Not yet"),
        (lambda v, s2, beta: v - beta * s2 if v > beta * s2 else None, "`return` is missing"),
        (lambda v, s2: 0, "stopped with TypeError"),
    ],
}  # fmt: skip
