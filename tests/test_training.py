"""Training learns, and fails with a message that helps; test_faults kills it."""

from pathlib import Path

import numpy as np
import pytest
import torch

from vaehelpers import datasets, training
from vaehelpers.model import VAE

TINY = {"beta": 1.0, "tc_weight": 1.0, "latent_dim": 2, "pictures": 1500 * 8, "batch": 8, "progress": False}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def images():
    return datasets.hands(200, seed=0, size=32, vary=("index",), progress=False)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_elbo_rises_and_the_global_generator_is_left_alone(images):
    before = torch.get_rng_state()
    model, history = training.train(images, **TINY | {"pictures": 4000})
    assert torch.equal(before, torch.get_rng_state())
    assert history.elbo[-1] > history.elbo[0] + 50
    assert history.seen == [800 * (i + 1) for i in range(5)]
    assert not model.training


def test_one_seed_one_model(images):
    short = TINY | {"pictures": 400}
    first, second, other = (training.train(images, **short, seed=seed)[0] for seed in (1, 1, 2))
    assert same(first, second) and not same(first, other)


def test_a_checkpoint_of_another_run_is_refused(images, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "_CHECKPOINT", 100)
    path = tmp_path / "run.checkpoint"
    training.train(images, checkpoint=path, **TINY | {"pictures": 800})
    assert path.exists()
    with pytest.raises(ValueError, match="belongs to another run"):
        training.train(images, checkpoint=path, **TINY | {"beta": 2.0})


def test_an_interrupt_returns_the_model_so_far(images, interrupt_at, capsys):
    interrupt_at(150)
    model, history = training.train(images, **TINY)
    assert history.seen == [800, 1200]
    assert isinstance(model, VAE)
    assert "stopped after 1,200 pictures" in "".join(capsys.readouterr())


def test_a_loss_that_is_not_finite_stops_with_advice(images):
    with pytest.raises(FloatingPointError, match=r"not finite at step \d+; try a smaller learning_rate"):
        training.train(images, **TINY | {"learning_rate": 1e6})


def test_a_save_that_fails_leaves_the_older_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    training.save(VAE(32, 2), path, {"note": "old"})
    before = path.read_bytes()

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        training.save(VAE(32, 2), path, {"note": "new"})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_saved_model_comes_back_with_its_card(tmp_path):
    model = VAE(32, 3)
    training.save(model, tmp_path / "m.safetensors", {"note": "β"})
    loaded, card = training.load(tmp_path / "m.safetensors")
    assert card["note"] == "β"
    z = torch.randn(2, 3)
    torch.testing.assert_close(loaded.decoder(z), model.decoder(z), atol=5e-3, rtol=5e-3)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x80\x04\x95 pickled"])
def test_damaged_weights_are_refused(tmp_path, content):
    path = tmp_path / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or was not written by this course"):
        training.load(path)


def test_half_a_file_is_refused(tmp_path):
    path = tmp_path / "m.safetensors"
    training.save(VAE(32, 2), path, {})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(ValueError, match="damaged"):
        training.load(path)


def test_wrong_names_get_a_hint():
    with pytest.raises(ValueError, match="did you mean 'hands'"):
        training.load_pretrained("hand")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.safetensors"):
        training.load("nowhere.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beta": -1.0}, "beta: need a number of at least 0, got -1"),
        ({"batch": 0}, "batch"),
        ({"pictures": 0}, "pictures"),
    ],
)
def test_bad_arguments_are_named(images, change, message):
    with pytest.raises(ValueError, match=message):
        training.train(images, **TINY | change)


def test_floats_and_empty_data_are_refused(images):
    with pytest.raises(ValueError, match="not a single picture"):
        training.train(datasets.Images(images.pictures[:0], images.factors[:0], images.names), **TINY)
    with pytest.raises(ValueError, match="stored as bytes"):
        training.train(datasets.Images(images[:], images.factors, images.names), **TINY)


@pytest.mark.slow
def test_bfloat16_gives_the_elbo_of_float32(images, monkeypatch):
    monkeypatch.setattr(training, "_gains_from_bfloat16", lambda _: True)
    low = training.train(images, **TINY | {"pictures": 1600})[1].elbo[-1]
    monkeypatch.setattr(training, "_gains_from_bfloat16", lambda _: False)
    full = training.train(images, **TINY | {"pictures": 1600})[1].elbo[-1]
    assert low == pytest.approx(full, rel=0.03)


def test_the_history_plots_itself():
    import matplotlib.pyplot as plt

    history = training.History([1, 2], [-10.0, -8.0], [1.0, 2.0])
    figure, ax = plt.subplots()
    np.testing.assert_array_equal(history.plot(ax=ax).lines[0].get_ydata(), [-11, -10])
    plt.close(figure)
