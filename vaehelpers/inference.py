"""Posteriors of latent variables: exact by enumeration, approximate by Markov chain Monte Carlo and mean field."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, expit, logit, logsumexp, softmax

from .arguments import Shape, array, constant, function, generator, instance, positive_definite, probabilities, whole

Floats = NDArray[np.float64]
Bits = NDArray[np.uint8]


def enumerate_posterior(log_joint: ArrayLike) -> tuple[Floats, float]:
    """Return the posterior p(z|x), of the shape of ``log_joint``, and log p(x) in nats.

    ``log_joint`` holds log p(x, z) for the observed x and every state of z, in any shape; −inf marks an impossible
    state. Bayes' rule in log space: log p(x) is a logsumexp (Bishop 2006, §1.2). Raises ``ValueError`` when it is
    empty, holds NaN or +inf, or when no state is possible.
    """
    table = _log_table("log_joint", log_joint)
    if (log_evidence := float(logsumexp(table))) == -np.inf:
        raise ValueError(f"log_joint: at least one state must be possible, got -inf for all {table.size}")
    return np.exp(table - log_evidence), log_evidence


def elbo(q: ArrayLike, log_joint: ArrayLike) -> float:
    """Return the evidence lower bound Σ q (log p(x, z) − log q) in nats: at most log p(x).

    ``q`` and ``log_joint`` hold all states of z in the same shape; 0 log 0 = 0, and the bound is −inf where q puts mass
    on an impossible state (Bishop 2006, §9.4, eq. 9.71; there called the lower bound L(q)). Raises ``ValueError`` when
    the shapes differ, q is negative or does not sum to 1, or log_joint holds NaN or +inf.
    """
    table = _log_table("log_joint", log_joint)
    array("q, log_joint", q, table.shape, finite=False)
    p = probabilities("q", np.ravel(q))
    possible = p > 0
    return float(p[possible] @ table.ravel()[possible] + entr(p).sum())


def binary_states(n: int) -> Bits:
    """Return all 2^n states of n binary variables, ``(2**n, n)``; raises ``ValueError`` for n > 24 (3 GB)."""
    return _digits(np.arange(2 ** whole("n", n, 0, 24)), n)


def _digits(numbers: NDArray[np.intp], n: int) -> Bits:
    return ((numbers[:, None] >> np.arange(n)) & 1).astype(np.uint8)


def factorised(q: ArrayLike, states: ArrayLike) -> Floats:
    """Return Π q(z_i) ``(m,)`` for the rows of ``states (m, n)``, where ``q (n,)`` holds q(z_i = 1).

    Raises ``ValueError`` when ``q`` is not a row of probabilities or ``states`` not a table of 0 and 1 with n columns.
    """
    on = array("q", q, ("n",), unit=True)
    return np.where(_bits("states", states, ("m", len(on))), on, 1 - on).prod(axis=1)


@dataclass(eq=False)
class NoisyOr:
    """Binary causes, each of which produces each symptom independently with its own strength (Pearl 1988, ch. 4).

    ``prior (causes,)`` is the probability of each cause. ``leak (symptoms,)`` is the probability of a symptom without
    any cause. Both are strictly between 0 and 1, so no state is impossible. ``strength (causes, symptoms)`` is the
    probability in [0, 1) that a cause alone produces a symptom. The arrays are copied and read-only. Raises
    ``ValueError`` for other shapes or values.
    """

    prior: Floats
    leak: Floats
    strength: Floats

    def __post_init__(self) -> None:
        self.prior = constant("prior", self.prior, ("causes",))
        self.leak = constant("leak", self.leak, ("symptoms",))
        self.strength = constant("strength", self.strength, self.prior.shape + self.leak.shape)
        for name in ("prior", "leak", "strength"):
            p = getattr(self, name)
            if not ((p < 1) & (p >= 0 if name == "strength" else p > 0)).all():
                need = "in [0, 1)" if name == "strength" else "strictly between 0 and 1"
                raise ValueError(f"{name}: need probabilities {need}, got {p.min():g} to {p.max():g}")

    def log_joint(self, states: ArrayLike, symptoms: ArrayLike) -> Floats:
        """Return log p(x, z) ``(m,)`` in nats for causes ``states (m, causes)`` and observed ``symptoms (symptoms,)``.

        A symptom is absent if the leak and every present cause independently fail to produce it. Raises ``ValueError``
        when a shape does not match the model or a value is neither 0 nor 1.
        """
        z, x = _bits("states", states, ("m", len(self.prior))), _bits("symptoms", symptoms, self.leak.shape)
        log_prior = z @ logit(self.prior) + np.log1p(-self.prior).sum()
        log_absent = np.log1p(-self.leak) + z @ np.log1p(-self.strength)
        return log_prior + _log_probability(log_absent, x).sum(axis=1)


def _log_probability(log_absent: Floats, present: ArrayLike) -> Floats:
    """Return the log-probability of symptoms as observed, from that of their absence."""
    return np.where(present, np.log(-np.expm1(log_absent)), log_absent)


def posterior_marginals(model: NoisyOr, symptoms: ArrayLike) -> Floats:
    """Return p(z_i = 1 | x) ``(causes,)`` exactly, from all 2^causes states in blocks that fit into the cache.

    Raises ``ValueError`` for more than 30 causes: 30 take most of an hour, and each further cause doubles the time.
    """
    n = len(instance("model", model, NoisyOr).prior)
    if n > 30:
        raise ValueError(f"model: need at most 30 causes to enumerate, got {n}; use metropolis or mean_field")
    log_sums, marginals = [], []
    for first in range(0, 2**n, 2**12):
        states = _digits(np.arange(first, min(first + 2**12, 2**n)), n)
        posterior, log_sum = enumerate_posterior(model.log_joint(states, symptoms))
        log_sums.append(log_sum)
        marginals.append(posterior @ states)
    return softmax(log_sums) @ np.array(marginals)


def metropolis(log_p: Callable[[Bits], ArrayLike], start: ArrayLike, steps: int, *, rng: np.random.Generator) -> Bits:
    """Sample binary states: flip one variable at random, and accept with probability min(1, p(new) / p(old)).

    ``log_p`` maps states ``(chains, n)`` to log-probabilities ``(chains,)``, up to a constant, and is evaluated once
    per step; ``start (chains, n)`` holds the first state of each independent chain. Returns the states after each step,
    ``(steps, chains, n)``; if the chains disagree, they need more steps. Metropolis et al. (1953), "Equation of state
    calculations by fast computing machines"; MacKay (2003), §29.4. Raises ``ValueError`` when ``start`` is not a table
    of 0 and 1 or holds an impossible state, and when ``log_p`` returns NaN or another shape.
    """
    z = _bits("start", start, ("chains", "n")).astype(np.uint8)
    current = _log_table("log_p", function("log_p", log_p)(z), (len(z),))
    if impossible := int((current == -np.inf).sum()):
        raise ValueError(f"start: every chain must start from a possible state, got {impossible} that are not")
    rows, chain = np.arange(len(z)), np.empty((whole("steps", steps, 0), *z.shape), np.uint8)
    generator("rng", rng)
    for t in range(steps):
        proposal = z.copy()
        proposal[rows, rng.integers(z.shape[1], size=len(z))] ^= 1
        proposed = _log_table("log_p", log_p(proposal), (len(z),))
        accept = -rng.exponential(size=len(z)) < proposed - current  # log of a uniform number
        z, current = np.where(accept[:, None], proposal, z), np.where(accept, proposed, current)
        chain[t] = z
    return chain


def mean_field(model: NoisyOr, symptoms: ArrayLike, start: ArrayLike, *, sweeps: int = 10) -> tuple[Floats, Floats]:
    """Fit q(z) = Π q(z_i) by coordinate ascent on the ELBO: one factor is updated while the others are fixed.

    ``start (causes,)`` holds the first q(z_i = 1). Returns the path ``(1 + sweeps · causes, causes)`` of q(z_i = 1) and
    the cumulative work after each update. The expectations are exact (Bishop 2006, eq. 10.9): for each symptom, a sum
    over the states of its other causes. The unit of work is one evaluation of the log joint, which evaluates each
    symptom once. Raises ``ValueError`` when ``start`` is not one probability for each cause, or when a symptom has more
    than 25 causes.
    """
    causes, n_symptoms = instance("model", model, NoisyOr).strength.shape
    x, q = _bits("symptoms", symptoms, (n_symptoms,)), array("start", start, (causes,), unit=True)
    if (most := int((model.strength > 0).sum(axis=0).max())) > 25:  # 2^24 states of the others
        raise ValueError(f"model: need at most 25 causes of a symptom, got {most}")
    path, work = [q], [0.0]
    for i in np.tile(np.arange(causes), whole("sweeps", sweeps, 0)):
        log_odds, evaluated = _expected_log_odds(model, x, q, i)
        q = q.copy()
        q[i] = expit(log_odds)
        path.append(q)
        work.append(work[-1] + evaluated / n_symptoms)
    return np.array(path), np.array(work)


def _expected_log_odds(model: NoisyOr, x: Floats, q: Floats, i: int) -> tuple[float, int]:
    """Return E[log p(x, z_i = 1, rest) − log p(x, z_i = 0, rest)] under q, and the number of evaluated symptoms."""
    total, evaluated = logit(model.prior[i]), 0
    for j in np.flatnonzero(model.strength[i]):
        others = np.setdiff1d(np.flatnonzero(model.strength[:, j]), i)
        states = binary_states(len(others))
        without = np.log1p(-model.leak[j]) + states @ np.log1p(-model.strength[others, j])
        log_ratio = _log_probability(without + np.log1p(-model.strength[i, j]), x[j]) - _log_probability(without, x[j])
        total += np.where(states, q[others], 1 - q[others]).prod(axis=1) @ log_ratio
        evaluated += 2 * len(states)
    return float(total), evaluated


def gaussian_mean_field(
    mean: ArrayLike, covariance: ArrayLike, start: ArrayLike, *, sweeps: int = 10
) -> tuple[Floats, Floats]:
    """Fit a product of one-dimensional Gaussians to N(mean, covariance) by coordinate ascent.

    Returns the path ``(1 + sweeps · d, d)`` of the means, and the variances ``(d,)``, which are 1 / Λ_ii with the
    precision matrix Λ = covariance⁻¹ and do not change between updates (Bishop 2006, §10.1.2, eq. 10.12 to 10.15).
    Raises ``ValueError`` when the shapes differ or the covariance is not symmetric positive definite.
    """
    mu = array("mean", mean, ("d",))
    m, sigma = array("start", start, mu.shape).copy(), positive_definite("covariance", covariance, mu.shape * 2)
    inverse = np.linalg.inv(np.linalg.cholesky(sigma))
    precision = inverse.T @ inverse
    path = [m.copy()]
    for i in np.tile(np.arange(len(mu)), whole("sweeps", sweeps, 0)):
        m[i] -= precision[i] @ (m - mu) / precision[i, i]
        path.append(m.copy())
    return np.array(path), 1 / np.diag(precision)


def converged(path: ArrayLike) -> bool:
    """Return whether the last sweep of a mean-field path ``(1 + sweeps · n, n)`` changed no value by more than 1e-6.

    Divide the path of ``gaussian_mean_field`` by the standard deviations of q first, so that its unit does not matter.
    """
    updates = array("path", path, ("updates", "n"))
    sweep = updates.shape[1]
    return len(updates) > sweep and bool((np.abs(updates[-1] - updates[-1 - sweep]) <= 1e-6).all())


def _bits(name: str, values: ArrayLike, shape: Shape) -> Floats:
    bits = array(name, values, shape)
    if not ((bits == 0) | (bits == 1)).all():
        raise ValueError(f"{name}: every value must be 0 or 1, got {bits[(bits != 0) & (bits != 1)][0]:g}")
    return bits


def _log_table(name: str, values: ArrayLike, shape: Shape | None = None) -> Floats:
    table = array(name, values, shape, finite=False)
    if table.size == 0 or not (table < np.inf).all():
        most = np.max(table, initial=-np.inf)
        raise ValueError(f"{name}: need at least one number, none NaN or +inf, got a maximum of {most:g}")
    return table
