"""The recipes make the shipped models and data, and the cards hold the models' scores."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr, special_ortho_group
from sklearn.decomposition import FastICA

from recipes import models, sweep
from recipes.straightening import straighten
from vaehelpers import datasets, evaluation, training, weights


@pytest.mark.slow
def test_the_recipes_of_models_build_small_ones(tmp_path):
    options = {"beta": 2.0, "tc_weight": 1.0, "latent_dim": 3, "pictures": 640}
    free = models.Recipe(("index", "thumb"), options | {"latent_dim": 2}, (0,), models.Straightening(640, 640, 1, 2))
    tiny = models.Recipe(("index", "thumb"), options, (0, 1))
    models.build({"hands-tiny": tiny, "hands-free": free}, tmp_path, n=1000)
    assert {p.name for p in tmp_path.iterdir()} == {"hands-tiny.safetensors", "hands-free.safetensors"}
    straightening = training.load(tmp_path / "hands-free.safetensors")[1]["straightening"]
    assert straightening == {"pictures": 640, "further": 640, "rounds": 1, "starts": 2}
    _, card = training.load(tmp_path / "hands-tiny.safetensors")
    assert set(card["seeds"]) == {"0", "1"} and set(card["seeds"]["0"]) == {"udr", "elbo", "mig"}
    assert card["vary"] == ["index", "thumb"] and card["recipe"]["pictures"] == 640


def test_models_agree_whose_latents_match_one_by_one():
    rng = np.random.default_rng(0)
    z = rng.normal(size=(2000, 4))
    turned = z @ np.linalg.qr(rng.normal(size=(4, 4)))[0]
    collapsed = np.c_[z, np.zeros(len(z))], np.c_[np.full_like(z, -4), np.zeros(len(z))]
    same = np.exp(-z[:, [2, 0, 3, 1]]), np.full_like(z, -4)  # in another order, turned over and stretched
    agreement = models.udr({0: collapsed, 1: same, 2: (turned, np.full_like(z, -4))})
    assert agreement[2] < agreement[0] == agreement[1]
    assert models.udr({0: collapsed, 1: same})[0] == pytest.approx(1, abs=0.15)
    assert models.udr({5: same}) == {5: 0.0}
    none = np.zeros((2000, 2)), np.zeros((2000, 2))  # all latents collapsed
    assert models.udr({0: collapsed, 1: none, 2: none}) == {0: 0.0, 1: 0.0, 2: 0.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in weights.PRETRAINED.glob("*.safetensors")))
def test_a_card_holds_the_scores_of_its_model(name):
    path = weights.PRETRAINED / f"{name}.safetensors"
    assert path.stat().st_size <= 1.2e6
    model, card = training.load_pretrained(name)
    images, _ = evaluation.read_test_images(model, card["data"], tuple(card["vary"]))
    numbers = json.loads(json.dumps(evaluation.scores(model, images)))
    latents, shipped = numbers.pop("latents"), card.pop("latents")
    np.testing.assert_allclose([e["kl"] for e in latents], [e["kl"] for e in shipped], atol=0.01)
    assert [e.get("name") for e in latents] == [e.get("name") for e in shipped]
    for key, value in numbers.items():
        assert value == pytest.approx(card[key], rel=1e-3, abs=0.01), key


@pytest.mark.slow
def test_the_recipe_of_the_sweep_makes_a_small_one(tmp_path):
    (tmp_path / "data").mkdir()
    small = {"vary": ("index", "thumb"), "n": 500, "latent_dim": 3, "pictures": 6400, "votes": 40}
    one_run = {"betas": (4,), "seeds": (0,), "shipped": (4,), "shipped_seed": 0}
    capacity = {"beta": 30.0, "capacity": 4.0, "pictures": 25_600, "warmup": 0.5}
    sweep.sweep(tmp_path / "runs", tmp_path, capacity_run=capacity, **small, **one_run)
    table = np.genfromtxt(tmp_path / "data" / "sweep.csv", delimiter=",", names=True)
    assert table.dtype.names == datasets.beta_sweep().dtype.names
    np.testing.assert_allclose(table["elbo"], table["log_likelihood"] - table["kl"], atol=0.02)
    model, card = training.load(tmp_path / "pretrained" / "sweep-beta-4.safetensors")
    assert table["beta"] == 4 and model.latent_dim == 3
    assert card["elbo"] == pytest.approx(float(table["elbo"]), abs=0.01)
    with np.load(tmp_path / "data" / "capacity.npz") as arrays:
        assert arrays["capacity"].tolist() == [4, 4] and arrays["kl"].shape == (2, 3)


def test_the_shipped_sweep_is_complete():
    table = datasets.beta_sweep()
    runs = {(row["beta"], row["seed"]) for row in table}
    assert runs == {(beta, seed) for beta in sweep.SWEEP["betas"] for seed in sweep.SWEEP["seeds"]}
    parts = table["mutual_information"] + table["total_correlation"] + table["dimension_kl"]
    np.testing.assert_allclose(parts, table["kl"], atol=0.2)
    run = datasets.capacity_run()
    assert run["kl"].shape == (len(run["capacity"]), 25) == (len(run["log_likelihood"]), 25)


def bent(seed, n=3000):
    """Return even factors ``(n, 3)``, and codes that mix them by a rotation and a quadratic map."""
    factors = np.random.default_rng(seed).uniform(-1, 1, (n, 3))
    turned = factors @ special_ortho_group.rvs(3, random_state=seed)
    return factors, turned + 0.4 * turned[:, [1, 2, 0]] ** 2


@pytest.mark.parametrize("seed", range(3))
def test_straightened_codes_are_the_factors_where_a_turn_alone_is_not_enough(seed):
    factors, codes = bent(seed)

    def found(found):
        return np.abs(spearmanr(found, factors).statistic[:3, 3:]).max(axis=0)

    straight = straighten(codes, rounds=(4,))
    turned = FastICA(whiten="unit-variance", random_state=0).fit_transform(codes)
    assert (found(straight) > found(turned) + 0.01).all() and found(straight).min() > 0.98
    np.testing.assert_allclose([straight.mean(0), straight.std(0)], [[0] * 3, [1] * 3], atol=0.01)
    assert np.abs(straight).max() <= 2.2


def test_the_seed_alone_decides_how_codes_are_straightened():
    codes = bent(0, 1000)[1]
    before = torch.get_rng_state()
    first, again, other = (straighten(codes, rounds=(1, 1), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert torch.equal(before, torch.get_rng_state())
