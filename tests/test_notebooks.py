"""Every notebook is stripped, keeps the rules of the course, and runs from top to bottom without a network."""

import re

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LESSONS = ("00", "01", "02", "03", "04", "05", "06", "07", "08")
SOLUTION = re.compile(r"<details><summary>Solution</summary>\s*```python\n(.*?)```", re.S)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def run(notebook):
    """Execute all cells and return what they printed, warned and raised as one text."""
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
    outputs = [output for cell in code_cells(notebook) for output in cell.outputs]
    for shown in (output.data for output in outputs if "data" in output):
        if "Live(" in shown.get("text/plain", ""):
            assert "image/png" in shown, "a page without a kernel would show nothing"
    errors = [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"]
    assert not errors, errors
    return "".join(o.text for o in outputs if o.output_type == "stream")


def test_all_nine_lessons_are_there():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{i:02d}" for i in range(9)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_keeps_the_rules(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    assert re.search(r"\*\*Time:\*\* \d+ minutes", notebook.cells[0].source)
    for i, cell in enumerate(code_cells(notebook)):
        assert cell.outputs == [] and cell.execution_count is None, "strip the outputs"
        assert len(cell.source.splitlines()) <= (15 if i else 10)
        assert "!pip" not in cell.source and "%pip" not in cell.source


def fill_in(notebook):
    """Put each solution in the place of the stub above it, and return how many there were."""
    cells, count = notebook.cells, 0
    for i, cell in enumerate(cells):
        if cell.cell_type == "code" and "exercises.check_" in cell.source:
            following = next(c.source for c in cells[i + 1 :] if c.cell_type == "markdown")
            solution = SOLUTION.search(following)
            assert solution, f"no solution below: {cell.source[:80]}"
            cell.source = solution.group(1) + cell.source[cell.source.index("exercises.check_") :]
            count += 1
    return count


@pytest.mark.parametrize("path", [p for p in NOTEBOOKS if p.name[:2] in LESSONS], ids=lambda p: p.stem)
def test_a_lesson_runs_with_its_exercises_open_and_solved(path):
    solved = read(path)
    exercises = fill_in(solved)
    assert run(read(path)).count("Not filled in yet") == exercises >= (1 if path.name[:2] in ("00", "08") else 5)
    text = run(solved)
    assert text.count("Right:") == exercises and "Not filled in yet" not in text
