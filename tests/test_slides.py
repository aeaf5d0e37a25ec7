"""The slides in a browser, opened as files without a server or a network; and how cells become slides."""

import base64
import io
import re

import pytest
from explorers import assert_frame_works
from figures import FAULTS
from PIL import Image
from slides import slide_type
from test_browser import serious_violations, until, watched
from test_notebooks import lessons, read
from test_site import build

pytestmark = pytest.mark.slow

LESSONS = ("00_start_here", "05_elbo")
SHOW = """i => {
  const {h, v} = Reveal.getIndices(Reveal.getSlides()[i]);
  Reveal.slide(h, v, 99);  // with all fragments
}"""
COUNT = "Reveal.getTotalSlides()"
#: Each figure of the slide: its data, the size of its box, and how it fits the box (a long figure is cropped).
FIGURES = """[...Reveal.getCurrentSlide().querySelectorAll('.figure img')].map(
  image => [image.src.split(',')[1], image.clientWidth, image.clientHeight, getComputedStyle(image).objectFit])"""
#: Elements of the current slide that are outside of it, cropped, or too small to be read.
MEASURE = """() => {
  const slide = Reveal.getCurrentSlide(), frame = slide.getBoundingClientRect(), scale = frame.width / 1280;
  const seen = [...slide.querySelectorAll('.part, .part *')].filter(
    e => !e.closest('.notes, .MJX_Assistive_MathML, iframe') && e.getBoundingClientRect().width > 0);
  const outside = seen.filter(e => {
    const box = e.getBoundingClientRect();
    return box.left < frame.left || box.right > frame.right || box.top < frame.top ||
      box.bottom > frame.top + 684 * scale;  // below are the lesson's title and the number of the slide
  });
  const isText = n => n.nodeType == 3 && n.data.trim();
  const written = seen.filter(e => !e.closest('svg, script') && [...e.childNodes].some(isText));
  const small = written.filter(e => parseFloat(getComputedStyle(e).fontSize) < (e.closest('pre') ? 16 : 24));
  return {
    outside: outside.map(e => e.outerHTML.slice(0, 80)), small: small.map(e => e.outerHTML.slice(0, 80)),
    cut: [slide.scrollWidth - slide.clientWidth, slide.scrollHeight - slide.clientHeight],
    wide: [...document.querySelectorAll('body, html')].some(e => e.scrollWidth > innerWidth),
    headings: slide.querySelectorAll(':scope > .part :is(h1, h2)').length,
    empty: seen.every(e => e.closest('.heading')),
  };
}"""
FITTING = {"outside": [], "small": [], "cut": [0, 0], "wide": False, "headings": 1, "empty": False}
#: Whether all fragments have appeared: no animation runs except the endless one of the arrow.
SETTLED = """() => document.getAnimations().every(
    a => a.playState !== "running" || a.effect.getTiming().iterations > 1)"""


@pytest.fixture(scope="session")
def slides(tmp_path_factory):
    """Return the folder of the slides."""
    folder = tmp_path_factory.mktemp("stick") / "slides"
    build("slides.py", folder, [lesson[:2] for lesson in LESSONS])
    return folder


@pytest.fixture(scope="module", params=LESSONS)
def page(request, slides, browser):
    """Return the slides of a lesson, open in the browser with all formulas typeset; assert no remote requests."""
    with watched(browser, viewport={"width": 1280, "height": 720}) as page:
        page.goto((slides / request.param / "index.html").as_uri())
        page.wait_for_selector("body.done", state="attached")
        yield page


def type_size(data, width, height, fit):
    """Return the size in pixels of a figure's smallest text, which has 14 points."""
    with Image.open(io.BytesIO(base64.b64decode(data))) as figure:
        scale = (max if fit == "cover" else min)(width / figure.width, height / figure.height)
        return 14 / 72 * figure.info["dpi"][0] * scale


def test_every_slide_fits_and_can_be_read_in_a_hall(page):
    problems = {}
    for i in range(page.evaluate(COUNT)):
        page.evaluate(SHOW, i)
        found = page.evaluate(MEASURE)
        small = [figure for figure in page.evaluate(FIGURES) if type_size(*figure) < 16]
        distorted = page.evaluate(FAULTS)
        if found != FITTING or small or distorted:
            problems[i + 1] = (found, len(small), distorted)
    assert problems == {}


def test_formulas_are_set_and_every_image_has_a_text(page):
    assert page.evaluate("document.querySelectorAll('.merror, [fill=red]').length") == 0
    assert page.evaluate("document.querySelectorAll('.MathJax_SVG svg').length") > 0
    text = page.evaluate("document.querySelector('.slides').innerText")
    assert not re.search(r"\$|\\[a-z]{2}", text)
    assert page.evaluate("[...document.images].every(i => i.naturalWidth > 100 && i.alt.length > 10)")


