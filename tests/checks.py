"""The checks of all lessons, by name."""

import importlib
from types import SimpleNamespace

ROOMS = [importlib.import_module(f"vaehelpers.lessons.lesson{number:02}") for number in range(9)]
exercises = SimpleNamespace(
    **{name: check for room in ROOMS for name, check in vars(room).items() if name.startswith("check_")}
)
