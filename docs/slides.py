"""Build the slides: a folder for each lesson that can be opened from a USB stick, without a server or a network.

    python docs/slides.py build/slides build/npm

writes build/slides/index.html. Further arguments (00 05) select the lessons to build.

What a slide shows is stored in the notebooks, as ``slideshow.slide_type`` of each cell (in JupyterLab: the property
inspector, at the top right). The tag ``output-only`` moves a cell's code to the speaker's notes.
"""

import base64
import io
import re
import shutil
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import nbformat
from executed import ROOT, RUN, copy_assets, execute_all
from nbconvert import SlidesExporter
from nbformat import NotebookNode
from PIL import Image

from vaehelpers.lessons.page import with_guesses

DOCS = ROOT / "docs"
WEB = ROOT / "vaehelpers" / "web"
#: Files that the slides load: paths in npm's folder, and among the assets.
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
LINES = 21  # of code and printed text on one slide
TALLEST = 0.55  # height of all figures of one slide, relative to their width
LONGEST = 8.2  # inches; only the upper part of a higher figure is shown


def slide_type(cell: NotebookNode) -> str:
    """Return the slide type that is stored in a cell."""
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def slide_cells(cells: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Yield cells for nbconvert, with a heading at the start of each slide: its own, or the previous slide's."""
    heading = ""
    for cell in cells:
        shown = cell.cell_type == "code" and slide_type(cell) not in ("notes", "skip")
        for part in divided(cell) if shown else [cell]:
            if (kind := slide_type(part)) in ("slide", "subslide"):
                if part.source.startswith("#") and part.cell_type == "markdown":
                    heading, _, part.source = part.source.partition("\n")
                heading = re.sub("^##+", "##", heading)
                yield nbformat.v4.new_markdown_cell(heading, metadata={"slideshow": {"slide_type": kind}})
                part.metadata.slideshow.slide_type = "-"
            if part.source.strip():
                yield part


def divided(cell: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the parts of a code cell, each of which fits on a slide: code and text first, then its figures."""
    text = [output for output in cell.outputs if "text" in output]
    groups = [text]
    if "output-only" in cell.metadata.get("tags", []):
        groups = [text] * bool(text)
    elif cell.source.count("\n") + sum(output.text.count("\n") for output in text) > LINES:
        groups = [[], text]
    room = 0.0
    for output in (output for output in cell.outputs if "text" not in output):
        ratio = describe(output)
        if ratio > room:
            groups.append([])
            room = TALLEST
        groups[-1].append(output)
        room -= ratio
    for i, outputs in enumerate(groups):
        further = {"slideshow": {"slide_type": "subslide"}, "tags": ["output-only"]} if i else {}
        yield nbformat.v4.new_code_cell(cell.source, outputs=outputs, metadata=cell.metadata | further)


def describe(output: NotebookNode) -> float:
    """Store a figure's shape in its metadata, for the style sheet. Return its height relative to its width."""
    if "image/png" not in output.data:
        return 1.0
    with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as figure:
        ratio, inches = figure.height / figure.width, figure.height / figure.info["dpi"][1]
    shape = "long" if inches > LONGEST else "tall" if ratio > 0.68 else "usual" if ratio > 0.34 else "flat"
    output.metadata |= {"shape": shape, "ratio": round(ratio, 3)}
    return ratio


def write(lesson: Path, notebook: NotebookNode, slides: Path) -> str:
    """Write the slides of one executed lesson, and return its title."""
    folder = slides / lesson.stem
    folder.mkdir(parents=True)
    title = f"{lesson.stem[:2]} {notebook.cells[0].source.splitlines()[0].lstrip('# ')}"
    for cell in notebook.cells:
        cell.source = with_guesses(cell)
    shown = nbformat.v4.new_notebook(cells=list(slide_cells(notebook.cells)), metadata={"title": title})
    exporter = SlidesExporter(raw_template=(DOCS / "slides.html.j2").read_text(encoding="utf-8"))
    page, _ = exporter.from_notebook_node(shown)
    page = re.sub(r'href="(\d\d_\w+)\.ipynb"', r'href="../\1/index.html"', page)  # to the slides of other lessons
    (folder / "index.html").write_text(page, encoding="utf-8")
    for frame in set(re.findall(r'src="(frames/[^"]+)', page)):
        (folder / "frames").mkdir(exist_ok=True)
        shutil.copy(RUN / frame, folder / frame)
    print(folder / "index.html")
    return title


def build(slides: Path, npm: Path, chosen: Collection[str] = ()) -> None:
    """Write the slides of all lessons, or of the chosen ones, and their shared assets."""
    shutil.rmtree(slides, ignore_errors=True)
    copy_assets(npm, ASSETS, slides / "assets")
    for path in (
        DOCS / "slides.css",
        *(WEB / f"{name}.{kind}" for name in ("frames", "questions") for kind in ("css", "js")),
    ):
        shutil.copy(path, slides / "assets")
    links = ""
    for lesson, notebook in execute_all(chosen).items():
        title = write(lesson, notebook, slides)
        links += f'<li><a href="{lesson.stem}/index.html">{title}</a></li>\n'
    front = (DOCS / "slides-front.html").read_text(encoding="utf-8")
    (slides / "index.html").write_text(front.format(links), encoding="utf-8")


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
