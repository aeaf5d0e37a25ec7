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

from vaehelpers import page
from vaehelpers.files import replacing

ROOT = Path(__file__).parent.parent
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
RUN = ROOT / "build" / "lessons"
#: Code that runs before a lesson, after that for its one file: each explorer becomes a page of its own, and all
#: playgrounds become one page, whose address states the scene.
WIDGETS = """
import itertools
from pathlib import Path

def in_a_frame(name, title, kind=""):
    frame = f'<iframe class="explorer {{kind}}" src="frames/{{name}}" title="{{title}}" loading="lazy"></iframe>'
    display({{"text/html": frame, "text/plain": title}}, raw=True)

def display_explorer(explorer, *, numbers=itertools.count(1)):
    name = f"{stem}-{{next(numbers)}}.html"
    explorer.save_html(Path({folder!r}) / "frames" / name)
    in_a_frame(name, "Latent explorer")

def display_playground(play):
    Play().save_html(Path({folder!r}) / "frames/play.html")
    in_a_frame(f"play.html#scene={{play.scene}}", "Playground", "playground")

LatentExplorer._ipython_display_ = display_explorer
Play._ipython_display_ = display_playground
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
