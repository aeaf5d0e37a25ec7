"""The explorer and a lesson under Voilà, where no other machine can be reached."""

import shutil
from urllib.parse import urlparse

import nbformat
import pytest
from conftest import ROOT, serving
from explorers import notebook
from figures import VISIBLE, faults
from test_browser import Watch, press

pytestmark = pytest.mark.slow

CELLS = [
    """import ipywidgets
from vaehelpers import training
from vaehelpers.explorer import LatentExplorer
explorer = LatentExplorer(*training.load_pretrained("hands"))
explorer""",
    """received = ipywidgets.Label()
explorer.observe(lambda change: setattr(received, "value", f"received {change.new[6]:.2f}"), "z")
received""",
    """back = ipywidgets.Button(description="back to the middle")
back.on_click(lambda _: setattr(explorer, "z", [0] * 25))
back""",
    """from vaehelpers.lessons import lesson06
lesson06.overlap_lab()""",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("voila")
    nbformat.write(notebook(CELLS), folder / "explorer.ipynb")
    shutil.copy(ROOT / "notebooks" / "00_start_here.ipynb", folder)
    command = ["voila", str(folder), "--no-browser", "--Voila.ip=127.0.0.1"]
    with serving(*command, path="/voila/static/voila.js", log=folder.parent / "voila.log") as address:
        yield f"{address}/voila/render"


@pytest.fixture
def page(browser):
    """A page that cannot reach other machines; assert that only Voilà requests anything from them."""
    page, refused = browser.new_page(viewport={"width": 1400, "height": 900}), []
    watch = Watch(page)

    def only_this_machine(route):
        if urlparse(route.request.url).hostname == "127.0.0.1":
            return route.continue_()
        refused.append(route.request.url)
        return route.abort()

    page.route("**/*", only_this_machine)
    yield page
    page.close()
    assert watch.remote == refused
    assert [url for url in refused if "fontawesome" not in url] == []  # Voilà's own icons
    assert [error for error in watch.errors if "ERR_FAILED" not in error] == []


def test_the_explorer_and_a_figure_under_sliders(server, page):
    page.goto(f"{server}/explorer.ipynb")
    page.wait_for_selector(".latent-explorer", timeout=120_000)
    slider = page.query_selector(".film input")
    for key, value in (("Home", "-3.00"), ("ArrowRight", "-2.95"), ("End", "3.00")):
        before = image(page)
        press(page, slider, key)
        page.wait_for_selector(f"text=received {value}", timeout=120_000)
        assert image(page) != before
    before = image(page)
    page.click("text=back to the middle")
    page.wait_for_function("() => document.querySelector('.film input').value === '0'")
    assert image(page) != before
    page.wait_for_selector(".live-figure img", timeout=120_000)
    page.wait_for_function(f"() => {VISIBLE} === 1")
    assert faults(page) == {}


def test_a_lesson(server, page):
    page.goto(f"{server}/00_start_here.ipynb", timeout=120_000)
    page.wait_for_selector(".latent-explorer", timeout=120_000)
    before = image(page)
    press(page, page.query_selector(".film input"), "Home")
    assert image(page) != before
    assert "Traceback" not in page.inner_text("body")
    assert faults(page) == {}


def image(page):
    return page.evaluate("() => document.querySelector('.latent-explorer .screen').toDataURL()")
