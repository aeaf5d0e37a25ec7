"""Make other editions of the lessons: each from the one notebook that holds the code.

    python docs/editions.py german build/de

writes every lesson there, in German where ``notebooks/de`` holds its prose; ``handout`` leaves the solutions out, and
``solutions`` puts them into their stubs.
"""

import copy
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode

from vaehelpers.files import replacing

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
#: What begins a section of German prose: the English cell that it translates, and the hash of that cell's text.
SECTION = re.compile(r"^<!-- cell (\S+) from (\S+) -->\n", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```python\n.*?^```$", re.DOTALL | re.MULTILINE)
SOLUTION = "{{solution}}"

#: The folded block below an exercise, in either language.
FOLDED = re.compile(r"<details><summary>(?:Solution|Lösung)</summary>\s*```python\n(.*?)```.*?</details>\s*", re.DOTALL)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def german(notebook: NotebookNode, text: str) -> NotebookNode:
    """Return a lesson with its German prose; the code is that of the English, in the solutions too.

    ``text`` holds a section for each markdown cell, in the notebook's order, each below a line
    ``<!-- cell ID from HASH -->``. Raises ``ValueError`` naming the cells that are missing, superfluous, out of order,
    or changed since their translation.
    """
    before, *parts = SECTION.split(text)
    names, hashes, prose = parts[::3], parts[1::3], parts[2::3]
    if before.strip():
        raise ValueError(f"no text may stand before the first section, but there is: {before.strip()[:60]}")
    edition = copy.deepcopy(notebook)
    cells = [cell for cell in edition.cells if cell.cell_type == "markdown"]
    _check_order([cell.id for cell in cells], names)
    _check_hashes({cell.id: fingerprint(cell.source) for cell in cells}, dict(zip(names, hashes, strict=True)))
    for cell, words in zip(cells, prose, strict=True):
        cell.source = _with_code(words.strip(), cell)
    edition.metadata["lang"] = "de"
    return edition


def fingerprint(source: str) -> str:
    """Return the first 8 hex digits of the SHA-256 of a cell's text."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def _check_order(wanted: list[str], found: list[str]) -> None:
    """Raise ``ValueError`` unless there is one section for each cell, in the same order."""
    if missing := [name for name in wanted if name not in found]:
        raise ValueError(f"the German edition lacks the text of: {', '.join(missing)}")
    if extra := [name for i, name in enumerate(found) if name not in wanted or name in found[:i]]:
        raise ValueError(f"the German edition has a section too many: {', '.join(extra)}")
    if moved := [name for name, there in zip(found, wanted, strict=True) if name != there]:
        raise ValueError(f"the German edition has another order than the notebook: {', '.join(moved)}")


def _check_hashes(now: dict[str, str], then: dict[str, str]) -> None:
    """Raise ``ValueError`` when the English has changed since its translation."""
    if changed := [f"<!-- cell {name} from {now[name]} -->" for name in now if now[name] != then[name]]:
        lines = "\n".join(changed)
        raise ValueError(f"the English has changed; look at these German sections again, then begin them so:\n{lines}")


def _with_code(prose: str, cell: NotebookNode) -> str:
    """Put the code blocks of an English cell into the places that its German text leaves for them."""
    if not prose:
        raise ValueError(f"the German edition lacks the text of: {cell.id}")
    blocks = CODE_BLOCK.findall(cell.source)
    pieces = re.split(rf"^{re.escape(SOLUTION)}$", prose, flags=re.MULTILINE)
    if len(pieces) != len(blocks) + 1 or "```" in prose:
        raise ValueError(f"{cell.id} needs {SOLUTION} on a line of its own {len(blocks)} times, and no code blocks")
    return "".join(piece + block for piece, block in zip(pieces, [*blocks, ""], strict=True))


def handout(notebook: NotebookNode) -> NotebookNode:
    """Return a lesson without the solutions of its exercises; the stubs and their checks stay."""
    edition = copy.deepcopy(notebook)
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = FOLDED.sub("", cell.source).strip()
    edition.cells = [cell for cell in edition.cells if cell.source]
    return edition


def solutions(notebook: NotebookNode) -> NotebookNode:
    """Return a lesson with each exercise solved: the folded code stands where the stub was, above its check.

    Raises ``ValueError`` naming the cell when there is no solution below a stub.
    """
    edition = copy.deepcopy(notebook)
    for stub, below in zip(edition.cells, edition.cells[1:], strict=False):
        if stub.cell_type == "code" and "exercises.check_" in stub.source:
            folded = FOLDED.search(below.source)
            if not folded:
                raise ValueError(f"there is no solution below the exercise {stub.id}: {stub.source[:60]!r}")
            stub.source = folded[1] + stub.source[stub.source.index("exercises.check_") :]
    return edition


@app.callback()
def editions() -> None:
    """Make other editions of the lessons."""


@app.command("german")
def write_german(folder: Path) -> None:
    """Write all lessons into FOLDER, in German where there is a translation. A lesson that differs there is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(NOTEBOOKS.glob("*.ipynb")):
        prose, content = NOTEBOOKS / "de" / f"{source.stem}.md", source.read_text(encoding="utf-8")
        if prose.exists():
            edition = german(nbformat.reads(content, 4), prose.read_text(encoding="utf-8"))
            content = nbformat.writes(edition) + "\n"
        _write_new(folder / source.name, content)


@app.command("handout")
def write_handout(folder: Path) -> None:
    """Write all lessons without solutions into FOLDER, to hand out, or as the source of nbgrader or nbgitpuller."""
    _write_all(folder, handout)


@app.command("solutions")
def write_solutions(folder: Path) -> None:
    """Write all lessons with each exercise solved into FOLDER."""
    _write_all(folder, solutions)


def _write_all(folder: Path, edit: Callable[[NotebookNode], NotebookNode]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(NOTEBOOKS.glob("*.ipynb")):
        _write_new(folder / source.name, nbformat.writes(edit(nbformat.read(source, 4))) + "\n")


def _write_new(path: Path, content: str) -> None:
    """Write a file, unless there is one that somebody may have worked in."""
    if not path.exists():
        with replacing(path) as part:  # half a lesson would be kept as somebody's work
            part.write_text(content, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != content:
        print(f"{path} differs and was kept; delete it to have the course's again.")


if __name__ == "__main__":
    app()
