"""EM against scikit-learn from the same start: time of an iteration, and peak memory."""

import tracemalloc
import warnings

import numpy as np
import rows
from sklearn.mixture import GaussianMixture as Peer

from vaehelpers.mixtures import GaussianMixture, fit

ITERATIONS = 5
SIZES = ((2_000, 3, 3),) if rows.QUICK else ((100_000, 10, 10), (1_000_000, 2, 5))  # rows, columns, components


def problem(n, d, k):
    """Return data from overlapping components, and a start: random rows as means, the covariance of all data."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(k, d, d)) / 2
    covariances = roots @ roots.transpose(0, 2, 1) + 0.2 * np.eye(d)
    truth = GaussianMixture(rng.dirichlet(np.full(k, 5)), 3 * rng.normal(size=(k, d)), covariances)
    x, _ = truth.sample(n, rng=rng)
    means = x[rng.choice(n, k, replace=False)]
    return x, GaussianMixture(np.full(k, 1 / k), means, np.tile(np.cov(x.T), (k, 1, 1)))


def ours(x, start):
    return fit(x, start, max_iter=ITERATIONS, tol=0).mixture.means


def peer(x, start):
    inits = {"weights_init": start.weights, "means_init": start.means}
    inits["precisions_init"] = np.linalg.inv(start.covariances)
    return Peer(len(start.weights), max_iter=ITERATIONS, tol=0, reg_covar=0, **inits).fit(x).means_


def peak(run, *arguments):
    """Return the peak of what a call allocates, in MiB."""
    tracemalloc.start()
    run(*arguments)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # scikit-learn warns that it has not converged
    table = []
    for n, d, k in SIZES:
        data = problem(n, d, k)
        apart = np.abs(ours(*data) - peer(*data)).max()
        beside = f"means apart {apart:.0e}; memory {peak(ours, *data):.0f} MiB against {peak(peer, *data):.0f}"
        pairs = rows.paired(lambda: rows.seconds(ours, *data), lambda: rows.seconds(peer, *data))  # noqa: B023
        work = f"an iteration of EM, {n:,} rows, {d} columns, {k} components"
        table.append(rows.against(work, "scikit-learn", pairs, per=ITERATIONS, beside=beside))
    rows.store("em", table)
