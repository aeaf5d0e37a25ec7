"""Training learns, goes on where it was stopped, and fails with a message that helps; test_faults kills it."""

import math
import os
import signal
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vaehelpers import datasets, runs, training, weights
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


def test_an_interrupt_returns_the_model_so_far(images, interrupt_at, capsys):
    interrupt_at(150)
    model, history = training.train(images, **TINY)
    assert history.seen == [800, 1200]
    assert isinstance(model, VAE)
    assert "stopped after 1,200 images" in "".join(capsys.readouterr())


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
    with pytest.raises(ValueError, match="need at least one image"):
        training.train(datasets.Images(images.pixels[:0], images.factors[:0], images.names), **TINY)
    with pytest.raises(ValueError, match="need bytes"):
        training.train(datasets.Images(images[:], images.factors, images.names), **TINY)


SHORT = {"beta": 1.0, "tc_weight": 1.0, "latent_dim": 2, "pictures": 20 * 4, "batch": 4, "progress": False}


@pytest.fixture
def steps(monkeypatch):
    """The shares of the run at which its steps began; a point of the history every 4 steps, a checkpoint every 8.

    The learning rate asks once a step for the cosine of π times the share.
    """
    monkeypatch.setattr(training, "_RECORD", 4)
    monkeypatch.setattr(training, "_CHECKPOINT", 8)
    begun = []

    def cos(angle):
        begun.append(angle / math.pi)
        return math.cos(angle)

    monkeypatch.setattr(training, "math", SimpleNamespace(pi=math.pi, cos=cos))
    return begun


@pytest.fixture
def stop_after(monkeypatch, steps):
    """A function that calls ``train`` and presses Ctrl-C in its so-and-so-many-th step."""
    elbo_terms = training.elbo_terms

    def stop(count, *args, **kwargs):
        last = len(steps) + count

        def pressed(*tensors):
            if len(steps) == last:
                signal.raise_signal(signal.SIGINT)
            return elbo_terms(*tensors)

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt) as caught:
            patch.setattr(training, "elbo_terms", pressed)
            training.train(*args, **kwargs)
        return str(caught.value)

    return stop


@pytest.fixture
def clock(monkeypatch, steps):
    """A clock by which each step of training takes one second, and all else no time."""
    monkeypatch.setattr(runs, "time", SimpleNamespace(monotonic=lambda: 1e3 + len(steps)))


def test_a_run_that_is_stopped_again_and_again_ends_as_one_that_was_not(images, tmp_path, steps, stop_after):
    expected, history = training.train(images, **SHORT)
    path = tmp_path / "run"
    for count, total in ((1, 4), (5, 24), (8, 56)):  # before the first checkpoint, between two, and with one
        said = stop_after(count, images, checkpoint=path, **SHORT)
        assert said == f"stopped after {total} images; the same call goes on from there"
    del steps[:]
    model, gone_on = training.train(images, checkpoint=path, **SHORT)
    assert len(steps) == 20 - 14, "nothing that was done is done again"
    assert gone_on == history and same(model, expected)
    again, history_again = training.train(images, checkpoint=path, **SHORT)
    assert len(steps) == 20 - 14 and history_again == history and same(again, expected)


def test_a_run_by_the_clock_goes_on_with_the_time_that_is_left(images, tmp_path, steps, clock, stop_after, capsys):
    """The weights too are the same, so that warm-up and learning rate went on where they were."""
    run = SHORT | {"minutes": 20 / 60, "progress": True}
    expected, history = training.train(images, **run)
    assert "100%" in (said := capsys.readouterr().err.splitlines()[-1]) and "20/20 s" in said
    shares = steps[:]
    assert len(shares) == 20 and shares == pytest.approx(np.arange(20) / 20)
    del steps[:]
    stop_after(6, images, checkpoint=tmp_path / "run", **run)
    capsys.readouterr()
    model, gone_on = training.train(images, checkpoint=tmp_path / "run", **run)
    assert " 30%|" in capsys.readouterr().err, "the bar begins where the earlier part ended"
    assert steps == pytest.approx(shares) and gone_on == history and same(model, expected)
    model, gone_on = training.train(images, checkpoint=tmp_path / "run", **run)
    assert len(steps) == 20 and gone_on == history and same(model, expected)


