"""Lesson 01: news, mean surprisal, the wrong belief, a narrow density, what is left unknown, Huffman's mean length."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import rel_entr
from scipy.stats import entropy

from .judge import Result, judge, judge_function

HARBOUR = np.array([0.4, 0.3, 0.2, 0.1])
ISLAND = np.array([0.25, 0.125, 0.5, 0.125])
#: Joint tables and probabilities at which no two of the formulas below agree.
JOINTS = [[[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]], [[0.08, 0.22, 0.1], [0.25, 0.05, 0.3]]]
SYMBOLS = [[0.25, 0.25, 0.2, 0.2, 0.1], [0.35, 0.17, 0.17, 0.16, 0.15], [0.12, 0.37, 0.06, 0.28, 0.05, 0.12]]
IN_NATS = "That is the right amount in nats. The question asks for bits: mind the base of the logarithm."
NEGATIVE = "The size is right, and the sign is not. Information is never negative: look for the minus before the log."
BASE_10 = "That is a logarithm to base 10. Bits take base 2."


def check_two_storms(bits: Any) -> Result:
    """Lesson 01: the surprisal of two independent storms in bits, to three digits."""
    desert, island = 0.005, 0.125
    right, first, second = -np.log2([desert * island, desert, island])
    mistakes = {
        IN_NATS: right * np.log(2),
        NEGATIVE: -right,
        BASE_10: right * np.log10(2),
        "You added the probabilities: that is close to `one storm or the other`. Here both come.":
            -np.log2(desert + island),
        "You multiplied the surprisals. Which of the two multiplies for independent events, and which adds?":
            first * second,
        "That is one storm alone, the one in the desert. The other one tells you something too.": first,
        "That is one storm alone, the one on the island. The other one tells you something too.": second,
        "That is the probability of both. How surprising is it?": desert * island,
    }  # fmt: skip
    return judge(bits, right, praise="probabilities multiply, surprisals add.", mistakes=mistakes, tolerance=4e-3)


def check_harbour(bits: Any) -> Result:
    """Lesson 01: the entropy of four unequal weathers in bits, to three digits."""
    surprisals, right = -np.log2(HARBOUR), entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: entropy(HARBOUR),
        NEGATIVE: -right,
        "You added the surprisals. A mean weights each of them by its probability.": surprisals.sum(),
        "That mean counts every weather once. In a long run of days, how often does each come?": surprisals.mean(),
        "That is the largest entropy of four weathers. It is reached only when all four are equally probable.": 2.0,
        "That is the entropy of the island.": entropy(ISLAND, base=2),
        BASE_10: entropy(HARBOUR, base=10),
    }
    praise = "the harbour is harder to guess than the island."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_waste(bits: Any) -> Result:
    """Lesson 01: what the island's code wastes at the harbour in bits a day, to the two decimals of the lesson."""
    right, own = rel_entr(HARBOUR, ISLAND).sum() / np.log(2), entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: right * np.log(2),
        "That is the whole cost of a day. How much of it would the harbour's own code have needed too?": right + own,
        "That is the waste the other way round: the harbour's code used on the island. Who believes, and what is "
        "true?": rel_entr(ISLAND, HARBOUR).sum() / np.log(2),
        "That is the difference of two entropies. The days come from the harbour in both terms; only the code "
        "changes.": own - entropy(ISLAND, base=2),
        "The size is right, and the sign is not: a wrong code cannot save anything.": -right,
        BASE_10: right * np.log10(2),
    }
    praise = "this waste has a name, and lesson 02 is about it."
    return judge(bits, right, praise=praise, mistakes=mistakes, tolerance=6e-3)


def check_thermometer(nats: Any) -> Result:
    """Lesson 01: the differential entropy in nats of a density that is constant on a quarter of a degree."""
    width = 0.25
    mistakes = {
        "The size is right, and the sign is not. The density is 4 there; what is −log 4?": -np.log(width),
        "That is the right amount in bits. The question asks for nats.": np.log2(width),
        "A differential entropy may be negative, so there is no reason to stop at zero.": 0.0,
        "You forgot the width: the integral of −f log f runs over a quarter of a degree only.": np.log(width) / width,
        "You weighted −log f by the width alone. Width times density is 1.": np.log(width) * width,
        "That formula is for a Gaussian. Here f is constant, so −log f is the same everywhere.":
            0.5 * np.log(2 * np.pi * np.e * width**2 / 12),
    }  # fmt: skip
    praise = "log of the width, and below zero."
    return judge(nats, np.log(width), praise=praise, mistakes=mistakes, tolerance=3e-3)


