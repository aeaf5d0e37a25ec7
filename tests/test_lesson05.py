"""Lesson 05: figures and sliders show the values that they are given; right and wrong answers of the exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import entropy, multivariate_normal, norm

from vaehelpers.lessons import lesson05
from vaehelpers.linear_gaussian import LinearGaussian


def heights(ax):
    return [[bar.get_height() for bar in bars] for bars in ax.containers]


def test_elbo_and_kl_are_stacked_up_to_the_evidence():
    ax = lesson05.plot_balance([-3.0, -2.0], -2.0, labels=["a", "b"], floor=-4)
    bars = [[(bar.get_y(), bar.get_height()) for bar in bars] for bars in ax.containers]
    assert bars == [[(-4, 1)], [(-3, 1)], [(-4, 2)], [(-2, 0)]]
    ax = lesson05.plot_balance([-9.0], -2.0, labels=["a"], floor=-4)  # below the floor only the number is shown
    assert heights(ax) == [[0], [2]] and "KL 7.000" in [text.get_text() for text in ax.texts]


def test_only_the_sum_is_the_same_for_every_q():
    truth, sums, differences = lesson05.plot_two_signs([-3.0, -2.5], [1.0, 0.5], -2.0).lines
    assert [list(line.get_ydata()) for line in (truth, sums, differences)] == [[-2, -2], [-2, -2], [-4, -3]]


def test_after_an_e_step_the_bound_touches():
    ax = lesson05.plot_half_steps([-5, -4, -4.0], [-4.5, -4, -3.5], ["start", "E", "M"])
    ends = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments()]
    assert ends == [[-5, -4.5], [-4, -4], [-4, -3.5]]


def test_gradients_show_each_draw_and_their_mean():
    ax = lesson05.plot_gradients({"score": np.linspace(-3, 5, 1000), "moved": np.array([0.9, 1.1])}, 1.0)
    dots, mean, *_ = ax.lines
    assert len(dots.get_xdata()) == 400 and mean.get_xdata() == pytest.approx([1])
    ax = lesson05.plot_gradient_variances([1, 4], {"score": [3, 12], "moved": [1, 1]}, xlabel="m")
    assert [list(line.get_ydata()) for line in ax.lines] == [[3, 12], [1, 1]] and ax.get_yscale() == "log"
    assert [line.get_linestyle() for line in ax.lines] == ["--", "-"], "the pathwise one is solid"


def test_em_bounds_touch_from_below_and_lead_uphill():
    data = np.random.default_rng(0).normal(3, 1, 30)
    live = lesson05.em_bounds(
        lambda theta: np.log(0.5) + norm.logpdf(data[:, None], [0, theta]),
        lambda resp: np.sum(resp[:, 1] * data) / resp[:, 1].sum(),
        low=-2, high=6, start=0.0,
    )  # fmt: skip
    curve, *bounds = [line.get_ydata() for line in live.figure.axes[0].lines if len(line.get_ydata()) > 1]
    assert len(bounds) == 2
    for bound in bounds:
        assert (bound <= curve + 1e-9).all() and (curve - bound).min() < 0.05
    assert bounds[1].max() > bounds[0].max()


def test_weights_become_a_distribution_beside_the_posterior():
    live = lesson05.four_causes(np.log([0.1, 0.1, 0.2]), ["a", "b", "c"], [0.3, 0.3, 0.4])
    for name, weight in {"weight_0": 1, "weight_1": 0.5, "weight_2": 0.5}.items():
        live.controls[name].value = weight
    left, right = live.figure.axes
    np.testing.assert_allclose(heights(left), [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]])
    assert f"KL {entropy([2, 1, 1], [1, 1, 2]):.3f}" in right.get_title()


def test_a_perfect_q_closes_the_gap_under_the_slider():
    model, x = LinearGaussian(np.array([[2.0]]), np.zeros(1), 1.0), [[2.5]]  # posterior N(1, 0.2)
    live = lesson05.one_latent(model, x)
    assert "KL 0.000" not in live.figure.axes[1].get_title()
    live.controls["mean"].value, live.controls["sd"].value = 1.0, round(np.sqrt(0.2), 2)
    assert "KL 0.000" in live.figure.axes[1].get_title()


def test_a_factorized_q_is_narrower_and_the_gap_is_the_mutual_information():
    live = lesson05.factorised()
    live.controls["noise"].value = 1
    left, right = live.figure.axes
    covariance = np.array([[2, -1], [-1, 2]]) / 3  # of z given x = z₁ + z₂ + noise
    for line, cov in ((left.lines[0], covariance), (left.lines[2], np.eye(2) / 2)):
        points = line.get_xydata()
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", points, np.linalg.inv(cov), points), 1)
    curve, point = right.lines
    joint = multivariate_normal(cov=covariance)
    z = joint.rvs(100_000, random_state=0)
    information = np.mean(joint.logpdf(z) - norm.logpdf(z, 0, np.sqrt(2 / 3)).sum(axis=1))
    ((rho, gap),) = point.get_xydata()
    assert (rho, gap) == (pytest.approx(0.5), pytest.approx(information, abs=0.005))
    assert gap == pytest.approx(np.interp(rho, *curve.get_data()), abs=1e-4)


LOG = np.log
BY_HAND = LOG(1 / 8) + LOG(3) - 2 / 3 * LOG(2)


def terms_in_a_loop(q, prior, likelihood):
    reconstruction = kl = 0.0
    for own, before, seen in zip(q, prior, likelihood, strict=True):
        reconstruction += own * math.log(seen)
        kl += own * math.log(own / before)
    return [reconstruction, kl]


def terms_in_place(q, prior, likelihood):
    np.log(likelihood, out=likelihood)
    likelihood *= q
    prior /= q
    q *= -LOG(prior)
    return likelihood.sum(), q.sum()


def with_each_baseline(values, sd, eps):
    """Exercise 6 in a loop, draw by draw."""
    total = 0.0
    for i, value in enumerate(values):
        total += (value - np.delete(values, i).mean()) * eps[i] / sd
    return total / len(values)


def baseline_in_place(values, sd, eps):
    values -= (values.sum() - values) / (len(values) - 1)
    eps /= sd * len(eps)
    return values @ eps


def integral(x, w, s, mu, sd):
    density = lambda z: norm.pdf(z, mu, sd) * norm.logpdf(x, w * z, s)  # noqa: E731
    return quad(density, mu - 12 * sd, mu + 12 * sd, epsabs=1e-12)[0]


def expanded(x, w, s, mu, sd):
    squares = x**2 - 2 * w * x * mu + w**2 * (mu**2 + sd**2)
    return norm.logpdf(0, 0, s) - squares / (2 * s**2)


def gradient_in_place(slope, mu, sd, eps):
    z = mu + sd * eps
    eps *= slope(z)
    return eps.mean()


def climb(gain=lambda pull, sd: pull * sd + 1, after=False, end=lambda steps: steps[len(steps) // 2 :]):
    """The solution of exercise 7, noting each step before or after it is taken, or one with a mistake built in."""

    def attempt(slope, eps):
        mu, log_sd, steps = 0.0, 0.0, []
        for noise in eps:
            before = mu, math.exp(min(log_sd, 300))
            pull = slope(mu + before[1] * noise)
            mu, log_sd = mu + 0.02 * pull, log_sd + 0.02 * gain(pull * noise, before[1])
            steps.append((mu, math.exp(log_sd)) if after else before)
        return np.mean(end(steps), axis=0)

    return attempt


RIGHT = {
    "elbo_sign": [-94, Fraction(-94), np.int8(-94), [-94]],
    "elbo_by_hand": [BY_HAND, -1.443, -1.44, LOG(1 / 4) - entropy([1, 2], [1, 1]), np.float32(BY_HAND)],
    "reconstruction_and_kl": [
        lambda q, p, x: (q @ LOG(x), entropy(q, p)),
        terms_in_a_loop,
        terms_in_place,
    ],
    "baseline_gradient": [
        with_each_baseline,
        baseline_in_place,
        lambda values, sd, eps: [float(np.cov(values, eps)[0, 1] / sd)],
        lambda values, sd, eps: np.float32(with_each_baseline(values, sd, eps)),
        lambda values, sd, eps: torch.tensor(with_each_baseline(values, sd, eps), requires_grad=True),
    ],
    "expected_log_likelihood": [expanded, integral, lambda x, w, s, mu, sd: expanded(-x, -w, s, mu, sd)],
    "sd_gradient": [
        lambda slope, mu, sd, eps: slope(mu + sd * eps) @ eps / eps.size,
        gradient_in_place,
        lambda slope, mu, sd, eps: sum(float(slope(mu + sd * e)) * e for e in eps) / len(eps),
    ],
    "climb": [climb(after=True), climb(), lambda slope, eps: climb()(slope, eps)[:, None].tolist()],
}  # fmt: skip

WRONG = {
    "elbo_sign": [(-86, "above log p(x)"), (94, "sign of log p(x)"), (86, "Not yet")],
    "elbo_by_hand": [
        (-1.386, "That is log p(x)"),
        (LOG(1 / 6) / 3 + 2 * LOG(1 / 2) / 3, "reconstruction term alone"),
        (LOG(1 / 24) / 3 - 0.75 * LOG(9 / 4) - 0.25 * LOG(3 / 8), "q comes first"),
        (1.4429, "never positive"),
    ],
    "reconstruction_and_kl": [
        (lambda q, p, x: (q @ LOG(x), entropy(p, q)), "wrong way round"),
        (lambda q, p, x: (LOG(q @ x), entropy(q, p)), "logarithm first"),
        (lambda q, p, x: q @ LOG(x), "Need an array of shape (2,)"),
        (lambda q, p, x: (-q @ LOG(x), entropy(q, p)), "Not yet"),
        (lambda q, p, x: (-1.241, 0.3766), "Not yet"),
    ],
    "baseline_gradient": [
        (lambda values, sd, eps: np.mean((values - values.mean()) * eps / sd), "contains its own draw"),
        (lambda values, sd, eps: np.mean(values * eps / sd), "without a baseline"),
        (lambda values, sd, eps: with_each_baseline(values, sd**2, eps), "z − mu is sd · eps"),
        (lambda values, sd, eps: with_each_baseline(values, sd, eps) * sd, "of the score is missing"),
        (lambda values, sd, eps: np.mean((values - (values.sum() - values) / len(values)) * eps / sd), "not n"),
        (lambda values, sd, eps: np.mean((values - values.sum() + values) * eps / sd), "not their sum"),
        (lambda values, sd, eps: -with_each_baseline(values, sd, eps), "f minus the baseline"),
        (lambda values, sd, eps: (values - np.median(values)) @ eps / sd / len(eps), "Not yet"),
        (lambda values, sd, eps: 0.0, "Not yet"),
    ],
    "expected_log_likelihood": [
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s), "variance of q too"),
        (lambda x, w, s, mu, sd: LOG(quad(lambda z: norm.pdf(z, mu, sd) * norm.pdf(x, w * z, s), -40, 40)[0]),
         "average density"),
        (lambda x, w, s, mu, sd: expanded(x, w, s, mu, sd) - norm.logpdf(0, 0, s), "constant"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - 2 * w * sd**2 / (2 * s**2), "Not yet"),  # w² read as 2 w
        (lambda x, w, s, mu, sd: -(LOG(np.pi * s) + ((x - w * mu) ** 2 + (w * sd) ** 2) / s**2) / 2, "Not yet"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - (w * sd) ** 2 / 2, "Not yet"),
    ],
    "sd_gradient": [
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)), "gradient in mu"),
        (lambda slope, mu, sd, eps: slope(mu + sd * eps) * eps, "single draws"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)) * eps.mean(), "Not yet"),
        (lambda slope, mu, sd, eps: -np.mean(slope(mu + sd * eps) * eps), "Not yet"),
    ],
    "climb": [
        (climb(lambda pull, sd: pull * sd, after=True), "shrinks towards a point"),
        (climb(lambda pull, sd: pull + 1 / sd, after=True), "gradient in σ"),
        (climb(lambda pull, sd: pull + 1, after=True), "factor sd of dz/d(log σ) is missing"),
        (climb(after=True, end=lambda steps: steps[-1:]), "the last step, which jumps about"),
        (climb(after=True, end=lambda steps: steps), "the average over all steps"),
        (lambda slope, eps: (0.0, 1.0), "did `slope` take part"),
        (climb(lambda pull, sd: -pull * sd - 1), "Not yet"),
        (climb(lambda pull, sd: pull * sd + sd), "Not yet"),
        (lambda slope, eps: (0.7, 0.5), "Not yet"),
    ],
}  # fmt: skip
