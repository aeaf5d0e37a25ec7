"""Lesson 00: start here: the check of its exercise."""

from numpy.typing import ArrayLike

from .judge import OPEN, Result, equal, numbers, result

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
