"""Every notebook is stripped and keeps the rules of the course; test_browser runs them."""

import re

import nbformat
import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_all_nine_lessons_are_there():
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{i:02d}" for i in range(9)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_a_notebook_keeps_the_rules(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    assert re.search(r"\*\*Time:\*\* \d+ minutes", notebook.cells[0].source)
    exercises = sum(".check_" in cell.source for cell in code_cells(notebook))
    assert exercises >= (1 if path.name[:2] == "00" else 5)
    for i, cell in enumerate(code_cells(notebook)):
        assert cell.outputs == [] and cell.execution_count is None, "strip the outputs"
        assert len(cell.source.splitlines()) <= (15 if i else 10)
        assert "!pip" not in cell.source and "%pip" not in cell.source
