"""The wheel holds models, data and the explorer, and runs outside the repository."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow

CODE = """
import pathlib, sys
import vaehelpers
from vaehelpers import datasets, plots, training
from vaehelpers.explorer import LatentExplorer
assert pathlib.Path(vaehelpers.__file__).is_relative_to(sys.argv[1]), vaehelpers.__file__
model, card = training.load_pretrained("digits-2d")
LatentExplorer(model, card, images=datasets.digits()).save_html("digits.html")
assert len(datasets.beta_sweep()) == 40 and pathlib.Path(plots.STYLE).exists()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy of the sources."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "vaehelpers", source / "vaehelpers", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, source]
    subprocess.run(command, check=True)
    return next(folder.glob("vaehelpers-*.whl"))


def test_the_wheel_holds_every_file_of_the_package(wheel):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("vaehelpers/")}
    files = {p for p in (ROOT / "vaehelpers").rglob("*") if p.is_file() and "__pycache__" not in p.parts}
    assert {str(path.relative_to(ROOT)) for path in files if path.suffix != ".checkpoint"} == inside


def test_the_installed_wheel_runs_far_from_the_repository(wheel, tmp_path):
    target = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(install, check=True)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(target), os.environ["PYTHONPATH"]])}
    subprocess.run([sys.executable, "-c", CODE, str(target)], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "digits.html").stat().st_size > 1e6
