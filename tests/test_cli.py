"""The command line: what it makes, what it says, and one line with exit code 2 when something is wrong."""

import json

import nbformat
import numpy as np
import pytest
from typer.testing import CliRunner

import vaehelpers.__main__ as cli
from vaehelpers import training

RUN = CliRunner()


def test_train_then_evaluate_then_explore(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(
        cli.app, ["train", "digits", "--latents", "2", "--minutes", "0.05", "--output", "d.safetensors"]
    )
    assert result.exit_code == 0, result.output
    model, card = training.load("d.safetensors")
    assert model.size == 32 and len(card["latents"]) == 2 and card["data"] == "digits"
    result = RUN.invoke(cli.app, ["evaluate", "d.safetensors"])
    assert result.exit_code == 0 and f"{card['elbo']}   card: {card['elbo']}" in result.output
    assert RUN.invoke(cli.app, ["explore", "d.safetensors", "--output", "e.ipynb"]).exit_code == 0
    assert "LatentExplorer" in nbformat.read("e.ipynb", 4).cells[0].source


def test_the_models_are_made_by_the_tested_way(tmp_path):
    recipe = {"vary": ("index", "thumb"), "beta": 2.0, "tc_weight": 1.0, "latent_dim": 3, "pictures": 640}
    cli.build({"hands-tiny": recipe | {"seeds": (0, 1)}}, tmp_path, n=300)
    assert [p.name for p in tmp_path.iterdir()] == ["hands-tiny.safetensors"]
    _, card = training.load(tmp_path / "hands-tiny.safetensors")
    assert set(card["all_seeds"]) == {"0", "1"}
    assert card["vary"] == ["index", "thumb"] and card["recipe"]["pictures"] == 640


@pytest.mark.parametrize("name", list(cli.RECIPES))
def test_a_card_tells_what_its_model_does(name):
    path = training.PRETRAINED / f"{name}.safetensors"
    assert path.stat().st_size <= 1.2e6
    model, card = training.load_pretrained(name)
    images = cli.read_data(card["data"], size=model.size, n=5000, seed=cli._TEST, vary=tuple(card["vary"]))
    numbers = json.loads(json.dumps(cli.scores(model, images)))
    for key, value in numbers.items():
        if key == "latents":
            np.testing.assert_allclose([e["kl"] for e in value], [e["kl"] for e in card[key]], atol=0.01)
            assert [e.get("name") for e in value] == [e.get("name") for e in card[key]]
        elif key == "mig_of":
            assert value == pytest.approx(card[key], abs=0.01)
        else:
            assert value == pytest.approx(card[key], rel=1e-3, abs=0.01)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "hand"], "did you mean 'hands'"),
        (["evaluate", "no.safetensors"], "there is no file"),
        (["train", "no-such-folder"], "there is no folder 'no-such-folder'"),
        (["train", "digits", "--beta", "-1"], "beta: need a positive number"),
        (["train", "hands", "--size", "48", "--minutes", "0.01"], "size: need 32 or 64"),
        (["explore", "hnads"], "did you mean"),
        (["models", "feet"], "there is no recipe 'feet'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(cli.app, arguments)
    assert result.exit_code == 2
    assert message in result.output and "Traceback" not in result.output
    assert len([line for line in result.output.splitlines() if line.startswith("error")]) == 1


def test_help_says_what_each_command_does():
    text = RUN.invoke(cli.app, ["--help"]).output
    for command in ("train", "evaluate", "explore", "models"):
        assert command in text


def test_latents_are_named_only_when_both_sides_agree():
    rng = np.random.default_rng(0)
    factors = rng.random((5000, 2)).astype(np.float32)
    images = cli.Images(np.zeros((5000, 1, 32, 32), np.uint8), factors, ("index", "thumb"))
    mu = np.column_stack([rng.random(5000), factors[:, 1], factors.sum(1)])
    names = [entry.get("name") for entry in cli.name_latents(mu, np.ones(3), images)]
    assert names[:2] == [None, "thumb"]
