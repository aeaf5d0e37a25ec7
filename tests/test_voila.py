"""The explorer and a figure under Voilà, where no other machine can be reached."""

import nbformat
import pytest
from conftest import serving
from explorers import notebook
from figures import VISIBLE, faults
from test_browser import Watch, is_remote, press

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


@pytest.fixture
def page(browser, tmp_path):
    """A page of Voilà that cannot reach other machines; assert that nothing else requests anything from them."""
    nbformat.write(notebook(CELLS), tmp_path / "explorer.ipynb")
    command = ["voila", str(tmp_path), "--no-browser", "--Voila.ip=127.0.0.1"]
    with serving(*command, path="/voila/static/voila.js", log=tmp_path / "voila.log") as address:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        watch = Watch(page)
        page.route(is_remote, lambda route: route.abort())
        page.goto(f"{address}/voila/render/explorer.ipynb")
        yield page
        page.close()
    assert [url for url in watch.remote if "fontawesome" not in url] == []  # Voilà's own icons
    assert [error for error in watch.errors if "ERR_FAILED" not in error] == []


def test_the_explorer_and_a_figure_under_sliders(page):
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


def image(page):
    return page.evaluate("() => document.querySelector('.latent-explorer .screen').toDataURL()")
