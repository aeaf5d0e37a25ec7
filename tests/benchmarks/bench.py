"""Measure speed and memory against peers in the same run, and write RESULTS.md.

    python tests/benchmarks/bench.py             # all
    python tests/benchmarks/bench.py em mig      # some; the page keeps earlier results of the others

Each benchmark runs in a separate process and stores its rows in build/bench.
"""

import datetime
import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path

import rows

HERE = Path(__file__).parent
PEERS = ("training", "em", "mig", "network", "explorer")
COURSE = ("course", "frames", "play")
NAMES = (*PEERS, *COURSE)
LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "jupyterlab", "ipywidgets", "anywidget")
PAGE = """# Speed and memory, measured

`make bench` wrote this page on {date}: {machine}, Python {python}, {versions}. One thread each, unless a row says so.

## Against peers

Both do the same work, in alternation, in one run. The ratio is the peer's time divided by ours: the median of the
pairs, with their minimum and maximum. Times are medians in milliseconds.

| work | ours | peer | its time | ratio | min–max | pairs | notes |
|---|---:|---|---:|---:|---:|---:|---|
{peers}

## Requirements of the course

| quantity | limit | measured | met |
|---|---|---|---|
{course}
"""


def machine():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(": ")[1] for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.machine()
    return f"{name}, {os.cpu_count()} cores, load average {os.getloadavg()[2]:.0f}, {platform.system()}"


def stored(*names):
    paths = [rows.FOLDER / f"{name}.md" for name in names]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())


def page():
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in LIBRARIES)
    head = {"date": datetime.date.today(), "machine": machine(), "python": platform.python_version()}
    return PAGE.format(**head, versions=versions, peers=stored(*PEERS), course=stored(*COURSE))


def main():
    chosen = [name for name in sys.argv[1:] if name != "--quick"] or NAMES
    if unknown := set(chosen) - set(NAMES):
        sys.exit(f"there is no benchmark {', '.join(unknown)}; choose among {', '.join(NAMES)}")
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    for name in chosen:
        print(f"measuring: {name} ...", flush=True)
        command = [sys.executable, HERE / f"bench_{name}.py", *["--quick"] * rows.QUICK]
        subprocess.run(command, check=True, env=one_thread)
        (rows.FOLDER if rows.QUICK else HERE).joinpath("RESULTS.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