def test_slides_are_accessible(page):
    count = page.evaluate(COUNT)
    for i in {0, 2, count // 2, count - 1}:
        page.evaluate(SHOW, i)
        page.wait_for_function(SETTLED)
        assert serious_violations(page) == []


@pytest.mark.parametrize("page", ["05_elbo"], indirect=True)
def test_the_speaker_has_the_whole_text_in_a_window(page):
    with page.expect_popup() as opened:
        page.keyboard.press("s")
    speaker = opened.value
    page.evaluate(SHOW, 1)
    speaker.wait_for_function("document.querySelector('.speaker-controls-notes .value')?.innerText.length > 100")
    assert "At three in the morning something crashes" in speaker.inner_text(".speaker-controls-notes .value")
    assert speaker.query_selector(".speaker-controls-notes .value svg")
    speaker.close()


def open_first(page, selector):
    """Open the first slide with an element from before, so that no fragment is shown."""
    slide = f"document.querySelector('{selector}').closest('section')"
    page.evaluate(f"Reveal.slide(0); Reveal.slide(...Object.values(Reveal.getIndices({slide})))")


@pytest.mark.parametrize("page", ["05_elbo"], indirect=True)
def test_a_key_shows_the_right_option_and_a_click_explains_any(page):
    open_first(page, ".options")
    options, verdict = page.locator(".options").first.get_by_role("listitem"), page.locator(".verdict").first
    assert not verdict.is_visible()
    options.nth(2).click()
    assert verdict.inner_text().startswith("✗ Not right. C takes the KL")
    page.keyboard.press(" ")
    page.wait_for_function("document.querySelector('.verdict').innerText.startsWith('✓ Right. B is right: ELBO')")
    assert verdict.locator("svg").count() > 0, "formulas are kept"
    place = page.evaluate("Reveal.getIndices()")
    options.nth(0).get_by_role("button").press(" ")
    assert verdict.inner_text().startswith("✗ Not right. A lets the evidence")
    assert page.evaluate("Reveal.getIndices()") == place
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("!Reveal.getCurrentSlide().querySelector('[data-mark]')")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("!Reveal.getCurrentSlide().contains(document.querySelector('.options'))")


@pytest.mark.parametrize("page", ["05_elbo"], indirect=True)
def test_a_guess_is_marked_and_what_follows_waits_for_a_key(page):
    open_first(page, ".guess")
    page.get_by_role("button", name="zero").click()
    assert page.get_by_role("button", pressed=True).inner_text() == "zero"
    follows = page.locator(".slides section.present section.present .predict ~ .fragment").first
    assert follows.evaluate("each => getComputedStyle(each).visibility") == "hidden"
    page.keyboard.press("ArrowRight")
    page.wait_for_function("Reveal.getCurrentSlide().querySelector('.predict ~ .fragment.visible')")


@pytest.mark.parametrize("page", ["05_elbo"], indirect=True)
def test_every_figure_under_sliders_moves_and_escape_leads_back_to_the_slides(page):
    figures = page.locator("figure.live")
    assert figures.count() == 4
    for figure in figures.all():
        open_first(page, f"#{figure.get_attribute('id')}")
        place = page.evaluate("JSON.stringify(Reveal.getIndices())")
        before = figure.locator("svg > g").inner_html()
        figure.locator("input[type=range]").first.press("End")
        assert figure.locator("svg > g").inner_html() != before
        assert page.evaluate("JSON.stringify(Reveal.getIndices())") == place
        page.keyboard.press("Escape")
        page.keyboard.press("ArrowRight")
        page.wait_for_function("place => JSON.stringify(Reveal.getIndices()) !== place", arg=place)
        assert not page.evaluate("Reveal.isOverview()")


def test_an_address_opens_a_slide_with_its_figure_as_it_says(slides, browser):
    with watched(browser, viewport={"width": 1280, "height": 720}) as page:
        page.goto(f"{(slides / '05_elbo' / 'index.html').as_uri()}#one_latent?mean=1.50&sd=1.00")
        figure = page.locator("section.present section.present #one_latent")
        until(page, lambda: figure.locator("output").all_inner_texts() == ["1.50", "1.00"])


@pytest.mark.parametrize("page", ["00_start_here"], indirect=True)
def test_an_explorer_works_on_its_slide(page):
    page.evaluate(SHOW, page.evaluate("Reveal.getSlides().findIndex(slide => slide.querySelector('iframe'))"))
    frame = page.frame_locator("section.present section.present iframe")
    assert_frame_works(page, frame)
    assert frame.locator("html").evaluate("page => page.scrollHeight <= innerHeight + 1"), "it is cut"


def test_links_lead_somewhere_and_the_notes_hold_answers_but_no_solution(slides):
    index = (slides / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'href="(.+?)"', index)[1:] == [f"{lesson}/index.html" for lesson in LESSONS]
    for lesson in LESSONS:
        page = re.sub(r'src="data:[^"]+"', "", (slides / lesson / "index.html").read_text(encoding="utf-8"))
        assert "is right:" in page and ".check_" not in page and "answer = -90 - 4" not in page
        links = re.findall(r'(?:href|src)="([^"#]+)"', page)
        assert links and not [link for link in links if link.endswith(".ipynb")]
        for link in links:
            target = slides / lesson / link
            assert not link.startswith("http") or "github" in link
            assert target.is_file() or target.parent.name not in LESSONS and "assets" not in link, link


@lessons
def test_each_cell_has_a_slide_type_that_nbconvert_knows(path):
    cells = read(path).cells
    assert slide_type(cells[0]) == "slide"
    assert {slide_type(cell) for cell in cells} <= {"slide", "subslide", "fragment", "skip", "notes", "-"}
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            assert slide_type(cell) in ("slide", "skip"), f"{cell.id}: a heading begins a slide"
        if ".check_" in cell.source or "<summary>Solution" in cell.source:
            assert slide_type(cell) == "skip", f"{cell.id}: an exercise's check or solution is on a slide"
