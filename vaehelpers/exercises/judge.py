"""How an attempt is answered: patience, praise, or the hint that fits the mistake."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

OPEN = "Not filled in yet: replace the three dots."


def judge(
    answer: Any, right: ArrayLike, *, praise: str, mistakes: Mapping[str, ArrayLike], tolerance: float = 1e-6
) -> None:
    """Print ``praise`` when the answer is right, else the hint of the classic mistake that has this very value.

    ``mistakes`` maps each hint to the value that its mistake gives. Without a match the answer is only shown.
    """
    if answer is None or answer is ...:
        return print(OPEN)
    if isinstance(answer, Exception):
        return print(f"Your function stopped with {type(answer).__name__}: {answer}")
    if shape_of(answer) is None:
        return print(f"Need numbers here, and got {answer!r}.")
    given, expected = np.asarray(answer, float), np.asarray(right, float)
    if given.shape != expected.shape:
        return print(f"Need {_shape(expected)}, and got {_shape(given)}.")
    if np.allclose(given, expected, rtol=tolerance, atol=tolerance):
        return print(f"Right: {praise}")
    for hint, value in mistakes.items():
        if np.shape(value) == given.shape and np.allclose(given, value, rtol=tolerance, atol=tolerance):
            return print(hint)
    print(f"Not yet: your answer is {np.array2string(given, precision=4)}. Work the smallest case by hand first.")


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a learner's function, and return what it gives or the error that it stopped with, for ``judge``."""
    try:
        return function(*arguments)
    except Exception as error:  # whatever the learner wrote
        return error


def shape_of(answer: Any) -> tuple[int, ...] | None:
    """Return the shape of an answer, or ``None`` for what is no array of real numbers."""
    try:
        return None if np.iscomplexobj(answer) else np.asarray(answer, float).shape
    except (TypeError, ValueError, OverflowError):
        return None


def _shape(array: np.ndarray) -> str:
    return "one number" if array.ndim == 0 else f"an array of shape {array.shape}"
