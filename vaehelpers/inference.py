"""What is hidden, given what is seen: exactly by enumeration, by Monte Carlo, and by mean-field; nats throughout."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit, logsumexp, softmax, xlogy

from .arguments import array, function, generator, instance, shortened, tolerance, whole

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]


def enumerate_posterior(log_joint: ArrayLike) -> tuple[Floats, float]:
    """Return the posterior p(z|x), of the shape of ``log_joint``, and log p(x) in nats.

    ``log_joint`` holds log p(x, z) for the seen x and every state of z, in any shape; −inf marks an impossible state.
    Bayes' rule in log space: log p(x) is a logsumexp (Bishop 2006, §1.2). Raises ``ValueError`` when it is empty, holds
    NaN or +inf, or when no state is possible.
    """
    table = _log_table(log_joint)
    if (log_evidence := float(logsumexp(table))) == -np.inf:
        raise ValueError(f"log_joint: at least one state must be possible, got -inf for all {table.size}")
    return np.exp(table - log_evidence), log_evidence


def elbo(q: ArrayLike, log_joint: ArrayLike) -> float:
    """Return the evidence lower bound Σ q (log p(x, z) − log q) in nats: at most log p(x).

    ``q`` and ``log_joint`` run over all states of z, in one shape; 0 log 0 = 0, and the bound is −inf where q puts mass
    on an impossible state (Bishop 2006, §9.4, eq. 9.71; there called the lower bound L(q)). Raises ``ValueError`` when
    the shapes differ, q is negative or does not sum to 1, or log_joint holds NaN or +inf.
    """
    table, guess = _log_table(log_joint), array("q", q, finite=False)
    if guess.shape != table.shape:
        raise ValueError(f"q: needs the shape of log_joint, {table.shape}, got {guess.shape}")
    if not (guess >= 0).all() or abs(guess.sum() - 1) > tolerance(q, guess.size):
        raise ValueError(f"q: needs probabilities that sum to 1, got minimum {guess.min()} and sum {guess.sum()}")
    seen = guess > 0
    return float(guess[seen] @ table[seen] - xlogy(guess, guess).sum())


def binary_states(n: int) -> Bits:
    """Return all 2^n states of n switches as rows of 0 and 1, ``(2**n, n)``; raises ``ValueError`` beyond 24."""
    whole("n", n, 0, 24)  # what fits into memory
    return _digits(np.arange(2**n), n)


def _digits(numbers: NDArray[np.intp], n: int) -> Bits:
    return ((numbers[:, None] >> np.arange(n)) & 1).astype(np.uint8)


def factorised(q: ArrayLike, states: ArrayLike) -> Floats:
    """Return the probability ``(m,)`` of each row of ``states`` when each switch i is on by itself, at q_i.

    Raises ``ValueError`` when ``q`` is no row of probabilities or ``states`` no table of 0 and 1 with as many columns.
    """
    on = array("q", q, finite=False)
    if on.ndim != 1 or not ((on >= 0) & (on <= 1)).all():
        raise ValueError(f"q: needs a row of probabilities, got {shortened(q)}")
    return np.where(_bits("states", states, (-1, len(on))), on, 1 - on).prod(axis=1)


@dataclass(frozen=True, eq=False)
class NoisyOr:
    """Hidden causes (0 or 1), each of which shows each symptom with its own strength (Pearl 1988, ch. 4).

    ``prior (causes,)`` is how often a cause is there, strictly between 0 and 1. ``leak (symptoms,)`` is how often a
    symptom comes without any of them, strictly between 0 and 1, so that nothing is impossible. ``strength (causes,
    symptoms)`` is the probability in [0, 1) that a cause alone shows a symptom. Raises ``ValueError`` otherwise.
    """

    prior: ArrayLike
    leak: ArrayLike
    strength: ArrayLike

    def __post_init__(self) -> None:
        for name, shape in (("prior", ("causes",)), ("leak", ("symptoms",)), ("strength", ("causes", "symptoms"))):
            object.__setattr__(self, name, array(name, getattr(self, name), shape, finite=False).copy())
            getattr(self, name).flags.writeable = False
        prior, leak, strength = self.arrays
        if strength.shape != (len(prior), len(leak)):
            raise ValueError(f"strength: needs (causes, symptoms) = {prior.shape + leak.shape}, got {strength.shape}")
        for name, values in (("prior", prior), ("leak", leak)):
            if not ((values > 0) & (values < 1)).all():
                raise ValueError(f"{name}: needs probabilities strictly between 0 and 1, got {shortened(values)}")
        if not ((strength >= 0) & (strength < 1)).all():
            raise ValueError(f"strength: needs probabilities in [0, 1), got {strength.min()} to {strength.max()}")

    @property
    def arrays(self) -> tuple[Floats, Floats, Floats]:
        """Prior, leak and strength."""
        return self.prior, self.leak, self.strength  # type: ignore[return-value]

    def log_joint(self, states: ArrayLike, symptoms: ArrayLike) -> Floats:
        """Return log p(x, z) ``(m,)`` in nats for the causes ``states (m, causes)`` and the seen ``symptoms``.

        A symptom is absent when the leak and every present cause fail to show it, each on its own. Raises
        ``ValueError`` when a shape does not fit the model or a value is neither 0 nor 1.
        """
        prior, leak, strength = self.arrays
        z, x = _bits("states", states, (-1, len(prior))), _bits("symptoms", symptoms, leak.shape)
        log_prior = z @ logit(prior) + np.log1p(-prior).sum()
        log_absent = np.log1p(-leak) + z @ np.log1p(-strength)
        return log_prior + np.where(x, np.log(-np.expm1(log_absent)), log_absent).sum(axis=1)


CAUSES = ("unplugged", "fuse blown", "tank empty", "pump broken", "limescale", "filter clogged", "heater broken",
          "grinder jammed", "stale beans", "seal worn")  # fmt: skip
SYMPTOMS = ("lamp dark", "no coffee", "runs slowly", "coffee cold", "tastes weak", "tastes bitter", "puddle", "noisy")
#: A coffee machine: ten things that can be wrong with it, and eight things to be seen, in the order of the names above.
COFFEE_MACHINE = NoisyOr(
    prior=[0.10, 0.05, 0.15, 0.05, 0.20, 0.10, 0.05, 0.08, 0.15, 0.08],
    leak=[0.02] * 8,
    strength=[
        [0.99, 0.99, 0, 0, 0, 0, 0, 0],
        [0.99, 0.99, 0, 0, 0, 0, 0, 0],
        [0, 0.95, 0, 0, 0, 0, 0, 0.3],
        [0, 0.7, 0.6, 0, 0, 0, 0, 0.4],
        [0, 0, 0.7, 0.4, 0, 0.3, 0, 0.3],
        [0, 0, 0.8, 0, 0.3, 0, 0.3, 0],
        [0, 0, 0, 0.95, 0, 0, 0, 0],
        [0, 0, 0, 0, 0.8, 0, 0, 0.8],
        [0, 0, 0, 0, 0.6, 0.5, 0, 0],
        [0, 0, 0.2, 0, 0, 0, 0.8, 0],
    ],
)


def posterior_marginals(model: NoisyOr, symptoms: ArrayLike) -> Floats:
    """Return p(z_i = 1 | x) ``(causes,)`` exactly: all 2^causes states, in blocks that stay in the cache.

    Raises ``ValueError`` beyond 30 causes, which take most of an hour; each further one doubles that.
    """
    n = len(instance("model", model, NoisyOr).arrays[0])
    if n > 30:
        raise ValueError(f"model: need at most 30 causes to enumerate, got {n}; metropolis and mean_field take more")
    log_sums, marginals = [], []
    for first in range(0, 2**n, 2**12):
        states = _digits(np.arange(first, min(first + 2**12, 2**n)), n)
        posterior, log_sum = enumerate_posterior(model.log_joint(states, symptoms))
        log_sums.append(log_sum)
        marginals.append(posterior @ states)
    return softmax(log_sums) @ np.array(marginals)


def metropolis(log_p: Callable[[Bits], ArrayLike], start: ArrayLike, steps: int, *, rng: np.random.Generator) -> Bits:
    """Walk through binary states: flip one switch at random, and accept with probability min(1, p(new) / p(old)).

    ``log_p`` maps states ``(chains, n)`` to log-probabilities ``(chains,)``, up to a constant; ``start (chains, n)``
    holds a state for each of the independent chains. Returns the states after each step, ``(steps, chains, n)``;
    ``r_hat`` of them says whether the chains have converged. A step costs each chain one evaluation of ``log_p``
    (Metropolis et al. 1953; MacKay 2003, §29.4). Raises ``ValueError`` when ``start`` is no table of 0 and 1 or holds
    an impossible state, and when ``log_p`` gives NaN or another shape.
    """
    z = _bits("start", array("start", start, ("chains", "n")), (-1, -1)).astype(np.uint8)
    current = array("log_p", function("log_p", log_p)(z), (len(z),), finite=False)
    if impossible := int((~np.isfinite(current)).sum()):
        raise ValueError(f"start: every chain must start from a possible state, got {impossible} that are not")
    rows, chain = np.arange(len(z)), np.empty((whole("steps", steps, 0), *z.shape), np.uint8)
    generator("rng", rng)
    for t in range(steps):
        proposal = z.copy()
        proposal[rows, rng.integers(z.shape[1], size=len(z))] ^= 1
        proposed = np.asarray(log_p(proposal), float)
        if proposed.shape != current.shape or np.isnan(proposed).any():
            raise ValueError(f"log_p: need one number for each of {len(z)} chains, none NaN, got {shortened(proposed)}")
        accept = -rng.exponential(size=len(z)) < proposed - current  # log of a uniform number
        z, current = np.where(accept[:, None], proposal, z), np.where(accept, proposed, current)
        chain[t] = z
    return chain


def r_hat(chains: ArrayLike) -> Floats:
    """Return how much wider all chains together are than each half of a chain by itself, for each unknown ``(n,)``.

    ``chains`` is ``(steps, chains, n)``, as ``metropolis`` gives it. Near 1 the halves of all chains agree; above 1.01
    they need more steps. This is the split potential scale reduction of Gelman et al. (2013), "Bayesian Data Analysis",
    §11.4; the limit is that of Vehtari et al. (2021), "Rank-normalization, folding, and localization", §4. An unknown
    that never moves has 1 where all chains agree, else infinity. Raises ``ValueError`` for fewer than 4 steps.
    """
    x = array("chains", chains, ("steps", "chains", "n"))
    if (half := len(x) // 2) < 2:
        raise ValueError(f"chains: need at least 4 steps, got {len(x)}")
    halves = np.concatenate([x[:half], x[-half:]], axis=1)
    between, within = halves.mean(axis=0).var(axis=0, ddof=1), halves.var(axis=0, ddof=1).mean(axis=0)
    still = np.where(between > 0, np.inf, 1.0)
    return np.sqrt(np.divide((half - 1) / half * within + between, within, out=still, where=within > 0))


class MeanField(NamedTuple):
    """What ``mean_field`` returns: q_i(z_i = 1) before and after each update, and the work up to there."""

    path: Floats  # (1 + sweeps · causes, causes)
    work: Floats  # in evaluations of the log joint

    @property
    def converged(self) -> bool:
        """Whether the last sweep moved no probability by more than a millionth."""
        return _stands_still(self.path)


def mean_field(model: NoisyOr, symptoms: ArrayLike, start: ArrayLike, *, sweeps: int = 10) -> MeanField:
    """Fit q(z) = Π q_i(z_i) by coordinate ascent on the ELBO: one factor moves, the others are frozen.

    ``start (causes,)`` holds the first q_i(z_i = 1). Returns the path and the work of ``sweeps`` times all updates, and
    ``converged``. Each expectation is exact: it runs over the other causes of a symptom and no further, so the work is
    counted in symptoms looked at, over symptoms (Bishop 2006, eq. 10.9). Raises ``ValueError`` when ``start`` is no
    list of probabilities, one for each cause, or a symptom has more than 25 causes.
    """
    prior, leak, strength = instance("model", model, NoisyOr).arrays
    x, q = _bits("symptoms", symptoms, leak.shape), array("start", start, finite=False)
    if q.shape != prior.shape or not ((q >= 0) & (q <= 1)).all():
        raise ValueError(f"start: needs {len(prior)} probabilities, got {shortened(start)}")
    if (most := int((strength > 0).sum(axis=0).max())) > 25:  # 2^24 states of the others
        raise ValueError(f"model: need at most 25 causes of a symptom, got {most}")
    path, work = [q], [0.0]
    for i in np.tile(np.arange(len(prior)), whole("sweeps", sweeps, 0)):
        log_odds, looks = _expected_log_odds(model, x, q, i)
        q = q.copy()
        q[i] = expit(log_odds)
        path.append(q)
        work.append(work[-1] + looks / len(leak))
    return MeanField(np.array(path), np.array(work))


def _expected_log_odds(model: NoisyOr, x: Floats, q: Floats, i: int) -> tuple[float, int]:
    """E[log p(x, z_i = 1, rest) − log p(x, z_i = 0, rest)] over the rest under q, and the symptoms looked at."""
    prior, leak, strength = model.arrays
    total, looks = logit(prior[i]), 0
    for j in np.flatnonzero(strength[i]):
        others = np.setdiff1d(np.flatnonzero(strength[:, j]), i)
        states = binary_states(len(others))
        off = np.log1p(-leak[j]) + states @ np.log1p(-strength[others, j])
        on = off + np.log1p(-strength[i, j])
        if x[j]:
            on, off = np.log(-np.expm1(on)), np.log(-np.expm1(off))
        total += factorised(q[others], states) @ (on - off)
        looks += 2 * len(states)
    return float(total), looks


class GaussianMeanField(NamedTuple):
    """What ``gaussian_mean_field`` returns: the means of q before and after each update, and its variances."""

    path: Floats  # (1 + sweeps · d, d)
    variances: Floats

    @property
    def converged(self) -> bool:
        """Whether the last sweep moved no mean by more than a millionth of its standard deviation."""
        return _stands_still(self.path / np.sqrt(self.variances))


def gaussian_mean_field(
    mean: ArrayLike, covariance: ArrayLike, start: ArrayLike, *, sweeps: int = 10
) -> GaussianMeanField:
    """Fit a product of one-dimensional Gaussians to N(mean, covariance) by coordinate ascent.

    Returns the path of the means, ``converged``, and the variances, which are 1 / Λ_ii with the precision matrix Λ =
    covariance⁻¹ and right from the first update on (Bishop 2006, §10.1.2, eq. 10.12 to 10.15). Raises ``ValueError``
    when the shapes differ or the covariance is not symmetric positive definite.
    """
    mu, m, sigma = array("mean", mean), array("start", start).copy(), array("covariance", covariance)
    if mu.ndim != 1 or m.shape != mu.shape or sigma.shape != (len(mu), len(mu)):
        raise ValueError(f"covariance, mean, start: need (d, d), (d,), (d,), got {sigma.shape}, {mu.shape}, {m.shape}")
    if (np.abs(sigma - sigma.T) > 1e-6 * np.abs(sigma).max()).any() or np.linalg.eigvalsh(sigma)[0] <= 0:
        raise ValueError(f"covariance: needs a symmetric positive definite matrix, got {shortened(covariance)}")
    precision = np.linalg.inv(sigma)
    path = [m.copy()]
    for i in np.tile(np.arange(len(mu)), whole("sweeps", sweeps, 0)):
        m[i] -= precision[i] @ (m - mu) / precision[i, i]
        path.append(m.copy())
    return GaussianMeanField(np.array(path), 1 / np.diag(precision))


def _stands_still(path: Floats) -> bool:
    """Whether no coordinate moved by more than a millionth in the last sweep, which updates each of them once."""
    sweep = path.shape[1]
    return len(path) > sweep and bool((np.abs(path[-1] - path[-1 - sweep]) <= 1e-6).all())


def _bits(name: str, values: ArrayLike, shape: tuple[int, ...]) -> Floats:
    bits = array(name, values, finite=False)
    if bits.ndim != len(shape) or any(need not in (-1, got) for need, got in zip(shape, bits.shape, strict=True)):
        raise ValueError(f"{name}: needs the shape {str(shape).replace('-1', 'n')}, got {bits.shape}")
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError(f"{name}: every value must be 0 or 1, got {bits[(bits != 0) & (bits != 1)][0]:g}")
    return bits


def _log_table(log_joint: ArrayLike) -> Floats:
    table = array("log_joint", log_joint, finite=False)
    if table.size == 0 or np.isnan(table).any() or (table == np.inf).any():
        raise ValueError(f"log_joint: needs at least one number, none NaN or +inf, got {shortened(log_joint)}")
    return table
