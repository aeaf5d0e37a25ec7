"""Lesson 07: figures and sliders show the values that they are given; the β of a loss; answers of the exercises."""

import csv
import math
import re
from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import eigvals
from scipy.optimize import minimize
from scipy.stats import multivariate_normal
from torch.nn import functional as F

from vaehelpers.lessons import lesson07
from vaehelpers.lessons.lesson07 import effective_beta, turn
from vaehelpers.metrics import mi_matrix, mig

RNG = np.random.default_rng(0)
PEERS = list(csv.DictReader((ROOT / "vaehelpers/data/peers.csv").read_text(encoding="utf-8").splitlines()))
for peer in PEERS:
    peer |= {name: float(peer[name]) for name in ("scale", "weight", "error_over", "kl_over")}


def texts(ax):
    return [text.get_text() for text in ax.texts]


def marks(ax):
    """The marks that a slider moves: their positions, by name."""
    return {line.get_gid(): line.get_xydata().squeeze().tolist() for line in ax.lines if line.get_gid()}


def framed(ax):
    """The latent that is framed for each factor that any latent knows about."""
    return {round(frame.get_x() + 0.5): round(frame.get_y() + 0.5) for frame in ax.patches}


def test_each_beta_has_a_label_and_the_dashed_line_one_elbo():
    ax = lesson07.plot_rate_distortion([1, 1, 8], [5, 5.2, 0], [190, 191, 230], best=195.3)
    assert texts(ax) == ["β = 1", "β = 8", "same ELBO"] and ax.texts[0].xy == pytest.approx((5.1, 190.5))
    np.testing.assert_allclose(ax.lines[-1].get_xydata().sum(axis=1), 195.3)


def test_each_seed_has_its_dot_and_each_beta_its_mean():
    means, dots = lesson07.plot_sweep([1, 1, 1, 4, 4, 4], [1, 1, 4, 2, 3, 7], name="score").lines
    assert means.get_xydata().tolist() == [[1, 2], [4, 4]] and dots.get_ydata().tolist() == [1, 1, 4, 2, 3, 7]
    assert (np.diff(dots.get_xdata()) > 0).all()  # none hides another


def test_the_parts_stack_up_to_the_mean_kl():
    ax = lesson07.plot_kl_parts(
        [1, 1, 4], {"information": [1.0, 3, 2], "correlation": [0.5, 0.5, 1], "KL": [0, 0, 0.5]}
    )
    assert texts(ax) == ["2.5", "3.5"]
    np.testing.assert_allclose([bar.get_y() + bar.get_height() for bar in ax.containers[-1]], [2.5, 3.5])


def test_a_path_numbers_the_fifths_of_a_factor():
    factor = np.linspace(0, 1, 101)
    ax = lesson07.plot_path(np.column_stack([factor, factor**2]), factor, names=("z0", "z1", "index"))
    assert texts(ax) == list("12345")
    np.testing.assert_allclose([text.get_position()[0] for text in ax.texts], [0.1, 0.3, 0.5, 0.7, 0.9], atol=0.01)
    assert texts(lesson07.plot_path([[0, 0], [1, 1]], [0, 1], names=("z0", "z1", "index"))) == ["1", "5"]


def test_the_best_latent_of_each_factor_is_framed():
    table = np.array([[1.5, 0.1, 0.0], [0.2, 0.0, 0.0]])
    ax = lesson07.plot_mi_matrix(table, latents=["z0", "z1"], factors=["a", "b", "c"])
    assert {text.get_position(): float(text.get_text()) for text in ax.texts} == {
        (column, row): nats for (row, column), nats in np.ndenumerate(table)
    }
    assert framed(ax) == {0: 0, 1: 0} and ax.images[0].get_clim() == (0, 1.5)


