"""What the course asks of a machine: the import, and all lessons one after the other."""

import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import psutil
import rows
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))[: 1 if rows.QUICK else None]


def started(code: str) -> float:
    return rows.seconds(lambda: subprocess.run([sys.executable, "-c", code], check=True))


def importing() -> dict[str, object]:
    pairs = rows.paired(lambda: started("import vaehelpers"), lambda: started("pass"), 3 if rows.QUICK else 20)
    more = sorted(1000 * (ours - bare) for ours, bare in pairs)
    measured = f"{more[len(more) // 2]:.1f} ms ({more[0]:.1f} to {more[-1]:.1f}, {len(pairs)} pairs of new processes)"
    holds = more[len(more) // 2] <= 50
    return {"what": "`import vaehelpers` above bare Python", "limit": "50 ms", "measured": measured, "holds": holds}


class Memory(threading.Thread):
    """Watches what the kernels hold, in GB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most, self.over = 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(0.1):
            held = 0
            for process in psutil.Process().children(recursive=True):
                try:
                    held += process.memory_info().rss
                except psutil.NoSuchProcess:
                    pass
            self.most = max(self.most, held / 1e9)


def course() -> list[dict[str, object]]:
    memory = Memory()
    memory.start()
    began, longest = time.perf_counter(), (0.0, "")
    for lesson in LESSONS:
        options = {"resources": {"metadata": {"path": ROOT}}, "extra_arguments": ["--IPKernelApp.log_level=ERROR"]}
        client = NotebookClient(nbformat.read(lesson, 4), timeout=600, kernel_name="python3", **options)
        longest = max(longest, (rows.seconds(client.execute), lesson.stem[:2]))
    minutes = (time.perf_counter() - began) / 60
    memory.over.set()
    time_row = {"what": f"all {len(LESSONS)} lessons, one after the other", "limit": "10 minutes"}
    time_row |= {"measured": f"{minutes:.1f} minutes (lesson {longest[1]} the longest, {longest[0]:.0f} s)"}
    memory_row = {"what": "memory of a lesson's kernel, at most", "limit": "2 GB", "measured": f"{memory.most:.2f} GB"}
    return [time_row | {"holds": minutes <= 10}, memory_row | {"holds": memory.most <= 2}]


if __name__ == "__main__":
    rows.keep("course", "floors", [importing(), *course()])
