"""Repeated lessons and thousands of slider moves do not leak memory in a kernel.

Jupyter itself keeps the results of cells (``Out``) and every widget until the kernel ends, so each run of a lesson adds
up to 5 % of memory; ``RELEASE`` frees it.
"""

import json

import nbformat
import pytest
from conftest import ROOT
from nbclient import NotebookClient

pytestmark = pytest.mark.slow

HALF = 1000  # moves between two measurements
#: Triggers what other libraries create once: threads of zmq and tqdm, PyTorch's folder, scikit-learn's random names.
ONCE = """
import matplotlib.pyplot, sklearn.metrics, torch._dynamo
from tqdm.auto import tqdm

matplotlib.pyplot.plot([0])
for _ in tqdm(range(1)): print(" " * 1_000_000)
"""
#: Prints the state of the kernel as one line.
STATE = """
def state():
    import ctypes, gc, json, os, platform, random, tempfile, threading, warnings
    import matplotlib, numpy, psutil, torch

    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)  # memory that is free but not returned to the system does not count
    process = psutil.Process()
    found = {
        "MB": process.memory_info().rss / 1e6,
        "figures": matplotlib.pyplot.get_fignums(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": [child.name() for child in process.children(recursive=True)],
        "files": sorted(os.listdir(tempfile.gettempdir())),
        "random": [str(numpy.random.get_state()), hash(random.getstate()), torch.get_rng_state().tolist()],
        "torch threads": torch.get_num_threads(),
        "style": {name: str(value) for name, value in matplotlib.rcParams.items()},
        "warnings": [str(rule) for rule in warnings.filters],
        "environment": dict(os.environ),
    }
    print("STATE", json.dumps(found))

state()
"""
RELEASE = """
import ipywidgets
get_ipython().displayhook.flush()
ipywidgets.Widget.close_all()
"""
#: Moves the sliders of several figures; each burst of 25 moves is drawn once.
MOVES = """
import asyncio
from vaehelpers.lessons import lesson01, lesson02, lesson03, lesson05, lesson06, lesson07

makers = [lesson01.two_weathers, lesson01.barometer, lesson02.both_directions, lesson03.universe,
          lesson03.gaussian_steps, lesson05.factorised, lesson06.overlap_lab, lesson07.beta_calculator]
figures = [make() for make in makers]
images = set()

async def move(times):
    for k in range(times):
        figure = figures[k // 25 % len(figures)]
        sliders = [control for control in figure.controls.values() if hasattr(control, "min")]
        slider = sliders[k % len(sliders)]
        slider.value = slider.min + (slider.max - slider.min) * (k * 37 % 101) / 100
        if k % 25 == 24:
            await asyncio.sleep(0.011)  # until it is drawn
            images.add(hash(figure.image.value))
"""


def run(cells, folder, monkeypatch):
    """Run cells in a kernel with its own temporary folder; return memory in MB and the rest of each printed state."""
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # not 1, which only a lesson's first cell may set
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    options = {"resources": {"metadata": {"path": ROOT}}, "extra_arguments": ["--IPKernelApp.log_level=ERROR"]}
    NotebookClient(notebook, timeout=600, kernel_name="python3", **options).execute()
    outputs = [output.get("text", "") for cell in notebook.cells for output in cell.outputs]
    states = [json.loads(text.split("STATE")[1]) for text in outputs if "STATE" in text]
    sizes = [state.pop("MB") for state in states]
    print("MB:", [round(size, 1) for size in sizes])
    return sizes, states


def test_a_lesson_run_three_times_does_not_leak(tmp_path, monkeypatch):
    (path,) = (ROOT / "notebooks").glob("01_*.ipynb")
    lesson = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    imports = lesson[0]  # sets the style and PyTorch's threads
    cells = [ONCE, imports, STATE, *[*lesson, STATE] * 3, RELEASE + STATE]
    (_, first, second, third, end), (before, *rounds, _) = run(cells, tmp_path, monkeypatch)
    assert third <= 1.05 * second and end <= 1.01 * first  # the first run imports the remaining modules
    assert [before] * 3 == rounds
    assert before["figures"] == before["children"] == []


def test_thousands_of_slider_moves_do_not_leak(tmp_path, monkeypatch):
    moves = f"await move({HALF})\nprint(len(images))\n"
    (_, halfway, end), states = run([ONCE, MOVES, STATE, moves + STATE, moves + STATE], tmp_path, monkeypatch)
    assert end <= 1.05 * halfway
    assert states[0] == states[1] == states[2]
    assert states[0]["figures"] == []
