"""MIG against disentanglement_lib's formula, which calls scikit-learn's mutual_info_score for each pair."""

import numpy as np
import rows
from sklearn.metrics import mutual_info_score

from vaehelpers.metrics import mig

ROWS, LATENTS, FACTORS = 500 if rows.QUICK else 10_000, 25, 6


def problem():
    """Return codes and continuous factors: a noisy latent for each factor, and latents of noise."""
    rng = np.random.default_rng(0)
    factors, codes = rng.random((ROWS, FACTORS)), rng.standard_normal((ROWS, LATENTS))
    codes[:, :FACTORS] = factors + 0.2 * codes[:, :FACTORS]
    return codes, factors


def bins(values, n):
    return np.digitize(values, np.histogram_bin_edges(values, n)[1:-1])


def peer(mu, factors):
    codes, truths = [bins(column, 20) for column in mu.T], [bins(column, 10) for column in factors.T]
    informed = np.sort([[mutual_info_score(t, c) for t in truths] for c in codes], axis=0)
    return float(np.mean((informed[-1] - informed[-2]) / [mutual_info_score(t, t) for t in truths]))


if __name__ == "__main__":
    data = problem()
    beside = f"scores apart {abs(mig(*data) - peer(*data)):.0e}"
    pairs = rows.paired(lambda: rows.seconds(mig, *data), lambda: rows.seconds(peer, *data))
    work = f"MIG of {ROWS:,} codes, {LATENTS} latents, {FACTORS} factors"
    rows.store("mig", [rows.against(work, "disentanglement_lib's formula", pairs, beside=beside)])
