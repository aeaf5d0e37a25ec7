"""Lesson 01: right and wrong answers to its exercises, for test_judge.py."""

import math
from fractions import Fraction

import numpy as np
import scipy.stats

from vaehelpers.information import cross_entropy, entropy

ISLAND, HARBOUR = [0.25, 0.125, 0.5, 0.125], [0.4, 0.3, 0.2, 0.1]
STORMS, BITS = math.log2(1600), -np.log2(HARBOUR)


def merges(p, again=True):
    """Return the weight of each pile that a merge makes."""
    piles, made = sorted(p), []
    while len(piles) > 1:
        made.append(piles[0] + piles[1])
        piles = [made[-1], *piles[2:]]
        piles = sorted(piles) if again else piles
    return made


def halved(p, cut):
    """Return the mean length when the sorted symbols are split from the top."""
    return p.sum() + halved(p[: cut(p)], cut) + halved(p[cut(p) :], cut) if len(p) > 1 else 0.0


def most_even(p):
    return 1 + np.argmin(abs(2 * np.cumsum(p)[:-1] - p.sum()))


RIGHT = {
    "two_storms": [STORMS, 10.6, np.float16(STORMS)],
    "harbour": [entropy(HARBOUR, base=2), 1.85, Fraction("1.8464")],
    "waste": [cross_entropy(HARBOUR, ISLAND, base=2) - entropy(HARBOUR, base=2), 0.35],
    "thermometer": [scipy.stats.uniform(20, 0.25).entropy(), -1.39],
    "conditional_entropy": [lambda joint: entropy(joint.ravel(), base=2) - entropy(joint.sum(axis=1), base=2)],
    "mean_length": [lambda p: sum(merges(p))],
}

WRONG = {
    "two_storms": [(7.64, "in the desert"), (10.7, "Not yet")],
    "harbour": [(BITS, "Need one number"), (1.8, "Not yet")],
    "waste": [(2.2, "whole cost"), (0.36, "Not yet")],
    "thermometer": [(0.5 * np.log(2 * np.pi * np.e / 192), "for a Gaussian"), (-np.log(4) / 4, "Not yet")],
    "conditional_entropy": [(lambda joint: entropy(joint.max(axis=1) / joint.max(axis=1).sum(), base=2), "Not yet")],
    "mean_length": [
        (lambda p: sum(merges(p)[:-1]), "lost the last merge"),
        (lambda p: sum(merges(p, again=False)), "sorted only once"),
        (lambda p: halved(np.sort(p)[::-1], most_even), "Not yet"),
        (lambda p: halved(np.sort(p)[::-1], lambda q: len(q) // 2), "Not yet"),
        (lambda p: np.ceil(np.log2(len(p))), "Not yet"),
    ],
}
