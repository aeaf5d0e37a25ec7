"""Lesson 07's figures and sliders: what they show is what was computed, and what should stand still does."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import multivariate_normal

from vaehelpers import metrics
from vaehelpers.lessons import lesson07
from vaehelpers.lessons import lesson07 as lesson

RNG = np.random.default_rng(0)


def test_collapsed_models_share_one_label():
    ax = lesson07.plot_rate_distortion([1, 1, 8, 32], [5, 5.2, 0, 0], [190, 191, 230, 230.01], best=195.3)
    assert [text.get_text() for text in ax.texts] == ["β = 1", "β = 8, 32", "same ELBO"]
    x, y = ax.lines[-1].get_data()
    np.testing.assert_allclose(x + y, 195.3)


def test_each_seed_has_its_dot_and_each_beta_its_mean():
    ax = lesson07.plot_sweep([1, 1, 1, 4, 4, 4], [1, 1, 4, 2, 3, 7], name="score")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2, 4])
    places = ax.lines[1].get_xdata()
    assert len(set(places)) == 6 and (np.diff(places) > 0).all()


def test_the_parts_stack_up_to_the_mean_kl():
    parts = {"mutual information": [1.0, 3, 2], "total correlation": [0.5, 0.5, 1], "dimension-wise KL": [0, 0, 0.5]}
    ax = lesson07.plot_kl_parts([1, 1, 4], parts)
    assert [text.get_text() for text in ax.texts] == ["2.5", "3.5"]
    np.testing.assert_allclose([bar.get_y() + bar.get_height() for bar in ax.patches[-2:]], [2.5, 3.5])


def test_a_model_without_latents_says_so():
    empty, full = np.zeros((0, 3, 1, 4, 4)), np.zeros((2, 3, 1, 4, 4))
    axes = lesson07.plot_traversals({"one": full, "none": empty}, {"one": ["a", "b"], "none": []})
    assert [len(ax.texts) for ax in axes] == [0, 1]


@pytest.mark.parametrize(
    ("controls", "beta"),
    [
        ({"latents": "mean"}, 4096 / 2 / 25),
        ({}, 4096 / 2),
        ({"error": "Bernoulli"}, 4096),
        ({"error": "½ squared", "pixels": "sum"}, 1),
        ({"pixels": "sum", "sigma": 0.5, "weight": 2.0}, 100 / (2 * 0.25)),
        ({"error": "Bernoulli", "pixels": "sum", "latents": "mean", "n_latents": 10}, 0.1),
        ({"error": "Bernoulli", "pixels": "sum", "batch": "mean of error only"}, 64),
        ({"error": "Bernoulli", "pixels": "sum", "batch": "mean of KL only"}, 1 / 64),
        ({"picture": "64×64×3", "weight": -3.0}, 12288 * 0.001 / 2),
    ],
)
def test_the_calculator_shows_the_beta(controls, beta):
    live = lesson07.beta_calculator()
    for name, value in ({"latents": "sum"} | controls).items():
        live.controls[name].value = value
    ax = live.figure.axes[0]
    assert ax.lines[1].get_xdata()[0] == pytest.approx(beta)
    formula = ax.get_title().replace(",", "").replace("·", "*").replace("²", "**2")
    written = re.fullmatch(r"β  =  (.+)  =  (.+)", formula)
    assert eval(written[1]) == pytest.approx(beta, rel=1e-3) and float(written[2]) == pytest.approx(beta, rel=1e-3)


def test_a_turn_leaves_lengths_and_the_other_latents():
    codes = RNG.standard_normal((6, 4))
    turned = lesson.turn(codes, 30)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(codes, axis=1))
    np.testing.assert_array_equal(turned[:, 2:], codes[:, 2:])
    np.testing.assert_allclose(lesson.turn([[1.0, 0]], 90), [[0, 1]], atol=1e-15)
    np.testing.assert_allclose(lesson.turn(turned, -30), codes)


def test_a_turn_costs_no_kl_and_the_gap_is_that_of_the_best_diagonal_posterior():
    mu, variances = RNG.standard_normal((1, 3)), RNG.uniform(0.05, 0.9, (1, 3))
    kls, gaps = lesson._prices(mu, variances, np.array([0, 20, 45]))
    np.testing.assert_allclose(kls, 0.5 * (mu**2 + variances - np.log(variances) - 1).sum())
    rotation = lesson.turn(np.eye(3), 20.0)  # a row is where the unit vector goes
    target = multivariate_normal(np.zeros(3), rotation.T @ np.diag(variances[0]) @ rotation)
    normals = RNG.standard_normal((4000, 3))
    normals = (normals - normals.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(normals.T, bias=True))).T

    def kl(log_sd):  # the draws have exactly mean 0 and covariance 1, so that this average is no estimate
        z = normals * np.exp(log_sd)
        return (multivariate_normal(np.zeros(3), np.diag(np.exp(2 * log_sd))).logpdf(z) - target.logpdf(z)).mean()

    assert gaps[0] == pytest.approx(0, abs=1e-12)
    assert gaps[1] == pytest.approx(minimize(kl, np.zeros(3)).fun, abs=1e-6)
    assert 0 < gaps[1] < gaps[2]


def test_the_slider_shows_the_mig_of_the_turned_codes():
    factors = RNG.uniform(size=(1000, 2))
    mu = np.column_stack([factors + 0.05 * RNG.standard_normal((1000, 2)), RNG.standard_normal(1000)])
    live = lesson07.turned_latents(mu, np.full((1000, 3), -3.0), factors, names=("a", "b"), labels=("z0", "z1", "z2"))
    for angle in (0, 45):
        live.controls["angle"].value = angle
        assert live.figure.axes[1].get_title().endswith(f"{metrics.mig(lesson.turn(mu, angle), factors):.3f}")
    live.controls["angle"].value = 0
    at_rest = live.figure.axes[1].get_title()
    live.controls["angle"].value = 45
    assert live.figure.axes[1].get_title().split(",")[0] == at_rest.split(",")[0]


def test_the_capacity_slider_reaches_both_ends():
    kl = np.linspace(0, 2, 5)[:, None] * np.array([1, 0.5, 0.01])
    run = {"capacity": np.arange(5.0), "log_likelihood": -np.arange(5.0), "kl": kl, "latents": np.arange(2)}
    live = lesson07.rising_capacity(run | {"pictures": np.zeros((5, 2, 9, 32, 32), np.uint8)})
    titles = []
    for moment in (0, 4):
        live.controls["moment"].value = moment
        titles.append(live.figure.axes[0].get_title())
    assert "latents above 0.1 nats: 0" in titles[0] and "above 0.1 nats: 2" in titles[1] and "fit −4.0" in titles[1]


def test_the_choice_of_a_model_changes_pictures_and_labels():
    rows = {name: np.full((3, 4, 1, 5, 5), value) for name, value in (("a", 0.0), ("b", 1.0))}
    live = lesson07.all_latents(rows, {"a": list("xyz"), "b": list("uvw")}, start="a")
    before = live.picture.value
    live.controls["model"].value = "b"
    assert [label.get_text() for label in live.figure.axes[0].get_yticklabels()] == list("uvw")
    assert live.picture.value != before


def test_spreading_names_each_number_of_latents():
    ax = lesson07.plot_spreading([0, 1, 2], {1: [1, 0.1, 0.02], 3: [1, 0.5, 0.3]})
    assert [text.get_text() for text in ax.texts] == ["1 latent", "3 latents"]
    assert [line.get_ydata().tolist() for line in ax.lines] == [[1, 0.1, 0.02], [1, 0.5, 0.3]]
    assert ax.get_yscale() == "log"


def test_a_path_numbers_the_fifths_of_a_factor():
    factor = np.linspace(0, 1, 101)
    ax = lesson07.plot_path(np.column_stack([factor, factor**2]), factor, names=("z0", "z1", "index"))
    assert [text.get_text() for text in ax.texts] == list("12345")
    np.testing.assert_allclose([text.get_position()[0] for text in ax.texts], [0.1, 0.3, 0.5, 0.7, 0.9], atol=0.01)
    assert ax.get_title().startswith("index")
