"""Training raises the ELBO, resumes after an interrupt, and fails with a helpful message; see also test_faults."""

import itertools
import math
import os
import re
import signal
import warnings
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from vaehelpers import datasets, latents, runs, training, weights
from vaehelpers.model import VAE

SHORT = {"beta": 1.0, "tc_weight": 1.0, "latent_dim": 2, "pictures": 20 * 4, "batch": 4, "progress": False}
ONE_STEP = SHORT | {"pictures": 4}


@pytest.fixture(scope="module")
def images():
    return datasets.hands(200, seed=0, size=32, vary=("index",), progress=False)


def same(a, b):
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_elbo_rises_and_the_seed_alone_decides(images):
    before, run = torch.get_rng_state(), SHORT | {"pictures": 4000, "batch": 8}
    model, history = training.train(images, **run)
    assert torch.equal(before, torch.get_rng_state()) and not model.training
    assert history.elbo[-1] > history.elbo[0] + 50 and history.seen == [800, 1600, 2400, 3200, 4000]
    first, again, other = (training.train(images, **SHORT, seed=seed)[0] for seed in (1, 1, 2))
    assert same(first, again) and not same(first, other)


def test_means_are_pulled_to_given_codes(images):
    codes = np.stack([images.factors[:, 0] - 0.5, np.zeros(200)], axis=1)
    run = SHORT | {"beta": 0.1, "tc_weight": 0.0, "pictures": 8000, "batch": 8}
    error = []
    for weight in (0, 200):
        model, _ = training.train(images, codes=codes, codes_weight=weight, **run)
        error.append(np.square(latents.encode(model, images[:])[0] - codes).mean())
    assert error[1] < 0.02 < 0.1 < error[0]


def test_a_run_goes_on_from_the_weights_of_a_model(images):
    run = SHORT | {"pictures": 4000, "batch": 8}
    start, history = training.train(images, **run)
    before = [weight.clone() for weight in start.parameters()]
    _, further = training.train(images, start=start, warmup=0, **run)
    assert further.elbo[0] > history.elbo[0] + 50
    assert all(torch.equal(*pair) for pair in zip(before, start.parameters(), strict=True)), "of a copy"


def interrupted(step, elbo_terms=training.elbo_terms):
    """Return ``elbo_terms`` with a Ctrl-C at one of its calls, which is one step of training."""
    calls = itertools.count(1)

    def pressed(*tensors):
        if next(calls) == step:
            signal.raise_signal(signal.SIGINT)
        return elbo_terms(*tensors)

    return pressed


def test_an_interrupt_returns_the_model_so_far(images, monkeypatch, capsys):
    monkeypatch.setattr(training, "elbo_terms", interrupted(151))
    model, history = training.train(images, **SHORT | {"pictures": 4000})
    assert history.seen == [400, 600] and isinstance(model, VAE)
    assert "stopped after 600 images" in "".join(capsys.readouterr())


@pytest.mark.slow
def test_bfloat16_gives_the_elbo_of_float32(images, monkeypatch):
    elbo = []
    for low in (True, False):
        monkeypatch.setattr(training, "_use_bfloat16", lambda _, low=low: low)
        elbo.append(training.train(images, **SHORT | {"pictures": 1600, "batch": 8})[1].elbo[-1])
    assert elbo[0] == pytest.approx(elbo[1], rel=0.03)


# Interrupted and resumed runs.


@pytest.fixture
def steps(monkeypatch):
    """The share of the run at which each step begins; a point of the history and a checkpoint every 4 steps.

    The learning rate calls the cosine of π times the share once a step.
    """
    monkeypatch.setattr(training, "_RECORD", 4)
    begun = []
    cos = lambda angle: begun.append(angle / math.pi) or math.cos(angle)  # noqa: E731
    monkeypatch.setattr(training, "math", SimpleNamespace(pi=math.pi, cos=cos))
    return begun


@pytest.fixture
def stop_after(monkeypatch, steps):
    """A function that calls ``train`` and interrupts it in a given step."""

    def stop(step, *args, **kwargs):
        monkeypatch.setattr(training, "elbo_terms", interrupted(step))
        with pytest.raises(KeyboardInterrupt, match="the same call resumes"):
            training.train(*args, **kwargs)

    return stop


