"""Lesson 00: right and wrong answers of the exercise."""

from fractions import Fraction

import numpy as np

from vaehelpers import hands


def pointing(**changes):
    row = hands.neutral()
    row[[5, 7, 8, 9]] = 1
    for column, value in changes.items():
        row[int(column[1:])] = value
    return row


RIGHT = {
    "pointing": [
        pointing(),
        (False, 0, 1.0, 0, Fraction(3, 5), True, 0, True, True, True),
        pointing().astype(np.float16),
        hands.neutral() + [0, 0, 0, 0, 0, 1, 0, 1, 1, 1],
    ],
}

WRONG = {
    "pointing": [
        (pointing(c6=1), "should stay stretched"),
        (np.full(10, np.nan), "should stay stretched"),
        (pointing(c5=0.5), "Not all other fingers"),
        (pointing(c0=0.1), "first five columns"),
        (pointing()[None], "shape (1, 10)"),
    ],
}
