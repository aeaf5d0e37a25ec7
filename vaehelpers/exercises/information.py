"""Lesson 01: news, mean surprisal, the wrong belief, a narrow density, what is left unknown, Huffman's mean length."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import rel_entr
from scipy.stats import entropy

from .judge import attempt, judge

HARBOUR = np.array([0.4, 0.3, 0.2, 0.1])
ISLAND = np.array([0.25, 0.125, 0.5, 0.125])
IN_NATS = "That is the right amount in nats. The question asks for bits: mind the base of the logarithm."
NEGATIVE = "The size is right, and the sign is not. Information is never negative: look for the minus before the log."


def check_two_storms(bits: Any) -> None:
    """Lesson 01: the surprisal of two independent storms in bits."""
    desert, island = 0.005, 0.125
    right = -np.log2(desert * island)
    mistakes = {
        IN_NATS: right * np.log(2),
        NEGATIVE: -right,
        "That is a logarithm to base 10. Bits take base 2.": right * np.log10(2),
        "You added the probabilities: that is close to `one storm or the other`. Here both come.": -np.log2(
            desert + island
        ),
        "You multiplied the surprisals. Which of the two multiplies for independent events, and which adds?": np.log2(
            desert
        )
        * np.log2(island),
        "That is one storm alone, the one in the desert. The other one tells you something too.": -np.log2(desert),
    }
    judge(bits, right, praise="probabilities multiply, surprisals add.", mistakes=mistakes, tolerance=1e-4)


def check_harbour(bits: Any) -> None:
    """Lesson 01: the entropy of four unequal weathers in bits."""
    surprisals = -np.log2(HARBOUR)
    right = entropy(HARBOUR, base=2)
    mistakes = {
        IN_NATS: entropy(HARBOUR),
        NEGATIVE: -right,
        "You added the surprisals. A mean weighs each of them with its probability.": surprisals.sum(),
        "That mean counts every weather once. In a long run of days, how often does each come?": surprisals.mean(),
        "That is the largest entropy of four weathers. It is reached only when all four are equally probable.": 2.0,
        "That is a logarithm to base 10. Bits take base 2.": entropy(HARBOUR, base=10),
    }
    judge(bits, right, praise="the harbour is harder to guess than the island.", mistakes=mistakes, tolerance=1e-4)


def check_waste(bits: Any) -> None:
    """Lesson 01: what the island's code wastes at the harbour in bits a day."""
    right = rel_entr(HARBOUR, ISLAND).sum() / np.log(2)
    mistakes = {
        IN_NATS: right * np.log(2),
        "That is the whole cost of a day. How much of it would the harbour's own code have needed too?": right
        + entropy(HARBOUR, base=2),
        "That is the waste the other way round: the harbour's code used on the island. Who believes, and what is "
        "true?": rel_entr(ISLAND, HARBOUR).sum() / np.log(2),
        "That is the difference of two entropies. The days come from the harbour in both terms; only the code "
        "changes.": entropy(HARBOUR, base=2) - entropy(ISLAND, base=2),
        "The size is right, and the sign is not: a wrong code cannot save anything.": -right,
    }
    judge(bits, right, praise="this waste has a name, and lesson 02 is about it.", mistakes=mistakes, tolerance=1e-4)


def check_thermometer(nats: Any) -> None:
    """Lesson 01: the differential entropy in nats of a density that is constant on a quarter of a degree."""
    mistakes = {
        "The size is right, and the sign is not. The density is 4 there; what is −log 4?": np.log(4),
        "That is the right amount in bits. The question asks for nats.": -2.0,
        "A differential entropy may be negative, so there is no reason to stop at zero.": 0.0,
        "You forgot the width: the integral of −f log f runs over a quarter of a degree only.": -4 * np.log(4),
        "That formula is for a Gaussian. Here f is constant, so −log f is the same everywhere.": 0.5
        * np.log(2 * np.pi * np.e * 0.25**2 / 12),
    }
    judge(nats, -np.log(4), praise="log of the width, and below zero.", mistakes=mistakes, tolerance=1e-4)


def check_conditional_entropy(conditional_entropy: Callable[[Any], Any]) -> None:
    """Lesson 01: a function for the mean entropy in bits of the rows of a joint table, each row by itself."""
    joint = np.array([[0.3, 0.1], [0.05, 0.05], [0.1, 0.4]])
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    within = entropy(joint, axis=1, base=2)
    both = entropy(joint.ravel(), base=2)
    right = rows @ within
    mistakes = {
        IN_NATS: right * np.log(2),
        NEGATIVE: -right,
        "That is what stays unknown about the rows when the column is known: the other way round.": both
        - entropy(columns, base=2),
        "Every row counts the same in your mean. How often does each row come?": within.mean(),
        "That is the sum over the rows. You want their mean, each weighed with its probability.": within.sum(),
        "That is the joint entropy: it still holds what is unknown about the row itself.": both,
        "That is the entropy of the column before anything is known about the row.": entropy(columns, base=2),
        "That is the mutual information: what the row tells. You want what it leaves open.": entropy(columns, base=2)
        - right,
    }
    answer = attempt(conditional_entropy, joint)
    judge(answer, right, praise="that much is open when the row is known.", mistakes=mistakes)


def check_mean_length(mean_length: Callable[[Any], Any]) -> None:
    """Lesson 01: a function for the mean length of a Huffman code that never builds a word."""
    p = np.array([0.25, 0.25, 0.2, 0.2, 0.1])
    merged = _merge(p, smallest=True)
    mistakes = {
        "You lost the last merge, the one into a single pile of weight 1.": sum(merged[:-1]),
        "You merged the two heaviest piles. The rare ones should get the long words.": sum(_merge(p, smallest=False)),
        "You counted only the last merge, where everything has come together.": merged[-1],
        "That is the number of merges. Each makes words longer, but only those of the symbols in its pile.": 4.0,
        "That is the entropy, the limit that no code can beat. You want the length that Huffman's code has.": entropy(
            p, base=2
        ),
        "You sorted only once. A merged pile may be heavier than others, so look for the lightest two anew.": sum(
            np.cumsum(np.sort(p))[1:]
        ),
        "Every word counts the same in your mean. Weigh its length with its probability.": np.mean([2, 2, 2, 3, 3]),
    }
    answer = attempt(mean_length, p)
    judge(answer, sum(merged), praise="each merge adds one digit to all the words below it.", mistakes=mistakes)


def _merge(weights: ArrayLike, *, smallest: bool) -> list[float]:
    """Return the weights of the merged piles in order."""
    piles, merged = [float(weight) for weight in np.ravel(weights)], []
    while len(piles) > 1:
        piles.sort(reverse=not smallest)
        merged.append(piles[0] + piles[1])
        piles = [*piles[2:], merged[-1]]
    return merged
