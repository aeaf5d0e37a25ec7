"""The explorer in JupyterLab: page and kernel have the same code, even after the kernel was busy."""

import ast

import numpy as np
import pytest
from explorers import EXECUTE, notebook
from test_browser import open_notebook, press, run_all, serious_violations, until
from test_explorer_access import HIDDEN

pytestmark = pytest.mark.slow

CELLS = [
    """from vaehelpers import evaluation, training
from vaehelpers.explorer import LatentExplorer
explorer = LatentExplorer(*training.load_pretrained("digits-2d"), images=evaluation.read_images("digits"))
explorer""",
    "explorer",  # a second view of the same
    """images = evaluation.read_images("hands", n=40, test=True)
hand = LatentExplorer(*training.load_pretrained("hands"), images=images)
hand""",
]
STATE = """() => [...document.querySelectorAll('.latent-explorer')].slice(0, 2).map((view) => [
  Object.fromEntries([...view.querySelectorAll('.film input')].map((input) => [
    input.ariaLabel.match(/z(\\d+)/)[1], input.valueAsNumber,
  ])),
  view.querySelector('.screen').toDataURL(),
])"""
# Move the hand's first slider; return its values after each event and at each frame until the kernel has answered, and
# the number of different images.
BURST = """async ([events, busy]) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session, seen = [], images = new Set();
  const view = [...document.querySelectorAll('.latent-explorer')].at(-1);
  const input = view.querySelector('.film input'), screen = view.querySelector('.screen');
  const frame = () => new Promise(requestAnimationFrame);
  const { done } = kernel.requestExecute({ code: busy });
  let silent = false;
  done.then(() => kernel.requestExecute({ code: 'pass' }).done).then(() => { silent = true; });
  for (let k = 1; k <= events; k++) {
    input.value = -3 + 5.5 * k / events;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    images.add(screen.toDataURL());
    if (k % 3 === 0) await frame();
    seen.push(input.valueAsNumber);
  }
  for (let still = 0; still < 30; still += silent) {
    await frame();
    seen.push(input.valueAsNumber);
  }
  return [seen, images.size];
}"""


@pytest.fixture(scope="module")
def page(lab, browser):
    """A notebook with three explorers, open in JupyterLab with all its cells run."""
    with open_notebook(lab, browser, "explorers", notebook(CELLS)) as page:
        run_all(page)
        page.wait_for_function("() => document.querySelectorAll('.latent-explorer').length === 3")
        yield page


def evaluate(page, expression):
    """Return the value of a Python expression in the kernel."""
    return ast.literal_eval(page.evaluate(EXECUTE, f"print({expression})"))


def settled(page, *, unlike=None):
    """Wait until page and kernel have the same code, up to a slider's step; return the code and its image."""

    def agree():
        nonlocal z, image
        (sliders, image), same = page.evaluate(STATE)
        place, z = np.array([sliders[str(i)] for i in range(len(sliders))]), np.array(evaluate(page, "explorer.z"))
        return image != unlike and [sliders, image] == same and abs(place - z).max() < 0.0251

    z = image = None
    until(page, agree)
    return z, image


def first_slider(page):
    return page.query_selector(".latent-explorer .film input")


def test_a_slider_changes_the_code_in_the_kernel_and_in_the_other_view(page):
    old, before = settled(page)
    press(page, first_slider(page), "Home", "ArrowRight")
    z, image = settled(page, unlike=before)
    (latent,) = np.flatnonzero(z != old)
    assert z[latent] == -2.95
    page.locator(".latent-explorer").nth(1).locator("input[type=number]").first.fill("1.23")  # between two steps
    z, _ = settled(page, unlike=image)
    assert z[latent] == 1.23


def test_a_code_set_in_a_cell_moves_the_sliders(page):
    page.evaluate(EXECUTE, "explorer.z = [-1, 2]")
    _, image = settled(page)
    assert page.evaluate(EXECUTE, "import numpy as np; explorer.z = np.linspace(-3, 3, 2)") == ""
    z, _ = settled(page, unlike=image)
    np.testing.assert_array_equal(z, [-3, 3])


@pytest.mark.parametrize("busy", ["import time; time.sleep(2)", "pass"])
def test_a_burst_of_events_is_drawn_while_the_kernel_is_busy_and_never_undone(page, busy):
    page.evaluate(EXECUTE, "hand.z = [-3] * 25")
    page.wait_for_function(
        "() => [...document.querySelectorAll('.latent-explorer')].at(-1).querySelector('.film input').value === '-3'"
    )
    seen, images = page.evaluate(BURST, [300, busy])
    assert seen == sorted(seen) and seen[-1] == 2.5
    assert images == 111  # one for each step of the slider
    until(page, lambda: sorted(evaluate(page, "hand.z")) == [-3] * 24 + [2.5])


def test_the_image_stays_visible_beside_every_slider_in_a_narrow_notebook(page):
    before = page.viewport_size
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.set_viewport_size({"width": 560, "height": 800})
    page.wait_for_function("() => window.jupyterapp.shell.currentWidget.node.clientWidth < 560")
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.scrollToItem(2, 'start')")
    hand = page.locator(".latent-explorer:has(details)")
    hand.locator("summary").click()
    sliders = hand.locator(".film input").all()
    assert len(sliders) == 25
    for slider in sliders:
        until(page, lambda slider=slider: slider.evaluate(HIDDEN) == [])  # JupyterLab scrolls and lays out later
    hand.locator("summary").click()
    page.set_viewport_size(before)
    page.evaluate("() => window.jupyterapp.shell.currentWidget.content.scrollToItem(0, 'start')")


def test_keys_in_the_explorer_trigger_no_jupyterlab_commands(page):
    slider = first_slider(page)
    press(page, slider, "Home", "ArrowRight", "ArrowUp", "x", "b", "a", "d", "d", "m", "0", "0")
    assert slider.input_value() == "-2.9"
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.model.cells.length") == len(CELLS)
    assert slider.evaluate("slider => slider === document.activeElement")
    settled(page)


@pytest.mark.parametrize("theme", ["Dark", "Light"])
def test_explorers_are_accessible_and_take_the_colours_of_the_theme(page, theme):
    command = "theme => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(command, f"JupyterLab {theme}")
    page.wait_for_selector(f"body[data-jp-theme-name='JupyterLab {theme}']", state="attached")
    for tool in range(4):  # each explorer shows its next tool
        for view in page.query_selector_all(".latent-explorer"):
            tools = view.query_selector_all(".toolbar button")
            tools[min(tool, 2) % len(tools)].click()
        assert serious_violations(page, ".latent-explorer") == []
    colour = page.eval_on_selector(".latent-explorer", "(each) => getComputedStyle(each).color")
    assert ("255, 255, 255" in colour) == (theme == "Dark")
