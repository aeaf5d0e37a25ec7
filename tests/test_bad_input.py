"""Whatever comes that cannot be used is told in one sentence: which argument, what is needed, what came."""

import importlib
import inspect
import json
import pkgutil
import re
import shutil
import struct
import subprocess
import warnings
import zlib

import bad_inputs
import numpy as np
import pytest
import torch
from bad_inputs import BAD, EXCEPTED, GOOD
from checks import exercises
from conftest import FULL, ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure
from PIL import Image
from safetensors.torch import save as serialise
from typer.testing import CliRunner

import vaehelpers
import vaehelpers.__main__ as cli
from vaehelpers import datasets, training, weights
from vaehelpers.model import VAE

CASES = 10_000 if FULL else 60
FUZZ = settings(max_examples=CASES, deadline=None, suppress_health_check=list(HealthCheck))
SENTENCE = r"^\w[\w, ]*: .*\b(needs?|must)\b.*\bgot\b"  # the argument, what is needed, what came

ARRAYS = {"text": ["a"], "objects": [object()], "complex": [1j], "ragged": [[1], [1, 2]], "nothing": None,
          "axes": np.zeros((1,) * 7), "empty": np.zeros((0, 0, 0)), "words": "words", "dates": np.array(["2026"], "M8"),
          "gradient": torch.zeros(3, requires_grad=True), "dict": {"a": 1}}  # fmt: skip
NUMBERS = {"text": "a", "list": [1.0, 2.0], "complex": 1j, "nan": np.nan, "inf": np.inf, "huge": 10**400, "dict": {}}
WHOLES = {"text": "1", "half": 1.5, "list": [1], "nan": np.nan, "low": -(10**9), "nothing": None, "complex": 1j}
TENSORS = {"axes": torch.zeros(7, 5, 3, 2, 1), "single": torch.zeros(())}
ANY_SHAPE = {"surprisal", "entropy", "enumerate_posterior", "gaussian_kl", "as_bytes", "factors_at", "array"}
TAKEN = {"explorer.LatentExplorer: start nothing", "widgets.live.steps: value nothing", "widgets.live.steps: first low",
         "plots.beta.plot_sweep: values nan", "plots.elbo.plot_beliefs: prior nothing"}  # fmt: skip


def junk(row):
    """The arguments of a call that works, each with everything that it cannot use."""
    kinds = ((row.arrays, ARRAYS), (row.numbers, NUMBERS), (row.wholes, WHOLES), (row.tensors, TENSORS))
    for kind, others in kinds:
        for name, value in kind.items():
            nan = {"nan": np.full(np.shape(value), np.nan)} if kind is row.arrays else {}
            for what, other in (others | nan).items():
                shaped = what in ("axes", "empty") and row.function.__name__ in ANY_SHAPE
                if not shaped and f"{title(row.function)}: {name} {what}" not in TAKEN:
                    yield name, what, other


def title(function):
    return f"{function.__module__.removeprefix('vaehelpers.')}.{function.__qualname__}"


@pytest.mark.parametrize("row", GOOD, ids=lambda row: title(row.function))
def test_the_call_works_as_long_as_nothing_is_wrong(row):
    row.call()


@pytest.mark.parametrize("row", GOOD, ids=lambda row: title(row.function))
def test_what_cannot_be_used_is_named(row):
    drawing = {"ax": Figure().subplots()} if takes(row.function, "ax") else {}
    for name, what, other in junk(row):
        try:
            row.call(**{name: other}, **drawing)
        except ValueError as error:
            assert re.search(rf"\b{name}\b", str(error)) and re.search(SENTENCE, str(error), re.DOTALL), what
        else:
            pytest.fail(f"{name}: {what} was taken")


def takes(function, name):
    return name in inspect.signature(function).parameters


@pytest.mark.parametrize("row", BAD, ids=lambda row: f"{title(row[0])}: {row[1]}")
def test_what_only_this_function_can_know_is_named_too(row):
    function, words, positional, named, error = row
    with pytest.raises(error, match=words if error is OSError else f"^{words}"):
        function(*positional, **named)


def public():
    """What the modules of the package define, and the folders show, that takes something, under its short name."""
    for info in pkgutil.iter_modules(vaehelpers.__path__):
        module = importlib.import_module(f"vaehelpers.{info.name}")
        for name, thing in vars(module).items():
            ours = getattr(thing, "__module__", "").startswith(module.__name__)
            if ours and callable(thing) and not name.startswith("_") and inspect.signature(thing).parameters:
                yield f"{info.name}.{name}", thing


def test_every_public_function_and_class_has_a_row():
    rows = {title(row.function) for row in GOOD} | {title(row[0]) for row in BAD}
    rows = {re.sub(r"^(plots|widgets)\.\w+\.", r"\1.", row) for row in rows}
    wanted = {name for name, _ in public() if not name.startswith(("__main__", "exercises"))}
    assert wanted - rows - set(EXCEPTED) == set()
    assert set(EXCEPTED) - wanted == set(), "excepted, and not there"


