"""Lesson 05: the bars, bounds and sliders show the numbers that they are given."""

import numpy as np
import pytest
from scipy.stats import norm

from vaehelpers import plots
from vaehelpers.lessons import lesson05
from vaehelpers.linear_gaussian import LinearGaussian


def test_elbo_and_kl_are_stacked_up_to_the_evidence():
    ax = lesson05.plot_balance([-3.0, -2.0], -2.0, labels=["a", "b"], floor=-4)
    elbo, _, kl, no_kl = ax.patches[:4]
    assert (elbo.get_y(), elbo.get_height()) == (-4, 1)
    assert (kl.get_y(), kl.get_height(), no_kl.get_height()) == (-3, 1, 0)
    lesson05.move_balance(ax, [-9.0, -2.5], -2.0)  # below the floor nothing is drawn, but the number stands
    assert elbo.get_height() == 0 and kl.get_height() == 2
    assert "KL 7.000" in [text.get_text() for text in ax.texts]


def test_an_ellipse_lies_one_standard_deviation_out():
    cov = np.array([[2.0, 0.7], [0.7, 1.0]])
    one, two = plots.ellipses(cov, (1, -1))
    for curve, distance in ((one, 1), (two, 4)):
        step = curve - [1, -1]
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, np.linalg.inv(cov), step), distance)


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
        before = live.picture.value
        control.value = control.min + 0.7 * (control.max - control.min)
        assert live.picture.value != before
        control.value = (control.min + control.max) / 2
    assert "image/png" in live._repr_mimebundle_()


def test_a_perfect_belief_closes_the_gap_under_the_slider():
    model, x = LinearGaussian(np.array([[2.0]]), np.zeros(1), 1.0), [[2.5]]  # posterior N(1, 0.2)
    live = lesson05.one_latent(model, x)
    live.controls["mean"].value, live.controls["sd"].value = 1.0, round(np.sqrt(0.2), 2)
    assert "KL 0.000" in live.figure.axes[1].get_title()


def test_beliefs_stand_beside_the_posterior():
    ax = lesson05.plot_causes([0.2, 0.8], [0.5, 0.5], ["a", "b"])
    assert [[bar.get_height() for bar in bars] for bars in ax.containers] == [[0.2, 0.8], [0.5, 0.5]]
    ax = lesson05.plot_beliefs([0, 1], [0.3, 0.4], [0.1, 0.2], prior=[0.4, 0.2])
    assert [line.get_ydata().tolist() for line in ax.lines] == [[0.3, 0.4], [0.1, 0.2], [0.4, 0.2]]
    assert [line.get_linestyle() for line in ax.lines] == ["-", "--", ":"]
    assert len(lesson05.plot_beliefs([0, 1], [0.3, 0.4], [0.1, 0.2]).lines) == 2


def test_only_the_sum_is_the_same_for_every_belief():
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


def test_a_factorised_belief_is_narrower_and_the_gap_grows():
    cov = np.array([[1, 0.6], [0.6, 1]])
    ax = lesson05.plot_factorised(cov, 0.64 * np.eye(2), mu=(1, 2))
    for line, covariance in ((ax.lines[0], cov), (ax.lines[2], 0.64 * np.eye(2))):
        step = line.get_xydata() - [1, 2]
        np.testing.assert_allclose(np.einsum("ni,ij,nj->n", step, np.linalg.inv(covariance), step), 1)
    assert lesson05.plot_gap([0, 0.5, 0.9], [0, 0.1, 0.8]).lines[0].get_ydata().tolist() == [0, 0.1, 0.8]


def test_gradients_show_each_draw_and_their_mean():
    draws = {"score": np.linspace(-3, 5, 1000), "moved": np.array([0.9, 1.1])}
    ax = lesson05.plot_gradients(draws, 1.0)
    dots, mean, *_ = ax.lines
    assert len(dots.get_xdata()) == 400 and mean.get_xdata() == pytest.approx([1])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["score", "moved"]
    ax = lesson05.plot_gradient_variances([1, 4], {"score": [3, 12], "moved": [1, 1]})
    assert [line.get_ydata().tolist() for line in ax.lines] == [[3, 12], [1, 1]] and ax.get_yscale() == "log"
