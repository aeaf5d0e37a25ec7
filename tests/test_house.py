"""The structure of the package: layers of modules, file sizes, environments, no pickles and no network."""

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
#: A module imports modules of lower layers only, and no lesson's module imports another's.
LAYERS = [
    {"arguments"},
    {"files"},
    {"information", "hands", "sprites", "plots", "model", "images"},
    {"inference", "mixtures", "linear_gaussian", "metrics", "datasets", "bounds", "weights"},
    {"runs", "latents"},
    {"training"},
    {"explorer", "evaluation"},
    {"play"},
    {"lessons"},
    {"__main__", "__init__"},
]
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}
WITH_TORCH = {"model", "bounds", "weights", "runs", "latents", "training", "explorer", "evaluation", "__main__"}
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAMES = {"pytorch": "torch", "matplotlib-base": "matplotlib"}


def imports(path):
    """Return the modules of this package and the other packages that a file imports, anywhere in it."""
    ours, others = set(), set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            sibling = path.parent.name == "lessons" and node.level == 1
            ours |= {("lessons." if sibling else "") + name.split(".")[0] for name in names}
        elif isinstance(node, ast.ImportFrom):
            others.add(node.module.split(".")[0])
        elif isinstance(node, ast.Import):
            others |= {alias.name.split(".")[0] for alias in node.names}
    return ours, others


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_lower_layers(path):
    ours, others = imports(path)
    source = path.read_text()
    name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    shared = {module for module in ours if module.startswith("lessons.")}
    assert shared <= {"lessons.live", "lessons.judge", "lessons.markdown"}
    assert all(LAYER[module] < LAYER[name] for module in ours - shared)
    assert not others & {"vaehelpers", "pickle"} and not re.search(r"torch\.load\(|allow_pickle=True", source)
    assert "torch" not in others or name in WITH_TORCH
    assert len(source.splitlines()) <= (400 if path.parent.name == "lessons" else 300)


def test_the_package_loads_nothing_heavy_and_lessons_01_to_05_no_torch():
    modules = ", ".join(f"vaehelpers.lessons.lesson{number:02}" for number in range(1, 6))
    loaded = "print([m for m in ('numpy', 'torch', 'matplotlib', 'scipy') if m in sys.modules])"
    code = f"import sys, vaehelpers; {loaded}; import {modules}; {loaded}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "['numpy', 'matplotlib', 'scipy']"]


def test_conda_gets_the_same_packages_as_pip():
    wanted = {Requirement(line).name for line in PYPROJECT["project"]["dependencies"]}
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {d for d in listed if isinstance(d, str) and d not in ("python>=3.11", "pip")}
    (pip,) = (entry["pip"] for entry in listed if isinstance(entry, dict))
    assert {NAMES.get(d, d) for d in conda} | set(pip) - {"-e ."} == wanted


def test_the_lock_pins_whatever_is_needed():
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[^+]+", line) for line in lines)
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    groups = PYPROJECT["dependency-groups"]
    wanted = PYPROJECT["project"]["dependencies"] + groups["test"] + groups["docs"]
    assert {Requirement(line).name for line in wanted} <= pinned
