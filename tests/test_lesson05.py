"""Lesson 05: figures and sliders show the values that they are given; right and wrong answers of the exercises."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import multivariate_normal, norm

from vaehelpers.lessons import lesson05
from vaehelpers.linear_gaussian import LinearGaussian


def test_elbo_and_kl_are_stacked_up_to_the_evidence():
    ax = lesson05.plot_balance([-3.0, -2.0], -2.0, labels=["a", "b"], floor=-4)
    bars = [[(bar.get_y(), bar.get_height()) for bar in bars] for bars in ax.containers]
    assert bars == [[(-4, 1)], [(-3, 1)], [(-4, 2)], [(-2, 0)]]
    ax = lesson05.plot_balance([-9.0], -2.0, labels=["a"], floor=-4)  # below the floor only the number is shown
    assert [bar.get_height() for bars in ax.containers for bar in bars] == [0, 2]
    assert "KL 7.000" in [text.get_text() for text in ax.texts]


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


@pytest.mark.parametrize(
    "live",
    [
        lambda: lesson05.four_causes(np.log([0.1, 0.2, 0.3]), ["a", "b", "c"], [0.3, 0.3, 0.4]),
        lambda: lesson05.one_latent(LinearGaussian(np.array([[1.0], [0.5]]), np.zeros(2), 0.3), [[1.0, 0.4]]),
        lesson05.factorised,
    ],
)
def test_every_control_moves_the_picture(live):
    live = live()
    for control in live.controls.values():
        before = live.image.value
        control.value = control.min + 0.7 * (control.max - control.min)
        assert live.image.value != before
        control.value = (control.min + control.max) / 2
    assert "image/png" in live._repr_mimebundle_()


def test_a_perfect_q_closes_the_gap_under_the_slider():
    model, x = LinearGaussian(np.array([[2.0]]), np.zeros(1), 1.0), [[2.5]]  # posterior N(1, 0.2)
    live = lesson05.one_latent(model, x)
    live.controls["mean"].value, live.controls["sd"].value = 1.0, round(np.sqrt(0.2), 2)
    assert "KL 0.000" in live.figure.axes[1].get_title()


def test_q_stands_beside_the_posterior():
    ax = lesson05.plot_causes([0.2, 0.8], [0.5, 0.5], ["a", "b"])
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [[0.2, 0.8], [0.5, 0.5]]
    ax = lesson05.plot_distributions([0, 1], [0.3, 0.4], [0.1, 0.2], prior=[0.4, 0.2])
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.3, 0.4], [0.1, 0.2], [0.4, 0.2]]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", ":"]
    assert len(lesson05.plot_distributions([0, 1], [0.3, 0.4], [0.1, 0.2]).lines) == 2


def test_only_the_sum_is_the_same_for_every_q():
    ax = lesson05.plot_two_signs(np.array([-3.0, -2.5]), np.array([1.0, 0.5]), -2.0)
    assert [line.get_ydata() if k == 0 else line.get_ydata().tolist() for k, line in enumerate(ax.lines)] == [
        [-2, -2],
        [-2, -2],
        [-4, -3],
    ]


def test_after_an_e_step_the_bound_touches():
    ax = lesson05.plot_half_steps([-5, -4, -4.0], [-4.5, -4, -3.5], ["start", "E", "M"])
    ends = [segment[:, 1].tolist() for segment in ax.collections[0].get_segments()]
    assert ends == [[-5, -4.5], [-4, -4], [-4, -3.5]]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["start", "E", "M"]


def test_a_factorised_q_is_narrower_and_the_gap_grows():
    cov = np.array([[1, 0.6], [0.6, 1]])
    ax = lesson05.plot_factorised(cov, 0.64 * np.eye(2), mu=(1, 2))
    for line, covariance in ((ax.lines[0], cov), (ax.lines[2], 0.64 * np.eye(2))):
        step = line.get_xydata() - [1, 2]
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, np.linalg.inv(covariance), step), 1)
    curve, point = lesson05.plot_gap(0.6, 0.22).lines
    assert point.get_xydata().tolist() == [[0.6, 0.22]]
    joint = multivariate_normal(cov=cov)  # the gap is the mutual information of the two latents: here by Monte Carlo
    z = joint.rvs(100_000, random_state=0)
    information = np.mean(joint.logpdf(z) - norm.logpdf(z).sum(axis=1))
    assert np.interp(0.6, *curve.get_data()) == pytest.approx(information, abs=0.005)


def test_gradients_show_each_draw_and_their_mean():
    draws = {"score": np.linspace(-3, 5, 1000), "moved": np.array([0.9, 1.1])}
    ax = lesson05.plot_gradients(draws, 1.0)
    dots, mean, *_ = ax.lines
    assert len(dots.get_xdata()) == 400 and mean.get_xdata() == pytest.approx([1])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["score", "moved"]
    ax = lesson05.plot_gradient_variances([1, 4], {"score": [3, 12], "moved": [1, 1]})
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 12], [1, 1]] and ax.get_yscale() == "log"


LOG = np.log
BY_HAND = LOG(1 / 8) + LOG(3) - 2 / 3 * LOG(2)


def kl(q, p):
    return q @ LOG(q / p)


def fit_in_a_loop(q, prior, likelihood):
    fit = price = 0.0
    for own, before, seen in zip(q, prior, likelihood, strict=True):
        fit += own * math.log(seen)
        price += own * math.log(own / before)
    return [fit, price]


def fit_in_place(q, prior, likelihood):
    np.log(likelihood, out=likelihood)
    likelihood *= q
    prior /= q
    q *= -LOG(prior)
    return likelihood.sum(), q.sum()


def weight_in_place(resp):
    resp /= len(resp)
    return resp.sum(axis=0)[1:]


def squares(x, w, mu, sd):
    return (x - w * mu) ** 2 + (w * sd) ** 2


def expected_fit(x, w, s, mu, sd):
    return -math.log(math.sqrt(2 * math.pi) * s) - squares(x, w, mu, sd) / (2 * s * s)


def integrated_fit(x, w, s, mu, sd):
    density = lambda z: norm.pdf(z, mu, sd) * norm.logpdf(x, w * z, s)  # noqa: E731
    return quad(density, mu - 12 * sd, mu + 12 * sd, epsabs=1e-12)[0]


def expanded_fit(x, w, s, mu, sd):
    squares = x**2 - 2 * w * x * mu + w**2 * (mu**2 + sd**2)
    return norm.logpdf(0, 0, s) - squares / (2 * s**2)


def sd_gradient(slope, mu, sd, eps):
    return np.mean(slope(mu + sd * eps) * eps)


def gradient_in_place(slope, mu, sd, eps):
    z = mu + sd * eps
    eps *= slope(z)
    return eps.mean()


def climb(gain=lambda pull, sd: pull * sd + 1, after=False, end=lambda mu, sd: (mu.mean(), sd.mean()), part=0.5):
    """The solution of exercise 7, noting each step before or after it is taken, or one with a mistake built in."""

    def attempt(slope, eps):
        mu, log_sd, steps = 0.0, 0.0, []
        for noise in eps:
            sd = math.exp(min(log_sd, 300))
            pull = slope(mu + sd * noise)
            before = mu, sd
            mu, log_sd = mu + 0.02 * pull, log_sd + 0.02 * gain(pull * noise, sd)
            steps.append((mu, math.exp(log_sd)) if after else before)
        return end(*np.array(steps[int(part * len(steps)) :]).T)

    return attempt


def climb_in_turn(slope, eps):
    mu, log_sd, steps = 0.0, 0.0, []
    for noise in eps:
        mu += 0.02 * slope(mu + np.exp(log_sd) * noise)
        log_sd += 0.02 * (slope(mu + np.exp(log_sd) * noise) * np.exp(log_sd) * noise + 1)
        steps.append((mu, np.exp(log_sd)))
    return np.mean(steps[len(steps) // 2 :], axis=0)


def climb_with_tensors(slope, eps):
    mu, log_sd = torch.zeros((), dtype=torch.float64), torch.zeros((), dtype=torch.float64, requires_grad=True)
    total = torch.zeros(2, dtype=torch.float64)
    for step, noise in enumerate(eps):
        with torch.no_grad():
            uphill = slope(mu + log_sd.exp() * noise)
            log_sd += 0.02 * (uphill * noise * log_sd.exp() + 1)
            mu = mu + 0.02 * uphill
        if step >= len(eps) // 2:
            total = total + torch.stack([mu, log_sd.exp()])
    return total / (len(eps) - len(eps) // 2)


RIGHT = {
    "elbo_sign": [-94, -94.0, Fraction(-94), np.int8(-94), [-94], -90 - 4],
    "elbo_by_hand": [BY_HAND, -1.4429, -1.443, -1.44, LOG(1 / 4) - kl(np.array([1, 2]) / 3, 0.5),
                     np.float32(BY_HAND)],
    "reconstruction_and_kl": [
        lambda q, p, x: (q @ LOG(x), kl(q, p)),
        fit_in_a_loop,
        fit_in_place,
        lambda q, p, x: np.stack([LOG(x), LOG(q) - LOG(p)]) @ q,
        lambda q, p, x: (torch.tensor(q) @ torch.tensor(x).log(), torch.tensor(q) @ torch.tensor(q / p).log()),
    ],
    "new_weight": [
        lambda resp: resp[:, 1].mean(),
        weight_in_place,
        lambda resp: sum(row[1] for row in resp) / len(resp),
        lambda resp: 1 - resp.T[0].mean(),
        lambda resp: resp[:, 1].sum() / resp.sum(),
    ],
    "expected_log_likelihood": [expected_fit, integrated_fit, expanded_fit],
    "sd_gradient": [
        sd_gradient,
        gradient_in_place,
        lambda slope, mu, sd, eps: sum(float(slope(mu + sd * e)) * e for e in eps) / len(eps),
        lambda slope, mu, sd, eps: slope(mu + sd * eps) @ eps / eps.size,
    ],
    "climb": [climb(after=True), climb(), climb_with_tensors, climb(end=lambda mu, sd: [[mu.mean()], sd.mean()])],
}  # fmt: skip

WRONG = {
    "elbo_sign": [(-86, "above log p(x)"), (94, "sign of log p(x)"), (-90, "perfect q"), (86, "Not yet")],
    "elbo_by_hand": [
        (BY_HAND / LOG(2), "bits"),
        (LOG(1 / 8) - LOG(3) + 2 / 3 * LOG(2), "wrong sign"),
        (LOG(1 / 8), "That is E[log p(x, z)] alone"),
        (LOG(1 / 4), "That is log p(x)"),
        (-1.386, "That is log p(x)"),
        (2 * LOG(1 / 4) - BY_HAND, "sign of the notes"),
        (LOG(1 / 6) / 3 + 2 * LOG(1 / 2) / 3, "reconstruction term alone"),
        (LOG(3 / 8) + LOG(3 / 16), "equal weights"),
        (LOG(1 / 24) / 3 - 0.75 * LOG(9 / 4) - 0.25 * LOG(3 / 8), "q comes first"),
        (1.4429, "never positive"),
    ],
    "reconstruction_and_kl": [
        (lambda q, p, x: (q @ np.log2(x), q @ np.log2(q / p)), "bits"),
        (lambda q, p, x: (kl(q, p), q @ LOG(x)), "Return the reconstruction term first"),
        (lambda q, p, x: q @ LOG(x) - kl(q, p), "the ELBO. Return the two"),
        (lambda q, p, x: (q @ LOG(x), kl(p, q)), "wrong way round"),
        (lambda q, p, x: (q @ LOG(x), -kl(q, p)), "wrong sign"),
        (lambda q, p, x: (LOG(x).sum(), kl(q, p)), "added up"),
        (lambda q, p, x: (LOG(x).mean(), kl(q, p)), "You have averaged all causes"),
        (lambda q, p, x: (p @ LOG(x), kl(q, p)), "under the prior"),
        (lambda q, p, x: (q @ LOG(x * p), kl(q, p)), "not p(x, z)"),
        (lambda q, p, x: (LOG(q @ x), kl(q, p)), "logarithm first"),
        (lambda q, p, x: q @ LOG(x), "Need an array of shape (2,)"),
        (lambda q, p, x: (-q @ LOG(x), kl(q, p)), "Not yet"),
        (lambda q, p, x: (-1.241, 0.3766), "Not yet"),
    ],
    "new_weight": [
        (lambda resp: resp[:, 1].sum(), "number of nights"),
        (lambda resp: resp.argmax(axis=1).mean(), "hard"),
        (lambda resp: np.round(resp)[:, 1].mean(), "hard"),
        (lambda resp: resp[:, 0].mean(), "first component"),
        (lambda resp: resp[:, 1].sum() / resp[:, 0].sum(), "odds"),
        (lambda resp: 100 * resp[:, 1].mean(), "not in percent"),
        (lambda resp: resp.mean(), "always ½"),
        (lambda resp: resp.mean(axis=0), "weights of both"),
        (lambda resp: 0.56, "Not yet"),
        (lambda resp: resp[:, 1].sum() / (len(resp) - 1), "Not yet"),
    ],
    "expected_log_likelihood": [
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s), "variance of q too"),
        (lambda x, w, s, mu, sd: -LOG(2 * np.pi * s**2) / 2 - squares(x, w, mu, sd) / s**2, "½ is missing"),
        (lambda x, w, s, mu, sd: -LOG(2 * np.pi * s**2) - squares(x, w, mu, sd) / s**2 / 2, "logarithm too"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w * (sd / s) ** 2 / 2, "w² times"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w**2 * sd / s**2 / 2, "used σ itself"),
        (lambda x, w, s, mu, sd: -(LOG(2 * np.pi * s) + squares(x, w, mu, sd) / s) / 2, "variance of x is s²"),
        (lambda x, w, s, mu, sd: -squares(x, w, mu, sd) / s**2 / 2, "constant"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, np.hypot(s, w * sd)), "average density"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) + (w * sd / s) ** 2 / 2, "lowers the average"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - 2 * w * sd**2 / (2 * s**2), "Not yet"),  # w² read as 2 w
        (lambda x, w, s, mu, sd: -(LOG(np.pi * s) + squares(x, w, mu, sd) / s**2) / 2, "Not yet"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - (w * sd) ** 2 / 2, "Not yet"),
        (lambda x, w, s, mu, sd: expected_fit(1.3, 2.2, 0.6, 0.4, 0.35), "Not yet"),
    ],
    "sd_gradient": [
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)), "with respect to mu"),
        (lambda slope, mu, sd, eps: np.sum(slope(mu + sd * eps) * eps), "added the draws"),
        (lambda slope, mu, sd, eps: slope(mu + sd * eps) * eps, "single draws"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps * sd), "not by sd"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu) * eps), "drawn z"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd**2 * eps) * eps), "standard deviation already"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) / (2 * sd), "variance sd²"),
        (lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)) * eps.mean(), "Not yet"),
        (lambda slope, mu, sd, eps: -sd_gradient(slope, mu, sd, eps), "Not yet"),
        (lambda slope, mu, sd, eps: sd_gradient(np.cos, 0.3, 0.4, np.array([-1.2, 0.1, 0.8, 2.0])), "Not yet"),
    ],
    "climb": [
        (climb(lambda pull, sd: pull * sd, after=True), "keeps shrinking"),
        (climb(lambda pull, sd: pull * sd - 1, after=True), "added and not subtracted"),
        (climb(lambda pull, sd: pull + 1, after=True), "factor sd of dz/d(log σ)"),
        (climb(lambda pull, sd: pull + 1 / sd, after=True), "gradient with respect to σ"),
        (climb(after=True, end=lambda mu, sd: (mu.mean(), np.mean(sd**2))), "is σ²"),
        (climb(after=True, end=lambda mu, sd: (mu.mean(), LOG(sd).mean())), "log σ; return"),
        (climb(after=True, end=lambda mu, sd: (mu.mean(), np.exp(LOG(sd).mean()))), "You have averaged log σ"),
        (climb(after=True, end=lambda mu, sd: (sd.mean(), mu.mean())), "Return mu first"),
        (climb(after=True, end=lambda mu, sd: (mu[-1], sd[-1])), "last step alone"),
        (climb(after=True, part=0), "over all steps"),
        (climb_in_turn, "Draw z once"),
        (climb(lambda pull, sd: -pull * sd - 1, end=lambda mu, sd: (mu.mean(), sd.mean())), "Not yet"),
        (climb(lambda pull, sd: pull * sd + sd), "Not yet"),
        (lambda slope, eps: (0.0, 1.0), "the prior"),
        (lambda slope, eps: (0.7, 0.5), "Not yet"),
        (lambda slope, eps: slope(1, 2), "stopped with TypeError"),
    ],
}  # fmt: skip
