"""EM against scikit-learn from the same start, one thread each: paired ratios of time, and peak memory."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is loaded

import statistics
import time
import tracemalloc
import warnings

import numpy as np
from sklearn.mixture import GaussianMixture as Peer

from vaehelpers.mixtures import GaussianMixture, fit

ITERATIONS, PAIRS = 5, 7
SIZES = ((100_000, 10, 10), (1_000_000, 2, 5))  # rows, columns, components


def problem(n: int, d: int, k: int) -> tuple[np.ndarray, GaussianMixture]:
    """Data from a mixture with overlaps, and a start: random rows as means, the covariance of all data."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(k, d, d)) / 2
    covariances = roots @ roots.transpose(0, 2, 1) + 0.2 * np.eye(d)
    truth = GaussianMixture(rng.dirichlet(np.full(k, 5)), 3 * rng.normal(size=(k, d)), covariances)
    x, _ = truth.sample(n, rng=rng)
    means = x[rng.choice(n, k, replace=False)]
    return x, GaussianMixture(np.full(k, 1 / k), means, np.tile(np.cov(x.T), (k, 1, 1)))


def ours(x: np.ndarray, start: GaussianMixture) -> tuple[np.ndarray, float]:
    mixture, bounds = fit(x, start, max_iter=ITERATIONS, tol=0)
    return mixture.means, bounds[-1] / len(x)


def peer(x: np.ndarray, start: GaussianMixture) -> tuple[np.ndarray, float]:
    inits = {"weights_init": start.weights, "means_init": start.means}
    model = Peer(len(start.weights), max_iter=ITERATIONS, tol=0, reg_covar=0, **inits)
    model.precisions_init = np.linalg.inv(start.covariances)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        model.fit(x)
    return model.means_, model.lower_bound_


def seconds(run, *arguments) -> float:
    began = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - began


def peak(run, *arguments) -> float:
    """Peak of what the run allocates on top of the data, in MiB."""
    tracemalloc.start()
    run(*arguments)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 2**20


def em(sizes=SIZES, pairs: int = PAIRS) -> list[dict[str, float]]:
    """Measure both on each size, in alternation; `ratio` is the time of scikit-learn over ours, pair by pair."""
    results = []
    for n, d, k in sizes:
        x, start = problem(n, d, k)
        (means, bound), (peer_means, peer_bound) = ours(x, start), peer(x, start)
        times = [(seconds(ours, x, start), seconds(peer, x, start)) for _ in range(pairs)]
        ratios = sorted(b / a for a, b in times)
        row = {"n": n, "d": d, "k": k, "ratio": statistics.median(ratios), "low": ratios[0], "high": ratios[-1]}
        row["ms"] = 1000 * statistics.median(a for a, _ in times) / ITERATIONS
        row["peer_ms"] = 1000 * statistics.median(b for _, b in times) / ITERATIONS
        row["mib"], row["peer_mib"] = peak(ours, x, start), peak(peer, x, start)
        row["means_apart"], row["bound_apart"] = np.abs(means - peer_means).max(), abs(bound / peer_bound - 1)
        results.append(row)
    return results


def main() -> None:
    print(f"EM, one thread each, {ITERATIONS} rounds from the same start, {PAIRS} pairs in alternation:")
    for row in em():
        print(f"  n = {row['n']:,}, d = {row['d']}, K = {row['k']}:")
        print(f"    scikit-learn / ours {row['ratio']:.1f} (from {row['low']:.1f} to {row['high']:.1f}),", end=" ")
        print(f"medians {row['peer_ms']:.0f} and {row['ms']:.0f} ms a round")
        print(f"    peak memory beside the data: ours {row['mib']:.0f} MiB, scikit-learn {row['peer_mib']:.0f} MiB")
        print(f"    apart: means {row['means_apart']:.0e}, bound {row['bound_apart']:.0e} (relative)")


if __name__ == "__main__":
    main()
