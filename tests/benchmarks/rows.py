"""What the measurements share: pairs in alternation, and rows that are kept as soon as they are there."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ.get("BENCH", Path(__file__).parents[2] / "build" / "bench"))
QUICK = "--quick" in sys.argv  # few and small: to see that it runs, not to measure
ROUNDS = 2 if QUICK else 5


def seconds(run: Callable[..., Any], *arguments: Any) -> float:
    began = time.perf_counter()
    run(*arguments)
    return time.perf_counter() - began


def paired(ours: Callable[[], float], peer: Callable[[], float], rounds: int = ROUNDS) -> list[tuple[float, float]]:
    """Return what both say, round by round; who goes first changes, for the second may find the machine warmer."""
    pairs = []
    for i in range(rounds):
        first, second = (ours, peer) if i % 2 else (peer, ours)
        one, other = first(), second()
        pairs.append((one, other) if i % 2 else (other, one))
    return pairs


def against(
    work: str, peer: str, pairs: list[tuple[float, float]], *, per: float = 1, beside: str = ""
) -> dict[str, Any]:
    """Return a row of the first table from pairs of seconds, ours and the peer's, for ``per`` pieces of work."""
    ours, theirs = (1000 * statistics.median(column) / per for column in zip(*pairs, strict=True))
    ratios = sorted(b / a for a, b in pairs)
    row = {"work": work, "ours": ours, "peer": peer, "theirs": theirs, "pairs": len(pairs), "beside": beside}
    return row | {"ratio": statistics.median(ratios), "least": ratios[0], "most": ratios[-1]}


def keep(name: str, table: str, rows: list[dict[str, Any]]) -> None:
    """Write rows to where ``bench.py`` finds them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps({"table": table, "rows": rows}), encoding="utf-8")
