"""The instructor's guide holds together: its headings, its minutes, what it names in the lessons, its exam."""

import re
from functools import cache

import nbformat
import pytest
from conftest import ROOT

GUIDE = ROOT / "docs" / "instructors"
LESSONS = {path.stem[:2]: path for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
HEADINGS = ["Minutes", "The one idea", "The demonstration", "The question to the class", "The usual misunderstanding"]
HEADINGS += ["On the board", "What to skip", "What the next lesson needs"]
CODE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


@cache
def page(name):
    """A page of the guide without its code."""
    return CODE.sub("", (GUIDE / f"{name}.md").read_text())


@cache
def lesson(number):
    """The text of a lesson's markdown cells, and that of all its cells."""
    cells = nbformat.read(LESSONS[number], 4).cells
    return "\n\n".join(c.source for c in cells if c.cell_type == "markdown"), "\n\n".join(c.source for c in cells)


def sections(text, level):
    """Title and text of each section that begins with so many #."""
    parts = re.split(rf"^{'#' * level} (.+)$", text, flags=re.MULTILINE)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def minutes(text):
    """Of the first table with a column of minutes: the rows without the total as lists of cells, and the total."""
    table = re.search(r"minutes \|\n\|[-|]+\n((?:\|.*\n)+)", text)[1]
    *rows, last = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    assert last[-2] == "**total**"
    return rows, int(last[-1].strip("*"))


def named(text, number=None):
    """The (lesson, heading) and (lesson, exercise) that a text names; without a number before it, of this lesson."""
    flat = " ".join(text.split())
    headings = re.findall(r"(?:(\d\d) )?§ \*(.+?)\*(?!\w)", flat)
    exercises = re.findall(r"(?:(\d\d) )?Exercise (\d+)", flat)
    assert flat.count("§ *") == len(headings)
    return [(n or number, h) for n, h in headings], [(n or number, int(e)) for n, e in exercises]


def check_names(text, number=None):
    headings, exercises = named(text, number)
    for n, heading in headings:
        assert re.search(rf"^##+ {re.escape(heading)}$", lesson(n)[0], re.MULTILINE), f"{n} has no heading {heading!r}"
    for n, exercise in exercises:
        assert f"**Exercise {exercise} (" in lesson(n)[0], f"{n} has no Exercise {exercise}"


def test_every_lesson_has_its_page():
    assert sorted(path.stem[-2:] for path in GUIDE.glob("lesson-*.md")) == sorted(LESSONS)


@pytest.mark.parametrize("number", LESSONS)
def test_a_page_has_all_headings_and_names_what_is_there(number):
    text = page(f"lesson-{number}")
    title = re.match(r"# (.+)\n", lesson(number)[0])[1]
    assert text.startswith(f"# Lesson {number}: {title}\n")
    assert [heading for heading, _ in sections(text, 2)] == HEADINGS
    assert all(body.strip() for _, body in sections(text, 2))
    check_names(text, number)
    for name in re.findall(r"`((?:lesson\d\d|plots)\.\w+)", text):
        assert f"{name}(" in lesson(number)[1], f"{number} does not call {name}"


@pytest.mark.parametrize("number", LESSONS)
def test_the_minutes_of_a_lesson_are_those_that_it_promises(number):
    text, markdown = page(f"lesson-{number}"), lesson(number)[0]
    rows, total = minutes(text)
    assert sum(int(row[-1]) for row in rows) == total
    assert f"**Time:** {total} minutes" in markdown
    home = re.search(r"At home: (.+?), together (\d+) minutes", " ".join(text.split()))
    lengths = {int(n): int(m) for n, m in re.findall(r"\*\*Exercise (\d+) \((\d+) minutes", markdown)}
    if not home:
        assert not lengths, "which exercises are for home?"
        return
    chosen = {int(n) for n in re.findall(r"Exercise (\d+)", home[1])}
    for first, last in re.findall(r"Exercise (\d+) to Exercise (\d+)", home[1]):
        chosen |= {*range(int(first), int(last) + 1)}
    assert sum(lengths[n] for n in chosen) == int(home[2])
    in_class = {n for row in rows for _, n in named(row[0], number)[1]}
    assert not in_class & chosen and in_class | chosen == set(lengths)


def test_the_plans_add_up_and_name_what_is_there():
    parts = re.split(r"^##+ .+ \((\d+) minutes\)$", page("index"), flags=re.MULTILINE)
    plans = list(zip(parts[1::2], parts[2::2], strict=True))
    assert len(plans) == 5, "a lecture, a block of three, a semester"
    for said, body in plans:
        rows, total = minutes(body)
        assert sum(int(row[-1]) for row in rows) == total == int(said)
        check_names(body)
    weeks = [int(row[0]) for row in rows]
    assert sorted(set(weeks)) == list(range(1, 15))
    for week in set(weeks):
        assert sum(int(row[-1]) for row in rows if int(row[0]) == week) == 135, f"week {week}"


def exam(name, pattern):
    """Of an exam page: heading number -> (what the pattern finds in its title, its text)."""
    found = {}
    for heading, body in sections(page(name), 3):
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
    for n in range(1, 9):
        own = [numbers for number, (numbers, _) in questions.items() if number[0] == str(n)]
        assert len(own) >= 3 and own[0] < own[-1], f"lesson {n}: three questions, the last worth more than the first"


def test_the_numbers_of_the_solutions_are_those_that_the_page_computes():
    code = re.search(r"```python\n(.*?)```", (GUIDE / "exam-solutions.md").read_text(), re.DOTALL)[1]
    space = {}
    exec(code, space)
    solutions = exam("exam-solutions", r"\((\d+) points\)")
    assert set(space["answers"]) <= set(solutions) and len(space["answers"]) > 20
    for number, values in space["answers"].items():
        for value in values:
            assert re.search(rf"(?<![\d.]){re.escape(value)}(?!\d|\.\d)", solutions[number][1]), f"{number}: {value}?"


def test_links_of_the_guide_lead_somewhere():
    for path in GUIDE.glob("*.md"):
        assert path.read_text().startswith("# ")
        for target in re.findall(r"\]\(([^)#]+)", path.read_text()):
            assert target.startswith("https://") or (GUIDE / target).exists(), f"{path.name}: {target}"
            assert target != "exam-solutions.md", "the site leaves it out"
