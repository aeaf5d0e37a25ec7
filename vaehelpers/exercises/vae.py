"""Lesson 06: the price of a latent, a sample, the loss, the best picture, a tighter bound, two gaps, and collapse."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp
from scipy.stats import norm

from .judge import attempt, judge, shape_of

_RNG = np.random.default_rng(6)
_MU, _LOGVAR = _RNG.normal(0, 1, (3, 2)), _RNG.normal(-1, 0.7, (3, 2))
_X, _SHOWN = _RNG.uniform(0, 1, (3, 5)), _RNG.uniform(0.1, 0.9, (3, 5))


def check_latent_price(answer: Any) -> None:
    """Exercise 1: KL(q ‖ N(0, 1)) in nats for mu = 1 and logvar = -2."""
    mistakes = {
        "The second number is logvar = log σ²: take the exponential to get the variance.": 0.5 * (1 - 2 + 2 - 1),
        "You have read logvar as log σ; it is log σ², so σ² = exp(logvar).": _price(1, -4),
        "Half of it is enough: there is a ½ in front of the bracket.": 2 * _price(1, -2),
        "The mean counts too: μ² stands in the bracket.": _price(0, -2),
        "Mind the sign of the logarithm: a narrow q is dear, not cheap.": 0.5 * (1 + np.exp(-2) - 2 - 1),
        "That looks like bits. The course counts in nats.": _price(1, -2) / np.log(2),
        "The − 1 at the end of the bracket is missing: without it the prior itself would cost something.": _price(1, -2)
        + 0.5,
    }
    judge(answer, _price(1, -2), praise="about one nat.", mistakes=mistakes, tolerance=2e-3)


def check_sample(function: Callable[..., Any]) -> None:
    """Exercise 2: ``sample(mu, logvar, eps)``, all ``(n, latents)``."""
    eps = np.random.default_rng(1).standard_normal(_MU.shape)
    mistakes = {
        "That is the mean: nothing has been drawn, and eps has no effect.": _MU,
        "You have scaled the noise by the variance. Its standard deviation is the square root.": _MU
        + np.exp(_LOGVAR) * eps,
        "You have scaled the noise by logvar itself. It is a logarithm, and negative here.": _MU + _LOGVAR * eps,
        "You have scaled the noise by ½ logvar: take the exponential.": _MU + _LOGVAR / 2 * eps,
        "The noise has the wrong size: σ = exp(½ logvar), with a plus in the exponent.": _MU
        + np.exp(-_LOGVAR / 2) * eps,
        "The spread is right, but it is not around the mean.": np.exp(_LOGVAR / 2) * eps,
    }
    praise = "the noise stays outside, so mu and logvar have a gradient."
    answer = attempt(function, _MU, _LOGVAR, eps)
    judge(answer, _MU + np.exp(_LOGVAR / 2) * eps, praise=praise, mistakes=mistakes)


def check_negative_elbo(function: Callable[..., Any]) -> None:
    """Exercise 3: ``negative_elbo(x, p, mu, logvar)`` of three pictures with five pixels and two latents."""
    logvar = np.abs(_LOGVAR)
    bright, dark = _X * np.log(_SHOWN), (1 - _X) * np.log(1 - _SHOWN)
    fit, kl = (bright + dark).sum(axis=1).mean(), _kl(_MU, logvar)
    price, pixel = kl.sum(axis=1).mean(), (bright + dark).mean()
    as_variance = 0.5 * (_MU**2 + logvar - np.log(logvar) - 1).sum(axis=1).mean()
    as_log_sd = _kl(_MU, 2 * logvar).sum(axis=1).mean()
    mistakes: dict[str, ArrayLike] = {
        "That is the ELBO itself. A loss is made small: turn its sign around.": fit - price,
        "The price is averaged over the latents. It must be summed: each latent has its own price.": kl.mean() - fit,
        "The fit is averaged over the pixels, the price is not. Sum over the pixels, or β is not 1.": price - pixel,
        "Both terms are averaged over pixels and latents. Average the pictures only, sum the rest.": kl.mean() - pixel,
        "You have added up the pictures. Their mean does not depend on how many there are.": 3 * (price - fit),
        "You have read logvar as the variance in the price.": as_variance - fit,
        "You have read logvar as log σ in the price: it is log σ².": as_log_sd - fit,
        "A factor ½ is missing in the price.": 2 * price - fit,
        "The price has the wrong sign: your loss rewards leaving the prior.": -fit - price,
        "The dark pixels' term, (1 − x) log(1 − p), is missing.": price - bright.sum(axis=1).mean(),
        "That is the fit alone, an autoencoder's loss. What does leaving the prior cost?": -fit,
    }
    answer = attempt(function, _X, _SHOWN, _MU, logvar)
    judge(answer, price - fit, praise="summed over pixels and latents, averaged over pictures.", mistakes=mistakes)


def check_best_picture(function: Callable[..., Any]) -> None:
    """Exercise 4: ``best_picture(z, means, sds, x1, x2)`` for one code z."""
    z, means, sds, x1, x2 = 0.4, (-0.8, 0.9), (0.6, 1.3), np.array([0.0, 0.2, 1.0, 0.7]), np.array([1.0, 0.3, 0.1, 0.7])
    first, second = norm.pdf(z, means, sds)
    squared, alike = norm.pdf(z, means, np.square(sds)), norm.pdf(z, means, 1)
    mistakes = {
        "That is the plain average. Which of the two is more likely to have sent this z?": (x1 + x2) / 2,
        "The weights must add up to one: divide by their sum.": first * x1 + second * x2,
        "The weights are the wrong way round.": _mix(second, first, x1, x2),
        "That is the likelier picture. The other one may have sent this z too.": x1 if first > second else x2,
        "You have used the variance where the standard deviation belongs, or squared it twice.": _mix(
            squared[0], squared[1], x1, x2
        ),
        "The widths of the two posteriors are missing in the densities.": _mix(alike[0], alike[1], x1, x2),
        "You have left out the 1/σ in front of a Gaussian density.": _mix(first * sds[0], second * sds[1], x1, x2),
    }
    answer = attempt(function, z, means, sds, x1, x2)
    judge(answer, _mix(first, second, x1, x2), praise="Bayes' rule, then a mean.", mistakes=mistakes)


def check_log_mean_exp(function: Callable[..., Any]) -> None:
    """Exercise 5: ``log_mean_exp(log_weights)`` of an array ``(k, n)``, over the k samples of each picture."""
    log_weights = np.array([[-803.0, -910.5], [-800.5, -912.0], [-806.0, -909.0], [-801.2, -915.0]])
    right = logsumexp(log_weights, axis=0) - np.log(4)
    mistakes = {
        "That is the mean of the logarithms: the ELBO again. The mean comes first, the logarithm after it.": (
            log_weights.mean(axis=0)
        ),
        "That is the logarithm of the sum. Divide by the number of samples, inside the logarithm.": right + np.log(4),
        "exp(−800) is too small for the computer, so you got −∞. Subtract the largest log-weight first.": [-np.inf] * 2,
        "That is the largest log-weight: close, but the others count too.": log_weights.max(axis=0),
        "You have subtracted the largest log-weight and not added it again.": right - log_weights.max(axis=0),
        "The largest log-weight is to be added again after the logarithm, with a plus.": right
        - 2 * log_weights.max(axis=0),
    }
    with np.errstate(divide="ignore"):
        answer = attempt(function, log_weights)
    over_pictures = logsumexp(log_weights, axis=1) - np.log(2)
    if shape_of(answer) == (4,) and np.allclose(np.asarray(answer, float), over_pictures):
        return print("You have averaged over the pictures. The samples are the rows: axis 0.")
    judge(answer, right, praise="the logarithm of the mean weight.", mistakes=mistakes)


def check_gaps(answer: Any) -> None:
    """Exercise 6: amortisation and approximation gap when the ELBOs are -97.1 and -95.9 and log p(x) is -95.2."""
    mistakes = {
        "The wrong way round: the encoder is to blame for what a better q of the same kind gains.": [
            0.7,
            1.2,
        ],
        "The second is the whole gap from the encoder's ELBO to log p(x): only the part above q* counts.": [1.2, 1.9],
        "The first is the whole gap: only the part from the encoder's q to q* counts.": [1.9, 0.7],
        "A gap is never negative: subtract the lower from the higher.": [-1.2, -0.7],
    }
    judge(answer, [1.2, 0.7], praise="a better encoder gains at most the first.", mistakes=mistakes, tolerance=1e-3)


def check_best_weight(function: Callable[..., Any]) -> None:
    """Exercise 7: ``best_weight(v, s2, beta)``, the w² that maximises fit - beta · price; also when it is 0."""
    cases = np.array([[4.0, 0.5, 1.0], [4.0, 0.5, 3.0], [4.0, 0.5, 10.0], [0.8, 0.2, 2.0]])
    v, s2, beta = cases.T
    plain = v - beta * s2
    mistakes = {
        "w² cannot be negative. What is the best w when the formula falls below zero?": plain,
        "β does not take part. A price β times as high acts like more noise.": np.maximum(v - s2, 0),
        "That is w; the function returns w².": np.sqrt(np.maximum(plain, 0)),
        "That is β-free and without noise: the variance of x is w² + s² only at β = 1.": v,
        "You have divided by β where it multiplies.": np.maximum(v - s2 / beta, 0),
        "The β is in the wrong place: it multiplies the noise s², not the whole.": np.maximum(beta * (v - s2), 0),
    }
    answers = [attempt(function, *case) for case in cases]
    odd = [a for a in answers if a is None or a is ... or isinstance(a, Exception)]
    answer = odd[0] if odd else answers
    praise = "with β = v / s² the latent falls asleep, and rightly so."
    judge(answer, np.maximum(plain, 0), praise=praise, mistakes=mistakes, tolerance=1e-4)


def _price(mu: float, logvar: float) -> float:
    return float(_kl(np.array(mu), np.array(logvar)))


def _kl(mu: np.ndarray, logvar: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (mu**2 + np.exp(logvar) - logvar - 1))


def _mix(first: float, second: float, x1: np.ndarray, x2: np.ndarray) -> np.ndarray:
    return np.asarray((first * x1 + second * x2) / (first + second))
