"""Shared by the benchmarks: pairs of times, measured in alternation, and the rows of RESULTS.md."""

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

FOLDER = Path(os.environ.get("BENCH", Path(__file__).parents[2] / "build" / "bench"))
QUICK = "--quick" in sys.argv  # small sizes, to test that a benchmark runs
ROUNDS = 2 if QUICK else 5


def seconds(run, *arguments):
    """Return how long a call takes."""
    began = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - began


def paired(ours, peer, rounds=ROUNDS):
    """Return pairs of the seconds that two functions return, called in alternating order."""
    pairs = []
    for i in range(rounds):
        if i % 2:
            pairs.append((ours(), peer()))
        else:
            pairs.append((peer(), ours())[::-1])
    return pairs


def against(work, peer, pairs, *, per=1, beside=""):
    """Return a row that compares pairs of seconds, ours and the peer's, divided by ``per`` units of work."""
    ours, theirs = (1000 * statistics.median(column) / per for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    ratio = f"**{statistics.median(ratios):.2f}** | {ratios[0]:.2f}–{ratios[-1]:.2f}"
    return f"| {work} | {ours:.3g} | {peer} | {theirs:.3g} | {ratio} | {len(pairs)} | {beside} |"


def store(name, rows):
    """Store rows for ``bench.py``."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text("\n".join(rows), encoding="utf-8")


def chromium(playwright):
    """Start the system's Chromium."""
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=path, args=flags)
