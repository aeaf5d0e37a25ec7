"""Run the lessons for pages and slides: once for each state of the course, their explorers alive in frames."""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import nbformat
from joblib import Parallel, delayed
from nbclient import NotebookClient

from vaehelpers.files import replacing

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDGET = "application/vnd.jupyter.widget-view+json"
#: What runs before a lesson: an explorer is shown as the page that it saves, in a frame, and figures have twice the
#: dots each way, for they are enlarged on a projector and on a good screen.
BEFORE = """
%config InlineBackend.figure_formats = ["retina"]
import itertools
from pathlib import Path
from vaehelpers.explorer import LatentExplorer
from vaehelpers.lessons import live

live.DPI *= 2

def in_a_frame(explorer, *, numbers=itertools.count(1)):
    name = f"frames/{stem}-{{next(numbers)}}.html"
    explorer.save_html(Path({folder!r}) / name)
    frame = f'<iframe class="explorer" src="{{name}}" title="Latent explorer" loading="lazy"></iframe>'
    display({{"text/html": frame, "text/plain": "LatentExplorer"}}, raw=True)

LatentExplorer._ipython_display_ = in_a_frame
"""


def executed(lesson: Path, folder: Path) -> nbformat.NotebookNode:
    """Return a lesson with its outputs; frames lie in ``folder``/frames, and what was run before is not run again."""
    content = [lesson.read_bytes(), Path(__file__).read_bytes()]
    content += [path.read_bytes() for path in sorted((ROOT / "vaehelpers").rglob("*")) if path.suffix in SUFFIXES]
    kept = folder / f"{lesson.stem}-{hashlib.sha256(b''.join(content)).hexdigest()[:12]}.ipynb"
    if not kept.exists():
        notebook = nbformat.read(lesson, 4)
        before = nbformat.v4.new_code_cell(BEFORE.format(stem=lesson.stem, folder=str(folder.resolve())))
        notebook.cells.insert(0, before)
        options = {"resources": {"metadata": {"path": ROOT}}, "extra_arguments": ["--IPKernelApp.log_level=ERROR"]}
        # What a cell prints comes in any number of pieces, and is one output.
        client = NotebookClient(notebook, timeout=600, kernel_name="python3", coalesce_streams=True, **options)
        client.execute()
        del notebook.cells[0]
        _make_static(notebook)
        folder.mkdir(parents=True, exist_ok=True)
        for older in folder.glob(f"{lesson.stem}-*.ipynb"):
            older.unlink()
        with replacing(kept) as part:
            nbformat.write(notebook, part)
    return nbformat.read(kept, 4)


SUFFIXES = (".py", ".js", ".css", ".html", ".mplstyle", ".csv")


def _make_static(notebook: nbformat.NotebookNode) -> None:
    """Leave out widgets: below each stands its picture. Say in words what the pictures of a cell show (its ``alt``).

    Of a picture's size the width alone is kept, so that it keeps its proportions where a page is narrower.
    """
    notebook.metadata.pop("widgets", None)
    for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
        cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for output in cell.outputs:
            for kind in [kind for kind in output.get("data", {}) if kind.startswith("image/")]:
                about = output.metadata.setdefault(kind, {})
                about.pop("height", None)
                about["alt"] = cell.metadata.get("alt", "")


def execute_all(folder: Path, lessons: Sequence[Path] = LESSONS) -> list[nbformat.NotebookNode]:
    """Return lessons with their outputs, run side by side, one thread each."""
    os.environ["OMP_NUM_THREADS"] = "1"
    return Parallel(n_jobs=-1)(delayed(executed)(lesson, folder) for lesson in lessons)


if __name__ == "__main__":
    execute_all(Path(sys.argv[1]))
