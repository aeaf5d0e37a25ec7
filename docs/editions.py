"""Make other editions of the lessons: ``german``, ``handout`` (without solutions, and for nbgrader) and ``solutions``.

    python docs/editions.py german build/de

A solution is in a folded Markdown block below its exercise and not in a tagged code cell, because *Run All* would run
such a cell and thereby solve the exercise.
"""

import copy
import hashlib
import re
from itertools import zip_longest
from pathlib import Path

import nbformat
import typer
from nbformat import NotebookNode

from vaehelpers.files import replacing

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
GLOSSARY = NOTEBOOKS / "glossary.md"
#: The line above a German section: id of the English cell, and hash of that cell's text.
SECTION = re.compile(r"^<!-- cell (\S+) from (\S+) -->\n", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```python\n.*?^```$", re.DOTALL | re.MULTILINE)
SOLUTION = "{{solution}}"

#: The folded block below an exercise, in either language.
FOLDED = re.compile(r"<details><summary>(?:Solution|Lösung)</summary>\s*```python\n(.*?)```.*?</details>\s*", re.DOTALL)

#: The line in an exercise's cell that checks the answer above it.
CHECK = re.compile(r"^lesson\d\d\.check_(\w+)\(.*\)$", re.MULTILINE)
#: A check as nbgrader grades it: an error gives no point. nbgrader removes the hidden part from learners' notebooks.
GRADED_CHECK = """\
### BEGIN HIDDEN TESTS
from vaehelpers.lessons import {module}

assert {check}.ok
### END HIDDEN TESTS
{check}"""
NBGRADER_CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "vaehelpers"
c.ClearSolutions.code_stub = {"python": ""}  # the exercise has its own stub
c.ExecutePreprocessor.timeout = 600  # seconds for each cell
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def german(notebook: NotebookNode, text: str) -> NotebookNode:
    """Return a lesson with German prose and the code of the English one, in the solutions too.

    ``text`` holds a section for each markdown cell, in the notebook's order, each below a line
    ``<!-- cell ID from HASH -->``. Raises ``ValueError`` naming the first section that is missing, superfluous or out
    of order, or all sections whose English has changed since their translation.
    """
    before, *parts = SECTION.split(text)
    names, hashes, prose = parts[::3], parts[1::3], parts[2::3]
    if before.strip():
        raise ValueError(f"need no text before the first section, got: {before.strip()[:60]}")
    edition = copy.deepcopy(notebook)
    cells = [cell for cell in edition.cells if cell.cell_type == "markdown"]
    for needed, name in zip_longest([cell.id for cell in cells], names, fillvalue="none"):
        if needed != name:
            raise ValueError(f"the German edition has the section {name} where it needs {needed}")
    now = [fingerprint(cell.source) for cell in cells]
    if changed := [
        f"<!-- cell {name} from {new} -->" for name, new, old in zip(names, now, hashes, strict=True) if new != old
    ]:
        lines = "\n".join(changed)
        raise ValueError(f"the English has changed; update these German sections, then their first lines to:\n{lines}")
    for cell, words in zip(cells, prose, strict=True):
        cell.source = _with_code(words.strip(), cell)
    edition.metadata["lang"] = "de"
    return edition


def fingerprint(source: str) -> str:
    """Return the first 8 hex digits of the SHA-256 of a cell's text."""
    return hashlib.sha256(source.encode()).hexdigest()[:8]


def _with_code(prose: str, cell: NotebookNode) -> str:
    """Replace the placeholders in a German text with the code blocks of its English cell."""
    if not prose:
        raise ValueError(f"the German edition lacks the text of: {cell.id}")
    blocks = CODE_BLOCK.findall(cell.source)
    pieces = re.split(rf"^{re.escape(SOLUTION)}$", prose, flags=re.MULTILINE)
    if len(pieces) != len(blocks) + 1 or "```" in prose:
        raise ValueError(f"{cell.id} needs {SOLUTION} on a separate line {len(blocks)} times, and no code blocks")
    return "".join(piece + block for piece, block in zip(pieces, [*blocks, ""], strict=True))


def handout(notebook: NotebookNode) -> NotebookNode:
    """Return a lesson without solutions, ready for nbgrader."""
    edition = copy.deepcopy(notebook)
    for cell in edition.cells:
        if cell.cell_type == "markdown":
            cell.source = FOLDED.sub("", cell.source).strip()
    return gradable(edition)


def gradable(notebook: NotebookNode) -> NotebookNode:
    """Return a notebook with separate cells for answers and checks, with nbgrader's metadata and no empty cells."""
    edition = copy.deepcopy(notebook)
    edition.cells = [part for cell in edition.cells for part in _parts(cell) if part.source]
    return edition


def _parts(cell: NotebookNode) -> list[NotebookNode]:
    """Split an exercise's cell into the stub, the check, and what follows the check; other cells stay whole."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    if not found:
        return [cell]
    name, kept = found[1], {"deletable": False}
    role = {"task": False, "schema_version": 3}
    answer = role | {"grade_id": name, "solution": True, "grade": False, "locked": False}
    test = role | {"grade_id": f"check_{name}", "solution": False, "grade": True, "locked": True, "points": 1}
    parts = [
        (cell.id, cell.source[: found.start()], kept | {"nbgrader": answer}),
        (f"{cell.id}-check", found[0], kept | {"editable": False, "nbgrader": test}),
        (f"{cell.id}-after", cell.source[found.end() :], cell.metadata),
    ]
    return [nbformat.v4.new_code_cell(source.strip(), id=place, metadata=data) for place, source, data in parts]


def assignment(notebook: NotebookNode) -> NotebookNode:
    """Return a handout as nbgrader's source, in which each check gives a point by a hidden test."""
    edition = handout(notebook)
    for cell in edition.cells:
        role = cell.metadata.get("nbgrader", {})
        if role.get("solution"):  # without this region, nbgrader would replace the whole stub
            cell.source += "\n### BEGIN SOLUTION\n### END SOLUTION"
        elif role.get("grade"):
            cell.source = GRADED_CHECK.format(check=cell.source, module=cell.source.split(".")[0])
        elif cell.cell_type == "markdown":  # nbgrader has one folder per lesson
            cell.source = re.sub(r"\]\((\w+)\.ipynb\b", r"](../\1/\1.ipynb", cell.source)
    return edition


def solutions(notebook: NotebookNode) -> NotebookNode:
    """Return a lesson with each exercise solved: its solution replaces the stub above the check.

    Raises ``ValueError`` naming the cell when there is no solution below a stub.
    """
    edition = copy.deepcopy(notebook)
    for stub, below in zip(edition.cells, edition.cells[1:], strict=False):
        if stub.cell_type == "code" and (check := CHECK.search(stub.source)):
            folded = FOLDED.search(below.source)
            if not folded:
                raise ValueError(f"there is no solution below the exercise {stub.id}: {stub.source[:60]!r}")
            stub.source = folded[1] + stub.source[check.start() :]
    return edition


def in_german(path: Path, notebook: NotebookNode) -> NotebookNode | None:
    """Return the German edition of a lesson, or None where there is no translation."""
    prose = path.parent / "de" / f"{path.stem}.md"
    return german(notebook, prose.read_text(encoding="utf-8")) if prose.exists() else None


@app.command("german")
def write_german(folder: Path) -> None:
    """Write all lessons into FOLDER, in German where there is a translation. A lesson that differs there is kept."""
    for path, lesson in _lessons():
        _write_new(folder / path.name, in_german(path, lesson) or lesson)
    _write_new(folder / GLOSSARY.name, GLOSSARY.read_text(encoding="utf-8"))


@app.command("handout")
def write_handout(folder: Path) -> None:
    """Write all lessons without solutions into FOLDER, and a course for nbgrader into FOLDER/nbgrader."""
    course = folder / "nbgrader"
    for path, lesson in _lessons():
        _write_new(folder / path.name, handout(lesson))
        _write_new(course / "source" / path.stem / path.name, assignment(lesson))
    _write_new(course / "nbgrader_config.py", NBGRADER_CONFIG)
    for place in (folder, course / "source" / "00_start_here"):
        _write_new(place / GLOSSARY.name, GLOSSARY.read_text(encoding="utf-8"))


@app.command("solutions")
def write_solutions(folder: Path) -> None:
    """Write all lessons with each exercise solved into FOLDER; nbgrader gives them all points."""
    for path, lesson in _lessons():
        _write_new(folder / path.name, gradable(solutions(lesson)))
    _write_new(folder / GLOSSARY.name, GLOSSARY.read_text(encoding="utf-8"))


def _lessons() -> list[tuple[Path, NotebookNode]]:
    return [(path, nbformat.read(path, 4)) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]


def _write_new(path: Path, content: NotebookNode | str) -> None:
    """Write a file, but keep an existing one that differs, which may contain someone's work."""
    text = content if isinstance(content, str) else nbformat.writes(content) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with replacing(path) as part:  # an interrupted write must not leave half a lesson
            part.write_text(text, encoding="utf-8")
    elif path.read_text(encoding="utf-8") != text:
        print(f"{path} differs and was kept; delete it to get the course's version.")


if __name__ == "__main__":
    app()
