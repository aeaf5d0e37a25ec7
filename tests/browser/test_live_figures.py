"""Figures under sliders on a page without a kernel: what they show, controls, texts, links, print and phones."""

import contextlib
import functools
import io
from itertools import pairwise

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import ROOT
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image, ImageChops, ImageFilter
from test_browser import until, watched
from test_lesson_figures import LIVES

from vaehelpers import plots
from vaehelpers.lessons import frames
from vaehelpers.lessons.page import to_html

slow = pytest.mark.slow
MAKERS = {getattr(make, "func", make).__name__: make for make in LIVES}
DPI = 200
#: Of the largest difference between two pictures, after a blur, from 0 to 255: equal up to anti-aliasing.
ALIKE = 60
#: The numbers of the values that the controls of a figure show.
STATE = """figure => [...figure.querySelectorAll('.sliders > .row, .sliders > .check')].map(row => {
  const inputs = [...row.querySelectorAll('input')];
  if (inputs[0].type === 'radio') return inputs.findIndex(each => each.checked);
  return inputs[0].type === 'range' ? inputs[0].valueAsNumber : Number(inputs[0].checked);
})"""
#: Put a picture where its pixels are those of the screen.
PLACE = "svg => Object.assign(svg.style, {background: 'white', left: 0, maxWidth: 'none', position: 'fixed', top: 0})"


