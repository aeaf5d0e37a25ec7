"""Playgrounds in frames: in a lesson's one file, on the site and on slides."""

import contextlib

import executed
import nbformat
import pytest
import slides
from explorers import notebook
from test_browser import serious_violations, until, watched
from test_play import FIRST, SEEN, Playground
from test_site import NPM

from vaehelpers.lessons import page

CELLS = ['from vaehelpers.play import Play\nPlay("collapse")', 'Play("holes")']
FITS = "document.documentElement.scrollHeight <= innerHeight + 1 && document.documentElement.scrollWidth <= innerWidth"
THEME = "getComputedStyle(document.documentElement).colorScheme"
PLACE = "JSON.stringify(Reveal.getIndices())"
#: Whether the number of images seen stays the same for half a second.
STANDS = """() => new Promise((resolve) => {
  const before = document.querySelector('.count').textContent;
  setTimeout(() => resolve(document.querySelector('.count').textContent === before), 500);
})"""


def lesson():
    """Return a notebook with two playgrounds on slides of their own, with text before, between and after them."""
    made = notebook(CELLS)
    texts = ["# A lesson\n\nwith a $z$", "## Before", "## Between", "## After"]
    cells = [nbformat.v4.new_markdown_cell(text, metadata={"slideshow": {"slide_type": "slide"}}) for text in texts]
    for place, cell in zip((2, 4), made.cells, strict=True):
        cell.metadata |= {"tags": ["output-only"]}
        cells.insert(place, cell)
    made.cells = cells
    return made


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return a function that executes the lesson after given code."""
    folder = tmp_path_factory.mktemp("lesson")
    nbformat.write(lesson(), folder / "lesson.ipynb")
    return lambda before: page.executed(folder / "lesson.ipynb", before, folder=folder)


@pytest.fixture(scope="module")
def one_file(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("mailed") / "lesson.html"
    path.write_text(page.to_html(run(page.BEFORE), path.parent), encoding="utf-8")
    return path


@pytest.fixture
def opened(browser):
    """Return a function that opens a page."""
    with contextlib.ExitStack() as pages:

        def open_page(path, fragment="", **options):
            shown = pages.enter_context(watched(browser, **options))
            shown.goto(path.as_uri() + fragment)
            return shown

        yield open_page


def frame(shown, number):
    """Return a playground in a frame, brought into view."""
    element = shown.locator("iframe.playground").nth(number)
    element.scroll_into_view_if_needed()
    inside = element.element_handle().content_frame()
    inside.wait_for_function(FIRST, timeout=60_000)
    return Playground(inside)


def beta(inside):
    """Return the position of the slider of β."""
    return inside.page.get_by_role("slider").input_value()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_playgrounds_of_one_file_begin_with_their_scenes_and_train_only_in_view(one_file, opened, width, theme):
    shown = opened(one_file, viewport={"width": width, "height": 800}, color_scheme=theme)
    first, second = frame(shown, 0), frame(shown, 1)
    for each, scene in ((second, "An autoencoder has holes"), (first, "Posterior collapse")):
        assert each.page.get_by_role("button", name=scene, pressed=True).count() == 1
        assert each.images() == 0 and each.page.evaluate(FITS)
    first.page.evaluate("scrollTo(0, 0)")
    first.button("play").click()
    first.page.wait_for_function(SEEN, arg=640, timeout=300_000)
    shown.get_by_role("heading", name="After").scroll_into_view_if_needed()
    until(shown, lambda: first.page.evaluate(STANDS))
    at = first.images()
    shown.locator("iframe.playground").first.scroll_into_view_if_needed()
    first.page.wait_for_function(SEEN, arg=at + 64, timeout=300_000)
    assert second.images() == 0
    assert shown.evaluate("document.documentElement.scrollWidth") <= width and serious_violations(shown) == []


def test_the_address_of_the_page_leads_to_a_playground_and_its_settings(one_file, opened):
    shown = opened(one_file)
    frame(shown, 1).page.get_by_role("slider").press("End")
    until(shown, lambda: shown.url.endswith("#explorer-2?scene=holes&beta=32"))
    other = frame(opened(one_file, "#explorer-2?scene=holes&beta=32"), 1)
    until(other.page, lambda: beta(other) == "40")


def test_a_playground_follows_the_theme_of_its_page(one_file, opened):
    shown = opened(one_file)
    inside = frame(shown, 0)
    ink = inside.page.locator(".plane canvas").first.evaluate("(canvas) => getComputedStyle(canvas).color")
    for theme in ("dark", "light"):
        shown.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        until(shown, lambda theme=theme: inside.page.evaluate(THEME) == theme)
        now = inside.page.locator(".plane canvas").first.evaluate("(canvas) => getComputedStyle(canvas).color")
        assert (now == ink) == (theme == "light")


@pytest.fixture
def deck(run, tmp_path, monkeypatch):
    """The slides of the lesson."""
    made = run(page.BEFORE + executed.WIDGETS.format(stem="lesson", folder=str(tmp_path)))
    monkeypatch.setattr(slides, "RUN", tmp_path)
    monkeypatch.setattr(slides, "execute_all", lambda chosen: {tmp_path / "lesson.ipynb": made})
    slides.build(tmp_path / "slides", NPM)
    return tmp_path / "slides" / "lesson"


@pytest.mark.slow
def test_on_a_slide_the_keys_are_the_playgrounds_until_escape(deck, opened):
    shown = opened(deck / "index.html", color_scheme="dark")
    shown.wait_for_selector("body.done", state="attached")
    shown.keyboard.press("ArrowRight")
    here = shown.evaluate(PLACE)
    inside = frame(shown, 0)
    assert inside.page.evaluate(FITS) and inside.page.evaluate(THEME) == "light"
    assert beta(inside) == "30"
    inside.page.get_by_role("slider").press("ArrowRight")
    assert beta(inside) == "31" and shown.evaluate(PLACE) == here
    inside.button("play").click()
    inside.page.wait_for_function(SEEN, arg=640, timeout=300_000)
    shown.keyboard.press("Escape")
    shown.wait_for_function("document.activeElement === document.body")
    shown.keyboard.press("ArrowRight")
    shown.wait_for_function(f"place => {PLACE} !== place", arg=here)
    assert not shown.evaluate("Reveal.isOverview()")
    until(shown, lambda: inside.page.evaluate(STANDS))
    at = inside.images()
    shown.keyboard.press("ArrowLeft")
    inside.page.wait_for_function(SEEN, arg=at + 64, timeout=300_000)
