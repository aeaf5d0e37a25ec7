"""Errors about invalid input are one sentence that names the argument, what is needed and what was given."""

import re
import warnings

import numpy as np
import pytest
import torch
from bad_inputs import BAD, GOOD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.exceptions import ConvergenceWarning
from typer.testing import CliRunner

import vaehelpers.__main__ as cli
from vaehelpers import weights
from vaehelpers.model import VAE

SENTENCE = r"^\w[\w, ]*: .*\b(needs?|must)\b.*\bgot\b"  # the argument, what is needed, what was given
ARRAYS = {"text": ["a"], "objects": [object()], "complex": [1j], "ragged": [[1], [1, 2]], "nothing": None,
          "axes": np.zeros((1,) * 7), "empty": np.zeros((0, 0, 0)), "words": "words", "dates": np.array(["2026"], "M8"),
          "gradient": torch.zeros(3, requires_grad=True), "dict": {"a": 1}}  # fmt: skip
NUMBERS = {"text": "a", "list": [1.0, 2.0], "complex": 1j, "nan": np.nan, "inf": np.inf, "huge": 10**400, "dict": {}}
WHOLES = {"text": "1", "half": 1.5, "list": [1], "nan": np.nan, "low": -(10**9), "nothing": None, "complex": 1j}
TENSORS = {"axes": torch.zeros(7, 5, 3, 2, 1), "single": torch.zeros(())}
OPTIONAL = {("explorer.LatentExplorer", "start"), ("training.train", "codes")}  # arrays that may be None
ANY_SHAPE = {"surprisal", "entropy", "enumerate_posterior", "gaussian_kl", "as_bytes"}


def is_array(value):
    return isinstance(value, list | np.ndarray) and np.asarray(value).dtype.kind in "iuf"


def unusable(function, arguments):
    """Yield each argument of a valid call with each kind of invalid value for it."""
    for name, value in arguments.items():
        others = {int: WHOLES, float: NUMBERS, torch.Tensor: TENSORS}.get(type(value), {})
        if is_array(value):
            others = ARRAYS | {"nan": np.full(np.shape(value), np.nan)}
        for what, other in others.items():
            any_shape = what in ("axes", "empty") and function.__name__ in ANY_SHAPE
            default = what == "nothing" and (title(function), name) in OPTIONAL
            if not any_shape and not default:
                yield name, what, other


def title(function):
    return f"{function.__module__.removeprefix('vaehelpers.')}.{function.__qualname__}"


@pytest.mark.parametrize(("function", "arguments"), GOOD, ids=[title(function) for function, _ in GOOD])
def test_only_unusable_arguments_are_refused_and_named(function, arguments):
    function(**arguments)
    for name, what, other in unusable(function, arguments):
        try:
            function(**arguments | {name: other})
        except (ValueError, UserWarning) as error:
            assert re.search(rf"\b{name}\b", str(error)) and re.search(SENTENCE, str(error), re.DOTALL), what
        else:
            pytest.fail(f"{name}: {what} was accepted")


@pytest.mark.parametrize("row", BAD, ids=lambda row: f"{title(row[0])}: {row[1]}")
def test_input_that_is_invalid_for_one_function_is_named(row):
    function, words, positional, named, error = row
    with pytest.raises(error, match=words if error is OSError else f"^{words}"):
        function(*positional, **named)


# Random input.

KINDS = st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c8", "O", "U1", "S1", "M8[s]"]).map(np.dtype)
VALUES = hnp.arrays(KINDS, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
TABLES = st.lists(st.lists(st.floats(0, 1), max_size=3), max_size=3)
LINES = st.lists(st.floats(), max_size=4)
THINGS = VALUES | st.none() | st.text(max_size=3) | st.integers() | st.floats() | LINES | TABLES
ANY = st.floats() | st.floats(0, 1) | st.floats(-9, 9) | st.sampled_from([0.0, 1.0])
SLOW = ("dci", "sap", "factor_vae_score", "beta_vae_score")
CHECKED = [
    (function, arguments)
    for function, arguments in GOOD
    if re.match("information|inference|mixtures|metrics", title(function)) and function.__name__ not in SLOW
]


def like(value):
    """Return a strategy for arrays of the same shape, so that values are tested too."""
    return hnp.arrays(float, np.shape(value), elements=ANY)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(row=st.sampled_from(CHECKED), data=st.data())
def test_any_array_gives_a_result_or_names_an_argument(row, data):
    function, arguments = row
    arrays = {name: value for name, value in arguments.items() if is_array(value)}
    changes = {n: data.draw(THINGS | like(v), n) for n, v in arrays.items() if data.draw(st.booleans())}
    with warnings.catch_warnings(action="error"):
        try:
            function(**arguments | changes)
        except ConvergenceWarning:
            pass  # k_means finds fewer clusters than k among equal rows
        except (ValueError, UserWarning) as error:
            assert re.search(rf"\b({'|'.join(arguments)})\b", str(error).split(":")[0]), error


# The command line.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "no.safetensors"], "path: there is no file 'no.safetensors'"),
        (["evaluate", "lean.safetensors"], "model: need a card that names the training data"),
        (["explore", "lean.safetensors", "--output", "file/e.html"], "file"),
        (["train", "no folder"], "data: there is no folder 'no folder'; need one, or a name"),
        (["train", "empty"], "path: need images in the folder 'empty', got none"),
    ],
)  # fmt: skip
def test_the_command_line_says_what_is_wrong_in_one_line(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no folder")
    weights.save(VAE(32, 2), tmp_path / "lean.safetensors", {})
    result = CliRunner().invoke(cli.app, arguments)
    errors = [line for line in result.stderr.splitlines() if not line.startswith("no map of codes")]
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr
    assert len(errors) == 1 and errors[0].startswith("error: ") and words in errors[0]
