"""Validate arguments: a ``ValueError`` names the argument, what is needed and what was given."""

import math
import operator
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

Kind = TypeVar("Kind")
Shape = tuple[int | str, ...]
_LARGEST = 1e150  # sums of many squares of such numbers are still finite


def array(
    name: str,
    values: ArrayLike,
    shape: Shape | None = None,
    *,
    finite: bool = True,
    unit: bool = False,
    dtype: type = float,
) -> NDArray[Any]:
    """Return values as an array of floats; a string in ``shape`` matches any length except 0.

    Raises ``ValueError`` for values that are not real numbers and for another shape; where ``finite``, for NaN,
    infinity and numbers above 1e150 in size; where ``unit``, for values outside [0, 1].
    """
    try:
        given = np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:  # rows of unequal lengths; a tensor with a gradient
        raise ValueError(f"{name}: need an array of numbers, got {type(values).__name__} ({error})") from error
    if given.dtype.kind not in "biuf":
        raise ValueError(f"{name}: need real numbers, got {given.dtype} in {shortened(values)}")
    if shape is not None:
        check_shape(name, given.shape, shape)
    with np.errstate(over="ignore"):  # values that overflow are refused below
        floats: NDArray[Any] = np.asarray(given, dtype)
    if finite and not (good := np.abs(floats, dtype=float) <= _LARGEST).all():
        need = f"finite, and at most {_LARGEST:g} in size" if np.isfinite(floats).all() else "finite"
        raise ValueError(f"{name}: every value must be {need}, got {(~good).sum()} of {good.size} that are not")
    if unit and not ((floats >= 0) & (floats <= 1)).all():
        raise ValueError(f"{name}: need values from 0 to 1, got {floats.min():g} to {floats.max():g}")
    return floats


def check_shape(name: str, found: tuple[int, ...], shape: Shape) -> None:
    """Raise ``ValueError`` for another shape."""
    pairs = zip(found, shape, strict=False)
    if len(found) != len(shape) or any(n == 0 if isinstance(need, str) else n != need for n, need in pairs):
        wanted = str(shape).replace("'", "") if shape else "one number"
        raise ValueError(f"{name}: need {wanted}, got {found}")


def constant(name: str, values: ArrayLike, shape: Shape | None = None) -> NDArray[Any]:
    """Return a read-only copy of finite values."""
    copy = array(name, values, shape).copy()
    copy.flags.writeable = False
    return copy


def probabilities(name: str, values: ArrayLike, shape: Shape | None = None, axis: int = -1) -> NDArray[Any]:
    """Return distributions along an axis, which is moved to the end; each sums to 1 up to rounding in its dtype."""
    p = np.atleast_1d(array(name, values, shape, finite=False))
    p = np.moveaxis(p, whole("axis", axis, -p.ndim, p.ndim - 1), -1)
    dtype = np.asarray(values).dtype
    rounding = 4 * float(np.finfo(dtype).eps) * p.shape[-1] ** 0.5 if dtype.kind == "f" else 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        sums = p.sum(axis=-1)
    if not ((p >= 0).all() and (np.abs(sums - 1) <= min(0.01, 1e-6 + rounding)).all()):
        need = "numbers of at least 0 that sum to 1" + f" along axis {axis}" * (p.ndim > 1)
        got = f"{shortened(values)} with a sum of {np.ravel(sums)[np.abs(sums - 1).argmax()]:g}"
        raise ValueError(f"{name}: need {need}, got {got}; divide counts by their sum")
    return p


def positive_definite(name: str, values: ArrayLike, shape: Shape) -> NDArray[Any]:
    """Return one or more symmetric positive definite matrices of shape ``(…, d, d)``."""
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
    if not (math.isfinite(given) and given > above and least <= given <= most):
        limits = {"above": above, "of at least": least, "of at most": most}
        need = " and ".join(f"{words} {limit:g}" for words, limit in limits.items() if math.isfinite(limit))
        raise ValueError(f"{name}: need a number {need or 'that is finite'}, got {given:g}")
    return given


def whole(name: str, value: Any, least: int = 1, most: float = math.inf) -> int:
    """Return a whole number from ``least`` to ``most``."""
    try:
        given = operator.index(value)
    except TypeError:
        given = None
    if given is None or not least <= given <= most:
        need = f"from {least} to {most}" if most < math.inf else f"of at least {least}"
        raise ValueError(f"{name}: need a whole number {need}, got {shortened(value)}")
    return given


def instance(name: str, value: Any, kind: type[Kind]) -> Kind:
    """Return a value if it is an instance of ``kind``."""
    if not isinstance(value, kind):
        raise ValueError(f"{name}: need {kind.__name__}, got {shortened(value)}")
    return value


def function(name: str, value: Any) -> Callable[..., Any]:
    """Return a value if it is callable."""
    if not callable(value):
        raise ValueError(f"{name}: need a function, got {shortened(value)}")
    return value


def generator(name: str, value: Any) -> np.random.Generator:
    """Return a value if it is a NumPy ``Generator``, not a seed or the module ``np.random``."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name}: need a NumPy Generator, such as np.random.default_rng(0), got {shortened(value)}")
    return value


def broadcastable(**arrays: NDArray[Any]) -> None:
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
