"""The same seed gives the same bytes in every process."""

import json
import os
import subprocess
import sys

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

DATA = """
import hashlib, json
from vaehelpers import datasets, training

def digests(*arrays):
    return [hashlib.sha256(array.tobytes()).hexdigest() for array in arrays]

found = []
for images in (datasets.hands(300, seed=5), datasets.sprites(300, seed=5), datasets.digits()):
    found += digests(images.pixels, images.factors)
assert len({*found}) == 6
"""
TRAINING = """
run = {"beta": 2, "tc_weight": 1, "latent_dim": 5, "pictures": 1600, "batch": 32, "seed": 3, "progress": False}
model, history = training.train(datasets.hands(500, seed=5, size=32, progress=False), **run)
found += digests(*(weight.numpy() for weight in model.state_dict().values())) + history.kl
print(json.dumps(found))
"""


def test_data_and_weights_are_the_same_bytes_in_every_process(tmp_path):
    found = []
    for number in ("1", "2"):  # each process has its own cache and its own order of sets
        changes = {"XDG_CACHE_HOME": str(tmp_path / number), "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": number}
        command = [sys.executable, "-c", DATA + TRAINING]
        done = subprocess.run(command, env=os.environ | changes, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]


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
