"""The lessons in JupyterLab in a real browser: all cells run, and all sliders work."""

import contextlib
import json
import time
import urllib.request
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from test_notebooks import NOTEBOOKS

SLIDERS = ".jp-OutputArea-output .widget-slider .noUi-handle"
EXPLORERS = ".jp-OutputArea-output .latent-explorer"
#: The static images for pages without a kernel.
STILLS = ".jp-OutputArea-child:has(.live-figure, .latent-explorer, .play) + .jp-OutputArea-child"
HANDLES = f"{SLIDERS}, {EXPLORERS} .film input"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"
# Wait for the redraws that sliders have scheduled (widgets have an event loop in a separate thread), and print the
# SHA-256 of each figure.
IN_KERNEL = """import asyncio, hashlib, ipywidgets, threading
for thread in threading.enumerate():
    if loop := getattr(thread, "io_loop", None):
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(asyncio.sleep(0.02), loop.asyncio_loop))
await asyncio.sleep(0.02)
print({hashlib.sha256(w.value).hexdigest() for w in ipywidgets.widgets.widget._instances.values()
       if isinstance(w, ipywidgets.Image)} | {''})"""
# Run code in the kernel until the page sends no widget message meanwhile: a page holds back the last event of
# a slider until the kernel has answered the previous one. (Answers may be lost, and a kernel may die.)
WAIT_FOR_KERNEL = """async (code) => {
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
# Return the images in a slider's output: the SHA-256 of each figure, and the pixels of each explorer.
IMAGES = """async (handle) => {
  const output = handle.closest('.jp-OutputArea-output');
  const hash = async ({ src }) => {
    const bytes = await fetch(src).then((answer) => answer.arrayBuffer(), () => new ArrayBuffer()); // just replaced
    const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const figures = await Promise.all([...output.querySelectorAll('img')].map(hash));
  return [...figures, ...[...output.querySelectorAll('.screen')].map((canvas) => canvas.toDataURL())];
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
    """Collects the errors of a page, and the addresses on other machines that it requests."""

    def __init__(self, page):
        self.errors, self.remote = [], []
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.remote.append(request.url) if is_remote(request.url) else None)


@contextlib.contextmanager
def watched(browser, **options):
    """Open a page that cannot reach a network; assert at the end that it logged no error and requested nothing."""
    context = browser.new_context(offline=True, **options)
    page = context.new_page()
    watch = Watch(page)
    yield page
    context.close()
    assert watch.errors == watch.remote == []


def serious_violations(page, context=None):
    """Return the violations of the two highest impacts that axe-core finds."""
    found = Axe().run(page, context, options={"preload": False, "resultTypes": ["violations"]}).response
    assert found["passes"]
    grave = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    return [(each["id"], node["html"][:200], node["failureSummary"]) for each in grave for node in each["nodes"]]


def is_remote(url):
    place = urlparse(url)
    return place.scheme in ("http", "https", "ws", "wss") and place.hostname != "127.0.0.1"


@pytest.fixture(
    scope="module",
    params=[pytest.param(path, marks=[pytest.mark.slow] * (path.stem[:2] not in ("00", "01"))) for path in NOTEBOOKS],
    ids=lambda path: path.stem,
)
def page(request, lab, browser):
    """A lesson, open in JupyterLab with all its cells run."""
    with open_notebook(lab, browser, request.param.stem) as page:
        run_all(page)
        page.wait_for_selector(HANDLES, state="attached", timeout=60_000)
        yield page


@contextlib.contextmanager
def open_notebook(lab, browser, name, content=None):
    """Open a notebook in JupyterLab, after uploading its content if there is any; assert that no error is logged."""
    address, token = lab
    if content:
        url = f"{address}/api/contents/{name}.ipynb?token={token}"
        data = json.dumps({"type": "notebook", "content": content}).encode()
        headers = {"Content-Type": "application/json"}
        urllib.request.urlopen(urllib.request.Request(url, data, headers, method="PUT")).close()
    page = browser.new_page(viewport={"width": 1500, "height": 1000})
    watch = Watch(page)
    page.goto(f"{address}/lab/tree/{name}.ipynb?token={token}&reset")
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_function("() => window.jupyterapp?.shell?.currentWidget?.sessionContext?.session", timeout=60_000)
    yield page
    page.evaluate("async () => { await window.jupyterapp.shell.currentWidget.sessionContext.shutdown() }")
    page.close()
    assert watch.errors == watch.remote == []


def run_all(page):
    """Run all cells of the open notebook; assert that none fails or warns."""
    for count, outputs in page.evaluate(RUN_ALL):
        assert count, "a cell was not run"
        assert '"output_type":"error"' not in outputs and '"name":"stderr"' not in outputs, outputs


def images(handle):
    """Return the images in a slider's output."""
    return tuple(handle.evaluate(IMAGES))


def press(page, handle, *keys):
    handle.focus()
    for key in keys:
        page.keyboard.press(key)


def click_middle(handle):
    """Click the middle of the track, which moves the handle there."""
    handle.evaluate_handle("h => h.closest('.noUi-base, .film')").as_element().click()


def settle(page, handle, *, unlike=None):
    """Wait until the images show the last event and differ from ``unlike``; return them."""
    if handle.evaluate("handle => !handle.closest('.latent-explorer')"):  # which needs no kernel
        until(page, lambda: (drawn := wait_for_kernel(page)) and all(image in drawn for image in images(handle)))
    until(page, lambda: images(handle) != unlike)
    return images(handle)


def wait_for_kernel(page):
    """Wait until the kernel has handled all messages of the page; return the hashes of its figures."""
    return page.evaluate(WAIT_FOR_KERNEL, IN_KERNEL)


def until(page, holds):
    """Wait until ``holds()`` is true, for at most five minutes."""
    end = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(20)


def test_every_slider_changes_its_image_without_errors(page):
    for summary in page.query_selector_all(
        ".jp-OutputArea-output .lm-Accordion-title, .jp-OutputArea-output .jupyter-widget-Collapse-header"
    ):
        summary.click()
    handles = page.query_selector_all(SLIDERS)
    for explorer in page.query_selector_all(EXPLORERS):  # test_explorer_page moves the others
        handles += [handle for handle in explorer.query_selector_all(".film input")[:3] if handle.is_visible()]
    assert handles
    for handle in handles:
        seen = [None]
        for place in ("Home", "middle", "End"):
            click_middle(handle) if place == "middle" else press(page, handle, place)
            seen.append(settle(page, handle, unlike=seen[-1]))
        assert len(set(seen[1:])) == 3, handle.evaluate("handle => handle.outerHTML")
        click_middle(handle)
    for button in page.query_selector_all(".jp-OutputArea-output button.jupyter-button"):
        if button.is_visible():
            button.click()
    wait_for_kernel(page)
    assert not page.query_selector_all(".jp-OutputArea-output .jp-RenderedText[data-mime-type*=stderr]")
    assert not any(still.is_visible() for still in page.query_selector_all(STILLS))


def test_a_burst_of_slider_events_ends_at_the_last_value(page):
    handle = page.query_selector(HANDLES)
    press(page, handle, "Home")
    first = settle(page, handle)
    press(page, handle, *["ArrowRight"] * 120)  # more steps than any first slider has
    burst = settle(page, handle, unlike=first)
    press(page, handle, "Home")
    assert settle(page, handle, unlike=burst) == first
    press(page, handle, "End")
    assert settle(page, handle, unlike=first) == burst != first
