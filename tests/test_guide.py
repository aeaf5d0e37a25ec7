"""The lecturers' guide: its minutes, references to the lessons, and exam."""

import re
from functools import cache

import pytest
from conftest import ROOT
from test_notebooks import NOTEBOOKS, read

GUIDE = ROOT / "docs" / "instructors"
LESSONS = {path.stem[:2]: path for path in NOTEBOOKS}


@cache
def page(name):
    """Return a page of the guide without its code."""
    text = (GUIDE / f"{name}.md").read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)


@cache
def lesson(number):
    """Return the text of a lesson's markdown cells, and that of all its cells."""
    cells = read(LESSONS[number]).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown"), "\n\n".join(c.source for c in cells)


def check_minutes(text, total):
    """Check that the first table of minutes adds up to a total, and return its rows as lists of cells."""
    table = re.search(r"minutes \|\n\|[-|]+\n((?:\|.*\n)+)", text)[1]
    *rows, last = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert last[-2:] == ["**total**", f"**{total}**"]
    assert sum(int(row[-1]) for row in rows) == total
    return rows


def exercises(text):
    """Return the numbers of the exercises that a text names."""
    numbers = {int(n) for n in re.findall(r"Exercise (\d+)", text)}
    for first, last in re.findall(r"Exercise (\d+) to Exercise (\d+)", text):
        numbers |= {*range(int(first), int(last) + 1)}
    return numbers


def check_names(text, number=None):
    """Check that the headings and exercises named in a text exist, as in "03 § *The walk*", "Exercise 2"."""
    flat = " ".join(text.split())
    headings = re.findall(r"(?:(\d\d) )?§ \*(.+?)\*(?!\w)", flat)
    assert flat.count("§ *") == len(headings)
    for n, heading in headings:
        assert re.search(rf"^##+ {re.escape(heading)}$", lesson(n or number)[0], re.MULTILINE), f"{n}: {heading!r}"
    for n, exercise in re.findall(r"(?:(\d\d) )?Exercise (\d+)", flat):
        assert f"**Exercise {exercise} (" in lesson(n or number)[0], f"{n} has no Exercise {exercise}"


@pytest.mark.parametrize("number", LESSONS)
def test_the_references_of_a_page_exist(number):
    text = page(f"lesson-{number}")
    title = re.match(r"# (.+)\n", lesson(number)[0])[1]
    assert text.startswith(f"# Lesson {number}: {title}\n")
    check_names(text, number)
    for name in re.findall(r"`((?:lesson\d\d|plots)\.\w+)", text):
        assert f"{name}(" in lesson(number)[1], f"{number} does not call {name}"


@pytest.mark.parametrize("number", LESSONS)
def test_the_minutes_of_a_lesson_add_up(number):
    text, markdown = page(f"lesson-{number}"), lesson(number)[0]
    rows = check_minutes(text, int(re.search(r"\*\*Time:\*\* (\d+) minutes", markdown)[1]))
    lengths = {int(n): int(m) for n, m in re.findall(r"\*\*Exercise (\d+) \((\d+) minutes", markdown)}
    home = re.search(r"At home: (.+?), together (\d+) minutes", " ".join(text.split()))
    at_home, minutes = (exercises(home[1]), int(home[2])) if home else (set(), 0)
    assert sum(lengths[n] for n in at_home) == minutes
    in_class = set().union(*(exercises(row[0]) for row in rows)) if lengths else set()
    assert not in_class & at_home and in_class | at_home == set(lengths)


def test_the_plans_add_up_and_their_references_exist():
    parts = re.split(r"^##+ .+ \((\d+) minutes\)$", page("index"), flags=re.MULTILINE)
    plans = list(zip(parts[1::2], parts[2::2], strict=True))
    assert len(plans) == 5, "a lecture, a block of three, a semester"
    for minutes, body in plans:
        rows = check_minutes(body, int(minutes))
        check_names(body)
    for week in range(1, 15):
        assert sum(int(row[-1]) for row in rows if int(row[0]) == week) == 135, f"week {week}"


def exam(name, pattern):
    """Return the numbers in the title, and the text, of each question on an exam page."""
    found = {}
    _, *questions = re.split(r"^### ", page(name), flags=re.MULTILINE)
    for question in questions:
        heading, _, body = question.partition("\n")
        number, *numbers = re.fullmatch(rf"(\d\.\d) .+ {pattern}", heading).groups()
        found[number] = ([int(n) for n in numbers], re.split(r"^## ", body, flags=re.MULTILINE)[0])
    return found


def test_every_question_is_solved_for_the_points_that_it_gives():
    questions = exam("exam", r"\((\d+) points, (\d+) minutes\)")
    solutions = exam("exam-solutions", r"\((\d+) points\)")
    assert list(questions) == list(solutions) == sorted(questions)
    for number, ((points, _), _) in questions.items():
        (given,), text = solutions[number]
        assert given == points == sum(int(n) for n in re.findall(r"^- \((\d+)\) ", text, re.MULTILINE)), number


def test_the_numbers_of_the_solutions_are_those_that_the_page_computes():
    code = re.search(r"```python\n(.*?)```", (GUIDE / "exam-solutions.md").read_text(encoding="utf-8"), re.DOTALL)[1]
    space = {}
    exec(code, space)
    solutions = exam("exam-solutions", r"\((\d+) points\)")
    assert set(space["answers"]) <= set(solutions) and len(space["answers"]) > 20
    for number, values in space["answers"].items():
        for value in values:
            assert re.search(rf"(?<![\d.]){re.escape(value)}(?!\d|\.\d)", solutions[number][1]), f"{number}: {value}?"