ATTEMPTS = {"nothing": None, "dots": ..., "text": "a", "object": object(), "nan": np.nan, "huge": 10**400,
            "complex": 1j, "ragged": [1, [2]], "table": np.zeros((3, 3)), "objects": np.array([None, 1]),
            "complexes": np.array([1j])}  # fmt: skip


@pytest.mark.parametrize("check", [n for n in vars(exercises) if n.startswith("check_")])
def test_an_exercise_answers_any_attempt_with_a_sentence(check, capsys):
    function, states = getattr(exercises, check), np.eye(16, 10)
    more = {
        "posterior": np.ones(16) / 16,
        "states": states,
        "log_joint": np.log(np.ones(16) / 16),
        "q": np.ones(10) / 2,
    }
    first, *others = inspect.signature(function).parameters
    for value in ATTEMPTS.values():
        for attempt in (value, lambda *_, value=value: value, lambda: None):
            given = [more[name] if name in more else attempt for name in others]
            function(attempt, *given)
            assert capsys.readouterr().out.strip()


# The command line.


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "no.safetensors"], "path: there is no file 'no.safetensors'"),
        (["evaluate", "feet"], "name: there is no shipped model 'feet'"),
        (["evaluate", "pickle.safetensors"], "is damaged or was not written by this course"),
        (["evaluate", "lean.safetensors"], "model: its card does not say on which data"),
        (["explore", "pickle.safetensors"], "is damaged or was not written by this course"),
        (["explore", "lean.safetensors", "--output", "file/e.html"], "file"),
        (["explore", "lean.safetensors", "--output", "."], "path: '.' is not a file"),
        (["train", "no folder"], "path: there is no folder 'no folder'"),
        (["train", "empty"], "path: the folder 'empty' holds no .png"),
        (["train", "file"], "path: there is no folder 'file'"),
        (["train", "digits", "--minutes", "-1"], "minutes: need a number above 0, got -1"),
        (["train", "digits", "--minutes", "nan"], "minutes: need a number above 0, got nan"),
        (["train", "digits", "--beta", "inf"], "beta: need a number of at least 0, got inf"),
        (["train", "digits", "--latents", "0"], "latent_dim: need a whole number from 1 to 10000, got 0"),
        (["train", "digits", "--seed", "-1"], "seed: need a whole number from 0 to"),
        (["train", "sprites", "--size", "8"], "size: need 32 or 64 pixels, got 8"),
        (["models", "feet"], "names: there is no recipe 'feet'"),
        (["sweep", "--folder", "file"], "file"),
    ],
)  # fmt: skip
def test_the_command_line_says_what_is_wrong_in_one_line(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "pickle.safetensors").write_bytes(b"\x80\x04\x95 pickled")
    weights.save(VAE(32, 2), tmp_path / "lean.safetensors", {})
    monkeypatch.setattr("vaehelpers.datasets.hands", lambda *args, **kwargs: datasets.digits())
    result = CliRunner().invoke(cli.app, arguments)
    errors = [line for line in result.stderr.splitlines() if not line.startswith("without a map of codes")]
    assert result.exit_code == 2 and result.stdout == "" and "Traceback" not in result.stderr
    assert len(errors) == 1 and errors[0].startswith("error: ") and words in errors[0]


@pytest.mark.parametrize("arguments", [["train"], ["train", "digits", "--beta", "x"], ["explore", "--no"], ["dance"]])
def test_an_unknown_option_is_explained(arguments):
    result = CliRunner().invoke(cli.app, arguments)
    assert result.exit_code == 2 and "Traceback" not in result.stderr and "--help" in result.stderr


# Names, folders, bombs.


def test_names_with_spaces_umlauts_and_other_signs_work(tmp_path):
    folder = tmp_path / "Bilder für Zoë 🐈" / "日本 & 'x'"
    folder.mkdir(parents=True)
    Image.new("L", (9, 9), 200).save(folder / "größe 1 %20.PNG")
    images = datasets.folder(folder, size=32)
    assert len(images) == 1
    path = folder / "mein Modell ß.safetensors"
    weights.save(VAE(32, 2), path, {"name": "größe", "data": str(folder), "vary": []})
    assert weights.load(path)[1]["name"] == "größe"
    result = CliRunner().invoke(cli.app, ["explore", str(path), "--output", str(folder / "e ü.html")])
    assert (result.exit_code, result.output) == (0, f"wrote {folder / 'e ü.html'}\n"), result.output
    assert "größe" in (folder / "e ü.html").read_text(encoding="utf-8")
    training.train(images, beta=1, latent_dim=1, pictures=1, batch=1, progress=False, checkpoint=folder / "c ü")