def test_a_run_stopped_three_times_ends_as_one_that_was_not(images, tmp_path, steps, stop_after):
    expected, history = training.train(images, **SHORT)
    path = tmp_path / "run"
    for count in (1, 5, 8):  # in the first step, after one checkpoint, and after another one
        stop_after(count, images, checkpoint=path, **SHORT)
    for _ in range(2):  # the second call finds a complete run
        model, resumed = training.train(images, checkpoint=path, **SHORT)
        assert len(steps) == 20 + 1 + 5 + 8 + 12, "only steps after the last checkpoint are repeated"
        assert resumed == history and same(model, expected)


def test_a_run_with_a_time_limit_resumes_with_the_time_that_is_left(
    images, tmp_path, steps, stop_after, monkeypatch, capsys
):
    """Each step takes one second; equal weights show that warm-up and learning rate were resumed as well."""
    monkeypatch.setattr(runs, "time", SimpleNamespace(monotonic=lambda: 1e3 + len(steps)))
    run = SHORT | {"minutes": 20 / 60, "progress": True}
    expected, history = training.train(images, **run)
    assert "100%" in (bar := capsys.readouterr().err.splitlines()[-1]) and "20.0/20.0" in bar
    shares = steps[:]
    assert shares == pytest.approx(np.arange(20) / 20)
    del steps[:]
    stop_after(6, images, checkpoint=tmp_path / "run", **run)
    capsys.readouterr()
    for part in (" 20%|", ""):
        model, resumed = training.train(images, checkpoint=tmp_path / "run", **run)
        assert part in capsys.readouterr().err, "the bar begins at the last checkpoint"
        assert steps == pytest.approx(shares[:6] + shares[4:]) and resumed == history and same(model, expected)


@pytest.mark.parametrize(("pictures", "seen"), [(3, [4]), (90, [16, 32, 48, 64, 80, 88])])
def test_the_number_of_images_is_a_multiple_of_the_batch(images, pictures, seen, tmp_path, steps, capsys):
    run = SHORT | {"pictures": pictures, "progress": True, "checkpoint": tmp_path / "run"}
    model, history = training.train(images, **run)
    assert history.seen == seen and "100%" in capsys.readouterr().err.splitlines()[-1]
    again, history_again = training.train(images, **run)
    assert len(steps) == seen[-1] // 4 and history_again == history and same(again, model)


def test_load_reads_the_model_so_far_from_a_checkpoint(images, tmp_path, stop_after):
    live = []
    keep = lambda model, _: live.append({k: v.clone() for k, v in model.state_dict().items()})  # noqa: E731
    stop_after(6, images, checkpoint=tmp_path / "run", callback=keep, **SHORT)
    model, card = training.load(tmp_path / "run")
    assert card["step"] == 4 and not model.training
    assert all(torch.equal(live[0][k], v) for k, v in model.state_dict().items())


def test_a_loss_that_is_not_finite_stops_with_advice_and_keeps_the_checkpoint(images, tmp_path, stop_after):
    path, run = tmp_path / "run", SHORT | {"learning_rate": 1e12}
    stop_after(1, images, checkpoint=path, **run)
    older = path.read_bytes()
    with pytest.raises(FloatingPointError, match=r"not finite at step \d+; try a smaller learning_rate"):
        training.train(images, checkpoint=path, **run)
    assert path.read_bytes() == older


# Checkpoints that are refused.


@pytest.fixture(scope="module")
def one_step(images, tmp_path_factory):
    """The bytes of the checkpoint of a run of one step."""
    path = tmp_path_factory.mktemp("one") / "run"
    training.train(images, checkpoint=path, **ONE_STEP)
    return path.read_bytes()


@pytest.fixture
def path(one_step, tmp_path):
    (tmp_path / "run").write_bytes(one_step)
    return tmp_path / "run"


def refused(message, images, path, **changes):
    """Assert that training refuses a checkpoint with a message of one line and does not change it."""
    before = path.read_bytes()
    with pytest.raises(ValueError, match=f"^checkpoint: {re.escape(repr(str(path)))} {message}"):
        training.train(images, checkpoint=path, **ONE_STEP | changes)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"beta": 2, "seed": 3}, "beta is 1.0 there and 2.0 here, seed is 0 there and 3 here; delete it or name"),
        ({"minutes": 3}, "minutes is None there and 3.0 here"),
        ({"codes": np.zeros((200, 2))}, r"codes is None there and 'SHA-256 \w+' here"),
        ({"start": VAE(32, 2)}, r"start is None there and 'SHA-256 \w+' here"),
    ],
)
def test_each_argument_that_differs_from_the_checkpoint_is_named(change, message, images, path):
    refused(f"belongs to another run: {message}", images, path, **change)


