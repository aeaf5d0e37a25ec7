"""Sizes of the figures under sliders on the pages of the lessons, which are executed if they have changed."""

import statistics
import sys
from pathlib import Path

import rows
from bench_course import row

sys.path.append(str(Path(__file__).parents[2] / "docs"))
from executed import execute_all

LESSONS = ["01"] if rows.QUICK else [f"{number:02}" for number in range(1, 8)]


def figures(notebook):
    """Return the HTML of the figures under sliders of an executed lesson."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    texts = (output.get("data", {}).get("text/html", "") for output in outputs)
    return [text for text in texts if text.startswith('<figure class="live"')]


if __name__ == "__main__":
    pages = [figures(notebook) for notebook in execute_all(LESSONS).values()]
    sizes = [len(text.encode()) / 1e3 for page in pages for text in page]
    frames = [
        row(f"a figure under sliders on a page, the median of {len(sizes)}", statistics.median(sizes), 150, "kB"),
        row("the largest figure under sliders", max(sizes), 600, "kB"),
        row("all figures under sliders of a page, at most", max(sum(map(len, page)) for page in pages) / 1e6, 3, "MB"),
    ]
    rows.store("frames", frames)
