"""The explorer under Voilà: it draws, and the kernel hears of it, also where no other machine can be reached."""

from urllib.parse import urlparse

import nbformat
import pytest
from conftest import serving
from test_browser import Watch, press, screenshot
from test_explorer_lab import notebook

CELLS = [
    """import ipywidgets
from vaehelpers import training
from vaehelpers.explorer import LatentExplorer
explorer = LatentExplorer(*training.load_pretrained("hands"))
explorer""",
    """heard = ipywidgets.Label()
explorer.observe(lambda change: setattr(heard, "value", f"heard of {change.new[6]:.2f}"), "z")
heard""",
    """back = ipywidgets.Button(description="back to the middle")
back.on_click(lambda _: setattr(explorer, "z", [0] * 25))
back""",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    path = tmp_path_factory.mktemp("voila") / "explorer.ipynb"
    nbformat.write(notebook(CELLS), path)
    command = ["voila", str(path), "--no-browser", "--Voila.ip=127.0.0.1"]
    with serving(*command, path="/voila/static/voila.js", log=path.with_suffix(".log")) as address:
        yield address


def test_the_explorer_in_voila(server, browser):
    page, refused = browser.new_page(viewport={"width": 1400, "height": 900}), []
    watch = Watch(page)

    def only_here(route):
        if urlparse(route.request.url).hostname == "127.0.0.1":
            return route.continue_()
        refused.append(route.request.url)
        return route.abort()

    page.route("**/*", only_here)
    page.goto(server)
    page.wait_for_selector(".latent-explorer", timeout=60_000)
    slider = page.query_selector(".film input")
    for key, value in (("Home", "-3.00"), ("ArrowRight", "-2.95"), ("End", "3.00")):
        before = picture(page)
        press(page, slider, key)
        page.wait_for_selector(f"text=heard of {value}")
        assert picture(page) != before
    before = picture(page)
    page.click("text=back to the middle")
    page.wait_for_function("() => document.querySelector('.film input').value === '0'")
    assert picture(page) != before
    screenshot(page, "explorer-voila")
    page.close()
    # Voilà's own icons come from elsewhere; nothing of ours does, and nothing is missed without them
    assert watch.remote == refused
    assert {url for url in refused if "fontawesome" not in url} == set()
    assert [error for error in watch.errors if "ERR_FAILED" not in error] == []


def picture(page):
    return page.evaluate("() => document.querySelector('.latent-explorer .screen').toDataURL()")