def test_the_calculator_shows_the_beta():
    live = lesson07.beta_calculator()
    (ax,), start = live.figure.axes, {name: control.value for name, control in live.controls.items()}
    for controls, beta in [
        ({}, 4096 / 2 / 25),
        ({"latents": "sum"}, 4096 / 2),
        ({"latents": "sum", "error": "½ squared", "pixels": "sum"}, 1),
        ({"latents": "sum", "pixels": "sum", "sigma": 0.5, "weight": 2.0}, 100 / (2 * 0.25)),
        ({"error": "Bernoulli", "pixels": "sum"}, 1 / 25),
        ({"latents": "sum", "error": "Bernoulli", "pixels": "sum", "batch": "mean of error only"}, 64),
        ({"latents": "sum", "error": "Bernoulli", "pixels": "sum", "batch": "mean of KL only"}, 1 / 64),
        ({"latents": "sum", "image": "64×64×3", "weight": -3.0}, 12288 * 0.001 / 2),
    ]:
        for name, value in (start | controls).items():
            live.controls[name].value = value
        assert marks(ax)["here"] == [pytest.approx(beta), 0.5]
        formula = ax.get_title().replace(",", "").replace("·", "*").replace("²", "**2")
        written = re.fullmatch(r"β  =  (.+)  =  (.+)", formula)
        assert eval(written[1]) == pytest.approx(beta, rel=1e-3) and float(written[2]) == pytest.approx(beta, rel=1e-3)


def test_a_turn_leaves_lengths_and_the_other_latents():
    codes = RNG.standard_normal((6, 4))
    turned = turn(codes, 30)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(codes, axis=1))
    np.testing.assert_array_equal(turned[:, 2:], codes[:, 2:])
    np.testing.assert_allclose(turn([[1.0, 0]], 90), [[0, 1]], atol=1e-15)


def test_a_turn_costs_no_kl_and_the_gap_is_that_of_the_best_diagonal_posterior():
    mu, variances = RNG.standard_normal((1, 3)), RNG.uniform(0.05, 0.9, (1, 3))
    kls, gaps = np.transpose([lesson07._kl_and_gap(mu, variances, angle) for angle in (0, 20, 45)])
    np.testing.assert_allclose(kls, 0.5 * (mu**2 + variances - np.log(variances) - 1).sum())
    rotation, zero = turn(np.eye(3), 20.0), torch.zeros(3, dtype=torch.float64)
    covariance = rotation.T @ np.diag(variances[0]) @ rotation  # a row of the rotation is where the unit vector goes
    target = torch.distributions.MultivariateNormal(zero, torch.tensor(covariance))

    def kl(log_sd):
        diagonal = torch.distributions.MultivariateNormal(zero, torch.tensor(np.exp(2 * log_sd)).diag())
        return torch.distributions.kl_divergence(diagonal, target).item()

    assert gaps == pytest.approx([0, minimize(kl, np.zeros(3)).fun, gaps[2]], abs=1e-6) and gaps[1] < gaps[2]


def test_the_slider_shows_the_scores_of_the_turned_codes():
    factors = RNG.uniform(size=(1000, 2))
    mu = np.column_stack([factors + 0.05 * RNG.standard_normal((1000, 2)), RNG.standard_normal(1000)])
    live = lesson07.turned_latents(mu, np.full((1000, 3), -3.0), factors, names=("a", "b"), labels=("z0", "z1", "z2"))
    left, right = live.figure.axes
    kl = (mu**2 + np.exp(-3) + 3 - 1).sum(axis=1).mean() / 2
    for angle in (0, 90):
        live.controls["angle"].value = angle
        score, information = mig(turn(mu, angle), factors), mi_matrix(turn(mu, angle), factors)
        assert right.get_title() == f"KL {kl:.4f} nats, as before;  MIG {score:.3f}"
        assert marks(right)["MIG"] == [angle, pytest.approx(score)]
        assert framed(left) == dict(enumerate(information.argmax(axis=0)))
    assert left.images[0].get_clim() == (0, mi_matrix(mu, factors).max())  # shades compare between angles


