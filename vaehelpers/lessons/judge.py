"""Check an answer: right, not filled in, or wrong, with the hint for the mistake that gives the same value."""

import copy
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..arguments import shortened

OPEN = "Not filled in yet: replace the three dots."
#: Mistakes that can be made in any exercise: the hint, and the function from the right value to the wrong one.
COMMON: dict[str, Callable[[Any], Any]] = {
    "The size is right, and the sign is not.": np.negative,
    "That is right in nats. The question asks for bits: take the logarithm to base 2.": lambda r: r * np.log(2),
    "That is right in bits. The question asks for nats: take the natural logarithm.": lambda r: r / np.log(2),
    "That is a logarithm to base 10. Bits take base 2.": lambda r: r * np.log10(2),
    "That is a logarithm to base 10. Nats take the natural one.": lambda r: r / np.log(10),
    "Twice too much: a factor ½ is missing.": lambda r: 2 * r,
    "That is a percentage. Give a number between 0 and 1.": lambda r: 100 * r,
    "That is the square of the answer. Take the root.": np.square,
    "That is the root of the answer. Square it.": np.sqrt,
    "The question asks for the logarithm of that.": np.exp,
    "That is the logarithm of the answer. Take the exponential.": np.log,
    "Upside down: that is the reciprocal.": lambda r: 1 / r,
    "That is one minus what is asked for.": lambda r: 1 - r,
    "The values are right, and their order is reversed.": lambda r: r[::-1] if np.ndim(r) else r,
}


@dataclass(frozen=True)
class Result:
    """What a check found: whether the answer is right (``ok``), and the praise or the ``hint`` that it printed.

    Its truth value is ``ok``, so that ``assert lesson02.check_gaussian_kl(kl)`` grades an answer.
    """

    ok: bool
    hint: str

    def __bool__(self) -> bool:
        return self.ok

    def _ipython_display_(self) -> None:
        """Display nothing: the text was printed."""


def result(ok: bool, hint: str) -> Result:
    """Print the hint and return the result; if the answer is not right, a strict check raises ``AssertionError``.

    A check is strict if the environment variable ``VAEHELPERS_STRICT`` is 1, or if nbgrader runs it.
    """
    print(hint)
    if not ok and (os.environ.get("VAEHELPERS_STRICT") == "1" or "NBGRADER_EXECUTION" in os.environ):
        raise AssertionError(hint)
    return Result(ok, hint)


def judge(
    answer: Any, right: ArrayLike, *, praise: str, mistakes: Mapping[str, ArrayLike], tolerance: float = 1e-6
) -> Result:
    """Compare an answer with the right value and, if it differs, with the values to which ``mistakes`` maps hints."""
    formulas = {hint: lambda value=value: value for hint, value in mistakes.items()}
    given = ... if answer is None else answer
    return judge_function(lambda: given, lambda: right, [()], praise=praise, mistakes=formulas, tolerance=tolerance)


def judge_function(
    function: Callable[..., Any],
    right: Callable[..., ArrayLike],
    cases: Sequence[tuple[Any, ...]],
    *,
    praise: str,
    mistakes: Mapping[str, Callable[..., ArrayLike]],
    tolerance: float = 1e-6,
) -> Result:
    """Call a learner's function with the arguments of each case, and compare what it returns in all of them.

    ``right`` and the functions to which ``mistakes`` maps hints take the same arguments; the closest mistake counts,
    those of ``COMMON`` included. Give two cases with generic numbers: formulas that agree by chance on one differ on
    the other. Lists, tensors and further axes of length 1 are accepted; an answer in single or half precision is
    compared to as many digits as it has. ``tolerance`` is relative and absolute, and the absolute part shrinks with
    values below 1. The learner gets copies of the arguments.
    """
    if function is None or function is ...:
        return result(False, OPEN)
    if not callable(function):
        return result(False, f"Need a function here, and got {shortened(function)}. Hand it over without calling it.")
    answers: list[NDArray[np.floating]] = []
    for case in cases:
        try:
            with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
                answer = function(*copy.deepcopy(case))
        except Exception as error:  # whatever the learner wrote
            return result(False, f"Your function stopped with {type(error).__name__}: {error}")
        if answer is None:
            return result(False, f"{OPEN} If they are gone already, a `return` is missing.")
        if answer is ... or (isinstance(answer, list | tuple) and any(part is ... for part in answer)):
            return result(False, OPEN)
        if (given := numbers(answer)) is None:
            return result(False, f"Need numbers here, and got {shortened(answer)}.")
        answers.append(given)  # a copy: the learner's next call may write into the same array

    def agrees(values: Sequence[ArrayLike], closeness: float) -> list[bool]:
        return [equal(answer, value, closeness) for answer, value in zip(answers, values, strict=True)]

    def values(formula: Callable[..., ArrayLike]) -> list[ArrayLike]:
        with np.errstate(all="ignore"):
            return [formula(*copy.deepcopy(case)) for case in cases]

    if all(found := agrees(expected := values(right), tolerance)):
        return result(True, f"Right: {praise}")
    with np.errstate(all="ignore"):
        common = {hint: [mistake(np.asarray(value, float)) for value in expected] for hint, mistake in COMMON.items()}
    wrong = {hint: values(mistake) for hint, mistake in mistakes.items()}
    wrong |= {hint: known for hint, known in common.items() if all(np.isfinite(value).all() for value in known)}
    for closeness in (tolerance / 100, tolerance):
        for hint, known in wrong.items():
            if all(agrees(known, closeness)):
                return result(False, hint)
    given, wanted = answers[found.index(False)], np.asarray(expected[found.index(False)])
    if given.squeeze().shape != wanted.squeeze().shape:
        return result(False, f"Need {_shape(wanted)}, and got {_shape(given)}.")
    text = np.array2string(given, precision=4, threshold=20) if given.ndim else f"{given:.6g}"
    return result(False, f"Not yet: your answer is {text}. Work the smallest case by hand first.")


