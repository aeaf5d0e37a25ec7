"""Check arguments: a bad one raises ``ValueError`` with its name, what is needed and what was given."""

import math
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kind = TypeVar("Kind")
_LARGEST = 1e150  # sums of many squares of such numbers are still finite


def array(
    name: str,
    values: ArrayLike,
    shape: tuple[int | str, ...] | None = None,
    *,
    finite: bool = True,
    unit: bool = False,
    dtype: type = float,
) -> NDArray[Any]:
    """Return values as an array of floats; in ``shape``, a letter stands for any length but 0.

    Raises ``ValueError`` for values that are not real numbers and for another shape; where ``finite``, for NaN,
    infinity and numbers whose squares overflow; where ``unit``, for values outside [0, 1].
    """
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # rows of unequal lengths; a tensor with a gradient
        raise ValueError(f"{name}: need an array of numbers, got {type(values).__name__} ({error})") from error
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name}: need real numbers, got {given.dtype} in {shortened(values)}")
    if shape is not None and not _fits(given.shape, shape):
        need = str(shape).replace("'", "") if shape else "one number"
        raise ValueError(f"{name}: need {need}, got {given.shape}")
    with np.errstate(over="ignore"):  # the limit below refuses what becomes infinite
        floats: NDArray[Any] = np.asarray(given, dtype)
    limit = min(_LARGEST, float(np.finfo(dtype).max))
    if finite and not (good := (floats >= -limit) & (floats <= limit)).all():
        need = "finite" if not np.isfinite(floats).all() else f"finite, and at most {limit:g} in size"
        raise ValueError(f"{name}: every value must be {need}, got {(~good).sum()} of {good.size} that are not")
    if unit and not ((floats >= 0) & (floats <= 1)).all():
        raise ValueError(f"{name}: need values from 0 to 1, got {floats.min():g} to {floats.max():g}")
    return floats


def constant(name: str, values: ArrayLike, shape: tuple[int | str, ...] | None = None) -> NDArray[Any]:
    """Return a read-only copy of finite values."""
    copy = array(name, values, shape).copy()
    copy.flags.writeable = False
    return copy


def positive_definite(name: str, values: ArrayLike, shape: tuple[int | str, ...]) -> NDArray[Any]:
    """Return one or more symmetric positive definite matrices in a shape ``(…, d, d)``."""
    matrices = array(name, values, shape)
    sd = np.sqrt(np.abs(np.diagonal(matrices, axis1=-2, axis2=-1)))
    if (np.abs(matrices - matrices.swapaxes(-2, -1)) > 1e-6 * sd[..., :, None] * sd[..., None, :]).any():
        raise ValueError(f"{name}: need symmetric matrices, got {shortened(values)}")
    try:
        np.linalg.cholesky(matrices)
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(matrices).min()
        raise ValueError(f"{name}: need positive definite matrices, got an eigenvalue of {least:g}") from None
    return matrices


def number(
    name: str, value: Any, *, above: float = -math.inf, least: float = -math.inf, most: float = math.inf
) -> float:
    """Return a finite number greater than ``above``, not less than ``least`` and not greater than ``most``."""
    given = float(array(name, value, (), finite=False))
    if given > most and math.isfinite(given):
        raise ValueError(f"{name}: need a number of at most {most:g}, got {given:g}")
    if not (math.isfinite(given) and given > above and given >= least):
        need = f"above {above:g}" if above > least else f"of at least {least:g}" if least > above else "that is finite"
        raise ValueError(f"{name}: need a number {need}, got {given:g}")
    return given


def whole(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """Return a whole number from ``least`` to ``most``."""
    try:
        given = operator.index(value)
    except TypeError:
        given = None
    if given is None or given < least or (most is not None and given > most):
        need = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name}: need a whole number {need}, got {shortened(value)}")
    return given


def instance(name: str, value: Any, kind: type[Kind]) -> Kind:
    """Return an instance of a class."""
    if not isinstance(value, kind):
        raise ValueError(f"{name}: need {kind.__name__}, got {shortened(value)}")
    return value


def function(name: str, value: Any) -> Callable[..., Any]:
    """Return a callable."""
    if not callable(value):
        raise ValueError(f"{name}: need a function, got {shortened(value)}")
    return value


def generator(name: str, value: Any) -> np.random.Generator:
    """Return a NumPy ``Generator``, not a seed or the module ``np.random``."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name}: need a NumPy Generator, such as np.random.default_rng(0), got {shortened(value)}")
    return value


def tolerance(values: ArrayLike, n: int) -> float:
    """Return how far rounding may take the sum of ``n`` probabilities from 1, in the precision of ``values``."""
    dtype = np.asarray(values).dtype
    return min(0.01, 1e-6 + 4 * float(np.finfo(dtype).eps) * n**0.5) if dtype.kind == "f" else 1e-6


def together(**arrays: NDArray[Any]) -> None:
    """Raise ``ValueError`` if arrays do not broadcast against each other."""
    try:
        np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = " and ".join(str(a.shape) for a in arrays.values())
        raise ValueError(f"{', '.join(arrays)}: need shapes that broadcast, got {shapes}") from None


def shortened(value: Any) -> str:
    """Return the ``repr`` of a value, cut off after 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"


def _fits(found: tuple[int, ...], shape: tuple[int | str, ...]) -> bool:
    pairs = zip(found, shape, strict=False)
    return len(found) == len(shape) and all(n > 0 if isinstance(need, str) else n == need for n, need in pairs)