def test_the_limit_shows_the_best_rates_their_distortion_and_the_level():
    """Against a numerical search over the rates for the least distortion within the limit."""
    variances = np.array([1.5, 0.2, 3.0])
    live = lesson07.rate_limit(variances)
    left, right = live.figure.axes
    for limit in (0.5, 2.0):
        live.controls["limit"].value = limit
        within = {"type": "ineq", "fun": lambda r, limit=limit: limit - r.sum()}
        options = {"bounds": [(0, None)] * 3, "constraints": within, "options": {"ftol": 1e-12}}
        best = minimize(lambda r: (variances * np.exp(-2 * r)).sum(), np.full(3, limit / 3), **options)
        assert marks(left)["optimum"] == [pytest.approx(limit, abs=0.01), pytest.approx(best.fun, abs=0.02)]
        wanted = [f"{rate:.2f} nats" if rate > 1e-4 else "collapsed" for rate in best.x[[2, 0, 1]]]
        numbers = [float(text.split()[0]) if "nats" in text else 0 for text in texts(right)]
        np.testing.assert_allclose(numbers, best.x[[2, 0, 1]], atol=0.011)
        assert [text == "collapsed" for text in texts(right)] == [text == "collapsed" for text in wanted]
        slope = float(re.search(r"slope −β = −(.+)", left.get_title())[1])
        lost = [bar.get_height() for bar in right.containers[-1]]
        np.testing.assert_allclose(lost, variances[[2, 0, 1]] * np.exp(-2 * best.x[[2, 0, 1]]), atol=0.02)
        assert slope / 2 == pytest.approx(lost[0], abs=0.01)


def beta_of(peer, variance):
    numbers = (peer[name] for name in ("error", "scale", "weight", "error_over", "kl_over"))
    return effective_beta(*numbers, variance)


def loss_of(peer, x, recon, mu, logvar):
    """The loss written with torch's own reductions, not with the numbers of the table."""
    mean = peer["error_over"] > 1
    function = F.binary_cross_entropy if peer["error"] == "bernoulli" else F.mse_loss
    error = function(recon, x, reduction="mean") if mean else function(recon, x, reduction="sum") / len(x)
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1)
    return peer["scale"] * error + peer["weight"] * (kl.mean() if peer["kl_over"] > 1 else kl.sum(1).mean())


@pytest.mark.parametrize("variance", [1.0, 0.04])
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: f"{peer['repository']} {peer['setting']}")
def test_a_peers_loss_has_the_gradient_of_ours_at_its_beta(peer, variance):
    torch.manual_seed(0)
    shape = (3, int(peer["error_over"]) if peer["error_over"] > 1 else 50)
    x, recon = torch.rand(shape, dtype=float), torch.rand(shape, dtype=float).clamp(0.05, 0.95).requires_grad_()
    mu, logvar = (
        torch.randn(3, int(peer["kl_over"]) if peer["kl_over"] > 1 else 7, dtype=float, requires_grad=True)
        for _ in range(2)
    )
    if peer["error"] == "bernoulli":
        ours = -torch.distributions.Bernoulli(probs=recon, validate_args=False).log_prob(x).sum(1).mean()
    else:
        ours = -torch.distributions.Normal(recon, variance**0.5).log_prob(x).sum(1).mean()
    q, p = torch.distributions.Normal(mu, (logvar / 2).exp()), torch.distributions.Normal(0, 1)
    ours = ours + beta_of(peer, variance) * torch.distributions.kl_divergence(q, p).sum(1).mean()
    wanted = torch.autograd.grad(ours, (recon, mu, logvar))
    found = torch.autograd.grad(loss_of(peer, x, recon, mu, logvar), (recon, mu, logvar))
    factor = wanted[1].flatten()[0] / found[1].flatten()[0]
    for one, other in zip(wanted, found, strict=True):
        torch.testing.assert_close(one, factor * other, rtol=1e-9, atol=1e-12)


positive = st.floats(1e-3, 1e3)


