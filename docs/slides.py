"""Build the slides: a folder for each lesson that runs from a memory stick, without a server and without a network.

    python docs/slides.py build/slides build/npm

writes build/slides/index.html. With numbers of lessons after it (00 05) only these are built. ``deck.py`` says what of
a lesson stands on its slides.
"""

import shutil
import sys
from collections.abc import Collection
from pathlib import Path

import nbformat
from deck import Deck
from executed import LESSONS, ROOT, execute_all
from nbconvert import SlidesExporter

DOCS, RUN = ROOT / "docs", ROOT / "build" / "lessons"
FRONT = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>Slides</title><link rel="stylesheet" href="assets/slides.css"></head>
<body class="front">
<main>
<h1>Slides</h1>
<ul>
{}</ul>
<p>Arrow keys and Space lead on. F fills the screen, S opens the speaker's notes, O shows all slides, ? lists keys.</p>
</main>
</body>
</html>
"""
#: What the slides bring along: where it lies in npm's folder, and where among the assets.
ASSETS = {
    f"mathjax2/{name}": f"mathjax/{name}"
    for name in ("MathJax.js", "LICENSE", "jax/element", "jax/input/TeX", "jax/output/SVG", "extensions/TeX")
    + ("extensions/tex2jax.js", "extensions/AssistiveMML.js", "extensions/toMathML.js", "extensions/MathEvents.js")
} | {
    "reveal.js/LICENSE": "reveal/LICENSE",
    "reveal.js/dist/reveal.js": "reveal/reveal.js",
    "reveal.js/dist/reveal.css": "reveal/reveal.css",
    "reveal.js/plugin/notes/notes.js": "reveal/notes.js",
}


def write(lesson: Path, notebook: nbformat.NotebookNode, slides: Path) -> str:
    """Write the slides of one lesson that was run, and return its title."""
    folder = slides / lesson.stem
    (folder / "figures").mkdir(parents=True)
    deck = Deck(folder)
    deck.read(notebook.cells)
    title = f"{lesson.stem[:2]} {deck.slides[0].heading.lstrip('# ')}"
    shown = nbformat.v4.new_notebook(cells=list(deck.cells()), metadata={"title": title})
    exporter = SlidesExporter(raw_template=(DOCS / "slides.html.j2").read_text(encoding="utf-8"))
    page, _ = exporter.from_notebook_node(shown)
    (folder / "index.html").write_text(page, encoding="utf-8")
    for frame in sorted((RUN / "frames").glob(f"{lesson.stem}-*.html")):
        (folder / "frames").mkdir(exist_ok=True)
        shutil.copy(frame, folder / "frames")
    print(f"{sum(bool(slide.parts) for slide in deck.slides):4} slides: {folder / 'index.html'}")
    return title


def build(slides: Path, npm: Path, chosen: Collection[str] = ()) -> None:
    """Write the slides of all lessons, or of the chosen ones, and what they share."""
    shutil.rmtree(slides, ignore_errors=True)
    for source, target in ASSETS.items():
        source, target = npm / "node_modules" / source, slides / "assets" / target
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    shutil.copy(DOCS / "slides.css", slides / "assets")
    run = [lesson for lesson in LESSONS if not chosen or lesson.stem[:2] in chosen]
    links = ""
    for lesson, notebook in zip(run, execute_all(RUN, run), strict=True):
        title = write(lesson, notebook, slides)
        links += f'<li><a href="{lesson.stem}/index.html">{title}</a></li>\n'
    (slides / "index.html").write_text(FRONT.format(links), encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
