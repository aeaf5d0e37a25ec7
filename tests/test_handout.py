"""The editions to hand out and to keep: one has no solution in it, the other each of them in its place."""

import re

import editions
import pytest
from test_notebooks import NOTEBOOKS, code_cells, read

STUBS = {path.stem: sum("exercises.check_" in cell.source for cell in code_cells(read(path))) for path in NOTEBOOKS}


def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def solution_lines(notebook):
    """Lines of solutions that are long enough to be recognised, and that the lesson itself does not show elsewhere."""
    blocks = editions.FOLDED.findall(text(notebook))
    lines = {line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 30}
    elsewhere = editions.FOLDED.sub("", text(notebook))
    return {line for line in lines if line not in elsewhere}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_handout_holds_no_solution_and_everything_else(path):
    lesson = read(path)
    handout = editions.handout(lesson)
    assert "<summary>Solution" not in text(handout) and "<summary>Solution" in text(lesson)
    assert not [line for line in solution_lines(lesson) if line in text(handout)]
    assert [c.source for c in code_cells(handout)] == [c.source for c in code_cells(lesson)]
    assert set(re.findall(r"^#+ .*", text(handout), re.M)) == set(re.findall(r"^#+ .*", text(lesson), re.M))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_solutions_fill_every_stub(path):
    solved = editions.solutions(read(path))
    stubs = [cell.source for cell in code_cells(solved) if "exercises.check_" in cell.source]
    assert len(stubs) == STUBS[path.stem] == len(editions.FOLDED.findall(text(read(path))))
    assert not [source for source in stubs if re.search(r"^\s*\.\.\.$|: \.\.\.$", source, re.M)]


def test_a_stub_without_solution_is_named():
    lesson = read(NOTEBOOKS[1])
    with pytest.raises(ValueError, match="no solution below the exercise"):
        editions.solutions(editions.handout(lesson))


def test_work_in_a_folder_is_not_lost(tmp_path, capsys):
    editions.write_handout(tmp_path)
    mine = tmp_path / NOTEBOOKS[1].name
    mine.write_text("{}")
    editions.write_handout(tmp_path)
    assert mine.read_text() == "{}" and "was kept" in capsys.readouterr().out
    assert len(list(tmp_path.glob("*.ipynb"))) == 9