@pytest.mark.parametrize("pictures", [1, 7, 90])
def test_a_bar_of_pictures_ends_at_its_end(images, pictures, capsys):
    training.train(images, **TINY | {"pictures": pictures, "progress": True})
    assert "100%" in capsys.readouterr().err.splitlines()[-1]


def test_fewer_pictures_than_a_batch_are_one_step_that_is_kept(images, tmp_path, steps):
    run = SHORT | {"pictures": 3}
    model, history = training.train(images, checkpoint=tmp_path / "run", **run)
    again, history_again = training.train(images, checkpoint=tmp_path / "run", **run)
    assert steps == [0] and history.seen == [4] and history_again == history and same(again, model)


def test_the_model_so_far_is_read_from_a_checkpoint(images, tmp_path, monkeypatch, stop_after):
    stop_after(6, images, checkpoint=tmp_path / "run", **SHORT)
    model, card = training.load(tmp_path / "run")
    monkeypatch.setattr(training, "_RECORD", 7)
    seen = {}
    keep = lambda live, _: seen.update({k: v.clone() for k, v in live.state_dict().items()})  # noqa: E731
    stop_after(1, images, checkpoint=tmp_path / "run", callback=keep, **SHORT)
    later, card_later = training.load(tmp_path / "run")
    assert (card["step"], card_later["step"]) == (6, 7) and not model.training
    assert not same(model, later) and all(torch.equal(seen[k], v) for k, v in later.state_dict().items())


