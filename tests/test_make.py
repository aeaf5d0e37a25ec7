"""What make prints when something is missing, also where a path has a space."""

import os
import shutil
import subprocess

import pytest
from conftest import ROOT


@pytest.fixture
def clone(tmp_path):
    """A folder with a space in its name that holds what make looks at, and a function that runs make there."""
    folder = tmp_path / "my course"
    for name in (
        "Makefile",
        "requirements.lock",
        "pyproject.toml",
        "jupyter",
        "docs/package.json",
        "docs/package-lock.json",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)

    def make(*arguments):
        settings = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        settings["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"  # and nothing of a make around the tests
        done = subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, env=settings)
        return done.returncode, done.stdout, done.stderr

    return folder, make


def program(path, *lines):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
    return path


def test_an_old_python_in_a_folder_with_a_space_is_called_old(clone):
    folder, make = clone
    python = program(folder / "my bin" / "python3", "exit 1")
    code, said, errors = make("handout", f"PYTHON={python}")
    assert code and said == "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ...\n"
    assert "not found" not in errors


def test_a_missing_venv_module_is_named_and_what_was_there_is_kept(clone):
    folder, make = clone
    python = program(folder / "my bin" / "python3", 'case "$2" in *ensurepip*) exit 1;; esac')
    (folder / ".venv").mkdir()
    code, said, _ = make("handout", f"PYTHON={python}")
    assert code and said == "Python's venv module is missing; on Debian: apt-get install python3-venv\n"
    assert (folder / ".venv").exists()


def test_another_fault_of_venv_speaks_for_itself(clone):
    folder, make = clone
    python = program(folder / "my bin" / "python3", 'case "$2" in venv) echo "no space left" >&2; exit 1;; esac')
    code, said, errors = make("handout", f"PYTHON={python}")
    assert code and "module is missing" not in said and "no space left" in errors


def test_a_torch_that_is_none_is_refused_before_anything_is_deleted(clone):
    folder, make = clone
    (folder / ".venv").mkdir()
    code, _, errors = make("lab", "TORCH=gpu", f"PYTHON={program(folder / 'python3', 'exit 0')}")
    assert code and "TORCH: need cpu or default, got gpu" in errors and (folder / ".venv").exists()


def test_what_stops_npm_is_shown(clone):
    folder, make = clone
    quiet = 'case "$*" in *--silent*) ;; *) echo "npm error network" >&2;; esac'  # as npm does
    program(folder / "bin" / "npm", quiet, "exit 1")
    code, _, errors = make("build/npm")
    assert code and "npm error network" in errors
