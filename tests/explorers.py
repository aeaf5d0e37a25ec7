"""Helpers for tests of the explorer: with shipped and untrained models, in Python and in a page by `save_html`."""

import base64
import contextlib
import functools
import io
import re
import time

import nbformat
import numpy as np
import torch
from PIL import Image
from test_browser import until, watched

from vaehelpers import datasets, latents, weights
from vaehelpers.explorer import LatentExplorer, typical_code
from vaehelpers.model import VAE

SHIPPED = sorted(path.stem for path in weights.PRETRAINED.glob("*.safetensors"))
HOSTILE = "</script><img src=x onerror=\"window.broken = 1\"><!-- 'Hände' & <b>„Füße“</b> -->"
ROUNDED = 0.5 / 255 + 2e-5  # a canvas holds bytes; the rest is float32 against double
CODE = """() => [...document.querySelectorAll(".row")].map((row) => {
  const [range, number] = row.querySelectorAll("input");
  return [Number(/z(\\d+)/.exec(range.ariaLabel)[1]), Number(number.value), Number(range.value)];
})"""
# Return the visible elements that extend beyond the window to the left or right.
BEYOND = """() => [...document.querySelectorAll("body *")].filter((each) => {
  const { left, right, width } = each.getBoundingClientRect();
  return width && each.checkVisibility() && (left < 0 || right > document.documentElement.clientWidth);
}).map((each) => each.outerHTML.slice(0, 80))"""
# Run code in the kernel of the open notebook; return its printed output and the names of its errors.
EXECUTE = """async (code) => {
  const future = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({ code });
  let text = window.printed = "";
  future.onIOPub = ({ header, content }) => {
    text += { stream: content.text, error: content.ename }[header.msg_type] ?? "";
    window.printed = text;
  };
  await future.done;
  return text;
}"""

# Pages and tests exchange numbers as base64, since a list of a million numbers takes seconds.
EXCHANGE = """window.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.floats = (text) => new Float32Array(bytes(text).buffer);
window.text = (numbers) => {
  const all = new Uint8Array(Float32Array.from(numbers).buffer);
  let binary = "";
  for (let i = 0; i < all.length; i += 4096) binary += String.fromCharCode(...all.subarray(i, i + 4096));
  return btoa(binary);
};
window.message = (run) => { try { run(); return null; } catch (error) { return error.message; } };"""

# Drop files, given by their names and contents, on an element; return whether the browser would open them itself.
DROP = """(target, files) => {
  const dataTransfer = new DataTransfer(), bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  for (const [name, text] of files) dataTransfer.items.add(new File([bytes(text)], name));
  const options = { bubbles: true, cancelable: true, dataTransfer };
  return ["dragover", "drop"].map((type) => target.dispatchEvent(new DragEvent(type, options)));
}"""


def drop(page, selector, *paths):
    """Drop files on an element, as from a file manager; the browser must not leave the page for them."""
    files = [[path.name, as_text(path.read_bytes())] for path in paths]
    assert page.eval_on_selector(selector, DROP, files) == [False, False]


def pixels_of(page, selector):
    """Return the pixels (height, width, 3) of a canvas, in [0, 1]."""
    url = page.eval_on_selector(selector, "(canvas) => canvas.toDataURL()")
    png = Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))
    return np.asarray(png.convert("RGB")) / 255


def as_text(data):
    """Return bytes, or numbers in single precision, for a page."""
    return base64.b64encode(data if isinstance(data, bytes) else np.asarray(data, np.float32).tobytes()).decode()


def from_text(text, *shape):
    return np.frombuffer(base64.b64decode(text), np.float32).reshape(shape or -1)


