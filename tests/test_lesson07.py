"""Lesson 07: turned latents, the β of other people's losses, and answers to the exercises, for test_judge.py."""

import csv
import math

import numpy as np
import pytest
import torch
from conftest import ROOT
from equations import covers
from scipy.linalg import eigvals
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation
from scipy.stats import kurtosis, multivariate_normal
from sklearn.decomposition import FastICA

from vaehelpers.lessons import lesson07
from vaehelpers.lessons.lesson07 import turn
from vaehelpers.metrics import mig

RNG = np.random.default_rng(0)


@covers("07 cell-078 0 756977", "Locatello et al. (2019), §3; Rolinek et al. (2019)")
def test_a_turn_costs_no_kl_and_the_gap_is_that_of_the_best_diagonal_posterior():
    """Against SciPy's rotation. After a turn of the codes, the KL from the prior is the one before. A numerical search
    with torch's divergence finds the best posterior with a diagonal covariance after the turn, and the same gap.
    """
    matrix = Rotation.from_euler("z", 215, degrees=True).as_matrix()
    np.testing.assert_allclose(turn(np.eye(3), 215.0).T, matrix, atol=1e-15)
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


def test_the_table_has_a_row_with_its_source_and_beta_for_each_peer():
    peers = list(csv.DictReader((ROOT / "vaehelpers/data/peers.csv").read_text(encoding="utf-8").splitlines()))
    _, _, *rows = lesson07.peers_table(variance=0.04).splitlines()
    for row, peer in zip(rows, peers, strict=True):
        assert "/{repository}/blob/{commit}/{file})".format(**peer) in row
        error, *found = (cell.strip() for cell in row.split("|")[3:-1])
        numbers = [float(peer[name]) for name in ("scale", "weight", "error_over", "kl_over")]
        betas = [lesson07.effective_beta(peer["error"], *numbers, variance) for variance in (1, 0.04)]
        assert error == peer["error"] and [float(beta) for beta in found] == pytest.approx(betas, rel=1e-3)


LOG = np.log


def beta_loss(x, recon, mu, logvar, beta):
    nats = -(x * LOG(recon) + (1 - x) * LOG(1 - recon))
    return (nats.sum() + beta / 2 * (mu**2 + np.exp(logvar) - logvar - 1).sum()) / len(x)


def total_correlation(c):
    return (LOG(np.diag(c)).sum() - np.linalg.slogdet(c)[1]) / 2


def gap(i):
    ranked = np.sort(i, axis=0)
    return ranked[-1] - ranked[-2]


def best_turn(codes, factors, best=np.argmax, angles=range(90)):
    return angles[best([mig(turn(codes, angle), factors) for angle in angles])]


def by_fast_ica(codes):
    sine, cosine = FastICA(whiten="unit-variance", random_state=0).fit(codes).components_[0, ::-1]
    return -np.degrees(np.arctan2(sine, cosine)) % 90


def by_kurtosis(codes, of=np.abs):
    return int(np.argmax([of(kurtosis(turn(codes, angle))).sum() for angle in range(90)]))


RIGHT = {
    "break_even": [1.5],
    "rates": [lambda variances, beta: [max(0.0, math.log(2 * v / beta) / 2) for v in variances]],
    "effective_beta": [204.8, 205, 200],
    "beta_loss": [beta_loss],
    "spread_rate": [lambda lost, m: m / 2 * np.log1p((1 / lost - 1) / m)],
    "gaussian_correlation": [
        total_correlation,
        lambda c: (LOG(np.diag(c)).sum() - LOG(eigvals(c)).sum()) / 2,  # complex numbers with imaginary parts of 0
    ],
    "gap": [lambda i, h: np.mean(gap(i) / h)],
    "turn_back": [best_turn, lambda codes, factors: best_turn(codes, factors, angles=np.arange(89, -1, -1))],
    "turn_alone": [by_fast_ica, by_kurtosis],
}

WRONG = {
    "break_even": [(27, "Not yet")],
    "rates": [
        (lambda variances, beta: np.maximum(0, LOG(variances / beta) / 2), "lost its factor 2"),
        (lambda variances, beta: abs(LOG(2 * variances / beta) / 2), "Not yet"),
    ],
    "effective_beta": [(409.6, "*two* times"), (0, "Not yet")],
    "beta_loss": [(lambda x, r, m, v, beta: beta_loss(r, x, m, v, beta), "Not yet")],
    "spread_rate": [(lambda lost, m: -m / 2 * LOG(lost / m), "Not yet")],
    "gaussian_correlation": [
        (lambda c: (LOG(np.sqrt(np.diag(c))).sum() - np.linalg.slogdet(c)[1]) / 2, "standard deviations for"),
        (lambda c: multivariate_normal(cov=np.eye(len(c))).logpdf(0 * c[0]), "Not yet"),
        (lambda c: -LOG(1 - c[0, 1] ** 2 / c[0, 0] / c[1, 1]) / 2, "Not yet"),
    ],
    "gap": [
        (lambda i, h: np.mean((i[-1] - i[-2]) / h), "Not yet"),  # not sorted
        (lambda i, h: np.median(gap(i) / h), "Not yet"),
    ],
    "turn_back": [
        (lambda codes, factors: best_turn(codes[:, ::-1], factors), "*were* turned by"),
        (lambda codes, factors: best_turn(codes, factors, np.argmin), "smallest"),
        (lambda codes, factors: best_turn(codes, factors) + 1, "Not yet"),
    ],
    "turn_alone": [
        (lambda codes: by_fast_ica(codes) + 9, "Not yet"),
        (lambda codes: by_fast_ica(codes) - 90, "Out of range"),
        (lambda codes: by_kurtosis(codes, np.negative), "Heavy tails"),
    ],
}
