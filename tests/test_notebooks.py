"""Every notebook is stripped, keeps the rules of the course, and runs from top to bottom without a network."""

import re

import nbformat
import pytest
from conftest import ROOT
from editions import FOLDED
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


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


def with_solutions(notebook):
    """Put each solution, with the check again, below the stub that it fills, and return how many there are."""
    cells, count = [], 0
    for i, cell in enumerate(notebook.cells):
        cells.append(cell)
        if cell.cell_type == "code" and "exercises.check_" in cell.source:
            following = next(c.source for c in notebook.cells[i + 1 :] if c.cell_type == "markdown")
            solution = FOLDED.search(following)
            assert solution, f"no solution below: {cell.source[:80]}"
            check = cell.source[cell.source.index("exercises.check_") :]
            cells.append(nbformat.v4.new_code_cell(solution.group(1) + check))
            count += 1
    notebook.cells = cells
    return count


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_lesson_runs_with_its_exercises_open_and_then_solved(path):
    notebook = read(path)
    exercises = with_solutions(notebook)
    assert exercises >= (1 if path.name[:2] == "00" else 5)
    text = run(notebook)
    assert text.count("Not filled in yet") == exercises
    assert text.count("Right:") == exercises
