"""The handout and nbgrader's source contain no solutions; the solved edition contains all of them."""

import csv
import os
import re
import subprocess
import sys

import editions
import nbformat
import pytest
from conftest import FULL, ROOT
from test_notebooks import NOTEBOOKS, code_cells, read

STUBS = {path.stem: sum(".check_" in cell.source for cell in code_cells(read(path))) for path in NOTEBOOKS}
NBGRADER = ROOT / ".venv" / "nbgrader"
#: A plausible wrong answer: a number or a function that is a little off.
SPOIL = """
def spoiled(value):
    if callable(value):
        return lambda *arguments: spoiled(value(*arguments))
    if isinstance(value, int | np.integer):
        return value + 7
    return tuple(map(spoiled, value)) if isinstance(value, tuple) else 1.3 * np.asarray(value) + 0.1


{name} = spoiled({name})"""


def text(notebook):
    return "\n".join(cell.source for cell in notebook.cells)


def solution_lines(notebook):
    """Lines of solutions that are long enough to be recognised, and that the lesson itself does not show elsewhere."""
    blocks = editions.FOLDED.findall(text(notebook))
    lines = {line.strip() for block in blocks for line in block.splitlines() if len(line.strip()) > 30}
    elsewhere = editions.FOLDED.sub("", text(notebook))
    return {line for line in lines if line not in elsewhere}


def role(cell, key):
    """What nbgrader's metadata of a cell say, nothing where it has none."""
    return cell.metadata.get("nbgrader", {}).get(key)


def headings(notebook):
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return re.findall(r"^#+ .*", "\n".join(prose), re.MULTILINE)


@pytest.mark.parametrize("edit", (editions.handout, editions.assignment))
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_what_learners_get_holds_no_solution_and_everything_else(path, edit):
    lesson, handout = read(path), edit(read(path))
    nbformat.validate(handout)
    assert "<summary>Solution" not in text(handout) and "<summary>Solution" in text(lesson)
    assert not [line for line in solution_lines(lesson) if line in text(handout)]
    assert headings(handout) == headings(lesson)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_each_check_of_a_handout_has_a_locked_cell_and_no_line_is_lost(path):
    lesson, handout = read(path), editions.handout(read(path))
    lines = [[line for cell in code_cells(n) for line in cell.source.splitlines() if line] for n in (lesson, handout)]
    assert lines[0] == lines[1]
    checks = [cell for cell in code_cells(handout) if ".check_" in cell.source]
    assert len(checks) == STUBS[path.stem] == sum(bool(role(cell, "solution")) for cell in handout.cells)
    assert all(role(cell, "grade") and role(cell, "locked") and role(cell, "points") == 1 for cell in checks)
    assert not any(cell.metadata["deletable"] or cell.metadata["editable"] for cell in checks)
    assert not [cell.source for cell in checks if len(cell.source.splitlines()) > 1]
    names = [role(cell, "grade_id") for cell in handout.cells if role(cell, "grade_id")]
    assert len(set(names)) == 2 * len(checks) and all(re.fullmatch(r"[\w-]+", name) for name in names)
    assert len({cell.id for cell in handout.cells}) == len(handout.cells)


def test_an_assignment_hides_what_counts_and_keeps_the_stub():
    handout, source = editions.handout(read(NOTEBOOKS[1])), editions.assignment(read(NOTEBOOKS[1]))
    assert [cell.metadata for cell in source.cells] == [cell.metadata for cell in handout.cells]
    for cell, given in zip(code_cells(source), code_cells(handout), strict=True):
        if role(cell, "grade"):
            hidden, shown = cell.source.split("### END HIDDEN TESTS\n")
            assert hidden.startswith("### BEGIN HIDDEN TESTS\n") and hidden.endswith(f"\nassert {shown}.ok\n")
            assert shown == given.source
        elif role(cell, "solution"):
            assert cell.source == f"{given.source}\n### BEGIN SOLUTION\n### END SOLUTION"
        else:
            assert cell.source == given.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_the_solutions_fill_every_stub(path):
    solved = editions.solutions(read(path))
    stubs = [cell.source for cell in code_cells(solved) if ".check_" in cell.source]
    assert len(stubs) == STUBS[path.stem] == len(editions.FOLDED.findall(text(read(path))))
    assert not [source for source in stubs if re.search(r"^\s*\.\.\.$|: \.\.\.$", source, re.M)]


