"""The lessons in the real JupyterLab in a real browser: all cells run, with exercises open and solved; sliders move."""

import json
import os
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest
from test_notebooks import NOTEBOOKS, check_outputs, open_and_solved, read

SLIDERS = ".jp-OutputArea-output .widget-slider .noUi-handle"
EXPLORERS = ".jp-OutputArea-output .latent-explorer"
#: The pictures that stand in for figures and explorers where these cannot live.
STILLS = ".jp-OutputArea-child:has(.live-figure, .latent-explorer) + .jp-OutputArea-child"
HANDLES = f"{SLIDERS}, {EXPLORERS} .film input"
LABEL = """h => h.ariaLabel ?? h.labels?.[0].textContent
  ?? h.closest('.widget-slider').querySelector('.widget-label')?.textContent"""
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
# What a slider puts off (a drawing, by a hundredth of a second) is done before the loop that was asked to put it off
# wakes: widgets are heard in a thread of their own. Printed is what the figures in the kernel then are (SHA-256).
IN_KERNEL = """import asyncio, hashlib, ipywidgets, threading
for thread in threading.enumerate():
    if loop := getattr(thread, "io_loop", None):
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.02), loop.asyncio_loop))
await asyncio.sleep(0.02)
print({hashlib.sha256(w.value).hexdigest() for w in ipywidgets.widgets.widget._instances.values()
       if isinstance(w, ipywidgets.Image)} | {''})"""
# Until nothing changes any more in what the page has sent for its widgets and the kernel has not answered: the kernel
# answers in turn, and the page keeps the last event of a slider until then. (Answers may be lost; a kernel may die.)
DEALT_WITH = """async (code) => {
  const kernel = %s, messages = () => [...kernel._futures.values()].map(({ msg }) => msg.header);
  const sent = () => messages().filter((one) => one.msg_type === 'comm_msg').map((one) => one.msg_id).join();
  let text, before;
  do {
    before = sent();
    const future = kernel.requestExecute({ code, store_history: false });
    text = "";
    future.onIOPub = ({ header, content }) => { text += header.msg_type === "stream" ? content.text : ""; };
    await future.done;
  } while (sent() !== before);
  return text;
}""".replace("%s", KERNEL)
# Whether each figure of a handle's output shows one of these.
SHOWN = """async (handle, known) => {
  const images = [...handle.closest('.jp-OutputArea-output').querySelectorAll('img')];
  const hash = async ({ src }) => {
    const bytes = await fetch(src).then((answer) => answer.arrayBuffer(), () => new ArrayBuffer()); // replaced just now
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  return (await Promise.all(images.map(hash))).every((found) => known.includes(found));
}"""
PICTURES = """async handle => {
  const pixels = async image => {
    if (!image.src.startsWith('blob:')) return image.src;
    // the address of a blob is new at every drawing, so look at what it shows
    await image.decode().catch(() => {});
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
    if (canvas.width) canvas.getContext('2d').drawImage(image, 0, 0);
    return canvas.toDataURL();
  };
  const output = handle.closest('.jp-OutputArea-output');
  const drawn = [...output.querySelectorAll('.screen')].map(canvas => canvas.toDataURL());
  return [...await Promise.all([...output.querySelectorAll('img')].map(pixels)), ...drawn].join();
}"""
RUN_ALL = """async () => {
  const panel = window.jupyterapp.shell.currentWidget;
  await panel.context.ready;
  await panel.sessionContext.ready;
  await window.jupyterapp.commands.execute('notebook:run-all-cells');
  const cells = panel.content.model.cells, out = [];
  for (let i = 0; i < cells.length; i++) {
    const cell = cells.get(i);
    if (cell.type === 'code') out.push([cell.executionCount, JSON.stringify(cell.outputs.toJSON())]);
  }
  return out;
}"""


class Watch:
    """What the browser complained about, and whom it asked beyond this machine."""

    def __init__(self, page):
        self.errors, self.remote = [], []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self._look(request.url))

    def _look(self, url):
        place = urlparse(url)
        if place.scheme in ("http", "https", "ws", "wss") and place.hostname != "127.0.0.1":
            self.remote.append(url)


