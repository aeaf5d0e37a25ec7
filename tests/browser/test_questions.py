"""Quizzes and predictions on pages: choices, what is held back, tally, storage, keyboard, links and print."""

import re

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from editions import in_german
from test_browser import watched
from test_notebooks import NOTEBOOKS, read

from vaehelpers.lessons.page import to_html, with_guesses

pytestmark = pytest.mark.slow

ELBO = next(path for path in NOTEBOOKS if path.stem == "05_elbo")
PREDICT = re.compile(r"^\*\*(?:Predict|Sag voraus):\*\*", re.MULTILINE)
DENIED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError'); } })"
TINY = """# Title

## Section

**Predict:** what follows?

The needle in the hay.

<p id="target">A target.</p>

**Predict:** and then?

The end.

## Next"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return a folder with a page of each lesson, without outputs, of the German one, and of a small notebook."""
    folder = tmp_path_factory.mktemp("pages")
    notebooks = {path.stem: read(path) for path in NOTEBOOKS}
    notebooks["deutsch"] = in_german(ELBO, read(ELBO))
    notebooks["tiny"] = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(TINY)])
    for name, notebook in notebooks.items():
        (folder / f"{name}.html").write_text(to_html(notebook, ROOT / "notebooks"), encoding="utf-8")
    return folder


@pytest.fixture
def visit(browser, folder):
    """Return a function that opens a page; assert that no page logs an error or makes a request."""
    with watched(browser) as page:

        def visit(name):
            page.goto(f"{folder.as_uri()}/{name}")
            return page

        visit.page = page
        yield visit


def cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "markdown"]


@pytest.mark.parametrize("path", [*NOTEBOOKS, "deutsch"], ids=lambda path: getattr(path, "stem", path))
def test_every_question_of_a_lesson_is_recognized(visit, path):
    notebook = in_german(ELBO, read(ELBO)) if path == "deutsch" else read(path)
    texts = [with_guesses(cell) for cell in cells(notebook)]
    page = visit(f"{getattr(path, 'stem', path)}.html")
    assert page.locator(".options").count() == sum(text.count("- **A.** ") for text in texts) >= 3
    choices = [text.count(" | ", text.index("<div data-guesses")) + 1 for text in texts if "<div data-guesses" in text]
    free = sum(bool(PREDICT.search(text)) for text in texts) - len(choices)
    assert page.locator("form.guess button").count() == sum(choices) + free
    assert page.locator("form.guess input").count() == free
    answers = page.locator(".verdict + details > p").all_text_contents()
    assert all(re.match("[A-D] (is right|stimmt):", answer) for answer in answers), "the right letter comes first"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_prediction_ends_its_cell_and_its_guesses_are_short(path):
    for cell in read(path).cells:
        guesses = cell.metadata.get("guesses", [])
        if PREDICT.search(cell.source):
            assert PREDICT.match(cell.source.split("\n\n")[-1]), f"{cell.id}: a prediction is its cell's last paragraph"
            assert len(set(guesses)) == len(guesses) != 1 and len(guesses) <= 4, cell.id
            assert all(len(guess) <= 45 and not re.search("[|$]", guess) for guess in guesses), cell.id
        else:
            assert not guesses, cell.id
    if edition := in_german(path, read(path)):
        for cell in cells(edition):
            found = re.search(r"<!-- guesses: (.+) -->", cell.source)
            translated = found[1].split(" | ") if found else []
            assert len(translated) == len(cell.metadata.get("guesses", [])), cell.id


def test_an_option_is_judged_and_explained_and_the_first_try_counts(visit):
    page = visit("05_elbo.html")
    first, verdict = page.locator(".options").first.get_by_role("button"), page.locator(".verdict").first
    first.nth(3).click()
    assert verdict.inner_text().startswith("✗ Not right. D is true of the size of the gap")
    first.nth(1).press("Enter")
    assert first.nth(1).get_attribute("aria-pressed") == "true"
    said = page.get_by_role("status").filter(has_text="B is right").inner_text()
    assert re.match(r"✓ Right. B is right: .* so what the one gains the other loses\.$", said, re.DOTALL)
    assert verdict.locator("math").count() > 0, "formulas are kept"
    assert "B is right:" in page.locator(".verdict + details").first.text_content(), "the whole answer is still there"
    second = page.locator(".options").nth(1).get_by_role("button").nth(2)
    second.click()
    counted = "1 of 5 questions right at the first try, 0 of 15 predictions made."
    assert page.locator(".tally").inner_text().startswith(counted)
    page.reload()
    assert page.locator(".tally").inner_text().startswith(counted)
    assert second.get_attribute("aria-pressed") == "true"
    page.get_by_role("button", name="Start again").click()
    page.wait_for_function("!document.querySelector('[data-mark]')")
    assert page.locator(".tally").inner_text().startswith("0 of 5 questions")