@settings(deadline=None, max_examples=50)
@given(st.sampled_from(["bernoulli", "squared"]), positive, positive, positive, positive, positive)
def test_only_the_ratio_counts(error, scale, weight, error_over, kl_over, variance):
    beta = effective_beta(error, scale, weight, error_over, kl_over, variance)
    np.testing.assert_allclose(effective_beta(error, 3 * scale, 3 * weight, error_over, kl_over, variance), beta)
    np.testing.assert_allclose(effective_beta(error, scale, weight, 5 * error_over, 5 * kl_over, variance), beta)
    np.testing.assert_allclose(effective_beta(error, scale, 2 * weight, error_over, kl_over, variance), 2 * beta)


def test_the_table_has_a_row_with_its_source_and_beta_for_each_peer():
    _, _, *rows = lesson07.peers_table(variance=0.04).splitlines()
    assert len(rows) == len(PEERS) >= 6
    for row, peer in zip(rows, PEERS, strict=True):
        assert "/{repository}/blob/{commit}/{file})".format(**peer) in row
        error, *found = (cell.strip() for cell in row.split("|")[3:-1])
        assert error == peer["error"]
        assert [float(beta) for beta in found] == pytest.approx([beta_of(peer, 1), beta_of(peer, 0.04)], rel=1e-3)


LOG = np.log


def loss(error=lambda e: e.sum(1).mean(), kl=lambda m, v: (m**2 + np.exp(v) - v - 1) / 2, beta=None):
    """The solution of exercise 3, or one with a mistake built in."""

    def attempt(x, recon, mu, logvar, given):
        nats = -(x * LOG(recon) + (1 - x) * LOG(1 - recon))
        return error(nats) + (beta or given) * kl(mu, logvar).sum(1).mean()

    return attempt


def loss_in_place(x, recon, mu, logvar, beta):
    mu *= mu
    mu += np.exp(logvar) - logvar - 1
    x *= LOG(1 / recon - 1)
    x -= LOG(1 - recon)
    return (x.sum() + beta / 2 * mu.sum()) / len(x)


def spread(lost, m):
    return m * lost / (1 - lost + m * lost)


def total_correlation(c):
    return (LOG(np.diag(c)).sum() - np.linalg.slogdet(c)[1]) / 2


def correlation_in_place(c):
    variances = np.diag(c).copy()
    c /= variances
    return -LOG(np.linalg.det(c)) / 2


def gap(i):
    ranked = np.sort(i, axis=0)
    return ranked[-1] - ranked[-2]


def gap_in_place(information, entropies):
    information.sort(axis=0)
    information /= entropies
    return (information[-1] - information[-2]).mean()


def rates(variances, beta):
    return np.maximum(0, LOG(2 * variances / beta) / 2)


def rates_in_place(variances, beta):
    variances *= 2 / beta
    variances[variances < 1] = 1
    return LOG(np.sqrt(variances, out=variances), out=variances)


def best_turn(codes, factors, best=np.argmax, angles=range(90)):
    return angles[best([mig(turn(codes, angle), factors) for angle in angles])]


def turn_in_place(codes, factors):
    scores = []
    for _ in range(90):
        scores.append(mig(codes, factors))
        codes[:] = turn(codes, 1)
    return [float(np.argmax(scores))]


