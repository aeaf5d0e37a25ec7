"""A wrong answer gets the hint that helps, the right one its praise, an open stub patience."""

import numpy as np
import pytest

from vaehelpers import exercises, hands


def pointing(**changes):
    row = hands.neutral()
    row[[5, 7, 8, 9]] = 1
    for column, value in changes.items():
        row[int(column[1:])] = value
    return row


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (hands.neutral(), "Not filled in yet"),
        (pointing(), "Right"),
        (pointing(c6=1), "should stay stretched"),
        (pointing(c9=0), "Not all other fingers"),
        (pointing(c0=0.1), "first five columns"),
        (pointing()[None], "shape (1, 10)"),
    ],
)
def test_pointing(attempt, answer, capsys):
    exercises.check_pointing(attempt)
    assert answer in capsys.readouterr().out


@pytest.mark.parametrize(
    ("attempt", "answer"),
    [
        (lambda code, codes: ..., "Not filled in yet"),
        (lambda code, codes: None, "Not filled in yet"),
        (lambda code, codes: int(np.argmin(np.linalg.norm(codes - code, axis=1))), "Right"),
        (lambda code, codes: int(np.argmax(np.linalg.norm(codes - code, axis=1))), "far away"),
        (lambda code, codes: codes[0], "one row number"),
        (lambda code, codes: 2, "row 0"),
    ],
)
def test_nearest(attempt, answer, capsys):
    exercises.check_nearest(attempt)
    assert answer in capsys.readouterr().out
