"""Lesson 05: each classic mistake is met by its hint, an open stub by patience; right answers run in the notebook."""

import numpy as np
import pytest
from scipy.stats import norm

from vaehelpers import exercises

LOG = np.log


def climb(entropy=1.0, inner=True, last=lambda sd: sd):
    """The solution of exercise 7, or one with a mistake built in."""

    def attempt(slope, eps):
        mu, log_sd, steps = 0.0, 0.0, []
        for noise in eps:
            sd = np.exp(log_sd)
            step = slope(mu + sd * noise)
            mu, log_sd = mu + 0.02 * step, log_sd + 0.02 * (step * noise * (sd if inner else 1) + entropy)
            steps.append([mu, sd])
        mean = np.mean(steps[len(steps) // 2 :], axis=0)
        return mean[0], last(mean[1])

    return attempt


def price(q, p):
    return q @ LOG(q / p)


@pytest.mark.parametrize(
    ("check", "attempt", "answer"),
    [
        ("elbo_sign", ..., "Not filled in yet"),
        ("elbo_sign", -94, "Right"),
        ("elbo_sign", -86, "above log p(x)"),
        ("elbo_sign", 94, "sign of log p(x)"),
        ("elbo_sign", -90, "perfect q"),
        ("elbo_by_hand", ..., "Not filled in yet"),
        ("elbo_by_hand", -1.4429, "Right"),  # four places on a pocket calculator
        ("elbo_by_hand", LOG(1 / 8) + LOG(3) - 2 / 3 * LOG(2), "Right"),
        ("elbo_by_hand", (LOG(1 / 8) + LOG(3) - 2 / 3 * LOG(2)) / LOG(2), "bits"),
        ("elbo_by_hand", LOG(1 / 8) - LOG(3) + 2 / 3 * LOG(2), "wrong sign"),
        ("elbo_by_hand", LOG(1 / 8), "alone"),
        ("elbo_by_hand", LOG(1 / 4), "That is log p(x)"),
        ("elbo_by_hand", 2 * LOG(1 / 4) - LOG(1 / 8) - LOG(3) + 2 / 3 * LOG(2), "sign of the notes"),
        ("elbo_by_hand", LOG(1 / 6) / 3 + 2 * LOG(1 / 2) / 3, "the fit alone"),
        ("elbo_by_hand", LOG(3 / 8) + LOG(3 / 16), "equal weights"),
        ("elbo_by_hand", LOG(1 / 24) / 3 - 0.75 * LOG(9 / 4) - 0.25 * LOG(3 / 8), "q in front"),
        ("fit_and_price", lambda q, p, like: ..., "Not filled in yet"),
        ("fit_and_price", lambda q, p, like: (q @ LOG(like), price(q, p)), "Right"),
        ("fit_and_price", lambda q, p, like: (q @ np.log2(like), q @ np.log2(q / p)), "bits"),
        ("fit_and_price", lambda q, p, like: (q @ LOG(like), price(p, q)), "wrong way round"),
        ("fit_and_price", lambda q, p, like: (q @ LOG(like), -price(q, p)), "wrong sign"),
        ("fit_and_price", lambda q, p, like: (LOG(like).sum(), price(q, p)), "added up"),
        ("fit_and_price", lambda q, p, like: (LOG(like).mean(), price(q, p)), "You have averaged"),
        ("fit_and_price", lambda q, p, like: (q @ LOG(like * p), price(q, p)), "not p(x, z)"),
        ("fit_and_price", lambda q, p, like: (LOG(q @ like), price(q, p)), "logarithm first"),
        ("fit_and_price", lambda q, p, like: q @ LOG(like), "Need an array of shape (2,)"),
        ("new_weight", lambda resp: ..., "Not filled in yet"),
        ("new_weight", lambda resp: resp[:, 1].mean(), "Right"),
        ("new_weight", lambda resp: resp[:, 1].sum(), "number of nights"),
        ("new_weight", lambda resp: resp.argmax(axis=1).mean(), "hard"),
        ("new_weight", lambda resp: resp[:, 0].mean(), "first component"),
        ("new_weight", lambda resp: resp[:, 1].sum() / resp[:, 0].sum(), "odds"),
        ("expected_fit", lambda x, w, s, mu, sd: ..., "Not filled in yet"),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - (w * sd / s) ** 2 / 2, "Right"),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s), "width of q"),
        (
            "expected_fit",
            lambda x, w, s, mu, sd: -LOG(2 * np.pi * s**2) / 2 - ((x - w * mu) ** 2 + (w * sd) ** 2) / s**2,
            "½ is missing",
        ),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w * (sd / s) ** 2 / 2, "w² times"),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) - w**2 * sd / s**2 / 2, "used σ itself"),
        ("expected_fit", lambda x, w, s, mu, sd: -((x - w * mu) ** 2 + (w * sd) ** 2) / s**2 / 2, "constant"),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, np.hypot(s, w * sd)), "average density"),
        ("expected_fit", lambda x, w, s, mu, sd: norm.logpdf(x, w * mu, s) + (w * sd / s) ** 2 / 2, "costs fit"),
        ("sd_gradient", lambda slope, mu, sd, eps: ..., "Not filled in yet"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps), "Right"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps)), "with respect to mu"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.sum(slope(mu + sd * eps) * eps), "added the draws"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps * sd), "not by sd"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.mean(slope(mu) * eps), "drawn z"),
        ("sd_gradient", lambda slope, mu, sd, eps: np.mean(slope(mu + sd * eps) * eps) / (2 * sd), "variance"),
        ("climb", lambda slope, eps: ..., "Not filled in yet"),
        ("climb", climb(), "Right"),
        ("climb", climb(entropy=0), "keeps shrinking"),
        ("climb", climb(entropy=-1), "added and not subtracted"),
        ("climb", climb(inner=False), "leave out the factor sd"),
        ("climb", climb(last=np.log), "log σ; return"),
        ("climb", climb(last=np.square), "not σ. Did you return"),
        ("climb", lambda slope, eps: (0.0, 1.0), "the prior"),
        ("climb", lambda slope, eps: slope(1, 2), "stopped with TypeError"),
    ],
)
def test_an_attempt_gets_its_answer(check, attempt, answer, capsys):
    getattr(exercises, f"check_{check}")(attempt)
    assert answer in capsys.readouterr().out
