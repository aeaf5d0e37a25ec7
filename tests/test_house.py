"""The house stands as the design says: floors, sizes, environments, notebooks, nothing unpickled."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from conftest import ROOT
from packaging.requirements import Requirement

PACKAGE = ROOT / "vaehelpers"
MODULES = sorted(PACKAGE.rglob("*.py"))
FLOORS = {
    "information": set(), "kmeans": set(), "mixtures": {"kmeans"}, "hands": set(), "plots": set(),
    "exercises": {"inference"}, "model": set(),
    "inference": {"information"}, "linear_gaussian": {"information"}, "metrics": {"information"},
    "overlap": {"information"}, "sprites": set(), "files": set(), "interrupts": set(),
    "arguments": set(),
    "images": set(), "datasets": {"files", "hands", "images", "sprites"},
    "weights": {"files", "model"}, "runs": {"model", "datasets", "weights"},
    "training": {"model", "datasets", "files", "interrupts", "runs", "weights"},
    "latents": {"information", "model"}, "bounds": {"model"},
    "widgets": {
        "information", "mixtures", "hands", "plots", "exercises", "inference", "linear_gaussian", "metrics",
        "overlap",
    },
    "explorer": {"datasets", "files", "hands", "latents", "model", "plots", "weights"}, "__init__": set(),
    "shipped": {"datasets", "explorer", "files", "hands", "latents", "metrics", "model", "plots", "training"},
}  # fmt: skip
NO_TORCH = {
    "information",
    "kmeans",
    "mixtures",
    "hands",
    "plots",
    "exercises",
    "inference",
    "linear_gaussian",
    "metrics",
}
NO_TORCH |= {"datasets", "files", "images", "interrupts", "overlap", "sprites", "widgets", "arguments"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}


def module(path):
    """The module that a file is, or that the folder around it is."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path):
    """The modules of ours and the others that a file imports, anywhere in it; its own folder does not count."""
    ours, others = set(), set()
    depth = len(path.relative_to(PACKAGE).parts)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            ours |= {name.split(".")[0] for name in names if node.level == depth}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            others |= {alias.name.split(".")[0] for alias in node.names}
    return ours, others


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_what_lies_below_it(path):
    ours, others = imports(path)
    if path.stem != "__main__":
        assert ours <= FLOORS[module(path)] | {"arguments"}  # the ground under all floors: how bad input is told
    assert "vaehelpers" not in others
    assert not (module(path) in NO_TORCH and "torch" in others)
    assert "pickle" not in others


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_fits_in_the_head(path):
    source = path.read_text()
    assert len(source.splitlines()) <= 300
    assert not re.search(r"torch\.load\(|allow_pickle=True", source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = [n for n in node.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
            lines = (body[-1].end_lineno - body[0].lineno + 1) if body else 0
            most = 50 if path.parent.name == "exercises" else 25  # an exercise lists its mistakes
            assert lines <= most, f"{node.name} has {lines} lines"


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, vaehelpers; print([m for m in ('numpy', 'torch', 'matplotlib', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_conda_gets_the_same_packages_as_pip():
    wanted = {Requirement(line).name for line in PROJECT["dependencies"]}
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {d for d in listed if isinstance(d, str) and d not in ("python>=3.11", "pip")}
    assert {NAMES.get(d, d) for d in conda} == wanted


def test_the_lock_pins_whatever_is_needed():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^+]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    wanted = sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"])
    assert {Requirement(line).name for line in wanted} <= pinned


def test_the_tests_reach_no_network():
    code = "import socket; socket.create_connection(('192.0.2.1', 9), timeout=1)"
    with pytest.raises(OSError, match="no connection beyond this machine"):
        exec(code)
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "no connection beyond this machine" in child.stderr