def test_a_prediction_holds_back_the_rest_of_its_section(visit):
    page = visit("05_elbo.html")
    result = page.get_by_text("The blue line stands still.")
    assert not result.is_visible() and page.get_by_text("which of the three will move").is_visible()
    assert page.get_by_role("heading", name="Reconstruction term and KL regularizer").is_visible()
    page.get_by_role("button", name="the ELBO and the KL").click()
    assert result.is_visible() and not page.get_by_text("Only the plus can hold.").is_visible()
    assert page.evaluate("document.activeElement.innerText") == "Your guess: the ELBO and the KL"
    page.get_by_role("textbox").first.fill("<b>both</b> touch there")
    page.get_by_role("textbox").first.press("Enter")
    assert page.get_by_text("Your guess: <b>both</b> touch there").is_visible()
    assert "2 of 15 predictions made" in page.locator(".tally").inner_text()


def test_everything_is_shown_to_those_who_only_read(visit):
    page = visit("tiny.html")
    page.get_by_label("Show everything").check()
    assert page.get_by_text("The end.").is_visible() and page.locator("form.guess:visible").count() == 0
    page = visit("05_elbo.html")
    assert page.get_by_text("The blue line stands still.").is_visible()
    page.get_by_label("Show everything").uncheck()
    assert not page.get_by_text("The blue line stands still.").is_visible()


@pytest.mark.parametrize(
    "init", [DENIED, "localStorage['vaehelpers: ' + location.pathname] = '[7'"], ids=["denied", "damaged"]
)
def test_questions_work_without_storage(visit, init):
    visit.page.add_init_script(init)
    page = visit("tiny.html")
    for _ in range(2):
        page.get_by_role("button", name="I have a guess: show me").first.click()
    assert page.get_by_text("The end.").is_visible()
    assert page.get_by_text("Your guess: not written down").count() == 2
    assert page.locator(".tally").inner_text().startswith("0 of 0 questions right at the first try, 2 of 2 predictions")


@pytest.mark.parametrize("place", ["#target", "#target?beta=4", "#:~:text=needle"])
def test_a_link_and_a_search_open_what_is_held_back(visit, place):
    page = visit(f"tiny.html{place}")
    page.wait_for_function("document.querySelector('#target').checkVisibility({ contentVisibilityAuto: true })")
    assert page.get_by_text("The needle in the hay.").is_visible()
    assert not page.get_by_text("The end.").is_visible()
    assert "0 of 2 predictions made" in page.locator(".tally").inner_text()


def test_a_printed_page_shows_everything_and_a_page_without_scripts_the_whole_text(visit, browser):
    page = visit("05_elbo.html")
    page.emulate_media(media="print")
    for text in (page.get_by_text("The blue line stands still."), page.locator("main details p").first):
        visible = "(each) => each.checkVisibility({ contentVisibilityAuto: true }) && each.offsetHeight > 0"
        assert text.evaluate(visible)
    assert page.locator("form.guess:visible, .switch:visible, .tally:visible").count() == 0
    with watched(browser, java_script_enabled=False) as plain:
        plain.goto(page.url)
        assert plain.get_by_text("The blue line stands still.").is_visible()
        assert plain.locator("main button").count() == 0


@pytest.mark.parametrize(("theme", "width"), [("light", 1300), ("dark", 390)])
def test_questions_are_accessible_and_large_enough_to_be_touched(visit, theme, width):
    page = visit("05_elbo.html")
    page.emulate_media(color_scheme=theme)
    page.set_viewport_size({"width": width, "height": 800})
    for option in page.locator(".options").first.get_by_role("listitem").all():
        option.click(position={"x": 200, "y": 20})
    assert page.locator("[data-mark]:not(.verdict)").count() == 4, "an option can be touched anywhere"
    page.locator("form.guess button").first.click()
    parts = {"include": [[each] for each in (".options", ".verdict", ".guess", ".switch", ".tally")]}
    found = Axe().run(page, parts, options={"preload": False, "resultTypes": ["violations"]}).response["violations"]
    assert [(each["id"], node["html"]) for each in found for node in each["nodes"]] == []
    controls = page.locator(".options li, :is(.guess, .tally) button:visible, .guess input:visible, .switch label")
    assert all(box["height"] >= 40 and box["width"] >= 40 for box in (each.bounding_box() for each in controls.all()))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
