"""MIG against the same score through scikit-learn's mutual_info_score, one thread: paired ratios of time."""

import os

os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # before NumPy is loaded

import statistics
import time

import numpy as np
from sklearn.metrics import mutual_info_score

from vaehelpers.metrics import mig

ROWS, LATENTS, FACTORS, PAIRS = 10_000, 25, 6, 15


def problem() -> tuple[np.ndarray, np.ndarray]:
    """Codes of continuous factors: a blurred latent for each, and latents of noise."""
    rng = np.random.default_rng(0)
    factors, codes = rng.random((ROWS, FACTORS)), rng.standard_normal((ROWS, LATENTS))
    codes[:, :FACTORS] = factors + 0.2 * codes[:, :FACTORS]
    return codes, factors


def bins(values: np.ndarray, n: int) -> np.ndarray:
    return np.digitize(values, np.histogram_bin_edges(values, n)[1:-1])


def peer(mu: np.ndarray, factors: np.ndarray) -> float:
    codes, truths = [bins(column, 20) for column in mu.T], [bins(column, 10) for column in factors.T]
    informed = np.sort([[mutual_info_score(t, c) for t in truths] for c in codes], axis=0)
    return float(np.mean((informed[-1] - informed[-2]) / [mutual_info_score(t, t) for t in truths]))


def seconds(run, *arguments) -> float:
    began = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - began


def scores(pairs: int = PAIRS) -> dict[str, float]:
    """Measure both, in alternation; `ratio` is the time of scikit-learn's way over ours, pair by pair."""
    data = problem()
    apart = abs(mig(*data) - peer(*data))
    times = [(seconds(mig, *data), seconds(peer, *data)) for _ in range(pairs)]
    ratios = sorted(b / a for a, b in times)
    row = {"ratio": statistics.median(ratios), "low": ratios[0], "high": ratios[-1], "apart": apart}
    row["ms"], row["peer_ms"] = (1000 * statistics.median(column) for column in zip(*times, strict=True))
    return row


def main() -> None:
    row = scores()
    print(f"MIG of {ROWS:,} codes, {LATENTS} latents, {FACTORS} factors, one thread, {PAIRS} pairs in alternation:")
    print(f"  mutual_info_score / ours {row['ratio']:.1f} (from {row['low']:.1f} to {row['high']:.1f}),", end=" ")
    print(f"medians {row['peer_ms']:.0f} and {row['ms']:.1f} ms, scores apart {row['apart']:.0e}")


if __name__ == "__main__":
    main()