@pytest.fixture(
    scope="module",
    params=[pytest.param(path, marks=[pytest.mark.slow] * (path.stem[:2] not in ("00", "01"))) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def lesson(request, lab, browser):
    """A lesson, open in JupyterLab with all its cells run: each exercise as it comes, and below it solved."""
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    watch = Watch(page)
    notebook = read(request.param)
    both = open_and_solved(notebook)
    page.exercises = len(both.cells) - len(notebook.cells)
    upload(lab, request.param.name, both)
    open_notebook(page, lab, request.param.stem)
    cells = [(count, json.loads(outputs)) for count, outputs in page.evaluate(RUN_ALL)]
    page.wait_for_selector(HANDLES, state="attached", timeout=60_000)
    yield page, watch, cells
    screenshot(page, f"{request.param.stem}-end")
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }")
    page.close()


def upload(lab, name, notebook):
    address, token = lab
    request = urllib.request.Request(f"{address}/api/contents/{name}?token={token}", method="PUT")
    request.add_header("Content-Type", "application/json")
    data = json.dumps({"type": "notebook", "content": notebook}).encode()
    urllib.request.urlopen(request, data).close()


def open_notebook(page, lab, stem):
    address, token = lab
    page.goto(f"{address}/lab/tree/{stem}.ipynb?token={token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session", timeout=60_000)


def screenshot(page, name):
    """Keep what the page looks like, where the folder for it is named."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def pictures(handle):
    return handle.evaluate(PICTURES)


def press(page, handle, *keys):
    handle.focus()
    for key in keys:
        page.keyboard.press(key)


def click_middle(handle):
    """Click the middle of the track, which sends the handle there."""
    handle.evaluate_handle("h => h.closest('.noUi-base, .film')").as_element().click()


def settle(page, handle, *, unlike=None):
    """Wait until the pictures are what was last asked for, and differ from ``unlike``; return them."""
    if handle.evaluate("handle => !handle.closest('.latent-explorer')"):  # which needs no kernel
        until(page, lambda: handle.evaluate(SHOWN, dealt_with(page)))
    until(page, lambda: pictures(handle) != unlike)
    return pictures(handle)


def dealt_with(page):
    """Wait until the kernel has done all that the page asked for; return what its figures are."""
    return page.evaluate(DEALT_WITH, IN_KERNEL)


def until(page, holds):
    """Wait for a state: the limit is one at which nobody would wait any longer."""
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, "it never came"
        page.wait_for_timeout(20)


def press_everything(page, explorer):
    """Open each tool, and press whatever can be pressed in it and around it."""
    for tool in explorer.query_selector_all(".toolbar button"):
        tool.click()
        press_buttons(page, explorer.query_selector_all(".tool button"))
        for handle in explorer.query_selector_all(".tool input[type=range]"):
            before = pictures(handle)
            press(page, handle, "Home", "End")
            assert pictures(handle) != before, f"{handle.evaluate(LABEL)} moves nothing"
        for select in explorer.query_selector_all(".tool select"):
            select.select_option(index=2)
        for canvas in explorer.query_selector_all(".tool canvas"):
            canvas.click()
    press_buttons(page, explorer.query_selector_all(".arithmetic button:not(:disabled)"))  # kept codes open the others
    press_buttons(page, explorer.query_selector_all(".main button"))


def press_buttons(page, buttons):
    for button in buttons:
        if button.is_visible():
            button.click()


def test_all_cells_run_with_the_exercises_open_and_then_solved(lesson):
    page, _, cells = lesson
    assert all(count for count, _ in cells), "a cell was not run"
    check_outputs([output for _, outputs in cells for output in outputs], page.exercises)


def test_every_slider_moves_a_picture_and_nothing_goes_wrong(lesson):
    page, watch, _ = lesson
    for summary in page.query_selector_all(
        ".jp-OutputArea-output .lm-Accordion-title, .jp-OutputArea-output .jupyter-widget-Collapse-header"
    ):
        summary.click()
    handles = page.query_selector_all(SLIDERS)
    for explorer in page.query_selector_all(EXPLORERS):  # test_explorer_page moves the others
        handles += [handle for handle in explorer.query_selector_all(".film input")[:3] if handle.is_visible()]
    assert handles
    for handle in handles:
        label = handle.evaluate(LABEL)
        seen = [None]
        for place in ("Home", "middle", "End"):
            click_middle(handle) if place == "middle" else press(page, handle, place)
            seen.append(settle(page, handle, unlike=seen[-1]))
        assert len(set(seen[1:])) == 3, f"{label} does not move the picture"
        click_middle(handle)
    press_buttons(page, page.query_selector_all(".jp-OutputArea-output button.jupyter-button"))
    for explorer in page.query_selector_all(EXPLORERS)[:2]:
        press_everything(page, explorer)
    dealt_with(page)
    assert not page.query_selector_all(".jp-OutputArea-output .jp-RenderedText[data-mime-type*=stderr]")
    assert not any(still.is_visible() for still in page.query_selector_all(STILLS))
    assert watch.errors == []
    assert watch.remote == []


def test_a_burst_of_slider_events_ends_at_the_last_value(lesson):
    page, _, _ = lesson
    handle = page.query_selector(HANDLES)
    press(page, handle, "Home")
    first = settle(page, handle)
    press(page, handle, *["ArrowRight"] * 120)  # more steps than any first slider has
    burst = settle(page, handle, unlike=first)
    press(page, handle, "Home")
    assert settle(page, handle, unlike=burst) == first
    press(page, handle, "End")
    assert settle(page, handle, unlike=first) == burst != first
