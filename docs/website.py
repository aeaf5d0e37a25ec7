"""Build the site: the lessons with their outputs, the glossary, the guide, and the reference from the docstrings.

    python docs/website.py build/site build/npm

writes pages that open without a server and without a network. Further arguments (00 05) select the lessons to run.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import nbformat
from editions import in_german
from executed import LESSONS, ROOT, RUN, copy_assets, execute_all
from glossary import glossary

from vaehelpers.explorer import LatentExplorer, typical_code
from vaehelpers.lessons.page import with_guesses
from vaehelpers.weights import load_pretrained

DOCS = ROOT / "docs"
DEUTSCH, ENGLISH = "[Deutsch](de/{}.ipynb)\n", "[English](../{}.ipynb)\n"
#: MathJax, which typesets TeX as HTML and MathML: paths in npm's folder, and on the site.
MATHJAX = {
    f"mathjax/{name}": f"mathjax/{name}"
    for name in ("startup.js", "core.js", "input/tex.js", "input/tex", "output/chtml.js", "a11y/assistive-mml.js")
} | {f"@mathjax/mathjax-newcm-font/{name}": f"mathjax-newcm-font/{name}" for name in ("chtml.js", "chtml")}


def build(site: Path, npm: Path, chosen: Collection[str] = ()) -> None:
    """Write the site into an emptied folder. Raises ``CalledProcessError`` on any warning."""
    pages = site.with_name(f"{site.name}-pages")
    for folder in (site, pages):
        shutil.rmtree(folder, ignore_errors=True)
    stage(pages, chosen)
    run_sphinx(pages, site)
    shutil.copytree(RUN / "frames", site / "frames")
    free, card = load_pretrained("hands-pose")
    LatentExplorer(free, card, start=typical_code(free, card)).save_html(site / "frames" / "free_hand.html")
    for lesson in LESSONS:  # for download, without outputs
        shutil.copy(lesson, site / "_sources")
        if edition := in_german(lesson, nbformat.read(lesson, 4)):
            nbformat.write(edition, site / "_sources" / "de" / lesson.name)
    copy_assets(npm, MATHJAX, site / "_static")


def run_sphinx(pages: Path, site: Path) -> None:
    """Turn pages into HTML. Raises ``CalledProcessError`` on any warning."""
    options = ["--fail-on-warning", "--keep-going", "--quiet", "-j", "auto", "-c", DOCS]
    subprocess.run([sys.executable, "-m", "sphinx", *options, pages, site], check=True)


def stage(pages: Path, chosen: Collection[str] = ()) -> None:
    """Write the sources of all pages into one folder, as Sphinx needs them."""
    shutil.copytree(DOCS, pages)
    (pages / "de").mkdir()
    outputs = execute_all(chosen)
    for lesson in LESSONS:
        notebook = outputs.get(lesson) or nbformat.read(lesson, 4)
        edition = in_german(lesson, notebook)
        nbformat.write(_page(lesson, notebook, DEUTSCH if edition else ""), pages / lesson.name)
        if edition:
            for cell in edition.cells:  # the other lessons are one folder up
                cell.source = re.sub(r"\]\((\d\d_\w+\.ipynb)", r"](../\1", cell.source)
            nbformat.write(_page(lesson, edition, ENGLISH), pages / "de" / lesson.name)
    (pages / "_lessons.md").write_text(table_of_lessons(), encoding="utf-8")
    (pages / "glossary.md").write_text(re.sub(r"(?<=ipynb)#\S+(?=\)  \n)", _slug, glossary()), encoding="utf-8")


def _page(lesson: Path, notebook: nbformat.NotebookNode, switch: str) -> nbformat.NotebookNode:
    """Return the page of a lesson: with a number in its title, a link to its other edition and MyST's alt texts."""
    title, rest = notebook.cells[0].source.removeprefix("# ").split("\n", 1)
    notebook.cells[0].source = f"# {lesson.stem[:2]} {title}\n\n{switch.format(lesson.stem)}\n{rest}"
    for cell in notebook.cells:
        if "alt" in cell.metadata:
            cell.metadata["mystnb"] = {"image": {"alt": cell.metadata.alt}}
        cell.source = with_guesses(cell)
    return notebook


def _slug(anchor: re.Match[str]) -> str:
    """Return the anchor of a heading as MyST names it."""
    return "#" + re.sub(r"[^\w-]", "", anchor[0].lower())


def table_of_lessons() -> str:
    """Return the table of the lessons in lesson 00."""
    text = "\n\n".join(cell.source for cell in nbformat.read(LESSONS[0], 4).cells if cell.cell_type == "markdown")
    found = re.search(r"^## The lessons\n+((?:\|.*\n?)+)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"{LESSONS[0].name}: need a table under the heading '## The lessons'")
    stem = LESSONS[0].stem  # in lesson 00 itself this row has no link
    return re.sub(rf"\| ({stem[:2]} [^|]*?) \|", rf"| [\1]({stem}.ipynb) |", found[1])


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
