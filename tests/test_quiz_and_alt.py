"""Every lesson asks a few questions with answers that explain; every picture is told to those who cannot see it."""

import ast
import re

import nbformat
import pytest
from conftest import ROOT

LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
QUESTION = re.compile(r"^\*\*(\d)\.\*\* ", re.MULTILINE)
OPTION = re.compile(r"^- \*\*([A-D])\.\*\* ", re.MULTILINE)
ANSWER = re.compile(r"<details><summary>Answer</summary>\n\n(.+?)\n\n</details>", re.DOTALL)
RIGHT = re.compile(r"\*\*([A-D])\*\* is right:")
lessons = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


def cells_of(lesson):
    return nbformat.read(lesson, 4).cells


def place(cells, heading):
    """Where the first cell stands that begins with a heading."""
    return next((i for i, cell in enumerate(cells) if cell.source.startswith(heading)), None)


def quiz(cells):
    """The text of the cells that hold the questions, and where the last of them stands."""
    places = [i for i, cell in enumerate(cells) if cell.id.startswith("check-yourself")]
    return "\n\n".join(cells[i].source for i in places), places[-1]


def check_question(text):
    """A question has three or four options, and its answer says which is right and has a word for each other one."""
    options = OPTION.findall(text)
    assert options == list("ABCD")[: len(options)] and len(options) in (3, 4), text
    answers = ANSWER.findall(text)
    assert len(answers) == 1, text
    assert len(RIGHT.findall(answers[0])) == 1 == answers[0].count("is right:"), text
    assert sorted(re.findall(r"\*\*([A-D])\*\*", answers[0])) == options, text


@lessons
def test_a_lesson_asks_questions_and_explains_each_answer(lesson):
    cells = cells_of(lesson)
    text, last = quiz(cells)
    assert text.startswith("## Check yourself\n")
    exercises = place(cells, "## Exercises")
    assert last == (place(cells, "## Summary") if exercises is None else exercises) - 1
    numbers = QUESTION.findall(text)
    assert numbers == list("12345")[: len(numbers)] and 3 <= len(numbers) <= 5
    for question in QUESTION.split(text)[2::2]:
        check_question(question)


@lessons
def test_the_right_letter_is_not_always_the_same(lesson):
    assert len(set(RIGHT.findall(quiz(cells_of(lesson))[0]))) >= 3


def calls(node, drawing):
    """Whether a piece of code draws: by plots, a lesson's room or pyplot, or by one of these functions."""
    for call in (n for n in ast.walk(node) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in drawing:
            return True
        if isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            module, name = call.func.value.id, call.func.attr
            if re.fullmatch(r"plots|lesson\d\d", module) and not name.startswith(("check_", "peers_")):
                return True
            if module == "plt" and name in ("subplots", "figure"):
                return True
    return False


def drawing_cells(cells):
    """The code cells that leave a picture; a function that draws does so where it is called."""
    drawing = set()
    for cell in (cell for cell in cells if cell.cell_type == "code"):
        statements = ast.parse(cell.source).body
        functions = [s for s in statements if isinstance(s, ast.FunctionDef)]
        drawing |= {function.name for function in functions if calls(function, drawing)}
        if any(calls(s, drawing) for s in statements if s not in functions):
            yield cell


@lessons
def test_every_picture_is_told_in_words(lesson):
    cells = cells_of(lesson)
    drawn = list(drawing_cells(cells))
    assert drawn
    for cell in drawn:
        text = cell.metadata.get("alt", "")
        assert 20 <= len(text) <= 400, f"{cell.id}: {text!r}"
        assert text == " ".join(text.split()) and text.endswith("."), cell.id
        assert not re.search(r"\$|\b(image|picture) of\b", text[:40], re.IGNORECASE), f"{cell.id}: {text}"
    assert [cell.id for cell in cells if "alt" in cell.metadata] == [cell.id for cell in drawn]


def test_the_rule_finds_what_draws():
    def ids(*sources):
        cells = [nbformat.v4.new_code_cell(source, id=f"c{i}") for i, source in enumerate(sources)]
        return [cell.id for cell in drawing_cells(cells)]

    assert ids("lesson04.plot_points(x);", "plt.style.use(plots.STYLE)", "for p in ps:\n    lesson04.lab(p)") == [
        "c0",
        "c2",
    ]
    assert ids("def show(x):\n    lesson04.plot_points(x)", "show(3)", "training.show(3)") == ["c1"]
    assert ids("fig, axes = plt.subplots(1, 2)", "print(plots.STYLE)", "LatentExplorer(model)") == ["c0"]
