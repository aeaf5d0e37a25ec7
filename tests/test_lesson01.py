"""Lesson 01: right and wrong answers to its exercises, for test_judge.py."""

import math
from fractions import Fraction

import numpy as np
import scipy.stats

from vaehelpers.information import cross_entropy, entropy, huffman_code, mutual_information

ISLAND, HARBOUR = [0.25, 0.125, 0.5, 0.125], [0.4, 0.3, 0.2, 0.1]
STORMS, BITS = math.log2(1600), -np.log2(HARBOUR)


def rows_of(joint):
    return joint / joint.sum(axis=1, keepdims=True)


def merges(p, pick=float, again=True):
    """Return the weight of each pile that a merge makes."""
    piles, made = sorted(p, key=pick), []
    while len(piles) > 1:
        made.append(piles[0] + piles[1])
        piles = [made[-1], *piles[2:]]
        piles = sorted(piles, key=pick) if again else piles
    return made


def huffman_lengths(p):
    return np.array([len(word) for word in huffman_code(dict(enumerate(p))).values()])


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
    "mean_length": [lambda p: p @ huffman_lengths(p), lambda p: sum(merges(p))],
}

WRONG = {
    "two_storms": [
        (-np.log2(0.13), "added"), (3 * np.log2(200), "multiplied the surprisals"), (7.64, "in the desert"),
        (3, "on the island"), (1 / 1600, "How surprising"), (10.7, "Not yet"),
    ],
    "harbour": [
        (BITS.sum(), "added"), (BITS.mean(), "every weather once"), (2, "largest entropy"), (1.75, "the island"),
        (BITS, "Need one number"), (1.8, "Not yet"),
    ],
    "waste": [
        (2.2, "whole cost"), (0.374, "harbor's code on the island"),
        (entropy(HARBOUR, base=2) - 1.75, "difference of two entropies"), (0.36, "Not yet"),
    ],
    "thermometer": [
        (0, "may be negative"), (-4 * np.log(4), "forgot the width"), (-np.log(4) / 4, "Not yet"),
        (0.5 * np.log(2 * np.pi * np.e / 192), "for a Gaussian"),
    ],
    "conditional_entropy": [
        (lambda joint: joint.sum(axis=0) @ entropy(rows_of(joint.T), base=2), "other way round"),
        (lambda joint: entropy(rows_of(joint), base=2).mean(), "counts the same"),
        (lambda joint: mutual_information(joint, base=2), "mutual information"),
        (lambda joint: entropy(rows_of(joint), base=2), "Need one number"),
        (lambda joint: joint.missing, "stopped with AttributeError"),
        (lambda joint: entropy(joint.max(axis=1) / joint.max(axis=1).sum(), base=2), "Not yet"),
    ],
    "mean_length": [
        (lambda p: sum(merges(p)[:-1]), "lost the last merge"),
        (lambda p: sum(merges(p, pick=lambda w: -w)), "Not yet"),
        (lambda p: sum(merges(p, again=False)), "sorted only once"),
        (lambda p: np.mean(huffman_lengths(p)), "Every word counts the same"),
        (lambda p: halved(np.sort(p)[::-1], most_even), "Not yet"),
        (lambda p: halved(np.sort(p)[::-1], lambda q: len(q) // 2), "Not yet"),
        (lambda p: np.ceil(np.log2(len(p))), "Not yet"),
    ],
}  # fmt: skip