def test_the_checkpoint_of_other_images_is_refused(images, path):
    inverted, coloured = 255 - images.pixels, images.pixels.repeat(3, 1)
    for pixels, here in ((inverted, "200 of 1x32x32"), (coloured, "200 of 3x32x32")):
        found = rf"images is '200 of 1x32x32, SHA-256 \w+' there and '{here}, SHA-256 \w+' here"
        refused(f"belongs to another run: {found}", replace(images, pixels=pixels), path)


def test_the_checkpoint_of_a_gpu_is_refused_on_a_cpu(images, path):
    tensors, card = weights.read(path)
    card["recipe"]["device"], tensors["noise"] = "cuda", torch.zeros(16, dtype=torch.uint8)
    weights.write(path, tensors, card)
    refused("belongs to another run: device is 'cuda' there and 'cpu' here", images, path)


BIAS = "model.encoder.posterior.bias"
OTHER_VERSIONS = {
    "no moment": lambda tensors, card: tensors.pop("optimiser.3.exp_avg"),
    "another shape": lambda tensors, card: tensors.update({BIAS: torch.zeros(5)}),
    "no time": lambda tensors, card: card.update(done=None),
}


@pytest.mark.parametrize("version", OTHER_VERSIONS)
def test_the_checkpoint_of_another_version_is_refused(version, images, path):
    tensors, card = weights.read(path)
    OTHER_VERSIONS[version](tensors, card)
    weights.write(path, tensors, card)
    refused("was not written by this version of train; delete it", images, path)


def test_a_file_that_is_no_checkpoint_is_refused(images, tmp_path):
    path = tmp_path / "kept"
    for content in (b"a picture, say", weights.to_bytes(VAE(32, 2), {"recipe": {"beta": 1.0}})):
        path.write_bytes(content)
        refused("(is damaged or )?was not written by", images, path)


def test_a_checkpoint_that_cannot_be_written_is_reported_before_the_first_step(images, tmp_path, steps):
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file" / "run"):
        with pytest.raises(OSError, match=f"^checkpoint: {re.escape(repr(str(path)))} cannot be written"):
            training.train(images, checkpoint=path, **SHORT)
    assert steps == []


# Files, and numbers of other types.


def test_numbers_of_numpy_are_accepted(images, tmp_path):
    python = {"beta": 1.0, "batch": 4, "seed": 0, "capacity": 2.0, "warmup": 0.25, "tc_weight": 1.0}
    numpy = {"beta": np.float32(1), "batch": np.int64(4), "seed": np.array(0), "capacity": np.float64(2)}
    numpy |= {"warmup": np.float16(0.25), "tc_weight": np.int8(1), "latent_dim": np.uint8(2)}
    one, _ = training.train(images, checkpoint=tmp_path / "run", **SHORT | numpy)
    assert same(one, training.train(images, checkpoint=tmp_path / "run", **SHORT | python)[0])
    card = {"elbo": np.float32(-1.5), "n": np.int64(3), "ok": np.bool_(True), "a": [np.array(2)]}
    training.save(VAE(np.int64(32), np.int32(2), np.uint8(1)), tmp_path / "m", card)
    shape = {"size": 32, "latent_dim": 2, "channels": 1}
    assert training.load(tmp_path / "m")[1] == {"elbo": -1.5, "n": 3, "ok": True, "a": [2], "model": shape}


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="only Linux lists mapped files")
def test_no_file_that_was_read_stays_open(images, path, tmp_path):
    """Windows cannot replace a file that is open or mapped into memory."""
    training.save(VAE(32, 2), tmp_path / "model", {})
    kept = weights.read(path), training.load(tmp_path / "model"), training.train(images, checkpoint=path, **ONE_STEP)
    opened = [os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink() and link.exists()]
    assert str(tmp_path) not in Path("/proc/self/maps").read_text() + "".join(opened) and len(kept) == 3


def test_views_and_read_only_arrays_are_trained_on(images, tmp_path):
    for name, view in (("mirrored", images.pixels[::-1, :, :, ::-1]), ("turned", images.pixels.transpose(0, 1, 3, 2))):
        copy = np.ascontiguousarray(view)
        view.setflags(write=False)
        with warnings.catch_warnings(action="error"):
            one, _ = training.train(replace(images, pixels=view), checkpoint=tmp_path / name, **ONE_STEP)
        assert same(one, training.train(replace(images, pixels=copy), checkpoint=tmp_path / name, **ONE_STEP)[0])
        assert same(one, training.train(replace(images, pixels=copy), **ONE_STEP)[0])