def check_conditional_entropy(conditional_entropy: Callable[[Any], Any]) -> Result:
    """Lesson 01: a function for the mean entropy in bits of the rows of a joint table, each row by itself."""
    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        IN_NATS: lambda joint: _left_open(joint) * np.log(2),
        NEGATIVE: lambda joint: -_left_open(joint),
        "That is what stays unknown about the rows when the column is known: the other way round.":
            lambda joint: _left_open(joint.T),
        "Every row counts the same in your mean. How often does each row come?":
            lambda joint: entropy(joint, axis=1, base=2).mean(),
        "That is the sum over the rows. You want their mean, each weighted by its probability.":
            lambda joint: entropy(joint, axis=1, base=2).sum(),
        "You took the rows as they stand. Divide each by its sum first, to make it a distribution.":
            lambda joint: -joint.sum(axis=1) @ (joint * np.log2(joint)).sum(axis=1),
        "That is the joint entropy: it still holds what is unknown about the row itself.":
            lambda joint: entropy(joint.ravel(), base=2),
        "That is the entropy of the column before anything is known about the row.":
            lambda joint: entropy(joint.sum(axis=0), base=2),
        "That is the entropy of the row. How much is open about the column, once the row is known?":
            lambda joint: entropy(joint.sum(axis=1), base=2),
        "That is the mutual information: what the row tells. You want what it leaves open.":
            lambda joint: entropy(joint.sum(axis=0), base=2) - _left_open(joint),
    }  # fmt: skip
    cases, praise = [(np.array(joint),) for joint in JOINTS], "that much is open when the row is known."
    return judge_function(conditional_entropy, _left_open, cases, praise=praise, mistakes=mistakes)


def check_mean_length(mean_length: Callable[[Any], Any]) -> Result:
    """Lesson 01: a function for the mean length of a Huffman code that never builds a word."""
    mistakes: dict[str, Callable[[NDArray], ArrayLike]] = {
        "You lost the last merge, the one into a single pile of weight 1.": lambda p: p @ _depths(p) - 1,
        "You merged the two heaviest piles. The rare ones should get the long words.": lambda p: p @ _depths(p, -1),
        "You counted only the last merge, where everything has come together.": lambda p: 1,
        "That is the number of merges. Each makes words longer, but only those of the symbols in its pile.":
            lambda p: len(p) - 1,
        "That is the entropy, the limit that no code can beat. You want the length that Huffman's code has.":
            lambda p: entropy(p, base=2),
        "You rounded each surprisal up. Such words are never too short, and Huffman's are often shorter.":
            lambda p: p @ np.ceil(-np.log2(p)),
        "You split from the top, into halves as equal as can be. Huffman merges from below.":
            lambda p: _top_down(np.sort(p)[::-1]),
        "You sorted only once. A merged pile may be heavier than others, so look for the lightest two anew.":
            lambda p: np.cumsum(np.sort(p))[1:].sum(),
        "Every word counts the same in your mean. Weigh its length with its probability.": lambda p: _depths(p).mean(),
    }  # fmt: skip
    cases, praise = [(np.array(p),) for p in SYMBOLS], "each merge adds one digit to all the words below it."
    return judge_function(mean_length, lambda p: p @ _depths(p), cases, praise=praise, mistakes=mistakes)


def _left_open(joint: NDArray) -> float:
    """H(column | row) in bits; SciPy's entropy divides each row by its sum."""
    return float(joint.sum(axis=1) @ entropy(joint, axis=1, base=2))


def _depths(p: NDArray, sign: int = 1) -> NDArray:
    """Return how often each symbol lies in a merged pile: the lengths of its word in Huffman's code."""
    piles, depths = [(sign * weight, [symbol]) for symbol, weight in enumerate(p)], np.zeros(len(p))
    while len(piles) > 1:
        (light, left), (heavy, right), *piles = sorted(piles)
        depths[left + right] += 1
        piles.append((light + heavy, left + right))
    return depths


def _top_down(p: NDArray) -> float:
    """Return the mean length of the Shannon–Fano code of probabilities in falling order."""
    if len(p) == 1:
        return 0.0
    cut = 1 + int(np.abs(2 * np.cumsum(p)[:-1] - p.sum()).argmin())
    return float(p.sum()) + _top_down(p[:cut]) + _top_down(p[cut:])
