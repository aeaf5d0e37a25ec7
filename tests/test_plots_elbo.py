"""Lesson 05: the bars, bounds and sliders show the numbers that they are given."""

import numpy as np
import pytest
from scipy.stats import norm

from vaehelpers import plots, widgets
from vaehelpers.linear_gaussian import LinearGaussian


def test_elbo_and_kl_are_stacked_up_to_the_evidence():
    ax = plots.plot_balance([-3.0, -2.0], -2.0, labels=["a", "b"], floor=-4)
    elbo, _, kl, no_kl = ax.patches[:4]
    assert (elbo.get_y(), elbo.get_height()) == (-4, 1)
    assert (kl.get_y(), kl.get_height(), no_kl.get_height()) == (-3, 1, 0)
    plots.move_balance(ax, [-9.0, -2.5], -2.0)  # below the floor nothing is drawn, but the number stands
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
    live = widgets.em_bounds(
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
        lambda: widgets.four_causes(np.log([0.1, 0.2, 0.3]), ["a", "b", "c"], [0.3, 0.3, 0.4]),
        lambda: widgets.one_latent(LinearGaussian(np.array([[1.0], [0.5]]), np.zeros(2), 0.3), [[1.0, 0.4]]),
        widgets.factorised,
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
    live = widgets.one_latent(model, x)
    live.controls["mean"].value, live.controls["sd"].value = 1.0, round(np.sqrt(0.2), 2)
    assert "KL 0.000" in live.figure.axes[1].get_title()
