"""Lesson 07: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
import torch
from scipy.linalg import eigvals, orthogonal_procrustes
from torch.nn import functional as F

from vaehelpers.lessons.lesson07 import turn
from vaehelpers.metrics import mi_matrix, mig

LOG = np.log


def loss(error=lambda e: e.sum(1).mean(), price=lambda k: k.sum(1).mean(), kl=None, beta_first=False, sign=1):
    """The solution of exercise 3, or one with a mistake built in."""

    def attempt(x, recon, mu, logvar, beta):
        nats = -(x * LOG(recon) + (1 - x) * LOG(1 - recon))
        costs = (mu**2 + np.exp(logvar) - logvar - 1) / 2 if kl is None else kl(mu, logvar)
        first, second = (beta, 1) if beta_first else (1, beta)
        return sign * (first * error(nats) + second * price(costs))

    return attempt


def torch_loss(x, recon, mu, logvar, beta):
    x, recon, mu, logvar = (torch.tensor(value, requires_grad=True) for value in (x, recon, mu, logvar))
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp())
    return (F.binary_cross_entropy(recon, x, reduction="none").sum(1) + beta * kl.sum(1)).mean()


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


def of_correlations(c):
    sds = np.sqrt(np.diag(c))
    return -0.5 * LOG(np.linalg.eigvalsh(c / np.outer(sds, sds))).sum()


def correlation_in_place(c):
    variances = np.diag(c).copy()
    c /= variances
    return -LOG(np.linalg.det(c)) / 2


def gap(i):
    ranked = np.sort(i, axis=0)
    return ranked[-1] - ranked[-2]


def row_gap(i):
    ranked = np.sort(i, axis=1)
    return np.mean(ranked[:, -1] - ranked[:, -2])


def gap_in_a_loop(information, entropies):
    total = 0
    for column, entropy in zip(information.T.tolist(), entropies.tolist(), strict=True):
        best = column.pop(column.index(max(column)))
        total += (best - max(column)) / entropy
    return total / len(entropies)


def gap_in_place(information, entropies):
    information.sort(axis=0)
    information /= entropies
    return (information[-1] - information[-2]).mean()


def share_in_place(scores):
    scores -= scores.mean()
    return np.sum(scores.mean(axis=1) ** 2) / np.sum(scores**2) * scores.shape[1]


def best_turn(codes, factors, best=np.argmax, angles=range(90), score=mig):
    return angles[best([score(turn(codes, angle), factors) for angle in angles])]


def turn_in_place(codes, factors):
    scores = []
    for _ in range(90):
        scores.append(mig(codes, factors))
        codes[:] = turn(codes, 1)
    return [float(np.argmax(scores))]


def least_squares_turn(codes, factors):
    rotation = orthogonal_procrustes(codes, factors)[0]
    return round(math.degrees(math.atan2(rotation[0, 1], rotation[0, 0]))) % 90


def opposite_turn(codes, factors):
    return best_turn(codes[:, ::-1], factors)


RIGHT = {
    "break_even": [1.5, Fraction(3, 2), np.array([1.5]), (-186 + 192) / (9 - 5), torch.tensor(1.5)],
    "strangers_beta": [204.8, 205, 200, 0.001 * 64 * 64 / (2 * 0.1**2), Fraction(1024, 5)],
    "beta_loss": [
        loss(),
        torch_loss,
        loss_in_place,
        lambda x, recon, mu, logvar, beta: sum(
            loss()(*(part[None] for part in row), beta) for row in zip(x, recon, mu, logvar, strict=True)
        ) / len(x),
    ],
    "spread_rate": [
        lambda lost, m: -m / 2 * LOG(spread(lost, m)),
        lambda lost, m: m / 2 * math.log(1 + (1 - lost) / (m * lost)),
        lambda lost, m: -sum(math.log(math.sqrt(spread(lost, m))) for _ in range(m)),
        lambda lost, m: [m / 2 * np.log1p((1 / lost - 1) / m)],
    ],
    "gaussian_correlation": [
        total_correlation,
        of_correlations,
        correlation_in_place,
        lambda c: (LOG(np.diag(c)).sum() - LOG(eigvals(c)).sum()) / 2,  # complex numbers with imaginary parts of 0
        lambda c: LOG(np.diag(c)).sum() / 2 - LOG(np.diag(np.linalg.cholesky(c))).sum(),
        lambda c: torch.distributions.kl_divergence(*(
            torch.distributions.MultivariateNormal(torch.zeros(len(c), dtype=torch.float64), torch.tensor(part))
            for part in (c, np.diag(np.diag(c))))),
    ],
    "gap": [lambda i, h: np.mean(gap(i) / h), gap_in_a_loop, gap_in_place,
            lambda i, h: np.mean((np.partition(i, -2, axis=0)[-2:] / h).T @ [-1, 1])],
    "share": [
        lambda s: s.mean(1).var() / s.var(),
        share_in_place,
        lambda s: 1 - s.var(axis=1).mean() / s.var(),
        lambda s: s.mean(1).var() / (s.mean(1).var() + np.mean([row.var() for row in s])),
    ],
    "turn_back": [best_turn, turn_in_place, lambda codes, factors: np.float32(best_turn(codes, factors)),
                  lambda codes, factors: best_turn(codes, factors, angles=np.arange(89, -1, -1)),
                  least_squares_turn],
}  # fmt: skip

WRONG = {
    "break_even": [(2 / 3, "before the fit"), (6, "how much better the fit"), (4, "how much more KL"),
                   (2, "difference of the two ELBOs"), (1, "not equal yet"), (-1.5, "Mind the signs"), (27, "Not yet")],
    "strangers_beta": [(409.6, "*two* times"), (20.48, "has its square"), (2.048, "right for σ = 1"),
                       (4.096, "Bernoulli error"), (0.05, "read it as their sum"), (3.2, "one side alone"),
                       (1 / 204.8, "Upside down"), (0.08192, "Divide by 2σ²"), (0.001, "Not yet"), (0, "Not yet")],
    "beta_loss": [
        (loss(beta_first=True), "stands before the error"),
        (loss(price=np.mean), "averaged over the latents"),
        (loss(error=np.mean), "averaged over the pixels"),
        (loss(error=np.mean, price=np.mean), "averaged over everything"),
        (loss(error=np.sum, price=np.sum), "added up the batch"),
        (loss(kl=lambda m, v: m**2 + np.exp(v) - v - 1), "½ of the KL is missing"),
        (loss(kl=lambda m, v: (m**2 + v - LOG(v) - 1) / 2), "logvar as the variance"),
        (loss(kl=lambda m, v: (m**2 + np.exp(2 * v) - 2 * v - 1) / 2), "logvar as log σ"),
        (loss(sign=-1), "made small"),
        (loss(price=lambda k: -k.sum(1).mean()), "subtracts the price"),
        (lambda x, r, m, v, beta: loss()(x, r, m, v, 1), "loss at β = 1"),
        (lambda x, r, m, v, beta: loss()(x, r, m, v, beta) + np.sum((1 - x) * LOG(1 - r)) / len(x), "dark pixels"),
        (lambda x, r, m, v, beta: loss(error=lambda e: 0)(x, r, m, v, beta) + np.sum((x - r) ** 2) / len(x), "squared"),
        (lambda x, r, m, v, beta: loss()(r, x, m, v, beta), "Not yet"),
        (lambda x, r, m, v, beta: loss()(x, r, m, v, 4), "Not yet"),
    ],
    "spread_rate": [
        (lambda lost, m: -LOG(spread(lost, m)) / 2, "one of the m latents"),
        (lambda lost, m: -LOG(lost) / 2, "one latent would charge"),
        (lambda lost, m: -m / 2 * LOG(lost), "lost share for the noise"),
        (lambda lost, m: -m / 2 * LOG(m * lost), "m times the lost share"),
        (lambda lost, m: -m * LOG(spread(lost, m)), "½ is missing"),
        (lambda lost, m: -m / 2 * np.log2(spread(lost, m)), "bits"),
        (lambda lost, m: m / 2 * LOG(spread(lost, m)), "cannot be negative"),
        (spread, "That is v"),
        (lambda lost, m: -m / 2 * LOG(lost / m), "Not yet"),
        (lambda lost, m: -3 / 2 * LOG(spread(lost, 3)), "Not yet"),
    ],
    "gaussian_correlation": [
        (lambda c: 2 * total_correlation(c), "The ½ is missing: the entropy"),
        (lambda c: -total_correlation(c), "The sign"),
        (lambda c: -np.linalg.slogdet(c)[1] / 2, "what they have together"),
        (lambda c: LOG(np.diag(c)).sum() / 2, "what each has alone"),
        (lambda c: (LOG(np.sqrt(np.diag(c))).sum() - np.linalg.slogdet(c)[1]) / 2, "standard deviations for"),
        (lambda c: total_correlation(c) - np.linalg.slogdet(c)[1] / 2, "logarithm of the determinant"),
        (lambda c: total_correlation(c) + LOG(np.diag(c)).sum() / 2, "of the single variances"),
        (lambda c: (np.trace(c) - len(c) - np.linalg.slogdet(c)[1]) / 2, "KL to the prior"),
        (lambda c: np.abs(c / np.sqrt(np.outer(np.diag(c), np.diag(c))))[np.triu_indices(len(c), 1)].mean(), "mean c"),
        (lambda c: total_correlation(c) / LOG(2), "bits"),
        (lambda c: -LOG(1 - c[0, 1] ** 2 / c[0, 0] / c[1, 1]) / 2, "Not yet"),
        (lambda c: 0.0, "Not yet"),
    ],
    "gap": [
        (lambda i, h: np.mean(gap(i)), "in nats still"),
        (lambda i, h: row_gap(i), "two best *factors*"),
        (lambda i, h: np.mean(gap(i)) / LOG(len(i)), "log of the number of latents"),
        (lambda i, h: np.mean(gap(i)) / LOG(len(h)), "log of the number of factors"),
        (lambda i, h: np.mean(gap(i) / i.max(axis=0)), "what the best latent knows"),
        (lambda i, h: np.mean((i.max(axis=0) - i.mean(axis=0)) / h), "the mean of all latents"),
        (lambda i, h: np.mean((i.max(axis=0) - i.min(axis=0)) / h), "the worst latent"),
        (lambda i, h: -np.mean(gap(i) / h), "mind the sign"),
        (lambda i, h: gap(i).sum() / h.sum(), "divided the sums"),
        (lambda i, h: np.sum(gap(i) / h), "added up over the factors"),
        (lambda i, h: np.mean(i.max(axis=0) / h), "subtracts the second best"),
        (lambda i, h: gap(i) / h, "gap of each factor"),
        (lambda i, h: np.mean((i[-1] - i[-2]) / h), "Not yet"),  # not sorted
        (lambda i, h: np.median(gap(i) / h), "Not yet"),
    ],
    "share": [
        (lambda s: s.var(1).mean() / s.var(), "share of the seeds"),
        (lambda s: s.mean(1).var() / s.var(1).mean(), "ratio of the two"),
        (lambda s: s.mean(0).var() / s.var(), "other axis"),
        (lambda s: s.mean(1).var() / (s.mean(1).var() + s.mean(0).var()), "along the other axis"),
        (lambda s: s.mean(1).std() / s.std(), "not for standard deviations"),
        (lambda s: 100 * s.mean(1).var() / s.var(), "not in percent"),
        (lambda s: s.mean(1).var(), "means alone"),
        (lambda s: s.mean(1).var(ddof=1) / s.var(ddof=1), "ddof=0"),
        (lambda s: s.mean(1).var(ddof=1) / (s.mean(1).var(ddof=1) + s.var(1, ddof=1).mean()), "With ddof=1"),
        (lambda s: np.median(s, axis=1).var() / s.var(), "Not yet"),
        (lambda s: np.ptp(s.mean(1)) / np.ptp(s), "Not yet"),
    ],
    "turn_back": [
        (lambda codes, factors: 35 if turn(codes, 55)[0] @ factors[0] > 0 else 22, "Not yet"),
        (opposite_turn, "*were* turned by"),
        (lambda codes, factors: best_turn(codes, factors, np.argmin), "smallest"),
        (lambda codes, factors: best_turn(codes, factors) - 90, "quarter turn only swaps"),
        (lambda codes, factors: best_turn(codes, factors) + 90, "a quarter turn less"),
        (lambda codes, factors: np.deg2rad(best_turn(codes, factors)), "in radians"),
        (lambda codes, factors: 90, "number of tries"),
        (lambda codes, factors: best_turn(codes, factors) + 1, "Not yet"),
        (lambda codes, factors: 55, "Not yet"),
        (lambda codes, factors: max(mig(turn(codes, angle), factors) for angle in range(90)), "Not yet"),
        (lambda codes, factors: best_turn(codes, factors, score=lambda c, f: mi_matrix(c, f).sum(), best=np.argmin),
         "smallest"),
        (lambda codes, factors: codes[5, 7], "stopped with IndexError"),
    ],
}  # fmt: skip
