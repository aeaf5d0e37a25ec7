"""Every lesson has quiz questions with explained answers; the alternative texts of figures are complete sentences."""

import re

import pytest
from test_notebooks import NOTEBOOKS, read

QUESTION = re.compile(r"^\*\*(\d)\.\*\* ", re.MULTILINE)
OPTION = re.compile(r"^- \*\*([A-D])\.\*\* ", re.MULTILINE)
ANSWER = re.compile(r"<details><summary>Answer</summary>\n\n(.+?)\n\n</details>", re.DOTALL)
RIGHT = re.compile(r"\*\*([A-D])\*\* is right:")
lessons = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def check_question(text):
    """Assert that a question has three or four options, one of which is right, and that its answer explains each."""
    options, (answer,) = OPTION.findall(text), ANSWER.findall(text)
    assert options in (list("ABC"), list("ABCD")), text
    assert len(RIGHT.findall(answer)) == 1 == answer.count("is right:"), text
    assert sorted(re.findall(r"\*\*([A-D])\*\*", answer)) == options, text


@lessons
def test_a_lesson_asks_questions_and_explains_each_answer(path):
    cells = read(path).cells
    places = [i for i, cell in enumerate(cells) if cell.id.startswith("check-yourself")]
    assert cells[places[0]].source.startswith("## Check yourself")
    assert cells[places[-1] + 1].source.startswith(("## Exercises", "## Summary"))
    text = "\n\n".join(cells[i].source for i in places)
    numbers = QUESTION.findall(text)
    assert numbers == list("12345")[: len(numbers)] and len(numbers) >= 3
    for question in QUESTION.split(text)[2::2]:
        check_question(question)
    assert len(set(RIGHT.findall(text))) >= 3, "the right answer is always the same"


@lessons
def test_alternative_texts_are_sentences(path):
    """test_notebooks, which runs the lessons, checks that each figure has one."""
    for cell in read(path).cells:
        if text := cell.metadata.get("alt"):
            assert 20 <= len(text) <= 400, f"{cell.id}: {text!r}"
            assert text == " ".join(text.split()) and text.endswith("."), cell.id
            assert not re.search(r"\$|\b(image|picture) of\b", text[:40], re.IGNORECASE), f"{cell.id}: {text}"
