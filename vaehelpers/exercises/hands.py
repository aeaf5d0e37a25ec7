"""Lessons 00 and 08: a pointing hand, and the nearest code."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .judge import OPEN, Result, equal, judge_function, numbers, result

NEUTRAL = [0, 0, 1, 0, 0.6, 0, 0, 0, 0, 0]
POINTING = [0, 0, 1, 0, 0.6, 1, 0, 1, 1, 1]


def check_pointing(factors: ArrayLike) -> Result:
    """Lesson 00: the index finger stretched, the other four folded."""
    if factors is None or factors is ...:
        return result(False, OPEN)
    if (row := numbers(factors)) is None or row.shape != (10,):
        shape = "no numbers" if row is None else f"the shape {row.shape}"
        return result(False, f"`pointing` should be one row of 10 numbers, and has {shape}.")
    if equal(row, NEUTRAL):
        return result(False, OPEN)
    if not equal(row[6], 0):
        return result(False, "The index finger (column 6) should stay stretched, at 0.")
    if not equal(row[:5], POINTING[:5]):
        return result(False, "One of the first five columns has changed; only the curls, from column 5 on, should.")
    if not equal(row, POINTING):
        columns = "Count the columns: thumb 5, index 6, middle 7, ring 8, pinky 9."
        return result(False, f"Not all other fingers are folded, at 1. {columns}")
    return result(True, "Right: a pointing hand.")


def check_nearest(nearest: Callable[[Any, Any], Any]) -> Result:
    """Lesson 08: the row of the code that lies closest."""

    def distances(code: NDArray, codes: NDArray) -> NDArray:
        return np.linalg.norm(codes - code, axis=1)

    def right(code: NDArray, codes: NDArray) -> int:
        return int(distances(code, codes).argmin())

    mistakes: dict[str, Callable[[NDArray, NDArray], ArrayLike]] = {
        "That is a code far away. Did you take the largest distance?": lambda c, codes: distances(c, codes).argmax(),
        "Square the differences before you add them: as they are, positive and negative cancel.":
            lambda c, codes: (codes - c).sum(axis=1).argmin(),
        "You added differences of both signs, and they cancel. Square them first.":
            lambda c, codes: abs((codes - c).sum(axis=1)).argmin(),
        "You added the absolute differences. The Euclidean distance adds their squares.":
            lambda c, codes: abs(codes - c).sum(axis=1).argmin(),
        "You took the largest difference of each row. The Euclidean distance adds the squares of all.":
            lambda c, codes: abs(codes - c).max(axis=1).argmin(),
        "That is the largest scalar product: a long code wins it from far away. Measure differences.":
            lambda c, codes: (codes @ c).argmax(),
        "That is the smallest angle. A code in the same direction can still lie far away.":
            lambda c, codes: (codes @ c / np.linalg.norm(codes, axis=1)).argmax(),
        "Always row 0: you measured the whole table at once. One distance for each row: axis=1.": lambda c, codes: 0,
        "That is a place in the whole table. Add over the latents first (axis=1): one distance for each row.":
            lambda c, codes: abs(codes - c).argmin(),
        "That is a column. Add over the latents (axis=1), not over the rows.":
            lambda c, codes: np.linalg.norm(codes - c, axis=0).argmin(),
        "One too many: NumPy counts rows from 0.": lambda c, codes: right(c, codes) + 1,
        "That is the smallest distance. In which row does it stand?": lambda c, codes: distances(c, codes).min(),
        "Those are all distances. In which row does the smallest stand?": distances,
        "That is the code itself. Its row number is asked for.": lambda c, codes: codes[right(c, codes)],
    }  # fmt: skip
    rng = np.random.default_rng(17462)  # codes at which no two of these agree
    cases = [(rng.normal(0, 1.5, size=3), rng.normal(0, 2, size=(n, 3))) for n in (5, 6, 7)]
    return judge_function(nearest, right, cases, praise="that is the closest code.", mistakes=mistakes)
