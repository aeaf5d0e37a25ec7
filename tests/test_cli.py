"""The command line: what it makes, what it says, and one line with exit code 2 when something is wrong."""

import json
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import vaehelpers.__main__ as cli
from vaehelpers import datasets, shipped, training, weights

RUN = CliRunner()


@pytest.mark.slow
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
    assert RUN.invoke(cli.app, ["explore", "d.safetensors", "--output", "e.html"]).exit_code == 0
    assert weights.pack(Path("d.safetensors").read_bytes()) in Path("e.html").read_text()
    opened = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert RUN.invoke(cli.app, ["explore", "d.safetensors"]).exit_code == 0
    assert opened == [(tmp_path / "explore-d.html").as_uri()]


@pytest.mark.slow
def test_the_models_are_made_by_the_tested_way(tmp_path):
    recipe = {"vary": ("index", "thumb"), "beta": 2.0, "tc_weight": 1.0, "latent_dim": 3, "pictures": 640}
    shipped.build({"hands-tiny": recipe | {"seeds": (0, 1)}}, tmp_path, n=300)
    assert [p.name for p in tmp_path.iterdir()] == ["hands-tiny.safetensors"]
    _, card = training.load(tmp_path / "hands-tiny.safetensors")
    assert set(card["all_seeds"]) == {"0", "1"}
    assert card["vary"] == ["index", "thumb"] and card["recipe"]["pictures"] == 640


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in training.PRETRAINED.glob("*.safetensors")))
def test_a_card_tells_what_its_model_does(name):
    path = training.PRETRAINED / f"{name}.safetensors"
    assert path.stat().st_size <= 1.2e6
    model, card = training.load_pretrained(name)
    images = shipped.read_data(card["data"], size=model.size, n=5000, seed=shipped.TEST, vary=tuple(card["vary"]))
    numbers = json.loads(json.dumps(shipped.scores(model, images)))
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
        (["train", "digits", "--beta", "-1"], "beta: need a number of at least 0"),
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
    images = datasets.Images(np.zeros((5000, 1, 32, 32), np.uint8), factors, ("index", "thumb"))
    mu = np.column_stack([rng.random(5000), factors[:, 1], factors.sum(1)])
    names = [entry.get("name") for entry in shipped.name_latents(mu, np.ones(3), images)]
    assert names[:2] == [None, "thumb"]


@pytest.mark.slow
def test_the_sweep_is_made_by_the_tested_way(tmp_path):
    (tmp_path / "data").mkdir()
    small = {
        "vary": ("index", "thumb"),
        "n": 500,
        "latent_dim": 3,
        "pictures": 6400,
        "votes": 40,
        "betas": (4,),
        "seeds": (0,),
    }
    capacity = {"beta": 30.0, "capacity": 4.0, "pictures": 25_600, "warmup": 0.5}
    shipped.sweep(tmp_path / "runs", tmp_path, shipped=(4,), shipped_seed=0, capacity_run=capacity, **small)
    table = np.genfromtxt(tmp_path / "data" / "sweep.csv", delimiter=",", names=True)
    assert table.dtype.names == datasets.beta_sweep().dtype.names
    np.testing.assert_allclose(table["elbo"], table["log_likelihood"] - table["kl"], atol=0.02)
    model, card = training.load(tmp_path / "pretrained" / "sweep-beta-4.safetensors")
    assert (
        table["beta"] == 4 and model.latent_dim == 3 and card["elbo"] == pytest.approx(float(table["elbo"]), abs=0.01)
    )
    with np.load(tmp_path / "data" / "capacity.npz") as arrays:
        assert arrays["capacity"].tolist() == [4, 4] and arrays["pictures"].shape == (2, 3, 9, 32, 32)


def test_the_shipped_sweep_is_whole():
    table = datasets.beta_sweep()
    runs = {(row["beta"], row["seed"]) for row in table}
    assert runs == {(beta, seed) for beta in shipped.SWEEP["betas"] for seed in shipped.SWEEP["seeds"]}
    parts = table["mutual_information"] + table["total_correlation"] + table["dimension_kl"]
    np.testing.assert_allclose(parts, table["kl"], atol=0.2)
    run = datasets.capacity_run()
    assert run["kl"].shape == (len(run["capacity"]), 25) and run["pictures"].shape[1:] == (6, 9, 32, 32)
