"""Lessons 00 and 08: a pointing hand, and the nearest code."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .judge import OPEN, attempt, shape_of


def check_pointing(factors: ArrayLike) -> None:
    """Lesson 00: the index finger stretched, the other four folded."""
    wanted = np.array([0, 0, 1, 0, 0.6, 1, 0, 1, 1, 1])
    if shape_of(factors) != (10,):
        return print(f"`pointing` should be one row of 10 numbers, and has the shape {shape_of(factors)}.")
    row = np.asarray(factors, float)
    if not row[5:].any():
        return print(OPEN)
    if row[6]:
        return print("The index finger (column 6) should stay stretched, at 0.")
    if not np.allclose(row[:5], wanted[:5], atol=1e-6):
        return print("One of the first five columns has changed; only the curls, from column 5 on, should.")
    if not np.allclose(row[5:], wanted[5:]):
        return print(
            "Not all other fingers are folded. Count the columns: thumb 5, index 6, middle 7, ring 8, pinky 9."
        )
    print("Right: a pointing hand.")


def check_nearest(nearest: Callable[[Any, Any], Any]) -> None:
    """Lesson 08: the row of the code that lies closest."""
    codes = np.array([[0.0, 0.0], [3.0, 0.0], [-1.0, 2.0], [2.0, -2.0]])
    answer = attempt(nearest, np.array([-1.0, -0.5]), codes)
    if isinstance(answer, Exception):
        return print(f"Your function stopped with {type(answer).__name__}: {answer}")
    if answer is None or answer is ...:
        return print(OPEN)
    if shape_of(answer) != ():
        return print("`nearest` should return one row number. Did you take the minimum over the rows (axis=1 sums up)?")
    if answer == 3 or answer == 1:
        return print("That is a code far away. Did you take the largest distance, or forget to square (signs cancel)?")
    if answer != 0:
        return print(f"The closest code is in row 0, and `nearest` says {answer}. Measure over all latents at once.")
    print("Right: that is the closest code.")
