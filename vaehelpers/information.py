"""Information theory: surprisal, entropy, cross-entropy, KL divergence, mutual information and Huffman codes."""

import heapq
import math
from collections.abc import Hashable
from itertools import count
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, rel_entr, xlogy

from .arguments import array, broadcastable, instance, number, probabilities, shortened

Floats = NDArray[np.float64]
Symbol = TypeVar("Symbol", bound=Hashable)


def surprisal(p: ArrayLike, *, base: float = math.e) -> Floats:
    """Return the surprisal −log p of each probability in p: in nats, or in bits with ``base=2``.

    Shannon (1948), "A mathematical theory of communication", §6; MacKay (2003), §2.4. An impossible event has
    infinite surprisal. Raises ``ValueError`` when a probability lies outside [0, 1] or the base is not above 1.
    """
    return (0.0 - xlogy(1.0, array("p", p, unit=True))) / _nats(base)


def entropy(p: ArrayLike, *, axis: int = -1, base: float = math.e) -> Floats:
    """Return the entropy H(p) = −Σ p log p, the mean surprisal, along an axis: in nats, or in bits with ``base=2``.

    Cover & Thomas (2006), §2.1; 0 log 0 counts as 0. Raises ``ValueError`` when p holds a negative number or does
    not sum to 1 along the axis, up to the rounding of its dtype.
    """
    return entr(probabilities("p", p, axis=axis)).sum(axis=-1) / _nats(base)


def cross_entropy(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float = math.e) -> Floats:
    """Return the cross-entropy −Σ p log q, the mean surprisal under q of events drawn from p.

    Murphy (2022), §6.1.2. p and q broadcast against each other except along the axis. In nats, or bits with
    ``base=2``; infinite where q is 0 and p is not. Raises ``ValueError`` as ``entropy`` does, for p and q.
    """
    p, q = _pair(p, q, axis)
    return 0.0 - xlogy(p, q).sum(axis=-1) / _nats(base)


def kl_divergence(p: ArrayLike, q: ArrayLike, *, axis: int = -1, base: float = math.e) -> Floats:
    """Return the Kullback–Leibler divergence KL(p ‖ q) = Σ p log(p/q), the cross-entropy minus the entropy of p.

    Kullback & Leibler (1951), "On information and sufficiency"; Cover & Thomas (2006), §2.3. p and q broadcast
    against each other except along the axis. In nats, or bits with ``base=2``; infinite where q is 0 and p is
    not. Raises ``ValueError`` as ``entropy`` does, for p and q.
    """
    p, q = _pair(p, q, axis)
    return np.maximum(rel_entr(p, q).sum(axis=-1), 0.0) / _nats(base)  # rounding may leave −1e-17


def mutual_information(joint: ArrayLike, *, base: float = math.e) -> float:
    """Return the mutual information I(X; Y) = H(X) + H(Y) − H(X, Y) of a table ``(a, b)`` of p(x, y).

    Cover & Thomas (2006), §2.3. In nats, or bits with ``base=2``. Raises ``ValueError`` when the table is not
    two-dimensional, holds a negative number or does not sum to 1.
    """
    table = array("joint", joint, ("a", "b"))
    probabilities("joint", np.ravel(joint))
    nats = entr(table.sum(axis=1)).sum() + entr(table.sum(axis=0)).sum() - entr(table).sum()
    return max(float(nats), 0.0) / _nats(base)


def gaussian_kl(mu_q: ArrayLike, var_q: ArrayLike, mu_p: ArrayLike, var_p: ArrayLike) -> Floats:
    """Return KL(q ‖ p) in nats of the Gaussians q = N(mu_q, var_q) and p = N(mu_p, var_p), element by element.

    Murphy (2022), §6.2.3. All four broadcast; a ``var`` is σ², not σ. Independent components add: sum over their
    axis. Raises ``ValueError`` when a variance is not positive.
    """
    given = {"mu_q": mu_q, "var_q": var_q, "mu_p": mu_p, "var_p": var_p}
    m_q, v_q, m_p, v_p = arrays = [array(name, values) for name, values in given.items()]
    broadcastable(**dict(zip(given, arrays, strict=True)))
    if not ((v_q > 0).all() and (v_p > 0).all()):
        raise ValueError(f"var_q, var_p: need positive variances, got {shortened(var_q)} and {shortened(var_p)}")
    log_ratio = np.log(v_q) - np.log(v_p)
    with np.errstate(over="ignore"):  # a KL beyond the largest float is infinite
        excess = np.maximum(np.expm1(log_ratio) - log_ratio, 0)  # r − 1 − log r, without cancellation near r = 1
        return np.asarray(0.5 * (excess + ((m_q - m_p) / np.sqrt(v_p)) ** 2))


def huffman_code(frequencies: dict[Symbol, float]) -> dict[Symbol, str]:
    """Return the prefix code of smallest mean length: a code word of 0s and 1s for each symbol.

    Huffman (1952), "A method for the construction of minimum-redundancy codes"; MacKay (2003), §5.5. Among equal
    weights the symbol that comes first is merged first; a single symbol gets "0". Raises ``ValueError`` when there
    is no symbol or a weight is negative or not finite.
    """
    weights = array("frequencies", list(instance("frequencies", frequencies, dict).values()), ("n",))
    if (weights < 0).any():
        raise ValueError(f"frequencies: need weights of at least 0, got {shortened(frequencies)}")
    order = count()
    heap = [(weight, next(order), [symbol]) for symbol, weight in zip(frequencies, weights.tolist(), strict=True)]
    words = dict.fromkeys(frequencies, "" if len(heap) > 1 else "0")
    heapq.heapify(heap)
    while len(heap) > 1:
        light, _, left = heapq.heappop(heap)
        heavy, _, right = heapq.heappop(heap)
        for digit, group in (("0", left), ("1", right)):
            words |= {symbol: digit + words[symbol] for symbol in group}
        heapq.heappush(heap, (light + heavy, next(order), left + right))
    return words


def _pair(p: ArrayLike, q: ArrayLike, axis: int) -> tuple[Floats, Floats]:
    """Return p and q with the axis moved to the end, if they are distributions over the same number of events."""
    p_rows, q_rows = probabilities("p", p, axis=axis), probabilities("q", q, axis=axis)
    if p_rows.shape[-1] != q_rows.shape[-1]:
        raise ValueError(f"p and q: need equally many events along axis {axis}, got {np.shape(p)} and {np.shape(q)}")
    broadcastable(p=p_rows, q=q_rows)
    return p_rows, q_rows


def _nats(base: float) -> float:
    """Return the number of nats in one unit of the base: log 2 for bits."""
    return math.log(number("base", base, above=1))