def coarse(sizes, anchors):
    """Return few states: from each anchor both ends and the middle of each control."""
    near = {(*a[:c], i, *a[c + 1 :]) for a in anchors for c, size in enumerate(sizes) for i in (0, size // 2, size - 1)}
    return [anchors[0], *sorted((near | set(anchors)) - {anchors[0]})]


@functools.cache
def live_of(name):
    with plt.style.context(plots.STYLE):
        return MAKERS[name]()


@pytest.fixture(scope="module")
def address_of(tmp_path_factory):
    """Return a function that returns the address of a page with some figures, and few frames of each."""

    @functools.cache
    def address(names):
        with pytest.MonkeyPatch.context() as patch, plt.style.context(plots.STYLE):
            patch.setattr(frames, "grid", coarse)
            cells = []
            for name in names:
                html = frames.live_html(live_of(name), name).replace('aria-label=""', f'aria-label="About {name}."')
                output = nbformat.v4.new_output("display_data", {"text/html": html})
                cells.append(nbformat.v4.new_code_cell(name, outputs=[output]))
        path = tmp_path_factory.mktemp("frames") / "page.html"
        path.write_text(to_html(nbformat.v4.new_notebook(cells=cells), ROOT), encoding="utf-8")
        return path.as_uri()

    return address


@pytest.fixture
def visit(browser, address_of):
    """Return a function that opens a page; assert that it logs nothing and requests nothing."""
    with contextlib.ExitStack() as pages:

        def visit(place="", *, names=tuple(MAKERS), **options):
            page = pages.enter_context(watched(browser, **options))
            page.goto(address_of(names) + place)
            if options.get("java_script_enabled", True):
                page.wait_for_selector("[data-live=ready]", state="attached")
            return page

        yield visit


def values(live, state):
    """Return the values of a state by the names of their controls."""
    options = (frames._options(control) for control in live.controls.values())
    return {key: known[i] for key, known, i in zip(live.controls, options, state, strict=True)}


def drawn(live, state):
    """Return what Python draws for a state; letters are placed as in an SVG, not moved to whole pixels."""
    with plt.style.context([plots.STYLE, {"text.hinting": "none"}]):
        live.plot(**values(live, state))
        live.figure.set_dpi(DPI)
        canvas = FigureCanvasAgg(live.figure)
        canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def shown(page, figure, size):
    """Return what the page shows of a figure, with so many pixels."""
    svg = figure.locator("svg").first
    svg.evaluate(PLACE)
    width, height = (n * frames.SCREEN / DPI for n in size)
    path = page.screenshot(clip={"x": 0, "y": 0, "width": width, "height": height}, animations="disabled")
    svg.evaluate("svg => { svg.style = ''; }")
    return Image.open(io.BytesIO(path)).convert("RGB")


def difference(a, b):
    """Return the largest difference of two pictures, after a blur, of any channel of any pixel."""
    blurred = (picture.filter(ImageFilter.GaussianBlur(3)) for picture in (a, b))
    return np.asarray(ImageChops.difference(*blurred)).max()


@pytest.mark.parametrize("name", [pytest.param(name, marks=[slow] * (name != "both_directions")) for name in MAKERS])
def test_a_figure_is_what_python_draws_for_the_values_that_it_shows(visit, name):
    page = visit(names=(name,), has_touch=True, device_scale_factor=DPI / frames.SCREEN)
    figure, live = page.locator(f"#{name}"), live_of(name)
    options = [frames._options(control) for control in live.controls.values()]
    seen = []

    def compare():
        seen.append(figure.evaluate(STATE))
        expected = drawn(live, seen[-1])
        picture = shown(page, figure, expected.size)
        assert difference(picture, expected) < ALIKE, seen[-1]
        texts = figure.locator("output").all_text_contents()
        numbers = [known[i] for known, i in zip(options, seen[-1], strict=True) if len(known) > 5]
        assert [float(text.replace("−", "-")) for text in texts] == pytest.approx(numbers, abs=0.0051)
        return picture

    compare()
    ranges = figure.locator("input[type=range]").all()
    for place in ("Home", "End"):
        for slider in ranges:
            slider.press(place)
            assert abs(share(slider) - (place == "End")) < 0.1
        compare()
    for slider in ranges:
        slider.tap()
        assert abs(share(slider) - 0.5) < 0.3
    if not ranges:
        figure.locator("fieldset label").nth(1).tap()
    picture = compare()
    assert len({tuple(state) for state in seen}) >= (3 if ranges else 2)
    c = next((c for c, known in enumerate(options) if len(known) > 5), 0)
    seen[-1][c] = (seen[-1][c] + 1 + len(options[c]) // 20) % len(options[c])
    assert difference(picture, drawn(live, seen[-1])) > ALIKE, "it would not be found out"


def share(slider):
    """Return where a slider stands, from 0 to 1."""
    return slider.evaluate("slider => slider.value / slider.max")


def outputs(figure):
    return figure.locator("output").all_text_contents()


@slow
def test_a_key_leads_to_the_next_frame_and_a_pointer_to_the_nearest(visit):
    page = visit()
    figure = page.locator("#two_weathers")
    slider = figure.get_by_label("probability of rain")
    found = [outputs(figure)[0]]
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft", "Home"):
        slider.press(key)
        found += outputs(figure)
        assert slider.get_attribute("aria-valuetext") == found[-1]
    assert found == ["0.20", "0.50", "0.99", "0.99", "0.50", "0.20", "0.01"]
    box = slider.bounding_box()
    slider.click(position={"x": 0.3 * box["width"], "y": box["height"] / 2})
    assert outputs(figure) == ["0.20"]
    figure.get_by_role("button", name="reset").click()
    assert figure.evaluate(STATE) == [19]


@slow
def test_steps_have_buttons_and_a_row_of_buttons_may_move_sliders(visit):
    page = visit()
    steps, lab = page.locator("#em_steps"), page.locator("#overlap_lab")
    steps.get_by_role("button", name="half-step: on").click()
    assert outputs(steps) == ["7"], "the next frame"
    for _ in range(3):
        steps.get_by_role("button", name="half-step: back").click()
    assert outputs(steps) == ["0"]
    start = outputs(lab)
    lab.get_by_text("2 narrow").click()
    assert outputs(lab) == ["−0.60", "0.60", "0.15", "0.15"] and lab.get_by_label("2 narrow").is_checked()
    lab.get_by_label("2 narrow").press("ArrowLeft")
    assert outputs(lab) == ["−2.40", "2.40", "1.00", "1.00"]
    lab.get_by_role("button", name="reset").click()
    assert outputs(lab) == start == ["−0.60", "0.60", "1.00", "1.00"]
    page.locator("#diagnosis").get_by_label("cold").check()
    assert page.locator("#diagnosis").evaluate(STATE) == [0, 0, 1, 1]


@slow
def test_the_description_follows_the_figure(visit):
    page = visit()
    figure = page.locator("#narrow_gaussian")
    svg, status = figure.locator("svg"), figure.locator("p[role=status]")
    assert svg.get_attribute("aria-label") == "About narrow_gaussian." and status.text_content() == ""
    figure.get_by_label("σ in °C").press("End")
    until(page, status.text_content)
    title = status.text_content()
    assert title == "σ = 2.00 °C: differential entropy h = +2.11 nats"
    assert svg.get_attribute("aria-label") == f"About narrow_gaussian. Now: {title}"


@slow
@pytest.mark.parametrize(
    ("name", "label", "key"),
    [
        ("gaussian_steps", "correlation ρ", "Home"),
        ("overlap_lab", "2 narrow", " "),
        ("beta_calculator", "½ squared", " "),
        ("diagnosis", "cold", " "),
    ],
)
def test_an_address_shows_the_same_elsewhere(visit, name, label, key):
    page = visit()
    figure = page.locator(f"#{name}")
    figure.get_by_label(label).press(key)
    until(page, lambda: f"#{name}?" in page.url)
    state, place = figure.evaluate(STATE), page.evaluate("location.hash")
    other = visit(place)
    assert other.locator(f"#{name}").evaluate(STATE) == state
    assert other.evaluate("name => document.getElementById(name).getBoundingClientRect().top < innerHeight", name)
    other.locator(f"#{name}").get_by_role("button", name="reset").click()
    other.evaluate("place => { location.hash = ''; location.hash = place; }", place)
    until(other, lambda: other.locator(f"#{name}").evaluate(STATE) == state)


@slow
def test_an_address_may_write_a_number_in_other_ways(visit):
    page = visit("#gaussian_steps?rho=−0.950&step=5.0")
    assert page.locator("#gaussian_steps output").all_inner_texts() == ["−0.95", "5"]


@slow
@pytest.mark.parametrize("place", ["#two_weathers?p=oh", "#two_weathers?%=%E0%A4%A&p", "#%?p=1"])
def test_a_damaged_address_shows_the_start(visit, place):
    assert visit(place).locator("#two_weathers").evaluate(STATE) == [19]


@slow
@pytest.mark.parametrize(("theme", "width"), [("light", 1300), ("dark", 390)])
def test_figures_are_accessible_and_fit(visit, theme, width):
    page = visit(color_scheme=theme, viewport={"width": width, "height": 800}, has_touch=width == 390)
    page.locator("#two_weathers input").press("End")
    found = Axe().run(page, {"include": [["main"]]}, options={"preload": False, "resultTypes": ["violations"]}).response
    assert [(each["id"], node["html"][:200]) for each in found["violations"] for node in each["nodes"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name, panels in (("two_weathers", 2), ("place_gaussian", 3), ("narrow_gaussian", 1)):
        boxes = [svg.bounding_box() for svg in page.locator(f"#{name} svg").all()]
        assert len(boxes) == (panels if width == 390 else 1)
        assert all(a["y"] + a["height"] <= b["y"] for a, b in pairwise(boxes)), "one below the other"
    controls = page.locator("figure.live :is(button, fieldset label, input[type=range], .check):visible")
    assert all(each.bounding_box()["height"] >= (32 if width == 390 else 24) for each in controls.all())


@slow
def test_turning_a_phone_puts_plots_side_by_side_again(visit):
    page = visit(viewport={"width": 390, "height": 800})
    page.set_viewport_size({"width": 800, "height": 390})
    until(page, lambda: page.locator("#two_weathers svg").count() == 1)
    page.set_viewport_size({"width": 390, "height": 800})
    until(page, lambda: page.locator("#two_weathers svg").count() == 2)


@slow
def test_print_shows_the_start_and_a_page_without_scripts_the_still_image(visit):
    page = visit()
    svg = page.locator("#two_weathers svg")
    start = svg.locator("> g").inner_html()
    page.locator("#two_weathers input").press("End")
    moved = svg.locator("> g").inner_html()
    assert moved != start
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert svg.locator("> g").inner_html() == start and page.locator(".sliders:visible").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert svg.locator("> g").inner_html() == moved
    plain = visit(java_script_enabled=False)
    assert plain.locator("figure.live svg").count() == len(MAKERS) and plain.locator(".sliders").count() == 0
    assert all(box["height"] > 200 for box in (svg.bounding_box() for svg in plain.locator("figure.live svg").all()))
