"""Lesson 07: where two models draw level, a stranger's β, the loss, spreading, correlation, the gap, seeds, a turn."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .judge import attempt, judge


def check_break_even(answer: Any) -> None:
    """Exercise 1: the β at which fit -192, KL 5 and fit -186, KL 9 are equally good."""
    mistakes = {
        "That is the β of a loss with β before the fit. Here it multiplies the KL.": 4 / 6,
        "That is how much better the fit is. How many nats of KL does it cost?": 6,
        "That is how much more KL is paid. How much fit does it buy?": 4,
        "That is the difference of the two ELBOs, at β = 1. Let β free, and set both sides equal.": 2,
        "At β = 1 the second is 2 nats better: not equal yet.": 1,
    }
    judge(answer, 1.5, praise="above this β the cheaper model wins, below it the more exact one.", mistakes=mistakes)


def check_strangers_beta(answer: Any) -> None:
    """Exercise 2: mean-squared error over 64×64 pixels of variance 0.1², plus 0.001 times the KL."""
    right = 0.001 * 4096 / (2 * 0.1**2)
    mistakes = {
        "Nearly. Look at the exponent of a Gaussian: (x − x̂)² stands there over *two* times σ².": 2 * right,
        "You have used σ where the Gaussian has its square.": 0.001 * 4096 / (2 * 0.1),
        "That would be right for σ = 1. Here the pixels have σ = 0.1.": 0.001 * 4096 / 2,
        "That would be right for a Bernoulli error. A squared error is 2σ² times the nats.": 0.001 * 4096,
        "The error is a mean over 4096 pixels; you have read it as their sum.": right / 4096,
        "Upside down: what stands before the KL goes on top.": 1 / right,
        "Divide by 2σ²: a squared error counts *fewer* than nats when σ is small.": 0.001 * 4096 * 2 * 0.1**2,
    }
    judge(answer, right, praise="a weight that looks tiny is a β in the hundreds.", mistakes=mistakes)


def check_beta_loss(function: Callable[..., Any]) -> None:
    """Exercise 3: ``beta_loss(x, recon, mu, logvar, beta)`` of a batch, Bernoulli pixels, as one number."""
    rng, beta = np.random.default_rng(0), 4.0
    x, recon = rng.random((2, 5, 6)) * 0.9 + 0.05
    mu, logvar = rng.standard_normal((2, 5, 3))
    error = -(x * np.log(recon) + (1 - x) * np.log(1 - recon))
    kl = (mu**2 + np.exp(logvar) - logvar - 1) / 2
    fit, price = error.sum(1).mean(), kl.sum(1).mean()
    as_variance = ((mu**2 + logvar - np.log(np.abs(logvar)) - 1) / 2).sum(1).mean()
    as_log_sd = ((mu**2 + np.exp(2 * logvar) - 2 * logvar - 1) / 2).sum(1).mean()
    by_pixel = "Your error is averaged over the pixels: β then means something else for each size of picture."
    by_all = "Both terms are averaged over everything: β then depends on the numbers of pixels and latents."
    mistakes = {
        "β stands before the error. It is the KL that it multiplies.": beta * fit + price,
        "Your KL is averaged over the latents. Add it up; only the batch is averaged.": fit + beta * kl.mean(),
        by_pixel: error.mean() + beta * price,
        by_all: error.mean() + beta * kl.mean(),
        "You have added up the batch as well. Average over the pictures.": 5 * (fit + beta * price),
        "The ½ of the KL is missing.": fit + 2 * beta * price,
        "You have read logvar as the variance: it is its logarithm.": fit + beta * as_variance,
        "You have read logvar as log σ: the variance is exp(logvar), not exp(2 logvar).": fit + beta * as_log_sd,
        "The sign: a loss is to be made small, so it is minus (fit − β · KL).": -(fit + beta * price),
        "That subtracts the price. A loss *adds* β · KL to the error.": fit - beta * price,
        "That is the loss at β = 1.": fit + price,
    }
    answer = attempt(function, x, recon, mu, logvar, beta)
    judge(answer, fit + beta * price, praise="sums over pixels and latents, a mean over pictures.", mistakes=mistakes)


def check_spread_rate(function: Callable[..., Any]) -> None:
    """Exercise 4: ``spread_rate(lost, m)``, the nats that m equal latents cost to lose a given share of the feature."""
    lost, m = 0.2, 3
    v = m * lost / (1 - lost + m * lost)
    right = -m / 2 * np.log(v)
    mistakes = {
        "That is the price of one of the m latents. All m are to be paid.": right / m,
        "That is what one latent would charge. Find the noise v of each of the m first.": -np.log(lost) / 2,
        "You have taken the lost share for the noise v of one latent. m latents may each be noisier.": -m
        / 2
        * np.log(lost),
        "The ½ is missing: log σ is half of log v.": 2 * right,
        "That looks like bits. The course counts in nats.": right / np.log(2),
        "A price cannot be negative: log v is below zero, mind the sign.": -right,
        "That is v, the noise of each latent. What does it cost?": v,
    }
    judge(attempt(function, lost, m), right, praise="one latent asks −½ log of the share.", mistakes=mistakes)


def check_gaussian_correlation(function: Callable[..., Any]) -> None:
    """Exercise 5: ``gaussian_tc(covariance)``, the total correlation of a Gaussian, in nats."""
    root = np.array([[1.0, 0.3, 0.5], [0, 0.9, -0.4], [0, 0, 0.7]])
    covariance = root @ root.T
    log_det, logs = np.linalg.slogdet(covariance)[1], np.log(np.diag(covariance))
    right = (logs.sum() - log_det) / 2
    correlation = covariance / np.sqrt(np.outer(np.diag(covariance), np.diag(covariance)))
    mistakes = {
        "The ½ is missing: the entropy of a Gaussian has ½ log of its variance.": 2 * right,
        "The sign: taken apart, the latents have *more* entropy than together.": -right,
        "That is only what they have together. Compare it with the sum of what each has alone.": -log_det / 2,
        "You have taken standard deviations for the variances.": (logs.sum() / 2 - log_det) / 2,
        "That is the KL to the prior, which counts the variances too.": (np.trace(covariance) - 3 - log_det) / 2,
        "That is the mean correlation. The total correlation is in nats: it needs a logarithm.": np.abs(
            correlation[np.triu_indices(3, 1)]
        ).mean(),
        "That looks like bits. The course counts in nats.": right / np.log(2),
    }
    answer = attempt(function, covariance)
    judge(answer, right, praise="zero exactly when all correlations are.", mistakes=mistakes)


def check_gap(function: Callable[..., Any]) -> None:
    """Exercise 6: ``mig_from(information, entropies)`` of a matrix (latents, factors)."""
    information = np.array([[1.2, 0.1, 0.4], [0.3, 0.9, 0.2], [0.5, 0.7, 0.6], [0.0, 0.05, 0.1]])
    entropies = np.array([2.3, 1.6, 1.1])
    ranked, across = np.sort(information, axis=0), np.sort(information, axis=1)
    gaps, to_mean = ranked[-1] - ranked[-2], ranked[-1] - information.mean(axis=0)
    two_factors = "You have set the two best *factors* of each latent apart. Take the two best latents of each factor."
    mistakes = {
        "The gaps are in nats still: divide each by the entropy of its factor.": gaps.mean(),
        two_factors: np.mean(across[:, -1] - across[:, -2]),
        "Divide by the entropy of the factor, not by the log of the number of latents.": gaps.mean() / np.log(4),
        "Divide by the entropy of the factor, not by the log of the number of factors.": gaps.mean() / np.log(3),
        "Divide by the entropy of the factor, not by what the best latent knows.": np.mean(gaps / ranked[-1]),
        "You have subtracted the mean of all latents. Only the *second best* counts.": np.mean(to_mean / entropies),
        "Divide each gap first, then average: you have divided the sums.": gaps.sum() / entropies.sum(),
        "You have added up over the factors. MIG is their mean.": np.sum(gaps / entropies),
        "That is how much the best latents know. A gap subtracts the second best.": np.mean(ranked[-1] / entropies),
    }
    answer = attempt(function, information, entropies)
    judge(answer, np.mean(gaps / entropies), praise="best minus second best, as a share.", mistakes=mistakes)


def check_share(function: Callable[..., Any]) -> None:
    """Exercise 7: ``share_of_beta(scores)`` of an array (betas, seeds), between 0 and 1."""
    scores = np.array([[0.10, 0.25, 0.15, 0.3], [0.35, 0.2, 0.5, 0.3], [0.4, 0.55, 0.3, 0.25]])
    between, within = scores.mean(axis=1).var(), scores.var(axis=1).mean()
    right, by_seed = between / (between + within), scores.mean(axis=0).var() / scores.var()
    mistakes = {
        "That is the share of the seeds: what is left when β is known. Take the other one.": 1 - right,
        "That is the ratio of the two, not a share of the whole.": between / within,
        "You have averaged along the other axis: over β, and so compared the seeds.": by_seed,
        "Shares add up for variances, not for standard deviations.": scores.mean(axis=1).std() / scores.std(),
        "That is the variance of the means alone. Divide by the variance of all scores.": between,
        "Divide by the number of values in both variances (ddof=0); then the two parts add up to the whole.": (
            scores.mean(axis=1).var(ddof=1) / scores.var(ddof=1)
        ),
    }
    judge(attempt(function, scores), right, praise="the rest belongs to the seeds.", mistakes=mistakes)


def check_turn_back(function: Callable[..., Any]) -> None:
    """Exercise 8: ``turn_back(codes, factors)``, the whole degrees from 0 to 89 that make the MIG of codes largest."""
    rng = np.random.default_rng(1)
    factors = rng.uniform(-1, 1, (4000, 2))
    angle = np.deg2rad(35)
    rotation = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    codes = (factors + 0.1 * rng.standard_normal(factors.shape)) @ rotation
    mistakes = {
        "That is the angle that the codes *were* turned by, and turning on makes it twice as much.": 35,
        "There the MIG is smallest. Take the largest.": 10,
        "The score after that turn is right, but not in range: a quarter turn only swaps the latents.": -35,
        "That is the number of tries, or a score? Return the angle itself.": 90,
    }
    answer = attempt(function, codes, factors)
    judge(answer, 55, praise="a quarter turn is 90 = 35 + 55.", mistakes=mistakes, tolerance=0.05)
