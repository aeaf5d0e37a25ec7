"""Time and memory of all lessons, run one after the other."""

import resource
from pathlib import Path

import nbformat
import rows
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))[: 1 if rows.QUICK else None]


def execute(lesson):
    options = {"resources": {"metadata": {"path": ROOT}}, "extra_arguments": ["--IPKernelApp.log_level=ERROR"]}
    NotebookClient(nbformat.read(lesson, 4), timeout=600, kernel_name="python3", **options).execute()


def row(what, value, limit, unit, beside=""):
    return f"| {what} | {limit} {unit} | {value:.3g} {unit}{beside} | {'yes' if value <= limit else '**no**'} |"


if __name__ == "__main__":
    times = {lesson.stem[:2]: rows.seconds(execute, lesson) for lesson in LESSONS}
    longest = max(times, key=times.get)
    beside = f" (lesson {longest} the longest, {times[longest]:.0f} s)"
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6  # Linux counts kilobytes
    course = [
        row(f"all {len(LESSONS)} lessons, one after the other", sum(times.values()) / 60, 10, "minutes", beside),
        row("memory of the largest process", memory, 2, "GB"),
    ]
    rows.store("course", course)
