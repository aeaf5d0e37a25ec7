"""The time from a key press to the painted image: the explorer in JupyterLab and from a file, against ipywidgets."""

import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import rows
from playwright.sync_api import sync_playwright

from vaehelpers import weights
from vaehelpers.explorer import LatentExplorer

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
SLIDER, PEER = ".latent-explorer .film input", ".widget-slider .noUi-handle"
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


def measure(browser, lab, path):
    """Return a row for the explorer in JupyterLab and one for the explorer from a file."""
    alone, page = open_page(browser, path.as_uri()), open_page(browser, lab)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext", timeout=60_000)
    page.evaluate(RUN_ALL)
    for slider in (SLIDER, PEER):
        page.wait_for_selector(slider)
    ways = {"in JupyterLab": (page, SLIDER), "from a file": (alone, SLIDER), "ipywidgets": (page, PEER)}
    for way in ways.values():
        press(*way, 10)  # warm up
    rounds = [{name: press(*way, PRESSES) for name, way in ways.items()} for _ in range(rows.ROUNDS)]
    table = []
    for name in ("in JupyterLab", "from a file"):
        pairs = [[statistics.median(times[way]) / 1000 for way in (name, "ipywidgets")] for times in rounds]
        every = [latency for times in rounds for latency in times[name]]
        beside = f"95th percentile {statistics.quantiles(every, n=20)[-1]:.1f} ms of {len(every)} key presses"
        work = f"a key press to the painted image, the explorer {name}"
        table.append(rows.against(work, "ipywidgets in JupyterLab", pairs, beside=beside))
    return table


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "root").mkdir()
        LatentExplorer(*weights.load_pretrained("hands")).save_html(folder / "explorer.html")
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / "root" / "explorer.ipynb")
        os.environ |= {f"JUPYTER_{kind}_DIR": str(folder / kind) for kind in ("CONFIG", "DATA", "RUNTIME")}
        options = ["--no-browser", "--allow-root", "--expose-app-in-browser", "--ServerApp.ip=127.0.0.1"]
        options += [f"--ServerApp.root_dir={folder / 'root'}", "--IdentityProvider.token="]
        with serving("jupyter", "lab", *options, path="/api", log=folder / "lab.log") as address:
            with sync_playwright() as playwright:
                lab = f"{address}/lab/tree/explorer.ipynb?reset"
                rows.store("explorer", measure(rows.chromium(playwright), lab, folder / "explorer.html"))
