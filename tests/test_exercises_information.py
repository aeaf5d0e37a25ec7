"""Lesson 01: each classic mistake gets its own hint, the right answer its praise, an open stub patience."""

import numpy as np
import pytest
import scipy.stats

from vaehelpers import exercises
from vaehelpers.information import cross_entropy, entropy, huffman_code, kl_divergence, mutual_information

HARBOUR, ISLAND = [0.4, 0.3, 0.2, 0.1], [0.25, 0.125, 0.5, 0.125]
BITS = -np.log2(HARBOUR)


@pytest.mark.parametrize(
    ("bits", "answer"),
    [
        (..., "Not filled in yet"),
        (np.log2(200) + 3, "Right"),
        (np.log(1600), "in nats"),
        (-np.log2(1600), "sign"),
        (np.log10(1600), "base 10"),
        (-np.log2(0.13), "added the probabilities"),
        (3 * np.log2(200), "multiplied the surprisals"),
        (np.log2(200), "one storm alone"),
        (5, "Not yet"),
        ("many", "Need numbers"),
    ],
)
def test_two_storms(bits, answer, capsys):
    exercises.check_two_storms(bits)
    assert answer in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bits", "answer"),
    [
        (..., "Not filled in yet"),
        (entropy(HARBOUR, base=2), "Right"),
        (entropy(HARBOUR), "in nats"),
        (-entropy(HARBOUR, base=2), "sign"),
        (BITS.sum(), "added the surprisals"),
        (BITS.mean(), "counts every weather once"),
        (2, "largest entropy"),
        (entropy(HARBOUR, base=10), "base 10"),
        (BITS, "Need one number"),
    ],
)
def test_harbour(bits, answer, capsys):
    exercises.check_harbour(bits)
    assert answer in capsys.readouterr().out


@pytest.mark.parametrize(
    ("bits", "answer"),
    [
        (..., "Not filled in yet"),
        (cross_entropy(HARBOUR, ISLAND, base=2) - entropy(HARBOUR, base=2), "Right"),
        (kl_divergence(HARBOUR, ISLAND), "in nats"),
        (cross_entropy(HARBOUR, ISLAND, base=2), "whole cost"),
        (kl_divergence(ISLAND, HARBOUR, base=2), "other way round"),
        (entropy(HARBOUR, base=2) - entropy(ISLAND, base=2), "difference of two entropies"),
        (-kl_divergence(HARBOUR, ISLAND, base=2), "cannot save"),
    ],
)
def test_waste(bits, answer, capsys):
    exercises.check_waste(bits)
    assert answer in capsys.readouterr().out


@pytest.mark.parametrize(
    ("nats", "answer"),
    [
        (..., "Not filled in yet"),
        (scipy.stats.uniform(20, 0.25).entropy(), "Right"),
        (np.log(4), "the sign is not"),
        (-2, "in bits"),
        (0, "may be negative"),
        (-4 * np.log(4), "forgot the width"),
        (scipy.stats.norm(scale=scipy.stats.uniform(20, 0.25).std()).entropy(), "for a Gaussian"),
    ],
)
def test_thermometer(nats, answer, capsys):
    exercises.check_thermometer(nats)
    assert answer in capsys.readouterr().out


def rows_of(joint):
    return joint / joint.sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (lambda joint: ..., "Not filled in yet"),
        (lambda joint: None, "Not filled in yet"),
        (lambda joint: joint.sum(axis=1) @ entropy(rows_of(joint), base=2), "Right"),
        (lambda joint: entropy(joint.ravel(), base=2) - entropy(joint.sum(axis=1), base=2), "Right"),
        (lambda joint: joint.sum(axis=1) @ entropy(rows_of(joint)), "in nats"),
        (lambda joint: -joint.sum(axis=1) @ entropy(rows_of(joint), base=2), "sign"),
        (lambda joint: joint.sum(axis=0) @ entropy(rows_of(joint.T), base=2), "other way round"),
        (lambda joint: entropy(rows_of(joint), base=2).mean(), "counts the same"),
        (lambda joint: entropy(rows_of(joint), base=2).sum(), "sum over the rows"),
        (lambda joint: entropy(joint.ravel(), base=2), "joint entropy"),
        (lambda joint: entropy(joint.sum(axis=0), base=2), "before anything is known"),
        (lambda joint: mutual_information(joint, base=2), "mutual information"),
        (lambda joint: entropy(rows_of(joint), base=2), "Need one number"),
        (lambda joint: joint.missing, "stopped with AttributeError"),
    ],
)
def test_conditional_entropy(function, answer, capsys):
    exercises.check_conditional_entropy(function)
    assert answer in capsys.readouterr().out


def merges(p, pick, again=True):
    """The weights of the piles that a merge of two piles makes, one after the other."""
    piles, made = sorted(p, key=pick), []
    while len(piles) > 1:
        made.append(piles[0] + piles[1])
        piles = [made[-1], *piles[2:]]
        piles = sorted(piles, key=pick) if again else piles
    return made


def huffman_lengths(p):
    return [len(word) for word in huffman_code(dict(enumerate(p))).values()]


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        (lambda p: ..., "Not filled in yet"),
        (lambda p: p @ huffman_lengths(p), "Right"),
        (lambda p: sum(merges(p, pick=float)), "Right"),
        (lambda p: sum(merges(p, pick=float)[:-1]), "lost the last merge"),
        (lambda p: sum(merges(p, pick=lambda w: -w)), "heaviest"),
        (lambda p: merges(p, pick=float)[-1], "only the last merge"),
        (lambda p: len(merges(p, pick=float)), "number of merges"),
        (lambda p: entropy(p, base=2), "limit that no code can beat"),
        (lambda p: sum(merges(p, pick=float, again=False)), "sorted only once"),
        (lambda p: np.mean(huffman_lengths(p)), "Every word counts the same"),
    ],
)
def test_mean_length(function, answer, capsys):
    exercises.check_mean_length(function)
    assert answer in capsys.readouterr().out