def test_a_second_interrupt_while_the_first_is_saved_leaves_the_older_file(
    images, tmp_path, monkeypatch, steps, stop_after
):
    expected, _ = training.train(images, **SHORT)
    path = tmp_path / "run"
    stop_after(3, images, checkpoint=path, **SHORT)
    older, write, seen = path.read_bytes(), Path.write_bytes, len(steps)

    def pressed(file, data):
        if len(steps) == seen:  # the save at the start of the call
            return write(file, data)
        write(file, data[: len(data) // 2])
        return signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", pressed)
        stop_after(2, images, checkpoint=path, **SHORT)
    assert path.read_bytes() == older and [file.name for file in tmp_path.iterdir()] == ["run"]
    assert same(training.train(images, checkpoint=path, **SHORT)[0], expected)


def test_a_loss_that_is_not_finite_spoils_no_checkpoint(images, tmp_path, stop_after):
    path, run = tmp_path / "run", SHORT | {"learning_rate": 1e12}
    stop_after(1, images, checkpoint=path, **run)
    older = path.read_bytes()
    with pytest.raises(FloatingPointError, match="not finite"):
        training.train(images, checkpoint=path, **run)
    assert path.read_bytes() == older


ONE = SHORT | {"pictures": 4}


@pytest.fixture(scope="module")
def one_step(images, tmp_path_factory):
    """The bytes of the checkpoint of a run of one step."""
    path = tmp_path_factory.mktemp("one") / "run"
    training.train(images, checkpoint=path, **ONE)
    return path.read_bytes()


COLOUR = np.zeros((200, 3, 32, 32), np.uint8)
OTHERS = {
    "beta": ({"beta": 2.0}, "beta is 1.0 there and 2.0 here; name another"),
    "two": ({"beta": 2, "seed": 3}, r"beta is 1.0 there and 2.0 here, seed is 0 there and 3 here; name another"),
    "minutes": ({"minutes": 3}, "minutes is None there and 3.0 here"),
    "pictures": ({"pictures": 800}, "pictures is 4 there and 800 here"),
    "images": (
        {"pictures": 80},
        r"images is '200 of 1x32x32, SHA-256 \w+' there and '200 of 1x32x32, SHA-256 \w+' here",
    ),
    "colour": (COLOUR, "images is '200 of 1x32x32, .*' there and '200 of 3x32x32, .*' here"),
    "size": (
        COLOUR[:, :1].repeat(2, 2).repeat(2, 3),
        "images is '200 of 1x32x32, .*' there and '200 of 1x64x64, .*' here",
    ),
    "number": (COLOUR[:9, :1], "images is '200 of 1x32x32, .*' there and '9 of 1x32x32, .*' here"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_differs_from_the_run_of_a_checkpoint_is_named(case, images, tmp_path, one_step):
    path, (change, message) = tmp_path / "run", OTHERS[case]
    path.write_bytes(one_step)
    if case == "images":
        images, change = replace(images, pixels=255 - images.pixels), {}
    elif isinstance(change, np.ndarray):
        images, change = replace(images, pixels=change), {}
    with pytest.raises(ValueError, match=f"^checkpoint: '.*run' belongs to another run: {message}") as caught:
        training.train(images, checkpoint=path, **ONE | change)
    assert len(str(caught.value).splitlines()) == 1 and path.read_bytes() == one_step


def test_the_checkpoint_of_a_gpu_is_refused_elsewhere(images, tmp_path, one_step):
    (tmp_path / "run").write_bytes(one_step)
    tensors, card = weights.read(tmp_path / "run")
    card["recipe"]["device"], tensors["noise"] = "cuda", torch.zeros(16, dtype=torch.uint8)
    weights.write(tmp_path / "run", tensors, card)
    with pytest.raises(ValueError, match="belongs to another run: device is 'cuda' there and 'cpu' here"):
        training.train(images, checkpoint=tmp_path / "run", device="cpu", **ONE)


DAMAGES = {
    "no bias": lambda tensors, card: tensors.pop("model.encoder.posterior.bias"),
    "no moment": lambda tensors, card: tensors.pop("optimiser.3.exp_avg"),
    "no noise": lambda tensors, card: tensors.pop("noise"),
    "no window": lambda tensors, card: tensors.pop("window"),
    "another shape": lambda tensors, card: tensors.update({"model.encoder.posterior.bias": torch.zeros(5)}),
    "one number for many": lambda tensors, card: tensors.update({"model.encoder.posterior.bias": torch.zeros(1)}),
    "not finite": lambda tensors, card: tensors["optimiser.3.exp_avg"].fill_(np.nan),
    "whole numbers": lambda tensors, card: tensors.update({"optimiser.0.step": torch.tensor(3)}),
    "another generator": lambda tensors, card: tensors.update(generator=torch.zeros(16, dtype=torch.uint8)),
    "a generator of floats": lambda tensors, card: tensors.update(generator=torch.zeros(5056)),
    "a wide pool": lambda tensors, card: tensors.update(pool=torch.zeros(8, 6)),
    "a pool of one number": lambda tensors, card: tensors.update(pool=torch.zeros(())),
    "a wide window": lambda tensors, card: tensors.update(window=torch.zeros(1, 3)),
    "no history": lambda tensors, card: card.pop("history"),
    "a shorter history": lambda tensors, card: card["history"]["kl"].append(1.0),
    "a history of words": lambda tensors, card: card.update(history={"seen": ["a"], "log_likelihood": [1], "kl": [1]}),
    "a history of one": lambda tensors, card: card.update(history={"seen": 1, "log_likelihood": 1, "kl": 1}),
    "another history": lambda tensors, card: card.update(history={"price": []}),
    "a list": lambda tensors, card: card.update(history=[1]),
    "a negative step": lambda tensors, card: card.update(step=-1),
    "half a step": lambda tensors, card: card.update(step=0.5),
    "a step in words": lambda tensors, card: card.update(step="3"),
    "no step": lambda tensors, card: card.pop("step"),
    "a time before the start": lambda tensors, card: card.update(done=-1),
    "no time": lambda tensors, card: card.update(done=None),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused_in_one_sentence(damage, images, tmp_path, one_step):
    path = tmp_path / "run"
    path.write_bytes(one_step)
    tensors, card = weights.read(path)
    DAMAGES[damage](tensors, card)
    weights.write(path, tensors, card)
    with pytest.raises(ValueError, match="^checkpoint: '.*run' is damaged or was not written by this") as caught:
        training.train(images, checkpoint=path, **ONE)
    assert len(str(caught.value).splitlines()) == 1


def test_a_recipe_that_is_none_is_another_run(images, tmp_path, one_step):
    (tmp_path / "run").write_bytes(one_step)
    tensors, card = weights.read(tmp_path / "run")
    weights.write(tmp_path / "run", tensors, card | {"recipe": "beta"})
    with pytest.raises(ValueError, match="belongs to another run: beta is None there and 1.0 here"):
        training.train(images, checkpoint=tmp_path / "run", **ONE)


@pytest.mark.parametrize("content", [b"", b"a picture, say", None], ids=["nothing", "something", "a model"])
def test_a_file_that_is_no_checkpoint_is_neither_taken_nor_replaced(content, images, tmp_path):
    path = tmp_path / "kept"
    training.save(VAE(32, 2), path, {"recipe": {"beta": 1.0}}) if content is None else path.write_bytes(content)
    before = path.read_bytes()
    with pytest.raises(ValueError, match="^checkpoint: '.*kept' is damaged or was not written by"):
        training.train(images, checkpoint=path, **SHORT)
    assert path.read_bytes() == before


def test_a_checkpoint_that_cannot_be_written_is_named_before_the_first_step(images, tmp_path, steps):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "run"):
        with pytest.raises(OSError, match=f"^checkpoint: '{path}' cannot be written"):
            training.train(images, checkpoint=path, **SHORT)
    assert steps == []


def test_a_home_folder_and_a_folder_that_is_not_there_yet(images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    training.train(images, checkpoint="~/new/run", **SHORT | {"pictures": 4})
    training.save(VAE(32, 2), "~/new/model", {})
    assert sorted(file.name for file in (tmp_path / "new").iterdir()) == ["model", "run"]
    assert training.load("~/new/model")[1] and training.load("~/new/run")[1]["step"] == 1


def test_numbers_of_numpy_are_numbers(images, tmp_path):
    numpy = {"beta": np.float32(1), "batch": np.int64(4), "seed": np.array(0), "capacity": np.float64(2)}
    numpy |= {
        "learning_rate": np.array(1e-3),
        "latent_dim": np.uint8(2),
        "warmup": np.float16(0.25),
        "tc_weight": np.int8(1),
    }
    python = {
        "beta": 1.0,
        "batch": 4,
        "seed": 0,
        "capacity": 2.0,
        "learning_rate": 1e-3,
        "latent_dim": 2,
        "warmup": 0.25,
    }
    one, _ = training.train(images, checkpoint=tmp_path / "run", **SHORT | numpy)
    two, _ = training.train(images, checkpoint=tmp_path / "run", **SHORT | python)
    assert same(one, two)
    model = VAE(np.int64(32), np.int32(2), np.uint8(1))
    training.save(
        model, tmp_path / "m", {"elbo": np.float32(-1.5), "n": np.int64(3), "ok": np.bool_(True), "a": [np.array(2)]}
    )
    card = training.load(tmp_path / "m")[1]
    assert card == {"elbo": -1.5, "n": 3, "ok": True, "a": [2], "model": {"size": 32, "latent_dim": 2, "channels": 1}}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux says there what is mapped")
def test_no_file_that_was_read_stays_open(images, tmp_path, steps):
    """Windows lets nobody replace a file that is mapped into memory."""
    training.train(images, checkpoint=tmp_path / "run", **SHORT)
    training.save(VAE(32, 2), tmp_path / "model", {})
    kept = weights.read(tmp_path / "run"), training.load(tmp_path / "model")
    kept += (training.train(images, checkpoint=tmp_path / "run", **SHORT),)
    opened = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink() and link.exists()]
    assert str(tmp_path) not in Path("/proc/self/maps").read_text() + "".join(opened) and len(kept) == 3


@pytest.mark.parametrize(
    "change", [lambda x: x[::-1, :, :, ::-1], lambda x: x.transpose(0, 1, 3, 2)], ids=["mirrored", "turned"]
)
def test_views_of_an_array_and_arrays_that_are_only_read_are_trained_on(images, change, tmp_path):
    view = change(images.pixels)
    copy = np.ascontiguousarray(view)
    view.setflags(write=False)
    with warnings.catch_warnings(action="error"):
        one = training.train(replace(images, pixels=view), checkpoint=tmp_path / "run", **SHORT)[0]
    assert same(one, training.train(replace(images, pixels=copy), checkpoint=tmp_path / "run", **SHORT)[0])
    assert same(one, training.train(replace(images, pixels=copy), **SHORT)[0])


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
