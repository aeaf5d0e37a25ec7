"""Decoder, encoder and hand in the browser against torch and NumPy on one thread, one image at a time."""

import statistics
from base64 import b64encode

import numpy as np
import rows
from playwright.sync_api import sync_playwright

from vaehelpers import hands, latents, weights
from vaehelpers.explorer import bundle

MODEL, CALLS = "hands", 10 if rows.QUICK else 50
PAGE = """<script type="module">
%s
const model = network.parse(Uint8Array.from(atob("%s"), (byte) => byte.charCodeAt(0))), image = new Float32Array(%s);
const code = (i) => Float32Array.from({ length: model.latentDim }, (_, j) => 2 * Math.sin(i * (j + 1)));
const out = new Float32Array(image.length), factors = new Float32Array(%s);
const ways = {
  decode: (z) => network.decode(model, z, out),
  encode: () => network.encode(model, image),
  draw: () => { for (let i = 0; i < 10; i++) hands.render(factors, 64); }, // the clock ticks every 0.1 ms
};
window.measure = (way, calls) => Array.from({ length: calls }, (_, i) => {
  const z = code(i), began = performance.now();
  ways[way](z);
  return (performance.now() - began) / (way === "draw" ? 10 : 1);
});
</script>"""


def compare(page, way, peer):
    """Return pairs of median seconds, in the browser and of the peer, and all milliseconds in the browser."""
    page.evaluate("way => measure(way, 100)", way), [peer() for _ in range(20)]  # warm up
    every = []

    def ours():
        every.extend(page.evaluate("([way, calls]) => measure(way, calls)", [way, CALLS]))
        return statistics.median(every[-CALLS:]) / 1000

    return rows.paired(ours, lambda: statistics.median(rows.seconds(peer) for _ in range(CALLS))), every


if __name__ == "__main__":
    model, _ = weights.load_pretrained(MODEL)
    factors = hands.neutral()[None]
    image, z = hands.render(factors), np.random.default_rng(0).standard_normal((1, model.latent_dim))
    peers = {
        "decode": ("torch", lambda: latents.decode(model, z)),
        "encode": ("torch", lambda: latents.encode(model, image)),
        "draw": ("NumPy", lambda: hands.render(factors)),
    }
    content = b64encode((weights.PRETRAINED / f"{MODEL}.safetensors").read_bytes()).decode()
    table = []
    with sync_playwright() as playwright:
        page = rows.chromium(playwright).new_page()
        page.set_content(PAGE % (bundle(), content, image.ravel().tolist(), factors[0].tolist()))
        page.wait_for_function("() => window.measure")
        for way, (name, peer) in peers.items():
            pairs, every = compare(page, way, peer)
            beside = f"95th percentile {statistics.quantiles(every, n=20)[-1]:.2f} ms"
            table.append(rows.against(f"{way} an image in the browser", name, pairs, beside=beside))
    rows.store("network", table)
