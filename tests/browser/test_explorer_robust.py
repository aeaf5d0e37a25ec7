"""The explorer's page with unusual models, damaged files, without JavaScript and with random events."""

import io
import re

import numpy as np
import pytest
from explorers import assert_text, held_out, opened, shipped, untrained
from PIL import Image

from vaehelpers import latents
from vaehelpers.explorer import LatentExplorer

pytestmark = pytest.mark.slow

# Wait longer than any timer of the explorer, and then until the page is idle.
IDLE = "() => new Promise((idle) => setTimeout(() => requestIdleCallback(idle, { timeout: 10_000 }), 450))"
# Move sliders and click all buttons, which open tools and start motions, in no order.
EVENTS = """async (events) => {
  const controls = [...document.querySelectorAll("button, summary, input[type=range]")];
  for (let k = 0; k < events; k++) {
    const control = controls[Math.floor(1e4 * Math.abs(Math.sin(k))) % controls.length];
    control.click();
    control.value = 3 * Math.sin(k);
    control.dispatchEvent(new Event("input"));
    if (k % 50 === 0) await new Promise(requestAnimationFrame);
  }
}"""


@pytest.mark.parametrize(("shape", "n"), [((32, 1, 1), 1), ((32, 30, 1), 0), ((64, 2, 3), 5)])
def test_untrained_models_of_any_shape(page_of, shape, n):
    model = untrained(*shape)
    images = held_out(model, {}, n) if n else None
    z = np.linspace(-2, 2.5, model.latent_dim).round(2)
    with page_of(LatentExplorer(model, images=images, start=z)) as explorer:
        explorer.assert_draws(z)
        for tool in explorer.page.locator(".toolbar button").all_inner_texts():
            explorer.open(tool)
        assert explorer.button("Map of codes").count() == (n > 0)
        if n:
            explorer.open("Map of codes")
            explorer.page.get_by_label("image", exact=True).fill(str(n - 1))
            explorer.assert_draws(latents.encode(model, images[n - 1 :][:1])[0][0].clip(-3, 3).round(2))


DAMAGES = {
    "changed weights": lambda text: re.sub('(?<="weights": ".{400}).{20}', lambda letters: letters[0].swapcase(), text),
    "cut off": lambda text: text[: len(text) // 2],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_shows_an_error(browser, tmp_path, damage):
    path, made = tmp_path / "page.html", shipped("digits-2d")
    made.save_html(path)
    path.write_text(damage(path.read_text()))
    with opened(browser, path, made.model) as explorer:
        assert_text(explorer.page.get_by_role("alert"), "this file is damaged or was cut off")
        assert explorer.page.locator(".latent-explorer").count() == 0


def test_without_javascript_the_traversal_is_shown_and_explained(page_of):
    with page_of(java_script_enabled=False) as explorer:
        text, image = explorer.page.locator("noscript p"), explorer.page.locator("noscript img")
        assert_text(text, "need JavaScript", "allow it, and reload", "-3", "+3")
        assert text.is_visible() and "Traversal of the 25 latents of hands" in image.get_attribute("alt")
        shown = np.asarray(Image.open(io.BytesIO(image.screenshot())).convert("L"), float)
        assert min(shown.shape) > 500 and shown.std() > 40  # black hands on a white page
        assert explorer.page.locator("button, input").count() == 0


def memory(explorer, devtools):
    """Return the heap size in bytes and the numbers of nodes and listeners of the idle page."""
    explorer.button("reset").click()
    if explorer.page.locator(".tool").count():
        explorer.page.locator(".toolbar [aria-expanded=true]").click()
    seen = []
    while len(seen) < 3 or seen[-1] != seen[-3]:
        explorer.page.evaluate(IDLE)
        devtools.send("HeapProfiler.collectGarbage")
        counted = devtools.send("Memory.getDOMCounters")
        seen.append((counted["nodes"], counted["jsEventListeners"]))
    return devtools.send("Runtime.getHeapUsage")["usedSize"], *seen[-1]


def test_random_events_leave_the_right_image_and_no_more_memory(page_of):
    with page_of("sweep-beta-4") as explorer:
        devtools = explorer.page.context.new_cdp_session(explorer.page)
        explorer.page.evaluate(EVENTS, 1000)
        before = memory(explorer, devtools)
        explorer.page.evaluate(EVENTS, 4000)
        explorer.slider(12).focus()
        explorer.press("ArrowRight")  # stops a motion
        explorer.assert_draws(explorer.code(), rounded=True)
        after = memory(explorer, devtools)
        explorer.assert_draws(shipped("sweep-beta-4").z)
        assert after[0] - before[0] <= 2_000_000
        assert after[1] <= before[1] + 100  # temporary text nodes; 3,000 events more would leak thousands
        assert after[2] <= before[2]