class Opened:
    """A page with an explorer, and methods to read and operate it."""

    def __init__(self, page, model):
        self.page, self.model = page, model

    def image(self, selector=".image canvas.screen"):
        """Return the pixels of a canvas in the package's layout (channels, size, size)."""
        return pixels_of(self.page, selector).transpose(2, 0, 1)[: self.model.channels]

    def code(self):
        """Return the code from the number fields, with two decimals; assert that the sliders agree."""
        rows = sorted(self.page.evaluate(CODE))
        assert [i for i, _, _ in rows] == list(range(self.model.latent_dim))
        assert all(abs(number - place) < 0.02501 + 0.005 for _, number, place in rows)
        return np.array([number for _, number, _ in rows])

    def row(self, latent):
        label = re.compile(rf"\bz{latent}\b")
        return self.page.locator(".row").filter(has=self.page.get_by_role("slider", name=label, include_hidden=True))

    def slider(self, latent):
        return self.row(latent).locator("input[type=range]")

    def number(self, latent):
        return self.row(latent).locator("input[type=number]")

    def enter(self, z):
        for latent, value in enumerate(z):
            self.number(latent).evaluate(
                "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", str(value)
            )

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def open(self, tool):
        self.button(tool).click()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def assert_draws(self, z, selector=".image canvas.screen", *, rounded=False):
        """Compare the image with torch's; ``rounded`` allows for a code that is rounded to two decimals."""
        expected, allowed = latents.decode(self.model, np.asarray(z)[None])[0], ROUNDED
        if rounded:
            steps = 0.005 * np.eye(self.model.latent_dim)
            differences = latents.decode(self.model, z + steps) - latents.decode(self.model, z - steps)
            allowed = allowed + 0.6 * np.abs(differences).sum(axis=0)  # half of each, and 0.1 for curvature
        assert np.all(np.abs(self.image(selector) - expected) <= allowed)

    def eventually(self, holds, *args):
        """Call ``holds(*args)`` until it raises no AssertionError, for at most five minutes."""
        end = time.monotonic() + 300
        while time.monotonic() < end:
            with contextlib.suppress(AssertionError):
                return holds(*args)
            self.page.wait_for_timeout(25)
        return holds(*args)


@contextlib.contextmanager
def opened(browser, path, model, *, clock=False, **options):
    """Open a file."""
    with watched(browser, **options) as page:
        if clock:  # time advances only by `page.clock.run_for`
            page.clock.install(time=0)
            page.clock.pause_at(1000)
        page.goto(path.as_uri())
        page.wait_for_selector(".latent-explorer, [role=alert], noscript img")
        yield Opened(page, model)


def opener(browser, folder):
    """Return a function that opens a page of a shipped model, or of an explorer."""
    files = {}

    def open_page(of="hands", **options):
        made = shipped(of) if isinstance(of, str) else of
        if made not in files:
            files[made] = folder / f"page {len(files)}.html"  # with a space in the name
            made.save_html(files[made])
        return opened(browser, files[made], made.model, **options)

    return open_page


def assert_frame_works(page, frame):
    """Assert that a slider of an explorer in a frame of a page changes its image."""
    slider, screen = frame.locator("input[type=range]").first, frame.locator("canvas.screen").first
    slider.wait_for()
    before = screen.evaluate("canvas => canvas.toDataURL()")
    slider.press("End")
    until(page, lambda: screen.evaluate("canvas => canvas.toDataURL()") != before)


def assert_text(locator, *parts):
    """Assert that the text of an element contains these parts."""
    text = locator.text_content() or ""
    assert all(part in text for part in parts), text


def untrained(size=32, latent_dim=2, channels=1):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return VAE(size, latent_dim, channels).half().float().eval()


def held_out(model, card, n=200):
    """Return images like those that a model was trained on."""
    if model.channels == 3:
        pixels = np.random.default_rng(1).integers(256, size=(n, 3, model.size, model.size), dtype=np.uint8)
        return datasets.Images(pixels, np.empty((n, 0), np.float32), ())
    if card.get("data") == "hands":
        return datasets.hands(n, seed=2, size=model.size, vary=card["vary"], progress=False)
    digits = datasets.digits()
    return datasets.Images(digits.pixels[:n], digits.factors[:n], digits.names)


def open_shipped(name):
    model, card = weights.load_pretrained(name)
    return LatentExplorer(model, card, images=held_out(model, card), start=typical_code(model, card))


shipped = functools.cache(open_shipped)


def notebook(cells):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made
