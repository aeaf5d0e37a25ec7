"""The handout and nbgrader's source contain no solutions; the solved edition contains all of them."""

import csv
import os
import re
import subprocess
import sys

import editions
import nbformat
import pytest
from conftest import ROOT
from test_notebooks import NOTEBOOKS, code_cells, lessons, read

STUBS = {path.stem: sum(".check_" in cell.source for cell in code_cells(read(path))) for path in NOTEBOOKS}
NBGRADER = ROOT / ".venv" / "nbgrader"


def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def role(cell, key):
    """Return a value of a cell's nbgrader metadata, or None."""
    return cell.metadata.get("nbgrader", {}).get(key)


@lessons
def test_handouts_contain_everything_but_the_solutions(path):
    lesson, handout, assignment = read(path), editions.handout(read(path)), editions.assignment(read(path))
    blocks = editions.FOLDED.findall(text(lesson))
    without = editions.FOLDED.sub("", text(lesson))
    lines = {line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 30}
    for edition in (handout, assignment):
        nbformat.validate(edition)
        assert "<summary>Solution" not in text(edition)
        assert not [line for line in lines if line not in without and line in text(edition)]
    kept = [[line for line in source.splitlines() if line] for source in (without, text(handout))]
    assert kept[0] == kept[1]


@lessons
def test_each_check_of_a_handout_has_a_locked_cell(path):
    handout = editions.handout(read(path))
    checks = [cell for cell in code_cells(handout) if ".check_" in cell.source]
    assert len(checks) == STUBS[path.stem] == sum(bool(role(cell, "solution")) for cell in handout.cells)
    assert all(role(cell, "grade") and role(cell, "locked") and role(cell, "points") == 1 for cell in checks)
    assert not [cell.source for cell in checks if len(cell.source.splitlines()) > 1]
    names = [role(cell, "grade_id") for cell in handout.cells if role(cell, "grade_id")]
    assert len(set(names)) == 2 * len(checks)


def test_a_stub_without_solution_is_named():
    lesson = read(NOTEBOOKS[1])
    for cell in lesson.cells:
        cell.source = editions.FOLDED.sub("", cell.source)
    with pytest.raises(ValueError, match="no solution below the exercise"):
        editions.solutions(lesson)


def test_links_of_assignments_lead_somewhere(tmp_path):
    editions.write_handout(tmp_path)
    assignments = list(tmp_path.glob("nbgrader/source/*/*.ipynb"))
    assert len(list(tmp_path.glob("*.ipynb"))) == len(assignments) == 9
    for path in assignments:
        for link in re.findall(r"\]\(([^)#:]+\.ipynb)", text(read(path))):
            assert (path.parent / link).exists(), f"{path.stem} leads to {link}"


def unchanged(cells):
    """Submit the handout unchanged."""


def right(cells):
    """Answer correctly, change the checks and overwrite the name of their module."""
    for cell in cells:
        if role(cell, "solution"):
            cell.source += "\nlesson01 = None"
        elif role(cell, "grade"):
            cell.source = "raise RuntimeError"


def wrong(cells):
    """Raise an error in the first answer, delete the last, make the others wrong, and change the checks."""
    answers, checks = ([cell for cell in cells if role(cell, key)] for key in ("solution", "grade"))
    for answer, check in zip(answers, checks, strict=True):
        name = re.search(r"\((\w+)", check.source)[1]
        answer.source += f"\n{name} = (lambda *arguments: 7.0) if callable({name}) else 7.0"
        check.source = "pass"
    answers[0].source = "1 / 0"
    cells.remove(answers[-1])
    cells.remove(checks[-1])


#: The edition that each learner works in, and the share of the points for it.
LEARNERS = {unchanged: ("handout", 0), right: ("solutions", 1), wrong: ("solutions", 0)}


@pytest.mark.slow
@pytest.mark.skipif(not NBGRADER.exists(), reason="`make .venv/nbgrader` installs it")
def test_nbgrader_gives_all_points_for_right_answers_and_none_for_others(tmp_path, monkeypatch):
    path, course = NOTEBOOKS[1], tmp_path / "handout" / "nbgrader"
    monkeypatch.delenv("VAEHELPERS_STRICT", raising=False)
    monkeypatch.setenv("PATH", str(NBGRADER / "bin"), prepend=os.pathsep)  # nbgrader calls its parts by name
    monkeypatch.setenv("PYTHONPATH", str(NBGRADER), prepend=os.pathsep)

    def nbgrader(*arguments):
        command = [sys.executable, "-m", "nbgrader", *arguments]
        done = subprocess.run(command, cwd=course, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]

    editions.write_handout(tmp_path / "handout")
    editions.write_solutions(tmp_path / "solutions")
    nbgrader("generate_assignment", path.stem)
    released = [cell.source.strip() for cell in code_cells(read(course / "release" / path.stem / path.name))]
    assert released == [cell.source for cell in code_cells(read(tmp_path / "handout" / path.name))]
    for learner, (edition, _) in LEARNERS.items():
        notebook, folder = read(tmp_path / edition / path.name), course / "submitted" / learner.__name__ / path.stem
        learner(notebook.cells)
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / path.name)
    nbgrader("autograde", path.stem)
    nbgrader("export")
    points = STUBS[path.stem]
    with (course / "grades.csv").open() as file:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {learner.__name__: (share * points, points) for learner, (_, share) in LEARNERS.items()}
