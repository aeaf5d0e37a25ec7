"""Lesson 07: each classic mistake is met by its hint, an open stub by patience; right answers run in the notebook."""

import numpy as np
import pytest

from vaehelpers import exercises
from vaehelpers.metrics import mig
from vaehelpers.widgets.beta import turn

LOG = np.log


def loss(error=lambda e: e.sum(1).mean(), price=lambda k: k.sum(1).mean(), kl=None, beta_first=False, sign=1):
    """The solution of exercise 3, or one with a mistake built in."""

    def attempt(x, recon, mu, logvar, beta):
        nats = -(x * LOG(recon) + (1 - x) * LOG(1 - recon))
        costs = (mu**2 + np.exp(logvar) - logvar - 1) / 2 if kl is None else kl(mu, logvar)
        first, second = (beta, 1) if beta_first else (1, beta)
        return sign * (first * error(nats) + second * price(costs))

    return attempt


def spread(lost, m):
    return m * lost / (1 - lost + m * lost)


def total_correlation(c):
    return (LOG(np.diag(c)).sum() - np.linalg.slogdet(c)[1]) / 2


def gap(i):
    ranked = np.sort(i, axis=0)
    return ranked[-1] - ranked[-2]


def row_gap(i):
    ranked = np.sort(i, axis=1)
    return np.mean(ranked[:, -1] - ranked[:, -2])


def best_turn(codes, factors, best=np.argmax):
    return best([mig(turn(codes, angle), factors) for angle in range(90)])


