"""Execute the lessons for the site and the slides, and cache their outputs.

myst-nb's own cache does not suffice: it compares only a notebook's code, but figures also change with the package.
"""

import hashlib
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

import nbformat
from joblib import Parallel, delayed

from vaehelpers.files import replacing
from vaehelpers.lessons import page

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN = ROOT / "build" / "lessons"
#: Code that runs before a lesson, after ``page.BEFORE``: each explorer or playground becomes a file of its own.
WIDGETS = """
import itertools
from pathlib import Path

def display_page(widget, *, numbers=itertools.count(1)):
    name = f"{stem}-{{next(numbers)}}.html"
    widget.save_html(Path({folder!r}) / "frames" / name)
    attributes = f'class="{{widget.KIND}}" src="frames/{{name}}" title="{{widget.TITLE}}"'
    display({{"text/html": f"<iframe {{attributes}} loading='lazy'></iframe>", "text/plain": widget.TITLE}}, raw=True)

HTMLWidget._ipython_display_ = display_page
"""


def executed(lesson: Path) -> nbformat.NotebookNode:
    """Return a lesson with its outputs, from the folder ``RUN`` if neither it nor the package has changed since."""
    package = sorted(path for path in (ROOT / "vaehelpers").rglob("*.*") if path.suffix != ".pyc")
    state = hashlib.sha256(b"".join(path.read_bytes() for path in [lesson, Path(__file__), *package])).hexdigest()
    kept = RUN / f"{lesson.stem}-{state[:12]}.ipynb"
    if not kept.exists():
        notebook = page.executed(lesson, page.BEFORE + WIDGETS.format(stem=lesson.stem, folder=str(RUN)), folder=ROOT)
        RUN.mkdir(parents=True, exist_ok=True)
        for older in RUN.glob(f"{lesson.stem}-*.ipynb"):
            older.unlink()
        with replacing(kept) as part:
            nbformat.write(notebook, part)
    return nbformat.read(kept, 4)


def execute_all(chosen: Collection[str] = ()) -> dict[Path, nbformat.NotebookNode]:
    """Return lessons with their outputs: all, or those with the chosen numbers. They run in parallel."""
    os.environ["OMP_NUM_THREADS"] = "1"
    lessons = [lesson for lesson in LESSONS if not chosen or lesson.stem[:2] in chosen]
    return dict(zip(lessons, Parallel(n_jobs=-1)(map(delayed(executed), lessons)), strict=True))


def copy_assets(npm: Path, assets: Mapping[str, str], folder: Path) -> None:
    """Copy files and folders of npm packages to the given places in a folder."""
    for name, place in assets.items():
        source, target = npm / "node_modules" / name, folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
