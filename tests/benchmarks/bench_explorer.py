"""The explorer, from the event to the painted picture: in JupyterLab and from a file, beside ipywidgets' way."""

import asyncio
import math
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nbformat
import rows
from playwright.async_api import Page, async_playwright

from vaehelpers import weights
from vaehelpers.explorer import LatentExplorer

sys.path.append(str(Path(__file__).parents[1]))
from conftest import serving

PRESSES, SECONDS, LOADS = (10, 1, 2) if rows.QUICK else (40, 10, 10)
CELLS = [
    """from vaehelpers import weights
from vaehelpers.explorer import LatentExplorer
model, card = weights.load_pretrained("hands")
LatentExplorer(model, card)""",
    """import io, ipywidgets, numpy as np, PIL.Image
from vaehelpers import latents
z, picture = np.zeros(model.latent_dim), ipywidgets.Image(format="png", width=380)
slider = ipywidgets.FloatSlider(min=-3, max=3, step=0.05)
def draw(change=None):
    z[6] = slider.value
    pixels, buffer = latents.decode(model, z[None])[0, 0], io.BytesIO()
    PIL.Image.fromarray(np.uint8(255 * pixels + 0.5)).save(buffer, "png")
    picture.value = buffer.getvalue()
slider.observe(draw, "value")
draw()
ipywidgets.HBox([picture, slider])""",
]
SLIDER = ".latent-explorer .film input"
PEER = ".widget-slider .noUi-handle"
# Watches from outside: when keys and moves came, when the large picture was painted, when frames began.
WATCH = """
const { port1, port2 } = new MessageChannel(), afterFrame = (report) => requestAnimationFrame(() => {
  port1.onmessage = () => report(performance.now());
  port2.postMessage(null);
});
const watch = window.watch = { first: null, moves: [], draws: [], frames: [] };
let pressed = null, answer = null, newest = 0, moved = 0;
watch.latency = () => new Promise((resolve) => { answer = resolve; });
function painted() {
  if (!pressed) return;
  const began = pressed;
  pressed = null;
  afterFrame((now) => answer(now - began));
}
const { putImageData } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.putImageData = function (...values) {
  putImageData.apply(this, values);
  if (!this.canvas.matches(".screen")) return;
  if (watch.first === null) afterFrame((now) => { watch.first = now; });
  watch.draws.push([performance.now(), newest]);
  painted();
};
document.addEventListener("load", ({ target }) => target.matches?.("img") && painted(), true);
addEventListener("keydown", ({ timeStamp }) => { pressed = timeStamp; }, true);
addEventListener("pointermove", ({ timeStamp }) => { moved = timeStamp; }, true);
addEventListener("input", () => watch.moves.push(newest = moved), true);
watch.count = () => requestAnimationFrame(function frame(began) {
  watch.frames.push([began, performance.now()]);
  requestAnimationFrame(frame);
});
"""
RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await window.jupyterapp.commands.execute('notebook:run-all-cells');
}"""


async def press(page: Page, slider: str, times: int) -> list[float]:
    """Milliseconds from a key press to the frame that shows its picture."""
    await page.bring_to_front()
    await page.focus(slider)
    latencies = []
    for i in range(times):
        waiting = asyncio.ensure_future(page.evaluate("() => watch.latency()"))
        await asyncio.sleep(random.uniform(0.03, 0.06))  # no frame is favoured
        await page.keyboard.press(("ArrowRight", "ArrowLeft")[i % 2])
        latencies.append(await asyncio.wait_for(waiting, 10))
    return latencies


async def drag(page: Page) -> tuple[float, int, int]:
    """Pictures a second in a drag with 120 moves a second, stale frames, and all frames.

    A frame is stale when a move that came before the frame before it is not in its picture.
    """
    await page.bring_to_front()
    slider = page.locator(SLIDER).first
    await slider.scroll_into_view_if_needed()
    box = await slider.bounding_box()
    cdp, y = await page.context.new_cdp_session(page), box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] / 2, y)
    await page.mouse.down()
    await page.evaluate("() => { Object.assign(watch, { moves: [], draws: [], frames: [] }); watch.count(); }")
    began, sent = time.perf_counter(), []
    while (now := time.perf_counter() - began) < SECONDS:
        x = box["x"] + box["width"] * (0.5 + 0.4 * math.sin(math.tau * now / 2.5))
        move = {"type": "mouseMoved", "x": x, "y": y, "button": "left", "buttons": 1}
        sent.append(asyncio.ensure_future(cdp.send("Input.dispatchMouseEvent", move)))
        await asyncio.sleep(max(0, began + len(sent) / 120 - time.perf_counter()))
    await asyncio.gather(*sent)
    await page.mouse.up()
    moves, draws, frames = await page.evaluate("() => [watch.moves, watch.draws, watch.frames]")
    stale = 0
    for (before, _), (_, seen) in zip(frames, frames[1:], strict=False):
        due = max((move for move in moves if move <= before), default=0)
        stale += max((move for at, move in draws if at <= seen), default=0) < due
    return len(draws) / SECONDS, stale, len(frames)


async def first_picture(browser, path: Path) -> list[float]:
    """Milliseconds from the start of the navigation to the first picture, for each of some loads."""
    times = []
    for _ in range(LOADS):
        page = await browser.new_page(viewport={"width": 1280, "height": 720})
        await page.add_init_script(WATCH)
        await page.goto(path.as_uri())
        await page.wait_for_function("() => watch.first")
        times.append(await page.evaluate("() => watch.first"))
        await page.close()
    return times


async def open_page(browser, url: str) -> Page:
    page = await browser.new_page(viewport={"width": 1500, "height": 1000})
    await page.add_init_script(WATCH)
    await page.goto(url)
    return page


async def measure(lab: str, path: Path) -> None:
    async with async_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        chromium = next((found for name in names if (found := shutil.which(name))), None)
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        firsts = await first_picture(browser, path)
        alone, page = await open_page(browser, path.as_uri()), await open_page(browser, lab)
        await page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext", timeout=60_000)
        await page.evaluate(RUN_ALL)
        for slider in (SLIDER, PEER):
            await page.wait_for_selector(slider)
        ways = {
            "the explorer in JupyterLab": (page, SLIDER),
            "the explorer from a file": (alone, SLIDER),
            "ipywidgets in JupyterLab": (page, PEER),
        }
        times: dict[str, list[list[float]]] = {name: [] for name in ways}
        for turn in range(rows.ROUNDS + 1):
            for name, way in ways.items():
                taken = await press(*way, PRESSES if turn else 10)
                times[name] += [taken] if turn else []  # the first round warms up
        table = against_peer(times)
        for row, (where, _) in zip(table, ways.values(), strict=False):
            rate, stale, frames = await drag(where)
            row["beside"] += f"; a drag draws {rate:.0f} pictures/s, {stale} of {frames} frames stale"
        table[-1]["beside"] += f"; first picture after {statistics.median(firsts):.0f} ms (at most {max(firsts):.0f})"
        rows.keep("explorer", "peers", table)
        await browser.close()


def against_peer(times: dict[str, list[list[float]]]) -> list[dict[str, Any]]:
    """Return a row for the explorer in each place, from the medians of the rounds."""
    peer, table = times.pop("ipywidgets in JupyterLab"), []
    for name, rounds in times.items():
        together = [ms for one in rounds for ms in one]
        pairs = [(statistics.median(a) / 1000, statistics.median(b) / 1000) for a, b in zip(rounds, peer, strict=True)]
        beside = f"95th percentile {statistics.quantiles(together, n=20)[-1]:.1f} ms of {len(together)} key presses"
        work = f"a key press to the painted picture, {name}"
        table.append(rows.against(work, "ipywidgets in JupyterLab", pairs, beside=beside))
    return table


def main() -> None:
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
            asyncio.run(measure(f"{address}/lab/tree/explorer.ipynb?reset", folder / "explorer.html"))


if __name__ == "__main__":
    main()
