"""How the time grows with the size of the task: rows for EM, latents for scores, pictures for training, runs."""

import os
import statistics
import tempfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import rows
from bench_em import ours as em
from bench_em import problem as mixture_problem
from bench_mig import problem as codes_problem

from vaehelpers import datasets, metrics, training


def scaling(work: str, size: str, sizes: Sequence[int], task: Callable[[int], Callable[[], object]]) -> dict[str, Any]:
    """Return a row: the median of three runs at each size, and the slope on logarithmic axes."""
    sizes = sizes[: 2 if rows.QUICK else None]
    task(sizes[0])()  # warm up
    times = []
    for n in sizes:
        run = task(n)
        times.append(statistics.median(rows.seconds(run) for _ in range(1 if rows.QUICK else 3)))
    slope = np.polyfit(np.log(sizes), np.log(times), 1)[0]
    return {"work": work, "size": size, "sizes": list(sizes), "seconds": times, "slope": slope}


def fitted(n: int):
    data = mixture_problem(n, 2, 5)
    return lambda: em(*data)


def scored(score, n: int):
    def task(latents: int):
        data = codes_problem(n, latents)
        return lambda: score(*data)

    return task


def trained(pictures: int):
    images = datasets.hands(500, seed=1, size=32, progress=False)
    return lambda: training.train(images, beta=1, pictures=pictures, latent_dim=10, progress=False)


def swept(workers: int):
    images = datasets.hands(500, seed=1, size=32, progress=False)
    pictures = 640 if rows.QUICK else 6400

    def task(runs: int):
        def run() -> None:
            os.environ["LOKY_MAX_CPU_COUNT"] = str(workers)
            with tempfile.TemporaryDirectory() as folder:
                options = {"pictures": pictures, "latent_dim": 5, "progress": False}
                training.sweep(images, betas=[1], seeds=range(runs), folder=folder, score=lambda model: {}, **options)

        return run

    return task


def main() -> None:
    latents = (10, 20, 40, 80)
    table = [
        scaling("5 rounds of EM, 2 columns, 5 components", "rows", (10_000, 100_000, 1_000_000), fitted),
        *(
            scaling(f"{s.__name__.upper()} of {n:,} codes, 6 factors", "latents", latents, scored(s, n))
            for s, n in _SCORES
        ),
        scaling("training at 32×32", "pictures", (3200, 6400, 12_800, 25_600), trained),
        *(scaling(f"a sweep on {w} worker{'s' * (w > 1)}", "runs", (2, 4, 8), swept(w)) for w in (1, 2)),
    ]
    rows.keep("scaling", "scaling", table)


_SCORES = ((metrics.mig, 10_000), (metrics.sap, 10_000), (metrics.dci, 200))  # DCI grows 1,000 trees a factor

if __name__ == "__main__":
    main()
