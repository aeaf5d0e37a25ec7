"""The browser against torch on one thread, for the true hand against NumPy: one picture at a time, in alternation."""

import shutil
import statistics
import time
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

from vaehelpers import hands, latents, weights

MODEL, CALLS, ROUNDS = "hands", 500, 10
SOURCES = [Path(weights.__file__).with_name("web") / name for name in ("network.js", "hands.js")]
PEERS = {"decode": "torch on one thread", "encode": "torch on one thread", "draw": "NumPy"}
PAGE = """<script type="module">
%s
const model = parse(await unpack("%s")), picture = new Float32Array(%s);
const code = (i) => Float32Array.from({ length: model.latentDim }, (_, j) => 2 * Math.sin(i * (j + 1)));
const out = new Float32Array(picture.length), answer = encode(model, picture), factors = new Float32Array(%s);
const ways = {
  decode: (z) => decode(model, z, out),
  encode: () => encode(model, picture, answer),
  draw: () => { for (let i = 0; i < 10; i++) render(factors, 64, out); }, // the clock ticks every 0.1 ms
};
window.measure = (way, calls) => Array.from({ length: calls }, (_, i) => {
  const z = code(i), began = performance.now();
  ways[way](z);
  return (performance.now() - began) / (way === "draw" ? 10 : 1);
});
</script>"""


def milliseconds(run, calls: int) -> list[float]:
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        run()
        times.append(1000 * (time.perf_counter() - began))
    return times


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def compare(page: Page) -> dict[str, tuple[list[float], list[float], list[float]]]:
    """The times of the browser and of its peer, in ms, and the ratios of their medians, round by round."""
    model, _ = weights.load_pretrained(MODEL)
    factors = hands.neutral()[None]
    picture, z = hands.render(factors), np.random.default_rng(0).standard_normal((1, model.latent_dim))
    peers = {
        "decode": lambda: latents.decode(model, z),
        "encode": lambda: latents.encode(model, picture),
        "draw": lambda: hands.render(factors),
    }
    rows: dict[str, tuple[list[float], list[float], list[float]]] = {}
    for way, peer in peers.items():
        page.evaluate("(way) => measure(way, 100)", way), milliseconds(peer, 20)  # warm up
        ours, theirs, ratios = rows.setdefault(way, ([], [], []))
        for _ in range(ROUNDS):
            a = page.evaluate("([way, calls]) => measure(way, calls)", [way, CALLS // ROUNDS])
            b = milliseconds(peer, CALLS // ROUNDS)
            ours += a
            theirs += b
            ratios.append(statistics.median(a) / statistics.median(b))
    return rows


def open_page(playwright) -> Page:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
    page = browser.new_page()
    packed = weights.pack((weights.PRETRAINED / f"{MODEL}.safetensors").read_bytes())
    picture, factors = hands.render(hands.neutral()[None]).ravel().tolist(), hands.neutral().tolist()
    page.set_content(PAGE % ("\n".join(path.read_text() for path in SOURCES), packed, picture, factors))
    page.wait_for_function("() => window.measure")
    return page


def main() -> None:
    with sync_playwright() as playwright:
        rows = compare(open_page(playwright))
    print(f"{MODEL}, one picture, {CALLS} calls each, in alternation (ms, median and p95):")
    for way, (ours, theirs, ratios) in rows.items():
        print(f"  {way}: browser {statistics.median(ours):.2f} and {p95(ours):.2f},", end=" ")
        print(f"{PEERS[way]} {statistics.median(theirs):.2f} and {p95(theirs):.2f},", end=" ")
        print(f"ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
