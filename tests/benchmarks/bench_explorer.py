"""The time from a key press to the painted image: the explorer in JupyterLab and from a file, a figure from a file.

The peer is a slider of ipywidgets in JupyterLab.
"""

import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import rows
from playwright.sync_api import sync_playwright

from vaehelpers import plots, weights
from vaehelpers.explorer import LatentExplorer
from vaehelpers.lessons import lesson01, lesson03
from vaehelpers.lessons.frames import live_html
from vaehelpers.lessons.page import to_html

sys.path.append(str(Path(__file__).parents[1]))
from conftest import serving

PRESSES = 10 if rows.QUICK else 40
CELLS = [
    """from vaehelpers import weights
from vaehelpers.explorer import LatentExplorer
model, card = weights.load_pretrained("hands")
LatentExplorer(model, card)""",
    """import io, ipywidgets, numpy as np, PIL.Image
from vaehelpers import latents
z, image = np.zeros(model.latent_dim), ipywidgets.Image(format="png", width=380)
slider = ipywidgets.FloatSlider(min=-3, max=3, step=0.05)
def draw(change=None):
    z[6] = slider.value
    pixels, buffer = latents.decode(model, z[None])[0, 0], io.BytesIO()
    PIL.Image.fromarray(np.uint8(255 * pixels + 0.5)).save(buffer, "png")
    image.value = buffer.getvalue()
slider.observe(draw, "value")
draw()
ipywidgets.HBox([image, slider])""",
]
SLIDER, FIGURE, PEER = ".latent-explorer .film input", "figure.live input", ".widget-slider .noUi-handle"
#: Stores the milliseconds from each key press to the end of the frame that shows its image.
WATCH = """
const { port1, port2 } = new MessageChannel();
window.latencies = [];
let pressed = null;
function painted() {
  if (!pressed) return;
  const began = pressed;
  pressed = null;
  requestAnimationFrame(() => {
    port1.onmessage = () => latencies.push(performance.now() - began);
    port2.postMessage(null);
  });
}
const { putImageData } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.putImageData = function (...values) {
  putImageData.apply(this, values);
  if (this.canvas.matches(".screen")) painted();
};
new MutationObserver((changes) => {
  if (changes.some(({ target }) => target.closest?.("figure.live svg"))) painted();
}).observe(document, { childList: true, subtree: true });
document.addEventListener("load", ({ target }) => target.matches?.("img") && painted(), true);
addEventListener("keydown", ({ timeStamp }) => { pressed = timeStamp; }, true);
"""
RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""


def press(page, slider, times):
    """Return the latencies of some key presses, in milliseconds."""
    page.bring_to_front()
    page.focus(slider)
    page.evaluate("() => { latencies.length = 0; }")
    for i in range(times):
        time.sleep(random.uniform(0.03, 0.06))  # at all phases of the screen's frames
        page.keyboard.press(("ArrowRight", "ArrowLeft")[i % 2])
        page.wait_for_function("n => latencies.length > n", arg=i, polling=10)
    return page.evaluate("() => latencies")


def open_page(browser, url):
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    page.add_init_script(WATCH)
    page.goto(url)
    return page


def page_of_figure():
    """Return a page with an interactive figure, which were drawn in advance."""
    with plt.style.context(plots.STYLE):
        html = live_html((lesson01.two_weathers if rows.QUICK else lesson03.gaussian_steps)(), "figure")
    output = nbformat.v4.new_output("display_data", {"text/html": html})
    return to_html(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=[output])]), Path())


def measure(browser, lab, folder):
    """Return a row for the explorer in JupyterLab, for the explorer from a file and for a figure from a file."""
    alone, figure = (open_page(browser, (folder / f"{name}.html").as_uri()) for name in ("explorer", "figure"))
    figure.wait_for_selector("[data-live=ready]", state="attached")
    page = open_page(browser, lab)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext", timeout=60_000)
    page.evaluate(RUN_ALL)
    for slider in (SLIDER, PEER):
        page.wait_for_selector(slider)
    ways = {
        "the explorer in JupyterLab": (page, SLIDER),
        "the explorer from a file": (alone, SLIDER),
        "an interactive figure from a file": (figure, FIGURE),
        "ipywidgets": (page, PEER),
    }
    for way in ways.values():
        press(*way, 10)  # warm up
    rounds = [{name: press(*way, PRESSES) for name, way in ways.items()} for _ in range(rows.ROUNDS)]
    table = []
    for name in [*ways][:-1]:
        pairs = [[statistics.median(times[way]) / 1000 for way in (name, "ipywidgets")] for times in rounds]
        every = [latency for times in rounds for latency in times[name]]
        beside = f"95th percentile {statistics.quantiles(every, n=20)[-1]:.1f} ms of {len(every)} key presses"
        work = f"a key press to the painted image, {name}"
        table.append(rows.against(work, "ipywidgets in JupyterLab", pairs, beside=beside))
    return table


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "root").mkdir()
        LatentExplorer(*weights.load_pretrained("hands")).save_html(folder / "explorer.html")
        (folder / "figure.html").write_text(page_of_figure(), encoding="utf-8")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / "root" / "explorer.ipynb")
        os.environ |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        options = ["--no-browser", "--allow-root", "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1"]
        options += [f"--ServerApp.root_dir={folder / 'root'}", "--IdentityProvider.token="]
        with serving("jupyter", "lab", *options, path="/api", log=folder / "lab.log") as address:
            with sync_playwright() as playwright:
                lab = f"{address}/lab/tree/explorer.ipynb?reset"
                rows.store("explorer", measure(rows.chromium(playwright), lab, folder))
