"""A kernel is interrupted, killed and restarted in JupyterLab, while an explorer and a figure are open."""

import pytest
from explorers import EXECUTE, notebook
from test_browser import EXPLORERS, KERNEL, SLIDERS, images, open_notebook, press, run_all, settle, wait_for_kernel

pytestmark = pytest.mark.slow

CELLS = [
    "from vaehelpers import datasets, training\nfrom vaehelpers.lessons import lesson01\n"
    "from vaehelpers.explorer import LatentExplorer\n"
    "explorer = LatentExplorer(*training.load_pretrained('digits-2d'))\nexplorer",
    "lesson01.two_weathers()",
]
TRAIN = """def report(model, history): print("begun", flush=True)
model, history = training.train(datasets.digits(), beta=1.0, latent_dim=2, minutes=5, progress=False, callback=report)
print(len(history.seen) == len(history.elbo) > 0, not model.training)"""
KILL = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def moved(page):
    """Run all cells; return the new first sliders of the explorer and of the figure, after each has worked."""
    page.evaluate("() => document.querySelectorAll('.latent-explorer, .noUi-handle').forEach((old) => old.remove())")
    run_all(page)
    handles = [page.wait_for_selector(place) for place in (f"{EXPLORERS} .film input", SLIDERS)]
    for handle in handles:
        before = settle(page, handle)
        press(page, handle, "Home")
        settle(page, handle, unlike=before)
    return handles


@pytest.fixture
def page(lab, browser):
    with open_notebook(lab, browser, "kernel", notebook(CELLS)) as page:
        page.set_viewport_size({"width": 1500, "height": 1400})
        yield page


def test_widgets_outlive_an_interrupted_training_and_a_killed_kernel(page):
    explorer, figure = moved(page)
    page.evaluate(f"(code) => {{ window.answer = ({EXECUTE})(code) }}", TRAIN)
    page.wait_for_function("() => window.printed.includes('begun')")
    page.evaluate(f"async () => {{ await {KERNEL}.interrupt() }}")
    printed = page.evaluate("async () => await window.answer")
    assert "stopped after" in printed and printed.endswith("True True\n")
    drawn = [settle(page, handle) for handle in (explorer, figure)]
    press(page, figure, "End")
    drawn[1] = settle(page, figure, unlike=drawn[1])
    page.evaluate(f"(code) => {{ {KERNEL}.requestExecute({{ code }}) }}", KILL)
    page.locator(".jp-Dialog", has_text="appears to have died").locator(".jp-mod-accept").click()
    press(page, explorer, "End")
    assert settle(page, explorer, unlike=drawn[0]) != drawn[0], "the explorer needs no kernel"
    press(page, figure, "Home")
    page.wait_for_function(f"() => {KERNEL}.status === 'idle'")
    wait_for_kernel(page)
    assert images(figure) == drawn[1], "the figure stays"
    moved(page)
    assert page.evaluate(EXECUTE, "print(min(explorer.z))") == "-3.0\n"
