"""Lesson 06: the price of a latent, a sample, the loss, the best picture, a tighter bound, two gaps, and collapse."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from scipy.stats import norm

from .judge import Result, judge, judge_function


def check_latent_price(answer: Any) -> Result:
    """Exercise 1: KL(q ‖ N(0, 1)) in nats for mu = 1 and logvar = -2."""
    mistakes = {
        "The second number is logvar = log σ²: take the exponential to get the variance.": 0.5 * (1 - 2 + 2 - 1),
        "You have read logvar as log σ; it is log σ², so σ² = exp(logvar).": _kl(1, -4),
        "Half of it is enough: there is a ½ in front of the bracket.": 2 * _kl(1, -2),
        "The mean counts too: μ² stands in the bracket.": _kl(0, -2),
        "The variance itself counts too: σ² = exp(logvar) stands in the bracket.": 0.5 * (1 + 2 - 1),
        "Mind the sign of the logarithm: a narrow q is dear, not cheap.": 0.5 * (1 + np.exp(-2) - 2 - 1),
        "A KL cannot be negative: mind the sign of the whole.": -_kl(1, -2),
        "That looks like bits. The course counts in nats.": _kl(1, -2) / np.log(2),
        "The − 1 at the end of the bracket is missing: without it the prior itself would cost something.": _kl(1, -2)
        + 0.5,
    }
    return judge(answer, _kl(1, -2), praise="about 1.07 nats.", mistakes=mistakes, tolerance=3e-3)


def check_sample(function: Callable[..., Any]) -> Result:
    """Exercise 2: ``sample(mu, logvar, eps)``, all ``(n, latents)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the mean: nothing has been drawn, and eps has no effect.": lambda mu, logvar, eps: mu,
        "You have scaled the noise by the variance. Its standard deviation is the square root.": (
            lambda mu, logvar, eps: mu + np.exp(logvar) * eps
        ),
        "You have scaled the noise by logvar itself. It is a logarithm, and may be negative.": (
            lambda mu, logvar, eps: mu + logvar * eps
        ),
        "You have scaled the noise by ½ logvar: take the exponential.": lambda mu, logvar, eps: mu + logvar / 2 * eps,
        "You have read logvar as the variance. It is its logarithm: take the exponential, not the root.": (
            lambda mu, logvar, eps: mu + np.sqrt(logvar) * eps
        ),
        "The noise has the wrong size: σ = exp(½ logvar), with a plus in the exponent.": (
            lambda mu, logvar, eps: mu + np.exp(-logvar / 2) * eps
        ),
        "The noise is not scaled: σ = exp(½ logvar) belongs in front of eps.": lambda mu, logvar, eps: mu + eps,
        "Add the noise to the mean: the sign in front of it is wrong.": (
            lambda mu, logvar, eps: mu - np.exp(logvar / 2) * eps
        ),
        "The spread is right, but it is not around the mean.": lambda mu, logvar, eps: np.exp(logvar / 2) * eps,
    }
    rng = np.random.default_rng(1)
    mu, logvar, eps = rng.normal(0, 1, (3, 2, 4))
    cases = [(*rng.normal(0, 1, (3, 3, 2)),), (mu, np.abs(logvar), eps)]
    praise = "the noise stays outside, so mu and logvar have a gradient."

    def right(mu: np.ndarray, logvar: np.ndarray, eps: np.ndarray) -> np.ndarray:
        return np.asarray(mu + np.exp(logvar / 2) * eps)

    return judge_function(function, right, cases, praise=praise, mistakes=mistakes)


