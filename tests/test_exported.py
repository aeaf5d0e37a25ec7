"""A notebook exported by ``jupyter nbconvert --to html`` shows its figures without a network."""

import subprocess
import sys

import nbformat
import pytest
from explorers import notebook
from figures import VISIBLE, faults

pytestmark = pytest.mark.slow

CELLS = [
    """import matplotlib.pyplot as plt
from vaehelpers import plots, training
from vaehelpers.lessons import lesson06
from vaehelpers.play import Play
from vaehelpers.explorer import LatentExplorer
plt.style.use(plots.STYLE)""",
    "lesson06.overlap_lab()",
    'LatentExplorer(*training.load_pretrained("hands-2d"))',
    'Play("holes")',
    '%config InlineBackend.figure_formats = ["retina"]\nplt.subplots(figsize=(15, 2));',
]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    nbformat.write(notebook(CELLS), folder / "figures.ipynb")
    command = [sys.executable, "-m", "nbconvert", "--execute", "--to", "html", folder / "figures.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "figures.html"


@pytest.mark.parametrize("javascript", [True, False])
def test_a_page_that_cannot_load_controls_shows_each_figure_once(exported, browser, javascript):
    context = browser.new_context(offline=True, java_script_enabled=javascript)
    page = context.new_page()
    page.goto(exported.as_uri())
    assert page.evaluate(VISIBLE) == 4
    assert faults(page) == {}
    context.close()