@pytest.mark.parametrize(
    ("check", "attempt", "answer"),
    [
        ("break_even", ..., "Not filled in yet"),
        ("break_even", 1.5, "Right"),
        ("break_even", 2 / 3, "before the fit"),
        ("break_even", 6, "how much better the fit"),
        ("break_even", 4, "how much more KL"),
        ("break_even", 2, "difference of the two ELBOs"),
        ("break_even", 1, "not equal yet"),
        ("strangers_beta", ..., "Not filled in yet"),
        ("strangers_beta", 204.8, "Right"),
        ("strangers_beta", 409.6, "*two* times"),
        ("strangers_beta", 20.48, "has its square"),
        ("strangers_beta", 2.048, "right for σ = 1"),
        ("strangers_beta", 4.096, "Bernoulli error"),
        ("strangers_beta", 0.05, "read it as their sum"),
        ("strangers_beta", 1 / 204.8, "Upside down"),
        ("strangers_beta", 0.08192, "Divide by 2σ²"),
        ("beta_loss", lambda x, recon, mu, logvar, beta: ..., "Not filled in yet"),
        ("beta_loss", loss(), "Right"),
        ("beta_loss", loss(beta_first=True), "stands before the error"),
        ("beta_loss", loss(price=np.mean), "averaged over the latents"),
        ("beta_loss", loss(error=np.mean), "averaged over the pixels"),
        ("beta_loss", loss(error=np.mean, price=np.mean), "averaged over everything"),
        ("beta_loss", loss(error=np.sum, price=np.sum), "added up the batch"),
        ("beta_loss", loss(kl=lambda m, v: m**2 + np.exp(v) - v - 1), "½ of the KL is missing"),
        ("beta_loss", loss(kl=lambda m, v: (m**2 + v - LOG(np.abs(v)) - 1) / 2), "logvar as the variance"),
        ("beta_loss", loss(kl=lambda m, v: (m**2 + np.exp(2 * v) - 2 * v - 1) / 2), "logvar as log σ"),
        ("beta_loss", loss(sign=-1), "made small"),
        ("beta_loss", loss(price=lambda k: -k.sum(1).mean()), "subtracts the price"),
        ("beta_loss", lambda x, r, m, v, beta: loss()(x, r, m, v, 1), "loss at β = 1"),
        ("spread_rate", lambda lost, m: ..., "Not filled in yet"),
        ("spread_rate", lambda lost, m: -m / 2 * LOG(spread(lost, m)), "Right"),
        ("spread_rate", lambda lost, m: -LOG(spread(lost, m)) / 2, "one of the m latents"),
        ("spread_rate", lambda lost, m: -LOG(lost) / 2, "one latent would charge"),
        ("spread_rate", lambda lost, m: -m / 2 * LOG(lost), "lost share for the noise"),
        ("spread_rate", lambda lost, m: -m * LOG(spread(lost, m)), "½ is missing"),
        ("spread_rate", lambda lost, m: -m / 2 * np.log2(spread(lost, m)), "bits"),
        ("spread_rate", lambda lost, m: m / 2 * LOG(spread(lost, m)), "cannot be negative"),
        ("spread_rate", spread, "That is v"),
        ("gaussian_correlation", lambda c: ..., "Not filled in yet"),
        ("gaussian_correlation", total_correlation, "Right"),
        ("gaussian_correlation", lambda c: 2 * total_correlation(c), "½ is missing"),
        ("gaussian_correlation", lambda c: -total_correlation(c), "The sign"),
        ("gaussian_correlation", lambda c: -np.linalg.slogdet(c)[1] / 2, "what they have together"),
        (
            "gaussian_correlation",
            lambda c: (LOG(np.sqrt(np.diag(c))).sum() - np.linalg.slogdet(c)[1]) / 2,
            "standard deviations for the variances",
        ),
        ("gaussian_correlation", lambda c: (np.trace(c) - 3 - np.linalg.slogdet(c)[1]) / 2, "KL to the prior"),
        (
            "gaussian_correlation",
            lambda c: np.mean(np.abs((c / np.sqrt(np.outer(np.diag(c), np.diag(c))))[np.triu_indices(3, 1)])),
            "mean correlation",
        ),
        ("gaussian_correlation", lambda c: total_correlation(c) / LOG(2), "bits"),
        ("gap", lambda i, h: ..., "Not filled in yet"),
        ("gap", lambda i, h: np.mean(gap(i) / h), "Right"),
        ("gap", lambda i, h: np.mean(gap(i)), "in nats still"),
        ("gap", lambda i, h: row_gap(i), "two best *factors*"),
        ("gap", lambda i, h: np.mean(gap(i)) / LOG(4), "log of the number of latents"),
        ("gap", lambda i, h: np.mean(gap(i)) / LOG(3), "log of the number of factors"),
        ("gap", lambda i, h: np.mean(gap(i) / i.max(axis=0)), "what the best latent knows"),
        ("gap", lambda i, h: np.mean((i.max(axis=0) - i.mean(axis=0)) / h), "*second best*"),
        ("gap", lambda i, h: gap(i).sum() / h.sum(), "divided the sums"),
        ("gap", lambda i, h: np.sum(gap(i) / h), "added up over the factors"),
        ("gap", lambda i, h: np.mean(i.max(axis=0) / h), "subtracts the second best"),
        ("gap", lambda i, h: gap(i) / h, "Need one number"),
        ("share", lambda s: ..., "Not filled in yet"),
        ("share", lambda s: s.mean(1).var() / s.var(), "Right"),
        ("share", lambda s: s.var(1).mean() / s.var(), "share of the seeds"),
        ("share", lambda s: s.mean(1).var() / s.var(1).mean(), "ratio of the two"),
        ("share", lambda s: s.mean(0).var() / s.var(), "other axis"),
        ("share", lambda s: s.mean(1).std() / s.std(), "not for standard deviations"),
        ("share", lambda s: s.mean(1).var(), "means alone"),
        ("share", lambda s: s.mean(1).var(ddof=1) / s.var(ddof=1), "ddof=0"),
        ("turn_back", lambda codes, factors: ..., "Not filled in yet"),
        ("turn_back", best_turn, "Right"),
        ("turn_back", lambda codes, factors: 35, "*were* turned by"),
        ("turn_back", lambda codes, factors: best_turn(codes, factors, np.argmin), "smallest"),
        ("turn_back", lambda codes, factors: -35, "quarter turn only swaps"),
        ("turn_back", lambda codes, factors: 90, "number of tries"),
        ("turn_back", lambda codes, factors: codes[5, 7], "stopped with IndexError"),
    ],
)
def test_an_attempt_gets_its_answer(check, attempt, answer, capsys):
    getattr(exercises, f"check_{check}")(attempt)
    assert answer in capsys.readouterr().out
