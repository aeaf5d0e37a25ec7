"""The same seed gives the same bytes in every process."""

import hashlib
import os
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

from vaehelpers import datasets, training

pytestmark = pytest.mark.slow


def digests():
    """Return hashes of data, and of the weights of a model trained on them."""
    data = datasets.hands(300, seed=5, size=32), datasets.sprites(300, seed=5), datasets.digits()
    run = {"beta": 2, "tc_weight": 1, "latent_dim": 5, "pictures": 1600, "batch": 32, "seed": 3, "progress": False}
    model, _ = training.train(data[0], **run)
    arrays = [array for images in data for array in (images.pixels, images.factors)]
    arrays += [weight.numpy() for weight in model.state_dict().values()]
    return [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]


def test_data_and_weights_are_the_same_bytes_in_every_process(tmp_path):
    changes = {"XDG_CACHE_HOME": str(tmp_path), "PYTHONHASHSEED": "1"}  # no cache, and another order of sets
    command = [sys.executable, "-c", "import test_reproducibility; print(*test_reproducibility.digests())"]
    options = {"cwd": ROOT / "tests", "env": os.environ | changes, "capture_output": True, "text": True}
    assert subprocess.run(command, **options).stdout.split() == digests()


def outputs(lesson):
    """Return what a lesson prints, and the images that it draws."""
    notebook = nbformat.read(lesson, 4)
    quiet = ["--IPKernelApp.log_level=ERROR"]
    options = {"resources": {"metadata": {"path": ROOT}}, "extra_arguments": quiet}
    NotebookClient(notebook, timeout=600, kernel_name="python3", **options).execute()
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    printed = "".join(output.get("text", "") for output in shown)  # the pieces vary
    return printed, [output.data["image/png"] for output in shown if "image/png" in output.get("data", {})]


def test_a_lesson_prints_and_draws_the_same_twice():
    (lesson,) = (ROOT / "notebooks").glob("01_*.ipynb")
    printed, images = outputs(lesson)
    assert len(images) >= 5
    assert (printed, images) == outputs(lesson)
