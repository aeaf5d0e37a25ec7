"""All lessons' ``check_`` functions in one namespace."""

import importlib
from types import SimpleNamespace

MODULES = [importlib.import_module(f"vaehelpers.lessons.lesson{number:02}") for number in range(9)]
exercises = SimpleNamespace(
    **{name: check for module in MODULES for name, check in vars(module).items() if name.startswith("check_")}
)
