"""Lesson 05: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

import math
from fractions import Fraction

import numpy as np
import torch
from scipy.integrate import quad
from scipy.stats import norm

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
    "fit_and_price": [
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
    "expected_fit": [expected_fit, integrated_fit, expanded_fit],
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
        (LOG(1 / 6) / 3 + 2 * LOG(1 / 2) / 3, "the fit alone"),
        (LOG(3 / 8) + LOG(3 / 16), "equal weights"),
        (LOG(1 / 24) / 3 - 0.75 * LOG(9 / 4) - 0.25 * LOG(3 / 8), "q in front"),
        (1.4429, "never positive"),
    ],
    "fit_and_price": [
        (lambda q, p, x: (q @ np.log2(x), q @ np.log2(q / p)), "bits"),
        (lambda q, p, x: (kl(q, p), q @ LOG(x)), "Return the fit first"),
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
    "expected_fit": [
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s), "width of q"),
        (lambda x, w, s, mu, sd: -LOG(2 * np.pi * s**2) / 2 - squares(x, w, mu, sd) / s**2, "½ is missing"),
        (lambda x, w, s, mu, sd: -LOG(2 * np.pi * s**2) - squares(x, w, mu, sd) / s**2 / 2, "logarithm too"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w * (sd / s) ** 2 / 2, "w² times"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w**2 * sd / s**2 / 2, "used σ itself"),
        (lambda x, w, s, mu, sd: -(LOG(2 * np.pi * s) + squares(x, w, mu, sd) / s) / 2, "variance of x is s²"),
        (lambda x, w, s, mu, sd: -squares(x, w, mu, sd) / s**2 / 2, "constant"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, np.hypot(s, w * sd)), "average density"),
        (lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) + (w * sd / s) ** 2 / 2, "costs fit"),
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
