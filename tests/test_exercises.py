"""Lessons 00 and 08: answers that are right and answers that are wrong, for tests/test_exercise_tables.py."""

from fractions import Fraction

import numpy as np

from vaehelpers import hands


def pointing(**changes):
    row = hands.neutral()
    row[[5, 7, 8, 9]] = 1
    for column, value in changes.items():
        row[int(column[1:])] = value
    return row


def lengths(code, codes):
    return np.linalg.norm(codes - code, axis=1)


def nearest_in_place(code, codes):
    codes -= code
    codes *= codes
    return codes.sum(axis=1).argmin(keepdims=True)


def nearest_in_a_loop(code, codes):
    best = 0
    for i, row in enumerate(codes.tolist()):
        if sum((a - b) ** 2 for a, b in zip(row, code, strict=True)) < lengths(code, codes)[best] ** 2:
            best = i
    return best


RIGHT = {
    "pointing": [
        pointing(),
        [0, 0, 1, 0, 0.6, 1, 0, 1, 1, 1],
        (False, 0, 1.0, 0, Fraction(3, 5), True, 0, True, True, True),
        pointing().astype(np.float16),
        hands.neutral() + [0, 0, 0, 0, 0, 1, 0, 1, 1, 1],
    ],
    "nearest": [
        lambda code, codes: int(np.argmin(lengths(code, codes))),
        nearest_in_place,
        nearest_in_a_loop,
        lambda code, codes: np.where(lengths(code, codes) == lengths(code, codes).min()),
        lambda code, codes: np.argsort(((codes - code) ** 2).sum(axis=1))[0],
        lambda code, codes: (codes @ code - (codes**2).sum(axis=1) / 2).argmax(),
    ],
}

WRONG = {
    "pointing": [
        (pointing(c6=1), "should stay stretched"),
        (pointing(c9=0), "Not all other fingers"),
        (pointing(c5=0.5), "Not all other fingers"),
        (pointing(c0=0.1), "first five columns"),
        (hands.neutral() + [0.1, *9 * [0]], "first five columns"),
        (pointing()[None], "shape (1, 10)"),
        (pointing()[1:], "shape (9,)"),
        (1 - pointing(), "should stay stretched"),
        (np.full(10, np.nan), "should stay stretched"),
    ],
    "nearest": [
        (lambda code, codes: np.argmax(lengths(code, codes)), "far away"),
        (lambda code, codes: np.argmin((codes - code).sum(axis=1)), "positive and negative cancel"),
        (lambda code, codes: np.argmin(abs((codes - code).sum(axis=1))), "of both signs"),
        (lambda code, codes: np.argmin(abs(codes - code).sum(axis=1)), "absolute differences"),
        (lambda code, codes: np.argmin(abs(codes - code).max(axis=1)), "largest difference"),
        (lambda code, codes: np.argmax(codes @ code), "scalar product"),
        (lambda code, codes: np.argmax(codes @ code / np.linalg.norm(codes, axis=1)), "angle"),
        (lambda code, codes: np.argmin(np.linalg.norm(codes - code)), "Always row 0"),
        (lambda code, codes: np.argmin(abs(codes - code)), "place in the whole table"),
        (lambda code, codes: np.argmin(np.linalg.norm(codes - code, axis=0)), "That is a column"),
        (lambda code, codes: np.argmin(lengths(code, codes)) + 1, "counts rows from 0"),
        (lambda code, codes: lengths(code, codes).min(), "smallest distance"),
        (lengths, "all distances"),
        (lambda code, codes: codes[np.argmin(lengths(code, codes))], "the code itself"),
        (lambda code, codes: np.argmin(abs(codes - code)[:, 0]), "Not yet"),
        (lambda code, codes: np.argmin(lengths(0, codes)), "Not yet"),
        (lambda code, codes: 1, "Not yet"),
        (lambda code, codes: codes[0], "Need one number"),
    ],
}
