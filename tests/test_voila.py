"""The explorer and a figure under Voilà, where no other machine can be reached."""

import nbformat
import pytest
from conftest import serving
from explorers import notebook
from figures import VISIBLE, faults
from test_browser import Watch, is_remote, press, until

pytestmark = pytest.mark.slow

CELLS = [
    """from vaehelpers import training
from vaehelpers.explorer import LatentExplorer
LatentExplorer(*training.load_pretrained("hands"))""",
    "from vaehelpers.lessons import lesson06\nlesson06.overlap_lab()",
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
    page.wait_for_selector(".live-figure img", timeout=120_000)
    for slider, image in (
        (".film input", "document.querySelector('.latent-explorer .screen').toDataURL()"),
        (".noUi-handle", "document.querySelector('.live-figure img').src"),
    ):
        handle, before = page.wait_for_selector(slider, timeout=120_000), page.evaluate(image)
        press(page, handle, "End")
        until(page, lambda image=image, before=before: page.evaluate(image) != before)
    page.wait_for_function(f"() => {VISIBLE} === 1")
    assert faults(page) == {}
