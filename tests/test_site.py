"""The site in a browser, opened as files without a server or a network."""

import json
import re
import subprocess
import sys
from urllib.parse import unquote, urlparse

import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from explorers import assert_frame_works
from figures import faults
from test_browser import serious_violations, watched

pytestmark = pytest.mark.slow

DOCS, NPM = ROOT / "docs", ROOT / "build" / "npm"
PAGES = ("index", "00_start_here", "05_elbo", "glossary", "equations", "api")


def build(script, folder, lessons):
    """Run a script of docs/ that builds some lessons into a folder."""
    if not (NPM / "node_modules").exists():
        pytest.fail(f"{NPM} is missing: run `make test-all` or `make site`")
    done = subprocess.run([sys.executable, DOCS / script, folder, NPM, *lessons], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Return the folder of the site, where only these two lessons have outputs."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    build("website.py", folder, ("00", "05"))
    return folder


class Page:
    """The links, anchors, images and heading levels of a page, and the files that it loads."""

    def __init__(self, path):
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        self.links = [link["href"] for link in page.find_all("a", href=True)]
        self.anchors = {""} | {each.get("id") or each["name"] for each in page.select("[id], [name]")}
        self.images = page.find_all("img")
        self.headings = [int(each.name[1]) for each in page.select("h1, h2, h3, h4, h5, h6")]
        loaded = page.select("[src], link[rel~=stylesheet], link[rel=preload], link[rel~=icon]")
        self.loaded = [each.get("src") or each["href"] for each in loaded]


@pytest.fixture(scope="session")
def pages(site):
    """Return every page of the site by its path."""
    return {path: Page(path) for path in site.rglob("*.html") if "_static" not in path.parts}


def test_every_link_leads_somewhere_and_nothing_is_loaded_from_elsewhere(pages):
    links = [(path, link) for path, page in pages.items() for link in page.links if not link.startswith("http")]
    assert len(links) > 1000
    for path, link in links:
        place = urlparse(link)
        target = (path.parent / unquote(place.path)).resolve() if place.path else path
        assert target.is_file(), f"{path.name} leads to {link}"
        if place.fragment and target in pages:
            assert unquote(place.fragment) in pages[target].anchors, f"{path.name} leads to {link}"
    for path, page in pages.items():
        for link in page.loaded:
            assert link.startswith("data:") or (path.parent / urlparse(link).path).is_file(), f"{path.name}: {link}"


def test_images_have_texts_and_headings_come_in_order(pages):
    assert sum(len(page.images) for page in pages.values()) >= 13
    for path, page in pages.items():
        for image in page.images:
            text = image.get("alt", "").strip()
            assert text and not text.endswith(".png"), path.name  # Sphinx uses the file's name by default
        assert all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), path.name


def test_all_public_modules_are_described():
    package = ROOT / "vaehelpers"
    modules = {".".join(path.relative_to(package).with_suffix("").parts) for path in package.rglob("[!_]*.py")}
    text = (DOCS / "api.md").read_text(encoding="utf-8")
    assert set(re.findall(r"automodule:: vaehelpers\.(\S+)", text)) == modules


def test_a_lesson_can_be_downloaded_and_read_in_german(site, pages):
    english, german, name = site / "05_elbo.html", site / "de" / "05_elbo.html", "05_elbo.ipynb"
    assert {f"_sources/{name}", "de/05_elbo.html"} <= set(pages[english].links)
    assert (site / "_sources" / name).read_bytes() == (ROOT / "notebooks" / name).read_bytes()
    assert "../05_elbo.html" in pages[german].links
    assert '<html lang="de"' in german.read_text(encoding="utf-8")
    assert len(pages[german].images) == len(pages[english].images)
    assert not [path for path in site.rglob("*") if "solutions" in path.name], "those of the exam are not published"


def test_a_warning_is_an_error(tmp_path):
    from website import run_sphinx

    (tmp_path / "index.md").write_text("# A page\n\n[leads nowhere](nowhere.md)\n")
    with pytest.raises(subprocess.CalledProcessError):
        run_sphinx(tmp_path, tmp_path / "out")


@pytest.fixture
def reader(browser, site):
    """Return a function that opens a page; assert that no page logs an error or makes a request."""
    with watched(browser) as page:
        page.add_init_script("localStorage['vaehelpers: show everything'] = true")  # results wait for no guess

        def read(name, theme="light", width=1280):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 720})
            page.goto(f"{site.as_uri()}/{name}")
            page.wait_for_function("() => !document.querySelector('.math:not(:has(mjx-container))')")
            return page

        yield read


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 400)])
def test_a_page_fits_and_is_accessible(reader, name, theme, width):
    page = reader(f"{name}.html", theme, width)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    alike = {"exclude": [["#the-vae"], ["#lessons"]]} if name == "api" else None
    assert serious_violations(page, alike) == []


def test_figures_keep_their_proportions_at_every_width(reader, site, pages):
    shown = [path.relative_to(site).as_posix() for path, page in pages.items() if page.images]
    assert {"00_start_here.html", "05_elbo.html", "de/05_elbo.html"} <= set(shown)
    assert {name: wrong for name in shown if (wrong := faults(reader(name)))} == {}


def test_formulas_are_typeset_and_read_aloud(reader):
    page = reader("05_elbo.html")
    formulas = page.locator("main mjx-container").count()
    assert formulas == page.locator("main mjx-assistive-mml > math").count() > 200
    assert page.locator("mjx-merror, mjx-container [data-mjx-error]").count() == 0
    assert page.evaluate("[...document.fonts].some(font => font.family.startsWith('MJX') && font.status === 'loaded')")
    assert page.locator("details:not([open]) pre").count() > 5, "folded solutions"


def test_questions_in_german_keep_their_formulas(reader):
    page = reader("de/05_elbo.html", "dark", 400)
    assert page.locator(".options").count() == 5 and page.locator("article form.guess").count() == 15
    page.locator(".options button").nth(1).click()
    assert page.locator(".verdict").first.inner_text().startswith("✓ Richtig. B stimmt")
    assert page.locator(".verdict mjx-container").count() > 0
    page.locator(".switch input").uncheck()
    assert page.locator("form.guess:visible").count() > 5 and serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 400


@pytest.mark.parametrize("name", ["index", "00_start_here"])
def test_the_explorer_works(reader, name):
    page = reader(f"{name}.html")
    page.locator("iframe.explorer").first.scroll_into_view_if_needed()
    assert_frame_works(page, page.frame_locator("iframe.explorer").first)


def test_every_figure_under_sliders_moves_on_the_german_page(reader, site):
    page = reader("de/05_elbo.html", "dark", 400)
    assert (site / "05_elbo.html").stat().st_size <= 3e6
    page.wait_for_selector("[data-live=ready]", state="attached")
    figures = page.locator("figure.live")
    assert figures.count() == 4 and page.locator(".widget-subarea, script[type*=widget]").count() == 0
    for figure in figures.all():
        before = figure.locator("svg > g").first.inner_html()
        figure.locator("input[type=range]").first.press("End")
        assert figure.locator("svg > g").first.inner_html() != before
        text = figure.locator("svg").first.get_attribute("aria-label")
        assert len(text) > 40 and page.locator(f"img[alt={json.dumps(text)}]").count() == 0, "a still image is left"


def test_the_search_finds_a_word(reader):
    page = reader("search.html?q=responsibility")
    for name in ("04_mixtures_and_em.html", "glossary.html"):  # results arrive one by one
        page.locator(f"#search-results li a[href*='{name}']").first.wait_for()