def png(width, height, data):
    """A picture that claims any size."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def test_bombs_and_what_is_no_picture_are_left_out_and_named(tmp_path):
    Image.new("L", (9, 9)).save(tmp_path / "good.png")
    (tmp_path / "bomb.png").write_bytes(png(100_000, 100_000, bytes(10**6)))
    (tmp_path / "widest.png").write_bytes(png(2**31 - 1, 1, b"\0"))
    (tmp_path / "zip.jpg").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "empty.gif").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "text.tiff").write_text("II*\0")
    (tmp_path / "zip.zip").write_bytes(b"PK")  # has no picture's name, and nobody looks at it
    with pytest.warns(UserWarning, match=r"left out 6 of 7 files: bomb.png \(too big\), empty.gif \(empty\), loop"):
        assert len(datasets.folder(tmp_path, size=8)) == 1


# Weight files.


@pytest.fixture(scope="module")
def small():
    return weights.to_bytes(VAE(32, 2), {"note": "β"})


def forged(data, change=None, length=None, body=None):
    """A file with another header."""
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    text = json.dumps(header if change is None else change(header) or header).encode()
    return (
        struct.pack("<Q", len(text) if length is None else length) + text + (data[8 + size :] if body is None else body)
    )


def with_card(card):
    return lambda header: header.update(__metadata__={"card": card})


def with_offsets(*offsets):
    return lambda header: header["encoder.posterior.bias"].update(data_offsets=offsets)


HOSTILE = {
    "nothing": lambda data: b"", "half": lambda data: data[: len(data) // 2],
    "a pickle": lambda data: b"\x80\x04\x95.", "a zip": lambda data: b"PK\3\4",
    "one byte less": lambda data: data[:-1], "one byte more": lambda data: data + b"\0",
    "a header that lies about its size": lambda data: forged(data, length=2**63),
    "a header of no length": lambda data: forged(data, length=0),
    "a header that ends in the middle": lambda data: forged(data, length=100),
    "a header without end": lambda data: struct.pack("<Q", 10**6) + b"[" * 10**6,
    "a negative offset": lambda data: forged(data, with_offsets(-4, 0)),
    "offsets that overlap": lambda data: forged(data, with_offsets(0, 8)),
    "offsets beyond the end": lambda data: forged(data, with_offsets(2**62, 2**62 + 8)),
    "no metadata": lambda data: forged(data, lambda header: header.pop("__metadata__") and None),
    "a card that is no JSON": lambda data: forged(data, with_card("{")),
    "a card that is a list": lambda data: forged(data, with_card("[]")),
    "a card with endless digits": lambda data: forged(data, with_card("9" * 5000)),
    "a card without a model": lambda data: forged(data, with_card("{}")),
    "a card of another model": lambda data: forged(data, with_card('{"model": {"latent_dim": 2}}')),
    "a model of a million latents": lambda data: forged(data, with_card('{"model": {"latent_dim": 1000000}}')),
    "a shape that overflows": lambda data: forged(data, lambda h: h["encoder.posterior.bias"].update(shape=[2**62, 8])),
    "an unknown type": lambda data: forged(data, lambda h: h["encoder.posterior.bias"].update(dtype="F4096")),
    "numbers that are not finite": lambda data: data[:-2] + struct.pack("<e", np.nan),
    "whole numbers": lambda data: data.replace(b'"F16"', b'"I16"'),
    "complex numbers": lambda data: serialise({"x": torch.zeros(3, dtype=torch.complex64)}, {"card": "{}"}),
}  # fmt: skip
REFUSED = (
    r"^path: '.*' (is damaged or was not written by this course|does not hold a model of this course)|^latent_dim: need"
)


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_weight_file_is_named(kind, small, tmp_path):
    path = tmp_path / "m.safetensors"
    path.write_bytes(HOSTILE[kind](small))
    with pytest.raises(ValueError, match=REFUSED):
        weights.load(path)


NODE = """
import { readFileSync } from "node:fs";
import { parse } from "%s";
for (const path of process.argv.slice(2)) {
  try {
    parse(readFileSync(path));
    console.log("taken for a model");
  } catch (error) {
    console.log(`${error.name}: ${error.message}`.replaceAll("\\n", " "));
  }
}
"""


def parsed(contents, folder):
    """What the explorer's reader says of each content."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node here; test_network says the same in the browser")
    (folder / "run.mjs").write_text(NODE % (ROOT / "vaehelpers" / "web" / "network.js").as_uri())
    names = [folder / f"{i}.bin" for i in range(len(contents))]
    for name, content in zip(names, contents, strict=True):
        name.write_bytes(content)
    done = subprocess.run([node, folder / "run.mjs", *names], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_explorer_refuses_the_same_files(small, tmp_path):
    said = parsed([make(small) for make in HOSTILE.values()] + [small], tmp_path)
    assert said.pop() == "taken for a model"
    assert [line for line in said if not line.startswith("Error: model: ")] == []
    assert len(said) == len(HOSTILE)


# Anything at all.

KINDS = st.sampled_from(["f8", "f4", "f2", "i8", "u1", "?", "c8", "O", "U1", "S1", "M8[s]"]).map(np.dtype)
VALUES = hnp.arrays(KINDS, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
TABLES = st.lists(st.lists(st.floats(0, 1), max_size=3), max_size=3)
LINES = st.lists(st.floats(), max_size=4)
THINGS = VALUES | st.none() | st.text(max_size=3) | st.integers() | st.floats() | LINES | TABLES
ANY = st.floats() | st.floats(0, 1) | st.floats(-9, 9) | st.sampled_from([0.0, 1.0])
SLOW = ("dci", "sap", "factor_vae_score", "beta_vae_score")  # they look at their arrays as `mig` does
CHECKERS = [row for row in GOOD if re.match("information|inference|mixtures|metrics", title(row.function))]
CHECKERS = [row for row in CHECKERS if row.arrays and row.function.__name__ not in SLOW]


def like(value):
    """Arrays of one shape, so that more than the shape is put to the test."""
    return hnp.arrays(float, np.shape(value), elements=ANY)


@FUZZ
@given(row=st.sampled_from(CHECKERS), data=st.data())
def test_any_array_gives_a_result_or_a_sentence(row, data):
    changes = {n: data.draw(THINGS | like(v), n) for n, v in row.arrays.items() if data.draw(st.booleans())}
    with warnings.catch_warnings(action="error"):
        try:
            row.call(**changes)
        except ValueError as error:
            names = [*row.arrays, *row.numbers, *row.wholes]
            assert re.search(rf"\b({'|'.join(names)})\b", str(error).split(":")[0]), error


DAMAGES = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), max_size=3)


