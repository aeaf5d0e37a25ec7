"""Measure speed and memory against peers in the same run, and write RESULTS.md.

    python tests/benchmarks/bench.py                # all
    python tests/benchmarks/bench.py em scaling     # some; the page keeps what was measured before of the others

Each measurement is a process of its own. What it finds is kept in build/bench as soon as it is there.
"""

import datetime
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import rows

HERE = Path(__file__).parent
NAMES = ("training", "em", "mig", "network", "explorer", "course", "scaling")
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "matplotlib", "joblib", "jupyterlab", "ipywidgets", "anywidget")
PAGE = """# Speed and memory, measured

`make bench` wrote this page on {date}: {machine}, Python {python}, {versions}. One thread each, unless a row says more.

## Against peers

Both do the same work, in alternation, in one run. The ratio says how many times as long the peer takes: the median of
the pairs, with the least and the most among them. Times are medians in milliseconds.

| work | ours | peer | its time | ratio | least–most | pairs | beside it |
|---|---:|---|---:|---:|---:|---:|---|
{peers}

## What the course asks of a machine

| what | limit | measured | holds |
|---|---|---|---|
{floors}

## How it grows

The slope is that of a straight line through the logarithms of time and size: 1 where twice the size takes twice the
time, less where a part of the time does not depend on the size.

| work | size | seconds at each size | slope |
|---|---|---|---:|
{scaling}
"""
LINES = {
    "peers": "| {work} | {ours:.3g} | {peer} | {theirs:.3g} | **{ratio:.2f}** | {least:.2f}–{most:.2f} | {pairs} |"
    " {beside} |",
    "floors": "| {what} | {limit} | {measured} | {holds} |",
    "scaling": "| {work} | {size} | {curve} | {slope:.2f} |",
}


def shown(row: dict) -> dict:
    """A row as the page says it."""
    if "holds" in row:
        return row | {"holds": "yes" if row["holds"] else "**no**"}
    if "sizes" in row:
        pairs = zip(row["sizes"], row["seconds"], strict=True)
        return row | {"curve": ", ".join(f"{n:,}: {seconds:.3g}" for n, seconds in pairs)}
    return row


def machine() -> str:
    info = Path("/proc/cpuinfo")
    names = [line.split(": ")[1] for line in info.read_text().splitlines() if line.startswith("model name")]
    name = names[0] if names else platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores, {platform.system()}"


def page() -> str:
    tables: dict[str, list[str]] = {table: [] for table in LINES}
    for name in NAMES:
        path = rows.FOLDER / f"{name}.json"
        if not path.exists():
            print(f"{name} is not measured yet")
            continue
        found = json.loads(path.read_text(encoding="utf-8"))
        tables[found["table"]] += [LINES[found["table"]].format(**shown(row)) for row in found["rows"]]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    head = {"date": datetime.date.today(), "machine": machine(), "python": platform.python_version()}
    return PAGE.format(**head, versions=versions, **{table: "\n".join(lines) for table, lines in tables.items()})


def main() -> None:
    chosen = [name for name in sys.argv[1:] if name != "--quick"] or NAMES
    if unknown := set(chosen) - set(NAMES):
        sys.exit(f"there is no measurement {', '.join(unknown)}; choose among {', '.join(NAMES)}")
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in chosen:
        print(f"measuring: {name} ...", flush=True)
        command = [sys.executable, HERE / f"bench_{name}.py", *["--quick"] * rows.QUICK]
        subprocess.run(command, check=True, env=one_thread)
    (rows.FOLDER if rows.QUICK else HERE).joinpath("RESULTS.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
