"""Every notebook is stripped, follows the rules of the course, and runs with its exercises unsolved and solved."""

import copy
import re

import editions
import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
lessons = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
QUESTION = re.compile(r"^\*\*(\d)\.\*\* ", re.MULTILINE)
OPTION = re.compile(r"^- \*\*([A-D])\.\*\* ", re.MULTILINE)
ANSWER = re.compile(r"<details><summary>Answer</summary>\n\n(.+?)\n\n</details>", re.DOTALL)


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@lessons
def test_a_notebook_keeps_the_rules(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.cells[0].cell_type == "markdown" and notebook.cells[0].source.startswith("# ")
    assert re.search(r"\*\*Time:\*\* \d+ minutes", notebook.cells[0].source)
    exercises = sum(".check_" in cell.source for cell in code_cells(notebook))
    assert exercises >= (1 if path.name[:2] == "00" else 5)
    for cell in notebook.cells:  # on pages, a display formula within a paragraph shows its dollar signs
        assert cell.cell_type == "code" or not re.search(r"[^\n]\n\$\$", cell.source), cell.id
    for i, cell in enumerate(code_cells(notebook)):
        assert cell.outputs == [] and cell.execution_count is None, "strip the outputs"
        assert len(cell.source.splitlines()) <= (15 if i else 10)
        assert "!pip" not in cell.source and "%pip" not in cell.source


@lessons
def test_a_quiz_has_one_right_answer_to_each_question_and_explains_each(path):
    cells = [cell.source for cell in read(path).cells if cell.id.startswith("check-yourself")]
    _, *parts = QUESTION.split("\n\n".join(cells))
    numbers, questions = parts[::2], parts[1::2]
    assert numbers == list("12345")[: len(numbers)] and len(numbers) >= 3
    right = []
    for question in questions:
        options, (answer,) = OPTION.findall(question), ANSWER.findall(question)
        assert options in (list("ABC"), list("ABCD")), question
        assert sorted(re.findall(r"\*\*([A-D])\*\*", answer)) == options, question
        right += re.findall(r"\*\*([A-D])\*\* is right:", answer)
    assert len(right) == len(questions) and len(set(right)) >= 3, "the right answer is always the same"


@lessons
def test_alternative_texts_are_sentences(path):
    for cell in read(path).cells:
        if text := cell.metadata.get("alt"):
            assert 20 <= len(text) <= 400 and text == " ".join(text.split()) and text.endswith("."), cell.id
            assert not re.search(r"\$|\b(image|picture) of\b", text[:40], re.IGNORECASE), cell.id


def open_and_solved(notebook):
    """Return a lesson that contains each exercise twice: unsolved, then solved."""
    both = copy.deepcopy(notebook)
    both.cells = []
    for cell, solved in zip(notebook.cells, editions.solutions(notebook).cells, strict=True):
        both.cells.append(cell)
        if solved.source != cell.source:
            solved.id = f"{cell.id}-solved"
            both.cells.append(solved)
    return both


def has_figure(cell):
    """Return whether a cell shows a figure; the image below an explorer has its own alternative text."""
    shown = [output["data"] for output in cell.outputs if "data" in output]
    explorer = any("LatentExplorer" in data.get("text/plain", "") for data in shown)
    return not explorer and any(data.keys() & {"image/png", "image/jpeg"} for data in shown)


def check_outputs(outputs, exercises):
    """Assert that no cell fails or warns, each exercise is unsolved once and solved once, and widgets leave images."""
    assert [o for o in outputs if o["output_type"] == "error" or o.get("name") == "stderr"] == []
    shown = [output["data"] for output in outputs if "data" in output]
    names = ("figure below", "LatentExplorer", "Play")
    live = [i for i, data in enumerate(shown) if data.get("text/plain", "").endswith(names)]
    assert live and all(shown[i + 1].keys() & {"image/png", "image/jpeg"} for i in live), "a widget has no static image"
    printed = "".join("".join(output.get("text", "")) for output in outputs)
    assert printed.count("Not filled in yet") == printed.count("Right:") == exercises


@lessons
def test_a_lesson_runs_with_its_exercises_open_and_then_solved(path):
    notebook = read(path)
    both = open_and_solved(notebook)
    NotebookClient(both, timeout=None, resources={"metadata": {"path": path.parent}}).execute()
    outputs = [output for cell in code_cells(both) for output in cell.outputs]
    check_outputs(outputs, len(both.cells) - len(notebook.cells))
    figures = [cell.id for cell in code_cells(both) if has_figure(cell) and not cell.id.endswith("-solved")]
    assert figures == [cell.id for cell in notebook.cells if "alt" in cell.metadata], "an alternative text is missing"
