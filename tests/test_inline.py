"""What a lesson writes inline is what the package holds: both are run on the same random inputs."""

import ast

import numpy as np
import pytest
from test_notebooks import NOTEBOOKS, code_cells, read

RNG = np.random.default_rng(0)


def inline(lesson, name):
    """The function that a lesson defines under a name, with the lesson's imports and the definitions before it."""
    path = next(p for p in NOTEBOOKS if p.name.startswith(lesson))
    space = {}
    for cell in code_cells(read(path)):
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Import | ast.ImportFrom | ast.FunctionDef):
                exec(ast.unparse(node), space)
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return space[name]
    raise LookupError(f"lesson {lesson} defines no {name}")


#: (lesson, name in the lesson, function of the package, random inputs)
PAIRS = []


@pytest.mark.parametrize(("lesson", "name", "function", "inputs"), PAIRS, ids=lambda value: str(value)[:20])
def test_inline_is_the_package(lesson, name, function, inputs):
    derived = inline(lesson, name)
    for arguments in inputs:
        for ours, theirs in zip(np.atleast_1d(function(*arguments)), np.atleast_1d(derived(*arguments)), strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-12)