@FUZZ
@given(changes=DAMAGES, end=st.floats(0.5, 1.5))
def test_any_damage_of_a_weight_file_gives_a_model_or_a_sentence(tmp_path_factory, small, changes, end):
    header = 8 + struct.unpack("<Q", small[:8])[0]
    content = bytearray(small[: int(end * len(small))])
    for place, piece in changes:  # half of them in the header
        at = int(place * 2 * header) if place < 0.5 else int(place * len(content))
        content[at : at + len(piece)] = piece
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        try:
            assert isinstance(weights.load(path)[0], VAE)
        except ValueError as error:
            assert re.search(REFUSED + "|^(size|channels): need", str(error)), error


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
SHAPE = {"size": JSON | st.just(32), "latent_dim": JSON | st.just(2), "channels": JSON | st.just(1)}
ENTRY = {"model": JSON | st.fixed_dictionaries(SHAPE), "latents": JSON, "vary": JSON, "data": JSON | st.just("hands")}
CARDS = JSON | st.fixed_dictionaries(ENTRY)


@FUZZ
@given(card=CARDS)
def test_any_card_gives_a_model_or_a_sentence(tmp_path_factory, small, card):
    path = tmp_path_factory.getbasetemp() / "card.safetensors"
    path.write_bytes(forged(small, with_card(json.dumps(card))))
    try:
        network, found = weights.load(path)
        bad_inputs.explorer.LatentExplorer(network, found)
    except ValueError as error:
        assert re.search(REFUSED + "|^(size|channels|latent_dim|card): need", str(error)), error


PICTURES = st.sampled_from(["PNG 1", "PNG P", "JPEG L", "JPEG RGB", "GIF P", "BMP 1", "TIFF L", "TIFF RGB", "WEBP RGB"])


@FUZZ
@given(picture=PICTURES, place=st.floats(0, 1), piece=st.binary(max_size=8), end=st.floats(0.3, 1.2))
def test_any_damage_of_a_picture_gives_a_picture_or_leaves_it_out(tmp_path_factory, picture, place, piece, end):
    folder = tmp_path_factory.getbasetemp() / "pictures"
    folder.mkdir(exist_ok=True)
    path = folder / "a.png"
    Image.linear_gradient("L").resize((17, 9)).convert(picture.split()[1]).save(path, picture.split()[0])
    content = bytearray(path.read_bytes())
    content = content[: int(end * len(content))]
    at = int(place * len(content))
    content[at : at + len(piece)] = piece
    path.write_bytes(content)
    with warnings.catch_warnings(action="error"):
        try:
            images = datasets.folder(folder, size=8)
            assert images.pixels.shape == (1, 1, 8, 8) and images.pixels.dtype == np.uint8
        except ValueError as error:
            assert re.match(r"path: no file of the folder '.*' can be read as an image: a.png \(", str(error)), error