def numbers(answer: Any) -> NDArray[np.floating] | None:
    """Return an answer as an array of floats of its own precision, or ``None`` for what is no array of real numbers."""
    try:
        given = np.asarray(_detached(answer))
        if given.dtype.kind == "O":  # fractions, say; NumPy itself would read None as NaN
            return np.asarray(np.vectorize(float, otypes=[float])(given))
        if given.dtype.kind == "c" and not np.any(given.imag):  # as scipy.linalg.eigvals gives
            given = given.real
        return given.astype(given.dtype if given.dtype.kind == "f" else float) if given.dtype.kind in "biuf" else None
    except (TypeError, ValueError, OverflowError):
        return None


def _detached(answer: Any) -> Any:
    """Return an answer whose tensors carry no gradient, and whose parts have no axes of length 1."""
    if isinstance(answer, list | tuple):
        return [np.squeeze(_detached(part)) for part in answer]
    return answer.detach().cpu() if hasattr(answer, "detach") else answer


def equal(answer: Any, value: ArrayLike, tolerance: float = 1e-6) -> bool:
    """Whether an answer has this value, up to axes of length 1 and to the digits of its dtype."""
    given, wanted = numbers(answer), np.squeeze(np.asarray(value, float))
    if given is None or given.squeeze().shape != wanted.shape:
        return False
    tolerance = max(tolerance, min(1000 * float(np.finfo(given.dtype).eps), 5e-3))  # in single precision 1e-4
    scale = min(np.abs(wanted[np.isfinite(wanted)]).max(initial=0), 1) or 1
    return np.allclose(given.squeeze(), wanted, rtol=tolerance, atol=tolerance * scale, equal_nan=True)


def _shape(array: np.ndarray) -> str:
    return "one number" if array.ndim == 0 else f"an array of shape {array.shape}"


# The loss of lessons 06 and 07, and with other parts its mistakes


def cross_entropy(x: NDArray, p: NDArray) -> NDArray:
    """Return the cross-entropy of Bernoulli pixels, in nats."""
    return -x * np.log(p) - (1 - x) * np.log(1 - p)


def latent_kl(mu: Any, logvar: Any) -> Any:
    """Return KL(N(mu, exp(logvar)) ‖ N(0, 1)) of each latent, in nats."""
    return (mu**2 + np.exp(logvar) - logvar - 1) / 2


def mean_of_sums(nats: NDArray) -> float:
    """Return the mean over a batch of the sum over the second axis."""
    return nats.sum(axis=1).mean()


def vae_loss(
    error: Callable[..., NDArray] = cross_entropy,
    kl: Callable[..., NDArray] = latent_kl,
    pixels: Callable[..., Any] = mean_of_sums,
    latents: Callable[..., Any] = mean_of_sums,
    total: Callable[..., float] = lambda error, kl, beta=1: error + beta * kl,
) -> Callable[..., ArrayLike]:
    """Return the loss of a (β-)VAE as a function of x, p, mu, logvar and, where ``total`` takes it, beta."""
    return lambda x, p, mu, logvar, *beta: total(pixels(error(x, p)), latents(kl(mu, logvar)), *beta)
