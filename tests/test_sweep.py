"""A sweep trains each run once, resumes after interrupts and kills, and returns the same rows on a Dask cluster."""

import os
import signal

import joblib
import numpy as np
import pytest

from vaehelpers import datasets, runs, training
from vaehelpers.model import one_thread

pytestmark = pytest.mark.slow

SWEEP = {"betas": (0.5, 2), "seeds": (0, 1), "latent_dim": 2, "pictures": 160 * 4, "batch": 4, "progress": False}


def fingerprint(model):
    """Return a number that differs between models with different weights, and the process id."""
    return {"fingerprint": sum(float(p.double().sum()) for p in model.state_dict().values()), "process": os.getpid()}


def save_often(steps=20):
    """Save checkpoints often enough for short runs."""
    training._RECORD = steps


@pytest.fixture(scope="module", autouse=True)
def saved_often():
    before = training._RECORD
    save_often()
    yield
    save_often(before)


@pytest.fixture(scope="module")
def images():
    return datasets.hands(100, seed=0, size=32, vary=("index",), progress=False)


@pytest.fixture(scope="module")
def expected(images, tmp_path_factory):
    """The rows of an uninterrupted sweep, one run after the other in this process."""
    with joblib.parallel_config("sequential"):
        rows = training.sweep(images, folder=tmp_path_factory.mktemp("sweep"), score=fingerprint, **SWEEP)
    assert {row["process"] for row in rows} == {os.getpid()}
    return weights(rows)


def weights(rows):
    return [(row["beta"], row["seed"], row["fingerprint"]) for row in rows]


def test_each_run_has_the_weights_of_train(images, expected):
    assert len({row[2] for row in expected}) == 4
    options = {name: SWEEP[name] for name in ("latent_dim", "pictures", "batch")}
    with one_thread():
        model, _ = training.train(images, beta=2, seed=1, **options)
    assert fingerprint(model)["fingerprint"] == expected[3][2]


def test_processes_give_the_same_rows_and_finished_runs_are_not_trained_again(images, expected, tmp_path, monkeypatch):
    rows = training.sweep(images, folder=tmp_path, score=fingerprint, **SWEEP)
    assert weights(rows) == expected
    assert os.getpid() not in {row["process"] for row in rows}
    files = sorted(tmp_path.iterdir())
    assert [f.suffix for f in files] == [".safetensors"] * 4
    files[1].unlink()
    steps = []
    count = lambda *args, terms=training.elbo_terms: steps.append(1) or terms(*args)  # noqa: E731
    monkeypatch.setattr(training, "elbo_terms", count)
    with joblib.parallel_config("sequential"):
        assert weights(training.sweep(images, folder=tmp_path, score=fingerprint, **SWEEP)) == expected
    assert len(steps) == 160 and files[1].exists()


def test_arrays_iterators_and_a_callback_are_accepted(images, tmp_path):
    seen = []
    short = SWEEP | {"pictures": np.int64(80), "betas": np.array([0.5, 2], np.float32), "seeds": iter(np.arange(2))}
    with joblib.parallel_config("sequential"):
        rows = training.sweep(images, folder=tmp_path, score=fingerprint, **short, callback=lambda *_: seen.append(1))
    assert [row[:2] for row in weights(rows)] == [(0.5, 0), (0.5, 1), (2, 0), (2, 1)] and len(seen) == 4
    recipe = training.load(training.sweep_path(tmp_path, 2, 1))[1]["recipe"]
    assert (recipe["beta"], recipe["seed"], recipe["pictures"], recipe["learning_rate"]) == (2.0, 1, 80, 1e-3)


def die_at_the_first_checkpoint(pid):
    """Make the worker with this process id kill itself after it first saves a run in progress."""
    if os.getpid() != pid:
        return

    def save_and_die(run, save=runs.Run.save):
        save(run)
        if run.step:
            os.kill(pid, signal.SIGKILL)

    runs.Run.save = save_and_die


def test_a_dask_cluster_gives_the_same_and_a_killed_worker_loses_nothing(images, expected, tmp_path):
    from distributed import Client, LocalCluster

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "host": "127.0.0.1"}
    with LocalCluster(**options, dashboard_address=None, silence_logs=50) as cluster, Client(cluster) as client:
        client.run(save_often)
        workers = {*client.run(os.getpid).values()}
        client.run(die_at_the_first_checkpoint, min(workers))
        with joblib.parallel_config("dask"):
            rows = training.sweep(images, folder=tmp_path, score=fingerprint, **SWEEP)
    assert weights(rows) == expected
    assert os.getpid() not in {row["process"] for row in rows}
    assert min(workers) not in {row["process"] for row in rows}
