"""Decoder, encoder, hand and training in the browser against torch and NumPy, on one thread each."""

import itertools
import statistics
from base64 import b64encode

import numpy as np
import rows
import torch
from playwright.sync_api import sync_playwright
from torch import nn

from vaehelpers import hands, latents, weights
from vaehelpers.explorer import bundle
from vaehelpers.model import elbo_terms, reparameterise

MODEL, CALLS = "hands", 10 if rows.QUICK else 50
BATCH, PIXELS = 64, 1024  # of the VAE that learns in the page
PAGE = """<script type="module">
%s
const model = network.parse(Uint8Array.from(atob("%s"), (byte) => byte.charCodeAt(0))), image = new Float32Array(%s);
const code = (i) => Float32Array.from({ length: model.latentDim }, (_, j) => 2 * Math.sin(i * (j + 1)));
const out = new Float32Array(image.length), factors = new Float32Array(%s);
const ways = {
  decode: (z) => network.decode(model, z, out),
  encode: () => network.encode(model, image),
  draw: () => hands.render(factors, 64),
};
window.measure = (way, calls) => Array.from({ length: calls }, (_, i) => {
  const z = code(i), began = performance.now();
  for (let k = 0; k < 10; k++) ways[way](z); // the clock ticks every 0.1 ms
  return (performance.now() - began) / 10;
});
</script>"""
TRAINING = """<script type="module">
%s
const net = createVae(product.createProduct(), { pixels: %d, latents: 2 });
const images = Float32Array.from(atob("%s"), (letter) => letter.charCodeAt(0) / 255);
window.train = (steps) => {
  const began = performance.now();
  for (let i = 0; i < steps; i++) net.train(images);
  return (performance.now() - began) / 1000;
};
</script>"""


class Dense(nn.Module):
    """The network of vae.js."""

    def __init__(self):
        super().__init__()
        chain = lambda *widths: [nn.Linear(*pair) for pair in itertools.pairwise(widths)]  # noqa: E731
        (a, b, c), (d, e, f) = chain(PIXELS, 256, 128, 4), chain(2, 128, 256, PIXELS)
        self.encoder = nn.Sequential(a, nn.ReLU(), b, nn.ReLU(), c)
        self.decoder = nn.Sequential(d, nn.ReLU(), e, nn.ReLU(), f)


def training(playwright):
    """Return a row: steps on one batch, in the browser and in torch."""
    pixels = hands.render(hands.sample_factors(BATCH, rng=np.random.default_rng(0)), 32)
    page = rows.chromium(playwright).new_page()
    content = b64encode(np.uint8(255 * pixels).tobytes()).decode()
    page.set_content(TRAINING % (bundle(("product", "vae")), PIXELS, content))
    page.wait_for_function("() => window.train")
    x, net = torch.from_numpy(pixels.reshape(BATCH, PIXELS)).float(), Dense()
    adam = torch.optim.Adam(net.parameters(), lr=2e-3)

    def peer():
        for _ in range(CALLS):
            mu, logvar = net.encoder(x).chunk(2, dim=1)
            log_likelihood, kl = elbo_terms(x, net.decoder(reparameterise(mu, logvar)), mu, logvar)
            adam.zero_grad()
            (kl.sum(1) - log_likelihood).mean().backward()
            adam.step()

    page.evaluate("steps => train(steps)", 100), peer()  # warm up
    pairs = rows.paired(lambda: page.evaluate("steps => train(steps)", CALLS), lambda: rows.seconds(peer))
    fastest = CALLS * BATCH / min(ours for ours, _ in pairs)
    work = f"training in the browser, 32×32, batch {BATCH}, an image"
    return rows.against(work, "torch", pairs, per=CALLS * BATCH, beside=f"{fastest:,.0f} images/s at best")


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
        table.append(training(playwright))
    rows.store("network", table)
