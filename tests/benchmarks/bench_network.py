"""The browser against torch on one thread, for the true hand against NumPy: one picture at a time, in alternation."""

import shutil
import statistics
from base64 import b64encode
from pathlib import Path
from typing import Any

import numpy as np
import rows
from playwright.sync_api import Page, sync_playwright

from vaehelpers import hands, latents, weights

MODEL, CALLS = "hands", 10 if rows.QUICK else 50
SOURCES = [Path(weights.__file__).with_name("web") / name for name in ("network.js", "hands.js")]
PEERS = {"decode": "torch", "encode": "torch", "draw": "NumPy"}
PAGE = """<script type="module">
%s
const model = parse(Uint8Array.from(atob("%s"), (byte) => byte.charCodeAt(0))), picture = new Float32Array(%s);
const code = (i) => Float32Array.from({ length: model.latentDim }, (_, j) => 2 * Math.sin(i * (j + 1)));
const out = new Float32Array(picture.length), factors = new Float32Array(%s);
const ways = {
  decode: (z) => decode(model, z, out),
  encode: () => encode(model, picture),
  draw: () => { for (let i = 0; i < 10; i++) render(factors, 64); }, // the clock ticks every 0.1 ms
};
window.measure = (way, calls) => Array.from({ length: calls }, (_, i) => {
  const z = code(i), began = performance.now();
  ways[way](z);
  return (performance.now() - began) / (way === "draw" ? 10 : 1);
});
</script>"""


def compare(page: Page) -> list[dict[str, Any]]:
    """Return a row for each way, from the medians of both in each round, and what it says of the slowest."""
    model, _ = weights.load_pretrained(MODEL)
    factors = hands.neutral()[None]
    picture, z = hands.render(factors), np.random.default_rng(0).standard_normal((1, model.latent_dim))
    peers = {
        "decode": lambda: latents.decode(model, z),
        "encode": lambda: latents.encode(model, picture),
        "draw": lambda: hands.render(factors),
    }
    table = []
    for way, peer in peers.items():
        page.evaluate("(way) => measure(way, 100)", way), [peer() for _ in range(20)]  # warm up
        all_times: list[float] = []

        def ours() -> float:
            times = page.evaluate("([way, calls]) => measure(way, calls)", [way, CALLS])  # noqa: B023
            all_times.extend(times)  # noqa: B023
            return statistics.median(times) / 1000

        def theirs() -> float:
            return statistics.median(rows.seconds(peer) for _ in range(CALLS))  # noqa: B023

        pairs = rows.paired(ours, theirs)
        beside = f"95th percentile {statistics.quantiles(all_times, n=20)[-1]:.2f} ms"
        table.append(rows.against(f"{way} a picture in the browser", PEERS[way], pairs, beside=beside))
    return table


def open_page(playwright) -> Page:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page()
    content = b64encode((weights.PRETRAINED / f"{MODEL}.safetensors").read_bytes()).decode()
    picture, factors = hands.render(hands.neutral()[None]).ravel().tolist(), hands.neutral().tolist()
    page.set_content(PAGE % ("\n".join(path.read_text() for path in SOURCES), content, picture, factors))
    page.wait_for_function("() => window.measure")
    return page


def main() -> None:
    with sync_playwright() as playwright:
        rows.keep("network", "peers", compare(open_page(playwright)))


if __name__ == "__main__":
    main()
