"""Each check of the lessons against answers that are right in unusual ways, and wrong in plausible ones."""

import copy
import sys

import numpy as np
import pytest
import test_exercises
import test_lesson01
import test_lesson02
import test_lesson03
import test_lesson04
import test_lesson05
import test_lesson06
import test_lesson07
import test_lesson08
import torch
from checks import exercises
from IPython.core.formatters import DisplayFormatter

from vaehelpers.lessons.judge import OPEN

TABLES = [
    test_exercises,
    test_lesson01,
    test_lesson02,
    test_lesson03,
    test_lesson04,
    test_lesson05,
    test_lesson06,
    test_lesson07,
    test_lesson08,
]
RIGHT = {name: answers for table in TABLES for name, answers in table.RIGHT.items()}
WRONG = {name: answers for table in TABLES for name, answers in table.WRONG.items()}
#: The checks that take more than one answer.
CHECKS = {name: check for table in TABLES for name, check in getattr(table, "CHECKS", {}).items()}
#: Forms in which a right answer may come.
FORMS = {
    "single precision": np.float32,
    "more axes": lambda value: np.asarray(value)[..., None],
    "a list": lambda value: np.atleast_1d(value).tolist(),
    "a tensor with a gradient": lambda value: torch.tensor(np.asarray(value, float), requires_grad=True),
}
#: What no exercise asks for, in place of an answer or returned by a function.
NO_ANSWERS = [..., None, np.nan, "0.7", [], np.zeros((3, 0)), 1e300, 1j]


def judged(name, answer):
    return CHECKS.get(name, getattr(exercises, f"check_{name}"))(answer)


def then(change, answer):
    """An answer, or what a function returns, changed afterwards."""
    return (lambda *given: change(answer(*given))) if callable(answer) else change(answer)


def rows(table):
    return [pytest.param(name, row, id=f"{name}-{i}") for name in table for i, row in enumerate(table[name])]


def test_each_check_has_three_right_and_three_wrong_answers():
    checks = {name.removeprefix("check_") for name in vars(exercises) if name.startswith("check_")}
    assert set(RIGHT) == set(WRONG) == checks
    assert min(len(answers) for table in (RIGHT, WRONG) for answers in table.values()) >= 3


@pytest.mark.parametrize(("name", "answer"), rows(RIGHT))
def test_what_is_right_is_called_right(name, answer, monkeypatch):
    monkeypatch.setenv("VAEHELPERS_STRICT", "1")
    assert judged(name, answer).ok


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("name", [name for name in RIGHT if name != "pointing"])  # a hand is drawn as it is
def test_the_form_of_an_answer_does_not_matter(name, form, monkeypatch):
    monkeypatch.setenv("VAEHELPERS_STRICT", "1")
    assert judged(name, then(form, RIGHT[name][0])).ok


@pytest.mark.parametrize(("name", "row"), rows(WRONG))
def test_what_is_wrong_gets_its_hint(name, row, capsys, monkeypatch):
    answer, words = row
    found = judged(name, answer)
    assert not found.ok and words in found.hint and capsys.readouterr().out == f"{found.hint}\n"
    monkeypatch.setenv("VAEHELPERS_STRICT", "1")
    with pytest.raises(AssertionError) as error:
        judged(name, answer)
    assert str(error.value) == found.hint


@pytest.mark.parametrize("name", RIGHT)
def test_what_is_no_answer_is_not_right_and_stops_a_grader(name, monkeypatch):
    wanted = callable(RIGHT[name][0])
    given = [(lambda *given, value=value: value) if wanted else value for value in NO_ANSWERS]
    found = [judged(name, answer) for answer in given]
    assert [result.hint.startswith(OPEN) for result in found] == [value is ... or value is None for value in NO_ANSWERS]
    assert not any(result.ok for result in found)
    if wanted:
        assert "Need a function here" in judged(name, 0.7).hint
        given.append(lambda *given: 1 / 0)
        assert "stopped with ZeroDivisionError" in judged(name, given[-1]).hint
    for variable, value in (("VAEHELPERS_STRICT", "1"), ("NBGRADER_EXECUTION", "autograde")):
        with monkeypatch.context() as environment:
            environment.setenv(variable, value)
            for answer in given:
                with pytest.raises(AssertionError):
                    judged(name, answer)


def spoil(*given):
    """Change whatever can be changed, and return it."""
    for value in given:
        if isinstance(value, np.ndarray):
            value -= value
    return next((value for value in given if isinstance(value, np.ndarray)), 0.0)


@pytest.mark.parametrize("name", [name for name in RIGHT if callable(RIGHT[name][0])])
def test_an_answer_that_spoils_its_arguments_spoils_nothing_else(name):
    for change in (np.sum, np.ravel, np.max, lambda value: value):
        assert not judged(name, then(change, spoil)).ok
    assert judged(name, RIGHT[name][0]).ok


@pytest.fixture
def listed(monkeypatch):
    """What the check of a name hands to judge or judge_function: the right value or formula, and the rest by name."""

    def listed(name):
        found, module = {"mistakes": {}, "cases": []}, sys.modules[getattr(exercises, f"check_{name}").__module__]
        with monkeypatch.context() as patch:
            patch.setattr(module, "judge", lambda answer, right, **more: found.update(more, right=right), raising=False)
            patch.setattr(
                module,
                "judge_function",
                lambda function, right, cases, **more: found.update(more, right=right, cases=cases),
                raising=False,
            )
            judged(name, RIGHT[name][0])
        return found

    return listed


@pytest.mark.parametrize("name", RIGHT)
def test_each_mistake_that_a_check_lists_gets_its_own_hint(name, listed):
    mistakes = listed(name)["mistakes"]
    assert {hint: judged(name, mistake).hint for hint, mistake in mistakes.items()} == {hint: hint for hint in mistakes}


@pytest.mark.parametrize("name", [name for name in RIGHT if callable(RIGHT[name][0])])
def test_what_is_right_for_one_case_alone_is_not_right(name, listed):
    found = listed(name)
    for case in found["cases"]:
        value = found["right"](*copy.deepcopy(case))
        assert not judged(name, lambda *given, value=value: value).ok


@pytest.mark.parametrize(
    "name", [name for name in RIGHT if np.ndim(RIGHT[name][0]) == 0 and not callable(RIGHT[name][0])]
)
def test_three_digits_are_enough_and_no_mistake_has_them(name, listed):
    found = listed(name)
    right = float(f"{found['right']:.3g}")
    assert judged(name, right).ok
    for hint, value in found["mistakes"].items():
        if np.ndim(value) == 0:
            assert not judged(name, float(f"{value:.3g}")).ok, hint


def test_a_result_is_as_true_as_the_answer_is_right_and_displays_nothing():
    for name, wanted in (("bayes", 0.7), ("bayes", 0.9)):
        result = judged(name, wanted)
        assert bool(result) == result.ok == (wanted == 0.7)
        assert DisplayFormatter().format(result) == ({}, {})
