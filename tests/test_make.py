"""The errors of make when something is missing, also in a path with a space."""

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the README names other commands for Windows")


@pytest.fixture
def clone(tmp_path):
    """A folder with a space in its name, the files that make reads and an older environment."""
    folder = tmp_path / "my course"
    (folder / ".venv").mkdir(parents=True)
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    for name in ("jupyter", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    return folder


def fails(clone, *arguments):
    """Run make, assert that it fails, and return its standard output and error."""
    settings = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    settings["PATH"] = f"{clone / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(["make", *arguments], cwd=clone, capture_output=True, text=True, env=settings)
    assert done.returncode
    return done.stdout, done.stderr


def program(path, line):
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


OLD = "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ...\n"
NO_VENV = "Python's venv module is missing; on Debian: apt-get install python3-venv\n"


@pytest.mark.parametrize(
    ("python", "printed", "error"),
    [
        ("exit 1", OLD, ""),
        ('case "$2" in *ensurepip*) exit 1;; esac', NO_VENV, ""),
        ('case "$2" in venv) echo "no space left" >&2; exit 1;; esac', "Setting up .venv", "no space left"),
    ],
    ids=["an old Python", "no venv module", "another error of venv"],
)
def test_a_python_that_cannot_be_used_is_explained(clone, python, printed, error):
    out, errors = fails(clone, "handout", f"PYTHON={program(clone / 'my bin' / 'python3', python)}")
    assert out.startswith(printed) and error in errors and "not found" not in errors
    assert (clone / ".venv").exists() == (not error), "kept until a usable Python was found"


def test_an_unknown_torch_is_refused_before_anything_is_deleted(clone):
    _, errors = fails(clone, "lab", "TORCH=gpu", f"PYTHON={program(clone / 'python3', 'exit 0')}")
    assert "TORCH: need cpu or default, got gpu" in errors and (clone / ".venv").exists()


def test_an_error_of_npm_is_shown(clone):
    program(clone / "bin" / "npm", 'case "$*" in *--silent*) ;; *) echo "npm error network" >&2;; esac; exit 1')
    assert "npm error network" in fails(clone, "build/npm")[1]