RIGHT = {
    "break_even": [1.5, Fraction(3, 2), np.array([1.5]), torch.tensor(1.5)],
    "rates": [rates, rates_in_place, lambda variances, beta: [max(0.0, math.log(2 * v / beta) / 2) for v in variances],
              lambda variances, beta: torch.clamp(torch.tensor(2 * variances / beta).log() / 2, min=0)],
    "effective_beta": [204.8, 205, 200, Fraction(1024, 5)],
    "beta_loss": [loss(), loss_in_place, lambda x, *given: sum(loss()(*(part[None] for part in row), given[-1])
                                                             for row in zip(x, *given[:-1], strict=True)) / len(x)],
    "spread_rate": [
        lambda lost, m: -m / 2 * LOG(spread(lost, m)),
        lambda lost, m: -sum(math.log(math.sqrt(spread(lost, m))) for _ in range(m)),
        lambda lost, m: [m / 2 * np.log1p((1 / lost - 1) / m)],
    ],
    "gaussian_correlation": [
        total_correlation,
        correlation_in_place,
        lambda c: (LOG(np.diag(c)).sum() - LOG(eigvals(c)).sum()) / 2,  # complex numbers with imaginary parts of 0
        lambda c: LOG(np.diag(c)).sum() / 2 - LOG(np.diag(np.linalg.cholesky(c))).sum(),
    ],
    "gap": [lambda i, h: np.mean(gap(i) / h), gap_in_place,
            lambda i, h: np.mean((np.partition(i, -2, axis=0)[-2:] / h).T @ [-1, 1])],
    "turn_back": [best_turn, turn_in_place,
                  lambda codes, factors: best_turn(codes, factors, angles=np.arange(89, -1, -1))],
}  # fmt: skip

WRONG = {
    "break_even": [(2 / 3, "before the log-likelihood"), (4, "how much higher the KL"), (27, "Not yet")],
    "rates": [
        (lambda variances, beta: LOG(2 * variances / beta) / 2, "A rate below 0"),
        (lambda variances, beta: np.maximum(0, LOG(variances / beta) / 2), "lost its factor 2"),
        (lambda variances, beta: np.maximum(0, LOG(2 * variances / beta)), "the ½ before"),
        (lambda variances, beta: np.minimum(variances, beta / 2), "the distortion"),
        (lambda variances, beta: abs(LOG(2 * variances / beta) / 2), "Not yet"),
    ],
    "effective_beta": [(409.6, "*two* times"), (20.48, "has its square"), (4.096, "Bernoulli"), (0, "Not yet")],
    "beta_loss": [
        (loss(error=np.mean), "averaged over the pixels"),
        (loss(kl=lambda m, v: (m**2 + v - LOG(v) - 1) / 2), "logvar as the variance"),
        (loss(beta=1), "loss at β = 1"),
        (lambda x, r, m, v, beta: loss()(r, x, m, v, beta), "Not yet"),
        (loss(beta=4), "Not yet"),
    ],
    "spread_rate": [
        (lambda lost, m: -LOG(spread(lost, m)) / 2, "Add up all m"),
        (lambda lost, m: -m / 2 * LOG(lost), "lost share for v"),
        (lambda lost, m: -m / 2 * LOG(lost / m), "Not yet"),
        (lambda lost, m: -3 / 2 * LOG(spread(lost, 3)), "Not yet"),
    ],
    "gaussian_correlation": [
        (lambda c: (LOG(np.sqrt(np.diag(c))).sum() - np.linalg.slogdet(c)[1]) / 2, "standard deviations for"),
        (lambda c: multivariate_normal(cov=np.eye(len(c))).logpdf(0 * c[0]), "Not yet"),
        (lambda c: -LOG(1 - c[0, 1] ** 2 / c[0, 0] / c[1, 1]) / 2, "Not yet"),
        (lambda c: 0.0, "Not yet"),
    ],
    "gap": [
        (lambda i, h: np.mean([np.diff(np.sort(row)[-2:]) for row in i]), "two best *factors*"),
        (lambda i, h: gap(i / h), "gap of each factor"),
        (lambda i, h: np.mean((i[-1] - i[-2]) / h), "Not yet"),  # not sorted
        (lambda i, h: np.median(gap(i) / h), "Not yet"),
    ],
    "turn_back": [
        (lambda codes, factors: best_turn(codes[:, ::-1], factors), "*were* turned by"),
        (lambda codes, factors: best_turn(codes, factors, np.argmin), "smallest"),
        (lambda codes, factors: best_turn(codes, factors) + 1, "Not yet"),
        (lambda codes, factors: 55, "Not yet"),
        (lambda codes, factors: codes[5, 7], "stopped with IndexError"),
    ],
}  # fmt: skip