def test_a_stub_without_solution_is_named():
    lesson = read(NOTEBOOKS[1])
    for cell in lesson.cells:
        cell.source = editions.FOLDED.sub("", cell.source)
    with pytest.raises(ValueError, match="no solution below the exercise"):
        editions.solutions(lesson)


def test_work_in_a_folder_is_not_lost(tmp_path, capsys):
    editions.write_handout(tmp_path)
    mine = tmp_path / NOTEBOOKS[1].name, tmp_path / "nbgrader" / "nbgrader_config.py"
    for path in mine:
        path.write_text("{}")
    editions.write_handout(tmp_path)
    assert [path.read_text() for path in mine] == ["{}", "{}"] and capsys.readouterr().out.count("was kept") == 2
    assert len(list(tmp_path.glob("*.ipynb"))) == len(list(tmp_path.glob("nbgrader/source/*/*.ipynb"))) == 9


def test_the_links_of_an_assignment_lead_from_folder_to_folder(tmp_path):
    editions.write_handout(tmp_path)
    for path in (tmp_path / "nbgrader" / "source").glob("*/*.ipynb"):
        for link in re.findall(r"\]\(([^)#:]+\.ipynb)", text(read(path))):
            assert (path.parent / link).exists(), f"{path.stem} leads to {link}"


# nbgrader itself: what becomes of a lesson that different learners hand in.


def unchanged(cells):
    """Hand in what was handed out."""


def right(cells):
    """Answer right, change the checks and use the name of their module for something else."""
    for cell in cells:
        if role(cell, "solution"):
            cell.source += "\nexercises = None"
        elif role(cell, "grade"):
            cell.source = "raise RuntimeError"


def wrong(cells):
    """Stop with an error in the first answer, delete the last, be a little off in the others, and change the checks."""
    answers, checks = ([cell for cell in cells if role(cell, key)] for key in ("solution", "grade"))
    for answer, check in zip(answers, checks, strict=True):
        answer.source += SPOIL.format(name=re.search(r"\((\w+)", check.source)[1])
        check.source = "pass"
    answers[0].source = "1 / 0"
    for cell in (answers[-1], checks[-1])[: 2 * (len(answers) > 1)]:
        cells.remove(cell)


#: Who works in which edition, and the share of the points for it.
LEARNERS = {unchanged: ("handout", 0), right: ("solutions", 1), wrong: ("solutions", 0)}


def nbgrader(*arguments, course):
    """Run a command of nbgrader, which calls others by their names and needs no variable of ours."""
    paths = {"PATH": f"{NBGRADER / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    paths |= {"PYTHONPATH": f"{os.environ['PYTHONPATH']}{os.pathsep}{NBGRADER}"}
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, env=os.environ | paths, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.slow
@pytest.mark.skipif(not NBGRADER.exists(), reason="`make .venv/nbgrader` brings it")
@pytest.mark.parametrize("path", NOTEBOOKS if FULL else NOTEBOOKS[1:2], ids=lambda p: p.stem)
def test_nbgrader_gives_all_points_for_right_answers_and_none_for_others(path, tmp_path, monkeypatch):
    monkeypatch.delenv("VAEHELPERS_STRICT", raising=False)
    editions.write_handout(tmp_path / "handout"), editions.write_solutions(tmp_path / "solutions")
    course, name, points = tmp_path / "handout" / "nbgrader", path.stem, STUBS[path.stem]
    nbgrader("generate_assignment", name, course=course)
    released = [cell.source.strip() for cell in code_cells(read(course / "release" / name / path.name))]
    assert released == [cell.source for cell in code_cells(read(tmp_path / "handout" / path.name))]
    for learner, (edition, _) in LEARNERS.items():
        notebook, folder = read(tmp_path / edition / path.name), course / "submitted" / learner.__name__ / name
        learner(notebook.cells)
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / path.name)
    nbgrader("autograde", name, course=course)
    nbgrader("export", course=course)
    with (course / "grades.csv").open() as file:
        scores = {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in csv.DictReader(file)}
    assert scores == {learner.__name__: (share * points, points) for learner, (_, share) in LEARNERS.items()}