def check_negative_elbo(function: Callable[..., Any]) -> Result:
    """Exercise 3: ``negative_elbo(x, p, mu, logvar)`` of pictures ``(n, pixels)`` and codes ``(n, latents)``."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the ELBO itself. A loss is made small: turn its sign around.": (
            lambda x, p, mu, logvar: _fit(x, p) - _price(mu, logvar)
        ),
        "The price is averaged over the latents. It must be summed: each latent has its own price.": (
            lambda x, p, mu, logvar: _kl(mu, logvar).mean() - _fit(x, p)
        ),
        "The fit is averaged over the pixels, the price is not. Sum over the pixels, or β is not 1.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - _log_likelihoods(x, p).mean()
        ),
        "Both terms are averaged over pixels and latents. Average the pictures only, sum the rest.": (
            lambda x, p, mu, logvar: _kl(mu, logvar).mean() - _log_likelihoods(x, p).mean()
        ),
        "You have added up the pictures. Their mean does not depend on how many there are.": (
            lambda x, p, mu, logvar: len(x) * (_price(mu, logvar) - _fit(x, p))
        ),
        "You have read logvar as the variance in the price.": (
            lambda x, p, mu, logvar: _price(mu, np.log(logvar)) - _fit(x, p)
        ),
        "You have read logvar as log σ in the price: it is log σ².": (
            lambda x, p, mu, logvar: _price(mu, 2 * logvar) - _fit(x, p)
        ),
        "A factor ½ is missing in the price.": lambda x, p, mu, logvar: 2 * _price(mu, logvar) - _fit(x, p),
        "The price has the wrong sign: your loss rewards leaving the prior.": (
            lambda x, p, mu, logvar: -_price(mu, logvar) - _fit(x, p)
        ),
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - (x * np.log(p)).sum(axis=1).mean()
        ),
        "The logarithm is taken of p; you have taken it of x.": lambda x, p, mu, logvar: (
            _price(mu, logvar) - _fit(p, x)
        ),
        "That is the fit alone, an autoencoder's loss. What does leaving the prior cost?": (
            lambda x, p, mu, logvar: -_fit(x, p)
        ),
        "That looks like bits: take the natural logarithm.": (
            lambda x, p, mu, logvar: _price(mu, logvar) - _fit(x, p) / np.log(2)
        ),
    }
    praise = "summed over pixels and latents, averaged over pictures."
    return judge_function(
        function,
        lambda x, p, mu, logvar: _price(mu, logvar) - _fit(x, p),
        _batches(),
        praise=praise,
        mistakes=mistakes,
    )


def check_best_picture(function: Callable[..., Any]) -> Result:
    """Exercise 4: ``best_picture(z, means, sds, x1, x2)`` for one code z."""

    def mixed(weights: np.ndarray, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
        return np.asarray((weights[0] * x1 + weights[1] * x2) / weights.sum())

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the plain average. Which of the two is more likely to have sent this z?": (
            lambda z, means, sds, x1, x2: (x1 + x2) / 2
        ),
        "The weights must add up to one: divide by their sum.": (
            lambda z, means, sds, x1, x2: norm.pdf(z, means, sds) @ [x1, x2]
        ),
        "The weights are the wrong way round.": lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds), x2, x1),
        "That is the likelier picture. The other one may have sent this z too.": (
            lambda z, means, sds, x1, x2: [x1, x2][np.argmax(norm.pdf(z, means, sds))]
        ),
        "You have used the variance where the standard deviation belongs, or squared it twice.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds**2), x1, x2)
        ),
        "You have used the standard deviation where the variance belongs.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, np.sqrt(sds)), x1, x2)
        ),
        "The widths of the two posteriors are missing in the densities.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means), x1, x2)
        ),
        "You have left out the 1/σ in front of a Gaussian density.": (
            lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds) * sds, x1, x2)
        ),
        "The weights are the densities, not their logarithms.": (
            lambda z, means, sds, x1, x2: mixed(norm.logpdf(z, means, sds), x1, x2)
        ),
    }
    cases = [
        (
            0.4,
            np.array([-0.8, 0.9]),
            np.array([0.6, 1.3]),
            np.array([0.0, 0.2, 1.0, 0.7]),
            np.array([1, 0.3, 0.1, 0.6]),
        ),
        (-0.5, np.array([-1.1, 0.7]), np.array([0.8, 1.7]), np.array([0.9, 0.4, 0.0]), np.array([0.1, 1.0, 0.5])),
    ]
    return judge_function(
        function,
        lambda z, means, sds, x1, x2: mixed(norm.pdf(z, means, sds), x1, x2),
        cases,
        praise="Bayes' rule, then a mean.",
        mistakes=mistakes,
    )


def check_log_mean_exp(function: Callable[..., Any]) -> Result:
    """Exercise 5: ``log_mean_exp(log_weights)`` of an array ``(k, n)``, over the k samples of each picture."""

    def right(w: np.ndarray) -> np.ndarray:
        return np.asarray(logsumexp(w, axis=0) - np.log(len(w)))

    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "That is the mean of the logarithms: the ELBO again. The mean comes first, the logarithm after it.": (
            lambda w: w.mean(axis=0)
        ),
        "That is the logarithm of the sum. Divide by the number of samples, inside the logarithm.": (
            lambda w: logsumexp(w, axis=0)
        ),
        "exp(−800) is too small for the computer, so you got −∞. Subtract the largest log-weight first.": (
            lambda w: np.log(np.exp(w).mean(axis=0))
        ),
        "A large number in exp overflows. Subtract the largest log-weight, not the smallest.": (
            lambda w: np.log(np.exp(w - w.min(axis=0)).mean(axis=0)) + w.min(axis=0)
        ),
        "That is the largest log-weight: close, but the others count too.": lambda w: w.max(axis=0),
        "You have subtracted the largest log-weight and not added it again.": lambda w: right(w) - w.max(axis=0),
        "The largest log-weight is to be added again after the logarithm, with a plus.": (
            lambda w: right(w) - 2 * w.max(axis=0)
        ),
        "You have averaged over the pictures. The samples are the rows: axis 0.": lambda w: right(w.T),
        "That is one number for all pictures. Each picture, a column, has its own: axis 0.": lambda w: right(w.ravel()),
    }
    cases = [
        (np.array([[-803.0, -910.5], [-800.5, -912.0], [-806.0, -909.0], [-801.2, -915.0]]),),
        (np.array([[-790.4, -851.0, -1203.7], [-792.1, -850.2, -1204.9]]),),
        (np.array([[-3000.0, -2.5], [-2.5, -3000.0], [-3.25, -4.0]]),),
    ]
    return judge_function(function, right, cases, praise="the logarithm of the mean weight.", mistakes=mistakes)


def check_gaps(answer: Any) -> Result:
    """Exercise 6: amortisation and approximation gap when the ELBOs are -97.1 and -95.9 and log p(x) is -95.2."""
    mistakes = {
        "The wrong way round: the encoder is to blame for what a better q of the same kind gains.": [0.7, 1.2],
        "The second is the whole gap from the encoder's ELBO to log p(x): only the part above q* counts.": [1.2, 1.9],
        "The first is the whole gap: only the part from the encoder's q to q* counts.": [1.9, 0.7],
        "A gap is never negative: subtract the lower from the higher.": [-1.2, -0.7],
    }
    praise = "a better encoder gains at most the first."
    return judge(answer, [1.2, 0.7], praise=praise, mistakes=mistakes, tolerance=1e-3)


def check_best_weight(function: Callable[..., Any]) -> Result:
    """Exercise 7: ``best_weight(v, s2, beta)``, the w² that maximises fit - beta · price; also when it is 0."""
    mistakes: dict[str, Callable[..., ArrayLike]] = {
        "w² cannot be negative. What is the best w when the formula falls below zero?": (
            lambda v, s2, beta: v - beta * s2
        ),
        "Where the formula falls below zero the best w² is 0, not its absolute value.": (
            lambda v, s2, beta: abs(v - beta * s2)
        ),
        "β does not take part. A price β times as high acts like more noise.": lambda v, s2, beta: max(v - s2, 0),
        "That is w; the function returns w².": lambda v, s2, beta: np.sqrt(max(v - beta * s2, 0)),
        "That is the whole variance of x. A part of it is noise, which w need not explain.": lambda v, s2, beta: v,
        "You have divided by β where it multiplies.": lambda v, s2, beta: max(v - s2 / beta, 0),
        "The β is in the wrong place: it multiplies the noise s², not the whole.": (
            lambda v, s2, beta: max(beta * (v - s2), 0)
        ),
        "s2 is the variance already: it is not squared again.": lambda v, s2, beta: max(v - beta * s2**2, 0),
    }
    cases = [(4.3, 0.6, 1.7), (2.1, 0.35, 3.2), (4.0, 0.5, 10.0), (0.9, 0.22, 2.6), (0.6, 0.35, 2.3)]
    return judge_function(
        function,
        lambda v, s2, beta: max(v - beta * s2, 0),
        cases,
        praise="with β = v / s² the latent falls asleep, and rightly so.",
        mistakes=mistakes,
    )


def _batches() -> list[tuple[np.ndarray, ...]]:
    """Return two batches of pictures, brightnesses, mu and logvar; in the second, logvar is positive."""
    rng = np.random.default_rng(6)
    return [
        (*rng.uniform(0.05, 0.95, (2, 3, 5)), *rng.normal(0, 0.8, (2, 3, 2))),
        (*rng.uniform(0.05, 0.95, (2, 4, 6)), rng.normal(0, 0.8, (4, 3)), rng.uniform(0.2, 1.5, (4, 3))),
    ]


def _fit(x: np.ndarray, p: np.ndarray) -> float:
    return float(_log_likelihoods(x, p).sum(axis=1).mean())


def _price(mu: np.ndarray, logvar: np.ndarray) -> float:
    return float(_kl(mu, logvar).sum(axis=1).mean())


def _log_likelihoods(x: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.asarray(x * np.log(p) + (1 - x) * np.log(1 - p))


def _kl(mu: ArrayLike, logvar: ArrayLike) -> Any:
    return 0.5 * (np.square(mu) + np.exp(logvar) - logvar - 1)
