"""Time to build the site, and sizes of the interactive figures on the pages of the lessons."""

import shutil
import statistics
import subprocess
import sys

import rows
from bench_course import ROOT, row

sys.path.append(str(ROOT / "docs"))
from executed import RUN, execute_all

CHOSEN = ["01"] if rows.QUICK else []  # lessons; none means all


def build_site():
    command = [sys.executable, ROOT / "docs" / "website.py", rows.FOLDER / "site", ROOT / "build" / "npm", *CHOSEN]
    subprocess.run(command, check=True)


def figures(notebook):
    """Return the HTML of the interactive figures of an executed lesson."""
    outputs = (output for cell in notebook.cells for output in cell.get("outputs", []))
    texts = (output.get("data", {}).get("text/html", "") for output in outputs)
    return [text for text in texts if text.startswith('<figure class="live"')]


if __name__ == "__main__":
    if not rows.QUICK:
        shutil.rmtree(RUN, ignore_errors=True)
    first, again = (rows.seconds(build_site) / 60 for _ in range(2))
    pages = [figures(notebook) for notebook in execute_all(CHOSEN).values()]
    sizes = [len(text.encode()) / 1e3 for page in pages for text in page]
    frames = [
        row("the site from scratch", first, 10, "minutes"),
        row("the site again, with nothing changed", again, 1, "minutes"),
        row(f"an interactive figure on a page, the median of {len(sizes)}", statistics.median(sizes), 150, "kB"),
        row("the largest interactive figure", max(sizes), 600, "kB"),
        row("all interactive figures of a page, at most", max(sum(map(len, page)) for page in pages) / 1e6, 3, "MB"),
    ]
    rows.store("frames", frames)
