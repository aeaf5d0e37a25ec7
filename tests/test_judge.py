"""Each check with right answers in unusual forms and plausible wrong ones, from the tables of test_lessonNN.py.

The mistakes that a check lists are tested by its own formulas; the tables hold answers that it must not take for one of
these or for right ones, and mistakes whose formulas there are not the ones that a learner would write.
"""

import copy
import importlib
import re

import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter

from vaehelpers.lessons.judge import COMMON, OPEN, judge

TABLES = [importlib.import_module(f"test_lesson{number:02}") for number in range(9)]
RIGHT = {name: answers for table in TABLES for name, answers in table.RIGHT.items()}
WRONG = {name: answers for table in TABLES for name, answers in table.WRONG.items()}
LESSONS = [importlib.import_module(f"vaehelpers.lessons.lesson{number:02}") for number in range(9)]
OF_LESSON = {name: lesson for lesson in LESSONS for name in vars(lesson) if name.startswith("check_")}
CHECKS = {name.removeprefix("check_"): getattr(lesson, name) for name, lesson in OF_LESSON.items()}
for table in TABLES:
    CHECKS |= getattr(table, "CHECKS", {})  # wrappers for checks that take more than one answer
FUNCTIONS = [name for name in RIGHT if callable(RIGHT[name][0])]
NUMBERS = [name for name in RIGHT if name not in FUNCTIONS and np.ndim(RIGHT[name][0]) == 0]
#: Forms in which a right answer may be given.
FORMS = {
    "single precision": np.float32,
    "more axes": lambda value: np.asarray(value)[..., None],
    "a list": lambda value: np.atleast_1d(value).tolist(),
    "a tensor with a gradient": lambda value: torch.tensor(np.asarray(value, float), requires_grad=True),
}
#: Values that are no valid answer to any exercise, given directly or returned by a function.
NO_ANSWERS = [..., None, np.nan, "0.7", [], np.zeros((3, 0)), 1e300, 1j]


def then(change, answer):
    """Return an answer, or a function's return value, after a change."""
    return (lambda *given: change(answer(*given))) if callable(answer) else change(answer)


@pytest.fixture
def mistakes(monkeypatch):
    """A function that returns the arguments that an exercise's check passes to judge or judge_function."""

    def handed_over(name):
        module = OF_LESSON[f"check_{name}"]
        found = {"mistakes": {}}

        def record(_, right, cases=(), **more):
            found.update(more, right=right, cases=cases)

        with monkeypatch.context() as patch:
            for judging in ("judge", "judge_function"):
                patch.setattr(module, judging, record, raising=False)
            CHECKS[name](RIGHT[name][0])
        return found

    return handed_over


def test_each_check_has_right_and_wrong_answers(mistakes):
    assert set(RIGHT) == set(WRONG) == set(CHECKS)
    for name in CHECKS:
        assert RIGHT[name] and WRONG[name] and len(WRONG[name]) + len(mistakes(name)["mistakes"]) >= 3


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_right_in_every_form(name, monkeypatch):
    monkeypatch.setenv("VAEHELPERS_STRICT", "1")
    for answer in RIGHT[name]:
        assert CHECKS[name](answer)
    for form in FORMS.values() if name != "pointing" else ():  # a hand's shape is checked exactly
        assert CHECKS[name](then(form, RIGHT[name][0])).ok


@pytest.mark.parametrize("name", WRONG)
def test_wrong_answers_get_their_hint(name, capsys, monkeypatch):
    for answer, words in WRONG[name]:
        found = CHECKS[name](answer)
        assert not found.ok and words in found.hint and capsys.readouterr().out == f"{found.hint}\n"
    monkeypatch.setenv("VAEHELPERS_STRICT", "1")
    with pytest.raises(AssertionError, match=re.escape(found.hint)):
        CHECKS[name](answer)


@pytest.mark.parametrize("name", RIGHT)
def test_each_listed_mistake_gets_its_own_hint(name, mistakes):
    listed = mistakes(name)["mistakes"]
    assert {hint: CHECKS[name](mistake).hint for hint, mistake in listed.items()} == {hint: hint for hint in listed}


@pytest.mark.parametrize("name", RIGHT)
def test_invalid_answers_are_wrong_and_raise_in_a_grader(name, monkeypatch):
    check, given = CHECKS[name], NO_ANSWERS
    if name in FUNCTIONS:
        assert check(...).hint == OPEN and "Need a function here" in check(0.7).hint
        assert "stopped with ZeroDivisionError" in check(lambda *given: 1 / 0).hint
        given = [lambda *given, value=value: value for value in NO_ANSWERS]
    found = [check(answer) for answer in given]
    assert [result.hint.startswith(OPEN) for result in found] == [value is ... or value is None for value in NO_ANSWERS]
    assert not any(found)
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    with pytest.raises(AssertionError):
        check(given[0])


def spoil(*given):
    """Overwrite all arrays with zeros in place, and return the first one."""
    for value in given:
        if isinstance(value, np.ndarray):
            value -= value
    return next((value for value in given if isinstance(value, np.ndarray)), 0.0)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_answer_that_changes_its_arguments_in_place_changes_nothing_else(name):
    for change in (np.sum, np.ravel, np.max, lambda value: value):
        assert not CHECKS[name](then(change, spoil)).ok

    def right_then_spoil(*given):
        value = copy.deepcopy(RIGHT[name][0](*given))
        spoil(*given)
        return value

    assert CHECKS[name](right_then_spoil).ok


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_constant_that_is_right_for_one_case_is_wrong(name, mistakes):
    found = mistakes(name)
    for case in found["cases"]:
        value = found["right"](*copy.deepcopy(case))
        assert not CHECKS[name](lambda *given, value=value: value).ok


@pytest.mark.parametrize("name", NUMBERS)
def test_three_digits_are_enough_and_no_mistake_has_them(name, mistakes):
    found = mistakes(name)
    assert CHECKS[name](float(f"{found['right']:.3g}")).ok
    for hint, value in found["mistakes"].items():
        assert np.ndim(value) or not CHECKS[name](float(f"{value:.3g}")).ok, hint


@pytest.mark.parametrize("right", [0.3, np.array([0.3, 0.7, 1.6])])
def test_common_mistakes_have_a_hint_in_every_exercise(right):
    hints = [judge(mistake(right), right, praise="", mistakes={}).hint for mistake in COMMON.values()]
    assert hints == (list(COMMON) if np.ndim(right) else [*list(COMMON)[:-1], "Right: "])
    assert judge(0.6, right=0.3, praise="", mistakes={"its own": 0.6}).hint == "its own"
    assert "Not yet" in judge(np.nan, -1.0, praise="", mistakes={}).hint  # as is the root of -1


def test_a_result_is_as_true_as_the_answer_is_right_and_displays_nothing():
    for answer, right in ((0.28, True), (0.9, False)):
        result = CHECKS["bayes"](answer)
        assert bool(result) == result.ok == right
        assert DisplayFormatter().format(result) == ({}, {})
